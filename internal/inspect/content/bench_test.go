package content

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"congthu/internal/mimetree"
	"congthu/internal/msg"
	"congthu/internal/text"
)

// manyRules are n rules, every tenth a regular expression, of words that letters have.
func manyRules(n int) string {
	onset := strings.Fields("b c ch d đ g h kh l m n ng nh ph qu r s t th tr v x")
	rhyme := strings.Fields("an ang anh ao ay âm ân ê êu inh iên iêu oan ong ôn ơi ua un ương uyên")
	word := func(i int) string { return onset[i%len(onset)] + rhyme[i/len(onset)%len(rhyme)] }
	var b strings.Builder
	for i := range n {
		if i%10 == 9 {
			fmt.Fprintf(&b, "[[rule]]\nsymbol='RULE_%d'\nregex='(?i)mẫu %s %s\\s+[0-9]{3,}'\n", i, word(i), word(i*7+3))
			continue
		}
		fmt.Fprintf(&b, "[[rule]]\nsymbol='RULE_%d'\nwords=['%s %s', '%s %s %d']\nfold=%v\nmin=%d\n", i, word(i), word(i*13+5), word(i*3+1), word(i*11+2), i, i%3 > 0, 1+i%2)
	}
	return b.String()
}

func letter40() *msg.Message {
	const plain = "Subject: b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
	raw := []byte(plain + strings.Repeat("Kính gửi các cơ quan, đơn vị: Ủy ban nhân dân huyện đề nghị báo cáo kết quả thực hiện trước ngày 15/10.\r\n", 300))
	m := &msg.Message{Raw: raw, Root: mimetree.Parse(raw, mimetree.DefaultLimits())}
	m.Text = text.Read(m.Root)
	return m
}

func BenchmarkRules5000(b *testing.B) {
	s := mustLoad(b, manyRules(5000))
	m := letter40()
	in := New(func() *Set { return s })
	b.ReportAllocs()
	start := processorTime()
	for b.Loop() {
		if _, _, err := in.Inspect(context.Background(), m); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(processorTime()-start)/float64(b.N), "cpu-ns/op")
}

// processorTime is what the process has used, in nanoseconds: what a benchmark measures on
// a machine that others use as well.
func processorTime() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
