package scan

import (
	"slices"
	"strings"
	"testing"

	"congthu/internal/scanproto"
)

func TestPasswordsOfALetter(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"Mật khẩu: Abc-123", "Abc-123"},
		{"mật khẩu giải nén là Abc-123.", "Abc-123"},
		{"ma\u0323\u0302t kha\u0302\u0309u la\u0300 Abc-123", "Abc-123"}, // in pieces
		{"MAT KHAU: Abc-123!", "Abc-123!"},
		{"MAT KHAU: Abc-123!", "Abc-123"},
		{"matkhau=Abc-123", "Abc-123"},
		{"MK:Abc-123", "Abc-123"},
		{"Pass : Abc-123", "Abc-123"},
		{"the password for the attached zip is Abc-123", "Abc-123"},
		{"Password to open: \"hai ba\"", "hai ba"},
		{"mở tệp bằng “Abc 123” nhé", "Abc 123"},
		{"mã pin: 4711", "4711"},
		{"the code [Abc-123] opens it", "Abc-123"},
		{"no such word at all", "infected"},
	} {
		got := candidates([]string{c.text}, nil)
		if !slices.Contains(got, c.want) {
			t.Errorf("%q: %q", c.text, got)
		}
	}
}

// The words are few whatever the letter says, and the common ones always among them.
func TestPasswordsAreBounded(t *testing.T) {
	long := strings.Repeat("password a b c d e f 'g' \"h\" ", 100)
	var words []string
	for _, w := range strings.Fields(long) {
		words = append(words, w+string(rune('a'+len(words)%26))+string(rune('a'+len(words)/26%26)))
	}
	got := candidates([]string{"mk " + strings.Join(words, " mk ")}, nil)
	if len(got) > mostPasswords || !slices.Contains(got, "infected") {
		t.Errorf("%d: %q", len(got), got)
	}
}

func TestWhereTheWordsComeFrom(t *testing.T) {
	objects := []scanproto.Object{
		{Message: true, Data: []byte("Subject: =?utf-8?q?m=E1=BA=ADt_kh=E1=BA=A9u?= Trong-1\r\n\r\n")},
		{MediaType: "text/html", Data: []byte("<p>password:&nbsp;<b>Trong&amp;2</b></p><style>password x3</style>")},
		{MediaType: "text/plain", Names: []string{"password.txt"}, Data: []byte("password Trong-4")},
		{MediaType: "application/zip", Names: []string{"ho-so_4711.zip"}, Data: []byte("PK")},
	}
	got := passwords(objects)()
	for _, want := range []string{"Trong-1", "Trong&2", "4711"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is not among %q", want, got)
		}
	}
	if slices.Contains(got, "Trong-4") {
		t.Error("an attached text is no part of the letter")
	}
}

func FuzzPasswords(f *testing.F) {
	f.Add("mật khẩu: a \"b\" 'c")
	f.Fuzz(func(t *testing.T, text string) {
		if got := candidates([]string{text, visible([]byte(text))}, fromName(text)); len(got) > mostPasswords {
			t.Errorf("%d words", len(got))
		}
	})
}
