package access

import (
	"cmp"
	"slices"
	"strings"
)

// why names, for the policies that come nearest, the clause that lets the gap
// through. An exclusion is nearer than not being included, and missing a part
// of the gap is nearer than missing all of it.
func (e *Engine) why(c *compiledQuestion, b box, subject int) []Why {
	type near struct {
		why   Why
		miles int
	}
	var all []near
	if what := e.untargeted(c, b); what != "" {
		return []Why{{Clause: "no enforced policy that asks for it targets " + what}}
	}
	c.protects.each(func(i int) {
		p := e.policies[i]
		if e.unsupported.has(i) { // named below
			return
		}
		n := near{why: Why{ID: p.ID, Policy: p.DisplayName}}
		var clauses []string
		if t, clause := p.takes(e.subject(subject), e); t != yes {
			if t == maybe {
				clause = "may not reach the account: " + clause
			}
			n.miles += 2
			if clause == "does not include the account" {
				n.miles += 10
			}
			clauses = append(clauses, clause)
		}
		for l := range e.dims {
			d := &e.dims[l]
			missed, taken, clause := 0, 0, ""
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
					clause = "lets " + d.labels[k] + " through instead of MFA"
				default:
					clause = e.clauseText(i, l, k)
				}
			}
			if missed == 0 {
				continue
			}
			miles := 6
			switch { // a policy about other clients or about user actions is about something else
			case dimID(l) == dimClient, dimID(l) == dimResource && len(p.Conditions.Applications.IncludeApplications) == 0:
				miles = 12
			}
			if strings.HasPrefix(clause, "excludes") || strings.HasPrefix(clause, "lets") {
				miles = 2
			}
			if taken > 0 {
				miles /= 2
			}
			n.miles += miles
			clauses = append(clauses, clause)
		}
		if len(clauses) > 0 {
			n.why.Clause = strings.Join(clauses, "; ")
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
	// Policies that would help but are not on.
	for i, p := range e.policies {
		if len(out) >= 5 {
			break
		}
		d := &e.demands[i]
		if e.origin[i] != i {
			continue
		}
		if e.reportOnly.has(i) && (d.mfa || d.block) && !d.hasAlternative() {
			if t, _ := p.takes(e.subject(subject), e); t != no && e.takesBox(c, b, i) {
				out = append(out, Why{p.ID, p.DisplayName, "would close it, but is report-only"})
			}
		}
		if e.unsupported.has(i) && p.Enforced() && (!d.nothing() || !p.grantsUnderstood()) && e.takesBox(c, b, i) {
			if t, _ := p.takes(e.subject(subject), e); t == no {
				continue
			}
			out = append(out, Why{p.ID, p.DisplayName, "is not counted: it uses what is not understood here (" + strings.Join(p.Unsupported, ", ") + ")"})
		}
	}
	if out == nil {
		out = []Why{{Clause: "no enforced policy asks for it at all"}}
		if c.protects.empty() {
			return out
		}
		out[0].Clause = "no enforced policy that asks for it comes near"
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
