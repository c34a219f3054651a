package document

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"crypto/rc4"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"

	"congthu/cmd/congthu-scan/sniff"
)

// pdfKey opens what a PDF file has encrypted (ISO 32000-2, 7.6). Many ordinary files
// are encrypted only to forbid printing: everybody opens them with the empty password.
type pdfKey struct {
	key             []byte
	streams, strung method
}

type method byte

const (
	methodRC4 method = iota
	methodAES
	methodAES256
	methodNone
)

// unlock finds out whether the file is encrypted, and tries the empty password.
func (p *pdf) unlock() {
	e, id, ok := p.encryption()
	if !ok {
		return
	}
	if key := emptyPassword(e, id); key != nil {
		cf := func(name string) method { return filterMethod(e, e[name].text) }
		p.key = &pdfKey{key, cf("StmF"), cf("StrF")}
		return
	}
	p.sealed = true
	p.reader.found(sniff.Encrypted, "PDF")
}

// encryption finds the dictionary that says how the file is encrypted.
func (p *pdf) encryption() (e dict, id string, ok bool) {
	for _, o := range p.found {
		v, has := o.top["Encrypt"]
		if !has || (o.top["Root"].kind == 0 && o.top["ID"].kind == 0) {
			continue
		}
		ok = true
		if list := o.top["ID"].list; len(list) > 0 {
			id = list[0].text
		}
		if v.kind == isDict {
			return v.dict, id, true
		}
		for _, other := range p.found {
			if other.number == v.n && other.top["Filter"].kind == isName {
				e = other.top
			}
		}
	}
	return e, id, ok
}

func filterMethod(e dict, name string) method {
	if v := e["V"].n; v != 4 && v != 5 {
		return methodRC4
	}
	if name == "" || name == "Identity" {
		return methodNone
	}
	switch e["CF"].dict[name].dict["CFM"].text {
	case "AESV2":
		return methodAES
	case "AESV3":
		return methodAES256
	case "None":
		return methodNone
	}
	return methodRC4
}

// padding stands for an empty password (7.6.4.3.2).
const padding = "\x28\xBF\x4E\x5E\x4E\x75\x8A\x41\x64\x00\x4E\x56\xFF\xFA\x01\x08\x2E\x2E\x00\xB6\xD0\x68\x3E\x80\x2F\x0C\xA9\xFE\x64\x53\x69\x7A"

// emptyPassword returns the file's key if the empty user password is right.
func emptyPassword(e dict, id string) []byte {
	revision, o, u := e["R"].n, e["O"].text, e["U"].text
	if e["Filter"].text != "Standard" || len(u) < 32 || len(o) < 32 {
		return nil
	}
	if revision >= 5 {
		return emptyPassword256(revision, u, e["UE"].text)
	}
	size := 5
	if n := e["Length"].n; revision >= 3 && n >= 40 && n <= 128 {
		size = n / 8
	}
	if e["V"].n == 4 {
		size = 16
	}
	sum := md5.New()
	sum.Write([]byte(padding + o[:32]))
	var permissions [4]byte
	binary.LittleEndian.PutUint32(permissions[:], uint32(e["P"].n)) //nolint:gosec // as the file has it
	sum.Write(permissions[:])
	sum.Write([]byte(id))
	if m := e["EncryptMetadata"]; revision >= 4 && m.text == "false" {
		sum.Write([]byte("\xff\xff\xff\xff"))
	}
	key := sum.Sum(nil)
	if revision >= 3 {
		for range 50 {
			again := md5.Sum(key[:size])
			key = again[:]
		}
	}
	if key = key[:size]; proves(key, revision, id, u) {
		return key
	}
	return nil
}

// proves checks the key against what the file says it makes of the padding.
func proves(key []byte, revision int, id, u string) bool {
	if revision < 3 {
		return string(rc4Open(key, []byte(padding))) == u[:32]
	}
	sum := md5.Sum([]byte(padding + id))
	out := sum[:]
	for i := range 20 {
		k := bytes.Clone(key)
		for j := range k {
			k[j] ^= byte(i)
		}
		out = rc4Open(k, out)
	}
	return string(out) == u[:16]
}

// emptyPassword256 is the way of AES-256 (7.6.4.3.3).
func emptyPassword256(revision int, u, ue string) []byte {
	if len(u) < 48 || len(ue) < 32 {
		return nil
	}
	hash := func(salt string) []byte {
		sum := sha256.Sum256([]byte(salt))
		if revision == 5 {
			return sum[:]
		}
		return hash2B(sum[:])
	}
	if string(hash(u[32:40])) != u[:32] {
		return nil
	}
	block, err := aes.NewCipher(hash(u[40:48]))
	if err != nil {
		return nil
	}
	key := make([]byte, 32)
	cipher.NewCBCDecrypter(block, make([]byte, 16)).CryptBlocks(key, []byte(ue[:32]))
	return key
}

// hash2B is algorithm 2.B for the empty password.
func hash2B(k []byte) []byte {
	const rounds, most = 64, 1000
	for i := 0; i < most; i++ {
		block, err := aes.NewCipher(k[:16])
		if err != nil {
			return nil
		}
		e := bytes.Repeat(k, 64)
		cipher.NewCBCEncrypter(block, k[16:32]).CryptBlocks(e, e)
		rest := 0
		for _, c := range e[:16] {
			rest += int(c)
		}
		switch rest % 3 {
		case 0:
			sum := sha256.Sum256(e)
			k = sum[:]
		case 1:
			sum := sha512.Sum384(e)
			k = sum[:]
		default:
			sum := sha512.Sum512(e)
			k = sum[:]
		}
		if i+1 >= rounds && int(e[len(e)-1]) <= i+1-32 {
			break
		}
	}
	return k[:32]
}

func rc4Open(key, data []byte) []byte {
	c, err := rc4.NewCipher(key)
	if err != nil {
		return data
	}
	out := make([]byte, len(data))
	c.XORKeyStream(out, data)
	return out
}

// open decrypts a string or a stream of an object.
func (k *pdfKey) open(number, generation int, data []byte, isStream bool) []byte {
	m := k.strung
	if isStream {
		m = k.streams
	}
	switch m {
	case methodNone:
		return data
	case methodAES256:
		return cbcOpen(k.key, data)
	}
	own := append(bytes.Clone(k.key), byte(number), byte(number>>8), byte(number>>16), byte(generation), byte(generation>>8))
	if m == methodAES {
		own = append(own, "sAlT"...)
	}
	sum := md5.Sum(own)
	key := sum[:min(len(k.key)+5, 16)]
	if m == methodAES {
		return cbcOpen(key, data)
	}
	return rc4Open(key, data)
}

// cbcOpen decrypts AES in CBC mode, the first block being the vector. The padding is
// left out where it is right.
func cbcOpen(key, data []byte) []byte {
	block, err := aes.NewCipher(key)
	if err != nil || len(data) < 32 {
		return nil
	}
	body := data[16 : len(data)-len(data)%16]
	out := make([]byte, len(body))
	cipher.NewCBCDecrypter(block, data[:16]).CryptBlocks(out, body)
	if n := int(out[len(out)-1]); n >= 1 && n <= 16 {
		out = out[:len(out)-n]
	}
	return out
}
