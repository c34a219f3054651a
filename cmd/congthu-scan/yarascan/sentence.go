package yarascan

import (
	"fmt"
	"strings"
	"unicode"
)

// inVietnamese is the sentence for a rule that has none in Vietnamese, as those that others
// publish: it names the rule and says what kind of thing it finds, as far as the rule says
// so in its meta, its tags or its name. What it says of itself in English follows.
func inVietnamese(name string, j Judgement, m meta, tags []string) string {
	what := "dấu hiệu đáng ngờ"
	if j.Symbol != Suspicious && j.Symbol != ExtraSuspicious {
		what = "mã độc"
	}
	if kind := kindOf(append([]string{m.kind(), strings.ToLower(m["category"]), name}, tags...)); kind != "" {
		what = kind
	}
	s := fmt.Sprintf("Quy tắc %s: %s.", name, what)
	if j.EN != "" {
		s += " Nguyên văn tiếng Anh: " + j.EN
	}
	return meta{"s": s}.sentence("s")
}

// kindOf is the Vietnamese word for the first kind that is named by a word of the texts.
func kindOf(texts []string) string {
	for _, text := range texts {
		for _, word := range words(text) {
			for _, k := range kinds() {
				if k.en == word {
					return k.vi
				}
			}
		}
	}
	return ""
}

// words divides at what is no letter, and where a small letter is before a capital one:
// names of rules are written Win32_Ransomware_X as well as MALWinRansomX.
func words(s string) []string {
	var spaced strings.Builder
	last := ' '
	for _, c := range s {
		switch {
		case !unicode.IsLetter(c):
			c = ' '
		case unicode.IsUpper(c) && unicode.IsLower(last):
			spaced.WriteByte(' ')
		}
		spaced.WriteRune(c)
		last = c
	}
	return strings.Fields(strings.ToLower(spaced.String()))
}

type kindWord struct{ en, vi string }

func kinds() []kindWord {
	return []kindWord{
		{"ransomware", "mã độc tống tiền"},
		{"ransom", "mã độc tống tiền"},
		{"infostealer", "mã độc đánh cắp thông tin"},
		{"stealer", "mã độc đánh cắp thông tin"},
		{"keylogger", "mã độc ghi bàn phím"},
		{"banker", "mã độc nhắm vào giao dịch ngân hàng"},
		{"backdoor", "cửa hậu điều khiển máy từ xa"},
		{"rat", "mã độc điều khiển máy từ xa"},
		{"botnet", "mã độc của mạng máy bị chiếm"},
		{"downloader", "mã độc tải thêm mã độc khác"},
		{"dropper", "mã độc thả thêm mã độc khác"},
		{"loader", "mã độc nạp thêm mã độc khác"},
		{"trojan", "mã độc giả dạng tệp thường (trojan)"},
		{"worm", "sâu máy tính, tự lây lan"},
		{"virus", "vi-rút lây vào tệp khác"},
		{"rootkit", "mã độc ẩn mình trong hệ điều hành"},
		{"coinminer", "mã độc đào tiền ảo"},
		{"miner", "mã độc đào tiền ảo"},
		{"webshell", "cửa hậu trên trang web"},
		{"shellcode", "đoạn mã máy của kẻ tấn công"},
		{"exploit", "tệp khai thác lỗ hổng phần mềm"},
		{"cve", "tệp khai thác lỗ hổng đã công bố"},
		{"phishing", "nội dung lừa đảo"},
		{"macro", "macro đáng ngờ trong tài liệu"},
		{"maldoc", "tài liệu có mã độc"},
		{"hacktool", "công cụ tấn công"},
		{"apt", "mã độc của nhóm tấn công có chủ đích"},
		{"certificate", "chữ ký bằng chứng thư từng bị lạm dụng"},
		{"packer", "trình đóng gói che giấu nội dung chương trình"},
		{"adware", "phần mềm quảng cáo"},
		{"pua", "phần mềm không mong muốn"},
	}
}
