package archive

import (
	"archive/zip"
	"bytes"
	"compress/bzip2"
	"compress/flate"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // the format's
	"errors"
	"hash/crc32"
	"io"
)

// The compression methods of APPNOTE 4.4.5 beyond those of the standard library.
const (
	methodDeflate64 = 9
	methodBzip2     = 12
	methodLZMA      = 14
	methodZstdOld   = 20
	methodZstd      = 93
	methodXZ        = 95
	methodAES       = 99
)

// unzip returns the reader of a method, or nil when there is none.
func unzip(method uint16, r *bytes.Reader, size uint64, dictionary int64) (io.Reader, error) {
	switch method {
	case zip.Store:
		return r, nil
	case zip.Deflate:
		return flate.NewReader(r), nil
	case methodDeflate64:
		return newInflate64(r), nil
	case methodBzip2:
		return bzip2.NewReader(r), nil
	case methodLZMA:
		return zipLZMA(r, size, dictionary)
	case methodZstd, methodZstdOld:
		return newZstd(r, dictionary)
	case methodXZ:
		packed, err := io.ReadAll(r) // from memory
		if err != nil {
			return nil, err
		}
		return newXZ(packed, dictionary)
	}
	return nil, nil
}

// zipLZMA reads the header that zip puts before LZMA data (APPNOTE 5.8.8).
func zipLZMA(r io.Reader, size uint64, dictionary int64) (io.Reader, error) {
	var head [9]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	if le16(head[:], 2) != 5 {
		return nil, errors.New("lzma properties of another size")
	}
	return newLZMA(head[4:], size, r, dictionary)
}

// decrypt finds the password of an entry and returns the entry as if it had none.
func (z *zipFile) decrypt(e entry) (entry, bool) {
	try := func(password string) (out entry, ok bool) {
		if e.method == methodAES {
			out, ok = e.openAES(password)
		} else {
			out, ok = e.openOld(password)
		}
		return out, ok && z.plausible(out)
	}
	if z.password != "" {
		if out, ok := try(z.password); ok {
			return out, true
		}
	}
	var found entry
	password, ok := z.unlock(func(p string) (ok bool) {
		found, ok = try(p)
		return ok
	})
	if ok {
		z.password = password
	}
	return found, ok
}

// plausible reads a decrypted entry as far as is needed to know whether the password
// was right: the old cipher lets one in 256 wrong ones through.
func (z *zipFile) plausible(e entry) bool {
	r, err := unzip(e.method, bytes.NewReader(e.packed), e.size, z.Dictionary)
	if err != nil {
		return false
	}
	if r == nil {
		return true
	}
	const far = 16 << 20
	sum := crc32.NewIEEE()
	n, err := io.CopyN(sum, &moving{r: r}, far)
	switch {
	case err == nil && n == far:
		return true
	case !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return false
	}
	return !e.sure || sum.Sum32() == e.crc && uint64(n) == e.size //nolint:gosec // not negative
}

// openOld decrypts by the first cipher of PKWARE (APPNOTE 6.1).
func (e entry) openOld(password string) (entry, bool) {
	const head = 12
	if len(e.packed) < head {
		return entry{}, false
	}
	k := newZipKeys(password)
	var last byte
	for _, c := range e.packed[:head] {
		last = k.decrypt(c)
	}
	check := byte(e.crc >> 24)
	if e.flags&flagLater != 0 {
		check = byte(e.time >> 8)
	}
	if last != check {
		return entry{}, false
	}
	clear := make([]byte, len(e.packed)-head)
	for i, c := range e.packed[head:] {
		clear[i] = k.decrypt(c)
	}
	e.packed, e.flags = clear, e.flags&^flagSealed
	return e, true
}

type zipKeys [3]uint32

func newZipKeys(password string) *zipKeys {
	k := &zipKeys{0x12345678, 0x23456789, 0x34567890}
	for i := range len(password) {
		k.update(password[i])
	}
	return k
}

func (k *zipKeys) update(c byte) {
	step := func(crc uint32, c byte) uint32 { return crc32.IEEETable[byte(crc)^c] ^ crc>>8 }
	k[0] = step(k[0], c)
	k[1] = (k[1]+k[0]&0xFF)*134775813 + 1
	k[2] = step(k[2], byte(k[1]>>24))
}

func (k *zipKeys) decrypt(c byte) byte {
	t := k[2] | 2
	c ^= byte(t * (t ^ 1) >> 8)
	k.update(c)
	return c
}

// openAES decrypts by WinZip's AE-1 and AE-2: the key from PBKDF2, two octets that
// tell most wrong passwords, AES in a counter mode of its own, an HMAC at the end.
func (e entry) openAES(password string) (entry, bool) {
	info, ok := aesInfo(e.extra)
	if !ok {
		return entry{}, false
	}
	keySize := 8 + 8*int(info.strength)
	salt, verify, mac := keySize/2, 2, 10
	if len(e.packed) < salt+verify+mac {
		return entry{}, false
	}
	keys, err := pbkdf2.Key(sha1.New, password, e.packed[:salt], 1000, 2*keySize+verify)
	if err != nil || !bytes.Equal(keys[2*keySize:], e.packed[salt:salt+verify]) {
		return entry{}, false
	}
	body := e.packed[salt+verify : len(e.packed)-mac]
	sum := hmac.New(sha1.New, keys[keySize:2*keySize])
	sum.Write(body)
	if !bytes.Equal(sum.Sum(nil)[:mac], e.packed[len(e.packed)-mac:]) {
		return entry{}, false
	}
	block, err := aes.NewCipher(keys[:keySize])
	if err != nil {
		return entry{}, false
	}
	e.packed, e.flags, e.method = countedLittle(block, body), e.flags&^flagSealed, info.method
	if info.version == 2 {
		e.sure = false // it has no checksum: the HMAC stands for it
	}
	return e, true
}

// countedLittle is CTR with a little-endian counter that begins with one.
func countedLittle(block cipher.Block, in []byte) []byte {
	out := make([]byte, len(in))
	var counter, pad [aes.BlockSize]byte
	for at := 0; at < len(in); at += aes.BlockSize {
		for i := range counter {
			if counter[i]++; counter[i] != 0 {
				break
			}
		}
		block.Encrypt(pad[:], counter[:])
		for i := at; i < min(at+aes.BlockSize, len(in)); i++ {
			out[i] = in[i] ^ pad[i-at]
		}
	}
	return out
}

type zipAES struct {
	version, method uint16
	strength        byte
}

// aesInfo finds the extra field 0x9901.
func aesInfo(extra []byte) (zipAES, bool) {
	for len(extra) >= 4 {
		id, size := le16(extra, 0), int(le16(extra, 2))
		if extra = extra[4:]; size > len(extra) {
			break
		}
		if id == 0x9901 && size >= 7 {
			a := zipAES{version: le16(extra, 0), strength: extra[4], method: le16(extra, 5)}
			return a, a.strength >= 1 && a.strength <= 3
		}
		extra = extra[size:]
	}
	return zipAES{}, false
}
