package queue

import (
	"math/rand/v2"
	"time"
)

// steps are the pauses in minutes after the first attempts: most trouble of a
// neighbour is over soon, and what is not takes hours.
var steps = []int{1, 2, 5, 10, 20, 30}

// Backoff is the default pause after that many attempts: 1, 2, 5, 10, 20 and 30
// minutes, then an hour, each give or take a tenth so that a backlog does not
// come back as one wave.
func Backoff(attempt int) time.Duration {
	d := time.Hour
	if attempt >= 1 && attempt <= len(steps) {
		d = time.Duration(steps[attempt-1]) * time.Minute
	}
	return d - d/10 + rand.N(d/5)
}

// minAttempts is how often a message must have been tried before it may expire:
// as often as fits in half of its life. A clock that jumps ahead by days, or a
// gateway that was switched off, thus makes nothing expire untried.
func minAttempts(life time.Duration, backoff func(int) time.Duration) int {
	const enough = 100
	n := 1
	for at := backoff(1); at < life/2 && n < enough; at += max(backoff(n), 1) {
		n++
	}
	return n
}
