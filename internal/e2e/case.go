// Package e2e runs the cases of testdata/cases against the real programs: a gateway
// process with its scan worker, a DNS server with the case's zone, a next hop that
// misbehaves by script, and a client that says what the case says, octet for octet.
//
// A case is a txtar file. What stands before the first file says what it shows. Then:
//
//	-- dns --         the zone (internal/dns/fake.ParseZone)
//	-- config --      TOML laid over the settings below; ${SMTP}, ${SINK} and
//	                  ${CLAMD} are addresses
//	-- sink --        where the next hop misbehaves (internal/sink.ParseScript)
//	-- rules/… --     a file laid over the shipped rules
//	-- message/NAME -- a message; LF becomes CRLF, {{base64:BLOB}} an attachment
//	                  (internal/e2e/letters.Blob), {{repeat:N TEXT}} repeats; it also
//	                  lies in ${DIR}/NAME.eml
//	-- file/NAME --   a file in ${DIR}
//	-- dialogue --    what is said; see dialogue.go
//	-- want --        what must have come of it; see want.go
package e2e

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/tools/txtar"

	"congthu/internal/dns/fake"
	"congthu/internal/e2e/letters"
	"congthu/internal/sink"
)

// Case is one parsed case.
type Case struct {
	Shows    string
	Zone     fake.Zone
	Config   string
	Script   *sink.Script
	Rules    map[string]string
	Messages map[string][]byte
	Files    map[string][]byte
	Dialogue []string
	Want     []string
}

// Parse reads a case. An error names the section.
func Parse(data []byte) (*Case, error) {
	a := txtar.Parse(data)
	c := &Case{Shows: strings.TrimSpace(string(a.Comment)), Rules: map[string]string{}, Messages: map[string][]byte{}, Files: map[string][]byte{}}
	if c.Shows == "" {
		return nil, fmt.Errorf("a case begins with a sentence that says what it shows")
	}
	for _, f := range a.Files {
		if err := c.section(f); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	if len(c.Dialogue) == 0 || len(c.Want) == 0 {
		return nil, fmt.Errorf("a case has a dialogue and a want section")
	}
	return c, nil
}

func (c *Case) section(f txtar.File) error {
	var err error
	kind, name, _ := strings.Cut(f.Name, "/")
	switch kind {
	case "dns":
		c.Zone, err = fake.ParseZone(string(f.Data))
	case "config":
		c.Config = string(f.Data)
	case "sink":
		c.Script, err = sink.ParseScript(string(f.Data))
	case "rules":
		c.Rules[name] = string(f.Data)
	case "message":
		c.Messages[name], err = message(f.Data)
	case "file":
		c.Files[name] = f.Data
	case "dialogue":
		c.Dialogue = lines(f.Data)
	case "want":
		c.Want = lines(f.Data)
	default:
		err = fmt.Errorf("there is no such section")
	}
	return err
}

// lines returns the lines without comments and empty ones.
func lines(data []byte) []string {
	var out []string
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return out
}

var insert = regexp.MustCompile(`\{\{(base64|repeat|letter)[: ]([^}]*)\}\}`)

// message makes the octets of a message: inserts, then line ends. A final newline of
// the section is the message's own.
func message(data []byte) ([]byte, error) {
	var failed error
	data = insert.ReplaceAllFunc(data, func(m []byte) []byte {
		parts := insert.FindSubmatch(m)
		out, err := expand(string(parts[1]), string(parts[2]))
		if err != nil {
			failed = err
		}
		return out
	})
	if i := bytes.Index(data, []byte("{{")); i >= 0 && failed == nil {
		failed = fmt.Errorf("unknown insert at %q", data[i:min(len(data), i+40)])
	}
	return bytes.ReplaceAll(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n")), failed
}

func expand(kind, arg string) ([]byte, error) {
	switch kind {
	case "base64":
		blob, ok := letters.Blob(arg)
		if !ok {
			return nil, fmt.Errorf("there is no attachment %q", arg)
		}
		return []byte(letters.Base64(blob)), nil
	case "letter":
		all, err := letters.Letters()
		if err != nil {
			return nil, err
		}
		if _, ok := all[arg]; !ok {
			return nil, fmt.Errorf("there is no letter %q", arg)
		}
		return all[arg], nil
	}
	count, text, _ := strings.Cut(arg, " ")
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 || n*len(text) > 64<<20 {
		return nil, fmt.Errorf("repeat %q: not a count", count)
	}
	return []byte(strings.Repeat(unescape(text), n)), nil
}

// unescape knows \r \n \0 \e \\ and nothing else.
func unescape(s string) string {
	return strings.NewReplacer(`\\`, `\`, `\r`, "\r", `\n`, "\n", `\0`, "\x00", `\e`, "\x1b").Replace(s)
}
