package picture_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/bmp"

	"congthu/cmd/congthu-scan/picture"
	"congthu/cmd/congthu-scan/picture/picturetest"
)

const address = "https://dvc-xac-minh.example/dang-nhap?ma=0123456789"

func asPNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func codes(t testing.TB, data []byte) []string {
	t.Helper()
	b := picture.DefaultBudget()
	got, err := b.Codes(data)
	if err != nil {
		t.Errorf("%v", err)
	}
	return got
}

// seen is a code as a picture shows it: so many pixels a module, turned, elsewhere on a
// larger paper, in other colours.
type seen struct {
	module  float64
	turned  float64 // degrees
	margin  int     // pixels
	dark    color.Color
	light   color.Color
	noise   int
	farther bool // in the corner of a large picture
}

func (s seen) draw(code image.Image) image.Image {
	n := code.Bounds().Dx()
	side := int(float64(n)*s.module*1.5) + 2*s.margin
	if s.turned == 0 {
		side = int(float64(n)*s.module) + 2*s.margin
	}
	w := side
	if s.farther {
		w = 3 * side
	}
	img := image.NewNRGBA(image.Rect(0, 0, w, w))
	sin, cos := math.Sincos(s.turned * math.Pi / 180)
	r := rand.New(rand.NewPCG(1, 2))
	for y := range w {
		for x := range w {
			dx, dy := float64(x)+0.5-float64(side)/2, float64(y)+0.5-float64(side)/2
			u := (dx*cos+dy*sin)/s.module + float64(n)/2
			v := (dy*cos-dx*sin)/s.module + float64(n)/2
			c := s.light
			if u >= 0 && v >= 0 && u < float64(n) && v < float64(n) {
				if g, _, _, _ := code.At(int(u), int(v)).RGBA(); g < 0x8000 {
					c = s.dark
				}
			}
			p := color.NRGBAModel.Convert(c).(color.NRGBA) //nolint:forcetypeassert // that model gives no other
			if s.noise > 0 {
				d := uint8(r.IntN(s.noise)) //nolint:gosec // a small number
				p.R, p.G, p.B = p.R/2+d, p.G/2+d, p.B/2+d
			}
			img.SetNRGBA(x, y, p)
		}
	}
	return img
}

func TestCodesAreReadAsTheyAreSeen(t *testing.T) {
	code := picturetest.QR(t, address)
	plain := seen{module: 6, margin: 24, dark: color.Black, light: color.White}
	for name, change := range map[string]func(*seen){
		"as it is printed":        func(*seen) {},
		"a pixel a module":        func(s *seen) { s.module, s.margin = 1, 0 },
		"without a margin":        func(s *seen) { s.margin = 0 },
		"large":                   func(s *seen) { s.module = 40 },
		"not whole pixels":        func(s *seen) { s.module = 3.4 },
		"turned by 90 degrees":    func(s *seen) { s.turned = 90 },
		"turned by 31 degrees":    func(s *seen) { s.turned = 31 },
		"white on black":          func(s *seen) { s.dark, s.light = color.White, color.Black },
		"blue on yellow":          func(s *seen) { s.dark, s.light = color.NRGBA{0, 0, 160, 255}, color.NRGBA{255, 230, 90, 255} },
		"on nothing":              func(s *seen) { s.light = color.Transparent },
		"with noise":              func(s *seen) { s.noise = 60 },
		"in the corner of a page": func(s *seen) { s.module, s.farther = 3, true },
	} {
		s := plain
		change(&s)
		if got := codes(t, asPNG(t, s.draw(code))); !slices.Equal(got, []string{address}) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestFormats(t *testing.T) {
	img := seen{module: 5, margin: 20, dark: color.Black, light: color.White}.draw(picturetest.QR(t, address))
	var j, g, b bytes.Buffer
	if err := errors.Join(jpeg.Encode(&j, img, &jpeg.Options{Quality: 40}), gif.Encode(&g, img, nil), bmp.Encode(&b, img)); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"jpeg": j.Bytes(), "gif": g.Bytes(), "bmp": b.Bytes()} {
		if got := codes(t, data); !slices.Equal(got, []string{address}) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestSeveralCodes(t *testing.T) {
	page := image.NewGray(image.Rect(0, 0, 900, 300))
	for i := range page.Pix {
		page.Pix[i] = 255
	}
	var want []string
	for i := range 3 {
		want = append(want, fmt.Sprintf("https://so-%d.example/%s", i, strings.Repeat("x", 10*i)))
		code := seen{module: 5, dark: color.Black, light: color.White}.draw(picturetest.QR(t, want[i]))
		for y := range code.Bounds().Dy() {
			for x := range code.Bounds().Dx() {
				page.Set(40+300*i+x, 40+y, code.At(x, y))
			}
		}
	}
	got := codes(t, asPNG(t, page))
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// An independent program's codes, of every size and level of correction.
func TestRealQrencode(t *testing.T) {
	if _, err := exec.LookPath("qrencode"); err != nil {
		t.Skip("qrencode is not installed: make test installs it")
	}
	missed := 0
	const all = 24
	for i := range all {
		text := "https://vi-du.example/" + strings.Repeat("trang-", i*4)
		out, err := exec.Command("qrencode", "-o", "-", "-s", fmt.Sprint(2+i%4), "-l", "LMQH"[i%4:i%4+1], text).Output()
		if err != nil {
			t.Fatal(err)
		}
		if got := codes(t, out); !slices.Equal(got, []string{text}) {
			missed++
			t.Logf("%d letters: %q", len(text), got)
		}
	}
	if missed > 0 {
		t.Errorf("%d of %d missed", missed, all)
	}
}

// No picture costs more than its pixels allow, and a decoder's fault is an error.
func FuzzCodes(f *testing.F) {
	img := seen{module: 2, margin: 4, dark: color.Black, light: color.White}.draw(picturetest.QR(f, "http://a.test/"))
	var j, g, b bytes.Buffer
	if err := errors.Join(jpeg.Encode(&j, img, nil), gif.Encode(&g, img, nil), bmp.Encode(&b, img)); err != nil {
		f.Fatal(err)
	}
	f.Add(asPNG(f, img))
	for _, d := range []*bytes.Buffer{&j, &g, &b} {
		f.Add(d.Bytes())
	}
	f.Add([]byte("RIFF\x24\x00\x00\x00WEBPVP8 \x18\x00\x00\x00\x30\x01\x00\x9d\x01\x2a\x01\x00\x01\x00\x02\x00\x34\x25\xa4\x00\x03\x70\x00\xfe\xfb\xfd\x50\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		budget := picture.Budget{Each: 1 << 18, Total: 1 << 18}
		_, err := budget.Codes(data)
		if err != nil && !errors.Is(err, picture.ErrLarge) && !errors.Is(err, picture.ErrBroken) {
			t.Error(err)
		}
		if budget.Total < 0 || budget.Total > 1<<18 {
			t.Errorf("%d pixels left", budget.Total)
		}
	})
}

// Pixels without a file may be of any size and form.
func FuzzRaw(f *testing.F) {
	f.Add(21, 21, 1, bytes.Repeat([]byte{0xA5}, 63))
	f.Add(3, 3, 8, make([]byte, 27))
	f.Fuzz(func(t *testing.T, w, h, bits int, pixels []byte) {
		budget := picture.Budget{Each: 1 << 18, Total: 1 << 18}
		_, err := budget.Raw(picture.Raw{Width: w, Height: h, Bits: bits, Pixels: func(most int) []byte { return pixels[:min(len(pixels), most)] }})
		if err != nil && !errors.Is(err, picture.ErrLarge) && !errors.Is(err, picture.ErrBroken) {
			t.Error(err)
		}
	})
}

// Marks by the thousand, as in a sheet of chequers, do not cost more than few.
func TestManyMarks(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 2400, 2400))
	for y := range 2400 {
		for x := range 2400 {
			u, v := x%24/3, y%24/3
			ring := max(max(3-u, u-3), max(3-v, v-3))
			if u > 6 || v > 6 || ring == 2 {
				img.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	start := time.Now()
	codes(t, asPNG(t, img))
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("%v", took)
	}
}
