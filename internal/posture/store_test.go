package posture_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/posture"
	"partnerguard/internal/problem"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/rollup"
)

// TestKeep: what is the same is no new round and writes nothing; what differs is a
// round whose rows are the difference alone; every round can be read back.
func TestKeep(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		first := r.keep(good(0))
		if !first.First || first.Round != 1 || first.Rows != 10 {
			t.Fatalf("%+v", first)
		}
		later := good(1)
		later.Requirements[0].Reason, later.Accounts[0].Source, later.Position.Segment = "read 1 day ago", "users.json:1", "s2"
		same := r.keep(later)
		if !same.Same || same.Round != 1 || same.Rows != 0 || !same.LastOf.Equal(later.AsOf) || same.Segment != "s2" || !same.AsOf.Equal(monday) {
			t.Fatalf("%+v", same)
		}
		worse := r.keep(excluded(2))
		if worse.Same || worse.Round != 2 || worse.Rows != 6 || worse.Changes == nil || len(worse.Changes.Turned) != 1 {
			t.Fatalf("%+v", worse)
		}
		again := r.keep(excluded(2))
		if !again.Same || again.Round != 2 {
			t.Fatalf("kept twice: %+v", again)
		}
		st, m, err := r.At(t.Context(), tenant, monday.AddDate(0, 0, 1))
		if err != nil || m.Round != 1 || len(st.Accounts) != 2 || st.Requirements[1].Verdict != posture.Met || st.Position.Segment != "s2" {
			t.Fatalf("%+v %+v %v", st, m, err)
		}
		if _, _, err := r.At(t.Context(), tenant, monday.Add(-time.Second)); !errors.Is(err, problem.NotFound) {
			t.Error(err)
		}
		// Another book is another round, though no verdict turned.
		newer := excluded(3)
		newer.Book = "2027-01-01"
		if k := r.keep(newer); k.Same || k.Rows != 0 || k.Round != 3 || len(k.Changes.Turned) != 0 {
			t.Fatalf("%+v", k)
		}
		for _, bad := range []*posture.State{{}, {Tenant: tenant, AsOf: monday}} {
			if _, err := r.Keep(t.Context(), bad); !errors.Is(err, problem.Internal) {
				t.Errorf("%v", err)
			}
		}
	})
}

// TestKeepAtOnce: many keep at once; each state is kept whole, and rows do not overlap.
func TestKeepAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				st := good(i)
				if i%2 == 0 {
					st = excluded(i)
				}
				if _, err := r.Keep(t.Context(), st); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		list, err := r.History(t.Context(), posture.HistoryOf{Tenant: tenant, Requirement: "mfa-every-user"})
		if err != nil || len(list) == 0 {
			t.Fatal(list, err)
		}
		for i := 1; i < len(list); i++ {
			if list[i-1].Until == nil || list[i-1].Until.Round != list[i].Round || list[i-1].Verdict == list[i].Verdict {
				t.Errorf("%d: %+v then %+v", i, list[i-1], list[i])
			}
		}
		if list[len(list)-1].Until != nil {
			t.Error("the last one ended")
		}
	})
}

func TestHistory(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		r.keep(good(0))
		r.keep(excluded(2))
		r.keep(good(4))
		list, err := r.History(t.Context(), posture.HistoryOf{Tenant: tenant, Requirement: "mfa-every-user"})
		r.must(err)
		var words []string
		for _, x := range list {
			words = append(words, x.AsOf.Format("0102")+" "+x.Verdict)
		}
		if got := strings.Join(words, ", "); got != "1102 met, 1104 not_met, 1106 met" {
			t.Error(got)
		}
		for _, q := range []posture.HistoryOf{{Account: "BO@contoso.com"}, {Account: bo}} {
			q.Tenant, q.Since = tenant, monday.AddDate(0, 0, 3)
			list, err := r.History(t.Context(), q)
			if err != nil || len(list) != 2 || list[0].Account.Cover != posture.NotCovered || list[1].Account.ByName[0] != "MFA for all" {
				t.Errorf("%+v %v", list, err)
			}
		}
		all, err := r.History(t.Context(), posture.HistoryOf{Tenant: tenant})
		if err != nil || len(all) != 4 {
			t.Errorf("%d %v", len(all), err)
		}
		days, err := r.Trend(t.Context(), tenant, list, monday.AddDate(0, 0, -1), monday.AddDate(0, 0, 5))
		r.must(err)
		words = nil
		for _, x := range days {
			words = append(words, x.Verdict)
		}
		if got := strings.Join(words, ","); got != ",met,met,not_met,not_met,met,met" {
			t.Error(got)
		}
		for _, q := range []posture.HistoryOf{{Tenant: "none"}, {Tenant: tenant, Requirement: "none"}, {Tenant: tenant, Account: "none"}} {
			if _, err := r.History(t.Context(), q); !errors.Is(err, problem.NotFound) {
				t.Errorf("%+v: %v", q, err)
			}
		}
	})
}

// TestKeepDays: a day is replaced where rows came late, and never by one with fewer.
func TestKeepDays(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		rows := func(n int) []*rollup.Day {
			var f rollup.Fold
			v := f.Visitor()
			for i := range n {
				v.See(&signin.Sighting{ID: "s", UserID: "u", Verdict: signin.NotChallenged, At: monday.Add(time.Duration(i) * time.Second)})
			}
			v.See(&signin.Sighting{ID: "no clock", UserID: "u"})
			return f.Days()
		}
		for _, c := range [][3]int{{3, 3, 1}, {5, 5, 1}, {2, 5, 0}} {
			kept, err := r.KeepDays(t.Context(), tenant, rows(c[0]))
			if err != nil || kept != c[2] {
				t.Errorf("%v: %d kept, %v", c, kept, err)
			}
			day, err := r.Day(t.Context(), tenant, "2026-11-02")
			if err != nil || day.Rows() != int64(c[1]) || day.Of(signin.NotChallenged) != int64(c[1]) {
				t.Errorf("%v: %+v %v", c, day, err)
			}
		}
		if day, err := r.Day(t.Context(), "another", "2026-11-02"); day != nil || err != nil {
			t.Error(day, err)
		}
	})
}
