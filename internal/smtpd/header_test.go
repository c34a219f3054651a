package smtpd

import (
	"strings"
	"testing"
)

func TestCheckHeader(t *testing.T) {
	l := DefaultLimits()
	const from = "From: a@gov.test\r\n"
	for name, one := range map[string]struct {
		raw  string
		code int
	}{
		"empty":                     {"", 0},
		"ordinary":                  {from + "Subject: x\r\n folded\r\n\r\nbody\r\n", 0},
		"no body":                   {from, 0},
		"blank first":               {"\r\nFrom: in the body\r\nFrom: twice\r\n", 0},
		"bare text":                 {"Hello\r\nthere\r\n", 0},
		"bare text with a colon":    {"Hello\r\nNote: that\r\n", 0},
		"bare text, then From":      {"Hello\r\nFrom: a\r\n", 550},
		"mailbox line, then header": {"From a@gov.test Mon\r\nSubject: x\r\n" + from, 550},
		"G33 two From":              {from + "Subject: x\r\nFrom: admin@legit.test\r\n\r\n", 550},
		"two From, case":            {from + "fROM: b\r\n\r\n", 550},
		"two From, space":           {from + "From : b\r\n\r\n", 550},
		"two From, tab":             {from + "From\t: b\r\n\r\n", 550},
		"From in a part":            {from + "\r\nFrom: b\r\n", 0},
		"From as continuation":      {from + " From: b\r\n\r\n", 0},
		"no colon":                  {from + "Hello there\r\n\r\n", 550},
		"first continues nothing":   {" x\r\n" + from, 550},
		"space in a name":           {from + "X Y: z\r\n\r\n", 550},
		"8-bit in a name":           {from + "Xữ: z\r\n\r\n", 550},
		"control in a name":         {from + "X\x01: z\r\n\r\n", 550},
		"empty name":                {from + ": z\r\n\r\n", 550},
		"8-bit in a value":          {from + "Subject: chữ\r\n\r\n", 0},
		"two Content-Type":          {from + "Content-Type: a/b\r\nContent-Type: c/d\r\n\r\n", 0}, // held later, not refused
		"1,000 fields":              {strings.Repeat("X: y\r\n", 1000) + "\r\n", 0},
		"1,001 fields":              {strings.Repeat("X: y\r\n", 1001) + "\r\n", 550},
		"1,001 fields, in the body": {"X: y\r\n\r\n" + strings.Repeat("X: y\r\n", 1001), 0},
		"exactly 256 KiB":           {fieldsOf(256<<10) + "\r\nbody\r\n", 0},
		"one octet more":            {fieldsOf(256<<10+1) + "\r\nbody\r\n", 550},
		"continuations are counted": {from + strings.Repeat(" "+strings.Repeat("x", 997)+"\r\n", 263), 550},
		"50 hops":                   {strings.Repeat("Received: x\r\n", 50) + from, 0},
		"51 hops":                   {strings.Repeat("Received: x\r\n", 51) + from, 554},
		"X-Received is no hop":      {strings.Repeat("X-Received: x\r\n", 51) + from, 0},
	} {
		r, event := checkHeader([]byte(one.raw), l)
		if r.Code != one.code || (event == "") != (one.code == 0) {
			t.Errorf("%s: %v (%s), want %d", name, r, event, one.code)
		}
	}
}

// fieldsOf makes header fields of exactly n octets.
func fieldsOf(n int) string {
	field := "X: " + strings.Repeat("y", 995) + "\r\n"
	s := strings.Repeat(field, n/1000)
	if rest := n % 1000; rest > 0 {
		s = s[:len(s)-2] + strings.Repeat("z", rest) + "\r\n"
	}
	return s
}

func FuzzCheckHeader(f *testing.F) {
	f.Add("From: a\r\n b\r\nSubject: x\r\n\r\nbody\r\n")
	f.Add(": \r\n")
	f.Add("\r\n")
	f.Fuzz(func(t *testing.T, raw string) {
		raw = strings.NewReplacer("\r", "", "\x00", "").Replace(raw)
		raw = strings.ReplaceAll(raw, "\n", "\r\n") // as DATA hands it on: whole CRLF lines
		if raw != "" && !strings.HasSuffix(raw, "\r\n") {
			raw += "\r\n"
		}
		r, _ := checkHeader([]byte(raw), Limits{}.withDefaults())
		head, _, _ := strings.Cut("\r\n"+raw, "\r\n\r\n")
		froms := 0
		for line := range strings.SplitSeq(head, "\r\n") {
			name, _, has := strings.Cut(line, ":")
			if has && strings.EqualFold(strings.TrimRight(name, " \t"), "from") {
				froms++
			}
		}
		if froms > 1 && r.Code == 0 {
			t.Fatalf("%d From fields were taken: %q", froms, raw)
		}
	})
}
