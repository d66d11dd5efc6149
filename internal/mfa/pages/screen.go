package pages

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/mfa"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
)

// Screens is the help desk's page: people with their factors, the worst first.
func (p *Pages) Screens() []screen.Screen {
	one := screen.Screen{
		Name: "factors", Title: "Factors", Icon: "key", Group: screen.Posture, Order: 31, See: screen.SeePeople, Over: screen.OfHouse,
		About: "Who has which second factor of our own provider, what was seen of it, and what the help desk does in pairs.",
		Needs: p.needs, Find: p.find,
	}
	one.Acts = p.acts()
	list := p.peopleList(&one)
	one.List = list
	one.Load = func(ctx context.Context, a *screen.Ask) (*screen.View, error) { return p.load(ctx, a, list) }
	return []screen.Screen{one}
}

// lines are the people that a viewer may know of.
func (p *Pages) lines(ctx context.Context, v *screen.Viewer) ([]mfa.Line, error) {
	all, err := p.d.Store.Lines(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(l mfa.Line) bool { return !v.Sees(l.Account.Tenant) }), nil
}

// standing is how somebody stands, in a word.
func standing(l *mfa.Line) (page.Said, string) {
	switch l.Rank() {
	case 0:
		return page.Said{Tone: print.Bad, Word: "changed by something else"}, print.First(l.Refused, "a factor's row is not as it was written")
	case 1:
		return page.Said{Tone: print.Doubt, Word: "waits for a second person"}, ""
	case 2:
		return page.Said{Tone: print.Bad, Word: "locked"}, "wrong answers"
	case 3:
		return page.Said{Tone: print.Bad, Word: "at risk"}, l.Notes[0].Words
	case 4:
		return page.Said{Tone: print.Muted, Word: "blocked"}, "by the help desk"
	case 5:
		return page.Said{Tone: print.Bad, Word: "no factor"}, "and no invitation"
	case 6:
		return page.Said{Tone: print.Doubt, Word: "invited"}, "until " + l.Invited.Ends.UTC().Format("2 January 15:04 UTC")
	case 7:
		return page.Said{Tone: print.Doubt, Word: "recovery codes alone"}, ""
	}
	return page.Said{Tone: print.Good, Word: "well"}, ""
}

func kindWord(k mfa.Kind) string {
	if k == "" {
		return "none"
	}
	return k.Word()
}

func (p *Pages) peopleList(one *screen.Screen) *screen.List[mfa.Line] {
	return &screen.List[mfa.Line]{
		Noun: "person", Default: "standing", Search: "name, account",
		Key: func(l *mfa.Line) string { return l.ID }, Tenant: func(l *mfa.Line) string { return l.Account.Tenant },
		Columns: []screen.Column[mfa.Line]{
			{Name: "person", Head: "Person", Cell: func(l *mfa.Line) screen.Cell { return screen.Named(l.Called(), l.Login, "") }},
			{Name: "standing", Head: "Standing", Order: func(a, b *mfa.Line) int { return a.Rank() - b.Rank() }, Cell: func(l *mfa.Line) screen.Cell {
				said, sub := standing(l)
				return screen.Cell{Said: &said, Sub: print.Clean(sub, 120)}
			}},
			{Name: "strongest", Head: "Strongest", Order: func(a, b *mfa.Line) int {
				return slices.Index(mfa.Kinds(), a.Strongest) - slices.Index(mfa.Kinds(), b.Strongest)
			}, Cell: func(l *mfa.Line) screen.Cell {
				return screen.Cell{Text: kindWord(l.Strongest), Quiet: l.Strongest != ""}
			}},
			{Name: "factors", Head: "Factors", Right: true, Plain: true, Order: func(a, b *mfa.Line) int { return len(a.Factors) - len(b.Factors) },
				Cell: func(l *mfa.Line) screen.Cell { return screen.Count(int64(len(l.Factors)), "") }},
			{Name: "last", Head: "Last shown", Right: true, Order: func(a, b *mfa.Line) int { return a.Last.Compare(b.Last) },
				Blank: func(l *mfa.Line) bool { return l.Last.IsZero() }, Cell: func(l *mfa.Line) screen.Cell { return screen.When(l.Last, "never") }},
			{Name: "locked", Head: "Locked until", Right: true, Drop: true, Order: func(a, b *mfa.Line) int { return a.Locked.Compare(b.Locked) },
				Blank: func(l *mfa.Line) bool { return l.Locked.IsZero() },
				Cell:  func(l *mfa.Line) screen.Cell { return screen.Cell{At: l.Locked, Never: "no"} }},
			{Name: "id", Head: "Id", Only: true, Text: func(l *mfa.Line) string { return l.ID }},
			{Name: "tenant", Head: "Tenant", Only: true, Text: func(l *mfa.Line) string { return l.Account.Tenant }},
			{Name: "object", Head: "Object id", Only: true, Text: func(l *mfa.Line) string { return l.Account.Object }},
		},
		Filters: []screen.Filter[mfa.Line]{
			{Name: "strongest", Head: "Strongest", Enum: []string{"none", string(mfa.Recovery), string(mfa.TOTP), string(mfa.Key)},
				Of: func(l *mfa.Line) []string { return []string{print.First(string(l.Strongest), "none")} }, Word: func(v string) string {
					if v == "none" {
						return "no factor"
					}
					return mfa.Kind(v).Word()
				}},
			{Name: "waits", Head: "Waits", Enum: []string{"yes"}, Of: func(l *mfa.Line) []string {
				if l.Rank() == 1 {
					return []string{"yes"}
				}
				return nil
			}, Word: func(string) string { return "for a second person" }},
		},
		Detail: func(l *mfa.Line) []screen.Block { return p.detail(l, one) },
	}
}

// detail is a person's factors, what was seen, and what the help desk may do.
func (p *Pages) detail(l *mfa.Line, one *screen.Screen) []screen.Block {
	factors := screen.Items{Empty: "Nothing is set up."}
	for _, f := range l.Factors {
		meta := "set up on " + f.Made.UTC().Format("2 January 2006")
		if f.Kind == mfa.Recovery {
			meta = print.Plural(int64(f.Left), "codes") + " left; " + meta
		} else if !f.Last.IsZero() {
			meta += "; shown last " + f.Last.UTC().Format("2 January 15:04 UTC")
		}
		it := screen.Item{Icon: "v-met", Lead: f.Label, Text: f.Kind.Word(), Meta: meta}
		if f.Refused != "" {
			it.Icon, it.Text = "v-not", "does not count: "+f.Refused
		}
		factors.List = append(factors.List, it)
	}
	notes := screen.Items{Timeline: true, Empty: "Nothing was seen in 30 days."}
	for _, n := range l.Notes[:min(len(l.Notes), 10)] {
		notes.List = append(notes.List, screen.Item{Icon: "v-warn", When: n.At.UTC().Format("2 Jan"), WhenSub: n.At.UTC().Format("15:04"), Text: n.Words,
			Meta: n.Source})
	}
	out := []screen.Block{screen.Bit{Head: "Factors", Body: []screen.Block{factors}}, screen.Bit{Head: "What was seen", Body: []screen.Block{notes}}}
	return append(out, p.desk(l, one)...)
}

// desk is what the help desk may do with a person, as it stands.
func (p *Pages) desk(l *mfa.Line, one *screen.Screen) (out []screen.Block) {
	of := url.Values{"person": {l.ID}}
	for i := range l.Acts {
		a := &l.Acts[i]
		body := []screen.Block{screen.Para{Text: fmt.Sprintf("%s, asked for by %s: %s", strings.ToUpper(a.What[:1])+a.What[1:], a.AskedBy, a.Reason)}}
		if a.State == mfa.Asked {
			body = append(body, screen.Do{Path: "/factors/approve", Right: screen.HelpDesk, Text: "Approve it", Fields: url.Values{"act": {a.ID}},
				Primary: true})
		}
		body = append(body, screen.Do{Path: "/factors/withdraw", Right: screen.HelpDesk, Text: "Withdraw it", Fields: url.Values{"act": {a.ID}}})
		out = append(out, screen.Bit{Head: map[bool]string{true: "Waits for a second person", false: "May still be used"}[a.State == mfa.Asked], Body: body})
	}
	if !l.Locked.IsZero() {
		out = append(out, screen.Do{Path: "/factors/unlock", Right: screen.HelpDesk, Text: "End the wait", Fields: of})
	}
	ask := url.Values{"person": {l.ID}, "what": {mfa.ActPass}}
	out = append(out, screen.Form{Screen: one, Act: "ask", Values: ask, Plain: true})
	for _, f := range l.Factors {
		out = append(out, screen.Do{Path: "/factors/remove", Right: screen.HelpDesk, Text: "Take " + print.Clean(f.Label, 60) + " away",
			Fields: url.Values{"factor": {f.ID}}, Danger: true})
	}
	if l.State == mfa.Blocked {
		return append(out, screen.Do{Path: "/factors/unblock", Right: screen.HelpDesk, Text: "Take factors again", Fields: of})
	}
	return append(out, screen.Do{Path: "/factors/block", Right: screen.HelpDesk, Text: "Block all factors", Fields: of, Danger: true})
}

func (p *Pages) acts() []screen.Act {
	person := screen.Field{Name: "person", Label: "Person", Kind: "hidden", Required: true, Max: 40}
	act := screen.Field{Name: "act", Label: "What was asked for", Kind: "hidden", Required: true, Max: 40}
	return []screen.Act{
		{Name: "invite", Title: "Invite", Do: screen.HelpDesk,
			About: "Invites an account that never had a factor here. The address is shown once: give it to the person by a way that you trust.", Form: []screen.Field{
				{Name: "tenant-id", Label: "Tenant id", Required: true, Max: 36}, {Name: "object", Label: "Object id of the user", Required: true, Max: 36},
				{Name: "login", Label: "Sign-in name", Hint: "shown to the person, to know the account by", Required: true, Max: 200},
				{Name: "name", Label: "Name", Max: 200}}, Handle: p.doInvite},
		{Name: "ask", Title: "Ask a second person", Do: screen.HelpDesk,
			About: "A reset takes every factor away and gives a new invitation; a pass is good once; recovery makes new codes. " +
				"Nothing happens before another person approves it.", Form: []screen.Field{person,
				{Name: "what", Label: "For", Kind: "select", Enum: []string{mfa.ActPass, mfa.ActReset, mfa.ActRecovery}, Required: true},
				{Name: "reason", Label: "Why", Hint: "and how you know that it is this person", Required: true, Max: 200}}, Handle: p.doAsk},
		{Name: "approve", Title: "Approve", Do: screen.HelpDesk, About: "Does what another person asked for. What it gives is shown once.",
			Form: []screen.Field{act}, Handle: p.doApprove},
		{Name: "withdraw", Title: "Withdraw", Do: screen.HelpDesk, About: "Ends what was asked for, or a pass that was not used.", Form: []screen.Field{act},
			Handle: p.doWithdraw},
		{Name: "unlock", Title: "End the wait", Do: screen.HelpDesk, About: "Forgets the wrong answers of an account.", Form: []screen.Field{person},
			Handle: p.onPerson(func(ctx context.Context, l *mfa.Line, actor string) (string, error) {
				_, err := p.d.Store.Unlock(ctx, l.ID, actor)
				return l.Called() + " need not wait any more", err
			})},
		{Name: "block", Title: "Block all factors", Do: screen.HelpDesk, About: "No factor of the person is taken any more.", Form: []screen.Field{person},
			Handle: p.onPerson(func(ctx context.Context, l *mfa.Line, actor string) (string, error) {
				_, err := p.d.Store.Block(ctx, l.ID, true, actor, "")
				return "No factor of " + l.Called() + " is taken any more", err
			})},
		{Name: "unblock", Title: "Take factors again", Do: screen.HelpDesk, About: "The person's factors are taken again.", Form: []screen.Field{person},
			Handle: p.onPerson(func(ctx context.Context, l *mfa.Line, actor string) (string, error) {
				_, err := p.d.Store.Block(ctx, l.ID, false, actor, "")
				return "The factors of " + l.Called() + " are taken again", err
			})},
		{Name: "remove", Title: "Take a factor away", Do: screen.HelpDesk, About: "Takes a factor away, and never the last: that is a reset, by two people.",
			Form: []screen.Field{{Name: "factor", Label: "Factor", Kind: "hidden", Required: true, Max: 40}}, Handle: p.doRemove},
	}
}

// seen finds a person that the viewer may know of.
func (p *Pages) seen(ctx context.Context, v *screen.Viewer, is func(*mfa.Line) bool) (*mfa.Line, error) {
	all, err := p.lines(ctx, v)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if is(&all[i]) {
			return &all[i], nil
		}
	}
	return nil, problem.New(problem.NotFound, "there is no such person or factor here").WithHint("the page Factors lists those there are")
}

func at(l *mfa.Line) string { return screen.With("/factors", "row", l.ID) }

func (p *Pages) onPerson(do func(ctx context.Context, l *mfa.Line, actor string) (string, error)) func(context.Context, *screen.Ask,
	url.Values) (screen.Done, error) {
	return func(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
		l, err := p.seen(ctx, a.Viewer, func(l *mfa.Line) bool { return l.ID == form.Get("person") })
		if err != nil {
			return screen.Done{}, err
		}
		said, err := do(ctx, l, a.Viewer.Actor)
		return screen.Done{Path: at(l), Said: said}, err
	}
}

func (p *Pages) doInvite(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	acc := mfa.Account{Tenant: form.Get("tenant-id"), Object: form.Get("object")}
	if err := acc.Check(); err != nil {
		return screen.Done{}, err
	}
	if !a.Viewer.Sees(acc.Tenant) {
		return screen.Done{}, problem.New(problem.NotFound, "there is no such tenant here").WithHint("you were given some customers alone")
	}
	i, link, err := p.d.Store.Invite(ctx, acc, form.Get("name"), form.Get("login"), a.Viewer.Actor)
	if err != nil {
		return screen.Done{}, err
	}
	return screen.Done{Path: screen.With("/factors", "row", i.Person), Said: "It is shown once: " + link.Reveal(), Body: struct {
		mfa.Invitation
		Link string `json:"link"`
	}{i, link.Reveal()}}, nil // to whom made it
}

func (p *Pages) doAsk(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	l, err := p.seen(ctx, a.Viewer, func(l *mfa.Line) bool { return l.ID == form.Get("person") })
	if err != nil {
		return screen.Done{}, err
	}
	act, err := p.d.Store.Ask(ctx, l.ID, form.Get("what"), form.Get("reason"), a.Viewer.Actor)
	if err != nil {
		return screen.Done{}, err
	}
	return screen.Done{Path: at(l), Said: "Another person of the help desk approves " + act.ID + " within a day", Body: act}, nil
}

func (p *Pages) ofAct(ctx context.Context, a *screen.Ask, form url.Values) (*mfa.Line, error) {
	return p.seen(ctx, a.Viewer, func(l *mfa.Line) bool {
		return slices.ContainsFunc(l.Acts, func(x mfa.Act) bool { return x.ID == form.Get("act") })
	})
}

func (p *Pages) doApprove(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	l, err := p.ofAct(ctx, a, form)
	if err != nil {
		return screen.Done{}, err
	}
	act, given, err := p.d.Store.Approve(ctx, form.Get("act"), a.Viewer.Actor)
	if err != nil {
		return screen.Done{}, err
	}
	said := "It is shown once: " + strings.Join(Given(&given), " ")
	return screen.Done{Path: at(l), Said: said, Body: struct {
		mfa.Act
		Given []string `json:"given"`
	}{act, Given(&given)}}, nil
}

// Given is what an approval gives, in clear, for whom it is shown to, once.
func Given(g *mfa.Given) (out []string) {
	if !g.Pass.IsZero() {
		out = append(out, g.Pass.Reveal())
	}
	if !g.Link.IsZero() {
		out = append(out, g.Link.Reveal())
	}
	for _, c := range g.Codes {
		out = append(out, c.Reveal())
	}
	return out
}

func (p *Pages) doWithdraw(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	l, err := p.ofAct(ctx, a, form)
	if err != nil {
		return screen.Done{}, err
	}
	act, err := p.d.Store.Withdraw(ctx, form.Get("act"), a.Viewer.Actor)
	return screen.Done{Path: at(l), Said: act.ID + " is withdrawn"}, err
}

func (p *Pages) doRemove(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	l, err := p.seen(ctx, a.Viewer, func(l *mfa.Line) bool {
		return slices.ContainsFunc(l.Factors, func(x mfa.Factor) bool { return x.ID == form.Get("factor") })
	})
	if err != nil {
		return screen.Done{}, err
	}
	f, err := p.d.Store.RemoveFactor(ctx, form.Get("factor"), a.Viewer.Actor, "by the help desk")
	return screen.Done{Path: at(l), Said: f.Label + " of " + l.Called() + " was taken away"}, err
}

// needs counts what waits for a second person, or is locked or at risk.
func (p *Pages) needs(ctx context.Context, v *screen.Viewer) (n int) {
	all, err := p.lines(ctx, v)
	if err != nil {
		return 0
	}
	for i := range all {
		if all[i].Rank() <= 3 {
			n++
		}
	}
	return n
}

func (p *Pages) find(ctx context.Context, v *screen.Viewer, q string, limit int) (out []screen.Hit) {
	all, err := p.lines(ctx, v)
	q = strings.ToLower(strings.TrimSpace(q))
	if err != nil || q == "" {
		return nil
	}
	for i := range all {
		l := &all[i]
		if len(out) < limit && strings.Contains(strings.ToLower(l.Name+"\n"+l.Login), q) {
			out = append(out, screen.Hit{Title: l.Called(), Sub: "factors: " + kindWord(l.Strongest), Path: at(l), Icon: "key"})
		}
	}
	return out
}

func (p *Pages) load(ctx context.Context, a *screen.Ask, list *screen.List[mfa.Line]) (*screen.View, error) {
	all, err := p.lines(ctx, a.Viewer)
	if err != nil {
		return nil, err
	}
	by, waits, locked := map[mfa.Kind]int{}, 0, 0
	for i := range all {
		by[all[i].Strongest]++
		if all[i].Rank() == 1 {
			waits++
		}
		if !all[i].Locked.IsZero() {
			locked++
		}
	}
	v := &screen.View{Rows: list.Of(all), Summary: map[string]int{"people": len(all), "key": by[mfa.Key], "totp": by[mfa.TOTP], "none": by[""], "waits": waits,
		"locked": locked},
		Sentence: "Second factors of our own provider: secrets are sealed and never shown again; resets, passes and recovery codes want two people.",
		Actions:  []screen.Action{{Text: "Invite", Icon: "plus", Act: "invite", Primary: true}},
		Nothing: &screen.Nothing{Head: "Nobody has a factor here", Text: "Invite somebody, or let people set one up at their first sign-in (mfaEnrol).",
			Command: "partnerguard mfa invite ada@contoso.example --tenant TENANT --object OBJECT"}}
	if a.Machine || len(all) == 0 {
		return v, nil
	}
	if c, err := p.d.Store.Clock(ctx); err == nil && c.Wrong() {
		v.Notices = append(v.Notices, screen.Notice{Tone: print.Bad, Lead: "This server's clock may be wrong.",
			Text: fmt.Sprintf("Passcodes of %d people in a day fitted at another time alone, about %s off. Look at its time service before more people wait.",
				max(c.Ahead, c.Behind), c.Off.Abs().Round(time.Second))})
	}
	tile := func(head string, n int, of, path string) screen.Tile {
		return screen.Tile{Head: head, N: print.Number(int64(n)), Delta: of, Path: path}
	}
	v.Above = []screen.Block{screen.Tiles{tile("Security key", by[mfa.Key], "resists phishing", "/factors?strongest=key"),
		tile("Authenticator app", by[mfa.TOTP], "a code can be phished", "/factors?strongest=totp"),
		tile("No factor", by[""], "cannot answer", "/factors?strongest=none"), tile("Waits", waits, "for a second person", "/factors?waits=yes"),
		tile("Locked", locked, "after wrong answers", "/factors")}}
	return v, nil
}
