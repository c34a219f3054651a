package archive

import "io"

// Meter lets the reader of another format take octets out of one file within the
// budget that archives have: what a document unpacks to counts as what a zip does.
type Meter struct{ o *opening }

// Meter starts a file of so many octets.
func (b *Budget) Meter(size int) *Meter {
	return &Meter{&opening{Budget: b, in: int64(size)}}
}

// Read reads r to its end within every limit. What was read before an error is
// returned with it. The error says that the file must not be read any further; a
// stream that is only damaged is none, it is remarked.
func (m *Meter) Read(name string, r io.Reader) ([]byte, error) {
	if err := m.o.enter(); err != nil {
		return nil, err
	}
	return m.o.read(name, r)
}

// Count counts octets that a reader made by itself. The error is that of Read.
func (m *Meter) Count(name string, n int) error {
	if err := m.o.enter(); err != nil {
		return err
	}
	m.o.bytes += int64(n)
	m.o.out += int64(n)
	if m.o.over(name, int64(n)) {
		return errLimit
	}
	return nil
}

// Remark notes a trouble.
func (m *Meter) Remark(t Trouble, format string, args ...any) { m.o.remark(t, format, args...) }

// Remarks returns the troubles so far.
func (m *Meter) Remarks() []Remark { return m.o.remarks }
