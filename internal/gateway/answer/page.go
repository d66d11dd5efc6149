package answer

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"strings"
	"sync"

	"partnerguard/internal/page"
	"partnerguard/internal/print"
)

//go:embed page.tmpl
var pageText string

var (
	writePage = page.Renderer(pageText, template.FuncMap{
		"sentence": func(s string) string { return print.Ended(print.Clean(s, print.MaxSaying)) },
	})
	pageSheet = sync.OnceValue(func() page.Sheet { return page.NewSheet() })
)

// Page is one page of the gateway's own: one thing to know, one or two to do. It loads
// nothing and runs nothing. Its texts are made clean when it is written; words without a
// full stop get one.
type Page struct {
	Title  string
	Sub    string     // the host
	Tone   print.Tone // of the banner
	Banner string
	Words  []string
	Fix    string
	Facts  []Fact
	Lists  []List
	Forms  []Form
	Links  []Link
	Foot   string
	// Leads are the origins that its forms lead on to, beside this host.
	Leads []string
}

// Fact is a name and its value.
type Fact struct{ Name, Value string }

// List is a heading and what stands below it.
type List struct {
	Title string
	Items []string
}

// Form is one button that does something.
type Form struct {
	Action, Text string
	Primary      bool
	Fields       [][2]string // hidden
}

// Link leads to a path of this host.
type Link struct {
	Text, Path string
	Primary    bool
}

type view struct {
	*Page
	CSS template.CSS
}

// Alert says that the banner is one that is read aloud at once.
func (v view) Alert() bool { return v.Tone.Class == print.Bad.Class }

// Glyph is the shape of the banner.
func (v view) Glyph() print.Tone {
	if v.Tone.Class == print.Doubt.Class {
		return print.Cautious
	}
	return v.Tone
}

// Answer makes an answer of it.
func (p Page) Answer(status int) Answer {
	var b bytes.Buffer
	a := Answer{Status: status}
	if err := writePage(&b, view{&p, pageSheet().CSS}); err != nil {
		a.Status, a.Body = http.StatusInternalServerError, []byte("the page could not be written\n")
		a.set("Content-Type", "text/plain; charset=utf-8")
		return a
	}
	form := "'none'"
	if len(p.Forms) > 0 { // browsers hold the redirect of a form against form-action too
		form = strings.Join(append([]string{"'self'"}, p.Leads...), " ")
	}
	a.Body = b.Bytes()
	a.set("Content-Type", "text/html; charset=utf-8")
	a.set("Content-Security-Policy", pageSheet().Policy(form))
	a.set("Referrer-Policy", "no-referrer")
	a.set("X-Frame-Options", "DENY")
	a.set("Cross-Origin-Opener-Policy", "same-origin")
	a.set("Cross-Origin-Resource-Policy", "same-origin")
	return a
}
