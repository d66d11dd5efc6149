package page

import (
	_ "embed"
	"html/template"
	"maps"
	"math"
	"net/url"
	"partnerguard/internal/print"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/entra"
)

//go:embed page.tmpl
var pageTemplate string

//go:embed chart.tmpl
var chartTemplate string

// Page is what the shell of every page says. A feature's view embeds it, and
// its template has "page", which calls "top" and "bottom" around what it shows,
// "nav", the list items of the page's sections, and "meanings", the words of
// the footer. Every text is clean or made clean by the templates.
type Page struct {
	Title      string // of the browser's tab
	Skip       string // what the skip link leads to: "the requirements"
	Eyebrow    string
	Name       string // the heading
	Facts      []string
	AsOf       *time.Time // the moment of judgement; nil: the page has none
	Sample     bool       // the embedded partner is shown
	Headline   Headline
	What       string // what is complete or not: "report"
	Complete   bool
	Incomplete []string
	Schema     string
	Inputs     InputsView

	// Made says what wrote the page and by which rules: the program, the rule book.
	Made []string
	// Rules are style rules of this page alone, beside those of every report: made by
	// the feature from numbers, never from what was read.
	Rules string

	sheet *Sheet
}

// Headline is the one sentence above everything.
type Headline struct {
	Tone print.Tone
	Text string
}

// CSS is the style sheet of the page.
func (p *Page) CSS() template.CSS { return p.styles().CSS }

func (p *Page) styles() *Sheet {
	if p.sheet == nil {
		s := report()
		if p.Rules != "" {
			s = NewSheet(reportCSS, p.Rules)
		}
		p.sheet = &s
	}
	return p.sheet
}

// Policy is the page's content security policy: one style sheet, allowed by its
// hash. frame-ancestors is not for <meta>; everything else is closed.
func (p *Page) Policy() string {
	return "default-src 'none'; style-src " + p.styles().Hash + "; base-uri 'none'; form-action 'none'"
}

// CompleteText says of a complete page why it is.
func (p *Page) CompleteText() string { return print.CompleteWords(p.What, p.Inputs.Cut) }

// AsOfText is the moment for people.
func (p *Page) AsOfText() string { return print.When(print.SettledTime(*p.AsOf)) }

// AsOfMachine is the moment for machines.
func (p *Page) AsOfMachine() string {
	return print.SettledTime(*p.AsOf).Format("2006-01-02T15:04:05Z")
}

const pageIncomplete = 30 // reasons; the rest is in the JSON

// Shown is the first reasons why the page is incomplete.
func (p *Page) Shown() []string { return p.Incomplete[:min(len(p.Incomplete), pageIncomplete)] }

// Hidden is how many more there are.
func (p *Page) Hidden() int { return max(len(p.Incomplete)-pageIncomplete, 0) }

// tones are what a template calls them.
var tones = map[string]print.Tone{
	"good": print.Good, "bad": print.Bad, "doubt": print.Doubt, "vouched": print.Vouched, "muted": print.Muted, "cautious": print.Cautious,
}

// Template makes the template set of a page: the shell of a report, verdicts,
// plots and what the feature brings. A page that is no report has a "page" of
// its own and leaves the shell. It panics on a broken template, as all are
// embedded.
func Template(text string, funcs template.FuncMap) *template.Template {
	all := template.FuncMap{
		"name":   func(s string) string { return print.Clean(s, print.MaxName) },
		"say":    func(s string) string { return print.Clean(s, print.MaxSaying) },
		"Say":    print.Saying,
		"num":    func(n int64) string { return print.Number(n) },
		"px":     px,
		"parts":  parts,
		"glyph":  glyph,
		"said":   func(t print.Tone, word string) Said { return Said{t, word} },
		"sample": func() string { return print.SampleWords },
		"heads":  func(s ...string) []string { return s },
	}
	for name, t := range tones {
		all[name] = func() print.Tone { return t }
	}
	maps.Copy(all, funcs)
	t := template.New("page").Funcs(all)
	for _, s := range []string{pageTemplate, chartTemplate, text} {
		template.Must(t.Parse(s))
	}
	return t
}

// Anchor makes a link target of an id: stable, unique, nothing but letters,
// digits and hyphens. taken holds those given already.
func Anchor(prefix, id string, taken map[string]bool) string {
	slug := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, print.Clean(id, 60))
	slug = prefix + "-" + strings.Trim(slug, "-")
	for s, i := slug, 2; ; i++ {
		if !taken[s] {
			taken[s] = true
			return s
		}
		s = slug + "-" + strconv.Itoa(i)
	}
}

// DocURL is s when it is a page of Microsoft's documentation, else "". The
// texts of a report are not trusted to choose where a reader goes.
func DocURL(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Port() != "" {
		return ""
	}
	switch u.Host {
	case "learn.microsoft.com", entra.PartnerHost:
		return u.String()
	}
	return ""
}

// parts splits a name where a line may break: after the signs that join its
// pieces.
func parts(s string) []string {
	var out []string
	from := 0
	for i := 0; i < len(s)-1; i++ {
		if strings.IndexByte("@./_#\\", s[i]) >= 0 && i-from >= 3 {
			out = append(out, s[from:i+1])
			from = i + 1
		}
	}
	return append(out, s[from:])
}

// px writes a coordinate with one decimal.
func px(f float64) string {
	return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64)
}
