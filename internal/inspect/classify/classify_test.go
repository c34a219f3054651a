package classify_test

import (
	"fmt"
	"strings"
	"testing"

	"congthu/internal/inspect/classify"
	"congthu/internal/learn"
	"congthu/internal/msg"
)

// mind is a classifier that thinks what it is told to.
type mind struct {
	odds, known float64
	ham, spam   int
	bad, good   []learn.Reason
}

func (m mind) Judge(*msg.Message) learn.Opinion {
	return learn.Opinion{LogOdds: m.odds, Known: m.known}
}

func (m mind) Reasons(*msg.Message, int) (forSpam, forHam []learn.Reason) { return m.bad, m.good }
func (m mind) Seen() (ham, spam int)                                      { return m.ham, m.spam }

func TestHowMuchOfTheWeightIsAskedFor(t *testing.T) {
	const many = 1 << 30
	for _, c := range []struct {
		name    string
		mind    mind
		trusted bool
		want    string
	}{
		{"an empty model", mind{}, false, ""},
		{"sure of spam", mind{odds: 9, known: 1, ham: many, spam: many}, false, "CLASSIFY_SPAM 100 p=1.000; CLASSIFY_SURE 100 p=1.000"},
		{"hardly a doubt", mind{odds: 3.5, known: 1, ham: many, spam: many}, false, "CLASSIFY_SPAM 74 p=0.971; CLASSIFY_SURE 49 p=0.971"},
		{"nearly sure", mind{odds: 2.5, known: 1, ham: many, spam: many}, false, "CLASSIFY_SPAM 49 p=0.924"},
		{"not sure", mind{odds: 0.4, known: 1, ham: many, spam: many}, false, ""},
		{"sure of ham", mind{odds: -9, known: 1, ham: many, spam: many}, false, "CLASSIFY_HAM 100 p=0.000"},
		{"hardly ham", mind{odds: -0.9, known: 1, ham: many, spam: many}, false, ""},
		{"few letters learned", mind{odds: 9, known: 1, ham: many, spam: 10}, false, "CLASSIFY_SPAM 7 p=1.000"},
		{"none of one kind", mind{odds: 9, known: 1, ham: many}, false, ""},
		{"words never met", mind{odds: 9, known: 0.1, ham: many, spam: many}, false, "CLASSIFY_SPAM 32 p=1.000"},
		{"a trusted agency", mind{odds: 9, known: 1, ham: many, spam: many}, true, "CLASSIFY_SPAM 25 p=1.000"},
		{"a trusted agency's good letter", mind{odds: -9, known: 1, ham: many, spam: many}, true, "CLASSIFY_HAM 100 p=0.000"},
	} {
		in := classify.New(classify.Options{Classifier: c.mind, Trusted: func(*msg.Message) bool { return c.trusted }})
		found, auth, err := in.Inspect(t.Context(), &msg.Message{})
		var all []string
		for _, f := range found {
			all = append(all, fmt.Sprintf("%s %d %s", f.Symbol, f.Percent, f.Evidence))
		}
		if got := strings.Join(all, "; "); got != c.want || err != nil || auth != nil {
			t.Errorf("%s: %q, want %q (%v)", c.name, got, c.want, err)
		}
	}
}

func TestReasonsAreToldInBothLanguages(t *testing.T) {
	m := mind{
		odds: 9, known: 1, ham: 1000, spam: 1000,
		bad: []learn.Reason{
			{View: learn.Words, Kind: "d", Words: "trúng thưởng", Says: 2},
			{View: learn.Shape, Kind: "", Words: "reply-to elsewhere", Says: 1},
			{View: learn.Shape, Kind: "boundary", Words: "aA0", Says: 1},
			{View: learn.Shape, Kind: "", Words: "a fact without a sentence", Says: 1},
			{View: learn.Shape, Kind: "mailer", Words: "100%d", Says: 1},
		},
		good: []learn.Reason{{View: learn.Words, Kind: "s", Words: "công văn", Says: -1}},
	}
	e := classify.New(classify.Options{Classifier: m}).(msg.Explainer)
	notes, err := e.Explain(t.Context(), &msg.Message{})
	if err != nil {
		t.Fatal(err)
	}
	var vi, en []string
	for _, n := range notes {
		vi, en = append(vi, n.VI), append(en, n.EN)
	}
	wantVI := "giống thư rác: từ trong thư “trúng thưởng”|giống thư rác: trả lời sẽ tới tên miền khác|giống thư rác: soạn bằng chương trình “100%d”|giống thư tốt: từ trong tiêu đề “công văn”"
	wantEN := "as in spam: the words “trúng thưởng”|as in spam: replies go to another domain|as in spam: written with the program “100%d”|as in wanted mail: the words of the subject “công văn”"
	if strings.Join(vi, "|") != wantVI || strings.Join(en, "|") != wantEN {
		t.Errorf("%s\n%s", strings.Join(vi, "|"), strings.Join(en, "|"))
	}
	m.odds = 0
	if notes, _ = classify.New(classify.Options{Classifier: m}).(msg.Explainer).Explain(t.Context(), &msg.Message{}); len(notes) > 0 {
		t.Errorf("no opinion is explained: %v", notes)
	}
	m.odds = -9
	if notes, _ = classify.New(classify.Options{Classifier: m}).(msg.Explainer).Explain(t.Context(), &msg.Message{}); len(notes) == 0 || notes[0].Symbol != "CLASSIFY_HAM" || !strings.Contains(notes[0].EN, "wanted") {
		t.Errorf("ham is not explained: %v", notes)
	}
}
