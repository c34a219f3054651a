// Package sealing makes OpenPGP messages for tests: good ones, and all the ones that somebody
// who means harm could make of them, packet by packet.
package sealing

import (
	"bytes"
	"compress/flate"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// Kinds are those of messages that must not be opened, each with the symbol that says so.
func Kinds() map[string]string {
	return map[string]string{
		"malleated":      "PGP_BROKEN",       // one bit of the text changed
		"mdc-stripped":   "PGP_BROKEN",       // the digest cut off
		"truncated":      "PGP_BROKEN",       // the last octets lost
		"truncated-half": "PGP_BROKEN",       // at a boundary of partial lengths
		"no-integrity":   "PGP_NO_INTEGRITY", // the old packet, tag 9
		"stripped-to-9":  "PGP_NO_INTEGRITY", // tag 18 made tag 9
		"cipher":         "PGP_UNSCANNABLE",  // by a cipher that nobody here knows
		"bomb":           "PGP_UNSCANNABLE",  // 1:1000
		"layers":         "PGP_UNSCANNABLE",  // compressed a hundred times
		"trailing":       "PGP_UNSCANNABLE",  // something in the clear behind the encrypted data
		"two-literals":   "PGP_UNSCANNABLE",  // two texts in one
		"many-packets":   "PGP_UNSCANNABLE",  // ten thousand of them
		"many-keys":      "PGP_UNSCANNABLE",  // two thousand session keys to try
		"encrypted-in":   "PGP_UNSCANNABLE",  // packets encrypted again inside
		"garbage-in":     "PGP_UNSCANNABLE",  // no packets inside
		"empty":          "PGP_UNSCANNABLE",  // nothing inside
	}
}

// Make encrypts an entity in one of the ways. by signs the good ones, if it is there.
func Make(kind string, clear []byte, to, by *openpgp.Entity) ([]byte, error) {
	key, ok := to.EncryptionKey(time.Now(), nil)
	if !ok {
		return nil, fmt.Errorf("nothing can be encrypted to the key")
	}
	m := maker{key: key.PublicKey, entity: to}
	lit := literal(clear)
	switch kind {
	case "plain", "signed", "hidden", "signed-compressed":
		return m.good(kind, clear, by)
	case "compressed":
		return m.wrap(compressed(lit))
	case "malleated":
		out, err := m.wrap(lit)
		if err == nil {
			out[len(out)-60] ^= 1
		}
		return out, err
	case "mdc-stripped":
		return m.protected(lit, func(b []byte) []byte { return b[:len(b)-22] })
	case "truncated", "truncated-half":
		return m.truncated(kind, clear)
	case "no-integrity":
		return m.sed(lit)
	case "stripped-to-9":
		out, err := m.protected(lit, nil)
		return retag(out, 18, 9), err
	case "cipher":
		return m.unknownCipher(lit)
	case "bomb":
		return m.wrap(compressed(literal(make([]byte, 8<<20))))
	case "layers":
		for range 100 {
			lit = compressed(lit)
		}
		return m.wrap(lit)
	case "trailing":
		out, err := m.wrap(lit)
		return append(out, literal([]byte("in the clear"))...), err
	case "two-literals":
		return m.wrap(append(lit, literal([]byte("second"))...))
	case "many-packets":
		return m.wrap(append(bytes.Repeat(frame(10, []byte("PGP")), 10_000), lit...))
	case "many-keys":
		return m.manyKeys(lit)
	case "encrypted-in":
		inner, err := m.wrap(lit)
		if err != nil {
			return nil, err
		}
		return m.wrap(inner)
	case "garbage-in":
		return m.wrap(clear)
	case "empty":
		return m.wrap(nil)
	}
	return nil, fmt.Errorf("there is no kind %q", kind)
}

// truncated loses the end: a little of it, with the digest, or some chunks.
func (m maker) truncated(kind string, clear []byte) ([]byte, error) {
	if kind == "truncated" {
		out, err := m.wrap(literal(clear))
		return out[:max(0, len(out)-40)], err
	}
	out, err := m.good("plain", append(clear, make([]byte, 3000)...), nil)
	return out[:max(0, len(out)-700)], err
}

type maker struct {
	key    *packet.PublicKey
	entity *openpgp.Entity
}

func config() *packet.Config { return &packet.Config{DefaultCipher: packet.CipherAES256} }

// good is what an ordinary program makes.
func (m maker) good(kind string, clear []byte, by *openpgp.Entity) ([]byte, error) {
	c := config()
	if m.key.Version == 6 {
		c.AEADConfig = &packet.AEADConfig{}
	}
	if kind == "signed-compressed" {
		c.DefaultCompressionAlgo = packet.CompressionZIP
	}
	to, hidden := []*openpgp.Entity{m.entity}, []*openpgp.Entity(nil)
	if kind == "hidden" {
		to, hidden = nil, to
	}
	p := &openpgp.EncryptParams{Config: c}
	if by != nil {
		p.Signers = []*openpgp.Entity{by}
	}
	var b bytes.Buffer
	w, err := openpgp.EncryptWithParams(&b, to, hidden, p)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(clear)
	err = errors.Join(err, w.Close())
	return b.Bytes(), err
}

// session makes a session key packet for a cipher.
func (m maker) session(with packet.CipherFunction, size int) (esk, key []byte, err error) {
	key = make([]byte, size)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	var b bytes.Buffer
	err = packet.SerializeEncryptedKeyAEAD(&b, m.key, with, m.key.Version == 6, key, config())
	return b.Bytes(), key, err
}

// begin is a session key, its cipher, and the random octets that encrypted data begin with.
func (m maker) begin() (esk []byte, block cipher.Block, iv []byte, err error) {
	esk, key, err := m.session(packet.CipherAES256, aes.BlockSize*2)
	if err != nil {
		return nil, nil, nil, err
	}
	iv = make([]byte, aes.BlockSize)
	_, _ = rand.Read(iv) // never fails (crypto/rand)
	block, err = aes.NewCipher(key)
	return esk, block, iv, err
}

// wrap encrypts packets with their integrity.
func (m maker) wrap(packets []byte) ([]byte, error) {
	if m.key.Version != 6 {
		return m.protected(packets, nil)
	}
	esk, key, err := m.session(packet.CipherAES256, 32)
	if err != nil {
		return nil, err
	}
	out := bytes.NewBuffer(esk)
	c := config()
	c.AEADConfig = &packet.AEADConfig{}
	w, err := packet.SerializeSymmetricallyEncrypted(out, packet.CipherAES256, true, packet.CipherSuite{Cipher: packet.CipherAES256, Mode: packet.AEADModeOCB}, key, c)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(packets)
	err = errors.Join(err, w.Close())
	return out.Bytes(), err
}

// protected encrypts packets with a digest (version 1); alter changes the clear octets after
// the digest was made.
func (m maker) protected(packets []byte, alter func([]byte) []byte) ([]byte, error) {
	esk, block, iv, err := m.begin()
	if err != nil {
		return nil, err
	}
	s, prefix := packet.NewOCFBEncrypter(block, iv, packet.OCFBNoResync)
	clear := slices.Concat(packets, []byte{0xD3, 20})
	sum := sha1.Sum(slices.Concat(iv, iv[14:], clear))
	clear = append(clear, sum[:]...)
	if alter != nil {
		clear = alter(clear)
	}
	s.XORKeyStream(clear, clear)
	return append(esk, frame(18, slices.Concat([]byte{1}, prefix, clear))...), nil
}

// sed is the old packet without integrity, made as old programs did.
func (m maker) sed(packets []byte) ([]byte, error) {
	esk, block, iv, err := m.begin()
	if err != nil {
		return nil, err
	}
	s, prefix := packet.NewOCFBEncrypter(block, iv, packet.OCFBResync)
	s.XORKeyStream(packets, packets)
	return append(esk, frame(9, slices.Concat(prefix, packets))...), nil
}

// unknownCipher names a cipher that has no number (RFC 9580 section 9.3) for a version 1
// message, or asks for it in the header of a version 2 one.
func (m maker) unknownCipher(packets []byte) ([]byte, error) {
	out, err := m.wrap(packets)
	if err != nil || m.key.Version == 6 {
		if i := bytes.Index(out, []byte{2, 9, 2}); i > 0 { // version, AES-256, OCB
			out[i+1] = 99
		}
		return out, err
	}
	esk, _, err := m.session(packet.CipherFunction(10), 32) // Twofish
	if err != nil {
		return nil, err
	}
	return append(esk, out[len(esk):]...), nil
}

func (m maker) manyKeys(packets []byte) ([]byte, error) {
	out, err := m.wrap(packets)
	if err != nil {
		return nil, err
	}
	esk, _, err := m.session(packet.CipherAES256, 32) // another session's
	return append(bytes.Repeat(esk, 500), out...), err
}

func frame(tag int, body []byte) []byte {
	return slices.Concat([]byte{0xC0 | byte(tag), 0xFF}, binary.BigEndian.AppendUint32(nil, uint32(len(body))), body)
}

func literal(data []byte) []byte {
	return frame(11, slices.Concat([]byte{'b', 0, 0, 0, 0, 0}, data))
}

func compressed(packets []byte) []byte {
	b := bytes.NewBuffer([]byte{1})
	w, _ := flate.NewWriter(b, flate.BestCompression) // the level is one
	_, _ = w.Write(packets)                           // a bytes.Buffer does not fail
	_ = w.Close()
	return frame(8, b.Bytes())
}

// retag changes the tag of the last packet: the one that reaches exactly to the end, for
// encrypted octets may look like the beginning of any.
func retag(b []byte, from, to int) []byte {
	for i := range max(0, len(b)-6) {
		if b[i] == 0xC0|byte(from) && b[i+1] == 0xFF && uint64(binary.BigEndian.Uint32(b[i+2:])) == uint64(len(b)-i-6) {
			b[i] = 0xC0 | byte(to)
		}
	}
	return b
}

// Armor writes a message as text.
func Armor(b []byte) []byte {
	out := []byte("-----BEGIN PGP MESSAGE-----\r\n\r\n")
	for c := range slices.Chunk(b, 48) {
		out = append(base64.StdEncoding.AppendEncode(out, c), "\r\n"...)
	}
	return append(out, "-----END PGP MESSAGE-----\r\n"...)
}

// Mail makes a letter by RFC 3156 of a header and a message.
func Mail(head string, message []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%sMIME-Version: 1.0\r\nContent-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=\"=-b\"\r\n\r\n"+
		"--=-b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n--=-b\r\nContent-Type: application/octet-stream; name=encrypted.asc\r\n\r\n%s\r\n--=-b--\r\n", head, Armor(message))
	return b.Bytes()
}

// ReadKey reads one public key.
func ReadKey(armored io.Reader) (*openpgp.Entity, error) {
	es, err := openpgp.ReadArmoredKeyRing(armored)
	if err != nil {
		return nil, err
	}
	if len(es) != 1 {
		return nil, fmt.Errorf("%d keys", len(es))
	}
	return es[0], nil
}
