package main

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"strconv"
	"syscall"
	"time"

	"congthu/internal/evaluate"
	"congthu/internal/lang"
	"congthu/internal/learn"
)

// measured is what `train --eval` found out, as JSON. Shares are in percent; null where a
// collection has one kind of letter only.
type measured struct {
	How       string   `json:"protocol"`
	Ham       int      `json:"ham"`
	Spam      int      `json:"spam"`
	AUC       *float64 `json:"one_minus_auc_percent"`
	Tenth     *float64 `json:"caught_at_0.1_percent_fp"`
	One       *float64 `json:"caught_at_1_percent_fp"`
	LAM       *float64 `json:"lam_percent"`
	HamWrong  int      `json:"ham_misclassified"`
	SpamWrong int      `json:"spam_misclassified"`
	Read      float64  `json:"cpu_us_read_per_message"`
	Judge     float64  `json:"cpu_us_classify_per_message"`
	Learn     float64  `json:"cpu_us_learn_per_message"`
}

// measure prints how well the classifier tells letters apart by the protocol asked for.
func (c *trainCmd) measure(a *app) error {
	t := &trial{cmd: c}
	how, err := t.run()
	if err != nil {
		return err
	}
	if len(t.scores) == 0 {
		return fail(exitNoInput, "không có thư nào để đo", "there are no letters to measure on")
	}
	if err := c.writeScores(t.scores); err != nil {
		return err
	}
	f := t.figures()
	m := measured{
		How: how, Ham: f.Ham, Spam: f.Spam, AUC: number(f.OneMinusAUC), Tenth: number(f.CaughtAtTenth), One: number(f.CaughtAtOne), LAM: number(f.LAM),
		HamWrong: f.HamWrong, SpamWrong: f.SpamWrong, Read: t.read.each(), Judge: t.judge.each(), Learn: t.learn.each(),
	}
	if a.json {
		return a.printJSON(m)
	}
	a.say(lang.T("cách đo: %s; thư tốt %d, thư rác %d", "protocol: %s; ham %d, spam %d"), how, f.Ham, f.Spam)
	fmt.Fprintf(a.stdout, "(1-AUC)%% %s\n", figure(m.AUC))
	a.say(lang.T("bắt được khi nhầm 0,1%% thư tốt: %s%%", "caught at 0.1%% false positives: %s%%"), figure(m.Tenth))
	a.say(lang.T("bắt được khi nhầm 1%% thư tốt: %s%%", "caught at 1%% false positives: %s%%"), figure(m.One))
	fmt.Fprintf(a.stdout, "LAM%% %s\n", figure(m.LAM))
	a.say(lang.T("nhầm ở ngưỡng p=0,5: thư tốt %d, thư rác %d", "misclassified at p=0.5: ham %d, spam %d"), f.HamWrong, f.SpamWrong)
	a.say(lang.T("CPU mỗi thư (µs): đọc và phân tích %.0f, phân loại %.0f, học %.0f", "CPU per message (µs): read and parse %.0f, classify %.0f, learn %.0f"), m.Read, m.Judge, m.Learn)
	return nil
}

func number(x float64) *float64 {
	if math.IsNaN(x) {
		return nil
	}
	return &x
}

func figure(x *float64) string {
	if x == nil {
		return "-"
	}
	return strconv.FormatFloat(*x, 'f', 3, 64)
}

// trial is one measurement.
type trial struct {
	cmd                *trainCmd
	scores             []evaluate.Scored
	read, judge, learn stopwatch
}

// run measures by the protocol that the options ask for, and returns its name.
func (t *trial) run() (string, error) {
	c := t.cmd
	switch {
	case len(c.Train) > 0 || len(c.Test) > 0:
		return t.split()
	case c.Online:
		return t.online()
	case c.CV == 0 && c.Model != "":
		return t.modelAlone()
	}
	return t.cross()
}

// figures are the measures of what was judged.
func (t *trial) figures() evaluate.Figures { return evaluate.Measure(t.scores) }

func (t *trial) letters(indexes []string) (out []sample, err error) {
	t.read.run(func() { out, err = t.cmd.letters(indexes) })
	t.read.n += len(out) - 1
	return out, err
}

// ask has the model judge letters.
func (t *trial) ask(m *learn.Model, letters []sample) {
	for _, l := range letters {
		e := l.lesson().Example
		t.judge.run(func() {
			t.scores = append(t.scores, evaluate.Scored{Name: l.path, Spam: l.spam, Score: m.Judge(e).LogOdds})
		})
	}
}

func (t *trial) teach(m *learn.Model, letters []sample) {
	t.learn.run(func() { teach(m, letters) })
	t.learn.n += len(letters) - 1
}

// split learns one list and measures on another.
func (t *trial) split() (string, error) {
	c := t.cmd
	if len(c.Test) == 0 || len(c.Train) == 0 && c.Model == "" {
		return "", fail(exitUsage, "--train và --test đi cùng nhau", "--train and --test go together")
	}
	train, err := t.letters(append(c.Train, c.Index...))
	if err != nil {
		return "", err
	}
	more, err := vietnamese(c.Vietnamese)
	if err != nil {
		return "", err
	}
	test, err := t.letters(c.Test)
	if err != nil {
		return "", err
	}
	m, err := c.begin()
	if err != nil {
		return "", err
	}
	t.teach(m, append(train, more...))
	t.ask(m, test)
	return fmt.Sprintf("train/test (%d/%d)", len(train)+len(more), len(test)), nil
}

// modelAlone measures what a model knows.
func (t *trial) modelAlone() (string, error) {
	m, err := t.cmd.begin()
	if err != nil {
		return "", err
	}
	all, err := t.letters(t.cmd.Index)
	if err != nil {
		return "", err
	}
	t.ask(m, all)
	return "model", nil
}

// online is the protocol of the TREC spam track: each letter is judged, then its truth is
// learned, in the order of the index.
func (t *trial) online() (string, error) {
	m, err := t.cmd.begin()
	if err != nil {
		return "", err
	}
	all, err := t.letters(t.cmd.Index)
	if err != nil {
		return "", err
	}
	for _, l := range all {
		t.ask(m, []sample{l})
		lesson := l.lesson()
		t.learn.run(func() { m.Train(lesson.Example, lesson.Spam) })
	}
	return "online", nil
}

// cross is k-fold cross validation: each letter is judged by a model that learned the
// other folds.
func (t *trial) cross() (string, error) {
	k := t.cmd.CV
	if k == 0 {
		k = 5
	}
	all, err := t.letters(t.cmd.Index)
	if err != nil {
		return "", err
	}
	if k < 2 || k > len(all) {
		return "", fail(exitUsage, "--cv cần từ 2 đến số thư (%d)", "--cv lies between 2 and the number of letters (%d)", len(all))
	}
	groups := make([]string, len(all))
	for i := range all {
		if t.cmd.Grouped {
			groups[i] = all[i].group
		}
	}
	fold := evaluate.Folds(groups, k)
	for f := range k {
		var train, test []sample
		for i, l := range all {
			if fold[i] == f {
				test = append(test, l)
			} else {
				train = append(train, l)
			}
		}
		m, err := t.cmd.begin()
		if err != nil {
			return "", err
		}
		t.teach(m, train)
		t.ask(m, test)
	}
	how := fmt.Sprintf("cv %d", k)
	if t.cmd.Grouped {
		how += " grouped"
	}
	return how, nil
}

// writeScores writes each letter's score, for whoever wants to measure otherwise.
func (c *trainCmd) writeScores(scores []evaluate.Scored) error {
	if c.Scores == "" {
		return nil
	}
	f, err := os.Create(c.Scores)
	if err != nil {
		return fail(exitNoPerm, "không ghi được %v", "cannot write %v", err)
	}
	w := bufio.NewWriter(f)
	for _, s := range scores {
		kind := "ham"
		if s.Spam {
			kind = "spam"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", s.Name, kind, strconv.FormatFloat(s.Score, 'g', -1, 64))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// stopwatch adds up the CPU time of this process: wall time says more about what else
// the machine does.
type stopwatch struct {
	spent time.Duration
	n     int
}

func (s *stopwatch) run(f func()) {
	begun := cpu()
	f()
	s.spent += cpu() - begun
	s.n++
}

// each is the time for one, in microseconds.
func (s *stopwatch) each() float64 {
	if s.n <= 0 {
		return 0
	}
	return float64(s.spent.Microseconds()) / float64(s.n)
}

func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
