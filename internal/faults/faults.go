// Package faults proves the first promise of the house on the real programs: nothing
// acknowledged is lost, whatever breaks. A test starts a gateway process with next
// hops around it (Rig), sends letters whose every octet follows from a number
// (Letter), writes down what it was told (Ledger), breaks something, mends it, lets
// the queue run empty, and has a judge compare: each recipient that was acknowledged
// has the letter, octet for octet, or an operator sees it in the queue or the
// quarantine. A second copy needs a fault between the two; anything else is a bug.
//
// The tests of the lower floors put faults inside of a package (store, queue,
// quarantine, relay); here they come from outside: signals, the kernel by way of
// strace, full and broken disks, the network, the DNS.
package faults

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strings"
)

// Letter is one letter of a ledger.
type Letter struct {
	N    int
	To   []string
	Size int  // of the text, about
	Spam bool // it will be held
}

// gtube is the text that every filter takes for spam.
const gtube = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

// numberField names the letter in what arrives.
const numberField = "X-Ledger: "

// Octets makes the letter: always the same for the same number and size. Its lines
// begin with dots now and then, and are long now and then.
func (l Letter) Octets() []byte {
	r := rand.New(rand.NewPCG(uint64(l.N), 20261124))
	var b strings.Builder
	fmt.Fprintf(&b, "From: Van thu <van-thu@so.test>\r\nTo: <%s>\r\nSubject: Bao cao so %d\r\nDate: Mon, 16 Nov 2026 08:30:00 +0700\r\n", l.To[0], l.N)
	fmt.Fprintf(&b, "Message-ID: <%d@so.test>\r\n%s%d\r\n\r\n", l.N, numberField, l.N)
	if l.Spam {
		b.WriteString(gtube + "\r\n")
	}
	noise := noise(r)
	for b.Len() < l.Size {
		n := 20 + r.IntN(56)
		if r.IntN(50) == 0 {
			n = 900
		}
		b.WriteString(strings.Repeat(".", r.IntN(8)/6))
		from := r.IntN(len(noise) - n)
		b.WriteString(noise[from : from+n])
		b.WriteString("\r\n")
	}
	return []byte(b.String())
}

// noise is text that lines are cut from: without digits, which inside of words are a trick.
func noise(r *rand.Rand) string {
	out := make([]byte, 8<<10)
	for i := range out {
		out[i] = "abcdefghijklmnopqrstuvwxyz   .,"[r.IntN(31)]
	}
	return string(out)
}

// Sum is the SHA-256 of octets.
func Sum(octets []byte) string { return fmt.Sprintf("%x", sha256.Sum256(octets)) }

// sizeOf spreads sizes: most letters are small, some are kept as files.
func sizeOf(n int) int {
	switch {
	case n%29 == 0:
		return 300 << 10
	case n%7 == 0:
		return 40 << 10
	}
	return 1 << 10
}
