package e2e_test

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"congthu/internal/e2e"
)

const submission = `A gateway where an agency submits, on ports as 587 and 465.

-- config --
[tls]
cert = "${DIR}/cert.pem"
key = "${DIR}/key.pem"
[[listen]]
address = "${SMTP}"
tls = "required"
auth = "required"
[[listen]]
address = "${TLSPORT}"
tls = "implicit"
auth = "required"
[relay]
networks = []
[[agency]]
name = "so-y-te"
domains = ["yte.gov.test"]
[[route]]
domains = ["*"]
next_hop = "${SINK}"
-- message/pw --
con-ngua-dung-pin-ghim
-- dialogue --
RUN account add lan@yte.gov.test --agency so-y-te --password-file ${DIR}/pw.eml => 0
-- want --
deliveries 0
`

// submit starts such a gateway with its account.
func submit(t *testing.T, ip string) *e2e.Gateway {
	t.Helper()
	c, err := e2e.Parse([]byte(submission))
	if err != nil {
		t.Fatal(err)
	}
	g, err := build(t).Start(t.Context(), c, t.TempDir(), rules, ip)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Stop(); err != nil {
			t.Error(err)
		}
		if log := g.Log(); t.Failed() || strings.Contains(log, "con-ngua-dung") {
			t.Errorf("log:\n%s", log)
		}
	})
	if err := g.Play(c); err != nil {
		t.Fatal(err)
	}
	return g
}

// swaks is the client that administrators try a gateway with.
func TestSwaksSubmits(t *testing.T) {
	swaks, err := exec.LookPath("swaks")
	if err != nil {
		t.Skip("swaks is not installed (Debian package swaks)")
	}
	if out, _ := exec.Command(swaks, "--support").CombinedOutput(); !strings.Contains(string(out), "TLS supported") {
		t.Skip("swaks cannot speak TLS (Debian package libnet-ssleay-perl)")
	}
	ip := loopback(spare(), 1)
	g := submit(t, ip)
	good := []string{"--auth-user", "lan@yte.gov.test", "--auth-password", "con-ngua-dung-pin-ghim"}
	for name, c := range map[string]struct {
		args []string
		exit int // swaks: 0 sent, 28 AUTH failed, 23 MAIL refused, 29 no TLS
	}{
		"PLAIN over STARTTLS":  {append([]string{"--port", "2525", "-tls", "--auth", "PLAIN"}, good...), 0},
		"LOGIN over STARTTLS":  {append([]string{"--port", "2525", "-tls", "--auth", "LOGIN"}, good...), 0},
		"PLAIN, TLS first":     {append([]string{"--port", "4650", "-tlsc", "--auth", "PLAIN"}, good...), 0},
		"LOGIN, TLS first":     {append([]string{"--port", "4650", "-tlsc", "--auth", "LOGIN"}, good...), 0},
		"in clear":             {append([]string{"--port", "2525", "--auth", "PLAIN"}, good...), 28},
		"without AUTH":         {[]string{"--port", "2525", "-tls"}, 23},
		"a wrong password":     {[]string{"--port", "2525", "-tls", "--auth", "PLAIN", "--auth-user", "lan@yte.gov.test", "--auth-password", "khong-phai-the"}, 28},
		"as another's sender":  {append([]string{"--port", "4650", "-tlsc", "--auth", "PLAIN", "--from", "x@taichinh.gov.test"}, good...), 23},
		"a wrong name":         {[]string{"--port", "4650", "-tlsc", "--auth", "LOGIN", "--auth-user", "an", "--auth-password", "khong-phai-the"}, 28},
		"another's From field": {append([]string{"--port", "4650", "-tlsc", "--auth", "PLAIN", "--h-From", "x@taichinh.gov.test"}, good...), 26},
	} {
		args := append([]string{"--server", ip, "--from", "van-thu@yte.gov.test", "--to", "ai-do@world.test", "--ehlo", "may.yte.gov.test", "--timeout", "20s"}, c.args...)
		out, err := exec.CommandContext(t.Context(), swaks, args...).CombinedOutput()
		status := 0
		if e := (*exec.ExitError)(nil); err != nil {
			var ok bool
			if e, ok = err.(*exec.ExitError); !ok { //nolint:errorlint // as Run returns it
				t.Fatal(err)
			}
			status = e.ExitCode()
		}
		if status != c.exit {
			t.Errorf("%s: exit %d, want %d\n%s", name, status, c.exit, out)
		}
	}
	if n := len(g.Sink.Deliveries()); n != 4 {
		t.Errorf("%d deliveries, want 4", n)
	}
}

// Two hundred guesses, twenty connections at a time: three a connection at most, and
// far fewer than twenty are looked at, while the owner is let in.
func TestTwoHundredGuesses(t *testing.T) {
	x := spare()
	ip, owner, guesser := loopback(x, 1), loopback(x, 9), loopback(x, 2)
	g := submit(t, ip)
	if _, err := guesses(ip, owner, "con-ngua-dung-pin-ghim"); err != nil {
		t.Fatal(err) // the owner, whom the gateway knows from now on
	}
	var made, wrong, most atomic.Int64
	for made.Load() < 200 {
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				replies, err := guesses(ip, guesser, fmt.Sprint("mat-khau-doan-", made.Load()))
				if err != nil {
					t.Error(err)
				}
				n := int64(len(replies))
				made.Add(max(n, 1))
				if n > most.Load() {
					most.Store(n)
				}
				for _, r := range replies {
					if strings.HasPrefix(r, "535") {
						wrong.Add(1)
					}
				}
			})
		}
		wg.Wait()
		if t.Failed() {
			return
		}
	}
	looked := strings.Count(g.Log(), `msg="authentication failed"`)
	t.Logf("%d guesses: at most %d a connection, %d looked at, %d told so", made.Load(), most.Load(), looked, wrong.Load())
	if most.Load() > 3 || looked > 20 || looked == 0 {
		t.Errorf("at most %d a connection, %d looked at", most.Load(), looked)
	}
	if got, err := guesses(ip, owner, "con-ngua-dung-pin-ghim"); err != nil || len(got) != 1 || !strings.HasPrefix(got[0], "235") {
		t.Errorf("the owner hears %q (%v)", got, err)
	}
}

// guesses tries a password until the gateway lets it in or ends the connection, and
// returns the replies.
func guesses(ip, from, password string) (replies []string, err error) {
	d := net.Dialer{Timeout: 20 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	raw, err := d.Dial("tcp", ip+":4650")
	if err != nil {
		return nil, err
	}
	conn := tls.Client(raw, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // a test certificate
	defer conn.Close()                                             //nolint:errcheck // all was said
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	in := bufio.NewScanner(conn)
	reply := func() string {
		for in.Scan() {
			if line := in.Text(); len(line) > 3 && line[3] == ' ' {
				return line
			}
		}
		return ""
	}
	if hello := reply(); !strings.HasPrefix(hello, "220") {
		return nil, fmt.Errorf("greeted with %q", hello)
	}
	if _, err := fmt.Fprint(conn, "EHLO x\r\n"); err != nil {
		return nil, err
	}
	reply()
	secret := base64.StdEncoding.EncodeToString([]byte("\x00lan@yte.gov.test\x00" + password))
	for range 10 {
		if _, err := fmt.Fprintf(conn, "AUTH PLAIN %s\r\n", secret); err != nil {
			return replies, nil // closed after the last reply
		}
		r := reply()
		if r == "" {
			return replies, nil
		}
		replies = append(replies, r)
		if strings.HasPrefix(r, "235") || strings.HasPrefix(r, "421") {
			return replies, nil
		}
	}
	return replies, nil
}
