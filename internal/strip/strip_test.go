package strip_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/strip"
)

const head = "From: a@a.test\r\nSubject: x\r\nMIME-Version: 1.0\r\n"

// letter joins lines; its attachment is part 2.
func letter(lines ...string) string { return head + strings.Join(lines, "\r\n") + "\r\n" }

func mixed(attachment ...string) string {
	lines := []string{"Content-Type: multipart/mixed; boundary=b", "", "preamble", "--b", "Content-Type: text/plain", "", "hello", "--b"}
	return letter(append(append(lines, attachment...), "--b", "Content-Type: application/pdf; name=b.pdf", "", "%PDF", "--b--", "epilogue")...)
}

func file(name string) []string {
	return []string{"Content-Type: application/octet-stream", "Content-Disposition: attachment; filename=" + name, "Content-Transfer-Encoding: base64", "", "TVo="}
}

func nested(outer string, inner ...string) []string {
	return append(append([]string{"Content-Type: " + outer, "", "--c"}, inner...), "--c", "Content-Type: image/png", "", "x", "--c--")
}

func remove(raw string, paths ...string) ([]byte, []*msg.Part, error) {
	root := mimetree.Parse([]byte(raw), mimetree.DefaultLimits())
	var found []msg.Finding
	for _, p := range paths {
		found = append(found, msg.Finding{Symbol: "ATTACH_TYPE", Part: p, Type: "exe"})
	}
	parts, err := strip.Parts(root, found)
	if err != nil {
		return nil, nil, err
	}
	out, err := strip.Replace([]byte(raw), root, parts, notice)
	return out, parts, err
}

func notice(p *msg.Part) string {
	return strip.Notice{ID: "M1", Name: p.Filename, Size: int64(len(p.Decoded)), Types: []string{"exe"}, Until: time.Date(2026, 12, 1, 20, 0, 0, 0, time.UTC)}.Text()
}

func TestFilesGoAndNothingElse(t *testing.T) {
	inner := []string{"Content-Type: message/rfc822", "", "Subject: in", "MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=d", "", "--d"}
	inner = append(append(inner, file("in.exe")...), "--d--")
	for name, c := range map[string]struct {
		raw   string
		paths []string
		gone  string
		kept  []string
	}{
		"an attachment":         {mixed(file("a.exe")...), []string{"2"}, "TVo=", []string{"hello", "%PDF", "preamble", "epilogue"}},
		"found twice":           {mixed(file("a.exe")...), []string{"2", "2"}, "TVo=", []string{"hello", "%PDF"}},
		"in a multipart":        {mixed(nested("multipart/related; boundary=c", file("a.exe")...)...), []string{"2.1"}, "TVo=", []string{"image/png", "%PDF"}},
		"in an attached letter": {mixed(inner...), []string{"2.1.1"}, "Subject: in", []string{"hello", "%PDF"}},
		"two of three":          {mixed(file("a.exe")...), []string{"3", "2"}, "TVo=", []string{"hello"}},
	} {
		t.Run(name, func(t *testing.T) {
			out, parts, err := remove(c.raw, c.paths...)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(out, []byte(c.gone)) {
				t.Errorf("%q is still there:\n%s", c.gone, out)
			}
			for _, k := range c.kept {
				if !bytes.Contains(out, []byte(k)) {
					t.Errorf("%q is gone:\n%s", k, out)
				}
			}
			outside(t, []byte(c.raw), out, parts)
			said := false
			mimetree.Parse(out, mimetree.DefaultLimits()).Walk(func(p *msg.Part) { said = said || strings.Contains(p.Text, "Đã gỡ tệp đính kèm – mã M1") })
			if !said {
				t.Errorf("no notice in\n%s", out)
			}
		})
	}
}

// outside holds every octet before, between and after the parts to the original.
func outside(t *testing.T, raw, out []byte, parts []*msg.Part) {
	t.Helper()
	from := int64(0)
	for _, p := range parts {
		between := raw[from:p.Start]
		i := bytes.Index(out, between)
		if i < 0 || from == 0 && i != 0 {
			t.Fatalf("octets %d to %d are not as they were", from, p.Start)
		}
		out, from = out[i+len(between):], p.End
	}
	if !bytes.HasSuffix(out, raw[from:]) {
		t.Errorf("octets from %d on are not as they were", from)
	}
}

func TestWhatStaysWhole(t *testing.T) {
	signed := func(kind string) string {
		return letter("Content-Type: "+kind+"; boundary=b", "", "--b", "Content-Type: application/octet-stream", "", "x", "--b", "Content-Type: text/plain", "", "y", "--b--")
	}
	for name, c := range map[string]struct{ raw, path string }{
		"signed":               {signed("multipart/signed"), "1"},
		"encrypted":            {signed("multipart/encrypted"), "1"},
		"a signature anywhere": {mixed(nested("multipart/signed; boundary=c", file("a.exe")...)...), "2.1"},
		"S/MIME":               {mixed("Content-Type: application/pkcs7-mime", "", "x"), "2"},
		"the only part":        {letter("Content-Type: application/zip", "", "PK"), "0"},
		"the message":          {mixed(file("a.exe")...), ""},
		"no such part":         {mixed(file("a.exe")...), "7"},
		"its text":             {mixed(file("a.exe")...), "1"},
		"two boundaries":       {strings.Replace(mixed(file("a.exe")...), "boundary=b", "boundary=b; boundary=z", 1), "2"},
		"two content types":    {strings.Replace(mixed(file("a.exe")...), "Subject: x", "Content-Type: text/plain", 1), "2"},
		"no closing delimiter": {strings.Replace(mixed(file("a.exe")...), "--b--", "", 1), "2"},
		"a uuencoded file":     {letter("Content-Type: multipart/mixed; boundary=b", "", "--b", "Content-Type: text/plain", "", "begin 644 a.exe", "#0V%T", "`", "end", "--b--"), "1.2"},
	} {
		if out, _, err := remove(c.raw, c.path); !errors.Is(err, strip.ErrWhole) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	if _, err := strip.Parts(nil, nil); !errors.Is(err, strip.ErrWhole) {
		t.Errorf("not parsed: %v", err)
	}
}

func TestNotice(t *testing.T) {
	text := strip.Notice{ID: "M1", Name: "a\x1b[31m\u202e\r\n--b.exe", Size: 1500, Types: []string{"exe", "program"}, Until: time.Date(2026, 12, 1, 20, 0, 0, 0, time.UTC)}.Text()
	for _, want := range []string{"mã M1", "code M1", "(exe, program, 2 KB)", "hết ngày 02/12/2026", "kept until 02/12/2026"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	if strings.ContainsAny(text, "\x1b\u202e") || strings.Contains(text, "\r\n--b") || strings.Contains(text, "http") {
		t.Errorf("%q", text)
	}
}

func FuzzReplace(f *testing.F) {
	f.Add(mixed(file("a.exe")...), uint8(1))
	f.Add(mixed(nested("multipart/related; boundary=c", file("a.exe")...)...), uint8(3))
	f.Fuzz(func(t *testing.T, raw string, pick uint8) {
		var paths []string
		mimetree.Parse([]byte(raw), mimetree.DefaultLimits()).Walk(func(p *msg.Part) { paths = append(paths, p.Path) })
		out, parts, err := remove(raw, paths[int(pick)%len(paths)])
		if err != nil {
			return
		}
		outside(t, []byte(raw), out, parts)
	})
}
