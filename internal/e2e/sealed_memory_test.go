package e2e_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net"
	"net/smtp"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"congthu/internal/e2e"
)

// people are recipients with keys that are imported and pinned.
func people(t *testing.T, g *e2e.Gateway, addresses ...string) {
	t.Helper()
	for _, a := range addresses {
		e, err := openpgp.NewEntity("Nguoi nhan mau", "", a, &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		w, err := armor.Encode(&b, openpgp.PublicKeyType, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Serialize(w); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(g.Dir, a+".asc")
		if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, status, err := g.Run("keys", "import", name); err != nil || status != 0 {
			t.Fatalf("%d %v %s", status, err, out)
		}
	}
}

// sendTo sends one letter to all of them in one transaction.
func sendTo(t *testing.T, g *e2e.Gateway, from string, to []string, letter []byte) {
	t.Helper()
	if err := trySend(g.Addr, from, to, letter); err != nil {
		t.Fatal(err)
	}
}

func trySend(addr, from string, to []string, letter []byte) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	c, err := smtp.NewClient(conn, "gw")
	if err != nil {
		return err
	}
	defer c.Close() //nolint:errcheck // Quit says it
	if err := c.Mail(from); err != nil {
		return err
	}
	for _, a := range to {
		if err := c.Rcpt(a); err != nil {
			return err
		}
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(letter); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return c.Quit()
}

// delivered waits until the next hop has n messages.
func delivered(t *testing.T, g *e2e.Gateway, n int) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); len(g.Sink.Deliveries()) < n; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d are delivered:\n%s", len(g.Sink.Deliveries()), n, g.Log())
		}
	}
}

// large is a letter of nearly the largest size that is taken by default.
func large(t *testing.T, size int) []byte {
	t.Helper()
	raw := make([]byte, size/78*57)
	if _, err := rand.Read(raw); err != nil {
		t.Fatal(err)
	}
	b := bytes.NewBuffer(make([]byte, 0, size+1000))
	fmt.Fprintf(b, "From: <a@so.gov.test>\r\nTo: <b@so.gov.test>\r\nSubject: nang\r\nDate: Mon, 02 Nov 2026 08:00:00 +0700\r\nMessage-ID: <1@so.gov.test>\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream; name=so-lieu.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n")
	for line := range len(raw) / 57 {
		b.Write(base64.StdEncoding.AppendEncode(nil, raw[line*57:(line+1)*57]))
		b.WriteString("\r\n")
	}
	return b.Bytes()
}

// status reads a line of /proc/PID/status, in octets.
func status(t *testing.T, pid int, name string) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("needs /proc")
	}
	m := regexp.MustCompile(name + `:\s*(\d+) kB`).FindSubmatch(text)
	if m == nil {
		t.Skip("needs " + name + " in /proc")
	}
	n, _ := strconv.Atoi(string(m[1])) // digits
	return n << 10
}

// rise sends a letter to a gateway that was just started and returns how far the memory of
// the daemon rises over what it had before, until everything is delivered.
func rise(t *testing.T, g *e2e.Gateway, to []string, letter []byte) int {
	t.Helper()
	if err := g.Restart(); err != nil {
		t.Fatal(err)
	}
	pid, had := g.Processes()[0], len(g.Sink.Deliveries())
	before := status(t, pid, "VmRSS")
	sendTo(t, g, "a@so.gov.test", to, letter)
	delivered(t, g, had+len(to))
	return status(t, pid, "VmHWM") - before
}

// TestSealedMemory: a letter of 25 MB that is encrypted for five does not take five times
// the room. It is there once as it came, its attachment once decoded, and one sealed copy at
// a time; the heap may be twice that before it is swept.
func TestSealedMemory(t *testing.T) {
	g, err := build(t).Start(t.Context(), &e2e.Case{Config: "[inspect]\nskip = [\"auth\"]\n"}, t.TempDir(), rules, loopback(spare(), 1))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.Stop() }()
	var to []string
	for i := range 5 {
		to = append(to, fmt.Sprintf("nhan%d@gov.test", i))
	}
	people(t, g, to...)
	letter := large(t, 26_000_000)
	one, five := rise(t, g, to[:1], letter), rise(t, g, to, letter)
	t.Logf("a letter of %.1f MB takes %d MB over the baseline encrypted to one, %d MB to five", float64(len(letter))/1e6, one/1e6, five/1e6)
	if bound := 10 * len(letter); five > bound {
		t.Errorf("more than %d MB", bound/1e6)
	}
	if five > one+3*len(letter) {
		t.Error("the room grows with the recipients")
	}
	for _, d := range g.Sink.Deliveries() {
		if !strings.Contains(string(d.Data[:4096]), "multipart/encrypted") || len(d.To) != 1 {
			t.Fatal("not encrypted, or to several")
		}
	}
}
