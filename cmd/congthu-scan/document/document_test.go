package document_test

import (
	"context"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/document"
)

// seen is what came of a document, in words: facts, then objects, then remarks.
type seen struct {
	facts, objects, links []string
	hows                  []string // links with their kind and text
	texts                 string
	troubles              []archive.Trouble
	pictures              []document.Object
}

func read(f document.File) seen {
	return readWithin(f, archive.DefaultLimits())
}

func readWithin(f document.File, l archive.Limits) seen {
	var s seen
	d := document.Open(f)
	if d == nil {
		return s
	}
	r := d.Read(archive.NewBudget(context.Background(), l), func(o document.Object) {
		if o.Picture != nil {
			s.pictures = append(s.pictures, o)
			return
		}
		if o.Text {
			s.texts += string(o.Data) + "\n"
			return
		}
		s.objects = append(s.objects, o.Name+"="+string(o.Data))
	})
	for _, f := range r.Facts {
		s.facts = append(s.facts, strings.TrimSpace(strings.TrimPrefix(f.Symbol, "ATTACH_")+" "+f.Evidence))
	}
	for _, x := range r.Remarks {
		s.troubles = append(s.troubles, x.Trouble)
	}
	for _, l := range r.Links {
		s.links = append(s.links, l.URL)
		s.hows = append(s.hows, strings.TrimSpace(l.How+" "+l.URL+" "+l.Text))
	}
	return s
}

// check compares facts and objects, each joined with a comma.
func (s seen) check(t *testing.T, what, facts, objects string, troubles ...archive.Trouble) {
	t.Helper()
	if got := strings.Join(s.facts, ", "); got != facts {
		t.Errorf("%s: facts %q, want %q", what, got, facts)
	}
	if got := strings.Join(s.objects, ", "); got != objects {
		t.Errorf("%s: objects %q, want %q", what, got, objects)
	}
	if !slices.Equal(s.troubles, troubles) {
		t.Errorf("%s: troubles %v, want %v", what, s.troubles, troubles)
	}
}

func file(name, data string) document.File { return document.File{Name: name, Data: []byte(data)} }

func member(name, data string) document.File {
	return document.File{Name: name, Within: "a.docx", Office: true, Data: []byte(data)}
}

// fuzz reads whatever it is given: it must come back, within the budget.
func fuzz(f *testing.F, name string, office bool, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l := archive.DefaultLimits()
		l.Bytes, l.Member, l.Entries = 4<<20, 1<<20, 1000
		d := document.Open(document.File{Name: name, Within: "a.docx", Office: office, Data: data})
		if d == nil {
			return
		}
		before := cpu(t)
		r := d.Read(archive.NewBudget(context.Background(), l), func(document.Object) {})
		if took := cpu(t) - before; took > 3*time.Second {
			t.Errorf("%v for %d octets", took, len(data))
		}
		for _, x := range r.Remarks {
			if strings.Contains(x.Evidence, "the reader failed") {
				t.Error(x.Evidence)
			}
		}
		for _, x := range r.Facts {
			if len(x.Evidence) > 200 || strings.ToValidUTF8(x.Evidence, "") != x.Evidence {
				t.Errorf("%q", x.Evidence)
			}
		}
	})
}

// cpu is the time that this process has worked: others may work on the machine, too.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
