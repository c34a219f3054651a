package document

// Expand undoes the compression of VBA.
var Expand = expand

// ModulePlaces reads the directory of a VBA project.
func ModulePlaces(dir []byte) map[string][]int {
	p := modulePlaces{}
	p.read(dir)
	return p
}

// OverLimit names the limit that a compound file is over.
var OverLimit = overLimit
