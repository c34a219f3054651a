package rulebook

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"slices"

	"congthu/internal/store"
)

// maxUnpacked bounds what a packed set may grow to; rules.ReadFiles reads no more.
const maxUnpacked = 64 << 20

// pack makes one text of the files: tar and gzip, which an administrator can open with
// other tools should this program not run.
func pack(files map[string][]byte) (packed []byte, size int, err error) {
	if files == nil {
		return nil, 0, nil
	}
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	t := tar.NewWriter(z)
	for _, name := range names {
		size += len(files[name])
		err = errors.Join(err, t.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name])), Format: tar.FormatPAX}))
		if _, werr := t.Write(files[name]); werr != nil {
			err = errors.Join(err, werr)
		}
	}
	if err = errors.Join(err, t.Close(), z.Close()); err != nil {
		return nil, 0, fmt.Errorf("rulebook: %w", err)
	}
	return out.Bytes(), size, nil
}

func unpack(packed []byte) (map[string][]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("rulebook: %w: %w", store.ErrCorrupt, err)
	}
	t := tar.NewReader(io.LimitReader(z, maxUnpacked))
	files := map[string][]byte{}
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err == nil {
			files[h.Name], err = io.ReadAll(t)
		}
		if err != nil {
			return nil, fmt.Errorf("rulebook: %w: %w", store.ErrCorrupt, err)
		}
	}
}
