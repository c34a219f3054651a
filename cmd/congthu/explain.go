package main

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"congthu/internal/config"
	"congthu/internal/inspect"
	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/pipeline"
	"congthu/internal/policy"
	"congthu/internal/smtpd"
)

type explainCmd struct {
	File string   `arg:"" help:"Message file, or - / tệp thư, hoặc -."`
	IP   string   `name:"ip" help:"Client address / địa chỉ máy gửi." default:"192.0.2.1"`
	Helo string   `help:"HELO name / tên HELO." default:"client.invalid"`
	From string   `help:"Envelope sender / người gửi phong bì."`
	To   []string `help:"Envelope recipients / người nhận phong bì." placeholder:"ADDRESS"`

	Agency string `help:"As if this agency had sent it / như thể cơ quan này gửi." placeholder:"NAME"`
}

// Run says what would become of the message, and why, without delivering it.
func (c *explainCmd) Run(a *app) error {
	cfg, err := a.settings()
	if err != nil {
		return err
	}
	m, err := c.message(a)
	if err != nil {
		return err
	}
	if err := c.identify(cfg, m); err != nil {
		return err
	}
	j, err := newJudge(a.ctx, cfg, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		return err
	}
	defer j.close()
	a.recalled(j)
	if len(m.Envelope.To) == 0 {
		m.Envelope.To = []msg.Path{someone(j.routes)}
	}
	path := j.pipeline()
	walk := path.Judge(a.ctx, m)
	notes := inspect.Explain(a.ctx, m, slices.Concat(path.Authenticate, path.Inspect))
	if a.json {
		return a.printJSON(explanation(m, walk, j, notes))
	}
	a.explain(m, walk, j.rules.For(m).Policy.Weights, notes)
	a.mind(j)
	return nil
}

func (c *explainCmd) message(a *app) (*msg.Message, error) {
	raw, err := readFile(c.File, a.stdin)
	if err != nil {
		return nil, fail(exitNoInput, "không đọc được thư: %v", "cannot read the message: %v", err)
	}
	ip, err := netip.ParseAddr(c.IP)
	if err != nil {
		return nil, fail(exitUsage, "--ip %q không phải địa chỉ IP", "--ip %q is not an IP address", c.IP)
	}
	m := &msg.Message{ID: newID(), Received: time.Now(), Raw: normalise(raw), Session: msg.Session{Remote: netip.AddrPortFrom(ip, 0), Helo: c.Helo, ESMTP: true}}
	if c.From != "" {
		if m.Envelope.From, err = smtpd.ParsePath(c.From, true); err != nil {
			return nil, fail(exitUsage, "--from: %v", "--from: %v", err)
		}
	}
	for _, to := range c.To {
		p, err := smtpd.ParsePath(to, true)
		if err != nil {
			return nil, fail(exitUsage, "--to: %v", "--to: %v", err)
		}
		m.Envelope.To = append(m.Envelope.To, p)
	}
	return m, nil
}

// identify makes the client who it would be: by --agency, else by its address.
func (c *explainCmd) identify(cfg *config.Config, m *msg.Message) error {
	book, err := agencies(cfg)
	if err != nil {
		return err
	}
	s := &m.Session
	s.Identity = book.Identify(s.Remote.Addr(), nil)
	if c.Agency != "" {
		a, ok := book.Named(c.Agency)
		if !ok {
			return fail(exitUsage, "không có cơ quan nào tên %q trong cấu hình", "the settings have no agency called %q", c.Agency)
		}
		s.Identity = msg.Identity{Proof: msg.ByNetwork, Agency: a.Name, Senders: a.Domains}
	}
	s.Outbound = s.Identity.Proof != msg.Unproven
	return nil
}

func readFile(name string, stdin io.Reader) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(name)
}

// someone is a recipient of ours, when the user names none.
func someone(rs policy.Routes) msg.Path {
	for _, r := range rs {
		for _, d := range r.Domains {
			if d != "*" && d[0] != '*' {
				return msg.Path{Raw: "van-thu@" + d, Local: "van-thu", Domain: d}
			}
		}
	}
	return msg.Path{Raw: "postmaster", Local: "postmaster"}
}

// explain prints a judgement: what becomes of the letter, the rule that says so, and each
// step of the sum.
func (a *app) explain(m *msg.Message, w pipeline.Walk, weights policy.Weights, notes []msg.Note) {
	for _, d := range w.Decisions {
		a.fateLine(pathList(d.To), a.actionWord(d.Action.String(), len(d.Strip) > 0), len(d.EncryptTo) > 0, d.Why.Score, d.Why.Required, d.Reason, d.Rule)
	}
	fmt.Fprintf(a.stdout, "SMTP: %s\n", lang.Safe(w.Reply.String(), 500))
	a.authLines(m.Auth)
	if len(w.Decisions) > 0 {
		a.sum(w.Decisions[0].Why, weights, notes)
	}
	for _, o := range w.Outcomes {
		if o.Err != nil {
			fmt.Fprintf(a.stdout, "  %s: %s: %s\n", o.Inspector, a.word("KHÔNG XEM ĐƯỢC", "COULD NOT LOOK"), lang.Safe(o.Err.Error(), 300))
		}
	}
}

// fateLine says what becomes of a letter for some recipients, and what decided.
func (a *app) fateLine(to, fate string, encrypted bool, score, required float64, reason, rule string) {
	if encrypted {
		fate += a.word(", mã hoá OpenPGP", ", OpenPGP encrypted")
	}
	fmt.Fprintf(a.stdout, "%s: %s%s\n", lang.Safe(to, 500), fate, a.because(score, required, reason))
	a.decidedBy(rule, reason)
}

// mind says by what the classifier has judged, and when it is not known whom the site allows.
func (a *app) mind(j *judge) {
	if _, read := j.allowed.Len(); !read && j.allowFor() > 0 {
		a.say(lang.T("  người gửi được cho phép: không biết, vì không đọc được kho của cổng thư ở đây; xét như chưa cho phép ai", "  allowed senders: not known, for the gateway's store cannot be read here; judged as if nobody were allowed"))
	}
	if !j.skips("classify") {
		a.mindOf(j.lessons.Taught())
	}
}

func (a *app) mindOf(lessons int) {
	if lessons > 0 {
		a.say(lang.T("  bộ phân loại: mô hình ban đầu và %d bài học của đơn vị", "  the classifier: the starting model and %d lesson(s) of this site"), lessons)
		return
	}
	a.say(lang.T("  bộ phân loại: chỉ có mô hình ban đầu, đơn vị chưa dạy gì", "  the classifier: the starting model alone, this site has taught it nothing"))
}

// because is score, threshold and reason in brackets.
func (a *app) because(score, required float64, reason string) string {
	out := fmt.Sprintf(" (%s %.1f/%.1f", a.word("điểm", "score"), score, required)
	if reason != "" {
		out += ", " + lang.Safe(reason, 80)
	}
	return out + ")"
}

// decidedBy names the line of the rules that decided.
func (a *app) decidedBy(rule, reason string) {
	switch {
	case rule != "":
		fmt.Fprintln(a.stdout, "  "+a.word("quyết định bởi ", "decided by ")+lang.Safe(rule, 200))
	case reason == "":
		fmt.Fprintln(a.stdout, "  "+a.word("không quy tắc nào giữ hay từ chối", "no rule holds or refuses it"))
	}
}

func (a *app) authLines(results []msg.AuthResult) {
	for _, r := range results {
		fmt.Fprintf(a.stdout, "  %-6s %-10s %s\n", lang.Safe(r.Method, 20), lang.Safe(r.Status, 20), lang.Safe(r.Property+"="+r.Value+" "+r.Reason, 160))
	}
}

// sum prints every finding with how it came to its score, and what they come to.
func (a *app) sum(why msg.Verdict, weights policy.Weights, notes []msg.Note) {
	a.steps(weights.Steps(why.Counted), weights.Symbols, notes)
	a.total(why.Score, why.Required)
}

func (a *app) steps(steps []policy.Step, sentences map[string]policy.Weight, notes []msg.Note) {
	for _, s := range steps {
		fmt.Fprintln(a.stdout, a.findingLine(s.Weighed, sentences))
		if how := a.how(s); how != "" {
			fmt.Fprintln(a.stdout, "          "+how)
		}
		notes = a.notesOf(s.Symbol, notes)
	}
}

func (a *app) total(score, required float64) {
	fmt.Fprintf(a.stdout, "  %+6.1f  %s\n", score, lang.T("tổng; từ %.1f là thư rác", "in all; spam from %.1f").F(a.lang, required))
}

// how says why a finding does not count for what its symbol weighs; "" when it does.
func (a *app) how(s policy.Step) string {
	var out []string
	add := func(vi, en string, args ...any) { out = append(out, lang.T(vi, en).F(a.lang, args...)) }
	if s.Again {
		return a.word("đã tính ở trên, mỗi dấu hiệu chỉ tính một lần", "counted above: a symbol counts once")
	}
	if s.Percent > 0 && s.Percent < 100 {
		add("trọng số %.1f, quy tắc lấy %d %%", "weighs %.1f, of which the rule takes %d %%", s.Weight, s.Percent)
	}
	if s.Void {
		add("trọng số %.1f, không tính vì có dấu hiệu khác", "weighs %.1f, which does not count beside something else that was found", s.Weight)
	}
	if s.Capped {
		add("trọng số %.1f, nhóm %s không quá %.1f", "weighs %.1f, its group %s counts at most %.1f", s.Weight, s.Group, s.Cap)
	}
	if s.Place == "" && s.Weight == 0 {
		add("không có trọng số", "it has no weight")
	}
	return lang.Safe(strings.Join(out, "; "), 600)
}

// notesOf prints what an inspector says about a symbol, and returns the other notes: a
// symbol that was found twice is explained once.
func (a *app) notesOf(symbol string, notes []msg.Note) (others []msg.Note) {
	for _, n := range notes {
		if n.Symbol != symbol {
			others = append(others, n)
			continue
		}
		fmt.Fprintf(a.stdout, "          - %s\n", lang.Safe(lang.T(n.VI, n.EN).In(a.lang), 300))
	}
	return others
}

// actionWord says an action, as msg.Action writes it, in the user's language.
func (a *app) actionWord(action string, stripped bool) string {
	if stripped {
		return a.word("gỡ tệp, giao phần còn lại, giữ bản gốc", "strip, deliver the rest, hold the original")
	}
	switch action {
	case msg.Deliver.String():
		return a.word("giao", "deliver")
	case msg.Quarantine.String():
		return a.word("giữ lại", "quarantine")
	case msg.Reject.String():
		return a.word("từ chối", "reject")
	}
	return a.word("hoãn, người gửi gửi lại sau", "defer, the sender tries again")
}

// findingLine is one finding with its weight and its sentence.
func (a *app) findingLine(f msg.Weighed, sentences map[string]policy.Weight) string {
	w := sentences[f.Symbol]
	line := fmt.Sprintf("  %+6.1f  %-26s %s", f.Score, lang.Safe(f.Symbol, 80), lang.Safe(strings.TrimSuffix(sentence(f.Finding, w).In(a.lang), "."), 600))
	if f.Evidence != "" {
		line += ": " + lang.Safe(f.Evidence, 160)
	}
	return line
}

// sentence is the symbol's, and in brackets the rule's own, in whichever language it has.
func sentence(f msg.Finding, w policy.Weight) lang.Text {
	own := lang.T(cmp.Or(f.VI, f.EN), cmp.Or(f.EN, f.VI))
	if own.VI == "" {
		return lang.T(w.VI, w.EN)
	}
	with := func(s, own string) string { return strings.TrimSuffix(s, ".") + " (" + lang.Safe(own, 300) + ")" }
	return lang.T(with(w.VI, own.VI), with(w.EN, own.EN))
}

// sentences reads the rule files for their sentences; without them the symbols stand
// alone.
func (a *app) sentences() map[string]policy.Weight {
	c, err := a.settings()
	if err != nil {
		return nil
	}
	set, err := source(c).Load()
	if err != nil {
		return nil
	}
	return set.Policy.Weights.Symbols
}

func pathList(ps []msg.Path) string {
	out := ""
	for i, p := range ps {
		if i > 0 {
			out += ", "
		}
		out += lang.Safe(p.Raw, 100)
	}
	return out
}

// explained is the JSON of explain and of quarantine explain --now. Its keys stay as they
// are; new ones may come.
type explained struct {
	ID        string            `json:"id"`
	Rules     string            `json:"rules"` // hash of the rule set
	Reply     string            `json:"reply"`
	Auth      []msg.AuthResult  `json:"auth"`
	Decisions []explainedAction `json:"decisions"`
	Notes     []msg.Note        `json:"notes"` // what inspectors say about their symbols
	Blind     []string          `json:"could_not_look"`
	Lessons   int               `json:"lessons"` // of this site, that the classifier has learned
	Allowed   *int              `json:"allowed"` // senders that this site allows; null: not known, or not asked

	Classifies bool `json:"classifies"` // the classifier is asked at all
}

// explainedAction is what becomes of the letter for some recipients. Score is the sum of
// the scores of the findings.
type explainedAction struct {
	To       []string      `json:"to"`
	Action   string        `json:"action"`
	Reason   string        `json:"reason,omitempty"`
	Rule     string        `json:"rule,omitempty"` // that decided, as file:line
	Score    float64       `json:"score"`
	Required float64       `json:"required"`
	Encrypt  []string      `json:"encrypt_to,omitempty"`
	Strip    []msg.Finding `json:"strip,omitempty"` // the copy goes without these, the original is held
	Findings []policy.Step `json:"findings"`
}

func explanation(m *msg.Message, w pipeline.Walk, j *judge, notes []msg.Note) explained {
	weights := j.rules.For(m).Policy.Weights
	out := explained{Lessons: j.lessons.Taught(), Classifies: !j.skips("classify"), ID: m.ID, Rules: m.Rules, Reply: w.Reply.String(), Auth: append([]msg.AuthResult{}, m.Auth...), Notes: append([]msg.Note{}, notes...), Blind: []string{}}
	for _, d := range w.Decisions {
		e := explainedAction{Action: d.Action.String(), Reason: d.Reason, Rule: d.Rule, Score: d.Why.Score, Required: d.Why.Required, Encrypt: d.EncryptTo, Strip: d.Strip, Findings: weights.Steps(d.Why.Counted)}
		for _, p := range d.To {
			e.To = append(e.To, p.Raw)
		}
		out.Decisions = append(out.Decisions, e)
	}
	for _, o := range w.Outcomes {
		if o.Err != nil {
			out.Blind = append(out.Blind, o.Inspector)
		}
	}
	if n, read := j.allowed.Len(); read {
		out.Allowed = &n
	}
	return out
}
