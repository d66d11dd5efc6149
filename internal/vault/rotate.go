package vault

import (
	"context"
	"database/sql"
	"errors"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
)

// Progress says how far a re-sealing went.
type Progress struct {
	Sealed  int   `json:"sealed"`            // rows sealed again by this call
	Left    int64 `json:"left"`              // rows that are still under an old key
	Done    bool  `json:"done"`              // every row was looked at; what is left does not open
	Retired bool  `json:"retired"`           // this call removed the old key
	OldKeys int   `json:"oldKeys"`           // keys that open and no longer seal, after this call
	Damaged []Ref `json:"damaged,omitempty"` // rows that do not open; those under the old key hold it back; at most 100
}

// maxNamed is how many damaged rows are listed by name; all are counted.
const maxNamed = 100

// pageRows is how many rows are in memory, and in one transaction, at a time.
const pageRows = 64

// errMoved says that another process changed the keyset in between.
var errMoved = errors.New("the keyset was changed by another process")

// Rotate makes a new key that seals from now on; the old one opens until
// [Vault.Reseal] has sealed every row again and removes it. While that is under
// way there is no further rotation. The data key is renewed too.
func (v *Vault) Rotate(ctx context.Context) error {
	return v.change(ctx, func(h *keyset.Handle) (*keyset.Handle, error) {
		if h.Len() > 1 {
			return nil, problem.New(problem.Usage, "a rotation of the vault is under way").WithHint("partnerguard vault rotate finishes it first")
		}
		return addKey(h)
	}, nil, audit.Event{Action: audit.VaultRotated, Outcome: audit.Done, Reason: "a new key seals"})
}

// addKey gives a keyset with a new key that seals.
func addKey(h *keyset.Handle) (*keyset.Handle, error) {
	m := keyset.NewManagerFromHandle(h)
	id, err := m.Add(aead.XChaCha20Poly1305KeyTemplate())
	if err == nil {
		err = m.SetPrimary(id)
	}
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "no key could be made")
	}
	return m.Handle()
}

// change puts a changed keyset in the place of the present one: made outside of
// the transaction, since wrapping may call another service; swapped in only when
// the present one still stands. holds may refuse within the transaction.
func (v *Vault) change(ctx context.Context, edit func(*keyset.Handle) (*keyset.Handle, error), holds func(context.Context, querier) error,
	e audit.Event) error {
	return v.changeTo(ctx, func(k *keys) (*keyset.Handle, bool, error) {
		h, err := edit(k.handle)
		return h, k.legacy, err
	}, func(ctx context.Context, q querier, _ stored) error {
		if holds == nil {
			return nil
		}
		return holds(ctx, q)
	}, e)
}

// swap is swapKeyset; errMoved says that another keyset stands there by now.
func swap(ctx context.Context, q querier, old, next stored) error {
	swapped, err := swapKeyset(ctx, q, old, next)
	if err == nil && !swapped {
		return errMoved
	}
	return err
}

// changeTo is change for an edit that also says whether the keyset is still one
// from before marks.
func (v *Vault) changeTo(ctx context.Context, edit func(*keys) (*keyset.Handle, bool, error), holds func(context.Context, querier, stored) error,
	e audit.Event) error {
	for range 5 {
		m := v.currentMaster()
		old, k, err := v.readAndOpen(ctx, m)
		if err != nil {
			return err
		}
		next := old
		h, legacy, err := edit(k)
		if err != nil {
			return err
		}
		next.Generation++
		next.Legacy = legacy
		next.Changed = v.now().UTC()
		if next, err = wrap(ctx, next, h, m); err != nil {
			return err
		}
		err = v.tx(ctx, func(ctx context.Context, q querier) error {
			if err := swap(ctx, q, old, next); err != nil {
				return err
			}
			if err := holds(ctx, q, next); err != nil {
				return err
			}
			e := e
			e.Object = next.Vault
			return v.record(ctx, e)
		})
		if errors.Is(err, errMoved) {
			continue
		}
		if err != nil {
			return err
		}
		_, err = v.load(ctx, v.q())
		return err
	}
	return problem.Wrap(errMoved, problem.Internal, "the vault's keys are being changed by other processes").WithHint("try again")
}

// readAndOpen reads the stored keyset and opens it with m, whether or not it is
// known: who changes the keyset must have the right master key.
func (v *Vault) readAndOpen(ctx context.Context, m Master) (stored, *keys, error) {
	s, err := readKeyset(ctx, v.q())
	if err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			_, err = v.load(ctx, v.q())
		}
		return s, nil, dbFailed(err)
	}
	k, err := unwrap(ctx, s, m)
	if err == nil {
		s.Legacy = k.legacy // what is wrapped from it stays so
	}
	return s, k, err
}

// Reseal seals up to batch rows again that are under an old key, and removes the
// old key when no row needs it. It may be stopped at any moment and called
// again, by several processes at once and beside writers: a newer secret is
// never overwritten. It is done when Progress.Done is set; damaged rows then
// hold the old key back until they are put anew or deleted.
func (v *Vault) Reseal(ctx context.Context, batch int) (Progress, error) {
	if batch < 1 {
		return Progress{}, problem.New(problem.Internal, "a batch has at least one row")
	}
	var p Progress
	damagedSeen := map[Ref]error{}
	var after *Ref
	for p.Sealed < batch && !p.Done {
		n := min(pageRows, batch-p.Sealed)
		var sealed int
		var next *Ref
		var full bool
		bad := map[Ref]error{}
		err := v.tx(ctx, func(ctx context.Context, q querier) error {
			// All anew: a transaction may run again.
			sealed, next, full = 0, after, false
			clear(bad)
			k, err := v.currentKeys(ctx, q)
			if err != nil {
				return err
			}
			if k.handle.Len() == 1 {
				return nil
			}
			rows, err := page(ctx, q, after, prefix(k.primary), n)
			if err != nil {
				return err
			}
			full = len(rows) == n
			for _, r := range rows {
				next = &r.Ref
				ok, err := v.resealRow(ctx, q, k, r, bad)
				if err != nil {
					return err
				}
				if ok {
					sealed++
				}
			}
			return nil
		})
		if err != nil {
			return p, err
		}
		p.Sealed += sealed
		after = next
		for r, why := range bad {
			damagedSeen[r] = why
		}
		p.Done = !full
	}
	if p.Done {
		if err := v.remark(ctx, damagedSeen); err != nil {
			return p, err
		}
	}
	p.Damaged = names(damagedSeen)
	for _, r := range p.Damaged {
		if err := v.tell(ctx, r, damagedSeen[r]); err != nil {
			return p, err
		}
	}
	return v.finish(ctx, p)
}

// resealRow seals one row under the primary key.
func (v *Vault) resealRow(ctx context.Context, q querier, k *keys, r row, bad map[Ref]error) (bool, error) {
	plain, bound, err := k.openAny(r.Ref, r.sealed)
	if err != nil {
		bad[r.Ref] = err
		return false, nil
	}
	defer clear(plain)
	to := r.Ref
	to.Bound = bound
	again, err := k.seal(to, plain)
	if err != nil {
		return false, err
	}
	return swapRow(ctx, q, r.Ref, r.sealed, again)
}

// finish counts what is left and removes the old key when nothing is.
func (v *Vault) finish(ctx context.Context, p Progress) (Progress, error) {
	k, err := v.load(ctx, v.q())
	if err != nil {
		return p, err
	}
	left := func(ctx context.Context, q querier, k *keys) (int64, error) {
		var n int64
		for id := range k.ids {
			if id == k.primary {
				continue
			}
			m, err := countRows(ctx, q, prefix(id))
			if err != nil {
				return 0, err
			}
			n += m
			for _, b := range v.books {
				if m, err = countMarks(ctx, q, b, id); err != nil {
					return 0, err
				}
				n += m
			}
		}
		return n, nil
	}
	p.OldKeys = k.handle.Len() - 1
	if p.Left, err = left(ctx, v.q(), k); err != nil {
		return p, dbFailed(err)
	}
	if p.Left > 0 || p.OldKeys == 0 {
		return p, nil
	}
	needed := errors.New("a row needs the old key")
	err = v.change(ctx, func(h *keyset.Handle) (*keyset.Handle, error) {
		if h.Len() == 1 {
			return nil, needed // another process removed it
		}
		info := h.KeysetInfo()
		if info.GetPrimaryKeyId() != k.primary {
			return nil, needed // and made a new one: its rows were not counted
		}
		m := keyset.NewManagerFromHandle(h)
		for _, i := range info.GetKeyInfo() {
			if i.GetKeyId() == k.primary {
				continue
			}
			if err := m.Delete(i.GetKeyId()); err != nil {
				return nil, problem.Wrap(err, problem.Internal, "the old key could not be removed")
			}
		}
		return m.Handle()
	}, func(ctx context.Context, q querier) error {
		// The keyset's row is locked now: writers of other processes have
		// committed, and the next ones will see the new generation.
		n, err := left(ctx, q, k)
		if err == nil && n > 0 {
			err = needed
		}
		return err
	}, audit.Event{Action: audit.VaultRotated, Outcome: audit.Done, Reason: "every row is sealed again; the old key is removed"})
	if errors.Is(err, needed) {
		k, err = v.load(ctx, v.q())
		if err != nil {
			return p, err
		}
		p.OldKeys = k.handle.Len() - 1
		p.Left, err = left(ctx, v.q(), k)
		p.Done = p.OldKeys == 0
		return p, dbFailed(err)
	}
	if err != nil {
		return p, err
	}
	p.Retired, p.OldKeys = true, 0
	return p, nil
}

// ChangeMaster wraps the vault's data key by another master key, at once or not
// at all. Other processes work on with what they have; they need the new one at
// their next start or when the keys change. The old master key still opens
// copies and backups from before: when it was stolen, rotate too.
func (v *Vault) ChangeMaster(ctx context.Context, to Master) error {
	for range 5 {
		old, k, err := v.readAndOpen(ctx, v.currentMaster())
		if err != nil {
			return err
		}
		next := old
		next.Changed = v.now().UTC()
		if next, err = wrap(ctx, next, k.handle, to); err != nil {
			return err
		}
		err = v.tx(ctx, func(ctx context.Context, q querier) error {
			if err := swap(ctx, q, old, next); err != nil {
				return err
			}
			return v.record(ctx, audit.Event{Action: audit.VaultMasterChanged, Outcome: audit.Done, Object: next.Vault,
				Details: map[string]string{"from": old.Slot.ID, "to": next.Slot.ID}})
		})
		if errors.Is(err, errMoved) {
			continue
		}
		if err != nil {
			return err
		}
		v.mu.Lock()
		v.master = to
		v.mu.Unlock()
		v.forgetPages(ctx)
		return nil
	}
	return problem.Wrap(errMoved, problem.Internal, "the vault's keys are being changed by other processes").WithHint("try again")
}

// forgetPages empties SQLite's journal, in which the keyset under the old master
// key still stands. It is a courtesy: a reader may be in the way.
func (v *Vault) forgetPages(ctx context.Context) {
	if v.db.Dialect == db.SQLite {
		_, _ = v.db.ExecContext(ctx, emptyJournal)
	}
}
