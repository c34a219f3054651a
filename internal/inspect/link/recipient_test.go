package link_test

import (
	"slices"
	"testing"

	"congthu/internal/inspect/link"
	"congthu/internal/msg"
)

// A link that carries the recipient's address is reported, in whatever form; one of our own
// house, the government's, or one that carries somebody else's is not.
func TestLinkNamesRecipient(t *testing.T) {
	for url, want := range map[string]bool{
		"https://xau.test/owa/?u=van-thu@so-mau.gov.test":        true,
		"https://xau.test/owa/?u=VAN-THU%40so-mau.gov.test&x=1":  true,
		"https://xau.test/#van-thu@so-mau.gov.test":              true,
		"https://xau.test/x/dmFuLXRodUBzby1tYXUuZ292LnRlc3Q=":    true,
		"https://xau.test/x/dmFuLXRodUBzby1tYXUuZ292LnRlc3Qx":    true,
		"https://xau.test/owa/?u=ke-toan@so-mau.gov.test":        false,
		"https://thu.so-mau.gov.test/?u=van-thu@so-mau.gov.test": false,
		"https://mail.tinh-xa.gov.vn/?u=van-thu@so-mau.gov.test": false,
		"mailto:van-thu@so-mau.gov.test":                         false,
		"https://xau.test/tin":                                   false,
		"https://xau.test/%zz?u=van-thu@so-mau.gov.test":         true,
	} {
		m := &msg.Message{
			Root:     &msg.Part{Path: "1", MediaType: "text/html", Text: `<a href="` + url + `">x</a>`},
			Envelope: msg.Envelope{To: []msg.Path{{Local: "van-thu", Domain: "so-mau.gov.test"}}},
		}
		m.Root.Decoded = []byte(m.Root.Text)
		found, _, err := inspector().Inspect(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.ContainsFunc(found, func(f msg.Finding) bool { return f.Symbol == link.Recipient }); got != want {
			t.Errorf("%s: %v, want %v", url, got, want)
		}
	}
}
