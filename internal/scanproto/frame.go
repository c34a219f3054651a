package scanproto

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
)

const (
	magic   = "CTS1"
	preface = len(magic) + 4 + 8
)

// WriteRequest sends the request. Data is not copied: it goes out as it lies.
func WriteRequest(w io.Writer, r *Request) error {
	body := make([][]byte, len(r.Objects))
	for i := range r.Objects {
		body[i] = r.Objects[i].Data
		r.Objects[i].Size = int64(len(body[i]))
	}
	if err := r.check(); err != nil {
		return err
	}
	return write(w, r, body, MaxRequestHead, MaxRequestBody)
}

// ReadRequest reads a request whose body is at most limit octets. io.EOF means that
// the daemon has closed the socket between requests.
func ReadRequest(rd io.Reader, limit int64) (*Request, error) {
	r := &Request{}
	body, err := read(rd, r, MaxRequestHead, limit)
	if err != nil {
		return nil, err
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return r, r.divide(body)
}

// divide gives each object its share of the body, which must come out even.
func (r *Request) divide(body []byte) error {
	for i := range r.Objects {
		o := &r.Objects[i]
		if o.Size < 0 || o.Size > int64(len(body)) {
			return fmt.Errorf("%w: object %d of %d octets in a body with %d left", ErrFrame, i, o.Size, len(body))
		}
		o.Data, body = body[:o.Size:o.Size], body[o.Size:]
	}
	if len(body) > 0 {
		return fmt.Errorf("%w: %d octets belong to no object", ErrFrame, len(body))
	}
	return nil
}

// WriteAnswer sends the answer.
func WriteAnswer(w io.Writer, a *Answer) error { return write(w, a, nil, MaxAnswer, 0) }

// ReadAnswer reads an answer within MaxAnswer and MaxFindings.
func ReadAnswer(rd io.Reader) (*Answer, error) {
	a := &Answer{}
	if _, err := read(rd, a, MaxAnswer, 0); err != nil {
		return nil, err
	}
	return a, a.check()
}

func write(w io.Writer, head any, body [][]byte, maxHead int, maxBody int64) error {
	text, err := json.Marshal(head)
	if err != nil {
		return fmt.Errorf("scanproto: %w", err)
	}
	var size int64
	for _, b := range body {
		size += int64(len(b))
	}
	if len(text) > maxHead || size > maxBody {
		return fmt.Errorf("%w: head %d, body %d", ErrTooLarge, len(text), size)
	}
	first := make([]byte, 0, preface+len(text))
	first = append(first, magic...)
	first = binary.BigEndian.AppendUint32(first, uint32(len(text)))
	first = binary.BigEndian.AppendUint64(first, uint64(size))
	bufs := append(net.Buffers{append(first, text...)}, body...)
	_, err = bufs.WriteTo(w)
	return err
}

// read reads one frame into head. The body grows with what really arrives, so a length
// that lies costs no memory.
func read(rd io.Reader, head any, maxHead int, maxBody int64) ([]byte, error) {
	var pre [preface]byte
	if _, err := io.ReadFull(rd, pre[:]); err != nil {
		return nil, err
	}
	if string(pre[:len(magic)]) != magic {
		return nil, fmt.Errorf("%w: begins %q", ErrFrame, pre[:len(magic)])
	}
	textSize := binary.BigEndian.Uint32(pre[len(magic):])
	bodySize := binary.BigEndian.Uint64(pre[len(magic)+4:])
	if uint64(textSize) > uint64(maxHead) || bodySize > uint64(maxBody) {
		return nil, fmt.Errorf("%w: head %d, body %d", ErrTooLarge, textSize, bodySize)
	}
	text, err := readExactly(rd, int64(textSize))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, head); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFrame, err)
	}
	return readExactly(rd, int64(bodySize))
}

// firstAsk is what is asked for at once before anything has arrived, in octets.
const firstAsk = 1 << 20

func readExactly(rd io.Reader, size int64) ([]byte, error) {
	if size <= firstAsk {
		b := make([]byte, size)
		_, err := io.ReadFull(rd, b)
		return b, whole(err)
	}
	var b bytes.Buffer
	b.Grow(firstAsk)
	if _, err := io.CopyN(&b, rd, firstAsk); err != nil {
		return nil, whole(err)
	}
	b.Grow(int(size) - firstAsk) // it does send: the rest in one piece
	_, err := io.CopyN(&b, rd, size-firstAsk)
	return b.Bytes(), whole(err)
}

// whole tells an end inside a frame from one between frames.
func whole(err error) error {
	if err == io.EOF { //nolint:errorlint // io.ReadFull returns it bare
		return io.ErrUnexpectedEOF
	}
	return err
}
