package notice_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"congthu/configs"
	"congthu/internal/lang"
	"congthu/internal/notice"
	"congthu/internal/tomlfile"
)

func shipped(t testing.TB) fs.FS {
	t.Helper()
	sub, err := fs.Sub(configs.Notices, "notices")
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

func texts(t testing.TB) *notice.Texts {
	t.Helper()
	x, err := notice.Load(shipped(t), "")
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// A mistake is told with file, line and column, in both languages, and nothing is loaded.
func TestMistakesHaveAPlace(t *testing.T) {
	for _, c := range []struct{ name, file, text, where, says string }{
		{"syntax", "held.txt", "Subject: a\n\nb {{.From}\nc\n", "held.txt:3:3", "bad character"},
		{"function", "held.txt", "Subject: a\n\nb {{from}}\n", "held.txt:3:5", "from"},
		{"field", "held.txt", "Subject: a\n\nb\n  {{.Frm}}\n", "held.txt:4:5", "Frm"},
		{"no subject", "held.txt", "b\n\nc\n", "held.txt:1:1", "Subject:"},
		{"no body", "held.txt", "Subject: a\n", "held.txt:1:1", "Subject:"},
		{"link", "held.txt", "Subject: a\n\nbấm\nxem https://so.vn/x\n", "held.txt:4:5", "https:/"},
		{"host", "held.txt", "Subject: a\n\nsang webmail.so.vn\n", "held.txt:3:", "link"},
		{"address", "held.txt", "Subject: a\n\ngọi a@so\n", "held.txt:3:", "@"},
		{"unclosed range", "digest.txt", "Subject: a\n\n{{range .Entries}}x\n", "digest.txt:", "unexpected EOF"},
		{"hidden", "held.txt", "Subject: a\n\nx\u202ey\n", "held.txt:3:2", "not seen"},
		{"endless", "digest.txt", "Subject: a\n\n{{define \"x\"}}{{template \"x\"}}xxxxxxxx{{end}}{{template \"x\"}}\n", "digest.txt:3:", ""},
		{"stray", "diget.txt", "Subject: a\n\nb\n", "diget.txt:", "did you mean 'digest'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, c.file), []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			x, err := notice.Load(shipped(t), dir)
			var ps tomlfile.Problems
			if !errors.As(err, &ps) || len(ps) != 1 || x != nil {
				t.Fatalf("%v %v", x, err)
			}
			got := ps.In(lang.EN)
			if !strings.Contains(got, filepath.Join(dir, c.where)) || !strings.Contains(got, c.says) {
				t.Errorf("%s\nwant %s and %q", got, c.where, c.says)
			}
			if vi := ps.In(lang.VI); vi == got {
				t.Errorf("the same in both languages: %s", vi)
			}
		})
	}
}

func TestOwnTextReplacesTheShippedOne(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "held.txt"), []byte("Subject: Của tỉnh {{.ID}}\r\n\r\nThân {{.From}}\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	x, err := notice.Load(shipped(t), dir)
	if err != nil {
		t.Fatal(err)
	}
	subject, body, err := x.Write(notice.HeldText, notice.Letter{ID: "7", From: "A"})
	if err != nil || subject != "Của tỉnh 7" || body != "Thân A\n" {
		t.Errorf("%q %q %v", subject, body, err)
	}
	if s, _, err := x.Write(notice.WaitingText, notice.Letter{}); err != nil || !strings.Contains(s, "mã hoá") {
		t.Errorf("the others are shipped: %q %v", s, err)
	}
}

// A link that comes of the data is refused too: it would be a mistake of ours.
func TestNoLetterHasALink(t *testing.T) {
	x := texts(t)
	if _, _, err := x.Write(notice.HeldText, notice.Letter{From: "http://evil.example/"}); err == nil {
		t.Error("a letter with a link was made")
	}
}

// FuzzTexts fills every text with what strangers write, as Plain makes it: a letter always
// comes of it, one that no reader takes for two.
func FuzzTexts(f *testing.F) {
	f.Add("http://a.b", "{{.ID}}", "Subject: x\r\n\r\ny")
	f.Add("\x00", "a@b.c", "\u202e")
	f.Add("NHAN 0ABC", "..", "%s%!d")
	x := texts(f)
	f.Fuzz(func(t *testing.T, from, subject, to string) {
		p := func(s string) string { return notice.Plain(s, 100) }
		why := lang.T(p(to), p(subject))
		e := notice.Entry{N: 1, Time: "28/11 07:05", From: p(from), Subject: p(subject), To: []string{p(to)}, Code: "0ABC-1-DEF", Text: why}
		l := notice.Letter{ID: "1", Gateway: p(to), From: p(from), Subject: p(subject), To: []string{p(to)}, Files: p(from), Text: why}
		for name, data := range map[string]any{
			notice.DigestText: notice.Digest{Day: "28/11/2026", Mailbox: true, Reply: true, Count: 2, More: 1, Entries: []notice.Entry{e}},
			notice.HeldText:   l, notice.SenderText: l, notice.StrippedText: l, notice.WaitingText: l,
			notice.AnswerText: notice.Answer{Lines: []notice.Line{{Code: "0ABC-1-DEF", Text: why}}},
			notice.ThanksText: notice.Answer{Lines: []notice.Line{{Text: why}}},
		} {
			s, body, err := x.Write(name, data)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if m := linked.FindString(s + "\n" + body); m != "" {
				t.Errorf("%s makes a link of %q:\n%s", name, m, body)
			}
			if strings.ContainsAny(s, "\r\n") || strings.Contains(body, "\r") {
				t.Errorf("%s: lines", name)
			}
		}
	})
}
