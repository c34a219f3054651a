package pgp_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"congthu/internal/pgp"
)

// promised is the throughput of sealing against the library's own, in percent.
const promised = 85

// tenMB is a letter of that size.
func tenMB() []byte {
	const line = "Noi dung thong bao den cac don vi.\r\n"
	return []byte(letter + strings.Repeat(line, 10_000_000/len(line)))
}

// ways are ours and the library's: with its armor, as RFC 3156 wants it, and bare, which no
// letter can be sent as; that given all at once, and as we do it.
func ways(tb testing.TB, k *pgp.Key, raw []byte) map[string]func() error {
	es, err := openpgp.ReadKeyRing(bytes.NewReader(k.Bytes()))
	if err != nil {
		tb.Fatal(err)
	}
	c := &packet.Config{DefaultCipher: packet.CipherAES256, AEADConfig: &packet.AEADConfig{}}
	encrypt := func(to io.Writer, piece int) error {
		w, err := openpgp.Encrypt(to, es, nil, nil, nil, c)
		for p := range slices.Chunk(raw, piece) {
			if err != nil {
				return err
			}
			_, err = w.Write(p)
		}
		return errors.Join(err, w.Close())
	}
	out := bytes.NewBuffer(make([]byte, 0, 2*len(raw)))
	return map[string]func() error{
		"ours": func() error {
			out.Reset()
			return (pgp.Sealing{To: []*pgp.Key{k}, Now: time.Now()}).Seal(out, [][]byte{raw})
		},
		"armored": func() error {
			out.Reset()
			a, err := armor.Encode(out, "PGP MESSAGE", nil)
			if err != nil {
				return err
			}
			return errors.Join(encrypt(a, len(raw)), a.Close())
		},
		"bare": func() error {
			out.Reset()
			return encrypt(out, len(raw))
		},
		"bare in pieces": func() error {
			out.Reset()
			return encrypt(out, 32<<10)
		},
	}
}

// spent is what something took.
type spent struct {
	cpu  time.Duration // processor time of this process: others on the machine disturb it little
	wall time.Duration
}

func now(tb testing.TB) spent {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return spent{time.Duration(u.Utime.Nano() + u.Stime.Nano()), time.Duration(time.Now().UnixNano())}
}

// rounds runs the ways in turn, so that all meet the same machine.
func rounds(tb testing.TB, ways map[string]func() error, n int) map[string][]spent {
	all := map[string][]spent{}
	for range n {
		for name, do := range ways {
			runtime.GC()
			before := now(tb)
			if err := do(); err != nil {
				tb.Fatal(err)
			}
			after := now(tb)
			all[name] = append(all[name], spent{after.cpu - before.cpu, after.wall - before.wall})
		}
	}
	return all
}

// percent is the throughput of ours in percent of theirs: the medians of processor time, and
// the best by the clock, which any other program on the machine makes worse.
func percent(theirs, ours []spent) (cpu, wall float64) {
	a, b := typical(theirs), typical(ours)
	return 100 * a.cpu.Seconds() / b.cpu.Seconds(), 100 * a.wall.Seconds() / b.wall.Seconds()
}

func typical(all []spent) spent {
	cpu, wall := make([]time.Duration, 0, len(all)), make([]time.Duration, 0, len(all))
	for _, s := range all {
		cpu, wall = append(cpu, s.cpu), append(wall, s.wall)
	}
	slices.Sort(cpu)
	return spent{cpu[len(cpu)/2], slices.Min(wall)}
}

// containers are keys for each version of the encryption container.
func containers(tb testing.TB) map[string]*pgp.Key {
	return map[string]*pgp.Key{
		"v4-seipd1": key(tb, public(tb, entity(tb, "a@x.test", nil))),
		"v6-seipd2": key(tb, public(tb, entity(tb, "a@x.test", &packet.Config{V6Keys: true, Algorithm: packet.PubKeyAlgoEd25519, AEADConfig: &packet.AEADConfig{}}))),
	}
}

// BenchmarkSealAgainstLibrary prints the throughput against that of the library.
func BenchmarkSealAgainstLibrary(b *testing.B) {
	raw := tenMB()
	for name, k := range containers(b) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				took := rounds(b, ways(b, k, raw), 5)
				for _, theirs := range []string{"armored", "bare"} {
					cpu, _ := percent(took[theirs], took["ours"])
					b.ReportMetric(cpu, "%"+theirs)
				}
				b.ReportMetric(float64(len(raw))/1e6/typical(took["ours"]).cpu.Seconds(), "MB/cpu-s")
			}
		})
	}
}

// TestThroughput keeps the promise where figures are asked for: `CONGTHU_FAULTS=long`. It is
// held against the library's bare packets, with nothing around them; by processor time,
// which others on the machine do not change much.
func TestThroughput(t *testing.T) {
	if os.Getenv("CONGTHU_FAULTS") != "long" {
		t.Skip("measures: CONGTHU_FAULTS=long")
	}
	raw := tenMB()
	for name, k := range containers(t) {
		took := rounds(t, ways(t, k, raw), 15)
		for _, theirs := range []string{"bare", "bare in pieces", "armored"} {
			got, wall := percent(took[theirs], took["ours"])
			t.Logf("%s: %.0f %% of the library %s by processor time (%v a letter), %.0f %% by the clock", name, got, theirs, typical(took["ours"]).cpu, wall)
			if got < promised {
				t.Errorf("%s: below %d %% of the library %s", name, promised, theirs)
			}
		}
	}
}
