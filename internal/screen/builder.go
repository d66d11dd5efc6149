package screen

import (
	"bytes"
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/page"
	"partnerguard/internal/print"
)

// Lit is a name or a text of ours: only constants become one without being asked to.
type Lit string

// Attr is one attribute of a tag.
type Attr struct {
	Name  Lit
	Value string
}

// A is an attribute.
func A(name Lit, value string) Attr { return Attr{name, value} }

// Builder writes HTML. It escapes every text and value, refuses what a page of ours
// never has (styles, scripts, handlers, addresses of other hosts), and remembers which
// tags are open. The zero value is ready. It is for one goroutine.
type Builder struct {
	b    bytes.Buffer
	open []Lit
	now  time.Time
	ids  int

	frame  *Frame // nil outside of a page: no form is written then
	closes string // the address without the open row, while a drawer is written
}

// NewBuilder makes a builder for a page of a moment.
func NewBuilder(now time.Time) *Builder { return &Builder{now: now} }

// Now is the moment of the page.
func (b *Builder) Now() time.Time { return b.now }

// ID makes an id that no other element of the page has.
func (b *Builder) ID() string { b.ids++; return "e" + strconv.Itoa(b.ids) }

// Bytes are what was written. It panics when a tag is still open: a mistake in the code.
func (b *Builder) Bytes() []byte {
	if len(b.open) > 0 {
		panic(fmt.Sprintf("screen: <%s> was not closed", b.open[len(b.open)-1]))
	}
	return b.b.Bytes()
}

// Open opens a tag.
func (b *Builder) Open(tag Lit, attrs ...Attr) {
	b.tag(tag, attrs)
	b.open = append(b.open, tag)
}

// Class opens a tag with a class.
func (b *Builder) Class(tag, class Lit) { b.Open(tag, Attr{"class", string(class)}) }

// End closes the innermost open tag, which must be this one.
func (b *Builder) End(tag Lit) {
	if n := len(b.open); n == 0 || b.open[n-1] != tag {
		panic(fmt.Sprintf("screen: </%s> closes what is not open: %v", tag, b.open))
	}
	b.open = b.open[:len(b.open)-1]
	b.b.WriteString("</")
	b.b.WriteString(string(tag))
	b.b.WriteByte('>')
}

// Void writes a tag that has no end: input, br, path.
func (b *Builder) Void(tag Lit, attrs ...Attr) {
	b.tag(tag, attrs)
	switch tag {
	case "input", "br", "img", "meta", "link", "hr", "col":
	default: // of SVG, where HTML knows the short form
		b.b.Truncate(b.b.Len() - 1)
		b.b.WriteString("/>")
	}
}

// Elem writes a tag with a text in it.
func (b *Builder) Elem(tag Lit, text string, attrs ...Attr) {
	b.Open(tag, attrs...)
	if tag == "a" {
		text = shown(text)
	}
	b.Text(text)
	b.End(tag)
}

// noName stands where a link, or what a row is called, would show nothing.
const noName = "(no name)"

// shown is a text that shows something.
func shown(text string) string {
	if print.Clean(text, 1) == "" {
		return noName
	}
	return text
}

func (b *Builder) tag(tag Lit, attrs []Attr) {
	switch tag {
	case "script", "style", "iframe", "object", "embed", "base":
		panic("screen: a page has no <" + string(tag) + ">")
	}
	b.b.WriteByte('<')
	b.b.WriteString(string(tag))
	for _, a := range attrs {
		if a.Name == "" { // an attribute that is not wanted here
			continue
		}
		if a.Name == "style" || strings.HasPrefix(string(a.Name), "on") {
			panic("screen: a tag has no " + string(a.Name))
		}
		v := a.Value
		if a.Name == "href" || a.Name == "action" || a.Name == "formaction" || a.Name == "src" {
			v = Path(v)
		}
		b.b.WriteByte(' ')
		b.b.WriteString(string(a.Name))
		b.b.WriteString(`="`)
		escape(&b.b, v)
		b.b.WriteByte('"')
	}
	b.b.WriteByte('>')
}

// If is the attribute where it is wanted, else one that is not written.
func If(wanted bool, a Attr) Attr {
	if wanted {
		return a
	}
	return Attr{}
}

// Path is an address as a page of ours may have it: a path of this server, a query, a
// place on the page, or a page of Microsoft's documentation; anything else is "#".
func Path(s string) string {
	switch {
	case s == "" || s[0] == '#' || s[0] == '?':
		return s
	case s[0] == '/' && !strings.HasPrefix(s, "//") && !strings.ContainsAny(s, "\\\r\n\t"):
		return s
	case page.DocURL(s) != "":
		return s
	}
	return "#"
}

// With is a path with members of an address added, in order.
func With(path string, pairs ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			v.Add(pairs[i], pairs[i+1])
		}
	}
	if len(v) == 0 {
		return path
	}
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	return path + sep + v.Encode()
}

// Text writes a text: signs that steer a terminal or turn its direction are shown as
// what they are. A space at an end stays, so that what is beside it does not touch.
func (b *Builder) Text(s string) {
	if strings.HasPrefix(s, " ") {
		b.b.WriteByte(' ')
	}
	escape(&b.b, s)
	if len(s) > 1 && strings.HasSuffix(s, " ") {
		b.b.WriteByte(' ')
	}
}

// maxTextLines bounds a text of many lines.
const maxTextLines = 2000

// Lines writes a text of many lines: how they begin stays.
func (b *Builder) Lines(s string) {
	n := 0
	for l := range strings.Lines(s) {
		if n++; n > maxTextLines {
			b.Text("…")
			return
		}
		l = strings.TrimRight(l, "\r\n")
		body := strings.TrimLeft(l, " \t")
		b.raw(strings.ReplaceAll(l[:min(len(l)-len(body), 80)], "\t", "  "))
		escape(&b.b, body)
		b.b.WriteByte('\n')
	}
}

// maxShown bounds one text of a page, in bytes.
const maxShown = 2000

func escape(w *bytes.Buffer, s string) {
	s = print.Clean(s, maxShown)
	last := 0
	for i := 0; i < len(s); i++ {
		var e string
		switch s[i] {
		case '&':
			e = "&amp;"
		case '<':
			e = "&lt;"
		case '>':
			e = "&gt;"
		case '"':
			e = "&#34;"
		case '\'':
			e = "&#39;"
		default:
			continue
		}
		w.WriteString(s[last:i])
		w.WriteString(e)
		last = i + 1
	}
	w.WriteString(s[last:])
}

// raw writes what is ours.
func (b *Builder) raw(s string) { b.b.WriteString(s) }

// escapeWhole escapes a value that must come back as it is.
func escapeWhole(w *bytes.Buffer, s string) { template.HTMLEscape(w, []byte(s)) }

// Icon writes a glyph of the sprite: a verdict's ("v-met"), or one of ours by its name
// ("clock"); sprite.html has them all.
func (b *Builder) Icon(id Lit) {
	if !strings.HasPrefix(string(id), "v-") && id != "mark" {
		id = "g-" + id
	}
	b.b.WriteString(`<svg class="i" aria-hidden="true"><use href="#`)
	escape(&b.b, string(id))
	b.b.WriteString(`"/></svg>`)
}

// Mark is the id of a tone's glyph.
func Mark(t print.Tone) Lit {
	if t == print.Cautious {
		return "v-warn"
	}
	if t.Class == "" {
		return "v-na"
	}
	return Lit("v-" + t.Class)
}

// Said writes a verdict: glyph and word, bare or tinted.
func (b *Builder) Said(s page.Said, bare bool) {
	class := "v " + s.Tone.Class
	if bare {
		class += " bare"
	}
	b.Open("span", A("class", class))
	b.Icon(Mark(s.Tone))
	b.Text(s.Word)
	b.End("span")
}

// Time writes a moment: relative where ago, else as a list has it, with the whole in its
// title.
func (b *Builder) Time(t time.Time, ago bool) {
	if t.IsZero() {
		b.Elem("span", "never", A("class", "q3"))
		return
	}
	words := Moment(t, b.now)
	if ago {
		words = Ago(t, b.now)
	}
	whole := t.UTC().Format("2006-01-02T15:04:05Z")
	b.Elem("time", words, A("datetime", whole), A("title", whole))
}

// Moment is a moment as a list shows it: the time alone on the same day, the year only
// where it is another.
func Moment(t, now time.Time) string {
	t, now = t.UTC(), now.UTC()
	switch {
	case t.Format(time.DateOnly) == now.Format(time.DateOnly):
		return t.Format("15:04:05")
	case t.Year() == now.Year():
		return t.Format("2 Jan, 15:04")
	}
	return t.Format("2 Jan 2006, 15:04")
}

// Ago is how long ago a moment was, or how far ahead it is.
func Ago(t, now time.Time) string {
	d := now.Sub(t)
	if d < 0 {
		return "in " + Span(-d)
	}
	if d < 5*time.Second {
		return "just now"
	}
	return Span(d) + " ago"
}

// year is as long as one is on average.
const year = 8766 * time.Hour

// Span is a duration in its two largest units at most.
func Span(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 10*time.Hour:
		return fmt.Sprintf("%d h %02d m", int(d.Hours()), int(d.Minutes())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	case d >= 2*year:
		return fmt.Sprintf("%d y %d mo", int(d/year), int(d%year/(year/12)))
	}
	return fmt.Sprintf("%d d", int(d.Hours()/24))
}

// Template writes what a template of ours makes, such as the plots of package page.
// It has been escaped by html/template.
func (b *Builder) Template(t *template.Template, name string, data any) {
	if err := t.ExecuteTemplate(&b.b, name, data); err != nil {
		panic("screen: " + err.Error()) // a broken template of ours: a test of the page meets it
	}
}
