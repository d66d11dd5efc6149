package automation_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"partnerguard/internal/audit"
	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/automation"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/problem"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/fold"
)

var start = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)

func on(day int) time.Time { return start.AddDate(0, 0, day) }

type kit struct {
	t     *testing.T
	store *automation.Store
	trail *audittest.Recorder
	now   time.Time
}

func newKit(t *testing.T, d *db.DB) *kit {
	t.Helper()
	k := &kit{t: t, now: on(0)}
	k.trail = &audittest.Recorder{Each: func(ctx context.Context, _ audit.Event) error {
		if d.Tx(ctx) == nil {
			return errors.New("not in the caller's transaction")
		}
		return nil
	}}
	var err error
	if k.store, err = automation.New(automation.Deps{DB: d, Now: func() time.Time { return k.now }, Record: k.trail}); err != nil {
		t.Fatal(err)
	}
	return k
}

// use says on which days of a log a script signs in.
type use struct {
	user     string
	days     []int
	noID     bool // the rows do not carry the account's id
	protocol string
}

// log is what a reading of the days from..to finds. Every day shows somebody's
// ordinary sign-ins, but for those missing.
func log(t *testing.T, from, to int, missing []int, uses ...use) automation.Result {
	t.Helper()
	f := facts.New()
	seen := automation.NewFold(f.Directory, 0)
	events := fold.New(fold.Options{Visit: seen.Visitor})
	n := 0
	add := func(e signin.Event) {
		n++
		e.ID, e.HasStatus, e.HasMFAFields = fmt.Sprintf("%d-%d-%d", from, to, n), true, true
		events.Add(&e, signin.SourceRef{Source: evidence.Source{Path: "log", Line: n}})
	}
	for d := from; d <= to; d++ {
		if slices.Contains(missing, d) {
			continue
		}
		for i, inter := range []signin.Tri{signin.Yes, signin.No} {
			add(signin.Event{UserID: "ada", UserPrincipalName: "ada@contoso.com", AppID: "portal", Created: on(d).Add(time.Duration(i) * 23 * time.Hour),
				Interactive: inter, AuthenticationRequirement: "multiFactorAuthentication",
				AdditionalDetails: "MFA requirement satisfied by claim in the token"})
		}
	}
	for _, u := range uses {
		for _, d := range u.days {
			e := signin.Event{UserID: u.user, UserPrincipalName: u.user + "@contoso.com", AppID: "app-1", AppDisplayName: "Billing", Created: on(d).
				Add(2 * time.Hour), Interactive: signin.No, AuthenticationProtocol: "ropc"}
			if u.noID {
				e.UserID, e.AppID = "", ""
			}
			if u.protocol != "" {
				e.AuthenticationProtocol = u.protocol
			}
			add(e)
		}
	}
	f.Seen[evidence.SignIn] = n
	sum, err := events.Finish(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	f.SignIns = &sum
	return automation.Items(seen, f)
}

func (k *kit) merge(r automation.Result) automation.Merged {
	k.t.Helper()
	m, err := k.store.Merge(k.t.Context(), r)
	if err != nil {
		k.t.Fatal(err)
	}
	return m
}

func (k *kit) set(id string, c automation.Change) automation.Item {
	k.t.Helper()
	it, err := k.store.Set(k.t.Context(), id, c)
	if err != nil {
		k.t.Fatal(err)
	}
	return it
}

func (k *kit) only() automation.Item {
	k.t.Helper()
	list, err := k.store.List(k.t.Context())
	if err != nil || len(list) != 1 {
		k.t.Fatal(list, err)
	}
	return list[0]
}

func to[T any](v T) *T { return &v }

func TestMergeKeepsWhatPeopleSet(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newKit(t, d)
		first := log(t, 0, 20, nil, use{user: "svc-billing", days: []int{1, 2, 3}})
		m := k.merge(first)
		if len(m.New) != 1 || len(m.Reopened)+len(m.Gone) != 0 {
			t.Fatalf("%+v", m)
		}
		id := m.New[0]
		k.set(id, automation.Change{Owner: to("Ada"), State: to(automation.Planned), Note: to("next release"), Actor: "local:ada"})
		before := k.only()
		if m := k.merge(first); len(m.New)+len(m.Reopened)+len(m.Gone) != 0 {
			t.Fatalf("read twice: %+v", m)
		}
		if d := cmp.Diff(before, k.only(), cmpopts.IgnoreUnexported(automation.Item{})); d != "" {
			t.Errorf("reading the same log again changed something:\n%s", d)
		}
		if before.Owner != "Ada" || before.State != automation.Planned || before.Note != "next release" || before.Evidence.SignIns != 3 ||
			before.Confidence != automation.Certain {
			t.Errorf("%+v", before)
		}
		// A newer log brings the evidence up to date; an older one adds only when it began.
		k.merge(log(t, 18, 30, nil, use{user: "svc-billing", days: []int{20, 21, 22, 23}}))
		k.merge(log(t, -20, 5, nil, use{user: "svc-billing", days: []int{-9}}))
		it := k.only()
		if e := it.Evidence; e.SignIns != 4 || !e.First.Equal(on(-9).Add(2*time.Hour)) || !e.Last.Equal(on(23).Add(2*time.Hour)) ||
			it.State != automation.Planned || it.Owner != "Ada" {
			t.Errorf("%+v", it)
		}
		if e := k.trail.Events(); len(e) != 1 || e[0].Actor != "local:ada" || e[0].Details["from"] != "found" || e[0].Object != id {
			t.Errorf("%+v", e)
		}
	})
}

// Gone only by evidence: a whole log of 14 days after the move, without a gap
// and without a sign-in.
func TestVerifiedGone(t *testing.T) {
	t.Parallel()
	used := use{user: "svc-billing", days: []int{1, 5, 9}}
	type reading struct {
		from, to int
		missing  []int
		uses     []use
	}
	for name, c := range map[string]struct {
		read  []reading
		want  automation.State
		story string
	}{
		"14 days and a bit":                {[]reading{{0, 25, nil, []use{used}}}, automation.Gone, "no sign-in from 2026-09-11 to 2026-09-26"},
		"a day too few":                    {[]reading{{0, 23, nil, []use{used}}}, automation.Moved, ""},
		"in two logs that meet":            {[]reading{{0, 17, nil, []use{used}}, {17, 25, nil, nil}}, automation.Gone, "no sign-in"},
		"in two logs in the wrong order":   {[]reading{{17, 25, nil, nil}, {0, 17, nil, []use{used}}}, automation.Moved, ""},
		"in two logs with a gap between":   {[]reading{{0, 14, nil, []use{used}}, {20, 30, nil, nil}}, automation.Moved, ""},
		"a log that begins after the move": {[]reading{{12, 40, nil, nil}}, automation.Moved, ""},
		"a log with days missing":          {[]reading{{0, 25, []int{14, 15, 16}, nil}}, automation.Moved, ""},
		"used on the last day": {[]reading{{0, 25, nil, []use{{user: "svc-billing", days: []int{1, 25}}}}}, automation.Found,
			"seen again on 2026-09-26 02:00 UTC, after it was moved"},
		"used after it was gone": {[]reading{{0, 25, nil, []use{used}}, {20, 40, nil, []use{{user: "svc-billing", days: []int{38}}}}},
			automation.Found, "after it was verified gone"},
		"used after, rows without ids": {[]reading{{0, 25, nil, []use{{user: "svc-billing", days: []int{20}, noID: true}}}}, automation.Found,
			"seen again on 2026-09-21"},
		"used before the move, seen late": {[]reading{{0, 9, nil, []use{used}}, {0, 25, nil, []use{{user: "svc-billing", days: []int{1, 5, 9}}}}},
			automation.Gone, ""},
		"another account is used": {[]reading{{0, 25, nil, []use{{user: "svc-other", days: []int{20}}}}}, automation.Gone, ""},
		"the account by another protocol only": {[]reading{{0, 25, nil, []use{{user: "svc-billing", days: []int{20}, protocol: "oAuth2"}}}}, automation.Gone,
			""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKit(t, dbtest.SQLite(t))
			id := k.merge(log(t, 0, 9, nil, used)).New[0]
			k.now = on(10)
			k.set(id, automation.Change{State: to(automation.Moved), Actor: "local:ada"})
			k.now = on(60)
			for _, r := range c.read {
				k.merge(log(t, r.from, r.to, r.missing, r.uses...))
			}
			it := k.find(id)
			if it.State != c.want || !strings.Contains(it.Story, c.story) {
				t.Errorf("%s, %q", it.State, it.Story)
			}
			events := k.trail.Events()[1:]
			if (c.want != automation.Moved) != (len(events) > 0) {
				t.Errorf("%+v", events)
			}
			for _, e := range events {
				if e.Actor != "system:automation" || e.Reason == "" || e.Details["state"] == e.Details["from"] {
					t.Errorf("%+v", e)
				}
			}
		})
	}
}

func (k *kit) find(id string) automation.Item {
	k.t.Helper()
	list, err := k.store.List(k.t.Context())
	if err != nil {
		k.t.Fatal(err)
	}
	for _, it := range list {
		if it.ID == id {
			return it
		}
	}
	k.t.Fatalf("no %s", id)
	return automation.Item{}
}

// A row dated after now covers nothing, and a clock that jumped back does not
// make an item gone.
func TestClocks(t *testing.T) {
	t.Parallel()
	k := newKit(t, dbtest.SQLite(t))
	id := k.merge(log(t, 0, 9, nil, use{user: "svc-billing", days: []int{1}})).New[0]
	k.now = on(10)
	k.set(id, automation.Change{State: to(automation.Moved), Actor: "local:ada"})
	k.now = on(12) // the log says that it is two weeks later
	k.merge(log(t, 0, 30, nil))
	if it := k.find(id); it.State != automation.Moved || it.QuietTo.After(on(12)) {
		t.Errorf("%s, silent to %s", it.State, it.QuietTo)
	}
	k.now = on(-5)
	k.merge(log(t, 0, 30, nil))
	if it := k.find(id); it.State != automation.Moved || !it.QuietTo.Equal(on(12)) {
		t.Errorf("%s, silent to %s", it.State, it.QuietTo)
	}
	// Moved by a clock that is behind the log's: what was seen already does not reopen it.
	k.set(id, automation.Change{State: to(automation.Found), Actor: "local:ada"})
	k.now = on(0)
	k.set(id, automation.Change{State: to(automation.Moved), Actor: "local:ada"})
	k.merge(log(t, 0, 9, nil, use{user: "svc-billing", days: []int{1}}))
	if it := k.find(id); it.State != automation.Moved {
		t.Errorf("%s, %q", it.State, it.Story)
	}
}

// Every step a person may take, and every step refused.
func TestTransitions(t *testing.T) {
	t.Parallel()
	k := newKit(t, dbtest.SQLite(t))
	used := use{user: "svc-billing", days: []int{1}}
	id := k.merge(log(t, 0, 9, nil, used)).New[0]
	reach := map[automation.State]func(){
		automation.Found:   func() { k.set(id, automation.Change{State: to(automation.Found)}) },
		automation.Planned: func() { k.set(id, automation.Change{State: to(automation.Planned)}) },
		automation.Moved:   func() { k.set(id, automation.Change{State: to(automation.Moved)}) },
		automation.Gone: func() {
			k.now = on(10)
			k.set(id, automation.Change{State: to(automation.Moved)})
			k.now = on(40)
			k.merge(log(t, 9, 39, nil))
		},
	}
	for _, from := range automation.States() {
		for _, next := range append(automation.States(), "done") {
			reach[automation.Found]()
			reach[from]()
			if it := k.only(); it.State != from {
				t.Fatalf("%s was not reached: %s", from, it.State)
			}
			it, err := k.store.Set(t.Context(), id, automation.Change{State: &next})
			legal := from == next || next == automation.Found || from != automation.Gone && (next == automation.Planned || next == automation.Moved)
			if (err == nil) != legal {
				t.Errorf("%s to %s: %v", from, next, err)
			}
			if err != nil && (!errors.Is(err, problem.Usage) || problem.HintOf(err) == "") {
				t.Errorf("%s to %s: %v", from, next, err)
			}
			if from != automation.Gone && next == automation.Gone && !strings.Contains(fmt.Sprint(err), "only evidence") {
				t.Errorf("%s to %s: %v", from, next, err)
			}
			if err == nil && (it.State == automation.Moved) != !it.MovedAt.IsZero() && from != automation.Gone {
				t.Errorf("%s to %s: moved at %s", from, next, it.MovedAt)
			}
			if err != nil && k.only().State != from {
				t.Errorf("%s to %s: refused and done", from, next)
			}
		}
	}
}

func TestSet(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newKit(t, d)
		if _, err := k.store.Set(t.Context(), "auto-x", automation.Change{Owner: to("a")}); !errors.Is(err, problem.NotFound) {
			t.Error(err)
		}
		id := k.merge(log(t, 0, 9, nil, use{user: "svc-billing", days: []int{1}})).New[0]
		it := k.set(id, automation.Change{Owner: to("  Ada\x1b[31m\x00 \u202eLovelace\n" + strings.Repeat("x", 500)), Note: to(strings.Repeat("é", 2000)),
			Actor: "local:a"})
		if !strings.HasPrefix(it.Owner, "Ada Lovelace ") || strings.ContainsAny(it.Owner, "\x1b\x00\u202e\n") || len([]rune(it.Owner)) > 121 ||
			len([]rune(it.Note)) > 401 {
			t.Errorf("%q", it.Owner)
		}
		events := len(k.trail.Events())
		k.set(id, automation.Change{Owner: &it.Owner, Actor: "local:a"})
		if len(k.trail.Events()) != events {
			t.Error("setting what is set already was recorded")
		}
		if it = k.set(id, automation.Change{Owner: to(""), Actor: "local:a"}); it.Owner != "" {
			t.Errorf("%q", it.Owner)
		}
		// Without the trail nothing happens: what is not recorded is not done.
		full := errors.New("the trail is full")
		k.trail.Fail(full)
		if _, err := k.store.Set(t.Context(), id, automation.Change{Owner: to("Eve"), Actor: "local:eve"}); !errors.Is(err, full) {
			t.Error(err)
		}
		if it := k.only(); it.Owner != "" {
			t.Errorf("%q", it.Owner)
		}
	})
}

// Many at once: no change of a person is lost to a reading, and each item is
// there once.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newKit(t, d)
		ids := k.merge(log(t, 0, 9, nil, use{user: "svc-a", days: []int{1}}, use{user: "svc-b", days: []int{1}})).New
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				r := log(t, 0, 9+i, nil, use{user: "svc-a", days: []int{1, 2 + i}}, use{user: "svc-b", days: []int{2 + i}},
					use{user: "svc-new", days: []int{3}})
				if _, err := k.store.Merge(t.Context(), r); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				c := automation.Change{Note: to(fmt.Sprint("note ", i))}
				if i%2 == 0 {
					c = automation.Change{Owner: to("Ada")}
				}
				if _, err := k.store.Set(t.Context(), ids[i/2], c); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		list, err := k.store.List(t.Context())
		if err != nil || len(list) != 3 {
			t.Fatal(len(list), err)
		}
		for i, id := range ids {
			if it := k.find(id); it.Owner != "Ada" || it.Note != fmt.Sprint("note ", 2*i+1) || !it.Evidence.Last.Equal(on(5).Add(2*time.Hour)) {
				t.Errorf("%+v", it)
			}
		}
	})
}

func TestNewStoreNeedsItsParts(t *testing.T) {
	t.Parallel()
	if _, err := automation.New(automation.Deps{}); !errors.Is(err, problem.Internal) {
		t.Error(err)
	}
}
