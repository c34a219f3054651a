package main

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"congthu/internal/config"
	"congthu/internal/msg"
	"congthu/internal/smtpd"
	"congthu/internal/store"
)

// newID makes a message id: 16 characters, digits and capitals without the ones that
// sound or look alike, the time first so that ids sort.
func newID() string {
	var b [10]byte
	binary.BigEndian.PutUint32(b[:4], uint32(time.Now().Unix()))
	_, _ = rand.Read(b[4:]) // never fails (crypto/rand)
	return base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").EncodeToString(b[:])
}

// diskGuard refuses mail before the disk is full (RFC 5321 section 4.5.3.1.10 says 452).
type diskGuard struct {
	db      *store.DB
	percent int
	floor   uint64 // octets

	mu     sync.Mutex
	asked  time.Time
	answer msg.Reply
}

// check answers MAIL: the zero Reply when there is room and the store is healthy. The
// disk is asked at most once a second.
func (d *diskGuard) check(context.Context) msg.Reply {
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Since(d.asked) > time.Second {
		d.asked, d.answer = time.Now(), d.ask()
	}
	return d.answer
}

func (d *diskGuard) ask() msg.Reply {
	sick := d.db.Healthy()
	if sick != nil && !errors.Is(sick, store.ErrFull) {
		return msg.Reply{Code: 451, Detail: "3.0", Text: "Tam thoi chua xu ly duoc, xin gui lai / Temporarily unable to process, try again later"}
	}
	free, total, err := d.db.Free()
	if err != nil || sick != nil || free < max(d.floor, total/100*uint64(max(d.percent, 0))) {
		return msg.Reply{Code: 452, Detail: "3.1", Text: "Het cho luu tru, xin gui lai / Insufficient system storage, try again later"}
	}
	return msg.Reply{}
}

func limits(l config.Limits) smtpd.Limits {
	return smtpd.Limits{
		MessageSize: l.MessageSize, CommandLine: l.CommandLine, BodyLine: l.BodyLine, HeaderSize: l.HeaderSize, HeaderFields: l.HeaderFields,
		Recipients: l.Recipients, RefusedRecipients: l.RefusedRecipients, Errors: l.Errors, IdleCommands: l.IdleCommands,
		Connections: l.Connections, PerClient: l.PerClient, Session: l.Session.Std(), CommandWait: l.CommandWait.Std(),
		DataGrace: l.DataGrace.Std(), DataRate: l.DataRate, ReceivedHops: l.ReceivedHops, Memory: l.Memory,
	}
}
