package dns

import (
	"context"
	"time"
)

// maxEntry is the largest answer kept, so that CacheSize answers of an attacker's
// making stay within some tens of megabytes.
const maxEntry = 4096

type entry struct {
	q       question
	answer  answer
	expires time.Time
}

// flight is a question on its way; everybody who asks the same waits for it.
type flight struct {
	done   chan struct{}
	answer answer
	err    error
}

// resolve answers from the cache, or joins or starts the question.
func (r *Resolver) resolve(ctx context.Context, q question) (answer, error) {
	r.mu.Lock()
	if a, ok := r.cached(q); ok {
		r.mu.Unlock()
		return a, a.err
	}
	f := r.flying[q]
	if f == nil {
		f = &flight{done: make(chan struct{})}
		r.flying[q] = f
		go r.fly(context.WithoutCancel(ctx), q, f)
	}
	r.mu.Unlock()
	select {
	case <-f.done:
		if f.err != nil {
			return answer{}, f.err
		}
		return f.answer, f.answer.err
	case <-ctx.Done():
		return answer{}, errTimeout(q.name, "")
	}
}

// fly asks on behalf of all who wait: one of them giving up must not fail the
// others, so the question has a deadline of its own.
func (r *Resolver) fly(ctx context.Context, q question, f *flight) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Duration(len(r.servers))*r.opt.Timeout)
	defer cancel()
	m, err := r.ask(ctx, q)
	if err == nil {
		f.answer, err = readAnswer(m, q)
	}
	f.err = err
	r.mu.Lock()
	delete(r.flying, q)
	if err == nil {
		r.keep(q, f.answer)
	}
	r.mu.Unlock()
	close(f.done)
}

// cached returns an answer that may still be believed. r.mu is held.
func (r *Resolver) cached(q question) (answer, bool) {
	el := r.cache[q]
	if el == nil {
		return answer{}, false
	}
	e := el.Value.(*entry)
	if !r.now().Before(e.expires) {
		r.recent.Remove(el)
		delete(r.cache, q)
		return answer{}, false
	}
	r.recent.MoveToFront(el)
	return e.answer, true
}

// keep remembers an answer for its time to live, at the expense of the one not
// used for longest. r.mu is held.
func (r *Resolver) keep(q question, a answer) {
	limit := r.opt.MaxTTL
	if a.err != nil {
		limit = min(limit, r.opt.NegativeTTL)
	}
	ttl := min(a.ttl, limit)
	if ttl <= 0 || a.size > maxEntry || r.opt.CacheSize < 0 {
		return
	}
	if old := r.cache[q]; old != nil {
		r.recent.Remove(old)
	}
	r.cache[q] = r.recent.PushFront(&entry{q: q, answer: a, expires: r.now().Add(ttl)})
	for r.recent.Len() > r.opt.CacheSize {
		last := r.recent.Back()
		delete(r.cache, last.Value.(*entry).q)
		r.recent.Remove(last)
	}
}
