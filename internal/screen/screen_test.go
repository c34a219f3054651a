package screen

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"congthu/internal/lang"
	"congthu/internal/quarantine"
)

// fake is a gateway that notes what it is asked.
type fake struct {
	items []quarantine.Item
	asked []string
	lines []string
	err   error
}

func (f *fake) ask(what string) (lang.Text, error) {
	f.asked = append(f.asked, what)
	return lang.T("xong "+what, "done "+what), f.err
}

func (f *fake) List(_ context.Context, text string) ([]quarantine.Item, int, error) {
	_, err := f.ask("list " + text)
	return slices.Clone(f.items), len(f.items), err
}

func (f *fake) Text(_ context.Context, id string) ([]string, error) {
	_, err := f.ask("text " + id)
	return f.lines, err
}

func (f *fake) Why(_ context.Context, id string) ([]string, error) {
	_, err := f.ask("why " + id)
	return []string{"because of " + id}, err
}

func (f *fake) Release(_ context.Context, id string, learn bool) (lang.Text, error) {
	return f.ask(fmt.Sprint("release ", id, " ", learn))
}

func (f *fake) Delete(_ context.Context, id string) (lang.Text, error) { return f.ask("delete " + id) }

func (f *fake) Undo(_ context.Context, id string) (lang.Text, error) { return f.ask("undo " + id) }

func (f *fake) Approve(_ context.Context, id string) (lang.Text, error) {
	return f.ask("approve " + id)
}

func (f *fake) Learn(_ context.Context, id string, spam bool) (lang.Text, error) {
	return f.ask(fmt.Sprint("learn ", id, " ", spam))
}

func held(n int) (out []quarantine.Item) {
	for i := range n {
		out = append(out, quarantine.Item{ID: fmt.Sprintf("id%d", i), From: "a@x.example", Subject: fmt.Sprintf("Thư số %d", i), Score: 6.5, Held: time.Date(2026, 11, 28, 8, i%60, 0, 0, time.UTC)})
	}
	return out
}

// bench is a screen whose commands run at once.
type bench struct {
	*testing.T
	m *model
	f *fake
}

func open(t *testing.T, f *fake, l lang.Lang) *bench {
	b := &bench{t, newModel(t.Context(), Options{Desk: f, Lang: l, Say: func(err error) string { return err.Error() }}), f}
	b.send(tea.WindowSizeMsg{Width: 80, Height: 24})
	b.run(b.m.Init())
	return b
}

func (b *bench) send(in tea.Msg) {
	_, cmd := b.m.Update(in)
	b.run(cmd)
}

func (b *bench) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	if in := cmd(); in != nil {
		if _, quit := in.(tea.QuitMsg); !quit {
			b.send(in)
		}
	}
}

// press types keys, one word each.
func (b *bench) press(keys ...string) {
	named := map[string]rune{"enter": tea.KeyEnter, "esc": tea.KeyEscape, "up": tea.KeyUp, "down": tea.KeyDown, "pgdown": tea.KeyPgDown, "backspace": tea.KeyBackspace, "space": tea.KeySpace}
	for _, k := range keys {
		if code, ok := named[k]; ok {
			b.send(tea.KeyPressMsg{Code: code})
			continue
		}
		b.send(tea.KeyPressMsg{Code: []rune(k)[0], Text: k})
	}
}

// screen is what is drawn, without codes; it must fit.
func (b *bench) screen() string {
	b.Helper()
	s := b.m.View().Content
	lines := strings.Split(s, "\n")
	if len(lines) != b.m.height {
		b.Errorf("%d lines on a screen of %d", len(lines), b.m.height)
	}
	for _, l := range lines {
		if w := ansi.StringWidth(l); w > b.m.width {
			b.Errorf("%d columns on a screen of %d: %q", w, b.m.width, l)
		}
	}
	return ansi.Strip(s)
}

func (b *bench) asked(want ...string) {
	b.Helper()
	if !slices.Equal(b.f.asked, want) {
		b.Errorf("asked %q\nwant  %q", b.f.asked, want)
	}
	b.f.asked = nil
}

func TestGoingThrough(t *testing.T) {
	b := open(t, &fake{items: held(3), lines: []string{"Kính gửi"}}, lang.VI)
	b.asked("list ")
	b.press("j", "enter")
	b.asked("text id1")
	if s := b.screen(); !strings.Contains(s, "Kính gửi") || strings.Contains(s, "Thư số 1") {
		t.Errorf("not the text:\n%s", s)
	}
	b.press("n", "n", "e", "p", "q")
	b.asked("text id2", "why id2", "why id1")
	if s := b.screen(); !strings.Contains(s, "Thư số 2") {
		t.Errorf("not the list:\n%s", s)
	}
}

func TestReleaseAsksFirst(t *testing.T) {
	b := open(t, &fake{items: held(3)}, lang.VI)
	b.press("r")
	b.asked("list ")
	if s := b.screen(); !strings.Contains(s, "Thả thư này?") {
		t.Errorf("no question:\n%s", s)
	}
	b.press("k")
	b.asked()
	b.press("r", "c", "R", "y")
	b.asked("release id0 false", "release id1 true")
	if len(b.m.items) != 1 || b.m.total != 1 || !strings.Contains(b.screen(), "xong release id1") {
		t.Errorf("after two releases:\n%s", b.screen())
	}
}

func TestDeleteAndUndo(t *testing.T) {
	b := open(t, &fake{items: held(2)}, lang.EN)
	b.press("u")
	b.asked("list ")
	b.press("j", "d")
	b.asked("delete id1")
	if b.m.at != 0 || len(b.m.items) != 1 {
		t.Errorf("cursor %d of %d", b.m.at, len(b.m.items))
	}
	b.press("u", "u")
	b.asked("undo id1", "list ")
	if len(b.m.items) != 2 {
		t.Errorf("%d after the undo", len(b.m.items))
	}
}

func TestLearnApproveSearchHelp(t *testing.T) {
	b := open(t, &fake{items: held(1)}, lang.EN)
	b.press("s", "h", "a")
	b.asked("list ", "learn id0 true", "learn id0 false", "approve id0")
	b.press("/", "x", "ư", "y", "backspace", "enter")
	b.asked("list xư")
	b.press("/", "z", "esc")
	b.asked()
	b.press("?")
	if s := b.screen(); !strings.Contains(s, "second person") {
		t.Errorf("no help:\n%s", s)
	}
	b.press("d") // any key closes the help and does nothing else
	b.asked()
}

func TestTroubleIsShownAndNothingIsGone(t *testing.T) {
	b := open(t, &fake{items: held(2)}, lang.EN)
	b.f.err = errors.New("the gateway does not answer")
	b.press("d")
	if s := b.screen(); !strings.Contains(s, "! the gateway does not answer") || len(b.m.items) != 2 {
		t.Errorf("%d left:\n%s", len(b.m.items), s)
	}
}

func TestEmptyListTakesEveryKey(t *testing.T) {
	b := open(t, &fake{}, lang.VI)
	b.press("j", "enter", "e", "r", "R", "d", "a", "s", "h", "n", "p", "G", "g", "pgdown", "space")
	b.asked("list ")
	if s := b.screen(); !strings.Contains(s, "không có thư nào") {
		t.Error(s)
	}
}

func TestLongListScrolls(t *testing.T) {
	b := open(t, &fake{items: held(100)}, lang.VI)
	b.press("G")
	if s := b.screen(); !strings.Contains(s, "Thư số 99") || strings.Contains(s, "Thư số 78 ") {
		t.Error(s)
	}
	b.press("g")
	if s := b.screen(); !strings.Contains(s, "Thư số 20") || strings.Contains(s, "Thư số 21") {
		t.Error(s)
	}
	b.send(tea.WindowSizeMsg{Width: 40, Height: 8})
	b.press("G")
	b.screen()
	b.send(tea.WindowSizeMsg{Width: 1, Height: 1})
	b.screen()
}

// Nothing of a message reaches the terminal as a code.
func TestHostileText(t *testing.T) {
	evil := "\x1b]0;owned\x07\x1b[2J\u202e\u009b31m\r\nx\x00" + strings.Repeat("ệ", 300)
	b := open(t, &fake{items: []quarantine.Item{{ID: "x", From: evil, Subject: evil}}, lines: []string{evil, "a\tb", strings.Repeat("dài ", 100)}}, lang.VI)
	check := func() {
		t.Helper()
		s := b.m.View().Content
		for _, code := range []string{reverse, bold, plain} {
			s = strings.ReplaceAll(s, code, "")
		}
		for _, r := range s {
			if r < 0x20 && r != '\n' || r >= 0x7f && r < 0xa0 || r == '\u202e' {
				t.Fatalf("U+%04X reaches the terminal in %q", r, s)
			}
		}
		b.screen()
	}
	check()
	b.press("enter")
	check()
	if n := len(b.m.lines); n < 10 {
		t.Errorf("%d lines: long ones are cut", n)
	}
	b.f.err = errors.New(evil)
	b.press("e")
	check()
}
