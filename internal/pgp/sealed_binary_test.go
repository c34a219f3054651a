package pgp_test

import (
	"testing"

	"congthu/internal/pgp"
)

// A file may begin with any octet: without a session key it is no encrypted message, and
// neither held nor left unscanned for one.
func TestAFileIsNoEncryptedMessageByItsFirstOctet(t *testing.T) {
	for first := range 256 {
		file := make([]byte, 4096)
		for i := range file {
			file[i] = byte(i*7 + i>>5)
		}
		file[0], file[1] = byte(first), 0xE0
		if pgp.IsEncrypted(file) {
			t.Errorf("a file that begins with %#x", first)
		}
	}
}
