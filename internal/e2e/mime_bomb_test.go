package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"congthu/internal/e2e"
)

// harmless are those of them that can be looked at whole, and hold nothing.
const harmless = " 100,000 files in uuencode that are none | 50,000 close delimiters "

// bombs are letters whose structure costs much to look at, or would cost it somebody who
// looks twice at anything.
func bombs() map[string]string {
	many := strings.Repeat
	numbered := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, strings.ReplaceAll(format, "%d", "%[1]d"), i)
		}
		return b.String()
	}
	deep := "Content-Type: text/plain\n\nhet\n"
	for range 18 {
		deep = "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + b64(deep) + "\n"
	}
	quoted := "Content-Type: text/plain\n\nhet\n"
	for range 40 {
		quoted = "Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n" + strings.ReplaceAll(quoted, "=", "=3D")
	}
	return map[string]string{
		"10,000 multiparts inside each other":     numbered(10_000, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n") + "\nhet\n",
		"10,000 multiparts of one boundary":       many("Content-Type: multipart/mixed; boundary=x\n\n--x\n", 10_000) + "\nhet\n",
		"10,000 parts":                            "Content-Type: multipart/mixed; boundary=x\n\n" + many("--x\n\nphan\n", 10_000) + "--x--\n",
		"10,000 fields":                           numbered(10_000, "X-%d: a\n") + "\nhet\n",
		"10,000 fields of a part":                 "Content-Type: multipart/mixed; boundary=x\n\n--x\n" + numbered(10_000, "X-%d: a\n") + "\nhet\n--x--\n",
		"1 MB in a field":                         "X-A: " + many("a", 1<<20) + "\n\nhet\n",
		"1 MB in a folded field":                  "X-A: a\n" + many(" "+many("a", 70)+"\n", 15_000) + "\nhet\n",
		"1 MB of parameters":                      "Content-Type: multipart/mixed; boundary=y\n\n--y\nContent-Type: multipart/mixed" + many(";\n boundary=x", 90_000) + "\n\n--x\n\nhet\n--x--\n--y--\n",
		"10,000 messages inside each other":       many("Content-Type: message/rfc822\n\n", 10_000) + "het\n",
		"messages in base64 inside each other":    deep,
		"messages in QP inside each other":        quoted,
		"50,000 lines like the boundary":          "Content-Type: multipart/mixed; boundary=x\n\n--x\n\n" + many("--xy\n", 50_000) + "--x--\n",
		"50,000 close delimiters":                 "Content-Type: multipart/mixed; boundary=x\n\n--x\n\nmot\n" + many("--x--\n", 50_000),
		"50,000 lost delimiters":                  "Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: multipart/mixed; boundary=y\n\n--y\n\nmot\n--x\n\n" + many("--y\n", 50_000) + "--x--\n",
		"sixteen boundaries, 28 deep, 50,000 of":  numbered(28, "Content-Type: multipart/mixed; boundary=%d"+numbered(15, "; boundary=c%d")+"\n\n--%d\n") + "\n" + many("--c14z\n--c1\n", 25_000),
		"no boundary, 50,000 that may be one":     "Content-Type: multipart/mixed\n\n" + numbered(50_000, "--q%d\n\n"),
		"100,000 files in uuencode that are none": "Content-Type: text/plain\n\n" + many("begin 644 a\n", 100_000),
		"20,000 whole files in uuencode":          "Content-Type: application/octet-stream\n\n" + numbered(20_000, "begin 644 %d\n#86)C\n`\nend\n"),
		"BinHex of runs":                          inText("(This file must be converted with BinHex 4.0)\n\n" + binhex("a", many("A\x90\xff", 500_000), 1<<30)),
		"base64 in 100,000 streams":               "Content-Type: a/b\nContent-Transfer-Encoding: base64\n\n" + many("QQ==\n", 100_000),
		"contradictions over 2 MB":                "Content-Type: multipart/mixed; boundary=x; boundary=y\nContent-Transfer-Encoding: base64\nContent-Transfer-Encoding: x\n\n--x\n\n!" + many(many("QUJD", 19)+"\n", 26_000) + "--y\n\n--x--\n",
		"40 encoded words, 100,000 of them":       "Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Disposition: attachment; filename=\"" + many("=?utf-8?q?a?= ", 7_000) + "\"\n\nhet\n--x--\n",
	}
}

// What is costly to look at is looked at in bounded time and memory, or held: it is not
// delivered. Time is that of the processor, of the gateway and its worker together.
func TestMIMEBombs(t *testing.T) {
	const most = 2 * time.Second
	c := &e2e.Case{Shows: "bombs", Messages: map[string][]byte{}}
	g, err := build(t).Start(t.Context(), c, t.TempDir(), rules, loopback(spare(), 1))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for name, text := range bombs() {
		n++
		subject := fmt.Sprintf("bomb-%d", n)
		c.Messages[subject] = letter(subject, text)
		c.Dialogue = []string{"LETTER " + subject + " from=van-thu@a.test to=van-thu@gov.test ip=192.0.2.1 helo=mx.a.test => ~[25]"}
		before, wall := spent(t, g), time.Now()
		if err := g.Play(c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		took, late := spent(t, g)-before, time.Since(wall)
		t.Logf("%-40s %8d octets, %5d ms of processor, %5d ms, peak %d MB", name, len(c.Messages[subject]), took.Milliseconds(), late.Milliseconds(), peak(t, g)>>20)
		if took > most {
			t.Errorf("%s: %v of processor time, at most %v", name, took, most)
		}
		if deliveredLetters(g)[subject] && !strings.Contains(harmless, " "+name+" ") {
			t.Errorf("%s: delivered", name)
		}
	}
	const memory = 1 << 30
	if p := peak(t, g); p > memory {
		t.Errorf("%d MB at the peak", p>>20)
	}
	if err := g.Stop(); err != nil {
		t.Error(err)
	}
	if t.Failed() {
		t.Log(g.Log())
	}
}

// spent is the processor time of the gateway, its workers and those that have ended.
func spent(t *testing.T, g *e2e.Gateway) time.Duration {
	t.Helper()
	const user, childSystem, tick = 11, 14, 10 * time.Millisecond // proc(5): fields behind the name
	total := time.Duration(0)
	for i, pid := range g.Processes() {
		stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		if err != nil {
			continue // a worker that has just ended: its parent has its time
		}
		_, rest, _ := bytes.Cut(stat, []byte(") "))
		fields := strings.Fields(string(rest))
		last := user + 1
		if i == 0 {
			last = childSystem
		}
		for _, f := range fields[user : last+1] {
			ticks, err := strconv.Atoi(f)
			if err != nil {
				t.Fatal(err)
			}
			total += time.Duration(ticks) * tick
		}
	}
	return total
}

// peak is the most memory that the gateway and its workers have had, in octets.
func peak(t *testing.T, g *e2e.Gateway) int64 {
	t.Helper()
	total := int64(0)
	for _, pid := range g.Processes() {
		status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(status), "VmHWM:")
		kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		total += kb << 10
	}
	return total
}
