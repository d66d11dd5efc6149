package render

import (
	"cmp"
	_ "embed"
	"html/template"
	"io"
	"slices"
	"strings"

	"partnerguard/internal/assess"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
)

// Limits of what one page shows; the rest is in the JSON and the accounts CSV.
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
	"points":  points,
})

// HTML writes the report as one file that loads nothing: no script, one style
// sheet allowed by its hash, plots as inline SVG. It reads on a phone, on paper
// and by keyboard, in light and dark.
func HTML(w io.Writer, r *assess.Report) error { return writePage(w, view(r)) }

// pageView is what the template says; every text in it is clean or made clean
// by the template.
type pageView struct {
	page.Page
	Groups                 []groupView
	NotApplicable          []assess.Requirement
	Overview, Factors, Day *page.Plot
	HasAccounts            bool
	Accounts               []accountView // not met and unknown
	InLine                 []accountView // the rest, folded
	InLineCount            string
	InLineMore             string
	AccountsBad            string // "7 of 41"
	AccountsMore           string
	SignIns                string
	HasSignIns             bool
	Reasons                []reasonView
	Apps                   []assess.AppTally
	AppsMore               int
	Disagreements          []evidenceView
	DisagreementsMore      int
	DisagreementHelp       string
	Score                  assess.ScoreView
	ScoreUpdated           string
	Caveat                 string
	Changes                []changeView
	Vouches                []vouchView
	Banner                 []string // what is to be known of the age of the evidence
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
	Shown                             []evidenceView
}

type evidenceView struct{ Subject, Detail, Observed, Record, Where string }

type accountView struct {
	assess.Account
	Name, LastBad string
	SameName      bool
}

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
		Overview:      requirementPlot(must, should),
		Factors:       factorPlot(r.Accounts),
		Day:           timePlot(&r.SignIns),
		SignIns:       signInSentence(&r.SignIns), HasSignIns: r.SignIns.Rows > 0,
		Score: r.Score, Caveat: ScoreCaveat,
	}
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
	anchors := make(map[string]bool)
	for _, g := range []struct {
		name string
		list []assess.Requirement
	}{{"Mandatory", must}, {"Recommended", should}} {
		if len(g.list) == 0 {
			continue
		}
		gv := groupView{ID: strings.ToLower(g.name), Name: g.name + " requirements", Summary: count(g.list).String()}
		for i := range g.list {
			gv.Rows = append(gv.Rows, requirementRow(&g.list[i], anchors))
		}
		p.Groups = append(p.Groups, gv)
	}
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
	p.accounts(r.Accounts)
	for code, n := range r.SignIns.Reasons {
		p.Reasons = append(p.Reasons, reasonView{print.Saying(strings.ReplaceAll(code, "_", " ")), n})
	}
	slices.SortFunc(p.Reasons, func(a, b reasonView) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Word, b.Word)) })
	p.Apps = r.SignIns.Apps
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
	if t := print.Settled(r.Score.Updated); t != nil {
		p.ScoreUpdated = print.When(*t)
	}
	return p
}

func requirementRow(q *assess.Requirement, anchors map[string]bool) requirementView {
	row := requirementView{Requirement: *q, Actions: actions(q), Reason: print.Saying(q.Reason), Anchor: page.Anchor("requirement", q.ID, anchors),
		Binding: print.Named(bindingWords, q.Binding), Short: fallShort(q),
		SourceURL: page.DocURL(q.Source), Age: shortAge(&q.Age),
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

func (p *pageView) accounts(list []assess.Account) {
	order, open := accountOrder(list)
	bad := 0
	for _, i := range order[:open] {
		if list[i].MFA == assess.NotMet {
			bad++
		}
	}
	if len(list) == 0 {
		return
	}
	p.HasAccounts = true
	p.AccountsBad = print.Number(int64(bad)) + " of " + print.Plural(int64(len(list)), "accounts")
	p.Accounts, p.AccountsMore = accountRows(list, order[:open], pageAccounts)
	p.InLine, p.InLineMore = accountRows(list, order[open:], pageInLine)
	p.InLineCount = print.Number(int64(len(order) - open))
}

// accountRows makes at most limit rows and says how many it left out.
func accountRows(list []assess.Account, order []int, limit int) (rows []accountView, more string) {
	if n := len(order) - limit; n > 0 {
		order, more = order[:limit], print.Number(int64(n))
	}
	for _, i := range order {
		a := accountView{Account: list[i], Name: print.First(print.NoName, list[i].UserPrincipalName, list[i].DisplayName, list[i].ID)}
		d := print.Clean(a.DisplayName, print.MaxName)
		a.SameName = d == "" || d == a.Name
		if t := print.Settled(a.LastNotChallenged); t != nil {
			a.LastBad = print.When(*t)
		}
		rows = append(rows, a)
	}
	return rows, more
}
