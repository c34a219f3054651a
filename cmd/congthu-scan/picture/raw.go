package picture

import "fmt"

// Raw is a picture without a file around it, as PDF keeps them (ISO 32000-1, 8.9): rows
// of samples, each row in whole octets.
type Raw struct {
	Width, Height int
	Bits          int // of a sample; 0: 8
	// Pixels returns the octets, at most so many. It is called when the budget allows.
	Pixels func(most int) []byte
}

// Raw returns what the codes in a picture say. The number of samples a pixel follows from
// how many octets there are: 1 is a shade or the number of a colour, 3 are red, green and
// blue, 4 the inks of printing.
func (b *Budget) Raw(r Raw) (texts []string, err error) {
	defer guard(&err)
	if r.Bits == 0 {
		r.Bits = 8
	}
	if r.Bits != 1 && r.Bits != 2 && r.Bits != 4 && r.Bits != 8 && r.Bits != 16 {
		return nil, fmt.Errorf("%w: %d bits", ErrBroken, r.Bits)
	}
	if err := b.take(r.Width, r.Height); err != nil {
		return nil, err
	}
	row := func(samples int) int { return (r.Width*samples*r.Bits + 7) / 8 }
	pix := r.Pixels(row(4) * r.Height)
	for _, samples := range []int{4, 3, 1} {
		if size := row(samples); len(pix) >= size*r.Height {
			return codes(r.gray(pix, size, samples)), nil
		}
	}
	return nil, fmt.Errorf("%w: %d octets for %d x %d", ErrBroken, len(pix), r.Width, r.Height)
}

func (r Raw) gray(pix []byte, row, samples int) gray {
	g := gray{w: r.Width, h: r.Height, pix: make([]byte, r.Width*r.Height)}
	for y := range g.h {
		line := pix[y*row : (y+1)*row]
		at := func(i int) int { return sample(line, i, r.Bits) }
		for x := range g.w {
			v := at(x * samples)
			switch samples {
			case 3:
				v = luminance(v, at(3*x+1), at(3*x+2))
			case 4:
				v = max(0, 255-luminance(v, at(4*x+1), at(4*x+2))-at(4*x+3))
			}
			g.pix[y*g.w+x] = byte(v) //nolint:gosec // a mean of octets
		}
	}
	if samples == 1 {
		g.stretch()
	}
	return g
}

// sample is a sample of a row, from 0 to 255.
func sample(line []byte, i, bits int) int {
	switch bits {
	case 8:
		return int(line[i])
	case 16:
		return int(line[2*i])
	}
	per := 8 / bits
	v := int(line[i/per]) >> (8 - bits*(i%per+1)) & (1<<bits - 1)
	return v * 255 / (1<<bits - 1)
}

// stretch makes the darkest black and the lightest white: the numbers of two colours may
// be neighbours.
func (g gray) stretch() {
	low, high := byte(255), byte(0)
	for _, v := range g.pix {
		low, high = min(low, v), max(high, v)
	}
	if high <= low {
		return
	}
	for i, v := range g.pix {
		g.pix[i] = byte(int(v-low) * 255 / int(high-low)) //nolint:gosec // a share of 255
	}
}
