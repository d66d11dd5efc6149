// Command fraud measures how fast a large partner's use of Azure is judged: from stored parts,
// one new hour, and from JSON lines.
//
// It prints seconds and the peak of memory beside what the same machine needs to decode the
// same bytes and do nothing with them. Everything is generated, the same from the same seed,
// and never leaves a temporary folder.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// size says what is generated.
type size struct{ customers, subs, meters, days int }

// limits are what a partner of 2,000 customers and 10,000 subscriptions may cost.
const (
	limitTime   = 10 * time.Second
	limitHour   = time.Second
	limitMemory = 400 // MiB
)

func main() {
	z := size{}
	var smoke bool
	var rounds int
	var child, dir string
	flag.IntVar(&z.customers, "customers", 2000, "customers")
	flag.IntVar(&z.subs, "subscriptions", 5, "subscriptions a customer")
	flag.IntVar(&z.meters, "meters", 3, "meters a subscription, each by the hour")
	flag.IntVar(&z.days, "days", 90, "days of use")
	flag.IntVar(&rounds, "rounds", 3, "interleaved rounds")
	flag.BoolVar(&smoke, "smoke", false, "everything once, small: that it works")
	flag.StringVar(&child, "child", "", "be the process that does this with what lies in -dir")
	flag.StringVar(&dir, "dir", "", "the folder of the parts")
	flag.Parse()
	if smoke {
		z.customers, z.days, rounds = 20, 40, 1
	}
	var err error
	if child != "" {
		err = work(child, dir)
	} else {
		err = measure(z, rounds, smoke)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "fraud:", err)
		os.Exit(1)
	}
}

// once runs a child, and says what it took, as it says itself or in all, and the peak of its
// memory in MiB; cpu is what it used of processors.
func once(what, dir string) (took, cpu time.Duration, peak int64, said string, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, 0, 0, "", err
	}
	cmd := exec.Command(self, "-child", what, "-dir", dir)
	cmd.Stderr = os.Stderr
	began := time.Now()
	out, err := cmd.Output()
	took = time.Since(began)
	if err != nil {
		return 0, 0, 0, "", fmt.Errorf("%s: %w", what, err)
	}
	own, rest, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if d, err := time.ParseDuration(own); err == nil {
		took = d
	}
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		peak = u.Maxrss >> 10
	}
	return took, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), peak, rest, nil
}

func measure(z size, rounds int, smoke bool) error {
	fmt.Printf("%s, %d cores, GOMAXPROCS %d\n", runtime.Version(), runtime.NumCPU(), runtime.GOMAXPROCS(0))
	if smoke {
		fmt.Println("smoke: it shows that everything works, and nothing about speed")
	}
	dir, err := os.MkdirTemp("", "fraud-bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	bytes, err := write(dir, z)
	if err != nil {
		return err
	}
	fmt.Printf("%d customers, %d subscriptions, %d meters each, by the hour for %d days: %d MiB of parts; median of %d\n", z.customers,
		z.customers*z.subs, z.meters, z.days, bytes>>20, rounds)
	kinds := []string{"judge", "hour", "decode", "read", "bare"}
	times, used, peaks, said := map[string][]time.Duration{}, map[string][]time.Duration{}, map[string]int64{}, map[string]string{}
	for range rounds {
		for _, what := range kinds {
			took, cpu, peak, out, err := once(what, dir)
			if err != nil {
				return err
			}
			times[what], used[what] = append(times[what], took), append(used[what], cpu)
			peaks[what], said[what] = max(peaks[what], peak), out
		}
	}
	words := map[string]string{"judge": "all of it judged, from stored parts", "hour": "one new hour, of parts that are open", "decode": "the same parts, decoded and left",
		"read": "lines of use read and folded", "bare": "the same lines, decoded and left"}
	for _, what := range kinds {
		fmt.Printf("  %-40s %6.2f s  %6.2f s of processors  %4d MiB  %s\n", words[what], median(times[what]).Seconds(), median(used[what]).Seconds(), peaks[what],
			said[what])
	}
	fmt.Printf("  %-40s %6.2f s  %4d MiB; an hour %.2f s\n", "the limit", limitTime.Seconds(), limitMemory, limitHour.Seconds())
	if m, h := median(times["judge"]), median(times["hour"]); m > limitTime || peaks["judge"] > limitMemory || h > limitHour {
		return fmt.Errorf("%s and %d MiB, %s an hour are over the limit", m, peaks["judge"], h)
	}
	return nil
}

func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}
