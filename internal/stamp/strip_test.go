package stamp

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func joined(parts [][]byte) string { return string(bytes.Join(parts, nil)) }

func TestStripRemovesOurs(t *testing.T) {
	for _, field := range []string{
		"X-Spam-Status: No, score=-9\r\n\ttests=none\r\n",
		"x-spam-flag:NO\r\n",
		"X-SPAM-FLAG : NO\r\n",
		"X-Spam-Flag\r\n : NO\r\n",
		"X-Congthu-Id: 1\r\n",
		"X-Congthu-Anything-Else: 1\r\n",
		"Authentication-Results: gw.example.test; dmarc=pass\r\n",
		"Authentication-Results: GW.Example.TEST; dmarc=pass\r\n",
		"authentication-results:gw.example.test;dmarc=pass\r\n",
		"Authentication-Results : gw.example.test; dmarc=pass\r\n",
		"Authentication-Results:\r\n\tgw.example.test;\r\n\tdmarc=pass\r\n",
		"Authentication-Results:\r\n \r\n gw.example.test; dmarc=pass\r\n",
		"Authentication-Results: (a (nested) comment) gw.example.test; dmarc=pass\r\n",
		"Authentication-Results: gw.example.test (a comment); dmarc=pass\r\n",
		"Authentication-Results: gw(;).example.test; dmarc=pass\r\n",
		"Authentication-Results: gw.example.test 1; dmarc=pass\r\n",
		"Authentication-Results: gw(x).example.test 1; dmarc=pass\r\n",
		"Authentication-Results: gw.example.test dmarc=pass\r\n",
		"Authentication-Results: gw. example .test; dmarc=pass\r\n",
		"Authentication-Results: \"gw.example.test\"; dmarc=pass\r\n",
		"Authentication-Results: \"gw\\.example.test\"; dmarc=pass\r\n",
		"Authentication-Results: gw.example.test.; dmarc=pass\r\n",
		"Authentication-Results: gw.example.test/1; dmarc=pass\r\n",
		"Authentication-Results: gw.example.test / 1 ; dmarc=pass\r\n",
		"Authentication-Results: \"gw.example.test\"/1; dmarc=pass\r\n",
		"Authentication-Results: \"gw\".\"example\".\"test\"; dmarc=pass\r\n",
		"Authentication-Results: \"GW.example.test\" (x) 1; dmarc=pass\r\n",
		"Authentication-Results: (c) gw.EXAMPLE.test (x) ; dmarc=pass\r\n",
		"Authentication-Results: (a \\) b) gw.example.test; dmarc=pass\r\n",
		"Authentication-Results:\t\tgw.example.test\t;\tdmarc=pass\r\n",
		"Authentication-Results\t:\tgw.example.test; dmarc=pass\r\n",
		"Authentication-Results\r\n\t:\r\n\tgw.example.test; dmarc=pass\r\n",
		"Authentication-Results:\r\n\tgw.\r\n\texample.test; dmarc=pass\r\n",
		"Authentication-Results: =?utf-8?q?gw.example.test?=; dmarc=pass\r\n",
		"Authentication-Results: =?utf-8?B?Z3cuZXhhbXBsZS50ZXN0?=; dmarc=pass\r\n",
		"Authentication-Results: =?utf-8?q?gw.example.test=3B_dmarc=3Dpass?=\r\n",
		"Authentication-Results: =?utf-8?q?gw=2Eexample?=\r\n =?utf-8?q?=2Etest?= 1; dmarc=pass\r\n",
		"Authentication-Results: gw.example.test...; dmarc=pass\r\n",
		"Authentication-Results: gw.exam\u00adple.test; dmarc=pass\r\n",
		"Authentication-Results: gw.exam\u200bple.test; dmarc=pass\r\n",
		"Authentication-Results: \uff47\uff57.example.test; dmarc=pass\r\n",
		"Authentication-Results: gw\u3002example.test; dmarc=pass\r\n",
		"Authentication-Results: gw.example.test",
		"Authentication-Results: gw.example.test; dmarc=pass\n",
	} {
		for _, raw := range []string{field, "A: b\r\n" + field, "A: b\r\nno colon\r\n" + field} {
			rest := "C: d\r\n\r\nbody\r\n"
			if !strings.HasSuffix(field, "\n") {
				rest = ""
			}
			want := strings.TrimSuffix(raw, field) + rest
			if got := joined(Strip([]byte(raw+rest), "gw.example.test")); got != want {
				t.Errorf("%q left %q", field, got)
			}
		}
	}
}

func TestStripKeepsTheRest(t *testing.T) {
	for _, raw := range []string{
		"",
		"\r\n",
		"A: b\r\n\r\nX-Spam-Flag: NO\r\n",
		"\r\nX-Spam-Flag: NO\r\n",
		"A: b\r\n X-Spam-Flag: NO\r\n\r\n",
		"Authentication-Results: other.test; dmarc=pass\r\n\r\n",
		"Authentication-Results: gw.example.test2; dmarc=pass\r\n\r\n",
		"Authentication-Results: x.gw.example.test; dmarc=pass\r\n\r\n",
		"Authentication-Results: xgw.example.test/1; dmarc=pass\r\n\r\n",
		"Authentication-Results: gw-example.test; dmarc=pass\r\n\r\n",
		"Authentication-Results: =?utf-8?q?other.test?=; x=gw.example.test\r\n\r\n",
		"ARC-Authentication-Results: i=1; =?utf-8?q?gw.example.test?=; dmarc=pass\r\n\r\n",
		"X-Authentication-Results: gw.example.test; dmarc=pass\r\n\r\n",
		"Authentication-Results: other.test; x=gw.example.test\r\n\r\n",
		"Authentication-Results: (gw.example.test); dmarc=pass\r\n\r\n",
		"Authentication-Results: ; dmarc=pass\r\n\r\n",
		"Authentication-Results:\r\n\r\n",
		"ARC-Authentication-Results: i=1; gw.example.test; dmarc=pass\r\n\r\n",
		"X-Spam: yes\r\nX-Spam-Statuses: x\r\nX-Congthu: x\r\nSubject: X-Spam-Flag: YES\r\n\r\n",
	} {
		parts := Strip([]byte(raw), "gw.example.test")
		if got := joined(parts); got != raw {
			t.Errorf("%q became %q", raw, got)
		}
		if len(parts) > 1 {
			t.Errorf("%q was cut into %d", raw, len(parts))
		}
	}
}

func TestStripKnowsOtherSpellingsOfTheHost(t *testing.T) {
	for host, id := range map[string]string{
		"xn--cng-qmz.test": "cổng.test",
		"cổng.test":        "xn--cng-qmz.test",
		"gw.example.test":  "ｇｗ.example。test",
	} {
		raw := "Authentication-Results: " + id + "; spf=pass\r\nA: b\r\n\r\n"
		if got := joined(Strip([]byte(raw), host)); got != "A: b\r\n\r\n" {
			t.Errorf("%s under %s: %q", id, host, got)
		}
	}
}

func TestStripSharesTheOctets(t *testing.T) {
	raw := []byte("A: b\r\nX-Spam-Flag: YES\r\nC: d\r\n\r\nbody")
	parts := Strip(raw, "gw.example.test")
	if len(parts) != 2 || &parts[0][0] != &raw[0] || &parts[1][0] != &raw[len("A: b\r\nX-Spam-Flag: YES\r\n")] {
		t.Errorf("parts %q", parts)
	}
	_ = append(parts[0], 'x')
	if !bytes.Equal(raw, []byte("A: b\r\nX-Spam-Flag: YES\r\nC: d\r\n\r\nbody")) {
		t.Error("appending to a part wrote into the message")
	}
}

func TestOurOwnBlockIsStripped(t *testing.T) {
	in := input()
	in.Verdict.Score = 20
	block := string(Block(in))
	end := strings.Index(block, "Authentication-Results")
	if got := joined(Strip([]byte(block+"A: b\r\n\r\n"), in.Hostname)); got != block[:end]+"A: b\r\n\r\n" {
		t.Errorf("left %q", got)
	}
}

// FuzzStrip: what is left are whole lines of the message in their order; nothing of
// ours is among them; doing it again changes nothing.
func FuzzStrip(f *testing.F) {
	for _, s := range []string{
		"A: b\r\nX-Spam-Flag: YES\r\n\tx\r\nC: d\r\n\r\nbody",
		" X-Spam-Flag: YES\r\n\r\n", "Authentication-Results: (gw.test) gw . test 1; x\n\n",
		"Authentication-Results\r\n\t:\r\n \"gw.test\"", "X-Congthu-A\r\n\r\nX-Congthu-B: c",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		parts := Strip(raw, "gw.test")
		if !bytes.Equal(raw, before) {
			t.Fatal("the message was changed")
		}
		once := joined(parts)
		if twice := joined(Strip([]byte(once), "gw.test")); twice != once {
			t.Fatalf("%q, then %q", once, twice)
		}
		left := strings.SplitAfter(once, "\n")
		for _, l := range strings.SplitAfter(string(raw), "\n") {
			if len(left) > 0 && l == left[0] {
				left = left[1:]
				continue
			}
		}
		if len(left) > 0 && !slices.Equal(left, []string{""}) {
			t.Fatalf("%q is not made of the lines of %q", once, raw)
		}
		header, _, _ := strings.Cut(once, "\n\r\n")
		for _, l := range strings.Split(header, "\n") {
			if low := strings.ToLower(l); strings.HasPrefix(low, "x-spam-flag:") || strings.HasPrefix(low, "x-congthu-") && strings.Contains(low, ":") {
				if !strings.Contains(once, "\n\n") && !strings.HasPrefix(once, "\n") && !strings.HasPrefix(once, "\r\n") {
					t.Fatalf("%q is left", l)
				}
			}
		}
	})
}

func BenchmarkStrip(b *testing.B) {
	raw := []byte(strings.Repeat("Received: from a by b; Tue, 24 Nov 2026 09:30:00 +0700\r\n", 10) +
		"Authentication-Results: other.test; spf=pass\r\nX-Spam-Flag: YES\r\n\r\n" + strings.Repeat("body\r\n", 1000))
	b.ReportAllocs()
	for b.Loop() {
		Strip(raw, "gw.example.test")
	}
}

func BenchmarkBlock(b *testing.B) {
	in := input()
	b.ReportAllocs()
	for b.Loop() {
		Block(in)
	}
}

func TestDivider(t *testing.T) {
	for raw, want := range map[string]string{
		"":                     "",
		"\r\ntext":             "",
		"Subject: x\r\n\r\ny":  "",
		"Subject : x\r\n\r\ny": "",
		"Just text, no field.": "\r\n",
		"Dear all: a sentence": "\r\n",
		" folded: first\r\n":   "\r\n",
		": no name\r\n":        "\r\n",
		"T\u1ea3i: x\r\n\r\n":  "\r\n",
	} {
		if got := string(Divider([]byte(raw))); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}
