package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"congthu/internal/dns/fake"
	"congthu/internal/mailauth/dkim"
	"congthu/internal/mailauth/sig"
	"congthu/internal/signing"
)

// records are what `keys dkim show` would have published, by name.
func (g *Gateway) records() (map[string]string, error) {
	keys, err := signing.Open(filepath.Join(g.Dir, "data", "dkim")).List()
	out := map[string]string{}
	for _, k := range keys {
		out[k.Name] = k.Record
	}
	return out, err
}

// signed tells whether the delivery has DKIM signatures, all of the domain, and all verify.
func (g *Gateway) signed(data []byte, domain string) bool {
	records, err := g.records()
	if err != nil {
		return false
	}
	zone := fake.Zone{}
	for name, record := range records {
		zone[name] = append(zone[name], fake.TXT(record))
	}
	rep := dkim.Verify(context.Background(), zone, sig.Open(data))
	bad := func(s dkim.Signature) bool { return s.Status != dkim.Pass || s.Domain != domain }
	return len(rep.Signatures) > 0 && !slices.ContainsFunc(rep.Signatures, bad)
}

// python is the one that Debian's packages are for.
const python = "/usr/bin/python3"

// verifier prints for each signature of a message whether dkimpy takes it, and whose it is.
const verifier = `
import json, sys
import dkim
zone = json.loads(sys.argv[1])
def txt(name, timeout=5):
    return zone[name.decode().rstrip(".")].encode()
raw = sys.stdin.buffer.read()
d = dkim.DKIM(raw)
for i in range(raw.count(b"DKIM-Signature:")):
    print(d.verify(i, dnsfunc=txt), d.domain.decode())
`

// dkimpy is signed in the eyes of a verifier that is not ours (Debian: python3-dkim and
// python3-nacl).
func (g *Gateway) dkimpy(data []byte, domain string) bool {
	records, err := g.records()
	if err != nil {
		return false
	}
	zone, err := json.Marshal(records)
	if err != nil {
		return false
	}
	cmd := exec.Command(python, "-c", verifier, string(zone))
	cmd.Stdin = bytes.NewReader(data)
	out, err := cmd.Output()
	lines := strings.Fields(strings.ReplaceAll(string(out), "True "+domain, "good"))
	return err == nil && len(lines) > 0 && !slices.ContainsFunc(lines, func(w string) bool { return w != "good" })
}
