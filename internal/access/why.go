package access

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// why names, for the policies that come nearest, the clause that lets the gap
// through. An exclusion is nearer than not being included, and missing a part
// of the gap is nearer than missing all of it.
func (e *Engine) why(c *compiledQuestion, b box, subject int) []Why {
	var all []near
	if what := e.untargeted(c, b); what != "" {
		return []Why{{Clause: "no enforced policy that asks for it targets " + what}}
	}
	c.protects.each(func(i int) {
		if e.unsupported.has(i) { // named below
			return
		}
		if n := e.near(c, b, subject, i); n.why.Clause != "" {
			all = append(all, n)
		}
	})
	slices.SortStableFunc(all, func(x, y near) int { return cmp.Compare(x.miles, y.miles) })
	var out []Why
	all = slices.CompactFunc(all, func(a, b near) bool { return a.why == b.why }) // copies of one policy
	for i, n := range all {
		if i == 3 || i > 0 && n.miles > all[0].miles+3 {
			break
		}
		out = append(out, n.why)
	}
	out = append(out, e.weak(c, b, subject, 3-len(out))...)
	for i, p := range e.policies { // what may help and is not understood
		if len(out) >= mostWhys {
			break
		}
		d := &e.demands[i]
		if e.origin[i] != i {
			continue
		}
		if e.unsupported.has(i) && p.Enforced() && (!d.nothing() || !p.grantsUnderstood()) && e.takesBox(c, b, i) {
			if t, _ := p.takes(e.subject(subject), e); t == no {
				continue
			}
			out = append(out, Why{p.ID, p.DisplayName, "is not counted: it uses what is not understood here (" + p.misread() + ")"})
		}
	}
	if out == nil {
		out = []Why{{Clause: "no enforced policy asks for it at all"}}
		if !c.protects.meets(e.enforced) {
			return out
		}
		out[0].Clause = "no enforced policy that asks for it comes near"
	}
	return out
}

// mostWhys bounds the reasons of one gap.
const mostWhys = 5

// unused names the report-only policies that would close a gap if they were on, for
// all of its accounts or for how many of them.
func (e *Engine) unused(c *compiledQuestion, b box, members []int32, most int) (out []Why) {
	accounts := e.who(members).Count
	for i, p := range e.policies {
		d := &e.demands[i]
		answers := d.block || d.mfa && c.Require == RequireMFA || d.phishingResistant && c.Require == RequirePhishing
		if len(out) >= most || !e.reportOnly.has(i) || e.origin[i] != i || !answers || d.hasAlternative() || !e.takesBox(c, b, i) {
			continue
		}
		var open []int32 // an account with a role to activate is here more than once
		for _, m := range members {
			if !e.user(int(m)).could.has(i) {
				open = append(open, m)
			}
		}
		switch n := accounts - e.who(open).Count; {
		case n == 0:
		case n == accounts:
			out = append(out, Why{p.ID, p.DisplayName, "would close it, but is report-only"})
		default:
			out = append(out, Why{p.ID, p.DisplayName, fmt.Sprintf("would close it for %d of the %d accounts, but is report-only", n, accounts)})
		}
	}
	return out
}

// near is a policy that does not close a gap, with how far it is from doing so.
type near struct {
	why   Why
	miles int
}

// near says which clauses of policy i let the gap through; none when it has no
// such clause.
func (e *Engine) near(c *compiledQuestion, b box, subject, i int) near {
	p := e.policies[i]
	n := near{why: Why{ID: p.ID, Policy: p.DisplayName}}
	var clauses, whole, partly []string // those of the account, and those that leave all or some of the gap open
	takes, clause := p.takes(e.subject(subject), e)
	if takes != yes {
		if takes == maybe {
			clause = "may not reach the account: " + clause
		}
		n.miles += 2
		if clause == "does not include the account" {
			n.miles += 10
		}
		clauses = append(clauses, clause)
	}
	for l := range e.dims {
		missed, taken, weak, clause := e.missed(c, b, i, l)
		if missed == 0 {
			continue
		}
		miles := 6
		switch { // a policy about other clients or about user actions is about something else
		case dimID(l) == dimClient, dimID(l) == dimResource && len(p.Conditions.Applications.IncludeApplications) == 0:
			miles = 12
		}
		if strings.HasPrefix(clause, "excludes") || weak {
			miles = 2
		}
		if taken > 0 {
			miles /= 2
			partly = append(partly, clause)
		} else {
			whole = append(whole, clause)
		}
		n.miles += miles
	}
	// Only what opens this gap: a policy that never takes the account needs no
	// further reason, nor does one that takes no part of the gap.
	switch {
	case takes == no:
	case len(whole) > 0:
		clauses = append(clauses, whole...)
	default:
		clauses = append(clauses, partly...)
	}
	n.why.Clause = strings.Join(clauses, "; ")
	return n
}

// missed counts the classes of a dimension that are in the gap and that policy i
// misses or takes, and says by which clause it misses the first. weak: its grant
// lets the class through instead of MFA.
func (e *Engine) missed(c *compiledQuestion, b box, i, l int) (missed, taken int, weak bool, clause string) {
	d := &e.dims[l]
	for _, k := range c.classes[l] {
		if !hasClass(b[l], k) {
			continue
		}
		guarded := d.guard != nil && !d.guard[k].has(i)
		if d.sure[k].has(i) && !guarded {
			taken++
			continue
		}
		missed++
		switch {
		case clause != "":
		case guarded:
			weak, clause = true, "asks for "+grantText(e.policies[i], &e.demands[i])+", and lets "+d.labels[k]+" through"
		default:
			clause = e.clauseText(i, l, k)
		}
	}
	return missed, taken, weak, clause
}

// weak names the enforced policies that take the gap and whose grant controls
// can be met without MFA by anybody: a custom control, terms of use, a change of
// password, alone or joined to MFA by OR.
func (e *Engine) weak(c *compiledQuestion, b box, subject, most int) (out []Why) {
	for i, p := range e.policies {
		d := &e.demands[i]
		if len(out) >= most || !e.enforced.has(i) || c.protects.has(i) || d.block || !d.or[altAnything] {
			continue
		}
		if t, _ := p.takes(e.subject(subject), e); t == no || !e.takesBox(c, b, i) {
			continue
		}
		why := Why{p.ID, p.DisplayName, "asks for " + grantText(p, d) + ", which can be met without MFA"}
		if len(p.GrantControls.CustomFactors) > 0 {
			why.Clause = "asks for " + grantText(p, d) + "; a custom control never yields an MFA claim, External MFA does"
		}
		out = append(out, why)
	}
	return out
}

// untargeted names the user action of a box that no protecting policy selects.
func (e *Engine) untargeted(c *compiledQuestion, b box) string {
	d := &e.dims[dimResource]
	var labels []string
	for _, k := range c.classes[dimResource] {
		if !hasClass(b[dimResource], k) {
			continue
		}
		if k != e.apps[actionRegisterInfo] && k != e.apps[actionRegisterDevice] || d.could[k].meets(c.protects) {
			return ""
		}
		labels = append(labels, d.labels[k])
	}
	return strings.Join(labels, " or ")
}

func (e *Engine) takesBox(c *compiledQuestion, b box, i int) bool {
	for l := range e.dims {
		for _, k := range c.classes[l] {
			if hasClass(b[l], k) && !e.dims[l].could[k].has(i) {
				return false
			}
		}
	}
	return true
}
