package doctor

import (
	"slices"
	"time"

	"partnerguard/internal/evidence"
)

// PlanSchema names the JSON form of Plan.
const PlanSchema = "partnerguard.export-plan/1"

// Plan is what to export.
type Plan struct {
	Schema      string    `json:"schema"`
	AsOf        time.Time `json:"asOf"`
	PartnerKind string    `json:"partnerKind"`
	Cloud       string    `json:"cloud"`
	Licence     string    `json:"licence"` // free, p1, p2; "" not known
	// Permissions are all that Graph is asked for, sorted.
	Permissions []string `json:"permissions"`
	// Prepare is pasted once, before the lines of the files.
	Prepare []Preparation `json:"prepare"`
	Files   []PlanFile    `json:"files"` // in the order in which they are best made
	Left    []LeftOut     `json:"leftOut"`
}

// Preparation opens a service for the lines of the files.
type Preparation struct {
	Service    evidence.Service `json:"service"`
	PowerShell string           `json:"powershell"`
}

// PlanFile is one file to make.
type PlanFile struct {
	Kind        evidence.Kind    `json:"kind"`
	File        string           `json:"file"`
	Needed      bool             `json:"needed"` // false: it only helps
	When        string           `json:"when"`   // in which case it is needed; "" always
	Service     evidence.Service `json:"service"`
	Requests    []string         `json:"requests"` // with the whole address, in the order made
	Paged       bool             `json:"paged"`
	Permissions []string         `json:"permissions"`
	Roles       []string         `json:"roles"`
	Licence     evidence.Licence `json:"licence"` // what the tenant needs
	Without     string           `json:"without"` // what to do without that licence
	Portal      []string         `json:"portal"`  // clicks, where the portal gives a file that is read
	PowerShell  string           `json:"powershell"`
	Note        string           `json:"note"`
	Source      string           `json:"source"`
	NeededBy    []string         `json:"neededBy"`    // rules
	MayNeededBy []string         `json:"mayNeededBy"` // rules, in the case of When
	Helps       []string         `json:"helps"`       // rules
}

// LeftOut is a file that this partner cannot make, and what to do instead.
type LeftOut struct {
	Kind     evidence.Kind `json:"kind"`
	File     string        `json:"file"`
	Why      string        `json:"why"`
	Without  string        `json:"without"`
	NeededBy []string      `json:"neededBy"`
}

// everybodys are kinds that every reader wants whatever the rules are: they say
// whose export it is, and what it can hold.
var everybodys = map[evidence.Kind]bool{evidence.Organization: true, evidence.SubscribedSku: true}

// MakePlan lists what to export. Kind problem.Usage for a cloud that is closed.
func MakePlan(o Options) (*Plan, error) {
	o.fill()
	graph, center, err := hosts(o.Cloud)
	if err != nil {
		return nil, err
	}
	p := &Plan{
		Schema: PlanSchema, AsOf: o.AsOf, PartnerKind: string(o.Kind), Cloud: string(o.Cloud), Licence: string(o.Licence),
		Permissions: []string{}, Prepare: []Preparation{}, Files: []PlanFile{}, Left: []LeftOut{},
	}
	rules := o.rules()
	var services []evidence.Service
	for _, r := range evidence.Requests() {
		needs, may, helps := users(rules, r.Kind)
		if len(needs)+len(may)+len(helps) == 0 && !everybodys[r.Kind] {
			continue
		}
		if r.Kind == evidence.UnifiedAuditSignIn && o.Licence != evidence.Free {
			continue // weak evidence beside a log that says more
		}
		if why := o.out(&r); why != "" {
			p.Left = append(p.Left, LeftOut{Kind: r.Kind, File: r.File, Why: why, Without: r.Without, NeededBy: append(append([]string{}, needs...), may...)})
			continue
		}
		f := PlanFile{
			Kind: r.Kind, File: r.File, Needed: len(needs)+len(may) > 0, Service: r.Service, Paged: r.Paged, Permissions: list(r.Permissions),
			Roles:   list(r.Roles),
			Licence: r.Licence, Without: r.Without, Portal: list(r.Portal), Note: r.Note, Source: r.Source,
			NeededBy: list(needs), MayNeededBy: list(may), Helps: list(helps),
			Requests: addresses(&r, graph, center), PowerShell: line(&r, &o),
		}
		if len(needs) == 0 {
			f.When = r.When
		}
		p.Files = append(p.Files, f)
		p.Permissions = append(p.Permissions, r.Permissions...)
		if !slices.Contains(services, r.Service) {
			services = append(services, r.Service)
		}
	}
	slices.Sort(p.Permissions)
	p.Permissions = slices.Compact(p.Permissions)
	for _, s := range services {
		p.Prepare = append(p.Prepare, Preparation{s, prepare(s, &o, p.Permissions, center)})
	}
	return p, nil
}

// users are the rules that need a kind, that may, and that it helps.
func users(rules []ruling, k evidence.Kind) (needs, may, helps []string) {
	for i := range rules {
		r := &rules[i]
		switch {
		case slices.Contains(r.Needs, k):
			needs = append(needs, r.ID)
		case slices.Contains(r.May, k):
			may = append(may, r.ID)
		case slices.Contains(r.Helps, k):
			helps = append(helps, r.ID)
		}
	}
	return needs, may, helps
}

// addresses are the requests of a kind in the order made.
func addresses(r *evidence.Request, graph, center string) []string {
	if r.Service == evidence.ExchangeOnline {
		return []string{r.Path}
	}
	out := []string{"GET " + address(r, r.Path+r.Query, graph, center)}
	if r.Each != nil {
		out = append(out, "GET "+address(r, r.Each.Path+r.Each.Query, graph, center)+" for "+r.Each.Of)
	}
	return out
}

// list makes nil an empty list.
func list(s []string) []string { return append([]string{}, s...) }
