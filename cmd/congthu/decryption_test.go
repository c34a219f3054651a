package main

import (
	"context"
	"errors"
	"testing"

	"congthu/internal/msg"
)

// looker finds what a letter says in its octets.
type looker struct{ fails string }

func (looker) Name() string { return "looker" }

func (l looker) Inspect(_ context.Context, m *msg.Message) ([]msg.Finding, []msg.AuthResult, error) {
	if string(m.Raw) == l.fails {
		return nil, nil, errors.New("could not look")
	}
	return []msg.Finding{{Symbol: string(m.Raw), Part: "1"}}, nil, nil
}

func (l looker) Explain(_ context.Context, m *msg.Message) ([]msg.Note, error) {
	return []msg.Note{{Symbol: string(m.Raw)}}, nil
}

// Both the letter and what was in it are looked at; findings of the inside say so, and who
// cannot look inside could not look.
func TestInside(t *testing.T) {
	m := &msg.Message{Raw: []byte("OUT"), Opened: []*msg.Message{
		{Raw: []byte("IN"), Inside: &msg.Inside{At: "2/openpgp/", Whole: true}},
		{Raw: []byte("DEEP"), Inside: &msg.Inside{At: "2/openpgp/1/openpgp/"}},
	}}
	found, _, err := inside{looker{}, false}.Inspect(t.Context(), m)
	if err != nil || len(found) != 3 || found[0].Part != "1" || found[1].Symbol != "IN" || found[1].Part != "2/openpgp/1" || found[2].Part != "2/openpgp/1/openpgp/1" {
		t.Errorf("%+v %v", found, err)
	}
	found, _, err = inside{looker{}, true}.Inspect(t.Context(), m)
	if err != nil || len(found) != 2 || found[0].Symbol != "IN" {
		t.Errorf("instead of the outside: %+v %v", found, err)
	}
	m.Opened[0].Inside.Whole = false
	if found, _, _ = (inside{looker{}, true}).Inspect(t.Context(), m); len(found) != 3 {
		t.Errorf("where only a part was encrypted: %+v", found)
	}
	for _, fails := range []string{"OUT", "IN", "DEEP"} {
		if _, _, err := (inside{looker{fails}, false}).Inspect(t.Context(), m); err == nil {
			t.Errorf("nobody is told that %s was not looked at", fails)
		}
	}
	if notes, err := (inside{looker{}, false}).Explain(t.Context(), m); err != nil || len(notes) != 3 {
		t.Errorf("%+v %v", notes, err)
	}
}
