// Package seal keeps what lies on disk from being read by whoever gets hold of the disk, a
// backup or the database, but not of the key: XChaCha20-Poly1305 in chunks, in the STREAM
// construction (Hoang, Reyhanitabar, Rogaway and Vizár, 2015), which finds any octet
// changed, any chunk moved and any end cut off.
//
// Sealed octets are
//
//	"\x00CS1" | id of the key, 4 octets | nonce prefix, 19 octets | chunks
//
// where each chunk is 64 KiB of content, the last one less or none, and a tag of 16
// octets. The nonce of a chunk is the prefix, its number in 4 octets, and 1 for the last,
// 0 for another. What the octets belong to (a name) is authenticated with every chunk, so
// that one record cannot be put in another's place.
package seal

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
)

// Errors that callers tell apart with errors.Is.
var (
	ErrKey    = errors.New("seal: sealed with a key that is not at hand")
	ErrBroken = errors.New("seal: the sealed octets were changed")
)

const (
	magic      = "\x00CS1" // no letter and no text begins with NUL
	keyIDSize  = 4
	prefixSize = chacha20poly1305.NonceSizeX - 5
	headSize   = len(magic) + keyIDSize + prefixSize
	chunkSize  = 64 << 10
	tagSize    = chacha20poly1305.Overhead
)

// Size returns how many octets n octets of content become.
func Size(n int64) int64 {
	chunks := n/chunkSize + 1 // the last one is never full, so it may be empty
	return int64(headSize) + n + chunks*int64(tagSize)
}

// Sealed tells whether octets look sealed. What is older than the key is not.
func Sealed(b []byte) bool { return len(b) >= headSize+tagSize && string(b[:len(magic)]) == magic }

// Seal returns the content sealed with the current key.
func (k *Keys) Seal(name string, content ...[]byte) []byte {
	var n int64
	for _, c := range content {
		n += int64(len(c))
	}
	var out bytes.Buffer
	out.Grow(int(Size(n)))
	_ = k.SealTo(&out, name, content...) // a buffer takes everything
	return out.Bytes()
}

// SealTo writes the content sealed with the current key, chunk by chunk. Its error is
// the writer's.
func (k *Keys) SealTo(w io.Writer, name string, content ...[]byte) error {
	key := k.keys[0]
	head := make([]byte, headSize)
	copy(head, magic)
	copy(head[len(magic):], key.id[:])
	_, _ = rand.Read(head[len(magic)+keyIDSize:]) // never fails, by its documentation
	if _, err := w.Write(head); err != nil {
		return err
	}
	c := chunker{aead: key.aead, name: []byte(name)}
	copy(c.nonce[:], head[len(magic)+keyIDSize:])
	buf := make([]byte, 0, min(chunkSize, total(content))+tagSize)
	for _, part := range content {
		for len(part) > 0 {
			n := min(len(part), chunkSize-len(buf))
			buf, part = append(buf, part[:n]...), part[n:]
			if len(buf) < chunkSize {
				continue
			}
			if _, err := w.Write(c.seal(buf, false)); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
	_, err := w.Write(c.seal(buf, true))
	return err
}

func total(content [][]byte) (n int) {
	for _, c := range content {
		n += len(c)
	}
	return n
}

// Open returns the content of sealed octets. ErrKey says that their key is not among
// ours, ErrBroken that they are not what was sealed under this name.
func (k *Keys) Open(name string, sealed []byte) ([]byte, error) {
	return k.open(name, sealed, make([]byte, 0, len(sealed)))
}

// OpenInPlace is Open for what is large: the content takes the place of the sealed octets,
// which are gone whatever it returns.
func (k *Keys) OpenInPlace(name string, sealed []byte) ([]byte, error) {
	return k.open(name, sealed, sealed[:0])
}

func (k *Keys) open(name string, sealed, out []byte) ([]byte, error) {
	if !Sealed(sealed) {
		return nil, fmt.Errorf("%w: they do not begin as such", ErrBroken)
	}
	key := k.find(sealed[len(magic):][:keyIDSize])
	if key == nil {
		return nil, ErrKey
	}
	c := chunker{aead: key.aead, name: []byte(name), clear: make([]byte, 0, min(chunkSize, len(sealed)))}
	copy(c.nonce[:], sealed[len(magic)+keyIDSize:headSize])
	rest := sealed[headSize:]
	for last := false; !last; {
		n := min(len(rest), chunkSize+tagSize)
		last = n == len(rest) && n < chunkSize+tagSize
		var err error
		if out, err = c.open(out, rest[:n], last); err != nil {
			return nil, err
		}
		rest = rest[n:]
	}
	return out, nil
}

// chunker numbers the chunks of one record.
type chunker struct {
	aead  cipher.AEAD
	name  []byte
	nonce [chacha20poly1305.NonceSizeX]byte
	n     uint32
	clear []byte // one opened chunk
}

// next sets the nonce of the next chunk. A record of 2^32 chunks would be 256 TiB.
func (c *chunker) next(last bool) {
	binary.BigEndian.PutUint32(c.nonce[prefixSize:], c.n)
	c.nonce[prefixSize+4] = 0
	if last {
		c.nonce[prefixSize+4] = 1
	}
	c.n++
}

// seal seals a chunk in its place: buf has room for the tag.
func (c *chunker) seal(buf []byte, last bool) []byte {
	c.next(last)
	return c.aead.Seal(buf[:0], c.nonce[:], buf, c.name)
}

// open appends an opened chunk to out, which never reaches what is still to be opened: it
// grows by less than is read.
func (c *chunker) open(out, chunk []byte, last bool) ([]byte, error) {
	c.next(last)
	clear, err := c.aead.Open(c.clear[:0], c.nonce[:], chunk, c.name)
	if err != nil {
		return nil, ErrBroken
	}
	c.clear = clear
	return append(out, clear...), nil
}
