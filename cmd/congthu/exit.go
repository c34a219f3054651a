package main

import (
	"encoding/json"
	"fmt"

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
	enc := json.NewEncoder(a.stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
