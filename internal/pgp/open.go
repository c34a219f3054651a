package pgp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"

	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Reason says why a message was not opened. The words stand in evidence and do not change.
type Reason string

// The reasons. Only with NoKey, Locked and ours is nothing wrong with the message itself.
const (
	NoKey         Reason = "no-key"               // encrypted to keys that are not here
	Locked        Reason = "locked"               // encrypted to a key that is here and locked
	Broken        Reason = "broken"               // changed or cut off on the way: the integrity check failed
	NoIntegrity   Reason = "no-integrity"         // of a kind that nobody can tell changed from unchanged
	BadCipher     Reason = "unscannable:cipher"   // by an algorithm that is not known here
	BadPackets    Reason = "unscannable:packets"  // no message by RFC 9580 section 10.3, or too many packets
	TooDeep       Reason = "unscannable:layers"   // compressed again and again, or encrypted so
	TooLarge      Reason = "unscannable:size"     // more octets than a letter may have
	TooDense      Reason = "unscannable:ratio"    // compressed as no letter is
	TooLong       Reason = "unscannable:time"     // not done in its time
	BadArmor      Reason = "unscannable:armor"    // the text around the packets is damaged
	BadStructure  Reason = "unscannable:parts"    // the letter around it can be read in two ways
	BadCompressed Reason = "unscannable:inflate"  // the compressed octets are damaged
	LibraryFault  Reason = "unscannable:internal" // the library panicked
)

// OpenError is why a message was not opened.
type OpenError struct {
	Reason Reason
	Err    error // for the log; nil: the reason says it all
}

// Error returns the reason, which holds nothing of the message.
func (e *OpenError) Error() string { return "pgp: not opened: " + string(e.Reason) }

// Unwrap returns the cause.
func (e *OpenError) Unwrap() error { return e.Err }

func unopened(why Reason, err error) error { return &OpenError{Reason: why, Err: err} }

// OpenLimits bound what one message may cost.
type OpenLimits struct {
	Octets  int // of what is inside
	Ratio   int // how many times its size something compressed may grow, above a megabyte
	Layers  int // of compression around each other
	Packets int // in one layer
	Keys    int // session keys that are tried
	Whole   int // times that all of the data is decrypted
}

// DefaultOpenLimits are the limits for a letter that may have so many octets.
func DefaultOpenLimits(octets int) OpenLimits {
	return OpenLimits{Octets: octets, Ratio: 200, Layers: 4, Packets: 1000, Keys: 32, Whole: 4}
}

// ratioFree is how much may come of any compressed octets.
const ratioFree = 1 << 20

// Opened is what a message held. Its integrity is verified, all of it.
type Opened struct {
	Octets      []byte
	Name        string // of the file, by its sender: untrusted
	Text        bool   // its sender says that it is text
	Fingerprint string // of the key that opened it

	Signed     bool
	signatures []byte // packets
	odd        bool   // signatures and their announcements do not match
}

// Open decrypts a binary OpenPGP message (RFC 9580 section 10.3) with one of the keys. data
// is used up. Nothing is returned before the integrity of the whole is verified: what comes
// out of a stream before its end may be anybody's (the weakness called EFAIL). The error is
// an *OpenError.
func Open(ctx context.Context, data []byte, keys []*Opener, lim OpenLimits) (o *Opened, err error) {
	defer func() {
		if p := recover(); p != nil { // the library meets a stranger's octets
			o, err = nil, unopened(LibraryFault, fmt.Errorf("%v\n%s", p, debug.Stack()))
		}
	}()
	fs, err := frames(data, lim.Packets)
	if err != nil {
		return nil, framing(err)
	}
	sessions, body, err := envelope(fs)
	if err != nil {
		return nil, err
	}
	plain, fpr, err := decrypt(ctx, sessions, body, keys, lim)
	if err != nil {
		return nil, err
	}
	o, err = unpack(ctx, plain, lim)
	if err != nil {
		return nil, err
	}
	o.Fingerprint = fpr
	return o, nil
}

func framing(err error) error {
	if errors.Is(err, errCut) {
		return unopened(Broken, err)
	}
	return unopened(BadPackets, err)
}

// envelope takes an encrypted message apart: session keys, then encrypted data, and nothing
// behind it.
func envelope(fs []frame) (sessions []frame, body frame, err error) {
	for i, f := range fs {
		switch f.tag {
		case tagMarker, tagPadding, tagPassphrase:
		case tagSessionKey:
			sessions = append(sessions, f)
		case tagNoIntegrity:
			return nil, f, unopened(NoIntegrity, nil)
		case tagIntegrity, tagAEAD:
			if slices.ContainsFunc(fs[i+1:], func(f frame) bool { return f.tag != tagMarker && f.tag != tagPadding }) {
				return nil, f, unopened(BadPackets, errors.New("packets behind the encrypted data"))
			}
			return sessions, f, nil
		default:
			return nil, f, unopened(BadPackets, fmt.Errorf("packet %d before the encrypted data", f.tag))
		}
	}
	return nil, body, unopened(BadPackets, errors.New("no encrypted data"))
}

// decrypt tries the session keys until one fits. A wrong one, of a hidden recipient for
// example, is found out by the integrity check alone.
func decrypt(ctx context.Context, sessions []frame, body frame, keys []*Opener, lim OpenLimits) ([]byte, string, error) {
	worst := unopened(NoKey, nil)
	tried, whole := 0, 0
	for _, f := range sessions {
		p, err := packet.Read(f.reader())
		e, ok := p.(*packet.EncryptedKey)
		if err != nil || !ok {
			continue // of a version or an algorithm that is not ours
		}
		for _, k := range keys {
			secrets, locked := k.candidates(e)
			if locked {
				worst = graver(worst, unopened(Locked, fmt.Errorf("key %s", k.fpr)))
			}
			for _, secret := range secrets {
				if tried++; tried > lim.Keys || whole >= lim.Whole {
					return nil, "", unopened(BadPackets, errMany)
				}
				session := *e
				if err := unlockSession(&session, secret); err != nil {
					worst = graver(worst, err)
					continue
				}
				whole++
				plain, err := decryptBy(ctx, session, body, lim)
				clear(session.Key)
				if err == nil {
					return plain, k.fpr, nil
				}
				worst = graver(worst, err)
			}
		}
	}
	return nil, "", worst
}

// candidates are the secret keys that the session key may be for.
func (o *Opener) candidates(e *packet.EncryptedKey) (out []*packet.PrivateKey, locked bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, k := range o.keys(e.KeyId) {
		if k.PubKeyAlgo == e.Algo {
			out = append(out, k)
		}
	}
	if o.locked {
		return nil, len(out) > 0
	}
	return out, false
}

// graver keeps what says more: that a key fits and the letter is bad outweighs that another
// key is locked, and that outweighs that none fits.
func graver(a, b error) error {
	weight := func(err error) int {
		var o *OpenError
		_ = errors.As(err, &o) // it is one
		switch o.Reason {
		case NoKey:
			return 0
		case Locked:
			return 1
		}
		return 2
	}
	if weight(b) > weight(a) {
		return b
	}
	return a
}

// unlockSession opens a session key.
func unlockSession(e *packet.EncryptedKey, secret *packet.PrivateKey) error {
	err := e.Decrypt(secret, nil)
	var unknown pgperrors.UnsupportedError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &unknown):
		return unopened(BadCipher, err)
	case e.KeyId == 0:
		return unopened(NoKey, err) // hidden, and somebody else's
	}
	return unopened(Broken, err)
}

// decryptBy decrypts the data by a session key, to the end.
func decryptBy(ctx context.Context, session packet.EncryptedKey, body frame, lim OpenLimits) ([]byte, error) {
	p, err := packet.Read(body.reader())
	if err != nil {
		return nil, unopened(BadCipher, err) // a version or an algorithm that is not known here
	}
	data, ok := p.(packet.EncryptedDataPacket)
	if !ok {
		return nil, unopened(BadPackets, nil)
	}
	in, err := data.Decrypt(session.CipherFunc, session.Key)
	if err != nil {
		return nil, unopened(Broken, err)
	}
	plain, err := readAll(ctx, in, len(body.body), lim.Octets+lim.Octets/8+1<<16)
	if err == nil {
		err = in.Close() // compares the digest or the last tag
	}
	var o *OpenError
	switch {
	case errors.As(err, &o):
		return nil, err
	case err != nil:
		return nil, unopened(Broken, err)
	}
	return plain, nil
}

// readAll reads to the end, at most so many octets, and looks at the clock meanwhile.
func readAll(ctx context.Context, r io.Reader, expected, most int) ([]byte, error) {
	buf := make([]byte, 0, min(expected, most)+512)
	for {
		if err := ctx.Err(); err != nil {
			return nil, unopened(TooLong, err)
		}
		if len(buf) == cap(buf) {
			buf = append(make([]byte, 0, cap(buf)+cap(buf)/2+512), buf...)
		}
		n, err := r.Read(buf[len(buf):min(cap(buf), len(buf)+1<<18)])
		buf = buf[:len(buf)+n]
		switch {
		case len(buf) > most:
			return nil, unopened(TooLarge, nil)
		case errors.Is(err, io.EOF):
			return buf, nil
		case err != nil:
			return nil, err
		}
	}
}

// unpack takes out of decrypted packets the one literal that is in them, with its
// signatures.
func unpack(ctx context.Context, plain []byte, lim OpenLimits) (*Opened, error) {
	for layer := 0; ; layer++ {
		fs, err := frames(plain, lim.Packets)
		if err != nil {
			return nil, unopened(BadPackets, err)
		}
		fs = slices.DeleteFunc(fs, func(f frame) bool { return f.tag == tagMarker || f.tag == tagPadding })
		if len(fs) == 1 && fs[0].tag == tagCompressed {
			if layer == lim.Layers {
				return nil, unopened(TooDeep, nil)
			}
			if plain, err = inflate(ctx, fs[0], lim); err != nil {
				return nil, err
			}
			continue
		}
		if len(fs) > 0 && slices.Contains([]int{tagSessionKey, tagPassphrase, tagNoIntegrity, tagIntegrity, tagAEAD}, fs[0].tag) {
			return nil, unopened(TooDeep, errors.New("encrypted again"))
		}
		return literal(fs)
	}
}

// inflate opens one layer of compression, and no more of it than is allowed.
func inflate(ctx context.Context, f frame, lim OpenLimits) ([]byte, error) {
	p, err := packet.Read(f.reader())
	c, ok := p.(*packet.Compressed)
	if err != nil || !ok {
		return nil, unopened(BadCompressed, err)
	}
	dense := lim.Ratio*len(f.body) + ratioFree
	most := min(dense, lim.Octets+1<<16)
	out, err := readAll(ctx, c.Body, min(4*len(f.body), most), most)
	var o *OpenError
	switch {
	case errors.As(err, &o) && o.Reason == TooLarge && most == dense:
		return nil, unopened(TooDense, nil)
	case o != nil:
		return nil, err
	case err != nil:
		return nil, unopened(BadCompressed, err)
	}
	return out, nil
}

// literal reads announcements of signatures, one literal, and the signatures.
func literal(fs []frame) (*Opened, error) {
	o := &Opened{}
	seen, announced, after := false, 0, 0
	for _, f := range fs {
		switch {
		case f.tag == tagOnePass && !seen:
			announced++
		case f.tag == tagSignature:
			if seen {
				after++
			}
			o.signatures = f.append(o.signatures)
		case f.tag == tagLiteral && !seen:
			seen = true
			if err := o.take(f.body); err != nil {
				return nil, err
			}
		default:
			return nil, unopened(BadPackets, fmt.Errorf("packet %d where it does not belong", f.tag))
		}
	}
	if !seen {
		return nil, unopened(BadPackets, errors.New("nothing inside"))
	}
	o.Signed = announced > 0 || len(o.signatures) > 0
	o.odd = announced != after
	return o, nil
}

// take reads a literal (RFC 9580 section 5.9).
func (o *Opened) take(body []byte) error {
	if len(body) < 2 || len(body) < 6+int(body[1]) || !bytes.ContainsRune([]byte("btulm1"), rune(body[0])) {
		return unopened(BadPackets, errors.New("a literal without its header"))
	}
	o.Text = body[0] == 't' || body[0] == 'u'
	n := int(body[1])
	o.Name, o.Octets = string(body[2:2+n]), body[6+n:]
	return nil
}
