package figures_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"congthu/internal/figures"
)

func TestAddAndSum(t *testing.T) {
	name := filepath.Join(t.TempDir(), "figures")
	t.Setenv(figures.Env, name)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := figures.Add("a test", figures.Figures{Acknowledged: 10, Duplicates: 2, Faults: 1}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sum, err := figures.Sum(f)
	if err != nil || sum.String() != "lost 0 of 200 acknowledged, duplicates 40, faults 20" || !sum.Good() {
		t.Errorf("%v %v", sum, err)
	}
}

func TestNoFileIsNoError(t *testing.T) {
	t.Setenv(figures.Env, "")
	if err := figures.Add("x", figures.Figures{}); err != nil {
		t.Error(err)
	}
}

func TestBadLines(t *testing.T) {
	for _, text := range []string{"x", "x 1 2 3 4", "x a 0 0 0 0", "\n"} {
		if _, err := figures.Sum(strings.NewReader("ok 1 0 0 0 1\n" + text)); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestGood(t *testing.T) {
	for f, want := range map[figures.Figures]bool{
		{Acknowledged: 1, Faults: 1}:                                true,
		{Acknowledged: 1, Faults: 1, Duplicates: 3}:                 true,
		{Acknowledged: 1, Faults: 1, Duplicates: 3, Unexplained: 1}: false,
		{Acknowledged: 1, Faults: 1, Lost: 1}:                       false,
		{Acknowledged: 1}:                                           false,
		{Faults: 1}:                                                 false,
	} {
		if f.Good() != want {
			t.Errorf("%+v: %v", f, !want)
		}
	}
}
