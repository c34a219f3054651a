package inspect_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"congthu/internal/inspect"
	"congthu/internal/msg"
)

type fn struct {
	name string
	do   func(context.Context) ([]msg.Finding, error)
}

func (f fn) Name() string { return f.name }

func (f fn) Inspect(ctx context.Context, _ *msg.Message) ([]msg.Finding, []msg.AuthResult, error) {
	fs, err := f.do(ctx)
	return fs, nil, err
}

func timed(name string, d time.Duration, do func(context.Context) ([]msg.Finding, error)) inspect.Timed {
	return inspect.Timed{Inspector: fn{name, do}, Timeout: d}
}

func finds(s string) func(context.Context) ([]msg.Finding, error) {
	return func(context.Context) ([]msg.Finding, error) { return []msg.Finding{{Symbol: s}}, nil }
}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := make(chan struct{})
		errBroken := errors.New("broken")
		start := time.Now()
		out := inspect.Run(t.Context(), &msg.Message{}, []inspect.Timed{
			timed("deaf", 5*time.Second, func(context.Context) ([]msg.Finding, error) { <-never; return nil, nil }),
			timed("good", time.Second, finds("A")),
			timed("panics", time.Second, func(context.Context) ([]msg.Finding, error) { panic("at the disco") }),
			timed("errs", time.Second, func(context.Context) ([]msg.Finding, error) { return []msg.Finding{{Symbol: "HALF"}}, errBroken }),
			timed("obeys", 2*time.Second, func(ctx context.Context) ([]msg.Finding, error) { <-ctx.Done(); return nil, ctx.Err() }),
			timed("free", 0, func(context.Context) ([]msg.Finding, error) { time.Sleep(3 * time.Second); return nil, nil }),
		})
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("took %v: not side by side, or the deaf one was waited for", took)
		}
		for i, name := range []string{"deaf", "good", "panics", "errs", "obeys", "free"} {
			if out[i].Inspector != name {
				t.Errorf("outcome %d is of %q", i, out[i].Inspector)
			}
		}
		if !errors.Is(out[0].Err, inspect.ErrDeadline) {
			t.Errorf("deaf: %v", out[0].Err)
		}
		if out[1].Err != nil || len(out[1].Findings) != 1 {
			t.Errorf("good: %+v", out[1])
		}
		if out[2].Err == nil || !strings.Contains(out[2].Err.Error(), "at the disco") {
			t.Errorf("panics: %v", out[2].Err)
		}
		if !errors.Is(out[3].Err, errBroken) || len(out[3].Findings) != 1 {
			t.Errorf("errs: %+v", out[3])
		}
		if out[4].Err == nil || out[5].Err != nil || out[5].Took != 3*time.Second {
			t.Errorf("obeys %v, free %v after %v", out[4].Err, out[5].Err, out[5].Took)
		}
		close(never)
	})
}

func TestRunNothing(t *testing.T) {
	if out := inspect.Run(t.Context(), &msg.Message{}, nil); len(out) != 0 {
		t.Errorf("%v", out)
	}
}

func TestRunEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	never := make(chan struct{})
	defer close(never)
	out := inspect.Run(ctx, &msg.Message{}, []inspect.Timed{timed("deaf", time.Hour, func(context.Context) ([]msg.Finding, error) { <-never; return nil, nil })})
	if out[0].Err == nil {
		t.Error("a message nobody waits for was called looked at")
	}
}

// talker explains itself as the test says.
type talker struct {
	msg.Inspector
	say func(context.Context) ([]msg.Note, error)
}

func (t talker) Name() string { return "talker" }

func (t talker) Explain(ctx context.Context, _ *msg.Message) ([]msg.Note, error) { return t.say(ctx) }

// An explanation that fails, panics or is late costs its own lines and no others.
func TestExplainTakesWhatItGets(t *testing.T) {
	note := []msg.Note{{Symbol: "A", VI: "một", EN: "one"}}
	says := func(f func(context.Context) ([]msg.Note, error)) inspect.Timed {
		return inspect.Timed{Inspector: talker{say: f}, Timeout: 20 * time.Millisecond}
	}
	release := make(chan struct{})
	defer close(release)
	got := inspect.Explain(t.Context(), &msg.Message{}, []inspect.Timed{
		says(func(context.Context) ([]msg.Note, error) { panic("x") }),
		says(func(context.Context) ([]msg.Note, error) { return note, errors.New("x") }),
		says(func(context.Context) ([]msg.Note, error) { <-release; return note, nil }),
		says(func(context.Context) ([]msg.Note, error) { return note, nil }),
		{Inspector: struct{ msg.Inspector }{}},
	})
	if len(got) != 1 || got[0] != note[0] {
		t.Errorf("got %v", got)
	}
}
