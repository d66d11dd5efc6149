package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"partnerguard/internal/delegation/cover"
)

// limits are what a partner of 2,000 customers may cost.
const (
	limitTime   = 5 * time.Second
	limitMemory = 300 // MiB
)

// once runs a child, and says what it took and the peak of its memory in MiB.
func once(what, dir string) (took time.Duration, peak int64, said string, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, 0, "", err
	}
	cmd := exec.Command(self, "-child", what, "-dir", dir)
	cmd.Stderr = os.Stderr
	began := time.Now()
	out, err := cmd.Output()
	took = time.Since(began)
	if err != nil {
		return 0, 0, "", fmt.Errorf("%s: %w", what, err)
	}
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		peak = u.Maxrss >> 10
	}
	return took, peak, strings.TrimSpace(string(out)), nil
}

// beside derives the roles of a large partner beside a bare decode of the same parts.
func beside(z size, rounds int) error {
	dir, err := os.MkdirTemp("", "delegation-bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := write(dir, z); err != nil {
		return err
	}
	times, peaks, said := map[string][]time.Duration{}, map[string]int64{}, ""
	for range rounds {
		for _, what := range []string{"derive", "decode"} {
			took, peak, out, err := once(what, dir)
			if err != nil {
				return err
			}
			times[what] = append(times[what], took)
			peaks[what] = max(peaks[what], peak)
			if out != "" {
				said = out
			}
		}
	}
	items, acts, _ := strings.Cut(said, " ")
	fmt.Printf("%d customers, %s access assignments, %s recorded acts that count; median of %d\n", z.customers, items, acts, rounds)
	for _, what := range []string{"derive", "decode"} {
		words := map[string]string{"derive": "inventory and recommendation from stored parts", "decode": "the same parts, decoded and left"}[what]
		fmt.Printf("  %-48s %6.2f s  %4d MiB\n", words, median(times[what]).Seconds(), peaks[what])
	}
	fmt.Printf("  %-48s %6.2f s  %4d MiB\n", "the limit", limitTime.Seconds(), limitMemory)
	if m := median(times["derive"]); m > limitTime || peaks["derive"] > limitMemory {
		return fmt.Errorf("%s and %d MiB are over the limit", m, peaks["derive"])
	}
	return nil
}

func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}

// hard has choices made that are as hard as they come: as many roles as the directory has, each
// need met by three of them, all about as heavy. A real group needs a handful.
func hard(smoke bool) {
	fmt.Println("choices of roles, each need met by three roles of much the same weight")
	needs := []int{10, 20, 40, 80, 200, 400}
	if smoke {
		needs = needs[:2]
	}
	for _, n := range needs {
		r := rand.New(rand.NewPCG(17, uint64(n)))
		p := cover.Problem{}
		for range 145 {
			p.Costs = append(p.Costs, cover.Cost{Weight: 40 + r.IntN(20), Count: 1})
		}
		for range n {
			p.Needs = append(p.Needs, r.Perm(len(p.Costs))[:3])
		}
		began := time.Now()
		s := cover.Solve(p)
		gap := "proved"
		if !s.Exact {
			gap = fmt.Sprintf("at most %.0f %% heavier than the least", 100*float64(s.Cost.Weight-s.Bound.Weight)/float64(s.Bound.Weight))
		}
		fmt.Printf("  %3d needs: %6.1f ms, %3d roles, %s\n", n, float64(time.Since(began).Microseconds())/1000, len(s.Chosen), gap)
	}
}
