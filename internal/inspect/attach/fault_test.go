package attach_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"congthu/internal/inspect/attach"
	"congthu/internal/lang"
	"congthu/internal/scanproto"
)

func TestGoodWorker(t *testing.T) {
	p, err := fake(t, "good")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if f, err := look(t, p, 5*time.Second); err != nil || len(f) != 1 || f[0].Symbol != "ATTACH_LNK" || f[0].Part != "1" {
			t.Fatalf("%v %v", f, err)
		}
	}
}

// Whatever a worker does, the message is "could not look", and the next one is looked
// at by a fresh worker.
func TestFaultsOfAWorker(t *testing.T) {
	for _, mode := range []string{"crash", "exit", "hang", "garbage", "half", "huge", "wrong-id"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			p, err := fake(t, mode)
			if err != nil {
				t.Fatal(err)
			}
			if f, err := look(t, p, 20*time.Second); err == nil {
				t.Fatalf("called clean: %v", f)
			}
			if f, err := look(t, p, 20*time.Second); err != nil || len(f) != 1 {
				t.Errorf("the worker after it: %v %v", f, err)
			}
		})
	}
}

// A worker that ends between two letters, or before it has read the second one, costs
// neither that letter nor one of its tries: it waits for the next worker.
func TestFaultBetweenLetters(t *testing.T) {
	for _, mode := range []string{"leaves", "deaf"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			p, err := fake(t, mode)
			if err != nil {
				t.Fatal(err)
			}
			for n := range 5 {
				if f, err := look(t, p, 20*time.Second); err != nil || len(f) != 1 || f[0].Symbol != "ATTACH_LNK" {
					t.Fatalf("letter %d: %v %v", n, f, err)
				}
			}
		})
	}
}

// Workers that are gone whenever they are asked are a trouble, and no fault of the letter.
func TestFaultOfEveryWorker(t *testing.T) {
	p, err := fake(t, "all-deaf")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if f, err := look(t, p, 60*time.Second); err == nil || len(f) > 0 {
			t.Errorf("%v %v", f, err)
		}
	}
}

// A bad answer of a worker in good order is an error, too, with what it found.
func TestFaultsOfAnAnswer(t *testing.T) {
	for mode, want := range map[string]int{"unknown-symbol": 0, "could-not": 1} {
		p, err := fake(t, mode)
		if err != nil {
			t.Fatal(err)
		}
		if f, err := look(t, p, 5*time.Second); err == nil || len(f) != want {
			t.Errorf("%s: %v %v", mode, f, err)
		}
	}
}

// A worker that says that it is stuck has answered, and is asked no more.
func TestFaultOfAStuckParser(t *testing.T) {
	p, err := fake(t, "retire")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if f, err := look(t, p, 20*time.Second); err != nil || len(f) != 1 {
			t.Fatalf("%v %v", f, err)
		}
	}
}

func TestFaultsOfAStart(t *testing.T) {
	for _, mode := range []string{"no-start", "answers-first"} {
		if _, err := fake(t, mode); err == nil {
			t.Errorf("%s: started", mode)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := attach.Start(ctx, attach.Options{Worker: "/nonexistent/congthu-scan", Rules: t.TempDir(), Workers: 2}); err == nil {
		t.Error("a program that is not there started")
	}
}

// A worker that says it has no fence is used where that is allowed, and named where not.
func TestStrictWantsEveryFence(t *testing.T) {
	o := attach.Options{Worker: os.Args[0], Rules: t.TempDir(), Workers: 1, Env: []string{modeVar + "=good", stateVar + "=" + t.TempDir() + "/state"}}
	p, err := attach.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }() // the next start is the matter
	if missing := scanproto.Missing(p.Fences()); len(missing) < 4 {
		t.Errorf("missing %q", missing)
	}
	o.Strict = true
	_, err = attach.Start(t.Context(), o)
	var why *lang.Problem
	if !errors.As(err, &why) || !strings.Contains(why.In(lang.EN), "landlock, seccomp") || !strings.Contains(why.In(lang.VI), "strict = false") {
		t.Errorf("started, or it does not say why not: %v", err)
	}
}

func TestNoFreeWorkerIsNoVerdict(t *testing.T) {
	p, err := fake(t, "hang")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		_, err := look(t, p, 20*time.Second)
		done <- err
	}()
	time.Sleep(50 * time.Millisecond) // the only worker is at work
	if _, err := look(t, p, 50*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while it is busy: %v", err)
	}
	if err := <-done; err == nil {
		t.Error("the hanging worker's message was called clean")
	}
}

func TestClosedPool(t *testing.T) {
	p, err := fake(t, "good")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := look(t, p, time.Second); !errors.Is(err, attach.ErrClosed) {
		t.Errorf("look: %v", err)
	}
	if err := p.Reload(t.Context()); !errors.Is(err, attach.ErrClosed) {
		t.Errorf("reload: %v", err)
	}
	if err := p.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}

// A reload in the middle of the traffic loses no message.
func TestReloadUnderLoad(t *testing.T) {
	p, err := fake(t, "good")
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	failed := make(chan error, 1)
	go func() {
		defer close(failed)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if f, err := look(t, p, 10*time.Second); err != nil || len(f) != 1 {
				failed <- err
				return
			}
		}
	}()
	for range 5 {
		if err := p.Reload(t.Context()); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	if err := <-failed; err != nil {
		t.Errorf("a message in a reload: %v", err)
	}
}
