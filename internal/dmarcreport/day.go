// Package dmarcreport is the traffic in DMARC aggregate reports, both ways. What
// the gateway has seen of other domains is counted by day and domain and reported to
// their owners; what others report of our own domains is read and summed up, so that
// an administrator sees who sends in the agency's name.
//
// What is promised:
//
//   - Counting costs the mail path a few microseconds and no disk: rows are summed up
//     in memory and written in batches. A crash loses at most the last minute of
//     statistics, never mail.
//   - Everything is bounded: rows a day and domain, domains a day, addresses a
//     record may name, and what is read of a report that came in.
//   - A report is queued in the transaction that marks it as sent. Several gateways
//     on one database send it once; a crash leaves it to be sent, never half sent.
//   - Reports that came in are archives from strangers. The daemon does not open
//     them: it keeps the letter, and a short-lived process of its own reads it (Read)
//     and answers with the figures.
package dmarcreport

import "time"

// Day is a day in UTC, counted from 1970-01-01.
type Day int64

const dayLength = 24 * 60 * 60

// DayOf returns the day of a time.
func DayOf(t time.Time) Day { return Day(t.Unix() / dayLength) }

// Begin returns the first second of the day.
func (d Day) Begin() time.Time { return time.Unix(int64(d)*dayLength, 0).UTC() }

// End returns the last second of the day.
func (d Day) End() time.Time { return (d + 1).Begin().Add(-time.Second) }

// String returns the date as in 2026-11-24.
func (d Day) String() string { return d.Begin().Format(time.DateOnly) }

// ParseDay reads a date.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	return DayOf(t), err
}
