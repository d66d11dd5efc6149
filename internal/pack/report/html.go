package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"partnerguard/internal/assess"
	"partnerguard/internal/page"
	"partnerguard/internal/partner"
	"partnerguard/internal/print"
)

//go:embed page.tmpl
var pageTemplate string

//go:embed page.css
var pageCSS string

var writePage = page.Renderer(pageTemplate, template.FuncMap{"verdict": page.SaidOf[assess.Verdict]})

// Limits of what one page lists; the rest is in report.json.
const (
	pageAccounts = 300
	pageEvidence = 5
	pageGaps     = 200
	pageDays     = 400
)

// reportHTML writes the pack's report as one file that loads nothing: no script, one style
// sheet allowed by its hash. It reads on a phone, on paper and by keyboard.
func (in *Input) reportHTML(w io.Writer) error { return writePage(w, in.view()) }

type pageView struct {
	page.Page
	Cover        []pair
	Told         []string
	Groups       []group
	Days         *dayView
	Accounts     []account
	AccountsMore string
	AccountsOf   string
	Practices    *practiceView
	Statements   []statement
	Gaps         []gap
	GapsMore     int
	Verify       []pair
	Rejudges     bool
	Redacted     string
}

// pair is a row of words.
type pair struct{ Name, Text string }

type group struct {
	ID, Name, Summary string
	Rows              []row
}

type row struct {
	assess.Requirement
	Binding, Count, Vouched, URL string
	Shown                        []piece
	Rest                         int
}

type piece struct{ Subject, Detail, Meta string }

type account struct {
	MFA                  page.Said
	Name, Sub, Reason    string
	Factor, Roles, Class string
}

type statement struct {
	Word       page.Said
	Head, Says string
}

type gap struct{ What, When, Why, Can string }

// bindingWords say how a rule stood.
var bindingWords = map[partner.Standing]string{
	partner.NotYet: "not yet announced", partner.Announce: "announced, not yet binding", partner.Contract: "binding by contract",
	partner.Enforced: "binding, and enforced by Microsoft", partner.Advised: "advised", partner.Exempt: "does not bind this partner",
}

func (in *Input) view() *pageView {
	r := in.Report
	p := &pageView{Told: in.told(), Rejudges: in.Rejudges, Redacted: strings.Join(in.Redacted, " and ")}
	p.Page = page.Page{
		Name: in.subject(), Skip: "the verdicts", Eyebrow: "Evidence pack for " + readerWords[in.Reader], AsOf: &r.AsOf, Sample: r.Sample, What: "report",
		Complete: r.Complete, Incomplete: r.Incomplete, Schema: ReportSchema, Inputs: page.ViewInputs(r.Inputs),
		Made: []string{print.Clean(in.Tool, print.MaxName), "Rule book of " + print.Clean(r.RuleBook, 40)}, Rules: pageCSS,
	}
	p.Title = p.Name + ": evidence pack, " + period(in)
	p.Facts = []string{period(in), "tenant " + print.Clean(in.Tenant, print.MaxName)}
	p.Headline = headline(r)
	p.cover(in)
	for _, level := range []struct{ level, name string }{{string(partner.Mandatory), "Mandatory"}, {string(partner.Recommended), "Recommended"}} {
		p.group(in, level.level, level.name)
	}
	p.Days = in.days()
	p.accounts(r)
	p.Practices = in.practiceRows()
	p.statements(in)
	p.gaps(in)
	return p
}

var readerWords = map[Reader]string{Auditor: "an auditor", Insurer: "an insurer", Microsoft: "Microsoft", Customer: "a customer"}

func period(in *Input) string {
	last := in.To.UTC()
	if h, m, s := last.Clock(); h+m+s == 0 { // of whole days
		last = last.AddDate(0, 0, -1)
	}
	return in.From.UTC().Format("2 January 2006") + " to " + last.Format("2 January 2006")
}

func headline(r *assess.Report) page.Headline {
	n := map[assess.Verdict]int{}
	for i := range r.Requirements {
		if q := &r.Requirements[i]; q.Level == string(partner.Mandatory) && partner.Standing(q.Binding).Binding() {
			n[q.Verdict]++
		}
	}
	all := n[assess.Met] + n[assess.NotMet] + n[assess.Unknown] + n[assess.Attested]
	tone := print.Good
	switch {
	case n[assess.NotMet] > 0:
		tone = print.Bad
	case n[assess.Unknown] > 0 || all == 0:
		tone = print.Doubt
	}
	parts := []string{fmt.Sprintf("%d of %d binding requirements met", n[assess.Met], all)}
	for _, x := range []struct {
		v    assess.Verdict
		word string
	}{{assess.NotMet, "not met"}, {assess.Unknown, "unknown"}, {assess.Attested, "attested by a person"}} {
		if n[x.v] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[x.v], x.word))
		}
	}
	return page.Headline{Tone: tone, Text: strings.Join(parts, ", ") + "."}
}

func (p *pageView) cover(in *Input) {
	evidence := map[string]string{
		"all":      "every page that the verdicts rest on, as Microsoft answered it",
		"deciding": "only pages with records that this report cites: the verdicts do not come out again from them",
		"none":     "no page of evidence is in this pack",
	}
	redacted := "nothing"
	if len(in.Redacted) > 0 {
		redacted = strings.Join(in.Redacted, " and ") +
			": a value that is left out stands as redacted- with sixteen digits and, " +
			"of a name, what it says of the kind of account, the same wherever it is the same"
	}
	p.Cover = []pair{
		{"Period", print.When(in.From) + " to " + print.When(in.To)}, {"Verdicts as of", print.When(in.Report.AsOf)},
		{"Made", print.When(in.Made) + " by " + print.Clean(in.Tool, print.MaxName)}, {"Pack", in.Name},
		{"Evidence inside", print.First(in.Evidence, evidence[in.Evidence])}, {"Redacted", redacted},
		{"Agreement in force", print.First("not known", in.Agreement.Edition)}, {"Rule book", "revised " + print.First("on a day that is not known",
			in.Report.RuleBook)},
	}
	if in.Customer != "" {
		p.Cover = append(p.Cover, pair{"Customer", in.Customer})
	}
	if c := in.Checkpoint; c.Size > 0 {
		p.Cover = append(p.Cover, pair{"Checkpoint", fmt.Sprintf("%s, %s entries, root %s", c.Origin, print.Number(c.Size), c.Root)})
	}
	key := "the key that pack.json names: compare it with one that you were given by another way"
	if in.Sign != nil {
		key = in.Sign.Key()
		p.Cover = append(p.Cover, pair{"Signed by", key})
	}
	p.Verify = []pair{
		{"With Partnerguard", "partnerguard pack verify --key KEY PACK.zip checks every byte and proof, and judges again from what is inside; no network"},
		{"With the small verifier", "(cd verify && go run . --key KEY PACK.zip), of Go's standard library alone, checks signatures, sums and proofs"},
		{"By hand", "README.txt of the pack says how, with sha256sum, unzip and openssl"},
		{"The key", key},
	}
}

func (p *pageView) group(in *Input, level, name string) {
	g := group{ID: strings.ToLower(name), Name: name + " requirements"}
	n := map[assess.Verdict]int{}
	for i := range in.Report.Requirements {
		q := in.Report.Requirements[i]
		if q.Level != level {
			continue
		}
		n[q.Verdict]++
		x := row{Requirement: q, Binding: bindingWords[partner.Standing(q.Binding)], URL: page.DocURL(q.Source)}
		if q.Total > 0 {
			x.Count = fmt.Sprintf("%s of %s fall short", print.Number(int64(q.Affected)), print.Plural(int64(q.Total), print.Clean(q.Unit, 40)))
		}
		if q.AttestedBy != "" {
			x.Vouched = print.Clean(q.AttestedBy, print.MaxName) + ", until " + print.Clean(q.AttestedUntil, 40)
		}
		shown := q.Evidence[:min(len(q.Evidence), pageEvidence)]
		for k := range shown {
			x.Shown = append(x.Shown, in.piece(&shown[k]))
		}
		x.Rest = q.More + len(q.Evidence) - len(shown)
		g.Rows = append(g.Rows, x)
	}
	if len(g.Rows) == 0 {
		return
	}
	slices.SortStableFunc(g.Rows, func(a, b row) int { return order[a.Verdict] - order[b.Verdict] })
	g.Summary = fmt.Sprintf("%d met, %d not met, %d unknown, %d attested, %d not applicable", n[assess.Met], n[assess.NotMet], n[assess.Unknown],
		n[assess.Attested], n[assess.NotApplicable])
	p.Groups = append(p.Groups, g)
}

// order puts what does not hold first.
var order = map[assess.Verdict]int{assess.NotMet: 0, assess.Unknown: 1, assess.Attested: 2, assess.Met: 3, assess.NotApplicable: 4}

func (in *Input) piece(e *assess.Evidence) piece {
	x := piece{Subject: print.First("—", e.Subject), Detail: print.Saying(e.Detail)}
	var meta []string
	if t := print.Settled(e.Observed); t != nil {
		meta = append(meta, print.When(*t))
	}
	if e.RecordID != "" {
		meta = append(meta, "record "+print.Clean(e.RecordID, print.MaxName))
	}
	if entry := in.where(e); entry != "" && entry != indexEntry {
		meta = append(meta, "in "+entry)
	} else if s := e.Source.String(); s != "" {
		meta = append(meta, print.Clean(s, print.MaxSaying))
	}
	x.Meta = strings.Join(meta, " · ")
	return x
}

func (p *pageView) accounts(r *assess.Report) {
	short := 0
	for i := range r.Accounts {
		a := &r.Accounts[i]
		if a.MFA != assess.NotMet && a.MFA != assess.Unknown {
			continue
		}
		if short++; len(p.Accounts) == pageAccounts {
			continue
		}
		sub := print.ClassWord(a.Class)
		if a.Admin {
			sub += ", admin"
		}
		p.Accounts = append(p.Accounts, account{MFA: page.SaidOf(a.MFA), Name: print.First(print.NoName, a.UserPrincipalName, a.DisplayName, a.ID), Sub: sub,
			Reason: print.Saying(a.Reason), Factor: strings.ReplaceAll(print.Clean(a.StrongestFactor, 40), "_", " ")})
	}
	p.AccountsOf = print.Number(int64(short)) + " of " + print.Plural(int64(len(r.Accounts)), "accounts")
	if n := short - len(p.Accounts); n > 0 {
		p.AccountsMore = print.Number(int64(n))
	}
}
