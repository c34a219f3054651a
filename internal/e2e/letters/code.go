package letters

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
)

// code is a QR code that says https://dvcquocgia.gov.vn@203.0.113.9/xac-minh: who reads
// it on a telephone sees the beginning.
const code = `
#######...#.###..###..#######
#.....#.#.#....#.#....#.....#
#.###.#.....#.#.#.###.#.###.#
#.###.#.###.##...#..#.#.###.#
#.###.#..#...#.....##.#.###.#
#.....#.##.#######..#.#.....#
#######.#.#.#.#.#.#.#.#######
.........###..#...###........
#####.####.#.#####.#.#.#.#.#.
.#.##.....#.###..####.###...#
##..#.##..#....###..#..##....
#..#.#......#..#..###...##.#.
.#...######.#####......#.##..
##.##.............#######...#
#.#...#....##..##.#...##.##..
#.##.....#.#..##..###.#.#..#.
.###.##...##########.....##..
###..#..#...#......#.####.#.#
#.#.###.....##.#.##.##....#..
#.##.#.#.#..#.#.#.#...###..#.
#...####.#####...##.#####.###
........#..#.#......#...#####
#######.##..#.##..###.#.###..
#.....#..###..##..###...#..##
#.###.#.###########.#####.#.#
#.###.#.#.##.#.....#...#.####
#.###.#.#.#...##.##.########.
#.....#.#.#.#.#.#...#...##.#.
#######.#..####..###..###.#..
`

// modules are the code's rows.
func modules() []string { return strings.Fields(code) }

// shade is what the code is at a pixel, several a module and a margin around.
func shade(x, y int) byte {
	const module, margin = 4, 4
	rows := modules()
	x, y = x/module-margin, y/module-margin
	if y >= 0 && y < len(rows) && x >= 0 && x < len(rows[y]) && rows[y][x] == '#' {
		return 0
	}
	return 255
}

func codeSide() int { return (len(modules()) + 8) * 4 }

// codePicture is the code as a picture.
func codePicture() []byte {
	side := codeSide()
	img := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			img.SetGray(x, y, color.Gray{Y: shade(x, y)})
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img) // to memory
	return b.Bytes()
}

// codePDF is the code as a picture on a page.
func codePDF() []byte {
	side := codeSide()
	var pixels bytes.Buffer
	w := zlib.NewWriter(&pixels)
	for y := range side {
		for x := range side {
			_, _ = w.Write([]byte{shade(x, y)}) // to memory
		}
	}
	_ = w.Close() // to memory
	return pdf("Quet ma de xac minh", fmt.Sprintf("<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream",
		side, side, pixels.Len(), pixels.Bytes()))
}

// linkPDF is a page with a link on it.
func linkPDF() []byte {
	return pdf("Bam vao day", "<< /Type /Annot /Subtype /Link /Rect [72 740 300 780] /A << /S /URI /URI (https://dvcquocgia.gov.vn@203.0.113.9/xac-minh) >> >>")
}
