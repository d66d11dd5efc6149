package vault

import (
	"context"
	"errors"

	"github.com/tink-crypto/tink-go/v2/keyset"

	"partnerguard/internal/audit"
)

// eachMarked walks a book in pages, within q.
func eachMarked(ctx context.Context, q querier, b *Book, do func(marked) error) error {
	for after := []any(nil); ; {
		rows, err := bookPage(ctx, q, b, after, pageRows)
		if err != nil {
			return dbFailed(err)
		}
		for _, m := range rows {
			if err := do(m); err != nil {
				return err
			}
		}
		if len(rows) < pageRows {
			return nil
		}
		after = rows[len(rows)-1].values[:len(b.Key)]
	}
}

// checkBooks holds every marked row to its mark.
func (v *Vault) checkBooks(ctx context.Context, c *Check) error {
	for _, b := range v.books {
		var bad []marked
		err := eachMarked(ctx, v.q(), b, func(m marked) error {
			c.Marked++
			if v.cached().fits(b, m.mark, m.values) != nil {
				bad = append(bad, m)
			}
			return nil
		})
		if err != nil {
			return err
		}
		k, err := v.load(ctx, v.q()) // the keys may have changed meanwhile
		if err != nil {
			return err
		}
		for _, m := range bad {
			reason := k.fits(b, m.mark, m.values)
			if reason == nil {
				continue
			}
			c.Forged++
			if len(c.Damaged) < maxNamed {
				c.Damaged = append(c.Damaged, Trouble{Ref: b.ref(m.values), Reason: reason.Error()})
				if err := v.tellForged(ctx, b.ref(m.values), reason); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// remark marks anew what is marked under an old key. A row that does not fit
// stays as it is, and holds the old key back when it says to be under that.
func (v *Vault) remark(ctx context.Context, bad map[Ref]error) error {
	if v.cached().handle.Len() == 1 {
		return nil
	}
	for _, b := range v.books {
		for after := []any(nil); ; {
			var last []any
			found := map[Ref]error{}
			err := v.tx(ctx, func(ctx context.Context, q querier) error {
				last = nil
				clear(found)
				k, err := v.currentKeys(ctx, q)
				if err != nil {
					return err
				}
				rows, err := bookPage(ctx, q, b, after, pageRows)
				if err != nil {
					return err
				}
				for _, m := range rows {
					if why := k.fits(b, m.mark, m.values); why != nil {
						if len(m.mark) > 0 {
							found[b.ref(m.values)] = why
						}
						continue
					}
					if err := v.markAgain(ctx, q, k, b, m); err != nil {
						return err
					}
				}
				if len(rows) == pageRows {
					last = rows[len(rows)-1].values[:len(b.Key)]
				}
				return nil
			})
			if err != nil {
				return err
			}
			for r, why := range found {
				bad[r] = why
			}
			if after = last; after == nil {
				break
			}
		}
	}
	return nil
}

func (v *Vault) markAgain(ctx context.Context, q querier, k *keys, b *Book, m marked) error {
	mark, err := k.mark(b, m.values)
	if err != nil {
		return err
	}
	// One that was written meanwhile has the new key's mark already.
	_, err = swapMark(ctx, q, b, m, mark)
	return err
}

// Unmarked says that the vault is from before rows were marked: they are to be
// trusted once, see [Vault.Trust].
func (v *Vault) Unmarked() bool { return v.cached().legacy }

// errTrusted says that another process was faster.
var errTrusted = errors.New("the rows are marked already")

// Trust marks the rows of an installation from before marks, once: what stands
// in the database at this moment is believed, whoever wrote it. In one
// transaction the vault gets a new key, bind may put secrets anew bound to what
// they are for (through the vault that it is given), and every row of every book
// is marked. Afterwards the keyset says so itself, and no writer of the database
// can bring that moment back, except by a whole copy from before it.
func (v *Vault) Trust(ctx context.Context, bind func(ctx context.Context, within *Vault) error) error {
	var next *keyset.Handle
	err := v.changeTo(ctx, func(k *keys) (*keyset.Handle, bool, error) {
		if !k.legacy {
			return nil, false, errTrusted
		}
		next = k.handle
		if k.handle.Len() > 1 {
			return next, false, nil // a rotation is under way: its new key will do
		}
		var err error
		next, err = addKey(k.handle)
		return next, false, err
	}, func(ctx context.Context, q querier, s stored) error {
		k, err := newKeys(next, s)
		if err != nil {
			return err
		}
		within := &Vault{db: v.db, now: v.now, log: v.log, rec: v.rec, actor: v.actor, books: v.books, fixed: true, spy: v.spy, master: v.currentMaster(),
			keys: k, told: v.told}
		if err := bind(ctx, within); err != nil {
			return err
		}
		for _, b := range v.books {
			if err := eachMarked(ctx, q, b, func(m marked) error { return v.markAgain(ctx, q, k, b, m) }); err != nil {
				return err
			}
		}
		return nil
	}, audit.Event{Action: audit.VaultMarked, Outcome: audit.Done, Reason: "the rows that stood in the database were trusted once, and are marked from now on"})
	if errors.Is(err, errTrusted) {
		_, err = v.load(ctx, v.q())
		return err
	}
	if err != nil {
		return err
	}
	// The old key opens until every secret is sealed again.
	for {
		p, err := v.Reseal(ctx, 256)
		if err != nil || p.Done {
			return err
		}
	}
}

// carry marks under next what fits under old: for a restored keyset, which may
// have other keys. What did not fit stays so.
func (v *Vault) carry(ctx context.Context, q querier, old, next *keys) error {
	for _, b := range v.books {
		err := eachMarked(ctx, q, b, func(m marked) error {
			if old.fits(b, m.mark, m.values) != nil {
				return nil
			}
			return v.markAgain(ctx, q, next, b, m)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
