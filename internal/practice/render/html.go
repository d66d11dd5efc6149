package render

import (
	_ "embed"
	"html/template"
	"io"

	"partnerguard/internal/assess"
	"partnerguard/internal/page"
	"partnerguard/internal/practice"
	"partnerguard/internal/print"
)

//go:embed page.tmpl
var pageTemplate string

var writePage = page.Renderer(pageTemplate, template.FuncMap{"verdict": page.SaidOf[assess.Verdict]})

// HTML writes a report as one file that loads nothing: no script, one style sheet allowed
// by its hash. It reads on a phone, on paper and by keyboard, in light and dark.
func HTML(w io.Writer, r *practice.Report) error { return writePage(w, view(r)) }

// pageView is what the template says.
type pageView struct {
	page.Page
	Customers string
	Groups    []groupView
}

type groupView struct {
	ID, Name, Summary string
	Rows              []rowView
}

type rowView struct {
	practice.Row
	Anchor, Short, Do, Mode, Age, SourceURL string
	Pieces                                  []pieceView
	Found                                   int
	Remedy                                  []string
}

type pieceView struct{ Subject, Detail, Observed, Record, Where string }

func view(r *practice.Report) *pageView {
	tone, sentence := Headline(r)
	v := &pageView{
		Page: page.Page{
			Title: "CSP security best practices: " + Name(r), Name: Name(r), Skip: "the practices", Eyebrow: "CSP security best practices",
			Facts:    []string{"Recommended, each judged by evidence or by a person's dated word"},
			AsOf:     &r.AsOf,
			Headline: page.Headline{Tone: tone, Text: print.Ended(sentence)}, What: "report", Complete: r.Complete, Sample: r.Sample,
			Incomplete: r.Incomplete, Schema: practice.SchemaID, Inputs: page.ViewInputs(r.Inputs),
		},
		Customers: CustomersText(r),
	}
	if r.Program != "" {
		v.Made = append(v.Made, r.Program)
	}
	v.Made = append(v.Made, "rule book of "+r.RuleBook)
	taken := map[string]bool{}
	for _, area := range Areas(r.Practices) {
		rows := OfArea(r.Practices, area)
		g := groupView{ID: page.Anchor("a-", area, taken), Name: print.Sentence(area), Summary: SumText(rows)}
		for _, q := range rows {
			g.Rows = append(g.Rows, viewRow(q, taken))
		}
		v.Groups = append(v.Groups, g)
	}
	return v
}

func viewRow(q *practice.Row, taken map[string]bool) rowView {
	x := rowView{Row: *q, Anchor: page.Anchor("p-", q.ID, taken), Short: Short(q), Mode: ModeWord(q.Mode), SourceURL: page.DocURL(q.Source),
		Remedy: RemedyLines(&q.Remedy), Found: len(q.Evidence) + q.More, Age: q.Age.Text}
	if q.Verdict != assess.Met && q.Verdict != assess.NotApplicable {
		x.Do = print.Saying(Do(q))
	}
	for i := range q.Evidence {
		e := &q.Evidence[i]
		piece := pieceView{Subject: print.Clean(e.Subject, print.MaxName), Detail: print.Clean(e.Detail, print.MaxSaying),
			Record: print.Clean(e.RecordID, print.MaxName), Where: print.Clean(e.Source.String(), print.MaxName)}
		if e.Observed != nil {
			piece.Observed = print.When(print.SettledTime(*e.Observed))
		}
		x.Pieces = append(x.Pieces, piece)
	}
	return x
}
