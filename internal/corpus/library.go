package corpus

import (
	"cmp"
	"embed"
	"fmt"
	"path"
	"strconv"
	"strings"
	"sync"

	"congthu/internal/tomlfile"
)

//go:embed texts/*.toml
var files embed.FS

// text is one letter with its slots open.
type text struct {
	Subject string   `toml:"subject"`
	Text    string   `toml:"text"`
	From    []string `toml:"from"`     // classes of senders; those of the file when absent
	Name    string   `toml:"name"`     // display name in place of the sender's
	Mailers []string `toml:"mailers"`  // mail programs; those of the sender when absent
	Files   []string `toml:"files"`    // names of attachments
	ReplyTo string   `toml:"reply_to"` // an address
	Reply   bool     `toml:"reply"`    // the letter answers another

	slots map[string][]string // of the topic, beside those of all
	times int                 // as many letters of it are for training as of another text
	id    string              // topic-number
	topic string
	spam  bool
	set   Set
}

// sender is who writes, from where, and what DNS says about it.
type sender struct {
	Class   string   `toml:"class"`
	Name    string   `toml:"name"`
	Address string   `toml:"address"`
	Client  string   `toml:"client"`
	Helo    string   `toml:"helo"`
	SPF     string   `toml:"spf"`   // what the check ends in: pass, fail, softfail, none
	DMARC   string   `toml:"dmarc"` // published policy; "": none
	Mailers []string `toml:"mailers"`
	Inside  bool     `toml:"inside"`
}

type library struct {
	texts   []text
	senders []sender
	slots   map[string][]string
	count   map[string]int // texts by topic; a topic may go on in another file
}

// load reads the embedded files once.
var load = sync.OnceValues(func() (*library, error) {
	lib := &library{count: map[string]int{}}
	names, err := files.ReadDir("texts")
	for _, n := range names {
		if err == nil {
			err = lib.file(n.Name())
		}
	}
	return lib, err
})

func (lib *library) file(name string) error {
	data, err := files.ReadFile(path.Join("texts", name))
	if err != nil {
		return err
	}
	switch name {
	case "senders.toml":
		var f struct {
			Sender []sender `toml:"sender"`
		}
		_, err = tomlfile.Parse(name, data, &f)
		lib.senders = f.Sender
	case "slots.toml":
		var f struct {
			Slots map[string][]string `toml:"slots"`
		}
		_, err = tomlfile.Parse(name, data, &f)
		lib.slots = f.Slots
	default:
		err = lib.topics(name, data)
	}
	return err
}

// topics reads a file of texts. They are dealt to the sets in turn, by their order within
// the topic and not by what they say, unless the topic names the set; new ones go to the
// end of their topic.
func (lib *library) topics(name string, data []byte) error {
	var f struct {
		Topic []struct {
			Name   string              `toml:"name"`
			Spam   bool                `toml:"spam"`
			Set    Set                 `toml:"set"`
			Times  int                 `toml:"times"`
			From   []string            `toml:"from"`
			Slots  map[string][]string `toml:"slots"`
			Letter []text              `toml:"letter"`
		} `toml:"topic"`
	}
	if _, err := tomlfile.Parse(name, data, &f); err != nil {
		return err
	}
	for _, topic := range f.Topic {
		for _, t := range topic.Letter {
			lib.count[topic.Name]++
			n := lib.count[topic.Name]
			t.id = topic.Name + "-" + strconv.Itoa(n)
			t.topic, t.spam = topic.Name, topic.Spam
			t.slots, t.times = topic.Slots, max(1, topic.Times)
			t.set = cmp.Or(topic.Set, []Set{Held, Tune, Train}[n%3])
			if len(t.From) == 0 {
				t.From = topic.From
			}
			lib.texts = append(lib.texts, t)
		}
	}
	return nil
}

// find returns the text and the number that a letter's name stands for.
func (lib *library) find(name string) (text, int, error) {
	id, number, _ := strings.Cut(name, ".")
	n, err := strconv.Atoi(number)
	for _, t := range lib.texts {
		if err == nil && t.id == id && n >= 0 {
			return t, n, nil
		}
	}
	return text{}, 0, fmt.Errorf("corpus: no letter is called %q", name)
}

func (lib *library) of(classes []string) []sender {
	var out []sender
	for _, s := range lib.senders {
		for _, c := range classes {
			if s.Class == c {
				out = append(out, s)
			}
		}
	}
	return out
}

func domain(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// zone writes what DNS says of all senders, each domain once.
func (lib *library) zone() string {
	var b strings.Builder
	b.WriteString("; What DNS says about the senders of the letters; made by internal/corpus.\n")
	done := map[string]bool{}
	for _, s := range lib.senders {
		line := func(key, kind, data string) {
			if l := fmt.Sprintf("%-40s %-4s %s\n", key, kind, data); !done[l] {
				done[l] = true
				b.WriteString(l)
			}
		}
		d := domain(s.Address)
		if strings.Contains(s.Address, "{") {
			continue // of nobody in particular: it only trains
		}
		line(d, "MX", "10 "+s.Helo)
		if policy := map[string]string{"pass": "ip4:" + s.Client + " -all", "fail": "-all", "softfail": "~all"}[s.SPF]; policy != "" {
			line(d, "TXT", `"v=spf1 `+policy+`"`)
		}
		if s.DMARC != "" {
			line("_dmarc."+d, "TXT", `"v=DMARC1; p=`+s.DMARC+`"`)
		}
		line(s.Helo, "A", s.Client)
		line(s.Client, "PTR", s.Helo)
	}
	return b.String()
}
