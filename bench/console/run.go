package main

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// The limits.
const (
	most95   = 100 * time.Millisecond
	most99   = 250 * time.Millisecond
	mostSent = 150_000 // bytes of a page, as they are sent
)

// tally is what was measured of one page.
type tally struct {
	took                 []time.Duration
	sent, opened, status int // the largest; a status that is not 200
	example              string
	slow                 string // the address that took longest
	export               bool
}

// total is what was measured, by page. Safe for concurrent use.
type total struct {
	mu   sync.Mutex
	by   map[string]*tally
	fail error
}

func (t *total) add(name string, export bool, v *view) {
	t.mu.Lock()
	defer t.mu.Unlock()
	x := t.by[name]
	if x == nil {
		x = &tally{export: export}
		t.by[name] = x
	}
	if v.err != nil || v.status != http.StatusOK {
		if t.fail == nil {
			t.fail = v.fault()
		}
		return
	}
	if len(x.took) == 0 || v.took > slices.Max(x.took) {
		x.slow = v.address
	}
	x.took = append(x.took, v.took)
	if v.sent > x.sent {
		x.sent, x.example = v.sent, v.address
	}
	x.opened = max(x.opened, v.opened)
}

// measure warms up, runs the closed loop beside a collection, and tells.
func (s *served) measure(ctx context.Context, o options) error {
	var users []*client
	for n := range o.users {
		var c *client
		var err error
		switch {
		case n%4 == 3 && n%8 == 7: // one of eight is staff that was given some customers, by a program
			c, err = s.program(ctx, s.tenants[:min(len(s.tenants), 40)])
		case n%4 == 3:
			c, err = s.program(ctx, nil)
		default:
			c, err = s.enter(ctx)
		}
		if err != nil {
			return fmt.Errorf("come in: %w", err)
		}
		users = append(users, c)
	}
	began := time.Now()
	list, missing, slow, err := s.look(ctx, users[0], o.pages)
	if err != nil {
		return err
	}
	fmt.Printf("%d pages, each for the first time: %s", len(list), time.Since(began).Round(time.Millisecond))
	if len(slow) > 0 {
		fmt.Printf("; slow then: %s", strings.Join(slow, ", "))
	}
	fmt.Println()
	if len(missing) > 0 {
		fmt.Printf("NOT MEASURED, the server has no such page: %s\n", strings.Join(missing, ", "))
	}
	end, err := s.beside(ctx, o)
	if err != nil {
		return err
	}
	defer end()
	stop, err := profile(o.profile)
	if err != nil {
		return err
	}
	all := &total{by: map[string]*tally{}}
	took, grew := s.loop(ctx, o, users, list, all)
	stop()
	rounds := end()
	if all.fail != nil {
		return all.fail
	}
	seen := 0
	for _, x := range all.by {
		seen += len(x.took)
	}
	fmt.Printf("%d views by %d users without a pause in %s (%.0f a second), beside %s\n", seen, o.users, took.Round(100*time.Millisecond),
		float64(seen)/took.Seconds(), rounds)
	all.tell(o.smoke)
	fmt.Println(grew)
	if o.paint {
		if err := s.paint(ctx, users[0], list); err != nil {
			fmt.Printf("first paint: NOT MEASURED: %v\n", err)
		}
	}
	return all.large()
}

// loop has the users ask until the views are done, each tenth view of the bare handler
// besides. It gives what it took, and how the heap stood on the way.
func (s *served) loop(ctx context.Context, o options, users []*client, list []asked, all *total) (time.Duration, string) {
	var done atomic.Int64
	var wait sync.WaitGroup
	early := make(chan uint64, 1)
	at, spent := int64(o.views/10), worked()
	began := time.Now()
	for n, c := range users {
		wait.Go(func() {
			r := rand.New(rand.NewPCG(uint64(n), 15))
			for ctx.Err() == nil {
				i := done.Add(1)
				if i > int64(o.views) {
					return
				}
				if i == at {
					early <- heap()
				}
				p := pick(r, list)
				v := c.get(ctx, s.at, s.address(r, p))
				if ctx.Err() != nil {
					return
				}
				if v.status == http.StatusNotFound || v.status == http.StatusForbidden {
					if c.token != "" {
						continue // not theirs
					}
				}
				all.add(p.name, p.export(), &v)
				if i%10 == 0 {
					v := c.get(ctx, s.bare, "/bare")
					all.add(bareName, false, &v)
				}
			}
		})
	}
	wait.Wait()
	took := time.Since(began)
	if done.Load() < at {
		return took, "heap: NOT MEASURED, it ended too early"
	}
	before, after := float64(<-early), float64(heap())
	views := min(done.Load(), int64(o.views))
	return took, fmt.Sprintf("heap: %.0f MB after %d views, %.0f MB after %d: %.2f times; processor: %.1f ms a view, client and collection included", before/1e6, at,
		after/1e6, views, after/before, ms(worked()-spent)/float64(views))
}

const bareName = "(bare handler)"

// heap is what is in use once what nobody wants is gone.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// worked is the processor time of this process.
func worked() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func at(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}

// tell prints a line a page, the slowest first, and the verdict.
func (t *total) tell(smoke bool) {
	names := make([]string, 0, len(t.by))
	var views []time.Duration
	for name, x := range t.by {
		slices.Sort(x.took)
		names = append(names, name)
		if name != bareName && !x.export {
			views = append(views, x.took...)
		}
	}
	slices.Sort(views)
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(at(t.by[b].took, 0.95), at(t.by[a].took, 0.95)) })
	fmt.Printf("%-20s %6s %8s %8s %8s %9s %9s\n", "page", "views", "p50 ms", "p95 ms", "p99 ms", "kB sent", "kB open")
	bare := t.by[bareName]
	for _, name := range names {
		x := t.by[name]
		fmt.Printf("%-20s %6d %8.1f %8.1f %8.1f %9.1f %9.1f", name, len(x.took), ms(at(x.took, 0.5)), ms(at(x.took, 0.95)), ms(at(x.took, 0.99)),
			float64(x.sent)/1e3, float64(x.opened)/1e3)
		if !smoke && !x.export && (at(x.took, 0.95) > most95 || at(x.took, 0.99) > most99) {
			fmt.Printf("  MISSED, slowest %s", x.slow)
		}
		fmt.Println()
	}
	n100, n250 := 0, 0
	for _, d := range views {
		if d < most95 {
			n100++
		}
		if d < most99 {
			n250++
		}
	}
	all := float64(max(len(views), 1))
	fmt.Printf("all pages: p50 %.1f, p95 %.1f, p99 %.1f ms; under 100 ms %.2f %%, under 250 ms %.2f %%", ms(at(views, 0.5)), ms(at(views, 0.95)), ms(at(views, 0.99)),
		100*float64(n100)/all, 100*float64(n250)/all)
	if bare != nil && len(bare.took) > 0 {
		fmt.Printf("; of the bare handler's: p50 %.1f, p95 %.1f, p99 %.1f times", ratio(views, bare.took, 0.5), ratio(views, bare.took, 0.95), ratio(views, bare.took, 0.99))
	}
	fmt.Println()
}

func ratio(a, b []time.Duration, share float64) float64 {
	return float64(at(a, share)) / float64(max(at(b, share), time.Microsecond))
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// large is the error of a page that is too large: that is the same on every machine.
func (t *total) large() error {
	for name, x := range t.by {
		if !x.export && x.sent > mostSent {
			return fmt.Errorf("%s is sent as %d bytes, more than %d: %s", name, x.sent, mostSent, x.example)
		}
	}
	return nil
}

// profile writes profiles into a folder, once it is stopped.
func profile(dir string) (func(), error) {
	if dir == "" {
		return func() {}, nil
	}
	f, err := os.Create(filepath.Join(dir, "cpu.pprof"))
	if err == nil {
		err = pprof.StartCPUProfile(f)
	}
	if err != nil {
		return nil, err
	}
	runtime.SetBlockProfileRate(int(100 * time.Microsecond))
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
		for _, name := range []string{"allocs", "block"} {
			if h, err := os.Create(filepath.Join(dir, name+".pprof")); err == nil {
				_ = pprof.Lookup(name).WriteTo(h, 0)
				_ = h.Close()
			}
		}
	}, nil
}
