//go:build unix

package archive_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/db"
	"partnerguard/internal/trail"
)

var seed = flag.Uint64("seed", 1, "of the moments at which writers are killed")

// childDir names the folder of a writer that this test binary becomes.
const childDir = "ARCHIVE_TEST_WRITER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := writer(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// place opens what a writer writes to.
func placed(ctx context.Context, dir string, now func() time.Time) (*db.DB, *trail.Trail, *archive.Archive, error) {
	d, err := db.Open(ctx, filepath.Join(dir, "partnerguard.db"))
	if err != nil {
		return nil, nil, nil, err
	}
	t, err := trail.Open(ctx, d, trail.Options{})
	if err != nil {
		return nil, nil, nil, err
	}
	a, err := archive.Open(archive.Deps{DB: d, Trail: t, Dir: filepath.Join(dir, "archive"), Now: now})
	return d, t, a, err
}

// writer commits segments for ever, each with the cursor that says how many there
// are, and tells each.
func writer(dir string) error {
	ctx := context.Background()
	d, _, a, err := placed(ctx, dir, time.Now)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for {
		text, err := d.Setting(ctx, "cursor")
		if err != nil {
			return err
		}
		n, _ := strconv.Atoi(text)
		w, err := a.Begin(tenant)
		if err != nil {
			return err
		}
		for i := range pagesEach {
			if err := w.Add(page("users", fmt.Sprint("r", n), i, content(n, i))); err != nil {
				return err
			}
		}
		_, err = w.Commit(ctx, func(ctx context.Context) error { return d.SetSetting(ctx, "cursor", strconv.Itoa(n+1)) })
		if err != nil {
			return err
		}
		fmt.Println(n + 1)
	}
}

const pagesEach = 7

func content(n, i int) string {
	h := fnv.New64a()
	fmt.Fprint(h, n, i)
	return fmt.Sprintf(`{"n":%d,"i":%d,"x":"%s"}`, n, i, strings.Repeat(fmt.Sprintf("%x", h.Sum64()), 200+50*(i%3)))
}

// Writers that are killed at any moment leave whole segments, as many as their
// cursor says, and nothing that verifying does not tell apart.
func TestKilledWriters(t *testing.T) {
	t.Parallel()
	kills := 12
	switch {
	case os.Getenv("PARTNERGUARD_ATTACK") == "whole":
		kills = 50
	case testing.Short():
		kills = 6
	}
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(*seed, 0))
	last, commit := 0, 30*time.Millisecond
	for k := range kills {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		if !lines.Scan() || lines.Text() != "ready" {
			t.Fatalf("kill %d: the writer does not start: %q", k, lines.Text())
		}
		if k%2 == 0 { // every other one is killed after its first segment, however slow the machine
			start := time.Now()
			if !lines.Scan() {
				t.Fatalf("kill %d: the writer ended", k)
			}
			last, _ = strconv.Atoi(lines.Text())
			commit = max(commit, time.Since(start))
		}
		time.Sleep(time.Duration(random.Int64N(int64(2 * commit))))
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
			last, _ = strconv.Atoi(lines.Text())
		}
		_ = cmd.Wait() // it was killed
		left(t, dir, last, k == kills-1)
	}
	if last < kills/2 {
		t.Errorf("only %d segments in %d lives", last, kills)
	}
}

// left looks at what a writer left behind.
func left(t *testing.T, dir string, told int, read bool) {
	t.Helper()
	late := func() time.Time { return time.Now().Add(48 * time.Hour) }
	d, tr, a, err := placed(t.Context(), dir, late)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	defer a.Close()
	text, err := d.Setting(t.Context(), "cursor")
	if err != nil {
		t.Fatal(err)
	}
	cursor, _ := strconv.Atoi(text)
	if cursor < told {
		t.Fatalf("%d were told, and the cursor says %d", told, cursor)
	}
	r, err := a.Verify(t.Context(), tr, archive.Verifying{})
	if err != nil || r.Err() != nil || r.Segments != cursor {
		t.Fatalf("cursor %d: %+v %v", cursor, r, err)
	}
	if _, err := a.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r, err = a.Verify(t.Context(), tr, archive.Verifying{}); err != nil || len(r.Findings) != 0 {
		t.Fatalf("after cleaning: %+v %v", r, err)
	}
	if !read {
		return
	}
	n := 0
	for s, err := range a.Segments(t.Context(), archive.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		i := 0
		err := a.Read(t.Context(), s, func(p *archive.Page) error {
			if string(p.Body) != content(n, i) {
				t.Errorf("segment %d, page %d is another", n, i)
			}
			i++
			return nil
		}, nil)
		if err != nil || i != pagesEach {
			t.Error(err, i)
		}
		n++
	}
	if n != cursor {
		t.Errorf("%d segments are read, not %d", n, cursor)
	}
	t.Logf("%d segments", n)
}
