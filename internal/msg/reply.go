package msg

import (
	"strconv"
	"strings"
)

// Reply is an SMTP reply. The class digit of the enhanced status code (RFC 3463)
// is derived from Code, so "450 5.7.1" cannot be written.
type Reply struct {
	Code   int    // three digits (RFC 5321 section 4.2); 0 means "no reply was read"
	Detail string // subject and detail without the class, such as "7.1"; "" for none
	Text   string // one line, or several separated by \n
	Own    bool   `json:"-"` // the gateway's own words: the next hop has not answered
}

// Temporary tells whether the sender should try again. No reply at all is
// temporary: nothing is known, so nothing may be given up.
func (r Reply) Temporary() bool { return r.Code == 0 || r.Code/100 == 4 }

// Permanent tells whether the sender was refused for good.
func (r Reply) Permanent() bool { return r.Code/100 == 5 }

// Positive tells whether the receiver has taken responsibility.
func (r Reply) Positive() bool { return r.Code/100 == 2 }

// Status returns the enhanced status code with its class, or "".
func (r Reply) Status() string {
	if r.Detail == "" || r.Code < 200 {
		return ""
	}
	return strconv.Itoa(r.Code/100) + "." + r.Detail
}

// String renders the reply on one line, for logs.
func (r Reply) String() string {
	if r.Code == 0 {
		return "no reply: " + r.Text
	}
	return strings.TrimSpace(strconv.Itoa(r.Code) + " " + strings.TrimSpace(r.Status()+" "+strings.ReplaceAll(r.Text, "\n", " / ")))
}

// Transfer is one copy of a message on its way to one next hop.
type Transfer struct {
	ID       string
	NextHop  string // host:port, or "mx"
	From     Path
	To       []Path
	SMTPUTF8 bool
	EightBit bool
	Client   *Session              // who brought it, for a next hop that wants to know; nil once it was in the queue
	Outbound bool                  // of a sender of ours: the gateway signs it
	Content  [][]byte              // header block on top, then the message; concatenated they are what is sent
	Fill     func(*Transfer) error // makes the Content, which is not there before; nil: it is there
	Tried    []Reply               // what an attempt made just now came to, for each of To; nil: none was made
}

// Size returns the number of octets of the content.
func (t *Transfer) Size() int64 {
	var n int64
	for _, c := range t.Content {
		n += int64(len(c))
	}
	return n
}

// Ready makes the content where that was put off: several encrypted copies of a large
// message are made one after the other, each just before it leaves or is stored.
func (t *Transfer) Ready() error {
	if t.Fill == nil {
		return nil
	}
	if err := t.Fill(t); err != nil {
		return err
	}
	t.Fill = nil
	return nil
}
