package trail_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
	"partnerguard/internal/trail"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 123456000, time.UTC)

func open(t testing.TB, d *db.DB) *trail.Trail {
	t.Helper()
	tr, err := trail.Open(t.Context(), d, trail.Options{Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func event(n int) audit.Event {
	return audit.Event{At: noon.Add(time.Duration(n) * time.Second), Action: audit.TokenIssued, Outcome: audit.Done,
		Actor: fmt.Sprintf("mtls:caller-%d", n%3), Tenant: "t1", Details: map[string]string{"n": fmt.Sprint(n), "resource": "graph"}}
}

func record(t testing.TB, tr *trail.Trail, from, to int) {
	t.Helper()
	within(t.Context(), t, tr, from, to)
}

func within(ctx context.Context, t testing.TB, tr *trail.Trail, from, to int) {
	t.Helper()
	for n := from; n <= to; n++ {
		if err := tr.Record(ctx, event(n)); err != nil {
			t.Fatal(err)
		}
	}
}

func holds(t testing.TB, tr *trail.Trail, want int64) trail.Report {
	t.Helper()
	r, err := tr.Verify(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Bad != nil || r.Entries != want {
		t.Fatalf("%d entries, %+v; want %d that hold", r.Entries, r.Bad, want)
	}
	return r
}

// The form is a contract: an auditor's own program recomputes it.
func TestCanonical(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		e    audit.Event
		want string
	}{
		"least": {audit.Event{At: noon, Action: "a.b", Outcome: audit.Done},
			`{"seq":7,"at":"2026-11-22T12:00:00.123456Z","action":"a.b","outcome":"done","actor":""}`},
		"all, sorted, whole microseconds in UTC": {audit.Event{At: time.Date(2026, 1, 2, 3, 4, 5, 999, time.FixedZone("", 3600)), Action: "a", Outcome: "o",
			Actor: "x", Object: "y", Tenant: "z", Reason: "r", Details: map[string]string{"b": "2", "a": "1"}},
			`{"seq":7,"at":"2026-01-02T02:04:05.000000Z","action":"a","outcome":"o","actor":"x","object":"y","tenant":"z","reason":"r","details":{"a":"1","b":"2"}}`},
		"escapes": {audit.Event{At: noon, Actor: "q\" b\\ n\n z\x00 d\x7f <&> ü \xff"},
			`{"seq":7,"at":"2026-11-22T12:00:00.123456Z","action":"","outcome":"","actor":"q\" b\\ n\u000a z\u0000 d\u007f <&> ü ` + "\ufffd" + `"}`},
	} {
		if got := string(trail.Canonical(7, c.e)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
	long := trail.Canonical(1, audit.Event{At: noon, Actor: strings.Repeat("ü", 5000), Reason: strings.Repeat("x", 1<<20)})
	if len(long) > 4096 || !json.Valid(long) || !strings.Contains(string(long), "…") {
		t.Errorf("%d bytes of a long entry, valid %v", len(long), json.Valid(long))
	}
}

func TestRecordAndVerify(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		tr := open(t, d)
		holds(t, tr, 0)
		record(t, tr, 1, 5)
		record(t, tr, 6, 6)
		stop := errors.New("stop")
		if err := d.InTx(t.Context(), func(ctx context.Context) error {
			within(ctx, t, tr, 7, 8)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if err := d.InTx(t.Context(), func(ctx context.Context) error {
			within(ctx, t, tr, 9, 9)
			return stop
		}); !errors.Is(err, stop) {
			t.Fatal(err)
		}
		r := holds(t, tr, 8) // what was undone is not there
		// The second opening goes on with the same chain.
		again := open(t, d)
		record(t, again, 9, 9)
		holds(t, tr, 9)
		if r, err := tr.Verify(t.Context(), &r.Head.Hash); err != nil || r.Bad != nil {
			t.Errorf("a head of before: %v %v", r.Bad, err)
		}
		head, err := tr.Head(t.Context())
		if err != nil || head.Seq != 9 {
			t.Errorf("head %v %v", head, err)
		}
		strange := trail.Hash(sha256.Sum256([]byte("other")))
		if r, err := tr.Verify(t.Context(), &strange); err != nil || r.Bad == nil || !strings.Contains(r.Bad.Words, "was cut off") {
			t.Errorf("a strange head: %v %v", r.Bad, err)
		}
	})
}

// Two openings stand for two processes; each has many recorders, some within
// transactions of their own.
func TestManyAtOnceMakeOneChain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var wg sync.WaitGroup
		for p := range 2 {
			tr := open(t, d)
			for w := range 40 {
				wg.Go(func() {
					for n := range 10 {
						var err error
						if w%8 == 0 && n%5 == 0 {
							err = d.InTx(t.Context(), func(ctx context.Context) error { return tr.Record(ctx, event(p)) })
						} else {
							err = tr.Record(t.Context(), event(p))
						}
						if err != nil {
							t.Error(err)
						}
					}
				})
			}
		}
		wg.Wait()
		holds(t, open(t, d), 800)
		var pages int
		if err := d.QueryRow("SELECT count(*) FROM trail_pages").Scan(&pages); err != nil || pages > 700 {
			t.Errorf("%d pages for 800 entries, %v: commits are not shared", pages, err)
		}
	})
}

// What a hand in the database can do, and where Verify says it was.
func TestTampering(t *testing.T) {
	t.Parallel()
	edit := func(from, to string) func(*testing.T, *db.DB) {
		return func(t *testing.T, d *db.DB) {
			exec(t, d, "UPDATE trail_pages SET entries = replace(entries, $1, $2)", from, to)
		}
	}
	for name, c := range map[string]struct {
		do    func(*testing.T, *db.DB)
		at    int64
		words string
	}{
		"a word edited":            {edit(`"n":"4"`, `"n":"5"`), 4, "does not follow"},
		"an entry renumbered":      {edit(`{"seq":4,`, `{"seq":9,`), 4, "entry 9 stands"},
		"number made unreadable":   {edit(`{"seq":4,`, `{"seq":04,`), 4, "cannot be read"},
		"a page deleted":           {func(t *testing.T, d *db.DB) { exec(t, d, "DELETE FROM trail_pages WHERE first = 3") }, 3, "missing"},
		"the first page deleted":   {func(t *testing.T, d *db.DB) { exec(t, d, "DELETE FROM trail_pages WHERE first = 1") }, 1, "missing"},
		"the last page deleted":    {func(t *testing.T, d *db.DB) { exec(t, d, "DELETE FROM trail_pages WHERE first = 7") }, 7, "cut off"},
		"all pages deleted":        {func(t *testing.T, d *db.DB) { exec(t, d, "DELETE FROM trail_pages") }, 1, "cut off"},
		"two pages change places":  {swap, 3, "stands in its place"},
		"a line cut out of a page": {cutLine, 5, "missing"},
		"times of a page changed":  {func(t *testing.T, d *db.DB) { exec(t, d, "UPDATE trail_pages SET latest = latest + 1 WHERE first = 2") }, 2, "of itself"},
		"end of a page changed":    {func(t *testing.T, d *db.DB) { exec(t, d, "UPDATE trail_pages SET last = 99 WHERE first = 3") }, 3, "of itself"},
		"head row's number lowered": {func(t *testing.T, d *db.DB) {
			exec(t, d, "UPDATE trail_head SET size = 4, nodes = substr(nodes, 1, 32)")
		}, 5, "head row"},
		"head row's nodes changed": {func(t *testing.T, d *db.DB) {
			exec(t, d, "UPDATE trail_head SET nodes = CAST(substr(nodes, 33) || substr(nodes, 1, 32) AS BLOB)")
		}, 1, "head row"},
		"an entry and its hash":      {rehash, 1, "do not make the tree"},
		"a page inserted in between": {func(t *testing.T, d *db.DB) { forge(t, d, 5, "x") }, 5, "inserted"},
		"a page inserted before":     {func(t *testing.T, d *db.DB) { forge(t, d, -3, "x") }, 1, "inserted"},
		"a page put after the end":   {func(t *testing.T, d *db.DB) { forge(t, d, 8, "x") }, 8, "cannot be read"},
		"an emptied page":            {func(t *testing.T, d *db.DB) { exec(t, d, "UPDATE trail_pages SET entries = '' WHERE first = 2") }, 2, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := dbtest.SQLite(t)
			tr := open(t, d)
			record(t, tr, 1, 3) // pages 1, 2, 3 … and one of three entries
			if err := d.InTx(t.Context(), func(ctx context.Context) error { return nil }); err != nil {
				t.Fatal(err)
			}
			three(t, d, tr, 4, 6)
			record(t, tr, 7, 7)
			holds(t, tr, 7)
			c.do(t, d)
			r, err := tr.Verify(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if r.Bad == nil || r.Bad.Seq != c.at || !strings.Contains(r.Bad.Words, c.words) {
				t.Fatalf("%+v; want entry %d: %s", r.Bad, c.at, c.words)
			}
			if !errors.Is(r.Err(), problem.Unmet) {
				t.Error("no failure for scripts")
			}
		})
	}
	t.Run("the end cut off and the head row set back", func(t *testing.T) {
		t.Parallel()
		d := dbtest.SQLite(t)
		tr := open(t, d)
		record(t, tr, 1, 2)
		var nodes []byte
		if err := d.QueryRow("SELECT nodes FROM trail_head").Scan(&nodes); err != nil {
			t.Fatal(err)
		}
		record(t, tr, 3, 4)
		noted, err := tr.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		exec(t, d, "DELETE FROM trail_pages WHERE first > 2")
		exec(t, d, "UPDATE trail_head SET size = 2, nodes = $1", nodes)
		holds(t, tr, 2) // alone it cannot be seen
		r, err := tr.Verify(t.Context(), &noted.Hash)
		if err != nil || r.Bad == nil || r.Bad.Seq != 3 {
			t.Errorf("with the head that was written down: %+v %v", r.Bad, err)
		}
	})
}

func exec(t *testing.T, d *db.DB, q string, args ...any) {
	t.Helper()
	if _, err := d.Exec(q, args...); err != nil {
		t.Fatal(err)
	}
}

// three makes one page, of three or more entries, out of single ones, as one commit
// would have.
func three(t *testing.T, d *db.DB, tr *trail.Trail, from, to int) {
	t.Helper()
	record(t, tr, from, to)
	var text []string
	rows, err := d.Query("SELECT entries FROM trail_pages WHERE first >= $1 ORDER BY first", from)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		text = append(text, s)
	}
	exec(t, d, "DELETE FROM trail_pages WHERE first > $1", from)
	exec(t, d, "UPDATE trail_pages SET last = $1, latest = $2, entries = $3 WHERE first = $4", to, event(to).At.UnixMicro(), strings.Join(text, "\n"), from)
}

// rehash edits an entry as one does who knows how its hash is made.
func rehash(t *testing.T, d *db.DB) {
	var s string
	if err := d.QueryRow("SELECT entries FROM trail_pages WHERE first = 7").Scan(&s); err != nil {
		t.Fatal(err)
	}
	_, canonical, _ := strings.Cut(s, " ")
	canonical = strings.Replace(canonical, `"n":"7"`, `"n":"8"`, 1)
	exec(t, d, "UPDATE trail_pages SET entries = $1 WHERE first = 7", fmt.Sprintf("%x %s", sha256.Sum256([]byte("\x00"+canonical)), canonical))
}

func swap(t *testing.T, d *db.DB) {
	exec(t, d, "UPDATE trail_pages SET first = 1000 WHERE first = 3")
	exec(t, d, "UPDATE trail_pages SET first = 3 WHERE first = 7")
	exec(t, d, "UPDATE trail_pages SET first = 7 WHERE first = 1000")
}

func cutLine(t *testing.T, d *db.DB) {
	var s string
	if err := d.QueryRow("SELECT entries FROM trail_pages WHERE first = 4").Scan(&s); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(s, "\n")
	exec(t, d, "UPDATE trail_pages SET entries = $1 WHERE first = 4", lines[0]+"\n"+lines[2])
}

func forge(t *testing.T, d *db.DB, first int64, text string) {
	exec(t, d, "INSERT INTO trail_pages VALUES ($1, $1, 0, 0, $2)", first, text)
}

// A forged page must be found wherever the pages' reading happens to pause.
func TestInsertedPageIsFoundAnywhere(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	tr := open(t, d)
	// The wide page is the last that is read before a pause.
	record(t, tr, 1, 15)
	three(t, d, tr, 16, 40)
	record(t, tr, 41, 75)
	holds(t, tr, 75)
	for first := int64(17); first <= 40; first++ {
		forge(t, d, first, "x")
		if r, err := tr.Verify(t.Context(), nil); err != nil || r.Bad == nil {
			t.Errorf("a page inserted at %d is not seen: %v", first, err)
		}
		exec(t, d, "DELETE FROM trail_pages WHERE first = $1", first)
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		tr := open(t, d)
		three(t, d, tr, 1, 20) // one page of many, whose entries fall on several answers
		three(t, d, tr, 21, 40)
		record(t, tr, 41, 50)
		if err := tr.Record(t.Context(), audit.Event{At: noon, Action: audit.TokenRefused, Outcome: audit.Refused, Actor: `odd "name"`, Object: "c-1",
			Tenant: "t2", Reason: "no"}); err != nil {
			t.Fatal(err)
		}
		var seen []int64
		for q := (trail.Query{Actor: "mtls:caller-1", Limit: 4}); ; {
			f, err := tr.Search(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range f.Entries {
				seen = append(seen, e.Seq)
			}
			if q.Before = f.Next; f.Next == 0 {
				break
			}
		}
		var want []int64
		for n := int64(49); n > 0; n -= 3 {
			want = append(want, n)
		}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Errorf("paged by actor (-want +got):\n%s", diff)
		}
		for name, c := range map[string]struct {
			q    trail.Query
			want int
		}{
			"everything":                {trail.Query{Limit: 1000}, 51},
			"default limit":             {trail.Query{}, 51},
			"time, half open":           {trail.Query{From: event(10).At, To: event(20).At}, 10},
			"action":                    {trail.Query{Action: "token.refused"}, 1},
			"action by its head":        {trail.Query{Action: "token.*"}, 51},
			"outcome":                   {trail.Query{Outcome: audit.Refused}, 1},
			"quoted actor":              {trail.Query{Actor: `odd "name"`}, 1},
			"tenant, object":            {trail.Query{Tenant: "t2", Object: "c-1"}, 1},
			"details are not the actor": {trail.Query{Actor: "graph"}, 0},
			"no prefix by accident":     {trail.Query{Actor: "mtls:caller"}, 0},
		} {
			f, err := tr.Search(t.Context(), c.q)
			if err != nil || len(f.Entries) != c.want || f.Next != 0 || f.Unread != 0 {
				t.Errorf("%s: %d entries, next %d, %v; want %d", name, len(f.Entries), f.Next, err, c.want)
			}
		}
		f, err := tr.Search(t.Context(), trail.Query{Tenant: "t2"})
		if err != nil {
			t.Fatal(err)
		}
		e := f.Entries[0]
		if e.Actor != `odd "name"` || e.Reason != "no" || !e.At.Equal(noon) || e.Seq != 51 {
			t.Errorf("%+v", e)
		}
	})
}

// Recorders whose caller goes away are not held up, and a database that fails
// makes every recorder of the commit fail.
func TestFailure(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	tr := open(t, d)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := tr.Record(ctx, event(1)); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	exec(t, d, "DROP TABLE trail_pages")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			err := tr.Record(t.Context(), event(2))
			if !errors.Is(err, problem.Internal) || strings.Contains(err.Error(), "trail_pages") {
				t.Errorf("%v", err)
			}
		})
	}
	wg.Wait()
}
