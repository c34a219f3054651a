package scanproto

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

const (
	magic   = "CTS2"
	preface = len(magic) + 4
)

// WriteRequest lays the request's objects on the tray and sends the rest.
func WriteRequest(w io.Writer, t *Tray, r *Request) error {
	var size int64
	for i := range r.Objects {
		r.Objects[i].Size = int64(len(r.Objects[i].Data))
		size += r.Objects[i].Size
	}
	if size > MaxRequestBody {
		return fmt.Errorf("%w: objects of %d octets", ErrTooLarge, size)
	}
	if err := r.check(); err != nil {
		return err
	}
	if err := t.lay(r.Objects); err != nil {
		return err
	}
	return write(w, r, MaxRequestHead)
}

// ReadRequest reads a request whose objects lie on the tray, of which view is the
// reader's view. They are good until the answer. io.EOF means that the daemon has closed the
// socket between requests.
func ReadRequest(rd io.Reader, view []byte) (*Request, error) {
	r := &Request{}
	if err := read(rd, r, MaxRequestHead); err != nil {
		return nil, err
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return r, r.divide(view)
}

// divide gives each object its share of the tray.
func (r *Request) divide(view []byte) error {
	for i := range r.Objects {
		o := &r.Objects[i]
		if o.Size < 0 || o.Size > int64(len(view)) {
			return fmt.Errorf("%w: object %d of %d octets where %d are left", ErrFrame, i, o.Size, len(view))
		}
		o.Data, view = view[:o.Size:o.Size], view[o.Size:]
	}
	return nil
}

// WriteAnswer sends the answer.
func WriteAnswer(w io.Writer, a *Answer) error { return write(w, a, MaxAnswer) }

// ReadAnswer reads an answer within MaxAnswer and MaxFindings.
func ReadAnswer(rd io.Reader) (*Answer, error) {
	a := &Answer{}
	if err := read(rd, a, MaxAnswer); err != nil {
		return nil, err
	}
	return a, a.check()
}

// write sends a frame with one call, so that its reader wakes once.
func write(w io.Writer, head any, most int) error {
	text, err := json.Marshal(head)
	if err != nil {
		return fmt.Errorf("scanproto: %w", err)
	}
	if len(text) > most {
		return fmt.Errorf("%w: %d octets", ErrTooLarge, len(text))
	}
	frame := make([]byte, 0, preface+len(text))
	frame = append(frame, magic...)
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(text)))
	_, err = w.Write(append(frame, text...))
	return err
}

// read reads one frame into head. It grows with what really arrives, so a length that
// lies costs no memory.
func read(rd io.Reader, head any, most int) error {
	var pre [preface]byte
	if _, err := io.ReadFull(rd, pre[:]); err != nil {
		return err
	}
	if string(pre[:len(magic)]) != magic {
		return fmt.Errorf("%w: begins %q", ErrFrame, pre[:len(magic)])
	}
	size := binary.BigEndian.Uint32(pre[len(magic):])
	if uint64(size) > uint64(most) {
		return fmt.Errorf("%w: %d octets", ErrTooLarge, size)
	}
	text, err := readExactly(rd, int(size))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, head); err != nil {
		return fmt.Errorf("%w: %w", ErrFrame, err)
	}
	return nil
}

// firstAsk is what is asked for at once before anything has arrived, in octets.
const firstAsk = 64 << 10

func readExactly(rd io.Reader, size int) ([]byte, error) {
	b := make([]byte, min(size, firstAsk))
	if _, err := io.ReadFull(rd, b); err != nil {
		return nil, whole(err)
	}
	for len(b) < size { // it does send: twice as much each time
		had := len(b)
		b = append(b, make([]byte, min(size-had, had))...)
		if _, err := io.ReadFull(rd, b[had:]); err != nil {
			return nil, whole(err)
		}
	}
	return b, nil
}

// whole tells an end inside a frame from one between frames.
func whole(err error) error {
	if err == io.EOF { //nolint:errorlint // io.ReadFull returns it bare
		return io.ErrUnexpectedEOF
	}
	return err
}
