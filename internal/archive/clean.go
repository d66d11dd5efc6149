package archive

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"partnerguard/internal/problem"
)

// Left is a write that was interrupted, by its row.
type Left struct {
	Name   string    `json:"name"`
	Object string    `json:"object"`
	At     time.Time `json:"at"`
	Size   int64     `json:"size"`
	SHA256 string    `json:"sha256"`
}

// cleanAfter is how long a write may take: a row older than that is of a process
// that died.
const cleanAfter = 6 * time.Hour

// Clean takes away what interrupted writes left behind: objects that no segment
// came of, with their rows, and half-written files of a folder. It gives how many
// there were.
func (a *Archive) Clean(ctx context.Context) (n int, err error) {
	before := a.Now().Add(-cleanAfter)
	left, err := a.pending(ctx, before)
	if err != nil || len(left) == 0 && a.place == nil && a.Config.Place == "" && !isDir(a.Dir) {
		return 0, err
	}
	p, err := a.at(ctx)
	if err != nil {
		return 0, err
	}
	for _, l := range left {
		// Ending the row first makes a commit that is still under way fail; only then
		// the object may go. A process that dies between the two leaves an object that
		// verify names.
		if err := a.drop(ctx, p, l); err != nil {
			return n, err
		}
		n++
	}
	m, err := p.sweep(before)
	return n + m, err
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// drop ends an interrupted write: the object goes within the transaction that ends
// its row, so that neither goes alone.
func (a *Archive) drop(ctx context.Context, p *place, l Left) error {
	return a.DB.InTx(ctx, func(ctx context.Context) error {
		res, err := a.DB.ExecContext(ctx, endPending, l.Name)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err // somebody else cleaned, or it was committed
		}
		var kept int
		if err := a.DB.QueryRowContext(ctx, hasSegment, l.Name, l.Object).Scan(&kept); err != nil || kept > 0 {
			return err
		}
		return p.remove(ctx, l.Object)
	})
}

// pending lists the writes that began up to a moment and did not end.
func (a *Archive) pending(ctx context.Context, until time.Time) ([]Left, error) {
	rows, err := a.DB.QueryContext(ctx, readPending, until.UnixMicro())
	if err != nil {
		return nil, unread(err)
	}
	defer rows.Close()
	var list []Left
	for rows.Next() {
		var l Left
		var at int64
		if err := rows.Scan(&l.Name, &l.Object, &at, &l.Size, &l.SHA256); err != nil {
			return nil, unread(err)
		}
		l.At = micro(at)
		list = append(list, l)
	}
	return list, rows.Err()
}

// half is how a file is called whose writing has not ended: fileblob renames it then.
func half(name string) bool {
	return strings.Contains(name, ending+".") && strings.HasSuffix(name, ".tmp")
}

// sweep removes half-written files of a folder that nobody writes any more.
func (p *place) sweep(before time.Time) (n int, err error) {
	if p.dir == "" {
		return 0, nil
	}
	err = filepath.WalkDir(filepath.Join(p.dir, filepath.FromSlash(root)), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !half(d.Name()) {
			return nil //nolint:nilerr // what cannot be listed is left
		}
		info, err := d.Info()
		if err != nil || !info.Mode().IsRegular() || !info.ModTime().Before(before) {
			return nil //nolint:nilerr // gone meanwhile
		}
		if err := os.Remove(path); err != nil {
			return problem.Wrap(err, problem.Unavailable, "%s, which an interrupted write left, cannot be removed", path)
		}
		n++
		return nil
	})
	return n, err
}
