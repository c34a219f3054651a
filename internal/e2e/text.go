package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"congthu/internal/mimetree"
	"congthu/internal/text"
)

// textOf is a delivery as its reader sees it: the subject, and the text below.
func textOf(data []byte) string {
	t := text.Read(mimetree.Parse(data, mimetree.DefaultLimits()))
	return t.Subject + "\n" + strings.ReplaceAll(t.Body, "\r\n", "\n")
}

// take puts what is found in the text of a delivery into all messages.
func (p *player) take(rest string) error {
	what, name, ok := strings.Cut(rest, " => ")
	number, pattern, _ := strings.Cut(what, " ")
	d, err := p.g.delivery(number)
	if !ok || err != nil {
		return fmt.Errorf("TAKE N REGEXP => NAME: %w", err)
	}
	re, err := regexp.Compile("(?m)" + pattern)
	if err != nil {
		return err
	}
	found := re.FindStringSubmatch(textOf(d.Data))
	if len(found) < 2 {
		return fmt.Errorf("the text is:\n%s", textOf(d.Data))
	}
	for m, raw := range p.c.Messages {
		p.c.Messages[m] = bytes.ReplaceAll(raw, []byte("${"+name+"}"), []byte(found[1]))
	}
	return nil
}

// proposed is the id of the first letter that users have reported; "" none.
func (g *Gateway) proposed() string {
	out, _, err := g.Run("learn", "proposals", "--all", "--json")
	var list []entry
	if err != nil || json.Unmarshal([]byte(out), &list) != nil || len(list) == 0 {
		return ""
	}
	return list[0].ID
}
