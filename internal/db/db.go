package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // the PostgreSQL driver
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"

	"partnerguard/internal/problem"
)

// Dialect says which database it is, for the few places where it matters.
type Dialect string

// The dialects.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// DB is an open database with a current schema. Safe for concurrent use.
type DB struct {
	*sql.DB
	Dialect Dialect
	where   string // for errors: a path, or a URL without its password
}

//go:embed migrations
var migrations embed.FS

// Open opens the database at where, a file's path or a postgres:// URL, and
// brings its schema up to date. A missing SQLite file is made, with its folder,
// for the owner alone.
func Open(ctx context.Context, where string) (*DB, error) { return open(ctx, where, (*DB).migrate) }

// Look opens a database that is there, to read it: nothing is made, and its schema
// stays. Kind problem.NotFound where there is none, or it is not of this program's
// schema.
func Look(ctx context.Context, where string) (*DB, error) {
	if !strings.Contains(where, "://") {
		if info, err := os.Stat(where); err != nil || !info.Mode().IsRegular() {
			return nil, problem.Wrap(err, problem.NotFound, "there is no database %s", where)
		}
	}
	return open(ctx, where, func(d *DB, ctx context.Context) error {
		p, err := d.provider()
		if err != nil {
			return err
		}
		if has, err := d.version(ctx); err != nil || has != newest(p) {
			return problem.Wrap(err, problem.NotFound, "the database %s does not have this program's schema", d.where)
		}
		return nil
	})
}

// Peek opens a database that is there as it is, whatever its schema: to see what
// stands in the way of another one, not to work with it. Kind problem.NotFound where
// there is none.
func Peek(ctx context.Context, where string) (*DB, error) {
	if !strings.Contains(where, "://") {
		if info, err := os.Stat(where); err != nil || !info.Mode().IsRegular() {
			return nil, problem.Wrap(err, problem.NotFound, "there is no database %s", where)
		}
	}
	return open(ctx, where, func(*DB, context.Context) error { return nil })
}

func open(ctx context.Context, where string, ready func(*DB, context.Context) error) (_ *DB, err error) {
	d := &DB{Dialect: SQLite, where: where}
	if strings.HasPrefix(where, "postgres://") || strings.HasPrefix(where, "postgresql://") {
		u, err := url.Parse(where)
		if err != nil {
			return nil, problem.New(problem.Usage, "the database's URL cannot be read").
				WithHint("it looks like postgres://user@host/name; the password may come from PGPASSWORD or a .pgpass file")
		}
		d.Dialect, d.where = Postgres, u.Redacted()
		d.DB, err = sql.Open("pgx", where)
		if err != nil {
			return nil, d.failed(err)
		}
		d.SetMaxOpenConns(16)
	} else if d.DB, err = openFile(where); err != nil {
		return nil, d.failed(err)
	}
	defer func() {
		if err != nil {
			_ = d.Close()
		}
	}()
	if err := d.ping(ctx); err != nil {
		return nil, d.failed(err)
	}
	if err := ready(d, ctx); err != nil {
		return nil, err
	}
	return d, nil
}

// ping opens the first connection. Where another process makes the same new file
// ready just now, SQLite says that it is busy without waiting: the change to WAL
// is outside of its busy_timeout.
func (d *DB) ping(ctx context.Context) error {
	for attempt := 0; ; attempt++ {
		err := d.PingContext(ctx)
		if err == nil || attempt == 100 || !conflict(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func openFile(path string) (*sql.DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	// Made here, since the driver would make it with the umask's rights; the
	// journals take the rights of the file.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	q := url.Values{"_txlock": {"immediate"}}
	for _, p := range []string{
		"busy_timeout(10000)", "journal_mode(WAL)",
		"synchronous(FULL)", // a refresh token that was stored must survive the power going
		"foreign_keys(1)", "secure_delete(1)", "temp_store(2)",
	} {
		q.Add("_pragma", p)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	pool, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: filepath.ToSlash(abs), RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(8)
	return pool, nil
}

// provider has the migrations of the dialect.
func (d *DB) provider() (*goose.Provider, error) {
	sub, err := fs.Sub(migrations, "migrations/"+string(d.Dialect))
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the schema is not in the program")
	}
	dialect := goose.DialectSQLite3
	if d.Dialect == Postgres {
		dialect = goose.DialectPostgres
	}
	p, err := goose.NewProvider(dialect, d.DB, sub)
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the schema in the program cannot be read")
	}
	return p, nil
}

// newest is the schema that this program knows.
func newest(p *goose.Provider) (n int64) {
	for _, s := range p.ListSources() {
		n = max(n, s.Version)
	}
	return n
}

func (d *DB) migrate(ctx context.Context) error {
	p, err := d.provider()
	if err != nil {
		return err
	}
	return d.migrateTo(ctx, p, newest(p))
}

// migrateTo brings the schema up to a version, of those that the program knows.
func (d *DB) migrateTo(ctx context.Context, p *goose.Provider, newest int64) error {
	has, err := p.GetDBVersion(ctx)
	if err != nil {
		return d.failed(err)
	}
	if has > newest {
		return problem.New(problem.BadInput, "the database %s was made by a newer partnerguard (schema %d, this one knows %d)", d.where, has, newest).
			WithHint("use the newer program, or a copy of the database from before")
	}
	// Not by the newest number: one that came in below it would never be taken.
	switch pending, err := p.HasPending(ctx); {
	case err != nil:
		return d.failed(err)
	case !pending:
		return nil
	}
	// Two processes may start at once; the first one does it.
	if d.Dialect == Postgres {
		conn, err := d.Conn(ctx)
		if err != nil {
			return d.failed(err)
		}
		defer conn.Close()
		const key = 7441_0001
		if _, err := conn.ExecContext(ctx, takeLock, key); err != nil {
			return d.failed(err)
		}
		defer func() {
			_, _ = conn.ExecContext(context.WithoutCancel(ctx), endLock, key)
		}()
	}
	for attempt := 0; ; attempt++ {
		_, err := p.UpTo(ctx, newest)
		if err == nil {
			return nil
		}
		now, verr := p.GetDBVersion(ctx)
		if verr == nil && now >= newest {
			return nil // another process was faster
		}
		// SQLite has no lock across migrations: another process may be between two
		// of them.
		if attempt < 50 && d.Dialect == SQLite && ctx.Err() == nil && (now > has || conflict(err) || exists(err)) {
			has = max(has, now)
			time.Sleep(20 * time.Millisecond)
			continue
		}
		return problem.Wrap(err, problem.Internal, "the schema of %s could not be brought up to date: %s", d.where, reason(err)).
			WithHint("look whether the disk is full, and whether another partnerguard holds the database")
	}
}

// exists says that a table was there already.
func exists(err error) bool {
	var lite *sqlite.Error
	return errors.As(err, &lite) && strings.Contains(lite.Error(), "already exists")
}

// Where says which database it is, without a password.
func (d *DB) Where() string { return d.where }

func (d *DB) failed(err error) error {
	return problem.Wrap(err, problem.BadInput, "the database %s cannot be opened: %s", d.where, reason(err)).
		WithHint("check that it exists, is yours, and answers; --data names another folder")
}

// reason is what may be said of a driver's error: never the connection string.
func reason(err error) string {
	var pg *pgconn.PgError
	var lite *sqlite.Error
	switch {
	case errors.As(err, &pg):
		return pg.Message
	case errors.As(err, &lite):
		return lite.Error()
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	case errors.Is(err, syscall.ENOTDIR):
		return "part of its path is no folder"
	case errors.Is(err, context.DeadlineExceeded):
		return "it does not answer"
	}
	return "it does not answer as a database does"
}

func conflict(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "40001" || pg.Code == "40P01" // serialization failure, deadlock
	}
	var lite *sqlite.Error
	const busy = 5
	return errors.As(err, &lite) && lite.Code()&0xff == busy
}

// Micros is how a moment is stored; the zero time is 0.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Time reads a stored moment, in UTC.
func Time(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
