package classify

import (
	"context"

	"congthu/internal/lang"
	"congthu/internal/learn"
	"congthu/internal/msg"
)

// explained is how many reasons are told for each side.
const explained = 6

// Explain implements msg.Explainer: the strongest features in words.
func (in inspector) Explain(_ context.Context, m *msg.Message) ([]msg.Note, error) {
	symbol, percent := in.verdict(m, in.Classifier.Judge(m))
	if percent == 0 {
		return nil, nil
	}
	forSpam, forHam := in.Classifier.Reasons(m, 4*explained)
	like, unlike := notes(symbol, forSpam, asSpam()), notes(symbol, forHam, asHam())
	if symbol == ham {
		like, unlike = unlike, like
	}
	return append(like[:min(len(like), explained)], unlike[:min(len(unlike), explained/3)]...), nil
}

func asSpam() lang.Text { return lang.T("giống thư rác", "as in spam") }
func asHam() lang.Text  { return lang.T("giống thư tốt", "as in wanted mail") }

// notes tell the reasons that there are words for.
func notes(symbol string, list []learn.Reason, side lang.Text) []msg.Note {
	var out []msg.Note
	for _, r := range list {
		if t, ok := sentence(r); ok {
			out = append(out, msg.Note{Symbol: symbol, VI: side.VI + ": " + t.F(lang.VI, r.Words), EN: side.EN + ": " + t.F(lang.EN, r.Words)})
		}
	}
	return out
}

// sentence is how a reason is told; what says nothing to a reader is not.
func sentence(r learn.Reason) (lang.Text, bool) {
	if r.View == learn.Shape && r.Kind == "" {
		t, ok := facts()[r.Words]
		return t, ok
	}
	t, ok := kinds()[r.Kind]
	return t, ok
}

// kinds are the sentences by kind of reason; %s is of the letter.
func kinds() map[string]lang.Text {
	return map[string]lang.Text{
		"d":            lang.T("từ trong thư “%s”", "the words “%s”"),
		"n":            lang.T("từ trong thư (bỏ dấu) “%s”", "the words (without marks) “%s”"),
		"s":            lang.T("từ trong tiêu đề “%s”", "the words of the subject “%s”"),
		"u":            lang.T("chữ “%s” trong tên máy chủ của liên kết", "“%s” in the host of a link"),
		"p":            lang.T("chữ “%s” trong đường dẫn của liên kết", "“%s” in the path of a link"),
		"field":        lang.T("đầu thư có trường %s", "the header has the field %s"),
		"without":      lang.T("đầu thư thiếu trường %s", "the header lacks the field %s"),
		"mailer":       lang.T("soạn bằng chương trình “%s”", "written with the program “%s”"),
		"tag":          lang.T("trang HTML dùng thẻ %s", "the page uses the tag %s"),
		"charset":      lang.T("bảng mã “%s”", "the character set “%s”"),
		"type":         lang.T("có phần loại %s", "it has a part of type %s"),
		"file":         lang.T("đính kèm tệp đuôi %s", "a file ending in %s is attached"),
		"link top":     lang.T("liên kết tới tên miền .%s", "it links to .%s"),
		"link to":      lang.T("liên kết tới tệp đuôi %s", "it links to a file ending in %s"),
		"subject with": lang.T("tiêu đề có ký hiệu “%s”", "the subject has “%s”"),
	}
}

// facts are the sentences of what is there or not. They take the reason's words as well,
// in a form that prints nothing.
func facts() map[string]lang.Text {
	fact := func(vi, en string) lang.Text { return lang.T(vi+"%.0s", en+"%.0s") }
	return map[string]lang.Text{
		"message-id of the sender's domain": fact("Message-ID thuộc tên miền người gửi", "the Message-ID is of the sender's domain"),
		"reply-to elsewhere":                fact("trả lời sẽ tới tên miền khác", "replies go to another domain"),
		"from the recipient's domain":       fact("người gửi cùng tên miền với người nhận", "sender and recipient are of one domain"),
		"subject with raw 8-bit":            fact("tiêu đề có byte chưa mã hoá", "the subject has raw 8-bit octets"),
		"subject is a reply":                fact("tiêu đề là thư trả lời", "the subject is that of a reply"),
		"quotes another letter":             fact("có trích thư trước", "it quotes another letter"),
		"mailto link":                       fact("có liên kết gửi thư", "it links to an address"),
		"link with a port":                  fact("liên kết có số cổng", "a link names a port"),
		"link with a query":                 fact("liên kết có tham số", "a link has parameters"),
	}
}
