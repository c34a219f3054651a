package yarascan_test

import (
	"testing"
	"time"
	"unicode/utf8"

	"congthu/cmd/congthu-scan/yarascan"
)

// A rule of others says in Vietnamese, too, what it is about.
func TestSentencesInVietnamese(t *testing.T) {
	for rule, want := range map[string]string{
		`rule Win32_Ransomware_Mau : malware { condition: true }`:                              "Quy tắc Win32_Ransomware_Mau: mã độc tống tiền.",
		`rule MauLoaderX { meta: description = "Detects a loader" condition: true }`:           "Quy tắc MauLoaderX: mã độc nạp thêm mã độc khác. Nguyên văn tiếng Anh: Detects a loader",
		`rule EXPL_CVE_2017_0000 { condition: true }`:                                          "Quy tắc EXPL_CVE_2017_0000: tệp khai thác lỗ hổng đã công bố.",
		`rule a : malware { condition: true }`:                                                 "Quy tắc a: mã độc.",
		`rule a { condition: true }`:                                                           "Quy tắc a: dấu hiệu đáng ngờ.",
		`rule a : backdoor { condition: true }`:                                                "Quy tắc a: cửa hậu điều khiển máy từ xa.",
		`rule a { meta: category = "MALWARE" malware_type = "INFOSTEALER" condition: true }`:   "Quy tắc a: mã độc đánh cắp thông tin.",
		`rule a { meta: description_vi = "Tệp mẫu" description = "A sample" condition: true }`: "Tệp mẫu",
		`rule Separate_Strategy { condition: true }`:                                           "Quy tắc Separate_Strategy: dấu hiệu đáng ngờ.", // "rat" is no word of it
	} {
		s, err := both(t, `rule inert : suspicious { condition: false }`, rule).Scanner()
		if err != nil {
			t.Fatal(err)
		}
		ms, err := s.Scan(yarascan.Object{Data: []byte("x")}, time.Second)
		if err != nil || len(ms) != 1 || ms[0].VI != want || !utf8.ValidString(ms[0].VI) {
			t.Errorf("%s: %+v %v, want %q", rule, ms, err, want)
		}
	}
}
