package msg_test

import (
	"testing"

	"congthu/internal/msg"
)

func TestReplyClassFollowsCode(t *testing.T) {
	for _, c := range []struct {
		r       msg.Reply
		status  string
		t, p, s bool
		text    string
	}{
		{msg.Reply{Code: 450, Detail: "7.1", Text: "x"}, "4.7.1", true, false, false, "450 4.7.1 x"},
		{msg.Reply{Code: 550, Detail: "7.1", Text: "a\nb"}, "5.7.1", false, true, false, "550 5.7.1 a / b"},
		{msg.Reply{Code: 250, Detail: "0.0", Text: "ok"}, "2.0.0", false, false, true, "250 2.0.0 ok"},
		{msg.Reply{Code: 354, Text: "go"}, "", false, false, false, "354 go"},
		{msg.Reply{}, "", true, false, false, "no reply: "},
	} {
		if c.r.Status() != c.status || c.r.Temporary() != c.t || c.r.Permanent() != c.p || c.r.Positive() != c.s || c.r.String() != c.text {
			t.Errorf("%+v: %q %v %v %v %q", c.r, c.r.Status(), c.r.Temporary(), c.r.Permanent(), c.r.Positive(), c.r.String())
		}
	}
}

func TestZeroActionIsSafe(t *testing.T) {
	var d msg.Decision
	if d.Action != msg.Defer || msg.Action(99).String() != "defer" {
		t.Error("an unset or unknown action must keep the message with the sender")
	}
}

func TestPathKey(t *testing.T) {
	for _, c := range []struct {
		p    msg.Path
		want string
		null bool
	}{
		{msg.Path{Raw: `"A b"@X.test`, Local: "A b", Domain: "x.test"}, "a b@x.test", false},
		{msg.Path{Raw: "Postmaster", Local: "Postmaster"}, "postmaster", false},
		{msg.Path{}, "", true},
	} {
		if c.p.Key() != c.want || c.p.IsNull() != c.null {
			t.Errorf("%+v: %q %v", c.p, c.p.Key(), c.p.IsNull())
		}
	}
}

func TestPartWalkAndFields(t *testing.T) {
	leaf := &msg.Part{Path: "1", MediaType: "text/plain"}
	root := &msg.Part{Path: "0", MediaType: "multipart/mixed", Children: []*msg.Part{leaf}, Header: []msg.Field{{Name: "From", Value: "a"}, {Name: "FROM", Value: "b"}}}
	var seen []string
	root.Walk(func(p *msg.Part) { seen = append(seen, p.Path) })
	if len(seen) != 2 || seen[0] != "0" || !leaf.IsText() || !root.IsMultipart() {
		t.Errorf("walk %v", seen)
	}
	if len(root.Fields("from")) != 2 || root.Get("from") != "a" || root.Get("to") != "" {
		t.Error("fields")
	}
	(*msg.Part)(nil).Walk(func(*msg.Part) { t.Error("a nil tree was visited") })
}

func TestTransferSize(t *testing.T) {
	x := msg.Transfer{Content: [][]byte{[]byte("ab"), nil, []byte("c")}}
	if x.Size() != 3 {
		t.Error(x.Size())
	}
}

func TestVerdictSpam(t *testing.T) {
	for _, c := range []struct {
		score, required float64
		want            bool
	}{{6, 6, true}, {5.9, 6, false}, {100, 0, false}, {-1, -5, false}} {
		if (msg.Verdict{Score: c.score, Required: c.required}).Spam() != c.want {
			t.Errorf("%+v", c)
		}
	}
}
