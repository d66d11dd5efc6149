package render

import (
	"cmp"
	_ "embed"
	"fmt"
	"io"
	"strings"
	"time"

	"partnerguard/internal/directory"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/rehearse"
)

// Limits of what one page shows; the rest is in the JSON and the CSV.
const (
	pagePeople   = 25  // of one effect, not folded
	pageUses     = 12  // apps and clients of one account
	pageFolded   = 100 // of one effect, folded
	pagePolicies = 200
	pageNotes    = 50
)

//go:embed page.tmpl
var pageTemplate string

var writePage = page.Renderer(pageTemplate, nil)

// HTML writes the result as one file that loads nothing: no script, one style
// sheet allowed by its hash, plots as inline SVG.
func HTML(w io.Writer, r *rehearse.Result) error { return writePage(w, view(r)) }

// pageView is what the template says; every text in it is clean.
type pageView struct {
	page.Page
	Accounts, Rows *page.Plot
	Effects        []effectView
	Unchanged      string
	Proofs         []proof
	Policies       []policyView
	PoliciesMore   int
	Notes          []string
}

type effectView struct {
	Anchor, Title, About, Count string
	Tone                        print.Tone
	Rows, Folded                []groupView
	Hidden                      string
}

type groupView struct {
	Tone                       print.Tone
	Account, Kind, Count, Last string
	Policies, Where, Record    string
	Uses                       []useView
	UsesMore                   int
	Reasons, WaysOut           []string
}

type useView struct{ App, Client, Count string }

type policyView struct{ Policy, Change, State string }

func view(r *rehearse.Result) *pageView {
	t, sentence := headline(r)
	p := &pageView{
		Page: page.Page{
			Name: proposal(r), Skip: "what would happen", Eyebrow: "Rehearsal of settings that are not on",
			Facts:    []string{span(r)},
			Headline: page.Headline{Tone: t, Text: sentence},
			What:     "rehearsal", Complete: r.Complete, Sample: r.Sample, Incomplete: print.CutReasons(r.Inputs), Schema: rehearse.SchemaID,
			Inputs: page.ViewInputs(r.Inputs),
		},
		Accounts: accountPlot(r), Rows: rowPlot(r), Proofs: proofs(r),
	}
	p.Title = "Rehearsal: " + p.Name
	taken := map[string]bool{}
	for _, e := range order(r) {
		if e == rehearse.Unchanged {
			continue
		}
		if list := groups(r, e); len(list) > 0 {
			p.Effects = append(p.Effects, effectRows(r, e, list, taken))
		}
	}
	if n := sum(r, rehearse.Unchanged); n.Rows > 0 {
		p.Unchanged = fmt.Sprintf("%s of %s would go on as today.", print.Plural(n.Rows, "sign-ins"), print.Plural(int64(n.Accounts), "accounts"))
	}
	for i := range r.Policies {
		if i == pagePolicies {
			p.PoliciesMore = len(r.Policies) - i
			break
		}
		c := &r.Policies[i]
		p.Policies = append(p.Policies, policyView{print.Clean(c.Policy, print.MaxName), print.Named(changeWords, c.Change), print.Named(stateWords, c.State)})
	}
	for i, n := range r.Notes {
		if i == pageNotes {
			p.Notes = append(p.Notes, fmt.Sprintf("and %d more in the JSON", len(r.Notes)-i))
			break
		}
		p.Notes = append(p.Notes, print.Saying(n))
	}
	return p
}

func effectRows(r *rehearse.Result, e rehearse.Effect, list []*rehearse.Group, taken map[string]bool) effectView {
	title, about, t := effect(e)
	n := sum(r, e)
	v := effectView{Anchor: page.Anchor("effect", string(e), taken), Title: title, About: about, Tone: t,
		Count: fmt.Sprintf("%s, %s", print.Plural(int64(n.Accounts), "accounts"), print.Plural(n.Rows, "sign-ins"))}
	open, people := pagePeople, byPerson(list)
	if e == rehearse.ChallengedAble { // nothing to do: folded
		open = 0
	}
	for i, g := range people {
		switch {
		case i < open:
			v.Rows = append(v.Rows, personRow(g, t))
		case i < open+pageFolded:
			v.Folded = append(v.Folded, personRow(g, t))
		}
	}
	if more := len(people) - len(v.Rows) - len(v.Folded); more > 0 {
		v.Hidden = print.Number(int64(more))
	}
	return v
}

func personRow(g *person, t print.Tone) groupView {
	v := groupView{Tone: t, Account: print.First(print.NoName, g.Account, g.ID), Kind: print.ClassWord(g.Class),
		Count: print.Plural(g.Rows, "sign-ins"), Last: last(&g.Group), Policies: policies(&g.Group), Record: print.Clean(g.RecordID, print.MaxName)}
	for i, use := range g.uses {
		if i == pageUses {
			v.UsesMore = len(g.uses) - i
			break
		}
		u := useView{App: print.Clean(use.App, print.MaxName), Client: print.Clean(use.Client, print.MaxName)}
		if len(g.uses) > 1 {
			u.Count = print.Number(use.Rows)
		}
		v.Uses = append(v.Uses, u)
	}
	for _, reason := range g.reasons {
		v.Reasons = append(v.Reasons, print.Saying(reason))
	}
	if g.Source.Path != "" {
		v.Where = print.Clean(g.Source.String(), print.MaxSaying)
	}
	for i := range g.WaysOut {
		if s := print.Saying(g.WaysOut[i].Text); s != "" {
			v.WaysOut = append(v.WaysOut, s)
		}
	}
	return v
}

// people are the classes of accounts as the plot tells them apart.
var people = []struct {
	page.Key
	classes []directory.Class
}{
	{page.Key{Class: "f-asked", Label: "Members and guests"}, []directory.Class{directory.ClassMember, directory.ClassGuest}},
	{page.Key{Class: "f-claim", Fill: "hatch", Label: "Service and shared accounts"}, []directory.Class{directory.ClassService, directory.ClassShared}},
	{page.BadKey("Break-glass candidates"), []directory.Class{directory.ClassBreakGlass}},
	{page.DoubtKey("Others, or not known"), nil},
}

// accountPlot is the accounts of each effect by class.
func accountPlot(r *rehearse.Result) *page.Plot {
	p := &page.Plot{ID: "accounts", Title: "Accounts, by what would happen to them"}
	keys := make([]page.Key, len(people))
	for i, k := range people {
		keys[i] = k.Key
	}
	p.Series("Effect", keys...)
	var bars []page.Bar
	var said []string
	for _, e := range order(r) {
		if e == rehearse.Unchanged {
			continue
		}
		v := make([]int64, len(people))
		seen := map[string]bool{}
		for _, g := range groups(r, e) {
			id := cmp.Or(g.ID, g.Account)
			if seen[id] {
				continue
			}
			seen[id] = true
			k := len(people) - 1
			for i := range people {
				for _, c := range people[i].classes {
					if c == g.Class {
						k = i
					}
				}
			}
			v[k]++
		}
		if rest := int64(sum(r, e).Accounts - len(seen)); rest > 0 {
			v[len(v)-1] += rest
		}
		title, _, _ := effect(e)
		bars = append(bars, page.Bar{Label: title, Values: v})
		if n := max(int64(len(seen)), int64(sum(r, e).Accounts)); n > 0 {
			said = append(said, title+": "+print.Number(n))
		}
	}
	p.Summary = "No account would notice anything."
	if len(said) > 0 {
		p.Summary = strings.Join(said, "; ") + ". An account may be in several rows."
	}
	p.Bars(bars, 236)
	return p
}

// rowPlot is the recorded sign-ins of each effect.
func rowPlot(r *rehearse.Result) *page.Plot {
	p := &page.Plot{ID: "rows", Title: "Recorded sign-ins, by what would happen to them"}
	p.Series("Effect", page.BadKey("Opens or breaks"), page.DoubtKey("Cannot be told"), page.GoodKey("Asked, and able to answer"))
	var bars []page.Bar
	var changed int64
	for _, e := range order(r) {
		if e == rehearse.Unchanged {
			continue
		}
		title, _, t := effect(e)
		v := make([]int64, 3)
		k := map[print.Tone]int{print.Bad: 0, print.Doubt: 1, print.Good: 2}[t]
		v[k] = max(sum(r, e).Rows, 0)
		changed += v[k]
		bars = append(bars, page.Bar{Label: title, Values: v})
	}
	p.Summary = fmt.Sprintf("%s would go another way than today, %s would not.", print.Plural(changed, "sign-ins"), print.Number(sum(r, rehearse.Unchanged).
		Rows))
	if first, last := print.Settled(r.First), print.Settled(r.Last); first != nil && last != nil {
		p.Summary += fmt.Sprintf(" Recorded from %s to %s.", first.Format(time.DateOnly), last.Format(time.DateOnly))
	}
	p.Bars(bars, 236)
	return p
}
