package screen

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"partnerguard/internal/page"
	"partnerguard/internal/print"
)

// Frame is what stands around a page: the rail, who looks, at which tenant, in which
// theme. It is made for one answer.
type Frame struct {
	Viewer  *Viewer  // nil: nobody has come in, and there is no rail
	Screens []Screen // all that are mounted; the rail shows those that the viewer may see
	Tenant  Tenant   // the chosen one; zero: none
	Tenants []Tenant // those the viewer may see
	Needs   map[string]int
	Now     time.Time
	Theme   string // "light", "dark"; "" is the system's
	Token   string // of the forms; "" where no form is sent
	SignOut string // where the form that ends the session is sent; "": there is none
	Said    string // what was done just now
	Here    string // the address of this page with its query, to come back to
}

// Page is one page in its frame.
type Page struct {
	Screen *Screen
	Ask    *Ask
	View   *View
	Rows   *Selection // nil: the page has no list
	// Body stands instead of the view's parts: of an act's form, of the search.
	Body  []Block
	Title string // of the tab and the heading; "" is the screen's
	Crumb []Link // above the title
	Error bool   // the page says what went wrong
}

// Write writes the page.
func (f *Frame) Write(w io.Writer, p *Page) error {
	b := NewBuilder(f.Now)
	b.frame = f
	b.raw("<!DOCTYPE html>\n")
	b.Open("html", A("lang", "en"), A("dir", "ltr"), If(f.Theme != "", A("data-theme", f.Theme)))
	f.headOf(b, p)
	b.Open("body")
	b.Elem("a", "Skip to content", A("class", "skip"), A("href", "#content"))
	if f.Viewer == nil {
		b.Open("main", A("id", "content"), A("tabindex", "-1"))
		b.Class("div", "solo")
		f.brand(b)
		f.main(b, p)
		b.End("div")
		b.End("main")
	} else {
		b.Class("div", "shell")
		f.top(b)
		f.side(b, p)
		f.tenants(b, p)
		b.Open("main", A("class", "main"), A("id", "content"), A("tabindex", "-1"))
		f.main(b, p)
		b.End("main")
		f.bar(b, p)
		b.End("div")
	}
	b.raw(page.Sprite(b.b.Bytes(), glyphs))
	b.End("body")
	b.End("html")
	_, err := w.Write(b.Bytes())
	return err
}

func (p *Page) title() string {
	if p.Title == "" && p.Screen != nil {
		return p.Screen.Title
	}
	return p.Title
}

func (f *Frame) headOf(b *Builder, p *Page) {
	a := files()
	b.Open("head")
	b.Void("meta", A("charset", "utf-8"))
	b.Void("meta", A("name", "viewport"), A("content", "width=device-width, initial-scale=1, viewport-fit=cover"))
	b.Void("meta", A("name", "color-scheme"), A("content", "light dark"))
	b.Void("meta", A("name", "robots"), A("content", "noindex"))
	if p.View != nil && p.View.Refresh > 0 {
		b.Void("meta", A("http-equiv", "refresh"), A("content", fmt.Sprint(max(2, int(p.View.Refresh.Seconds())))))
	}
	title := p.title()
	if f.Tenant.ID != "" {
		title += " · " + f.Tenant.called()
	}
	if f.local() {
		title = "[local] " + title
	}
	b.Elem("title", title+" · Partnerguard")
	b.Void("link", A("rel", "icon"), A("href", a.icon.Path()), A("type", a.icon.Type))
	b.Void("link", A("rel", "preload"), A("href", a.font.Path()), A("as", "font"), A("type", a.font.Type), A("crossorigin", ""))
	b.Void("link", A("rel", "stylesheet"), A("href", a.style.Path()))
	b.raw(`<script src="` + a.script.Path() + `" defer></script>`)
	b.End("head")
}

// local says that what the page shows is a partner cloud's, or partly.
func (f *Frame) local() bool {
	return f.Tenant.Local || f.Tenant.ID == "" && slices.ContainsFunc(f.Tenants, func(t Tenant) bool { return t.Local })
}

func (t *Tenant) called() string { return cmp.Or(t.Name, t.Domain, t.ID) }

func (f *Frame) brand(b *Builder) {
	b.Open("a", A("class", "brand"), A("href", "/"))
	b.Icon("mark")
	b.Elem("span", "Partnerguard", A("class", "wide-only"))
	b.Elem("span", "Partnerguard, the first page", A("class", "vh"))
	b.End("a")
}

// tenant is the button that opens the list of tenants; without popovers it is a link
// to the page of them.
func (f *Frame) tenant(b *Builder) {
	if len(f.Tenants) == 0 {
		return
	}
	name, sub, ava := "All tenants", print.Plural(int64(len(f.Tenants)), "tenants"), ""
	if t := f.Tenant; t.ID != "" {
		name, sub, ava = t.called(), t.Domain, initials(t.called())
		if t.Local {
			sub = "local partner cloud"
		} else if t.Domain == "" || t.Domain == name {
			sub = "customer"
			if t.Partner {
				sub = "partner"
			}
		}
	}
	b.Open("button", A("class", "tenant"), A("type", "button"), A("popovertarget", "tenants"))
	b.Open("span", A("class", "ava"), A("aria-hidden", "true"))
	if ava == "" {
		b.Icon("customers")
	}
	b.Text(ava)
	b.End("span")
	b.Open("span")
	b.Elem("b", name)
	b.Elem("small", sub, A("class", "wide-only"))
	b.End("span")
	b.Icon("updown")
	b.Elem("span", "Switch tenant", A("class", "vh"))
	b.End("button")
}

// initials are the first letters of a name's first words.
func initials(name string) string {
	var out []rune
	for _, word := range strings.Fields(print.Clean(name, print.MaxName)) {
		for _, r := range word {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				out = append(out, unicode.ToUpper(r))
				break
			}
		}
		if len(out) == 2 {
			break
		}
	}
	if len(out) == 0 {
		return "?"
	}
	return string(out)
}

func (f *Frame) top(b *Builder) {
	b.Class("header", "top")
	f.brand(b)
	f.tenant(b)
	b.End("header")
}

// rail are the pages of the rail that the viewer may see, by group.
func (f *Frame) rail() map[Group][]*Screen {
	out := map[Group][]*Screen{}
	for i := range f.Screens {
		if s := &f.Screens[i]; s.Group != Nowhere && f.Viewer.May(s.See) {
			out[s.Group] = append(out[s.Group], s)
		}
	}
	for _, list := range out {
		slices.SortStableFunc(list, func(a, b *Screen) int { return cmp.Or(a.Order-b.Order, strings.Compare(a.Title, b.Title)) })
	}
	return out
}

// Link is the address of a page of the console for the chosen tenant.
func (f *Frame) link(s *Screen) string {
	t := f.Tenant
	if t.ID == "" || s.Over == OfPartner && !t.Partner || s.Over == OfHouse && !t.Partner && f.only(t) {
		return "/" + s.Name
	}
	return With("/"+s.Name, "tenant", t.ID)
}

func (f *Frame) only(t Tenant) bool { return len(f.Tenants) == 1 && f.Tenants[0].ID == t.ID }

func (f *Frame) side(b *Builder, p *Page) {
	b.Open("nav", A("class", "side"), A("id", "nav"), A("popover", "auto"), A("aria-label", "Main"))
	f.brand(b)
	f.tenant(b)
	b.Open("a", A("class", "find"), A("href", With("/search", "tenant", f.Tenant.ID)))
	b.Icon("search")
	b.Text("Search")
	b.Elem("kbd", "/", A("aria-hidden", "true"))
	b.End("a")
	rail := f.rail()
	b.Class("div", "groups")
	for _, g := range []Group{Posture, Reach, Evidence} {
		if len(rail[g]) == 0 {
			continue
		}
		b.Open("section")
		b.Elem("h2", string(g))
		b.Open("ul")
		for _, s := range rail[g] {
			b.Open("li")
			f.railLink(b, p, s, true)
			b.End("li")
		}
		b.End("ul")
		b.End("section")
	}
	b.End("div")
	f.foot(b)
	b.End("nav")
}

func (f *Frame) railLink(b *Builder, p *Page, s *Screen, counts bool) {
	here := p.Screen != nil && (p.Screen.Name == s.Name || strings.HasPrefix(p.Screen.Name, s.Name+"/"))
	b.Open("a", A("href", f.link(s)), If(here, A("aria-current", "page")))
	b.Icon(Lit(cmp.Or(s.Icon, "doc")))
	b.Text(s.Title)
	if n := f.Needs[s.Name]; n > 0 && counts {
		b.Open("span", A("class", "cnt not"), A("title", print.Number(int64(n))+" need you today"))
		b.Text(print.Number(int64(n)))
		b.Elem("span", " need you today", A("class", "vh"))
		b.End("span")
	}
	b.End("a")
}

// foot is who looks, the theme, and the way out.
func (f *Frame) foot(b *Builder) {
	v := f.Viewer
	b.Class("div", "foot")
	b.Elem("span", initials(v.Name), A("class", "ava round"), A("aria-hidden", "true"))
	b.Open("span")
	b.Elem("b", cmp.Or(v.Name, v.ID))
	b.Elem("span", v.Role, A("title", v.Role))
	b.End("span")
	next, icon, says := "dark", Lit("sun"), "Light. Switch to dark"
	switch f.Theme {
	case "":
		next, icon, says = "light", "palette", "Theme of the system. Switch to light"
	case "dark":
		next, icon, says = "system", "moon", "Dark. Switch to the system's theme"
	}
	if f.Token != "" {
		f.button(b, "/theme", says, icon, url.Values{"theme": {next}, "back": {f.Here}})
		if f.SignOut != "" {
			f.button(b, f.SignOut, "Sign out", "out", nil)
		}
	}
	b.End("div")
}

// button is a form of one button that shows a glyph.
func (f *Frame) button(b *Builder, action, says string, icon Lit, fields url.Values) {
	b.Open("form", A("method", "post"), A("action", action))
	b.Hidden(FormToken, f.Token)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		b.Hidden(name, fields.Get(name))
	}
	b.Open("button", A("class", "btn ghost sq"), A("type", "submit"), A("aria-label", says), A("title", says))
	b.Icon(icon)
	b.End("button")
	b.End("form")
}

// FormToken is the name of the field that holds a form to its session.
const FormToken = "form"

// Hidden writes a field that is not seen.
func (b *Builder) Hidden(name, value string) {
	b.raw(`<input type="hidden" name="`)
	escape(&b.b, name)
	b.raw(`" value="`)
	escapeWhole(&b.b, value)
	b.raw(`">`)
}

// tenantsShown is how many tenants the menu lists: the page has all.
const tenantsShown = 12

func (f *Frame) tenants(b *Builder, p *Page) {
	if len(f.Tenants) == 0 {
		return
	}
	to := f.whither(p)
	b.Open("div", A("class", "menu"), A("id", "tenants"), A("popover", "auto"))
	b.Open("form", A("class", "searchbox"), A("action", "/tenants"), A("role", "search"))
	b.Icon("search")
	b.Void("input", A("class", "in"), A("type", "search"), A("name", "q"), A("aria-label", "Find a tenant"), A("placeholder", "Find a tenant"),
		A("maxlength", "200"))
	b.Hidden("to", to)
	b.End("form")
	b.Open("ul")
	if len(f.Tenants) > 1 && p.Screen != nil && p.Screen.Over == OfAll {
		b.Open("li")
		b.Open("a", A("href", "/"+p.Screen.Name), If(f.Tenant.ID == "", A("aria-current", "true")))
		b.Open("span", A("class", "ava"), A("aria-hidden", "true"))
		b.Icon("customers")
		b.End("span")
		b.Text("All tenants")
		b.End("a")
		b.End("li")
	}
	for i := range min(len(f.Tenants), tenantsShown) {
		b.Open("li")
		f.Tenants[i].link(b, to, f.Tenant.ID)
		b.End("li")
	}
	b.End("ul")
	if more := len(f.Tenants) - tenantsShown; more > 0 {
		b.Elem("a", print.Number(int64(more))+" more", A("class", "btn ghost wide"), A("href", With("/tenants", "to", to)))
	}
	b.End("div")
}

// whither is the page that a choice of tenant leads to: this one where it is of a
// tenant.
func (f *Frame) whither(p *Page) string {
	if p.Screen != nil && (p.Screen.Over == OfTenant || p.Screen.Over == OfAll) {
		return p.Screen.Name
	}
	for _, g := range []Group{Posture, Reach, Evidence} {
		for _, s := range f.rail()[g] {
			if s.Over == OfTenant || s.Over == OfAll {
				return s.Name
			}
		}
	}
	return ""
}

func (t *Tenant) link(b *Builder, to, now string) {
	b.Open("a", A("href", With("/"+to, "tenant", t.ID)), If(t.ID == now, A("aria-current", "true")))
	b.Elem("span", initials(t.called()), A("class", "ava"), A("aria-hidden", "true"))
	b.Elem("span", t.called())
	switch {
	case t.Local:
		b.Elem("span", "not Microsoft", A("class", "meta"))
	case t.Partner:
		b.Elem("span", "partner", A("class", "meta"))
	case t.Domain != t.called():
		b.Elem("span", t.Domain, A("class", "meta"))
	}
	b.End("a")
}

// quick are the pages of the bar on a phone, where the viewer has them.
var quick = []string{"status", "coverage", "signins", "customers", "people", "alerts", "collection"}

func (f *Frame) bar(b *Builder, p *Page) {
	b.Open("nav", A("class", "bar"), A("aria-label", "Quick"))
	n := 0
	for _, name := range quick {
		i := slices.IndexFunc(f.Screens, func(s Screen) bool { return s.Name == name && s.Group != Nowhere && f.Viewer.May(s.See) })
		if i >= 0 && n < 4 {
			f.railLink(b, p, &f.Screens[i], false)
			n++
		}
	}
	b.Open("button", A("type", "button"), A("popovertarget", "nav"))
	b.Icon("menu")
	b.Text("More")
	b.End("button")
	b.End("nav")
}
