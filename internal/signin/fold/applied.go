package fold

import (
	"cmp"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/texts"
)

// maxApplied bounds the policies kept; a tenant may have 240.
const maxApplied = 1024

// appliedLog collects the policies that rows list. It is asked for every row,
// and rows mostly list the same policies in the same order, so a policy is
// looked for first where it would come next.
type appliedLog struct {
	list []listedPolicy
	at   map[string]int // position in list, by the id as written
	next int
	full clock // the newest row that lists policies which did not apply
}

type listedPolicy struct {
	id, name string
	applied  bool
	last     clock
	src      signin.SourceRef
}

// see takes the policies of one row.
func (l *appliedLog) see(policies []signin.AppliedPolicy, at clock, src signin.SourceRef) {
	for i := range policies {
		p := &policies[i]
		if len(p.ID) != len(entra.NilID) || p.ID[8] != '-' {
			continue // security defaults are listed by a name
		}
		listed, applied := policyResult(p.Result)
		if !listed {
			continue
		}
		n := l.next
		if n >= len(l.list) || l.list[n].id != p.ID {
			var known bool
			if n, known = l.at[p.ID]; !known {
				if n = l.add(listedPolicy{strings.Clone(p.ID), strings.Clone(p.DisplayName), false, noClock, src}); n < 0 {
					continue
				}
			}
		}
		l.next = n + 1
		e := &l.list[n]
		if at.compare(e.last) > 0 {
			e.last = at
		}
		if applied {
			e.applied = true
		} else if at.compare(l.full) > 0 {
			l.full = at
		}
	}
}

// policyResult says whether a result lists a policy that is on, and whether the
// policy took the sign-in.
func policyResult(result string) (listed, applied bool) {
	switch {
	case texts.EqualFold(result, "notApplied"), texts.EqualFold(result, "reportOnlyNotApplied"):
		return true, false
	case texts.EqualFold(result, "success"), texts.EqualFold(result, "failure"), texts.HasPrefixFold(result, "reportOnly"):
		return true, true
	}
	return false, false // notEnabled, or not known
}

// add gives the new position, or -1 where there are too many.
func (l *appliedLog) add(p listedPolicy) int {
	if len(l.list) >= maxApplied {
		return -1
	}
	if l.at == nil {
		l.at, l.full = map[string]int{}, noClock
	}
	l.at[p.id] = len(l.list)
	l.list = append(l.list, p)
	return len(l.list) - 1
}

// merge adds what another log saw.
func (l *appliedLog) merge(o *appliedLog) {
	if o.at == nil {
		return
	}
	if l.at == nil {
		*l = *o
		return
	}
	if o.full.compare(l.full) > 0 {
		l.full = o.full
	}
	for _, p := range o.list {
		n, known := l.at[p.id]
		if !known {
			l.add(p)
			continue
		}
		e := &l.list[n]
		e.applied = e.applied || p.applied
		if p.last.compare(e.last) > 0 {
			e.last = p.last
		}
		if compareRefs(p.src, e.src) < 0 {
			e.src, e.name = p.src, p.name
		}
	}
}

func compareRefs(a, b signin.SourceRef) int {
	return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Index, b.Index), cmp.Compare(a.Part, b.Part))
}

// result lists, by id, the policies that were applied and still there at the
// end. Rows list the tenant's policies whether they apply or not, so a policy
// that a newer such row leaves out was deleted or switched off meanwhile, and
// says nothing about the export.
func (l *appliedLog) result() (out []signin.PolicySighting) {
	byID := map[string]int{}
	for _, p := range l.list {
		if !p.applied || p.last.compare(l.full) < 0 {
			continue
		}
		s := signin.PolicySighting{ID: strings.ToLower(p.id), Name: p.name, Source: p.src.Source}
		if p.last != noClock {
			s.Last = p.last.time()
		}
		if n, twice := byID[s.ID]; twice {
			if s.Last.After(out[n].Last) {
				out[n].Last = s.Last
			}
			continue
		}
		byID[s.ID] = len(out)
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b signin.PolicySighting) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// inOwnTenant reports a sign-in that the log's own tenant decided. What another
// tenant asks of our users is written in our log too.
func inOwnTenant(e *signin.Event) bool {
	return (e.CrossTenantAccessType == "" || texts.EqualFold(e.CrossTenantAccessType, "none")) &&
		(e.ResourceTenantID == "" || e.HomeTenantID == "" || strings.EqualFold(e.ResourceTenantID, e.HomeTenantID))
}
