//go:build !judge

package pages

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/claim"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/renew"
	"partnerguard/internal/screen"
)

// Pages are the console's pages of connections. All functions but Heal are required, and
// safe for concurrent use; actor is by whom the trail records what is done.
type Pages struct {
	Rows func(ctx context.Context) ([]renew.StatusRow, error) // the worst first
	Apps func(ctx context.Context) ([]sam.Registration, error)
	// Renew has one renewed by a job; false: one waits or runs already.
	Renew func(ctx context.Context, actor, id string) (bool, error)
	// Heal gives the path of ours at which a person's browser signs in anew for a
	// connection; nil where the installation cannot be reached from outside.
	Heal   func(ctx context.Context, actor, id string) (path string, err error)
	Accept func(ctx context.Context, actor, id string) (sam.Connection, error)
	// Remove forgets one with its tokens; with revoke, every session of its account is ended
	// at Entra ID first, and where that fails nothing is removed.
	Remove func(ctx context.Context, actor, id string, revoke bool) (sam.Connection, error)
}

// allowed is how old a forecast may be: policies change without a renewal.
const allowed = 3 * 24 * time.Hour

// Screens are the pages.
func (p *Pages) Screens() []screen.Screen {
	which := screen.Field{Name: "connection", Label: "Connection", Kind: "hidden", Required: true, Max: 100}
	typed := screen.Field{Name: "name", Label: "The connection's name", Hint: "type it as it stands above, so that it is the one you mean", Required: true,
		Max: 200}
	main := screen.Screen{
		Name: "connections", Title: "Connections", Icon: "plug", Group: screen.Reach, Order: 20, See: screen.SeeOperation, Over: screen.OfHouse,
		About: "Secure Application Model: one consent with MFA each, sealed, renewed, and watched until it dies.",
		List:  p.list(), Load: p.load, Needs: p.needs, Find: p.hits,
		Acts: []screen.Act{
			{Name: "renew", Title: "Renew now", About: "Has the connection's refresh token used by a job, due or not.", Do: screen.Operate,
				Form: []screen.Field{which}, Handle: p.renew},
			{Name: "heal", Title: "Sign in anew", About: "Begins a sign-in with MFA that takes the place of the connection's consent.", Do: screen.Operate,
				Form: []screen.Field{which}, Handle: p.heal},
		},
	}
	one := screen.Screen{
		Name: "connections/one", Title: "Connection", Icon: "plug", See: screen.SeeOperation, Over: screen.OfHouse,
		About:  "One connection: what could end it, and what ending it breaks.",
		Params: []screen.Param{{Name: "connection", About: "its id"}},
		Acts: []screen.Act{
			{Name: "accept", Title: "Accept it",
				About: "Takes a connection into use again that is held back, because its row was written by something else or is older than the " +
					"trail knows. One whose token does not open for its tenant, app and account cannot be accepted.", Do: screen.Operate,
				Form: []screen.Field{which, typed}, Handle: p.accept},
			{Name: "end", Title: "End it",
				About: "Forgets the connection and deletes its sealed tokens. Copies of the database hold them still, and Entra ID takes them, unless " +
					"the account's sessions are revoked too.", Do: screen.Operate,
				Form: []screen.Field{which, typed, {Name: "revoke", Label: "Revoke every session of the account at Entra ID first", Kind: "check",
					Hint: "Whoever else uses this account signs in again. Where it cannot be done, nothing is removed."}}, Handle: p.end},
		},
	}
	one.Load = func(ctx context.Context, a *screen.Ask) (*screen.View, error) { return p.loadOne(ctx, a, &one) }
	return []screen.Screen{main, one}
}

// row is a connection as the page shows it.
type row struct {
	ID         string       `json:"id"`
	Name       string       `json:"name"`
	Model      sam.Model    `json:"model"`
	Tenant     string       `json:"tenant"`
	Domain     string       `json:"domain,omitempty"`
	Account    string       `json:"account"`
	App        string       `json:"app"`
	Health     renew.Health `json:"health"`
	Ends       time.Time    `json:"ends,omitzero"` // when it dies, or died; zero: nothing known ends it
	Because    string       `json:"because,omitempty"`
	Fix        string       `json:"fix,omitempty"`
	Command    string       `json:"command,omitempty"` // that heals it, on the command line
	Unknown    []string     `json:"unknown,omitempty"` // what could end it sooner and was not read
	Note       string       `json:"note,omitempty"`
	MFA        claim.Answer `json:"mfa"`
	MFAWhy     string       `json:"mfaWhy,omitempty"`
	Consented  time.Time    `json:"consented,omitzero"`
	Renewed    time.Time    `json:"renewed,omitzero"`
	Due        time.Time    `json:"renewalDue,omitzero"`
	Credential time.Time    `json:"credentialEnds,omitzero"` // of the app, as this installation knows it
	Kind       string       `json:"credential,omitempty"`
	Foretold   time.Time    `json:"foretold,omitzero"`
	Code       int          `json:"code,omitempty"`
	Scopes     []string     `json:"scopes,omitempty"`
}

// rows are the connections that a viewer may see, the worst first.
func (p *Pages) rows(ctx context.Context, v *screen.Viewer) ([]row, error) {
	list, err := p.Rows(ctx)
	if err != nil {
		return nil, err
	}
	apps, err := p.Apps(ctx)
	if err != nil {
		return nil, err
	}
	var out []row
	for i := range list {
		if v.Sees(list[i].Connection.Tenant) {
			out = append(out, rowOf(&list[i], apps))
		}
	}
	return out, nil
}

func rowOf(s *renew.StatusRow, apps []sam.Registration) row {
	c := &s.Connection
	r := row{ID: c.ID, Name: c.Name, Model: c.Model, Tenant: c.Tenant, Domain: c.Domain, Account: c.Account, App: c.ClientID, Health: s.Health, Ends: s.At,
		Because: s.Because, Fix: s.Fix, Unknown: s.Unknown, Note: s.Note, MFA: c.Proof.Answer, MFAWhy: c.Proof.Reason, Consented: c.ConsentedAt,
		Renewed: c.ObtainedAt, Due: c.RenewAfter, Code: s.Code, Command: sam.Heal(*c)}
	if c.Forecast != nil {
		r.Foretold = c.Forecast.Computed
	}
	if i := slices.IndexFunc(apps, func(a sam.Registration) bool { return strings.EqualFold(a.ClientID, c.ClientID) }); i >= 0 {
		r.App, r.Credential, r.Kind = print.First(c.ClientID, apps[i].Name), apps[i].NotAfter, string(apps[i].Kind)
	}
	for _, scopes := range c.Scopes {
		r.Scopes = append(r.Scopes, scopes...)
	}
	slices.Sort(r.Scopes)
	r.Scopes = slices.Compact(r.Scopes)
	return r
}

var healths = []renew.Health{renew.Stopped, renew.Dead, renew.Dying, renew.Unsure, renew.Healthy}

func said(h renew.Health) page.Said {
	tone := print.Doubt
	switch h {
	case renew.Healthy:
		tone = print.Good
	case renew.Dead, renew.Stopped, renew.Dying:
		tone = print.Bad
	}
	return page.Said{Tone: tone, Word: string(h)}
}

// why is what ends it, or why it is held back, in one line.
func (r *row) why() string {
	switch {
	case r.Because == "" && r.Health == renew.Healthy:
		return "nothing known ends it"
	case r.Because == "":
		return "not everything that could end it could be read"
	}
	return print.Sentence(print.Clean(r.Because, 300))
}

func (r *row) mfa() screen.Cell {
	switch r.MFA {
	case claim.Proven:
		return screen.Cell{Said: &page.Said{Tone: print.Good, Word: "proven"}}
	case claim.NotProven:
		return screen.Cell{Said: &page.Said{Tone: print.Bad, Word: "not proven"}, Sub: print.Clean(r.MFAWhy, 120)}
	}
	return screen.Cell{Said: &page.Said{Tone: print.Doubt, Word: "unknown"}, Sub: print.Clean(r.MFAWhy, 120)}
}

func oneOf(id string) string { return screen.With("/connections/one", "connection", id) }

var list = &screen.List[row]{
	Noun: "connection", Default: "health", Search: "name, account, app, why",
	Key:    func(r *row) string { return r.ID },
	Tenant: func(r *row) string { return r.Tenant },
	Columns: []screen.Column[row]{
		{Name: "connection", Head: "Connection", Cell: func(r *row) screen.Cell { return screen.Named(r.Name, r.Account, oneOf(r.ID)) }},
		{Name: "app", Head: "App", Drop: true, Cell: func(r *row) screen.Cell { return screen.Cell{Text: r.App, Quiet: true} }},
		{Name: "health", Head: "Health", Order: func(a, b *row) int {
			if d := slices.Index(healths, a.Health) - slices.Index(healths, b.Health); d != 0 {
				return d
			}
			return a.Ends.Compare(b.Ends)
		}, Cell: func(r *row) screen.Cell { s := said(r.Health); return screen.Cell{Said: &s} }},
		{Name: "ends", Head: "Ends", Order: func(a, b *row) int { return a.Ends.Compare(b.Ends) }, Blank: func(r *row) bool { return r.Ends.IsZero() },
			Cell: func(r *row) screen.Cell {
				if r.Ends.IsZero() {
					return screen.Cell{Text: "–", Quiet: true}
				}
				return screen.Cell{At: r.Ends, SubAt: r.Ends}
			}},
		{Name: "because", Head: "Because", Cell: func(r *row) screen.Cell {
			c := screen.Cell{Text: r.why()}
			if len(r.Unknown) > 0 {
				c.Sub = "could end sooner: " + print.Clean(r.Unknown[0], 120)
			} else if r.Note != "" {
				c.Sub = print.Clean(r.Note, 160)
			}
			return c
		}},
		{Name: "mfa", Head: "MFA claim", Cell: (*row).mfa},
		{Name: "credential", Head: "App's credential", Right: true, Drop: true, Order: func(a, b *row) int { return a.Credential.Compare(b.Credential) },
			Blank: func(r *row) bool { return r.Credential.IsZero() },
			Cell: func(r *row) screen.Cell {
				return screen.Cell{At: r.Credential, Ago: true, Never: "no end known", Sub: r.Kind}
			}},
		{Name: "renewed", Head: "Renewed", Right: true, Order: func(a, b *row) int { return a.Renewed.Compare(b.Renewed) },
			Blank: func(r *row) bool { return r.Renewed.IsZero() },
			Cell:  func(r *row) screen.Cell { return screen.When(r.Renewed, "never") }},
	},
	Filters: []screen.Filter[row]{
		{Name: "health", Head: "Health", Enum: words(healths), Of: func(r *row) []string { return []string{string(r.Health)} }},
		{Name: "model", Head: "Model", Of: func(r *row) []string { return []string{string(r.Model)} }, Quiet: true},
	},
	Detail: func(r *row) []screen.Block { return detail(r, false) },
}

// list is the list with what an open row offers here.
func (p *Pages) list() *screen.List[row] {
	l := *list
	l.Detail = func(r *row) []screen.Block { return detail(r, p.Heal != nil) }
	return &l
}

func words[T ~string](list []T) (out []string) {
	for _, x := range list {
		out = append(out, string(x))
	}
	return out
}

// detail is an open row: what could end it, and what heals it; heals says that a sign-in can
// be begun here.
func detail(r *row, heals bool) []screen.Block {
	of := url.Values{"connection": {r.ID}}
	heal := []screen.Block{screen.Para{Text: print.Sentence(print.Clean(r.Fix, 600)), Class: "note"}}
	if r.Fix == "" {
		heal = []screen.Block{screen.Para{Text: "Nothing has to be done: it is renewed by itself.", Class: "note"}}
	}
	if r.Command != "" && r.Health != renew.Healthy {
		heal = append(heal, screen.Code{Text: r.Command, Wrap: true})
	}
	acts := screen.Row{screen.Do{Path: "/connections/renew", Right: screen.Operate, Text: "Renew now", Fields: of}}
	if heals {
		acts = append(acts, screen.Do{Path: "/connections/heal", Right: screen.Operate, Text: "Sign in anew", Fields: of,
			Primary: r.Health == renew.Dead || r.Health == renew.Dying})
	}
	heal = append(heal, acts)
	return []screen.Block{screen.Bit{Head: "What could end it", Body: []screen.Block{ends(r)}}, screen.Bit{Head: "What heals it", Body: heal}}
}

// ends are what is known to end it, and what could and was not read.
func ends(r *row) screen.Block {
	items := screen.Items{Empty: "Nothing known ends it."}
	if !r.Ends.IsZero() || r.Because != "" {
		s := said(r.Health)
		it := screen.Item{Said: &s, Lead: "–", Text: r.why()}
		if !r.Ends.IsZero() {
			it.Lead = r.Ends.UTC().Format("2 Jan 2006")
		}
		items.List = append(items.List, it)
	}
	if !r.Credential.IsZero() && !r.Credential.Equal(r.Ends) {
		items.List = append(items.List, screen.Item{Icon: "v-na", Lead: r.Credential.UTC().Format("2 Jan 2006"), Text: "the app's " + r.Kind + " ends"})
	}
	for _, u := range r.Unknown {
		items.List = append(items.List, screen.Item{Icon: "v-unk", Lead: "not read", Text: print.Clean(u, 300)})
	}
	return items
}

func (p *Pages) needs(ctx context.Context, v *screen.Viewer) (n int) {
	rows, err := p.rows(ctx, v)
	if err != nil {
		return 0
	}
	for i := range rows {
		if h := rows[i].Health; h == renew.Dead || h == renew.Dying || h == renew.Stopped {
			n++
		}
	}
	return n
}

// hits are the connections that the palette offers.
func (p *Pages) hits(ctx context.Context, v *screen.Viewer, q string, limit int) (out []screen.Hit) {
	rows, err := p.rows(ctx, v)
	q = strings.ToLower(strings.TrimSpace(q))
	if err != nil || q == "" {
		return nil
	}
	for i := range rows {
		r := &rows[i]
		if len(out) < limit && strings.Contains(strings.ToLower(r.Name+"\n"+r.Account), q) {
			out = append(out, screen.Hit{Title: r.Name, Sub: string(r.Health) + ", " + r.Account, Path: oneOf(r.ID), Icon: "plug"})
		}
	}
	return out
}

func (p *Pages) load(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	rows, err := p.rows(ctx, a.Viewer)
	if err != nil {
		return nil, err
	}
	v := &screen.View{Rows: p.list().Of(rows), Missing: len(rows) == 0,
		Sentence: "Secure Application Model: one consent with MFA each, sealed, renewed, and watched until it dies.",
		Nothing: &screen.Nothing{Head: "No connection yet",
			Text:    "A connection is one account's consent, with MFA, to one app. Make the first on the machine that holds the vault.",
			Command: "partnerguard connect"}}
	n, first := map[renew.Health]int{}, map[renew.Health]*row{}
	for i := range rows {
		r := &rows[i]
		n[r.Health]++
		if f := first[r.Health]; f == nil || r.Ends.Before(f.Ends) {
			first[r.Health] = r
		}
		if r.Health != renew.Dead && r.Health != renew.Stopped {
			v.Facts = append(v.Facts, screen.Fact{What: "Forecast of " + r.Name, At: r.Foretold, Allows: allowed, Source: "Graph policies and app",
				Rests: true})
		}
	}
	v.Summary = n
	if a.Machine || len(rows) == 0 {
		return v, nil
	}
	v.Above = []screen.Block{tiles(n, first, len(rows), a.Now), screen.Card{Head: "When each dies, and of what", Body: []screen.Block{forecast(rows, a.Now)}}}
	return v, nil
}

func tiles(n map[renew.Health]int, first map[renew.Health]*row, all int, now time.Time) screen.Tiles {
	tile := func(h renew.Health, head, delta string) screen.Tile {
		return screen.Tile{Head: head, N: print.Number(int64(n[h])), Delta: delta, Path: "/connections?health=" + string(h)}
	}
	well := tile(renew.Healthy, "Healthy", "all that could end them was read")
	well.Of = "of " + print.Number(int64(all))
	dying := tile(renew.Dying, "Dying", "none dies within 14 days")
	if f := first[renew.Dying]; f != nil {
		dying.Delta = "first: " + f.Name
		if f.Ends.After(now) {
			dying.Delta = "first in " + screen.Span(f.Ends.Sub(now)) + ": " + f.Name
		}
	}
	dead := tile(renew.Dead, "Dead", "none was refused")
	if f := first[renew.Dead]; f != nil {
		dead.Delta = f.Name
		if f.Code != 0 {
			dead.Delta += fmt.Sprintf(", AADSTS%d", f.Code)
		}
	}
	return screen.Tiles{well, dying, tile(renew.Unsure, "Unsure", "a setting could not be read"), dead, tile(renew.Stopped, "Held back",
		"a person has to look")}
}

// find gives a connection that the viewer may see.
func (p *Pages) find(ctx context.Context, v *screen.Viewer, id string) (row, error) {
	rows, err := p.rows(ctx, v)
	if err != nil {
		return row{}, err
	}
	for i := range rows {
		if rows[i].ID == id {
			return rows[i], nil
		}
	}
	return row{}, problem.New(problem.NotFound, "there is no such connection").WithHint("the page Connections lists those there are")
}

// loadOne is one connection: what it is, what could end it, and what ending it breaks.
func (p *Pages) loadOne(ctx context.Context, a *screen.Ask, s *screen.Screen) (*screen.View, error) {
	r, err := p.find(ctx, a.Viewer, a.Values.Get("connection"))
	if errors.Is(err, problem.NotFound) && a.Values.Get("connection") == "" {
		return &screen.View{Missing: true, Nothing: &screen.Nothing{Head: "Which connection?", Text: "The address names none.", LinkText: "Connections",
			Path: "/connections"}}, nil
	}
	if err != nil {
		return nil, err
	}
	st := said(r.Health)
	of := url.Values{"connection": {r.ID}}
	v := &screen.View{Summary: r, Sentence: r.Name + ": " + string(r.Health) + ". " + print.Ended(r.why()),
		Actions: []screen.Action{{Text: "Its trail", Path: screen.With("/trail", "object", r.ID)}, {Text: "All connections", Path: "/connections"}}}
	pairs := screen.Pairs{{Key: "Name", Cell: screen.Words(r.Name)}, {Key: "Health", Cell: screen.Cell{Said: &st}}, {Key: "Account",
		Cell: screen.Words(r.Account)},
		{Key: "Tenant", Cell: screen.Cell{Text: r.Tenant, Mono: true}}, {Key: "App", Cell: screen.Words(r.App)}, {Key: "MFA claim", Cell: r.mfa()},
		{Key: "Consented", Cell: screen.Cell{At: r.Consented, Never: "not known"}}, {Key: "Renewed", Cell: screen.Cell{At: r.Renewed, Never: "never"}},
		{Key: "Renewal due", Cell: screen.Cell{At: r.Due, Never: "not planned"}}, {Key: "Permissions", Cell: screen.Words(strings.Join(r.Scopes, ", "))}}
	v.Above = []screen.Block{screen.Side{Shape: "g2", List: []screen.Block{screen.Card{Head: "What it is", Body: []screen.Block{pairs}},
		screen.Card{Head: "What could end it", Bare: true, Body: []screen.Block{ends(&r)}}}}}
	if !a.Viewer.May(screen.Operate) {
		return v, nil
	}
	if r.Health == renew.Stopped {
		v.Below = append(v.Below, screen.Card{Head: "Accept it", Note: "Find out first who wrote into the database.", Body: []screen.Block{
			screen.Form{Screen: s, Act: "accept", Values: of, Plain: true}}})
	}
	v.Below = append(v.Below, screen.Card{Head: "End it", Note: "What breaks: everything that asks Microsoft in its name.", Body: []screen.Block{
		breaks(&r), screen.Form{Screen: s, Act: "end", Values: of, Plain: true}}})
	return v, nil
}

// breaks is what ending a connection breaks.
func breaks(r *row) screen.Block {
	return screen.Items{List: []screen.Item{
		{Icon: "v-warn", Lead: "Reading stops", Text: "the tenant " + print.First(r.Tenant, r.Domain) +
			" and its customers are read no more, where this is the connection that reads them; " +
			"what was read stays, and grows old"},
		{Icon: "v-warn", Lead: "Programs get no token", Text: "whoever asks for access tokens by this connection is refused, at once"},
		{Icon: "v-warn", Lead: "The way back", Text: "is a new consent by the account, with MFA: " + r.Command},
	}}
}

func (p *Pages) renew(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	r, err := p.find(ctx, a.Viewer, form.Get("connection"))
	if err != nil {
		return screen.Done{}, err
	}
	added, err := p.Renew(ctx, a.Viewer.Actor, r.ID)
	if err != nil {
		return screen.Done{}, err
	}
	words := r.Name + " is renewed as soon as a worker is free."
	if !added {
		words = r.Name + " is being renewed already."
	}
	return screen.Done{Path: screen.With("/connections", "row", r.ID), Said: words, Body: map[string]bool{"added": added}}, nil
}

// heal sends the person's browser to sign in. The address is for the one who asked: a
// program gets none.
func (p *Pages) heal(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	r, err := p.find(ctx, a.Viewer, form.Get("connection"))
	if err != nil {
		return screen.Done{}, err
	}
	if a.Viewer.Session == "" {
		return screen.Done{}, problem.New(problem.Forbidden, "a sign-in is begun by a person in a browser").WithHint("open the page Connections")
	}
	if p.Heal == nil {
		return screen.Done{}, problem.New(problem.Usage, "this server cannot be reached from outside, and so Microsoft's page cannot come back to it").
			WithHint("set publicURL, or on the machine that holds the vault: %s", r.Command)
	}
	path, err := p.Heal(ctx, a.Viewer.Actor, r.ID)
	if err != nil {
		return screen.Done{}, err
	}
	return screen.Done{Path: path, Said: "Sign in as " + r.Account + ", with MFA."}, nil
}

// typed holds what was typed to the connection's name.
func typed(r *row, form url.Values) error {
	if form.Get("name") == r.Name {
		return nil
	}
	return problem.New(problem.Usage, "the name that was typed is not this connection's: nothing was done").WithHint("type %s", print.Clean(r.Name, 100))
}

func (p *Pages) accept(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	r, err := p.find(ctx, a.Viewer, form.Get("connection"))
	if err == nil {
		err = typed(&r, form)
	}
	if err != nil {
		return screen.Done{}, err
	}
	if _, err := p.Accept(ctx, a.Viewer.Actor, r.ID); err != nil {
		return screen.Done{}, err
	}
	return screen.Done{Path: oneOf(r.ID), Said: r.Name + " is used again."}, nil
}

func (p *Pages) end(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	r, err := p.find(ctx, a.Viewer, form.Get("connection"))
	if err == nil {
		err = typed(&r, form)
	}
	if err != nil {
		return screen.Done{}, err
	}
	revoke := form.Get("revoke") != ""
	if _, err := p.Remove(ctx, a.Viewer.Actor, r.ID, revoke); err != nil {
		return screen.Done{}, err
	}
	words := r.Name + " was removed. Entra ID still takes its tokens where a copy holds them: revoke the account's sessions to end them."
	if revoke {
		words = r.Name + " was removed, and every session of " + r.Account + " was revoked."
	}
	return screen.Done{Path: "/connections", Said: words}, nil
}
