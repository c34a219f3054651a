// Package corpus makes Vietnamese mail: what agencies, their partners and citizens write
// to a province, and what spammers and forgers send it. No freely licensed collection of
// such mail was found, and real mail is nobody's to publish; so the texts are written for
// this house (texts/*.toml), the persons, agencies and firms in them are invented, and a
// generator that always answers the same makes the letters of them: headers as a dozen
// mail programs write them, plain and HTML forms, attachments, the client's address and
// what DNS says of it, and every letter in the character sets and spellings in which the
// same words travel.
//
// The texts are split into three sets that share none, so that what was learnt or tuned
// on one is measured on another.
package corpus

import (
	"net/netip"
	"strings"
)

// Set says what a text may be used for.
type Set string

// The sets.
const (
	Train Set = "train" // the classifier's starting model
	Tune  Set = "tune"  // rules and weights may be tuned on it
	Held  Set = "held"  // only looked at to report figures
)

// Form is how the words of a letter are spelt or encoded.
type Form string

// The forms. All but NFC are variants of the same letter.
const (
	NFC       Form = "nfc"
	NFD       Form = "nfd"    // marks apart, as some Macs and web mail write them
	Bare      Form = "bare"   // without Vietnamese marks
	TCVN3     Form = "tcvn3"  // the ABC fonts; labelled as another set, as they always are
	VNI       Form = "vni"    // the VNI fonts; likewise
	VISCII    Form = "viscii" // RFC 1456
	CP1258    Form = "windows-1258"
	Spaced    Form = "spaced"    // v.a.y t i ề n
	Lookalike Form = "lookalike" // letters of other scripts and digits
	ZeroWidth Form = "zerowidth" // invisible characters inside words
	Spans     Form = "spans"     // one HTML element a letter
	Dashed    Form = "dashed"    // v-a-y, v_a_y
	Broken    Form = "broken"    // comments, soft hyphens and places to break a line within words
	Digits    Form = "digits"    // digits in the place of letters: v4y ti3n
)

// Encodings are the forms in which honest people write too.
func Encodings() []Form { return []Form{NFD, Bare, TCVN3, VNI, VISCII, CP1258} }

// Evasions are the forms that only those who hide from filters use.
func Evasions() []Form { return []Form{Spaced, Lookalike, ZeroWidth, Spans, Dashed, Broken, Digits} }

// Letter is one message and what is known about its delivery.
type Letter struct {
	Name     string // of its file: unique, and the same for every run
	Topic    string
	Spam     bool
	Set      Set
	Form     Form
	Client   netip.Addr
	Helo     string
	From, To string // envelope
	Inside   bool   // the client is a server of an agency that relays through the gateway
	Raw      []byte // CRLF
}

// Of returns n letters of every text of the set, in NFC, in the order of the files.
func Of(set Set, n int) ([]Letter, error) {
	lib, err := load()
	if err != nil {
		return nil, err
	}
	var out []Letter
	for _, t := range lib.texts {
		for i := range n {
			if t.set == set {
				out = append(out, lib.letter(t, i, NFC))
			}
		}
	}
	return out, nil
}

// Training returns n letters of every text of the set Train, more of one that is made of
// many phrases, in the forms in which such
// letters come: mostly NFC, some without marks, few in old character sets. The answer
// depends on n only.
func Training(n int) ([]Letter, error) {
	lib, err := load()
	if err != nil {
		return nil, err
	}
	usual := []Form{NFC, NFC, Bare, NFC, NFD, NFC, TCVN3, Bare, NFC, CP1258, NFC, VNI}
	var out []Letter
	for k, t := range lib.texts {
		for i := range n * t.times {
			if t.set == Train {
				out = append(out, lib.letter(t, i, usual[(k+i)%len(usual)]))
			}
		}
	}
	return out, nil
}

// As returns the same letter in another form: the same words by the same sender, through
// the same mail program.
func As(l Letter, f Form) (Letter, error) {
	lib, err := load()
	if err != nil {
		return Letter{}, err
	}
	t, n, err := lib.find(l.Name)
	if err != nil {
		return Letter{}, err
	}
	return lib.letter(t, n, f), nil
}

// Foreign tells whether nothing of the letter's words is in letters that the form encodes
// otherwise: only the label and the font of the form would be new.
func (f Form) Foreign(l Letter) bool {
	lib, err := load()
	if err != nil {
		return false
	}
	t, _, err := lib.find(l.Name)
	return err == nil && ascii(strings.ReplaceAll(t.Subject+t.Text, "\n", " ")) && f.label() != NFC.label()
}

// Zone is what DNS says about the senders of the letters, as text for dns/fake.
func Zone() (string, error) {
	lib, err := load()
	if err != nil {
		return "", err
	}
	return lib.zone(), nil
}
