package faults

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Ledger is what a sender knows, written line by line: "send" before the first octet
// of a letter leaves, "said" after the reply has come. The judge reads it back, so it
// holds for any sender that writes the same lines.
type Ledger struct {
	SpamEvery int // each so manyth letter is one that will be held; 0: none

	mu   sync.Mutex
	file *os.File
	next int
}

// NewLedger makes a ledger at a path.
func NewLedger(path string) (*Ledger, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR|os.O_APPEND, 0o600)
	return &Ledger{file: f}, err
}

// Close closes the file.
func (l *Ledger) Close() error { return l.file.Close() }

// Begin numbers a letter and writes down that it is about to be sent. domain is that of
// its recipients; how many there are follows from the number.
func (l *Ledger) Begin(domain string, size int) (Letter, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next++
	t := Letter{N: l.next, Size: size}
	if t.Size == 0 {
		t.Size = sizeOf(t.N)
	}
	t.Spam = l.SpamEvery > 0 && t.N%l.SpamEvery == 0
	for i := range 1 + t.N%2 {
		t.To = append(t.To, fmt.Sprintf("n%d%c@%s", t.N, 'a'+i, domain))
	}
	_, err := fmt.Fprintf(l.file, "send %d %d %s %s %d\n", t.N, t.Size, Sum(t.Octets()), strings.Join(t.To, ","), time.Now().UnixNano())
	return t, err
}

// Said writes down the reply to a letter.
func (l *Ledger) Said(n int, reply string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := fmt.Fprintf(l.file, "said %d %d %s\n", n, time.Now().UnixNano(), reply)
	return err
}

// Record is one letter as the ledger has it.
type Record struct {
	Letter
	Sum       string
	Sent      time.Time
	Said      time.Time // zero: no reply was read
	Reply     string
	Confirmed bool // the reply was positive
}

// ReadLedger reads the lines of a ledger; the records are by number.
func ReadLedger(r io.Reader) (map[int]*Record, error) {
	out := map[int]*Record{}
	s := bufio.NewScanner(r)
	for s.Scan() {
		if err := readLine(out, s.Text()); err != nil {
			return nil, fmt.Errorf("ledger: %q: %w", s.Text(), err)
		}
	}
	return out, s.Err()
}

func readLine(out map[int]*Record, line string) error {
	f := strings.SplitN(line, " ", 6)
	if len(f) < 4 {
		return fmt.Errorf("too short")
	}
	n, err := strconv.Atoi(f[1])
	if err != nil {
		return err
	}
	if f[0] == "said" {
		at, err := strconv.ParseInt(f[2], 10, 64)
		if err != nil || out[n] == nil {
			return fmt.Errorf("a reply to nothing")
		}
		reply := strings.SplitN(line, " ", 4)[3]
		out[n].Said, out[n].Reply, out[n].Confirmed = time.Unix(0, at), reply, strings.HasPrefix(reply, "2")
		return nil
	}
	if f[0] != "send" || len(f) != 6 {
		return fmt.Errorf("not a line of a ledger")
	}
	size, err := strconv.Atoi(f[2])
	at, err2 := strconv.ParseInt(f[5], 10, 64)
	if err != nil || err2 != nil {
		return fmt.Errorf("not numbers")
	}
	out[n] = &Record{Letter: Letter{N: n, To: strings.Split(f[4], ","), Size: size}, Sum: f[3], Sent: time.Unix(0, at)}
	return nil
}

// Records reads the ledger back.
func (l *Ledger) Records() (map[int]*Record, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := os.Open(l.file.Name())
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read from
	return ReadLedger(f)
}
