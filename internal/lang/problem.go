package lang

// Problem is an error that a person can act on: a sentence in both languages, and what
// lies behind it.
type Problem struct {
	What Text
	Err  error // nil: the sentence says all
}

// Error returns the English sentence.
func (p *Problem) Error() string { return p.In(EN) }

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Err }

// In says it in that language.
func (p *Problem) In(l Lang) string {
	if p.Err != nil {
		return p.What.In(l) + ": " + Safe(p.Err.Error(), 300)
	}
	return p.What.In(l)
}
