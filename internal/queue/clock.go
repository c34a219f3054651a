package queue

import "time"

// There are two clocks. The time of day is written into rows and told to people;
// somebody may set it at any moment. The steady clock counts from the start of the
// program and only ever goes forward; the plan in memory goes by it alone. They meet
// when a row is read at a start: its age is then what the time of day says, and at
// no other moment. A clock that was set between two runs can so make a message
// seem older than it is; minAttempts bounds what that costs.

// steady returns the steady clock's time. It looks like a time of day and is none.
func (q *Queue) steady() time.Time { return q.began.Add(q.o.Steady()) }

// sinceCreated turns the creation time of a row into steady time. A row from the
// future is new: its writer's clock was wrong, or ours is.
func (q *Queue) sinceCreated(created time.Time) time.Time {
	return q.steady().Add(-max(q.o.Now().Sub(created), 0))
}

// news returns when the sender has to hear of a message that is still waiting: of
// the delay, or of its end.
func (q *Queue) news(born time.Time, warned bool) time.Time {
	if warned || q.o.Warn < 0 {
		return born.Add(q.o.Life)
	}
	return born.Add(min(q.o.Warn, q.o.Life))
}

// surely returns the earlier of the two clocks: what is deleted by the time of day is
// deleted only when both say so.
func (q *Queue) surely() time.Time {
	day, steady := q.o.Now(), q.steady()
	if steady.UnixMilli() < day.UnixMilli() {
		return steady
	}
	return day
}
