package notice

import (
	"strings"

	"congthu/internal/msg"
)

// Automatic tells whether a machine has written a letter, or a list has sent it. Nothing
// is ever said in answer to such a letter (RFC 3834 section 2): answers of machines to
// machines go in circles. That holds for our own letters, too, at whatever gateway.
func Automatic(from msg.Path, root *msg.Part) bool {
	if from.IsNull() || machine(from.Local) || root == nil {
		return true
	}
	for _, f := range root.Fields("Auto-Submitted") {
		value, _, _ := strings.Cut(f.Value, ";")
		if !strings.EqualFold(strings.TrimSpace(value), "no") {
			return true
		}
	}
	for _, f := range root.Fields("Precedence") {
		switch strings.ToLower(strings.TrimSpace(f.Value)) {
		case "bulk", "list", "junk", "auto_reply":
			return true
		}
	}
	if root.MediaType == "multipart/report" { // RFC 6522: notices of servers
		return true
	}
	for _, f := range root.Header {
		if name := strings.ToLower(f.Name); strings.HasPrefix(name, "list-") || marks[name] {
			return true
		}
	}
	return false
}

// marks are fields that only machines write. X-Auto-Response-Suppress is in letters of
// people's programs, too, and says only what the sender does not want.
var marks = map[string]bool{"x-autoreply": true, "x-autorespond": true, "x-auto-reply": true, "x-loop": true, "feedback-id": true}

// machine tells the names that no person writes from (RFC 3834 section 2).
func machine(local string) bool {
	l := strings.ToLower(local)
	return l == "mailer-daemon" || strings.HasPrefix(l, "owner-") || strings.HasSuffix(l, "-request") || l == "noreply" || l == "no-reply"
}
