package canary_test

import (
	"math/rand/v2"
	"testing"

	"congthu/internal/canary"
)

func bounds() canary.Bounds { return canary.Bounds{MaxRise: 5, MinLetters: 50} }

func TestJump(t *testing.T) {
	arm := func(held, letters int) canary.Arm { return canary.Arm{Letters: letters, Held: held} }
	for _, c := range []struct {
		name          string
		before, after canary.Arm
		want          bool
	}{
		{"two of five", arm(1, 100), arm(2, 5), false},
		{"five of five", arm(0, 1000), arm(5, 5), false},
		{"a few before", arm(0, 10), arm(50, 50), false},
		{"everything", arm(2, 100), arm(50, 50), true},
		{"a third", arm(20, 1000), arm(20, 60), true},
		{"four more in a hundred, many letters", arm(200, 10_000), arm(600, 10_000), false},
		{"six more in a hundred, many letters", arm(200, 10_000), arm(800, 10_000), true},
		{"six more in a hundred, few letters", arm(1, 50), arm(4, 50), false},
		{"less than before", arm(50, 100), arm(1, 100), false},
		{"nothing on either side", arm(0, 100), arm(0, 100), false},
		{"everything on both", arm(100, 100), arm(100, 100), false},
		{"none", arm(0, 0), arm(0, 0), false},
	} {
		if got := bounds().Jump(c.before, c.after); got != c.want {
			t.Errorf("%s: %v, %.1f deviations", c.name, got, canary.Deviations(c.before, c.after))
		}
	}
}

// run judges letters until there is a jump and returns after how many, 0 for never.
func run(r *rand.Rand, before canary.Arm, rate float64, letters int) int {
	after, next := canary.Arm{}, 0
	for n := 1; n <= letters; n++ {
		after.Letters++
		if r.Float64() < rate {
			after.Held++
		}
		if n < next {
			continue
		}
		if bounds().Jump(before, after) {
			return n
		}
		next = bounds().Next(n)
	}
	return 0
}

// Sets that are alike are hardly ever told apart, however often one looks; one that holds
// a fifth of the mail is found out before it has judged 300 letters.
func TestChanceAndPower(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, rate := range []float64{0.01, 0.05, 0.2, 0.5} {
		false_ := 0
		for range 1000 {
			before := canary.Arm{Letters: 2000}
			for range before.Letters {
				if r.Float64() < rate {
					before.Held++
				}
			}
			if run(r, before, rate, 5000) > 0 {
				false_++
			}
		}
		t.Logf("rate %.2f: %d of 1,000 sets that are no worse fell", rate, false_)
		if false_ > 15 {
			t.Errorf("rate %.2f: %d of 1,000 sets that are no worse fell", rate, false_)
		}
	}
	for range 1000 {
		if n := run(r, canary.Arm{Letters: 2000, Held: 40}, 0.2, 5000); n == 0 || n > 300 {
			t.Fatalf("a set that holds 20 of 100 instead of 2 fell after %d letters", n)
		}
	}
}
