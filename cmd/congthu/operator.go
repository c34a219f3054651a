package main

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"text/tabwriter"

	"congthu/internal/admin"
	"congthu/internal/lang"
)

// client returns the API of the running gateway.
func (a *app) client() (*admin.Client, error) {
	c, err := a.settings()
	if err != nil {
		return nil, err
	}
	return admin.Dial(c.Admin.Socket), nil
}

// operatorError gives the API's errors their exit statuses.
func operatorError(err error) error {
	var u *admin.Unreachable
	var p *admin.Problem
	switch {
	case errors.As(err, &u) && errors.Is(err, os.ErrPermission):
		return &failure{exitNoPerm, lang.T(u.In(lang.VI), u.In(lang.EN))}
	case errors.As(err, &u):
		return &failure{exitUnavailable, lang.T(u.In(lang.VI), u.In(lang.EN))}
	case errors.As(err, &p) && p.Status >= 500:
		return &failure{exitTempFail, p.What}
	case errors.As(err, &p):
		return &failure{exitData, p.What}
	}
	return err
}

// actor names who acts, for the audit trail.
func actor() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "uid " + fmt.Sprint(os.Getuid())
}

// table prints rows under a heading, aligned. Cells are made safe for a terminal.
func (a *app) table(heading []string, rows [][]string) error {
	w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
	for _, row := range append([][]string{heading}, rows...) {
		for i, cell := range row {
			if i > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, lang.Safe(cell, 120))
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

// done reports a count, in words or as JSON.
func (a *app) done(n int, t lang.Text) error {
	if a.json {
		return a.printJSON(admin.Count{Count: n})
	}
	a.say(t, n)
	return nil
}
