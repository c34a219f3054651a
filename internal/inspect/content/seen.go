package content

// seen is which phrases were found in a text, and of those that are sought with their
// marks also each place.
type seen struct {
	head   []int32 // by phrase: 1 more than its first place in places; 0: it was not found
	places []place
	order  []int32 // the phrases that were found
}

// place is a word at which a phrase begins.
type place struct {
	at   int32
	next int32 // 1 more than the phrase's next place; 0: there is none
	last int32 // of the first place of a phrase: the last one
}

// add enters a phrase of so many. Where not every place counts, the first will do.
func (s *seen) add(phrase, at int32, every bool, phrases int) {
	if s.head == nil {
		s.head = make([]int32, phrases)
	}
	n := int32(len(s.places))
	switch head := s.head[phrase]; {
	case head == 0:
		s.head[phrase] = n + 1
		s.order = append(s.order, phrase)
	case !every:
		return
	default:
		first := &s.places[head-1]
		s.places[first.last].next = n + 1
		first.last = n
	}
	s.places = append(s.places, place{at: at, last: n})
}

// has tells whether the phrase was found.
func (s *seen) has(phrase int32) bool { return s.head != nil && s.head[phrase] != 0 }

// any tells whether one of the places is wanted, in the order of the text.
func (s *seen) any(phrase int32, wanted func(at int32) bool) bool {
	if s.head == nil {
		return false
	}
	for n := s.head[phrase]; n != 0; n = s.places[n-1].next {
		if wanted(s.places[n-1].at) {
			return true
		}
	}
	return false
}
