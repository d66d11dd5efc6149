package practice_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
	"partnerguard/internal/practice"
)

// worlds are the two that the attacks begin with: one in which all is met, one in which
// nothing is.
func worlds() map[string]world {
	return map[string]world{"good": {own: house(), customer: client()}, "bad": {own: badHouse(), customer: badClient(), rows: badRows()}}
}

func noBetter(t *testing.T, what string, before, after *practice.Report) {
	t.Helper()
	for i := range after.Practices {
		if b, a := &before.Practices[i], &after.Practices[i]; better(b.Verdict, a.Verdict) {
			t.Errorf("%s: %s was %s (%s) and is %s: %s", what, a.ID, b.Verdict, b.Reason, a.Verdict, a.Reason)
		}
	}
}

// TestCutAnywhere: each list of the partner and of the customer that was read in part, was
// not readable, or goes on at a page that is not there, makes nothing better.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	cuts := map[string]func(*evidence.Input){
		"first page":   func(in *evidence.Input) { in.NextLink = true },
		"read in part": func(in *evidence.Input) { in.Status = evidence.Partial },
		"unreadable":   func(in *evidence.Input) { in.Status = evidence.Unreadable },
	}
	for name, start := range worlds() {
		is := start.judge(t)
		for _, own := range []bool{true, false} {
			list := start.own
			if !own {
				list = start.customer
			}
			for kind := range list {
				for how, cut := range cuts {
					w := start
					w.cut = func(of bool, in *evidence.Input) {
						if _, here := in.Kinds[kind]; of == own && here {
							cut(in)
						}
					}
					noBetter(t, name+", own "+map[bool]string{true: "yes", false: "no"}[own]+": "+string(kind)+" "+how, is, w.judge(t))
				}
			}
		}
	}
}

// TestTwice: a list that was exported twice, each record of it there two times, changes no
// verdict and no count of what falls short.
func TestTwice(t *testing.T) {
	t.Parallel()
	for name, start := range worlds() {
		is := start.judge(t)
		for _, own := range []bool{true, false} {
			list := start.own
			if !own {
				list = start.customer
			}
			for kind, records := range list {
				if len(records) == 0 {
					continue
				}
				w := start
				twice := list.with(kind, append(slices.Clone(records), records...))
				if own {
					w.own = twice
				} else {
					w.customer = twice
				}
				after := w.judge(t)
				for i := range after.Practices {
					if b, a := &is.Practices[i], &after.Practices[i]; a.Verdict != b.Verdict || a.Affected != b.Affected || a.Total != b.Total {
						t.Errorf("%s, own %t, %s twice: %s was %s (%d of %d) and is %s (%d of %d): %s", name, own, kind, a.ID, b.Verdict, b.Affected, b.Total,
							a.Verdict, a.Affected, a.Total, a.Reason)
					}
				}
			}
		}
	}
}

// TestStaleNeverHelps: lists that were exported long ago make nothing better, alone or all.
func TestStaleNeverHelps(t *testing.T) {
	t.Parallel()
	for name, start := range worlds() {
		start.exported = now.Add(-time.Hour)
		is := start.judge(t)
		old := now.AddDate(0, 0, -200)
		for _, kind := range append([]evidence.Kind{evidence.SignIn, ""}, slices.Collect(maps.Keys(start.own))...) {
			w := start
			w.cut = func(own bool, in *evidence.Input) {
				if _, here := in.Kinds[kind]; here || kind == "" {
					in.Times.Stated = &old
				}
			}
			noBetter(t, name+", stale "+string(kind), is, w.judge(t))
		}
	}
}

// TestForeignTenant: what lies there of a tenant that is no customer is nobody's evidence.
func TestForeignTenant(t *testing.T) {
	t.Parallel()
	for name, start := range worlds() {
		start.customer = nil
		is := start.judge(t)
		f := start.take(t, start.own, true)
		start.log(t, f)
		o := assess.Options{AsOf: now, Automation: &assess.Automation{}}
		c := start.take(t, client(), false)
		after := practice.Judge(f, assess.Assess(f, o), practice.Options{AsOf: now, Assess: o, Customers: []practice.Customer{
			{Tenant: "ffffffff-0000-4000-8000-00000000000f", Name: "Somebody", Facts: c, Report: assess.Assess(c, assess.Options{AsOf: now})}}})
		noBetter(t, name, is, after)
	}
}

// TestOthersExport: another tenant's export in a customer's folder is not that customer's, and
// it is told.
func TestOthersExport(t *testing.T) {
	t.Parallel()
	org := func(id string) []string { return []string{`{"id":"` + id + `","displayName":"Somebody"}`} }
	own := world{own: house(), customer: client().with(evidence.Organization, org(customerID))}
	is := own.judge(t)
	if is.CustomersRead != 1 || !is.Complete {
		t.Errorf("%d of %d customers were read: %v", is.CustomersRead, is.Customers, is.Incomplete)
	}
	own.customer = client().with(evidence.Organization, org("ffffffff-0000-4000-8000-00000000000f"))
	after := own.judge(t)
	noBetter(t, "another's", is, after)
	if after.CustomersRead != 0 || after.Complete || len(after.Incomplete) == 0 {
		t.Errorf("%d customers were read, complete %t: %v", after.CustomersRead, after.Complete, after.Incomplete)
	}
	for _, id := range []string{"P24", "P29", "P36"} {
		if q, _ := after.Find(id); q.Verdict == assess.Met {
			t.Errorf("%s is met by another tenant's lists: %s", id, q.Reason)
		}
	}
}

// TestRecordGone: a record less makes nothing met that was not, but where the practice is
// about that record alone: of a list that was read whole nobody can know that it had it.
func TestRecordGone(t *testing.T) {
	t.Parallel()
	alone := map[evidence.Kind][]string{evidence.RiskyUser: {"P08"}, evidence.Application: {"P12"}, evidence.Relationship: {"P19", "P20"},
		evidence.AccessAssignment: {"P23"}}
	for name, start := range worlds() {
		is := start.judge(t)
		for kind, list := range start.own {
			for i := range list {
				w := start
				w.own = start.own.with(kind, slices.Delete(slices.Clone(list), i, i+1))
				after := w.judge(t)
				for k := range after.Practices {
					if b, a := &is.Practices[k], &after.Practices[k]; better(b.Verdict, a.Verdict) && !slices.Contains(alone[kind], a.ID) {
						t.Errorf("%s without %s %d: %s was %s (%s) and is %s: %s", name, kind, i, a.ID, b.Verdict, b.Reason, a.Verdict, a.Reason)
					}
				}
			}
		}
	}
}

// TestWorkByDAP: whom a customer's DAP lets in works at customers too, and where the list of
// customers is not whole, nobody knows that none does.
func TestWorkByDAP(t *testing.T) {
	t.Parallel()
	bad := badHouse().with(evidence.AccessAssignment, []string{}) // DAP alone is left
	bad[evidence.Group] = []string{strings.Replace(bad[evidence.Group][0], `"eve"`, `"ada"`, 1), bad[evidence.Group][1]}
	q, _ := (&world{own: bad, customer: badClient(), rows: badRows()}).judge(t).Find("P23")
	if q.Verdict != assess.NotMet {
		t.Errorf("agents with mailboxes, by DAP: %s: %s", q.Verdict, q.Reason)
	}
	group := strings.Replace(policyOfAll, `"includeUsers":["All"]`, `"includeUsers":[],"includeGroups":["`+gdapGroup+`"]`, 1)
	own := house().with(evidence.ConditionalAccessPolicy, []string{group})
	good := world{own: own, customer: client()}
	if q, _ = good.judge(t).Find("P25"); q.Verdict != assess.Met {
		t.Errorf("the group of GDAP is asked, and there is no DAP: %s: %s", q.Verdict, q.Reason)
	}
	dap := strings.ReplaceAll(own[evidence.Customer][0], `"allowDelegatedAccess":false`, `"allowDelegatedAccess":true`)
	good.own = own.with(evidence.Customer, []string{dap})
	if q, _ = good.judge(t).Find("P25"); q.Verdict == assess.Met {
		t.Errorf("AdminAgents get in by DAP, and nobody asks them: %s: %s", q.Verdict, q.Reason)
	}
	for _, id := range []string{"P23", "P25"} {
		good.own = own.with(evidence.Customer, nil)
		if q, _ = good.judge(t).Find(id); q.Verdict != assess.Unknown || q.Settles == "" {
			t.Errorf("%s, whether there is DAP not being known, is %s: %s", id, q.Verdict, q.Reason)
		}
	}
}
