package review

import (
	"errors"
	"strconv"
	"strings"

	"congthu/internal/allowance"
	"congthu/internal/lang"
	"congthu/internal/quarantine"
	"congthu/internal/store"
)

// Refusal is why something is not done, for a person who can mend it.
type Refusal struct {
	Code string `json:"code"` // one word that stays the same
	What lang.Text
}

// Error returns the English sentence.
func (r *Refusal) Error() string { return r.What.EN }

// In returns the sentence in that language.
func (r *Refusal) In(l lang.Lang) string { return r.What.In(l) }

// refusal says what a person can mend as such; other errors stay as they are.
func refusal(err error) error {
	var a *quarantine.Ambiguous
	switch {
	case err == nil:
		return nil
	case errors.As(err, &a):
		list := strings.Join(a.IDs, ", ")
		return &Refusal{"ambiguous", lang.T("mã "+a.Part+" ứng với nhiều thư: "+list+"; hãy viết thêm", "the id "+a.Part+" is of several messages: "+list+"; write more of it")}
	case errors.Is(err, quarantine.ErrRecipient):
		return &Refusal{"recipient", lang.T("thư không (hoặc không còn) được giữ cho địa chỉ đó; xem congthu quarantine show", "the message is not held for that address, or not any more; see congthu quarantine show")}
	case errors.Is(err, quarantine.ErrNoRoute):
		return &Refusal{"route", lang.T("chưa có tuyến [[route]] cho tên miền người nhận; thêm tuyến rồi thả lại", "no [[route]] for the recipient's domain; add one and release again")}
	case errors.Is(err, quarantine.ErrSamePerson):
		return &Refusal{"same-person", lang.T(
			"thả thư này cần hai người, mà người đã đồng ý cũng chính là người đang thả (cùng một người hoặc cùng một token); cần một người khác đồng ý, hoặc một người khác thả",
			"this message needs two people, and the one who has agreed is the one who releases (the same person, or the same token); somebody else must agree, or somebody else must release")}
	case errors.Is(err, quarantine.ErrApproval):
		return &Refusal{"approval", lang.T(
			"thả thư này cần hai người: trước hết một người khác đồng ý bằng congthu quarantine approve",
			"this message needs two people: somebody else must agree first, with congthu quarantine approve")}
	case errors.Is(err, allowance.ErrFull):
		n := strconv.Itoa(allowance.Max)
		return &Refusal{"many", lang.T(
			"đã có "+n+" lượt cho phép, không thêm được; hãy thu hồi những lượt không cần nữa (congthu quarantine allowed, disallow); thư chưa được thả",
			"there are "+n+" allowed senders, no more fit; take back those that are not needed (congthu quarantine allowed, disallow); the message is not released")}
	case errors.Is(err, allowance.ErrAddress):
		return &Refusal{"address", lang.T(
			"địa chỉ người gửi hoặc người nhận có dạng không ghi nhớ được, nên không cho phép người gửi được; thư chưa được thả, thả thì bỏ --allow-sender",
			"the address of the sender or of the recipient cannot be kept, so that the sender cannot be allowed; the message is not released, do so without --allow-sender")}
	case errors.Is(err, quarantine.ErrCursor):
		return &Refusal{"cursor", lang.T("tham số trang không hợp lệ; mở lại danh sách từ đầu", "the place in the list is not one; open the list from its beginning")}
	}
	return err
}

// NoRoom tells whether an act was not done because the gateway has no room to put it on
// record, and says so to whoever wanted it. It holds for every act, not only for those of
// a Desk.
func NoRoom(err error) (said lang.Text, full bool) {
	return lang.T(
		"đĩa của cổng thư đã đầy, không ghi được vào sổ kiểm toán nên chưa làm gì; xem congthu check, dọn chỗ rồi làm lại",
		"the gateway's disk is full: what cannot be put on record is not done; see congthu check, make room, and do it again"), errors.Is(err, store.ErrFull)
}
