package render

import (
	"cmp"
	_ "embed"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"

	"partnerguard/internal/assess"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
)

// Limits of what one page shows; the rest is in the JSON and the accounts CSV.
// Accounts that are in line come after those that are not.
const (
	pageAccounts = 300
	pageInLine   = 100
	pageApps     = 15
)

//go:embed page.tmpl
var pageTemplate string

var writePage = page.Renderer(pageTemplate, template.FuncMap{
	"verdict": page.SaidOf[assess.Verdict],
	"factor":  factorWord,
	"kind":    print.ClassWord[string],
})

// HTML writes the report as one file that loads nothing: no script, one style
// sheet allowed by its hash, plots as inline SVG. It reads on a phone, on paper
// and by keyboard, in light and dark.
func HTML(w io.Writer, r *assess.Report) error { return writePage(w, view(r)) }

// pageView is what the template says; every text in it is clean or made clean
// by the template.
type pageView struct {
	page.Page
	Tiles             []tileView
	First             []causeView // what to do first
	Apart             []causeView // of break-glass accounts alone
	Later             []causeView // of what is recommended
	Groups            []groupView
	NotApplicable     []assess.Requirement
	Factors, Day      *page.Plot
	HasAccounts       bool
	Accounts          []accountView
	Filters, Orders   []chip
	WaysOut           []wayView
	AccountsBad       string // "7 of 41"
	AccountsMore      string
	SignIns           string
	HasSignIns        bool
	Reasons           []reasonView
	Apps              []assess.AppTally
	AppsMore          int
	Disagreements     []evidenceView
	DisagreementsMore int
	DisagreementHelp  string
	Score             []scoreView
	ScoreAside        string
	ScoreUpdated      string
	Caveat            string
	Changes           []changeView
	Vouches           []vouchView
	Proved            bool     // a change of the settings is among what to do first
	Banner            []string // what is to be known of the age of the evidence
}

// vouchView is one statement of a person.
type vouchView struct {
	Verdict           assess.Verdict
	Word, Head, Where string
	Says              []string
}

// changeView is one dated change that hits somebody here, or may.
type changeView struct {
	Verdict                   assess.Verdict
	Head, Text, Action, Sense string
}

// tileView is one of the numbers on top.
type tileView struct {
	Key, N, Of, Note, Href string
	Tone                   print.Tone
}

type scoreView struct {
	Name, ID, Points, Detail, State string
	Said                            page.Said
}

type groupView struct {
	ID, Name, Summary string
	Rows              []requirementView
}

type requirementView struct {
	assess.Requirement
	Actions                           []string
	Reason                            string
	Anchor, Binding, Short, SourceURL string
	Age                               string
	Found                             string // pieces of evidence in all
	Share                             string // of 60, how much falls short; "" it cannot be counted
	Shown                             []evidenceView
}

type evidenceView struct{ Subject, Detail, Observed, Record, Where string }

type reasonView struct {
	Word string
	N    int64
}

func view(r *assess.Report) *pageView {
	v, sentence := headline(r)
	must, should, not := groups(r.Requirements)
	p := &pageView{
		Page: page.Page{
			Name: partnerName(&r.Partner), Skip: "the requirements", Eyebrow: "Partner security requirements",
			Facts: []string{print.Named(kindWords, r.Partner.Kind), print.Named(cloudWords, r.Partner.Cloud)}, AsOf: &r.AsOf,
			Headline: page.Headline{Tone: print.ToneOf(v), Text: sentence},
			What:     "report", Complete: r.Complete, Sample: r.Sample, Incomplete: r.Incomplete, Schema: assess.SchemaID,
			Inputs: page.ViewInputs(r.Inputs),
		},
		NotApplicable: not,
		Factors:       factorPlot(r.Accounts),
		Day:           timePlot(&r.SignIns),
		SignIns:       signInSentence(&r.SignIns), HasSignIns: r.SignIns.Rows > 0, Caveat: ScoreCaveat,
	}
	p.made(r)
	p.score(&r.Score)
	for i := range r.Disagreements[:min(len(r.Disagreements), htmlDisagreements)] {
		p.Disagreements = append(p.Disagreements, evidenceRow(&r.Disagreements[i]))
	}
	p.DisagreementHelp, p.DisagreementsMore = disagreementHelp, max(len(r.Disagreements)-htmlDisagreements, 0)
	if span := evidenceSpan(&r.Age); span != "" {
		p.Facts = append(p.Facts, span)
	}
	for _, s := range r.Age.Banner {
		p.Banner = append(p.Banner, print.Clean(print.Ended(s), print.MaxSaying))
	}
	p.Title = p.Name + ": partner security requirements as of " + print.SettledTime(r.AsOf).Format("2006-01-02")
	if id := print.Clean(r.Partner.TenantID, print.MaxName); id != "" {
		p.Facts = append(p.Facts, "tenant "+id)
	}
	taken, anchors := make(map[string]bool), make(map[string]string)
	for _, g := range []struct {
		name string
		list []assess.Requirement
	}{{"Mandatory", must}, {"Recommended", should}} {
		if len(g.list) == 0 {
			continue
		}
		gv := groupView{ID: strings.ToLower(g.name), Name: g.name + " requirements", Summary: count(g.list).String()}
		for i := range g.list {
			row := requirementRow(&g.list[i], taken)
			anchors[row.ID] = row.Anchor
			gv.Rows = append(gv.Rows, row)
		}
		p.Groups = append(p.Groups, gv)
	}
	now, apart, later := first(r.Causes)
	p.Proved = slices.ContainsFunc(slices.Concat(now, apart), func(c *assess.Cause) bool { return c.Kind == assess.CauseSettings })
	p.First, p.Apart, p.Later = causeRows(now, r, anchors), causeRows(apart, r, anchors), causeRows(later, r, anchors)
	p.statements(r)
	p.accounts(r.Accounts)
	p.log(&r.SignIns)
	p.tiles(r)
	return p
}

// statements are what people vouch for, and what Microsoft changes next.
func (p *pageView) statements(r *assess.Report) {
	for i := range r.Attestations {
		v := vouchView{Head: vouchHead(&r.Attestations[i]), Says: vouchSays(&r.Attestations[i]),
			Where: print.Clean(r.Attestations[i].Source.String(), print.MaxSaying)}
		v.Verdict, v.Word = vouchTone(&r.Attestations[i])
		p.Vouches = append(p.Vouches, v)
	}
	for _, o := range nextChanges(r.Dates) {
		c := changeView{Head: print.Clean(changeHead(&o), print.MaxSaying), Text: changeSays(&o), Action: print.Saying(o.Action)}
		if c.Verdict, c.Sense = changeVerdict(&o); o.Settle != "" {
			c.Action = settleWords(o.Settle)
		}
		p.Changes = append(p.Changes, c)
	}
}

// log is the sign-ins by reason and by application.
func (p *pageView) log(s *assess.SignIns) {
	for code, n := range s.Reasons {
		p.Reasons = append(p.Reasons, reasonView{print.Saying(strings.ReplaceAll(code, "_", " ")), n})
	}
	slices.SortFunc(p.Reasons, func(a, b reasonView) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Word, b.Word)) })
	p.Apps = s.Apps
	for i, a := range p.Apps {
		if i == pageApps || a.NotChallenged <= 0 {
			for _, b := range p.Apps[i:] {
				if b.NotChallenged > 0 {
					p.AppsMore++
				}
			}
			p.Apps = p.Apps[:i]
			break
		}
	}
}

// made says what wrote the page and by which rules.
func (p *pageView) made(r *assess.Report) {
	if s := print.Clean(r.Program, print.MaxName); s != "" {
		p.Made = append(p.Made, "Program: "+s)
	}
	if s := print.Clean(r.RuleBook, print.MaxName); s != "" {
		p.Made = append(p.Made, "Rule book of "+s)
	}
}

// tiles are the four numbers that a reader of ten seconds takes away.
func (p *pageView) tiles(r *assess.Report) {
	var c census
	for i := range r.Requirements {
		if q := &r.Requirements[i]; mandatory(q) && inForce(q) && q.Verdict != assess.NotApplicable {
			one := count(r.Requirements[i : i+1])
			c.met, c.attested, c.notMet, c.unknown, c.all = c.met+one.met, c.attested+one.attested, c.notMet+one.notMet, c.unknown+one.unknown, c.all+1
		}
	}
	v, _ := headline(r)
	p.Tiles = append(p.Tiles, tileView{Key: "Mandatory requirements met", N: print.Number(int64(c.met + c.attested)), Of: "of " + print.Number(int64(c.all)),
		Note: c.String(), Tone: print.ToneOf(v)})
	if len(p.Groups) > 0 {
		p.Tiles[0].Href = "#" + p.Groups[0].ID
	}
	bad, in, open := int64(0), int64(0), int64(0)
	for i := range r.Accounts {
		switch r.Accounts[i].MFA {
		case assess.NotMet:
			bad++
			in++
		case assess.Unknown:
			open++
			in++
		case assess.Met, assess.Attested:
			in++
		}
	}
	t := tileView{Key: "Accounts without MFA", N: "—", Note: "no account was read", Tone: print.Doubt}
	if p.HasAccounts {
		t.Href = "#accounts"
	}
	if in > 0 {
		t.N, t.Of, t.Note, t.Tone = print.Number(bad), "of "+print.Number(in), "accounts in scope", toneOfCount(bad, r, "mfa-every-user")
		if open > 0 {
			t.Note = print.Number(open) + " cannot be judged"
		}
	}
	p.Tiles = append(p.Tiles, t)
	t = tileView{Key: "Sign-ins without MFA", N: "—", Note: "no sign-in was read", Href: "#sign-ins", Tone: print.Doubt}
	total := askedTally(r)
	if n := successes(&total); n > 0 {
		t.N, t.Of, t.Tone = print.Number(total.NotChallenged), "of "+print.Number(n), toneOfCount(total.NotChallenged, r, "mfa-every-sign-in")
		t.Note = "recorded successes"
		if first, last := print.Settled(r.SignIns.First), print.Settled(r.SignIns.Last); first != nil && last != nil {
			t.Note = span(first.UTC(), last.UTC())
		}
	}
	p.Tiles = append(p.Tiles, t)
	t = tileView{Key: "Microsoft's score", N: "—", Note: "not among the inputs", Href: "#score", Tone: print.Muted}
	if r.Score.Available {
		t.N, t.Of, t.Note = points(r.Score.Current), "of "+points(r.Score.Max), "looks at admin roles only"
	}
	p.Tiles = append(p.Tiles, t)
}

// toneOfCount is bad where something was counted, else what the requirement says:
// none seen is not none.
func toneOfCount(n int64, r *assess.Report, id string) print.Tone {
	if n > 0 {
		return print.Bad
	}
	for i := range r.Requirements {
		if r.Requirements[i].ID == id {
			return print.ToneOf(r.Requirements[i].Verdict)
		}
	}
	return print.Doubt
}

// scoreNames are Microsoft's names of the items of its score, as its own page
// says them.
var scoreNames = map[string]string{
	"mfaenforcedforadmins":                           "MFA for admin roles",
	"mfaenforcedforadminsofcustomers":                "MFA for customers' administrators",
	"securityalertspromptlyresolved":                 "Security alerts answered promptly",
	"securitycontactprovided":                        "Security contact provided",
	"spendingbudgetsetforcustomerazuresubscriptions": "Spending budgets for customers' Azure subscriptions",
}

func (p *pageView) score(s *assess.ScoreView) {
	if s.Available {
		p.ScoreAside = points(s.Current) + " of " + points(s.Max) + " points"
	}
	if t := print.Settled(s.Updated); t != nil {
		p.ScoreUpdated = print.When(*t)
	}
	for i := range s.Requirements {
		q := &s.Requirements[i]
		v := scoreView{Name: scoreNames[strings.ToLower(q.Type)], ID: print.Clean(q.Type, print.MaxName), Points: points(q.Score) + " of " + points(q.MaxScore),
			Detail: print.Clean(q.Detail, print.MaxSaying), State: print.Clean(q.State, 40), Said: page.SaidOf(q.Verdict)}
		if v.Name == "" {
			v.Name, v.ID = v.ID, ""
		}
		if v.State == "active" {
			v.State = ""
		}
		p.Score = append(p.Score, v)
	}
}

// shareWidth is how wide the bar of a requirement is when all of it falls short.
const shareWidth = 60

// share is how much of a requirement falls short, as the width of a bar.
func share(q *assess.Requirement) string {
	if q.Total <= 0 || q.Affected < 0 || q.Affected > q.Total || q.Verdict != assess.NotMet && q.Verdict != assess.Met {
		return ""
	}
	w := shareWidth * float64(q.Affected) / float64(q.Total)
	if q.Affected > 0 {
		w = max(w, 2)
	}
	return strconv.FormatFloat(w, 'f', 1, 64)
}

func requirementRow(q *assess.Requirement, anchors map[string]bool) requirementView {
	row := requirementView{Requirement: *q, Actions: actions(q), Reason: print.Saying(q.Reason), Anchor: page.Anchor("requirement", q.ID, anchors),
		Binding: print.Named(bindingWords, q.Binding), Short: fallShort(q),
		SourceURL: page.DocURL(q.Source), Share: share(q), Age: shortAge(&q.Age),
		Found: print.Number(int64(len(q.Evidence) + q.More))}
	for i := range q.Evidence {
		row.Shown = append(row.Shown, evidenceRow(&q.Evidence[i]))
	}
	return row
}

func evidenceRow(e *assess.Evidence) evidenceView {
	ev := evidenceView{Subject: print.Clean(e.Subject, print.MaxName), Detail: print.Clean(e.Detail, print.MaxSaying),
		Record: print.Clean(e.RecordID, print.MaxName)}
	if t := print.Settled(e.Observed); t != nil {
		ev.Observed = print.When(*t)
	}
	if e.Source.Path != "" {
		ev.Where = print.Clean(e.Source.String(), print.MaxSaying)
	}
	return ev
}

// htmlDisagreements is how many disagreements a page shows.
const htmlDisagreements = 100
