package worlds

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

var update = flag.Bool("update", false, "freeze the worlds anew")

const frozen = "testdata/frozen.sha256"

// whole is whether everything is tried, as `make detection` does; else some worlds of each half.
func whole() bool { return os.Getenv("PARTNERGUARD_DETECTION") == "whole" }

// each calls with the worlds that are tried, on all processors, and returns what came of each.
func each[T any](t *testing.T, pick func(n int) bool, do func(w *World) T) map[int]T {
	t.Helper()
	var wait sync.WaitGroup
	var lock sync.Mutex
	out, free := map[int]T{}, make(chan struct{}, runtime.GOMAXPROCS(0))
	for n := range Normals + Attacks {
		if !pick(n) {
			continue
		}
		wait.Add(1)
		free <- struct{}{}
		go func() {
			defer func() { <-free; wait.Done() }()
			got := do(New(n))
			lock.Lock()
			out[n] = got
			lock.Unlock()
		}()
	}
	wait.Wait()
	return out
}

// TestFrozen: nobody changes a world silently, and least of all to please the detector.
func TestFrozen(t *testing.T) {
	t.Parallel()
	sums := each(t, func(n int) bool { return *update || whole() || n%9 == 0 }, (*World).Sum)
	if *update {
		var b strings.Builder
		for n := range Normals + Attacks {
			fmt.Fprintf(&b, "%s  %03d\n", sums[n], n)
		}
		if err := os.WriteFile(frozen, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(frozen)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(want) != Normals+Attacks {
		t.Fatalf("%d worlds are frozen", len(want))
	}
	for n, sum := range sums {
		if got := fmt.Sprintf("%s  %03d", sum, n); got != want[n] {
			t.Errorf("world %d is another than the one that was frozen", n)
		}
	}
}

// TestTruth: each attack costs money in its subscription only, and both halves have everything.
func TestTruth(t *testing.T) {
	t.Parallel()
	type seen struct{ trait, half string }
	worlds := each(t, func(int) bool { return true }, func(w *World) *World { return w })
	count := map[seen]int{}
	for n, w := range worlds {
		half := map[bool]string{true: "test", false: "train"}[w.Test()]
		count[seen{w.Trait, half}]++
		if w.Normal() != (n < Normals) || w.Days < 30 || w.Days > 120 || len(w.subscriptions()) > 31 {
			t.Errorf("world %d: %d days, %d subscriptions, %d attacks", n, w.Days, len(w.subscriptions()), len(w.Truth))
		}
		for _, a := range w.Truth {
			count[seen{a.Hidden, half}]++
			if a.First.Before(w.Start.AddDate(0, 0, 3)) || a.Running.Before(a.First) || !a.Until.After(a.Running) || a.Lost(w, a.Until) < 500 ||
				a.Lost(w, a.First.Add(-2*time.Hour)) != 0 {
				t.Errorf("world %d: %s of %s %s runs from %s until %s and costs %.0f",
					n, a.Kind, a.Subscription, a.First, a.Running, a.Until, a.Lost(w, a.Until))
			}
			for _, th := range w.things {
				if th.evil == a && th.sub.ID != a.Subscription {
					t.Errorf("world %d: %s is not in the attacked subscription", n, th.name)
				}
			}
		}
	}
	for _, half := range []string{"train", "test"} {
		for _, tr := range traits {
			if count[seen{tr.name, half}] != Normals/2/len(traits) {
				t.Errorf("%d worlds of %s in %s", count[seen{tr.name, half}], tr.name, half)
			}
		}
		for _, k := range kinds {
			if count[seen{k.name, half}] != 5 {
				t.Errorf("%d attacks %s in %s", count[seen{k.name, half}], k.name, half)
			}
		}
		for _, way := range hidings {
			if n := count[seen{way, half}]; n < 3 {
				t.Errorf("%d attacks that hide by %q in %s", n, way, half)
			}
		}
	}
}

// TestFiles: what is written is JSON, a line each, and a thing's cost is on the bill.
func TestFiles(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 7, 23, 111, 201, 214, 228, 245} {
		w := New(n)
		rows := map[string]int{}
		err := w.files(func(name string, text []byte) error {
			kind, _, _ := strings.Cut(name, "/")
			if strings.HasSuffix(name, ".yaml") {
				var doc struct{ Deployments []map[string]any }
				if err := yaml.Unmarshal(text, &doc); err != nil || len(doc.Deployments) != len(w.wins) {
					t.Errorf("world %d: %s: %v, %d", n, name, err, len(doc.Deployments))
				}
				return nil
			}
			if name == "customers.json" {
				if w.style.lists != "lines" && !json.Valid(text) {
					t.Errorf("world %d: %s is no JSON", n, name)
				}
				return nil
			}
			lines := bufio.NewScanner(bytes.NewReader(text))
			lines.Buffer(nil, 1<<20)
			for lines.Scan() {
				rows[kind]++
				if !json.Valid(lines.Bytes()) {
					t.Fatalf("world %d: %s: no JSON: %s", n, name, lines.Text())
				}
			}
			return lines.Err()
		})
		if err != nil || rows["usage"] < 100 || rows["activity"] < 20 {
			t.Errorf("world %d: %v %v", n, rows, err)
		}
	}
}

// TestWrite: the folder that others' programs read is there, packed or not.
func TestWrite(t *testing.T) {
	t.Parallel()
	for _, n := range []int{3, 4} {
		dir := t.TempDir()
		if err := New(n).Write(dir); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"customers.json", "usage/*.jsonl*", "activity/*.jsonl*"} {
			if got, err := filepath.Glob(filepath.Join(dir, want)); err != nil || len(got) == 0 {
				t.Errorf("world %d: no %s", n, want)
			}
		}
	}
}
