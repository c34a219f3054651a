package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// tidy takes out of a file what is another in each run, or for each user, or with each
// new rule: times, hashes, ids, names, numbers of lines, scores, CPU times, and how far
// columns are apart. What was the same is the same after it: tidy FILE [OTHER], where FILE
// may be stdout or stderr, what the last command has printed, if it goes to another.
func tidy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: tidy FILE [OTHER]")
	}
	text := strings.ReplaceAll(ts.ReadFile(args[0]), ts.Getenv("WORK"), "$WORK")
	numbered := func(name string) func(string) string {
		seen := map[string]string{}
		return func(s string) string {
			if seen[s] == "" {
				seen[s] = fmt.Sprint(name, "-", len(seen)+1)
			}
			return seen[s]
		}
	}
	score := numbered("SCORE")
	for _, r := range []struct {
		find, put string
		each      func(string) string
	}{
		{find: `\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?|\b\d\d/\d\d \d\d:\d\d\b`, put: "TIME"},
		{find: `\b20\d\d-\d\d-\d\d\b`, put: "DATE"},
		{find: `\bct_[0-9a-f]{8}_[A-Za-z0-9_-]{43}`, put: "TOKEN"},
		{find: `\b[a-z2-9A]{6}(-[a-z2-9A]{6})+\b`, put: "PASSWORD"},
		{find: `\bp=[A-Za-z0-9+/]{20,}=*`, put: "p=KEY"},
		{find: `\b[0-9A-HJKMNP-TV-Z]{16,26}\b`, put: "ID"},
		{find: `\b[0-9a-f]{12,64}\b`, each: numbered("HASH")},
		{find: `-?\b\d+\.\d/`, each: func(s string) string { return score(s) + "/" }},
		{find: `(toml|txt):\d+(:\d+)?`, put: "$1:LINE"},
		{find: `\b\d+ (content rules|YARA rules|symbols|quy tắc nội dung|quy tắc YARA|dấu hiệu)`, put: "N $1"},
		{find: `\(µs\): .*`, put: "(µs): CPU"},
		{find: `\d+ (octets|byte)\b`, put: "SIZE $1"},
		{find: ` @[^ \n]+`, put: " @GATEWAY"},
		{find: `(?m)^ +\d+  `, put: "SIZE  "},
		{find: `(?m)^(Age|Tuổi): .*`, put: "$1: AGE"},
		{find: ` {2,}`, put: "  "},
		{find: `(?m) +$`, put: ""},
	} {
		find := regexp.MustCompile(r.find)
		if r.each != nil {
			text = find.ReplaceAllStringFunc(text, r.each)
		} else {
			text = find.ReplaceAllString(text, r.put)
		}
	}
	if u, err := user.Current(); err == nil {
		text = regexp.MustCompile(`\b`+regexp.QuoteMeta(u.Username)+`\b`).ReplaceAllString(text, "USER")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[len(args)-1]), []byte(text), 0o600))
}

// buildWorker builds the scan worker: worker FILE.
func buildWorker(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: worker FILE")
	}
	out, err := exec.Command("go", "build", "-o", ts.MkAbs(args[0]), "congthu/cmd/congthu-scan").CombinedOutput()
	if err != nil {
		ts.Fatalf("%v\n%s", err, out)
	}
}
