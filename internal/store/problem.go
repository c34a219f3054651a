package store

import (
	"fmt"

	"congthu/internal/lang"
)

// Problem is why the store could not be opened, for the person who has to mend
// it.
type Problem struct {
	Path string
	What lang.Text
	Hint lang.Text
	Err  error // the cause, or nil
}

// Error renders the problem in English, for logs.
func (p *Problem) Error() string { return p.In(lang.EN) }

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Err }

// In renders the problem in that language: path: what: cause; what to do.
func (p *Problem) In(l lang.Lang) string {
	out := p.Path + ": " + p.What.In(l)
	if p.Err != nil {
		out += ": " + lang.Safe(p.Err.Error(), 400)
	}
	return out + "; " + p.Hint.In(l)
}

func problemURL(url string) error {
	return &Problem{
		Path: "store.url", Err: fmt.Errorf("%q", url),
		What: lang.T("không biết loại kho dữ liệu này", "no such kind of store"),
		Hint: lang.T(`hiện chỉ có "sqlite"`, `only "sqlite" exists for now`),
	}
}

func problemOpen(path string, err error) error {
	return &Problem{
		Path: path, Err: err,
		What: lang.T("không mở được kho dữ liệu", "cannot open the store"),
		Hint: lang.T("kiểm tra đĩa, quyền truy cập và data_dir", "check the disk, the permissions and data_dir"),
	}
}

func problemMissing(path string, err error) error {
	return &Problem{
		Path: path, Err: err,
		What: lang.T("chưa có kho dữ liệu để đọc", "there is no store to read"),
		Hint: lang.T("kiểm tra data_dir, hoặc chạy “congthu serve” một lần", `check data_dir, or run "congthu serve" once`),
	}
}

func problemLocked(path, holder string, err error) error {
	return &Problem{
		Path: path, Err: err,
		What: lang.T("một tiến trình khác đang dùng thư mục dữ liệu này"+holder, "another process is using this data directory"+holder),
		Hint: lang.T("dừng tiến trình đó, hoặc đặt data_dir khác", "stop it, or set another data_dir"),
	}
}

func problemMode(path string, mode, want uint32) error {
	return &Problem{
		Path: path,
		What: lang.T(
			fmt.Sprintf("người khác có thể đọc hoặc sửa (quyền %04o)", mode),
			fmt.Sprintf("others may read or change it (mode %04o)", mode)),
		Hint: lang.T(fmt.Sprintf("chạy: chmod %04o %s", want, path), fmt.Sprintf("run: chmod %04o %s", want, path)),
	}
}

func problemKind(path string) error {
	return &Problem{
		Path: path,
		What: lang.T("không phải loại tệp cần có ở đây", "not the kind of file that belongs here"),
		Hint: lang.T("chuyển nó đi nơi khác; liên kết tượng trưng không được chấp nhận", "move it away; symbolic links are not accepted"),
	}
}

func problemNewer(path string, v int) error {
	return &Problem{
		Path: path,
		What: lang.T(
			fmt.Sprintf("kho dữ liệu có phiên bản %d, chương trình này chỉ hiểu đến %d", v, len(migrations())),
			fmt.Sprintf("the store has version %d, this program understands up to %d", v, len(migrations()))),
		Hint: lang.T("dùng chương trình mới hơn, hoặc khôi phục bản sao lưu cũ", "use the newer program, or restore an older backup"),
	}
}

func problemOlder(path string, v int) error {
	return &Problem{
		Path: path,
		What: lang.T(
			fmt.Sprintf("kho dữ liệu có phiên bản cũ %d, cần %d", v, len(migrations())),
			fmt.Sprintf("the store has the old version %d, %d is needed", v, len(migrations()))),
		Hint: lang.T("chạy “congthu serve” một lần để nâng cấp", `run "congthu serve" once to upgrade it`),
	}
}
