package pgp

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp/armor"

	"congthu/internal/msg"
)

// Sealed tells whether nothing in the message can be read by strangers: every part that
// says anything is encrypted, and is so in fact and not by its label. Protection goes by
// labels, because what claims to be protected is left alone; whether clear text may leave
// rests on this.
func Sealed(root *msg.Part) bool {
	return root != nil && sealed(root)
}

func sealed(p *msg.Part) bool {
	switch {
	case len(p.Ambiguities) > 0:
		return false
	case p.MediaType == "application/pkcs7-mime" || p.MediaType == "application/x-pkcs7-mime":
		return enveloped(p.Decoded)
	case p.IsMultipart():
		some := false
		for _, c := range p.Children {
			if blank(c) {
				continue
			}
			if !sealed(c) {
				return false
			}
			some = true
		}
		return some
	case p.IsText() || p.MediaType == "application/octet-stream" || p.MediaType == "application/pgp-encrypted":
		return len(p.Children) == 0 && armoredMessage(p.Decoded)
	}
	return false
}

// blank tells whether a leaf says nothing: empty text, or the version of RFC 3156.
func blank(p *msg.Part) bool {
	text := strings.TrimSpace(string(p.Decoded[:min(len(p.Decoded), 256)]))
	switch {
	case len(p.Children) > 0 || p.IsMultipart():
		return false
	case p.IsText():
		return len(bytes.TrimSpace(p.Decoded)) == 0
	}
	return p.MediaType == "application/pgp-encrypted" && len(p.Decoded) < 256 && strings.EqualFold(text, "Version: 1")
}

// armoredMessage tells whether the octets are one armored OpenPGP message that is
// encrypted, and nothing else.
func armoredMessage(data []byte) bool {
	const begin, end = "-----BEGIN PGP MESSAGE-----", "-----END PGP MESSAGE-----"
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff")))
	if !bytes.HasPrefix(data, []byte(begin)) || !bytes.HasSuffix(data, []byte(end)) || bytes.Count(data, []byte("-----BEGIN")) != 1 {
		return false
	}
	block, err := armor.Decode(bytes.NewReader(data))
	return err == nil && len(block.Header) <= 8 && encrypted(block.Body, false)
}

// IsEncrypted tells whether the octets are a binary OpenPGP message that is encrypted: its
// packets begin as those of one do. Where no armor says what it is there must be a session
// key: one octet in fifty is the beginning of encrypted data, and files begin with any.
func IsEncrypted(b []byte) bool {
	return len(b) > 2 && b[0]&0x80 != 0 && encrypted(bytes.NewReader(b), true)
}

// encrypted walks the packets up to the data packet (RFC 9580 section 10.3): session keys,
// then encrypted data.
func encrypted(r io.Reader, keyed bool) bool {
	in, keys := bufio.NewReader(r), 0
	for range 10_000 {
		tag, length, ok := packetHeader(in)
		switch {
		case !ok:
			return false
		case tag == 9 || tag == 18 || tag == 20:
			return keys > 0 || !keyed
		case tag != 1 && tag != 3 && tag != 10 && tag != 21 || length < 0: // session keys, marker, padding
			return false
		}
		if tag == 1 || tag == 3 {
			keys++
		}
		if n, err := io.CopyN(io.Discard, in, length); err != nil || n != length {
			return false
		}
	}
	return false
}

// packetHeader reads the header of a packet (RFC 9580 section 4.2). length is -1 where it
// is not told in advance.
func packetHeader(in *bufio.Reader) (tag int, length int64, ok bool) {
	b, err := in.ReadByte()
	if err != nil || b&0x80 == 0 {
		return 0, 0, false
	}
	if b&0x40 == 0 {
		tag = int(b>>2) & 0x0f
		size := []int{1, 2, 4, 0}[b&3]
		if size == 0 {
			return tag, -1, true
		}
		length, ok = number(in, size)
		return tag, length, ok
	}
	tag = int(b & 0x3f)
	first, err := in.ReadByte()
	switch {
	case err != nil:
		return 0, 0, false
	case first < 192:
		return tag, int64(first), true
	case first < 224:
		second, err := in.ReadByte()
		return tag, int64(first-192)<<8 + int64(second) + 192, err == nil
	case first < 255:
		return tag, -1, true
	}
	length, ok = number(in, 4)
	return tag, length, ok
}

func number(in io.Reader, size int) (int64, bool) {
	var b [8]byte
	_, err := io.ReadFull(in, b[8-size:])
	return int64(binary.BigEndian.Uint64(b[:])), err == nil
}

// enveloped tells whether the octets are CMS of a kind that is encrypted (RFC 8551 section
// 2.4): a ContentInfo that begins with the object identifier of enveloped or authenticated
// enveloped data.
func enveloped(der []byte) bool {
	in, ok := inside(der, 0x30)
	if !ok {
		return false
	}
	oid, ok := inside(in, 0x06)
	if !ok {
		return false
	}
	return bytes.Equal(oid, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03}) ||
		bytes.Equal(oid, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x17})
}

// inside returns the contents of the element at the front; an indefinite or overlong length
// means all that is there (BER, which senders of large letters use).
func inside(b []byte, tag byte) ([]byte, bool) {
	if len(b) < 2 || b[0] != tag {
		return nil, false
	}
	n, rest := int(b[1]), b[2:]
	if n >= 0x80 {
		size := n & 0x7f
		if size > 4 || size > len(rest) {
			return nil, false
		}
		n = 0
		for _, d := range rest[:size] {
			n = n<<8 | int(d)
		}
		rest = rest[size:]
		if size == 0 {
			n = len(rest)
		}
	}
	return rest[:min(n, len(rest))], true
}
