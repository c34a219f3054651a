package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"congthu/internal/store/storetest"
)

// BenchmarkUpdate measures durable 10 KB contents a second with both engines, with
// some producers, and with the sharing of commits switched off.
func BenchmarkUpdate(b *testing.B) {
	storetest.EachB(b, func(b *testing.B, url string) {
		for _, batch := range []int{0, 1} {
			for _, producers := range []int{1, 16, 64} {
				b.Run(fmt.Sprintf("batch=%d/producers=%d", batch, producers), func(b *testing.B) {
					benchUpdate(b, url, batch, producers)
				})
			}
		}
	})
}

func benchUpdate(b *testing.B, url string, batch, producers int) {
	ctx := context.Background()
	db, err := Open(ctx, Options{URL: url, Dir: b.TempDir(), maxBatch: batch})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	content := make([]byte, 10<<10)
	for i := range content {
		content[i] = byte(rand.Uint32())
	}
	b.SetBytes(int64(len(content)))
	b.ResetTimer()
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			for i := p; i < b.N; i += producers {
				body, err := db.Stage(content)
				if err == nil {
					err = db.Update(ctx, func(tx Tx) error { return body.Attach(ctx, tx) })
				}
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}
