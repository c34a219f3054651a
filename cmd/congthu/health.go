package main

import (
	"errors"
	"net/http"

	"congthu/internal/admin"
	"congthu/internal/lang"
	"congthu/internal/store"
)

// health says what keeps the store from taking mail, and what to do; the zero Text is
// health.
func (g *gateway) health() lang.Text {
	err := g.db.Healthy()
	switch {
	case err == nil:
		return lang.Text{}
	case errors.Is(err, store.ErrFull):
		return lang.T("kho dữ liệu hết chỗ; giải phóng đĩa, cổng thư sẽ tự nhận thư lại", "the store has no space left; free some, and mail is taken again by itself").Plus(": " + err.Error())
	case errors.Is(err, store.ErrBroken):
		return lang.T("kho dữ liệu đã ngừng ghi sau lỗi đĩa; kiểm tra đĩa, rồi khởi động lại congthu", "the store has stopped writing after a disk error; check the disk, then restart congthu").Plus(": " + err.Error())
	}
	return lang.T("kho dữ liệu tạm thời không ghi được", "the store cannot write for the moment").Plus(": " + err.Error())
}

// healthy is health as a figure.
func (g *gateway) healthy() float64 {
	if g.db.Healthy() != nil {
		return 0
	}
	return 1
}

// serveHealth answers a load balancer or a watchdog: 200, or 503 with the reason.
func (g *gateway) serveHealth(w http.ResponseWriter, _ *http.Request) {
	if t := g.health(); t != (lang.Text{}) {
		http.Error(w, t.EN, http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n")) // who asked has left, if it fails
}

// checkRunning asks the gateway that runs on these settings, if one does, how it is.
func (a *app) checkRunning(socket string) error {
	h, err := admin.Dial(socket).Health(a.ctx)
	var u *admin.Unreachable
	switch {
	case errors.As(err, &u):
		return nil // none runs, and none need run
	case err != nil:
		return operatorError(err)
	case h.What != (lang.Text{}):
		return &failure{exitTempFail, h.What}
	}
	return nil
}
