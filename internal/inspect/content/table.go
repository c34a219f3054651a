package content

// table is a map of numbers that are never 0, in one piece of memory: the text of every
// letter is looked up in it word by word, and a general map costs several times as much.
type table struct {
	slots []slot // a power of two, at most half of them in use
	shift uint8  // 64 less the binary logarithm of the slots
	used  int
}

// slot holds a key, or 0 where it is free.
type slot struct {
	key   uint64
	value int32
}

const fewestSlots = 16

// spread is 2^64 divided by the golden ratio: the upper bits of its product with a key
// depend on all of the key.
const spread = 0x9E3779B97F4A7C15

// at returns the slot of the key, or the free one where it would be put.
func (t *table) at(key uint64) *slot {
	i := key * spread >> t.shift
	for {
		s := &t.slots[i&uint64(len(t.slots)-1)]
		if s.key == key || s.key == 0 {
			return s
		}
		i++
	}
}

// get returns the value of a key; 0 where there is none.
func (t *table) get(key uint64) int32 {
	if t.used == 0 {
		return 0
	}
	return t.at(key).value
}

func (t *table) put(key uint64, value int32) {
	if t.used*2 >= len(t.slots) {
		t.grow()
	}
	s := t.at(key)
	if s.key == 0 {
		t.used++
	}
	*s = slot{key, value}
}

func (t *table) grow() {
	old := t.slots
	n := max(fewestSlots, 2*len(old))
	t.slots, t.shift = make([]slot, n), 64
	for ; n > 1; n /= 2 {
		t.shift--
	}
	for _, s := range old {
		if s.key != 0 {
			*t.at(s.key) = s
		}
	}
}
