package evaluate

// Folds deals n letters into k folds and returns for each letter the number of its fold.
// Letters of one group are never divided; group "" is a group of one. The order is that of
// a fixed seed, so that two runs compare.
func Folds(groups []string, k int) []int {
	var order []int
	members := map[string][]int{}
	for i, g := range groups {
		if g == "" || len(members[g]) == 0 {
			order = append(order, i)
		}
		if g != "" {
			members[g] = append(members[g], i)
		}
	}
	shuffle(order)
	out := make([]int, len(groups))
	sizes := make([]int, max(k, 1))
	for _, i := range order {
		all := []int{i}
		if groups[i] != "" {
			all = members[groups[i]]
		}
		f := smallest(sizes)
		for _, m := range all {
			out[m] = f
		}
		sizes[f] += len(all)
	}
	return out
}

// smallest is the fold with the fewest letters, the first of several.
func smallest(sizes []int) int {
	best := 0
	for i, n := range sizes {
		if n < sizes[best] {
			best = i
		}
	}
	return best
}

func shuffle(order []int) {
	seed := uint64(20261128)
	for i := len(order) - 1; i > 0; i-- {
		seed = seed*6364136223846793005 + 1442695040888963407
		j := int((seed >> 33) % uint64(i+1))
		order[i], order[j] = order[j], order[i]
	}
}
