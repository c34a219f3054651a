package archive

// codes64 is a set of Huffman codes as deflate has them (RFC 1951 section 3.2.2): by their
// lengths alone. Short ones are looked up in a table, the others found by counting.
type codes64 struct {
	fast    [1 << fastBits]uint16 // symbol<<4 | length, by the bits as they come; 0: none so short
	count   [maxBits + 1]int      // codes of each length
	symbols [288 + 32]uint16      // by code
}

const (
	fastBits = 9
	maxBits  = 15
)

// fill makes the codes of so many bits for each symbol.
func (c *codes64) fill(sizes []uint8) error {
	*c = codes64{}
	for _, n := range sizes {
		c.count[n]++
	}
	c.count[0] = 0
	var code, at [maxBits + 2]int // the first of each length, and its place among the symbols
	for n := 1; n <= maxBits; n++ {
		code[n+1] = (code[n] + c.count[n]) << 1
		at[n+1] = at[n] + c.count[n]
		if code[n]+c.count[n] > 1<<n {
			return errDeflate64 // more codes than there can be
		}
	}
	for symbol, n := range sizes {
		if n == 0 {
			continue
		}
		c.symbols[at[n]] = uint16(symbol) //nolint:gosec // under 320
		at[n]++
		if n <= fastBits {
			for i := reversed(code[n], int(n)); i < len(c.fast); i += 1 << n {
				c.fast[i] = uint16(symbol)<<4 | uint16(n) //nolint:gosec // under 320
			}
		}
		code[n]++
	}
	return nil
}

func reversed(code, n int) (out int) {
	for ; n > 0; n-- {
		out = out<<1 | code&1
		code >>= 1
	}
	return out
}

// code decodes a symbol. It reads no octet that is not needed.
func (f *inflate64) code(c *codes64) (int, error) {
	for {
		if e := c.fast[f.bits&(1<<fastBits-1)]; e != 0 && uint(e&15) <= f.have {
			_, _ = f.take(uint(e & 15)) // it is there
			return int(e >> 4), nil
		}
		if symbol, n := c.slow(f.bits, f.have); n > 0 {
			_, _ = f.take(n)
			return symbol, nil
		}
		if f.have >= maxBits {
			return 0, errDeflate64
		}
		if err := f.octet(); err != nil {
			return 0, err
		}
	}
}

// slow finds a code by counting those of each length; n is 0 when the bits are none, or
// not all of one.
func (c *codes64) slow(bits uint32, have uint) (symbol int, n uint) {
	code, first, at := 0, 0, 0
	for n = 1; n <= min(have, maxBits); n++ {
		code |= int(bits & 1)
		bits >>= 1
		if i := code - first; i < c.count[n] {
			return int(c.symbols[at+i]), n
		}
		at += c.count[n]
		first = (first + c.count[n]) << 1
		code <<= 1
	}
	return 0, 0
}

// fixed64 and fives64 are the code lengths that every reader knows (3.2.6).
func fixed64() []uint8 {
	sizes := make([]uint8, 288)
	for i := range sizes {
		switch {
		case i < 144, i >= 280:
			sizes[i] = 8
		case i < 256:
			sizes[i] = 9
		default:
			sizes[i] = 7
		}
	}
	return sizes
}

func fives64() []uint8 {
	sizes := make([]uint8, 32)
	for i := range sizes {
		sizes[i] = 5
	}
	return sizes
}
