package pages

import (
	"context"
	"net/url"
	"strings"
	"time"

	"partnerguard/internal/gateway/ledger"
	"partnerguard/internal/gateway/revoke"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
)

// Exception is one of a file's, as the page shows it.
type Exception struct {
	Route, Name, For, Owner, Why string
	Until                        time.Time
}

// Authority is how it stands with the keys of one.
type Authority struct {
	Name, State, Why string
	Keys             int
	Read             time.Time
	Alarm            bool
}

// Pages are the console's pages of the gateway. Safe for concurrent use where its functions
// are.
type Pages struct {
	// Report is who would be refused since a moment.
	Report func(ctx context.Context, since time.Time) (*ledger.Report, error)
	Hours  func(ctx context.Context, since time.Time) ([]ledger.Hour, error)
	// Exceptions and Authorities are of the gateway that runs here or the file that is
	// known; nil: none is.
	Exceptions  func(ctx context.Context) ([]Exception, error)
	Authorities func() []Authority
	// Revocations, Revoke and Unrevoke; nil: the vault is not open.
	Revocations func(ctx context.Context) ([]revoke.Revocation, error)
	Revoke      func(ctx context.Context, r revoke.Revocation, actor string) (revoke.Revocation, error)
	Unrevoke    func(ctx context.Context, id, actor string) (revoke.Revocation, error)
	Now         func() time.Time

	main screen.Screen
}

// spans are how far back the page looks.
var spans = map[string]time.Duration{"24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour, "30d": 30 * 24 * time.Hour}

// Screens are the pages.
func (p *Pages) Screens() []screen.Screen {
	since := screen.Param{Name: "since", About: "How far back: 7d where it is not said.", Enum: []string{"24h", "7d", "30d"}}
	p.main = screen.Screen{
		Name: "gateway", Title: "Gateway", Icon: "lock", Group: screen.Reach, Order: 55, See: screen.SeePeople, Over: screen.OfHouse,
		About: "Who would be refused at the doors of your tools tomorrow, and how ready each route is to be enforced.",
		List:  findings, Params: []screen.Param{since}, Load: p.load, Find: p.find,
		Acts: []screen.Act{
			{Name: "revoke", Title: "Revoke", Do: screen.Manage,
				About: "Somebody does not come in any more: at every gateway of this installation, within two seconds.",
				Form: []screen.Field{
					{Name: "kind", Label: "What", Kind: "select", Enum: kinds(), Required: true},
					{Name: "value", Label: "Whom", Hint: "an object id, a client id, a sid or a uti", Required: true, Max: 128},
					{Name: "in", Label: "In the tenant", Hint: "its id; none is any", Max: 64},
					{Name: "why", Label: "Why", Hint: "one line; the audit trail has it", Required: true, Max: 500},
					{Name: "block", Label: "Block: refuse later sign-ins too", Kind: "check"},
				}, Handle: p.revoke},
			{Name: "unrevoke", Title: "Take a revocation back", Do: screen.Manage, About: "Whom it named may come in again.",
				Form: []screen.Field{{Name: "id", Label: "Revocation", Kind: "hidden", Required: true, Max: 64}}, Handle: p.unrevoke},
		},
	}
	return []screen.Screen{p.main, {
		Name: "gateway/caller", Title: "Caller", Icon: "lock", Group: screen.Nowhere, See: screen.SeePeople, Over: screen.OfHouse,
		About: "One caller of the gateway: what of its requests would be refused, and why.", List: findings,
		Params: []screen.Param{{Name: "caller", About: "The object id, the app's id, or the network."}, {Name: "of",
			About: "The id of its tenant; any where it is not said."}, since},
		Load: p.loadCaller,
	}}
}

func kinds() (out []string) {
	for _, k := range revoke.Kinds() {
		out = append(out, string(k))
	}
	return out
}

func (p *Pages) revoke(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	if p.Revoke == nil {
		return screen.Done{}, problem.New(problem.Unavailable, "the vault is not open, so that nobody can be revoked")
	}
	if a.Viewer.Customers != nil {
		return screen.Done{}, ofAll()
	}
	r := revoke.Revocation{Kind: revoke.Kind(form.Get("kind")), Value: form.Get("value"), Tenant: form.Get("in"), Why: form.Get("why")}
	if form.Get("block") == "" {
		r.Before = p.Now()
	}
	made, err := p.Revoke(ctx, r, a.Viewer.Actor)
	return screen.Done{Said: "It is revoked: " + made.ID, Body: made}, err
}

func (p *Pages) unrevoke(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	if p.Unrevoke == nil {
		return screen.Done{}, problem.New(problem.Unavailable, "the vault is not open, so that nothing can be taken back")
	}
	if a.Viewer.Customers != nil {
		return screen.Done{}, ofAll()
	}
	r, err := p.Unrevoke(ctx, form.Get("id"), a.Viewer.Actor)
	return screen.Done{Said: "The revocation was taken back.", Body: r}, err
}

// ofAll refuses whoever is limited to customers: a revocation is of the whole house.
func ofAll() error {
	return problem.New(problem.Forbidden, "revocations are of all customers, and you see some").WithHint("ask whoever sees all")
}

// since is from when on the page looks.
func (p *Pages) since(a *screen.Ask) time.Time {
	d, ok := spans[a.Values.Get("since")]
	if !ok {
		d = spans["7d"]
	}
	return a.Now.Add(-d)
}

// summary is the page in numbers.
type summary struct {
	Routes []ledger.Ready `json:"routes"`
}

func (p *Pages) load(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	r, err := p.Report(ctx, p.since(a))
	if err != nil {
		return nil, err
	}
	rows := p.seen(a.Viewer, r.Findings)
	if a.Viewer.Customers != nil { // routes, revocations and exceptions are of all
		return &screen.View{Rows: findings.Of(rows), Sentence: "Counted since " + print.When(r.Since) + ", of your customers' tenants.",
			Nothing: &screen.Nothing{Head: "Nothing of your customers' accounts fell short", Text: "Or nothing of them came."}}, nil
	}
	v := &screen.View{Rows: findings.Of(rows), Summary: summary{r.Routes},
		Sentence: "Counted since " + print.When(r.Since) + ". What a route in mode report lets through is counted as what enforcing refuses.",
		Actions:  []screen.Action{{Text: "Revoke", Icon: "x", Act: "revoke"}},
		Nothing:  &screen.Nothing{Head: "Nothing would be refused", Text: "Nothing that came fell short, or nothing came: the routes above say which."}}
	if len(r.Routes) == 0 {
		v.Nothing = &screen.Nothing{Head: "No gateway was seen", Text: "The gateway stands before your own tools and lets nobody in without the MFA claim.",
			Command: "partnerguard gateway --config gateway.yaml"}
		v.Missing = true
	}
	if a.Machine {
		return v, nil
	}
	hours, err := p.Hours(ctx, p.since(a))
	if err != nil {
		return nil, err
	}
	if len(r.Routes) > 0 {
		v.Above = []screen.Block{spanLinks(a), tiles(hours, p.since(a), a.Now), routes(r.Routes)}
	}
	if v.Below, err = p.below(ctx, a); err != nil {
		return nil, err
	}
	if p.Authorities != nil {
		for _, x := range p.Authorities() {
			if x.Alarm {
				v.Notices = append(v.Notices, screen.Notice{Tone: print.Bad, Lead: "The keys of " + x.Name + " cannot be read.",
					Text: "Tokens of keys that are known go on for a while; others are refused. " + print.Ended(print.Sentence(x.Why))})
			}
		}
	}
	return v, nil
}

// seen are the findings that a viewer may know of: who is limited to customers sees those
// of their tenants.
func (p *Pages) seen(v *screen.Viewer, list []ledger.Finding) []ledger.Finding {
	out := []ledger.Finding{}
	for i := range list {
		if v.Customers == nil || list[i].Tenant != "" && v.Sees(list[i].Tenant) {
			out = append(out, list[i])
		}
	}
	return out
}

func (p *Pages) loadCaller(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	caller, tenant := a.Values.Get("caller"), a.Values.Get("of")
	if caller == "" {
		return nil, problem.New(problem.Usage, "the address names no caller").WithHint("the page of the gateway leads to each")
	}
	r, err := p.Report(ctx, p.since(a))
	if err != nil {
		return nil, err
	}
	rows := []ledger.Finding{}
	name := caller
	for _, f := range p.seen(a.Viewer, r.Findings) {
		if f.Caller == caller && (tenant == "" || f.Tenant == tenant) {
			rows = append(rows, f)
			if f.Account != "" {
				name = f.Account
			}
		}
	}
	v := &screen.View{Rows: findings.Of(rows), Sentence: print.Clean(name, 120) + " since " + print.When(r.Since) + ".",
		Nothing: &screen.Nothing{Head: "Nothing of this caller fell short", Text: "Nothing is known of others than those that are listed."}}
	if len(rows) > 0 && rows[0].Kind != "unknown" && a.Viewer.Customers == nil && a.Viewer.May(screen.Manage) {
		v.Above = []screen.Block{screen.Card{Head: "Revoke", Body: []screen.Block{screen.Form{Screen: &p.main, Act: "revoke", Plain: true,
			Values: url.Values{"kind": {rows[0].Kind}, "value": {rows[0].Caller}, "in": {rows[0].Tenant}}}}}}
	}
	return v, nil
}

// find has the palette offer callers.
func (p *Pages) find(ctx context.Context, v *screen.Viewer, q string, limit int) (out []screen.Hit) {
	r, err := p.Report(ctx, p.Now().Add(-spans["7d"]))
	if err != nil {
		return nil
	}
	q = strings.ToLower(q)
	had := map[string]bool{}
	for _, f := range p.seen(v, r.Findings) {
		if len(out) == limit {
			break
		}
		if name := callerName(&f); !had[f.Caller] && strings.Contains(strings.ToLower(name+" "+f.Caller), q) {
			had[f.Caller] = true
			out = append(out, screen.Hit{Title: name, Sub: "gateway: " + f.Title, Path: callerPath(&f), Icon: "lock"})
		}
	}
	return out
}
