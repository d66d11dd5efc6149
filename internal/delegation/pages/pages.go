//go:build !judge

package pages

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
)

// Pages are the console's pages of delegation. Inventory must be safe for concurrent use; what
// it gives is not changed. Kind problem.NotFound where nothing was collected yet.
type Pages struct {
	Inventory func(ctx context.Context) (*delegation.Inventory, error)
}

// allowed is how old the lists may be: the rule book's.
const allowed = 30 * 24 * time.Hour

// Screens are the pages.
func (p *Pages) Screens() []screen.Screen {
	return []screen.Screen{
		{
			Name: "delegation", Title: "Delegation", Icon: "customers", Group: screen.Reach, Order: 12, See: screen.SeeCustomers, Over: screen.OfHouse,
			About: "What you may do at each customer: DAP, relationships with their roles and ends, and the groups that use them.",
			List:  listFor(time.Time{}), Load: p.load,
		},
		{
			Name: "delegation/paths", Title: "Ways", Icon: "customers", See: screen.SeeCustomers, Over: screen.OfAll,
			About: "By which way a person comes to a role at a customer, and who can become Global Administrator there.",
			List:  wayList, Load: p.paths,
			Params: []screen.Param{
				{Name: "person", About: "One person alone: user principal name, name or object id."},
				{Name: "role", About: "One role alone, by name or template id; any for all. Without it: Global Administrator, and what leads there."},
			},
			Files: []screen.File{{Name: "picture", About: "The ways as a picture that stands alone.", Load: p.picture}},
		},
	}
}

// errNothing says that nothing was collected yet, without a word of whom.
var errNothing = problem.New(problem.NotFound, "no delegation was read yet").WithHint("it is known once the partner's own tenant was read")

// seen is the inventory as a viewer may see it: of the customers that they see, and of the
// partner's accounts, groups and apps as far as they may know these.
func (p *Pages) seen(ctx context.Context, v *screen.Viewer) (*delegation.Inventory, error) {
	inv, err := p.Inventory(ctx)
	if errors.Is(err, problem.NotFound) {
		return nil, errNothing
	}
	if err != nil {
		return nil, err
	}
	if v.Customers != nil {
		out := *inv
		out.Customers = slices.DeleteFunc(slices.Clone(inv.Customers), func(c delegation.Customer) bool { return !v.Sees(c.Tenant) })
		out.Unclaimed, out.Lost = nil, nil // nothing says whose they are
		inv = &out
	}
	partner := v.Customers == nil || inv.Tenant != "" && v.Sees(inv.Tenant)
	if !partner || !v.May(screen.SeePeople) {
		inv = veil(inv, !partner)
	}
	return inv, nil
}

func nothing() *screen.Nothing {
	return &screen.Nothing{Head: "No delegation was read yet", Text: "It is known once the partner's own tenant was read.", LinkText: "Collection",
		Path: "/collection", Command: "partnerguard collect --now --tenant partner"}
}

// Row is a customer as the page shows it.
type Row struct {
	delegation.Summary
}

// sum is the page in numbers.
type sum struct {
	Customers int `json:"customers"`
	DAP       int `json:"dap"`
	DAPUnread int `json:"dapNotRead"`
	Global    int `json:"globalAdministrator"`
	Roads     int `json:"roadToGlobalAdministrator"`
	MLT       int `json:"madeByMicrosoft"`
	Unread    int `json:"notAllRead"`
	Unclaimed int `json:"unclaimed"`
	Lost      int `json:"lostAssignments"`
}

func (p *Pages) load(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	list := listFor(a.Now)
	inv, err := p.seen(ctx, a.Viewer)
	if errors.Is(err, errNothing) {
		return &screen.View{Rows: list.Of(nil), Missing: true, Nothing: nothing()}, nil
	}
	if err != nil {
		return nil, err
	}
	rows := make([]Row, len(inv.Customers))
	s := sum{Customers: len(rows), Unclaimed: len(inv.Unclaimed), Lost: len(inv.Lost)}
	for i := range inv.Customers {
		r := Row{delegation.Summarize(inv, &inv.Customers[i])}
		rows[i] = r
		s.DAP += one(r.DAP == delegation.Yes)
		s.DAPUnread += one(r.DAP == delegation.Unknown)
		s.Global += one(r.Global)
		s.Roads += one(len(r.Roads) > 0)
		s.MLT += one(r.MLT)
		s.Unread += one(len(r.Unread) > 0)
	}
	v := &screen.View{Rows: list.Of(rows), Summary: s, Nothing: nothing(), Facts: facts(inv), Sentence: print.Plural(int64(s.Customers), "customers") +
		": what you may do there, and which of it leads to Global Administrator."}
	v.Actions = []screen.Action{{Text: "Who can become Global Administrator", Path: "/delegation/paths", Primary: true}}
	v.Notices = notices(inv)
	if !a.Machine && len(rows) > 0 {
		v.Above = []screen.Block{s.tiles()}
	}
	return v, nil
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}

func (s *sum) tiles() screen.Tiles {
	n := func(n int) string { return print.Number(int64(n)) }
	return screen.Tiles{
		{Head: "DAP in place", N: n(s.DAP), Of: "of " + n(s.Customers), Delta: n(s.DAPUnread) + " not read", Path: "/delegation?dap=yes"},
		{Head: "Global Administrator by GDAP", N: n(s.Global), Delta: "never extends itself", Path: "/delegation?road=global"},
		{Head: "A role that leads there", N: n(s.Roads), Delta: "Global Administrator among them", Path: "/delegation?road=road"},
		{Head: "Made by Microsoft", N: n(s.MLT), Delta: "MLT_ relationships", Path: "/delegation?made=mlt"},
		{Head: "Not all read", N: n(s.Unread), Delta: "customers of which something is not known", Path: "/delegation?read=no"},
	}
}

// shown are the lists that the pages rest on, with what they are called.
var shown = []struct{ name, what, source string }{
	{"customers", "Customers", "Partner Center customers"}, {"delegatedAdminRelationships", "GDAP relationships", "Graph tenantRelationships"},
	{"delegatedAdminAccessAssignments", "Access assignments", "Graph accessAssignments"}, {"groups", "Groups", "Graph groups"},
}

func facts(inv *delegation.Inventory) (out []screen.Fact) {
	for _, x := range shown {
		l := inv.Lists[x.name]
		out = append(out, screen.Fact{What: x.what, At: l.At, Allows: allowed, Gaps: one(!l.At.IsZero() && !l.Whole), Source: x.source, Rests: true})
	}
	return out
}

// notices say which lists are not whole.
func notices(inv *delegation.Inventory) (out []screen.Notice) {
	var not []string
	for _, x := range shown {
		if l := inv.Lists[x.name]; !l.Whole {
			not = append(not, strings.ToLower(x.what)+" ("+l.Why+")")
		}
	}
	if len(not) > 0 {
		out = append(out, screen.Notice{Tone: print.Doubt, Lead: "Not all of it was read.",
			Text: print.Ended(print.Sentence(strings.Join(not, "; "))) + " What is missing is not known, and no zero.", LinkText: "What heals it", Path: "/collection"})
	}
	if n := len(inv.Lost); n > 0 {
		out = append(out, screen.Notice{Tone: print.Doubt, Lead: print.Plural(int64(n), "access assignments") + " without a relationship.",
			Text: "Nothing says which relationship they are of, so no relationship's are known to be all."})
	}
	return out
}
