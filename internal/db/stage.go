package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"modernc.org/sqlite"

	"partnerguard/internal/problem"
)

// Stage is a database in the making, beside the place of another one: filled, looked
// at, and then put into that place whole, or given up without a trace. What stood
// there is kept aside. It is for one goroutine.
type Stage struct {
	*DB
	at     string // the place: a path or a URL
	own    string // SQLite: the file; PostgreSQL: the schema
	target string // PostgreSQL: the schema of the place
	name   string // PostgreSQL: what our sessions call themselves
	lock   *sql.Conn
	plain  *sql.DB // PostgreSQL: sessions without the stage's schema
}

// staged is what a stage is called; one that was killed is cleared by the next.
const staged = "partnerguard_restoring"

// NewStage makes an empty database of an older schema, or of the program's. A
// schema that is newer is refused, and a second stage for the same place.
func NewStage(ctx context.Context, at string, schema int64) (_ *Stage, err error) {
	s := &Stage{at: at}
	defer func() {
		if err != nil {
			_ = s.Drop(context.WithoutCancel(ctx))
		}
	}()
	if strings.Contains(at, "://") {
		err = s.schema(ctx)
	} else {
		err = s.file(ctx)
	}
	if err != nil {
		return nil, err
	}
	return s, s.raise(ctx, schema)
}

// Raise brings the schema up to the program's.
func (s *Stage) Raise(ctx context.Context) error { return s.migrate(ctx) }

// Schema is the version of the schema that a database has.
func (d *DB) Schema(ctx context.Context) (int64, error) { return d.version(ctx) }

func (s *Stage) file(ctx context.Context) (err error) {
	own := s.at + ".restoring"
	if err := free(ctx, own); err != nil {
		return problem.Wrap(err, problem.Conflict, "another restore into %s is under way", filepath.Dir(s.at)).WithHint("wait for it, or end it")
	}
	removeFiles(own)
	s.own = own
	s.DB, err = open(ctx, own, func(*DB, context.Context) error { return nil })
	return err
}

func removeFiles(path string) {
	for _, more := range []string{"", "-wal", "-shm", "-journal"} {
		_ = os.Remove(path + more)
	}
}

// errInUse says that another process has the database open.
var errInUse = errors.New("in use")

// Free says that no process has the database at a place open; one that is not there
// is free. Kind problem.Conflict where one has.
func Free(ctx context.Context, at string) error {
	var err error
	if strings.Contains(at, "://") {
		var pool *sql.DB
		if pool, err = sql.Open("pgx", at); err == nil {
			err = alone(ctx, pool, staged) // which nobody is called
			err = errors.Join(err, pool.Close())
		}
	} else {
		err = free(ctx, at)
	}
	if errors.Is(err, errInUse) {
		by := ""
		if h, err := HeldBy(at); err == nil && h != nil {
			by = ": " + h.String() + " works it"
		}
		return problem.Wrap(err, problem.Conflict, "the database %s is in use%s", redacted(at), by).
			WithHint("stop partnerguard serve and every worker, and whatever else has it open; then run this again")
	}
	if err != nil {
		return problem.Wrap(err, problem.BadInput, "the database %s cannot be opened: %s", redacted(at), reason(err))
	}
	return nil
}

func redacted(at string) string {
	if u, err := url.Parse(at); err == nil && u.User != nil {
		return u.Redacted()
	}
	return at
}

// free takes an SQLite database out of its journal: that needs every other
// connection closed. What is no database is nobody's.
func free(ctx context.Context, path string) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	pool, err := openFile(path)
	if err != nil {
		return err
	}
	defer pool.Close()
	pool.SetMaxOpenConns(1)
	var mode string
	for end := time.Now().Add(time.Second); ; time.Sleep(50 * time.Millisecond) {
		err = pool.QueryRowContext(ctx, rollbackJournal).Scan(&mode)
		if !conflict(err) || time.Now().After(end) {
			break
		}
	}
	switch {
	case conflict(err) || err == nil && mode != "delete":
		return errInUse
	case corrupt(err):
		return nil
	}
	return err
}

// corrupt says that a file is damaged, or no database.
func corrupt(err error) bool {
	const corrupt, notADatabase = 11, 26
	var lite *sqlite.Error
	return errors.As(err, &lite) && (lite.Code()&0xff == corrupt || lite.Code()&0xff == notADatabase)
}

// alone waits a moment for other sessions of a PostgreSQL database to end.
func alone(ctx context.Context, q interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}, name string) error {
	for end := time.Now().Add(3 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		var n int
		if err := q.QueryRowContext(ctx, countOthers, name).Scan(&n); err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
		if time.Now().After(end) {
			return errInUse
		}
	}
}

func (s *Stage) schema(ctx context.Context) error {
	u, err := url.Parse(s.at)
	if err != nil {
		return problem.New(problem.Usage, "the database's URL cannot be read")
	}
	s.name = fmt.Sprintf("%s %d %d", staged, os.Getpid(), time.Now().UnixNano())
	q := u.Query()
	q.Set("application_name", s.name)
	u.RawQuery = q.Encode()
	wrong := func(err error) error {
		return problem.Wrap(err, problem.BadInput, "the database %s cannot be restored into: %s", redacted(s.at), reason(err)).
			WithHint("its user needs the right to create schemas in it (GRANT CREATE ON DATABASE), and has to own partnerguard's tables")
	}
	if s.plain, err = sql.Open("pgx", u.String()); err != nil {
		return wrong(err)
	}
	if s.lock, err = s.plain.Conn(ctx); err != nil {
		return wrong(err)
	}
	var got bool
	// The server may be a moment late in seeing that the last one has left.
	for end := time.Now().Add(2 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if err := s.lock.QueryRowContext(ctx, tryLock, 7441_0003).Scan(&got); err != nil {
			return wrong(err)
		}
		if got || time.Now().After(end) {
			break
		}
	}
	if !got {
		return problem.New(problem.Conflict, "another restore into %s is under way", redacted(s.at)).WithHint("wait for it, or end it")
	}
	if err := s.lock.QueryRowContext(ctx, currentSchema).Scan(&s.target); err != nil {
		return wrong(err)
	}
	if !IsName(s.target) {
		return problem.New(problem.BadInput, "the database %s has no schema to restore into", redacted(s.at)).WithHint("set its search_path")
	}
	s.own = staged
	if _, err := s.lock.ExecContext(ctx, "DROP SCHEMA IF EXISTS "+s.own+" CASCADE"); err != nil {
		return wrong(err)
	}
	if _, err := s.lock.ExecContext(ctx, "CREATE SCHEMA "+s.own); err != nil {
		return wrong(err)
	}
	q.Set("search_path", s.own)
	u.RawQuery = q.Encode()
	s.DB, err = open(ctx, u.String(), func(*DB, context.Context) error { return nil })
	return err
}

// Install puts the stage into its place, at once or not at all, and closes it. What
// stood there is kept aside under the name that it gives, "" where nothing did:
// beside the file, or in a schema of the same database. Kind problem.Conflict where
// another process has that open.
func (s *Stage) Install(ctx context.Context, now time.Time) (aside string, err error) {
	suffix := now.UTC().Format("20060102t150405z")
	for n := 2; ; n++ { // two within a second
		aside, taken := s.at+".before-restore-"+suffix, false
		if s.Dialect == Postgres {
			aside = "before_restore_" + suffix
			if err := s.lock.QueryRowContext(ctx, hasSchema, aside).Scan(&taken); err != nil {
				return "", err
			}
		} else if _, err := os.Lstat(aside); err == nil {
			taken = true
		}
		switch {
		case taken:
			suffix = fmt.Sprintf("%s_%d", now.UTC().Format("20060102t150405z"), n)
		case s.Dialect == Postgres:
			return s.swapTables(ctx, aside)
		default:
			return s.swapFile(ctx, aside)
		}
	}
}

func (s *Stage) swapFile(ctx context.Context, aside string) (string, error) {
	failed := func(err error) error {
		return problem.Wrap(err, problem.Limit, "the database %s cannot be put into its place%s", s.at, problem.Reason(err)).
			WithHint("what stood there was not changed; its folder must be yours and have room")
	}
	if err := s.Close(); err != nil {
		return "", failed(err)
	}
	if _, err := os.Stat(s.own + "-wal"); err == nil {
		return "", failed(errors.New("its journal stays"))
	}
	if err := syncFile(s.own); err != nil {
		return "", failed(err)
	}
	// Held until it is in place: who starts to work it meanwhile would work on what was
	// kept aside.
	release, err := Hold(s.at, "restore", time.Now())
	if err != nil {
		return "", err
	}
	defer func() { _ = release() }()
	if err := Free(ctx, s.at); err != nil {
		return "", err
	}
	_, err = os.Stat(s.at)
	if errors.Is(err, fs.ErrNotExist) {
		aside = ""
	} else if err := os.Link(s.at, aside); err != nil {
		// Where a file cannot have two names there is a moment without one.
		if err := os.Rename(s.at, aside); err != nil {
			return "", failed(err)
		}
	}
	// Journals of what was no database must not be taken for the new one's.
	for _, more := range []string{"-wal", "-shm", "-journal"} {
		if _, err := os.Stat(s.at + more); err == nil {
			keep := aside + more
			if aside == "" {
				keep = s.at + ".before-restore" + more
			}
			if err := os.Rename(s.at+more, keep); err != nil {
				return "", failed(err)
			}
		}
	}
	if err := os.Rename(s.own, s.at); err != nil {
		return "", failed(err)
	}
	s.own = ""
	return aside, syncFile(filepath.Dir(s.at))
}

// syncFile makes a file or a folder last; a folder that cannot be synced is let be.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = f.Sync()
	if info, ierr := f.Stat(); ierr == nil && info.IsDir() {
		err = nil
	}
	return errors.Join(err, f.Close())
}

func (s *Stage) swapTables(ctx context.Context, aside string) (string, error) {
	failed := func(err error) error {
		return problem.Wrap(err, problem.BadInput, "the tables of %s cannot be put into their place: %s", s.where, reason(err)).
			WithHint("nothing was changed; the database's user has to own partnerguard's tables and may have to be let create schemas")
	}
	if err := s.Close(); err != nil {
		return "", failed(err)
	}
	if err := alone(ctx, s.lock, s.name); errors.Is(err, errInUse) {
		return "", problem.Wrap(err, problem.Conflict, "the database %s is in use", s.where).
			WithHint("stop partnerguard serve and every worker, and whatever else has it open; then run this again")
	} else if err != nil {
		return "", failed(err)
	}
	tx, err := s.lock.BeginTx(ctx, nil)
	if err != nil {
		return "", failed(err)
	}
	defer func() { _ = tx.Rollback() }() // a no-op after Commit
	ours, err := texts(ctx, tx, tablesOf, s.own)
	if err != nil {
		return "", failed(err)
	}
	there, err := texts(ctx, tx, tablesOf, s.target)
	if err != nil {
		return "", failed(err)
	}
	var steps []string
	kept := false
	for _, name := range ours {
		if !IsName(name) {
			return "", failed(fmt.Errorf("the table %q", name))
		}
		if slices.Contains(there, name) {
			if !kept {
				steps, kept = append(steps, "CREATE SCHEMA "+aside), true
			}
			steps = append(steps, moveTable(s.target, name, aside))
		}
		steps = append(steps, moveTable(s.own, name, s.target))
	}
	for _, step := range append(steps, "DROP SCHEMA "+s.own) {
		if _, err := tx.ExecContext(ctx, step); err != nil {
			return "", failed(err)
		}
	}
	if err := tx.Commit(); err != nil {
		return "", failed(err)
	}
	s.own = ""
	if !kept {
		aside = ""
	}
	return aside, s.Drop(ctx)
}

func texts(ctx context.Context, tx *sql.Tx, query string, args ...any) (out []string, err error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// Drop gives a stage up that was not installed, and closes it. It may be called
// again, and after Install.
func (s *Stage) Drop(ctx context.Context) error {
	var err error
	if s.DB != nil {
		err = s.Close()
	}
	if s.plain == nil {
		if s.own != "" {
			removeFiles(s.own)
		}
		s.own = ""
		return err
	}
	if s.own != "" && s.lock != nil {
		_, derr := s.lock.ExecContext(ctx, "DROP SCHEMA IF EXISTS "+s.own+" CASCADE")
		err = errors.Join(err, derr)
	}
	s.own = ""
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
		s.lock = nil
	}
	return errors.Join(err, s.plain.Close())
}
