package fold

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/signin"
	"partnerguard/internal/signin/read"
)

// onlookers collects what its visitors see.
type onlookers struct {
	mu    sync.Mutex
	seen  []string
	alike map[string]string // what was said to be alike, by its numbers
	wrong string
}

func (o *onlookers) visitor() signin.Visitor { return &onlooker{all: o} }

type onlooker struct{ all *onlookers }

func (o *onlooker) See(s *signin.Sighting) {
	o.all.mu.Lock()
	defer o.all.mu.Unlock()
	if o.all.alike == nil {
		o.all.alike = map[string]string{}
	}
	if a := s.Alike; a.Book != 0 {
		for number, texts := range map[string]string{
			fmt.Sprint("who ", a.Book, a.Who):   fmt.Sprintf("%q", []string{s.UserID, s.UserPrincipalName}),
			fmt.Sprint("what ", a.Book, a.What): fmt.Sprintf("%q", []string{s.AppID, s.AppDisplayName, s.ClientAppUsed, s.Country}),
			fmt.Sprint("seen ", a.Book, a.Seen): fmt.Sprintf("%q", []string{s.Platform, s.RiskLevel, s.Program, s.Resource, s.Protocol, s.PolicyState}),
		} {
			if had, ok := o.all.alike[number]; ok && had != texts {
				o.all.wrong = number + " is " + had + " and " + texts
			}
			o.all.alike[number] = texts
		}
	}
	bare := *s
	bare.Alike = signin.Alike{}
	line := fmt.Sprintf("%+v", bare) // a copy: the texts are lent
	o.all.seen = append(o.all.seen, line)
}

// Visitors see the rows that survive in the reference, each once, however the
// input is split and spilled; and their presence changes nothing else.
func TestVisitorsSeeTheSurvivors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	users := 0
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 5))
		in := randomInput(r, r.IntN(120))
		opt := Options{CSV: r.IntN(2) == 0}
		if r.IntN(2) == 0 {
			opt.Scratch, opt.Budget = dirScratch{dir}, 1
		}
		wantJSON, wantCSV := reference(t, opt, in)
		rows, _ := surviving(opt, in)
		var want []string
		for _, s := range sightings(rows) {
			want = append(want, fmt.Sprintf("%+v", s))
		}
		users += len(want)
		slices.Sort(want)
		for range 3 {
			var all onlookers
			opt.Visit = all.visitor
			gotJSON, gotCSV := scatter(t, r, opt, in)
			slices.Sort(all.seen)
			if d := cmp.Diff(want, all.seen); d != "" {
				t.Fatalf("seed %d: sightings differ (-want +got):\n%s", seed, d)
			}
			if all.wrong != "" {
				t.Fatalf("seed %d: %s", seed, all.wrong)
			}
			if gotJSON != wantJSON || gotCSV != wantCSV {
				t.Fatalf("seed %d: a visitor changed the summary or the CSV", seed)
			}
		}
	}
	if users < 1000 {
		t.Errorf("only %d sightings", users)
	}
}

// countedScratch counts the files that are open.
type countedScratch struct {
	dir  string
	open *int
}

func (c countedScratch) Create() (File, error) {
	f, err := os.CreateTemp(c.dir, "spool")
	*c.open++
	return countedFile{f, c.open}, err
}

type countedFile struct {
	*os.File
	open *int
}

func (c countedFile) Close() error {
	*c.open--
	return c.File.Close()
}

func TestDiscardClosesTheScratchFile(t *testing.T) {
	t.Parallel()
	open := 0
	opt := Options{Scratch: countedScratch{t.TempDir(), &open}, Budget: 1}
	text := bytes.Repeat([]byte(`{"id":"x","category":"SignInLogs","time":"2024-05-01T00:00:00Z","userId":"`+strings.Repeat("u", 200)+`"}`+"\n"), 5000)
	for name, in := range map[string]io.Reader{
		"whole":  bytes.NewReader(text),
		"broken": io.MultiReader(bytes.NewReader(text), errReader{}),
	} {
		f := New(opt)
		_, err := read.ReadLines(t.Context(), in, read.Lines{Workers: 2}, f)
		if (err != nil) != (name == "broken") || open != 1 {
			t.Fatalf("%s: %v, %d files open", name, err, open)
		}
		f.Discard()
		f.Discard()
		if open != 0 {
			t.Errorf("%s: %d files open", name, open)
		}
		if _, err := f.Finish(t.Context(), nil); err == nil || f.Err() == nil {
			t.Errorf("%s: finished after Discard", name)
		}
	}
	f := New(opt)
	fork := f.Fork()
	fork.Add(&signin.Event{ID: "x"}, signin.SourceRef{})
	f.Merge(fork)
	if open != 1 {
		t.Fatalf("%d files open", open)
	}
	if _, err := f.Finish(t.Context(), nil); err != nil || open != 0 {
		t.Errorf("%v, %d files open", err, open)
	}
	f.Discard()
	f.Merge(f)
	f.Merge(fork)
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }
