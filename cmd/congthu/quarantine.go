package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"congthu/internal/admin"
	"congthu/internal/lang"
	"congthu/internal/policy"
	"congthu/internal/quarantine"
)

type quarantineCmd struct {
	List    quarantineListCmd    `cmd:"" help:"List held messages / liệt kê thư bị giữ."`
	Show    quarantineShowCmd    `cmd:"" help:"Show a held message: why it is held, its header, its parts, its text / xem thư bị giữ."`
	Explain quarantineExplainCmd `cmd:"" help:"Why a message is held, step by step / giải thích vì sao bị giữ."`
	Release quarantineReleaseCmd `cmd:"" help:"Deliver held messages / giao thư bị giữ."`
	Approve quarantineApproveCmd `cmd:"" help:"Agree to a release by somebody else / đồng ý để người khác thả."`
	Delete  quarantineDeleteCmd  `cmd:"" help:"Delete held messages / xoá thư bị giữ."`
	Undo    quarantineUndoCmd    `cmd:"" help:"Take deletions back / lấy lại thư đã xoá."`
	Learn   quarantineLearnCmd   `cmd:"" help:"Teach the classifier with held messages / dạy bộ phân loại."`
	Export  quarantineExportCmd  `cmd:"" help:"Write a held message to a file / xuất thư ra tệp."`

	Allowed  quarantineAllowedCmd  `cmd:"" help:"List senders that were allowed with a release / liệt kê người gửi được cho phép."`
	Disallow quarantineDisallowCmd `cmd:"" help:"Take back that senders are allowed / thôi cho phép người gửi."`
}

// heldFilter is what narrows a list.
type heldFilter struct {
	Since     days   `help:"Held in the last 24h, 7d / bị giữ trong khoảng này." placeholder:"7d"`
	Agency    string `help:"Of this agency, by its name or a domain / của cơ quan này." placeholder:"NAME"`
	Recipient string `help:"For addresses with this in them / người nhận có chữ này." placeholder:"TEXT"`
	Sender    string `help:"From addresses with this in them / người gửi có chữ này." placeholder:"TEXT"`
	Symbol    string `help:"In which this was found / có dấu hiệu này." placeholder:"SYMBOL"`
	Reason    string `help:"Held because of this / bị giữ vì dấu hiệu này." placeholder:"SYMBOL"`
	Class     string `help:"Of this class / thuộc loại này: malware, unscannable, type, phishing, spam, encryption, authentication, other." enum:",malware,unscannable,type,phishing,spam,encryption,authentication,other" default:"" placeholder:"CLASS"`
	Deleted   bool   `help:"What was deleted and can be had back / thư đã xoá còn lấy lại được."`
}

func (h heldFilter) filter(words []string) quarantine.Filter {
	f := quarantine.Filter{
		Text: strings.Join(words, " "), Agency: h.Agency, Recipient: h.Recipient, Sender: h.Sender, Symbol: h.Symbol, Reason: h.Reason,
		Class: quarantine.Class(h.Class), Deleted: h.Deleted,
	}
	if h.Since > 0 {
		f.Since = time.Now().Add(-time.Duration(h.Since))
	}
	return f
}

type quarantineListCmd struct {
	Text []string `arg:"" optional:"" help:"Only those with this text in id, sender, recipient, subject or reason / lọc theo chữ."`
	heldFilter
	Limit  int `help:"At most so many / nhiều nhất." default:"200"`
	Offset int `help:"Skip so many / bỏ qua."`
}

// Run lists the newest first.
func (c *quarantineListCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	f := c.filter(c.Text)
	f.Limit, f.Offset = c.Limit, c.Offset
	p, err := cl.Page(a.ctx, f)
	if err != nil {
		return operatorError(err)
	}
	if a.json {
		return a.printJSON(p.Items)
	}
	if err := a.heldTable(p.Items); err != nil {
		return err
	}
	if n := len(p.Items); n < p.Total {
		a.say(lang.T("%d trong %d thư; xem thêm: --limit, --offset, hoặc lọc hẹp hơn", "%d of %d messages; for more: --limit, --offset, or a narrower filter"), n, p.Total)
	}
	return nil
}

func (a *app) heldTable(items []quarantine.Item) error {
	head := strings.Split(lang.T("MÃ|LÚC GIỮ|NGƯỜI GỬI|NGƯỜI NHẬN|TIÊU ĐỀ|LÝ DO|ĐIỂM", "ID|HELD|FROM|TO|SUBJECT|REASON|SCORE").In(a.lang), "|")
	var rows [][]string
	for _, it := range items {
		rows = append(rows, []string{it.Short, it.Held.Local().Format("02/01 15:04"), it.From, strings.Join(it.To, " "), it.Subject, it.Reason, fmt.Sprintf("%.1f", it.Score)})
	}
	if a.columns() < 100 { // the score is the first to go: reason and show say it
		head, rows = withoutLast(head, rows)
	}
	return a.tableIn(a.columns(), layout{spare: []int{3, 1}, late: []int{5}}, head, rows)
}

type quarantineShowCmd struct {
	ID     string `arg:"" help:"Id, or its beginning or end / mã, hoặc phần đầu, phần cuối của mã."`
	Raw    bool   `help:"Write the message's octets, unescaped, to standard output / xuất nguyên văn thư."`
	IKnow  bool   `name:"i-know" help:"With --raw, of malware too / kể cả mã độc."`
	Header bool   `help:"Show the whole header / xem đủ phần đầu thư." default:"true" negatable:""`
	Text   bool   `help:"Show the text / xem nội dung." default:"true" negatable:""`
}

// Run shows why a message is held and what is in it. Everything from the message is
// escaped, except under --raw, which is for files and pipes.
func (c *quarantineShowCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	if c.Raw {
		h, err := cl.Held(a.ctx, c.ID, c.IKnow)
		if err == nil {
			_, err = a.stdout.Write(h.Raw)
		}
		return operatorError(err)
	}
	v, err := cl.View(a.ctx, c.ID)
	if err != nil {
		return operatorError(err)
	}
	if a.json {
		return a.printJSON(v.Item)
	}
	a.showHeld(v.Item, a.sentencesOf(cl, v.Item))
	if c.Header {
		a.block(lang.T("Phần đầu thư", "Header"), v.Header)
	}
	a.block(lang.T("Các phần của thư", "Parts"), v.Tree)
	if c.Text {
		a.block(lang.T("Nội dung", "Text"), v.Text)
		a.block(lang.T("Chữ bị giấu, người đọc không thấy", "Hidden text, which its reader does not see"), v.Hidden)
	}
	if v.Cut {
		a.say(lang.T("(còn nữa; xem đủ bằng --raw)", "(there is more; --raw shows all)"))
	}
	return nil
}

// block prints lines that are safe already, once more made so.
func (a *app) block(title lang.Text, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(a.stdout, "\n%s:\n", title.In(a.lang))
	for _, line := range lines {
		fmt.Fprintln(a.stdout, strings.TrimRight("  "+lang.Safe(line, mostLine), " "))
	}
}

// sentencesOf are those of the findings of a held letter: of the rule files here, or, where
// there are none, those that the gateway gives.
func (a *app) sentencesOf(cl *admin.Client, it quarantine.Item) map[string]policy.Weight {
	if a.remote.Server == "" || len(it.Findings) == 0 {
		return a.sentences()
	}
	var why heldExplained
	if err := cl.ExplainHeld(a.ctx, it.ID, false, &why); err != nil {
		return nil // the symbols stand alone
	}
	return senses(why.Findings)
}

func (a *app) showHeld(it quarantine.Item, sentences map[string]policy.Weight) {
	rows := [][2]string{
		{a.word("Mã", "Id"), it.ID},
		{a.word("Lúc giữ", "Held"), it.Held.Local().Format(time.RFC3339)},
		{a.word("Giữ đến", "Until"), it.Expires.Local().Format(time.RFC3339)},
		{a.word("Máy gửi", "Client"), strings.Join(strings.Fields(it.Remote+" ("+it.Helo+") "+it.Agency+" "+it.Account), " ")},
		{a.word("Người gửi", "From"), "<" + it.From + ">"},
		{a.word("Người nhận", "To"), strings.Join(it.To, ", ")},
		{a.word("Tiêu đề", "Subject"), it.Subject},
		{a.word("Loại", "Class"), classWord(it.Class).In(a.lang)},
		{a.word("Lý do", "Reason"), it.Reason},
		{a.word("Điểm", "Score"), fmt.Sprintf("%.1f", it.Score)},
	}
	if len(it.Approved) > 0 {
		rows = append(rows, [2]string{a.word("Đồng ý thả", "Approved by"), strings.Join(it.Approved, ", ")})
	}
	for _, r := range rows {
		fmt.Fprintf(a.stdout, "%s %s\n", padded(r[0]+":", 12), lang.Safe(r[1], 500))
	}
	for _, f := range it.Findings {
		fmt.Fprintln(a.stdout, a.findingLine(f, sentences))
	}
}

// word is a short label.
func (a *app) word(vi, en string) string { return lang.T(vi, en).In(a.lang) }

// classWord names a class to people.
func classWord(c quarantine.Class) lang.Text {
	switch c {
	case quarantine.Malware:
		return lang.T("mã độc", "malware")
	case quarantine.Unscannable:
		return lang.T("không kiểm tra được", "could not be looked at")
	case quarantine.FileType:
		return lang.T("loại tệp bị chặn", "blocked type of file")
	case quarantine.Phishing:
		return lang.T("lừa đảo", "phishing")
	case quarantine.Spam:
		return lang.T("thư rác", "spam")
	case quarantine.Encryption:
		return lang.T("chờ mã hoá", "waits for encryption")
	case quarantine.Authentication:
		return lang.T("chưa chứng minh được người gửi", "sender not proven")
	}
	return lang.T("khác", "other")
}

// classCounts says how many of each class there are, the gravest first.
func (a *app) classCounts(n map[quarantine.Class]int) string {
	var out []string
	for _, c := range quarantine.Classes() {
		if n[c] > 0 {
			out = append(out, fmt.Sprintf("%s %d", classWord(c).In(a.lang), n[c]))
		}
	}
	return strings.Join(out, ", ")
}

type quarantineExportCmd struct {
	ID    string `arg:"" help:"Id / mã."`
	File  string `arg:"" help:"New file, such as letter.eml / tệp mới."`
	IKnow bool   `name:"i-know" help:"Malware too: I know how to keep it safe / kể cả mã độc: tôi biết cách giữ an toàn."`
}

// Run writes the octets to a file that was not there, readable by nobody else.
func (c *quarantineExportCmd) Run(a *app) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	raw, err := cl.Export(a.ctx, c.ID, c.IKnow)
	if err != nil {
		return operatorError(err)
	}
	f, err := os.OpenFile(c.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fail(exitCantCreate, "không tạo được tệp %s: %v (tệp đã có thì không ghi đè)", "cannot make the file %s: %v (a file that is there is not overwritten)", c.File, cause(err))
	}
	_, err = f.Write(raw)
	for _, step := range []func() error{f.Sync, f.Close} {
		if e := step(); err == nil {
			err = e
		}
	}
	if err != nil {
		return fail(exitIOErr, "không ghi được %s: %v", "cannot write %s: %v", c.File, err)
	}
	return a.done(1, lang.T("đã xuất %d thư", "exported %d message"))
}

// cause is what the system has said, without the name of the file and of the call.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// whole tells whether a command names messages or a filter, and not both.
func whole(ids []string, where map[string]string) error {
	if (len(ids) == 0) == (len(where) == 0) {
		return fail(exitUsage, "hãy nêu mã thư hoặc --where, chỉ một trong hai", "name ids, or --where, one of the two")
	}
	return nil
}

// whereKeys are what --where may speak of.
var whereKeys = []string{"text", "agency", "recipient", "sender", "symbol", "reason", "class", "since"}

func whereFilter(where map[string]string, deleted bool) (quarantine.Filter, error) {
	h := heldFilter{Agency: where["agency"], Recipient: where["recipient"], Sender: where["sender"], Symbol: where["symbol"], Reason: where["reason"], Class: where["class"], Deleted: deleted}
	for k := range where {
		if !slices.Contains(whereKeys, k) {
			return quarantine.Filter{}, fail(exitUsage, "--where không có %q; chỉ có: %s", "--where knows no %q; it knows: %s", k, strings.Join(whereKeys, ", "))
		}
	}
	if c := quarantine.Class(h.Class); c != "" && !slices.Contains(quarantine.Classes(), c) {
		return quarantine.Filter{}, fail(exitUsage, "không có loại %q", "there is no class %q", h.Class)
	}
	if s := where["since"]; s != "" {
		if err := h.Since.UnmarshalText([]byte(s)); err != nil {
			return quarantine.Filter{}, fail(exitUsage, "--where since: %v", "--where since: %v", err)
		}
	}
	return h.filter(strings.Fields(where["text"])), nil
}
