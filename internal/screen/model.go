package screen

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"congthu/internal/lang"
	"congthu/internal/quarantine"
)

// mode is what the screen shows.
type mode int

const (
	listing mode = iota
	reading      // the message as text
	whying       // why it is held
	helping
	searching // the line for a text is open
	asking    // a question waits for y or n
)

// model is the state of the screen. Only Update changes it; what is asked of the gateway
// runs beside it and comes back as a message.
type model struct {
	ctx context.Context
	o   Options

	mode   mode
	before mode // to go back to from help, search and questions
	items  []quarantine.Item
	total  int
	at     int // of items
	top    int // first item, or line, that is visible
	text   string
	typed  string
	said   []string // reading and whying, as it came
	lines  []string // and as it fits
	ask    lang.Text
	yes    tea.Cmd // what a yes does
	status lang.Text
	bad    bool
	busy   bool
	undo   string // id of what was deleted last
	width  int
	height int
}

func newModel(ctx context.Context, o Options) *model {
	return &model{ctx: ctx, o: o, text: o.Text, width: 80, height: 24}
}

// Init implements tea.Model: the list is asked for.
func (m *model) Init() tea.Cmd { return m.list() }

// Messages that come back from the gateway.
type (
	listed struct {
		items []quarantine.Item
		total int
	}
	page struct {
		id    string
		mode  mode
		lines []string
	}
	done struct {
		id   string
		what lang.Text
		gone bool   // the message is not in the list any more
		undo string // what can be taken back
		anew bool   // the list has more than it had
	}
	failed struct{ err error }
)

// Update implements tea.Model.
func (m *model) Update(in tea.Msg) (tea.Model, tea.Cmd) {
	switch in := in.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = max(in.Width, 20), max(in.Height, 6)
		m.lines = wrap(m.said, m.width)
		m.follow()
	case tea.KeyPressMsg:
		return m, m.key(in)
	case listed:
		m.busy, m.items, m.total = false, in.items, in.total
		m.at = min(m.at, max(len(in.items)-1, 0))
		m.follow()
	case page:
		m.busy = false
		if it, ok := m.item(); ok && it.ID == in.id {
			m.mode, m.said, m.lines, m.top = in.mode, in.lines, wrap(in.lines, m.width), 0
		}
	case done:
		return m, m.finish(in)
	case failed:
		m.busy, m.bad = false, true
		m.status = lang.T(m.o.Say(in.err), m.o.Say(in.err))
	}
	return m, nil
}

// finish takes in what an act has done.
func (m *model) finish(d done) tea.Cmd {
	m.busy, m.bad, m.status = false, false, d.what
	if d.undo != "" {
		m.undo = d.undo
	}
	if d.gone {
		m.remove(d.id)
		m.mode, m.top = listing, 0
		m.follow()
	}
	if d.anew {
		m.undo = ""
		return m.list()
	}
	return nil
}

func (m *model) remove(id string) {
	for i, it := range m.items {
		if it.ID == id {
			m.items = append(m.items[:i:i], m.items[i+1:]...)
			m.total--
			m.at = min(m.at, max(len(m.items)-1, 0))
			return
		}
	}
}

// item is the one that the cursor is on.
func (m *model) item() (quarantine.Item, bool) {
	if m.at < len(m.items) {
		return m.items[m.at], true
	}
	return quarantine.Item{}, false
}

// follow keeps the cursor on the screen.
func (m *model) follow() {
	if m.mode != listing {
		return
	}
	rows := m.rows()
	m.top = max(min(m.top, m.at), m.at-rows+1, 0)
}

// rows is how many lines there are between the head and the two lines at the foot.
func (m *model) rows() int { return max(m.height-3, 1) }

// patience is how long the gateway may take to answer.
const patience = 60 * time.Second

// run asks the gateway beside the screen.
func (m *model) run(do func(context.Context) (tea.Msg, error)) tea.Cmd {
	m.busy = true
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(m.ctx, patience)
		defer cancel()
		out, err := do(ctx)
		if err != nil {
			return failed{err}
		}
		return out
	}
}

func (m *model) list() tea.Cmd {
	text := m.text
	return m.run(func(ctx context.Context) (tea.Msg, error) {
		items, total, err := m.o.Desk.List(ctx, text)
		return listed{items, total}, err
	})
}
