// Package carrier opens the binary formats in which mail programs wrap what they send:
// Outlook's winmail.dat (TNEF), S/MIME that is signed with the content inside (CMS), and
// the Macintosh's files of two forks. None of them is an archive to a person, and to
// most mail programs the wrapping is not even seen.
//
// What is cut off or contradicts itself is read as far as it goes, and remarked.
package carrier

import (
	"errors"

	"congthu/cmd/congthu-scan/archive"
)

// Object is what was wrapped.
type Object struct {
	Names []string // all that some reader may give it; none for a body
	Data  []byte
}

// Visit takes an object. It may open it in turn.
type Visit func(Object)

// opening is one carrier being read.
type opening struct {
	*archive.Meter
	visit Visit
	full  bool // a limit was hit: nothing more is handed out
}

// within reads a carrier. A reader that panics has met what its author did not think
// of: the file is damaged, the worker goes on.
func within(b *archive.Budget, data []byte, visit Visit, read func(*opening)) []archive.Remark {
	o := &opening{Meter: b.Meter(len(data)), visit: visit}
	func() {
		defer func() {
			if p := recover(); p != nil {
				o.Remark(archive.Damaged, "the reader failed: %v", p)
			}
		}()
		read(o)
	}()
	return o.Remarks()
}

// give hands out an object and counts it.
func (o *opening) give(data []byte, names ...string) {
	if len(data) == 0 && len(names) == 0 || o.full {
		return
	}
	name := ""
	if len(names) > 0 {
		name = names[0]
	}
	o.full = o.Count(name, len(data)) != nil
	o.visit(Object{Names: names, Data: data})
}

// errCut says that a length points beyond the octets.
var errCut = errors.New("carrier: cut off")
