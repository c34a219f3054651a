package rules

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"congthu/internal/inspect/content"
	"congthu/internal/lang"
	"congthu/internal/policy"
	"congthu/internal/tomlfile"
)

// composites reads the conditions of the composites. A condition may name any symbol that
// has a weight, and of the composites those that stand before it: they are evaluated in
// their order, once.
func composites(list []content.Composite, w policy.Weights) ([]policy.Composite, error) {
	var out []policy.Composite
	var ps tomlfile.Problems
	later := map[string]bool{}
	for _, c := range list {
		later[c.Symbol] = true
	}
	for _, c := range list {
		when, err := policy.ParseWhen(c.When)
		if err != nil {
			ps = append(ps, c.Complain(notUnderstood(err)))
			continue
		}
		for _, s := range when.Symbols() {
			switch _, known := w.Symbols[s]; {
			case later[s]:
				ps = append(ps, c.Complain(lang.T("quy tắc gộp "+s+" đứng sau hoặc chính là quy tắc này", "the composite "+s+" stands later, or is this one"), lang.T("chuyển nó lên trước", "move it to the front")))
			case !known:
				ps = append(ps, c.Complain(lang.T("không có dấu hiệu "+s, "there is no symbol "+s), tomlfile.DidYouMean(s, slices.Sorted(maps.Keys(w.Symbols)), lang.T("các dấu hiệu có trong weights.toml", "the symbols stand in weights.toml"))))
			}
		}
		delete(later, c.Symbol)
		out = append(out, policy.Composite{Symbol: c.Symbol, When: when})
	}
	return out, ps.Err()
}

func notUnderstood(err error) (what, hint lang.Text) {
	var e *policy.WhenError
	if errors.As(err, &e) {
		what = lang.T(fmt.Sprintf("không hiểu điều kiện ở ký tự %d", e.Offset+1), fmt.Sprintf("the condition cannot be understood at character %d", e.Offset+1))
		if e.Near != "" {
			what = what.Plus(" ('" + e.Near + "')")
		}
	}
	return what, lang.T("viết tên dấu hiệu bằng chữ hoa, nối bằng and, or, not và ngoặc đơn: \"SPF_FAIL and not (LIST_MAIL or DKIM_PASS)\"", "write symbols in capitals, joined by and, or, not and brackets: \"SPF_FAIL and not (LIST_MAIL or DKIM_PASS)\"")
}
