package recommend

import (
	"cmp"
	"slices"
	"time"

	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// Explanation says of one role at one customer who used it and what goes if it goes.
type Explanation struct {
	Role       string            `json:"role"`
	Name       string            `json:"name"`
	Customer   string            `json:"customerTenantId"`
	Window     Window            `json:"window"`
	Granted    bool              `json:"granted"`
	Road       bool              `json:"roadToGlobalAdministrator"`
	Theft      string            `json:"theft"`
	Used       []ExplainedAct    `json:"couldHaveDone"` // recorded acts that it could have done, the latest first
	Items      []ExplainedOf     `json:"assignments"`   // the assignments that hold it
	Incomplete string            `json:"incomplete,omitempty"`
	Settle     string            `json:"settle,omitempty"`
	Names      map[string]string `json:"names"`
}

// ExplainedAct is a kind of act that the role could have done.
type ExplainedAct struct {
	Group    string    `json:"groupId"`
	Person   string    `json:"personId"`
	Name     string    `json:"name"` // of the person, as far as it is known
	Activity string    `json:"activity"`
	Target   string    `json:"target,omitempty"`
	Count    int64     `json:"count"`
	Last     time.Time `json:"last"`
	Row      string    `json:"row,omitempty"`
	Task     string    `json:"task,omitempty"` // in Microsoft's table
	Others   []string  `json:"alsoCould"`      // granted or recommended there
	Least    []string  `json:"leastFirst"`     // all that could, the least first
	Goes     bool      `json:"goesWithIt"`     // nothing else that is granted there could do it
}

// ExplainedOf is an assignment with the role.
type ExplainedOf struct {
	Relationship string `json:"relationshipId"`
	Group        string `json:"groupId"`
	Stays        bool   `json:"recommended"`
	Pinned       bool   `json:"pinned,omitempty"`
	Sure         Sure   `json:"sure,omitempty"`
	Why          string `json:"why"`
}

// Explain says who used a role at a customer, when last, for what, what else could do it, and
// what goes if it goes. in.Customers names the one. Kind problem.NotFound where no assignment
// of the customer holds it.
func Explain(in Input, role string) (*Explanation, error) {
	customer := ""
	for tenant := range in.Customers {
		customer = max(customer, tenant)
	}
	in.Customers = map[string]bool{customer: true}
	d := newDeriver(in)
	for _, c := range d.customers() {
		d.customer(c)
	}
	works := d.works
	res := d.result()
	out := &Explanation{Role: role, Name: print.First(role, res.Names[role]), Customer: customer, Window: res.Window, Used: []ExplainedAct{},
		Items: []ExplainedOf{},
		Names: res.Names}
	if r, ok := d.role(role); ok {
		out.Name, out.Road, out.Theft = r.Name, r.Road, r.Theft
	}
	for _, w := range works {
		if !slices.Contains(w.item.Granted, role) {
			continue
		}
		out.Granted = true
		out.Incomplete, out.Settle = w.item.LogWhy, w.item.LogAsk
		out.Items = append(out.Items, d.explained(w, role))
		for _, n := range w.needs {
			if d.could(role, n.known) {
				out.Used = append(out.Used, d.usedBy(w, n, role)...)
			}
		}
	}
	if !out.Granted {
		return nil, problem.New(problem.NotFound, "no active assignment of the customer %s holds the role %s", customer, out.Name).
			WithHint("partnerguard delegation recommend --customer %s lists what is granted there", customer)
	}
	for i := range out.Used {
		for _, id := range out.Used[i].Least {
			if r, ok := d.role(id); ok {
				out.Names[id] = r.Name
			}
		}
	}
	slices.SortStableFunc(out.Used, func(a, b ExplainedAct) int {
		return cmp.Or(-a.Last.Compare(b.Last), cmpAll(a.Activity, b.Activity, a.Person, b.Person, a.Group, b.Group))
	})
	return out, nil
}

func (d *deriver) explained(w *work, role string) ExplainedOf {
	it := &w.item
	x := ExplainedOf{Relationship: it.Relationship, Group: it.Group, Stays: slices.Contains(it.Recommended, role), Pinned: slices.Contains(it.Pinned, role)}
	for i := range it.Dropped {
		if it.Dropped[i].Role == role {
			x.Sure, x.Why = it.Dropped[i].Sure, it.Dropped[i].Why
		}
	}
	for _, wait := range it.Waits {
		if wait.Kept == role {
			x.Why = "acts need it, and nobody accepted a role on the way to Global Administrator for them"
		}
	}
	switch {
	case x.Why != "":
	case x.Pinned:
		x.Why = "it is pinned"
	case !it.Judged:
		x.Why = it.Why
	default:
		x.Why = "acts need it"
	}
	return x
}

// usedBy are the people's acts of one kind that a role could have done.
func (d *deriver) usedBy(w *work, n *need, role string) (out []ExplainedAct) {
	x := ExplainedAct{Group: w.item.Group, Activity: n.known.act.Activity, Target: string(n.known.act.Target), Task: n.known.mapping.Task, Others: []string{},
		Least: []string{}, Goes: true}
	for _, c := range n.known.mapping.Candidates {
		if !c.Beside {
			x.Least = append(x.Least, c.Role)
		}
	}
	for _, r := range append(slices.Clone(w.item.Granted), w.item.Added...) {
		if r != role && d.could(r, n.known) {
			x.Others = append(x.Others, r)
			x.Goes = x.Goes && !slices.Contains(w.item.Granted, r)
		}
	}
	x.Others = once(x.Others)
	for _, by := range n.by {
		y := x
		y.Person, y.Count, y.Last, y.Row = by.id, by.count, by.last, n.row
		if p := d.in.Inventory.People[by.id]; p != nil {
			y.Name = print.Clean(print.First(p.Name, p.UPN), print.MaxName)
		}
		out = append(out, y)
	}
	return out
}

// Unused is a granted role that nobody was seen to need.
type Unused struct {
	Customer     string    `json:"customerTenantId"`
	Relationship string    `json:"relationshipId"`
	Group        string    `json:"groupId"`
	Role         string    `json:"role"`
	Name         string    `json:"name"`
	Sure         Sure      `json:"sure"`
	Why          string    `json:"why"`
	Last         time.Time `json:"lastCouldHave,omitzero"`
	Road         bool      `json:"roadToGlobalAdministrator"`
}

// UnusedOf lists the granted roles of a result that are not recommended: those by evidence
// first, then roads to Global Administrator.
func UnusedOf(r *Result, roles Roles) []Unused {
	out := []Unused{}
	for i := range r.Items {
		it := &r.Items[i]
		for j := range it.Dropped {
			x := &it.Dropped[j]
			u := Unused{it.Customer, it.Relationship, it.Group, x.Role, print.First(x.Role, r.Names[x.Role]), x.Sure, x.Why, x.Last, false}
			if known, ok := roles.Role(x.Role); ok {
				u.Road = known.Road
			}
			out = append(out, u)
		}
	}
	slices.SortStableFunc(out, func(a, b Unused) int {
		return cmp.Or(bools(b.Sure == ByEvidence, a.Sure == ByEvidence), bools(b.Road, a.Road), cmpAll(a.Customer, b.Customer, a.Relationship, b.Relationship,
			a.Group, b.Group, a.Name, b.Name))
	})
	return out
}

func bools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
