package mimetree

import (
	"bytes"
	"hash/maphash"
	"strconv"
	"strings"

	"congthu/internal/msg"
)

// reading is how some other reader goes through a message that can be read in two
// ways. The zero reading is ours.
type reading struct {
	field    pick // of several Content-Type or Content-Transfer-Encoding fields
	boundary pick // of several boundaries
	strict   bool // a line that is no field ends a header; nothing is a part after the close
	folds    bool // a strict reader who takes a blank fold for a fold
	deep     bool // the innermost multipart must be closed before those around it count; a header ends at a blank line only
	lax      bool // a delimiter is what begins like one; the innermost multipart comes first
}

// pick is which of several values counts: the n-th, or all of them together.
type pick int

const (
	all  pick = 0
	last pick = -1
)

// of returns the index of the value among n, or -1 when all of them count.
func (p pick) of(n int) int {
	switch {
	case p == all || n == 0:
		return -1
	case p == last:
		return n - 1
	}
	return min(int(p), n) - 1
}

// most values that contradict each other are read one by one: the message is held
// anyhow, and more of them say that it is an attack.
const maxChoices = 4

// readingsFor lists the other readers of a message with so many contradicting values.
func readingsFor(choices int) []reading {
	out := []reading{
		{field: 1, boundary: 1, strict: true},
		{field: 1, boundary: 1, strict: true, folds: true},
		{field: last, boundary: last, lax: true},
		{deep: true},
	}
	if choices > 1 {
		out = append(out, reading{field: 1, boundary: last}, reading{field: last, boundary: 1})
	}
	for n := 2; n < min(choices, maxChoices); n++ {
		out = append(out, reading{field: pick(n), boundary: pick(n)})
	}
	return out
}

// readingsShare is how many times the size of a message the other readings may hand to
// the scanners, and maxOthers how many objects.
const (
	readingsShare = 4
	workShare     = 20 // and how many times its size may be parsed again
	maxOthers     = 1000
)

// others gathers what only other readers see. The parsing of the message has already
// gathered what is odd in single parts; a message that contradicts itself is read again.
func (t *tree) others(raw []byte, root *msg.Part) []*msg.Part {
	if t.pool.full {
		note(root, LimitReadings, "")
	}
	if !contradicts(root) {
		return t.pool.list
	}
	root.Walk(t.pool.known)
	for i, how := range readingsFor(t.choices) {
		t.read(raw, how, "r"+strconv.Itoa(i+1))
	}
	if cleaned := withoutControls(raw); cleaned != nil {
		t.read(cleaned, reading{}, "r~clean")
	}
	t.loose(&msg.Part{Path: "r0"}, raw)
	if t.pool.full || t.choices > maxChoices {
		note(root, LimitReadings, "")
	}
	return t.pool.list
}

// read parses once more, keeps the leaves that nobody has seen yet, and tells whether the
// message contradicts itself. A reading may ask for readings of what is in it: all of them
// together stay linear in the message.
func (t *tree) read(raw []byte, how reading, path string) (odd bool) {
	const least = 256 // what the shortest one costs
	if t.pool.work -= max(len(raw), least); t.pool.work < 0 {
		t.pool.full = true
		return false
	}
	again := newTree(raw, t.lim, how)
	again.pool = t.pool
	root := again.message(raw, path, 1)
	root.Walk(func(p *msg.Part) {
		if p.Decoded != nil {
			t.pool.add(p)
		}
	})
	return contradicts(root)
}

// readInside reads what may be a message inside, in all ways if it contradicts itself.
func (t *tree) readInside(raw []byte, path string) {
	odd := t.read(raw, reading{}, path)
	for i, how := range readingsFor(1) {
		if odd {
			t.read(raw, how, path+"r"+strconv.Itoa(i+1))
		}
	}
}

// contradicts tells whether two readers may see two messages: see Conflict.
func contradicts(root *msg.Part) (yes bool) {
	root.Walk(func(p *msg.Part) {
		for _, a := range p.Ambiguities {
			yes = yes || Conflict(a.Code)
		}
	})
	return yes
}

// withoutControls is the message as those see it who drop NUL and end a line at a bare
// CR; nil when that changes nothing.
func withoutControls(raw []byte) []byte {
	if bytes.IndexByte(raw, 0) < 0 && !hasBareCR(raw) {
		return nil
	}
	b := bytes.ReplaceAll(raw, []byte{0}, nil)
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(b, []byte("\r"), []byte("\n"))
}

// pool are the leaves of other readings, within bounds and each once.
type pool struct {
	list []*msg.Part
	seen map[sight]bool
	seed maphash.Seed
	room int // octets that may still be added
	work int // octets that may still be read again
	full bool
}

// sight is what makes two objects one to the scanners.
type sight struct {
	sum, size uint64
	names     string
}

func newPool(size int) *pool {
	return &pool{room: readingsShare*size + 1<<20, work: workShare*size + 1<<20}
}

func (o *pool) sightOf(p *msg.Part) sight {
	if o.seen == nil { // made when it is needed, which it hardly ever is
		o.seen, o.seed = map[sight]bool{}, maphash.MakeSeed()
	}
	return sight{maphash.Bytes(o.seed, p.Decoded), uint64(len(p.Decoded)), strings.Join(Filenames(p), "\x00")}
}

// known notes what the scanners get anyhow.
func (o *pool) known(p *msg.Part) {
	if p.Decoded != nil {
		o.seen[o.sightOf(p)] = true
	}
}

func (o *pool) add(p *msg.Part) {
	if len(p.Decoded) == 0 {
		return
	}
	if len(o.list) >= maxOthers { // before the work of telling whether it is new
		o.full = true
		return
	}
	key := o.sightOf(p)
	if o.seen[key] {
		return
	}
	if len(p.Decoded) > o.room {
		o.full = true
		return
	}
	o.seen[key] = true
	o.room -= len(p.Decoded)
	o.list = append(o.list, p)
}

// also adds another reading of the content of p, if it is another.
func (t *tree) also(p *msg.Part, how string, data []byte) {
	if len(data) == len(p.Decoded) && bytes.Equal(data, p.Decoded) { // the race detector reads all of both
		return
	}
	t.pool.add(&msg.Part{
		Path: p.Path + "~" + how, Header: p.Header, Filename: p.Filename, MediaType: octetStream,
		Start: p.Start, BodyStart: p.BodyStart, End: p.End, Decoded: data,
	})
}
