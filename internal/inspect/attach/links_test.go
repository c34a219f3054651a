package attach_test

import (
	"context"
	"encoding/base64"
	"slices"
	"testing"

	"congthu/internal/inspect/attach"
	"congthu/internal/mimetree"
	"congthu/internal/msg"
)

// What the worker finds is handed to whoever judges links, with its part and its file,
// and what that one says is reported.
func TestRealWorkerAndLinks(t *testing.T) {
	var got []attach.Link
	p, err := attach.Start(t.Context(), attach.Options{
		Worker: real(t), Rules: "../../../rules/yara", Workers: 1,
		Links: func(_ context.Context, m *msg.Message, found []attach.Link) []msg.Finding {
			if m.ID != "the one" {
				t.Errorf("judged as %q", m.ID)
			}
			got = found
			return []msg.Finding{{Symbol: "LINK_IP_HOST", Part: found[0].Part}}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	pdf := "%PDF-1.4\n1 0 obj << /S /URI /URI (http://192.0.2.9/) >> endobj"
	raw := []byte("MIME-Version: 1.0\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte(pdf)) + "\r\n")
	m := &msg.Message{ID: "the one", Raw: raw, Root: mimetree.Parse(raw, mimetree.DefaultLimits())}
	if s := symbols(t, p, m); !slices.Equal(s, []string{"LINK_IP_HOST"}) {
		t.Errorf("%q", s)
	}
	want := attach.Link{URL: "http://192.0.2.9/", How: "pdf", Path: "a.pdf", Part: m.Root.Path}
	if len(got) != 1 || got[0] != want {
		t.Errorf("%+v", got)
	}
}
