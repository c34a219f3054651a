package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/sink"
)

// The lines of want:
//
//	deliveries N                the next hop has so many messages, and no more come
//	delivery * …                what follows, of any of them
//	delivery A@B …              of the last one to that address
//	delivery I from A           envelope of the I-th, from 1; to A says one of its recipients
//	delivery I same NAME        its octets end in those of the message; our block is above
//	delivery I opens NAME       it is encrypted, and opens to the text of the message
//	delivery I verifies         it is multipart/signed (RFC 3156) by a key pair of the case
//	delivery I signed DOMAIN    every DKIM signature verifies by the gateway's own keys, and is of DOMAIN
//	delivery I dkimpy DOMAIN    the same, as Debian's python3-dkim sees it
//	delivery I says TEXT        its decoded text does
//	delivery I has TEXT         its octets contain TEXT; lacks TEXT, that they do not
//	delivery I reads REGEXP     its text, decoded, matches; misses REGEXP, that it does not
//	delivery I field REGEXP     a field of the header block, unfolded, matches
//	nowhere TEXT, TEXT          none of the texts is in anything that the next hop was sent
//	finding SYMBOL              some delivered or held message was found to have it
//	no-finding SYMBOL           none was
//	quarantine N                so many messages are held
//	queue N                     so many messages wait for delivery
//	no-file TEXT                no file of that name, or with it in its name, was made
//	log REGEXP                  the gateway's log has a line that matches
//	no-log TEXT                 it contains the text nowhere
func (g *Gateway) check(c *Case, line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "deliveries":
		return g.checkDeliveries(rest)
	case "delivery":
		return g.checkDelivery(c, rest)
	case "finding", "no-finding":
		found, err := g.findings()
		if err == nil && strings.Contains(found, " "+rest+" ") != (verb == "finding") {
			err = fmt.Errorf("found were%s", found)
		}
		return err
	case "quarantine", "queue":
		items, err := g.list(verb)
		if err == nil && strconv.Itoa(len(items)) != rest {
			err = fmt.Errorf("there are %d", len(items))
		}
		return err
	case "nowhere":
		return g.nowhere(rest)
	case "no-file":
		return g.noFile(rest)
	case "no-log":
		if strings.Contains(g.log.String(), rest) {
			return fmt.Errorf("the log is:\n%s", g.log.String())
		}
		return nil
	case "log":
		return g.checkLog(rest)
	}
	return errors.New("there is no such line in want")
}

// Check compares what came of the dialogue with what is wanted and returns every
// difference.
func (g *Gateway) Check(c *Case) error {
	var all []error
	for _, line := range c.Want {
		if err := g.check(c, line); err != nil {
			all = append(all, fmt.Errorf("%s\n\t%w", line, err))
		}
	}
	return errors.Join(all...)
}

// Believed returns the deliveries that were taken for authenticated, by any reading of the
// header block that we wrote: in a case of forgeries there must be none.
func (g *Gateway) Believed() []string {
	pass := regexp.MustCompile(`(?im)^Authentication-Results:.*dmarc\s*=\s*pass|^X-Spam-Status:.*\bDMARC_PASS\b`)
	doubt := regexp.MustCompile(`(?m)^X-Spam-Status:.*\bDMARC_(NONE|PERMERROR|FAIL_NONE|QUARANTINE)\b`)
	var out []string
	for _, d := range g.Sink.Deliveries() {
		if h := header(d.Data); pass.MatchString(h) || !doubt.MatchString(h) {
			out = append(out, h)
		}
	}
	return out
}

func (g *Gateway) checkDeliveries(rest string) error {
	n, err := strconv.Atoi(rest)
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline) && len(g.Sink.Deliveries()) < n; {
		time.Sleep(20 * time.Millisecond)
	}
	time.Sleep(150 * time.Millisecond) // one too many would come now
	if got := len(g.Sink.Deliveries()); got != n {
		return fmt.Errorf("there are %d", got)
	}
	return nil
}

func (g *Gateway) checkDelivery(c *Case, rest string) error {
	number, rest, _ := strings.Cut(rest, " ")
	what, arg, _ := strings.Cut(rest, " ")
	if number == "*" {
		all := g.Sink.Deliveries()
		if slices.ContainsFunc(all, func(d sink.Delivery) bool { return g.holds(c, d, what, arg) }) {
			return nil
		}
		return fmt.Errorf("none of %d does", len(all))
	}
	d, err := g.delivery(number)
	if err != nil {
		return err
	}
	if !g.holds(c, d, what, arg) {
		head, _, _ := bytes.Cut(d.Data, []byte("\r\n\r\n"))
		return fmt.Errorf("from <%s> to %v:\n%s\n\n%s", d.From, d.To, head, textOf(d.Data))
	}
	return nil
}

// delivery is the one of that number, from 1, or the last to that address.
func (g *Gateway) delivery(which string) (sink.Delivery, error) {
	all := g.Sink.Deliveries()
	if strings.Contains(which, "@") {
		for _, d := range slices.Backward(all) {
			if slices.Contains(d.To, which) {
				return d, nil
			}
		}
	}
	if i, err := strconv.Atoi(which); err == nil && i >= 1 && i <= len(all) {
		return all[i-1], nil
	}
	return sink.Delivery{}, fmt.Errorf("there is no delivery %s among %d", which, len(all))
}

func (g *Gateway) holds(c *Case, d sink.Delivery, what, arg string) bool {
	switch what {
	case "from":
		return d.From == strings.TrimSuffix(strings.TrimPrefix(arg, "<"), ">")
	case "to":
		return strings.Contains(" "+strings.Join(d.To, " ")+" ", " "+arg+" ")
	case "same":
		raw, ok := c.Messages[arg]
		return ok && bytes.HasSuffix(d.Data, raw) && bytes.HasPrefix(d.Data, []byte("Received: "))
	case "opens":
		raw, ok := c.Messages[arg]
		return ok && g.opens(d.Data, raw)
	case "says":
		said := false
		mimetree.Parse(d.Data, mimetree.DefaultLimits()).Walk(func(p *msg.Part) { said = said || strings.Contains(p.Text, unescape(arg)) })
		return said
	case "verifies":
		return g.verifies(d.Data)
	case "signed":
		return g.signed(d.Data, arg)
	case "dkimpy":
		return g.dkimpy(d.Data, arg)
	case "has":
		return bytes.Contains(d.Data, []byte(unescape(arg)))
	case "lacks":
		return !bytes.Contains(d.Data, []byte(unescape(arg)))
	case "reads", "misses":
		matched, err := regexp.MatchString("(?m)"+arg, textOf(d.Data))
		return err == nil && matched == (what == "reads")
	case "field":
		matched, err := regexp.MatchString(`(?m)^`+arg, header(d.Data))
		return err == nil && matched
	}
	return false
}

// header is the header block of a message, unfolded, one field a line.
func header(data []byte) string {
	head, _, _ := bytes.Cut(data, []byte("\r\n\r\n"))
	unfolded := regexp.MustCompile(`\r\n[ \t]+`).ReplaceAllString(string(head), " ")
	return strings.ReplaceAll(unfolded, "\r\n", "\n") + "\n"
}

// entry is what a list of messages says of one.
type entry struct {
	ID       string `json:"id"`
	Findings []struct {
		Symbol string `json:"symbol"`
	} `json:"findings"`
}

func (g *Gateway) list(noun string) ([]entry, error) {
	out, status, err := g.Run(noun, "list", "--json")
	if err != nil || status != 0 {
		return nil, fmt.Errorf("%s list: status %d: %w\n%s", noun, status, err, out)
	}
	var items []entry
	if err := json.Unmarshal([]byte(out), &items); err != nil {
		return nil, fmt.Errorf("%s list: %w:\n%s", noun, err, out)
	}
	return items, nil
}

// findings returns the symbols of every delivered and held message between spaces.
func (g *Gateway) findings() (string, error) {
	out := " "
	tests := regexp.MustCompile(`(?m)^X-Spam-Status: .*tests=([A-Z0-9_, ]*)`)
	for _, d := range g.Sink.Deliveries() {
		for _, m := range tests.FindAllStringSubmatch(header(d.Data), -1) {
			out += strings.ReplaceAll(m[1], ",", " ") + " "
		}
	}
	items, err := g.list("quarantine")
	for _, it := range items {
		for _, f := range it.Findings {
			out += f.Symbol + " "
		}
	}
	return out, err
}

func (g *Gateway) checkLog(pattern string) error {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return err
	}
	for range 100 { // the log may come after the reply
		if re.MatchString(g.log.String()) {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("the log is:\n%s", g.log.String())
}
