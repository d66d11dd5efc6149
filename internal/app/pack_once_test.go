package app_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/audit"
	"partnerguard/internal/pack"
	"partnerguard/internal/pack/form"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/sam/consent"
	"partnerguard/internal/sam/suite"
	"partnerguard/internal/trail"
)

// newcomer is a customer of the laboratory at whom the app has no consent.
const newcomer = "wingtip.example"

// packMaker makes packs of an installation into a folder.
func packMaker(t *testing.T, i *app.Installation, dir string) func(context.Context, string, time.Time, time.Time) (*pack.Made, error) {
	t.Helper()
	p := i.Packer()
	s, err := pack.New(pack.Deps{DB: i.DB, Archive: i.Archive, Trail: i.Trail, Judge: p.Judge, Again: p.Again, Now: i.Now, Tool: "partnerguard test",
		Actor:  "local:test",
		Signer: func(ctx context.Context) (*trail.Signer, error) { return i.Trail.Signer(ctx, i.Vault) }})
	if err != nil {
		t.Fatal(err)
	}
	return func(ctx context.Context, tenant string, from, to time.Time) (*pack.Made, error) {
		return s.Make(ctx, pack.Options{Tenant: tenant, From: from, To: to, Reader: "auditor", Out: filepath.Join(dir, "once.zip")})
	}
}

// consents is how the app stands at the newcomer.
func consents(t *testing.T, i *app.Installation) (states []consent.State) {
	t.Helper()
	c, err := i.SAM.Connection(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = i.SAM.Consent(t.Context(), suite.ConsentRequest{Connection: c, Features: app.OnceFeatures(), Only: []string{newcomer}}, func(r consent.Row) error {
		for _, it := range r.Items {
			states = append(states, it.State)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return states
}

// ownOnce: of the partner's own tenant nothing is granted, nothing removed, and nothing is left
// for anybody to remove.
func ownOnce(t *testing.T, i *app.Installation) {
	t.Helper()
	c, err := i.SAM.Connection(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	o := app.Once{Tenant: strings.ToUpper(c.Tenant), Make: packMaker(t, i, t.TempDir()), Tell: func(s app.OnceStep) { told = append(told, s.Step) }}
	plan, err := i.PlanOnce(t.Context(), o)
	if err != nil || !plan.Own || len(plan.Wanted) != 0 {
		t.Fatalf("%+v, %v", plan, err)
	}
	got, err := i.AssessOnce(t.Context(), o)
	if err != nil || got.Pack == nil || got.Pack.Manifest.Tenant != c.Tenant || strings.Join(told, " ") != "consent read pack" {
		t.Fatalf("%v, %v, %+v", err, told, got)
	}
	if all, err := i.FinishOnces(t.Context(), nil); err != nil || len(all) > 0 {
		t.Errorf("something would be removed: %+v, %v", all, err)
	}
}

// refusedOnce: where Partner Center refuses to grant for want of a role, nothing was granted, and
// nothing is left for anybody to remove.
func refusedOnce(t *testing.T, i *app.Installation) {
	t.Helper()
	var told []string
	o := app.Once{Tenant: "woodgrove.example", Make: packMaker(t, i, t.TempDir()), Tell: func(s app.OnceStep) { told = append(told, s.Step) }}
	got, err := i.AssessOnce(t.Context(), o)
	if err == nil || got == nil || !got.Gone || len(got.Left) > 0 || strings.Join(told, " ") != "consent remove prove" {
		t.Fatalf("%v, %v, %+v", err, told, got)
	}
	if all, err := i.FinishOnces(t.Context(), nil); err != nil || len(all) > 0 {
		t.Errorf("it did not end: %+v, %v", all, err)
	}
}

// TestOnce: a tenant is assessed before it is taken on: the fewest permissions, one reading,
// one pack that verifies and whose verdicts come out again, and the consent is gone, also
// where the pack was not made or the process ended in between.
func TestOnce(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it collects a tenant")
	}
	_, i, done := inside(t, t.TempDir(), func(o *partnercloud.Options) { o.Days = 3 })
	defer done()
	if _, _, err := i.ConnectLab(t.Context()); err != nil {
		t.Fatal(err)
	}
	i.Config.Collect.Skip = []string{"directoryAudits", "signIns.interactiveUser", "signIns.nonInteractiveUser", "signIns.servicePrincipal"}
	if states := consents(t, i); len(states) == 0 || states[0] != consent.Missing {
		t.Fatalf("the app stands at %s as %v", newcomer, states)
	}
	plan, err := i.PlanOnce(t.Context(), app.Once{Tenant: newcomer})
	if err != nil || len(plan.Wanted) != 1 || plan.Domain != newcomer {
		t.Fatalf("%+v, %v", plan, err)
	}
	for _, a := range plan.Wanted[0].Asks {
		if a.Allows == "" || strings.Contains(a.Scope, "Write") {
			t.Errorf("a permission that does more than read, or of which nothing is said: %+v", a)
		}
	}
	if _, err := i.PlanOnce(t.Context(), app.Once{Tenant: newcomer, Features: []capture.Feature{capture.ExternalMFA}}); !errors.Is(err, problem.Usage) {
		t.Errorf("a feature that writes: %v", err)
	}
	if _, err := i.PlanOnce(t.Context(), app.Once{Tenant: "prospect.example"}); !errors.Is(err, problem.NotFound) ||
		!strings.Contains(problem.HintOf(err), "export plan") {
		t.Errorf("a tenant that is no customer: %v; %s", err, problem.HintOf(err))
	}
	ownOnce(t, i)
	dir := t.TempDir()
	var told []string
	o := app.Once{Tenant: newcomer, Make: packMaker(t, i, dir), Tell: func(s app.OnceStep) { told = append(told, s.Step) }}
	got, err := i.AssessOnce(t.Context(), o)
	if err != nil {
		t.Fatalf("%v, %+v", err, got.Steps)
	}
	if !got.Gone || len(got.Left) != 0 || strings.Join(told, " ") != "consent read pack remove prove" || got.Pack == nil {
		t.Errorf("%v %+v", told, got)
	}
	gone(t, i)
	file := filepath.Join(dir, "once.zip")
	r, err := pack.VerifyFile(t.Context(), file, form.Trust{}, (&app.PackReading{}).Again, nil)
	if err != nil || r.Err() != nil || !r.Rejudged || len(r.Manifest.Verdicts) < 10 || r.Manifest.Pages.Count == 0 {
		t.Errorf("the pack: %+v, %v", r, err)
	}
	besideCustomers(t, i)
	f, err := i.Trail.Search(t.Context(), trail.Query{Action: string(audit.PackOnce)})
	if err != nil || len(f.Entries) != 2 || f.Entries[0].Details["sha256"] != got.Pack.SHA256 {
		t.Errorf("the trail: %+v, %v", f.Entries, err)
	}

	// A pack that cannot be made leaves no consent.
	o.Make = func(context.Context, string, time.Time, time.Time) (*pack.Made, error) { return nil, os.ErrPermission }
	if got, err := i.AssessOnce(t.Context(), o); !errors.Is(err, os.ErrPermission) || !got.Gone {
		t.Errorf("%+v, %v", got, err)
	}
	gone(t, i)
	crashed(t, i, o)

	// What somebody granted before is not ours to remove.
	c, err := i.SAM.Connection(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.SAM.Consent(t.Context(), suite.ConsentRequest{Connection: c, Features: app.OnceFeatures(), Only: []string{newcomer}, Apply: true},
		func(consent.Row) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := i.AssessOnce(t.Context(), o); !errors.Is(err, problem.Conflict) {
		t.Errorf("a consent that was there: %v", err)
	}
	if states := consents(t, i); states[0] != consent.InOrder {
		t.Errorf("it was taken away: %v", states)
	}
	refusedOnce(t, i)
}

// besideCustomers: the practices of the partner's archive take in the lists of the customer
// that was collected, and name it in what they rest on.
func besideCustomers(t *testing.T, i *app.Installation) {
	t.Helper()
	own, err := i.Collect.Tenant(t.Context(), "partner")
	if err != nil {
		t.Fatal(err)
	}
	now := i.Now()
	r, err := app.Practices(t.Context(), app.Reading{From: []string{app.FromArchive + own.ID}, Archive: i.Shown, Now: now, AsOf: now},
		app.Question{AsOf: now, Now: now})
	if err != nil || r.CustomersRead != 1 || r.Customers < 2 {
		t.Fatalf("%d of %d customers were read, %v", r.CustomersRead, r.Customers, err)
	}
	q, _ := r.Find("P36")
	read := 0
	for _, e := range q.Evidence {
		if e.Detail != "its users and roles were not read, or not all of them" {
			read++
		}
	}
	if read != 1 {
		t.Errorf("P36 takes in the lists of %d customers: %+v", read, q.Evidence)
	}
}

func gone(t *testing.T, i *app.Installation) {
	t.Helper()
	if states := consents(t, i); slices.ContainsFunc(states, func(s consent.State) bool { return s != consent.Missing && s != consent.Absent }) {
		t.Errorf("the app still stands at %s as %v", newcomer, states)
	}
}

// crashed ends in the middle, as a process does that is killed while it makes the pack: the
// consent stands, nobody else begins, and finishing removes it.
func crashed(t *testing.T, i *app.Installation, o app.Once) {
	t.Helper()
	func() {
		defer func() { _ = recover() }()
		o.Make = func(context.Context, string, time.Time, time.Time) (*pack.Made, error) { panic("killed") }
		_, _ = i.AssessOnce(t.Context(), o)
	}()
	if states := consents(t, i); states[0] != consent.InOrder {
		t.Fatalf("there is nothing to finish: %v", states)
	}
	if _, err := i.PlanOnce(t.Context(), o); !errors.Is(err, problem.Conflict) || !strings.Contains(problem.HintOf(err), "--finish") {
		t.Errorf("begun twice: %v", err)
	}
	all, err := i.FinishOnces(t.Context(), nil)
	if err != nil || len(all) != 1 || !all[0].Gone || all[0].Domain != newcomer {
		t.Errorf("%+v, %v", all, err)
	}
	gone(t, i)
	if all, err := i.FinishOnces(t.Context(), nil); err != nil || len(all) != 0 {
		t.Errorf("finished twice: %+v, %v", all, err)
	}
}
