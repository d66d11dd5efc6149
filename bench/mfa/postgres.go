package main

import (
	"bytes"
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
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the PostgreSQL driver
)

// server gives the URL of an empty database, on a server that is named or a private one
// from the machine's programs.
func server(ctx context.Context, base string) (string, func(), error) {
	end := func() {}
	if base == "" {
		var err error
		if base, end, err = private(ctx); err != nil {
			return "", nil, err
		}
	}
	admin, err := sql.Open("pgx", base)
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = admin.Close() }()
	name := "mfa_" + strconv.Itoa(os.Getpid())
	for wait := 0; ; wait++ {
		if _, err = admin.ExecContext(ctx, "CREATE DATABASE "+name); err == nil || wait == 100 || ctx.Err() != nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err != nil {
		end()
		return "", nil, err
	}
	u, err := url.Parse(base)
	if err != nil {
		return "", nil, err
	}
	u.Path = "/" + name
	return u.String(), func() {
		if admin, err := sql.Open("pgx", base); err == nil {
			_, _ = admin.Exec("DROP DATABASE " + name + " WITH (FORCE)")
			_ = admin.Close()
		}
		end()
	}, nil
}

// private starts a server in a temporary folder.
func private(ctx context.Context) (string, func(), error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return "", nil, fmt.Errorf("no initdb under /usr/lib/postgresql")
	}
	slices.Sort(found)
	bin := filepath.Dir(found[len(found)-1])
	dir, clean, err := temporary()
	if err != nil {
		return "", nil, err
	}
	wrap := func(words ...string) []string { return words }
	if os.Getuid() == 0 { // the server refuses to run as root
		u, err := user.Lookup("postgres")
		if err != nil {
			return "", nil, err
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			return "", nil, err
		}
		wrap = func(words ...string) []string {
			return append([]string{"setpriv", "--reuid", u.Uid, "--regid", u.Gid, "--clear-groups", "--"}, words...)
		}
	}
	data := filepath.Join(dir, "data")
	words := wrap(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	init := exec.CommandContext(ctx, words[0], words[1:]...)
	init.Dir = dir
	if out, err := init.CombinedOutput(); err != nil {
		clean()
		return "", nil, fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out))
	}
	words = wrap(filepath.Join(bin, "postgres"), "-D", data, "-h", "", "-k", dir, "-c", "max_connections=200", "-c", "shared_buffers=256MB",
		"-c", "shared_preload_libraries=pg_stat_statements")
	c := exec.Command(words[0], words[1:]...)
	c.Dir = dir
	if err := c.Start(); err != nil {
		clean()
		return "", nil, err
	}
	return "postgres://postgres@/postgres?" + url.Values{"host": {dir}}.Encode(), func() {
		_ = c.Process.Signal(os.Interrupt)
		_ = c.Wait()
		clean()
	}, nil
}
