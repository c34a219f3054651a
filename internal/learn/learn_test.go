package learn

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"congthu/internal/msg"
)

// written is a letter of words, with the parts and text that a reader would have made.
func written(header, body string) Letter {
	raw := header + "\r\n" + strings.ReplaceAll(body, "\n", "\r\n")
	root := &msg.Part{Path: "0", MediaType: "text/plain", Text: body, Params: map[string]string{}}
	for _, l := range strings.Split(strings.TrimSpace(header), "\r\n") {
		name, value, _ := strings.Cut(l, ": ")
		root.Header = append(root.Header, msg.Field{Name: name, Value: value})
	}
	folded := strings.ToLower(root.Get("Subject") + "\n" + body)
	return Letter{Raw: []byte(raw), Root: root, Text: &msg.Text{Body: body, Folded: folded, Bare: folded}}
}

func ham(n int) Letter {
	return written(fmt.Sprintf("From: Van thu <vt%d@so.example>\r\nSubject: Cong van so %d\r\nX-Mailer: Zimbra\r\n", n, n),
		fmt.Sprintf("kinh gui quy co quan, bao cao thang %d ve cong tac %d, de nghi phong %d cho y kien", n%12, n, n%7))
}

func spam(n int) Letter {
	return written(fmt.Sprintf("From: x%d <x%d@shop.example>\r\nSubject: TRUNG THUONG %d $$$\r\n", n, n, n),
		fmt.Sprintf("ban da trung thuong %d trieu, bam vao http://w%d.example/win.php de nhan qua ngay hom nay", n, n))
}

func trained(n int) *Model {
	m := New()
	var ls []Lesson
	for i := range n {
		ls = append(ls, Lesson{Read(ham(i)), false}, Lesson{Read(spam(i)), true})
	}
	m.TrainAll(len(ls), func(i int) Lesson { return ls[i] })
	return m
}

func TestLearnsAndIsUnsureBefore(t *testing.T) {
	if o := New().Judge(Read(spam(1))); o.LogOdds != 0 || o.Known != 0 || o.Spam() != 0.5 {
		t.Errorf("an empty model has an opinion: %+v", o)
	}
	m := trained(40)
	for i := 1000; i < 1020; i++ {
		if o := m.Judge(Read(spam(i))); o.Spam() < 0.9 {
			t.Errorf("spam %d: %+v", i, o)
		}
		if o := m.Judge(Read(ham(i))); o.Spam() > 0.1 || o.Known < 0.5 {
			t.Errorf("ham %d: %+v", i, o)
		}
	}
	if h, s := m.Seen(); h != 40 || s != 40 {
		t.Errorf("seen %d %d", h, s)
	}
}

// The same letters in the same order make the same octets, and reading them back changes
// what is said by little, and packing again by nothing.
func TestPackIsTheSameEachTimeAndSaysTheSame(t *testing.T) {
	m := trained(60)
	a, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	b, _ := trained(60).Pack()
	if !bytes.Equal(a, b) {
		t.Error("two trainings on the same letters differ")
	}
	back, err := Unpack(a)
	if err != nil {
		t.Fatal(err)
	}
	for i := 500; i < 520; i++ {
		for _, l := range []Letter{ham(i), spam(i)} {
			x, y := m.Judge(Read(l)).LogOdds, back.Judge(Read(l)).LogOdds
			if math.Abs(x-y) > 0.15*math.Abs(x)+0.3 {
				t.Errorf("letter %d: %.2f packed %.2f", i, x, y)
			}
		}
	}
	c, _ := back.Pack()
	again, err := Unpack(c)
	if err != nil {
		t.Fatal(err)
	}
	d, _ := again.Pack()
	if !bytes.Equal(c, d) {
		t.Error("packing what was unpacked changes it again")
	}
}

func TestUnpackRefusesDamage(t *testing.T) {
	b, err := trained(5).Pack()
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][]byte{nil, []byte(magic), b[:len(b)-1], b[1:], append(bytes.Clone(b), 0), flip(b, len(magic)+9), flip(b, len(b)-1)} {
		if _, err := Unpack(bad); !errors.Is(err, ErrFormat) {
			t.Errorf("%d octets: %v", len(bad), err)
		}
	}
}

func flip(b []byte, i int) []byte {
	b = bytes.Clone(b)
	b[i] ^= 0x40
	return b
}

func TestExamplePack(t *testing.T) {
	e := Read(ham(3))
	back, err := UnpackExample(e.Pack())
	if err != nil || fmt.Sprint(back) != fmt.Sprint(e) {
		t.Errorf("%v: what was packed comes back otherwise", err)
	}
	if _, err := UnpackExample(nil); !errors.Is(err, ErrFormat) {
		t.Error(err)
	}
}

// What relays, lists and mailboxes add says nothing about the letter in the views that
// other mailboxes are to gain from.
func TestTransportIsNotLearned(t *testing.T) {
	plain := spam(1)
	relayed := written("Received: from mx.list.example by mail.home.example; Thu, 22 Aug 2002 12:36:23 +0100\r\nDelivered-To: me@home.example\r\n"+
		"List-Id: <talk.list.example>\r\nX-Spam-Status: No\r\nPrecedence: bulk\r\nFrom: x1 <x1@shop.example>\r\nSubject: TRUNG THUONG 1 $$$\r\n", plain.Text.Body)
	a, b := Read(plain), Read(relayed)
	for _, v := range []View{Frame, Chars, Words, Shape} {
		if fmt.Sprint(a[v]) != fmt.Sprint(b[v]) {
			t.Errorf("view %d sees the transport", v)
		}
	}
	if fmt.Sprint(a[Octets]) == fmt.Sprint(b[Octets]) {
		t.Error("the view of octets sees nothing")
	}
}

func TestLineEndsDoNotMatter(t *testing.T) {
	l := ham(1)
	lf := l
	lf.Raw = bytes.ReplaceAll(l.Raw, []byte("\r\n"), []byte("\n"))
	if fmt.Sprint(Read(l)) != fmt.Sprint(Read(lf)) {
		t.Error("LF and CRLF differ")
	}
}

func TestReasonsNameTheWords(t *testing.T) {
	l := spam(900)
	bad, good := trained(40).Reasons(l, 5)
	if len(bad) != 5 {
		t.Errorf("for spam: %+v", bad)
	}
	for _, r := range bad {
		if r.View == Words && r.Kind == "d" && !strings.Contains(digitless(l.Text.Folded), strings.Fields(r.Words)[0]) {
			t.Errorf("%+v does not stand in the letter", r)
		}
	}
	for _, r := range good {
		if r.Says > 0 {
			t.Errorf("%+v is not for ham", r)
		}
	}
	for i := 1; i < len(bad); i++ {
		if bad[i].Says > bad[i-1].Says {
			t.Error("not in order")
		}
	}
}

// The time that a letter takes is bounded, whatever it is made of.
func TestReadIsBounded(t *testing.T) {
	for name, body := range map[string]string{
		"one line": strings.Repeat("x", 10<<20), "lines": strings.Repeat("\n", 10<<20), "tags": strings.Repeat("<a b=", 2<<20),
		"links": strings.Repeat("http://a.b/c ", 1<<20), "words": strings.Repeat("từ ", 2<<20), "zeros": strings.Repeat("\x00", 1<<20),
	} {
		l := written("From: a@b.example\r\nSubject: "+strings.Repeat("s", 1<<20)+"\r\n", body)
		l.Root.MediaType = "text/html"
		n := 0
		for _, f := range Read(l) {
			n += len(f)
		}
		if n == 0 || n > 40000 {
			t.Errorf("%s: %d features", name, n)
		}
	}
	if e := Read(Letter{}); fmt.Sprint(e) != fmt.Sprint(Example{{}, {}, {}, {}, {}}) {
		t.Errorf("nothing has features: %v", e)
	}
}

func FuzzUnpack(f *testing.F) {
	b, _ := trained(3).Pack()
	f.Add(b)
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = Unpack(b) })
}

func FuzzUnpackExample(f *testing.F) {
	f.Add(Read(ham(1)).Pack())
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := UnpackExample(b)
		if err != nil {
			return
		}
		m := New()
		m.Train(e, true) // every number is in range
		if back, err := UnpackExample(e.Pack()); err != nil || fmt.Sprint(back) != fmt.Sprint(e) {
			t.Errorf("not the same again: %v", err)
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add("From: a <a@b>\r\nSubject: =?utf-8?q?x?=\r\n", "<a href=\"http://u@h:1/p?q\">x")
	f.Add("To: ,,,\r\nMessage-ID: <>\r\n", "<<<a a=b 'c")
	m := trained(3)
	f.Fuzz(func(t *testing.T, header, body string) {
		l := written(header, body)
		l.Root.MediaType = "text/html"
		e := Read(l)
		if spelled := read(l, func(View, uint32, string, string) {}); fmt.Sprint(e) != fmt.Sprint(spelled) {
			t.Fatalf("spelled out it is another example:\n got %v\nwant %v", e, spelled)
		}
		m.Judge(e)
		m.Reasons(l, 3)
		for v := range views {
			for i, x := range e[v] {
				if int(x) >= 1<<v.slots() || i > 0 && e[v][i-1] >= x {
					t.Fatalf("view %d: feature %d out of place", v, x)
				}
			}
		}
	})
}

// big is a letter of 40 KB with as many different words as there can be.
func big() Letter {
	var b strings.Builder
	seed := uint32(1)
	for i := 0; b.Len() < 40000; i++ {
		seed = seed*1664525 + 1013904223
		fmt.Fprintf(&b, "<p style=\"color:red\">Kính %x gửi %x quý <a href=\"http://h%d.example/p\">tại đây</a></p>\n", seed, mix(seed), i)
	}
	l := written("From: Van thu <vt@so.example>\r\nSubject: Cong van\r\nX-Mailer: Zimbra\r\n", b.String())
	l.Root.MediaType = "text/html"
	l.Text.Bare += "x" // as if it had marks
	return l
}

func BenchmarkRead40KB(b *testing.B) {
	l := big()
	b.SetBytes(int64(len(l.Raw)))
	for b.Loop() {
		Read(l)
	}
}

func BenchmarkJudge40KB(b *testing.B) {
	m, l := trained(40), big()
	b.ResetTimer()
	for b.Loop() {
		m.Judge(Read(l))
	}
}

func BenchmarkTrain40KB(b *testing.B) {
	m, e := New(), Read(big())
	spam := false
	for b.Loop() {
		spam = !spam // what is known is not learned again
		m.Train(e, spam)
	}
}

func BenchmarkUnpack(b *testing.B) {
	p, err := trained(300).Pack()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Unpack(p); err != nil {
			b.Fatal(err)
		}
	}
}

// A set is what a map is.
func FuzzSet(f *testing.F) {
	f.Add([]byte("abcdabcdzzzz"), uint8(12))
	f.Fuzz(func(t *testing.T, b []byte, size uint8) {
		slots := 6 + int(size)%14
		s := newSet(slots)
		for range 2 { // a set that was emptied is as a new one
			want := map[uint32]bool{}
			for i := 0; i+4 <= len(b); i++ {
				h := binary.BigEndian.Uint32(b[i:])
				s.add(h)
				want[h>>(32-slots)] = true
			}
			if n := s.n; n != len(want) {
				t.Fatalf("%d members, want %d", n, len(want))
			}
			if got := s.take(); !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
				t.Fatalf("%v, want %v", got, want)
			}
		}
	})
}
