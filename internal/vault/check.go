package vault

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
)

// Status is what there is to say of a vault without opening it.
type Status struct {
	Exists     bool      `json:"exists"`
	Vault      string    `json:"vault,omitempty"` // its id
	MasterKind string    `json:"masterKind,omitempty"`
	Master     string    `json:"master,omitempty"` // the id of the master key that it wants
	Generation int64     `json:"generation,omitempty"`
	Created    time.Time `json:"created,omitzero"`
	Changed    time.Time `json:"changed,omitzero"` // of the keys or the master
	Secrets    []Count   `json:"secrets"`          // by purpose
	// Open: only when the vault was opened.
	Keys   []Key `json:"keys,omitempty"`  // the first seals
	Stale  bool  `json:"stale,omitempty"` // the master could protect better; rotating renews it
	Opened bool  `json:"opened"`
}

// Count is how many secrets there are of a purpose.
type Count struct {
	Purpose string `json:"purpose"`
	Secrets int64  `json:"secrets"`
}

// Key is one key of the keyset.
type Key struct {
	ID    uint32 `json:"id"`
	Seals bool   `json:"seals"`
	Rows  int64  `json:"rows"` // that are sealed under it
}

// Peek says what the database tells of its vault, without a master key: above
// all, which one it wants.
func Peek(ctx context.Context, d *db.DB) (Status, error) {
	st := Status{Secrets: []Count{}}
	s, err := readKeyset(ctx, d)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	} else if err == nil {
		st.Exists, st.Vault, st.MasterKind, st.Master = true, s.Vault, s.Slot.Kind, s.Slot.ID
		st.Generation, st.Created, st.Changed = s.Generation, s.Created, s.Changed
	}
	if err != nil {
		return st, dbFailed(err)
	}
	rows, err := d.QueryContext(ctx, countByPurpose)
	if err != nil {
		return st, dbFailed(err)
	}
	defer rows.Close()
	for rows.Next() {
		var c Count
		if err := rows.Scan(&c.Purpose, &c.Secrets); err != nil {
			return st, dbFailed(err)
		}
		st.Secrets = append(st.Secrets, c)
	}
	return st, dbFailed(rows.Err())
}

// Status says what there is to say of an open vault.
func (v *Vault) Status(ctx context.Context) (Status, error) {
	st, err := Peek(ctx, v.db)
	if err != nil {
		return st, err
	}
	k, err := v.load(ctx, v.db)
	if err != nil {
		return st, err
	}
	st.Opened = true
	for _, id := range slices.Sorted(maps.Keys(k.ids)) {
		n, err := countRows(ctx, v.db, prefix(id))
		if err != nil {
			return st, dbFailed(err)
		}
		st.Keys = append(st.Keys, Key{ID: id, Seals: id == k.primary, Rows: n})
	}
	slices.SortStableFunc(st.Keys, func(a, b Key) int {
		if a.Seals != b.Seals && a.Seals {
			return -1
		}
		return 0
	})
	s, err := readKeyset(ctx, v.db)
	if err != nil {
		return st, dbFailed(err)
	}
	st.Stale = v.currentMaster().Stale(s.Slot)
	return st, nil
}

// Check is what looking at every row found.
type Check struct {
	Rows    int64     `json:"rows"`    // looked at
	Bad     int64     `json:"bad"`     // that do not open
	Marked  int64     `json:"marked"`  // rows of other tables that were looked at
	Forged  int64     `json:"forged"`  // of these, whose mark does not fit
	Damaged []Trouble `json:"damaged"` // by name; at most 100
}

// Trouble is a row that does not open or fit, and why.
type Trouble struct {
	Ref
	Reason string `json:"reason"`
}

// Check opens every row and reports those that do not open, and holds the rows
// of every book to their marks. Damaged rows are no error; tell, if not nil, hears how many rows were looked at, of how many. Rows
// that change meanwhile are seen before or after.
func (v *Vault) Check(ctx context.Context, tell func(done, of int64)) (Check, error) {
	c := Check{Damaged: []Trouble{}}
	q := v.q()
	of, err := countRows(ctx, q, nil)
	if err != nil {
		return c, dbFailed(err)
	}
	var after *Ref
	for {
		rows, err := page(ctx, q, after, nil, pageRows)
		if err != nil {
			return c, dbFailed(err)
		}
		for _, r := range rows {
			if err := v.checkRow(ctx, r, &c); err != nil {
				return c, err
			}
		}
		c.Rows += int64(len(rows))
		if tell != nil {
			tell(c.Rows, max(of, c.Rows))
		}
		if len(rows) < pageRows {
			return c, v.checkBooks(ctx, &c)
		}
		after = &rows[len(rows)-1].Ref
	}
}

func (v *Vault) checkRow(ctx context.Context, r row, c *Check) error {
	open := func(k *keys, sealed []byte) ([]byte, error) {
		plain, _, err := k.openAny(r.Ref, sealed)
		return plain, err
	}
	plain, reason := open(v.cached(), r.sealed)
	if reason != nil {
		// It may have been sealed again, or removed, since the page was read.
		var err error
		if plain, reason, err = v.read(ctx, r.Ref, open); err != nil {
			if errors.Is(err, problem.NotFound) {
				return nil
			}
			return err
		}
	}
	clear(plain)
	if reason == nil {
		return nil
	}
	c.Bad++
	if len(c.Damaged) == maxNamed {
		return nil
	}
	c.Damaged = append(c.Damaged, Trouble{Ref: r.Ref, Reason: reason.Error()})
	return v.tell(ctx, r.Ref, reason)
}

// names lists the rows that do not open, in order.
func names(bad map[Ref]error) []Ref {
	out := slices.SortedFunc(maps.Keys(bad), func(a, b Ref) int { return strings.Compare(a.String(), b.String()) })
	return out[:min(len(out), maxNamed)]
}
