package main

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"

	"congthu/internal/admin"
	"congthu/internal/token"
)

// Bounds of the API over the network. A request and its answer have so long as a whole that
// a letter of 50 MB passes over a slow line, and who says nothing is gone long before.
const (
	remoteConnections = 256
	remotePerSource   = 32
	remoteHeader      = 16 << 10 // octets
	remoteHeaderTime  = 10 * time.Second
	remoteTime        = 3 * time.Minute
	certificateLook   = 10 * time.Second // how often a certificate file is looked at, at most
)

// serveRemote opens the API for those elsewhere; nil where none is configured.
func (g *gateway) serveRemote(api http.Handler) (*http.Server, error) {
	c := g.cfg.Admin
	if c.Listen == "" {
		return nil, nil
	}
	cert := &renewed{cert: c.Cert, key: c.Key, log: g.log, now: time.Now}
	if err := cert.load(); err != nil {
		return nil, fail(exitConfig, "[admin] không đọc được chứng thư TLS: %v", "[admin] cannot read the TLS certificate: %v", err)
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, fail(exitUnavailable, "không mở được cổng %s: %v", "cannot listen on %s: %v", c.Listen, err)
	}
	gate := &admin.Gate{Check: token.NewBook(g.db, nil).Check, Record: g.audit.Record, Log: g.log}
	mux := http.NewServeMux()
	mux.Handle("/v1/", gate.Wrap(api))
	mux.Handle("/", g.newConsole(gate.Know))
	s := remoteServer(mux, cert.get, g.log)
	go func() { g.note("admin tls", s.ServeTLS(&few{Listener: l, by: map[netip.Addr]int{}}, "", "")) }()
	g.log.Info("API and console are served over TLS", "address", l.Addr())
	return s, nil
}

// remoteServer speaks HTTP/1.1 only: a connection is then one request at a time, so that
// the bound on connections is one on all that is under way.
func remoteServer(h http.Handler, cert func(*tls.ClientHelloInfo) (*tls.Certificate, error), log *slog.Logger) *http.Server {
	s := &http.Server{
		Handler: h, TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: cert},
		ReadHeaderTimeout: remoteHeaderTime, ReadTimeout: remoteTime, WriteTimeout: remoteTime, IdleTimeout: time.Minute,
		MaxHeaderBytes: remoteHeader, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		Protocols: new(http.Protocols),
	}
	s.Protocols.SetHTTP1(true)
	return s
}

// renewed is a certificate that is read again when its file has changed. A new one that
// cannot be read does not take the place of the old one.
type renewed struct {
	cert, key string
	log       *slog.Logger
	now       func() time.Time

	mu     sync.Mutex
	pair   *tls.Certificate
	stamp  [2]time.Time // of the files
	looked time.Time
}

func (r *renewed) load() error {
	stamp := r.stamps()
	pair, err := tls.LoadX509KeyPair(r.cert, r.key)
	if err != nil {
		return err
	}
	r.pair, r.stamp, r.looked = &pair, stamp, r.now()
	return nil
}

func (r *renewed) stamps() (out [2]time.Time) {
	for i, name := range []string{r.cert, r.key} {
		if info, err := os.Stat(name); err == nil {
			out[i] = info.ModTime()
		}
	}
	return out
}

// get implements tls.Config.GetCertificate.
func (r *renewed) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now().Sub(r.looked) < certificateLook {
		return r.pair, nil
	}
	r.looked = r.now()
	if r.stamps() == r.stamp {
		return r.pair, nil
	}
	if err := r.load(); err != nil {
		r.log.Error("[admin] the new TLS certificate cannot be read, the old one stays", "error", err)
		return r.pair, nil
	}
	r.log.Info("[admin] a new TLS certificate is in use", "file", r.cert)
	return r.pair, nil
}

// few is a listener that closes at once what is too many connections, of all or of one
// address.
type few struct {
	net.Listener
	mu  sync.Mutex
	all int
	by  map[netip.Addr]int
}

// Accept implements net.Listener.
func (f *few) Accept() (net.Conn, error) {
	for {
		c, err := f.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from, _ := netip.ParseAddrPort(c.RemoteAddr().String())
		if f.enter(from.Addr()) {
			return &counting{Conn: c, leave: sync.OnceFunc(func() { f.leave(from.Addr()) })}, nil
		}
		_ = c.Close() // nothing was said
	}
}

func (f *few) enter(from netip.Addr) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all >= remoteConnections || f.by[from] >= remotePerSource {
		return false
	}
	f.all++
	f.by[from]++
	return true
}

func (f *few) leave(from netip.Addr) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all--
	if f.by[from]--; f.by[from] <= 0 {
		delete(f.by, from)
	}
}

type counting struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (c *counting) Close() error {
	c.leave()
	return c.Conn.Close()
}
