package admin

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"congthu/internal/audit"
	"congthu/internal/lang"
	"congthu/internal/token"
)

// Gate lets callers in who come over the network: each has a token. Who has none is told
// nothing but that, whatever is wrong with what it has shown, and after the same time.
type Gate struct {
	Check  func(ctx context.Context, presented string) (token.Who, error) // *token.Refused, or trouble
	Record func(context.Context, audit.Entry) error                       // nil: none
	Log    *slog.Logger
	Now    func() time.Time // nil: time.Now
	// Delay is how long a refusal takes at least, so that a look into the store, or a write
	// to it, cannot be told from none: 0 is 300 ms. It also slows guessing.
	Delay time.Duration

	misses misses
}

const refusalDelay = 300 * time.Millisecond

// Wrap returns h behind the gate.
func (g *Gate) Wrap(h http.Handler) http.Handler {
	if g.Now == nil {
		g.Now = time.Now
	}
	if g.Log == nil {
		g.Log = slog.New(slog.DiscardHandler)
	}
	if g.Delay == 0 {
		g.Delay = refusalDelay
	}
	s := Services{Log: g.Log}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		who, err := g.admit(r)
		if err != nil {
			pause(r.Context(), g.Delay-time.Since(began))
			if p := (*Problem)(nil); errors.As(err, &p) && p.Status == http.StatusUnauthorized {
				w.Header().Set("WWW-Authenticate", `Bearer realm="congthu"`) // RFC 9110 section 11.6.1
			}
			s.fail(w, r, err)
			return
		}
		h.ServeHTTP(w, r.WithContext(WithCaller(r.Context(), who)))
	})
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// tooMany is said to an address from which too many wrong tokens came, also if it shows a
// right one: otherwise guessing would only be slower.
var tooMany = &Problem{http.StatusTooManyRequests, lang.T("quá nhiều token sai từ địa chỉ này; xin thử lại sau 15 phút", "too many wrong tokens from this address; try again in 15 minutes")}

// admit tells who has sent a request.
func (g *Gate) admit(r *http.Request) (token.Who, error) {
	from, err := source(r)
	if err != nil {
		return token.Who{}, err
	}
	if g.misses.locked(from, g.Now()) {
		return token.Who{}, tooMany
	}
	presented, ok := bearer(r)
	if !ok {
		g.refused(r.Context(), from, errors.New("no token"))
		return token.Who{}, unauthorized
	}
	who, err := g.know(r.Context(), from, presented)
	if errors.Is(err, token.ErrRefused) {
		return token.Who{}, unauthorized
	}
	return who, err
}

// Know tells whose a token is that was presented in another way than by the API, under the
// same bounds. Any refusal is a token.ErrRefused.
func (g *Gate) Know(r *http.Request, presented string) (token.Who, error) {
	from, err := source(r)
	if err != nil {
		return token.Who{}, err
	}
	if g.misses.locked(from, g.Now()) {
		return token.Who{}, &token.Refused{Why: tooMany}
	}
	began := time.Now()
	who, err := g.know(r.Context(), from, presented)
	if err != nil {
		pause(r.Context(), g.Delay-time.Since(began))
	}
	return who, err
}

func (g *Gate) know(ctx context.Context, from netip.Addr, presented string) (token.Who, error) {
	who, err := g.Check(ctx, presented)
	if errors.Is(err, token.ErrRefused) {
		g.refused(ctx, from, err)
	}
	if err != nil {
		return token.Who{}, err
	}
	who.Via = from.String()
	return who, nil
}

func source(r *http.Request) (netip.Addr, error) {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	return a.Addr().Unmap(), err
}

// bearer is the token of a request (RFC 6750 section 2.1); nowhere else is one looked for.
func bearer(r *http.Request) (string, bool) {
	all := r.Header.Values("Authorization")
	if len(all) != 1 {
		return "", false
	}
	scheme, rest, ok := strings.Cut(all[0], " ")
	return rest, ok && strings.EqualFold(scheme, "Bearer") && rest != ""
}

// refused counts a wrong token, and puts it on record: one entry a minute for each address.
func (g *Gate) refused(ctx context.Context, from netip.Addr, err error) {
	why := err.Error()
	if r := (*token.Refused)(nil); errors.As(err, &r) {
		why = r.Why.Error()
	}
	g.Log.Warn("admin: a caller was refused", "from", from, "why", why)
	if !g.misses.note(from, g.Now()) || g.Record == nil {
		return
	}
	e := audit.Entry{Actor: "?", Via: from.String(), Act: "login.refused", Object: from.String(), Detail: lang.Safe(why, 200)}
	if err := g.Record(context.WithoutCancel(ctx), e); err != nil {
		g.Log.Error("audit: a refusal is not on record", "from", from, "error", err)
	}
}
