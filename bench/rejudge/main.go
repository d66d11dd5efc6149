// Command rejudge measures how fast the archive is judged again.
//
// It prints ratios: a moment judged again beside the bare fold over the same bytes,
// interleaved; and the same work done by 1, 2 and 4 worker processes over PostgreSQL.
// The archive is generated, the same from the same seed, and never leaves a
// temporary folder.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"time"
)

// size says what is generated.
type size struct {
	tenants, days, rows int // rows a tenant and day
}

func main() {
	var z size
	var smoke, worker bool
	var rounds int
	var postgres, dir string
	flag.IntVar(&z.tenants, "tenants", 200, "tenants of the scaling run")
	flag.IntVar(&z.days, "days", 14, "days of each")
	flag.IntVar(&z.rows, "rows", 120, "sign-ins a tenant and day")
	flag.IntVar(&rounds, "rounds", 5, "interleaved rounds of the ratio")
	flag.BoolVar(&smoke, "smoke", false, "everything once, small: that it works")
	flag.StringVar(&postgres, "postgres", "", "URL of a server on which a database may be made; default a private one")
	flag.BoolVar(&worker, "worker", false, "be a worker of -dir and -postgres until standard input ends")
	flag.StringVar(&dir, "dir", "", "the folder of the installation")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch {
	case worker:
		err = work(ctx, dir, postgres)
	default:
		if smoke {
			z, rounds = size{tenants: 4, days: 3, rows: 20}, 2
		}
		err = measure(ctx, z, rounds, postgres, smoke)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "rejudge:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, z size, rounds int, postgres string, smoke bool) error {
	fmt.Printf("%s, %d cores, GOMAXPROCS %d\n", runtime.Version(), runtime.NumCPU(), runtime.GOMAXPROCS(0))
	big := size{tenants: 1, days: 1, rows: 200_000}
	if smoke {
		fmt.Println("smoke: it shows that everything works, and nothing about speed")
		big.rows = 5_000
	}
	if err := ratio(ctx, big, rounds); err != nil {
		return err
	}
	url, end, err := server(ctx, postgres)
	if err != nil {
		fmt.Printf("scaling: NOT MEASURED, no PostgreSQL: %v\n", err)
		return nil
	}
	defer end()
	return scale(ctx, z, url)
}

// first is the first day of the generated year.
var first = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
