package customers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
)

// Pages are the console's pages of customers. Its functions must be safe for concurrent
// use; what they give is not changed.
type Pages struct {
	// Part is the partner's part of the snapshot: kind problem.NotFound where none was made.
	Part func(ctx context.Context) (*Part, error)
	// Own are the customers' own parts, by tenant id in lower case. Required.
	Own func(ctx context.Context) (map[string]*OwnPart, error)
	// Readings are how the customers' readings stand, by tenant id in lower case. Required.
	Readings func(ctx context.Context) (map[string]*Reading, error)
	// Customer asks only for one of each of the two, for its own page.
	Customer func(ctx context.Context, tenant string) (*OwnPart, *Reading, error)
}

// allowed is how old the lists of customers and relationships may be: the rule book's.
const allowed = 30 * 24 * time.Hour

// Screens are the pages.
func (p *Pages) Screens() []screen.Screen {
	return []screen.Screen{
		{
			Name: "customers", Title: "Customers", Icon: "customers", Group: screen.Reach, Order: 10, See: screen.SeeCustomers, Over: screen.OfHouse,
			About: "What your power reaches: customers, delegated access, and when it ends.",
			List:  listFor(time.Time{}), Load: p.load, Needs: p.needs, Find: p.find,
		},
		{
			Name: "customers/one", Title: "Customer", Icon: "customers", See: screen.SeeCustomers, Over: screen.OfTenant,
			About: "One customer with all of its relationships.", List: relationshipList, Load: p.loadOne,
		},
	}
}

// rows are the customers that a viewer may see, judged.
func (p *Pages) rows(ctx context.Context, v *screen.Viewer, now time.Time) (*Part, []Row, error) {
	part, err := p.Part(ctx)
	if err != nil {
		return nil, nil, err
	}
	own, err := p.Own(ctx)
	if err != nil {
		return nil, nil, err
	}
	read, err := p.Readings(ctx)
	if err != nil {
		return nil, nil, err
	}
	out := make([]Row, 0, len(part.Customers))
	for i := range part.Customers {
		if c := part.Customers[i]; v.Sees(c.Tenant) {
			out = append(out, rowOf(c, part, own[c.Tenant], read[c.Tenant], now))
		}
	}
	return part, out, nil
}

// needs counts the customers whose relationship ends within 30 days and is extended by
// nobody: that alone has a date that a person must meet.
func (p *Pages) needs(ctx context.Context, v *screen.Viewer) int {
	part, err := p.Part(ctx)
	if err != nil {
		return 0
	}
	n := 0
	for i := range part.Customers {
		// As of the part: the rail has no clock of its own, and a day more or less is no matter.
		if c := part.Customers[i]; v.Sees(c.Tenant) && rowOfReach(c, part).urgent {
			n++
		}
	}
	return n
}

// rowOfReach judges the reach alone, as of the part.
func rowOfReach(c Customer, p *Part) Row { return rowOf(c, p, &OwnPart{}, nil, p.AsOf) }

func (p *Pages) find(ctx context.Context, v *screen.Viewer, q string, limit int) (out []screen.Hit) {
	part, err := p.Part(ctx)
	words := strings.Fields(strings.ToLower(q))
	if err != nil || len(words) == 0 {
		return nil
	}
	for i := range part.Customers {
		c := &part.Customers[i]
		if !v.Sees(c.Tenant) {
			continue
		}
		all := strings.ToLower(c.Name + "\n" + c.Domain + "\n" + c.Tenant)
		if slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(all, w) }) {
			continue
		}
		out = append(out, screen.Hit{Title: c.Name, Sub: c.Domain, Path: oneOf(c.Tenant), Icon: "customers"})
		if len(out) == limit {
			break
		}
	}
	return out
}

func nothing() *screen.Nothing {
	return &screen.Nothing{Head: "No customer was read yet", Text: "Customers are known once the partner's own tenant was read.", LinkText: "Collection",
		Path: "/collection", Command: "partnerguard collect --now --tenant partner"}
}

// sum is the page in numbers.
type sum struct {
	Customers int `json:"customers"`
	Work      int `json:"needWork"`
	Soon      int `json:"lookSoon"`
	Unknown   int `json:"unknown"`
	Well      int `json:"well"`
	DAP       int `json:"dap"`
	DAPUnread int `json:"dapNotRead"`
	Global    int `json:"globalAdministrator"`
	Ends30    int `json:"endWithin30Days"`
	Without   int `json:"withSignInsWithoutMfa"`
	Unread    int `json:"signInsNotRead"`
}

func sumOf(rows []Row, now time.Time) (s sum) {
	s.Customers = len(rows)
	for i := range rows {
		r := &rows[i]
		switch r.State {
		case Work:
			s.Work++
		case Soon:
			s.Soon++
		case Well:
			s.Well++
		default:
			s.Unknown++
		}
		s.DAP += one(r.DAP == Yes)
		s.DAPUnread += one(r.DAP == Unknown)
		s.Global += one(r.Global)
		s.Ends30 += one(r.urgent)
		s.Without += one(r.mfa() == "without")
		s.Unread += one(r.Own == nil)
	}
	return s
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}

func (p *Pages) load(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	list := listFor(a.Now)
	part, rows, err := p.rows(ctx, a.Viewer, a.Now)
	if errors.Is(err, problem.NotFound) {
		return &screen.View{Rows: list.Of(nil), Missing: true, Nothing: nothing()}, nil
	}
	if err != nil {
		return nil, err
	}
	s := sumOf(rows, a.Now)
	v := &screen.View{Rows: list.Of(rows), Summary: s, Nothing: nothing(), Facts: part.facts(),
		Sentence: print.Plural(int64(s.Customers), "customer tenants") + ", worst first: what your power reaches there, and until when."}
	if !part.List.Read || !part.List.Whole {
		v.Notices = append(v.Notices, partly("Not all customers were read.", part.List.Why, "customers"))
	}
	if !part.Relationships.Read || !part.Relationships.Whole {
		v.Notices = append(v.Notices, partly("Not all GDAP relationships were read.", part.Relationships.Why, "delegatedAdminRelationships"))
	}
	if a.Machine || len(rows) == 0 {
		return v, nil
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return worse(&a, &b) })
	v.Above = []screen.Block{
		screen.Side{Shape: "g-main", List: []screen.Block{
			screen.Card{Head: "Posture", Aside: "one mark a customer", Body: []screen.Block{marks(rows), legend(s)}},
			screen.Card{Head: "What needs work", Bare: true, Body: []screen.Block{todo(s)}},
		}},
		screen.Card{Head: "When GDAP relationships end", Aside: "a dot: some do not extend themselves", Body: []screen.Block{calendar(rows, a.Now)}},
	}
	return v, nil
}

// partly is the banner over a list that is not whole.
func partly(lead, why, list string) screen.Notice {
	if why == "" {
		why = "what is missing is unknown, and no zero"
	}
	return screen.Notice{Tone: print.Doubt, Lead: lead, Text: print.Ended(print.Sentence(why)), LinkText: "What heals it", Path: screen.With("/collection",
		"row", list)}
}

func (p *Part) facts() []screen.Fact {
	return []screen.Fact{
		{What: "Customers", At: p.List.At, Allows: allowed, Gaps: one(p.List.Read && !p.List.Whole), Source: "Partner Center customers", Rests: true},
		{What: "GDAP relationships", At: p.Relationships.At, Allows: allowed, Gaps: one(p.Relationships.Read && !p.Relationships.Whole),
			Source: "Graph tenantRelationships", Rests: true},
	}
}

// todo are the numbers that open what they count.
func todo(s sum) screen.Block {
	items := screen.Items{Empty: "Nothing of what was read needs work."}
	for _, x := range []struct {
		n          int
		lead, text string
		path       string
		class      string
	}{
		{s.DAP, "DAP left", "delegated admin privileges without an end", "dap=yes", "not"},
		{s.Global, "GDAP with Global Administrator", "never extends itself", "power=global", "not"},
		{s.Ends30, "GDAP ends in 30 days", "and does not extend itself", "ends=7d&ends=30d", "not"},
		{s.Without, "Sign-ins without MFA", "seen in the customer's own log", "mfa=without", "unk"},
		{s.Unread, "Sign-ins not read", "a licence, a consent or time is missing", "mfa=unread", "unk"},
		{s.DAPUnread, "DAP not read", "the list does not say it", "dap=unknown", "unk"},
	} {
		if x.n > 0 {
			items.List = append(items.List, screen.Item{When: print.Number(int64(x.n)), Class: "tx " + x.class, Lead: x.lead, Path: "/customers?" + x.path,
				Meta: x.text})
		}
	}
	return items
}

// loadOne is one customer.
func (p *Pages) loadOne(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	part, err := p.Part(ctx)
	if errors.Is(err, problem.NotFound) {
		return &screen.View{Rows: relationshipList.Of(nil), Missing: true, Nothing: nothing()}, nil
	}
	if err != nil {
		return nil, err
	}
	id := strings.ToLower(a.Tenant.ID)
	i := slices.IndexFunc(part.Customers, func(c Customer) bool { return c.Tenant == id })
	if i < 0 || !a.Viewer.Sees(a.Tenant.ID) {
		v := &screen.View{Rows: relationshipList.Of(nil), Missing: true, Sentence: "It is not among the customers that were read.",
			Nothing: &screen.Nothing{Head: "No such customer", Text: "The list of customers does not have this tenant, and no relationship names it.",
				LinkText: "All customers", Path: "/customers"}}
		if a.Tenant.Partner {
			v.Nothing = &screen.Nothing{Head: "Which customer?", Text: "This is your own tenant; choose a customer.", LinkText: "All customers",
				Path: "/customers"}
		}
		return v, nil
	}
	own, read, err := p.Customer(ctx, id)
	if err != nil {
		return nil, err
	}
	r := rowOf(part.Customers[i], part, own, read, a.Now)
	lines := make([]relationshipRow, len(r.GDAP))
	for k := range r.GDAP {
		lines[k] = relationshipRow{r.GDAP[k], id, a.Now}
	}
	v := &screen.View{Rows: relationshipList.Of(lines), Facts: part.facts(), Summary: r, Sentence: r.sentence(),
		Nothing: &screen.Nothing{Head: "No GDAP relationship", Text: "None of those that were read names this customer."}}
	to := func(page string) string { return screen.With(page, "tenant", a.Tenant.ID) }
	v.Actions = []screen.Action{{Text: "Ways", Path: to("/delegation/paths")}, {Text: "People", Path: to("/people")}, {Text: "Coverage", Path: to("/coverage")}, {Text: "Sign-ins", Path: to("/signins")},
		{Text: "Collection", Path: to("/collection")}}
	if a.Machine {
		return v, nil
	}
	v.Above = []screen.Block{r.tiles(a.Now), r.about()}
	return v, nil
}

// sentence says what decides the state of one customer.
func (r *Row) sentence() string {
	if r.State == Well {
		return r.Name + ": nothing of what was read needs work."
	}
	return r.Name + ": " + r.Why + "."
}

func (r *Row) tiles(now time.Time) screen.Tiles {
	state := r.State.said()
	dap := screen.Tile{Head: "DAP", N: "none", Delta: "delegated admin privileges"}
	switch r.DAP {
	case Yes:
		dap.N = "in place"
	case Unknown:
		dap.N, dap.Delta = "unknown", r.DAPWhy
	}
	gdap := screen.Tile{Head: "GDAP, active", N: print.Number(int64(r.Active)), Of: fmt.Sprintf("of %d", len(r.GDAP)), Delta: powerWord(r.power())}
	if r.power() == "unread" && r.Active == 0 {
		gdap.N, gdap.Of = "unknown", ""
	}
	ends := screen.Tile{Head: "Soonest end", N: "–"}
	if !r.Ends.IsZero() {
		ends.N, ends.Delta = screen.Span(r.Ends.Sub(now)), r.Ends.UTC().Format("2 Jan 2006")
		switch r.Extends {
		case Yes:
			ends.Delta += ", extends itself"
		case No:
			ends.Delta += ", does not extend itself"
		}
	}
	mfa := screen.Tile{Head: "Sign-ins without MFA", N: "unknown", Delta: "its sign-ins were not read", Path: screen.With("/signins", "tenant", r.Tenant)}
	if o := r.Own; o != nil {
		mfa.N, mfa.Of, mfa.Delta = print.Number(o.Without), "of "+print.Number(o.SignIns), "nothing asked for it"
		if !o.LastWithout.IsZero() {
			mfa.Delta = "the last " + screen.Ago(o.LastWithout, now)
		}
	}
	age := screen.Tile{Head: "Oldest of its own lists", N: "not read", Path: screen.With("/collection", "tenant", r.Tenant)}
	if !r.Oldest.IsZero() {
		age.N, age.Delta = screen.Span(now.Sub(r.Oldest)), print.Plural(int64(r.Gaps), "gaps")
	}
	return screen.Tiles{{Head: "State", Said: &state, Delta: r.Why}, dap, gdap, ends, mfa, age}
}

func (r *Row) about() screen.Block {
	relation := r.Relation
	if relation == "" {
		relation = "not read"
	}
	pairs := screen.Pairs{{Key: "Name", Cell: screen.Words(r.Name)}, {Key: "Domain", Cell: screen.Words(r.Domain)},
		{Key: "Tenant", Cell: screen.Cell{Text: r.Tenant, Mono: true}}, {Key: "Relation to you", Cell: screen.Words(relation), From: "Partner Center"}}
	if r.DAP != Unknown {
		word := map[Answer]string{Yes: "delegated admin privileges are in place", No: "none"}[r.DAP]
		pairs = append(pairs, screen.Pair{Key: "DAP", Cell: screen.Words(word), From: r.DAPSource})
	}
	if !r.Listed {
		pairs = append(pairs, screen.Pair{Key: "Listed",
			Cell: screen.Words("no: Partner Center's list, as it was read, does not have it; a relationship names it")})
	}
	return screen.Card{Head: "About", Body: []screen.Block{pairs}}
}
