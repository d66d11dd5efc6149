package console

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
)

// entryPage is one page of the entry: one question, one or two buttons.
type entryPage struct {
	Title   string
	Sub     string
	Tone    print.Tone // of the banner
	Banner  string
	Back    string // in bold after the banner: the page that a person comes back to
	Words   []string
	Fix     string
	Command string // what somebody runs, to be copied
	Facts   []entryFact
	Forms   []entryForm
	Other   string // another way in, told below the forms
	Link    string // text of a link to Path
	Path    string
	Foot    string
	local   bool
	status  int
	form    string // the origin that its forms lead on to, beside us
}

type entryFact struct{ Name, Value string }

type entryForm struct {
	Action, Text string
	Icon         screen.Lit
	Primary      bool
	To           string
	As           string // value of "as"
}

// Build writes the card.
func (p *entryPage) Build(b *screen.Builder) {
	class := screen.Lit("card")
	if p.Command != "" || len(p.Facts) > 0 {
		class = "card w"
	}
	b.Class("section", class)
	b.Class("div", "pad stack")
	b.Open("div")
	b.Elem("h1", p.Title)
	if p.Sub != "" {
		b.Elem("p", p.Sub, screen.A("class", "q sm"))
	}
	b.End("div")
	if p.local {
		screen.Notice{Tone: print.Vouched, Lead: "Local partner cloud. Not Microsoft.", Text: "Invented people."}.Build(b)
	}
	if p.Banner != "" {
		p.banner(b)
	}
	for _, w := range p.Words {
		b.Elem("p", sentence(w))
	}
	if p.Fix != "" {
		b.Open("div")
		b.Elem("h2", "What to do", screen.A("class", "h3"))
		b.Elem("p", sentence(p.Fix))
		b.End("div")
	}
	if p.Command != "" {
		screen.Code{Text: p.Command, Wrap: true}.Build(b)
	}
	if len(p.Facts) > 0 {
		b.Class("dl", "kv")
		for _, f := range p.Facts {
			b.Elem("dt", f.Name)
			b.Elem("dd", print.Clean(f.Value, print.MaxName))
		}
		b.End("dl")
	}
	for i := range p.Forms {
		p.Forms[i].build(b)
	}
	if p.Other != "" {
		b.Elem("div", "or, on the machine itself", screen.A("class", "or"))
		screen.Code{Text: p.Other}.Build(b)
	}
	if p.Link != "" {
		b.Elem("a", p.Link, screen.A("class", "btn wide"), screen.A("href", p.Path))
	}
	b.End("div")
	if p.Foot != "" {
		b.Elem("footer", p.Foot)
	}
	b.End("section")
}

func (p *entryPage) banner(b *screen.Builder) {
	role := "status"
	if p.Tone == print.Bad {
		role = "alert"
	}
	b.Open("div", screen.A("class", "banner "+p.Tone.Class), screen.A("role", role))
	mark := screen.Mark(p.Tone)
	if p.Tone == print.Doubt {
		mark = "v-warn"
	}
	b.Icon(mark)
	b.Open("div")
	b.Text(sentence(p.Banner))
	if p.Back != "" {
		b.Text(" Sign in, and you are back at ")
		b.Elem("b", p.Back)
		b.Text(".")
	}
	b.End("div")
	b.End("div")
}

func (f *entryForm) build(b *screen.Builder) {
	b.Open("form", screen.A("method", "post"), screen.A("action", f.Action))
	if f.To != "" {
		b.Hidden("to", f.To)
	}
	if f.As != "" {
		b.Hidden("as", f.As)
	}
	class := "btn wide"
	if f.Primary {
		class = "btn pri wide"
	}
	b.Open("button", screen.A("class", class), screen.A("type", "submit"))
	if f.Icon != "" {
		b.Icon(f.Icon)
	}
	b.Text(f.Text)
	b.End("button")
	b.End("form")
}

// show writes a page of the entry.
func (c *Console) show(w http.ResponseWriter, r *http.Request, p *entryPage) {
	p.local = c.d.Lab
	f := screen.Frame{Now: c.d.Now(), Theme: c.themeOf(r)}
	var b bytes.Buffer
	if err := f.Solo(&b, p.Title, p); err != nil {
		http.Error(w, "the page could not be written", http.StatusInternalServerError)
		return
	}
	policy := screen.Policy
	if p.form != "" { // browsers hold the redirect of a form against form-action too
		policy = strings.Replace(policy, "form-action 'self'", "form-action 'self' "+p.form, 1)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	if p.status == 0 {
		p.status = http.StatusOK
	}
	w.WriteHeader(p.status)
	_, _ = w.Write(b.Bytes())
}

func sentence(s string) string {
	if s == "" {
		return ""
	}
	return print.Ended(print.Clean(s, print.MaxSaying))
}

// fail shows an error of the entry as a page of it.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, status int, err error) {
	p := &entryPage{Title: "Not signed in", Tone: print.Bad, Banner: "Something went wrong here; it was logged", Link: "Back to the sign-in",
		Path: signInPath, status: status}
	if e, ok := errors.AsType[*problem.Error](err); ok && e.Kind != problem.Internal {
		p.Banner, p.Fix = e.Public, e.Hint
	}
	if no, ok := errors.AsType[*refusal](err); ok {
		p.Facts, p.Command, p.Link = no.Facts, no.Command, "Sign in again"
		if no.To != "" && no.To != "/" {
			p.Path += "?" + url.Values{"to": {no.To}}.Encode()
		}
	}
	c.show(w, r, p)
}

// called is what a person calls the page at a path of ours: its first word.
func called(path string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "?")
	name, _, _ = strings.Cut(name, "/")
	if name == "" || strings.ContainsAny(name, "%.") {
		return ""
	}
	return strings.ToUpper(name[:1]) + name[1:]
}
