package digest

import (
	"crypto/hmac"
	"encoding/base32"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A code names one held letter for one address: the letter's id, the day on which the code
// ends, and a mark that only who has the data key can make of these and the address. It is
// typed and copied by people, so it is short, and says nothing that case or look-alike
// letters change. A mark of 100 bits is for an attacker who has to send us a letter for each
// guess, from a mailbox that is authenticated (RFC 2104 section 5 asks for 80).
const (
	use      = "digest.code"
	markSize = 20 // letters of 5 bits
	alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)

// Errors of codes.
var (
	ErrCode    = errors.New("digest: no code of ours for this address")
	ErrExpired = errors.New("digest: the code has expired")
)

// Codes makes and reads codes.
type Codes struct {
	Tags func(use string, octets []byte) [][]byte // store.DB.Tags
}

var (
	letters  = base32.NewEncoding(alphabet).WithPadding(base32.NoPadding)
	heldForm = regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{1,32}(-[0-9]{1,4})?$`)
	codeForm = regexp.MustCompile(`^([0-9A-HJKMNP-TV-Z]{1,32}(?:-[0-9]{1,4})?)-([0-9]{1,6})-([0-9A-HJKMNP-TV-Z]{20})$`)
)

// dayOf counts days.
func dayOf(t time.Time) int64 { return t.Unix() / 86400 }

// Make returns the code of a held letter for an address (as msg.Path.Key gives it), good up
// to the end of the day (UTC) of expires; "" for an id that no code can carry.
func (c Codes) Make(address, held string, expires time.Time) string {
	tags := c.Tags(use, signedPart(address, held, dayOf(expires)))
	if !heldForm.MatchString(held) || len(tags) == 0 {
		return ""
	}
	return held + "-" + strconv.FormatInt(dayOf(expires), 10) + "-" + mark(tags[0])
}

func mark(tag []byte) string { return letters.EncodeToString(tag)[:markSize] }

func signedPart(address, held string, day int64) []byte {
	return []byte(address + "\x00" + held + "\x00" + strconv.FormatInt(day, 10))
}

// Read returns the held letter that a code is for, if it was made for that address.
func (c Codes) Read(address, code string, now time.Time) (held string, err error) {
	m := codeForm.FindStringSubmatch(Tidy(code))
	if m == nil {
		return "", ErrCode
	}
	day, err := strconv.ParseInt(m[2], 10, 64)
	if err != nil {
		return "", ErrCode
	}
	held = m[1]
	genuine := false
	for _, tag := range c.Tags(use, signedPart(address, held, day)) {
		genuine = hmac.Equal([]byte(mark(tag)), []byte(m[3])) || genuine
	}
	switch {
	case !genuine:
		return "", ErrCode
	case dayOf(now) > day:
		return "", ErrExpired
	}
	return held, nil
}

// Tidy gives a code the form in which it was written: what a person or a mail program
// makes of it on the way is undone.
func Tidy(code string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case 'O', 'o':
			return '0'
		case 'I', 'i', 'L', 'l':
			return '1'
		case '‐', '‑', '‒', '–', '—', '−':
			return '-'
		case '\u00ad', '\u200b', '\u2060', '\ufeff':
			return -1
		}
		if r >= 'a' && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, code)
}

// IsCode tells whether a word has the form of a code.
func IsCode(word string) bool { return len(word) <= 200 && codeForm.MatchString(Tidy(word)) }
