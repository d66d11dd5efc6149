// Command build measures what a cold build costs, by dependency: the processor time of
// each compile, assemble and link, and the size of what comes out.
//
//	go run .            the whole program and the one for reading alone, some minutes
//	go run . -tags judge -top 30   one of them, a longer table
//	go run . -smoke     no build: does the table add up?
//
// The go command runs each tool through this program (-toolexec), which measures the
// processor time of the tool alone; waiting for a core does not count. The cache is a
// new folder, so that nothing is at hand, and is removed at the end.
package main

import (
	"bufio"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// timesEnv names the file that the tools' times are appended to.
const timesEnv = "PARTNERGUARD_BENCH_TIMES"

func main() {
	if path := os.Getenv(timesEnv); path != "" && len(os.Args) > 1 && filepath.IsAbs(os.Args[1]) {
		os.Exit(tool(path, os.Args[1:]))
	}
	tags := flag.String("tags", "", "build with these tags alone")
	top := flag.Int("top", 16, "dependencies to name")
	smoke := flag.Bool("smoke", false, "build nothing")
	flag.Parse()
	err := error(nil)
	switch {
	case *smoke:
		err = adds()
	case *tags != "":
		err = build(*tags, *top)
	default:
		if err = build("", *top); err == nil {
			err = build("judge", *top)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// tool runs one tool of the go command and notes its package and processor time.
func tool(path string, argv []string) int {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	if s := cmd.ProcessState; s != nil {
		line := fmt.Sprintf("%s %s %d\n", filepath.Base(argv[0]), cmp.Or(os.Getenv("TOOLEXEC_IMPORTPATH"), "-"), s.UserTime()+s.SystemTime())
		if f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err == nil {
			_, err = f.WriteString(line) // one write: whole lines, whoever writes
			if err = errors.Join(err, f.Close()); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
	}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return exit.ExitCode()
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// cost is what one dependency took.
type cost struct {
	name     string
	packages int
	time     time.Duration
}

// build builds into an empty cache and prints the table.
func build(tags string, top int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "partnerguard-build")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	times, out := filepath.Join(dir, "times"), filepath.Join(dir, "partnerguard")
	args := []string{"build", "-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-toolexec", self, "-o", out, "-tags", tags, "./cmd/partnerguard"}
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = root, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), timesEnv+"="+times, "GOCACHE="+filepath.Join(dir, "cache"), "CGO_ENABLED=0", "GOFLAGS=")
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return err
	}
	wall := time.Since(start)
	info, err := os.Stat(out)
	if err != nil {
		return err
	}
	list := exec.Command("go", "list", "-deps", "-tags", tags, "-f", "{{.ImportPath}} {{if .Standard}}std{{else}}{{.Module.Path}}{{end}}", "./cmd/partnerguard")
	list.Dir, list.Env, list.Stderr = root, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS="), os.Stderr
	modules, err := list.Output()
	if err != nil {
		return err
	}
	noted, err := os.ReadFile(times)
	if err != nil {
		return err
	}
	costs, err := sum(string(modules), string(noted))
	if err != nil {
		return err
	}
	word := "whole program"
	if tags != "" {
		word = "-tags " + tags
	}
	total, packages := cost{}, 0
	for _, c := range costs {
		total.time += c.time
		packages += c.packages
	}
	fmt.Printf("%s: %.0f s of processor time in tools, %.0f s with the go command itself, %.0f s by the clock; %d packages, %.1f MB stripped\n\n", word,
		total.time.Seconds(), (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), wall.Seconds(), packages, float64(info.Size())/1e6)
	return print(costs, top)
}

// sum adds the noted times by module.
func sum(modules, noted string) ([]cost, error) {
	of := map[string]string{}
	for line := range strings.Lines(modules) {
		if path, module, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			of[path] = module
		}
	}
	by, seen := map[string]*cost{}, map[string]bool{}
	s := bufio.NewScanner(strings.NewReader(noted))
	for s.Scan() {
		f := strings.Fields(s.Text())
		if len(f) < 3 {
			return nil, fmt.Errorf("no time in %q", s.Text())
		}
		ns, err := strconv.ParseInt(f[len(f)-1], 10, 64)
		if err != nil {
			return nil, err
		}
		name := cmp.Or(of[f[1]], "other")
		switch {
		case f[0] == "link":
			name = "the linker"
		case f[1] == "-":
			name = "other"
		}
		if by[name] == nil {
			by[name] = &cost{name: name}
		}
		by[name].time += time.Duration(ns)
		if f[0] == "compile" && ns > 20e6 && !seen[f[1]] { // not a question for its version
			seen[f[1]] = true
			by[name].packages++
		}
	}
	var out []cost
	for _, c := range by {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b cost) int { return cmp.Or(cmp.Compare(b.time, a.time), cmp.Compare(a.name, b.name)) })
	return out, s.Err()
}

func print(costs []cost, top int) error {
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "processor s\tpackages\t\t")
	rest := cost{name: "all others"}
	for i, c := range costs {
		if i < top {
			fmt.Fprintf(t, "%.1f\t%d\t%s\t\n", c.time.Seconds(), c.packages, c.name)
			continue
		}
		rest.time += c.time
		rest.packages += c.packages
	}
	fmt.Fprintf(t, "%.1f\t%d\t%s\t\n\n", rest.time.Seconds(), rest.packages, rest.name)
	return t.Flush()
}

// adds checks the sum on a few lines.
func adds() error {
	got, err := sum("fmt std\npartnerguard/internal/access partnerguard\n",
		"compile fmt 2000000000\nasm fmt 1000000000\ncompile partnerguard/internal/access 1500000000\nlink partnerguard/cmd/partnerguard 500000000\ncompile - 1000\n")
	if err != nil {
		return err
	}
	want := []cost{{"std", 1, 3 * time.Second}, {"partnerguard", 1, 1500 * time.Millisecond}, {"the linker", 0, 500 * time.Millisecond}, {"other", 0, 1000}}
	if !slices.Equal(got, want) {
		return fmt.Errorf("sums to %v, not %v", got, want)
	}
	fmt.Println("ok")
	return nil
}
