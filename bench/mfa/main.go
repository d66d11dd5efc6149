// Command mfa measures our External MFA provider, as ratios beside a peer in one
// interleaved run.
//
//	go run .          both tables, some minutes
//	go run . -smoke   seconds: do both sides do the same work?
//
// answer: Entra ID's POST with a hint that is verified by cached keys, the challenge kept,
// the person's passcode taken, and the claim signed; beside the least that any provider
// has to do, one RSA-2048 signature made and one verified. On one core, by the processor
// time of the process. Everything that is kept is on SQLite's disk before the browser is
// sent on, and in the audit trail.
//
// codes: passcodes of 10,000 accounts on PostgreSQL by many callers at once, right, wrong
// and taken already; beside the same statements bare, without what judges between them.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// options are what is measured.
type options struct {
	smoke    bool
	only     string // answer, codes; "" is both
	rounds   int
	answers  int // of a round
	accounts int
	callers  int
	postgres string
	profile  string
}

func main() {
	var o options
	flag.BoolVar(&o.smoke, "smoke", false, "small: that both sides do the same work")
	flag.StringVar(&o.only, "only", "", "answer or codes alone")
	flag.IntVar(&o.rounds, "rounds", 5, "interleaved rounds")
	flag.IntVar(&o.answers, "answers", 400, "answers of a round")
	flag.IntVar(&o.accounts, "accounts", 10_000, "accounts on PostgreSQL")
	flag.IntVar(&o.callers, "callers", 32, "callers at once")
	flag.StringVar(&o.postgres, "postgres", "", "URL of a server on which a database may be made; default a private one")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of the answers to this file")
	flag.Parse()
	if o.smoke {
		o.rounds, o.answers, o.accounts, o.callers = 1, 40, 100, 16
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	for _, x := range []struct {
		name string
		do   func(context.Context, options) error
	}{{"answer", answers}, {"codes", codes}} {
		if o.only != "" && o.only != x.name {
			continue
		}
		if err := x.do(ctx, o); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", x.name, err)
			os.Exit(1)
		}
	}
}

// cost is what something took.
type cost struct{ cpu, wall time.Duration }

// timed says what do takes of this process's processor time, and of the clock.
func timed(do func() error) (c cost, err error) {
	runtime.GC() // what was left behind is nobody's
	before, began := spent(), time.Now()
	err = do()
	return cost{spent() - before, time.Since(began)}, err
}

func spent() time.Duration {
	var use syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &use)
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// middle is the median.
func middle[T int | float64 | time.Duration](v []T) T {
	v = slices.Clone(v)
	slices.Sort(v)
	return v[len(v)/2]
}

func temporary() (string, func(), error) {
	dir, err := os.MkdirTemp("", "partnerguard-mfa-")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}
