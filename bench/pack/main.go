// Pack measures what making a pack costs over writing the same bytes as a ZIP by
// archive/zip, and what verifying one costs over the SHA-256 of its bytes and the fold of
// its evidence, which are what nobody can do without.
//
//	go run .          the table, a minute or two
//	go run . -smoke   seconds: is what is made one that holds?
//
// Rounds are interleaved and the best of each counts. The bounds are of processor time,
// which a machine that does other work at the same time changes least.
package main

import (
	"archive/zip"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/db"
	"partnerguard/internal/pack"
	"partnerguard/internal/pack/form"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

const tenant = "0a1b2c3d-0000-4000-8000-000000000001"

var day = time.Date(2026, 10, 12, 12, 0, 0, 0, time.UTC)

func main() {
	size := flag.Int("mb", 1024, "megabytes of evidence, as the archive keeps it")
	rounds := flag.Int("rounds", 3, "of each, the best counts")
	smoke := flag.Bool("smoke", false, "little evidence, only that what is made holds")
	flag.Parse()
	if *smoke {
		*size, *rounds = 16, 1
	}
	if err := run(context.Background(), *size, *rounds, *smoke); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// one is a vault of one secret.
type one struct{ has *secret.Text }

func (o *one) Get(context.Context, vault.Ref) (secret.Text, error) {
	if o.has == nil {
		return secret.Text{}, problem.New(problem.NotFound, "none")
	}
	return *o.has, nil
}
func (o *one) Put(_ context.Context, _ vault.Ref, s secret.Text) error { o.has = &s; return nil }

// count is the fold: every byte that a judge would read is read.
func count(_ context.Context, e *pack.Evidence) ([]form.Verdict, error) {
	var n int64
	err := fs.WalkDir(e.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == "archive-view.json" {
			return err
		}
		f, err := e.FS.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		got, err := io.Copy(struct{ io.Writer }{io.Discard}, f)
		n += got
		return err
	})
	return []form.Verdict{{Requirement: "bytes", AsOf: e.Manifest.AsOf, Verdict: "met", Total: int(n)}}, err
}

// house is what packs are made of.
type house struct {
	store  *pack.Store
	signer *trail.Signer
	pages  [][]byte // as they were kept
}

func build(ctx context.Context, dir string, size int) (*house, error) {
	d, err := db.Open(ctx, filepath.Join(dir, "bench.db"))
	if err != nil {
		return nil, err
	}
	now := func() time.Time { return day.AddDate(0, 0, 2) }
	t, err := trail.Open(ctx, d, trail.Options{Now: now})
	if err != nil {
		return nil, err
	}
	a, err := archive.Open(archive.Deps{DB: d, Trail: t, Dir: filepath.Join(dir, "archive"), Now: now})
	if err != nil {
		return nil, err
	}
	h := &house{}
	if err := h.fill(ctx, a, size); err != nil {
		return nil, err
	}
	if h.signer, err = t.Signer(ctx, &one{}); err != nil {
		return nil, err
	}
	h.store, err = pack.New(pack.Deps{DB: d, Archive: a, Trail: t, Now: now, Tool: "bench",
		Signer: func(context.Context) (*trail.Signer, error) { return h.signer, nil },
		Judge: func(ctx context.Context, e *pack.Evidence) (*pack.Judged, error) {
			v, err := count(ctx, e)
			return &pack.Judged{Verdicts: v}, err
		}})
	return h, err
}

// fill keeps pages of about 2 MB whose text hardly compresses, ten a segment.
func (h *house) fill(ctx context.Context, a *archive.Archive, size int) error {
	for n := 0; size > 0; n++ {
		w, err := a.Begin(tenant)
		if err != nil {
			return err
		}
		run := fmt.Sprintf("r%08d", n)
		at := day.Add(time.Duration(n) * time.Second)
		k := 0
		for ; k < 10 && size > 0; k++ {
			raw := make([]byte, 1_000_000)
			_, _ = rand.Read(raw)
			body := fmt.Appendf(nil, `{"value":[{"id":"%d","x":%q}]}`, k, base64.StdEncoding.EncodeToString(raw))
			if err := w.Add(archive.Page{Tenant: tenant, Resource: "signIns.interactiveUser", Run: run, Number: k, Request: "GET /auditLogs/signIns",
				Status: 200, From: at.Add(-time.Hour), To: at, At: at, Body: body}); err != nil {
				return err
			}
			h.pages = append(h.pages, body)
			size--
		}
		end := archive.Run{ID: run, Tenant: tenant, Resource: "signIns.interactiveUser", Way: "sliced", Ended: at, Whole: true, Pages: k}
		if err := w.End(end); err != nil {
			return err
		}
		if _, err := w.Commit(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

func processor() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// best are the best times of a work.
type best struct{ wall, cpu time.Duration }

func (b *best) take(work func() error) error {
	from, cpu := time.Now(), processor()
	if err := work(); err != nil {
		return err
	}
	wall, used := time.Since(from), processor()-cpu
	if b.wall == 0 || wall < b.wall {
		b.wall = wall
	}
	if b.cpu == 0 || used < b.cpu {
		b.cpu = used
	}
	return nil
}

func run(ctx context.Context, size, rounds int, smoke bool) error {
	dir, err := os.MkdirTemp("", "bench-pack-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	h, err := build(ctx, dir, size)
	if err != nil {
		return err
	}
	var making, zipping, storing, verifying, hashing, folding best
	path := filepath.Join(dir, "pack.zip")
	for range rounds {
		_ = os.Remove(path)
		o := pack.Options{Tenant: tenant, From: day.AddDate(0, 0, -11), To: day.AddDate(0, 0, 1), Reader: "auditor", Out: path}
		if err := making.take(func() error { _, err := h.store.Make(ctx, o); return err }); err != nil {
			return err
		}
		if err := zipping.take(func() error { return peer(path, filepath.Join(dir, "peer.zip"), zip.Deflate) }); err != nil {
			return err
		}
		if err := storing.take(func() error { return peer(path, filepath.Join(dir, "peer.zip"), zip.Store) }); err != nil {
			return err
		}
		if err := verifying.take(func() error { return verify(ctx, path, h.signer) }); err != nil {
			return err
		}
		if err := hashing.take(func() error { return sum(path) }); err != nil {
			return err
		}
		if err := folding.take(func() error { return fold(ctx, path) }); err != nil {
			return err
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	fmt.Printf("a pack of %.0f MB, %d pages\n\n", float64(info.Size())/1e6, len(h.pages))
	if smoke {
		fmt.Println("it holds")
		return nil
	}
	rate := func(b best) string {
		return fmt.Sprintf("%8.2f s %8.2f s of processors, %6.0f MB/s", b.wall.Seconds(), b.cpu.Seconds(), float64(info.Size())/1e6/b.wall.Seconds())
	}
	fmt.Println("judging and making        ", rate(making))
	fmt.Println("archive/zip, deflated     ", rate(zipping))
	fmt.Println("archive/zip, stored       ", rate(storing))
	fmt.Println("verifying and judging     ", rate(verifying))
	fmt.Println("SHA-256 of the file       ", rate(hashing))
	fmt.Println("the fold of the evidence  ", rate(folding))
	fmt.Printf("\nmaking is at %.0f %% of the ZIP (bound 80; %.0f %% of one that is stored), "+
		"verifying at %.0f %% of SHA-256 and the fold (bound 70), by processor time\n",
		100*zipping.cpu.Seconds()/making.cpu.Seconds(), 100*storing.cpu.Seconds()/making.cpu.Seconds(),
		100*(hashing.cpu+folding.cpu).Seconds()/verifying.cpu.Seconds())
	return nil
}

// peer writes the entries of a pack as archive/zip does: deflated where it is not told
// otherwise, or stored as they are in a pack.
func peer(from, to string, method uint16) error {
	in, err := zip.OpenReader(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer out.Close()
	z := zip.NewWriter(out)
	for _, f := range in.File {
		r, err := f.Open()
		if err != nil {
			return err
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.Name, Method: method})
		if err == nil {
			_, err = io.Copy(w, r)
		}
		if err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	return out.Sync()
}

func verify(ctx context.Context, path string, s *trail.Signer) error {
	r, err := pack.VerifyFile(ctx, path, form.Trust{Key: s.Verifier()}, count, nil)
	if err == nil {
		err = r.Err()
	}
	if err == nil && !r.Rejudged {
		err = fmt.Errorf("its verdicts did not come out again: %s", r.NotJudged)
	}
	return err
}

func sum(path string) error {
	raw, err := os.Open(path)
	if err != nil {
		return err
	}
	defer raw.Close()
	_, err = io.CopyBuffer(struct{ io.Writer }{sha256.New()}, struct{ io.Reader }{raw}, make([]byte, 1<<18))
	return err
}

func fold(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	r, err := form.Open(f, info.Size())
	if err != nil {
		return err
	}
	m, err := r.ReadManifest()
	if err != nil {
		return err
	}
	v, err := pack.View(ctx, r, m)
	if err != nil {
		return err
	}
	_, err = count(ctx, &pack.Evidence{FS: v, Manifest: m})
	return err
}
