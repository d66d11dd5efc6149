package screen

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// maxField is how many bytes a field takes where it says nothing else.
const maxField = 1000

// asks says whether an act has fields to fill in beside those that are given.
func (a *Act) asks(given url.Values) bool {
	return slices.ContainsFunc(a.Form, func(x Field) bool { return x.Kind != "hidden" && !given.Has(x.Name) })
}

// Asks says whether an act has fields that a person fills in.
func (a *Act) Asks() bool { return a.asks(nil) }

// Check holds a form to what the act takes: kind problem.Usage with the field's name
// where it is not. Spaces around a value are no part of it. The tenant and the form's
// token are not the act's.
func (a *Act) Check(form url.Values) (url.Values, error) {
	out := url.Values{}
	for name, list := range form {
		i := slices.IndexFunc(a.Form, func(x Field) bool { return x.Name == name })
		if i < 0 {
			var names []string
			for _, x := range a.Form {
				names = append(names, x.Name)
			}
			return nil, unknown("field", name, names)
		}
		for _, v := range list {
			v, err := a.Form[i].check(v)
			if err != nil {
				return nil, err
			}
			if v != "" {
				out.Add(name, v)
			}
		}
		if len(list) > maxMany || len(list) > 1 && !a.Form[i].Many {
			return nil, problem.New(problem.Usage, "%s is there more than once", a.Form[i].called())
		}
	}
	for i := range a.Form {
		if x := &a.Form[i]; x.Required && !out.Has(x.Name) {
			return nil, problem.New(problem.Usage, "%s is missing", x.called())
		}
	}
	return out, nil
}

func (x *Field) called() string { return cmp.Or(x.Label, x.Name) }

func (x *Field) check(v string) (string, error) {
	v = strings.TrimSpace(strings.ReplaceAll(v, "\r\n", "\n"))
	most := x.Max
	if most == 0 {
		most = maxField
	}
	switch {
	case len(v) > most:
		return "", problem.New(problem.Usage, "%s is longer than %s bytes", x.called(), print.Number(int64(most)))
	case !utf8.ValidString(v) || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' && (r != '\n' || x.Kind != "area") }):
		return "", problem.New(problem.Usage, "%s holds signs that no text has", x.called())
	case v != "" && len(x.Enum) > 0 && !slices.Contains(x.Enum, v):
		return "", problem.New(problem.Usage, "%s is none of what there is", x.called()).WithHint("there is %s", strings.Join(x.Enum, ", "))
	case v != "" && x.Kind == "check" && v != "on":
		return "", problem.New(problem.Usage, "%s is a box: its value is on", x.called())
	}
	return v, nil
}

// Form is the form of an act, as a block of a page. Outside of a page, and where the
// viewer may not, it writes nothing.
type Form struct {
	Screen *Screen
	Act    string
	Values url.Values // what stands in its fields
	Button string     // "" is the act's title
	Fault  string     // what was wrong with what was sent
	Hint   string
	Plain  bool // without a card around it
}

// Build writes it.
func (m Form) Build(b *Builder) {
	act := m.Screen.act(m.Act)
	if act == nil || b.frame == nil || b.frame.Token == "" || !b.frame.Viewer.May(act.Do) {
		return
	}
	class := "card act"
	if m.Plain {
		class = "act"
	}
	b.Open("form", A("class", class), A("method", "post"), A("action", With("/"+m.Screen.Name+"/"+act.Name, "tenant", b.frame.Tenant.ID)))
	b.Hidden(FormToken, b.frame.Token)
	b.Class("div", "stack")
	if m.Fault != "" {
		b.Open("div", A("role", "alert"))
		Notice{Tone: print.Bad, Lead: print.Ended(m.Fault), Text: print.Ended(m.Hint)}.Build(b)
		b.End("div")
	}
	if act.About != "" {
		b.Elem("p", act.About, A("class", "note"))
	}
	for i := range act.Form {
		act.Form[i].build(b, m.Values[act.Form[i].Name])
	}
	b.Class("div", "row")
	b.Elem("button", cmp.Or(m.Button, act.Title), A("class", "btn pri"), A("type", "submit"))
	b.End("div")
	b.End("div")
	b.End("form")
}

func (x *Field) build(b *Builder, values []string) {
	value := ""
	if len(values) > 0 {
		value = values[0]
	}
	if x.Kind == "hidden" {
		for _, v := range values {
			b.Hidden(x.Name, v)
		}
		return
	}
	id := b.ID()
	if x.Kind == "check" {
		b.Open("label", A("class", "check"))
		b.Void("input", A("type", "checkbox"), A("name", x.Name), A("value", "on"), If(value != "", A("checked", "")), If(x.Required, A("required", "")))
		b.Open("span")
		b.Text(x.called())
		x.hint(b, "")
		b.End("span")
		b.End("label")
		return
	}
	b.Class("div", "field")
	b.Open("label", A("for", id))
	b.Text(x.called())
	if !x.Required {
		b.Elem("span", " (optional)", A("class", "hint"))
	}
	b.End("label")
	most := count(int64(cmp.Or(x.Max, maxField)))
	common := []Attr{A("class", "in"), A("id", id), A("name", x.Name), If(x.Required, A("required", "")), If(x.Hint != "", A("aria-describedby", id+"h"))}
	switch {
	case x.Kind == "select" || len(x.Enum) > 0 && x.Kind != "date":
		b.Open("select", append(common, If(x.Many, A("multiple", "")))...)
		if !x.Required && !x.Many {
			b.Elem("option", "", A("value", ""))
		}
		for _, v := range x.Enum {
			b.Elem("option", strings.ReplaceAll(v, "_", " "), A("value", v), If(slices.Contains(values, v), A("selected", "")))
		}
		b.End("select")
	case x.Kind == "area":
		b.Open("textarea", append(common, A("maxlength", most), A("rows", "4"))...)
		escapeWhole(&b.b, value)
		b.End("textarea")
	default:
		kind := "text"
		if x.Kind == "date" {
			kind = "date"
		}
		b.raw("<input")
		for _, a := range append(common, A("type", kind), A("maxlength", most), A("value", value)) {
			if a.Name != "" && (kind == "text" || a.Name != "maxlength") {
				b.raw(" " + string(a.Name) + `="`)
				escapeWhole(&b.b, a.Value)
				b.raw(`"`)
			}
		}
		b.raw(">")
	}
	x.hint(b, id+"h")
	b.End("div")
}

func (x *Field) hint(b *Builder, id string) {
	if x.Hint != "" {
		b.Elem("span", x.Hint, A("class", "hint"), If(id != "", A("id", id)))
	}
}
