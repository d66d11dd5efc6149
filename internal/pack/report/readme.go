package report

import (
	_ "embed"
	"io"
	"strings"
	"text/template"

	"partnerguard/internal/print"
)

//go:embed readme.tmpl
var readmeText string

var readme = template.Must(template.New("readme").Funcs(template.FuncMap{
	"when": print.When, "clean": func(s string) string { return print.Clean(s, print.MaxSaying) },
	"join": func(list []string) string { return strings.Join(list, ", ") },
	"fill": func(s string) string { return strings.Join(print.Wrap(s, 92), "\n") },
}).Parse(readmeText))

// readmeTXT says what the file is and how it is verified, without our program too.
func (in *Input) readmeTXT(w io.Writer) error {
	key := ""
	if in.Sign != nil {
		key = in.Sign.Key()
	}
	return readme.Execute(w, struct {
		*Input
		Key     string
		Subject string
		Told    []string
	}{in, key, in.subject(), in.told()})
}
