package main

import (
	"errors"
	"log/slog"
	"os"

	"congthu/internal/admin"
	"congthu/internal/config"
	"congthu/internal/store"
)

// withAPI does something through the running gateway, here or at --server; when none runs
// here, on the store itself, by the same API: so what is done is on record all the same.
// In the settings that do gets is nothing when the gateway is elsewhere: they are nil.
func (a *app) withAPI(readOnly bool, parts func(*config.Config, *store.DB) (admin.Services, error), do func(*config.Config, *admin.Client) error) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	if a.remote.Server != "" {
		return do(nil, cl)
	}
	c, err := a.settings()
	if err != nil {
		return err
	}
	_, err = cl.WhoAmI(a.ctx)
	var u *admin.Unreachable
	switch {
	case err == nil:
		return do(c, cl)
	case errors.As(err, &u) && !errors.Is(err, os.ErrPermission):
		return a.direct(c, readOnly, parts, do)
	}
	return err
}

func (a *app) direct(c *config.Config, readOnly bool, parts func(*config.Config, *store.DB) (admin.Services, error), do func(*config.Config, *admin.Client) error) (err error) {
	db, err := store.Open(a.ctx, store.Options{URL: c.Store.URL, Key: c.Store.Key, Dir: c.DataDir, ReadOnly: readOnly})
	if err != nil {
		return storeError(err)
	}
	defer func() {
		if e := db.Close(); err == nil {
			err = e
		}
	}()
	s, err := parts(c, db)
	if err != nil {
		return err
	}
	if !readOnly {
		s.Record = auditLog(c, db, slog.New(slog.DiscardHandler)).Record
	}
	return do(c, admin.Inside(admin.Handler(s), actor()))
}
