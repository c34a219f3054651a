package text

import (
	"bytes"
	"strconv"
	"strings"
)

// color is 0xRRGGBB with a bit that says that it is one.
type color uint32

const (
	none       color = 0       // nothing was said
	known      color = 1 << 24 // the lower bits are red, green, blue
	unknown    color = 1 << 25 // a picture, a name nobody knows
	seeThrough color = 1 << 26 // transparent

	black = known
	white = known | 0xFFFFFF
)

// alikeColors is the sum of the differences up to which letters vanish in the ground:
// #F5F5F5 on white does, #EEE can be read.
const alikeColors = 36

// near tells whether letters of this colour cannot be seen on that ground.
func (c color) near(ground color) bool {
	if c == seeThrough {
		return true
	}
	if c&known == 0 || ground&known == 0 {
		return false
	}
	sum := 0
	for shift := 0; shift < 24; shift += 8 {
		d := int(c>>shift&0xFF) - int(ground>>shift&0xFF)
		sum += max(d, -d)
	}
	return sum <= alikeColors
}

// names of colours near white and black, and the commonest others.
var colorNames = map[string]color{
	"white": white, "black": black, "transparent": seeThrough, "snow": known | 0xFFFAFA, "ivory": known | 0xFFFFF0, "ghostwhite": known | 0xF8F8FF,
	"whitesmoke": known | 0xF5F5F5, "floralwhite": known | 0xFFFAF0, "mintcream": known | 0xF5FFFA, "azure": known | 0xF0FFFF, "aliceblue": known | 0xF0F8FF,
	"seashell": known | 0xFFF5EE, "linen": known | 0xFAF0E6, "red": known | 0xFF0000, "blue": known | 0x0000FF, "green": known | 0x008000,
	"yellow": known | 0xFFFF00, "gray": known | 0x808080, "grey": known | 0x808080, "silver": known | 0xC0C0C0, "navy": known | 0x000080,
}

// parseColor reads a colour of CSS or HTML: #rgb, #rrggbb, rrggbb, rgb(), rgba(), hsl(),
// a name.
func parseColor(val []byte) color {
	s := strings.ToLower(string(bytes.TrimSpace(val[:min(len(val), 64)])))
	name, args, call := strings.Cut(s, "(")
	switch {
	case s == "", s == "inherit", s == "initial", s == "unset", s == "currentcolor":
		return none
	case call && strings.HasPrefix(name, "rgb"):
		return rgb(strings.TrimRight(args, ")"))
	case call && strings.HasPrefix(name, "hsl"):
		return hsl(strings.TrimRight(args, ")"))
	}
	if c, ok := colorNames[s]; ok {
		return c
	}
	return hexColor(strings.TrimPrefix(s, "#"))
}

func hexColor(s string) color {
	n, err := strconv.ParseUint(s, 16, 32)
	if err != nil {
		return unknown
	}
	switch len(s) {
	case 3:
		return known | color(n>>8*0x110000|n>>4&15*0x1100|n&15*0x11)
	case 6:
		return known | color(n)
	case 8:
		if n&0xFF == 0 {
			return seeThrough
		}
		return known | color(n>>8)
	}
	return unknown
}

// rgb reads "255, 255, 255", "100% 100% 100% / 0".
func rgb(args string) color {
	parts := fields(args)
	if len(parts) < 3 {
		return unknown
	}
	if len(parts) > 3 && number(parts[3]) == 0 {
		return seeThrough
	}
	c := known
	for i, p := range parts[:3] {
		v := number(p)
		if strings.HasSuffix(p, "%") {
			v *= 2.55
		}
		c |= color(min(max(v+0.5, 0), 255)) << (16 - 8*i)
	}
	return c
}

// hsl tells white and black; the others are not worked out.
func hsl(args string) color {
	parts := fields(args)
	if len(parts) < 3 {
		return unknown
	}
	switch l := number(parts[2]); {
	case len(parts) > 3 && number(parts[3]) == 0:
		return seeThrough
	case l >= 97:
		return white
	case l <= 3:
		return black
	}
	return unknown
}

func fields(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '/' })
}

// number reads the number at the head of a length; none reads as -1.
func number(s string) float64 {
	i := 0
	for i < len(s) && i < 20 && (s[i] >= '0' && s[i] <= '9' || s[i] == '.' || i == 0 && (s[i] == '-' || s[i] == '+')) {
		i++
	}
	v, err := strconv.ParseFloat(s[:i], 64)
	if err != nil {
		return -1
	}
	return v
}
