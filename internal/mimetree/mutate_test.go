package mimetree

import (
	"bytes"
	"encoding/base64"
	"math/rand/v2"
	"slices"
)

// mutant changes a message where readers are likely to disagree about it: lines and
// their order, header syntax, delimiters, encodings. The same rng makes the same mutant.
func mutant(rng *rand.Rand, raw []byte) []byte {
	for range 1 + rng.IntN(3) {
		raw = mutations()[rng.IntN(len(mutations()))](rng, raw)
	}
	return raw
}

type mutation func(*rand.Rand, []byte) []byte

func mutations() []mutation {
	return []mutation{
		lineMutation(func(rng *rand.Rand, l [][]byte, i int) [][]byte { return slices.Delete(l, i, i+1) }),
		lineMutation(func(rng *rand.Rand, l [][]byte, i int) [][]byte { return slices.Insert(l, i, l[i]) }),
		lineMutation(func(rng *rand.Rand, l [][]byte, i int) [][]byte {
			j := rng.IntN(len(l))
			l[i], l[j] = l[j], l[i]
			return l
		}),
		lineMutation(insertSnippet), lineMutation(insertSnippet), lineMutation(insertDelimiter), lineMutation(insertDelimiter),
		lineMutation(func(rng *rand.Rand, l [][]byte, i int) [][]byte {
			l[i] = append([]byte(" "), l[i]...)
			return l
		}),
		lineMutation(spoilLine), lineMutation(spoilLine),
		func(rng *rand.Rand, raw []byte) []byte { return raw[:len(raw)-rng.IntN(len(raw)/2+1)] },
		insideMessage,
	}
}

// lineMutation works on a line near the top, where the headers are, or anywhere.
func lineMutation(change func(*rand.Rand, [][]byte, int) [][]byte) mutation {
	return func(rng *rand.Rand, raw []byte) []byte {
		lines := bytes.SplitAfter(raw, []byte("\n"))
		i := rng.IntN(len(lines))
		if rng.IntN(2) == 0 {
			i = rng.IntN(min(len(lines), 30))
		}
		return bytes.Join(change(rng, slices.Clone(lines), i), nil)
	}
}

// snippets are lines that change what follows.
func snippets() []string {
	return []string{
		"", " ", "\t ", "Content-Type: text/plain", "Content-Type: multipart/mixed", "Content-Type: multipart/mixed; boundary=x",
		"Content-Type: multipart/mixed; boundary=\"x\r\n y\"", "Content-Type: multipart/mixed; boundary*0=x; boundary*1=y",
		"Content-Type: application/octet-stream; name=a.exe", "Content-Type: message/rfc822", "Content-Type: message/x-odd", "Content-Type : text/html",
		"Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: quoted-printable", "Content-Transfer-Encoding: x-uuencode",
		"Content-Transfer-Encoding: BASE64 (x)", "Content-Transfer-Encoding: 8bit;", "Content-Disposition: attachment; filename=a.exe",
		"no colon", "Odd Name: x", ": nameless", "From someone Mon Jan  1 00:00:00 2024", "--x", "--x--", "--y", "--", "QUJDRA==", "=41=42", "=ZZ", "!",
		"begin 644 a.exe", "#86)C", "end", "=ybegin line=128 size=3 name=a", "=yend", binHexMark + " 4.0)", "\x00", "\xef\xbb\xbf", "\r",
	}
}

func insertSnippet(rng *rand.Rand, lines [][]byte, i int) [][]byte {
	s := snippets()[rng.IntN(len(snippets()))]
	return slices.Insert(lines, i, []byte(s+[]string{"\r\n", "\n"}[rng.IntN(2)]))
}

// insertDelimiter takes a line that begins like a delimiter to another place, changed.
func insertDelimiter(rng *rand.Rand, lines [][]byte, i int) [][]byte {
	var found []int
	for j, l := range lines {
		if bytes.HasPrefix(l, []byte("--")) {
			found = append(found, j)
		}
	}
	if len(found) == 0 {
		return insertSnippet(rng, lines, i)
	}
	line := bytes.TrimRight(lines[found[rng.IntN(len(found))]], "\r\n")
	line = append(slices.Clip(line), []string{"", "--", " ", "x", "--x", "\t"}[rng.IntN(6)]...)
	if rng.IntN(4) == 0 {
		line = line[:len(line)-1]
	}
	return slices.Insert(lines, i, append(line, "\r\n"...))
}

// spoilLine puts a character that means something into a line.
func spoilLine(rng *rand.Rand, lines [][]byte, i int) [][]byte {
	const special = "\"'();:,=\\/ \t\x00\r-%*<>@+?"
	l := slices.Clone(lines[i])
	at := rng.IntN(len(l) + 1)
	lines[i] = slices.Insert(l, at, special[rng.IntN(len(special))])
	return lines
}

// insideMessage makes the message the attachment of another one.
func insideMessage(rng *rand.Rand, raw []byte) []byte {
	switch rng.IntN(3) {
	case 0:
		return slices.Concat([]byte("Content-Type: message/rfc822\r\n\r\n"), raw)
	case 1:
		text := base64.StdEncoding.EncodeToString(raw)
		return []byte("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" + text + "\r\n")
	}
	return slices.Concat([]byte("Content-Type: multipart/digest; boundary=zz\r\n\r\n--zz\r\n\r\n"), raw, []byte("\r\n--zz--\r\n"))
}
