package tomlfile

import (
	"bytes"
	"errors"
	"os"
	"reflect"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"congthu/internal/lang"
)

// File is a TOML file that was read, with the place of each of its keys, so that
// a complaint found later (a wrong value, not a wrong syntax) still has a line.
type File struct {
	Name  string
	data  []byte
	index map[string]place
}

// Read reads the file and decodes it into v. The error is Problems, also when the
// file cannot be opened.
func Read(name string, v any) (*File, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, Problems{{File: name, What: lang.T("không đọc được tệp: "+reason(err), "cannot read the file: "+reason(err)), Hint: lang.T("kiểm tra đường dẫn và quyền đọc", "check the path and the permissions")}}
	}
	return Parse(name, data, v)
}

// Parse decodes data into v. name is used in complaints.
func Parse(name string, data []byte, v any) (*File, error) {
	dec := toml.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return nil, explain(name, data, err, v)
	}
	return &File{Name: name, data: data, index: locate(data)}, nil
}

// At makes a Problem at a key. Array elements are counted from 0:
// At(what, hint, "rule", 2, "pattern") is the pattern of the third [[rule]]. A
// key that is not in the file gives the place of the nearest enclosing one.
func (f *File) At(what, hint lang.Text, key ...any) *Problem {
	p := f.find(key)
	return &Problem{File: f.Name, Line: p.line, Column: p.column, What: what, Hint: hint}
}

func explain(name string, data []byte, err error, v any) error {
	var missing *toml.StrictMissingError
	if errors.As(err, &missing) {
		var out Problems
		for i := range missing.Errors {
			out = append(out, unknownKey(name, &missing.Errors[i], keysOf(reflect.TypeOf(v), map[reflect.Type]bool{})))
		}
		return out
	}
	var de *toml.DecodeError
	if errors.As(err, &de) {
		return Problems{badValue(name, data, de)}
	}
	return Problems{{File: name, What: lang.T("không hiểu được tệp", "the file cannot be understood"), Hint: lang.T(err.Error(), err.Error())}}
}

func unknownKey(name string, e *toml.DecodeError, known []string) *Problem {
	line, col := e.Position()
	key := strings.Join(e.Key(), ".")
	last := ""
	if k := e.Key(); len(k) > 0 {
		last = k[len(k)-1]
	}
	return &Problem{
		File: name, Line: line, Column: col,
		What: lang.T("không có khoá nào tên là "+quote(key), "there is no key called "+quote(key)),
		Hint: DidYouMean(last, known, lang.T("sửa tên khoá cho đúng hoặc xoá dòng này; danh sách khoá ở tệp mẫu đi kèm", "correct its name or delete the line; the shipped file lists every key")),
	}
}

func badValue(name string, data []byte, e *toml.DecodeError) *Problem {
	line, col := e.Position()
	key := strings.Join(e.Key(), ".")
	if key != "" { // well-formed TOML of the wrong type: the library's text names Go types
		return &Problem{
			File: name, Line: line, Column: col,
			What: lang.T("giá trị của "+quote(key)+" sai kiểu: "+lineAt(data, line), "the value of "+quote(key)+" has the wrong type: "+lineAt(data, line)),
			Hint: lang.T("xem kiểu giá trị (số, \"chuỗi\", true/false, [danh sách]) ở tệp mẫu", "see the shipped file for its type (number, \"string\", true/false, [list])"),
		}
	}
	return &Problem{
		File: name, Line: line, Column: col,
		What: lang.T("sai cú pháp TOML ("+trim(e.Error())+"): "+lineAt(data, line), "TOML syntax error ("+trim(e.Error())+"): "+lineAt(data, line)),
		Hint: lang.T("kiểm tra dấu ngoặc kép, dấu bằng và dấu ngoặc vuông ở dòng này", "check the quotes, the equals sign and the brackets on this line"),
	}
}

func lineAt(data []byte, line int) string {
	lines := strings.Split(string(data), "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	return strings.TrimSpace(lines[line-1])
}

func reason(err error) string {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

func trim(s string) string  { return strings.TrimPrefix(s, "toml: ") }
func quote(s string) string { return "'" + s + "'" }
