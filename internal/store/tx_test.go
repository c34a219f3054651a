package store

import (
	"errors"
	"fmt"
	"testing"

	"congthu/internal/store/storetest"
)

func TestViewIsReadOnlyAndConsistent(t *testing.T) {
	storetest.Each(t, testViewIsReadOnlyAndConsistent)
}

func testViewIsReadOnlyAndConsistent(t *testing.T, url string) {
	db, ctx := open(t, Options{URL: url}), t.Context()
	err := db.View(ctx, func(tx Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE probe SET n = 5`); !errors.Is(err, ErrReadOnly) {
			t.Errorf("write in a view: %v", err)
		}
		var before, after int
		if err := tx.QueryRow(ctx, `SELECT n FROM probe`).Scan(&before); err != nil {
			return err
		}
		if err := db.Update(ctx, touch); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `SELECT n FROM probe`).Scan(&after); err != nil {
			return err
		}
		if before != after {
			t.Errorf("the snapshot moved: %d, %d", before, after)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestStatementsAreBounded(t *testing.T) { storetest.Each(t, testStatementsAreBounded) }

func testStatementsAreBounded(t *testing.T, url string) {
	db, ctx := open(t, Options{URL: url}), t.Context()
	for i := range 2 * maxStatements {
		err := db.Update(ctx, func(tx Tx) error {
			var n int
			return tx.QueryRow(ctx, fmt.Sprintf(`SELECT %d`, i)).Scan(&n)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := len(db.writer.conn.base().stmts); n > maxStatements {
		t.Errorf("%d statements kept", n)
	}
}
