package dns

import (
	"context"
	"strings"
	"testing"

	"congthu/internal/dns/fake"
)

func TestSecureLookups(t *testing.T) {
	zone := fake.Zone{
		"a.test":             {fake.MX(10, "mx.a.test"), fake.Secure()},
		"mx.a.test":          {fake.A("192.0.2.1"), fake.Secure()},
		"_25._tcp.mx.a.test": {fake.TLSA("3 1 1 " + strings.Repeat("ab", 32)), fake.TLSA("2 0 1 " + strings.Repeat("cd", 32)), fake.Secure()},
		"b.test":             {fake.MX(10, "mx.b.test")},
		"mx.b.test":          {fake.A("192.0.2.2")},
		"_25._tcp.mx.b.test": {fake.TLSA("3 1 1 " + strings.Repeat("ab", 32))},
		"_25._tcp.mx.c.test": {fake.ServFail("TLSA")},
		"alias.test":         {fake.CNAME("mx.b.test"), fake.Secure()},
	}
	udp, tcp := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { _ = fake.Serve(ctx, udp, tcp, zone) }() // ends with ctx
	for _, trusted := range []bool{true, false} {
		r, err := New(Options{Servers: []string{udp.LocalAddr().String()}})
		if err != nil {
			t.Fatal(err)
		}
		r.servers[0].trusted = trusted
		if mxs, secure, err := r.SecureMX(ctx, "a.test"); err != nil || len(mxs) != 1 || secure != trusted {
			t.Errorf("trusted %v: MX %v %v %v", trusted, mxs, secure, err)
		}
		if ips, secure, err := r.SecureIPAddr(ctx, "mx.a.test"); err != nil || len(ips) != 1 || secure != trusted {
			t.Errorf("trusted %v: address %v %v %v", trusted, ips, secure, err)
		}
		for range 2 { // the second from the cache
			rs, secure, err := r.LookupTLSA(ctx, 25, "mx.a.test")
			if err != nil || len(rs) != 2 || secure != trusted || rs[0].String() != "3 1 1 "+strings.Repeat("ab", 32) {
				t.Errorf("trusted %v: TLSA %v %v %v", trusted, rs, secure, err)
			}
		}
		if _, secure, err := r.SecureMX(ctx, "b.test"); err != nil || secure {
			t.Errorf("an unsigned zone is secure: %v", err)
		}
		if _, secure, err := r.SecureIPAddr(ctx, "alias.test"); err != nil || secure {
			t.Errorf("an alias out of a signed zone is secure: %v", err)
		}
		if rs, secure, err := r.LookupTLSA(ctx, 25, "mx.b.test"); err != nil || len(rs) != 1 || secure {
			t.Errorf("unsigned TLSA: %v %v %v", rs, secure, err)
		}
		if _, secure, err := r.LookupTLSA(ctx, 25, "none.a.test"); !notFound(err) || secure {
			t.Errorf("no TLSA: %v %v", secure, err)
		}
		if _, _, err := r.LookupTLSA(ctx, 25, "mx.c.test"); err == nil || notFound(err) {
			t.Errorf("could not look: %v", err)
		}
	}
}
