package yarascan

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hillu/go-yara/v4"
)

// The symbols of this package: what a rule's match means. A rule of the house may have
// a message held or refused; of those of others the administrator says in weights.toml
// and policy.toml what they may.
const (
	Malware         = "YARA_MALWARE"
	Suspicious      = "YARA_SUSPICIOUS"
	Hold            = "YARA_HOLD"
	Reject          = "YARA_REJECT"
	ExtraMalware    = "YARA_EXTRA_MALWARE"
	ExtraSuspicious = "YARA_EXTRA_SUSPICIOUS"
)

// Symbols are all of them, the gravest first.
func Symbols() []string {
	return []string{Reject, Malware, Hold, ExtraMalware, Suspicious, ExtraSuspicious}
}

// Judgement is what a rule says about itself.
type Judgement struct {
	Symbol  string `json:"symbol"`
	Percent int    `json:"percent,omitempty"` // of the symbol's weight; 0: all of it
	VI      string `json:"vi,omitempty"`
	EN      string `json:"en,omitempty"`
}

// judge reads a rule's tags and meta; rules/yara/README.md says what they mean. ok is
// false for a rule of the house that says nothing of what its match means.
func judge(r yara.Rule, house bool) (j Judgement, ok bool) {
	m := metas(r)
	defer func() {
		if ok && j.VI == "" {
			j.VI = inVietnamese(r.Identifier(), j, m, r.Tags())
		}
	}()
	tags := r.Tags()
	percent, scored := m.percent()
	j = Judgement{Percent: percent, VI: m.sentence("description_vi", "vi"), EN: m.sentence("description_en", "en", "description")}
	grave := m.grave(tags)
	if scored && !slices.Contains(tags, "malware") {
		grave = percent >= 75
	}
	action := strings.ToLower(m["action"])
	if !house {
		j.Symbol = ExtraSuspicious
		if action != "mark" && (grave || action == "hold" || action == "quarantine" || action == "reject") {
			j.Symbol = ExtraMalware
		}
		return j, true
	}
	switch {
	case action == "reject":
		j.Symbol = Reject
	case slices.Contains(tags, "malware"):
		j.Symbol = Malware
	case action == "hold" || action == "quarantine":
		j.Symbol = Hold
	case action == "mark" || slices.Contains(tags, "suspicious"):
		j.Symbol = Suspicious
	case grave:
		j.Symbol = Malware
	case scored || m.kind() != "":
		j.Symbol = Suspicious
	default:
		return j, false
	}
	return j, true
}

// meta are the meta of a rule, names in lower case, values as text.
type meta map[string]string

func metas(r yara.Rule) meta {
	m := meta{}
	for _, x := range r.Metas() {
		switch v := x.Value.(type) {
		case string:
			m[strings.ToLower(x.Identifier)] = v
		case int:
			m[strings.ToLower(x.Identifier)] = strconv.Itoa(v)
		}
	}
	return m
}

// sentence is the first of these that is there, as short as an explanation has to be.
func (m meta) sentence(names ...string) string {
	const most = 300
	for _, name := range names {
		s := strings.TrimSpace(strings.ToValidUTF8(m[name], "\uFFFD"))
		if s == "" {
			continue
		}
		for len(s) > most {
			_, size := utf8.DecodeLastRuneInString(s)
			s = s[:len(s)-size]
		}
		return s
	}
	return ""
}

// percent is the rule's own score (0 to 100, as is the custom), or its severity in
// words or as a number up to 10 or 100.
func (m meta) percent() (int, bool) {
	if n, err := strconv.Atoi(strings.TrimSpace(m["score"])); err == nil {
		return min(max(n, 1), 100), true
	}
	severity := strings.ToLower(strings.TrimSpace(m["severity"]))
	if n, err := strconv.Atoi(severity); err == nil {
		if n <= 10 {
			n *= 10
		}
		return min(max(n, 1), 100), true
	}
	n, ok := map[string]int{"critical": 100, "high": 100, "medium": 60, "low": 30, "info": 10, "informational": 10}[severity]
	return n, ok
}

// kind is what a rule says that it finds.
func (m meta) kind() string {
	for _, name := range []string{"malware_type", "tc_detection_type", "malware", "malware_family", "category", "threat_name"} {
		if m[name] != "" {
			return strings.ToLower(m[name])
		}
	}
	return ""
}

// grave tells a rule for malware from one for what is only to be noticed: tools,
// certificates, packers, unwanted programs.
func (m meta) grave(tags []string) bool {
	if slices.Contains(tags, "malware") || slices.Contains(tags, "malicious") {
		return true
	}
	category := strings.ToLower(m["category"])
	switch category {
	case "info", "tool", "hacktool", "pua", "packer", "generic", "riskware":
		return false
	}
	switch m.kind() {
	case "", "hacktool", "adware", "pua", "tool", "scanner", "unknown":
		return category == "malware" && m.kind() == "unknown"
	}
	return true
}
