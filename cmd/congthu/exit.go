package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"

	"congthu/internal/lang"
)

// Exit statuses of sysexits.h.
const (
	exitUsage       = 64
	exitData        = 65
	exitNoInput     = 66
	exitUnavailable = 69
	exitSoftware    = 70
	exitCantCreate  = 73
	exitIOErr       = 74
	exitTempFail    = 75
	exitNoPerm      = 77
	exitConfig      = 78
)

// failure is an error with an exit status and a sentence for the operator.
type failure struct {
	code int
	what lang.Text
}

// Error returns the English sentence.
func (f *failure) Error() string { return f.what.EN }

// fail makes a failure; the sentences are filled with args.
func fail(code int, vi, en string, args ...any) error {
	return &failure{code, lang.T(fmt.Sprintf(vi, args...), fmt.Sprintf(en, args...))}
}

func (a *app) printJSON(v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(a.stdout, quiescent(b.String()))
	return err
}

// quiescent writes in a JSON text what a terminal might obey as \uXXXX, which is the same
// text to a program: C1 controls, directions, what is invisible (RFC 8259 section 7).
func quiescent(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || r == ' ' || unicode.IsPrint(r) || unicode.Is(unicode.Mn, r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
