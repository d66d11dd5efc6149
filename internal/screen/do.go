package screen

import (
	"maps"
	"net/url"
	"slices"
)

// Do is the button of an act, with what it is done to, where an act stands in the midst of
// a page, such as an open row: a form that works without a script, and has no fields to fill in.
type Do struct {
	Path    string // of the act: /Name/act, with the tenant it is done in
	Right   Right  // what the act wants: who has it not sees no button
	Text    string
	Fields  url.Values // hidden
	Primary bool
	Danger  bool
}

// Build writes it.
func (d Do) Build(b *Builder) {
	if b.frame == nil || b.frame.Token == "" || !b.frame.Viewer.May(d.Right) {
		return
	}
	b.Open("form", A("method", "post"), A("action", d.Path), A("class", "row"))
	b.Hidden(FormToken, b.frame.Token)
	for _, name := range slices.Sorted(maps.Keys(d.Fields)) {
		for _, v := range d.Fields[name] {
			b.Hidden(name, v)
		}
	}
	class := "btn"
	if d.Primary {
		class += " pri"
	}
	if d.Danger {
		class += " danger"
	}
	b.Elem("button", d.Text, A("class", class), A("type", "submit"))
	b.End("form")
}
