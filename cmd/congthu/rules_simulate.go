package main

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"congthu/internal/config"
	"congthu/internal/lang"
	"congthu/internal/record"
	"congthu/internal/rulebook"
	"congthu/internal/rules"
	"congthu/internal/simulate"
	"congthu/internal/store"
)

type rulesSimulateCmd struct {
	Since       days     `help:"How far back / lùi lại bao lâu." default:"7d"`
	Rules       string   `help:"The rules to try / thư mục quy tắc muốn thử (default: rules_dir as it is now)." placeholder:"DIR"`
	Sample      []string `help:"Letters as files or directories, judged by both sets / thư mẫu." placeholder:"FILE|DIR"`
	Quarantined bool     `help:"Inspect held letters again, with the rules to try / xem lại thư đang giữ bằng quy tắc mới."`
	MaxChanges  int      `help:"Exit 1 when more letters would change / báo lỗi 1 khi nhiều thư đổi số phận hơn." default:"-1"`
	List        int      `help:"List so many letters / liệt kê nhiều nhất." default:"100"`
	Limit       int      `help:"Inspect so many held letters again / xem lại nhiều nhất." default:"1000"`
}

// simulated is what is printed.
type simulated struct {
	Rules string    `json:"rules"` // hash of the candidate
	Since time.Time `json:"since"`
	simulate.Report
}

// Run says whose fate would change under rules that are not in use. Nothing is changed.
func (c rulesSimulateCmd) Run(a *app) error {
	cfg, err := a.settings()
	if err != nil {
		return err
	}
	candidate := *cfg
	if c.Rules != "" {
		if candidate.RulesDir, err = filepath.Abs(c.Rules); err != nil {
			return err
		}
	}
	set, err := source(&candidate).Load()
	if err != nil {
		return err
	}
	db, err := a.lookAt(cfg)
	if err != nil {
		return err
	}
	defer db.Close()
	s := &simulation{app: a, cmd: c, cfg: &candidate, set: set, db: db, book: book(db, cfg.Rules.History)}
	s.trial = &simulate.Trial{Policy: set.Policy, Routes: routes(cfg), List: c.List, Differs: s.differs}
	defer s.close()
	since := time.Now().Add(-time.Duration(c.Since))
	if err := s.run(since); err != nil {
		return err
	}
	return c.report(a, simulated{Rules: set.Hash, Since: since, Report: s.trial.Report()})
}

func (c rulesSimulateCmd) report(a *app, out simulated) error {
	var err error
	if a.json {
		err = a.printJSON(out)
	} else {
		err = a.simulated(out)
	}
	if err == nil && c.MaxChanges >= 0 && out.Changed > c.MaxChanges {
		return fail(1, "%d thư sẽ đổi số phận, nhiều hơn --max-changes %d", "%d letters would meet another fate, more than --max-changes %d", out.Changed, c.MaxChanges)
	}
	return err
}

// simulation is one run of the command.
type simulation struct {
	app   *app
	cmd   rulesSimulateCmd
	cfg   *config.Config // with the rules to try
	set   *rules.Set
	db    *store.DB
	book  *rulebook.Book
	trial *simulate.Trial
	known map[string]difference
	judge *judge // by the rules to try; nil until something is inspected
	done  func()
}

// difference is how the set that judged a letter differs from the one to try.
type difference struct {
	files []string
	known bool
}

// differs names the files beside weights and policy that differ: what stands in them
// shows only in a letter's text.
func (s *simulation) differs(hash string) ([]string, bool) {
	if d, ok := s.known[hash]; ok {
		return d.files, d.known
	}
	d := difference{known: true}
	files, err := s.book.Files(s.app.ctx, hash)
	if hash == s.set.Hash {
		files, err = s.set.Files, nil
	}
	if err != nil {
		d.known = false
	}
	for _, c := range rules.Diff(files, s.set.Files) {
		if d.known && filepath.Base(c.File) != "weights.toml" && c.File != "policy.toml" && !strings.HasSuffix(c.File, ".md") {
			d.files = append(d.files, c.File)
		}
	}
	if s.known == nil {
		s.known = map[string]difference{}
	}
	s.known[hash] = d
	return d.files, d.known
}

func (s *simulation) run(since time.Time) error {
	anew, err := s.inspectHeld()
	if err != nil {
		return err
	}
	seen := map[string]bool{} // rows may be put together while they are read
	err = record.Read(s.app.ctx, s.db, since, func(l *record.Letter) error {
		if seen[l.ID] {
			return nil
		}
		seen[l.ID] = true
		var again *inspected
		if again = anew[l.ID]; again != nil {
			delete(anew, l.ID)
			s.trial.Recorded(l, again.walk.Outcomes)
			return nil
		}
		s.trial.Recorded(l, nil)
		return s.app.ctx.Err()
	})
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(anew)) {
		s.trial.Judged(anew[id].message, anew[id].old, anew[id].walk.Decisions)
	}
	return s.judgeSamples()
}

func (s *simulation) close() {
	if s.judge != nil {
		_ = s.judge.close() // only looked
	}
	if s.done != nil {
		s.done()
	}
}

func (a *app) simulated(out simulated) error {
	a.say(lang.T("thử bộ quy tắc %s trên %d thư từ %s (%d thư được xem lại từ đầu)", "the rule set %s on %d letters since %s (%d inspected anew)"), out.Rules, out.Letters, out.Since.Local().Format("2006-01-02 15:04"), out.Anew)
	a.say(lang.T("%d thư sẽ đổi số phận", "%d letters would meet another fate"), out.Changed)
	if len(out.Counts) > 0 {
		head := strings.Split(lang.T("CƠ QUAN|TRƯỚC|SAU|SỐ THƯ", "AGENCY|BEFORE|AFTER|LETTERS").In(a.lang), "|")
		var rows [][]string
		for _, c := range out.Counts {
			rows = append(rows, []string{c.Agency, a.fateWord(c.Old), a.fateWord(c.New), strconv.Itoa(c.Letters)})
		}
		fmt.Fprintln(a.stdout)
		if err := a.table(head, rows); err != nil {
			return err
		}
	}
	if err := a.changes(out); err != nil {
		return err
	}
	a.open(out.Open)
	return nil
}

func (a *app) changes(out simulated) error {
	if len(out.Changes) == 0 {
		return nil
	}
	head := strings.Split(lang.T("MÃ|LÚC|NGƯỜI GỬI|NGƯỜI NHẬN|TRƯỚC|SAU", "ID|WHEN|FROM|TO|BEFORE|AFTER").In(a.lang), "|")
	var rows [][]string
	for _, c := range out.Changes {
		rows = append(rows, []string{c.ID, c.At.Local().Format("02/01 15:04"), lang.Safe(c.From, 40), lang.Safe(strings.Join(c.To, " "), 60), a.fate(c.Old), a.fate(c.New)})
	}
	fmt.Fprintln(a.stdout)
	if err := a.table(head, rows); err != nil {
		return err
	}
	if more := out.Changed - len(out.Changes); more > 0 {
		a.say(lang.T("… và %d thư nữa (--list)", "… and %d more (--list)"), more)
	}
	return nil
}

// fate is a fate with what it rests on.
func (a *app) fate(f simulate.Fate) string {
	why := f.Reason
	if f.Rule != "" {
		why += " " + f.Rule
	}
	if why != "" {
		why = ", " + why
	}
	return fmt.Sprintf("%s (%.1f/%.1f%s)", a.fateWord(f.Action), f.Score, f.Required, why)
}

func (a *app) fateWord(action string) string {
	t, ok := map[string]lang.Text{
		"deliver": lang.T("giao", "deliver"), "quarantine": lang.T("giữ lại", "quarantine"), "reject": lang.T("từ chối", "reject"),
		"defer": lang.T("hoãn", "defer"), record.Strip: lang.T("gỡ tệp", "strip"),
	}[action]
	if !ok {
		return action
	}
	return t.In(a.lang)
}

// open says what cannot be known from findings alone.
func (a *app) open(o simulate.Open) {
	say := func(n int, vi, en string, args ...any) {
		if n > 0 {
			a.say(lang.T("- "+vi, "- "+en), append([]any{n}, args...)...)
		}
	}
	total := o.Cut + o.NoRoute + o.Strip + len(o.Files) + o.Unknown + o.LeftOut + o.NotAnew
	if total == 0 && !o.NoBase {
		return
	}
	fmt.Fprintln(a.stdout)
	a.say(lang.T("không biết được chỉ từ các dấu hiệu đã ghi:", "what cannot be known from recorded findings alone:"))
	for _, f := range slices.Sorted(maps.Keys(o.Files)) {
		say(o.Files[f], "%d thư được xét bằng một bản khác của %s; bản mới tìm thấy gì trong đó thì không biết", "%d letters were judged by another %s; what the new one would find in them is not known", lang.Safe(f, 100))
	}
	say(o.Unknown, "%d thư được xét bằng bộ quy tắc không còn lưu", "%d letters were judged by a set that is not kept any more")
	say(o.Cut, "%d thư có quá nhiều người nhận hoặc dấu hiệu nên không ghi đủ, không xét", "%d letters had more recipients or findings than are recorded, and are left out")
	say(o.NoRoute, "%d thư gửi đến tên miền nay không có route, không xét", "%d letters went to a domain that has no route now, and are left out")
	say(o.Strip, "%d thư sẽ bị gỡ tệp nếu gỡ được; nếu không sẽ bị giữ", "%d letters would lose a file if it can be taken out, and else be held")
	say(o.LeftOut, "%d thư đang giữ chưa được xem lại (--limit)", "%d held letters were not inspected anew (--limit)")
	say(o.NotAnew, "%d thư không xem lại được", "%d letters could not be inspected anew")
	if o.NoBase {
		a.say(lang.T("- thư mẫu chỉ được xét bằng bộ mới: không có bộ nào khác để so", "- sample letters were judged by the new set only: there is no other to compare with"))
	}
}

var errTooMany = errors.New("too many files")
