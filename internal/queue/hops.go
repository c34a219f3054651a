package queue

import (
	"container/heap"
	"time"

	"congthu/internal/msg"
)

const (
	// downAfter is how many different messages in a row must have got no answer
	// before a next hop is taken to be down. One is not enough: it may be the
	// message that breaks the next hop, and must not hold up the others.
	downAfter = 3

	// restMax is the longest pause between two probes of a next hop that is down,
	// so that its mail goes on soon after it is back.
	restMax = 15 * time.Minute
)

// hopLine is the line of jobs before one next hop, and what is known of it. A
// next hop that is down rests: it is probed with one message at growing intervals,
// and what becomes due in between is passed over. When it answers, all that was
// kept back by its silence is due at once.
type hopLine struct {
	jobs    int // planned for it, in whatever state
	line    []*job
	active  int
	waiting bool // is in the ring

	fails int       // attempts in a row without an answer
	last  string    // the id of the last of them
	said  msg.Reply // what was known of it
	rest  time.Time // no probe before
}

func (l *hopLine) down() bool { return l.fails >= downAfter }

// resting tells whether the next hop is left alone now.
func (l *hopLine) resting(now time.Time) bool { return l.down() && l.active == 0 && now.Before(l.rest) }

// passOver puts off what is due for a next hop that rests. It costs no write: the
// row still has the schedule of the last attempt. Only when the sender has to be
// told something is a job returned, to be settled without an attempt of its own.
func (s *schedule) passOver(l *hopLine, now time.Time) *job {
	for len(l.line) > 0 {
		j := l.line[0]
		if !j.gone && !now.Before(j.news) {
			return j
		}
		l.line = l.line[1:]
		if !j.gone {
			j.passed++
			j.due, j.blocked = now.Add(s.pause(j.attempts+j.passed)), true
			heap.Push(&s.later, j)
		}
	}
	return nil
}

// heard draws the conclusions of an attempt for the next hop.
func (s *schedule) heard(l *hopLine, j *job, now time.Time, silent bool) {
	if !silent {
		if l.fails > 0 {
			l.fails, l.last = 0, ""
			s.resume(j.hop, now)
		}
		return
	}
	if l.last != j.id || l.down() {
		l.fails++
	}
	l.last, l.said = j.id, j.said
	if l.down() {
		l.rest = now.Add(min(s.pause(l.fails-downAfter+1), restMax))
		s.passOver(l, now)
		s.appoint(l, j)
	}
}

// resume makes everything due that was kept back by the silence of a next hop.
func (s *schedule) resume(hop string, now time.Time) {
	for _, j := range s.later {
		if j.hop == hop && j.blocked {
			j.due, j.blocked = now, false
		}
	}
	heap.Init(&s.later)
}

// appoint chooses the next probe: another message than the last one if there is
// another, because that one may be what the next hop cannot bear.
func (s *schedule) appoint(l *hopLine, last *job) {
	var probe *job
	for _, j := range s.later {
		if j.hop == last.hop && j != last && (probe == nil || j.due.Before(probe.due)) {
			probe = j
		}
	}
	if probe == nil && last.index >= 0 && s.jobs[last.id] == last {
		probe = last
	}
	if probe != nil && probe.due.After(l.rest) {
		probe.due = l.rest
		heap.Fix(&s.later, probe.index)
	}
}

// Down tells whether a next hop (with "mx": that of a domain) is known not to answer,
// so that nobody else need wait for it. It is known from deliveries of the queue, and
// only while something is queued for it.
func (q *Queue) Down(nextHop, domain string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.plan.hops[hopKey(nextHop, domain)]
	return l != nil && l.down()
}
