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
// letter can be sent as.
func ways(tb testing.TB, k *pgp.Key, raw []byte) map[string]func() error {
	es, err := openpgp.ReadKeyRing(bytes.NewReader(k.Bytes()))
	if err != nil {
		tb.Fatal(err)
	}
	c := &packet.Config{DefaultCipher: packet.CipherAES256, AEADConfig: &packet.AEADConfig{}}
	encrypt := func(to io.Writer) error {
		w, err := openpgp.Encrypt(to, es, nil, nil, nil, c)
		if err != nil {
			return err
		}
		_, err = w.Write(raw)
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
			return errors.Join(encrypt(a), a.Close())
		},
		"bare": func() error {
			out.Reset()
			return encrypt(out)
		},
	}
}

// cpu is the processor time that this process has used: others on the machine do not
// disturb it much, as they would a clock.
func cpu(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// interleaved runs the ways in turn, so that all meet the same machine, and returns the
// median time of each.
func interleaved(tb testing.TB, ways map[string]func() error, rounds int) map[string]time.Duration {
	all := map[string][]time.Duration{}
	for range rounds {
		for name, do := range ways {
			runtime.GC()
			before := cpu(tb)
			if err := do(); err != nil {
				tb.Fatal(err)
			}
			all[name] = append(all[name], cpu(tb)-before)
		}
	}
	out := map[string]time.Duration{}
	for name, times := range all {
		slices.Sort(times)
		out[name] = times[len(times)/2]
	}
	return out
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
				took := interleaved(b, ways(b, k, raw), 5)
				b.ReportMetric(percent(took["armored"], took["ours"]), "%raw")
				b.ReportMetric(percent(took["bare"], took["ours"]), "%bare")
				b.ReportMetric(float64(len(raw))/1e6/took["ours"].Seconds(), "MB/cpu-s")
			}
		})
	}
}

func percent(theirs, ours time.Duration) float64 { return 100 * theirs.Seconds() / ours.Seconds() }

// TestThroughput keeps the promise where figures are asked for: `CONGTHU_FAULTS=long`.
func TestThroughput(t *testing.T) {
	if os.Getenv("CONGTHU_FAULTS") != "long" {
		t.Skip("measures: CONGTHU_FAULTS=long")
	}
	raw := tenMB()
	for name, k := range containers(t) {
		took := interleaved(t, ways(t, k, raw), 9)
		got, bare := percent(took["armored"], took["ours"]), percent(took["bare"], took["ours"])
		t.Logf("%s: %.0f %% of the library with its armor, %.0f %% of it without", name, got, bare)
		if got < promised {
			t.Errorf("%s: below %d %%", name, promised)
		}
	}
}
