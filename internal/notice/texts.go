package notice

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"unicode/utf8"

	"congthu/internal/lang"
	"congthu/internal/tomlfile"
)

// Texts are the templates in use. They are read-only.
type Texts struct {
	all map[string]*template.Template
}

// suffix is that of the files.
const suffix = ".txt"

// maxText bounds what a text may become, in octets: a digest of the longest kind takes a
// tenth of it.
const maxText = 1 << 20

// Load reads the texts: those of shipped, and over them the administrator's own, which
// lie under the same names in dir. dir "" has none. The error is tomlfile.Problems, with
// every mistake; then nothing is loaded.
func Load(shipped fs.FS, dir string) (*Texts, error) {
	t := &Texts{all: map[string]*template.Template{}}
	var ps tomlfile.Problems
	for _, name := range names() {
		file, data, err := read(shipped, dir, name)
		if err != nil {
			return nil, err
		}
		tmpl, p := parse(file, name, data)
		if p != nil {
			ps = append(ps, p)
			continue
		}
		t.all[name] = tmpl
	}
	ps = append(ps, strays(dir)...)
	if err := ps.Err(); err != nil {
		return nil, err
	}
	return t, nil
}

// read returns a text and the name of its file.
func read(shipped fs.FS, dir, name string) (file string, data []byte, err error) {
	if dir != "" {
		file = filepath.Join(dir, name+suffix)
		data, err = os.ReadFile(file)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return file, data, unreadable(file, err)
		}
	}
	data, err = fs.ReadFile(shipped, name+suffix)
	return name + suffix, data, err
}

func unreadable(file string, err error) error {
	if err == nil {
		return nil
	}
	return tomlfile.Problems{{File: file, What: lang.T("không đọc được tệp", "the file cannot be read").Plus(": " + err.Error()), Hint: lang.T("kiểm tra quyền đọc", "check its permissions")}}
}

// strays are files whose name is that of no text: a slip that would go unseen.
func strays(dir string) (ps tomlfile.Problems) {
	if dir == "" {
		return nil
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return tomlfile.Problems{{File: dir, What: lang.T("không đọc được thư mục", "the directory cannot be read").Plus(": " + err.Error()), Hint: lang.T("sửa [notice] texts, hoặc để trống", "correct [notice] texts, or leave it empty")}}
	}
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), suffix)
		if ok && !slices.Contains(names(), name) {
			ps = append(ps, &tomlfile.Problem{
				File: filepath.Join(dir, f.Name()), What: lang.T("không có văn bản nào tên '"+name+"'", "there is no text called '"+name+"'"),
				Hint: tomlfile.DidYouMean(name, names(), lang.T("các tên: ", "the names are: ").Plus(strings.Join(names(), ", "))),
			})
		}
	}
	return ps
}

// parse makes a template and tries it.
func parse(file, name string, data []byte) (*template.Template, *tomlfile.Problem) {
	tmpl, err := template.New(name).Option("missingkey=error").Parse(string(data))
	if err == nil {
		_, _, err = fill(tmpl, sample(name))
	}
	if err != nil {
		return nil, problem(file, name, data, err)
	}
	return tmpl, nil
}

// Write fills a text.
func (t *Texts) Write(name string, data any) (subject, body string, err error) {
	tmpl := t.all[name]
	if tmpl == nil {
		return "", "", fmt.Errorf("notice: there is no text %q", name)
	}
	if subject, body, err = fill(tmpl, data); err != nil {
		return "", "", fmt.Errorf("notice: %s: %w", name, err)
	}
	return subject, body, nil
}

// Errors of a text that is well-formed and no letter.
var (
	errSubject = errors.New("it does not begin with Subject: and an empty line")
	errLink    = errors.New("a mail program would make a link of")
	errLong    = errors.New("it becomes too long")
	errHidden  = errors.New("it has a character that is not seen")
)

func fill(tmpl *template.Template, data any) (subject, body string, err error) {
	var b bounded
	if err := tmpl.Execute(&b, data); err != nil {
		return "", "", err
	}
	text := strings.ReplaceAll(b.String(), "\r\n", "\n")
	head, body, ok := strings.Cut(text, "\n\n")
	subject, isSubject := strings.CutPrefix(head, "Subject: ")
	if subject = strings.TrimSpace(subject); !ok || !isSubject || subject == "" || strings.Contains(subject, "\n") {
		return "", "", errSubject
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && lang.Safe(string(r), 0) != string(r) }) {
		return "", "", errHidden
	}
	if l := link.FindString(text); l != "" {
		return "", "", &linkError{l}
	}
	return subject, body, nil
}

// link is what mail programs make links of: a scheme, a host name, an address.
var link = regexp.MustCompile(`(?i)[a-z][a-z0-9+.-]*:/|\bwww\.|@|[\pL\pN-]\.\pL{2}|[0-9]\.[0-9]+\.[0-9]|(mailto|tel|sms):\S`)

type linkError struct{ what string }

func (e *linkError) Error() string   { return errLink.Error() + " " + strconv.Quote(e.what) }
func (e *linkError) Is(o error) bool { return o == errLink }

// bounded is a buffer that takes so much and no more.
type bounded struct{ bytes.Buffer }

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxText {
		return 0, errLong
	}
	return b.Buffer.Write(p)
}

// place is where text/template says that a mistake is; a mistake of syntax has no column.
var place = regexp.MustCompile(`^template: [^:]+:(\d+)(?::(\d+))?: (.*)`)

// problem says what is wrong with a text, and where.
func problem(file, name string, data []byte, err error) *tomlfile.Problem {
	p := &tomlfile.Problem{
		File: file, Line: 1, Column: 1, What: lang.T("mẫu thư sai: "+err.Error(), "the text is wrong: "+err.Error()),
		Hint: lang.T("so với tệp cùng tên trong configs/notices; văn bản cũ vẫn dùng", "compare it with the file of that name in configs/notices; the text in use stays"),
	}
	var l *linkError
	switch m := place.FindStringSubmatch(err.Error()); {
	case m != nil:
		p.Line, _ = strconv.Atoi(m[1])
		at, _ := strconv.Atoi(m[2]) // in octets, from 0; people count letters
		line := lineAt(data, p.Line)
		p.Column = utf8.RuneCountInString(line[:min(at, len(line))]) + 1
		if m[2] == "" {
			p.Column = column(line, m[3])
		}
		said := strings.TrimPrefix(m[3], `executing "`+name+`" at `)
		p.What = lang.T("mẫu thư sai: "+said, "the text is wrong: "+said)
	case errors.Is(err, errSubject):
		p.What = lang.T("thư phải bắt đầu bằng một dòng Subject: rồi một dòng trống", "the text must begin with one line Subject: and then an empty line")
	case errors.As(err, &l):
		p.Line, p.Column = find(data, l.what)
		p.What = lang.T("phần mềm thư sẽ biến "+strconv.Quote(l.what)+" thành đường dẫn; thư của cổng không bao giờ có đường dẫn", "mail programs would make a link of "+strconv.Quote(l.what)+"; a letter of the gateway never has one")
	case errors.Is(err, errHidden):
		p.Line, p.Column = findFunc(data)
		p.What = lang.T("trong mẫu thư có ký tự không nhìn thấy", "the text has a character that is not seen")
	}
	return p
}

func lineAt(data []byte, n int) string {
	for i, line := range strings.Split(string(data), "\n") {
		if i+1 == n {
			return line
		}
	}
	return ""
}

// quoted is what a message of text/template quotes of the line.
var quoted = regexp.MustCompile(`["<]([^"<>]+)[">]`)

// column looks for what a message quotes; without that the mistake is in the first action.
func column(line, message string) int {
	for _, m := range quoted.FindAllStringSubmatch(message, -1) {
		if i := strings.Index(line, m[1]); i >= 0 {
			return utf8.RuneCountInString(line[:i]) + 1
		}
	}
	return utf8.RuneCountInString(line[:max(strings.Index(line, "{{"), 0)]) + 1
}

// find is the place of words in a file; words that come of the data have the file's first.
func find(data []byte, words string) (line, col int) {
	return placeOf(data, bytes.Index(data, []byte(words)))
}

func findFunc(data []byte) (line, col int) {
	return placeOf(data, bytes.IndexFunc(data, func(r rune) bool { return r != '\n' && r != '\r' && lang.Safe(string(r), 0) != string(r) }))
}

// placeOf is the line and the letter of an octet.
func placeOf(data []byte, i int) (line, col int) {
	if i < 0 {
		return 1, 1
	}
	return 1 + bytes.Count(data[:i], []byte("\n")), utf8.RuneCount(data[bytes.LastIndexByte(data[:i], '\n')+1:i]) + 1
}
