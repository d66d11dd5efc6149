// Command console measures how fast the console answers.
//
// An installation in a temporary folder is connected to a partner cloud inside, read and
// judged once, as partnerguard up does; then it is filled to the size that is asked for.
// The whole server answers on loopback, eight users ask for pages without a pause, and a
// collection goes on beside them. A bare handler of the same kernel is asked in the same
// run: what it takes is the machine's, not the page's.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"time"
)

// options are what is measured.
type options struct {
	size
	users    int
	views    int // of the closed loop
	smoke    bool
	postgres string
	only     string // of the databases: sqlite, postgres; "" is both
	paint    bool
	profile  string // folder of profiles; "" writes none
	pages    string // comma-separated: these alone
}

// size is how much there is.
type size struct {
	tenants, accounts, trail, exceptions, dead, days int // accounts a tenant, days of history
}

func main() {
	o := options{size: size{days: 30}}
	flag.IntVar(&o.tenants, "tenants", 0, "customers; default 500 on SQLite and 2,000 on PostgreSQL")
	flag.IntVar(&o.accounts, "accounts", 0, "accounts a customer; default 100 on SQLite and 10 on PostgreSQL")
	flag.IntVar(&o.trail, "trail", 100_000, "entries of the trail")
	flag.IntVar(&o.exceptions, "exceptions", 200, "exceptions")
	flag.IntVar(&o.dead, "dead", 100, "dead jobs")
	flag.IntVar(&o.users, "users", 8, "users at once, without a pause")
	flag.IntVar(&o.views, "views", 10_000, "views")
	flag.BoolVar(&o.smoke, "smoke", false, "everything once, small: that it works")
	flag.StringVar(&o.postgres, "postgres", "", "URL of a server on which a database may be made; default a private one")
	flag.StringVar(&o.only, "only", "", "sqlite or postgres alone")
	flag.BoolVar(&o.paint, "paint", true, "first paint in Chromium too")
	flag.StringVar(&o.profile, "profile", "", "folder for profiles of the processor, of what was allocated, and of waiting")
	flag.StringVar(&o.pages, "pages", "", "these pages alone, comma-separated")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := measure(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "console:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, o options) error {
	fmt.Printf("%s, %d cores, GOMAXPROCS %d\n", runtime.Version(), runtime.NumCPU(), runtime.GOMAXPROCS(0))
	if o.smoke {
		fmt.Println("smoke: it shows that everything works, and nothing about speed")
		o.size, o.users, o.views = size{tenants: 12, accounts: 20, trail: 2_000, exceptions: 8, dead: 5, days: 5}, 4, 400
	}
	if o.only != "postgres" {
		one := o
		one.tenants, one.accounts = or(o.tenants, 500), or(o.accounts, 100)
		if err := database(ctx, one, "SQLite", ""); err != nil {
			return fmt.Errorf("over SQLite: %w", err)
		}
	}
	if o.only == "sqlite" {
		return nil
	}
	url, end, err := server(ctx, o.postgres)
	if err != nil {
		fmt.Printf("PostgreSQL: NOT MEASURED: %v\n", err)
		return nil
	}
	defer end()
	one := o
	one.tenants, one.accounts = or(o.tenants, 2000), or(o.accounts, 10)
	if err := database(ctx, one, "PostgreSQL", url); err != nil {
		return fmt.Errorf("over PostgreSQL: %w", err)
	}
	return nil
}

func or(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}

// database measures over one database, in a folder that is gone afterwards.
func database(ctx context.Context, o options, name, url string) error {
	dir, clean, err := temporary()
	if err != nil {
		return err
	}
	defer clean()
	defer debug.FreeOSMemory()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	began := time.Now()
	h, err := open(ctx, dir, url, log)
	if err != nil {
		return err
	}
	defer func() { _ = h.close() }()
	fmt.Printf("\n%s: connected and read in %s\n", name, time.Since(began).Round(100*time.Millisecond))
	if err := h.fill(ctx, &o.size); err != nil {
		return fmt.Errorf("fill it: %w", err)
	}
	fmt.Printf("%s: %d customers with %d accounts each, %d entries of the trail, %d exceptions, filled in %s\n", name, o.tenants, o.accounts, o.trail,
		o.exceptions, h.filled)
	s, err := h.serve(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	return s.measure(ctx, o)
}

func temporary() (string, func(), error) {
	dir, err := os.MkdirTemp("", "partnerguard-console-")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}
