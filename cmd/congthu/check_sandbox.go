package main

import (
	"strings"

	"congthu/internal/lang"
	"congthu/internal/scanproto"
)

// sandboxState is which protections this kernel gives to the scan worker, in the words
// of its log line.
type sandboxState struct {
	Standing []string `json:"standing"`
	Missing  []string `json:"missing"`
}

func sandboxReport(j *judge) *sandboxState {
	if j.scan == nil {
		return nil
	}
	standing := j.scan.Fences()
	return &sandboxState{Standing: standing, Missing: append([]string{}, scanproto.Missing(standing)...)}
}

// fences says what each protection that stands does.
func fences(j *judge) (out []lang.Text) {
	s := sandboxReport(j)
	if s == nil {
		return nil
	}
	for _, f := range s.Standing {
		out = append(out, lang.T("bộ quét: "+f+": ", "scan worker: "+f+": ").Also(fenceMeaning(f)))
	}
	return out
}

// sandboxNotes says what a protection that is missing would have done.
func sandboxNotes(j *judge) (out []lang.Text) {
	s := sandboxReport(j)
	if s == nil {
		return nil
	}
	for _, f := range s.Missing {
		out = append(out, lang.T("bộ quét THIẾU "+f+" (nhân hoặc container không cho): ", "the scan worker LACKS "+f+" (this kernel or container does not give it): ").Also(fenceMeaning(f)))
	}
	return out
}

func fenceMeaning(fence string) lang.Text {
	switch {
	case fence == scanproto.Rlimits:
		return lang.T("giới hạn bộ nhớ, thời gian CPU, tệp mở, không ghi tệp, không xuất core", "memory, CPU time and open files are limited, no file is written, no core dumped")
	case fence == scanproto.NoNewPrivs:
		return lang.T("không lấy thêm được quyền", "no privilege can be gained")
	case strings.HasPrefix(fence, strings.TrimSuffix(scanproto.Landlock, " abi ")):
		return lang.T("không đọc, không ghi tệp nào, không mở cổng TCP", "no file can be read or written, no TCP port opened")
	case fence == scanproto.Seccomp:
		return lang.T("chỉ gọi được những lời gọi hệ thống cần để tính toán", "only the system calls that computing needs are allowed")
	case fence == scanproto.Network:
		return lang.T("không có mạng nào để nối", "there is no network to connect to")
	}
	return lang.T("", "")
}
