package mimetree

import (
	"slices"
	"testing"
)

func TestParseHeader(t *testing.T) {
	raw := crlf("Subject: one", "\ttwo", "X-Empty:", "x-y:z", "Odd : value", "", "body")
	fields, body, amb := ParseHeader(raw)
	type field struct{ name, value, raw string }
	var got []field
	for _, f := range fields {
		got = append(got, field{f.Name, f.Value, string(f.Raw)})
	}
	want := []field{
		{"Subject", "one\ttwo", "Subject: one\r\n\ttwo\r\n"},
		{"X-Empty", "", "X-Empty:\r\n"},
		{"x-y", "z", "x-y:z\r\n"},
		{"Odd", "value", "Odd : value\r\n"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if string(raw[body:]) != "body\r\n" {
		t.Errorf("the body is %q", raw[body:])
	}
	if len(amb) != 1 || amb[0].Code != SpaceBeforeColon {
		t.Errorf("ambiguities %v", amb)
	}
}

func TestParseHeaderEdges(t *testing.T) {
	for _, tt := range []struct {
		raw    string
		fields int
		body   int
		code   string
	}{
		{"", 0, 0, ""},
		{"\r\nx", 0, 2, ""},
		{"A: b", 1, 4, ""},
		{"A: b\r\n", 1, 6, ""},
		{"A: b\n\nx", 1, 6, ""},
		{"A: b\r\n \r\n\r\nx", 1, 11, BlankFold},
		{": b\r\n\r\n", 0, 0, HeaderBadName},
		{"text\r\n\r\nmore", 0, 0, HeaderNoColon},
		{"A: b\r\ntext\r\nC: d\r\n\r\nx", 2, 20, HeaderNoColon},
		{" A: b\r\n\r\n", 1, 9, HeaderLeadingSpace},
		{"A: b\rC: d\r\n\r\n", 1, 13, BareCR},
		{"A\x80: b\r\nC: d\r\n\r\n", 1, 15, HeaderBadName},
		{"From x@a.test Mon Jan 1 00:00:00 2024\r\nC: d\r\n\r\n", 1, 47, MboxLine},
	} {
		fields, body, amb := ParseHeader([]byte(tt.raw))
		if len(fields) != tt.fields || body != tt.body {
			t.Errorf("%q: %d fields, body at %d; want %d, %d", tt.raw, len(fields), body, tt.fields, tt.body)
		}
		if tt.code == "" && len(amb) > 0 || tt.code != "" && (len(amb) == 0 || amb[0].Code != tt.code) {
			t.Errorf("%q: %v, want %q", tt.raw, amb, tt.code)
		}
		for _, f := range fields {
			for _, c := range f.Value {
				if c == '\r' || c == '\n' {
					t.Errorf("%q: a value keeps a line end: %q", tt.raw, f.Value)
				}
			}
		}
	}
}
