package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"congthu/internal/lang"
	"congthu/internal/msg"
	"congthu/internal/quarantine"
	"congthu/internal/sink"
)

// fate is what became of a letter.
type fate struct {
	name string // as demo.toml says it
	word lang.Text
	why  string
	ok   bool
}

// fate finds out what became of a letter: from the reply, from what the next hop got,
// from the quarantine. Nothing is taken on trust from the gateway's own log.
func (st *demoStage) fate(ctx context.Context, l letter, raw []byte, reply string, before int) (fate, error) {
	var f fate
	var found []string
	switch {
	case strings.HasPrefix(reply, "5"):
		f = fate{name: "rejected", word: lang.T("TỪ CHỐI", "REJECTED"), why: lang.Safe(reply, 200)}
		found = l.Symbols // a refusal names its reason in words, not in symbols
	case strings.HasPrefix(reply, "4"):
		f = fate{name: "deferred", word: lang.T("HOÃN", "DEFERRED"), why: lang.Safe(reply, 200)}
	default:
		var err error
		if f, found, err = st.taken(ctx, reply, raw, before); err != nil {
			return f, err
		}
	}
	f.ok = f.name == l.Expect
	for _, s := range l.Symbols {
		f.ok = f.ok && slices.Contains(found, s)
	}
	return f, nil
}

// taken waits until the accepted letter is at the next hop or in the quarantine. The
// id in the reply is the one by which the quarantine knows it.
func (st *demoStage) taken(ctx context.Context, reply string, raw []byte, before int) (fate, []string, error) {
	_, id, _ := strings.Cut(reply, "id=")
	id = strings.TrimSpace(id)
	for {
		if all := st.sink.Deliveries(); len(all) > before {
			f, found := st.delivered(ctx, raw, all[len(all)-1])
			return f, found, nil
		}
		items, err := st.client.Quarantine(ctx, quarantine.Filter{Limit: 50})
		if err != nil {
			return fate{}, nil, operatorError(err)
		}
		for _, it := range items {
			if id != "" && strings.HasPrefix(it.ID, id) {
				f, found := st.held(it)
				return f, found, nil
			}
		}
		select {
		case <-ctx.Done():
			return fate{name: "lost", word: lang.T("MẤT", "LOST")}, nil, nil
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (st *demoStage) held(it quarantine.Item) (fate, []string) {
	var found []string
	for _, f := range it.Findings {
		found = append(found, f.Symbol)
	}
	return fate{name: "quarantined", word: lang.T("GIỮ LẠI", "QUARANTINED"), why: st.reasons(it)}, found
}

// reasons are the sentences of what weighed most, the deciding symbol first.
func (st *demoStage) reasons(it quarantine.Item) string {
	fs := slices.Clone(it.Findings)
	slices.SortStableFunc(fs, func(a, b msg.Weighed) int {
		if a.Symbol == it.Reason {
			return -1
		}
		if b.Symbol == it.Reason {
			return 1
		}
		return int(10 * (b.Score - a.Score))
	})
	var out []string
	for _, f := range fs {
		if len(out) == 2 || (f.Score <= 0 && f.Symbol != it.Reason) {
			break
		}
		w := st.weights[f.Symbol]
		out = append(out, strings.TrimSuffix(lang.T(w.VI, w.EN).In(st.lang), "."))
	}
	return strings.Join(out, "; ")
}

var testsField = regexp.MustCompile(`tests=([A-Z0-9_,\s]*)`)

// delivered looks at what the next hop got: the same octets under our block, or an
// encrypted message that opens to them.
func (st *demoStage) delivered(ctx context.Context, raw []byte, d sink.Delivery) (fate, []string) {
	head, _, _ := bytes.Cut(d.Data, []byte("\r\n\r\n"))
	var found []string
	if m := testsField.FindSubmatch(head); m != nil {
		found = strings.FieldsFunc(string(m[1]), func(r rune) bool { return r == ',' || r == ' ' || r == '\r' || r == '\n' || r == '\t' })
	}
	switch {
	case bytes.HasSuffix(d.Data, raw) && bytes.Contains(head, []byte("multipart/signed")):
		return fate{name: "delivered-unchanged", word: lang.T("GIAO NGUYÊN VẸN, chữ ký còn nguyên", "DELIVERED UNCHANGED, the signature intact")}, found
	case bytes.HasSuffix(d.Data, raw):
		return fate{name: "delivered", word: lang.T("GIAO", "DELIVERED"), why: st.authentication(head)}, found
	case bytes.Contains(head, []byte("multipart/encrypted")):
		return st.encrypted(ctx, raw, d.Data), found
	}
	return fate{name: "altered", word: lang.T("GIAO NHƯNG BỊ SỬA", "DELIVERED BUT ALTERED")}, found
}

var resultField = regexp.MustCompile(`\b(spf|dkim|dmarc)=([a-z]+)`)

// authentication repeats the Authentication-Results in short.
func (st *demoStage) authentication(head []byte) string {
	var out []string
	for _, m := range resultField.FindAllStringSubmatch(string(head), -1) {
		out = append(out, m[1]+"="+m[2])
	}
	return strings.Join(slices.Compact(out), " ")
}

// encrypted opens the letter with the recipient's secret key by gpg, in a key ring of
// its own. Without gpg on this machine the demo cannot vouch for it and says so.
func (st *demoStage) encrypted(ctx context.Context, raw, data []byte) fate {
	_, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	if bytes.Contains(data, body) {
		return fate{name: "leaked", word: lang.T("GIAO NHƯNG LỘ NỘI DUNG", "DELIVERED BUT READABLE")}
	}
	clear, err := st.gpgOpen(ctx, data)
	if err != nil {
		return fate{name: "unreadable", word: lang.T("GIAO MÃ HOÁ nhưng không mở được", "DELIVERED ENCRYPTED but it does not open"), why: lang.Safe(err.Error(), 300)}
	}
	if !bytes.Contains(clear, bytes.TrimSpace(body)) {
		return fate{name: "altered", word: lang.T("GIAO MÃ HOÁ nhưng nội dung khác", "DELIVERED ENCRYPTED but it differs inside")}
	}
	return fate{name: "delivered-encrypted", word: lang.T("GIAO, ĐÃ MÃ HOÁ OpenPGP; gpg mở ra đúng nội dung", "DELIVERED, OpenPGP ENCRYPTED; gpg opens it to the same content")}
}

func (st *demoStage) gpgOpen(ctx context.Context, data []byte) ([]byte, error) {
	home := filepath.Join(st.dir, "gnupg")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, err
	}
	defer func() { _ = exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run() }()
	if out, err := exec.CommandContext(ctx, "gpg", "--homedir", home, "--batch", "--quiet", "--import", st.secretKey).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("gpg --import: %w: %s", err, out)
	}
	i := bytes.Index(data, []byte("-----BEGIN PGP MESSAGE-----"))
	if i < 0 {
		return nil, errors.New("no PGP message")
	}
	var errs bytes.Buffer
	cmd := exec.CommandContext(ctx, "gpg", "--homedir", home, "--batch", "--quiet", "--trust-model", "always", "--decrypt")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(data[i:]), &errs
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("gpg --decrypt: %w: %s", err, errs.String())
	}
	return out, nil
}
