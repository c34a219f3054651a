// Package dns is the gateway's caching stub resolver. Every answer is one of
// three things and the caller can always tell which: records, "there are none"
// (a *net.DNSError with IsNotFound: NXDOMAIN or an empty answer), or "could not
// look" (a *net.DNSError with IsTemporary: SERVFAIL, refusal, time-out, a reply
// that is not an answer to what was asked). The third is never turned into the
// second: a resolver that is down must not make a forged message look unsigned.
//
// The method set is that of *net.Resolver, so consumers declare the few methods
// they need. Host names in answers carry their final dot, as there.
package dns

import (
	"container/list"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"congthu/internal/lang"

	mdns "github.com/miekg/dns"
)

// Options says whom to ask and how long to believe the answers. The zero value
// asks the system's servers.
type Options struct {
	Servers     []string      // IP address or address:port; empty: those of /etc/resolv.conf
	Timeout     time.Duration // for one question to one server; default 3 s
	CacheSize   int           // answers kept; default 10,000; negative: none
	MaxTTL      time.Duration // longest belief in an answer; default 1 h
	NegativeTTL time.Duration // longest belief in an absence (RFC 2308 section 5); default 5 min
	TrustAD     bool          // believe the AD bit of servers that are not on this host (RFC 6840 section 5.7)
}

// Resolver asks recursive name servers and remembers what they said. It is safe
// for concurrent use; the same question asked by several at once is sent once.
type Resolver struct {
	servers []*upstream
	first   atomic.Int32 // index of the server to ask first: the last one that answered
	opt     Options
	now     func() time.Time

	mu     sync.Mutex
	cache  map[question]*list.Element // of *entry
	recent *list.List                 // most recently used first
	flying map[question]*flight
}

// question is what is asked: a canonical, lower-case, absolute name and a type.
type question struct {
	name  string
	qtype uint16
}

// New makes a resolver. It sends nothing yet.
func New(opt Options) (*Resolver, error) {
	addrs, err := serverList(opt.Servers)
	if err != nil {
		return nil, err
	}
	defaults(&opt)
	return &Resolver{
		servers: newUpstreams(addrs, opt.TrustAD),
		opt:     opt,
		now:     time.Now,
		cache:   make(map[question]*list.Element),
		recent:  list.New(),
		flying:  make(map[question]*flight),
	}, nil
}

func defaults(o *Options) {
	if o.Timeout <= 0 {
		o.Timeout = 3 * time.Second
	}
	if o.CacheSize == 0 {
		o.CacheSize = 10_000
	}
	if o.MaxTTL <= 0 {
		o.MaxTTL = time.Hour
	}
	if o.NegativeTTL <= 0 {
		o.NegativeTTL = 5 * time.Minute
	}
}

func serverList(given []string) ([]string, error) {
	if len(given) == 0 {
		return systemServers("/etc/resolv.conf"), nil
	}
	out := make([]string, 0, len(given))
	for _, s := range given {
		addr, err := serverAddr(s)
		if err != nil {
			return nil, err
		}
		out = append(out, addr)
	}
	return out, nil
}

// systemServers reads the system's configuration. Without one the local host is
// asked, as the C library does (resolv.conf(5)).
func systemServers(file string) []string {
	conf, err := mdns.ClientConfigFromFile(file)
	if err != nil || len(conf.Servers) == 0 {
		return []string{"127.0.0.1:53"}
	}
	out := make([]string, len(conf.Servers))
	for i, s := range conf.Servers {
		out[i] = net.JoinHostPort(s, conf.Port)
	}
	return out
}

// serverAddr completes the address of a name server. A host name is refused:
// it would have to be looked up by the resolver that is being configured.
func serverAddr(s string) (string, error) {
	if ap, err := netip.ParseAddrPort(s); err == nil && ap.Port() != 0 {
		return ap.String(), nil
	}
	if len(s) > 2 && s[0] == '[' && s[len(s)-1] == ']' {
		s = s[1 : len(s)-1]
	}
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.AddrPortFrom(a, 53).String(), nil
	}
	return "", &ServerError{Server: s}
}

// ServerError is a name server's address that cannot be used.
type ServerError struct{ Server string }

// Error renders the complaint in English, for logs.
func (e *ServerError) Error() string { return e.Text().In(lang.EN) }

// Text is the complaint for whoever has to mend the configuration.
func (e *ServerError) Text() lang.Text {
	s := lang.Safe(e.Server, 100)
	return lang.T(
		fmt.Sprintf("máy chủ DNS %q không phải là địa chỉ IP; hãy viết như \"192.0.2.53\" hoặc \"[2001:db8::53]:53\"", s),
		fmt.Sprintf("DNS server %q is not an IP address; write it like \"192.0.2.53\" or \"[2001:db8::53]:53\"", s),
	)
}
