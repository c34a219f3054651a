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
	if err := scanproto.WriteRequest(&wire, in); err != nil {
		t.Fatal(err)
	}
	out, err := scanproto.ReadRequest(iotest.HalfReader(&wire), 4<<20)
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

// frame builds a frame with lengths of the caller's choice.
func frame(head string, headSize uint32, body string, bodySize uint64) string {
	b := binary.BigEndian.AppendUint32([]byte("CTS1"), headSize)
	b = binary.BigEndian.AppendUint64(b, bodySize)
	return string(b) + head + body
}

func TestHostileFrames(t *testing.T) {
	request := func(s string) error {
		_, err := scanproto.ReadRequest(strings.NewReader(s), 1<<20)
		return err
	}
	answer := func(s string) error {
		_, err := scanproto.ReadAnswer(strings.NewReader(s))
		return err
	}
	one := `{"id":1,"objects":[{"part":"1","size":3}]}`
	many := `{"id":1,"findings":[` + strings.Repeat(`{"symbol":"A"},`, scanproto.MaxFindings) + `{"symbol":"A"}]}`
	for _, c := range []struct {
		name string
		err  error
		want error
	}{
		{"other protocol", request("GET / HTTP/1.1\r\n\r\n"), scanproto.ErrFrame},
		{"head beyond its limit", answer(frame("", scanproto.MaxAnswer+1, "", 0)), scanproto.ErrTooLarge},
		{"largest lengths", request(frame("", 1<<32-1, "", 1<<64-1)), scanproto.ErrTooLarge},
		{"body beyond the reader's limit", request(frame(one, uint32(len(one)), "", 1<<20+1)), scanproto.ErrTooLarge},
		{"an answer with a body", answer(frame("{}", 2, "x", 1)), scanproto.ErrTooLarge},
		{"no JSON", answer(frame("{", 1, "", 0)), scanproto.ErrFrame},
		{"cut in the preface", answer("CTS1\x00"), io.ErrUnexpectedEOF},
		{"cut in the head", answer(frame("{", 2, "", 0)), io.ErrUnexpectedEOF},
		{"cut in the body", request(frame(one, uint32(len(one)), "ab", 3)), io.ErrUnexpectedEOF},
		{"body shorter than the object", request(frame(one, uint32(len(one)), "ab", 2)), scanproto.ErrFrame},
		{"octets of nobody", request(frame(one, uint32(len(one)), "abcd", 4)), scanproto.ErrFrame},
		{"negative size", request(frame(`{"objects":[{"size":-1}]}`, 25, "", 0)), scanproto.ErrFrame},
		{"too many findings", answer(frame(many, uint32(len(many)), "", 0)), scanproto.ErrTooLarge},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, c.err, c.want)
		}
	}
}

func TestWritersKeepTheLimits(t *testing.T) {
	many := &scanproto.Request{Objects: make([]scanproto.Object, scanproto.MaxObjects+1)}
	if err := scanproto.WriteRequest(io.Discard, many); !errors.Is(err, scanproto.ErrTooLarge) {
		t.Errorf("too many objects: %v", err)
	}
	long := &scanproto.Answer{Error: strings.Repeat("x", scanproto.MaxAnswer)}
	if err := scanproto.WriteAnswer(io.Discard, long); !errors.Is(err, scanproto.ErrTooLarge) {
		t.Errorf("too long an answer: %v", err)
	}
}

// A length that lies must not cost the memory that it names.
func TestALyingLengthCostsNothing(t *testing.T) {
	lie := frame(`{"id":1}`, 8, "", 500<<20)
	before := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = scanproto.ReadRequest(strings.NewReader(lie), scanproto.MaxRequestBody)
		}
	})
	if per := before.AllocedBytesPerOp(); per > 8<<20 {
		t.Errorf("%d octets asked for a frame that never came", per)
	}
}

func FuzzReadAnswer(f *testing.F) {
	f.Add([]byte(frame(`{"id":1,"findings":[{"symbol":"A"}]}`, 37, "", 0)))
	f.Add([]byte("CTS1"))
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
	f.Add([]byte(frame(`{"id":1,"objects":[{"part":"1","size":3}]}`, 42, "abc", 3)))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := scanproto.ReadRequest(bytes.NewReader(data), 1<<20)
		if err != nil {
			return
		}
		var sum int
		for _, o := range r.Objects {
			sum += len(o.Data)
		}
		if sum > len(data) {
			t.Errorf("%d octets out of %d", sum, len(data))
		}
	})
}
