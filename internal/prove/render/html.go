package render

import (
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/prove"
)

// Limits of what one page shows; the rest is in the JSON.
const (
	pageGaps     = 8  // of one question, not folded
	pageFolded   = 50 // of one question, folded
	pageNames    = 6
	pagePolicies = 200
	commandWidth = 76
)

//go:embed page.tmpl
var pageTemplate string

var writePage = page.Renderer(pageTemplate, nil)

// HTML writes the answers as one file that loads nothing: no script, one style
// sheet allowed by its hash, the plot as inline SVG.
func HTML(w io.Writer, r *prove.Report) error { return writePage(w, view(r)) }

// pageView is what the template says; every text in it is clean.
type pageView struct {
	page.Page
	Age       []string
	Overview  *page.Plot
	Questions []questionView
	Policies  []notCounted
	More      int // policies
	Counted   string
	Known     []string
	Asks      []ask
	AsksTitle string
	AsksAside string
	AsksHelp  string
}

type questionView struct {
	Anchor, Title, Short, ID, Reason string
	Said                             page.Said
	Gaps, Folded                     []gapView
	Hidden                           string
	Glass, Possible                  []gapView
	Asks                             []ask // letters and where they lead
	TooComplex                       bool
}

type gapView struct {
	Number    int    // of the gap; 0 it is only a possible one
	Who       string // "37 accounts", or the one
	Names     []string
	NamesMore string
	Tone      print.Tone
	What, Why []string
	Try       string
	Command   string
}

func view(r *prove.Report) *pageView {
	t, sentence := headline(r.Proofs)
	p := &pageView{
		Age: ages(r.Age),
		Page: page.Page{
			Name: partnerName(r), Skip: "the answers", Eyebrow: "Proof over all sign-ins",
			Facts:    []string{"What the tenant's own settings allow, whether it has happened or not"},
			Headline: page.Headline{Tone: t, Text: sentence},
			What:     "answer", Complete: r.Complete, Sample: r.Sample, Incomplete: r.Incomplete, Schema: prove.SchemaID,
			Inputs: page.ViewInputs(r.Inputs),
		},
		Known: facts(r.Proofs),
	}
	p.Title = p.Name + ": proof over all sign-ins"
	if len(r.Proofs) > 1 {
		p.Overview = overview(r.Proofs)
	}
	taken := map[string]bool{}
	var letters [][]string
	p.Asks, letters = asks(r.Proofs)
	p.AsksTitle, p.AsksAside, p.AsksHelp = asksTitle, asksAside(p.Asks), asksHelp(p.Asks)
	for i, q := range r.Proofs {
		v := question(q, r.From, taken)
		for _, a := range p.Asks {
			if slices.Contains(letters[i], a.Letter) {
				v.Asks = append(v.Asks, a)
			}
		}
		p.Questions = append(p.Questions, v)
	}
	not, counted := uncounted(r.Proofs)
	if n := len(not) - pagePolicies; n > 0 {
		not, p.More = not[:pagePolicies], n
	}
	p.Policies, p.Counted = not, print.Plural(int64(counted), "policies")
	if counted == 1 {
		p.Counted = "1 policy"
	}
	return p
}

// shortTitles are the built-in questions as the row of links names them.
var shortTitles = map[string]string{
	"mfa-every-sign-in": "Every sign-in", "mfa-every-user": "Every account", "mfa-admin-roles": "Directory roles", "legacy-blocked": "Legacy authentication",
	"phishing-resistant-admins": "Phishing-resistant administrators", "register-security-info-protected": "Registering methods",
	"service-providers": "Service providers",
}

func question(q *access.Proof, from []string, taken map[string]bool) questionView {
	v := questionView{
		Anchor: page.Anchor("question", q.Question, taken), Title: title(q), ID: print.Clean(q.Question, print.MaxName),
		Reason: print.Saying(q.Reason), Said: page.SaidOf(q.Verdict), TooComplex: q.TooComplex,
	}
	if v.Short = shortTitles[q.Question]; v.Short == "" {
		v.Short = v.Title
	}
	list, glass := split(q.Gaps)
	hidden := q.More
	for i, g := range list {
		switch {
		case i < pageGaps:
			v.Gaps = append(v.Gaps, gapRow(q, g, print.Bad, from))
		case i < pageGaps+pageFolded:
			v.Folded = append(v.Folded, gapRow(q, g, print.Bad, from))
		default:
			hidden++
		}
	}
	if hidden > 0 {
		v.Hidden = print.Plural(int64(hidden), "further gaps")
	}
	for _, g := range glass {
		v.Glass = append(v.Glass, gapRow(q, g, print.Cautious, from))
	}
	for i := range q.Possible {
		if i == pageGaps {
			break
		}
		v.Possible = append(v.Possible, gapRow(q, &q.Possible[i], print.Doubt, from))
	}
	return v
}

func gapRow(q *access.Proof, g *access.Gap, t print.Tone, from []string) gapView {
	v := gapView{Tone: t, Number: number(q, g), Who: print.Plural(int64(g.Who.Count), "accounts")}
	for i, n := range g.Who.Names {
		if i == pageNames {
			break
		}
		v.Names = append(v.Names, print.Clean(n, print.MaxName))
	}
	if more := g.Who.Count - len(v.Names); more > 0 && len(v.Names) > 0 {
		v.NamesMore = "and " + print.Number(int64(more)) + " more"
	}
	for i := range g.What {
		v.What = append(v.What, print.Sentence(narrow(&g.What[i])))
	}
	if len(v.What) == 0 {
		v.What = []string{"Any app, any client, anywhere"}
	}
	for i := range g.Why {
		v.Why = append(v.Why, why(&g.Why[i]))
	}
	if account := print.Clean(g.Witness.Account, print.MaxName); account != "" {
		v.Try = account + " " + signIn(&g.Witness.SignIn) + ": " + outcome(g.Witness.Outcome).Word
		v.Command = strings.Join(print.FoldCommand(command(q, g, from), commandWidth), "\n")
	}
	return v
}

// overview is the accounts of each question.
func overview(list []*access.Proof) *page.Plot {
	p := &page.Plot{ID: "overview", Title: "Accounts asked about, by question"}
	p.Series("Question", page.GoodKey("Proved"), page.BadKey("With a gap"), page.RestKey("The rest of it"), page.DoubtKey("Not known"))
	var bars []page.Bar
	var proved, gaps int64
	for _, q := range list {
		n := max(int64(q.Accounts), 0)
		v := make([]int64, 4)
		switch print.ToneOf(q.Verdict) {
		case print.Good:
			v[0] = n
			proved++
		case print.Bad:
			v[1] = min(max(int64(q.Open), 0), n)
			v[2] = n - v[1]
			gaps++
		default:
			v[3] = n
		}
		bar := page.Bar{Label: title(q), Values: v}
		if v[1] > 0 {
			bar.End = print.Number(v[1]) + " of " + print.Number(n)
		}
		bars = append(bars, bar)
	}
	p.Summary = fmt.Sprintf("Of %s, %s proved for every account, %s with a gap for at least one, %s not known.", print.Plural(int64(len(list)), "questions"),
		print.Number(proved), print.Number(gaps), print.Number(int64(len(list))-proved-gaps))
	p.Bars(bars, 390)
	return p
}

// ages are the sentences on the age of what was read, made clean.
func ages(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = print.Clean(print.Ended(s), print.MaxSaying)
	}
	return out
}
