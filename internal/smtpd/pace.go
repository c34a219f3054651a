package smtpd

import "time"

// pace says how long the next octets of DATA may take. The client starts with a
// grace; every octet earns it 1/rate of a second more. So a fast sender may pause,
// a steady slow one is never cut off by a clock on the whole message, and a drip is.
// Savings never exceed the longest silence that is allowed anyway.
type pace struct {
	rate    int
	silence time.Duration
	until   time.Time
	ends    time.Time // of the session
}

func newPace(l Limits, ends time.Time) *pace {
	return &pace{rate: l.DataRate, silence: max(l.CommandWait, l.DataGrace), until: time.Now().Add(l.DataGrace), ends: ends}
}

// got credits n octets that have come.
func (p *pace) got(n int) {
	p.until = p.until.Add(time.Duration(n) * time.Second / time.Duration(p.rate))
	p.until = earlier(p.until, time.Now().Add(p.silence))
}

// deadline is when the next octets must have come.
func (p *pace) deadline() time.Time { return earlier(p.until, p.ends) }
