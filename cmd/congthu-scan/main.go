// Command congthu-scan opens what strangers have sent, so that the daemon need not.
// The daemon starts it in two ways. Once for each state of the rules,
//
//	congthu-scan --compile --rules DIR [--extra DIR] [--known DIGEST]
//
// compiles the YARA rules, writes them to file descriptor 3 and prints what is wrong with
// them, or nothing new when they are those that DIGEST names. Then, one for each core and
// without arguments, with a socket as file descriptor 3, the compiled rules as 4 and the tray as 5: it
// closes itself in and answers one request after the other (internal/scanproto) until the
// socket closes. The compiled rules come from the daemon alone: they are code.
//
// Exit statuses are those of sysexits.h: 64 wrong use, 70 internal trouble, 78 a
// mistake in a rule file.
package main

import (
	"bufio"
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
	var s yarascan.Source
	flag.StringVar(&s.Dir, "rules", "", "directory of *.yar files")
	flag.StringVar(&s.Extra, "extra", "", "directory of rules of others")
	known := flag.String("known", "", "digest of rules that need not be compiled again")
	check := flag.Bool("check-rules", false, "compile the rules, print what is wrong with them as JSON, and end")
	compile := flag.Bool("compile", false, "the same, and write the compiled rules to file descriptor 3")
	flag.Parse()
	switch {
	case flag.NArg() > 0 || (*check || *compile) != (s.Dir != ""):
		fmt.Fprintln(os.Stderr, "usage: congthu-scan --check-rules|--compile --rules DIR [--extra DIR] [--known DIGEST]")
		return exitUsage
	case *check:
		return report(s, "", nil)
	case *compile:
		return report(s, *known, os.NewFile(3, "compiled rules"))
	}
	return serve()
}

// report compiles the rules, writes them where out is given, and prints the outcome.
func report(s yarascan.Source, known string, out *os.File) int {
	rules, problems, err := yarascan.LoadUnless(s, known)
	ready := scanproto.Ready{Problems: problems, Digest: known}
	if err == nil && rules != nil {
		ready.Rules, ready.Digest = rules.Count(), rules.Digest()
		if out != nil {
			err = write(rules, out)
		}
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(ready)
	}
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "congthu-scan:", err)
		return exitSoftware
	case len(problems) > 0:
		return exitConfig
	}
	return 0
}

func write(rules *yarascan.Rules, out *os.File) error {
	b := bufio.NewWriterSize(out, 1<<20)
	if err := rules.Write(b); err != nil {
		return err
	}
	return b.Flush()
}
