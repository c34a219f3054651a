package e2e_test

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"mime/quotedprintable"
	"strings"

	"congthu/internal/e2e/letters"
)

// trick hides a file in a message: it returns the message below its ordinary fields,
// lines ended by LF.
type trick struct {
	name string
	make func(file string) string
}

// tricks are all ways that we know, each alone: ways to write a file, and ways to write
// what is around it; then some of the former in some of the latter.
func tricks() []trick {
	var out []trick
	for _, e := range encodings() {
		out = append(out, trick{"encoding: " + e.name, func(f string) string { return mixed("x", e.make(f)) }})
	}
	for _, s := range structures() {
		out = append(out, trick{"structure: " + s.name, func(f string) string { return s.make(inBase64(f)) }})
	}
	const those = " quoted-printable | base64 with junk | base64, second stream | uuencode | yEnc in a text | utf-7 "
	const there = " two types, text first | two boundaries, the second | no boundary | epilogue | preamble | message in base64 | after a lost delimiter | header cut | signed data "
	for _, e := range encodings() {
		for _, s := range structures() {
			if strings.Contains(those, " "+e.name+" ") && strings.Contains(there, " "+s.name+" ") {
				out = append(out, trick{s.name + " + " + e.name, func(f string) string { return s.make(e.make(f)) }})
			}
		}
	}
	return out
}

// mixed is a multipart of a text and a part.
func mixed(boundary, part string) string {
	return "Content-Type: multipart/mixed; boundary=" + boundary + "\n\n" + parts(boundary, part)
}

// parts are the text and the part between delimiters.
func parts(boundary, part string) string {
	return "--" + boundary + "\nContent-Type: text/plain\n\nGui kem tep.\n" + only(boundary, part)
}

func only(boundary, part string) string {
	return "--" + boundary + "\n" + part + "\n--" + boundary + "--\n"
}

func b64(s string) string { return letters.Base64([]byte(s)) }

func inBase64(file string) string { return coded("base64", b64(file)) }

// coded is a part with a file in it.
func coded(encoding, body string) string {
	return "Content-Type: application/octet-stream; name=a.bin\nContent-Transfer-Encoding: " + encoding + "\n\n" + body
}

func inText(body string) string { return "Content-Type: text/plain\n\nXem ben duoi.\n\n" + body }

// every puts sep behind each n characters.
func every(n int, s, sep string) string {
	var b strings.Builder
	for len(s) > n {
		b.WriteString(s[:n] + sep)
		s = s[n:]
	}
	return b.String() + s
}

func plain64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// allQP writes each octet as "=XX".
func allQP(s, format string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, format, s[i])
	}
	return every(60, b.String(), "=\n")
}

func qp(s string) string {
	var b strings.Builder
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(s)) // to memory
	_ = w.Close()
	return strings.ReplaceAll(b.String(), "\r\n", "\n")
}

// encodings are ways to write a file as a part.
func encodings() []trick {
	named := func(fields string) func(string) string {
		return func(f string) string { return fields + "\nContent-Transfer-Encoding: base64\n\n" + b64(f) }
	}
	return []trick{
		{"base64", inBase64},
		{"base64 in capitals", func(f string) string { return coded("BASE64", b64(f)) }},
		{"base64 with junk", func(f string) string { return coded("base64", every(10, plain64(f), "!#")) }},
		{"base64 with spaces", func(f string) string { return coded("base64", " "+every(7, plain64(f), " \n\t")) }},
		{"base64 without padding", func(f string) string { return coded("base64", strings.TrimRight(plain64(f+"x"), "=")) }},
		{"base64, second stream", func(f string) string { return coded("base64", "QQ==\n"+plain64(f)) }},
		{"base64, second stream in the line", func(f string) string { return coded("base64", "QUI="+plain64(f)) }},
		{"base64, junk lines around", func(f string) string { return coded("base64", "!AAA\n"+plain64(f)+"\n*AAA") }},
		{"base64, padding inside", func(f string) string { return coded("base64", plain64(f)[:2]+"=="+plain64(f)[2:]) }},
		{"base64, stray padding", func(f string) string { return coded("base64", plain64(f)[:5]+"="+plain64(f)[5:]) }},
		{"base64 for URLs", func(f string) string {
			return coded("base64", strings.NewReplacer("+", "-", "/", "_").Replace(plain64(f+"\xfb\xff\xfe?>~")))
		}},
		{"base64, no encoding said", func(f string) string { return "Content-Type: application/octet-stream\n\n" + b64(f) }},
		{"base64 called quoted-printable", func(f string) string { return coded("quoted-printable", strings.ReplaceAll(b64(f), "=", "=3D")) }},
		{"base64 called base-64", func(f string) string { return coded("base-64", b64(f)) }},
		{"base64 called 8bit", func(f string) string { return coded("8bit", b64(f)) }},
		{"base64 with a comment", func(f string) string { return coded("(7bit) base64 (x)", b64(f)) }},
		{"base64 in quotes", func(f string) string { return coded(`"base64"`, b64(f)) }},
		{"base64 with a parameter", func(f string) string { return coded("base64; x=y", b64(f)) }},
		{"base64, folded field", func(f string) string { return coded("\n base64", b64(f)) }},
		{"two encodings, base64 last", func(f string) string { return coded("7bit\nContent-Transfer-Encoding: base64", b64(f)) }},
		{"two encodings, base64 first", func(f string) string { return coded("base64\nContent-Transfer-Encoding: 7bit", b64(f)) }},
		{"space before the colon", func(f string) string { return "Content-Transfer-Encoding : base64\n\n" + b64(f) }},
		{"bad line before", func(f string) string { return "day khong la truong\n" + inBase64(f) }},
		{"blank fold before", func(f string) string { return "X-A: b\n \n" + inBase64(f) }},
		{"quoted-printable", func(f string) string { return coded("quoted-printable", allQP(f, "=%02X")) }},
		{"quoted-printable, small letters", func(f string) string { return coded("quoted-printable", allQP(f, "=%02x")) }},
		{"quoted-printable, space behind the break", func(f string) string {
			return coded("quoted-printable", qp(f[:9])+"=  \n"+qp(f[9:]))
		}},
		{"quoted-printable, stray sign", func(f string) string { return coded("quoted-printable", "=ZZ= "+qp(f)) }},
		{"7bit", func(f string) string { return coded("7bit", f) }},
		{"binary", func(f string) string { return coded("binary", f) }},
		{"unknown encoding", func(f string) string { return coded("x-khong-biet", f) }},
		{"uuencode", func(f string) string { return coded("x-uuencode", "begin 644 a.bin\n"+uu(f)+"`\nend") }},
		{"uuencode in a text", func(f string) string { return inText("begin 644 a.bin\n" + uu(f) + "`\nend") }},
		{"uuencode without a name", func(f string) string { return inText("begin 644 \n" + uu(f) + "`\nend") }},
		{"uuencode, bad line inside", func(f string) string { return inText("begin 644 a.bin\n!!!!!\n" + uu(f) + "`\nend") }},
		{"uuencode in a file", func(f string) string { return coded("7bit", "begin 644 a.bin\n"+uu(f)+"`\nend") }},
		{"yEnc in a text", func(f string) string {
			return inText("=ybegin line=128 size=68 name=a.bin\n" + yenc(f) + "\n=yend size=68")
		}},
		{"BinHex in a text", func(f string) string {
			return inText("(This file must be converted with BinHex 4.0)\n\n" + binhex("a.bin", f, len(f)))
		}},
		{"BinHex that lies about its length", func(f string) string {
			return inText("(This file must be converted with BinHex 4.0)\n\n" + binhex("a.bin", "ab"+f, 2))
		}},
		{"utf-7", func(f string) string {
			return "Content-Type: text/plain; charset=utf-7\n\n+" + strings.TrimRight(plain64(wide(f)), "=") + "-"
		}},
		{"utf-16", func(f string) string {
			return "Content-Type: text/plain; charset=utf-16\nContent-Transfer-Encoding: base64\n\n" + b64("\xfe\xff"+wide(f))
		}},
		{"filename", named("Content-Disposition: attachment; filename=payload.exe")},
		{"filename*", named("Content-Disposition: attachment; filename*=utf-8'vi'payload%2Eexe; filename=a.txt")},
		{"filename*0", named(`Content-Disposition: attachment; filename*0="pay"; filename*1="load.exe"`)},
		{"name", named("Content-Type: text/plain; name=payload.exe\nContent-Disposition: inline")},
		{"name*", named("Content-Type: text/plain; name*=utf-8''payload.exe")},
		{"encoded word in filename", named(`Content-Disposition: attachment; filename="=?utf-8?b?cGF5bG9hZC5leGU=?="`)},
		{"8-bit filename", named("Content-Disposition: attachment; filename=\"t\xe0i li\xeau.exe\"")},
		{"two dispositions", named("Content-Disposition: inline; filename=a.txt\nContent-Disposition: attachment; filename=payload.exe")},
	}
}

// structures are ways to write what is around a part.
func structures() []trick {
	typed := func(contentType string) func(string) string {
		return func(p string) string { return "Content-Type: " + contentType + "\n\n" + parts("x", p) }
	}
	return []trick{
		{"two types, text first", typed("text/plain\nContent-Type: multipart/mixed; boundary=x")},
		{"two types, multipart first", typed("multipart/mixed; boundary=x\nContent-Type: text/plain")},
		{"two multiparts", typed("multipart/mixed; boundary=y\nContent-Type: multipart/mixed; boundary=x")},
		{"two boundaries, the first", typed("multipart/mixed; boundary=x; boundary=y")},
		{"two boundaries, the second", typed("multipart/mixed; boundary=y; boundary=x")},
		{"boundary* and boundary", typed("multipart/mixed; boundary*=utf-8''y; boundary=x")},
		{"boundary and boundary*", typed("multipart/mixed; boundary=y; boundary*=utf-8''x")},
		{"boundary*0", func(p string) string {
			return "Content-Type: multipart/mixed; boundary*0=x; boundary*1=z\n\n" + parts("xz", p)
		}},
		{"boundary with a space", typed(`multipart/mixed; boundary="x "`)},
		{"boundary with an escape", func(p string) string {
			return "Content-Type: multipart/mixed; boundary=\"x\\z\"\n\n" + parts(`x\z`, p)
		}},
		{"boundary folded inside", func(p string) string {
			return "Content-Type: multipart/mixed; boundary=\"x\n z\"\n\n" + parts("x z", p)
		}},
		{"boundary as an encoded word", typed(`multipart/mixed; boundary="=?utf-8?q?x?="`)},
		{"no boundary", typed("multipart/mixed")},
		{"empty boundary", typed(`multipart/mixed; boundary=""`)},
		{"another boundary", typed("multipart/mixed; boundary=y")},
		{"long boundary", func(p string) string {
			return "Content-Type: multipart/mixed; boundary=" + strings.Repeat("x", 90) + "\n\n" + parts(strings.Repeat("x", 90), p)
		}},
		{"comments", typed("multipart/mixed (;boundary=y); (a) boundary (b) = (c) x")},
		{"semicolons", typed("multipart/mixed;; boundary=x")},
		{"no semicolon", typed("multipart/mixed boundary=x")},
		{"no subtype", typed("multipart; boundary=x")},
		{"capitals", typed("MULTIPART/MIXED; BOUNDARY=x")},
		{"unknown subtype", typed("multipart/x-khong-biet; boundary=x")},
		{"folded", typed("\n multipart/mixed;\n\tboundary=x")},
		{"space before the colon of the type", func(p string) string {
			return "Content-Type : multipart/mixed; boundary=x\n\n" + parts("x", p)
		}},
		{"8-bit before the type", func(p string) string { return "X-\xe0: b\n" + mixed("x", p) }},
		{"bad line before the type", func(p string) string { return "day khong la truong\n" + mixed("x", p) }},
		{"blank fold before the type", func(p string) string { return "X-A: b\n \n" + mixed("x", p) }},
		{"preamble", func(p string) string {
			return "Content-Type: multipart/mixed; boundary=x\n\n" + p + "\n" + parts("x", "\nhet")
		}},
		{"epilogue", func(p string) string { return mixed("x", "\nhet") + p }},
		{"after the close", func(p string) string { return mixed("x", "\nhet") + only("x", p) }},
		{"near miss", func(p string) string { return mixed("x", "\nhet\n--x!\n"+p) }},
		{"the boundary of the outer one", func(p string) string { return mixed("x", mixed("x", p)) }},
		{"after a lost delimiter", func(p string) string {
			return mixed("x", "Content-Type: multipart/mixed; boundary=y\n\n--y\n\nmot\n--x\n\nhai\n"+only("y", p))
		}},
		{"header cut", func(p string) string { return mixed("x", "X-A: b\n--x--\n"+p) }},
		{"delimiters in a row", func(p string) string {
			return "Content-Type: multipart/mixed; boundary=x\n\n--x\n--x--\n" + p
		}},
		{"multipart in base64", func(p string) string {
			return "Content-Type: multipart/mixed; boundary=x\nContent-Transfer-Encoding: base64\n\n" + b64(parts("x", p))
		}},
		{"multipart that claims base64", typed("multipart/mixed; boundary=x\nContent-Transfer-Encoding: base64")},
		{"digest", func(p string) string {
			return "Content-Type: multipart/digest; boundary=x\n\n--x\n\n" + p + "\n--x--\n"
		}},
		{"message", func(p string) string { return mixed("x", "Content-Type: message/rfc822\n\n"+mixed("y", p)) }},
		{"message in base64", func(p string) string {
			return mixed("x", "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"+b64(mixed("y", p)))
		}},
		{"message in quoted-printable", func(p string) string {
			return mixed("x", "Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n"+qp(mixed("y", p)))
		}},
		{"message of an unknown type", func(p string) string { return mixed("x", "Content-Type: message/x-khong-biet\n\n"+mixed("y", p)) }},
		{"partial", func(p string) string {
			return "Content-Type: message/partial; id=a; number=1; total=2\n\n" + mixed("x", p)
		}},
		{"external body", func(p string) string {
			return "Content-Type: message/external-body; access-type=x\n\n" + mixed("x", p)
		}},
		{"signed data", func(p string) string {
			return "Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n\n" + b64(cms(mixed("x", p)))
		}},
		{"winmail.dat", func(p string) string {
			return mixed("x", "Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n"+b64(string(letters.Winmail("a.eml", []byte(mixed("y", p))))))
		}},
	}
}

// uu encodes lines of 45 octets.
func uu(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		n := min(45, len(s))
		chunk := s[:n] + "\x00\x00"
		b.WriteByte(byte(n) + ' ')
		for i := 0; i < n; i += 3 {
			v := int(chunk[i])<<16 | int(chunk[i+1])<<8 | int(chunk[i+2])
			for shift := 18; shift >= 0; shift -= 6 {
				b.WriteByte(strings.ReplaceAll(string(rune(v>>shift&63+' ')), " ", "`")[0])
			}
		}
		b.WriteByte('\n')
		s = s[n:]
	}
	return b.String()
}

func yenc(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i] + 42
		if c == 0 || c == '\r' || c == '\n' || c == '=' || c == '.' {
			b.WriteByte('=')
			c += 64
		}
		b.WriteByte(c)
	}
	return b.String()
}

// binhex writes a file in BinHex 4.0 that says it has size octets; check sums are nought.
func binhex(name, data string, size int) string {
	const alphabet = "!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr"
	head := append([]byte{byte(len(name))}, name+"\x00TEXTttxt\x00\x00"...)
	head = binary.BigEndian.AppendUint32(head, uint32(size))
	octets := string(head) + "\x00\x00\x00\x00\x00\x00" + data + "\x00\x00\x00"
	var b strings.Builder
	acc, held := 0, 0
	for i := range len(octets) {
		acc = acc<<8 | int(octets[i])
		for held += 8; held >= 6; held -= 6 {
			b.WriteByte(alphabet[acc>>(held-6)&63])
		}
	}
	return ":" + every(63, b.String(), "\n") + ":"
}

// wide is UTF-16, big end first, of ASCII.
func wide(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteString("\x00" + s[i:i+1])
	}
	return b.String()
}

// cms is SignedData (RFC 5652 section 5.1) around content, with nobody's signature.
func cms(content string) string {
	der := func(tag byte, parts ...string) string {
		body := strings.Join(parts, "")
		size := binary.BigEndian.AppendUint32([]byte{tag, 0x84}, uint32(len(body)))
		return string(size) + body
	}
	signedData, data := "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
	inner := der(0x30, data, der(0xa0, der(0x04, strings.ReplaceAll(content, "\n", "\r\n"))))
	return der(0x30, signedData, der(0xa0, der(0x30, "\x02\x01\x01", der(0x31), inner, der(0x31))))
}
