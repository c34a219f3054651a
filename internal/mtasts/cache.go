package mtasts

import (
	"container/list"
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

const (
	maxDomains = 10_000          // remembered at a time
	retryAfter = 5 * time.Minute // after a fetch that failed (RFC 8461 section 3.3)
	refresh    = 24 * time.Hour  // a policy is looked at again that often, to live on
)

// Texts finds the TXT records of a name.
type Texts interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// Cache finds policies and remembers them, in memory: after a start every domain is met
// for the first time again. It is safe for concurrent use.
type Cache struct {
	dns    Texts
	client *http.Client
	log    *slog.Logger
	now    func() time.Time

	mu     sync.Mutex
	known  map[string]*list.Element // of *entry
	recent *list.List               // most recently used first
}

// entry is what is known of a domain. Its mutex is held while the policy is fetched.
type entry struct {
	mu      sync.Mutex
	domain  string
	id      string
	policy  Policy // the zero Policy: none
	expires time.Time
	looked  time.Time // when the policy was fetched last
	retry   time.Time // not fetched before
}

// NewCache returns an empty cache. The client must follow no redirects; see HTTPClient.
func NewCache(dns Texts, client *http.Client, log *slog.Logger) *Cache {
	return &Cache{dns: dns, client: client, log: log, now: time.Now, known: map[string]*list.Element{}, recent: list.New()}
}

// Find returns the policy of a domain; its Mode is None when there is none to keep. A
// policy that was seen once is kept until its time is over, whatever the DNS or the
// policy server say meanwhile, unless the domain publishes another one (RFC 8461
// section 5.1).
func (c *Cache) Find(ctx context.Context, domain string) Policy {
	texts, err := c.dns.LookupTXT(ctx, "_mta-sts."+domain)
	id := ""
	if err == nil {
		if id, err = parseRecord(texts); err != nil {
			c.log.Info("MTA-STS record is of no use", "domain", domain, "error", err)
		}
	}
	e := c.entry(domain, id != "")
	if e == nil {
		return Policy{Mode: None}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if now := c.now(); id != "" && e.due(id, now) && !now.Before(e.retry) {
		c.renew(ctx, e, id)
	}
	if e.policy.Mode == "" || !c.now().Before(e.expires) {
		return Policy{Mode: None}
	}
	return e.policy
}

// entry returns what is known of a domain, at the expense of the one not used for
// longest; nil if nothing is and nothing has to be.
func (c *Cache) entry(domain string, make bool) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el := c.known[domain]; el != nil {
		c.recent.MoveToFront(el)
		return el.Value.(*entry)
	}
	if !make {
		return nil
	}
	e := &entry{domain: domain}
	c.known[domain] = c.recent.PushFront(e)
	if c.recent.Len() > maxDomains {
		last := c.recent.Back()
		delete(c.known, last.Value.(*entry).domain)
		c.recent.Remove(last)
	}
	return e
}

// due tells whether the policy must be fetched: another is published, or it is old.
func (e *entry) due(id string, now time.Time) bool {
	return id != e.id || !now.Before(e.expires) || now.Sub(e.looked) > min(refresh, e.policy.MaxAge/2)
}

// renew fetches the policy. Without success the one that is there stays.
func (c *Cache) renew(ctx context.Context, e *entry, id string) {
	p, err := fetch(ctx, c.client, e.domain)
	now := c.now()
	if err != nil {
		e.retry = now.Add(retryAfter)
		c.log.Info("MTA-STS policy cannot be fetched", "domain", e.domain, "error", err)
		return
	}
	e.id, e.policy, e.looked, e.expires = id, p, now, now.Add(p.MaxAge)
	c.log.Info("MTA-STS policy", "domain", e.domain, "mode", string(p.Mode), "id", id, "max_age", p.MaxAge)
}
