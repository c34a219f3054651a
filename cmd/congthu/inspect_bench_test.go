package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"time"

	"congthu/internal/config"
	"congthu/internal/inspect"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

// BenchmarkInspectStage is the real judge with the shipped rules on a letter of 40 KB, read
// and inspected by all who need neither the network nor the scan worker. cpu-ns/op is what
// counts on a machine that others use as well; "read" is the part of internal/text.
func BenchmarkInspectStage(b *testing.B) {
	c := config.Default()
	c.RulesDir = "../../rules"
	c.Inspect.Skip = []string{"attach", "auth"}
	j, err := newJudge(context.Background(), c, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		b.Fatal(err)
	}
	p := j.pipeline()
	for name, raw := range lettersOf40KB() {
		fresh := func() *msg.Message {
			m := &msg.Message{ID: "x", Received: time.Now(), Raw: []byte(raw), Root: mimetree.Parse([]byte(raw), mimetree.DefaultLimits())}
			m.Envelope = msg.Envelope{From: msg.Path{Raw: "a@gov.example", Local: "a", Domain: "gov.example"}, To: []msg.Path{{Raw: "b@c.example", Local: "b", Domain: "c.example"}}}
			m.Auth = []msg.AuthResult{{Method: "spf", Status: "pass", Property: "smtp.mailfrom", Value: "gov.example"}}
			p.Pin(m)
			return m
		}
		b.Run(name+"/read", func(b *testing.B) {
			m := fresh()
			measure(b, func() { m.Text = p.Read(m.Root) })
		})
		b.Run(name+"/whole", func(b *testing.B) {
			m := fresh()
			measure(b, func() {
				m.Text = p.Read(m.Root)
				for _, o := range inspect.Run(context.Background(), m, p.Inspect) {
					if o.Err != nil {
						b.Fatal(o.Inspector, o.Err)
					}
				}
			})
		})
	}
}

func measure(b *testing.B, do func()) {
	b.ReportAllocs()
	start := processorTime()
	for b.Loop() {
		do()
	}
	b.ReportMetric(float64(processorTime()-start)/float64(b.N), "cpu-ns/op")
}

func processorTime() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// lettersOf40KB are a plain letter and one of a page with its markup, of sentences that
// differ.
func lettersOf40KB() map[string]string {
	const head = "Received: from mx.gov.example (mx.gov.example [192.0.2.1]) by gw.example; Sat, 28 Nov 2026 08:00:00 +0700\r\nFrom: =?utf-8?B?VsSDbiBwaMOybmc=?= <a@gov.example>\r\nTo: b@c.example\r\n" +
		"Subject: =?utf-8?B?VuG7gSB2aeG7h2MgYsOhbyBjw6Fv?=\r\nDate: Sat, 28 Nov 2026 08:00:00 +0700\r\nMessage-ID: <1@gov.example>\r\nMIME-Version: 1.0\r\n"
	sentence := func(i int) string {
		return fmt.Sprintf("Kính gửi Phòng số %d: Ủy ban nhân dân huyện đề nghị báo cáo kết quả thực hiện nhiệm vụ %d trước ngày %d/10, liên hệ văn phòng. ", i, i*7, i%28+1)
	}
	var plain, page strings.Builder
	plain.WriteString(head + "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n")
	page.WriteString(head + "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n<html><head><style>.a{color:#333} td{font-size:14px}</style></head><body><table>")
	for i := 0; plain.Len() < 40<<10; i++ {
		plain.WriteString(sentence(i) + "\r\n")
	}
	for i := 0; page.Len() < 40<<10; i++ {
		page.WriteString("<tr><td class=\"a\" style=\"padding:4px 8px;color:#222;font-size:14px\" valign=\"top\"><p>" + sentence(i) + "</p>")
		if i%10 == 0 {
			fmt.Fprintf(&page, "<a href=\"https://gov.example/x?y=%d&amp;z=2\"><b>Xem</b></a>", i)
		}
		page.WriteString("</td></tr>\r\n")
	}
	return map[string]string{"plain": plain.String(), "page": page.String() + "</table></body></html>\r\n"}
}
