package attach

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"congthu/internal/msg"
	"congthu/internal/scanproto"
)

// FileType is the symbol of a file of a type that somebody wants to know of.
const FileType = "ATTACH_TYPE"

// Inspector returns the pool as the inspector "attach". Of the types of files that there
// are it reports those that named asks for: most letters hold some file or other.
func (p *Pool) Inspector(named func(fileType string) bool) msg.Inspector { return inspector{p, named} }

type inspector struct {
	pool  *Pool
	named func(string) bool
}

// Name returns "attach".
func (inspector) Name() string { return "attach" }

// Inspect hands the message and its decoded parts to a worker. Findings that came
// before a worker's trouble are returned with the error.
func (i inspector) Inspect(ctx context.Context, m *msg.Message) ([]msg.Finding, []msg.AuthResult, error) {
	a, err := i.pool.ask(ctx, request(m))
	switch {
	case errors.Is(err, errNotAsked):
		return nil, nil, err
	case err != nil:
		return i.pool.failed(ctx, m, Crash, nil, err)
	}
	found, err := i.findings(a)
	found = append(found, i.pool.links(ctx, m, a.Links)...)
	if err != nil {
		return i.pool.failed(ctx, m, Error, found, err)
	}
	i.pool.suspects.clear(m)
	return found, nil, nil
}

// failed is what comes of a message at which a worker failed. The first time its sender
// is asked to try again, for it may have been the worker's fault or the machine's. The
// second time it is the message's: that is a finding, on which it is held.
func (p *Pool) failed(ctx context.Context, m *msg.Message, symbol string, found []msg.Finding, err error) ([]msg.Finding, []msg.AuthResult, error) {
	if ctx.Err() != nil || !p.suspects.again(m) { // the caller's haste is nobody's fault
		return found, nil, err
	}
	p.opt.Log.Error("scan failed twice at a message, which is held", "id", m.ID, "symbol", symbol, "error", err)
	return append(found, msg.Finding{Symbol: symbol}), nil, nil
}

// links lets others judge where the attachments lead to.
func (p *Pool) links(ctx context.Context, m *msg.Message, links []scanproto.Link) []msg.Finding {
	if p.opt.Links == nil || len(links) == 0 {
		return nil
	}
	found := make([]Link, len(links))
	for i, l := range links {
		found[i] = Link(l)
	}
	return p.opt.Links(ctx, m, found)
}

// findings takes the facts of an answer, of which only known symbols are believed.
func (i inspector) findings(a *scanproto.Answer) ([]msg.Finding, error) {
	known := reported()
	var out []msg.Finding
	for _, f := range a.Findings {
		if !slices.Contains(known, f.Symbol) {
			return out, fmt.Errorf("attach: scan worker reports %q, which is no symbol of its", f.Symbol)
		}
		out = append(out, msg.Finding(f))
	}
	for _, t := range a.Types {
		if i.named(t.Type) {
			out = append(out, msg.Finding{Symbol: FileType, Evidence: t.Path, Part: t.Part, Type: t.Type})
		}
	}
	if a.Error != "" {
		return out, fmt.Errorf("attach: scan worker could not look: %w", errors.New(a.Error))
	}
	return out, nil
}
