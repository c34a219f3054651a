package main

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/rogpeppe/go-internal/testscript"

	"congthu/internal/dns/fake"
	"congthu/internal/pgp"
	"congthu/internal/wkd"
)

// pgpkey makes a key pair: pgpkey NAME ADDRESS [DAYS]. NAME.asc is its public half, NAME.sec.asc the
// secret one; it lives so many days. $NAME in capitals is its fingerprint.
func pgpkey(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: pgpkey NAME ADDRESS [DAYS]")
	}
	c := &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA}
	if len(args) == 3 {
		days, err := strconv.Atoi(args[2])
		ts.Check(err)
		c.KeyLifetimeSecs = uint32(days) * 24 * 3600
	}
	e, err := openpgp.NewEntity("Mau", "", args[1], c)
	ts.Check(err)
	var public bytes.Buffer
	ts.Check(e.Serialize(&public))
	ts.Setenv(strings.ToUpper(args[0]), fmt.Sprintf("%X", e.PrimaryKey.Fingerprint))
	secret, err := armoured(openpgp.PrivateKeyType, func(w io.Writer) error { return e.SerializePrivateWithoutSigning(w, nil) })
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".asc"), pgp.Armor(public.Bytes()), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".sec.asc"), secret, 0o600))
}

// printed compares what the last program printed, both ways, with a file: printed [--sort] FILE.
// What is another each time (fingerprints, days) stands as a word in it; --sort puts rows
// that are in the order of fingerprints into one that stays.
func printed(ts *testscript.TestScript, neg bool, args []string) {
	sorted := len(args) == 2 && args[0] == "--sort"
	if neg || len(args) != 1 && !sorted {
		ts.Fatalf("usage: printed [--sort] FILE")
	}
	name := args[len(args)-1]
	got := strings.ReplaceAll(ts.ReadFile("stdout")+ts.ReadFile("stderr"), ts.MkAbs("."), "$WORK")
	for _, r := range []struct{ pattern, word string }{
		{`\b[0-9A-F]{40}\b`, "FINGERPRINT-FINGERPRINT-FINGERPRINT-FING"},
		{`\b([0-9A-F]{4} ){9}[0-9A-F]{4}\b`, "FING ERPR INT"},
		{`\b20\d\d-\d\d-\d\d\b`, "YYYY-MM-DD"},
		{`127\.0\.0\.1:\d+`, "127.0.0.1:PORT"},
		{`(?s)(-----BEGIN [^\n]*\n\n).*(\n-----END )`, "${1}BASE64${2}"},
	} {
		got = regexp.MustCompile(r.pattern).ReplaceAllString(got, r.word)
	}
	if sorted {
		got = rowsSorted(got)
	}
	if dir := os.Getenv("CONGTHU_GOLDEN"); dir != "" {
		ts.Check(os.WriteFile(filepath.Join(dir, name), []byte(got), 0o600))
		return
	}
	if want := ts.ReadFile(name); got != want {
		ts.Fatalf("%s: printed is\n%s\nwant\n%s", name, got, want)
	}
}

// directory is a Web Key Directory of example.com in a world of its own: web servers behind
// a proxy, and a DNS. directory SETTINGS ADDRESS KEY… writes the settings that lead there.
func directory(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: directory SETTINGS ADDRESS KEY…")
	}
	where, err := wkd.Parse(args[1])
	ts.Check(err)
	var octets []byte
	for _, name := range args[2:] {
		ks, err := pgp.ReadKeys([]byte(ts.ReadFile(name)))
		ts.Check(err)
		for _, k := range ks {
			octets = append(octets, k.Bytes()...)
		}
	}
	web := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/.well-known/openpgpkey/"+where.Domain+"/hu/"+where.Hash() || len(octets) == 0 {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(octets)
	}))
	ts.Defer(web.Close)
	proxy := httptest.NewServer(connectTo(web.Listener.Addr().String()))
	ts.Defer(proxy.Close)
	roots := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw})
	ts.Check(os.WriteFile(ts.MkAbs("roots.pem"), roots, 0o600))
	text := ts.ReadFile("ok.toml") + fmt.Sprintf("wkd_proxy = %q\nwkd_roots = %q\n[dns]\nservers = [%q]\n", proxy.URL, ts.MkAbs("roots.pem"), serveDNS(ts, directoryZone))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

const directoryZone = "openpgpkey.example.com A 192.0.2.1\ndown.example.com FAIL servfail\nopenpgpkey.down.example.com FAIL servfail\n"

// nameServer serves a zone, and lets settings ask it: nameserver SETTINGS ZONE.
func nameServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: nameserver SETTINGS ZONE")
	}
	text := ts.ReadFile(args[0]) + fmt.Sprintf("[dns]\nservers = [%q]\n", serveDNS(ts, ts.ReadFile(args[1])))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

func serveDNS(ts *testscript.TestScript, text string) string {
	zone, err := fake.ParseZone(text)
	ts.Check(err)
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	ts.Check(err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = fake.Serve(ctx, udp, nil, zone) }() // ends with ctx
	ts.Defer(func() { cancel(); <-done })
	return udp.LocalAddr().String()
}

// connectTo is a proxy that leads everybody to one server.
func connectTo(addr string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h, ok := w.(http.Hijacker)
		if r.Method != http.MethodConnect || !ok {
			http.Error(w, "HTTPS alone", http.StatusMethodNotAllowed)
			return
		}
		in, _, err := h.Hijack()
		if err != nil {
			return
		}
		defer in.Close() //nolint:errcheck // nothing more is said
		out, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		defer out.Close() //nolint:errcheck // nothing more is said
		_, _ = io.Copy(in, strings.NewReader("HTTP/1.1 200 OK\r\n\r\n"))
		go func() { _, _ = io.Copy(out, in) }()
		_, _ = io.Copy(in, out)
	}
}
