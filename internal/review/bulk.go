package review

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"congthu/internal/lang"
	"congthu/internal/quarantine"
)

// Bulk is one act on all messages of a list. First comes a dry run, which says how many
// they are and gives a word to confirm with; the act asks for that word, and does nothing
// when the list is not the same any more. What was held after the dry run is not in it.
type Bulk struct {
	Filter  quarantine.Filter `json:"filter"`
	Act     string            `json:"act"` // release, delete, undo, approve, spam, ham
	Order   Order             `json:"order,omitzero"`
	Confirm string            `json:"confirm,omitempty"` // "": a dry run
}

// Done is what came of a bulk, or would.
type Done struct {
	Count   int                      `json:"count"`
	Classes map[quarantine.Class]int `json:"classes"`
	Confirm string                   `json:"confirm,omitempty"` // of a dry run
	Done    int                      `json:"done"`
	Refused []Refused                `json:"refused,omitempty"`
	Left    int                      `json:"left,omitempty"` // the time was over before their turn
}

// Refused is a message on which the act was not done.
type Refused struct {
	ID  string    `json:"id"`
	Why lang.Text `json:"why"`
}

const (
	bulkMost = 10_000 // messages in one act
	bulkWide = 4      // at a time: mail has to be judged meanwhile
	bulkTime = 45 * time.Second
)

// Bulk does one act on all messages of a list, or (without Confirm) says on which it would.
func (r *Reviewer) Bulk(ctx context.Context, b Bulk) (Done, error) {
	act, err := r.bulkAct(b)
	if err != nil {
		return Done{}, err
	}
	at, err := b.moment()
	if err != nil {
		return Done{}, err
	}
	b.Filter.Until = at
	ids, classes, err := r.within.IDs(ctx, b.Filter)
	if err != nil {
		return Done{}, err
	}
	if len(ids) > bulkMost {
		n := fmt.Sprint(len(ids))
		return Done{}, &Refusal{"many", lang.T("có "+n+" thư, quá nhiều cho một lần; hãy lọc hẹp hơn", n+" messages are too many at once; narrow the filter")}
	}
	out := Done{Count: len(ids), Classes: classes}
	word := b.word(at, ids)
	switch b.Confirm {
	case "":
		out.Confirm = word
		return out, r.d.o.Audit.Record(ctx, r.entry("quarantine.list", "", nil, fmt.Sprintf("%d for %s in bulk, dry run", len(ids), b.Act)))
	case word:
		r.each(ctx, ids, act, &out)
		return out, nil
	}
	return Done{}, &Refusal{"confirm", lang.T("danh sách đã khác lúc xem thử, chưa làm gì; hãy xem thử lại", "the list is not the same as in the dry run, nothing is done; look at it again")}
}

func (r *Reviewer) bulkAct(b Bulk) (func(context.Context, string) error, error) {
	if err := r.may("review"); err != nil {
		return nil, err
	}
	if b.Order.AllowSender != "" {
		return nil, &Refusal{"allow", lang.T(
			"không cho phép người gửi hàng loạt: mỗi người gửi phải có người xem thư rồi cho phép bằng congthu quarantine release MÃ --allow-sender",
			"senders are not allowed in bulk: somebody has to look at a letter of each, and allow its sender with congthu quarantine release ID --allow-sender")}
	}
	switch b.Act {
	case "release":
		return func(ctx context.Context, id string) error { _, err := r.Release(ctx, id, b.Order); return err }, nil
	case "delete":
		return r.Delete, nil
	case "undo":
		return r.Undo, nil
	case "approve":
		return r.Approve, nil
	case "spam", "ham":
		return func(ctx context.Context, id string) error { return r.Learn(ctx, id, b.Act == "spam") }, nil
	}
	return nil, &Refusal{"act", lang.T("không làm hàng loạt được việc "+strconv.Quote(b.Act), strconv.Quote(b.Act)+" cannot be done in bulk")}
}

// moment is when the dry run was: what was held later is not meant.
func (b Bulk) moment() (time.Time, error) {
	if b.Confirm == "" {
		return time.Now().Truncate(time.Millisecond), nil
	}
	at, _, _ := strings.Cut(b.Confirm, "-")
	n, err := strconv.ParseInt(at, 36, 64)
	if err != nil || n < 0 {
		return time.Time{}, &Refusal{"confirm", lang.T("mã xác nhận không đúng; hãy xem thử lại", "the word to confirm with is not one; do the dry run again")}
	}
	return time.UnixMilli(n), nil
}

// word stands for an act on a set of messages.
func (b Bulk) word(at time.Time, ids []string) string {
	sorted := slices.Sorted(slices.Values(ids))
	sum := sha256.Sum256([]byte(b.Act + "\n" + strings.Join(b.Order.To, " ") + fmt.Sprint(b.Order.Learn) + "\n" + strings.Join(sorted, "\n")))
	return strconv.FormatInt(at.UnixMilli(), 36) + "-" + hex.EncodeToString(sum[:6])
}

// each acts on one message after the other, several at a time, until all are done or the
// time is over.
func (r *Reviewer) each(ctx context.Context, ids []string, act func(context.Context, string) error, out *Done) {
	ctx, cancel := context.WithTimeout(ctx, bulkTime)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	turn := make(chan struct{}, bulkWide)
	for n, id := range ids {
		turn <- struct{}{}
		if ctx.Err() != nil {
			mu.Lock()
			out.Left += len(ids) - n
			mu.Unlock()
			break
		}
		wg.Go(func() {
			defer func() { <-turn }()
			err := act(ctx, id)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				out.Done++
				return
			}
			out.Refused = append(out.Refused, Refused{id, why(err)})
		})
	}
	wg.Wait()
	slices.SortFunc(out.Refused, func(a, b Refused) int { return strings.Compare(a.ID, b.ID) })
}

// why is an error in both languages.
func why(err error) lang.Text {
	var told interface{ In(lang.Lang) string }
	switch {
	case errors.As(err, &told):
		return lang.T(told.In(lang.VI), told.In(lang.EN))
	case errors.Is(err, ErrNotFound):
		return lang.T("không còn thư này", "it is not there any more")
	}
	return lang.T("lỗi bên trong, xem nhật ký", "internal error, see the log")
}
