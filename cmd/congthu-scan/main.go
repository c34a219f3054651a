// Command congthu-scan opens what strangers have sent, so that the daemon need not.
// The daemon starts it, one for each core, with a socket as file descriptor 3; it
// compiles the YARA rules, closes itself in, and then answers one request after the
// other (internal/scanproto) until the socket closes.
//
// Exit statuses are those of sysexits.h: 64 wrong use, 70 internal trouble, 78 a
// mistake in a rule file.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"congthu/cmd/congthu-scan/yarascan"
	"congthu/internal/scanproto"
)

const (
	exitUsage    = 64
	exitSoftware = 70
	exitConfig   = 78
)

func main() {
	os.Exit(run())
}

func run() int {
	dir := flag.String("rules", "", "directory of *.yar files")
	check := flag.Bool("check-rules", false, "compile the rules, print what is wrong with them as JSON, and end")
	flag.Parse()
	if *dir == "" || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "usage: congthu-scan --rules DIR [--check-rules]")
		return exitUsage
	}
	rules, problems, err := yarascan.Load(*dir)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "congthu-scan:", err)
		return exitSoftware
	case *check:
		return report(rules, problems)
	}
	return serve(rules, problems)
}

// report prints the outcome of a check.
func report(rules *yarascan.Rules, problems []scanproto.Problem) int {
	ready := scanproto.Ready{Problems: problems}
	if rules != nil {
		ready.Rules = rules.Count()
	}
	if err := json.NewEncoder(os.Stdout).Encode(ready); err != nil {
		return exitSoftware
	}
	if len(problems) > 0 {
		return exitConfig
	}
	return 0
}
