// Package picture reads the QR codes in pictures: a letter whose only link is in a code
// is made to be opened on a telephone, where nobody looks at where it leads. It looks at
// pixels and at nothing else.
//
// What a picture costs is bounded before it is decoded, by its own statement of its size,
// and a message has so many pixels in all. A picture that is not read is said to be so.
package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/webp"
)

// ErrLarge says that a picture has more pixels than are looked at, alone or with those
// before it.
var ErrLarge = errors.New("picture: too many pixels")

// ErrBroken says that a picture could not be decoded.
var ErrBroken = errors.New("picture: not decoded")

// Budget is what the pictures of one message may cost. The zero value allows nothing.
type Budget struct {
	Each  int // pixels of one picture
	Total int // pixels of all that are left to look at
}

// DefaultBudget allows the picture of a good camera, and a few of them: about three
// seconds of one core at most.
func DefaultBudget() Budget { return Budget{Each: 40e6, Total: 120e6} }

// take takes a picture's pixels from the budget.
func (b *Budget) take(width, height int) error {
	if width <= 0 || height <= 0 {
		return fmt.Errorf("%w: %d x %d", ErrBroken, width, height)
	}
	if width > b.Each/height || width*height > b.Total {
		return fmt.Errorf("%w: %d x %d", ErrLarge, width, height)
	}
	b.Total -= width * height
	return nil
}

// format is how one format is opened.
type format struct {
	magic  string
	size   func([]byte) (image.Config, error)
	decode func([]byte) (image.Image, error)
}

func formats() [5]format {
	return [...]format{
		{"\xff\xd8\xff", reading(jpeg.DecodeConfig), reading(jpeg.Decode)},
		{"\x89PNG\r\n\x1a\n", reading(png.DecodeConfig), reading(png.Decode)},
		{"GIF8", reading(gif.DecodeConfig), reading(gif.Decode)},
		{"BM", reading(bmp.DecodeConfig), reading(bmp.Decode)},
		{"RIFF", reading(webp.DecodeConfig), reading(webp.Decode)},
	}
}

func reading[T any](from func(io.Reader) (T, error)) func([]byte) (T, error) {
	return func(data []byte) (T, error) { return from(bytes.NewReader(data)) }
}

// formatOf returns the format by the first octets; ok is false for what is no picture.
func formatOf(data []byte) (f format, ok bool) {
	for _, f := range formats() {
		if !bytes.HasPrefix(data, []byte(f.magic)) {
			continue
		}
		switch f.magic {
		case "RIFF":
			return f, len(data) >= 12 && string(data[8:12]) == "WEBP"
		case "BM": // two letters are no signature: the reserved octets are
			return f, len(data) >= 54 && bytes.Equal(data[6:10], []byte{0, 0, 0, 0})
		}
		return f, true
	}
	return format{}, false
}

// Is tells whether the octets are those of a picture that can be read here.
func Is(data []byte) bool {
	_, ok := formatOf(data)
	return ok
}

// Codes returns what the codes in a picture say. An error, ErrLarge or ErrBroken, says
// that the picture was not looked at.
func (b *Budget) Codes(data []byte) (texts []string, err error) {
	f, ok := formatOf(data)
	if !ok {
		return nil, nil
	}
	defer guard(&err)
	size, err := f.size(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	if err := b.take(size.Width, size.Height); err != nil {
		return nil, err
	}
	img, err := f.decode(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	return codes(grayOf(img)), nil
}

// guard makes an error of a decoder's fault: the picture is unread, the worker goes on.
func guard(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", ErrBroken, p)
	}
}
