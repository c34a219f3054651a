package main

import (
	"log/slog"
	"path/filepath"

	"congthu/internal/admin"
	"congthu/internal/audit"
	"congthu/internal/config"
	"congthu/internal/store"
)

// auditAnchor is where the end of the chain is kept, in the data directory.
const auditAnchor = "audit.head"

// itself is the gateway as the actor of what nobody has told it to do.
const itself = "congthu"

// auditLog is the record of who did what in a store.
func auditLog(c *config.Config, db *store.DB, log *slog.Logger) *audit.Log {
	return audit.New(audit.Options{Store: db, Gateway: c.Hostname, Anchor: filepath.Join(c.DataDir, auditAnchor), Log: log})
}

// direct gives the API of some parts of the gateway on the store itself, for when no
// gateway runs here. It is the same API, so that what is done is on record all the same.
func (a *app) direct(c *config.Config, parts func(*store.DB) (admin.Services, error), do func(*admin.Client) error) (err error) {
	db, err := store.Open(a.ctx, store.Options{URL: c.Store.URL, Key: c.Store.Key, Dir: c.DataDir})
	if err != nil {
		return storeError(err)
	}
	defer func() {
		if e := db.Close(); err == nil {
			err = e
		}
	}()
	s, err := parts(db)
	if err != nil {
		return err
	}
	s.Record = auditLog(c, db, slog.New(slog.DiscardHandler)).Record
	return do(admin.Inside(admin.Handler(s), actor()))
}
