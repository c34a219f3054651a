package carrier_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/carrier"
)

const payload = "EVIL as it was before anybody wrapped it"

func le(values ...any) []byte {
	var b bytes.Buffer
	for _, v := range values {
		switch v := v.(type) {
		case string:
			b.WriteString(v)
		case []byte:
			b.Write(v)
		default:
			_ = binary.Write(&b, binary.LittleEndian, v)
		}
	}
	return b.Bytes()
}

// attribute writes one attribute of TNEF, with a sum that nobody compares.
func attribute(id uint32, value []byte) []byte {
	return le(byte(2), id, uint32(len(value)), value, uint16(0))
}

func wide(s string) []byte {
	var b []byte
	for _, r := range s + "\x00" {
		b = binary.LittleEndian.AppendUint16(b, uint16(r))
	}
	return b
}

func padded(b []byte) []byte { return append(b, make([]byte, -len(b)&3)...) }

// property writes a MAPI property with one value of variable length.
func property(kind, id uint16, value []byte) []byte {
	return le(kind, id, uint32(1), uint32(len(value)), padded(bytes.Clone(value)))
}

func tnef(attributes ...[]byte) []byte {
	return le(uint32(0x223E9F78), uint16(1), bytes.Join(attributes, nil))
}

func winmail() []byte {
	return tnef(
		attribute(0x00069003, le(uint32(3),
			uint16(0x1E), uint16(0x8001), make([]byte, 16), uint32(1), uint32(4), wide("x"), uint32(1), uint32(2), "y\x00\x00\x00",
			uint16(3), uint16(0x0E07), uint32(7),
			property(0x102, 0x1013, []byte("<p>page")))),
		attribute(0x00069002, make([]byte, 14)),
		attribute(0x00018010, []byte("PAYLOA~1.EXE\x00")),
		attribute(0x0006800F, []byte(payload)),
		attribute(0x00069005, le(uint32(1), property(0x1F, 0x3707, wide("payload.exe")))),
		attribute(0x00069002, make([]byte, 14)),
		attribute(0x00069005, le(uint32(1), property(0x0D, 0x3701, append(make([]byte, 16), "object"...)))))
}

func cmsOf(oid, content string, open bool) []byte {
	tlv := func(tag byte, parts ...[]byte) []byte {
		v := bytes.Join(parts, nil)
		if open && tag&0x20 != 0 {
			return append(append([]byte{tag, 0x80}, v...), 0, 0)
		}
		return append([]byte{tag, 0x84, byte(len(v) >> 24), byte(len(v) >> 16), byte(len(v) >> 8), byte(len(v))}, v...)
	}
	inner := tlv(0x04, []byte(content))
	if open {
		half := len(content) / 2
		inner = tlv(0x24, tlv(0x04, []byte(content[:half])), tlv(0x04, []byte(content[half:])))
	}
	return tlv(0x30, []byte("\x06"+string(rune(len(oid)))+oid),
		tlv(0xA0, tlv(0x30, []byte{2, 1, 1}, tlv(0x31),
			tlv(0x30, []byte("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"), tlv(0xA0, inner)))))
}

const (
	signed     = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
	enveloped  = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03"
	encrypted  = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06"
	compressed = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09"
)

func appleSingle() []byte {
	be := func(v ...uint32) (b []byte) {
		for _, x := range v {
			b = binary.BigEndian.AppendUint32(b, x)
		}
		return b
	}
	const body = 26 + 24
	return bytes.Join([][]byte{
		be(0x00051600, 0x00020000), make([]byte, 16),
		{0, 2},
		be(3, body, 11, 1, body+11, uint32(len(payload))), []byte("payload.exe" + payload),
	}, nil)
}

func deflated(s string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.String()
}

type opener func(*archive.Budget, []byte, carrier.Visit) []archive.Remark

// open returns what was wrapped, "name|name=data" each, and the troubles.
func open(f opener, data []byte) (string, string) {
	var out, troubles []string
	for _, r := range f(archive.NewBudget(context.Background(), archive.DefaultLimits()), data, func(o carrier.Object) {
		out = append(out, strings.Join(o.Names, "|")+"="+string(o.Data))
	}) {
		troubles = append(troubles, fmt.Sprint(r.Trouble))
	}
	return strings.Join(out, "; "), strings.Join(troubles, " ")
}

func TestCarriers(t *testing.T) {
	for _, c := range []struct {
		name     string
		open     opener
		data     []byte
		want     string
		troubles string
	}{
		{"winmail.dat", carrier.TNEF, winmail(), "=<p>page; PAYLOA~1.EXE|payload.exe=" + payload + "; =object", ""},
		{"cut in the data", carrier.TNEF, tnef(attribute(0x0006800F, []byte(payload)))[:40], "=" + payload[:25], fmt.Sprint(archive.Damaged)},
		{"only a name", carrier.TNEF, tnef(attribute(0x00018010, []byte("a.exe\x00"))), "a.exe=", ""},
		{"two data of one attachment", carrier.TNEF, tnef(attribute(0x0006800F, []byte("a")), attribute(0x0006800F, []byte("b"))), "=a; =b", ""},
		{"stored RTF", carrier.TNEF, tnef(attribute(0x00069003, le(uint32(1), property(0x102, 0x1009, le(uint32(0), uint32(0), "MELA", uint32(0), "{rtf"))))), "={rtf", ""},
		// The example of MS-OXRTFCP section 3.1.
		{
			"compressed RTF", carrier.TNEF, tnef(attribute(0x00069003, le(uint32(1), property(0x102, 0x1009,
				[]byte("\x2d\x00\x00\x00\x2b\x00\x00\x00LZFu\xf1\xc5\xc7\xa7\x03\x00\x0a\x00rcpg125\x42\x32\x0a\xf3 hel\x09\x00\x20bw\x05\xb0ld}\x0a\x80\x0f\xa0"))))),
			"={\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n", "",
		},
		{"signed", carrier.CMS, cmsOf(signed, payload, false), "smime.eml=" + payload, ""},
		{"signed, in pieces", carrier.CMS, cmsOf(signed, payload, true), "smime.eml=" + payload, ""},
		{"compressed", carrier.CMS, cmsOf(compressed, deflated(payload), false), "smime.eml=" + payload, ""},
		{"encrypted for its recipient", carrier.CMS, cmsOf(enveloped, payload, false), "", ""},
		{"encrypted with a password", carrier.CMS, cmsOf(encrypted, payload, false), "", fmt.Sprint(archive.Encrypted)},
		{"nothing", carrier.CMS, []byte{0x30, 0}, "", fmt.Sprint(archive.Damaged)},
		{"Apple file", carrier.AppleFile, appleSingle(), "payload.exe=" + payload, ""},
		{"Apple file, cut", carrier.AppleFile, appleSingle()[:70], "payload.exe=" + payload[:9], fmt.Sprint(archive.Damaged)},
	} {
		got, troubles := open(c.open, c.data)
		if got != c.want || troubles != c.troubles {
			t.Errorf("%s: %q (%s), want %q (%s)", c.name, got, troubles, c.want, c.troubles)
		}
	}
}

// The sender's tools are not ours: what openssl signs is opened, in DER and as a stream.
func TestSignedByOpenSSL(t *testing.T) {
	tool, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is missing: apt-get install openssl")
	}
	dir := t.TempDir()
	run := func(args ...string) {
		cmd := exec.Command(tool, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("openssl %v: %v\n%s", args, err, out)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "in"), []byte("Content-Type: text/plain\r\n\r\n"+payload), 0o600); err != nil {
		t.Fatal(err)
	}
	run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key", "-out", "cert", "-subj", "/CN=a.test", "-days", "2")
	for _, how := range [][]string{nil, {"-stream"}} {
		run(append([]string{"cms", "-sign", "-binary", "-nodetach", "-in", "in", "-signer", "cert", "-inkey", "key", "-outform", "DER", "-out", "out"}, how...)...)
		data, err := os.ReadFile(filepath.Join(dir, "out"))
		if err != nil {
			t.Fatal(err)
		}
		if got, troubles := open(carrier.CMS, data); !strings.Contains(got, payload) || troubles != "" {
			t.Errorf("%v: %.100q %s", how, got, troubles)
		}
	}
}

// However lengths lie, reading ends, within the octets there are.
func FuzzCarriers(f *testing.F) {
	for _, s := range [][]byte{winmail(), cmsOf(signed, payload, true), cmsOf(compressed, deflated("x"), false), appleSingle()} {
		f.Add(s)
	}
	f.Add(bytes.Repeat([]byte{0x30, 0x80}, 5000))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, open := range []opener{carrier.TNEF, carrier.CMS, carrier.AppleFile} {
			limits := archive.DefaultLimits()
			limits.Bytes, limits.Member = 1<<20, 1<<20
			for _, r := range open(archive.NewBudget(context.Background(), limits), data, func(carrier.Object) {}) {
				if strings.Contains(r.Evidence, "the reader failed") {
					t.Fatal(r.Evidence)
				}
			}
		}
	})
}
