// Archive measures what keeping pages costs over writing the same zstd stream
// plainly, and what reading them by the view costs over the bare fold of the same
// bytes.
//
//	go run .          the table, a minute
//	go run . -smoke   seconds: do both give the same counts?
//
// Rounds are interleaved and the best of each counts. The bounds are of processor
// time, which a machine that does other work at the same time changes least.
package main

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/archive"
	"partnerguard/internal/db"
	"partnerguard/internal/facts"
	"partnerguard/internal/trail"
)

func main() {
	rows := flag.Int("rows", 300_000, "sign-ins")
	rounds := flag.Int("rounds", 5, "of each, the best counts")
	smoke := flag.Bool("smoke", false, "few rows, agreement only")
	flag.Parse()
	if *smoke {
		*rows, *rounds = 20_000, 1
	}
	if err := run(context.Background(), *rows, *rounds, *smoke); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, rows, rounds int, smoke bool) error {
	dir, err := os.MkdirTemp("", "bench-archive-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	pages, size, err := generate(rows)
	if err != nil {
		return err
	}
	fmt.Printf("%d sign-ins in %d pages, %.0f MB\n\n", rows, len(pages), float64(size)/1e6)
	d, err := db.Open(ctx, filepath.Join(dir, "bench.db"))
	if err != nil {
		return err
	}
	defer d.Close()
	t, err := trail.Open(ctx, d, trail.Options{})
	if err != nil {
		return err
	}
	open := func(n int) (*archive.Archive, error) {
		return archive.Open(archive.Deps{DB: d, Trail: t, Dir: filepath.Join(dir, fmt.Sprint("archive", n))})
	}

	// Writing: each round writes all pages once plainly and once to the archive.
	var plain, kept []cost
	var a *archive.Archive
	var tenant string
	for n := range rounds {
		p, err := took(func() error { return writePlain(filepath.Join(dir, fmt.Sprint("plain", n)), pages) })
		if err != nil {
			return err
		}
		if a, err = open(n); err != nil {
			return err
		}
		defer a.Close()
		tenant = fmt.Sprint("bench-", n)
		k, err := took(func() error { return writeArchive(ctx, a, tenant, pages) })
		if err != nil {
			return err
		}
		plain, kept = append(plain, p), append(kept, k)
	}
	over := row("append", "plain zstd", "archive", size, plain, kept)
	fmt.Printf("    %+.1f %% of processor, %+.1f %% of the clock (at most +15 %%)\n", (over.cpu-1)*100, (over.wall-1)*100)

	// Reading: the bare fold reads the same rows as JSON lines in one zstd file.
	bare := filepath.Join(dir, "rows.jsonl.zst")
	if err := writeLines(bare, pages); err != nil {
		return err
	}
	var want, got *facts.Facts
	var fold, view []cost
	for range rounds {
		f, err := took(func() (err error) { want, err = app.Read(ctx, app.Reading{From: []string{bare}}, nil); return err })
		if err != nil {
			return err
		}
		v, err := took(func() (err error) {
			got, err = app.Read(ctx, app.Reading{From: []string{"archive:" + tenant}, Archive: func(ctx context.Context, of app.Archived) (fs.FS, error) {
				return a.View(ctx, archive.ViewOf{Tenant: of.Tenant})
			}}, nil)
			return err
		})
		if err != nil {
			return err
		}
		fold, view = append(fold, f), append(view, v)
	}
	if w, g := want.SignIns, got.SignIns; w == nil || g == nil || w.Rows != g.Rows || w.Duplicates != g.Duplicates || w.Verdicts != g.Verdicts {
		return fmt.Errorf("they do not agree: %+v and %+v", w, g)
	}
	share := row("read", "bare fold", "view", size, fold, view)
	fmt.Printf("    %.0f %% of processor, %.0f %% of the clock (at least 80 %%)\n", 100/share.cpu, 100/share.wall)
	if smoke {
		fmt.Println("the counts agree")
		return nil
	}
	if over.cpu > 1.15 || share.cpu > 1/0.8 {
		return fmt.Errorf("a bound is not kept")
	}
	return nil
}

// cost is what a piece of work took: of the clock, and of all processors.
type cost struct{ wall, cpu time.Duration }

func took(do func() error) (cost, error) {
	runtime.GC() // of the round before
	start, before := time.Now(), processor()
	err := do()
	return cost{time.Since(start), processor() - before}, err
}

// processor is the processor time of this process.
func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// best is the least of each.
func best(list []cost) cost {
	b := list[0]
	for _, c := range list {
		b = cost{min(b.wall, c.wall), min(b.cpu, c.cpu)}
	}
	return b
}

func rate(size int64, of time.Duration) float64 { return float64(size) / 1e6 / of.Seconds() }

// times is how many times as much something costs.
type times struct{ wall, cpu float64 }

// row prints one line of the table and gives how b compares to a.
func row(what, an, bn string, size int64, a, b []cost) times {
	x, y := best(a), best(b)
	fmt.Printf("%-8s%-11s %6.0f MB/s, %6.0f MB/s of processor    %-8s %6.0f MB/s, %6.0f MB/s of processor", what, an, rate(size, x.wall), rate(size, x.cpu),
		bn, rate(size, y.wall), rate(size, y.cpu))
	return times{float64(y.wall) / float64(x.wall), float64(y.cpu) / float64(x.cpu)}
}
