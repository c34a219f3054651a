package mtasts

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// Bounds of one fetch.
const (
	maxFile   = 64 << 10
	fetchTime = 10 * time.Second
)

// Addresses finds the addresses of a policy server.
type Addresses interface {
	LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error)
}

// HTTPClient returns the client that policies are fetched with. It follows no redirect
// (RFC 8461 section 3.3), goes through no proxy, and connects to public addresses only:
// where it goes is for the owner of any domain to say.
func HTTPClient(dns Addresses) *http.Client {
	d := &dialer{dns: dns, d: net.Dialer{Timeout: fetchTime, Control: publicOnly}}
	return &http.Client{
		Timeout:       fetchTime,
		CheckRedirect: noRedirect,
		Transport: &http.Transport{
			DialContext: d.dial, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
			DisableKeepAlives: true, MaxResponseHeaderBytes: 16 << 10,
		},
	}
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

type dialer struct {
	dns Addresses
	d   net.Dialer
}

func (d *dialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	ips, err := d.dns.LookupIPAddr(ctx, host)
	if err != nil {
		return nil, err
	}
	err = fmt.Errorf("mtasts: %s has no address", host)
	for _, ip := range ips {
		var c net.Conn
		if c, err = d.d.DialContext(ctx, network, net.JoinHostPort(ip.String(), port)); err == nil {
			return c, nil
		}
	}
	return nil, err
}

var errPrivate = errors.New("mtasts: not a public address")

// publicOnly refuses to connect into our own network.
func publicOnly(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if a := ap.Addr().Unmap(); !a.IsGlobalUnicast() || a.IsPrivate() {
		return errPrivate
	}
	return nil
}

// fetch gets and reads the policy of a domain.
func fetch(ctx context.Context, client *http.Client, domain string) (Policy, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://mta-sts."+domain+"/.well-known/mta-sts.txt", nil)
	if err != nil {
		return Policy{}, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return Policy{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK { // a redirect is no policy either
		return Policy{}, fmt.Errorf("mtasts: HTTP status %d", resp.StatusCode)
	}
	if kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || kind != "text/plain" {
		return Policy{}, fmt.Errorf("mtasts: the policy is not text/plain")
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxFile+1))
	if err != nil {
		return Policy{}, err
	}
	if len(text) > maxFile {
		return Policy{}, fmt.Errorf("mtasts: the policy is larger than %d octets", maxFile)
	}
	return ParsePolicy(string(text))
}
