package people

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/evidence"
)

// proofs are what the settings prove of all accounts.
type proofs struct {
	every, ordinary []access.Cover
	open            *access.Proof
	gaps            map[*access.Gap]int
	sets            map[string]int
	settles         map[int]string // by set: what settles an unknown
}

// The questions that are asked of the settings.
const (
	everySignIn = "mfa-every-sign-in"
	ordinary    = "mfa-every-user"
)

// The ordinary sign-in: to Office 365 in a browser, from an address that nobody has
// (RFC 2544), and so no place that policies name.
const ordinaryApp = "Office365"

var nowhere = netip.MustParseAddr("198.18.0.1")

// prove asks the engine once for all accounts.
func (b *builder) prove() {
	b.proofs = proofs{gaps: map[*access.Gap]int{}, sets: map[string]int{}, settles: map[int]string{}}
	if b.Engine == nil {
		return
	}
	ask := func(name string) ([]access.Cover, *access.Proof) {
		q, ok := access.FindQuestion(name)
		if !ok {
			return nil, nil
		}
		covers, err := b.Engine.Coverage(q)
		if err != nil {
			return nil, nil
		}
		p, err := b.Engine.Prove(q)
		if err != nil {
			return nil, nil
		}
		return covers, p
	}
	b.proofs.every, b.proofs.open = ask(everySignIn)
	b.proofs.ordinary, _ = ask(ordinary)
}

// cover is what the settings prove of one account, and the policies that do.
func (b *builder) cover(r *Row, a *Account) {
	r.Proof, r.Ordinary = Unknown, Unknown
	if !a.InScope {
		r.Proof, r.Ordinary = NotAsked, NotAsked
		return
	}
	if b.Engine == nil {
		r.Settle = evidence.Ask("all Conditional Access policies", b.lack(evidence.ConditionalAccessPolicy))
		return
	}
	n, known := b.Engine.Find(cmp.Or(a.ID, a.UPN))
	if !known || n >= len(b.proofs.every) || n >= len(b.proofs.ordinary) {
		r.Settle = evidence.Ask("the account itself", b.lack(evidence.User))
		return
	}
	r.Proof, r.Ordinary = coverWord(b.proofs.every[n]), coverWord(b.proofs.ordinary[n])
	s := access.SignIn{User: n, App: ordinaryApp, Client: "browser", IP: nowhere}
	if r.Proof == Open {
		if g := b.proofs.open.GapOf(n); g != nil {
			r.Gap = b.gap(g)
			s = g.Witness.SignIn
			s.User = n
		}
	}
	r.Set = b.set(s)
	if r.Proof == Unknown {
		r.Settle = b.settle(r.Set, n, s)
	}
	if b.Stale != "" { // what was proved then may be changed since
		r.Proof, r.Ordinary, r.Gap = Unknown, Unknown, 0
		r.Settle = evidence.Ask(b.Stale, b.lack(evidence.ConditionalAccessPolicy))
	}
}

func coverWord(c access.Cover) string {
	switch c {
	case access.Covered:
		return Asked
	case access.Open:
		return Open
	case access.NotAsked:
		return NotAsked
	}
	return Unknown
}

// idLength is how long an app id is.
const idLength = 36

// maxWhy bounds the clauses of one way in.
const maxWhy = 5

// gap keeps a way in once, and gives its number.
func (b *builder) gap(g *access.Gap) int {
	if n := b.proofs.gaps[g]; n > 0 {
		return n
	}
	o := Opening{Where: where(g), Text: text(g), Witness: b.words(&g.Witness.SignIn)}
	s := &g.Witness.SignIn
	o.Client, o.Platform, o.Place = s.Client, s.Platform, cmp.Or(s.Location, s.Country)
	if s.Location == "" && s.IP.IsValid() {
		o.Place = s.IP.String()
	}
	if len(s.App) == idLength { // any other app has no id, and is what is decided where none is named
		o.App = s.App
	}
	for _, w := range g.Why[:min(len(g.Why), maxWhy)] {
		o.Why = append(o.Why, strings.TrimSpace(w.Policy+" "+w.Clause))
	}
	b.part.Gaps = append(b.part.Gaps, o)
	b.proofs.gaps[g] = len(b.part.Gaps)
	return len(b.part.Gaps)
}

// where says in a few words where a gap is; its text has all of it.
func where(g *access.Gap) string {
	place, rest, risk := "anywhere", []string{}, false
	for _, n := range g.What {
		v := strings.Join(n.Values[:min(len(n.Values), 2)], " or ")
		if more := len(n.Values) - 2; more > 0 {
			v += fmt.Sprintf(" or %d others", more)
		}
		switch {
		case n.Dimension == "location":
			place = "at " + v
		case strings.HasSuffix(n.Dimension, "risk"):
			risk = true
		case n.Dimension == "client" && len(n.Values) > 2: // the full text names them
		case n.Dimension == "client":
			rest = append(rest, "with "+v)
		default:
			rest = append(rest, n.Dimension+" "+v)
		}
	}
	if risk && len(rest) == 0 {
		rest = append(rest, "unless it looks risky")
	}
	return strings.Join(append([]string{place}, rest...), ", ")
}

// text is a gap without its accounts.
func text(g *access.Gap) string {
	if _, s, ok := strings.Cut(g.Text, ": "); ok {
		return s
	}
	return g.Text
}

var clientWords = map[string]string{
	"browser": "in a browser", "native": "with a mobile or desktop app", "device-code": "by the device code flow",
	"transfer": "by authentication transfer", "eas": "by Exchange ActiveSync", "other": "with a legacy client",
}

// words say a sign-in as a person would try it.
func (b *builder) words(s *access.SignIn) string {
	parts := []string{"signs in"}
	add := func(before, v string) {
		if v != "" {
			parts = append(parts, strings.TrimSpace(before+" "+v))
		}
	}
	add("to", cmp.Or(b.Engine.Tenant().Names[strings.ToLower(s.App)], s.App))
	add("", cmp.Or(clientWords[s.Client], s.Client))
	add("on", s.Platform)
	from := cmp.Or(s.Location, s.Country)
	if s.Location == "" && s.IP.IsValid() {
		from = s.IP.String()
		if s.Country != "" {
			from += " (" + s.Country + ")"
		}
	}
	add("from", from)
	for _, risk := range []struct{ name, v string }{{"sign-in", s.SignInRisk}, {"user", s.UserRisk}, {"insider", s.InsiderRisk}} {
		if risk.v != "none" {
			add("at "+risk.name+" risk", risk.v)
		}
	}
	var has []string
	for name, is := range s.Device {
		if is {
			has = append(has, name)
		}
	}
	slices.Sort(has)
	add("with a", strings.Join(has, ", "))
	return strings.Join(parts, " ")
}

// maxUses bounds the policies kept of one account.
const maxUses = 100

// set keeps what the policies do to a sign-in once, and gives its number.
func (b *builder) set(s access.SignIn) int {
	a := b.Engine.Decide(s)
	list := make([]Use, 0, len(a.Applied)+len(a.Others)+len(a.Report))
	add := func(from []access.Use, report bool) {
		for _, u := range from {
			x := Use{ID: u.ID, Policy: u.Policy, Applies: u.Applies, Clause: u.Clause, Demands: u.Demands}
			if report {
				x.Applies = "report-only"
			}
			list = append(list, x)
		}
	}
	add(a.Applied, false)
	add(a.Others, false)
	add(a.Report, true)
	list = list[:min(len(list), maxUses)]
	if len(list) == 0 {
		return 0
	}
	var key strings.Builder
	for i := range list {
		fmt.Fprintf(&key, "%s\x00%s\x00%s\x00", list[i].ID+list[i].Policy, list[i].Applies, list[i].Clause)
	}
	if n := b.proofs.sets[key.String()]; n > 0 {
		return n
	}
	b.part.Sets = append(b.part.Sets, list)
	b.proofs.sets[key.String()] = len(b.part.Sets)
	return len(b.part.Sets)
}

// settle is the one request that makes an unknown an answer. Accounts that the same
// policies take, by the same clauses, share it.
func (b *builder) settle(set, user int, s access.SignIn) string {
	if lack := b.Engine.Tenant().PoliciesLack; len(lack) > 0 {
		return lack[0]
	}
	if said, has := b.proofs.settles[set]; has && set > 0 {
		return said
	}
	const hint = "what would settle it is "
	out := ""
	for _, n := range b.Engine.Decide(s).Notes {
		if rest, is := strings.CutPrefix(n, hint); is {
			out = rest
			break
		}
	}
	if out == "" {
		q, _ := access.FindQuestion(everySignIn)
		q.Users = []string{b.Engine.Tenant().Users[user].ID}
		if p, err := b.Engine.Prove(q); err == nil && len(p.Missing) > 0 {
			out = p.Missing[0]
		}
	}
	b.proofs.settles[set] = out
	return out
}
