package clamav_test

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"congthu/internal/inspect/clamav"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

// letter has a text and a file, "a.bin", that holds content.
func letter(content string) *msg.Message {
	raw := []byte("From: a@a.test\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\nthe text\r\n" +
		"--b\r\nContent-Type: application/octet-stream; name=a.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		base64.StdEncoding.EncodeToString([]byte(content)) + "\r\n--b--\r\n")
	return &msg.Message{Raw: raw, Root: mimetree.Parse(raw, mimetree.DefaultLimits())}
}

// fake is a clamd that behaves as its answer function says.
type fake struct {
	address string
	mu      sync.Mutex
	asked   []string
}

// serve answers each connection on a goroutine of its own; what it is sent is kept.
func serve(t *testing.T, network string, answer func(c net.Conn, object string)) *fake {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "clamd.ctl")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	f := &fake{address: l.Addr().String()}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close() //nolint:errcheck // a fake
				object, err := receive(c)
				if err != nil {
					return
				}
				f.mu.Lock()
				f.asked = append(f.asked, object)
				f.mu.Unlock()
				answer(c, object)
			}()
		}
	}()
	return f
}

// receive reads a question as clamd does.
func receive(c net.Conn) (string, error) {
	command := make([]byte, len("zINSTREAM\x00"))
	if _, err := io.ReadFull(c, command); err != nil || string(command) != "zINSTREAM\x00" {
		return "", fmt.Errorf("%q: %w", command, err)
	}
	var object []byte
	for {
		var size [4]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return "", err
		}
		n := binary.BigEndian.Uint32(size[:])
		if n == 0 {
			return string(object), nil
		}
		piece := make([]byte, n)
		if _, err := io.ReadFull(c, piece); err != nil {
			return "", err
		}
		object = append(object, piece...)
	}
}

func says(text string) func(net.Conn, string) {
	return func(c net.Conn, _ string) { _, _ = io.WriteString(c, text) }
}

func inspect(t *testing.T, o clamav.Options, m *msg.Message) (string, error) {
	t.Helper()
	found, _, err := clamav.New(o).Inspect(t.Context(), m)
	var out []string
	for _, f := range found {
		if !slices.Contains(clamav.Symbols(), f.Symbol) {
			t.Errorf("%q is no symbol of its", f.Symbol)
		}
		out = append(out, strings.TrimPrefix(f.Symbol, "CLAMAV_")+" "+f.Evidence+" "+f.Part)
	}
	return strings.Join(out, "; "), err
}

// Whatever is not a whole answer is "could not look".
func TestFaultsAreNeverClean(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(net.Conn, string)
		large  bool
	}{
		"closes at once":       {func(net.Conn, string) {}, false},
		"half an answer":       {says("stream: O"), false},
		"OK without its end":   {says("stream: OK"), false},
		"garbage":              {says(strings.Repeat("garbage ", 2000)), false},
		"another protocol":     {says("220 mail.test ESMTP\r\n\x00"), false},
		"an error":             {says("stream: Can't allocate memory ERROR\x00"), false},
		"found without a name": {says("stream:  FOUND\x00"), false},
		"its size limit":       {says("INSTREAM size limit exceeded. ERROR\x00"), true},
		"a limit as a find":    {says("stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\x00"), true},
		"hangs":                {func(net.Conn, string) { time.Sleep(20 * time.Second) }, false},
		"drips": {func(c net.Conn, _ string) {
			for range 200 {
				_, _ = io.WriteString(c, "s")
				time.Sleep(100 * time.Millisecond)
			}
		}, false},
	} {
		f := serve(t, "tcp", c.answer)
		begun := time.Now()
		got, err := inspect(t, clamav.Options{Address: f.address, Timeout: 500 * time.Millisecond}, letter("x"))
		if err == nil || got != "" || errors.Is(err, clamav.ErrTooLarge) != c.large {
			t.Errorf("%s: %q %v", name, got, err)
		}
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("%s: %v", name, took)
		}
	}
	if _, err := inspect(t, clamav.Options{Address: filepath.Join(t.TempDir(), "none")}, letter("x")); err == nil {
		t.Error("nobody listens, and it is clean")
	}
}

// clamd may say why it hangs up before it has read all.
func TestAnswerBeforeTheEnd(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // a fake
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.CopyN(io.Discard, c, 100)
			_, _ = io.WriteString(c, "INSTREAM size limit exceeded. ERROR\x00")
			time.Sleep(100 * time.Millisecond)
			_ = c.Close()
		}
	}()
	_, err = inspect(t, clamav.Options{Address: l.Addr().String(), Timeout: 5 * time.Second}, letter(strings.Repeat("x", 8<<20)))
	if err == nil {
		t.Error("clean")
	}
}

func TestAnswers(t *testing.T) {
	for answer, want := range map[string]string{
		"stream: OK\x00":                                      "",
		"stream: Win.Test.EICAR_HDB-1 FOUND\x00":              "MALWARE Win.Test.EICAR_HDB-1 2",
		"stream: Heuristics.Phishing.Email.Spoofed FOUND\x00": "PHISHING Heuristics.Phishing.Email.Spoofed 2",
		"stream: Heuristics.Encrypted.Zip FOUND\x00":          "HEURISTIC Heuristics.Encrypted.Zip 2",
		"stream: PUA.Win.Tool.X FOUND\x00":                    "HEURISTIC PUA.Win.Tool.X 2",
	} {
		for _, network := range []string{"tcp", "unix"} {
			f := serve(t, network, says(answer))
			if got, err := inspect(t, clamav.Options{Address: f.address}, letter("x")); err != nil || got != want {
				t.Errorf("%q: %q %v, want %q", answer, got, err, want)
			}
		}
	}
}

// It is asked about the file as it is decoded, and about the letter as it came.
func TestWhatIsAsked(t *testing.T) {
	f := serve(t, "unix", says("stream: OK\x00"))
	m := letter("the file")
	if _, err := inspect(t, clamav.Options{Address: f.address}, m); err != nil {
		t.Fatal(err)
	}
	if want := []string{"the file", string(m.Raw)}; !slices.Equal(f.asked, want) {
		t.Errorf("%q", f.asked)
	}
	if got, err := inspect(t, clamav.Options{}, m); got != "" || err != nil || len(f.asked) != 2 {
		t.Errorf("switched off: %q %v", got, err)
	}
	if _, err := inspect(t, clamav.Options{Address: f.address, MaxSize: 4}, m); !errors.Is(err, clamav.ErrTooLarge) || len(f.asked) != 2 {
		t.Errorf("too large: %v", err)
	}
}

// What was found beside what could not be looked at is still said.
func TestFindsBesideALimit(t *testing.T) {
	m := letter(strings.Repeat("x", 1000))
	f := serve(t, "unix", func(c net.Conn, object string) {
		if len(object) > 1000 {
			says("stream: Vn.Mau FOUND\x00")(c, object)
			return
		}
		says("INSTREAM size limit exceeded. ERROR\x00")(c, object)
	})
	if got, err := inspect(t, clamav.Options{Address: f.address}, m); got != "MALWARE Vn.Mau " || err != nil {
		t.Errorf("%q %v", got, err)
	}
}

func TestAtOnce(t *testing.T) {
	var mu sync.Mutex
	now, most := 0, 0
	f := serve(t, "unix", func(c net.Conn, object string) {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		time.Sleep(10 * time.Millisecond)
		mu.Lock()
		now--
		mu.Unlock()
		says("stream: OK\x00")(c, object)
	})
	in := clamav.New(clamav.Options{Address: f.address, AtOnce: 2})
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			if _, _, err := in.Inspect(context.Background(), letter("x")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most > 2 {
		t.Errorf("%d at once", most)
	}
}
