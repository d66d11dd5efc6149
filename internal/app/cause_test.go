package app_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/app"
	"partnerguard/internal/assess"
	"partnerguard/internal/cause"
	"partnerguard/internal/rehearse"
)

// worlds are the sample and the exports of others that say what the settings are.
func worlds(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{"the sample": nil}
	for _, kind := range []string{"field", "truth"} {
		dirs, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", kind, "*", "input"))
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range dirs {
			out[dir] = []string{dir}
		}
	}
	if len(out) == 1 {
		if os.Getenv("CI") != "" {
			t.Fatal("the shared exports are missing")
		}
		t.Log("ONLY THE SAMPLE WAS TESTED: the shared exports are missing")
	}
	return out
}

// TestCausesAreComputed does by hand what a report says of its causes: each
// change is made to the settings by itself, proved and rehearsed by a reading of
// its own, and all of them together close the accounts that they are said to.
func TestCausesAreComputed(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	settings, rehearsed := 0, 0
	for name, from := range worlds(t) {
		report, err := app.Assess(t.Context(), app.Reading{From: from}, app.Question{Now: now})
		if err != nil {
			t.Fatal(name, err)
		}
		var all []access.Change
		closed := 0
		for i := range report.Causes {
			c := &report.Causes[i]
			if c.Rank != i+1 || c.Title == "" || c.Detail == "" {
				t.Errorf("%s: cause %d: %+v", name, i, c)
			}
			if c.Kind != assess.CauseSettings {
				continue
			}
			settings++
			if len(c.Changes) == 0 || c.Proof == nil {
				t.Fatalf("%s: %s has nothing to show for itself", name, c.Title)
			}
			if c.Proof.Question == "mfa-every-sign-in" {
				all = append(all, c.Changes...)
				closed += c.Accounts
			}
			proveAgain(t, name, from, now, c)
			if len(c.Effects) > 0 {
				rehearsed++
				rehearseAgain(t, name, from, now, c)
			}
		}
		if len(all) > 0 {
			_, e, err := app.Settings(t.Context(), app.Reading{From: from, At: report.AsOf})
			if err != nil {
				t.Fatal(name, err)
			}
			q, _ := access.FindQuestion("mfa-every-sign-in")
			before, _ := e.Coverage(q)
			after, _ := access.Compile(e.Tenant().Apply(all...)).Coverage(q)
			n := 0
			for i := range before {
				if before[i] == access.Open && after[i] == access.Covered {
					n++
				}
			}
			if n != closed {
				t.Errorf("%s: the causes say that %d accounts are closed, and %d are", name, closed, n)
			}
		}
	}
	if settings < 3 || rehearsed < 2 {
		t.Errorf("%d causes in the settings and %d rehearsals: nothing was tried", settings, rehearsed)
	}
	t.Log(settings, rehearsed)
}

func proveAgain(t *testing.T, name string, from []string, now time.Time, c *assess.Cause) {
	t.Helper()
	at := now
	if from == nil {
		at = time.Time{}
	}
	_, e, err := app.Settings(t.Context(), app.Reading{From: from, At: at})
	if err != nil {
		t.Fatal(name, err)
	}
	var ids []string
	for i := range c.Changes {
		ids = append(ids, c.Changes[i].ID)
	}
	changes, unknown := cause.Change(e.Tenant(), ids)
	if unknown != "" {
		t.Fatalf("%s: no change is called %s", name, unknown)
	}
	q, _ := access.FindQuestion(c.Proof.Question)
	before, _ := e.Prove(q)
	after, _ := access.Compile(e.Tenant().Apply(changes...)).Prove(q)
	if before.Open != c.Proof.Before || after.Open != c.Proof.After || after.Verdict != c.Proof.Verdict {
		t.Errorf("%s: %s: %d to %d, %s; said %+v", name, c.Title, before.Open, after.Open, after.Verdict, c.Proof)
	}
}

func rehearseAgain(t *testing.T, name string, from []string, now time.Time, c *assess.Cause) {
	t.Helper()
	var p app.Proposal
	for i := range c.Changes {
		p.Changes = append(p.Changes, c.Changes[i].ID)
	}
	reading := app.Reading{From: from, At: now, Until: now}
	if from == nil {
		reading.At, reading.Until = time.Time{}, time.Time{}
	}
	r, err := app.Rehearse(t.Context(), reading, p)
	if err != nil {
		t.Fatal(name, err)
	}
	var want []assess.CauseEffects
	for _, x := range r.Totals {
		if x.Effect != rehearse.Unchanged && x.Rows > 0 {
			want = append(want, assess.CauseEffects{Effect: string(x.Effect), SignIns: x.Rows, Accounts: x.Accounts})
		}
	}
	if !slices.Equal(want, c.Effects) {
		t.Errorf("%s: %s: rehearsed %+v, said %+v", name, c.Title, want, c.Effects)
	}
}

// TestSampleCauses: what a newcomer is told to do first.
func TestSampleCauses(t *testing.T) {
	t.Parallel()
	r, err := app.Assess(t.Context(), app.Reading{}, app.Question{Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		kind     assess.CauseKind
		title    string
		accounts int
	}{
		{assess.CauseUrgent, "Answer the alert: Virtual machines are mining (Tailspin Toys)", 0},
		{assess.CauseSettings, `Remove the excluded location "Headquarters Dublin" from "CA002 - All users - Require MFA"`, 27},
		{assess.CauseSettings, `Remove the group "CA-Exclude-Scripts" from the exclusions of "CA002 - All users - Require MFA"`, 3},
	} {
		if c := r.Causes[i]; c.Kind != want.kind || c.Title != want.title || c.Accounts != want.accounts {
			t.Errorf("cause %d: %s %q, %d accounts", i+1, c.Kind, c.Title, c.Accounts)
		}
	}
	apart := slices.IndexFunc(r.Causes, func(c assess.Cause) bool { return c.BreakGlass })
	if apart < 0 || len(r.Causes[apart].People) != 1 || !r.Causes[apart-1].Mandatory || r.Causes[apart+1].Mandatory {
		t.Errorf("the break-glass account is at %d of %d", apart, len(r.Causes))
	}
	// What the causes close is what the requirement counts, none twice.
	var closed int64
	for i := range r.Causes {
		if r.Causes[i].Kind == assess.CauseSettings {
			closed += r.Causes[i].SignIns
		}
	}
	for i := range r.Requirements {
		if q := &r.Requirements[i]; q.ID == "mfa-every-sign-in" && int64(q.Affected) != closed {
			t.Errorf("the causes close %d sign-ins of %d", closed, q.Affected)
		}
	}
	for i := range r.Requirements { // nothing that is open is without a cause
		q := &r.Requirements[i]
		if (q.Verdict == assess.NotMet || q.Verdict == assess.Unknown) && q.Action != "" &&
			!slices.ContainsFunc(r.Causes, func(c assess.Cause) bool { return slices.Contains(c.Requirements, q.ID) }) {
			t.Errorf("no cause serves %s", q.ID)
		}
	}
}
