package scanproto_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"congthu/internal/scanproto"
)

func TestRequestRoundTrip(t *testing.T) {
	big := bytes.Repeat([]byte("x"), 3<<20)
	in := &scanproto.Request{ID: 7, TimeoutMS: 30000, Objects: []scanproto.Object{
		{Message: true, Data: []byte("Subject: a\r\n\r\nb")},
		{Part: "1.2", MediaType: "application/zip", Names: []string{"a\x00\u202e.zip"}, Data: big},
		{Part: "1.3"},
	}}
	var wire bytes.Buffer
	lay, view, _ := tray(t)
	if err := scanproto.WriteRequest(&wire, lay, in); err != nil {
		t.Fatal(err)
	}
	out, err := scanproto.ReadRequest(iotest.HalfReader(&wire), view)
	if err != nil {
		t.Fatal(err)
	}
	if out.ID != 7 || out.TimeoutMS != 30000 || len(out.Objects) != 3 || !out.Objects[0].Message {
		t.Fatalf("%+v", out)
	}
	for i, o := range out.Objects {
		if !bytes.Equal(o.Data, in.Objects[i].Data) || o.Part != in.Objects[i].Part || !reflect.DeepEqual(o.Names, in.Objects[i].Names) {
			t.Errorf("object %d differs", i)
		}
	}
}

func TestAnswerRoundTrip(t *testing.T) {
	in := &scanproto.Answer{ID: 9, Findings: []scanproto.Finding{{Symbol: "ATTACH_LNK", Evidence: "a.lnk", Part: "1"}}, Ready: &scanproto.Ready{Rules: 3, Sandbox: []string{"seccomp"}}}
	var wire bytes.Buffer
	if err := scanproto.WriteAnswer(&wire, in); err != nil {
		t.Fatal(err)
	}
	out, err := scanproto.ReadAnswer(iotest.OneByteReader(&wire))
	if err != nil || !reflect.DeepEqual(in, out) {
		t.Errorf("%+v %v", out, err)
	}
	if _, err := scanproto.ReadAnswer(&wire); !errors.Is(err, io.EOF) {
		t.Errorf("between frames: %v", err)
	}
}

// frame builds a frame with a length of the caller's choice.
func frame(text string, size int) string {
	return string(binary.BigEndian.AppendUint32([]byte("CTS2"), uint32(size))) + text
}

func TestHostileFrames(t *testing.T) {
	request := func(s string) error {
		_, err := scanproto.ReadRequest(strings.NewReader(s), []byte("abcd"))
		return err
	}
	answer := func(s string) error {
		_, err := scanproto.ReadAnswer(strings.NewReader(s))
		return err
	}
	two := func(a, b string) string {
		text := `{"id":1,"objects":[{"part":"1","size":` + a + `},{"size":` + b + `}]}`
		return frame(text, len(text))
	}
	links := `{"id":1,"links":[` + strings.Repeat(`{"url":"a"},`, scanproto.MaxLinks) + `{"url":"a"}]}`
	longLink := `{"id":1,"links":[{"url":"` + strings.Repeat("x", scanproto.MaxLinkText+1) + `"}]}`
	many := `{"id":1,"findings":[` + strings.Repeat(`{"symbol":"A"},`, scanproto.MaxFindings) + `{"symbol":"A"}]}`
	for _, c := range []struct {
		name string
		err  error
		want error
	}{
		{"other protocol", request("GET / HTTP/1.1\r\n\r\n"), scanproto.ErrFrame},
		{"beyond its limit", answer(frame("", scanproto.MaxAnswer+1)), scanproto.ErrTooLarge},
		{"the largest length", request(frame("", 1<<32-1)), scanproto.ErrTooLarge},
		{"no JSON", answer(frame("{", 1)), scanproto.ErrFrame},
		{"cut in the preface", answer("CTS2\x00"), io.ErrUnexpectedEOF},
		{"cut in the text", answer(frame("{", 2)), io.ErrUnexpectedEOF},
		{"cut in a long text", answer(frame(strings.Repeat(" ", 100000), 200000)), io.ErrUnexpectedEOF},
		{"beyond the tray", request(two("3", "2")), scanproto.ErrFrame},
		{"a sum that wraps around", request(two("4", "9223372036854775807")), scanproto.ErrFrame},
		{"negative size", request(two("-1", "1")), scanproto.ErrFrame},
		{"no number", request(two("1e99", "1")), scanproto.ErrFrame},
		{"too many findings", answer(frame(many, len(many))), scanproto.ErrTooLarge},
		{"too many links", answer(frame(links, len(links))), scanproto.ErrTooLarge},
		{"too long a link", answer(frame(longLink, len(longLink))), scanproto.ErrTooLarge},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, c.err, c.want)
		}
	}
}

func TestWritersKeepTheLimits(t *testing.T) {
	many := &scanproto.Request{Objects: make([]scanproto.Object, scanproto.MaxObjects+1)}
	if err := scanproto.WriteRequest(io.Discard, nil, many); !errors.Is(err, scanproto.ErrTooLarge) {
		t.Errorf("too many objects: %v", err)
	}
	long := &scanproto.Answer{Error: strings.Repeat("x", scanproto.MaxAnswer)}
	if err := scanproto.WriteAnswer(io.Discard, long); !errors.Is(err, scanproto.ErrTooLarge) {
		t.Errorf("too long an answer: %v", err)
	}
}

// A length that lies must not cost the memory that it names.
func TestALyingLengthCostsNothing(t *testing.T) {
	lie := frame(`{"id":1}`, scanproto.MaxRequestHead)
	before := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = scanproto.ReadRequest(strings.NewReader(lie), nil)
		}
	})
	if per := before.AllocedBytesPerOp(); per > 256<<10 {
		t.Errorf("%d octets asked for a frame that never came", per)
	}
}

func FuzzReadAnswer(f *testing.F) {
	f.Add([]byte(frame(`{"id":1,"findings":[{"symbol":"A"}]}`, 37)))
	f.Add([]byte("CTS2"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := scanproto.ReadAnswer(bytes.NewReader(data))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := scanproto.WriteAnswer(&again, a); err != nil && !errors.Is(err, scanproto.ErrTooLarge) {
			t.Error(err)
		}
	})
}

func FuzzReadRequest(f *testing.F) {
	f.Add([]byte(frame(`{"id":1,"objects":[{"part":"1","size":3}]}`, 42)))
	view := []byte("what lies on the tray")
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := scanproto.ReadRequest(bytes.NewReader(data), view)
		if err != nil {
			return
		}
		var sum int
		for _, o := range r.Objects {
			sum += len(o.Data)
		}
		if sum > len(view) {
			t.Errorf("%d octets out of %d", sum, len(view))
		}
	})
}
