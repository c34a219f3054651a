package archive

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"hash"
	"hash/crc32"
	"io"
	"slices"

	"github.com/bodgit/sevenzip"
	"github.com/stangelandcl/ppmd"
	"github.com/ulikunitz/xz/lzma"
)

const (
	sevenMagic = "7z\xbc\xaf\x27\x1c"
	sevenHead  = 32 // octets of the signature and start headers
)

// SevenZip opens a 7z file.
func (b *Budget) SevenZip(data []byte, visit Visit) []Remark {
	return b.within(data, visit, func(o *opening) {
		o.boundSeven()
		if len(data) < sevenHead {
			o.remark(Damaged, "7z: %d octets", len(data))
			return
		}
		if next, size := le64(data, 12), le64(data, 20); next > uint64(len(data)) || size > uint64(len(data)) || sevenHead+next+size > uint64(len(data)) {
			o.remark(Volumes, "7z goes on in another file")
			return
		}
		s := &seven{opening: o, data: data}
		if s.run(""); len(s.locked) == 0 || s.over {
			return
		}
		password, ok := o.unlock(s.fits)
		switch {
		case ok:
			o.remark(Unlocked, "%s", s.locked[0])
			s.run(password)
		case s.sealed:
			o.remark(Encrypted, "%s", s.locked[0])
		default:
			o.remark(Damaged, "%s: %v", s.locked[0], errSum)
		}
	})
}

// seven is one 7z file. Its format does not say which members need a password: those
// whose decryption fails, or whose data have another checksum under another password.
type seven struct {
	*opening
	data   []byte
	locked []string // members that could not be read, maybe for want of a password
	sealed bool     // surely for want of a password
	over   bool     // a limit was reached

	plain      []byte // the file with a list that is not packed; nil: not read yet
	secretList bool   // the list is encrypted: it is another one under another password
}

// open reads the list of members, when what it counts can be believed. A list that is
// packed itself is unpacked first, as a member would be, within every limit; the library
// is given only lists that lie open.
func (s *seven) open(password string) (*sevenzip.Reader, error) {
	data := s.data
	if s.plain != nil {
		data = s.plain
	}
	const mostPacked = 4 // lists packed in lists
	for range mostPacked {
		list, ok := sevenStart(data)
		if !ok || len(list) == 0 {
			return nil, errSevenHeader
		}
		counts := sevenCounts{d: list, most: uint64(10 * s.Entries)} //nolint:gosec // a limit
		if err := counts.header(); err != nil {
			return nil, err
		}
		if list[0] != sevenEncoded {
			if !s.secretList {
				s.plain = data
			}
			return openSeven(data, password)
		}
		inner, err := s.unpackList(data, list, password)
		if s.secretList = s.secretList || counts.secret; err != nil {
			if counts.secret {
				return nil, &sevenzip.ReadError{Encrypted: true, Err: err}
			}
			return nil, err
		}
		data = sevenWith(data, inner)
	}
	return nil, errSevenCount
}

func openSeven(data []byte, password string) (*sevenzip.Reader, error) {
	return sevenzip.NewReaderWithPassword(bytes.NewReader(data), int64(len(data)), password)
}

func (s *seven) unpackList(data, list []byte, password string) ([]byte, error) {
	const most = 64 << 20
	r, err := openSeven(sevenWith(data, sevenListing(list)), password)
	if err != nil || len(r.File) != 1 {
		return nil, errors.Join(errSevenHeader, err)
	}
	rc, err := r.File[0].Open()
	if err != nil {
		return nil, err
	}
	defer rc.Close() //nolint:errcheck // read only
	sum := &summed{sum: crc32.NewIEEE(), r: io.LimitReader(rc, most)}
	out, err := io.ReadAll(&moving{r: sum})
	switch err = errors.Join(err, sum.err, wrong(r.File[0], sum, true)); {
	case err != nil:
		return nil, err
	case len(out) == most:
		return nil, errSevenCount
	case len(out) == 0 || out[0] != sevenHeader && out[0] != sevenEncoded:
		return nil, errSevenHeader
	}
	return out, nil
}

const sevenList = "the list of members"

// run gives out the members; with a password only those that were locked.
func (s *seven) run(password string) {
	r, err := s.open(password)
	if err != nil {
		if password == "" && sealed(err) {
			s.locked, s.sealed = append(s.locked, sevenList), true
			return
		}
		s.trouble("7z", err)
		return
	}
	for _, f := range r.File {
		if err := s.member(f, password); err != nil {
			s.over = true
			return
		}
	}
}

func (s *seven) member(f *sevenzip.File, password string) error {
	if password != "" && s.locked[0] != sevenList && !slices.Contains(s.locked, f.Name) {
		return nil
	}
	if err := s.enter(); err != nil {
		return err
	}
	sum := &summed{sum: crc32.NewIEEE()}
	rc, err := f.Open()
	var data []byte
	var limit error
	if err == nil {
		sum.r = rc
		data, limit = s.read(f.Name, sum)
		err = errors.Join(sum.err, wrong(f, sum, limit == nil))
		if closed := rc.Close(); err == nil && limit == nil && closed != nil {
			err = closed
		}
	}
	switch {
	case err == nil || limit != nil:
	case password == "" && (sealed(err) || errors.Is(err, errSum)):
		s.locked, s.sealed, data = append(s.locked, f.Name), s.sealed || s.secret(f, err), nil
	default:
		s.trouble(f.Name, err)
	}
	s.visit(Member{Name: f.Name, Data: data, Special: special(f.Mode(), string(data[:min(len(data), 200)]))})
	return limit
}

func sealed(err error) bool {
	var e *sevenzip.ReadError
	return errors.As(err, &e) && e.Encrypted
}

var errSum = errors.New("other data than its checksum says")

func wrong(f *sevenzip.File, s *summed, whole bool) error {
	if whole && f.CRC32 != 0 && s.sum.Sum32() != f.CRC32 {
		return errSum
	}
	return nil
}

// secret tells whether a member failed for want of the password: under other ones its
// data are others. What comes of a wrong one may also be nothing at all, so three.
func (s *seven) secret(f *sevenzip.File, err error) bool {
	if sealed(err) {
		return true
	}
	first, _ := s.sumOf(f.Name, "")
	for _, p := range []string{"one", "another", "a third"} {
		if sum, err := s.sumOf(f.Name, p); sealed(err) || sum != first {
			return true
		}
	}
	return false
}

func (s *seven) sumOf(name, password string) (uint32, error) {
	sum := crc32.NewIEEE()
	_, err := s.copy(sum, name, password)
	return sum.Sum32(), err
}

// copy reads the beginning of a member.
func (s *seven) copy(w io.Writer, name, password string) (f *sevenzip.File, err error) {
	const far = 16 << 20
	r, err := s.open(password)
	if err != nil {
		return nil, err
	}
	for _, f := range r.File {
		if f.Name != name && name != sevenList || f.UncompressedSize == 0 {
			continue
		}
		rc, err := f.Open()
		if err != nil {
			return f, err
		}
		defer rc.Close()                                              //nolint:errcheck // read only
		if _, err = io.CopyN(w, &moving{r: rc}, far); err != io.EOF { //nolint:errorlint // bare: a wrapped one is an end where none should be
			return nil, err
		}
		return f, nil
	}
	return nil, nil //nolint:nilnil // only the list was locked
}

func (s *seven) fits(password string) bool {
	sum := crc32.NewIEEE()
	f, err := s.copy(sum, s.locked[0], password)
	return err == nil && (f == nil || f.CRC32 == 0 || f.CRC32 == sum.Sum32())
}

// summed notes the checksum and the error of a reader; for whoever reads, the data
// just end.
type summed struct {
	r   io.Reader
	sum hash.Hash32
	err error
}

func (s *summed) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.sum.Write(p[:n])
	if err != nil && err != io.EOF { //nolint:errorlint // bare: a wrapped one is an end where none should be
		s.err, err = err, io.EOF
	}
	return n, err
}

// boundSeven gives the library decompressors that ask for no more memory than allowed,
// whatever a header claims. The library keeps them for the whole process.
func (o *opening) boundSeven() {
	limit := o.Dictionary
	register := func(id string, open func(properties []byte, size uint64, r io.Reader) (io.Reader, error)) {
		sevenzip.RegisterDecompressor([]byte(id), func(p []byte, size uint64, in []io.ReadCloser) (io.ReadCloser, error) {
			if len(in) != 1 {
				return nil, errors.New("not one stream")
			}
			r, err := open(p, size, in[0])
			return struct {
				io.Reader
				io.Closer
			}{r, in[0]}, err
		})
	}
	register("\x03\x01\x01", func(p []byte, size uint64, r io.Reader) (io.Reader, error) { return newLZMA(p, size, r, limit) })
	register("\x03", func(p []byte, _ uint64, r io.Reader) (io.Reader, error) { return newDelta(p, r) })
	register("\x21", func(p []byte, size uint64, r io.Reader) (io.Reader, error) { return newLZMA2(p, size, r, limit) })
	register("\x03\x04\x01", func(p []byte, size uint64, r io.Reader) (io.Reader, error) { return newPPMd(p, size, r, limit) })
	register("\x04\x01\x09", func(_ []byte, _ uint64, r io.Reader) (io.Reader, error) { return newInflate64(bufio.NewReader(r)), nil })
	register("\x04\xf7\x11\x01", func(_ []byte, _ uint64, r io.Reader) (io.Reader, error) { return newZstd(r, limit) })
}

func newLZMA2(p []byte, size uint64, r io.Reader, limit int64) (io.Reader, error) {
	if len(p) != 1 {
		return nil, errors.New("lzma2 properties of another size")
	}
	want, err := lzma.DecodeDictCap(p[0])
	if err != nil {
		return nil, err
	}
	want = max(lzma.MinDictCap, int64(min(uint64(want), size))) //nolint:gosec // not negative, and under 4 GiB
	if want > limit {
		return nil, errDictionary
	}
	return lzma.Reader2Config{DictCap: int(want)}.NewReader2(r)
}

func newPPMd(p []byte, size uint64, r io.Reader, limit int64) (io.Reader, error) {
	if len(p) != 5 {
		return nil, errors.New("ppmd properties of another size")
	}
	memory := binary.LittleEndian.Uint32(p[1:])
	if int64(memory) > limit || size > 1<<62 {
		return nil, errDictionary
	}
	m, err := ppmd.NewH7zReader(r, int(p[0]), int(memory), int(size)) //nolint:gosec // checked
	return &m, err
}
