package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"congthu/internal/lang"
	"congthu/internal/policy"
	"congthu/internal/quarantine"
	"congthu/internal/review"
)

// Desk is what one caller may do with held mail.
type Desk interface {
	List(context.Context, quarantine.Filter) (quarantine.Page, error)
	Item(ctx context.Context, id string) (quarantine.Item, error)
	View(ctx context.Context, id string) (review.View, error)
	Explain(ctx context.Context, id string) (Why, error)
	Release(ctx context.Context, id string, o review.Order) (review.Released, error)
	Approve(ctx context.Context, id string) error
	Delete(ctx context.Context, id string) error
	Learn(ctx context.Context, id string, spam bool) error
}

// Why is what the page about the reasons shows.
type Why struct {
	Item  quarantine.Item
	Lines []Line
}

// Line is one thing that was found, in words.
type Line struct {
	policy.Step
	Sentence lang.Text
}

// perPage is how many messages one page lists.
const perPage = 50

type listView struct {
	quarantine.Page
	Query       quarantine.Filter
	Spans       []choice
	Classes     []choice
	MayAct      bool
	First, Next string // links
}

// choice is one line of a select.
type choice struct {
	Value string
	Word  lang.Text
	On    bool
}

// spans are the times that the list can be limited to.
func spans(on string) []choice {
	return []choice{
		{"", lang.T("mọi lúc", "any time"), on == ""},
		{"24h", lang.T("24 giờ qua", "the last 24 hours"), on == "24h"},
		{"168h", lang.T("7 ngày qua", "the last 7 days"), on == "168h"},
	}
}

func classes(on string) []choice {
	out := []choice{{"", lang.T("mọi loại", "any class"), on == ""}}
	for _, c := range quarantine.Classes() {
		out = append(out, choice{string(c), classWord(c), on == string(c)})
	}
	return out
}

// classWord is a class of held mail in words.
func classWord(c quarantine.Class) lang.Text {
	switch c {
	case quarantine.Malware:
		return lang.T("mã độc", "malware")
	case quarantine.Unscannable:
		return lang.T("không quét được", "unscannable")
	case quarantine.FileType:
		return lang.T("loại tệp bị chặn", "blocked file type")
	case quarantine.Phishing:
		return lang.T("lừa đảo", "phishing")
	case quarantine.Spam:
		return lang.T("thư rác", "spam")
	case quarantine.Encryption:
		return lang.T("mã hoá", "encryption")
	case quarantine.Authentication:
		return lang.T("xác thực", "authentication")
	}
	return lang.T("khác", "other")
}

func (c *Console) list(w http.ResponseWriter, r *http.Request, by caller) {
	q := r.URL.Query()
	f := quarantine.Filter{Text: q.Get("text"), Class: quarantine.Class(q.Get("class")), After: q.Get("after"), Limit: perPage}
	if span, err := time.ParseDuration(q.Get("since")); err == nil && span > 0 {
		f.Since = c.o.Now().Add(-span)
	}
	page, err := c.o.Desk(by.who).List(r.Context(), f)
	if err != nil {
		c.fail(w, r, by, err)
		return
	}
	v := listView{Page: page, Query: f, Spans: spans(q.Get("since")), Classes: classes(string(f.Class)), MayAct: by.who.May("review")}
	v.First, v.Next = turn(q, page)
	c.render(w, r, "list", http.StatusOK, by, v)
}

// turn makes the links to the first and to the next page of a list.
func turn(q url.Values, p quarantine.Page) (first, next string) {
	link := func(after string) string {
		to := url.Values{}
		for _, name := range []string{"text", "since", "class"} {
			if v := q.Get(name); v != "" {
				to.Set(name, v)
			}
		}
		if after != "" {
			to.Set("after", after)
		}
		return "/quarantine?" + to.Encode()
	}
	if q.Get("after") != "" {
		first = link("")
	}
	if p.Next != "" {
		next = link(p.Next)
	}
	return first, next
}

type showView struct {
	review.View
	MayAct bool
}

func (c *Console) show(w http.ResponseWriter, r *http.Request, by caller) {
	v, err := c.o.Desk(by.who).View(r.Context(), r.PathValue("id"))
	if err != nil {
		c.fail(w, r, by, err)
		return
	}
	c.render(w, r, "show", http.StatusOK, by, showView{v, by.who.May("review")})
}

func (c *Console) explain(w http.ResponseWriter, r *http.Request, by caller) {
	why, err := c.o.Desk(by.who).Explain(r.Context(), r.PathValue("id"))
	if err != nil {
		c.fail(w, r, by, err)
		return
	}
	c.render(w, r, "explain", http.StatusOK, by, why)
}

// act does one thing to one message and goes back to the list, or stays at the message
// when that is still there.
func (c *Console) act(w http.ResponseWriter, r *http.Request, by caller) {
	id := r.PathValue("id")
	n, gone, err := c.do(r.Context(), by, id, r.PostFormValue("act"), review.Scope(r.PostFormValue("allow")))
	if err != nil {
		c.fail(w, r, by, err)
		return
	}
	c.book.say(by.id, n)
	if to := "/quarantine/" + url.PathEscape(id); !gone {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	http.Redirect(w, r, "/quarantine", http.StatusSeeOther)
}

// do returns what to say, and whether the message has left the list. allow is for whom the
// sender of what is released is allowed from now on; "": for nobody.
func (c *Console) do(ctx context.Context, by caller, id, act string, allow review.Scope) (n note, gone bool, err error) {
	desk := c.o.Desk(by.who)
	switch act {
	case "release":
		var out review.Released
		out, err = desk.Release(ctx, id, review.Order{AllowSender: allow})
		return note{What: released(out)}, true, err
	case "delete":
		return note{What: lang.T("Đã xoá; lấy lại bằng: congthu quarantine undo "+id, "Deleted; take it back with: congthu quarantine undo "+id)}, true, desk.Delete(ctx, id)
	case "approve":
		return note{What: lang.T("Đã ghi ý kiến đồng ý của bạn.", "Your approval is on record.")}, false, desk.Approve(ctx, id)
	case "spam", "ham":
		return note{What: lang.T("Đã ghi bài học.", "The lesson is on record.")}, false, desk.Learn(ctx, id, act == "spam")
	}
	return note{}, false, &review.Refusal{What: lang.T("không có việc này", "there is no such act")}
}

// released says what came of a release, and of allowing its sender.
func released(out review.Released) lang.Text {
	to := lang.Safe(strings.Join(out.To, ", "), 300)
	vi, en := "Đã thả, đang giao cho: "+to, "Released, on its way to: "+to
	for _, a := range out.Allowed {
		sender, whom := lang.Safe(a.Sender, 100), lang.Safe(a.For, 100)
		vi += "; từ nay thư đã xác thực của " + sender + " được gửi tới " + whom + " (thu hồi: congthu quarantine disallow " + a.ID + ")"
		en += "; from now on letters proven to be of " + sender + " get through to " + whom + " (take it back: congthu quarantine disallow " + a.ID + ")"
	}
	if out.Beyond != "" {
		reason := lang.Safe(out.Beyond, 60)
		vi += "; lưu ý: thư giống thư này vẫn sẽ bị giữ vì " + reason
		en += "; note: another letter like this one will be held all the same, for " + reason
	}
	return lang.T(vi, en)
}

type severalView struct {
	Act   string
	Items []quarantine.Item
}

// mostAtOnce is how many messages one form may name: a page of the list.
const mostAtOnce = perPage

// several does one thing to the messages that were chosen in the list: first it shows
// which, then, confirmed, it does it to each and says what came of it.
func (c *Console) several(w http.ResponseWriter, r *http.Request, by caller) {
	ids, act := r.PostForm["id"], r.PostFormValue("act")
	switch {
	case len(ids) == 0 || len(ids) > mostAtOnce || !slices.Contains([]string{"release", "delete"}, act):
		c.book.say(by.id, note{lang.T("hãy chọn ít nhất một thư", "choose at least one message"), true})
		http.Redirect(w, r, "/quarantine", http.StatusSeeOther)
	case r.PostFormValue("confirm") != "yes":
		c.confirm(w, r, by, ids, act)
	default:
		c.doSeveral(w, r, by, ids, act)
	}
}

func (c *Console) doSeveral(w http.ResponseWriter, r *http.Request, by caller, ids []string, act string) {
	n, refused := 0, ""
	for _, id := range ids {
		_, _, err := c.do(r.Context(), by, id, act, "")
		if err == nil {
			n++
			continue
		}
		_, what, ok := refusal(err)
		if !ok {
			c.trouble(w, r, by, err)
			return
		}
		refused += "; " + lang.Safe(id, 60) + ": " + what.In(by.lang)
	}
	done := lang.T("đã làm xong với %d thư", "done with %d message(s)").F(by.lang, n) + refused
	c.book.say(by.id, note{lang.T(done, done), refused != ""})
	http.Redirect(w, r, "/quarantine", http.StatusSeeOther)
}

// confirm shows which messages are meant. One that is not there for the caller is not shown
// and not named again.
func (c *Console) confirm(w http.ResponseWriter, r *http.Request, by caller, ids []string, act string) {
	v := severalView{Act: act}
	desk := c.o.Desk(by.who)
	for _, id := range ids {
		it, err := desk.Item(r.Context(), id)
		if err != nil {
			if _, _, ok := refusal(err); ok {
				continue
			}
			c.trouble(w, r, by, err)
			return
		}
		v.Items = append(v.Items, it)
	}
	c.render(w, r, "several", http.StatusOK, by, v)
}
