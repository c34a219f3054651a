package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"

	"congthu/internal/admin"
	"congthu/internal/lang"
	"congthu/internal/quarantine"
	"congthu/internal/review"
	"congthu/internal/screen"
)

// screenItems is how many messages the screen lists; a search finds older ones.
const screenItems = 500

type reviewCmd struct {
	Text string `arg:"" optional:"" help:"Only those with this text in sender, recipient, subject or reason / lọc theo chữ."`
}

// Run shows held mail on the whole screen.
func (c *reviewCmd) Run(a *app) error {
	if !terminal(a.stdin) || !terminal(a.stdout) {
		return fail(exitUsage, "congthu review cần một màn hình dòng lệnh; trong tập lệnh hãy dùng congthu quarantine list --json", "congthu review needs a terminal; in scripts use congthu quarantine list --json")
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	if _, err := cl.WhoAmI(a.ctx); err != nil { // told here, and not on a screen that is empty
		return operatorError(err)
	}
	return screen.Run(a.ctx, screen.Options{Desk: afar{a, cl}, Lang: a.lang, Say: a.inWords, Text: c.Text, In: a.stdin, Out: a.stdout})
}

// terminal tells whether one end is a terminal.
func terminal(end any) bool {
	f, ok := end.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// inWords is an error as the commands say it.
func (a *app) inWords(err error) string {
	var f *failure
	if err = operatorError(err); errors.As(err, &f) {
		return f.what.In(a.lang)
	}
	return err.Error()
}

// afar is the desk of the running gateway, as the screen asks for it.
type afar struct {
	a  *app
	cl *admin.Client
}

// List implements screen.Desk.
func (d afar) List(ctx context.Context, text string) ([]quarantine.Item, int, error) {
	p, err := d.cl.Page(ctx, quarantine.Filter{Text: text, Limit: screenItems})
	return p.Items, p.Total, err
}

// Text implements screen.Desk.
func (d afar) Text(ctx context.Context, id string) ([]string, error) {
	v, err := d.cl.View(ctx, id)
	if err != nil {
		return nil, err
	}
	out := append(v.Text, "", d.a.word("── các phần ──", "── parts ──"))
	out = append(out, v.Tree...)
	if len(v.Hidden) > 0 {
		out = append(append(out, "", d.a.word("── chữ bị giấu, người đọc không thấy ──", "── hidden text that a reader does not see ──")), v.Hidden...)
	}
	out = append(append(out, "", d.a.word("── phần đầu thư ──", "── header ──")), v.Header...)
	if v.Cut {
		out = append(out, "", d.a.word("(còn nữa: congthu quarantine export)", "(there is more: congthu quarantine export)"))
	}
	return out, nil
}

// Why implements screen.Desk. It is what quarantine explain prints.
func (d afar) Why(ctx context.Context, id string) ([]string, error) {
	var why heldExplained
	if err := d.cl.ExplainHeld(ctx, id, false, &why); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	paper := *d.a
	paper.stdout = &out
	paper.explainHeld(why)
	return strings.Split(strings.TrimRight(out.String(), "\n"), "\n"), nil
}

// Release implements screen.Desk.
func (d afar) Release(ctx context.Context, id string, learn bool) (lang.Text, error) {
	out, err := d.cl.Release(ctx, id, review.Order{Learn: learn})
	to := strings.Join(out.To, ", ")
	return lang.T("đã thả, đang giao cho: "+to, "released, on its way to: "+to), err
}

// Delete implements screen.Desk.
func (d afar) Delete(ctx context.Context, id string) (lang.Text, error) {
	return lang.T("đã xoá "+quarantine.Short(id)+"; u: lấy lại", "deleted "+quarantine.Short(id)+"; u takes it back"), d.cl.Delete(ctx, id)
}

// Undo implements screen.Desk.
func (d afar) Undo(ctx context.Context, id string) (lang.Text, error) {
	return lang.T("đã lấy lại "+quarantine.Short(id), quarantine.Short(id)+" is held again"), d.cl.Undelete(ctx, id)
}

// Approve implements screen.Desk.
func (d afar) Approve(ctx context.Context, id string) (lang.Text, error) {
	return lang.T("đã ghi ý kiến đồng ý của bạn; một người khác thả", "your approval is on record; somebody else releases"), d.cl.Approve(ctx, id)
}

// Learn implements screen.Desk.
func (d afar) Learn(ctx context.Context, id string, spam bool) (lang.Text, error) {
	return lang.T("đã ghi bài học", "the lesson is on record"), d.cl.LearnHeld(ctx, id, spam)
}
