// Package figures collects what the fault tests have counted, from whatever package
// they live in, so that a run of them ends with one line: how many acknowledged
// messages were lost, how many came twice, how many faults were made.
//
// Tests call Add; where the environment names a file (Env), a line is appended to it.
// internal/faults/total reads the file and prints the sum.
package figures

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
)

// Env names the environment variable with the file's path.
const Env = "CONGTHU_FIGURES"

// Figures are the counts of one test, or of all.
type Figures struct {
	Acknowledged int // recipients of messages that a sender was told 250 for
	Lost         int // of these, found nowhere or changed
	Duplicates   int // copies beyond the first
	Unexplained  int // of these, without a fault that leaves the protocol no choice
	Faults       int // made
}

// String is the line that test-faults ends with.
func (f Figures) String() string {
	s := fmt.Sprintf("lost %d of %d acknowledged, duplicates %d, faults %d", f.Lost, f.Acknowledged, f.Duplicates, f.Faults)
	if f.Unexplained > 0 {
		s += fmt.Sprintf(" (%d duplicates without a cause)", f.Unexplained)
	}
	return s
}

// Good tells whether the promises were kept, and anything was tried at all.
func (f Figures) Good() bool {
	return f.Lost == 0 && f.Unexplained == 0 && f.Acknowledged > 0 && f.Faults > 0
}

// Plus adds.
func (f Figures) Plus(o Figures) Figures {
	return Figures{f.Acknowledged + o.Acknowledged, f.Lost + o.Lost, f.Duplicates + o.Duplicates, f.Unexplained + o.Unexplained, f.Faults + o.Faults}
}

// Add appends the counts of a test to the file that the environment names, if any.
// Lines of tests that run at the same time do not mix: each is one short write.
func Add(test string, f Figures) error {
	name := os.Getenv(Env)
	if name == "" {
		return nil
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(file, "%s %d %d %d %d %d\n", strings.ReplaceAll(test, " ", "_"), f.Acknowledged, f.Lost, f.Duplicates, f.Unexplained, f.Faults)
	if cerr := file.Close(); err == nil {
		err = cerr
	}
	return err
}

// Sum reads lines that Add has written. An error names the line.
func Sum(r io.Reader) (sum Figures, err error) {
	s := bufio.NewScanner(r)
	for n := 1; s.Scan(); n++ {
		var test string
		var f Figures
		if _, err := fmt.Sscanf(s.Text(), "%s %d %d %d %d %d", &test, &f.Acknowledged, &f.Lost, &f.Duplicates, &f.Unexplained, &f.Faults); err != nil {
			return sum, fmt.Errorf("line %d: %q: %w", n, s.Text(), err)
		}
		sum = sum.Plus(f)
	}
	return sum, s.Err()
}
