package wkd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"congthu/internal/lang"
)

// Bounds of one look-up.
const (
	maxKeys      = 256 << 10 // octets
	fetchTime    = 15 * time.Second
	maxRedirects = 3
)

// Options of a Client.
type Options struct {
	Exists func(ctx context.Context, host string) (bool, error)         // whether the DNS has the host
	Lookup func(ctx context.Context, host string) ([]net.IPAddr, error) // addresses of hosts; not asked where there is a proxy
	Proxy  *url.URL                                                     // nil: none
	Roots  *x509.CertPool                                               // nil: the system's
}

// Client asks directories.
type Client struct {
	exists func(ctx context.Context, host string) (bool, error)
	http   *http.Client
}

// New returns a client. It speaks HTTPS alone, follows redirects only to the host that it
// asked, and without a proxy connects to public addresses only: where it goes is for the
// owner of any domain to say.
func New(o Options) *Client {
	d := dialer{o.Lookup, net.Dialer{Timeout: fetchTime, Control: publicOnly}}
	t := &http.Transport{
		DialContext: d.dial, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots},
		TLSHandshakeTimeout: fetchTime, ResponseHeaderTimeout: fetchTime, DisableKeepAlives: true, MaxResponseHeaderBytes: 16 << 10,
	}
	if o.Proxy != nil {
		t.Proxy = http.ProxyURL(o.Proxy)
		t.DialContext = (&net.Dialer{Timeout: fetchTime}).DialContext // to the proxy, which the administrator has named
	}
	return &Client{exists: o.Exists, http: &http.Client{Timeout: fetchTime, Transport: t, CheckRedirect: sameHost}}
}

// dialer connects to hosts as the gateway's own resolver finds them.
type dialer struct {
	lookup func(ctx context.Context, host string) ([]net.IPAddr, error)
	d      net.Dialer
}

func (d *dialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	ips, err := d.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	err = fmt.Errorf("wkd: %s has no address", host)
	for _, ip := range ips {
		var c net.Conn
		if c, err = d.d.DialContext(ctx, network, net.JoinHostPort(ip.String(), port)); err == nil {
			return c, nil
		}
	}
	return nil, err
}

var errRedirect = errors.New("wkd: a redirect to another host is not followed")

func sameHost(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects || req.URL.Scheme != "https" || req.URL.Host != via[0].URL.Host {
		return errRedirect
	}
	return nil
}

var errPrivate = errors.New("wkd: not a public address")

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

// ErrNone says that the domain has no key for the address.
var ErrNone = errors.New("wkd: no key")

// Found is what a directory has.
type Found struct {
	Octets []byte
	Method string // advanced or direct
	URL    string
}

// Lookup asks for the keys of an address, by the advanced method, and by the direct one
// only where the host of the advanced does not exist (section 3.1 of the draft): a server
// that is down must not make another answer for it. The error is ErrNone, or says what is
// in the way.
func (c *Client) Lookup(ctx context.Context, a Address) (Found, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	f := Found{Method: "advanced", URL: a.Advanced()}
	there, err := c.exists(ctx, a.Host())
	if err != nil {
		return f, problem(err, "không tra được "+a.Host()+" trong DNS", "cannot look "+a.Host()+" up in the DNS")
	}
	if !there {
		f = Found{Method: "direct", URL: a.Direct()}
	}
	f.Octets, err = c.get(ctx, f.URL)
	if err != nil && !errors.Is(err, ErrNone) {
		err = problem(err, "không hỏi được "+f.URL, "cannot ask "+f.URL)
	}
	return f, err
}

func problem(err error, vi, en string) error { return &lang.Problem{What: lang.T(vi, en), Err: err} }

func (c *Client) get(ctx context.Context, where string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone:
		return nil, ErrNone
	default:
		return nil, fmt.Errorf("wkd: HTTP status %d", resp.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxKeys+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > maxKeys:
		return nil, fmt.Errorf("wkd: more than %d octets", maxKeys)
	case len(data) == 0:
		return nil, ErrNone
	}
	return data, nil
}
