package pgp

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"math/rand"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// Packets come out as the library reads them, however their lengths are written.
func TestFrames(t *testing.T) {
	body := bytes.Repeat([]byte("abc"), 1000)
	partial := append([]byte{0xCB, 0xE9}, body[:512]...)             // 2^9
	partial = append(append(partial, 0xE8), body[512:768]...)        // 2^8
	partial = append(append(partial, 192+7, 248), body[768:3000]...) // 2232 of them
	for name, c := range map[string]struct {
		in   []byte
		body []byte
		err  error
	}{
		"one octet":       {append([]byte{0xCB, 3}, "abc"...), []byte("abc"), nil},
		"two octets":      {append([]byte{0xCB, 192 + 10, 0xF8}, body...), body, nil}, // (10<<8)+248+192 = 3000
		"five octets":     {append([]byte{0xCB, 0xFF, 0, 0, 0x0B, 0xB8}, body...), body, nil},
		"old, one":        {append([]byte{0xAC, 3}, "abc"...), []byte("abc"), nil},
		"old, two":        {append([]byte{0xAD, 0x0B, 0xB8}, body...), body, nil},
		"old, four":       {append([]byte{0xAE, 0, 0, 0x0B, 0xB8}, body...), body, nil},
		"old, to the end": {append([]byte{0xAF}, body...), body, nil},
		"partial":         {partial, body, nil},
		"cut":             {[]byte{0xCB, 200, 1, 'a'}, nil, errCut},
		"cut length":      {[]byte{0xCB, 0xFF, 0}, nil, errCut},
		"no packet":       {[]byte("hello"), nil, errFraming},
		"small partial":   {[]byte{0xCB, 0xE0, 'a', 0}, nil, errFraming},
		"partial key":     {append(append([]byte{0xC1, 0xE9}, body[:512]...), 0), nil, errFraming},
		"old key, open":   {append([]byte{0x87}, body...), nil, errFraming},
	} {
		fs, err := frames(bytes.Clone(c.in), 10)
		if err != c.err || err == nil && (len(fs) != 1 || fs[0].tag != tagLiteral || !bytes.Equal(fs[0].body, c.body)) {
			t.Errorf("%s: %v, %d packets", name, err, len(fs))
		}
	}
	many := bytes.Repeat([]byte{0xCA, 3, 'P', 'G', 'P'}, 11)
	if _, err := frames(many, 10); err != errMany {
		t.Errorf("too many: %v", err)
	}
}

// Armor is decoded as the library decodes it.
func TestDearmor(t *testing.T) {
	for _, n := range []int{1, 2, 3, 47, 48, 49, 1000, 100_001} {
		data := make([]byte, n)
		rand.New(rand.NewSource(int64(n))).Read(data)
		for _, sum := range []bool{true, false} {
			var b bytes.Buffer
			a := newArmor(&b, "PGP MESSAGE", "\r\n", sum)
			if _, err := a.Write(data); err != nil || a.Close() != nil {
				t.Fatal(err)
			}
			text := append([]byte("Chao anh,\r\n  "), b.Bytes()...)
			blocks := Blocks(append(text, "\r\nhet"...), 5)
			if len(blocks) != 1 || !blocks[0].Whole {
				t.Fatalf("%d: %+v", n, blocks)
			}
			got, err := Dearmor(text[blocks[0].Start:blocks[0].End])
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d octets, checksum %v: %v", n, sum, err)
			}
		}
	}
	x := base64.StdEncoding.EncodeToString([]byte("abc"))
	for text, ok := range map[string]bool{
		beginMessage + "\nVersion: x\nComment: y\n\n" + x + "\n" + endMessage: true,
		beginMessage + "\n" + x + "\n" + endMessage:                           true, // some leave the empty line out
		beginMessage + "\n\n" + x + "\n":                                      false,
		beginMessage + "\n\n" + x + "?\n" + endMessage:                        false,
		beginMessage + "\n\n" + endMessage:                                    false,
		beginMessage:                                                          false,
	} {
		if _, err := Dearmor([]byte(text)); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzDearmor(f *testing.F) {
	f.Add([]byte(beginMessage + "\r\n\r\nYWJj\r\n=abcd\r\n" + endMessage))
	f.Add([]byte("x\n" + beginMessage + "\nA: b\n\nYWJj\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		last := 0
		for _, b := range Blocks(text, 20) {
			if b.Start < last || b.End <= b.Start || b.End > len(text) {
				t.Fatalf("%+v behind %d of %d", b, last, len(text))
			}
			last = b.End
			got, err := Dearmor(bytes.Clone(text[b.Start:b.End]))
			if err != nil {
				continue
			}
			if len(got) > len(text) {
				t.Fatal("it grew")
			}
			block, err := armor.Decode(bytes.NewReader(text[b.Start:b.End]))
			if err != nil {
				continue
			}
			if theirs, err := io.ReadAll(block.Body); err == nil && len(theirs) > 0 && !bytes.Equal(theirs, got) {
				t.Fatalf("%q, the library reads %q", got, theirs)
			}
		}
	})
}

// opener is a key for the fuzzer, not locked: its passphrase would be tried anew for each
// process.
func opener(t testing.TB, v6 bool) (*Opener, *openpgp.Entity) {
	t.Helper()
	c := &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA}
	if v6 {
		c = &packet.Config{Algorithm: packet.PubKeyAlgoEd25519, V6Keys: true, AEADConfig: &packet.AEADConfig{}}
	}
	e, err := openpgp.NewEntity("", "", "a@x.test", c)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := e.SerializePrivate(&b, nil); err != nil {
		t.Fatal(err)
	}
	o, err := ReadOpener(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return o, e
}

func encryptedTo(t testing.TB, e *openpgp.Entity, c *packet.Config, clear []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := openpgp.Encrypt(&b, []*openpgp.Entity{e}, nil, nil, nil, c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(clear); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Whatever octets come, Open says a reason or gives back what was put in, whole.
func FuzzOpen(f *testing.F) {
	clear := []byte("Content-Type: text/plain\r\n\r\nKinh gui\r\n")
	o4, e4 := opener(f, false)
	o6, e6 := opener(f, true)
	for _, in := range [][]byte{
		encryptedTo(f, e4, &packet.Config{}, clear),
		encryptedTo(f, e4, &packet.Config{DefaultCompressionAlgo: packet.CompressionZLIB}, clear),
		encryptedTo(f, e6, &packet.Config{AEADConfig: &packet.AEADConfig{}}, clear),
	} {
		f.Add(in)
		f.Add(in[:len(in)-30])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := Open(context.Background(), bytes.Clone(data), []*Opener{o4, o6}, DefaultOpenLimits(1<<20))
		if err == nil && !bytes.Equal(o.Octets, clear) {
			t.Fatalf("it opened to %q", o.Octets)
		}
	})
}

// What decrypted packets hold is bounded, and signatures are looked at without a panic.
func FuzzUnpack(f *testing.F) {
	f.Add([]byte("\xcb\x09b\x00\x00\x00\x00\x00abc"))
	f.Add(frame{tagCompressed, []byte("\x01\x4b\x4c\x4a\x06\x00")}.append(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		size := len(data)
		lim := DefaultOpenLimits(1 << 20)
		o, err := unpack(context.Background(), data, lim)
		if err != nil {
			return
		}
		if len(o.Octets) > lim.Octets+1<<17 || len(o.Octets) > lim.Ratio*lim.Layers*size+ratioFree*lim.Layers {
			t.Fatalf("%d octets of %d", len(o.Octets), size)
		}
		if s := o.Verify(func(uint64) []*Key { return nil }, time.Unix(1e9, 0)); s.Standing == SignatureGood {
			t.Fatal("signed by nobody")
		}
	})
}

func FuzzUnprotect(f *testing.F) {
	f.Add([]byte("From: a@x.test\r\nSubject: [...]\r\n"), []byte("Subject: b\r\nContent-Type: text/plain; hp=\"cipher\"\r\n\r\nx"))
	f.Fuzz(func(t *testing.T, head, payload []byte) {
		h, p := bytes.Clone(head), bytes.Clone(payload)
		u := Unprotect(head, payload)
		if !bytes.Equal(h, head) || !bytes.Equal(p, payload) {
			t.Fatal("what it was given has changed")
		}
		if len(u.Letter) > len(head)+len(payload)+4*bytes.Count(head, []byte("\n"))+4*bytes.Count(payload, []byte("\n"))+100 {
			t.Fatalf("%d octets of %d", len(u.Letter), len(head)+len(payload))
		}
	})
}
