package charset

import (
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const golden = "Kính gửi: Ủy ban nhân dân huyện; đề nghị báo cáo kết quả thực hiện trước ngày 15/10, giờ hành chính. " +
	"Những vướng mắc về kinh phí, thiết bị, đường truyền xin phản ánh về Sở để được hướng dẫn giải quyết. Trân trọng cảm ơn!"

// every letter of the language, small and large.
const alphabet = "aàảãáạăằẳẵắặâầẩẫấậeèẻẽéẹêềểễếệiìỉĩíịoòỏõóọôồổỗốộơờởỡớợuùủũúụưừửữứựyỳỷỹýỵđ AÀẢÃÁẠĂẰẲẴẮẶÂẦẨẪẤẬEÈẺẼÉẸÊỀỂỄẾỆIÌỈĨÍỊOÒỎÕÓỌÔỒỔỖỐỘƠỜỞỠỚỢUÙỦŨÚỤƯỪỬỮỨỰYỲỶỸÝỴĐ"

func sets() []Name { return []Name{TCVN3, VNI, VISCII, VIQR, CP1258} }

// What is declared is decoded exactly, each letter of it.
func TestDeclared(t *testing.T) {
	for label, name := range map[string]Name{
		"x-viet-tcvn5712": TCVN3, "TCVN-5712": TCVN3, "tcvn3": TCVN3, "VISCII": VISCII, "x-viet-vni": VNI,
	} {
		for _, s := range []string{golden, alphabet} {
			got, ok := Decode(label, []byte(encode(name, s)))
			if !ok || got != s {
				t.Errorf("%s:\n%s\n%s", label, got, s)
			}
		}
	}
	for _, s := range []string{golden, alphabet} {
		if got := norm.NFC.String(decode(VIQR, []byte(encode(VIQR, s)), false)); got != s {
			t.Errorf("viqr:\n%s\n%s", got, s)
		}
	}
	viqr := encode(VIQR, golden)
	if got, ok := Decode("csVIQR", []byte(viqr)); !ok || got != viqr {
		t.Errorf("no mail program reads VIQR, and this is what they show: %q", got)
	}
	if got, name := Repair(viqr, Named("csVIQR")); name != VIQR || got != golden {
		t.Errorf("%s: %q", name, got)
	}
	if _, ok := Decode("iso-8859-1", nil); ok {
		t.Error("iso-8859-1 is no Vietnamese set")
	}
}

// What comes under a wrong name, or none, is told by its syllables and read exactly.
func TestGuessed(t *testing.T) {
	for _, name := range sets() {
		octets := encode(name, golden)
		for label, s := range map[string]string{"raw": octets, "latin-1": latin1([]byte(octets)), "user-defined": userDefined(octets)} {
			got, n := Repair(s, "")
			if n != name || got != golden {
				t.Errorf("%s as %s: %q\n%s", name, label, n, got)
			}
		}
	}
	if got, n := Repair(latin1([]byte(golden)), ""); n != UTF8 || got != golden {
		t.Errorf("UTF-8 read twice: %q %s", n, got)
	}
}

func userDefined(octets string) string {
	var b strings.Builder
	for i := range len(octets) {
		if c := octets[i]; c < 0x80 {
			b.WriteByte(c)
		} else {
			b.WriteRune(0xF700 + rune(c))
		}
	}
	return b.String()
}

// Subjects and names are short.
func TestShort(t *testing.T) {
	for _, s := range []string{"Báo cáo", "Nguyễn Văn An", "Giấy mời họp", "Về việc báo cáo kết quả", "Trần Thị Bích Ngọc", "Công văn số 12.doc"} {
		for _, name := range []Name{TCVN3, VNI} {
			if got, n := Repair(latin1([]byte(encode(name, s))), ""); got != s {
				t.Errorf("%s: %q as %q", name, got, n)
			}
		}
	}
	if got, n := Repair("Hîp", TCVN3); got != "Hợp" || n != TCVN3 {
		t.Errorf("one word where it is expected: %q as %q", got, n)
	}
	if got, n := Repair("Hîp", ""); got != "Hîp" || n != "" {
		t.Errorf("one word alone: %q as %q", got, n)
	}
}

// The fonts of TCVN3 have no capitals with marks and the quotes of Windows.
func TestQuotesOfTCVN3(t *testing.T) {
	in := "\x93" + encode(TCVN3, "Kính gửi các đơn vị trực thuộc") + "\x94 \x96 " + encode(TCVN3, "HỘI NGHỊ TỔNG KẾT CÔNG TÁC")
	if got, n := Repair(latin1([]byte(in)), ""); got != "“Kính gửi các đơn vị trực thuộc” – HỘI NGHỊ TỔNG KẾT CÔNG TÁC" {
		t.Errorf("%q as %q", got, n)
	}
}

// Other languages, Vietnamese in Unicode, and what is no text stay as they are.
func TestNotGuessed(t *testing.T) {
	for name, s := range map[string]string{
		"Vietnamese":       golden,
		"plain Latin-1":    "Báo cáo tháng ba và tháng tư, có kèm bảng kê và hóa đơn",
		"French":           "Monsieur, vous êtes invité à la réunion où sera présenté le rapport. Là-bas, l'été dernier, on a été très déçu : la fenêtre était fermée, le café glacé, et né en août, le bébé criait. Ça coûte 5 € à côté du théâtre; hélas, « dès lors » il préfère être à l'hôtel.",
		"German":           "Sehr geehrte Damen und Herren, für die Prüfung der Größe müssen die Maße über die Tür hinaus geändert werden. Schöne Grüße aus Köln, Müller. Übrigens hätten wir gern gewusst, ob die Bäume blühen und die Straße gesperrt ist.",
		"Czech":            "Vážený pane, příští týden se koná schůze. Děkuji a těším se na Vás. Žluťoučký kůň úpěl ďábelské ódy.",
		"Czech as Latin-1": latin1([]byte("V\xe1\x9een\xfd pane, p\xf8\xed\x9at\xed t\xfdden se kon\xe1 sch\xf9ze. D\xeckuji a t\xec\x9a\xedm se na V\xe1s.")),
		"Spanish":          "Estimado señor, la reunión será el miércoles próximo a las diez. Mañana también habrá café y más información según el año; él está aquí, tú no. ¿Cómo está?",
		"Portuguese":       "Prezado senhor, não há informações sobre a reunião de amanhã; são três pessoas, até já. O avô é são, a avó também. Você não está.",
		"Swedish":          "Hej, vi träffas på måndag när mötet är över. Där får ni även höra på åtta förslag och äta räksmörgås på ön.",
		"Icelandic":        "Góðan daginn, ég á það ekki. Þú ert að fara í búðina á morgun.",
		"Polish as 1252":   latin1([]byte("Dzie\xf1 dobry, za\xb3\xb9cznik jest w \xb6rodku. Prosz\xea o odpowied\xbc, \xbfeby\xb6my mogli dzia\xb3a\xe6.")),
		"Russian as 1252":  latin1([]byte("\xc7\xe4\xf0\xe0\xe2\xf1\xf2\xe2\xf3\xe9\xf2\xe5, \xef\xf0\xee\xf8\xf3 \xe2\xe0\xf1 \xee\xf2\xe2\xe5\xf2\xe8\xf2\xfc \xed\xe0 \xef\xe8\xf1\xfc\xec\xee.")),
		"English":          "Dear all, the meeting is on 5+3 and a^2 + b^2 = c^2; see u+1, o+1 and e^x. Don't add 'em. So? Go. To~ da'",
		"code":             "i++; o+=1; a^=b; if (a^b) u+v; add(o+o, e^e); // ok?",
		"a name":           "José Müller-Núñez",
		"symbols":          "© 2026 Công ty ® 5 ¼ kg ± 3° — “x” § 12",
	} {
		if got, n := Repair(s, ""); got != s || n != "" {
			t.Errorf("%s: %q as %q", name, got, n)
		}
	}
	binary := make([]byte, 4096)
	for i := range binary {
		binary[i] = byte(i*i*31 + i*7 + i>>3)
	}
	if got, n := Repair(string(binary), ""); n != "" || !utf8.ValidString(got) {
		t.Errorf("binary octets are %q", n)
	}
}

// A line of Unicode beside lines of TCVN3 stays.
func TestMixed(t *testing.T) {
	old := latin1([]byte(encode(TCVN3, golden)))
	got, n := Repair(old+"\nKính gửi: Ủy ban\nBáo cáo tháng\nplain\n"+old, "")
	if want := golden + "\nKính gửi: Ủy ban\nBáo cáo tháng\nplain\n" + golden; got != want || n != TCVN3 {
		t.Errorf("%q\n%s", n, got)
	}
}

// cpu is the time that this process has had: what else the machine does is none of it.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func TestRepairIsLinear(t *testing.T) {
	for name, unit := range map[string]string{
		"TCVN3": latin1([]byte(encode(TCVN3, golden))), "lines": "\xb8\n", "VIQR": encode(VIQR, golden), "marks": "a^", "word": "\xb8", "plus": "u+",
	} {
		took := func(n int) time.Duration {
			s := strings.Repeat(unit, n/len(unit))
			best := time.Hour
			for range 3 {
				start := cpu(t)
				Repair(s, "")
				best = min(best, cpu(t)-start)
			}
			return best
		}
		small, large := took(1<<16), took(1<<18)
		t.Log(name, small, large)
		if large > 12*small+50*time.Millisecond {
			t.Errorf("%s: 64 KB took %v, 256 KB %v", name, small, large)
		}
	}
}

func FuzzRepair(f *testing.F) {
	for _, name := range sets() {
		f.Add(encode(name, golden), "")
		f.Add(latin1([]byte(encode(name, golden))), string(name))
	}
	f.Fuzz(func(t *testing.T, s, expected string) {
		got, name := Repair(s, Name(expected))
		if !utf8.ValidString(got) {
			t.Fatalf("%q is %q", s, got)
		}
		if name == "" && utf8.ValidString(s) && got != s {
			t.Fatalf("%q was changed to %q", s, got)
		}
		if len(got) > 8*len(s)+8 {
			t.Fatalf("%d octets became %d", len(s), len(got))
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, name := range sets() {
		f.Add(string(name), []byte(encode(name, golden)))
	}
	f.Fuzz(func(t *testing.T, label string, octets []byte) {
		got, ok := Decode(label, octets)
		if ok && (!utf8.ValidString(got) || !norm.NFC.IsNormalString(got)) {
			t.Fatalf("%s of %q is %q", label, octets, got)
		}
	})
}

func BenchmarkRepair(b *testing.B) {
	for name, s := range map[string]string{
		"unicode": strings.Repeat(golden+"\n", 120), "tcvn3": strings.Repeat(latin1([]byte(encode(TCVN3, golden)))+"\n", 200),
		"ascii": strings.Repeat("The quick brown fox jumps over the lazy dog\n", 900), "french": strings.Repeat("Vous êtes invité à la réunion où sera présenté le rapport\n", 700),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(s)))
			for b.Loop() {
				Repair(s, "")
			}
		})
	}
}
