package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"congthu/internal/corpus"
	"congthu/internal/labelled"
	"congthu/internal/lang"
	"congthu/internal/learn"
	"congthu/internal/mimetree"
	"congthu/internal/text"
)

type trainCmd struct {
	Out        string   `help:"Write a starting model of all the letters / ghi mô hình học từ mọi thư." placeholder:"FILE"`
	Vietnamese int      `help:"Learn as well so many letters of each Vietnamese training text of ours / học thêm thư mẫu tiếng Việt." placeholder:"N"`
	Eval       bool     `help:"Measure instead of writing / đo độ chính xác."`
	CV         int      `name:"cv" help:"By cross validation with so many folds (default 5) / kiểm tra chéo." placeholder:"K"`
	Grouped    bool     `help:"Folds do not divide what is in one directory / không chia thư cùng thư mục."`
	Train      []string `help:"Learn these collections, and measure on those of --test / học tập này." placeholder:"INDEX"`
	Test       []string `help:"Measure on these / đo trên tập này." placeholder:"INDEX"`
	Online     bool     `help:"In the order of the index: classify, then learn the truth (TREC) / lần lượt đoán rồi học."`
	Model      string   `help:"Begin with this model; alone: measure what it knows / bắt đầu từ mô hình này." placeholder:"FILE"`
	Scores     string   `help:"Write each letter's score: path, truth, log-odds / ghi điểm từng thư." placeholder:"FILE"`
	Root       []string `help:"Where the paths of an index begin, if not beside it / thư mục gốc của đường dẫn." placeholder:"DIR"`

	Index []string `arg:"" optional:"" help:"Index (path<TAB>ham|spam, or ham|spam path), or directory with ham/ and spam/ / chỉ mục hay thư mục."`
}

// Run makes a model, or measures how good one is.
func (c *trainCmd) Run(a *app) error {
	if c.Eval == (c.Out != "") {
		return fail(exitUsage, "cần đúng một trong hai: --out TỆP hoặc --eval", "one of --out FILE and --eval is needed")
	}
	if c.Eval {
		return c.measure(a)
	}
	letters, err := c.material()
	if err != nil {
		return err
	}
	m, err := c.begin()
	if err != nil {
		return err
	}
	teach(m, letters)
	m.Material = materialHash(letters)
	packed, err := m.Pack()
	if err != nil {
		return err
	}
	if err := replaceFile(c.Out, packed); err != nil {
		return fail(exitNoPerm, "không ghi được mô hình: %v", "cannot write the model: %v", err)
	}
	ham, spam := m.Seen()
	a.say(lang.T("đã học %d thư tốt, %d thư rác; %s có %d byte", "learned %d ham and %d spam; %s has %d octets"), ham, spam, c.Out, len(packed))
	return nil
}

// material is everything that a starting model is made of, in its order.
func (c *trainCmd) material() ([]sample, error) {
	letters, err := c.letters(c.Index)
	if err != nil {
		return nil, err
	}
	more, err := vietnamese(c.Vietnamese)
	return append(letters, more...), err
}

// materialHash tells whether a model was made of the same letters, read in the same way.
func materialHash(letters []sample) (out [32]byte) {
	h := sha256.New()
	for _, l := range letters {
		fmt.Fprintf(h, "%v %d\n", l.spam, len(l.packed))
		h.Write(l.packed)
	}
	h.Sum(out[:0])
	return out
}

// begin is the model that learning begins with.
func (c *trainCmd) begin() (*learn.Model, error) {
	if c.Model == "" {
		return learn.New(), nil
	}
	return readModel(c.Model)
}

// readModel reads a model file.
func readModel(name string) (*learn.Model, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fail(exitNoInput, "không đọc được mô hình: %v", "cannot read the model: %v", err)
	}
	m, err := learn.Unpack(b)
	if err != nil {
		return nil, fail(exitData, "%s không phải mô hình của bản này hoặc bị hỏng; hãy tạo lại bằng congthu train --out", "%s is not a model of this version, or damaged; make it anew with congthu train --out", name)
	}
	return m, nil
}

// sample is one labelled letter as it is kept while a collection is worked on: packed,
// because collections have tens of thousands.
type sample struct {
	path   string
	group  string
	spam   bool
	packed []byte
}

func (l sample) lesson() learn.Lesson {
	e, err := learn.UnpackExample(l.packed)
	if err != nil {
		panic(err) // it was packed a moment ago
	}
	return learn.Lesson{Example: e, Spam: l.spam}
}

// teach learns a collection.
func teach(m *learn.Model, letters []sample) {
	m.TrainAll(len(letters), func(i int) learn.Lesson { return letters[i].lesson() })
}

// letters reads collections.
func (c *trainCmd) letters(indexes []string) ([]sample, error) {
	var out []sample
	for _, name := range indexes {
		items, err := labelled.Open(name, c.Root...)
		if err != nil {
			return nil, fail(exitNoInput, "không đọc được %v", "cannot read %v", err)
		}
		for _, it := range items {
			raw, err := os.ReadFile(it.Path)
			if err != nil {
				return nil, unreadable(it, err)
			}
			out = append(out, sample{it.Path, it.Group, it.Spam, look(raw).Pack()})
		}
	}
	return out, nil
}

// unreadable says which line of which index names a letter that is not there.
func unreadable(it labelled.Item, err error) error {
	if it.At == "" {
		return fail(exitNoInput, "không đọc được thư: %v", "cannot read a letter: %v", err)
	}
	return fail(exitNoInput, "%s: không đọc được thư: %v; dùng --root nếu đường dẫn bắt đầu ở chỗ khác", "%s: cannot read a letter: %v; give --root if the paths begin elsewhere", it.At, err)
}

// look reads a letter from a file as the gateway reads one from the wire.
func look(raw []byte) learn.Example {
	raw = labelled.Wire(raw)
	root := mimetree.Parse(raw, mimetree.DefaultLimits())
	return learn.Read(learn.Letter{Raw: raw, Root: root, Text: text.Read(root)})
}

// vietnamese are our own training letters, n of each text.
func vietnamese(n int) ([]sample, error) {
	if n <= 0 {
		return nil, nil
	}
	all, err := corpus.Training(n)
	if err != nil {
		return nil, err
	}
	var out []sample
	for _, l := range all {
		out = append(out, sample{l.Name, l.Topic, l.Spam, look(l.Raw).Pack()})
	}
	return out, nil
}

// replaceFile writes a file whole or not at all.
func replaceFile(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".model-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
