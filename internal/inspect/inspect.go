// Package inspect runs inspectors over a message: side by side, each with its own
// deadline. No inspector is named here and none knows another. Whatever goes wrong
// in one, a panic or a deadline it ignores included, becomes "could not look"
// (Outcome.Err) and never holds the message up.
package inspect

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"congthu/internal/msg"
)

// ErrDeadline says that an inspector did not answer in its time.
var ErrDeadline = errors.New("inspect: deadline passed")

// Timed is an inspector with the time it may take.
type Timed struct {
	msg.Inspector
	Timeout time.Duration // 0: as long as the context allows
}

// Run asks all inspectors at once and returns their outcomes in the order of the
// list, one for each.
func Run(ctx context.Context, m *msg.Message, list []Timed) []msg.Outcome {
	waits := make([]<-chan msg.Outcome, len(list))
	cancels := make([]context.CancelFunc, len(list))
	ctxs := make([]context.Context, len(list))
	for i, t := range list {
		ctxs[i], cancels[i] = t.deadline(ctx)
		waits[i] = start(ctxs[i], m, t)
	}
	out := make([]msg.Outcome, len(list))
	for i, t := range list {
		out[i] = wait(ctxs[i], t.Name(), waits[i])
		cancels[i]()
	}
	return out
}

func (t Timed) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if t.Timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, t.Timeout)
}

// start runs one inspector on a goroutine of its own. The channel has room for the
// outcome, so an inspector that is given up on can still end.
func start(ctx context.Context, m *msg.Message, t Timed) <-chan msg.Outcome {
	done := make(chan msg.Outcome, 1)
	go func() {
		begun := time.Now()
		o := look(ctx, m, t)
		o.Took = time.Since(begun)
		done <- o
	}()
	return done
}

// look asks an inspector and turns its panic into an error. Findings that came with
// an error are kept: they are facts, only not all of them.
func look(ctx context.Context, m *msg.Message, t Timed) (o msg.Outcome) {
	o.Inspector = t.Name()
	defer func() {
		if p := recover(); p != nil {
			o.Err = fmt.Errorf("inspect: %s panicked: %v\n%s", o.Inspector, p, debug.Stack())
		}
	}()
	o.Findings, o.Auth, o.Err = t.Inspect(ctx, m)
	return o
}

// Explain asks those that can for more about what they found, one after the other. One
// that fails, panics or is late says nothing: an explanation is worth no less without it.
func Explain(ctx context.Context, m *msg.Message, list []Timed) []msg.Note {
	var out []msg.Note
	for _, t := range list {
		if e, ok := t.Inspector.(msg.Explainer); ok {
			out = append(out, t.explain(ctx, m, e)...)
		}
	}
	return out
}

func (t Timed) explain(ctx context.Context, m *msg.Message, e msg.Explainer) []msg.Note {
	ctx, cancel := t.deadline(ctx)
	defer cancel()
	done := make(chan []msg.Note, 1)
	go func() {
		defer func() {
			if recover() != nil {
				done <- nil
			}
		}()
		notes, err := e.Explain(ctx, m)
		if err != nil {
			notes = nil
		}
		done <- notes
	}()
	select {
	case notes := <-done:
		return notes
	case <-ctx.Done():
		return nil
	}
}

// wait takes the outcome, or gives up at the deadline. An outcome that is there is
// taken even when the deadline has passed meanwhile.
func wait(ctx context.Context, name string, done <-chan msg.Outcome) msg.Outcome {
	select {
	case o := <-done:
		return o
	case <-ctx.Done():
	}
	select {
	case o := <-done:
		return o
	default:
		return msg.Outcome{Inspector: name, Err: fmt.Errorf("%w: %w", ErrDeadline, ctx.Err())}
	}
}
