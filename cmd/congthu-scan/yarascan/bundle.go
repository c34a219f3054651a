package yarascan

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/hillu/go-yara/v4"
)

// format names the shape of a bundle and what the splitter does: a bundle of another
// one is not read.
const format = "congthu-yara-1"

// bundle is the head of compiled rules on their way to the workers. libyara's own form
// follows for each set. It is code: it is read only from where nobody else can write.
type bundle struct {
	Format  string               `json:"format"`
	Libyara string               `json:"libyara"`
	Digest  string               `json:"digest"`
	Count   int                  `json:"count"`
	Book    map[string]Judgement `json:"book"`
	ByHead  map[string]int       `json:"by_head"` // heads in hexadecimal
	Plain   int                  `json:"plain"`
	Sets    []bundledSet         `json:"sets"`
}

type bundledSet struct {
	Size  int      `json:"size"` // octets; 0: no rules
	Rules int      `json:"rules"`
	Uses  []string `json:"uses,omitempty"`
}

const mostHead = 64 << 20 // octets of a bundle's head

// Write writes the compiled rules.
func (r *Rules) Write(w io.Writer) error {
	b := bundle{Format: format, Libyara: libyara(), Digest: r.digest, Count: r.count, Book: r.book, ByHead: map[string]int{}, Plain: r.plain}
	for h, i := range r.byHead {
		b.ByHead[hex.EncodeToString([]byte(h))] = i
	}
	var body bytes.Buffer
	for _, s := range r.sets {
		before := body.Len()
		if s.compiled != nil {
			if err := s.compiled.Write(&body); err != nil {
				return fmt.Errorf("yara: %w", err)
			}
		}
		b.Sets = append(b.Sets, bundledSet{body.Len() - before, s.rules, s.uses})
	}
	head, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("yara: %w", err)
	}
	for _, x := range [][]byte{binary.BigEndian.AppendUint32(nil, uint32(len(head))), head, body.Bytes()} {
		if _, err := w.Write(x); err != nil {
			return fmt.Errorf("yara: bundle: %w", err)
		}
	}
	return nil
}

// errBundle says that these are no rules that this program compiled.
var errBundle = errors.New("yara: not a bundle of this program and this libyara")

// Read reads compiled rules.
func Read(rd io.Reader) (*Rules, error) {
	var size [4]byte
	if _, err := io.ReadFull(rd, size[:]); err != nil {
		return nil, fmt.Errorf("%w: %w", errBundle, err)
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > mostHead {
		return nil, errBundle
	}
	head := make([]byte, n)
	if _, err := io.ReadFull(rd, head); err != nil {
		return nil, fmt.Errorf("%w: %w", errBundle, err)
	}
	var b bundle
	if err := json.Unmarshal(head, &b); err != nil || b.Format != format || b.Libyara != libyara() {
		return nil, errBundle
	}
	return b.rules(rd)
}

func (b bundle) rules(rd io.Reader) (*Rules, error) {
	r := &Rules{digest: b.Digest, count: b.Count, book: b.Book, byHead: map[string]int{}, plain: b.Plain}
	for _, x := range b.Sets {
		s := &set{rules: x.Rules, uses: x.Uses}
		if x.Size > 0 {
			part := io.LimitReader(rd, int64(x.Size))
			compiled, err := yara.ReadRules(part)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", errBundle, err)
			}
			if _, err := io.Copy(io.Discard, part); err != nil {
				return nil, fmt.Errorf("%w: %w", errBundle, err)
			}
			s.compiled = compiled
		}
		r.sets = append(r.sets, s)
	}
	for h, i := range b.ByHead {
		octets, err := hex.DecodeString(h)
		if err != nil || i < 0 || i >= len(r.sets) {
			return nil, errBundle
		}
		r.byHead[string(octets)] = i
	}
	if r.plain < 0 || r.plain >= len(r.sets) {
		return nil, errBundle
	}
	return r, nil
}
