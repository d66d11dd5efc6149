// Command bench measures the sign-in fold beside its peers on the same work in
// one interleaved run, and prints the table of ratios.
//
//	go run .            the whole table, a few minutes
//	go run . -events N  another size of the speed file
//	go run . -shapes    the shapes of exports beside JSON lines and DuckDB's CSV
//	go run . -smoke     seconds: do our counts and DuckDB's agree?
//
// Every measurement is a process of its own, so that its processor time and
// its peak memory are its own; a core count is kept with taskset where there is
// one. Figures are the best of the rounds.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

func main() {
	events := flag.Int("events", 300_000, "events of the speed file")
	rounds := flag.Int("rounds", 3, "interleaved rounds")
	small := flag.Int("small", 1_000_000, "events of the first memory run")
	large := flag.Int("large", 4_000_000, "events of the second memory run")
	check := flag.Bool("smoke", false, "only check on a small file that our counts are DuckDB's")
	shaped := flag.Bool("shapes", false, "measure the shapes of exports (-events 29000 unless given)")
	only := flag.Bool("write", false, "only write the files of the table, into -dir")
	dir := flag.String("dir", "", "where to put the files (default: a temporary folder, removed at the end)")
	flag.Parse()
	if job := os.Getenv("PARTNERGUARD_BENCH_JOB"); job != "" {
		err := profiled(func() error { return work(job, flag.Args()) })
		if err == nil {
			err = reportPeak()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, job+":", err)
			os.Exit(1)
		}
		return
	}
	if *check {
		if err := smoke(); err != nil {
			fmt.Fprintln(os.Stderr, "smoke:", err)
			os.Exit(1)
		}
		return
	}
	if *shaped {
		if n := flag.Lookup("events"); n.Value.String() == n.DefValue {
			*events = 29_000
		}
		if err := shapes(*events, *rounds, *dir); err != nil {
			fmt.Fprintln(os.Stderr, "shapes:", err)
			os.Exit(1)
		}
		return
	}
	if *only {
		if _, err := write(*dir, *events); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if err := run(*events, *rounds, *small, *large, *dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// result is one measurement.
type result struct {
	wall, cpu time.Duration
	peak      int64 // bytes
}

// best keeps the faster figures of several rounds.
func (r *result) best(o result) {
	if r.wall == 0 || o.wall < r.wall {
		r.wall = o.wall
	}
	if r.cpu == 0 || o.cpu < r.cpu {
		r.cpu = o.cpu
	}
	r.peak = max(r.peak, o.peak)
}

// reader is the program that does the job "shape".
var reader string

// measure runs one job in a process of its own on the given number of cores.
func measure(cores int, stdin func(io.Writer) error, job string, args ...string) (result, error) {
	self, err := os.Executable()
	if err != nil {
		return result{}, err
	}
	if job == "shape" {
		self = reader
	}
	argv := append([]string{self}, args...)
	if taskset, err := exec.LookPath("taskset"); err == nil && stdin == nil {
		argv = append([]string{taskset, "-c", fmt.Sprintf("0-%d", cores-1)}, argv...)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "PARTNERGUARD_BENCH_JOB="+job, "GOMAXPROCS="+strconv.Itoa(cores))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	start := time.Now()
	run := cmd.Run
	if stdin != nil {
		pipe, err := cmd.StdinPipe()
		if err != nil {
			return result{}, err
		}
		if err := cmd.Start(); err != nil {
			return result{}, err
		}
		if err := stdin(pipe); err != nil {
			return result{}, err
		}
		if err := pipe.Close(); err != nil {
			return result{}, err
		}
		run = cmd.Wait
	}
	if err := run(); err != nil {
		return result{}, fmt.Errorf("%s %v: %w", job, args, err)
	}
	r := result{wall: time.Since(start), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if _, err := fmt.Sscanf(out.String(), "peak %d kB", &r.peak); err != nil {
		return result{}, fmt.Errorf("%s: no peak in %q: %w", job, out.String(), err)
	}
	r.peak *= 1024
	return r, nil
}

// reportPeak prints the peak of this process. The kernel's figure for an ended
// child will not do: it starts from the size of the parent.
func reportPeak() error {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			_, err := fmt.Println("peak", strings.TrimSpace(rest))
			return err
		}
	}
	return errors.New("no VmHWM in /proc/self/status")
}

type job struct {
	name  string
	cores int
	kind  string
	args  []string
	size  int64 // bytes of JSON it reads
	got   result
}

func run(events, rounds, small, large int, dir string) error {
	if dir == "" {
		tmp, err := os.MkdirTemp("", "partnerguard-bench")
		if err != nil {
			return err
		}
		defer os.RemoveAll(tmp)
		dir = tmp
	}
	w, err := write(dir, events)
	if err != nil {
		return err
	}
	plain, size, varied, variedSize := w.plain, w.size, w.varied, w.variedSize
	fmt.Printf("%d events, %.2f GB, %d bytes an event; %s, %d cores\n", events, float64(size)/1e9, size/int64(events), runtime.Version(), runtime.NumCPU())
	for _, f := range []struct {
		name, path string
		size       int64
	}{{"plain", plain, size}, {"varied", varied, variedSize}} {
		fmt.Printf("%s file: ", f.name)
		for _, ext := range []string{".gz", ".zst"} {
			info, err := os.Stat(f.path + ext)
			if err != nil {
				return err
			}
			fmt.Printf(" %s %.1fx", ext, float64(f.size)/float64(info.Size()))
		}
		fmt.Println()
	}
	fmt.Println()

	csv := filepath.Join(dir, "out.csv")
	var jobs []*job
	for cores := 1; cores <= min(2, runtime.NumCPU()); cores++ {
		n := strconv.Itoa(cores)
		jobs = append(jobs,
			&job{name: "DuckDB, judge only", cores: cores, kind: "duckdb", args: []string{"judge", plain, csv, n}, size: size},
			&job{name: "DuckDB, same work", cores: cores, kind: "duckdb", args: []string{"full", plain, csv, n}, size: size},
			&job{name: "fold, summary", cores: cores, kind: "fold", args: []string{plain, ""}, size: size},
			&job{name: "fold and rehearsal", cores: cores, kind: "rehearse", args: []string{plain}, size: size},
			&job{name: "fold, summary and CSV", cores: cores, kind: "fold", args: []string{plain, csv}, size: size},
		)
	}
	cores := min(2, runtime.NumCPU())
	for _, f := range []struct {
		name, path string
		size       int64
	}{{"", plain, size}, {"varied ", varied, variedSize}} {
		for _, ext := range []string{".gz", ".zst"} {
			jobs = append(jobs,
				&job{name: "bare decoder " + f.name + ext, cores: cores, kind: "inflate", args: []string{f.path + ext}, size: f.size},
				&job{name: "fold " + f.name + ext, cores: cores, kind: "fold", args: []string{f.path + ext, ""}, size: f.size},
			)
		}
	}
	for range rounds {
		for _, j := range jobs {
			r, err := measure(j.cores, nil, j.kind, j.args...)
			if err != nil {
				return err
			}
			j.got.best(r)
		}
	}
	t := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "what\tcores\tGB/s\tGB per CPU second\tratio (wall)\tratio (CPU)\tpeak MB")
	var base result
	for _, j := range jobs {
		if j.name == "DuckDB, judge only" || j.kind == "inflate" {
			base = j.got
		}
		fmt.Fprintf(t, "%s\t%d\t%.2f\t%.2f\t%.2f\t%.2f\t%.0f\n", j.name, j.cores, float64(j.size)/1e9/j.got.wall.Seconds(),
			float64(j.size)/1e9/j.got.cpu.Seconds(),
			base.wall.Seconds()/j.got.wall.Seconds(), base.cpu.Seconds()/j.got.cpu.Seconds(), float64(j.got.peak)/1e6)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for i := 1; i < len(jobs); i++ {
		if fold, both := jobs[i-1].got, jobs[i].got; jobs[i].kind == "rehearse" {
			fmt.Printf("\non %d cores the rehearsal adds %.0f %% to the time of the fold, %.0f %% to its processor time", jobs[i].cores,
				100*(both.wall.Seconds()/fold.wall.Seconds()-1), 100*(both.cpu.Seconds()/fold.cpu.Seconds()-1))
		}
	}
	fmt.Println("\nratios are against the DuckDB or bare decoder line above; DuckDB \"judge only\" neither de-duplicates, correlates nor writes CSV")
	return memory(small, large)
}

// files are what the table is measured on.
type files struct {
	plain, varied    string
	size, variedSize int64 // bytes of JSON
}

// write writes them.
func write(dir string, events int) (f files, err error) {
	f.plain, f.varied = filepath.Join(dir, "signins.jsonl"), filepath.Join(dir, "varied.jsonl")
	if f.size, err = writeFiles(f.plain, events, false, true); err != nil {
		return f, err
	}
	f.variedSize, err = writeFiles(f.varied, events/2, true, false)
	return f, err
}

// profiled does the work, with a processor profile into the file that
// PARTNERGUARD_BENCH_PROFILE names.
func profiled(work func() error) error {
	path := os.Getenv("PARTNERGUARD_BENCH_PROFILE")
	if path == "" {
		return work()
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return work()
}

// memory shows the peak at two sizes and with a small budget.
func memory(small, large int) error {
	fmt.Println()
	t := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "memory\tevents\tpeak MB\tallowed: 64 MB + 24 B an event")
	peaks := make(map[int]int64)
	for _, m := range []struct {
		name   string
		events int
		budget string
	}{
		{"default budget", small, ""}, {"default budget", large, ""}, {"budget 1 MB", small, "1"},
	} {
		r, err := measure(min(2, runtime.NumCPU()), func(w io.Writer) error { return replay(w, m.events, false) }, "fold", "-", os.DevNull, m.budget)
		if err != nil {
			return err
		}
		if m.budget == "" {
			peaks[m.events] = r.peak
		}
		fmt.Fprintf(t, "%s\t%d\t%.1f\t%.0f\n", m.name, m.events, float64(r.peak)/1e6, 64*1.048576+24*float64(m.events)/1e6)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Printf("\n%.1f bytes an event between the two sizes\n", float64(peaks[large]-peaks[small])/float64(large-small))
	return nil
}

// writeFiles writes events compressed and, on request, plain.
func writeFiles(path string, events int, varied, plain bool) (size int64, err error) {
	var total counter
	writers := []io.Writer{&total}
	var closers []io.Closer
	extensions := []string{".gz", ".zst"}
	if plain {
		extensions = append(extensions, "")
	}
	for _, ext := range extensions {
		f, err := os.Create(path + ext)
		if err != nil {
			return 0, err
		}
		defer f.Close()
		switch ext {
		case "":
			writers = append(writers, f)
		case ".gz":
			z := gzip.NewWriter(f)
			writers, closers = append(writers, z), append(closers, z)
		case ".zst":
			z, err := zstd.NewWriter(f)
			if err != nil {
				return 0, err
			}
			writers, closers = append(writers, z), append(closers, z)
		}
	}
	if err := replay(io.MultiWriter(writers...), events, varied); err != nil {
		return 0, err
	}
	for _, c := range closers {
		if err := c.Close(); err != nil {
			return 0, err
		}
	}
	return int64(total), nil
}

// counter counts what is written.
type counter int64

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}
