package rules_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"congthu/internal/decrypt"
	"congthu/internal/inspect/adlaw"
	"congthu/internal/inspect/attach"
	"congthu/internal/inspect/auth"
	"congthu/internal/inspect/burst"
	"congthu/internal/inspect/clamav"
	"congthu/internal/inspect/classify"
	"congthu/internal/inspect/content"
	"congthu/internal/inspect/dnsbl"
	"congthu/internal/inspect/header"
	"congthu/internal/inspect/known"
	"congthu/internal/inspect/link"
	"congthu/internal/inspect/sender"
	"congthu/internal/keyring"
	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/policy"
	"congthu/internal/rules"
	"congthu/internal/tomlfile"
)

const shipped = "../../rules"

func source(dir string) rules.Source {
	var symbols []string
	for _, s := range [][]string{auth.Symbols(), sender.Symbols(), header.Symbols(), adlaw.Symbols(), link.Symbols(), content.Symbols(), classify.Symbols(), dnsbl.Symbols(), known.Symbols(), burst.Symbols(), attach.Symbols(), clamav.Symbols(), decrypt.Symbols(), keyring.Symbols(), policy.Symbols()} {
		symbols = append(symbols, s...)
	}
	return rules.Source{Dir: dir, Symbols: symbols, Inspectors: []string{"auth", "decrypt", "sender", "header", "adlaw", "link", "content", "classify", "dnsbl", "known", "burst", "attach", "clamav"}}
}

// edited copies the shipped rules and replaces one text in one file.
func edited(t *testing.T, file, old, new string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(shipped)); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, file)
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), old) {
		t.Fatalf("%s does not contain %q", file, old)
	}
	if err := os.WriteFile(name, []byte(strings.Replace(string(data), old, new, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestShippedRulesLoad(t *testing.T) {
	set, err := source(shipped).Load()
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Content.Rules()) < 10 || len(set.Brands) < 10 || len(set.Shorteners) < 5 || len(set.Policy.Forces) < 4 {
		t.Errorf("%d content rules, %d brands, %d shorteners, %d forces: the shipped set is too small to be whole",
			len(set.Content.Rules()), len(set.Brands), len(set.Shorteners), len(set.Policy.Forces))
	}
	for _, name := range source(shipped).Inspectors {
		if _, ok := set.Policy.Blind[name]; !ok {
			t.Errorf("policy.toml does not say what happens when %s could not look", name)
		}
	}
	if set.Policy.Blind["attach"] == msg.Deliver {
		t.Error("an unscanned message would be delivered")
	}
	for s, w := range set.Policy.Weights.Symbols {
		if w.VI == w.EN {
			t.Errorf("%s says the same in both languages", s)
		}
	}
}

func TestMistakesAreNamedWithTheirPlace(t *testing.T) {
	for _, c := range []struct{ name, file, old, new, want string }{
		{"unknown key", "policy.toml", "reject_at = 0.0", "rejects_at = 0.0", "there is no key called 'inward.rejects_at'"},
		{"action", "policy.toml", `spam = "quarantine"`, `spam = "delete"`, "there is no action 'delete'"},
		{"symbol", "policy.toml", `"YARA_MALWARE"`, `"YARA_MALWAER"`, "the symbol YARA_MALWAER is not in weights.toml"},
		{"reply class", "policy.toml", `"550 5.7.26`, `"550 4.7.26`, "malformed or does not fit the action"},
		{"reply of another class", "policy.toml", `"451 4.7.0`, `"550 5.7.0`, "malformed or does not fit the action"},
		{"reply not ASCII", "policy.toml", "Gia mao", "Giả mạo", "malformed or does not fit the action"},
		{"inspector", "policy.toml", `attach = "defer"`, `atach = "defer"`, "there is no inspector 'atach'"},
		{"direction", "policy.toml", `direction = "inward"`, `direction = "inwards"`, "direction is inward or outward"},
		{"reject below required", "policy.toml", "reject_at = 0.0", "reject_at = 1.0", "reject_at is below required"},
		{"weight of nothing", "weights.toml", "[symbol.SPF_FAIL]", "[symbol.SPF_FIAL]", "no inspector and no rule reports the symbol SPF_FIAL"},
		{"missing weight", "weights.toml", "[symbol.SPF_FAIL]", "[symbol.SPF_FIAL]", "the symbol SPF_FAIL has no weight"},
		{"agency without domains", "lists/agencies.toml", "domains = [\"chinhphu.vn\", \"gov.vn\"]", "", "the agency lacks name or domains"},
		{"agency's domain", "lists/agencies.toml", `"chinhphu.vn"`, `"chính phủ"`, "is not a domain name"},
		{"agency's word", "lists/agencies.toml", `"VPCP"`, `"VP"`, "the word is too short"},
		{"agency's key", "lists/agencies.toml", `words = ["VPCP"]`, `word = ["VPCP"]`, "there is no key called"},
		{"type of file", "policy.toml", "[encrypt]", "[[block]]\ntypes = [\"script\", \"scirpt\"]\naction = \"reject\"\n[encrypt]", "there is no type of file 'scirpt'; did you mean 'script'?"},
		{"far type of file", "policy.toml", "[encrypt]", "[[block]]\ntypes = [\"qqqqqq\"]\naction = \"reject\"\n[encrypt]", "there is no type of file 'qqqqqq'; an unusual extension"},
		{"no types", "policy.toml", "[encrypt]", "[[block]]\naction = \"reject\"\n[encrypt]", "this block names no types"},
		{"action on a type", "policy.toml", "[encrypt]", "[[block]]\ntypes = [\"exe\", \".dwg\"]\naction = \"defer\"\n[encrypt]", "there is no action 'defer' for types of files"},
		{"from where", "policy.toml", "[encrypt]", "[[block]]\ntypes = [\"exe\"]\naction = \"strip\"\nfrom = \"inside\"\n[encrypt]", "from can only be outside"},
		{"reply to a type", "policy.toml", "[encrypt]", "[[block]]\ntypes = [\"exe\"]\naction = \"reject\"\nreply = \"451 4.7.1 later\"\n[encrypt]", "malformed or does not fit the action"},
		{"syntax", "weights.toml", "[symbol.SPF_FAIL]", "[symbol.SPF_FAIL", "TOML syntax error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := edited(t, c.file, c.old, c.new)
			_, err := source(dir).Load()
			var ps tomlfile.Problems
			if !errors.As(err, &ps) {
				t.Fatalf("want Problems, got %v", err)
			}
			var hit *tomlfile.Problem
			for _, p := range ps {
				if strings.Contains(p.In(lang.EN), c.want) {
					hit = p
				}
			}
			if hit == nil {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if hit.Line < 1 || hit.Column < 1 || filepath.Base(hit.File) != filepath.Base(c.file) {
				t.Errorf("place %s:%d:%d", hit.File, hit.Line, hit.Column)
			}
			if hit.Hint.VI == "" || hit.Hint.EN == "" {
				t.Errorf("no advice: %+v", hit)
			}
		})
	}
}

func TestEveryFileMissingIsNamed(t *testing.T) {
	_, err := source(t.TempDir()).Load()
	if err == nil {
		t.Fatal("an empty rules directory was taken")
	}
	for _, want := range []string{"weights.toml", "content", "brands.toml", "agencies.toml", "shorteners.txt"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not named in %v", want, err)
		}
	}
}

// The list of trusted forwarders is read with the rules, may be missing, and a mistake
// in it is named with its line.
func TestSealers(t *testing.T) {
	list := filepath.Join("lists", "arc-sealers.txt")
	dir := edited(t, list, "# lists.example.vn", "Lists.example.vn # known\nrelay.example.vn")
	set, err := source(dir).Load()
	if err != nil || strings.Join(set.Sealers, " ") != "lists.example.vn relay.example.vn" {
		t.Errorf("%v, %v", set, err)
	}
	if err := os.Remove(filepath.Join(dir, list)); err != nil {
		t.Fatal(err)
	}
	if set, err = source(dir).Load(); err != nil || len(set.Sealers) != 0 {
		t.Errorf("without the file: %v, %v", set, err)
	}
	dir = edited(t, list, "# lists.example.vn", "https://lists.example.vn/")
	if _, err = source(dir).Load(); err == nil || !strings.Contains(err.Error(), "arc-sealers.txt:13:1") {
		t.Errorf("%v", err)
	}
}
