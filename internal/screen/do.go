package screen

import (
	"maps"
	"net/url"
	"slices"
)

// Do is the button of an act, with what it is done to, where an act stands in the midst of
// a page: a form that works without a script.
type Do struct {
	Path    string // of the act: /Name/act
	Text    string
	Fields  url.Values // hidden
	Primary bool
	Danger  bool
}

// Build writes it.
func (d Do) Build(b *Builder) {
	b.Open("form", A("method", "post"), A("action", d.Path), A("class", "row"))
	for _, name := range slices.Sorted(maps.Keys(d.Fields)) {
		for _, v := range d.Fields[name] {
			b.Void("input", A("type", "hidden"), A("name", name), A("value", v))
		}
	}
	class := "btn"
	if d.Primary {
		class += " pri"
	}
	if d.Danger {
		class += " danger"
	}
	b.Elem("button", d.Text, A("class", class))
	b.End("form")
}
