package relay

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"congthu/internal/dane"
	"congthu/internal/msg"
)

// TLSMode says how much TLS a next hop needs.
type TLSMode string

// The modes. Opportunistic (RFC 7435) uses STARTTLS where it is offered and does not
// look at the certificate; Require refuses to send without TLS; Verify also wants a
// certificate for the host's name, from an authority in TLSPolicy.Roots.
const (
	TLSNone          TLSMode = "none"
	TLSOpportunistic TLSMode = "opportunistic"
	TLSRequire       TLSMode = "require"
	TLSVerify        TLSMode = "verify"

	tlsDANE TLSMode = "dane" // a certificate that a TLSA record names (RFC 7672)
)

// TLSPolicy is what next hops need unless their route says something else.
type TLSPolicy struct {
	Default TLSMode
	Roots   *x509.CertPool // authorities for Verify; nil: the system's
}

// need is what one connection must have before a letter may go over it. It is
// comparable: a pooled connection serves only those who need the same.
type need struct {
	mode   TLSMode
	tlsa   string // for tlsDANE: the records in their presentation form
	domain string // for tlsDANE: the recipients' domain, which a certificate may also name
	trial  bool   // an MTA-STS policy on trial: what Verify would say is logged
}

// strict tells whether a letter waits rather than goes without TLS.
func (n need) strict() bool { return n.mode != TLSNone && n.mode != TLSOpportunistic }

// notSecure is "not sent", for want of TLS (RFC 5248 registers X.7.10 and X.7.5).
func notSecure(detail, why string) msg.Reply {
	r := notSent(why)
	r.Detail = detail
	return r
}

// secure begins TLS as the hop needs it. Code 0 means that the connection is ready.
func (k *conn) secure(ctx context.Context) msg.Reply {
	_, offered := k.ext["STARTTLS"]
	switch {
	case k.mode == TLSNone:
		return msg.Reply{}
	case offered:
		return k.startTLS(ctx)
	case k.hop.need.strict():
		return notSecure("7.10", "the next hop does not offer TLS, and it is required")
	case k.hop.need.trial:
		k.o.Log.Info("relay: MTA-STS, on trial: the next hop does not offer TLS", "hop", k.hop.addr)
	}
	return msg.Reply{}
}

// startTLS upgrades and says EHLO again. A handshake that fails ends the connection:
// going on in the clear on the same connection is never done.
func (k *conn) startTLS(ctx context.Context) msg.Reply {
	r, _, err := k.command("STARTTLS")
	switch {
	case err != nil:
		k.handshake = err
		return notSecure("7.5", "no answer to STARTTLS")
	case k.broken != nil: // 421
		return r
	case !r.Positive() && !k.hop.need.strict():
		return msg.Reply{}
	case !r.Positive():
		return notSecure("7.10", "the next hop refused TLS, and it is required")
	case k.r.Buffered() > 0: // octets that nobody may have sent before TLS
		return notSecure("7.5", "the next hop spoke before TLS")
	}
	config, err := k.tlsConfig()
	if err != nil {
		return notSecure("7.5", "the TLSA records of the next hop are of no use")
	}
	t := tls.Client(k.net, config)
	_ = t.SetDeadline(time.Now().Add(k.o.ReplyTimeout))
	if k.handshake = t.HandshakeContext(ctx); k.handshake != nil {
		return notSecure("7.5", "TLS with the next hop failed: "+tlsTrouble(k.handshake))
	}
	_ = t.SetDeadline(time.Time{})
	k.attach(t)
	k.tls = true
	return k.ehlo()
}

// tlsTrouble says in a few words what was wrong, without what the next hop sent.
func tlsTrouble(err error) string {
	var (
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
		unknown x509.UnknownAuthorityError
	)
	switch {
	case errors.Is(err, dane.ErrNoMatch):
		return "its certificate is not the one in its TLSA records (DANE)"
	case errors.As(err, &host):
		return "its certificate is for another name"
	case errors.As(err, &unknown):
		return "its certificate is not from a known authority"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate is out of date"
	case errors.As(err, &invalid):
		return "its certificate is not valid"
	}
	return "no agreement"
}

// tlsConfig is how this connection's certificate is judged.
func (k *conn) tlsConfig() (*tls.Config, error) {
	c := &tls.Config{ServerName: k.hop.name, MinVersion: tls.VersionTLS12, RootCAs: k.o.TLS.Roots}
	switch k.mode {
	case TLSVerify:
	case tlsDANE:
		records, err := dane.ParseSet(k.hop.need.tlsa)
		if err != nil {
			return nil, fmt.Errorf("relay: %w", err)
		}
		c.InsecureSkipVerify = true // what follows takes its place (RFC 7672 section 3.1)
		c.VerifyConnection = func(s tls.ConnectionState) error {
			return dane.Verify(records, s.PeerCertificates, k.hop.name, k.hop.need.domain)
		}
	default:
		c.InsecureSkipVerify = true // RFC 7435: unauthenticated encryption beats none
		if k.hop.need.trial {
			c.VerifyConnection = k.onTrial
		}
	}
	return c, nil
}

// onTrial logs what would have been wrong had the domain's policy been enforced
// (RFC 8461 section 5), and lets it pass.
func (k *conn) onTrial(s tls.ConnectionState) error {
	o := x509.VerifyOptions{DNSName: k.hop.name, Roots: k.o.TLS.Roots, Intermediates: x509.NewCertPool()}
	for _, c := range s.PeerCertificates[1:] {
		o.Intermediates.AddCert(c)
	}
	if _, err := s.PeerCertificates[0].Verify(o); err != nil {
		k.o.Log.Info("relay: MTA-STS, on trial: the certificate is not valid", "hop", k.hop.addr, "error", err)
	}
	return nil
}
