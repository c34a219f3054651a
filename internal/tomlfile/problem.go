// Package tomlfile reads the TOML files that administrators edit: strictly (an
// unknown key is an error, not a silence), and with every complaint naming file,
// line, column, what is wrong and what to do, in both languages.
package tomlfile

import (
	"fmt"
	"strings"

	"congthu/internal/lang"
)

// Problem is one complaint about a file that somebody has to edit.
type Problem struct {
	File   string    `json:"file"`
	Line   int       `json:"line"`   // from 1; 0 when the whole file is meant
	Column int       `json:"column"` // from 1
	What   lang.Text `json:"what"`
	Hint   lang.Text `json:"hint"`
}

// Error renders the problem in English, for logs.
func (p *Problem) Error() string { return p.In(lang.EN) }

// In renders the problem in that language: file:line:column: what; hint.
func (p *Problem) In(l lang.Lang) string {
	where := p.File
	if p.Line > 0 {
		where = fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	}
	out := where + ": " + lang.Safe(p.What.In(l), 400)
	if hint := p.Hint.In(l); hint != "" {
		out += "; " + lang.Safe(hint, 400)
	}
	return out
}

// Problems is every complaint found in one reading, so that an administrator
// mends them all at once.
type Problems []*Problem

// Error renders all problems in English, one a line.
func (ps Problems) Error() string { return ps.In(lang.EN) }

// In renders all problems in that language, one a line.
func (ps Problems) In(l lang.Lang) string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.In(l)
	}
	return strings.Join(lines, "\n")
}

// Err returns nil when there are no problems, so that a caller may collect first
// and return Err() at the end.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// Plain makes a Problem of an error that has no place of its own.
func Plain(err error) *Problem {
	return &Problem{File: "-", What: lang.T(err.Error(), err.Error())}
}
