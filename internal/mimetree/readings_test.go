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
			timed(t, 3e9, func() {
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
