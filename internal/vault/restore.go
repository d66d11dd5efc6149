package vault

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"errors"
	"io"
	"os"
	"strconv"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
)

// RestoreFile puts a backup in the place of the vault in d: of an empty one, or,
// with replace, of any. m must be the master key of the backup. The whole backup
// is verified before anything changes, and all changes are one transaction.
// Processes that have the vault open notice the other keys; those that run with
// another master key have to be started anew.
func RestoreFile(ctx context.Context, d *db.DB, path string, m Master, o Options, replace bool) (Backup, error) {
	f, err := os.Open(path)
	if err != nil {
		return Backup{}, problem.Wrap(err, problem.NotFound, "the backup %s cannot be opened", path)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return Backup{}, problem.Wrap(err, problem.BadInput, "the backup %s is not a file", path)
	}
	return Restore(ctx, d, f, m, o, replace)
}

// Restore is [RestoreFile] over what can be read twice.
func Restore(ctx context.Context, d *db.DB, from io.ReadSeeker, m Master, o Options, replace bool) (Backup, error) {
	v := newVault(d, m, o)
	return v.restore(ctx, from, replace)
}

func (v *Vault) restore(ctx context.Context, from io.ReadSeeker, replace bool) (Backup, error) {
	b, err := verify(ctx, from, v.master)
	if err != nil {
		return b.Backup, err
	}
	// What is restored is a vault that marks rows, also from a backup of before:
	// such rows as are there fit only when the present keys say so.
	next := b.head.stored()
	next.Changed = v.now().UTC()
	restored, err := unwrap(ctx, next, v.master)
	if err != nil {
		return b.Backup, err
	}
	if restored.legacy {
		if next, err = wrap(ctx, next, restored.handle, v.master); err != nil {
			return b.Backup, err
		}
	}
	err = v.tx(ctx, func(ctx context.Context, q querier) error {
		var present *keys
		if s, err := readKeyset(ctx, q); err == nil {
			present, _ = unwrap(ctx, s, v.master) // none that this master key opens: nothing is carried over
		}
		if _, err := from.Seek(0, io.SeekStart); err != nil {
			return badBackup("it cannot be read twice")
		}
		next.Generation = next.Changed.UnixMicro() // above any count, when there is none to go on from
		g, err := readGeneration(ctx, q, v.db.Dialect)
		if err == nil {
			next.Generation = g + 1 // other processes notice
		} else if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		// First the keyset: no writer gets past it before this transaction ends.
		if _, err := q.ExecContext(ctx, dropKeyset); err != nil {
			return err
		}
		if b.Removed, err = countRows(ctx, q, nil); err != nil {
			return err
		}
		if b.Removed > 0 && !replace {
			return problem.New(problem.Usage, "the vault has %d secrets, and a backup is restored into an empty one", b.Removed).
				WithHint("take a backup of it first; then --replace removes what it has")
		}
		if _, err := q.ExecContext(ctx, dropRows); err != nil {
			return err
		}
		if made, err := insertKeyset(ctx, q, next); err != nil || !made {
			return errors.Join(errMoved, err)
		}
		sum, _, _, err := readBackup(from, func(header) error { return nil }, func(r row) error {
			_, err := q.ExecContext(ctx, restoreRow,
				r.Purpose, r.Owner, r.Name, r.sealed, r.changed)
			return err
		})
		if err != nil {
			return err
		}
		if subtle.ConstantTimeCompare(sum, b.sum) != 1 {
			return badBackup("it changed while it was read")
		}
		if present != nil && !present.legacy {
			if err := v.carry(ctx, q, present, restored); err != nil {
				return err
			}
		}
		return v.record(ctx, audit.Event{Action: audit.VaultRestored, Outcome: audit.Done, Object: b.Vault,
			Details: map[string]string{"rows": strconv.FormatInt(b.Rows, 10), "removed": strconv.FormatInt(b.Removed, 10), "made": b.Made.UTC().
				Format("2006-01-02T15:04:05Z")}})
	})
	return b.Backup, err
}
