package picture

import (
	"image"
	"image/color"
)

// gray is a picture in shades from 0, black, to 255, as it looks on white paper.
type gray struct {
	w, h int
	pix  []byte
}

func grayOf(img image.Image) gray {
	b := img.Bounds()
	g := gray{w: b.Dx(), h: b.Dy(), pix: make([]byte, b.Dx()*b.Dy())}
	for y := range g.h {
		row := g.pix[y*g.w : (y+1)*g.w]
		switch m := img.(type) {
		case *image.YCbCr:
			copy(row, m.Y[m.YOffset(b.Min.X, b.Min.Y+y):])
		case *image.Gray:
			copy(row, m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):])
		case *image.NRGBA:
			straight(row, m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):])
		case *image.RGBA:
			mixed(row, m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):])
		case *image.Paletted:
			looked(row, m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):], m.Palette)
		default:
			for x := range row {
				row[x] = shade(img.At(b.Min.X+x, b.Min.Y+y))
			}
		}
	}
	return g
}

// luminance weighs the colours as the eye does (ITU-R BT.601).
func luminance(r, g, b int) int { return (299*r + 587*g + 114*b) / 1000 }

func straight(row, pix []byte) {
	for x := range row {
		p, a := pix[4*x:4*x+4], int(pix[4*x+3])
		row[x] = byte((luminance(int(p[0]), int(p[1]), int(p[2]))*a + 255*(255-a)) / 255) //nolint:gosec // a mean of octets
	}
}

// mixed is straight for colours that are multiplied by their opacity already.
func mixed(row, pix []byte) {
	for x := range row {
		p := pix[4*x : 4*x+4]
		row[x] = byte(min(255, luminance(int(p[0]), int(p[1]), int(p[2]))+255-int(p[3]))) //nolint:gosec // not negative
	}
}

func looked(row, pix []byte, p color.Palette) {
	var shades [256]byte
	for i, c := range p[:min(len(p), 256)] {
		shades[i] = shade(c)
	}
	for x := range row {
		row[x] = shades[pix[x]]
	}
}

func shade(c color.Color) byte {
	r, g, b, a := c.RGBA()
	return byte(min(255, (luminance(int(r), int(g), int(b))+0xFFFF-int(a))>>8)) //nolint:gosec // 16 bits each
}

// scaled makes the longer side at most side pixels, each the mean of a square; and a
// picture that is small as many times larger as fit.
func (g gray) scaled(side int) gray {
	long := max(g.w, g.h)
	if by := (long + side - 1) / side; by > 1 {
		return g.shrunk(by)
	}
	const small = 400 // below it the marks of a code may be a pixel wide
	if by := min(small/long, 8); by > 1 {
		return g.grown(by)
	}
	return g
}

func (g gray) shrunk(by int) gray {
	out := gray{w: g.w / by, h: g.h / by}
	out.pix = make([]byte, out.w*out.h)
	sums := make([]int, out.w)
	for y := range out.h {
		clear(sums)
		for dy := range by {
			row := g.pix[(y*by+dy)*g.w:]
			for x := range sums {
				for _, v := range row[x*by : x*by+by] {
					sums[x] += int(v)
				}
			}
		}
		for x, s := range sums {
			out.pix[y*out.w+x] = byte(s / (by * by)) //nolint:gosec // a mean of octets
		}
	}
	return out
}

func (g gray) grown(by int) gray {
	out := gray{w: g.w * by, h: g.h * by}
	out.pix = make([]byte, out.w*out.h)
	for y := range out.h {
		for x := range out.w {
			out.pix[y*out.w+x] = g.pix[y/by*g.w+x/by]
		}
	}
	return out
}

// framed puts a white frame around: a code may begin at the very edge. Inverted turns
// black to white before that.
func (g gray) framed(inverted bool) gray {
	const frame = 16
	out := gray{w: g.w + 2*frame, h: g.h + 2*frame}
	out.pix = make([]byte, out.w*out.h)
	for i := range out.pix {
		out.pix[i] = 255
	}
	for y := range g.h {
		row := out.pix[(y+frame)*out.w+frame:][:g.w]
		copy(row, g.pix[y*g.w:(y+1)*g.w])
		if inverted {
			for x := range row {
				row[x] = 255 - row[x]
			}
		}
	}
	return out
}
