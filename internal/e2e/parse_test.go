package e2e_test

import (
	"strings"
	"testing"

	"congthu/internal/e2e"
)

// A newcomer's mistake in a case is named, not run.
func TestParseComplaints(t *testing.T) {
	const rest = "-- dialogue --\nS: 220\n-- want --\ndeliveries 0\n"
	for text, want := range map[string]string{
		rest:                                              "begins with a sentence",
		"x\n-- want --\nqueue 0\n":                        "a dialogue and a want section",
		"x\n-- dnss --\n" + rest:                          "dnss: there is no such section",
		"x\n-- dns --\na b\n" + rest:                      "dns: zone line 1",
		"x\n-- sink --\nsing loudly\n" + rest:             "sink: ",
		"x\n-- message/a --\n{{base64:no}}\n" + rest:      `message/a: there is no attachment "no"`,
		"x\n-- message/a --\n{{letter:no}}\n" + rest:      `message/a: there is no letter "no"`,
		"x\n-- message/a --\n{{repeat:many x}}\n" + rest:  "not a count",
		"x\n-- message/a --\n{{base32:eicar}}\n" + rest:   "unknown insert",
		"x\n-- message/a --\nok {{repeat:3 ab}}\n" + rest: "",
	} {
		c, err := e2e.Parse([]byte(text))
		switch {
		case want == "" && (err != nil || string(c.Messages["a"]) != "ok ababab\r\n"):
			t.Errorf("%q: %v", text, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
