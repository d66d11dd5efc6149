package screen

import "cmp"

// Found is a search with what it found: a page of its own, and what the palette shows.
type Found struct {
	Query string
	Path  string // where the search is sent; "" is /search
	Tenant,
	To string // members of the address that go along
	What string // what is looked through
	Hits []Hit
	More string
}

// Called is what a tenant is called.
func (t *Tenant) Called() string { return t.called() }

// Build writes it.
func (f Found) Build(b *Builder) {
	path := cmp.Or(f.Path, "/search")
	b.Open("section", A("class", "card clip"), A("id", "find"), A("aria-label", "Search"))
	b.Open("form", A("class", "tools"), A("action", path), A("role", "search"), A("data-live", "find"))
	b.Class("div", "searchbox grow")
	b.Icon("search")
	b.Void("input", A("class", "in"), A("type", "search"), A("name", "q"), A("value", f.Query), A("aria-label", "Search"), A("autocomplete", "off"),
		A("placeholder", cmp.Or(f.What, "page, account, customer")), A("maxlength", "200"), A("autofocus", ""))
	b.End("div")
	if f.Tenant != "" {
		b.Hidden("tenant", f.Tenant)
	}
	if f.To != "" {
		b.Hidden("to", f.To)
	}
	b.Elem("button", "Search", A("class", "btn"), A("type", "submit"))
	b.End("form")
	b.Open("div", A("id", "found"))
	if len(f.Hits) == 0 {
		Nothing{Head: "Nothing found", Text: "Every word must be part of a name, an address or an id."}.Build(b)
	} else {
		b.Open("ul", A("class", "find-list"))
		for _, h := range f.Hits {
			b.Open("li")
			b.Open("a", A("href", h.Path))
			b.Icon(Lit(cmp.Or(h.Icon, "doc")))
			b.Elem("span", h.Title)
			if h.Sub != "" {
				b.Elem("span", h.Sub, A("class", "meta"))
			}
			b.End("a")
			b.End("li")
		}
		b.End("ul")
	}
	if f.More != "" {
		b.Elem("p", f.More, A("class", "note pad"))
	}
	b.End("div")
	b.End("section")
}
