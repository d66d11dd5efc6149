package ledger

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/gateway"
)

// find adds what is not well to the report, what is excused too.
func (r *Report) find(list []Sum, by map[string]*stand) {
	at := map[Finding]int{}
	for i := range list {
		c := &list[i]
		if c.Reason == gateway.Passed.String() {
			continue
		}
		k := Finding{Route: c.Route, Reason: c.Reason, Kind: c.Kind, Tenant: c.Tenant, Caller: c.Caller, Client: c.Client, Agent: c.Agent, Excused: c.Excused}
		n, ok := at[k]
		if !ok {
			n = len(r.Findings)
			at[k] = n
			f := k
			if reason, ok := gateway.ReasonOf(c.Reason); ok {
				f.Title, f.Fix = reason.Title(), reason.Fix()
			}
			f.First, f.Last, f.Callers = c.First, c.Last, 1
			r.Findings = append(r.Findings, f)
		}
		r.Findings[n].take(c.N, c.First, c.Last, c.Account)
		if c.Refused {
			r.Findings[n].Refused += c.N
		}
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		if all := by[f.Route].Requests; all > 0 {
			f.Share = float64(f.Times) / float64(all)
		}
	}
	sortFindings(r.Findings)
}

func (f *Finding) take(n int64, first, last time.Time, account string) {
	f.Times += n
	if first.Before(f.First) {
		f.First = first
	}
	if last.After(f.Last) {
		f.Last = last
	}
	f.Account = cmp.Or(account, f.Account)
}

func sortFindings(list []Finding) {
	slices.SortFunc(list, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(len(a.Excused), len(b.Excused)), cmp.Compare(b.Times, a.Times), strings.Compare(a.Route, b.Route),
			strings.Compare(a.Caller, b.Caller), strings.Compare(a.Reason, b.Reason), strings.Compare(a.Client, b.Client), strings.Compare(a.Agent, b.Agent))
	})
}

// The ways to group a report.
const (
	ByCaller = "caller"
	ByReason = "reason"
	ByClient = "client"
	ByRoute  = "route"
)

// Groupings are the ways to group a report.
func Groupings() []string { return []string{ByCaller, ByReason, ByClient, ByRoute} }

// Grouped gives the findings that enforcing refuses, by one thing: what differs within a
// group is left empty, and Callers counts who is in it. What is excused is not among them.
func (r *Report) Grouped(by string) []Finding {
	type group struct {
		f       Finding
		callers map[who]bool
	}
	at := map[Finding]*group{}
	var order []*group
	all := map[string]int64{}
	for i := range r.Routes {
		all[r.Routes[i].Route] = r.Routes[i].Requests
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Excused != "" {
			continue
		}
		k := Finding{Route: f.Route}
		switch by {
		case ByReason:
			k.Reason, k.Title, k.Fix = f.Reason, f.Title, f.Fix
		case ByClient:
			k.Client = f.Client
		case ByCaller:
			k.Kind, k.Tenant, k.Caller = f.Kind, f.Tenant, f.Caller
		}
		g := at[k]
		if g == nil {
			g = &group{f: k, callers: map[who]bool{}}
			g.f.First, g.f.Last = f.First, f.Last
			if by == ByCaller {
				g.f.Reason, g.f.Title, g.f.Fix, g.f.Client, g.f.Agent = f.Reason, f.Title, f.Fix, f.Client, f.Agent
			}
			at[k] = g
			order = append(order, g)
		}
		g.callers[who{f.Kind, f.Tenant, f.Caller}] = true
		g.f.take(f.Times, f.First, f.Last, "")
		g.f.Refused += f.Refused
		if by == ByCaller {
			g.f.Account = cmp.Or(g.f.Account, f.Account)
			same(&g.f.Reason, f.Reason)
			same(&g.f.Client, f.Client)
			same(&g.f.Agent, f.Agent)
		}
	}
	out := make([]Finding, 0, len(order))
	for _, g := range order {
		g.f.Callers = len(g.callers)
		if n := all[g.f.Route]; n > 0 {
			g.f.Share = float64(g.f.Times) / float64(n)
		}
		out = append(out, g.f)
	}
	sortFindings(out)
	return out
}

// same adds another word to those that a group has, each once.
func same(all *string, word string) {
	if word == "" || slices.Contains(strings.Split(*all, ", "), word) {
		return
	}
	if *all == "" {
		*all = word
		return
	}
	*all += ", " + word
}
