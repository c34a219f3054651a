package relay

import (
	"bufio"
	"errors"
	"fmt"
	"strings"

	"congthu/internal/lang"
	"congthu/internal/msg"
)

// Bounds of one reply.
const (
	maxReplyLines = 128
	maxReplyLine  = 2048
)

var errReply = errors.New("relay: not an SMTP reply")

// readReply reads one reply (RFC 5321 section 4.2), within bounds. Text comes from a
// stranger and may go on to another one: it is made safe here. lines are the raw
// texts, for EHLO.
func readReply(r *bufio.Reader) (reply msg.Reply, lines []string, err error) {
	var code string
	for len(lines) < maxReplyLines {
		line, err := readLine(r)
		if err != nil {
			return msg.Reply{}, nil, err
		}
		c, text, last, ok := splitReply(line)
		if !ok || (code != "" && c != code) {
			return msg.Reply{}, nil, fmt.Errorf("%w: %q", errReply, lang.Safe(line, 80))
		}
		code = c
		lines = append(lines, text)
		if last {
			return parseReply(code, lines), lines, nil
		}
	}
	return msg.Reply{}, nil, fmt.Errorf("%w: more than %d lines", errReply, maxReplyLines)
}

// readLine reads to LF; the CR before it may be missing, as it is from some servers,
// because nothing but a reply can stand here.
func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) || len(line) > maxReplyLine {
		return "", fmt.Errorf("%w: line too long", errReply)
	}
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r"), nil
}

// splitReply divides "250-text" into its code, text and whether it is the last line.
func splitReply(line string) (code, text string, last, ok bool) {
	if len(line) < 3 || line[0] < '2' || line[0] > '5' || !digit(line[1]) || !digit(line[2]) {
		return "", "", false, false
	}
	if len(line) == 3 {
		return line, "", true, true
	}
	if line[3] != ' ' && line[3] != '-' {
		return "", "", false, false
	}
	return line[:3], line[4:], line[3] == ' ', true
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func parseReply(code string, lines []string) msg.Reply {
	r := msg.Reply{Code: int(code[0]-'0')*100 + int(code[1]-'0')*10 + int(code[2]-'0')}
	var texts []string
	for _, l := range lines {
		detail, text := splitStatus(code[0], l)
		if detail != "" && r.Detail == "" {
			r.Detail = detail
		}
		if text != "" && len(texts) < 4 {
			texts = append(texts, text)
		}
	}
	r.Text = lang.Safe(strings.Join(texts, " / "), 400)
	return r
}

// splitStatus takes an enhanced status code (RFC 3463) of the same class off a text.
func splitStatus(class byte, text string) (detail, rest string) {
	word, rest, _ := strings.Cut(text, " ")
	parts := strings.Split(word, ".")
	if len(parts) != 3 || len(parts[0]) != 1 || parts[0][0] != class || !number(parts[1]) || !number(parts[2]) {
		return "", text
	}
	return parts[1] + "." + parts[2], rest
}

func number(s string) bool {
	if s == "" || len(s) > 3 {
		return false
	}
	for i := range len(s) {
		if !digit(s[i]) {
			return false
		}
	}
	return true
}
