package find

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/object"
)

// proven says that today's settings prove a question: nothing of them is changed for it.
func (f *finder) proven(question string) bool { return f.provenBy(f.today, "", question) }

// provenBy is the same of other settings, which are called name.
func (f *finder) provenBy(e *access.Engine, name, question string) bool {
	q, known := access.FindQuestion(question)
	if !known {
		return false
	}
	key := name + "\x00" + question
	is, asked := f.proofs[key]
	if !asked {
		p, err := e.Prove(q)
		is = err == nil && p.Verdict == access.Proved
		f.proofs[key] = is
	}
	return is
}

// decided is the question by which settings meet a requirement already, and whether they do:
// their question is proved, or, where none is asked, the policies that would be made stand.
func (f *finder) decided(u *Unmet) (question string, is bool) {
	word := f.meant(u).ID
	if question = aim(word); question != "" {
		return question, f.proven(question)
	}
	added := riskPolicies()
	if word != "risk-based-access" {
		if !ofPolicy(word) {
			return "", false
		}
		list := f.policyOf(word, "")
		if len(list) == 0 {
			return "", false
		}
		added = list[0].added
	}
	return "", len(f.missing(added)) == 0
}

// missing are the policies of a list that do not stand yet.
func (f *finder) missing(list []*access.Policy) (out []*access.Policy) {
	for _, p := range list {
		if !f.stands(p) {
			out = append(out, p)
		}
	}
	return out
}

// stands says that a policy is in force that asks for the same of all whom p is for: of the
// same content but for whom it is for, and with nobody left out whom p does not leave out. What
// it is called does not matter.
func (f *finder) stands(p *access.Policy) bool {
	return slices.ContainsFunc(f.Tenant.Policies, func(o *access.Policy) bool {
		return o.Enforced() && len(o.Unsupported) == 0 && covers(o, p)
	})
}

func covers(o, p *access.Policy) bool {
	a, b := &o.Conditions.Users, &p.Conditions.Users
	for _, x := range [][2][]string{{a.IncludeUsers, b.IncludeUsers}, {a.IncludeGroups, b.IncludeGroups}, {a.IncludeRoles, b.IncludeRoles},
		{b.ExcludeUsers, a.ExcludeUsers}, {b.ExcludeGroups, a.ExcludeGroups}, {b.ExcludeRoles, a.ExcludeRoles}} {
		for _, id := range x[1] {
			if !slices.ContainsFunc(x[0], func(s string) bool { return strings.EqualFold(s, id) }) {
				return false
			}
		}
	}
	rest := func(p *access.Policy) string {
		own := *p
		u := &own.Conditions.Users
		u.IncludeUsers, u.IncludeGroups, u.IncludeRoles, u.ExcludeUsers, u.ExcludeGroups, u.ExcludeRoles = nil, nil, nil, nil, nil, nil
		return unnamed(asKnown(&own))
	}
	is := rest(o)
	return is != "" && is == rest(p)
}

// unnamed is a policy in canonical form but for its name; "" where it has none.
func unnamed(m map[string]any) string {
	m = clone(m)
	m["displayName"] = "-"
	o, err := canonical(remedy.Policy, m)
	if err != nil || len(object.Unknowns(remedy.Policy, json.RawMessage(o))) > 0 {
		return ""
	}
	return string(o)
}

// has says that a policy of exactly this content is there, whatever it is called.
func (f *finder) has(m map[string]any) bool {
	want := unnamed(m)
	return want != "" && slices.ContainsFunc(f.Tenant.Policies, func(p *access.Policy) bool {
		is, _, _ := f.before(p)
		return len(p.Unsupported) == 0 && unnamed(is) == want
	})
}

// unmet is what is known of a requirement or practice that is not met.
func (f *finder) unmet(id string) *Unmet {
	for i := range f.Unmet {
		if f.Unmet[i].ID == id {
			return &f.Unmet[i]
		}
	}
	return &Unmet{ID: id}
}

// latest is when the last sign-in is out of the log that counts against any requirement.
func (f *finder) latest() (out time.Time) {
	for i := range f.Unmet {
		if t := f.Unmet[i].Until; t.After(out) {
			out = t
		}
	}
	return out
}

// settledBy is what is said of a requirement that settings decide already and that is not
// met all the same: what still counts against it, and until when.
func (f *finder) settledBy(u *Unmet, question string) Choice {
	c := Choice{Way: "Nothing is to be changed: the policies for it are in force", Settled: true, Question: question, Until: f.meant(u).Until, Known: true,
		Check: "partnerguard assess"}
	if question != "" {
		c.Way = "Nothing is to be changed: the settings of today prove it (" + question + ")"
		c.Check, c.After = "partnerguard prove --question "+question, string(access.Proved)
	}
	c.Task = strings.TrimSuffix(u.Reason, ".")
	if steps := u.toDo(); c.Until.IsZero() && len(steps) > 0 {
		c.Way += "; what is left is a person's"
		c.Task = strings.Join(steps, "; ")
	}
	return c
}

// waits says when sign-ins of before stop counting; "" where none counts.
func waits(until time.Time) string {
	if until.IsZero() {
		return ""
	}
	return "the sign-ins that count against it are of before; the last of them is out of the log that is judged after " +
		until.UTC().Format(time.DateOnly) + ", and it is met by then unless another one comes"
}

// nothing is that no plan is made for what settings decide already.
func (f *finder) nothing(u *Unmet, question string) error {
	c := f.settledBy(u, question)
	words := fmt.Sprintf("nothing is to be changed for %.60q: ", u.ID)
	if question == "" {
		words += "the policies for it are in force"
	} else {
		words += "the settings of today prove it (" + question + ")"
	}
	say := c.Check + " shows it"
	if w := waits(c.Until); w != "" {
		say = w + "; " + say
	} else if c.Task != "" {
		say = "what is left is no setting: " + c.Task + "; " + say
	}
	return problem.New(problem.NotFound, "%s", words).WithHint("%s", say)
}
