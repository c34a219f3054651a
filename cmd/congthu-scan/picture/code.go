package picture

import (
	"cmp"
	"math"
	"slices"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/detector"
)

// codes returns what the codes of a picture say, looking at it as a telephone would that
// comes nearer until it reads something: small, then large; and white on black. The
// library reads one code and weighs all triples of marks that it finds, without a bound;
// so its pieces are put together here, with one.
func codes(g gray) []string {
	const near, nearer = 1000, 2500
	for _, side := range []int{near, nearer} {
		if side == nearer && max(g.w, g.h) <= near {
			break
		}
		s := g.scaled(side)
		for _, inverted := range []bool{false, true} {
			if texts := read(s.framed(inverted)); len(texts) > 0 {
				return texts
			}
		}
	}
	return nil
}

// read reads all codes of a picture of moderate size.
func read(g gray) []string {
	src, err := gozxing.NewPlanarYUVLuminanceSource(g.pix, g.w, g.h, 0, 0, g.w, g.h, false)
	if err != nil {
		return nil // not of a size that a code fits into
	}
	black, err := gozxing.NewHybridBinarizer(src).GetBlackMatrix()
	if err != nil {
		return nil
	}
	const mostTries = 60
	var texts []string
	used := map[*detector.FinderPattern]bool{}
	tries := 0
	for _, t := range triples(marks(black)) {
		if used[t.a] || used[t.b] || used[t.c] {
			continue
		}
		if tries++; tries > mostTries {
			break
		}
		if text, ok := decode(black, t); ok {
			used[t.a], used[t.b], used[t.c] = true, true, true
			texts = append(texts, text)
		}
	}
	return texts
}

// marks finds the squares in the corners of codes (ISO/IEC 18004, 6.3.3): runs of black,
// white, black, white, black of 1 : 1 : 3 : 1 : 1 in rows, which the library then checks
// in the other directions.
func marks(black *gozxing.BitMatrix) []*detector.FinderPattern {
	const step, most = 3, 400
	f := detector.NewFinderPatternFinder(black, nil)
	for y := step - 1; y < black.GetHeight() && len(f.GetPossibleCenters()) < most; y += step {
		var runs []int
		x := 0
		for x < black.GetWidth() {
			begin, dark := x, black.Get(x, y)
			for x < black.GetWidth() && black.Get(x, y) == dark {
				x++
			}
			if len(runs) == 0 && !dark {
				continue
			}
			if runs = append(runs, x-begin); dark && len(runs) >= 5 {
				if last := slices.Clone(runs[len(runs)-5:]); detector.FinderPatternFinder_foundPatternCross(last) {
					f.HandlePossibleCenter(last, y, x)
				}
			}
		}
	}
	return sure(f.GetPossibleCenters())
}

// sure are the marks that were met most often.
func sure(all []*detector.FinderPattern) []*detector.FinderPattern {
	const most = 40
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b *detector.FinderPattern) int { return b.GetCount() - a.GetCount() })
	return all[:min(len(all), most)]
}

type triple struct {
	a, b, c *detector.FinderPattern
	skew    float64 // how far from half a square, in its sides
}

// triples are the marks that may be the three corners of a code, the likeliest first.
func triples(marks []*detector.FinderPattern) []triple {
	var all []triple
	for i, a := range marks {
		for j := i + 1; j < len(marks); j++ {
			if !alike(a, marks[j]) {
				continue
			}
			for _, c := range marks[j+1:] {
				if t := (triple{a: a, b: marks[j], c: c}); alike(a, c) && alike(t.b, c) && t.fits() {
					all = append(all, t)
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b triple) int { return cmp.Compare(a.skew, b.skew) })
	return all
}

// alike tells marks that may be of one code: a telephone may have seen it askew.
func alike(a, b *detector.FinderPattern) bool {
	small, large := a.GetEstimatedModuleSize(), b.GetEstimatedModuleSize()
	if small > large {
		small, large = large, small
	}
	return large <= 1.5*small
}

// fits tells whether the sides may be those of a code: between 14 and 170 of its modules
// long, two alike and the third longer by the square root of two.
func (t *triple) fits() bool {
	sides := []float64{gozxing.ResultPoint_Distance(t.a, t.b), gozxing.ResultPoint_Distance(t.b, t.c), gozxing.ResultPoint_Distance(t.a, t.c)}
	slices.Sort(sides)
	if sides[0] <= 0 {
		return false
	}
	module := (t.a.GetEstimatedModuleSize() + t.b.GetEstimatedModuleSize() + t.c.GetEstimatedModuleSize()) / 3
	if n := sides[0] / module; n < 10 || n > 200 {
		return false
	}
	t.skew = sides[1]/sides[0] - 1 + math.Abs(sides[2]/sides[1]-math.Sqrt2)
	return t.skew < 0.6
}

func decode(black *gozxing.BitMatrix, t triple) (text string, ok bool) {
	defer func() {
		if recover() != nil { // marks at odd places lead the library out of the picture
			ok = false
		}
	}()
	a, b, c := gozxing.ResultPoint_OrderBestPatterns(t.a, t.b, t.c)
	bottomLeft, isA := a.(*detector.FinderPattern)
	topLeft, isB := b.(*detector.FinderPattern)
	topRight, isC := c.(*detector.FinderPattern)
	if !isA || !isB || !isC {
		return "", false
	}
	found, err := detector.NewDetector(black).ProcessFinderPatternInfo(detector.NewFinderPatternInfo(bottomLeft, topLeft, topRight))
	if err != nil {
		return "", false
	}
	result, err := decoder.NewDecoder().DecodeWithoutHint(found.GetBits())
	if err != nil {
		return "", false
	}
	return result.GetText(), true
}
