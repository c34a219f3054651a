package mimetree

import (
	"maps"
	"slices"
	"testing"

	"congthu/internal/msg"
)

func codesOf(amb []msg.Ambiguity) []string {
	var out []string
	for _, a := range amb {
		out = append(out, a.Code)
	}
	return out
}

func TestParseMediaType(t *testing.T) {
	type m = map[string]string
	for _, tt := range []struct {
		value, mediaType string
		params           m
		codes            []string
	}{
		{"text/plain", "text/plain", m{}, nil},
		{"Text/HTML; Charset=UTF-8;", "text/html", m{"charset": "UTF-8"}, nil},
		{`a/b; x="y;z"; w=v`, "a/b", m{"x": "y;z", "w": "v"}, nil},
		{`a/b; x="y\"z\\"`, "a/b", m{"x": `y"z\`}, nil},
		{`a/b (c (d)); (e) x (f) = (g) y (h)`, "a/b", m{"x": "y"}, nil},
		{"", "text/plain", m{}, []string{BadMediaType}},
		{"text", "text/plain", m{}, []string{BadMediaType}},
		{"a/b/c", "text/plain", m{}, []string{BadMediaType}},
		{"text / html", "text/html", m{}, []string{BadMediaType}},
		{"multipart", "multipart/mixed", m{}, []string{BadMediaType}},
		{"a/b;; x=y", "a/b", m{"x": "y"}, []string{ParamSyntax}},
		{"a/b; x", "a/b", m{}, []string{ParamSyntax}},
		{"a/b; =y", "a/b", m{}, []string{ParamSyntax}},
		{"a/b; x=", "a/b", m{"x": ""}, []string{ParamSyntax}},
		{`a/b; x="y`, "a/b", m{"x": "y"}, []string{ParamSyntax}},
		{`a/b; x="y"z; w=v`, "a/b", m{"x": "y", "w": "v"}, []string{ParamSyntax}},
		{"a/b; x=y z; w=v", "a/b", m{"x": "y z", "w": "v"}, []string{ParamSyntax}},
		{"a/b; x=y; x=y", "a/b", m{"x": "y"}, nil},
		{"a/b; x=y; x=z", "a/b", m{"x": "y"}, []string{ParamConflict}},
		{"a/b; x*=utf-8''%C4%91; x=d", "a/b", m{"x": "đ"}, []string{ParamConflict}},
		{"a/b; x*=utf-8'en-US'y", "a/b", m{"x": "y"}, nil},
		{"a/b; x*=y", "a/b", m{"x": "y"}, []string{ParamSyntax}},
		{"a/b; x*=utf-8''%4", "a/b", m{"x": "%4"}, nil},
		{"a/b; x*=windows-1258''Vi%EA%F2t", "a/b", m{"x": "Việt"}, nil},
		{"a/b; x*=x-nobody''%ae", "a/b", m{"x": "\xae"}, []string{CharsetUnknown}},
		{"a/b; x*=tcvn3''%ae", "a/b", m{"x": "đ"}, nil},
		{`a/b; x*1="b"; x*0=a; x*2*=%63`, "a/b", m{"x": "abc"}, nil},
		{"a/b; x*0*=utf-8''%C4; x*1*=%91; x*2=e", "a/b", m{"x": "đe"}, nil},
		{"a/b; x*0=a; x*2=c", "a/b", m{"x": "ac"}, []string{ParamGap, ParamConflict}},
		{"a/b; x*0=a; x*0=b", "a/b", m{"x": "ab"}, []string{ParamGap, ParamConflict}},
		{"a/b; x*1=a", "a/b", m{"x": "a"}, []string{ParamGap}},
		{"a/b; x*00=a", "a/b", m{"x": "a"}, []string{ParamSyntax}},
		{"a/b; x*q=a", "a/b", m{}, []string{ParamSyntax}},
		{"a/b; x*-1=a", "a/b", m{"x": "a"}, []string{ParamSyntax, ParamGap}},
		{"a/b; boundary=y; boundary=z", "a/b", m{"boundary": "y"}, []string{TwoBoundaries}},
	} {
		mediaType, params, amb := ParseMediaType(tt.value)
		if mediaType != tt.mediaType || !maps.Equal(params, tt.params) {
			t.Errorf("%q: %q %q", tt.value, mediaType, params)
		}
		if got := codesOf(amb); !slices.Equal(got, tt.codes) {
			t.Errorf("%q: codes %q, want %q", tt.value, got, tt.codes)
		}
	}
}

// Every spelling must end up as a candidate that a check for names can see.
func TestFilenames(t *testing.T) {
	for _, tt := range []struct {
		name   string
		header []string
		names  []string // the first is Part.Filename
		code   string
	}{
		{"plain", []string{"Content-Disposition: attachment; filename=a.exe"}, []string{"a.exe"}, ""},
		{"name only", []string{"Content-Type: a/b; name=a.exe"}, []string{"a.exe"}, ""},
		{"name and filename", []string{"Content-Type: a/b; name=a.txt", "Content-Disposition: attachment; filename=a.exe"}, []string{"a.exe", "a.txt"}, FilenameConflict},
		{"extended and plain", []string{"Content-Disposition: attachment; filename=a.txt; filename*=utf-8''a.exe"}, []string{"a.exe", "a.txt"}, FilenameConflict},
		{"stand-in", []string{"Content-Disposition: attachment; filename=cong_van.pdf; filename*=utf-8''c%C3%B4ng%20v%C4%83n.PDF"}, []string{"công văn.PDF", "cong_van.pdf"}, FilenameDiffers},
		{"encoded word beside the same name", []string{"Content-Type: a/b; name=\"=?utf-8?b?xJEucGRm?=\"", "Content-Disposition: attachment; filename*=utf-8''%C4%91.pdf"}, []string{"đ.pdf"}, ""},
		{"continuation", []string{`Content-Disposition: attachment; filename*0="ev"; filename*1="il.exe"`}, []string{"evil.exe"}, ""},
		{"folded", []string{"Content-Disposition: attachment;\r\n filename*0=ev;\r\n\tfilename*1=il.exe"}, []string{"evil.exe"}, ""},
		{"gap", []string{"Content-Disposition: attachment; filename*0=a; filename*2=c.exe"}, []string{"ac.exe", "a"}, ParamGap},
		{"twice", []string{"Content-Disposition: attachment; filename=a.txt; filename=b.exe"}, []string{"a.txt", "b.exe"}, FilenameConflict},
		{"two dispositions", []string{"Content-Disposition: inline; filename=a.txt", "Content-Disposition: attachment; filename=b.exe"}, []string{"a.txt", "b.exe"}, TwoDispositions},
		{"unquoted spaces", []string{"Content-Disposition: attachment; filename=my invoice.exe"}, []string{"my invoice.exe"}, ParamSyntax},
		{"parentheses", []string{"Content-Disposition: attachment; filename=a(1).exe"}, []string{"a(1).exe"}, ""},
		{"empty parameter", []string{"Content-Type: a/b;; name=evil.exe"}, []string{"evil.exe"}, ParamSyntax},
		{"raw 8-bit", []string{"Content-Disposition: attachment; filename=\"h\xc3\xb3a.exe\""}, []string{"hóa.exe"}, ""},
		{"decomposed", []string{"Content-Disposition: attachment; filename=\"ho\xcc\x81a.exe\""}, []string{"hóa.exe"}, ""},
		{"language", []string{"Content-Disposition: attachment; filename*=utf-8'en-US'payload.exe"}, []string{"payload.exe"}, ""},
		{"trailing dots", []string{"Content-Type: a/b; name=a.exe", `Content-Disposition: attachment; filename="a.exe. ."`}, []string{"a.exe. .", "a.exe"}, FilenameDiffers},
		{"none", []string{"Subject: a"}, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := Parse(crlf(append(tt.header, "", "x")...), DefaultLimits())
			if got := Filenames(root); !slices.Equal(got, tt.names) {
				t.Errorf("names %q, want %q", got, tt.names)
			}
			if len(tt.names) > 0 && root.Filename != tt.names[0] {
				t.Errorf("Filename %q", root.Filename)
			}
			got := codesOf(root.Ambiguities)
			if tt.code == "" && got != nil || tt.code != "" && !slices.Contains(got, tt.code) {
				t.Errorf("codes %q, want %q", got, tt.code)
			}
		})
	}
}
