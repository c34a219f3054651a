package stamp

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"congthu/internal/msg"
)

func input() Input {
	to := msg.Path{Raw: "b@so-mau.gov.test", Local: "b", Domain: "so-mau.gov.test"}
	return Input{
		Hostname: "gw.example.test",
		Message: &msg.Message{
			ID: "T5XQ7K",
			Session: msg.Session{
				Remote: netip.MustParseAddrPort("192.0.2.7:4000"), Helo: "mail.example.org",
				ESMTP: true, TLS: "TLS1.3 TLS_AES_128_GCM_SHA256",
			},
			Envelope: msg.Envelope{To: []msg.Path{to}},
			Auth: []msg.AuthResult{
				{Method: "spf", Status: "pass", Property: "smtp.mailfrom", Value: "a@example.org"},
				{Method: "dkim", Status: "fail", Property: "header.d", Value: "example.org", Reason: `body hash "x" differs`},
				{Method: "dmarc", Status: "pass", Property: "header.from", Value: "example.org"},
			},
		},
		Verdict: msg.Verdict{Score: 4.24, Required: 6, Counted: []msg.Weighed{
			{Finding: msg.Finding{Symbol: "REPLY_TO_DIFFERS"}, Score: 2},
			{Finding: msg.Finding{Symbol: "DKIM_FAIL"}, Score: 2.2},
			{Finding: msg.Finding{Symbol: "DKIM_FAIL"}, Score: 0.04},
		}},
		To:      []msg.Path{to},
		Stamped: time.Date(2026, 11, 24, 9, 30, 0, 0, time.FixedZone("ICT", 7*3600)),
	}
}

func lines(s ...string) string { return strings.Join(s, "\r\n") + "\r\n" }

func TestBlock(t *testing.T) {
	want := lines(
		"Received: from mail.example.org ([192.0.2.7]) (TLS1.3 TLS_AES_128_GCM_SHA256)",
		"\tby gw.example.test with ESMTPS id T5XQ7K for <b@so-mau.gov.test>;",
		"\tTue, 24 Nov 2026 09:30:00 +0700",
		"Authentication-Results: gw.example.test;",
		"\tspf=pass smtp.mailfrom=a@example.org;",
		"\tdkim=fail reason=\"body hash 'x' differs\" header.d=example.org;",
		"\tdmarc=pass header.from=example.org",
		"X-Spam-Status: No, score=4.2 required=6.0 tests=REPLY_TO_DIFFERS,DKIM_FAIL",
		"X-Congthu-Id: T5XQ7K",
	)
	if got := string(Block(input())); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestBlockOfSpamWithoutResults(t *testing.T) {
	in := input()
	in.Message.Session = msg.Session{Remote: netip.MustParseAddrPort("[2001:db8::1]:25"), Helo: "x y(z)\r\nX-Spam-Flag: NO"}
	in.Message.Auth = nil
	in.Verdict.Score = 11.5
	in.Verdict.Counted = nil
	in.To = append(in.To, msg.Path{Raw: "c@so-mau.gov.test"})
	want := lines(
		"Received: from [IPv6:2001:db8::1] ([IPv6:2001:db8::1])",
		"\t(HELO x y\\(z\\)??X-Spam-Flag: NO) by gw.example.test with SMTP",
		"\tid T5XQ7K; Tue, 24 Nov 2026 09:30:00 +0700",
		"Authentication-Results: gw.example.test; none",
		"X-Spam-Status: Yes, score=11.5 required=6.0 tests=none",
		"X-Spam-Flag: YES",
		"X-Congthu-Id: T5XQ7K",
	)
	if got := string(Block(in)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestReceivedFrom(t *testing.T) {
	for _, tt := range []struct{ helo, remote, want string }{
		{"mail.example.org", "192.0.2.7:1", "from mail.example.org ([192.0.2.7])"},
		{"[192.0.2.7]", "192.0.2.7:1", "from [192.0.2.7] ([192.0.2.7])"},
		{"[10.0.0.1]", "192.0.2.7:1", "from [192.0.2.7] ([192.0.2.7]) (HELO [10.0.0.1])"},
		{"", "192.0.2.7:1", "from [192.0.2.7] ([192.0.2.7]) (HELO )"},
		{"host_name", "[::ffff:192.0.2.7]:1", "from host_name ([192.0.2.7])"},
		{"cổng.test", "192.0.2.7:1", "from [192.0.2.7] ([192.0.2.7]) (HELO c?ng.test)"},
		{"a by evil.test with ESMTP", "192.0.2.7:1", "from [192.0.2.7] ([192.0.2.7]) (HELO a by evil.test with ESMTP)"},
		{`a\`, "192.0.2.7:1", `from [192.0.2.7] ([192.0.2.7]) (HELO a\\)`},
		{"a\x00\x7f\t\xff", "192.0.2.7:1", "from [192.0.2.7] ([192.0.2.7]) (HELO a????)"},
	} {
		in := input()
		in.Message.Session.Helo = tt.helo
		in.Message.Session.Remote = netip.MustParseAddrPort(tt.remote)
		got, _, _ := strings.Cut(unfolded(received(nil, in)), " (TLS")
		if got != "Received: "+tt.want {
			t.Errorf("%q: %s", tt.helo, got)
		}
	}
	in := input()
	in.Message.Session.Remote = netip.AddrPort{}
	if got := unfolded(received(nil, in)); !strings.HasPrefix(got, "Received: from mail.example.org (unknown) ") {
		t.Errorf("no address: %s", got)
	}
}

func TestReceivedProtocolAndRecipient(t *testing.T) {
	for _, tt := range []struct {
		esmtp, tls, utf8 bool
		to               []string
		want             string
	}{
		{false, false, false, []string{"a@b.test"}, "with SMTP id T5XQ7K for <a@b.test>;"},
		{true, false, false, []string{`"a b"@b.test`}, `with ESMTP id T5XQ7K for <"a b"@b.test>;`},
		{true, true, false, []string{"a@b.test", "c@b.test"}, "with ESMTPS id T5XQ7K;"},
		{true, false, true, []string{"thư@b.test"}, "with UTF8SMTP id T5XQ7K for <thư@b.test>;"},
		{true, true, true, nil, "with UTF8SMTPS id T5XQ7K;"},
		{true, false, false, []string{"thư@b.test"}, "with ESMTP id T5XQ7K;"},
		{true, false, true, []string{"a\r\nX: y@b.test"}, "with UTF8SMTP id T5XQ7K;"},
		{true, false, true, []string{"a\u2028b@b.test"}, "with UTF8SMTP id T5XQ7K;"},
		{true, false, false, []string{strings.Repeat("a", 600) + "@b.test"}, "with ESMTP id T5XQ7K;"},
	} {
		in := input()
		in.Message.Session.ESMTP, in.Message.Session.TLS = tt.esmtp, ""
		if tt.tls {
			in.Message.Session.TLS = "TLS1.2 X"
		}
		in.Message.Envelope.SMTPUTF8 = tt.utf8
		in.To = nil
		for _, raw := range tt.to {
			in.To = append(in.To, msg.Path{Raw: raw})
		}
		if got := unfolded(received(nil, in)); !strings.Contains(got, tt.want) {
			t.Errorf("%+v: %s", tt, got)
		}
		in.Message.Session.Identity = msg.Identity{Proof: msg.ByPassword, Account: "lan", Agency: "health"}
		want := strings.Replace(tt.want, " id ", "A id ", 1) // RFC 3848: and not who
		if got := unfolded(received(nil, in)); !strings.Contains(got, want) || strings.Contains(got, "lan") || strings.Contains(got, "health") {
			t.Errorf("%+v, authenticated: %s", tt, got)
		}
	}
}

func TestAuthenticationResultsAreSanitised(t *testing.T) {
	for _, tt := range []struct {
		r    msg.AuthResult
		utf8 bool
		want string
	}{
		{msg.AuthResult{Method: "spf", Status: "none"}, false, "spf=none"},
		{msg.AuthResult{Method: "spf", Status: "pass", Property: "smtp.mailfrom", Value: "a@b\r\nX-Inj: 1"}, false, "spf=pass"},
		{msg.AuthResult{Method: "spf", Status: "pass", Property: "smtp.mailfrom", Value: `"a b"@c.test`}, false, "spf=pass smtp.mailfrom=c.test"},
		{msg.AuthResult{Method: "dkim", Status: "pass", Property: "header.d", Value: "a.test(.b.test"}, false, "dkim=pass"},
		{msg.AuthResult{Method: "dkim", Status: "pass", Property: "header.d", Value: "a.test; dmarc=pass"}, false, "dkim=pass"},
		{msg.AuthResult{Method: "dkim", Status: "pass", Property: "header.d", Value: "a\x00.test"}, false, "dkim=pass"},
		{msg.AuthResult{Method: "dkim", Status: "pass", Property: "header.d", Value: "cổng.test"}, false, "dkim=pass"},
		{msg.AuthResult{Method: "dkim", Status: "pass", Property: "header.d", Value: "cổng.test"}, true, "dkim=pass header.d=cổng.test"},
		{msg.AuthResult{Method: "dkim", Status: "pass", Property: "header.d", Value: strings.Repeat("a", 300)}, false, "dkim=pass"},
		{msg.AuthResult{Method: "dkim", Status: "pass", Property: "header", Value: "x"}, false, "dkim=pass"},
		{msg.AuthResult{Method: "dkim", Status: "pass", Property: "header.d", Value: "a.test'.b.test"}, false, "dkim=pass"},
		{msg.AuthResult{Method: "dkim", Status: "pass", Property: "header.d", Value: `a.test"`}, false, "dkim=pass"},
		{msg.AuthResult{Method: "dkim", Status: "pass", Property: "header.d", Value: "a.test,b.test"}, false, "dkim=pass"},
		{msg.AuthResult{Method: "dkim", Status: "pass", Property: "header.d", Value: "a.test b.test"}, false, "dkim=pass"},
		{msg.AuthResult{Method: "dkim", Status: "pass", Property: "header.d", Value: "a.test\rb"}, false, "dkim=pass"},
		{msg.AuthResult{Method: "dkim", Status: "pass", Property: "header.d", Value: "victim.test@a.test"}, false, "dkim=pass"},
		{msg.AuthResult{Method: "dmarc", Status: "none", Property: "header.from", Value: "x@a.test"}, false, "dmarc=none"},
		{msg.AuthResult{Method: "dkim", Status: "pass", Property: "header.d", Value: ".a.test"}, false, "dkim=pass"},
		{msg.AuthResult{Method: "dkim", Status: "pass", Property: "header.d", Value: "_x.a-b.test."}, false, "dkim=pass header.d=_x.a-b.test."},
		{msg.AuthResult{Method: "dkim", Status: "pass", Property: "header.i", Value: "@a.test"}, false, "dkim=pass header.i=@a.test"},
		{msg.AuthResult{Method: "dkim", Status: "pass", Property: "header.d", Value: "a\u2028.test"}, true, "dkim=pass"},
		{msg.AuthResult{Method: "spf", Status: "pass", Property: "smtp.mailfrom", Value: "a@victim.test@b.test"}, false, "spf=pass smtp.mailfrom=b.test"},
		{msg.AuthResult{Method: "spf", Status: "pass", Property: "smtp.mailfrom", Value: `"a@victim.test"@b.test`}, false, "spf=pass smtp.mailfrom=b.test"},
		{msg.AuthResult{Method: "spf", Status: "pass", Property: "smtp.mailfrom", Value: "a'@b.test"}, false, "spf=pass smtp.mailfrom=b.test"},
		{msg.AuthResult{Method: "spf", Status: "pass", Property: "smtp.mailfrom", Value: "dmarc=pass@b.test"}, false, "spf=pass smtp.mailfrom=b.test"},
		{msg.AuthResult{Method: "spf", Status: "pass", Property: "smtp.mailfrom", Value: "x; dmarc=pass@b.test"}, false, "spf=pass smtp.mailfrom=b.test"},
		{msg.AuthResult{Method: "spf", Status: "pass", Property: "smtp.mailfrom", Value: "a+b/c=d@b.test"}, false, "spf=pass smtp.mailfrom=a+b/c=d@b.test"},
		{msg.AuthResult{Method: "spf", Status: "pass", Property: "smtp.helo", Value: "[192.0.2.1]"}, false, "spf=pass"},
		{msg.AuthResult{Method: "arc", Status: "pass", Property: "smtp.remote-ip", Value: "2001:db8::1"}, false, "arc=pass smtp.remote-ip=2001:db8::1"},
		{msg.AuthResult{Method: "dkim", Status: "fail", Property: "header.d", Value: "b.test", Reason: `selector x"; dmarc=pass (y) \`}, false, `dkim=fail reason="selector x', dmarc:pass [y] /" header.d=b.test`},
		{msg.AuthResult{Method: "dkim", Status: "fail", Reason: "dmarc \r\n = \tPASS"}, false, `dkim=fail reason="dmarc:PASS"`},
		{msg.AuthResult{Method: "dkim", Status: "pass", Property: "a.b=c d", Value: "x"}, false, "dkim=pass"},
		{msg.AuthResult{Method: "dkim", Status: "fail", Reason: "a\r\n\tb\"c\\ \x00"}, false, `dkim=fail reason="a b'c/"`},
		{msg.AuthResult{Method: "dkim", Status: "fail", Reason: strings.Repeat("ạ", 500)}, true, `dkim=fail reason="` + strings.Repeat("ạ", 66) + `..."`},
		{msg.AuthResult{Method: "dkim", Status: "fail", Reason: "sai khoá"}, false, `dkim=fail reason="sai kho?"`},
		{msg.AuthResult{Method: "spf", Status: "pass;\r\n dmarc=pass"}, false, "none"},
		{msg.AuthResult{Method: "", Status: "pass"}, false, "none"},
	} {
		in := input()
		in.Message.Auth = []msg.AuthResult{tt.r}
		in.Message.Envelope.SMTPUTF8 = tt.utf8
		if got := unfolded(authenticationResults(nil, in)); got != "Authentication-Results: gw.example.test; "+tt.want {
			t.Errorf("%+v: %s", tt.r, got)
		}
	}
}

func TestSpamStatusFoldsBehindCommas(t *testing.T) {
	v := msg.Verdict{Required: 6}
	for i := range 40 {
		v.Counted = append(v.Counted, msg.Weighed{Finding: msg.Finding{Symbol: fmt.Sprintf("A_SYMBOL_OF_TWENTY_%d", i)}})
	}
	got := string(spamStatus(nil, v))
	all := strings.Split(strings.TrimSuffix(got, "\r\n"), "\r\n")
	for i, l := range all {
		if len(l) > 78 || i < len(all)-1 && i > 0 && !strings.HasSuffix(l, ",") {
			t.Errorf("line %d: %q", i, l)
		}
	}
	tests := strings.ReplaceAll(strings.ReplaceAll(got[strings.Index(got, "tests=")+6:], "\r\n", ""), "\t", "")
	if n := len(strings.Split(tests, ",")); n != 40 {
		t.Errorf("%d tests in %q", n, tests)
	}
}

func TestScoreNeverContradictsTheAnswer(t *testing.T) {
	for _, tt := range []struct {
		score, required float64
		want            string
	}{
		{5.96, 6, "No, score=5.96 required=6.0"},
		{6, 6, "Yes, score=6.0 required=6.0"},
		{5.94, 6, "No, score=5.9 required=6.0"},
		{-0.04, 6, "No, score=0.0 required=6.0"},
		{-3, 6, "No, score=-3.0 required=6.0"},
		{3, 0, "No, score=3.0 required=0.0"},
	} {
		got := string(spamStatus(nil, msg.Verdict{Score: tt.score, Required: tt.required}))
		if got != "X-Spam-Status: "+tt.want+" tests=none\r\n" {
			t.Errorf("%v of %v: %s", tt.score, tt.required, got)
		}
	}
}

// unfolded is the field on one line, without its CRLF.
func unfolded(b []byte) string {
	return strings.TrimSuffix(strings.ReplaceAll(string(b), "\r\n\t", " "), "\r\n")
}

// FuzzBlock: whatever the client says, the block is our five fields and no other, in
// lines that RFC 5322 allows.
func FuzzBlock(f *testing.F) {
	f.Add("mail.example.org", "a@b.test", "example.org", "TLS1.3", "reason", true, 4.2)
	f.Add("h", "dmarc=pass@b", "dmarc=pass", "", "dmarc = pass", false, 0.0)
	f.Add("x)\r\nX: y\n\r", "\"a\r\n\"@b", ";=\"(", "\x00)", "\xff\u2028", false, 9.0)
	f.Fuzz(func(t *testing.T, helo, path, value, tls, reason string, utf8 bool, points float64) {
		in := input()
		in.Message.Session.Helo, in.Message.Session.TLS = helo, tls
		in.Message.Envelope.SMTPUTF8 = utf8
		in.To = []msg.Path{{Raw: path}}
		in.Message.ID = value
		in.Message.Auth = []msg.AuthResult{
			{Method: "spf", Status: "pass", Property: "smtp.mailfrom", Value: value, Reason: reason},
			{Method: value, Status: "s" + reason, Property: helo + "." + path, Value: tls},
		}
		in.Verdict.Score, in.ReceivedSPF = points, points > 1
		in.Verdict.Counted = append(in.Verdict.Counted, msg.Weighed{Finding: msg.Finding{Symbol: reason}})
		checkBlock(t, string(Block(in)), utf8, in.Verdict.Spam())
	})
}

func checkBlock(t *testing.T, block string, utf8, spam bool) {
	t.Helper()
	checkResults(t, block)
	want := []string{"Received", "Authentication-Results", "X-Spam-Status", "X-Congthu-Id"}
	if spam {
		want = []string{"Received", "Authentication-Results", "X-Spam-Status", "X-Spam-Flag", "X-Congthu-Id"}
	}
	if strings.HasPrefix(block, "Received-SPF:") {
		want = append([]string{"Received-SPF"}, want...)
	}
	var names []string
	for _, l := range strings.SplitAfter(strings.TrimSuffix(block, "\r\n"), "\r\n") {
		l = strings.TrimSuffix(l, "\r\n")
		if strings.ContainsAny(l, "\r\n\x00") || len(l) > 998 || !utf8 && !isASCII(l) {
			t.Fatalf("line %q", l)
		}
		if l == "" || strings.TrimSpace(l) == "" {
			t.Fatalf("an empty line in %q", block)
		}
		if l[0] != '\t' {
			name, _, _ := strings.Cut(l, ":")
			names = append(names, name)
		}
	}
	if strings.Join(names, " ") != strings.Join(want, " ") {
		t.Fatalf("fields %q in %q", names, block)
	}
}

// checkResults reads Authentication-Results as a careless program does: whatever looks
// like a result is one, and a quote ends where the next one is.
func checkResults(t *testing.T, block string) {
	t.Helper()
	for line := range strings.SplitSeq(unfolded([]byte(block)), "\r\n") {
		results, ok := strings.CutPrefix(line, "Authentication-Results: ")
		if !ok {
			continue
		}
		if regexp.MustCompile(`(?i)dmarc\s*=\s*pass`).MatchString(results) {
			t.Fatalf("a pass was smuggled in: %q", results)
		}
		if strings.ContainsAny(results, "()\\") || strings.Count(results, `"`)%2 != 0 {
			t.Fatalf("a comment or a quote was smuggled in: %q", results)
		}
	}
}

func TestStrippedSaysWhatIsMissing(t *testing.T) {
	m := &msg.Message{ID: "M1"}
	if got := string(Block(Input{Hostname: "gw.test", Message: m})); strings.Contains(got, "Stripped") {
		t.Errorf("nothing was taken out:\n%s", got)
	}
	in := Input{Hostname: "gw.test", Message: m, Stripped: []msg.Finding{{Type: "iso"}, {Type: ".img\r\nX: y"}}}
	if got := string(Block(in)); !strings.Contains(got, "\r\nX-Congthu-Stripped: results=of-original; types=iso,.imgXy\r\n") {
		t.Errorf("%s", got)
	}
}
