// Command total prints the sum of what the fault tests have counted, one line, and
// fails when a promise was broken or nothing was counted: make test-faults ends
// with it.
package main

import (
	"fmt"
	"os"

	"congthu/internal/figures"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: total FILE")
		os.Exit(64)
	}
	f, err := os.Open(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "total:", err)
		os.Exit(66)
	}
	sum, err := figures.Sum(f)
	if err != nil {
		fmt.Fprintln(os.Stderr, "total:", err)
		os.Exit(65)
	}
	fmt.Println(sum)
	if !sum.Good() {
		os.Exit(1)
	}
}
