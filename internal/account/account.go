// Package account keeps the SMTP AUTH accounts of those who send through the gateway:
// who they are, whether a password is theirs, and how much they have sent.
//
// What may be relied on:
//
//   - No password is kept, logged or put into an error: only its argon2id hash
//     (RFC 9106) is stored, and a check leaves nothing but yes or no.
//   - A wrong name and a wrong password are one answer, after the same work.
//   - Guessing is slow however many connections guess (backoff.go), and a flood of
//     checks takes the memory of two (gate.go).
//   - Accounts are read from the store at every check, so a change is in force with the
//     next one, on every gateway of the store.
package account

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"

	"congthu/internal/lang"
)

// Account is one of them. It belongs to an agency of the settings, or has domains of
// its own.
type Account struct {
	Name     string    `json:"name"`
	Agency   string    `json:"agency,omitempty"`
	Domains  []string  `json:"domains,omitempty"`
	Disabled bool      `json:"disabled"`
	Created  time.Time `json:"created"`
	Changed  time.Time `json:"changed"`

	hash string // PHC string; never leaves the package but for the store
}

// What is wrong with a request about accounts, for the operator.
var (
	ErrNotFound = problem("không có tài khoản này", "there is no such account")
	ErrExists   = problem("đã có tài khoản tên này", "an account of this name exists")
	ErrName     = problem("tên tài khoản: chữ thường a-z, số và . _ - + @, tối đa 128 ký tự", "an account's name is lower-case a-z, digits and . _ - + @, at most 128 characters")
	ErrPassword = problem("mật khẩu phải có 12 đến 256 ký tự, không có ký tự điều khiển", "a password has 12 to 256 characters and no control characters")
	ErrOwner    = problem("tài khoản cần một cơ quan hoặc tên miền, không cả hai", "an account needs an agency or domains, and not both")
	ErrDomain   = problem("tên miền viết thường, như tinh.gov.vn hoặc *.tinh.gov.vn", "domains are lower case, such as tinh.gov.vn or *.tinh.gov.vn")
	ErrHash     = problem("chuỗi băm mật khẩu không hợp lệ", "the password hash is malformed")
)

// Problem is an error that speaks both languages.
type Problem struct{ what lang.Text }

func problem(vi, en string) error { return &Problem{lang.T(vi, en)} }

// Error returns the English sentence.
func (p *Problem) Error() string { return p.what.EN }

// In returns the sentence in that language.
func (p *Problem) In(l lang.Lang) string { return p.what.In(l) }

var (
	nameForm   = regexp.MustCompile(`^[a-z0-9][a-z0-9._+@-]{0,127}$`)
	domainForm = regexp.MustCompile(`^(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)
)

// CleanName returns the name as it is stored and compared, which is in lower case:
// people write their account as they write their address.
func CleanName(s string) (string, error) {
	s = strings.ToLower(s)
	if !nameForm.MatchString(s) {
		return "", ErrName
	}
	return s, nil
}

// cleanPassword brings a password into the one form in which it is compared (RFC 8265
// section 4.2): whatever the keyboard made of "ế" is one letter here.
func cleanPassword(s string) (string, error) {
	out, err := precis.OpaqueString.String(s)
	if n := len([]rune(out)); err != nil || n < 12 || n > 256 || !utf8.ValidString(s) {
		return "", ErrPassword
	}
	return out, nil
}

// check tells what is wrong with an account that is to be stored.
func (a Account) check() error {
	name, err := CleanName(a.Name)
	switch {
	case err != nil || name != a.Name:
		return ErrName
	case (a.Agency == "") == (len(a.Domains) == 0):
		return ErrOwner
	case slices.ContainsFunc(a.Domains, func(d string) bool { return len(d) > 255 || !domainForm.MatchString(d) }):
		return ErrDomain
	}
	return nil
}

// IsProblem tells whether the error is the operator's to mend.
func IsProblem(err error) bool {
	var p *Problem
	return errors.As(err, &p)
}
