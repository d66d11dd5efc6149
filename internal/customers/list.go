package customers

import (
	"cmp"
	"fmt"
	"time"

	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/screen"
)

// perPage is how many customers a page has: it stays small as it is sent.
const perPage = 200

// listOf is the list of customers. It is of a moment, since ends are counted from it in
// the filters; the page makes one a request and the shape of all is the same.
func listFor(now time.Time) *screen.List[Row] {
	ends := map[string]string{"7d": "ends in 7 d", "30d": "ends in 30 d", "90d": "ends in 90 d", "later": "ends later", "extends": "extends itself",
		"none": "no end"}
	return &screen.List[Row]{
		Noun: "customer", Default: "state", Search: "customer, domain, tenant id, role", PerPage: perPage, Tight: true,
		Key:    func(r *Row) string { return r.Tenant },
		Tenant: func(r *Row) string { return r.Tenant },
		Columns: []screen.Column[Row]{
			{Name: "customer", Head: "Customer", Cell: func(r *Row) screen.Cell { return screen.Named(r.Name, r.Domain, oneOf(r.Tenant)) },
				Text: func(r *Row) string { return r.Name }},
			{Name: "domain", Head: "Domain", Only: true, Text: func(r *Row) string { return r.Domain }},
			{Name: "tenantId", Head: "Tenant id", Only: true, Text: func(r *Row) string { return r.Tenant }},
			{Name: "state", Head: "State", Order: worse, Cell: func(r *Row) screen.Cell {
				s := r.State.said()
				return screen.Cell{Said: &s, Sub: r.Why}
			}},
			{Name: "dap", Head: "DAP", Order: func(a, b *Row) int { return dapRank(a) - dapRank(b) }, Cell: (*Row).dapCell},
			{Name: "gdap", Head: "GDAP", Order: func(a, b *Row) int { return cmp.Or(powerRank(a)-powerRank(b), b.Active-a.Active) }, Cell: (*Row).gdapCell},
			{Name: "ends", Head: "Ends", Right: true, Order: func(a, b *Row) int { return a.Ends.Compare(b.Ends) },
				Blank: func(r *Row) bool { return r.Ends.IsZero() },
				Cell:  func(r *Row) screen.Cell { return r.endCell(now) }},
			{Name: "mfa", Head: "Sign-ins without MFA", Right: true, Plain: true, Order: func(a, b *Row) int { return cmp.Compare(a.without(), b.without()) },
				Blank: func(r *Row) bool { return r.Own == nil }, Cell: (*Row).mfaCell},
			{Name: "age", Head: "Age", Right: true, Order: func(a, b *Row) int { return a.Oldest.Compare(b.Oldest) },
				Blank: func(r *Row) bool { return r.Oldest.IsZero() },
				Cell:  func(r *Row) screen.Cell { return screen.When(r.Oldest, "not read") }},
			{Name: "gaps", Head: "Gaps", Right: true, Plain: true, Drop: true, Order: func(a, b *Row) int { return cmp.Or(a.Lost-b.Lost, a.Gaps-b.Gaps) },
				Cell: func(r *Row) screen.Cell {
					if r.Gaps == 0 {
						return screen.Cell{Text: "–", Quiet: true}
					}
					return screen.Count(int64(r.Gaps), screen.With("/collection/gaps", "tenant", r.Tenant))
				}},
		},
		Filters: []screen.Filter[Row]{
			{Name: "state", Head: "State", Enum: []string{string(Work), string(Soon), string(Unsure), string(Well)},
				Of: func(r *Row) []string { return []string{string(r.State)} }, Word: func(v string) string { return State(v).said().Word }},
			{Name: "dap", Head: "DAP", Enum: []string{"yes", "unknown", "no"}, Of: func(r *Row) []string { return []string{string(r.DAP)} },
				Word: func(v string) string {
					return map[string]string{"yes": "DAP", "no": "no DAP", "unknown": "DAP not read"}[v]
				}},
			{Name: "power", Head: "GDAP", Enum: []string{"global", "road", "unread", "none", "least"}, Of: func(r *Row) []string { return []string{r.power()} },
				Word: powerWord},
			{Name: "ends", Head: "Ends", Enum: []string{"7d", "30d", "90d"}, Of: func(r *Row) []string { return []string{r.ending(now)} },
				Word: func(v string) string { return ends[v] }},
			{Name: "mfa", Head: "Sign-ins", Enum: []string{"without", "unread"}, Of: func(r *Row) []string { return []string{r.mfa()} },
				Word: func(v string) string {
					return map[string]string{"without": "sign-ins without MFA", "unread": "sign-ins not read"}[v]
				}},
			{Name: "month", Head: "Ends in", Quiet: true, Of: (*Row).months},
			{Name: "relation", Head: "Relation", Quiet: true, Of: func(r *Row) []string { return []string{r.Relation} }},
		},
	}
}

// months are those in which an active relationship ends.
func (r *Row) months() (out []string) {
	for i := range r.GDAP {
		if g := &r.GDAP[i]; g.Active && !g.End.IsZero() {
			out = append(out, g.End.UTC().Format("2006-01"))
		}
	}
	return out
}

func oneOf(tenant string) string { return screen.With("/customers/one", "tenant", tenant) }

func dapRank(r *Row) int { return map[Answer]int{Yes: 0, Unknown: 1, No: 2}[r.DAP] }

func (r *Row) dapCell() screen.Cell {
	switch r.DAP {
	case Yes:
		return screen.Cell{Said: &page.Said{Tone: print.Bad, Word: "DAP"}}
	case No:
		return screen.Cell{Text: "–", Quiet: true}
	}
	return screen.Cell{Said: &page.Said{Tone: print.Doubt, Word: "not read"}}
}

func powerRank(r *Row) int {
	return map[string]int{"global": 0, "road": 1, "unread": 2, "least": 3, "none": 4}[r.power()]
}

func powerWord(v string) string {
	return map[string]string{"global": "Global Administrator", "road": "road to Global Administrator", "unread": "GDAP not read", "none": "no GDAP",
		"least": "fewer rights"}[v]
}

func (r *Row) gdapCell() screen.Cell {
	var c screen.Cell
	switch r.power() {
	case "global":
		c.Said = &page.Said{Tone: print.Bad, Word: "Global Admin"}
	case "road":
		c.Said = &page.Said{Tone: print.Bad, Word: "road to Global"}
	case "unread":
		c.Said = &page.Said{Tone: print.Doubt, Word: "not read"}
	case "none":
		return screen.Cell{Text: "none", Quiet: true}
	default:
		c.Said = &page.Said{Tone: print.Good, Word: "fewer rights"}
	}
	if r.Active > 1 {
		c.Tags = []screen.Tag{{Text: fmt.Sprintf("×%d", r.Active)}}
	}
	return c
}

// endCell is the soonest end: red within 30 days where nobody extends it, amber within 90.
func (r *Row) endCell(now time.Time) screen.Cell {
	if r.Ends.IsZero() {
		if r.Active == 0 {
			return screen.Cell{Text: "–", Quiet: true}
		}
		return screen.Cell{Never: "not read"}
	}
	day, left := r.Ends.UTC().Format("2 Jan 2006"), r.Ends.Sub(now)
	switch in := "in " + screen.Span(left); {
	case r.Extends == Yes:
		return screen.Cell{Text: day, Sub: "extends itself"}
	case left <= endsNow:
		return screen.Cell{Said: &page.Said{Tone: print.Bad, Word: in}, Sub: day}
	case left <= endsSoon:
		return screen.Cell{Said: &page.Said{Tone: print.Cautious, Word: in}, Sub: day}
	default:
		return screen.Cell{Text: day, Sub: in}
	}
}

func (r *Row) without() int64 {
	if r.Own == nil {
		return -1
	}
	return r.Own.Without
}

func (r *Row) mfaCell() screen.Cell {
	switch o := r.Own; {
	case o == nil:
		return screen.Cell{Said: &page.Said{Tone: print.Doubt, Word: "not read"}}
	case o.Without > 0:
		return screen.Cell{Of: &screen.Part{N: o.Without, Of: o.SignIns}, SubAt: o.LastWithout,
			Path: screen.With("/signins", "tenant", r.Tenant, "verdict", "not_challenged")}
	case o.SignIns == 0:
		return screen.Cell{Text: "no sign-in", Quiet: true}
	case o.WithMFA < o.SignIns:
		return screen.Cell{Text: "none seen", Quiet: true, Sub: print.Number(o.SignIns-o.WithMFA) + " do not say"}
	default:
		return screen.Cell{Text: "none", Quiet: true}
	}
}
