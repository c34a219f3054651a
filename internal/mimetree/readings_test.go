package mimetree

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"congthu/internal/msg"
)

// seen joins what the scanners get: the tree's leaves and those of other readings, and
// where the payload stands in any of them.
func seen(root *msg.Part) (where []string) {
	look := func(p *msg.Part) {
		if bytes.HasPrefix(p.Decoded, []byte(payload)) {
			where = append(where, p.Path)
		}
	}
	root.Walk(look)
	for _, p := range root.Others {
		look(p)
	}
	return where
}

// Each message hides a file from our own reading. Some reader sees it, so the scanners
// must be handed it as that reader sees it: from its first octet.
func TestOtherReadings(t *testing.T) {
	l := func(lines ...string) []string { return lines }
	file := l("Content-Type: application/octet-stream; name=a.exe", "Content-Transfer-Encoding: base64", "", b64(payload))
	half := len(b64(payload)) / 2
	cut := l("Content-Transfer-Encoding: base64", "", b64(payload)[:half])
	rest := b64(payload)[half:]
	url := strings.NewReplacer("+", "-", "/", "_").Replace(b64(payload + "\xfb\xff\xfe?>~"))
	for _, tt := range []struct {
		name string
		raw  [][]string
		code string
	}{
		{"the other boundary's line cuts the file", [][]string{l("Content-Type: multipart/mixed; boundary=x; boundary=y", "", "--y"), cut, l("--x", rest, "--y--")}, TwoBoundaries},
		{"cut by the second", [][]string{l("Content-Type: multipart/mixed; boundary=y; boundary=x", "", "--y"), cut, l("--x", rest, "--y--")}, TwoBoundaries},
		{"cut by the extended one", [][]string{l("Content-Type: multipart/mixed; boundary*=utf-8''x; boundary=y", "", "--y"), cut, l("--x", rest, "--y--")}, TwoBoundaries},
		{"three boundaries, the one between", [][]string{l("Content-Type: multipart/mixed; boundary=z; boundary=y; boundary=x", "", "--y"), cut, l("--x", "--z", rest, "--y--")}, TwoBoundaries},
		{"two types, the leaf", [][]string{l("Content-Type: multipart/mixed; boundary=x", "Content-Type: text/plain"), cut, l("--x", rest)}, TwoContentTypes},
		{"two encodings, the second", [][]string{l("Content-Transfer-Encoding: quoted-printable", "Content-Transfer-Encoding: base64", "", b64(payload))}, TwoEncodings},
		{"two encodings, base64 first and meant otherwise", [][]string{l("Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: quoted-printable", "", strings.ReplaceAll(payload, "-", "=2D"))}, TwoEncodings},
		{"an encoding nobody knows", [][]string{l("Content-Transfer-Encoding: base-64", "", b64(payload))}, UnknownEncoding},
		{"an encoding nobody knows, quoted-printable", [][]string{l("Content-Transfer-Encoding: quoted_printable", "", strings.ReplaceAll(payload, "-", "=2D"))}, UnknownEncoding},
		{"second stream is a file of its own", [][]string{l("Content-Transfer-Encoding: base64", "", b64("a"), b64(payload))}, Base64Streams},
		{"junk ends the first stream", [][]string{l("Content-Transfer-Encoding: base64", "", b64(payload)+"!"+b64("x"))}, Base64Junk},
		{"odd lines are dropped", [][]string{l("Content-Transfer-Encoding: base64", "", "!AAAA", b64(payload))}, Base64Junk},
		{"padding skipped", [][]string{l("Content-Transfer-Encoding: base64", "", b64(payload)[:2]+"=="+b64(payload)[2:])}, Base64Streams},
		{"alphabet for URLs", [][]string{l("Content-Transfer-Encoding: base64", "", url)}, Base64Junk},
		{"the header ends at a bad line", [][]string{l("Content-Type: multipart/mixed; boundary=y", "Content-Transfer-Encoding: base64", b64(payload))}, HeaderNoColon},
		{"the header ends at a blank fold", [][]string{l("Content-Transfer-Encoding: base64", " ", b64(payload))}, BlankFold},
		{"the part ends not at the boundary with a tail", [][]string{l("Content-Type: multipart/mixed; boundary=x", "", "--x", "", "hi", "--x!"), file, l("--x--")}, BoundaryPrefix},
		{"the inner one has the boundary", [][]string{l("Content-Type: multipart/mixed; boundary=x", "", "--x", "Content-Type: multipart/mixed; boundary=x", "", "--x"), file, l("--x--", "--x--")}, BoundaryReused},
		{"epilogue is a part", [][]string{l("Content-Type: multipart/mixed; boundary=x", "", "--x", "", "hi", "--x--"), file}, Epilogue},
		{"preamble is a part", [][]string{l("Content-Type: multipart/mixed; boundary=x", ""), file, l("--x", "", "hi", "--x--")}, Preamble},
		{"base64 in the epilogue", [][]string{l("Content-Type: multipart/mixed; boundary=x", "", "--x", "", "hi", "--x--", "", b64(payload+payload))}, Epilogue},
		{"base64 in a text", [][]string{l("Subject: a", "", "see", "", b64(payload + payload)[:60], b64(payload + payload)[60:], "", "bye")}, ""},
		{"base64 in quoted-printable", [][]string{l("Content-Transfer-Encoding: quoted-printable", "", b64(payload + payload)[:60]+"=", strings.ReplaceAll(b64(payload + payload)[60:], "=", "=3D"))}, ""},
		{"uuencode in a file", [][]string{l("Content-Type: application/octet-stream", "", "begin 644 a.exe"), uuLines(payload), l("`", "end")}, ""},
		{"uuencode in the epilogue", [][]string{l("Content-Type: multipart/mixed; boundary=x", "", "--x", "", "hi", "--x--", "begin 644 a.exe"), uuLines(payload), l("`", "end")}, Epilogue},
		{"yEnc in a file", [][]string{l("Content-Type: application/octet-stream", "", "=ybegin line=128 size=3 name=a.exe", yencOf(payload), "=yend size=3")}, ""},
		{"BinHex in a file", [][]string{l("Content-Type: application/mac-binhex40", "", "(This file must be converted with BinHex 4.0)", "", binHexOf("a.exe", payload))}, ""},
		{"UTF-16 behind a mark", [][]string{l("Content-Type: text/plain", "Content-Transfer-Encoding: base64", "", b64("\xfe\xff"+utf16be(payload)))}, CharsetTrick},
		{"NUL in the boundary", [][]string{l("Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", "",
			b64("Content-Type: multipart/mixed; boundary=x\r\n\r\n--\x00x\r\n\r\n"+payload+"\r\n--x--\r\n"))}, NUL},
		{"bare CR in a header", [][]string{l("Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", "",
			b64("Subject: a\rContent-Transfer-Encoding: quoted-printable\r\n\r\n"+strings.ReplaceAll(payload, "-", "=2D")))}, BareCR},
	} {
		t.Run(tt.name, func(t *testing.T) {
			raw := crlf(slices.Concat(tt.raw...)...)
			root := Parse(raw, DefaultLimits())
			if len(seen(root)) == 0 {
				t.Errorf("hidden; %s, codes %q, others %s", shape(root), codes(root), paths(root.Others))
			}
			if tt.code != "" && !hasCode(root, tt.code) {
				t.Errorf("codes %q, want %s", codes(root), tt.code)
			}
			checkTree(t, raw, root)
		})
	}
}

func paths(list []*msg.Part) string {
	var out []string
	for _, p := range list {
		out = append(out, fmt.Sprintf("%s(%.40q)", p.Path, p.Decoded))
	}
	return strings.Join(out, " ")
}

// What everybody reads alike is read once.
func TestOrdinaryMailHasNoOtherReading(t *testing.T) {
	for name, raw := range map[string][]byte{
		"benchmark": mailOf(100 << 10),
		"preamble": crlf("Content-Type: multipart/mixed; boundary=x", "", "This is a multi-part message in MIME format.", "--x", "",
			"hi", "--x--", "", "-- ", strings.Repeat("-", 70), "danh sach thu", "http://a.test/"+strings.Repeat("x", 80)),
		"signature": crlf("Content-Type: multipart/signed; boundary=x; protocol=\"application/pkcs7-signature\"; micalg=sha-256", "",
			"--x", "Content-Type: text/plain", "", "hi", "--x", "Content-Type: application/pkcs7-signature; name=smime.p7s",
			"Content-Transfer-Encoding: base64", "", b64(strings.Repeat("a", 57)), b64(strings.Repeat("b", 57)), "--x--"),
		"latin": crlf("Content-Type: text/plain; charset=windows-1252", "Content-Transfer-Encoding: 8bit", "", "caf\xe9"),
	} {
		root := Parse(raw, DefaultLimits())
		if len(root.Others) > 0 {
			t.Errorf("%s: %s", name, paths(root.Others))
		}
	}
}

// All readings together are a small multiple of the message, and what was left out is a
// limit that was hit.
func TestReadingsAreBounded(t *testing.T) {
	big := strings.Repeat(b64(strings.Repeat("x", 57))+"\r\n", 30000) // 2.3 MB
	for name, raw := range map[string]string{
		"junk":       "Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: x\r\n\r\n!" + big,
		"streams":    "Content-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat("QQ==", 300000),
		"boundaries": "Content-Type: multipart/mixed; boundary=a; boundary=b; boundary=c; boundary=d; boundary=e\r\n\r\n--a\r\n\r\n" + big + "--b\r\n\r\n" + big,
		"NUL":        "Subject: a\x00\r\n\r\n" + big,
		"runs":       "Subject: a\r\n\r\n" + strings.Repeat(b64(strings.Repeat("x", 57))+"\r\n!\r\n", 30000),
		"uu":         "Content-Type: a/b\r\n\r\n" + strings.Repeat("begin 644 a\r\n#86)C\r\nend\r\n", 50000),
		"BinHex":     "Content-Type: a/b\r\n\r\n" + strings.Repeat(binHexMark+"\r\n", 50000),
		"BinHex run": "Content-Type: a/b\r\n\r\n" + binHexMark + "\r\n:" + strings.Repeat("*NJq", 500000) + ":",
		"epilogues":  "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a--\r\n" + strings.Repeat(strings.Repeat("x ", 200)+"\r\n--a\r\n\r\n--a--\r\n", 900),
	} {
		t.Run(name, func(t *testing.T) {
			held := 0
			timed(t, 8e9, func() { // with the race detector, beside other tests
				root := Parse([]byte(raw), DefaultLimits())
				for _, p := range root.Others {
					held += len(p.Decoded)
				}
				if len(root.Others) > maxOthers {
					t.Errorf("%d objects", len(root.Others))
				}
				if len(root.Others) == maxOthers && !hasCode(root, LimitReadings) {
					t.Error("the limit was hit and not named")
				}
			})
			if most := readingsShare*len(raw) + 1<<20; held > most {
				t.Errorf("%d octets of other readings for %d", held, len(raw))
			}
		})
	}
	five := Parse(crlf("Content-Type: multipart/mixed; boundary=a; boundary=b; boundary=c; boundary=d; boundary=e", "", "--c", "", "x"), DefaultLimits())
	if !hasCode(five, LimitReadings) {
		t.Errorf("five boundaries: %q", codes(five))
	}
}

// A reading that comes to the same is none: base64 without its padding is scanned once
// decoded and once as it stands.
func TestSameReadingIsNone(t *testing.T) {
	raw := crlf("Content-Transfer-Encoding: base64", "", strings.TrimRight(b64(payload+"x"), "="))
	root := Parse(raw, DefaultLimits())
	if len(root.Others) != 1 || root.Others[0].Path != "0~raw" {
		t.Errorf("others %s", paths(root.Others))
	}
}

// How other readers go on behind a mistake: what they see there is handed on as well.
func TestOtherReadingsOfMistakes(t *testing.T) {
	l := func(lines ...string) []string { return lines }
	file := l("Content-Type: application/octet-stream; name=a.exe", "Content-Transfer-Encoding: base64", "", b64(payload))
	mixed := "Content-Type: multipart/mixed; boundary=x"
	uu := uuLines(payload)
	for _, tt := range []struct {
		name string
		raw  [][]string
		code string
	}{
		{"a delimiter of a multipart that was cut off", [][]string{l(mixed, "", "--x", "Content-Type: multipart/mixed; boundary=y", "", "--y", "", "a", "--x", "", "b", "--y"), file, l("--y--", "--x--")}, BoundaryOrphan},
		{"a header cut by a delimiter", [][]string{l(mixed, "", "--x", "Content-Type: application/octet-stream", "--x--", "Content-Transfer-Encoding: base64", "", b64(payload))}, HeaderCut},
		{"a boundary folded inside", [][]string{l("Content-Type: multipart/mixed; boundary=\"x", " y\"", "Content-Transfer-Encoding: base64", "", b64(payload))}, BoundarySyntax},
		{"delimiters in a row", [][]string{l(mixed, "", "--x", "--x--"), file}, Epilogue},
		{"a message of another type", [][]string{l("Content-Type: message/x-odd", "", "Content-Transfer-Encoding: quoted-printable", "", strings.ReplaceAll(payload, "-", "=2D"))}, ""},
		{"a message of another type whose header ends at a bad line", [][]string{l("Content-Type: message/x-odd", "", "Content-Transfer-Encoding: quoted-printable", strings.ReplaceAll(payload, "-", "=2D"))}, ""},
		{"an external body's own message", [][]string{l("Content-Type: message/external-body", "", "Content-Transfer-Encoding: quoted-printable", "", strings.ReplaceAll(payload, "-", "=2D"))}, ExternalBody},
		{"a message that only claims base64 and decodes", [][]string{l("Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", "", "Subject: abcd", "", payload)}, EncodedContainer},
		{"a multipart without parts", [][]string{l(mixed, "", payload, "--x--")}, Preamble},
		{"a multipart in base64 without parts", [][]string{l("Content-Type: multipart/mixed", "Content-Transfer-Encoding: base64", "", b64(payload))}, NoBoundary},
		{"uuencode behind a bad line", [][]string{l("Subject: a", "", "begin 644 a.exe", "#86)C~~~~~~~"), uu, l("end")}, UUEncode},
		{"uuencode with a begin inside", [][]string{l("Subject: a", "", "begin 644 a.exe", uuLines(payload[:20])[0], "begin 644 b.txt"), uuLines(payload[20:]), l("end")}, UUEncode},
		{"uuencode with a wrong length", [][]string{l("Subject: a", "", "begin 644 a.exe", uu[0]+"~~~~~~~~~~", "end")}, UUEncode},
		{"uuencode without a name", [][]string{l("Subject: a", "", "begin 644"), uu, l("end")}, UUEncode},
		{"padding inside a group", [][]string{l("Content-Transfer-Encoding: base64", "", b64(payload)[:5]+"="+b64(payload)[5:])}, Base64Streams},
		{"base64 that is none", [][]string{l("Content-Transfer-Encoding: base64", "", payload+"!")}, Base64Junk},
		{"UTF-16 with its mark, in a file", [][]string{l("Content-Type: a/b", "Content-Transfer-Encoding: base64", "", b64("\xfe\xff"+utf16be(payload)))}, ""},
		{"UTF-16 by its charset", [][]string{l("Content-Type: text/html; charset=utf-16", "Content-Transfer-Encoding: base64", "", b64("\xfe\xff"+utf16be(payload)))}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			raw := crlf(slices.Concat(tt.raw...)...)
			root := Parse(raw, DefaultLimits())
			if len(seen(root)) == 0 {
				t.Errorf("hidden; %s, codes %q, others %s", shape(root), codes(root), paths(root.Others))
			}
			if tt.code != "" && !hasCode(root, tt.code) {
				t.Errorf("codes %q, want %s", codes(root), tt.code)
			}
			checkTree(t, raw, root)
		})
	}
}

// BinHex says how long its file is. Who does not ask sees all that follows, and who skips
// characters of no code sees on behind them.
func TestBinHexBeyondItsLength(t *testing.T) {
	whole := binHexOf("a.exe", payload)
	for name, text := range map[string]string{
		"all of it":     whole,
		"an odd letter": whole[:40] + "~" + whole[40:],
	} {
		root := Parse(crlf("Subject: a", "", binHexMark+" 4.0)", "", text), DefaultLimits())
		if len(seen(root)) == 0 {
			t.Errorf("%s: %s, others %s", name, shape(root), paths(root.Others))
		}
	}
}

// A little BinHex may stand for very much: it is cut, and that is said.
func TestBinHexOfRunsIsCut(t *testing.T) {
	octets := append([]byte{1}, "a\x00TEXTttxt\x00\x00"...)
	octets = append(octets, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0)
	octets = append(octets, bytes.Repeat([]byte("A\x90\xff"), 1<<18)...)
	raw := crlf("Subject: a", "", binHexMark+" 4.0)", "", ":"+sixBits(octets)+":")
	root := Parse(raw, DefaultLimits())
	held := 0
	root.Walk(func(p *msg.Part) { held += len(p.Decoded) })
	if held > 8*len(raw)+2<<20 || !hasCode(root, LimitDecoded) {
		t.Errorf("%d octets out of %d, codes %q", held, len(raw), codes(root))
	}
}

// So is uuencode whose lines claim what they have not.
func TestUUClaimsAreCut(t *testing.T) {
	lines := strings.Repeat("_\r\n", 1<<17)
	for name, raw := range map[string][]byte{
		"in a text":   crlf("Subject: a", "", "begin 644 a", lines+"end"),
		"as encoding": crlf("Content-Transfer-Encoding: x-uuencode", "Content-Type: a/b", "", "begin 644 a", lines+"end"),
	} {
		root := Parse(raw, DefaultLimits())
		held := 0
		root.Walk(func(p *msg.Part) { held += len(p.Decoded) })
		for _, p := range root.Others {
			held += len(p.Decoded)
		}
		if held > 8*len(raw)+2<<20 || !hasCode(root, LimitDecoded) && !hasCode(root, LimitReadings) {
			t.Errorf("%s: %d octets out of %d, codes %q", name, held, len(raw), codes(root))
		}
	}
}

// sixBits writes octets in BinHex's letters, runs as they are given.
func sixBits(octets []byte) string {
	var out strings.Builder
	acc, held := uint32(0), 0
	for _, c := range octets {
		acc = acc<<8 | uint32(c)
		for held += 8; held >= 6; {
			held -= 6
			out.WriteByte(binHexAlphabet[acc>>held&63])
		}
	}
	return out.String()
}
