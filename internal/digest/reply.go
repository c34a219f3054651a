package digest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/notice"
	"congthu/internal/store"
)

// Replies takes what people answer to their digests.
type Replies struct {
	Store   *store.DB
	Queue   Queue
	Codes   Codes
	Texts   func() *notice.Texts
	NextHop func(domain string) (string, bool)
	// Release releases a held letter to the recipients that the digests of this address tell
	// of, together with another change or not at all. An error that speaks both languages is
	// told to the writer.
	Release func(ctx context.Context, address msg.Path, held string, with *store.Change) error

	Address, Name, Hostname string
	PerHour                 int // answers to one address
	NewID                   func() string
	Now                     func() time.Time
	Log                     *slog.Logger
}

// errUsed says that a code was used before, by another letter.
var errUsed = errors.New("digest: the code was used before")

// errAgain says that this very letter has used the code: it was sent again, because its
// sender did not hear our 250.
var errAgain = errors.New("digest: this letter has used the code")

// bilingual is an error that a person may read.
type bilingual interface{ In(lang.Lang) string }

// Take does what a reply asks for and answers it. author is the mailbox that is proven to
// have written the letter. When it returns an error the sender should try again.
func (r *Replies) Take(ctx context.Context, m *msg.Message, author msg.Path) error {
	letter := Letter(m)
	var lines []notice.Line
	for _, a := range Asks(m.Root) {
		said, err := r.do(ctx, author, a, letter)
		if err != nil {
			return err
		}
		r.Log.Info("digest reply", "id", m.ID, "author", author.Key(), "code", held(a.Code), "outcome", said.EN)
		lines = append(lines, notice.Line{Code: a.Code, Text: said})
	}
	return r.answer(ctx, m, author, letter, notice.Answer{Lines: lines})
}

// held is the part of a code that is no secret.
func held(code string) string {
	if m := codeForm.FindStringSubmatch(code); m != nil {
		return m[1]
	}
	return ""
}

// Letter knows a letter when it comes again: by its Message-ID, and without one by all of it.
func Letter(m *msg.Message) string {
	id := ""
	if m.Root != nil {
		id = m.Root.Get("Message-ID")
	}
	if id == "" {
		id = string(m.Raw)
	}
	sum := sha256.Sum256([]byte(m.Envelope.From.Key() + "\x00" + id))
	return hex.EncodeToString(sum[:16])
}

var (
	saidReleased = lang.T("Đã chuyển thư tới hộp thư của quý vị.", "The message is on its way to your mailbox.")
	saidUsed     = lang.T("Mã này đã được dùng rồi; thư đã được chuyển.", "This code was used before; the message was sent on then.")
	saidWrong    = lang.T("Mã này không đúng, hoặc không phải của quý vị. Xin chép lại mã trong bản tin.", "This is no code of yours. Please copy it from the digest.")
	saidExpired  = lang.T("Mã này đã hết hạn. Xin liên hệ quản trị viên.", "This code has expired. Please ask your administrator.")
	saidGone     = lang.T("Thư này không còn được giữ: đã được chuyển, bị xoá hoặc hết hạn. Xin hỏi quản trị viên nếu quý vị chưa nhận được.", "The message is not held any more: it was sent on, deleted or has expired. Please ask your administrator if you do not have it.")
	saidDelete   = lang.T("Không cần xoá: thư không ai xin sẽ tự bị xoá khi hết hạn giữ. Cổng thư không xoá thư theo yêu cầu gửi qua thư.", "There is no need to delete: what nobody asks for is deleted when its time is over. The gateway deletes nothing by mail.")
)

// ErrGone is what Release returns for a letter that is not held any more, or not for this
// address.
var ErrGone = errors.New("digest: not held any more")

// do does one thing that is asked for and says what came of it. Deleting is not done by
// mail: a letter that was kept needlessly costs nothing, one deleted by mistake is lost.
func (r *Replies) do(ctx context.Context, author msg.Path, a Ask, letter string) (lang.Text, error) {
	id, err := r.Codes.Read(author.Key(), a.Code, r.Now())
	switch {
	case errors.Is(err, ErrExpired):
		return saidExpired, nil
	case err != nil:
		return saidWrong, nil
	case a.Delete:
		return saidDelete, nil
	}
	err = r.Release(ctx, author, id, r.use(a.Code, letter))
	var b bilingual
	switch {
	case err == nil, errors.Is(err, errAgain):
		return saidReleased, nil
	case errors.Is(err, errUsed):
		return saidUsed, nil
	case errors.Is(err, ErrGone):
		return r.gone(ctx, a.Code, letter)
	case errors.As(err, &b):
		return lang.T(notice.Plain(b.In(lang.VI), 400), notice.Plain(b.In(lang.EN), 400)), nil
	}
	return lang.Text{}, err
}

// gone says why a letter is not there: because this code was used, or for another reason.
func (r *Replies) gone(ctx context.Context, code, letter string) (lang.Text, error) {
	var by string
	err := r.Store.View(ctx, func(tx store.Tx) error {
		return tx.QueryRow(ctx, `SELECT reply FROM digest_used WHERE code = $1`, hashCode(code)).Scan(&by)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return saidGone, nil
	case err != nil:
		return lang.Text{}, fmt.Errorf("digest: %w", err)
	case by == letter:
		return saidReleased, nil
	}
	return saidUsed, nil
}

func hashCode(code string) string {
	sum := sha256.Sum256([]byte(Tidy(code)))
	return hex.EncodeToString(sum[:16])
}

// use marks a code as used, or fails.
func (r *Replies) use(code, letter string) *store.Change {
	return &store.Change{Apply: func(ctx context.Context, tx store.Tx) error {
		res, err := tx.Exec(ctx, `INSERT INTO digest_used (code, reply, at) VALUES ($1, $2, $3) ON CONFLICT (code) DO NOTHING`, hashCode(code), letter, r.Now().UnixMilli())
		if err != nil {
			return fmt.Errorf("digest: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			return err
		}
		var by string
		if err := tx.QueryRow(ctx, `SELECT reply FROM digest_used WHERE code = $1`, hashCode(code)).Scan(&by); err != nil {
			return fmt.Errorf("digest: %w", err)
		}
		if by == letter {
			return errAgain
		}
		return errUsed
	}}
}

// answer says what came of a reply, once.
func (r *Replies) answer(ctx context.Context, m *msg.Message, to msg.Path, letter string, a notice.Answer) error {
	return r.Say(ctx, m, to, letter, notice.AnswerText, a)
}

// Say answers a letter to the gateway, once, and not more often than may be. A writer whom
// no route reaches hears nothing.
func (r *Replies) Say(ctx context.Context, m *msg.Message, to msg.Path, letter, text string, a notice.Answer) error {
	hop, ok := r.NextHop(to.Domain)
	if !ok {
		return nil
	}
	id := r.NewID()
	mail := notice.Mail{Name: r.Name, From: r.Address, To: to, Host: r.Hostname, ID: id, Reply: true, Answers: notice.MessageID(m.Root), Now: r.Now()}
	var err error
	if mail.Subject, mail.Body, err = r.Texts().Write(text, a); err != nil {
		return err
	}
	in, err := r.Queue.PrepareQuiet(ctx, &msg.Transfer{ID: id, NextHop: hop, Outbound: true, To: []msg.Path{to}, SMTPUTF8: !ascii(to.Raw), Content: [][]byte{mail.Octets()}})
	if err != nil {
		return err
	}
	return r.Store.Commit(ctx, notice.Once(notice.Limited(in, to.Key(), r.PerHour, r.Now()), letter, r.Now()))
}
