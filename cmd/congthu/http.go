package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"congthu/internal/admin"
	"congthu/internal/quarantine"
	"congthu/internal/queue"
	"congthu/internal/token"
)

// serveHTTP opens the operators' socket and the metrics endpoint. stop closes both.
func (g *gateway) serveHTTP() (stop func(), err error) {
	var servers []*http.Server
	stop = func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		for _, s := range servers {
			g.note("http", s.Shutdown(ctx))
		}
	}
	start := func(l net.Listener, h http.Handler) {
		s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ConnContext: admin.WithPeer, IdleTimeout: time.Minute, ErrorLog: slog.NewLogLogger(g.log.Handler(), slog.LevelWarn)}
		servers = append(servers, s)
		go func() { g.note("http", s.Serve(l)) }()
	}
	l, err := g.adminSocket()
	if err != nil {
		return nil, err
	}
	api := admin.Handler(g.services())
	start(l, api)
	far, err := g.serveRemote(api)
	if err != nil {
		stop()
		return nil, err
	}
	if far != nil {
		servers = append(servers, far)
	}
	if addr := g.cfg.Metrics.Address; addr != "" {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			stop()
			return nil, fail(exitUnavailable, "không mở được cổng đo lường %s: %v", "cannot listen for metrics on %s: %v", addr, err)
		}
		mux := http.NewServeMux()
		mux.Handle("GET /metrics", g.metrics.Handler())
		mux.HandleFunc("GET /health", g.serveHealth)
		start(l, mux)
	}
	return stop, nil
}

// adminSocket listens on the operators' socket, which only this user may open. The
// data directory is ours alone (the store holds its lock), so a socket that is there
// already is left over from a crash.
func (g *gateway) adminSocket() (net.Listener, error) {
	name := g.cfg.Admin.Socket
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, fail(exitNoPerm, "không tạo được thư mục của %s: %v", "cannot make the directory of %s: %v", name, err)
	}
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fail(exitNoPerm, "không thay được %s: %v", "cannot replace %s: %v", name, err)
	}
	l, err := net.Listen("unix", name)
	if err != nil {
		return nil, fail(exitUnavailable, "không mở được %s: %v", "cannot listen on %s: %v", name, err)
	}
	if err := os.Chmod(name, 0o600); err != nil {
		_ = l.Close()
		return nil, fail(exitNoPerm, "không đặt được quyền của %s: %v", "cannot set the permissions of %s: %v", name, err)
	}
	return l, nil
}

func (g *gateway) services() admin.Services {
	return admin.Services{
		Review: func(w token.Who) admin.Reviewer { return g.review.For(w) }, Queue: g.queue, Keys: g.judge.keys, Accounts: register{g.senders.accounts, g.cfg}, Lessons: school{g.judge}, Proposals: school{g.judge}, Reports: g.reports, Rules: ruleActs{g}, Health: g.health,
		Tokens: token.NewBook(g.db, nil), Audit: g.audit, Record: g.audit.Record, Log: g.log,
		NotFound: func(err error) bool {
			return errors.Is(err, quarantine.ErrNotFound) || errors.Is(err, queue.ErrNotFound)
		},
	}
}
