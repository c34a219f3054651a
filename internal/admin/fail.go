package admin

import (
	"errors"
	"net/http"

	"congthu/internal/lang"
	"congthu/internal/review"
	"congthu/internal/tomlfile"
)

// bilingual is an error that can speak both languages.
type bilingual interface{ In(lang.Lang) string }

// withProblems is a Problem with the mistakes in files.
type withProblems struct {
	Problem
	Problems tomlfile.Problems `json:"problems"`
}

// fail answers with what the operator can use. The socket is the operator's own, so an
// inner error's text may be shown there; over the network it stays in the log.
func (s Services) fail(w http.ResponseWriter, r *http.Request, err error) {
	var p *Problem
	var ps tomlfile.Problems
	var b bilingual
	switch {
	case errors.As(err, &p):
		write(w, p.Status, p)
	case errors.As(err, &ps):
		what := lang.T("tệp có lỗi; những gì đang dùng vẫn dùng", "there are mistakes in files; what is in use stays")
		write(w, http.StatusUnprocessableEntity, withProblems{Problem{http.StatusUnprocessableEntity, what}, ps})
	case s.NotFound != nil && s.NotFound(err):
		write(w, http.StatusNotFound, Problem{http.StatusNotFound, lang.T("không có mã này", "there is no such id")})
	case errors.As(err, &b):
		write(w, http.StatusUnprocessableEntity, Problem{http.StatusUnprocessableEntity, lang.T(b.In(lang.VI), b.In(lang.EN))})
	default:
		if what, full := review.NoRoom(err); full {
			s.Log.Error("admin: an act is not done", "method", r.Method, "path", r.URL.Path, "error", err)
			write(w, http.StatusInsufficientStorage, Problem{http.StatusInsufficientStorage, what})
			return
		}
		write(w, http.StatusInternalServerError, s.inner(r, err))
	}
}

func (s Services) inner(r *http.Request, err error) Problem {
	s.Log.Error("admin: internal error", "method", r.Method, "path", r.URL.Path, "error", err)
	if Caller(r.Context()).Via != OnSocket {
		return Problem{http.StatusInternalServerError, lang.T("lỗi bên trong; chi tiết ở nhật ký của cổng thư", "internal error; the gateway's log has the details")}
	}
	return Problem{http.StatusInternalServerError, lang.T("lỗi bên trong: "+err.Error(), "internal error: "+err.Error())}
}
