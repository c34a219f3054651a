package arc

import (
	"slices"
	"strings"
	"testing"

	"congthu/internal/conformance"
	"congthu/internal/dns/fake"
	"congthu/internal/mailauth/sig"
)

// TestConformance runs the validation tests of the published ARC suite.
func TestConformance(t *testing.T) {
	s := conformance.Open(t, "arc", "arc")
	for _, doc := range s.Documents("arc-draft-validation-tests.yml") {
		z := make(fake.Zone)
		for _, r := range doc.Get("txt-records").Pairs() {
			z[strings.ToLower(r.Key)] = []fake.Record{fake.TXT(strings.TrimSpace(r.Value.Text()))}
		}
		seen := make(map[string]bool)
		for _, c := range slices.Backward(doc.Get("tests").Pairs()) {
			text := strings.ReplaceAll(strings.ReplaceAll(c.Value.Get("message").Text(), "\r\n", "\n"), "\n", "\r\n")
			got, want := Verify(t.Context(), z, sig.Open([]byte(text))), answer(c.Value)
			if seen[c.Key] { // a key given twice is one test, its last; the others must be right as well
				if !slices.Contains(want, got.Status) {
					t.Errorf("%s: %+v, want %v", c.Key, got, want)
				}
				continue
			}
			seen[c.Key] = true
			s.Case(c.Key, got.Status, want, c.Value.Get("description").Text()+": "+got.Reason)
		}
	}
	s.Done(171)
}

// answer is what the suite wants. Where it is empty, the chain says of itself that it
// has failed: no pass, by whatever word.
func answer(c conformance.Node) []string {
	if cv := strings.ToLower(strings.TrimSpace(c.Get("cv").Text())); cv != "" {
		return []string{cv}
	}
	return []string{None, Fail}
}
