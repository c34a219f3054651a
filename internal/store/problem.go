package store

import (
	"errors"
	"fmt"
	"strings"

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
		out += ": " + lang.Safe(strings.Join(strings.Fields(p.Err.Error()), " "), 400)
	}
	return out + "; " + p.Hint.In(l)
}

func problemURL(kind string) error {
	return &Problem{
		Path: "store.url", Err: fmt.Errorf("%q", kind),
		What: lang.T("không biết loại kho dữ liệu này", "no such kind of store"),
		Hint: lang.T(`ghi "sqlite" hoặc "postgres://người-dùng@máy-chủ/cơ-sở-dữ-liệu"`, `write "sqlite" or "postgres://user@server/database"`),
	}
}

func problemServerURL(err error) error {
	return &Problem{
		Path: "store.url", Err: err,
		What: lang.T("không hiểu địa chỉ PostgreSQL", "cannot read the PostgreSQL address"),
		Hint: lang.T("ghi như postgres://người-dùng@máy-chủ:5432/cơ-sở-dữ-liệu; mật khẩu nên để trong passfile", "write it like postgres://user@server:5432/database; the password is best kept in a passfile"),
	}
}

// problemServer leaves a problem that is one already as it is.
func problemServer(label string, err error) error {
	if p := (*Problem)(nil); errors.As(err, &p) {
		return err
	}
	return &Problem{
		Path: label, Err: err,
		What: lang.T("không dùng được máy chủ PostgreSQL", "cannot use the PostgreSQL server"),
		Hint: lang.T("kiểm tra máy chủ có chạy, store.url, mật khẩu (PGPASSFILE) và quyền của người dùng", "check that the server runs, store.url, the password (PGPASSFILE) and the user's rights"),
	}
}

func problemUnsafe(label, setting string) error {
	return &Problem{
		Path: label,
		What: lang.T("máy chủ có thể mất thư khi mất điện: "+setting, "the server can lose mail in a power cut: "+setting),
		Hint: lang.T("đặt fsync = on trong postgresql.conf rồi nạp lại máy chủ", "set fsync = on in postgresql.conf and reload the server"),
	}
}

func problemEncoding(label, encoding string) error {
	return &Problem{
		Path: label,
		What: lang.T("cơ sở dữ liệu dùng bảng mã "+encoding, "the database has the encoding "+encoding),
		Hint: lang.T("tạo cơ sở dữ liệu khác với ENCODING 'UTF8'", "create another database with ENCODING 'UTF8'"),
	}
}

func problemStandby(label string) error {
	return &Problem{
		Path: label,
		What: lang.T("máy chủ này là bản sao chỉ đọc", "this server is a read-only standby"),
		Hint: lang.T("ghi máy chủ chính, hoặc liệt kê các máy chủ và thêm target_session_attrs=read-write", "name the primary, or list the servers and add target_session_attrs=read-write"),
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

func problemKeyFile(path string, err error) error {
	return &Problem{
		Path: path, Err: err,
		What: lang.T("không dùng được khoá dữ liệu", "cannot use the data key"),
		Hint: lang.T("khôi phục tệp từ bản sao lưu, hoặc chép từ cổng khác dùng chung kho; thiếu nó thì không đọc được thư đang giữ", "restore the file from its backup, or copy it from another gateway of this store; without it held mail cannot be read"),
	}
}

func problemKey(path, id string) error {
	return &Problem{
		Path: path,
		What: lang.T("kho dữ liệu được mã hoá bằng khoá khác ("+id+")", "the store is sealed with another data key ("+id+")"),
		Hint: lang.T("chép data.key từ cổng đã dùng kho này, hoặc thêm khoá ấy thành một dòng bên dưới", "copy data.key from the gateway that has used this store, or add that key as a line below"),
	}
}
