package archive

import (
	"bytes"
	"errors"
	"io"

	"github.com/nwaples/rardecode/v2"
)

// Rar opens a RAR file of the versions 1.5 to 5. First everything that can be read
// without a password, then the rest with one of those at hand.
func (b *Budget) Rar(data []byte, visit Visit) []Remark {
	return b.within(data, visit, func(o *opening) {
		p := rarPass{opening: o, data: data}
		if err := p.run(); err != nil || len(p.locked) == 0 {
			return
		}
		password, ok := o.unlock(p.fits)
		if !ok {
			o.remark(Encrypted, "%s", p.locked[0])
			for _, name := range p.locked {
				o.visit(Member{Name: name})
			}
			return
		}
		o.remark(Unlocked, "%s", p.locked[0])
		_ = (&rarPass{opening: o, data: data, password: password}).run() // said in the remarks
	})
}

// rarPass is one way through the file. With a password it gives out only what needs
// the password.
type rarPass struct {
	*opening
	data     []byte
	password string
	locked   []string // what could not be read for want of a password
}

func (p *rarPass) reader(password string) (*rardecode.Reader, error) {
	options := []rardecode.Option{rardecode.MaxDictionarySize(p.Dictionary)}
	if password != "" {
		options = append(options, rardecode.Password(password))
	}
	return rardecode.NewReader(bytes.NewReader(p.data), options...)
}

// run ends with an error when a limit was reached.
func (p *rarPass) run() error {
	r, err := p.reader(p.password)
	for err == nil {
		var h *rardecode.FileHeader
		if h, err = r.Next(); err == nil {
			if limit := p.member(h, r); limit != nil {
				return limit
			}
		}
	}
	p.ended(err)
	return nil
}

func (p *rarPass) ended(err error) {
	switch {
	case err == io.EOF: //nolint:errorlint // bare: a wrapped one is an end where none should be
	case errors.Is(err, rardecode.ErrArchiveEncrypted) && p.password == "":
		p.locked = append(p.locked, "the list of members")
	default:
		p.broken("rar", err)
	}
}

func (p *rarPass) broken(name string, err error) {
	switch {
	case errors.Is(err, rardecode.ErrMultiVolume), errors.Is(err, rardecode.ErrBadVolumeNumber), errors.Is(err, rardecode.ErrInvalidFileBlock):
		p.remark(Volumes, "%s is in several files", name)
	case errors.Is(err, rardecode.ErrDictionaryTooLarge):
		p.trouble(name, errDictionary)
	case errors.Is(err, rardecode.ErrUnknownDecoder), errors.Is(err, rardecode.ErrUnsupportedDecoder), errors.Is(err, rardecode.ErrUnknownEncryptMethod):
		p.remark(Method, "%s: %v", name, err)
	default:
		p.trouble(name, err)
	}
}

func (p *rarPass) member(h *rardecode.FileHeader, r io.Reader) error {
	switch {
	case p.password != "" && !h.Encrypted && !h.HeaderEncrypted: // it was given out by the first pass
		return nil
	case h.Encrypted && p.password == "":
		p.locked = append(p.locked, h.Name)
		return p.enter()
	case h.LinkType != rardecode.LinkTypeNone:
		return p.link(h)
	}
	return p.take(Member{Name: h.Name, Special: special(h.Mode())}, rarErrors{r, p, h.Name})
}

// link gives out a member that has no data of its own; a copy is given out as what it
// is a copy of.
func (p *rarPass) link(h *rardecode.FileHeader) error {
	m := Member{Name: h.Name}
	if h.LinkType != rardecode.LinkTypeFileCopy {
		m.Special = "link to " + h.LinkTarget
	}
	p.visit(Member{Name: h.LinkTarget})
	return p.give(m)
}

// rarErrors remarks what the library says in our words; the reading ends there.
type rarErrors struct {
	io.Reader
	pass *rarPass
	name string
}

func (r rarErrors) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if err != nil && err != io.EOF { //nolint:errorlint // bare: a wrapped one is an end where none should be
		r.pass.broken(r.name, err)
		err = io.EOF
	}
	return n, err
}

// fits reads the first member that is locked, to its checksum: before RAR 5 nothing
// else tells a wrong password.
func (p *rarPass) fits(password string) bool {
	const far = 16 << 20
	r, err := p.reader(password)
	for err == nil {
		var h *rardecode.FileHeader
		if h, err = r.Next(); err != nil || h.IsDir || !h.Encrypted {
			continue
		}
		n, err := io.CopyN(io.Discard, &moving{r: r}, far)
		if err == io.EOF { //nolint:errorlint // bare: a wrapped one is an end where none should be
			return n == h.UnPackedSize || h.UnKnownSize
		}
		return err == nil
	}
	return err == io.EOF //nolint:errorlint // only the list was locked, and it could be read
}
