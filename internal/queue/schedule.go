package queue

import (
	"container/heap"
	"slices"
	"time"

	"congthu/internal/msg"
)

// job is one queue row in the plan. Its times are those of the steady clock.
type job struct {
	id       string
	hop      string
	size     int64
	due      time.Time
	born     time.Time // when the message was accepted
	news     time.Time // when the sender has to be told something, if it is still here
	attempts int       // made, as the row says

	index   int  // in the heap; -1 when not there
	passed  int  // how often it was due since the last attempt, and passed over
	blocked bool // not tried, or tried in vain, because the next hop did not answer
	proxy   bool // this attempt is none: what the next hop did not say to others is its answer too
	said    msg.Reply
	running bool
	again   bool // made due while running: an operator's retry
	gone    bool // removed while running or standing in a line
	then    *job // added under the same id after that
}

// schedule is the plan in memory: what is due when, and what may start now. It
// has no clock and no lock of its own.
type schedule struct {
	limit, perHop int
	octets        int64
	pause         func(n int) time.Duration // after n attempts

	jobs  map[string]*job
	later laterHeap           // not yet due
	hops  map[string]*hopLine // next hops that have jobs
	ring  []string            // those that have due jobs, taken in turn
	count int                 // running
	bytes int64               // of the running
}

func newSchedule(limit, perHop int, octets int64, pause func(int) time.Duration) *schedule {
	return &schedule{limit: limit, perHop: perHop, octets: octets, pause: pause, jobs: map[string]*job{}, hops: map[string]*hopLine{}}
}

// add plans a job. One that is planned already stays as it is. Two jobs of one
// id never run at a time: that would be two deliveries of the same row.
func (s *schedule) add(j *job) {
	if old := s.jobs[j.id]; old != nil {
		if old.gone {
			old.then = j
		}
		return
	}
	s.jobs[j.id] = j
	l := s.hops[j.hop]
	if l == nil {
		l = &hopLine{}
		s.hops[j.hop] = l
	}
	l.jobs++
	heap.Push(&s.later, j)
}

// forget takes a job out of the plan, and its next hop with the last of its jobs.
func (s *schedule) forget(j *job) {
	delete(s.jobs, j.id)
	l := s.hops[j.hop]
	if l.jobs--; l.jobs > 0 {
		return
	}
	delete(s.hops, j.hop)
	if l.waiting {
		s.ring = slices.DeleteFunc(s.ring, func(hop string) bool { return hop == j.hop })
	}
}

// hurry makes a job due now, or, when it is running, as soon as it is done. It
// ends the rest of its next hop: an operator who asks wants it tried.
func (s *schedule) hurry(id string, now time.Time) {
	j := s.jobs[id]
	if j == nil {
		return
	}
	s.hops[j.hop].rest = now
	switch {
	case j.running:
		j.again = true
	case j.index >= 0:
		j.due = now
		heap.Fix(&s.later, j.index)
	}
}

// remove forgets a job. One that is running is forgotten when it is done.
func (s *schedule) remove(id string) {
	j := s.jobs[id]
	if j == nil {
		return
	}
	if j.running {
		j.gone, j.then = true, nil
		return
	}
	if j.index >= 0 {
		heap.Remove(&s.later, j.index)
	} else {
		j.gone = true // it stands in a line; first will skip it
	}
	s.forget(j)
}

// take returns the next job that may start, or nil.
func (s *schedule) take(now time.Time) *job {
	s.mature(now)
	for range len(s.ring) {
		hop := s.ring[0]
		l := s.hops[hop]
		j := s.first(l, now)
		if j != nil && (s.count >= s.limit || s.count > 0 && s.bytes+j.size > s.octets) {
			return nil // it is first when there is room; others passing it could go on for ever
		}
		s.ring = s.ring[1:]
		l.waiting = false
		if j != nil {
			s.start(l, j, now)
		}
		s.settle(hop, l)
		if j != nil {
			return j
		}
	}
	return nil
}

// mature moves what is due from the heap into the lines.
func (s *schedule) mature(now time.Time) {
	for len(s.later) > 0 && !s.later[0].due.After(now) {
		j := heap.Pop(&s.later).(*job)
		l := s.hops[j.hop]
		l.line = append(l.line, j)
		s.settle(j.hop, l)
	}
}

// first returns the first job of a line if the next hop may take another.
func (s *schedule) first(l *hopLine, now time.Time) *job {
	for len(l.line) > 0 && l.line[0].gone {
		l.line = l.line[1:]
	}
	if l.resting(now) {
		return s.passOver(l, now)
	}
	limit := s.perHop
	if l.fails > 0 {
		limit = 1 // until it answers, one at a time
	}
	if len(l.line) == 0 || l.active >= limit {
		return nil
	}
	return l.line[0]
}

func (s *schedule) start(l *hopLine, j *job, now time.Time) {
	if l.resting(now) {
		j.proxy, j.said = true, l.said
	}
	l.line = l.line[1:]
	l.active++
	s.count++
	s.bytes += j.size
	j.running = true
}

// settle keeps a hop in the ring as long as somebody stands in its line.
func (s *schedule) settle(hop string, l *hopLine) {
	if len(l.line) > 0 && !l.waiting && s.hops[hop] == l {
		l.waiting = true
		s.ring = append(s.ring, hop)
	}
}

// finish ends the attempt of a job. It is due again at a time, or done when that
// is zero. silent tells that the next hop gave no answer.
func (s *schedule) finish(j *job, due, now time.Time, silent bool) {
	l := s.hops[j.hop]
	l.active--
	s.count--
	s.bytes -= j.size
	j.running = false
	switch {
	case j.gone, due.IsZero() && !j.again:
		s.forget(j)
		if j.then != nil {
			s.add(j.then)
		}
	default:
		if j.again {
			due = now
		}
		j.again, j.due, j.passed, j.blocked = false, due, 0, silent || j.proxy
		heap.Push(&s.later, j)
	}
	if !j.proxy {
		s.heard(l, j, now, silent)
	}
	j.proxy = false
	s.settle(j.hop, l)
}

// next returns when the next job becomes due.
func (s *schedule) next() (time.Time, bool) {
	if len(s.later) == 0 {
		return time.Time{}, false
	}
	return s.later[0].due, true
}

// laterHeap has the job that is due first on top.
type laterHeap []*job

func (h laterHeap) Len() int           { return len(h) }
func (h laterHeap) Less(a, b int) bool { return h[a].due.Before(h[b].due) }
func (h laterHeap) Swap(a, b int) {
	h[a], h[b] = h[b], h[a]
	h[a].index, h[b].index = a, b
}

// Push implements heap.Interface.
func (h *laterHeap) Push(x any) {
	j := x.(*job)
	j.index = len(*h)
	*h = append(*h, j)
}

// Pop implements heap.Interface.
func (h *laterHeap) Pop() any {
	j := (*h)[len(*h)-1]
	(*h)[len(*h)-1] = nil
	*h = (*h)[:len(*h)-1]
	j.index = -1
	return j
}
