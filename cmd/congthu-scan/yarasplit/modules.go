package yarasplit

import "slices"

// moduleHead is how an object begins of which a module knows anything. The dotnet
// module reads programs for Windows, too.
func moduleHead(module string) (string, bool) {
	switch module {
	case "pe", "dotnet":
		return "MZ", true
	case "elf":
		return "\x7fE", true
	}
	return "", false
}

// definite are the functions of the modules that are undefined of everything else.
func definite(module, function string) bool {
	return module == "pe" && slices.Contains([]string{"imphash", "exports", "imports", "is_dll", "is_32bit", "is_64bit", "section_index", "calculate_checksum", "locale", "language"}, function)
}

// modules is what an expression demands that takes a value from a module: of any other
// object the value is undefined, so is every comparison with it, and that is not true.
// Words that make a truth out of the undefined take the expression out of the question.
func modules(toks []token) Heads {
	h := anyHead()
	for i, t := range toks {
		if t.kind == word && slices.Contains([]string{"of", "for", "them", "all", "any", "none", "defined", "not", "and", "or"}, t.text) {
			return anyHead()
		}
		if t.kind != word || i+2 >= len(toks) || !toks[i+1].is(".") || i > 0 && toks[i-1].is(".") {
			continue
		}
		head, ok := moduleHead(t.text)
		if ok && undefinedElsewhere(toks, i) {
			h = both(h, only(head))
		}
	}
	return h
}

// undefinedElsewhere tells whether the field at toks[i:], such as pe . entry_point, is
// undefined of objects that the module does not know. Constants are defined always, and
// is_pe and is_dotnet are 0: alone they are a truth that only such an object has.
func undefinedElsewhere(toks []token, i int) bool {
	field := toks[i+2].text
	call := i+3 < len(toks) && toks[i+3].is("(")
	switch {
	case call:
		return definite(toks[i].text, field)
	case field == "is_pe" || field == "is_dotnet":
		return len(toks) == 3
	}
	return field[0] >= 'a' && field[0] <= 'z'
}
