package main

import (
	"crypto/tls"
	"log/slog"

	"congthu/internal/config"
)

func certificate(c *config.Config) (*tls.Config, error) {
	if c.TLS.Cert == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(c.TLS.Cert, c.TLS.Key)
	if err != nil {
		return nil, fail(exitConfig, "không đọc được chứng thư TLS: %v", "cannot read the TLS certificate: %v", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

func level(word string) slog.Level {
	var l slog.Level
	_ = l.UnmarshalText([]byte(word)) // config has checked it
	return l
}
