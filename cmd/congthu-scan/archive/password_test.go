package archive_test

import (
	"strings"
	"testing"

	"congthu/cmd/congthu-scan/archive"
	"congthu/cmd/congthu-scan/archive/archivetest"
)

// TestLocked: without the password it is said that there is one; with a wrong one the
// same; with the right one among others the member is given out, once.
func TestLocked(t *testing.T) {
	for _, c := range archivetest.All() {
		if !c.Locked {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			data := c.Write(t, "bao cao.txt", []byte(strings.Repeat("hello", 100)))
			with := (*archive.Budget).SevenZip
			if c.Ext == "zip" {
				with = (*archive.Budget).Zip
			}
			for _, passwords := range [][]string{nil, {"wrong", archivetest.Password + " "}} {
				if m := open(data, with, passwords...); state(m) != "locked" || strings.Contains(strings.Join(m.seen, ""), "hello") {
					t.Errorf("with %q: %v %v", passwords, m.troubles, m.seen)
				}
			}
			m := open(data, with, "wrong", "", archivetest.Password)
			if whole := strings.Count(strings.Join(m.seen, ""), "bao cao.txt="+strings.Repeat("hello", 100)); state(m) != "whole" || whole != 1 || len(m.troubles) != 1 || m.troubles[0] != archive.Unlocked {
				t.Errorf("with the right one: %v %v %v", m.troubles, m.seen, m.evidence)
			}
		})
	}
}
