package scan_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"mime/quotedprintable"
	"slices"
	"strings"
	"testing"
	"time"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/archive/archivetest"
	"congthu/cmd/congthu-scan/scan"
	"congthu/cmd/congthu-scan/yarascan"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/scanproto"
)

// eicar is the test file of the scanners' makers, in two pieces so that no scanner
// takes this source for it.
func eicar() []byte {
	return []byte(`X5O!P%@AP[4\PZX54(P^)7CC)7}$` + `EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`)
}

type findsEicar struct{}

func (findsEicar) Scan(o yarascan.Object, _ time.Duration) ([]yarascan.Match, error) {
	data := o.Data
	if bytes.Contains(data, eicar()) {
		return []yarascan.Match{{Rule: "EICAR", Judgement: yarascan.Judgement{Symbol: yarascan.Malware}}}, nil
	}
	return nil, nil
}

// encodings are the ways of an attachment into a letter.
func encodings() map[string]func([]byte) (header, body string) {
	return map[string]func([]byte) (string, string){
		"base64": func(data []byte) (string, string) {
			text := base64.StdEncoding.EncodeToString(data)
			var b strings.Builder
			for line := range slices.Chunk([]byte(text), 76) {
				b.Write(line)
				b.WriteString("\r\n")
			}
			return "base64", b.String()
		},
		"quoted-printable": func(data []byte) (string, string) {
			var b bytes.Buffer
			w := quotedprintable.NewWriter(&b)
			w.Binary = true
			_, _ = w.Write(data) // into memory
			_ = w.Close()
			return "quoted-printable", b.String()
		},
		"uuencode": func(data []byte) (string, string) {
			var b strings.Builder
			b.WriteString("begin 644 a.bin\r\n")
			for line := range slices.Chunk(data, 45) {
				b.WriteString(uuLine(line))
			}
			return "x-uuencode", b.String() + "`\r\nend\r\n"
		},
		"binary": func(data []byte) (string, string) { return "binary", string(data) },
	}
}

func uuLine(data []byte) string {
	digit := func(n byte) byte { return '`' - byte((64-int(n&0x3F))%64) }
	line := []byte{digit(byte(len(data)))}
	for c := range slices.Chunk(data, 3) {
		c = append(slices.Clone(c), 0, 0)[:3]
		line = append(line, digit(c[0]>>2), digit(c[0]<<4|c[1]>>4), digit(c[1]<<2|c[2]>>6), digit(c[2]))
	}
	return strings.ReplaceAll(string(line), " ", "`") + "\r\n"
}

// letterWith is a letter with an attachment, and with the password in its text.
func letterWith(name string, data []byte, encode func([]byte) (string, string)) []byte {
	encoding, body := encode(data)
	return fmt.Appendf(nil, "Subject: ho so\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n"+
		"--=_b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nKính gửi anh, mật khẩu là: %s\r\n"+
		"--=_b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=%q\r\nContent-Transfer-Encoding: %s\r\n\r\n%s\r\n--=_b--\r\n",
		archivetest.Password, name, encoding, body)
}

// ask is what the daemon asks about a letter.
func ask(raw []byte) *scanproto.Request {
	r := request(scanproto.Object{Message: true, MediaType: "message/rfc822", Data: raw})
	r.TimeoutMS = 60000
	mimetree.Parse(raw, mimetree.DefaultLimits()).Walk(func(p *msg.Part) {
		if p.Decoded != nil {
			r.Objects = append(r.Objects, scanproto.Object{Part: p.Path, MediaType: p.MediaType, Names: mimetree.Filenames(p), Data: p.Decoded})
		}
	})
	return r
}

func found(t testing.TB, raw []byte) []string {
	t.Helper()
	fs, err := scan.Look(context.Background(), findsEicar{}, archive.DefaultLimits(), onTray(t, ask(raw)))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range fs {
		out = append(out, f.Symbol+" "+f.Evidence)
	}
	return out
}

// TestEicarMatrix: every container, alone, in itself, and in a zip in a gzip file; each
// in every encoding of a letter. None is missed, and nothing else is said of them.
func TestEicarMatrix(t *testing.T) {
	for _, c := range archivetest.All() {
		t.Run(c.Name, func(t *testing.T) {
			once := c.Write(t, "eicar.txt", eicar())
			twice := c.Write(t, "a."+c.Ext, once)
			zipped := zipOf(t, "a."+c.Ext, string(once))
			for nesting, file := range map[string]struct {
				name string
				data []byte
			}{
				"alone":    {"a." + c.Ext, once},
				"twice":    {"b." + c.Ext, twice},
				"in a zip": {"b.zip.gz", gzipped(t, zipped)},
			} {
				for encoding, encode := range encodings() {
					got := found(t, letterWith(file.name, file.data, encode))
					if !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, yarascan.Malware) }) {
						t.Errorf("%s, %s: missed: %q", nesting, encoding, got)
					}
					if other := slices.DeleteFunc(got, expectedOf(c)); len(other) > 0 {
						t.Errorf("%s, %s: %q", nesting, encoding, other)
					}
				}
			}
		})
	}
}

func gzipped(t testing.TB, data []byte) []byte {
	for _, c := range archivetest.All() {
		if c.Name == "gzip" {
			return c.Write(t, "", data)
		}
	}
	t.Fatal("no gzip")
	return nil
}

// expectedOf tells what may be said of a container besides what is in it.
func expectedOf(c archivetest.Container) func(string) bool {
	return func(said string) bool {
		symbol, rest, _ := strings.Cut(said, " ")
		switch symbol {
		case yarascan.Malware:
			return true
		case scan.PasswordGiven:
			return c.Locked
		case "ATTACH_ISO":
			return c.Ext == "iso"
		case "ATTACH_EXECUTABLE":
			return c.Ext == "exe" || c.Ext == "deb"
		case "ATTACH_UNSCANNABLE":
			return c.Name == "zip without its directory" && strings.Contains(rest, "damaged") ||
				c.Ext == "deb" && strings.Contains(rest, "depth") // each package is three archives in each other
		}
		return false
	}
}
