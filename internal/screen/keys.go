package screen

import (
	"context"
	"unicode"

	tea "charm.land/bubbletea/v2"

	"congthu/internal/lang"
)

// key does what a key means where it is pressed.
func (m *model) key(k tea.KeyPressMsg) tea.Cmd {
	name := k.String()
	if name == "ctrl+c" {
		return tea.Quit
	}
	switch m.mode {
	case searching:
		return m.search(name, k.Text)
	case asking:
		return m.answer(name)
	case helping:
		m.mode = m.before
		return nil
	}
	if cmd, ok := m.move(name); ok {
		return cmd
	}
	return m.act(name)
}

// move goes through the list or the text.
func (m *model) move(name string) (tea.Cmd, bool) {
	step := map[string]int{"up": -1, "k": -1, "down": 1, "j": 1, "pgup": -m.rows(), "pgdown": m.rows(), "space": m.rows(), "home": -1 << 20, "g": -1 << 20, "end": 1 << 20, "G": 1 << 20}
	n, ok := step[name]
	switch {
	case name == "n" || name == "p":
		return m.next(map[string]int{"n": 1, "p": -1}[name]), true
	case !ok || name == "space" && m.mode == listing:
		return nil, false
	case m.mode == listing:
		m.at = max(min(m.at+n, len(m.items)-1), 0)
		m.follow()
	default:
		m.top = max(min(m.top+n, len(m.lines)-m.rows()), 0)
	}
	return nil, true
}

// next goes to another message and shows of it what was shown of this one.
func (m *model) next(n int) tea.Cmd {
	at := m.at + n
	if at < 0 || at >= len(m.items) {
		return nil
	}
	m.at = at
	switch m.mode {
	case reading:
		return m.read()
	case whying:
		return m.why()
	}
	m.follow()
	return nil
}

// act is the keys that are not for moving.
func (m *model) act(name string) tea.Cmd {
	switch name {
	case "q", "esc":
		return m.back()
	case "?", "f1":
		m.before, m.mode = m.mode, helping
		return nil
	case "/":
		m.before, m.mode, m.typed = m.mode, searching, m.text
		return nil
	case "ctrl+r", "f5":
		return m.list()
	case "u":
		return m.undone()
	}
	if _, ok := m.item(); !ok {
		return nil
	}
	switch name {
	case "enter", "space":
		return m.read()
	case "e":
		return m.why()
	case "r":
		return m.release(false)
	case "R":
		return m.release(true)
	case "d":
		return m.delete()
	case "a":
		return m.approve()
	case "s", "h":
		return m.learn(name == "s")
	}
	return nil
}

// back leaves the text for the list, and the list for good.
func (m *model) back() tea.Cmd {
	if m.mode == listing {
		return tea.Quit
	}
	m.mode = listing
	m.top = 0
	m.follow()
	return nil
}

// search is the line for the text that the list is filtered by.
func (m *model) search(name, typed string) tea.Cmd {
	switch name {
	case "esc":
		m.mode = m.before
	case "enter":
		m.mode, m.text, m.at, m.top = listing, m.typed, 0, 0
		return m.list()
	case "backspace":
		if r := []rune(m.typed); len(r) > 0 {
			m.typed = string(r[:len(r)-1])
		}
	default:
		for _, r := range typed {
			if unicode.IsPrint(r) && len(m.typed) < 200 {
				m.typed += string(r)
			}
		}
	}
	return nil
}

// question asks before something that cannot be taken back.
func (m *model) question(what lang.Text, yes tea.Cmd) tea.Cmd {
	m.before, m.mode, m.ask, m.yes = m.mode, asking, what, yes
	m.busy = false
	return nil
}

func (m *model) answer(name string) tea.Cmd {
	yes := m.yes
	m.mode, m.yes = m.before, nil
	if name == "y" || name == "Y" || name == "c" || name == "C" { // c: có
		m.busy = true
		return yes
	}
	m.status, m.bad = lang.T("thôi, không làm gì", "nothing was done"), false
	return nil
}

func (m *model) read() tea.Cmd { return m.show(reading, m.o.Desk.Text) }
func (m *model) why() tea.Cmd  { return m.show(whying, m.o.Desk.Why) }

func (m *model) show(what mode, get func(context.Context, string) ([]string, error)) tea.Cmd {
	it, _ := m.item()
	return m.run(func(ctx context.Context) (tea.Msg, error) {
		lines, err := get(ctx, it.ID)
		return page{it.ID, what, lines}, err
	})
}

// release asks first: a letter that is on its way cannot be called back.
func (m *model) release(learn bool) tea.Cmd {
	it, _ := m.item()
	do := m.run(func(ctx context.Context) (tea.Msg, error) {
		what, err := m.o.Desk.Release(ctx, it.ID, learn)
		return done{id: it.ID, what: what, gone: true}, err
	})
	if learn {
		return m.question(lang.T("Thả thư này và dạy rằng đây là thư tốt? (c/k)", "Release this message and learn that it is wanted? (y/n)"), do)
	}
	return m.question(lang.T("Thả thư này? Thả rồi không gọi lại được. (c/k)", "Release this message? It cannot be called back. (y/n)"), do)
}

// delete asks nothing: u takes it back.
func (m *model) delete() tea.Cmd {
	it, _ := m.item()
	return m.run(func(ctx context.Context) (tea.Msg, error) {
		what, err := m.o.Desk.Delete(ctx, it.ID)
		return done{id: it.ID, what: what, gone: true, undo: it.ID}, err
	})
}

func (m *model) undone() tea.Cmd {
	if m.undo == "" {
		m.status, m.bad = lang.T("không có gì để hoàn lại", "there is nothing to take back"), true
		return nil
	}
	id := m.undo
	return m.run(func(ctx context.Context) (tea.Msg, error) {
		what, err := m.o.Desk.Undo(ctx, id)
		return done{id: id, what: what, anew: true}, err
	})
}

func (m *model) approve() tea.Cmd {
	it, _ := m.item()
	return m.run(func(ctx context.Context) (tea.Msg, error) {
		what, err := m.o.Desk.Approve(ctx, it.ID)
		return done{id: it.ID, what: what}, err
	})
}

func (m *model) learn(spam bool) tea.Cmd {
	it, _ := m.item()
	return m.run(func(ctx context.Context) (tea.Msg, error) {
		what, err := m.o.Desk.Learn(ctx, it.ID, spam)
		return done{id: it.ID, what: what}, err
	})
}
