package main

import (
	"slices"
	"time"

	"congthu/internal/config"
	"congthu/internal/inspect/clamav"
	"congthu/internal/lang"
)

// oldSignatures is from when on signatures miss what goes around.
const oldSignatures = 7 * 24 * time.Hour

// checkClamAV says whether the clamd of the settings answers, and how old its signatures
// are. One that does not answer is an error: every letter would wait for it.
func (a *app) checkClamAV(c *config.Config) ([]lang.Text, error) {
	address := c.ClamAV.Address
	if address == "" || slices.Contains(c.Inspect.Skip, "clamav") {
		return nil, nil
	}
	version, signatures, err := clamav.Version(a.ctx, address)
	if err != nil {
		return nil, fail(exitUnavailable, "clamd ở %s không trả lời: %v; khởi động clamav-daemon, hoặc đặt [clamav] address = \"\"",
			"clamd at %s does not answer: %v; start clamav-daemon, or set [clamav] address = \"\"", address, err)
	}
	notes := []lang.Text{lang.T("clamd trả lời: "+version, "clamd answers: "+version)}
	switch {
	case signatures.IsZero():
		notes = append(notes, lang.T("clamd không cho biết ngày của bộ mẫu: kiểm tra freshclam", "clamd does not say of what day its signatures are: look at freshclam"))
	case time.Since(signatures) > oldSignatures:
		day := signatures.Format(time.DateOnly)
		notes = append(notes, lang.T("bộ mẫu của clamd đã cũ ("+day+"): kiểm tra freshclam", "clamd's signatures are old ("+day+"): look at freshclam"))
	}
	return notes, nil
}
