package queue

import (
	"container/heap"
	"time"
)

// job is one queue row in the plan.
type job struct {
	id   string
	hop  string
	size int64
	due  time.Time

	index   int // in the heap; -1 when not there
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

	jobs  map[string]*job
	later laterHeap           // not yet due
	ready map[string]*hopLine // due, by next hop
	ring  []string            // next hops that have ready jobs, taken in turn
	count int                 // running
	bytes int64               // of the running
}

// hopLine is the line of jobs before one next hop.
type hopLine struct {
	line    []*job
	active  int
	silent  bool // the last answer was none: one attempt at a time until it speaks
	waiting bool // is in the ring
}

func newSchedule(limit, perHop int, octets int64) *schedule {
	return &schedule{limit: limit, perHop: perHop, octets: octets, jobs: map[string]*job{}, ready: map[string]*hopLine{}}
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
	heap.Push(&s.later, j)
}

// hurry makes a job due now, or, when it is running, as soon as it is done.
func (s *schedule) hurry(id string, now time.Time) {
	j := s.jobs[id]
	switch {
	case j == nil:
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
	delete(s.jobs, id)
	if j.index >= 0 {
		heap.Remove(&s.later, j.index)
	} else {
		j.gone = true // it stands in a line; take will skip it
	}
}

// take returns the next job that may start, or nil.
func (s *schedule) take(now time.Time) *job {
	s.mature(now)
	for range len(s.ring) {
		hop := s.ring[0]
		l := s.ready[hop]
		j := s.first(l)
		if j != nil && (s.count >= s.limit || s.count > 0 && s.bytes+j.size > s.octets) {
			return nil // it is first when there is room; others passing it could go on for ever
		}
		s.ring = s.ring[1:]
		l.waiting = false
		if j != nil {
			s.start(l, j)
		}
		s.settle(hop)
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
		l := s.ready[j.hop]
		if l == nil {
			l = &hopLine{}
			s.ready[j.hop] = l
		}
		l.line = append(l.line, j)
		s.settle(j.hop)
	}
}

// first returns the first job of a line if the next hop may take another.
func (s *schedule) first(l *hopLine) *job {
	for len(l.line) > 0 && l.line[0].gone {
		l.line = l.line[1:]
	}
	limit := s.perHop
	if l.silent {
		limit = 1
	}
	if len(l.line) == 0 || l.active >= limit {
		return nil
	}
	return l.line[0]
}

func (s *schedule) start(l *hopLine, j *job) {
	l.line = l.line[1:]
	l.active++
	s.count++
	s.bytes += j.size
	j.running = true
}

// settle keeps a hop in the ring as long as somebody stands in its line, and
// forgets hops that nothing is known about.
func (s *schedule) settle(hop string) {
	l := s.ready[hop]
	if l == nil {
		return
	}
	if len(l.line) > 0 && !l.waiting {
		l.waiting = true
		s.ring = append(s.ring, hop)
	}
	if len(l.line) == 0 && l.active == 0 && !l.silent && !l.waiting {
		delete(s.ready, hop)
	}
}

// finish ends the attempt of a job. It is due again at a time, or done when that
// is zero. silent tells that the next hop gave no answer at all.
func (s *schedule) finish(j *job, due, now time.Time, silent bool) {
	l := s.ready[j.hop]
	l.active--
	s.count--
	s.bytes -= j.size
	j.running = false
	switch {
	case j.gone, due.IsZero() && !j.again:
		delete(s.jobs, j.id)
		if j.then != nil {
			s.add(j.then)
		}
		l.silent = silent && len(l.line) > 0 // nobody is left whom it could hold up
	default:
		if j.again {
			due = now
		}
		l.silent = silent
		j.again, j.due = false, due
		heap.Push(&s.later, j)
	}
	s.settle(j.hop)
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
