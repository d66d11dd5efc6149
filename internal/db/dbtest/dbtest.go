package dbtest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the PostgreSQL driver

	"partnerguard/internal/db"
	"partnerguard/internal/token"
)

// Each runs a test over every kind of database, each empty and of its own.
func Each(t *testing.T, test func(t *testing.T, d *db.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); test(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); test(t, Postgres(t)) })
}

// SQLite lends an empty database in a temporary folder.
func SQLite(t testing.TB) *db.DB {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "partnerguard.db"))
}

// Postgres lends an empty PostgreSQL database; see the package comment.
func Postgres(t testing.TB) *db.DB {
	t.Helper()
	return open(t, PostgresURL(t))
}

// PostgresURL makes an empty database, dropped at the test's end, and gives
// its URL.
func PostgresURL(t testing.TB) string {
	t.Helper()
	base, err := server()
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no PostgreSQL to test with: %v", err)
		}
		t.Skipf("NOT TESTED over PostgreSQL: %v", err)
	}
	admin, err := sql.Open("pgx", base)
	if err != nil {
		t.Fatal(err)
	}
	name := "t_" + strings.ReplaceAll(token.ID("pg"), "-", "_")
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatalf("a database for the test: %v", err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("the test's database stays: %v", err)
		}
		_ = admin.Close()
	})
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

func open(t testing.TB, where string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

var server = sync.OnceValues(start)

// start gives the URL of a server. One that it starts itself ends with this
// process: it watches our end of a pipe.
func start() (string, error) {
	if u := os.Getenv("PARTNERGUARD_TEST_POSTGRES"); u != "" {
		return u, nil
	}
	bin, err := binaries()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "partnerguard-pg-")
	if err != nil {
		return "", err
	}
	// The server refuses to run as root; then it runs as the system's own user.
	wrap := func(words ...string) []string { return words }
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			return "", fmt.Errorf("PostgreSQL does not run as root, and there is no user postgres: %w", err)
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			return "", err
		}
		wrap = func(words ...string) []string {
			return append([]string{"setpriv", "--reuid", u.Uid, "--regid", u.Gid, "--clear-groups", "--"}, words...)
		}
	}
	data := filepath.Join(dir, "data")
	run := func(words ...string) error {
		words = wrap(words...)
		c := exec.Command(words[0], words[1:]...)
		c.Dir = dir
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", words[0], err, out)
		}
		return nil
	}
	if err := run(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"); err != nil {
		return "", err
	}
	// sh waits for the end of its input, which is our end, then ends the server.
	script := `"$0" "$@" >log 2>&1 & p=$!; cat >/dev/null; kill -QUIT $p; wait $p; rm -rf "$PWD"`
	words := wrap("sh", "-c", script, filepath.Join(bin, "postgres"), "-D", data, "-h", "", "-k", dir, "-c", "fsync=off", "-c", "max_connections=300", "-c",
		"shared_buffers=32MB")
	c := exec.Command(words[0], words[1:]...)
	c.Dir = dir
	if _, err := c.StdinPipe(); err != nil { // open as long as this process lives
		return "", err
	}
	if err := c.Start(); err != nil {
		return "", err
	}
	keep = c
	// A socket in our own folder: no port that somebody else could take first.
	where := "postgres://postgres@/postgres?" + url.Values{"host": {dir}}.Encode()
	pool, err := sql.Open("pgx", where)
	if err != nil {
		return "", err
	}
	defer pool.Close()
	ctx, stop := context.WithTimeout(context.Background(), 60*time.Second)
	defer stop()
	for {
		if err = pool.PingContext(ctx); err == nil {
			return where, nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("the private PostgreSQL does not answer: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// keep holds the server's pipe against the garbage collector.
//
//lint:ignore U1000 it is held, not read
var keep *exec.Cmd

// binaries finds the newest server programs: Debian keeps them off the path.
func binaries() (string, error) {
	if p, err := exec.LookPath("initdb"); err == nil {
		if p, err = filepath.EvalSymlinks(p); err == nil {
			return filepath.Dir(p), nil
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return "", fmt.Errorf("no initdb on the path or under /usr/lib/postgresql: install postgresql, or set PARTNERGUARD_TEST_POSTGRES")
	}
	version := func(p string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(p))))
		return n
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(newest), nil
}
