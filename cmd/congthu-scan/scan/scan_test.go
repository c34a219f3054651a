package scan_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/archive/archivetest"
	"congthu/cmd/congthu-scan/scan"
	"congthu/cmd/congthu-scan/yarascan"
	"congthu/internal/scanproto"
)

// words finds words, so that these tests are about the way through the objects.
type words struct{ fails error }

func (w words) Scan(o yarascan.Object, _ time.Duration) ([]yarascan.Match, error) {
	data := o.Data
	if bytes.Contains(data, []byte("EVIL")) {
		return []yarascan.Match{{Rule: "EVIL", Judgement: yarascan.Judgement{Symbol: yarascan.Malware}}}, w.fails
	}
	return nil, w.fails
}

func zipOf(t testing.TB, pairs ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i+1 < len(pairs); i += 2 {
		f, err := w.Create(pairs[i])
		if err == nil {
			_, err = f.Write([]byte(pairs[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func request(objects ...scanproto.Object) *scanproto.Request {
	return &scanproto.Request{ID: 1, TimeoutMS: 10000, Objects: objects}
}

func object(name string, data []byte) scanproto.Object {
	return scanproto.Object{Part: "1.2", MediaType: "application/octet-stream", Names: []string{name}, Data: data}
}

func look(t testing.TB, objects ...scanproto.Object) string {
	t.Helper()
	fs, err := scan.Look(context.Background(), words{}, archive.DefaultLimits(), onTray(t, request(objects...)))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range fs {
		out = append(out, strings.TrimPrefix(f.Symbol, "ATTACH_")+" "+f.Part+" "+f.Evidence)
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

func TestWayThroughTheObjects(t *testing.T) {
	nested := zipOf(t, "b.zip", string(zipOf(t, "c.txt", "EVIL")))
	eml := "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: application/zip; name=\"a.zip\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		base64.StdEncoding.EncodeToString(zipOf(t, "a", "EVIL")) + "\r\n"
	for name, c := range map[string]struct {
		o    scanproto.Object
		want string
	}{
		"clean":                  {object("a.txt", []byte("text")), ""},
		"the raw message":        {scanproto.Object{Message: true, Data: []byte("EVIL")}, "YARA_MALWARE  EVIL"},
		"the letter's own page":  {scanproto.Object{Part: "1", MediaType: "text/html", Data: []byte("<html>")}, ""},
		"an attached page":       {object("a.html", []byte("<html>")), "HTML 1.2 html"},
		"archive in an archive":  {object("a.zip", nested), "YARA_MALWARE 1.2 a.zip > b.zip > EVIL"},
		"a zip behind a picture": {object("a.gif", append([]byte("GIF89a"), nested...)), "PICTURE_UNREAD 1.2 a.gif: not decoded; YARA_MALWARE 1.2 a.gif > b.zip > EVIL"},
		"an Office file":         {object("a.docx", zipOf(t, "[Content_Types].xml", "x", "word/media/a.svg", "<svg>", "b.xml", "<html>", "c.png", "BM")), ""},
		"a program in it":        {object("a.docx", zipOf(t, "[Content_Types].xml", "x", "word/a.png", "\x7fELF")), "EXECUTABLE 1.2 a.docx > linux program"},
		"macros in it":           {object("a.docx", zipOf(t, "word/vbaProject.bin", "x")), "MACRO 1.2 a.docx > word/vbaProject.bin"},
		"a saved letter":         {object("a.eml", []byte(eml)), "YARA_MALWARE 1.2 a.eml > a.zip > EVIL"},
		"a rar behind a picture": {object("a.jpg", append([]byte("\xff\xd8\xff\xe0 picture "), archivetest.Rar5(t, "b.txt", []byte("EVIL"))...)), "PICTURE_UNREAD 1.2 a.jpg: not decoded; YARA_MALWARE 1.2 EVIL"},
		"a letter in an archive": {object("a.zip", zipOf(t, "thu.eml", eml)), "YARA_MALWARE 1.2 a.zip > thu.eml > a.zip > EVIL"},
	} {
		if got := look(t, c.o); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestDepth(t *testing.T) {
	data := []byte("EVIL")
	for i := range 5 {
		data = zipOf(t, fmt.Sprintf("%d", i), string(data))
	}
	if got := look(t, object("a.zip", data)); !strings.Contains(got, "YARA_MALWARE") || strings.Contains(got, "UNSCANNABLE") {
		t.Errorf("at the limit: %q", got)
	}
	if got := look(t, object("a.zip", zipOf(t, "5", string(data)))); !strings.Contains(got, "UNSCANNABLE 1.2") || strings.Contains(got, "YARA_MALWARE") {
		t.Errorf("beyond it: %q", got)
	}
}

// A thousand scripts are one fact; each malware rule is its own.
func TestFactsAreSaidOnce(t *testing.T) {
	var pairs []string
	for i := range 1000 {
		pairs = append(pairs, fmt.Sprintf("%d.js", i), "EVIL")
	}
	if got := look(t, object("a.zip", zipOf(t, pairs...))); got != "SCRIPT 1.2 a.zip > 0.js; YARA_MALWARE 1.2 a.zip > EVIL" && got != "SCRIPT 1.2 a.zip > 0.js; YARA_MALWARE 1.2 a.zip > 0.js > EVIL" {
		t.Errorf("%q", got)
	}
	var objects []scanproto.Object
	for i := range scanproto.MaxFindings + 1 {
		o := object("a.js", []byte("x"))
		o.Part = fmt.Sprint(i)
		objects = append(objects, o)
	}
	objects = append(objects, object("z.txt", []byte("EVIL")))
	fs, err := scan.Look(context.Background(), words{}, archive.DefaultLimits(), onTray(t, request(objects...)))
	if err == nil || len(fs) != scanproto.MaxFindings || fs[0].Symbol != yarascan.Malware {
		t.Errorf("%d findings, the first %+v, %v", len(fs), fs[0], err)
	}
}

func TestTroubleIsAnError(t *testing.T) {
	broken := errors.New("yara: timeout")
	fs, err := scan.Look(context.Background(), words{fails: broken}, archive.DefaultLimits(), request(object("a.txt", []byte("EVIL"))))
	if !errors.Is(err, broken) || len(fs) != 1 {
		t.Errorf("%v %v", fs, err)
	}
	r := request(object("a.txt", []byte("x")))
	r.TimeoutMS = 0
	if _, err := scan.Look(context.Background(), words{}, archive.DefaultLimits(), r); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("no time: %v", err)
	}
}

// hangs is a parser that does not come back before it is let go.
type hangs struct{ until chan struct{} }

func (h hangs) Scan(yarascan.Object, time.Duration) ([]yarascan.Match, error) {
	<-h.until
	return nil, nil
}

func TestStuckParser(t *testing.T) {
	h := hangs{make(chan struct{})}
	r := request(object("a.exe", []byte("x")))
	r.TimeoutMS = 10
	_, _ = new(scan.Watchdog).Look(context.Background(), h, archive.DefaultLimits(), r, func(seen scan.Seen) {
		fs := seen.Findings
		if len(fs) != 1 || fs[0].Evidence != "unscannable:time" {
			t.Errorf("%v", fs)
		}
		close(h.until)
	})
	<-h.until
}

// Each limit is a fact with its name; the time is one, too, once an archive was opened.
func TestLimitsNameThemselves(t *testing.T) {
	many := zipOf(t, "a", "x", "b", "x", "c", "x")
	big := zipOf(t, "a", strings.Repeat("x", 1<<20))
	for which, c := range map[string]struct {
		edit func(*archive.Limits)
		data []byte
	}{
		"entries": {func(l *archive.Limits) { l.Entries = 2 }, many},
		"bytes":   {func(l *archive.Limits) { l.Bytes = 1 << 10 }, big},
		"ratio":   {func(l *archive.Limits) { l.Ratio, l.RatioFrom = 10, 1<<10 }, big},
		"depth":   {func(l *archive.Limits) { l.Depth = 0 }, many},
	} {
		l := archive.DefaultLimits()
		c.edit(&l)
		fs, err := scan.Look(context.Background(), words{}, l, onTray(t, request(object("a.zip", c.data))))
		if err != nil || len(fs) != 1 || fs[0].Symbol != "ATTACH_UNSCANNABLE" || !strings.Contains(fs[0].Evidence, "unscannable:"+which) {
			t.Errorf("%s: %v %v", which, fs, err)
		}
	}
}

// slow takes its time with what is in an archive.
type slow struct{}

func (slow) Scan(o yarascan.Object, _ time.Duration) ([]yarascan.Match, error) {
	data := o.Data
	if string(data) == "wait" {
		time.Sleep(100 * time.Millisecond)
	}
	return nil, nil
}

func TestTimeIsALimitOfArchives(t *testing.T) {
	r := request(object("a.zip", zipOf(t, "a", "wait", "b", "EVIL")))
	r.TimeoutMS = 50
	fs, err := scan.Look(context.Background(), slow{}, archive.DefaultLimits(), r)
	if err != nil || len(fs) != 1 || !strings.Contains(fs[0].Evidence, "unscannable:time") {
		t.Errorf("%v %v", fs, err)
	}
}

func TestEvidenceIsShortAndValid(t *testing.T) {
	long := strings.Repeat("ữ", 1000) + "\xff.exe"
	fs, err := scan.Look(context.Background(), words{}, archive.DefaultLimits(), request(object(long, []byte("x"))))
	if err != nil || len(fs) == 0 {
		t.Fatal(fs, err)
	}
	for _, f := range fs {
		if len(f.Evidence) > 310 || strings.ToValidUTF8(f.Evidence, "") != f.Evidence || !strings.HasSuffix(f.Evidence, ".exe") {
			t.Errorf("%q", f.Evidence)
		}
	}
}

func FuzzLook(f *testing.F) {
	f.Add("a.zip", zipOf(f, "b.txt", "EVIL"))
	f.Add("a.eml", []byte("Subject: x\r\n\r\ny"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		limits := archive.DefaultLimits()
		limits.Bytes = 1 << 20
		fs, err := scan.Look(context.Background(), words{}, limits, onTray(t, request(object(name, data))))
		if err == nil && bytes.Contains(data, []byte("EVIL")) && len(fs) == 0 {
			t.Error("clean")
		}
	})
}
