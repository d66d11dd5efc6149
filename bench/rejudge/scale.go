package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"database/sql"

	_ "github.com/jackc/pgx/v5/stdlib" // the PostgreSQL driver

	"partnerguard/internal/jobs"
	"partnerguard/internal/posture"
)

// scale has 1, 2 and 4 processes judge the same archive again over PostgreSQL.
func scale(ctx context.Context, z size, at string) error {
	dir, clean, err := temporary()
	if err != nil {
		return err
	}
	defer clean()
	h, err := open(ctx, dir, at)
	if err != nil {
		return err
	}
	defer func() { _ = h.Close() }()
	var total int64
	begun := time.Now()
	for n := range z.tenants {
		b, err := h.fill(ctx, z, n)
		if err != nil {
			return err
		}
		total += b
	}
	rows := z.tenants * z.days * z.rows
	fmt.Printf("scaling: %d tenants, %d days, %d sign-ins a tenant and day: %d rows, %.0f MB of pages, generated in %s\n", z.tenants, z.days, z.rows, rows,
		float64(total)/1e6, time.Since(begun).Round(time.Second))
	q, err := jobs.Open(ctx, h.DB, jobs.Options{BulkOnly: true})
	if err != nil {
		return err
	}
	var one time.Duration
	for _, n := range []int{1, 2, 4} {
		took, moments, err := h.by(ctx, q, n, z, dir, at)
		if err != nil {
			return err
		}
		if n == 1 {
			one = took
		}
		year := 2000 * 365 * time.Duration(int64(took)/int64(moments))
		fmt.Printf("scaling: %d workers: %s for %d moments, %.0f rows/s, %.2f times one; a year of 2,000 such tenants (%d million rows) would take %s\n", n,
			took.Round(10*time.Millisecond), moments, float64(rows)/took.Seconds(), one.Seconds()/took.Seconds(), 2000*365*z.rows/1e6, year.Round(time.Minute))
	}
	return nil
}

// by begins a judging again and has n processes work it.
func (h *house) by(ctx context.Context, q *jobs.Queue, n int, z size, dir, at string) (time.Duration, int, error) {
	var tenants []string
	for t := range z.tenants {
		tenants = append(tenants, tenantID(t))
	}
	// Moments stand at midnight, and a day's rows were read at ten past.
	r, err := h.Posture.Begin(ctx, q, posture.RejudgeOf{Since: first.AddDate(0, 0, 1), Until: first.AddDate(0, 0, z.days+1), Tenants: tenants, Step: 24 * time.Hour,
		Span: 24 * time.Hour, Book: "bench", Actor: "local:bench"})
	if err != nil {
		return 0, 0, err
	}
	var ends []func()
	defer func() {
		for _, end := range ends {
			end()
		}
	}()
	begun := time.Now()
	for range n {
		end, err := start(ctx, dir, at)
		if err != nil {
			return 0, 0, err
		}
		ends = append(ends, end)
	}
	if err := h.Posture.Await(ctx, q, r.ID, nil); err != nil {
		return 0, 0, err
	}
	took := time.Since(begun)
	out, err := h.Posture.Outcome(ctx, r.ID)
	if err != nil || out.Failed > 0 || out.Done != r.Total {
		return 0, 0, fmt.Errorf("%d of %d judged, %d failed: %v %w", out.Done, r.Total, out.Failed, out.Errors, err)
	}
	return took, r.Total, nil
}

// start starts a worker process, which ends with its standard input.
func start(ctx context.Context, dir, at string) (func(), error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, self, "-worker", "-dir", dir, "-postgres", at)
	c.Stderr = os.Stderr
	c.Env = append(os.Environ(), "GOMAXPROCS=1") // a worker is one core's worth
	in, err := c.StdinPipe()
	if err == nil {
		err = c.Start()
	}
	return func() { _ = in.Close(); _ = c.Wait() }, err
}

// work is a worker until standard input ends.
func work(ctx context.Context, dir, at string) error {
	h, err := open(ctx, dir, at)
	if err != nil {
		return err
	}
	defer func() { _ = h.Close() }()
	q, err := jobs.Open(ctx, h.DB, jobs.Options{BulkOnly: true, Workers: 1, Poll: 100 * time.Millisecond})
	if err == nil {
		err = h.Posture.Jobs(q)
	}
	if err == nil {
		err = q.Start(ctx)
	}
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	return q.Stop(context.WithoutCancel(ctx))
}

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
	name := "rejudge_" + strconv.Itoa(os.Getpid())
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
	words = wrap(filepath.Join(bin, "postgres"), "-D", data, "-h", "", "-k", dir, "-c", "max_connections=200", "-c", "shared_buffers=128MB")
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
