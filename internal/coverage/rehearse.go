package coverage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
)

// Propose is what is rehearsed: one of its fields is set.
type Propose struct {
	Changes  []string // ids, as a report's causes name them
	Preset   string   // partner-baseline
	Defaults bool     // security defaults on, policies off
	Policies string   // JSON: a policy, a list of them, or a page of Graph
}

// Rehearsal is what came of one.
type Rehearsal struct {
	Proposal string           `json:"proposal"`
	First    time.Time        `json:"first,omitzero"`
	Last     time.Time        `json:"last,omitzero"`
	Rows     int64            `json:"rows"`
	Totals   []Total          `json:"totals"`
	People   []Affected       `json:"people"` // worst first
	Before   []Answer         `json:"before"`
	After    []Answer         `json:"after"`
	Policies []ProposedPolicy `json:"policies"`
	Notes    []string         `json:"notes"`
	Complete bool             `json:"complete"`
	AsOf     time.Time        `json:"asOf"`
}

// Total counts one effect.
type Total struct {
	Effect   string `json:"effect"`
	Rows     int64  `json:"rows"`
	Accounts int    `json:"accounts"`
}

// ProposedPolicy is one policy of a proposal.
type ProposedPolicy struct {
	Policy string `json:"policy"`
	Change string `json:"change"`
	State  string `json:"state"`
}

// Affected is what happens to one account: the worst of its effects, with all of its
// apps and clients.
type Affected struct {
	ID       string    `json:"id"`
	Account  string    `json:"account"`
	Class    string    `json:"class"`
	Effect   string    `json:"effect"`
	Reason   string    `json:"reason"`
	Rows     int64     `json:"rows"`
	Last     time.Time `json:"last,omitzero"`
	Apps     []string  `json:"apps"`
	Clients  []string  `json:"clients"`
	Policies []string  `json:"policies"`
	WaysOut  []string  `json:"waysOut"`
}

// effectsInOrder are the effects, worst first, with what is said of each.
var effectsInOrder = []struct {
	name, word string
	tone       print.Tone
}{
	{"opened", "opened", print.Bad}, {"blocked", "blocked", print.Bad}, {"challenged_unable", "asked, cannot answer", print.Bad},
	{"challenged_unknown", "asked, unsure", print.Doubt}, {"challenged_able", "asked, can answer", print.Good}, {"undecided", "undecided", print.Doubt},
	{"unchanged", "unchanged", print.Muted},
}

func effectRank(name string) int {
	for i, e := range effectsInOrder {
		if e.name == name {
			return i
		}
	}
	return len(effectsInOrder)
}

// maxProposal bounds what is pasted, in bytes, and maxPolicies the policies in it.
const (
	maxProposal = 32 << 10 // a form is 64 kB at most, and what is in it is written longer there
	maxPolicies = 20
)

func (f *Feature) rehearseScreen() screen.Screen {
	return screen.Screen{
		Name: "coverage/rehearse", Title: "Rehearse a change", Icon: "play", Group: screen.Nowhere, See: screen.SeePeople, Over: screen.OfTenant,
		About: "The recorded sign-ins, replayed through settings that are not on: who would be asked and can answer, who cannot, who is shut out.",
		List:  affectedList, Load: f.rehearse,
		Params: []screen.Param{
			{Name: "change", About: "Ids of changes as causes name them, with commas between them."},
			{Name: "preset", About: "A preset.", Enum: []string{"partner-baseline", "security-defaults"}},
			{Name: "proposal", About: "The hash of a proposal that was pasted."},
		},
		Acts: []screen.Act{{
			Name: "propose", Title: "Rehearse these policies", Do: screen.SeePeople,
			About: "Takes policies as Microsoft Graph writes them, and rehearses them beside today's. Nothing is changed in the tenant.",
			Form: []screen.Field{{Name: "policies", Label: "Policies as JSON", Kind: "area", Required: true, Max: maxProposal,
				Hint: "One policy, a list, or a page of Graph. What is report-only is rehearsed as if it were on."}},
			Handle: f.propose,
		}},
	}
}

var affectedList = &screen.List[Affected]{
	Noun: "account", Search: "account, app, reason", Default: "effect", Key: func(x *Affected) string { return x.ID },
	Columns: []screen.Column[Affected]{
		{Name: "account", Head: "Account", Cell: func(x *Affected) screen.Cell { return screen.Named(print.Clean(x.Account, 120), x.Class, "") }},
		{Name: "effect", Head: "Then", About: "the worst that happens to its recorded sign-ins", Order: func(a, b *Affected) int {
			if n := effectRank(a.Effect) - effectRank(b.Effect); n != 0 {
				return n
			}
			return int(min(1, max(-1, b.Rows-a.Rows)))
		}, Cell: func(x *Affected) screen.Cell {
			c := screen.Cell{Sub: print.Clean(x.Reason, 200)}
			for _, e := range effectsInOrder {
				if e.name == x.Effect {
					c.Said = &page.Said{Tone: e.tone, Word: e.word}
				}
			}
			return c
		}},
		{Name: "apps", Head: "At", Drop: true, Cell: func(x *Affected) screen.Cell {
			return screen.Cell{Text: print.Clean(short(x.Apps, 2), 160), Sub: print.Clean(short(x.Clients, 2), 120)}
		}, Text: func(x *Affected) string { return strings.Join(append(x.Apps, x.Clients...), "; ") }},
		{Name: "signins", Head: "Sign-ins", Right: true, Order: func(a, b *Affected) int { return int(min(1, max(-1, a.Rows-b.Rows))) },
			Cell: func(x *Affected) screen.Cell { return screen.Count(x.Rows, "") }},
		{Name: "last", Head: "Last", Drop: true, Order: func(a, b *Affected) int { return a.Last.Compare(b.Last) },
			Blank: func(x *Affected) bool { return x.Last.IsZero() },
			Cell:  func(x *Affected) screen.Cell { return screen.When(x.Last, "not said") }},
		{Name: "ways", Head: "Way out", Cell: func(x *Affected) screen.Cell {
			return screen.Cell{Text: print.Clean(short(x.WaysOut, 2), 200), Never: "none is needed"}
		}, Text: func(x *Affected) string { return strings.Join(x.WaysOut, "; ") }},
	},
	Filters: []screen.Filter[Affected]{{Name: "effect", Head: "Then", Of: func(x *Affected) []string { return []string{x.Effect} },
		Enum: []string{"opened", "blocked", "challenged_unable", "challenged_unknown", "challenged_able", "undecided"}, Word: func(v string) string {
			for _, e := range effectsInOrder {
				if e.name == v {
					return e.word
				}
			}
			return v
		}}},
}

var hashForm = regexp.MustCompile(`^[0-9a-f]{32}$`)

// propose takes pasted policies.
func (f *Feature) propose(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	body := form.Get("policies")
	if err := CheckPolicies(body); err != nil {
		return screen.Done{}, err
	}
	sum := sha256.Sum256([]byte(body))
	p := proposal{hex.EncodeToString(sum[:16]), body}
	f.runs.keep(p)
	path := screen.With("/coverage/rehearse", "tenant", a.Tenant.ID, "proposal", p.hash)
	return screen.Done{Path: path, Said: "The policies were read and are being rehearsed.", Body: map[string]string{"proposal": p.hash}}, nil
}

// CheckPolicies holds pasted policies to what is understood: strictly, because a
// rehearsal of what is not says nothing. Kind problem.BadInput or Usage.
func CheckPolicies(body string) error {
	if len(body) > maxProposal {
		return problem.New(problem.Usage, "the policies are longer than %d kB", maxProposal>>10)
	}
	list, err := access.ParsePolicies([]byte(body), maxPolicies)
	if err != nil {
		return err
	}
	for i, p := range list {
		if len(p.Unsupported) > 0 {
			return problem.New(problem.BadInput, "policy %d, %.80q, says what is not understood here: %.200s", i+1, p.DisplayName,
				strings.Join(p.Unsupported, ", ")).
				WithHint("what a rehearsal does not understand it could not replay; take it out, or spell it as Microsoft Graph does")
		}
		if p.Conditions.Workload {
			return problem.New(problem.BadInput, "policy %d, %.80q, is about workloads, and sign-ins of people are rehearsed", i+1, p.DisplayName)
		}
	}
	return nil
}

// wanted is what the page's address asks to rehearse; none where it asks for nothing.
func (f *Feature) wanted(a *screen.Ask) (p Propose, any bool, err error) {
	v := a.Values
	n := 0
	for _, name := range []string{"change", "preset", "proposal"} {
		if v.Get(name) != "" {
			n++
		}
	}
	if n > 1 {
		return p, false, problem.New(problem.Usage, "one of change, preset and proposal is rehearsed at a time")
	}
	switch {
	case v.Get("change") != "":
		for id := range strings.SplitSeq(v.Get("change"), ",") {
			if id = strings.TrimSpace(id); id != "" {
				p.Changes = append(p.Changes, id)
			}
		}
	case v.Get("preset") == "security-defaults":
		p.Defaults = true
	case v.Get("preset") != "":
		p.Preset = v.Get("preset")
	case v.Get("proposal") != "":
		body, ok := "", false
		if hashForm.MatchString(v.Get("proposal")) {
			body, ok = f.runs.pasted(v.Get("proposal"))
		}
		if !ok {
			return p, false, problem.New(problem.NotFound, "these policies are not remembered any more").WithHint("paste them again")
		}
		p.Policies = body
	default:
		return p, false, nil
	}
	return p, true, nil
}

// rehearse is the page.
func (f *Feature) rehearse(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	p, wanted, err := f.wanted(a)
	if err != nil {
		return nil, err
	}
	v := &screen.View{Sentence: "Replays the recorded sign-ins through settings that are not on yet. Nothing is changed in the tenant.",
		Rows:    affectedList.Of(nil),
		Actions: []screen.Action{{Text: "Coverage", Icon: "matrix", Path: screen.With("/coverage", "tenant", a.Tenant.ID)}}}
	part, mark, partErr := f.Part(ctx, a.Tenant.ID)
	if !wanted {
		v.Above = []screen.Block{screen.Side{Shape: "g2", List: []screen.Block{offers(a, part), f.paste()}}}
		v.Nothing = &screen.Nothing{Head: "Choose what to rehearse",
			Text: "Who is asked and can answer, who cannot, who is shut out, and the way out of each stands here then."}
		return v, nil
	}
	version := mark.Version
	if partErr != nil {
		version = ""
	}
	asked, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(asked)
	key := a.Tenant.ID + "\x00" + version + "\x00" + hex.EncodeToString(sum[:])
	tenant := a.Tenant.ID
	run, err := f.runs.start(key, func(ctx context.Context) (*Rehearsal, error) { return f.Rehearse(ctx, tenant, p) })
	if err != nil {
		return nil, err
	}
	switch {
	case run.ended.IsZero():
		f.running(v, &run)
	case run.err != nil && a.Machine:
		return nil, run.err
	case run.err != nil:
		v.Notices = []screen.Notice{{Tone: print.Bad, Lead: "Not rehearsed.", Text: sorry(run.err)}}
		v.Above = []screen.Block{screen.Side{Shape: "g2", List: []screen.Block{offers(a, part), f.paste()}}}
		v.Nothing = &screen.Nothing{Head: "Nothing was rehearsed"}
	default:
		rehearsed(v, run.result)
	}
	return v, nil
}

// running is what the page says while it runs.
func (f *Feature) running(v *screen.View, x *run) {
	n := screen.Notice{Tone: print.Muted, Lead: "Rehearsing.",
		Text: "The sign-ins are being read from the archive and replayed; this page asks again by itself.", Of: int64(f.Limit / time.Second)}
	since := x.began
	if since.IsZero() {
		n.Lead, n.Text, n.Of = "Waiting.", "Another rehearsal runs; this one is next in line, and this page asks again by itself.", 0
	} else {
		n.Done = min(int64(f.Now().Sub(since)/time.Second), n.Of)
	}
	v.Notices, v.Refresh = []screen.Notice{n}, 2*time.Second
	v.Nothing = &screen.Nothing{Head: "Not done yet", Text: "Nothing is known so far."}
	v.Summary = map[string]any{"running": true, "since": since}
}

// rehearsed is what the page says once it is done.
func rehearsed(v *screen.View, r *Rehearsal) {
	v.Rows, v.Summary = affectedList.Of(r.People), r
	v.Nothing = &screen.Nothing{Head: "Nobody would notice", Text: "None of the recorded sign-ins is treated otherwise."}
	v.Facts = []screen.Fact{{What: "Newest sign-in", At: r.Last, Source: "the archive", Rests: true}}
	if !r.Complete {
		v.Notices = append(v.Notices, screen.Notice{Tone: print.Doubt, Lead: "In part.",
			Text: "Some of what was to be read was not: what is not here was not replayed."})
	}
	of := map[string]Total{}
	for _, t := range r.Totals {
		of[t.Effect] = t
	}
	var tiles screen.Tiles
	for _, e := range effectsInOrder[:6] {
		t := of[e.name]
		x := screen.Tile{Head: print.Sentence(e.word), N: print.Number(int64(t.Accounts)), Of: "accounts", Delta: print.Plural(t.Rows, "sign-ins")}
		tiles = append(tiles, x)
	}
	head := screen.Card{Head: "What was rehearsed", Note: print.Ended(print.Clean(r.Proposal, 800)), Aside: fmt.Sprintf("%s replayed",
		print.Plural(r.Rows, "sign-ins")),
		Body: []screen.Block{proofTable(r)}}
	v.Above = []screen.Block{tiles, head}
	notes := screen.Items{Empty: "Nothing to add."}
	for _, n := range r.Notes {
		notes.List = append(notes.List, screen.Item{Icon: "v-info", Text: print.Ended(print.Clean(n, 400))})
	}
	v.Below = []screen.Block{screen.Card{Head: "What to know", Body: []screen.Block{notes}, Bare: true}}
}

// proofTable is what the settings prove before and after.
func proofTable(r *Rehearsal) screen.Block {
	list := screen.Items{Empty: "The settings were not proved."}
	for _, after := range r.After {
		said := page.SaidOf(after.Verdict)
		text := print.Clean(after.Reason, 400)
		for _, before := range r.Before {
			if before.Question == after.Question && before.Reason != after.Reason {
				text = "today " + print.VerdictWord(before.Verdict) + ": " + print.Clean(before.Reason, 300) + "; then " + text
			}
		}
		list.List = append(list.List, screen.Item{Said: &said, Lead: after.Title, Text: print.Ended(text)})
	}
	return list
}

// offers are what can be rehearsed without a file.
func offers(a *screen.Ask, part *Part) screen.Block {
	list := screen.Items{}
	path := func(pairs ...string) string {
		return screen.With("/coverage/rehearse", append([]string{"tenant", a.Tenant.ID}, pairs...)...)
	}
	if part != nil {
		for i := range part.Fixes {
			f := &part.Fixes[i]
			list.List = append(list.List, screen.Item{When: print.Number(int64(f.Cells)), WhenSub: "classes", Lead: print.Clean(f.Title, 300),
				Meta: print.Clean(f.Detail, 300),
				Path: path("change", strings.Join(f.Changes, ","))})
		}
	}
	list.List = append(list.List,
		screen.Item{Icon: "plus", Lead: "The partner baseline beside today's policies", Path: path("preset", "partner-baseline"),
			Meta: "MFA for everybody at every sign-in, legacy authentication blocked."},
		screen.Item{Icon: "plus", Lead: "Security defaults instead of today's policies", Path: path("preset", "security-defaults"),
			Meta: "All Conditional Access policies off."})
	return screen.Card{Head: "Rehearse", Body: []screen.Block{list}, Bare: true}
}

// paste is the form of a proposal.
func (f *Feature) paste() screen.Block {
	s := f.rehearseScreen()
	return screen.Card{Head: "Or paste policies", Bare: true, Body: []screen.Block{screen.Form{Screen: &s, Act: "propose", Plain: true}}}
}
