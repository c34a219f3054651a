package stamp

import (
	"net/netip"
	"strings"
	"testing"

	"congthu/internal/msg"
)

func TestReceivedSPF(t *testing.T) {
	in := input()
	if strings.Contains(string(Block(in)), "Received-SPF") {
		t.Error("written without being asked for")
	}
	in.ReceivedSPF = true
	in.Message.Envelope.From = msg.Path{Raw: "a@example.org"}
	want := lines(
		"Received-SPF: pass receiver=gw.example.test; client-ip=192.0.2.7;",
		"\tenvelope-from=\"a@example.org\"; helo=mail.example.org;",
		"\tidentity=mailfrom",
	)
	if got := string(Block(in)); !strings.HasPrefix(got, want+"Received: ") {
		t.Errorf("%s\nwant\n%s", got, want)
	}

	in.Message.Auth[0] = msg.AuthResult{Method: "spf", Status: "fail", Property: "smtp.helo", Reason: "matched -all (no)\r\nX: y"}
	in.Message.Session.Remote = netip.MustParseAddrPort("[2001:db8::1]:25")
	in.Message.Session.Helo = "x\r\nX-Evil: y"
	in.Message.Envelope.From = msg.Path{Raw: "thư@example.org"}
	got := string(Block(in))
	for _, want := range []string{"Received-SPF: fail (matched -all [no] X: y)", "client-ip=\"2001:db8::1\"; identity=helo\r\n"} {
		if !strings.Contains(strings.ReplaceAll(got, "\r\n\t", " "), want) {
			t.Errorf("%q is not in %s", want, got)
		}
	}
	if strings.Contains(got, "envelope-from") || strings.Contains(got, "helo=") {
		t.Errorf("an unsafe value was written: %s", got)
	}

	in.Message.Auth = nil
	if got := string(Block(in)); strings.Contains(got, "Received-SPF") {
		t.Errorf("a result where there is none: %s", got)
	}
}
