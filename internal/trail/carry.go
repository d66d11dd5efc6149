package trail

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
)

// chain is the hash chain that the trail was before the tree: each hash is
// SHA-256 over the hash before it and the entry's canonical bytes.
type chain struct {
	anchor Hash
	head   Head
}

// oldChain reads where the chain ended; its head is 0 where there was none.
func oldChain(ctx context.Context, q *db.DB) (c chain, err error) {
	var a, s string
	err = q.QueryRowContext(ctx, readChain).Scan(&a, &c.head.Seq, &s)
	if errors.Is(err, sql.ErrNoRows) {
		return c, nil
	}
	if err != nil {
		return c, unread(err)
	}
	var aerr, herr error
	c.anchor, aerr = ParseHash(a)
	c.head.Hash, herr = ParseHash(s)
	if aerr != nil || herr != nil || c.head.Seq < 0 {
		return c, problem.New(problem.BadInput, "the head of the audit trail's old hash chain is damaged")
	}
	return c, nil
}

// begin makes the head where there is none: of an empty trail, or of a chain
// that holds.
func (t *Trail) begin(ctx context.Context) error {
	var n int
	if err := t.db.QueryRowContext(ctx, countHeads).Scan(&n); err != nil || n > 0 {
		return err
	}
	broken := errors.New("the chain does not hold")
	err := t.db.InTx(ctx, func(ctx context.Context) error {
		c, err := oldChain(ctx, t.db)
		if err != nil {
			return err
		}
		id := c.anchor
		if id == (Hash{}) {
			id = Hash(token.Bytes(len(id)))
		}
		res, err := t.db.ExecContext(ctx, putHead, id.String(), []byte{})
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err // another process was faster
		}
		var kept int64
		if err := t.db.QueryRowContext(ctx, countKept).Scan(&kept); err != nil {
			return err
		}
		if c.head.Seq == 0 {
			if kept > 0 {
				return broken // the head was removed: verify says so
			}
			return nil
		}
		return t.carry(ctx, t.db, c, broken)
	})
	if errors.Is(err, broken) || errors.Is(err, problem.BadInput) {
		return nil
	}
	return err
}

// carry checks the chain, and makes the tree of its entries.
func (t *Trail) carry(ctx context.Context, q *db.DB, c chain, broken error) error {
	w := newWalk(c, nil)
	var s tiles
	w.leaf = func(h tlog.Hash) error { return s.add(ctx, q, w.tree.size, h) }
	b, err := w.pages(ctx, q, c.head.Seq)
	if err != nil {
		return err
	}
	if b != nil || w.at.Seq != c.head.Seq || w.at.Hash != c.head.Hash {
		return broken
	}
	if _, err := q.ExecContext(ctx, setHead, w.tree.size, w.tree.bytes()); err != nil {
		return err
	}
	it := audit.Event{At: t.now(), Action: audit.TrailCarried, Outcome: audit.Done, Actor: "system:trail",
		Details: map[string]string{"entries": strconv.FormatInt(c.head.Seq, 10), "chain": c.head.Hash.String()}}
	return t.add(ctx, []item{{it.At.UnixMicro(), tail(it)}}, nil)
}

// headless says why there is no head.
func (t *Trail) headless(ctx context.Context, q *db.DB) error {
	c, err := oldChain(ctx, q)
	if err != nil {
		return err
	}
	if c.head.Seq == 0 {
		return problem.New(problem.BadInput, "the head of the audit trail is missing: it was removed")
	}
	w := newWalk(c, nil)
	b, err := w.pages(ctx, q, math.MaxInt64)
	if err != nil {
		return err
	}
	if b == nil {
		b = w.ended(c.head.Seq)
	}
	if b == nil {
		return problem.New(problem.BadInput, "the head of the audit trail is missing: it was removed")
	}
	return b.as(problem.Conflict)
}
