package e2e_test

import (
	"encoding/json"
	"net/http"

	"congthu/internal/e2e"
)

// allow has a reviewer release a letter and allow its sender, and returns the id of that.
func (p *province) allow(as, to string) string {
	p.t.Helper()
	letter := &e2e.Case{
		Messages: map[string][]byte{"allowed": []byte(canaryLetter("thu-allowed", gtube))},
		Dialogue: []string{"LETTER allowed from=a@so.test to=" + to + " ip=192.0.2.1 => 250"},
	}
	if err := p.Play(letter); err != nil {
		p.t.Fatal(err)
	}
	p.heldAs("allowed")
	var out struct{ Allowed []struct{ ID string } }
	status, text := p.ask(as, "POST", "/v1/quarantine/"+p.held["allowed"]+"/release", `{"allow_sender": "recipient"}`)
	if err := json.Unmarshal([]byte(text), &out); err != nil || status != http.StatusOK || len(out.Allowed) != 1 {
		p.t.Fatalf("%d %s", status, text)
	}
	for waits := []any{0}; len(waits) > 0; { // it is delivered, and waits nowhere
		p.json(&waits, "queue", "list", "--to", to)
	}
	return out.Allowed[0].ID
}
