package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"congthu/internal/e2e/sealing"
)

// seal encrypts a message of the case to the key that opens a domain's letters:
//
//	SEAL KIND[/LAYOUT] FROM => TO [by ADDRESS] [for ADDRESS]
//
// KIND is one of internal/e2e/sealing, or gpg or sq for the real programs. LAYOUT is mime (RFC
// 3156), inline (the text is armor) or file (an attached one). by names a KEYPAIR that signs,
// for a PEERKEY or KEYPAIR that opens it; without, the gateway's first key does.
func (p *player) seal(rest string) error {
	what, to, ok := strings.Cut(rest, " => ")
	kind, from, _ := strings.Cut(what, " ")
	kind, layout, _ := strings.Cut(kind, "/")
	to, reader, _ := strings.Cut(to, " for ")
	to, by, _ := strings.Cut(to, " by ")
	clear, known := p.c.Messages[from]
	if !ok || !known {
		return fmt.Errorf("SEAL KIND FROM => TO; is there a message %q?", from)
	}
	key, err := p.g.openingKey(reader)
	if err != nil {
		return err
	}
	head := outerHead(clear)
	if layout == "inline" || layout == "file" {
		_, clear, _ = bytes.Cut(clear, []byte("\r\n\r\n"))
	}
	message, err := p.sealed(kind, clear, key, by)
	if err != nil {
		return err
	}
	letter := letterOf(layout, head, message)
	p.c.Messages[to] = letter
	return os.WriteFile(filepath.Join(p.g.Dir, to+".eml"), letter, 0o600)
}

// letterOf puts a message into a letter.
func letterOf(layout, head string, message []byte) []byte {
	switch layout {
	case "inline":
		return append([]byte(head+"\r\n"), sealing.Armor(message)...)
	case "file":
		return fmt.Appendf(nil, "%sMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\nXem tep kem\r\n--m\r\nContent-Type: application/octet-stream; name=tep.bin.pgp\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n--m--\r\n",
			head, strings.Join(slices.Collect(chunks(base64.StdEncoding.EncodeToString(message), 76)), "\r\n"))
	}
	return sealing.Mail(head, message)
}

func chunks(s string, n int) func(func(string) bool) {
	return func(yield func(string) bool) {
		for len(s) > 0 {
			k := min(n, len(s))
			if !yield(s[:k]) {
				return
			}
			s = s[k:]
		}
	}
}

// outerHead is the header that strangers see.
func outerHead(clear []byte) string {
	head, _, _ := bytes.Cut(clear, []byte("\r\n\r\n"))
	out := ""
	for line := range strings.SplitSeq(string(head), "\r\n") {
		name, _, _ := strings.Cut(line, ":")
		if slices.Contains([]string{"from", "to", "date", "message-id"}, strings.ToLower(name)) {
			out += line + "\r\n"
		}
	}
	return out + "Subject: [...]\r\n"
}

// openingKey is the public half of an address's key, or of the first key of the gateway that
// opens letters.
func (g *Gateway) openingKey(address string) ([]byte, error) {
	if address != "" {
		return os.ReadFile(filepath.Join(g.Dir, address+".asc"))
	}
	out, status, err := g.Run("--json", "keys", "list", "--secret")
	if err != nil || status != 0 {
		return nil, fmt.Errorf("keys list: %w\n%s", err, out)
	}
	var list []struct{ Use, Fingerprint string }
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		return nil, err
	}
	for _, x := range list {
		if x.Use == "decrypt" {
			out, status, err := g.Run("keys", "export", x.Fingerprint)
			if err != nil || status != 0 {
				return nil, fmt.Errorf("keys export: %w\n%s", err, out)
			}
			return []byte(out), nil
		}
	}
	return nil, fmt.Errorf("no key opens letters:\n%s", out)
}

func (p *player) sealed(kind string, clear, key []byte, by string) ([]byte, error) {
	if kind == "gpg" || kind == "sq" {
		return p.sealedBy(kind, clear, key)
	}
	to, err := sealing.ReadKey(bytes.NewReader(key))
	if err != nil {
		return nil, err
	}
	var signer *openpgp.Entity
	if by != "" {
		if signer, err = p.signer(by); err != nil {
			return nil, err
		}
	}
	return sealing.Make(kind, clear, to, signer)
}

// signer is the key pair of an address, as the sealing wants it.
func (p *player) signer(address string) (*openpgp.Entity, error) {
	for _, e := range p.g.ring {
		for _, id := range e.Identities {
			if id.UserId.Email == address {
				var b bytes.Buffer
				if err := e.SerializePrivateWithoutSigning(&b, nil); err != nil {
					return nil, err
				}
				es, err := openpgp.ReadKeyRing(&b)
				if err != nil {
					return nil, err
				}
				return es[0], nil
			}
		}
	}
	return nil, fmt.Errorf("there is no key pair of %s", address)
}

// sealedBy lets a real program encrypt.
func (p *player) sealedBy(program string, clear, key []byte) ([]byte, error) {
	dir, err := os.MkdirTemp(p.g.Dir, program)
	if err != nil {
		return nil, err
	}
	name := filepath.Join(dir, "key.asc")
	if err := os.WriteFile(name, key, 0o600); err != nil {
		return nil, err
	}
	args := []string{"encrypt", "--recipient-cert", name}
	if program == "gpg" {
		args = []string{"--homedir", dir, "--batch", "--quiet", "--trust-model", "always", "--no-auto-key-locate", "--recipient-file", name, "--armor", "--encrypt"}
	}
	out, err := output(clear, program, args...)
	if err != nil {
		return nil, err
	}
	block, err := armor.Decode(bytes.NewReader(out))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	_, err = b.ReadFrom(block.Body)
	return b.Bytes(), err
}

// write makes a file that only the gateway reads: WRITE FILE TEXT.
func (p *player) writeFile(rest string) error {
	name, text, _ := strings.Cut(rest, " ")
	return os.WriteFile(filepath.Join(p.g.Dir, name), []byte(text+"\n"), 0o600)
}
