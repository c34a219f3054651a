package header

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"congthu/internal/lang"
	"congthu/internal/lookalike"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/tomlfile"
)

// Agency is an agency whose name forgers use in display names.
type Agency struct {
	Name    string   `toml:"name"`
	Words   []string `toml:"words"`   // other names and abbreviations, with or without marks
	Domains []string `toml:"domains"` // from which it really writes; subdomains included
}

var domainForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// LoadAgencies reads agencies.toml. The error is tomlfile.Problems.
func LoadAgencies(name string) ([]Agency, error) {
	var f struct {
		Agency []Agency `toml:"agency"`
	}
	file, err := tomlfile.Read(name, &f)
	if err != nil {
		return nil, err
	}
	var ps tomlfile.Problems
	complain := func(what, hint lang.Text, key ...any) { ps = append(ps, file.At(what, hint, key...)) }
	for i, a := range f.Agency {
		if a.Name == "" || len(a.Domains) == 0 {
			complain(lang.T("cơ quan thiếu name hoặc domains", "the agency lacks name or domains"), lang.T("điền name và domains", "give name and domains"), "agency", i)
		}
		for j, w := range a.Words {
			if utf8.RuneCountInString(w) < 3 {
				complain(lang.T("từ quá ngắn: "+w, "the word is too short: "+w), lang.T("dùng từ ít nhất 3 chữ", "use three letters or more"), "agency", i, "words", j)
			}
		}
		for j, d := range a.Domains {
			if !domainForm.MatchString(d) {
				complain(lang.T("'"+d+"' không phải tên miền", "'"+d+"' is not a domain name"), lang.T("viết như tinh.gov.vn; tên có dấu viết dạng xn--", "write tinh.gov.vn; international names as xn--"), "agency", i, "domains", j)
			}
		}
	}
	return f.Agency, ps.Err()
}

// LoadWords reads a list file of words that are looked for in names: one a line, of three
// letters or more. The error is tomlfile.Problems.
func LoadWords(name string) ([]string, error) {
	return tomlfile.Lines(name, func(line string) bool { return utf8.RuneCountInString(line) >= 3 },
		lang.T("từ quá ngắn", "the word is too short"), lang.T("dùng từ ít nhất 3 chữ", "use three letters or more"))
}

// nameAgency reports a display name with an agency's name or a domain of ours in it, from
// a domain that is neither the agency's nor ours.
func (i *inspector) nameAgency(r *report, a mimetree.Address) {
	domain := lookalike.ASCII(a.Domain)
	if i.local(domain) {
		return
	}
	for word := range strings.FieldsSeq(strings.ToLower(lookalike.Compatible(a.Name))) {
		if word = strings.Trim(word, `"'()[],;:.-`); strings.Contains(word, ".") && !strings.Contains(word, "@") && i.local(word) {
			r.add(NameAgency, word+": "+a.Name+" <"+a.Spec()+">")
			return
		}
	}
	name := newPhrase(a.Name)
	for _, b := range i.agencies {
		if name.has(b.words) && !b.owns(domain) {
			r.add(NameAgency, b.name+": "+a.Name+" <"+a.Spec()+">")
			return
		}
	}
}

// otherSenders reports who else is said to have sent the message: the Sender field, and
// the envelope. Lists and mailing services differ in good faith, so these weigh little.
func otherSenders(r *report, m *msg.Message, from []mimetree.Address) {
	if len(from) == 0 {
		return
	}
	author := from[0]
	for _, s := range mailboxes(r.root.Get("Sender")) {
		if !lookalike.Related(s.Domain, author.Domain) {
			r.add(SenderDiffers, author.Spec()+", Sender "+s.Spec())
			break
		}
	}
	if e := m.Envelope.From; e.Domain != "" && !lookalike.Related(e.Domain, author.Domain) {
		r.add(EnvelopeDiffers, author.Spec()+", MAIL FROM "+e.Key())
	}
}
