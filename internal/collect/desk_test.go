package collect_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/audit"
	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/collect"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/evidence"
	"partnerguard/internal/jobs"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/screen/screentest"
)

// desk is the pages over a rig that has read something.
func desk(t *testing.T, r *rig, d *db.DB) (*collect.Desk, *jobs.Queue, *audittest.Recorder) {
	t.Helper()
	q, err := jobs.Open(t.Context(), d, jobs.Options{Poll: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	rec := &audittest.Recorder{}
	return &collect.Desk{Readings: &collect.Recent{Collector: r.Collector}, Now: r.clock.now, Queue: q, Record: rec, Where: "/data/archive",
		Archive: func(context.Context) (archive.Total, error) {
			return archive.Total{Segments: 4, Size: 41_200_000, Last: began}, nil
		},
		Clock: func() (time.Duration, time.Time) { return 300 * time.Millisecond, began },
		Budgets: func() []msapi.Budget {
			return []msapi.Budget{{Host: "graph.microsoft.com", Kind: "reports", Units: 5, In: 10200 * time.Millisecond, Used: 3, Share: 0.5, Throttled: 2,
				Closed: 7 * time.Second}}
		},
		Database: func(context.Context) ([]collect.House, error) {
			return []collect.House{{What: "Database", Words: "SQLite, 41 MB", Well: true}}, nil
		}}, q, rec
}

func house(r *rig, d *collect.Desk) *screentest.House {
	return &screentest.House{Screens: d.Screens(), Viewer: screentest.Viewer(), Now: r.clock.now(), Tenants: []screen.Tenant{
		{ID: partnerID, Name: "Contoso", Domain: "contoso.example", Partner: true}, {ID: customerID, Name: "Fabrikam", Domain: "fabrikam.example"}}}
}

// poisoned has a rig read once, with one hour of the log refused and the list of users
// poisoned.
func poisoned(t *testing.T, d *db.DB) *rig {
	t.Helper()
	r := newRig(t, d)
	hour := began.Add(-10 * time.Hour).Format(time.RFC3339)
	bad := true
	r.service.fault = func(resource, what string) error {
		if bad && (resource == "users" && what == "2" || resource == "log" && what == hour) {
			return &msapi.Poisoned{Why: "it is no JSON"}
		}
		return nil
	}
	r.round(collect.Ask{})
	return r
}

func TestStandings(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := poisoned(t, d)
		list, err := r.Standings(t.Context())
		if err != nil || len(list) != 2 {
			t.Fatalf("%v %v", list, err)
		}
		p, c := list[0], list[1]
		if p.Tenant.ID != partnerID || p.Read == 0 || p.Open != 2 || p.Lost != 0 || p.Oldest.IsZero() || p.Reading {
			t.Errorf("the partner's: %+v", p)
		}
		if c.Tenant.ID != customerID || c.Read != 0 || c.Lists == 0 || !c.Oldest.IsZero() {
			t.Errorf("a customer that was never read: %+v", c)
		}
		q, err := jobs.Open(t.Context(), d, jobs.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if due, err := r.Due(t.Context()); err != nil || len(due) != 1 {
			t.Fatalf("due: %v %v", due, err)
		}
		for i, want := range []bool{true, false} {
			if added, err := r.Hasten(t.Context(), q, "partner"); err != nil || added != want {
				t.Errorf("asked for the %d. time: %v %v", i+1, added, err)
			}
		}
		if due, err := r.Due(t.Context()); err != nil || len(due) != 2 {
			t.Errorf("due then: %v %v", due, err)
		}
		if _, err := r.Hasten(t.Context(), q, "nobody"); !errors.Is(err, problem.NotFound) {
			t.Errorf("nobody: %v", err)
		}
		r.service.fault = nil
		r.clock.jump(7 * time.Hour)
		r.round(collect.Ask{})
		healed, err := r.Healed(t.Context(), partnerID, began)
		if err != nil || len(healed) != 2 || healed[0].Closed.Before(began) || healed[0].Reason != evidence.GapPoisoned {
			t.Errorf("healed: %+v %v", healed, err)
		}
		if healed, err := r.Healed(t.Context(), partnerID, r.clock.now().Add(time.Hour)); err != nil || len(healed) != 0 {
			t.Errorf("healed later: %+v %v", healed, err)
		}
	})
}

func TestCollectionPage(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	r := poisoned(t, d)
	dk, _, _ := desk(t, r, d)
	h := house(r, dk)
	html := h.HTML(t, "/collection")
	for _, want := range []string{"partly", "Gap ledger", "it is no JSON", "Throttle budgets", "2 × 429", "41.2", "Dead jobs", "The installation", "Read now"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	_, l, err := h.Load(t.Context(), "/collection?tenant="+customerID)
	if err != nil {
		t.Fatal(err)
	}
	l.Rows.All(func(_ func() []string, row any) bool {
		if f, ok := row.(*collect.Fact); !ok || f.State != "never" || !f.At.IsZero() {
			t.Errorf("never read is no age: %+v", row)
		}
		return true
	})
	// What is too old makes a verdict unknown, and says so.
	r.clock.jump(31 * 24 * time.Hour)
	h.Now = r.clock.now()
	if html := h.HTML(t, "/collection?state=stale"); !strings.Contains(html, "a verdict that rests on it is unknown") {
		t.Error("nothing is too old after a month")
	}
	for _, address := range []string{"/collection/tenants", "/collection/gaps", "/collection/jobs", "/collection?row=log"} {
		_ = h.HTML(t, address)
	}
}

// Who is limited to a customer sees neither the house nor others' jobs, and revives none
// of them.
func TestCollectionLimited(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	r := poisoned(t, d)
	dk, q, rec := desk(t, r, d)
	for _, kind := range []string{"collect-round", "house-job"} {
		q.Handle(kind, func(context.Context, jobs.Job) error { return jobs.Never(errors.New("it broke at " + kind)) })
	}
	for _, tenant := range []string{partnerID, customerID} {
		if _, err := q.Add(t.Context(), "collect-round", map[string]string{"tenant": tenant}, jobs.Add{Unique: true}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := q.Add(t.Context(), "house-job", nil, jobs.Add{}); err != nil {
		t.Fatal(err)
	}
	if err := q.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = q.Stop(t.Context()) }()
	var dead []jobs.Dead
	for end := time.Now().Add(20 * time.Second); len(dead) < 3 && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var err error
		if dead, err = q.Dead(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
	}
	h := house(r, dk)
	all := h.HTML(t, "/collection/jobs")
	if !strings.Contains(all, "3 dead jobs") || !strings.Contains(all, "the installation") || strings.Count(h.HTML(t, "/collection"), "it broke at") == 0 {
		t.Fatal("who sees all does not see three dead jobs")
	}
	ids := map[string]string{}
	for _, j := range dead {
		var a struct{ Tenant string }
		_ = json.Unmarshal(j.Args, &a)
		b, _ := json.Marshal(j.ID)
		ids[a.Tenant] = string(b)
	}
	h.Viewer.Customers = []string{customerID}
	html := h.HTML(t, "/collection/jobs")
	if !strings.Contains(html, "1 dead job") || strings.Contains(html, partnerID) || strings.Contains(html, "house-job") || strings.Contains(html, "By kind") {
		t.Errorf("who is limited sees: %s", html)
	}
	page := h.HTML(t, "/collection")
	for _, bad := range []string{"41.2", "Throttle", "/data/archive", "house-job", "Contoso"} {
		if strings.Contains(page, bad) {
			t.Errorf("who is limited is told %q", bad)
		}
	}
	if html := h.HTML(t, "/collection/tenants"); strings.Contains(html, partnerID) || !strings.Contains(html, "1 tenant") {
		t.Error("the list of tenants")
	}
	revive := h.Screens[3].Acts[0]
	a := &screen.Ask{Viewer: h.Viewer, Now: h.Now}
	for _, tenant := range []string{partnerID, ""} {
		if _, err := revive.Handle(t.Context(), a, url.Values{"job": {ids[tenant]}}); !errors.Is(err, problem.NotFound) {
			t.Errorf("a job of %q was revived: %v", tenant, err)
		}
	}
	if len(rec.Of(audit.JobRevived)) != 0 {
		t.Error("it was recorded as done")
	}
	done, err := revive.Handle(t.Context(), a, url.Values{"job": {ids[customerID]}})
	if err != nil || len(rec.Of(audit.JobRevived)) != 1 || rec.Of(audit.JobRevived)[0].Actor != h.Viewer.Actor {
		t.Errorf("%+v %v %+v", done, err, rec.Events())
	}
	read := h.Screens[0].Acts[0]
	if _, err := read.Handle(t.Context(), &screen.Ask{Viewer: h.Viewer, Tenant: screen.Tenant{ID: partnerID}}, nil); !errors.Is(err, problem.NotFound) {
		t.Errorf("another's tenant was asked for: %v", err)
	}
	if done, err := read.Handle(t.Context(), &screen.Ask{Viewer: h.Viewer, Tenant: screen.Tenant{ID: customerID}}, nil); err != nil || done.Said == "" {
		t.Errorf("%+v %v", done, err)
	}
	if len(rec.Of(audit.CollectionAsked)) != 1 {
		t.Errorf("%+v", rec.Events())
	}
}

// TestShots takes pictures, where SHOTS names a folder.
func TestShots(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	r := poisoned(t, d)
	dk, _, _ := desk(t, r, d)
	r.clock.jump(3 * time.Hour)
	h := house(r, dk)
	h.Shoot(t, "collection", "/collection?row=log")
	h.Shoot(t, "collection-jobs", "/collection/jobs")
}
