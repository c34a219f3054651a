package admin_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"congthu/internal/admin"
	"congthu/internal/apitest"
	"congthu/internal/audit"
	"congthu/internal/msg"
	"congthu/internal/quarantine"
	"congthu/internal/review"
	"congthu/internal/store"
	"congthu/internal/store/storetest"
	"congthu/internal/token"
)

// ofClass is a reason that makes each class.
var ofClass = map[quarantine.Class]string{
	quarantine.Malware: "CLAMAV_MALWARE", quarantine.Unscannable: "ATTACH_ENCRYPTED", quarantine.FileType: "ATTACH_EXECUTABLE", quarantine.Phishing: "LINK_TEXT_DIFFERS",
	quarantine.Spam: "SCORE", quarantine.Encryption: "ENCRYPT_NO_KEY", quarantine.Authentication: "DMARC_REJECT", quarantine.Other: "SENDER",
}

// payload is what must not come out: the octets of an attachment.
const payload = "\x00\x01PAYLOAD\xfe\xff"

// realDesk is the API with a desk and a quarantine behind it that are no stand-ins, and a
// letter of each class.
func realDesk(t *testing.T) (http.Handler, *audit.Log) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), Key: storetest.Key(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	q := quarantine.New(quarantine.Options{Store: db})
	log := audit.New(audit.Options{Store: db})
	for _, c := range quarantine.Classes() {
		m := &msg.Message{ID: "LETTER-" + strings.ToUpper(string(c)), Raw: []byte("Subject: x\r\nContent-Type: application/octet-stream\r\n\r\n" + payload)}
		d := msg.Decision{Action: msg.Quarantine, NextHop: "hop:25", Reason: ofClass[c], To: []msg.Path{{Raw: "a@so.test", Local: "a", Domain: "so.test"}}}
		if err := q.Hold(t.Context(), m, d, [][]byte{m.Raw}); err != nil {
			t.Fatal(err)
		}
	}
	desk := review.New(review.Options{
		Quarantine: q, Audit: log,
		Rescan:  func(context.Context, quarantine.Item, []byte) (review.Today, error) { return review.Today{}, nil },
		Explain: func(context.Context, quarantine.Item, []byte, bool) (any, error) { return "why", nil },
	})
	return admin.Handler(admin.Services{Review: func(w token.Who) admin.Reviewer { return desk.For(w) }}), log
}

// givesAway tells whether an answer has the octets of the attachment, also as base64.
func givesAway(text string) bool {
	found := strings.Contains(text, payload)
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			raw, err := base64.StdEncoding.DecodeString(v)
			found = found || strings.Contains(v, payload) || err == nil && strings.Contains(string(raw), payload)
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	var doc any
	if json.Unmarshal([]byte(text), &doc) == nil {
		walk(doc)
	}
	return found
}

// Every route that looks at a held letter, for a letter of each class: the octets of what is
// harmful come to nobody who has not said that they know, whatever the route.
func TestOctetsOfMalware(t *testing.T) {
	h, log := realDesk(t)
	root := token.Who{Name: "root", Role: token.Administrator, Via: admin.OnSocket}
	_, w := request(t, h, root, "GET", "/v1/openapi.json", "")
	d, err := apitest.Read(w.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]int{}
	for _, o := range d.Operations() {
		if o.Method != http.MethodGet || !strings.Contains(o.Path, "{id}") {
			continue
		}
		for _, c := range quarantine.Classes() {
			for _, know := range []string{"", "false", "true"} {
				as := map[string]string{"id": "LETTER-" + strings.ToUpper(string(c))}
				if know != "" {
					as["i_know"] = know
				}
				path, _, err := d.Request(o, as, true)
				if err != nil {
					t.Fatal(err)
				}
				_, w := request(t, h, root, "GET", path, "")
				gives := givesAway(w.Body.String())
				if gives {
					given[o.Path+" "+string(c)+" "+know]++
				}
				if gives && c == quarantine.Malware && know != "true" {
					t.Errorf("%s gives malware away: %d", path, w.Code)
				}
				takes := strings.Contains(path, "i_know") || know == ""
				if refused := w.Code == http.StatusUnprocessableEntity; takes && o.Text("x-audit") != "quarantine.explain" && !strings.HasSuffix(o.Path, "/view") && refused != (c == quarantine.Malware && know != "true") {
					t.Errorf("%s: %d %s", path, w.Code, w.Body)
				}
			}
		}
	}
	for _, path := range []string{"/v1/quarantine/{id}", "/v1/quarantine/{id}/export"} {
		if given[path+" malware true"] != 1 || given[path+" spam "] != 1 {
			t.Errorf("%s gives nothing to those who may have it: the test sees nothing: %v", path, given)
		}
	}
	list, err := log.List(t.Context(), audit.Filter{Object: "LETTER-MALWARE"})
	if err != nil {
		t.Fatal(err)
	}
	known := 0
	for _, e := range list {
		if strings.HasSuffix(e.Detail, "knowing that it is harmful") {
			known++
		}
	}
	if known != 2 {
		t.Errorf("on record: %s", fmt.Sprint(list))
	}
}
