package skin

import (
	_ "embed"
	"html/template"
	"io"

	"partnerguard/internal/page"
)

//go:embed skin.css
var rules string

// Local begins the title of every page.
const Local = "[local] "

// strip is what every page begins with; its argument is what else this kind of
// page must say, or "".
const strip = `{{define "strip"}}<p class="local" role="note"><strong>Local partner cloud.</strong>
Not Microsoft. Invented people; nothing leaves this machine.{{with .}} {{.}}{{end}}</p>{{end}}
{{define "local"}}` + Local + `{{end}}`

// Sheet is the style sheet of a kind of page: the skin, then its own rules.
func Sheet(own string) page.Sheet { return page.NewSheet(rules, own) }

// Renderer writes one kind of page. Its "page" begins its title with "local" and
// its body with "strip".
func Renderer(text string, funcs template.FuncMap) func(io.Writer, any) error {
	return page.Renderer(strip+text, funcs)
}
