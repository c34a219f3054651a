// Package clamav asks a clamd on this machine about each letter, as one opinion more
// beside the rules of the house. It is off until an address is set.
//
// clamd is given the letter as it came and, one by one, the files in it as this gateway
// decoded them. The letter alone is not enough: clamd recognises one by its first lines
// and takes it apart its own way, and a sender may write one that it does not recognise
// or takes apart differently. The files alone are not enough either: some signatures are
// of whole letters. Texts without a file name are in the letter as they stand.
//
// Whatever is not an answer, "could not look": clamd is down, slow, cut short, over one
// of its limits. An error is never "clean".
package clamav

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"congthu/internal/lang"
	"congthu/internal/msg"
)

// The symbols that are reported.
const (
	Malware   = "CLAMAV_MALWARE"
	Phishing  = "CLAMAV_PHISHING"
	Heuristic = "CLAMAV_HEURISTIC" // a suspicion without a signature, or an unwanted program
)

// Symbols are all that this inspector reports.
func Symbols() []string { return []string{Malware, Phishing, Heuristic} }

// Options say which clamd to ask.
type Options struct {
	Address string        // path of a Unix socket, or host:port; "": nothing is asked
	Timeout time.Duration // for one letter with all its files; 0: 30 s
	MaxSize int64         // octets of one object; 0: 25 MiB, which is less than clamd takes by default
	AtOnce  int           // questions at a time, of all letters; 0: 8, below clamd's own ten threads
}

// ErrTooLarge says that an object is larger than may be sent to clamd.
var ErrTooLarge = errors.New("clamav: larger than clamd takes")

type inspector struct {
	o    Options
	free chan struct{}
}

// New returns the inspector "clamav".
func New(o Options) msg.Inspector {
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.MaxSize <= 0 {
		o.MaxSize = 25 << 20
	}
	if o.AtOnce <= 0 {
		o.AtOnce = 8
	}
	return &inspector{o: o, free: make(chan struct{}, o.AtOnce)}
}

// Name returns "clamav".
func (*inspector) Name() string { return "clamav" }

// object is something to ask about.
type object struct {
	part string
	data []byte
}

// Inspect asks about the files of the letter and then about the letter. Malware ends the
// asking: it is enough. What was found before a trouble is returned with the error.
func (in *inspector) Inspect(ctx context.Context, m *msg.Message) ([]msg.Finding, []msg.AuthResult, error) {
	if in.o.Address == "" {
		return nil, nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, in.o.Timeout)
	defer cancel()
	var found []msg.Finding
	var failed error
	for _, o := range append(files(m), object{"", m.Raw}) {
		name, err := in.ask(ctx, o.data)
		if err != nil {
			failed = errors.Join(failed, err)
			if ctx.Err() != nil || !errors.Is(err, ErrTooLarge) {
				return found, nil, failed // the next question would fare no better
			}
			continue
		}
		if name == "" || said(found, name) {
			continue
		}
		f := msg.Finding{Symbol: symbolOf(name), Evidence: lang.Safe(name, 200), Part: o.part}
		if found = append(found, f); f.Symbol == Malware {
			return found, nil, nil
		}
	}
	return found, nil, failed
}

func said(found []msg.Finding, name string) bool {
	return slices.ContainsFunc(found, func(f msg.Finding) bool { return f.Evidence == lang.Safe(name, 200) })
}

// files are the decoded leaves, and those that only other readers see.
func files(m *msg.Message) []object {
	var out []object
	add := func(p *msg.Part) {
		text := p.IsText() && p.Filename == "" && p.Disposition != "attachment"
		if len(p.Decoded) > 0 && len(p.Children) == 0 && !text {
			out = append(out, object{p.Path, p.Decoded})
		}
	}
	m.Root.Walk(add)
	if m.Root != nil {
		for _, p := range m.Root.Others {
			if len(p.Decoded) > 0 {
				out = append(out, object{p.Path, p.Decoded})
			}
		}
	}
	return out
}

// ask returns the name of what clamd finds, "" for nothing.
func (in *inspector) ask(ctx context.Context, data []byte) (string, error) {
	if int64(len(data)) > in.o.MaxSize {
		return "", fmt.Errorf("%w: %d octets, and %d are allowed", ErrTooLarge, len(data), in.o.MaxSize)
	}
	select {
	case in.free <- struct{}{}:
		defer func() { <-in.free }()
	case <-ctx.Done():
		return "", fmt.Errorf("clamav: no turn: %w", ctx.Err())
	}
	reply, err := stream(ctx, in.o.Address, data)
	if err != nil {
		return "", err
	}
	return verdict(reply)
}

// verdict reads clamd's answer. A limit of clamd that it reports as a find (AlertExceedsMax)
// is one that kept it from looking.
func verdict(reply string) (string, error) {
	answer, ok := strings.CutPrefix(reply, "stream: ")
	if !ok {
		if strings.HasPrefix(reply, "INSTREAM size limit exceeded") {
			return "", fmt.Errorf("%w (StreamMaxLength)", ErrTooLarge)
		}
		return "", fmt.Errorf("clamav: clamd says %q", lang.Safe(reply, 200))
	}
	if answer == "OK" {
		return "", nil
	}
	name, ok := strings.CutSuffix(answer, " FOUND")
	switch {
	case !ok || name == "":
		return "", fmt.Errorf("clamav: clamd says %q", lang.Safe(reply, 200))
	case strings.HasPrefix(name, "Heuristics.Limits.Exceeded"):
		return "", fmt.Errorf("%w: %s", ErrTooLarge, lang.Safe(name, 100))
	}
	return name, nil
}

// symbolOf goes by the way in which ClamAV's signatures are named: platform, category,
// name, with a prefix for those of others.
func symbolOf(name string) string {
	lower := strings.ToLower(name)
	switch {
	case strings.Contains(lower, "phish"):
		return Phishing
	case strings.HasPrefix(lower, "heuristics."), strings.HasPrefix(lower, "pua."):
		return Heuristic
	}
	return Malware
}
