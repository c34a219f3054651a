package corpus

import "hash/fnv"

// random is a sequence that depends on its seed alone, in every version of Go: the
// letters must come out the same to the byte (splitmix64, Steele et al. 2014).
type random struct{ state uint64 }

func newRandom(seed string) *random {
	h := fnv.New64a()
	_, _ = h.Write([]byte(seed))
	return &random{h.Sum64()}
}

func (r *random) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below returns a number from 0 to n-1; n is small, so the bias of the remainder is
// nothing.
func (r *random) below(n int) int { return int(r.next() % uint64(n)) }

func pick[T any](r *random, list []T) T { return list[r.below(len(list))] }

// letters returns n characters of the alphabet.
func (r *random) letters(n int, alphabet string) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = alphabet[r.below(len(alphabet))]
	}
	return string(out)
}
