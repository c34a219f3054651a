// Package notice is what the gateway itself writes to people: which texts there are, how a
// letter is made of one, who may be told at all, and how often.
//
// The texts are templates (text/template) that an administrator may replace. What strangers
// wrote stands in them only as Plain has made it, and a letter in which a mail program would
// find a link is not made: people are told that a letter of the gateway never has one.
package notice

import (
	"congthu/internal/lang"
)

// The texts, by the names of their files without ".txt".
const (
	DigestText   = "digest"   // Digest
	AnswerText   = "answer"   // Answer
	HeldText     = "held"     // Letter
	SenderText   = "sender"   // Letter
	StrippedText = "stripped" // Letter
	WaitingText  = "waiting"  // Letter
	ThanksText   = "thanks"   // Answer
)

// Digest is what the text "digest" is filled with.
type Digest struct {
	Day     string // as people write it: 28/11/2026
	Mailbox bool   // it is for a mailbox of an agency, and lists the letters of several recipients
	Reply   bool   // letters can be asked for by a reply
	Count   int    // of all letters
	More    int    // of those that are not listed
	Entries []Entry
}

// Entry is a held letter in a digest. Its texts are plain.
type Entry struct {
	N             int
	Time          string
	From, Subject string
	To            []string // in a digest for a mailbox
	Code          string   // to ask for the letter by; "": it cannot be asked for
	Malware       bool     // and that is why
	lang.Text              // the reason
}

// Answer is what "answer" and "thanks" are filled with.
type Answer struct{ Lines []Line }

// Line says what came of one code, or of one report.
type Line struct {
	Code string
	lang.Text
}

// Letter is what the texts about one letter are filled with. Its texts are plain.
type Letter struct {
	ID            string
	Gateway       string
	From, Subject string
	To            []string
	Files         string // those that were taken out
	lang.Text            // the reason
}

// sample fills each text as it may come at its fullest, so that a mistake shows when an
// administrator checks and not when a letter is due.
func sample(name string) any {
	why := lang.T("thư giống thư rác", "it looks like spam")
	switch name {
	case DigestText:
		e := Entry{N: 1, Time: "28/11 07:05", From: "Nguyễn Văn A (a(at)b[.]vn)", Subject: "Công văn", To: []string{"van-thu(at)so[.]vn"}, Code: "0ABC-1-DEF", Text: why}
		bad := e
		bad.N, bad.Code, bad.Malware = 2, "", true
		return Digest{Day: "28/11/2026", Mailbox: true, Reply: true, Count: 3, More: 1, Entries: []Entry{e, bad}}
	case AnswerText, ThanksText:
		return Answer{Lines: []Line{{"0ABC-1-DEF", why}}}
	}
	return Letter{ID: "0ABC", Gateway: "gw[.]so[.]vn", From: "A", Subject: "Công văn", To: []string{"b(at)c[.]vn"}, Files: "a[.]exe", Text: why}
}

// names lists the texts.
func names() []string {
	return []string{DigestText, AnswerText, HeldText, SenderText, StrippedText, WaitingText, ThanksText}
}
