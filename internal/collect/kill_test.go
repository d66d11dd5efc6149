package collect_test

import (
	"bytes"
	"encoding/json"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/archive/view"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/evidence"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
)

// newSpec starts a cloud and says how it is collected from.
func newSpec(t *testing.T) (spec, *labtest.Lab) {
	t.Helper()
	l := labtest.Start(t)
	g := l.Grant(labtest.PanelApp, labtest.SAMAgent)
	s := spec{Cloud: l.Cloud, Tenant: l.Info.Tenant.ID, Domain: l.Info.Tenant.Domain, Now: l.Now().Add(time.Minute).UTC().Truncate(time.Second),
		Tokens: map[string]string{l.Cloud.PartnerCenterResource: g.Access.Reveal()}}
	for _, resource := range []string{l.Cloud.GraphResource, l.Cloud.ARMResource} {
		x, err := l.API.Refresh(t.Context(), msapi.RefreshRequest{Cloud: l.Cloud, App: l.App(labtest.PanelApp), Tenant: s.Tenant, Refresh: g.Refresh,
			Scope: resource + "/.default"})
		if err != nil {
			t.Fatal(err)
		}
		s.Tokens[resource] = x.Access.Reveal()
	}
	ca, err := os.ReadFile(l.Info.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	s.CA = ca
	return s, l
}

// at is the spec with a place of its own.
func (s spec) at(t *testing.T, where string) spec {
	t.Helper()
	s.Dir, s.DB = filepath.Join(t.TempDir(), "archive"), where
	if where == "" {
		s.DB = filepath.Join(t.TempDir(), "partnerguard.db")
	}
	return s
}

// result is what stands in the archive in the end, file by file, and the ledger.
type result struct {
	files map[string][]byte
	gaps  []evidence.Gap
}

// ofRequest is what a refusal says of the one request that it answered.
var ofRequest = regexp.MustCompile(`"(date|request-id|client-request-id)": ?"[^"]*"`)

func (s spec) result(t *testing.T) result {
	t.Helper()
	o, err := s.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer o.end()
	v, err := o.archive.View(t.Context(), archive.ViewOf{Tenant: s.Tenant})
	if err != nil {
		t.Fatal(err)
	}
	out := result{files: map[string][]byte{}}
	for _, name := range v.Names() {
		if name == view.Manifest { // it names the segments, which lie otherwise
			continue
		}
		f, err := v.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(f)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out.files[name] = ofRequest.ReplaceAll(b, []byte(`"$1":""`))
		_ = f.Close()
	}
	if out.gaps, err = o.Gaps(t.Context(), s.Tenant, s.Now); err != nil {
		t.Fatal(err)
	}
	return out
}

// inOrder is what a file says, whatever the order it was read in: a log is its rows, and
// which slices they came in follows from what was late.
func inOrder(name string, b []byte) []byte {
	if !strings.HasPrefix(name, "logs/") {
		return b
	}
	rows := bytes.SplitAfter(b, []byte{'\n'})
	slices.SortFunc(rows, bytes.Compare)
	return bytes.Join(rows, nil)
}

// same holds a result to that of an undisturbed run: each file and each row of a log byte
// for byte.
func (r result) same(t *testing.T, want result) {
	t.Helper()
	var names []string
	for name := range want.files {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if got, is := r.files[name]; !is {
			t.Errorf("%s is missing", name)
		} else if !bytes.Equal(inOrder(name, got), inOrder(name, want.files[name])) {
			t.Errorf("%s differs: %d bytes, undisturbed %d", name, len(got), len(want.files[name]))
		}
	}
	if len(r.files) != len(want.files) {
		t.Errorf("%d files, undisturbed %d", len(r.files), len(want.files))
	}
	a, _ := json.Marshal(r.gaps)
	b, _ := json.Marshal(want.gaps)
	if !bytes.Equal(a, b) {
		t.Errorf("gaps %s\nundisturbed %s", a, b)
	}
}

// random is a sequence of numbers from a seed, the same each time.
type random struct{ n *big.Int }

func (r *random) below(n int) int {
	if r.n == nil {
		r.n = big.NewInt(1)
	}
	r.n.Mul(r.n, big.NewInt(6364136223846793005))
	r.n.Add(r.n, big.NewInt(1442695040888963407))
	r.n.And(r.n, new(big.Int).SetUint64(1<<64-1))
	return int(new(big.Int).Rsh(r.n, 33).Int64() % int64(n))
}

// start starts this program again as a process that collects.
func (s spec) start(t *testing.T) *exec.Cmd {
	t.Helper()
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childEnv+"="+string(raw))
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// whole says that the bad days are to be had in full.
var whole = os.Getenv("PARTNERGUARD_ATTACK") == "whole"

// kills is how often a process is killed, and by which seed.
func kills() (n int, seed int64) {
	n, seed = 6, 14
	if whole {
		n = 50
	}
	if v, err := strconv.ParseInt(os.Getenv("PARTNERGUARD_SEED"), 10, 64); err == nil {
		seed = v
	}
	return n, seed
}

// Killed with -9 at moments that nobody chose, a process that collects loses nothing
// that was kept and keeps nothing twice: what is read in the end is what an undisturbed
// one reads, byte for byte, and the ledger is the same.
func TestKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("processes are started and killed: not in short tests")
	}
	base, _ := newSpec(t)
	calm := base.at(t, "")
	began := time.Now()
	if err := calm.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began) + 200*time.Millisecond
	want := calm.result(t)
	if n := calm.pages(t, ""); len(want.files) < 25 || n < 120 {
		t.Errorf("only %d pages", n)
		t.Fatalf("only %d files: %v", len(want.files), want.gaps)
	}
	for name, where := range map[string]func() string{"sqlite": func() string { return "" }, "postgres": func() string { return dbtest.PostgresURL(t) }} {
		t.Run(name, func(t *testing.T) {
			n, seed := kills()
			r := random{big.NewInt(seed)}
			killed, places := 0, 0
			for killed < n { // one that came to its end is held to the rest, and another place begun
				s := base.at(t, where())
				places++
				for killed < n && s.killed(t, time.Duration(r.below(int(took)))) {
					killed++
				}
				if err := s.run(t.Context()); err != nil {
					t.Fatal(err)
				}
				s.result(t).same(t, want)
				s.once(t)
				if t.Failed() {
					t.Fatalf("by seed %d, after %d kills", seed, killed)
				}
			}
			t.Logf("%d kills, in %d installations", killed, places)
		})
	}
}

// killed starts a process and kills it after a while; false says that it came to its end
// before.
func (s spec) killed(t *testing.T, after time.Duration) bool {
	t.Helper()
	c := s.start(t)
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	select {
	case <-time.After(after):
		_ = c.Process.Kill()
		<-ended
		return true
	case err := <-ended:
		if err != nil {
			t.Fatalf("it failed by itself: %v", err)
		}
		return false
	}
}

// once reports pages that were kept twice.
func (s spec) once(t *testing.T) {
	t.Helper()
	o, err := s.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer o.end()
	seen := map[string]bool{}
	for seg, err := range o.archive.Segments(t.Context(), archive.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		if err := o.archive.Read(t.Context(), seg, func(p *archive.Page) error {
			key := p.Run + " " + strconv.Itoa(p.Number)
			if seen[key] {
				t.Errorf("twice: %s %s", p.Resource, key)
			}
			seen[key] = true
			return nil
		}, func(*archive.Run) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
}

// Two workers over one PostgreSQL, one of them killed with -9: nothing is missing, and
// what is read is what one alone reads.
func TestWorkers(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("processes are started and killed: not in short tests")
	}
	base, _ := newSpec(t)
	calm := base.at(t, "")
	if err := calm.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := calm.result(t)
	s := base.at(t, dbtest.PostgresURL(t))
	s.Worker = true
	first, second := s.start(t), s.start(t)
	defer func() { _ = second.Process.Kill(); _ = second.Wait() }()
	o, err := s.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer o.end()
	s.wait(t, func() bool { // it is in the middle
		v, err := o.Status(t.Context(), s.Tenant)
		return err == nil && len(v) == 1 && v[0].Counts["read"] >= 3
	})
	_ = first.Process.Kill()
	_ = first.Wait()
	s.wait(t, func() bool {
		due, err := o.Due(t.Context())
		v, serr := o.Status(t.Context(), s.Tenant)
		for _, d := range due {
			if d.Partner {
				return false
			}
		}
		return err == nil && serr == nil && len(v) == 1 && v[0].Counts["never"]+v[0].Counts["reading"] == 0
	})
	s.result(t).same(t, want)
	s.once(t)
}

func (s spec) wait(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not come to its end")
		}
	}
}

// pages counts the pages that are kept of a resource, or of all.
func (s spec) pages(t *testing.T, resource string) (n int) {
	t.Helper()
	o, err := s.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer o.end()
	for seg, err := range o.archive.Segments(t.Context(), archive.Query{Resource: resource}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range seg.Runs {
			if resource == "" || p.Resource == resource {
				n += p.Pages
			}
		}
	}
	return n
}
