package archive

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// stuck answers with nothing, for ever.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// A reader that stands still is left; what came before is kept, and a slow one is read to
// its end.
func TestAReaderThatStandsStillIsLeft(t *testing.T) {
	got, err := io.ReadAll(&moving{r: io.MultiReader(strings.NewReader("nửa"), stuck{})})
	if string(got) != "nửa" || !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("%q, %v", got, err)
	}
	slow := strings.Repeat("chậm ", 200)
	got, err = io.ReadAll(&moving{r: iotest.OneByteReader(strings.NewReader(slow))})
	if string(got) != slow || err != nil {
		t.Errorf("%d octets, %v", len(got), err)
	}
}
