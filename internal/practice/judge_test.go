package practice_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
	"partnerguard/internal/practice"
	"partnerguard/internal/vouch"
)

// neverMet are the practices that no data shows to be met: those of a person's word, and
// P34, for the quota is not read.
func neverMet(p *partner.Practice) bool { return p.Mode.Attestable() || p.ID == "P34" }

// TestWorldInWhichAllIsMet: what can be met is, and what cannot says who has to speak.
func TestWorldInWhichAllIsMet(t *testing.T) {
	t.Parallel()
	w := &world{own: house(), customer: client()}
	r := w.judge(t)
	if len(r.Practices) != 38 {
		t.Fatalf("%d practices", len(r.Practices))
	}
	for i := range r.Practices {
		q := &r.Practices[i]
		p, _ := partner.FindPractice(q.ID)
		switch want := map[bool]assess.Verdict{true: assess.Unknown, false: assess.Met}[neverMet(&p)]; {
		case q.Verdict != want:
			t.Errorf("%s is %s: %s (%s) %+v", q.ID, q.Verdict, q.Reason, q.Settles, q.Evidence)
		case q.Verdict == assess.Unknown && q.Settles == "":
			t.Errorf("%s: nothing settles it", q.ID)
		}
		if q.Remedy.Check == "" || q.Remedy.Plan == "" && q.Remedy.Command == "" && len(q.Remedy.Steps) == 0 {
			t.Errorf("%s has no remedy", q.ID)
		}
	}
}

// TestNothingIsMetWithoutEvidence: with nothing read, everything is unknown and says what
// settles it.
func TestNothingIsMetWithoutEvidence(t *testing.T) {
	t.Parallel()
	r := (&world{own: records{}, rows: []string{}}).judge(t)
	for i := range r.Practices {
		if q := &r.Practices[i]; q.Verdict != assess.Unknown || q.Settles == "" {
			t.Errorf("%s is %s: %s (%s)", q.ID, q.Verdict, q.Reason, q.Settles)
		}
	}
}

// better says that a verdict grew better: it holds now and did not before.
func better(before, after assess.Verdict) bool {
	holds := []assess.Verdict{assess.Met, assess.Attested, assess.NotApplicable}
	return slices.Contains(holds, after) && !slices.Contains(holds, before)
}

// doWithout are the lists of a practice without which it may still be met, for the world
// decides it by others.
var doWithout = map[string][]evidence.Kind{
	"P02": {evidence.SecurityAlert}, // Microsoft's score says it
	"P04": {evidence.SecurityDefaults},
	"P06": {evidence.AzureRoleAssignment},
	"P07": {evidence.SecurityDefaults},
	"P09": {evidence.SecurityDefaults, evidence.User},
	"P11": {evidence.AdminConsentPolicy},
	"P21": {evidence.AzureRoleAssignment}, "P33": {evidence.AzureSubscription, evidence.CostAlert, evidence.ActivityAlert}, // read in the customer's tenant
	"P24": {evidence.RoleAssignment},
	"P29": {evidence.AuditConfig},
	"P32": {evidence.SecurityRequirement}, // the list of usage decides
}

// TestTakingAwayNeverHelps takes away each list of each tenant, cuts it in each way, and
// takes away each record: no verdict grows better, and none that needs the list is met.
func TestTakingAwayNeverHelps(t *testing.T) {
	t.Parallel()
	whole := (&world{own: house(), customer: client()}).judge(t)
	bad := &world{own: badHouse(), customer: badClient(), rows: badRows()}
	fails := bad.judge(t)
	hold := func(what string, before, after *practice.Report) {
		t.Helper()
		for i := range after.Practices {
			if b, a := &before.Practices[i], &after.Practices[i]; better(b.Verdict, a.Verdict) {
				t.Errorf("%s: %s was %s (%s) and is %s: %s", what, a.ID, b.Verdict, b.Reason, a.Verdict, a.Reason)
			}
		}
	}
	for _, start := range []struct {
		name          string
		own, customer records
		rows          []string
		is            *practice.Report
	}{{"good", house(), client(), nil, whole}, {"bad", badHouse(), badClient(), badRows(), fails}} {
		for kind := range start.own {
			after := (&world{own: start.own.with(kind, nil), customer: start.customer, rows: start.rows}).judge(t)
			hold(start.name+" without "+string(kind), start.is, after)
			needed(t, kind, "gone", after)
		}
		for kind := range start.customer {
			hold(start.name+" without the customer's "+string(kind), start.is, (&world{own: start.own, customer: start.customer.with(kind, nil),
				rows: start.rows}).judge(t))
		}
		hold(start.name+" without the customer", start.is, (&world{own: start.own, rows: start.rows}).judge(t))
		hold(start.name+" without the log", start.is, (&world{own: start.own, customer: start.customer, rows: []string{}}).judge(t))
	}
	for kind := range house() {
		for how, cut := range map[string]func(*evidence.Input){
			"first page":   func(in *evidence.Input) { in.NextLink = true },
			"read in part": func(in *evidence.Input) { in.Status = evidence.Partial },
			"unreadable":   func(in *evidence.Input) { in.Status = evidence.Unreadable },
		} {
			w := &world{own: house(), customer: client(), cut: func(own bool, in *evidence.Input) {
				if _, here := in.Kinds[kind]; own && here {
					cut(in)
				}
			}}
			after := w.judge(t)
			hold(string(kind)+" "+how, whole, after)
			needed(t, kind, how, after)
		}
	}
}

// needed holds that no practice that needs the list is met.
func needed(t *testing.T, kind evidence.Kind, how string, r *practice.Report) {
	t.Helper()
	for _, p := range partner.Practices() {
		q, _ := r.Find(p.ID)
		if slices.Contains(p.Needs, kind) && !slices.Contains(doWithout[p.ID], kind) && q.Verdict == assess.Met {
			t.Errorf("%s %s: %s is met: %s", kind, how, p.ID, q.Reason)
		}
		if q.Verdict == assess.Unknown && q.Settles == "" {
			t.Errorf("%s %s: %s names nothing that settles it", kind, how, p.ID)
		}
	}
}

// TestNothingHoldsForEver: 400 days later nothing that data decides is met.
func TestNothingHoldsForEver(t *testing.T) {
	t.Parallel()
	w := &world{own: house(), customer: client(), exported: now.Add(-time.Hour)}
	fresh := w.judge(t)
	w.at = now.AddDate(0, 0, 400)
	old := w.judge(t)
	for i := range old.Practices {
		q := &old.Practices[i]
		if fresh.Practices[i].Verdict == assess.Met && q.Verdict != assess.Unknown {
			t.Errorf("%s is still %s: %s", q.ID, q.Verdict, q.Reason)
		}
	}
}

// TestAttested: a person's word counts for practices that take one, until its day, and
// never against the evidence.
func TestAttested(t *testing.T) {
	t.Parallel()
	said := func(since, until string) (all []vouch.Statement) {
		for _, p := range partner.Practices() {
			all = append(all, vouch.Statement{Kind: vouch.Attestation, Requirement: p.ID, Who: "Ada Lovelace", Since: since, Until: until,
				Reason: "looked at it"})
		}
		return all
	}
	for name, c := range map[string]struct {
		since, until string
		counts       bool
	}{"in force": {"2026-11-01", "2027-03-01", true}, "ended": {"2026-01-01", "2026-11-01", false}, "not yet": {"2026-12-01", "2027-03-01", false}} {
		r := (&world{own: records{}, rows: []string{}, vouched: said(c.since, c.until)}).judge(t)
		for i := range r.Practices {
			q := &r.Practices[i]
			p, _ := partner.FindPractice(q.ID)
			want := assess.Unknown
			if c.counts && p.Mode.Attestable() {
				want = assess.Attested
			}
			if q.Verdict != want || (want == assess.Attested) != (q.AttestedBy == "Ada Lovelace" && q.AttestedUntil == c.until) {
				t.Errorf("%s: %s is %s by %q: %s", name, q.ID, q.Verdict, q.AttestedBy, q.Reason)
			}
		}
		if len(r.Attestations) != 38 {
			t.Errorf("%s: %d statements are told", name, len(r.Attestations))
		}
	}
	r := (&world{own: badHouse(), customer: badClient(), vouched: said("2026-11-01", "2027-03-01")}).judge(t)
	for _, id := range []string{"P14", "P20", "P36"} {
		if q, _ := r.Find(id); q.Verdict != assess.NotMet || !strings.Contains(q.Reason, "which the evidence contradicts") {
			t.Errorf("%s is %s: %s", id, q.Verdict, q.Reason)
		}
	}
}
