package screen

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"congthu/internal/lang"
	"congthu/internal/quarantine"
)

// The only codes that are sent to the terminal beside those of the library.
const (
	reverse = "\x1b[7m"
	bold    = "\x1b[1m"
	plain   = "\x1b[0m"
)

// View implements tea.Model.
func (m *model) View() tea.View {
	v := tea.NewView(m.head() + "\n" + m.body() + m.foot())
	v.AltScreen = true
	return v
}

// fit makes a text safe and exactly so many columns wide.
func fit(s string, columns int) string {
	s = ansi.Truncate(lang.Safe(s, 1000), columns, "…")
	return s + strings.Repeat(" ", max(columns-ansi.StringWidth(s), 0))
}

// wrap makes lines of a text that are safe and no wider than the screen.
func wrap(said []string, columns int) []string {
	var out []string
	for _, line := range said {
		line = lang.Safe(strings.ReplaceAll(line, "\t", "    "), 0)
		out = append(out, strings.Split(ansi.Wrap(line, columns, ""), "\n")...)
	}
	return out
}

func (m *model) t(vi, en string) string { return lang.T(vi, en).In(m.o.Lang) }

func (m *model) head() string {
	s := fmt.Sprintf(m.t(" congthu: %d thư bị giữ", " congthu: %d held"), m.total)
	if len(m.items) < m.total {
		s += fmt.Sprintf(m.t(", đang xem %d thư mới nhất", ", the newest %d of them"), len(m.items))
	}
	if m.text != "" {
		s += m.t(", có “", `, with "`) + m.text + m.t("”", `"`)
	}
	if m.busy {
		s += " …"
	}
	return reverse + fit(s, m.width) + plain
}

// body is the lines between head and foot, each ended by a line feed.
func (m *model) body() string {
	var lines []string
	switch m.shown() {
	case listing:
		lines = m.table()
	case helping:
		lines = m.help()
	default:
		lines = m.visible()
	}
	for len(lines) < m.rows() {
		lines = append(lines, "")
	}
	return strings.Join(lines[:m.rows()], "\n") + "\n"
}

// shown is what lies behind a question or the search line.
func (m *model) shown() mode {
	if m.mode == asking || m.mode == searching {
		return m.before
	}
	return m.mode
}

func (m *model) table() []string {
	if len(m.items) == 0 {
		if m.busy {
			return []string{"", fit(m.t("  đang hỏi cổng thư", "  asking the gateway"), m.width)}
		}
		return []string{"", fit(m.t("  không có thư nào", "  there is nothing"), m.width)}
	}
	var out []string
	for i := m.top; i < min(m.top+m.rows(), len(m.items)); i++ {
		row := m.row(m.items[i])
		if i == m.at {
			row = reverse + row + plain
		}
		out = append(out, row)
	}
	return out
}

// row is one message: when, score, class, sender, subject. The subject gets what is left.
func (m *model) row(it quarantine.Item) string {
	from := min(max(m.width/4, 12), 40)
	left := fit(it.Held.Local().Format("02/01 15:04"), 11) + " " + fit(fmt.Sprintf("%5.1f", it.Score), 5) + " " + fit(string(it.Class), 11) + " " + fit(it.From, from) + " "
	return fit(left+it.Subject, m.width)
}

// visible is the part of a text that is visible.
func (m *model) visible() []string {
	var out []string
	for _, line := range m.lines[min(m.top, len(m.lines)):] {
		out = append(out, fit(line, m.width))
		if len(out) == m.rows() {
			break
		}
	}
	return out
}

// foot is what was done last, or what is asked, and the keys.
func (m *model) foot() string {
	return m.last() + "\n" + reverse + fit(m.keys(), m.width) + plain
}

func (m *model) last() string {
	switch m.mode {
	case asking:
		return bold + fit(m.ask.In(m.o.Lang), m.width) + plain
	case searching:
		return fit(m.t("tìm: ", "search: ")+m.typed+"_", m.width)
	}
	s := m.status.In(m.o.Lang)
	if m.bad {
		return bold + fit("! "+s, m.width) + plain
	}
	return fit(s, m.width)
}

func (m *model) keys() string {
	switch m.shown() {
	case reading, whying:
		return m.t(" n/p thư sau/trước  e vì sao  r thả  d xoá  s/h dạy rác/tốt  q về  ? trợ giúp", " n/p next/previous  e why  r release  d delete  s/h learn spam/ham  q back  ? help")
	case helping:
		return m.t(" phím bất kỳ: đóng", " any key: close")
	}
	return m.t(" Enter xem  e vì sao  r thả  d xoá  u hoàn  s/h dạy rác/tốt  / tìm  ? trợ giúp  q ra", " Enter read  e why  r release  d delete  u undo  s/h learn  / search  ? help  q quit")
}

func (m *model) help() []string {
	rows := []lang.Text{
		lang.T("↑ ↓ j k          thư trên, thư dưới", "up down j k      message above, below"),
		lang.T("PgUp PgDn g G    trang trước, trang sau, đầu, cuối", "PgUp PgDn g G    page back, page on, first, last"),
		lang.T("Enter            xem thư, chỉ chữ", "Enter            read the message, as text only"),
		lang.T("n p              đang xem: thư sau, thư trước", "n p              while reading: next, previous message"),
		lang.T("e                vì sao bị giữ", "e                why it is held"),
		lang.T("r                thả: giao cho người nhận (hỏi lại)", "r                release: deliver it (asks first)"),
		lang.T("R                thả và dạy rằng đây là thư tốt", "R                release and learn that it is wanted"),
		lang.T("d                xoá; u: lấy lại", "d                delete; u takes it back"),
		lang.T("a                đồng ý cho thả thư có mã độc (người thứ hai)", "a                approve the release of malware (second person)"),
		lang.T("s h              dạy: thư rác, thư tốt", "s h              learn: spam, wanted"),
		lang.T("/                tìm; để trống: tất cả", "/                search; empty: all"),
		lang.T("Ctrl-R           hỏi lại danh sách", "Ctrl-R           ask for the list again"),
		lang.T("q Esc            về danh sách, thoát", "q Esc            back to the list, quit"),
	}
	out := []string{""}
	for _, r := range rows {
		out = append(out, fit("  "+r.In(m.o.Lang), m.width))
	}
	return out
}
