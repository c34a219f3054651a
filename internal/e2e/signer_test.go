package e2e_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	msgauth "github.com/emersion/go-msgauth/dkim"

	"congthu/internal/dns/fake"
	"congthu/internal/inspect/auth"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/stamp"
)

// attackersZone has the attacker's key at every name that ends in attack.test, whatever
// stands before it: somebody who answers for a zone may answer anything below it.
type attackersZone struct {
	fake.Zone
	key string
}

func (z attackersZone) LookupTXT(ctx context.Context, name string) ([]string, error) {
	if strings.HasSuffix(strings.TrimSuffix(name, "."), "attack.test") && strings.Contains(name, "_domainkey") {
		return []string{z.key}, nil
	}
	return z.Zone.LookupTXT(ctx, name)
}

// A signature that verifies, with a domain or selector in which two readers see two
// domains: it never stands for the victim, and nothing of it gets into the results (server
// a3 to a7 of "Composition Kills").
func TestSignersWithOddNames(t *testing.T) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, 32))
	public, _ := key.Public().(ed25519.PublicKey)
	zone := attackersZone{fake.Zone{
		"_dmarc.vang.test": {fake.TXT("v=DMARC1; p=reject")}, "vang.test": {fake.TXT("v=spf1 -all")},
	}, "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)}
	verified := 0
	for _, c := range []struct{ domain, selector string }{
		{"attack.test", "x"},
		{"vang.test.attack.test", "x"},
		{"vang.test(.attack.test", "x"},
		{"vang.test).attack.test", "x"},
		{"vang.test'.attack.test", "x"},
		{`vang.test".attack.test`, "x"},
		{`vang.test\.attack.test`, "x"},
		{"vang.test\x00.attack.test", "x"},
		{"vang.test\t.attack.test", "x"},
		{"vang.test,.attack.test", "x"},
		{"vang.test/.attack.test", "x"},
		{"vang.test#.attack.test", "x"},
		{"vang.test@attack.test", "x"},
		{"vang.test=pass.attack.test", "x"},
		{"vang.test\x7f.attack.test", "x"},
		{"vang.test\u2028.attack.test", "x"},
		{"vang.test\u3002attack.test", "x"},
		{"<vang.test>.attack.test", "x"},
		{"dmarc=pass.attack.test", "dmarc=pass"},
		{"attack.test", "vang.test._domainkey"},
		{"attack.test", `x" dmarc=pass (`},
		{"attack.test", "x\x00"},
		{"VANG.TEST.attack.test", "x"},
		{".vang.test.attack.test", "x"},
		{"vang.test..attack.test", "x"},
	} {
		m := message(t, key, c.domain, c.selector)
		_, results, err := auth.New(auth.Options{Resolver: zone}).Inspect(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		m.Auth = results
		block := string(stamp.Block(stamp.Input{Hostname: "gw.test", Message: m}))
		if regexp.MustCompile(`(?i)dmarc\s*=\s*pass`).MatchString(block) || !strings.Contains(block, "dmarc=fail") {
			t.Errorf("%q %q: %s", c.domain, c.selector, block)
		}
		for _, field := range regexp.MustCompile(`header\.d=(\S+)`).FindAllStringSubmatch(block, -1) {
			if !regexp.MustCompile(`^[a-z0-9._-]+;?$`).MatchString(field[1]) {
				t.Errorf("%q %q: %s", c.domain, c.selector, block)
			}
		}
		if strings.Contains(block, "dkim=pass") {
			verified++
		}
	}
	if verified < 2 {
		t.Error("not even the attacker's own domain verified: the test sees nothing")
	}
}

// message is a letter that poses as the victim's, signed.
func message(t *testing.T, key ed25519.PrivateKey, domain, selector string) *msg.Message {
	t.Helper()
	raw := "From: <admin@vang.test>\r\nTo: <b@gov.test>\r\nSubject: x\r\n\r\nKinh gui\r\n"
	s, err := msgauth.NewSigner(&msgauth.SignOptions{Domain: domain, Selector: selector, Signer: key, HeaderKeys: []string{"From", "From"}})
	if err != nil {
		t.Fatal(err)
	}
	_, werr := fmt.Fprint(s, raw)
	if err := s.Close(); err != nil || werr != nil {
		t.Fatal(err, werr)
	}
	raw = s.Signature() + raw
	return &msg.Message{
		ID: "T", Raw: []byte(raw), Root: mimetree.Parse([]byte(raw), mimetree.DefaultLimits()),
		Session:  msg.Session{Remote: netip.MustParseAddrPort("192.0.2.66:25"), Helo: "mx.attack.test"},
		Envelope: msg.Envelope{From: msg.Path{Raw: "x@attack.test", Local: "x", Domain: "attack.test"}},
	}
}
