package main

import (
	"testing"

	"congthu/internal/msg"
)

func TestAnswerable(t *testing.T) {
	spf := msg.AuthResult{Method: "spf", Status: "pass", Property: "smtp.mailfrom", Value: "a@b.test"}
	dkim := func(d string) msg.AuthResult {
		return msg.AuthResult{Method: "dkim", Status: "pass", Property: "header.d", Value: d}
	}
	with := func(a msg.AuthResult, f func(*msg.AuthResult)) msg.AuthResult { f(&a); return a }
	for _, c := range []struct {
		name     string
		outbound bool
		auth     []msg.AuthResult
		want     bool
	}{
		{"nothing passed", false, nil, false},
		{"one of ours", true, nil, true},
		{"SPF", false, []msg.AuthResult{spf}, true},
		{"SPF of the HELO name only", false, []msg.AuthResult{with(spf, func(a *msg.AuthResult) { a.Property = "smtp.helo" })}, false},
		{"SPF softfail", false, []msg.AuthResult{with(spf, func(a *msg.AuthResult) { a.Status = "softfail" })}, false},
		{"DKIM of the domain", false, []msg.AuthResult{dkim("B.test")}, true},
		{"DKIM of the domain above", false, []msg.AuthResult{dkim("test")}, true},
		{"DKIM of a domain below", false, []msg.AuthResult{dkim("x.b.test")}, false},
		{"DKIM of a name that ends so", false, []msg.AuthResult{dkim("b.test.evil.example"), dkim("ab.test")}, false},
		{"DKIM without a domain", false, []msg.AuthResult{dkim("")}, false},
		{"DMARC alone", false, []msg.AuthResult{{Method: "dmarc", Status: "pass", Property: "header.from", Value: "b.test"}}, false},
	} {
		m := &msg.Message{Session: msg.Session{Outbound: c.outbound}, Auth: c.auth, Envelope: msg.Envelope{From: msg.Path{Raw: "a@b.test", Local: "a", Domain: "b.test"}}}
		if got := answerable(m); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
