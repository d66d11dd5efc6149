package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"regexp"
	"strings"
	"sync"

	"partnerguard/internal/print"
)

//go:embed tokens.css
var tokensCSS string

//go:embed components.css
var componentsCSS string

//go:embed report.css
var reportCSS string

// Icon is the icon of the browser's tab, an SVG.
//
//go:embed icon.svg
var Icon string

//go:embed sprite.html
var sprite string

// Sheet is one style sheet with the hash by which a content security policy
// allows it, quoted as the policy wants it.
type Sheet struct {
	CSS  template.CSS
	Hash string
}

// NewSheet is the tokens and components of every page, then rules of one's
// own, which go to the layer "feature". Rules are our own files, never input.
func NewSheet(rules ...string) Sheet {
	css := compact(tokensCSS + componentsCSS + strings.Join(rules, ""))
	return Sheet{template.CSS(css), Hash(css)} //nolint:gosec // our own files
}

// Policy is the content security policy of a page with this sheet: nothing is
// loaded, nothing runs, nobody frames it, and its forms go to form, 'none' where it
// has none.
func (s Sheet) Policy(form string) string {
	return "default-src 'none'; style-src " + s.Hash + "; base-uri 'none'; form-action " + form + "; frame-ancestors 'none'"
}

// Hash is the source expression of an inline style or script (CSP Level 3,
// section 2.3.1).
func Hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// report is the style sheet of a report.
var report = sync.OnceValue(func() Sheet { return NewSheet(reportCSS) })

var (
	cssComment = regexp.MustCompile(`(?s)/\*.*?\*/`)
	cssSpace   = regexp.MustCompile(`\s+`)
	cssSign    = regexp.MustCompile(` ?([{};,]) ?`)
)

// compact takes comments and needless spaces out of a style sheet of ours: no
// string in it holds a sign or more than one space.
func compact(css string) string {
	return cssSign.ReplaceAllString(cssSpace.ReplaceAllString(cssComment.ReplaceAllString(css, ""), " "), "$1")
}

// Write executes a page's template, and gives it those glyphs and patterns
// that it uses.
func Write(w io.Writer, t *template.Template, view any) error {
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "page", view); err != nil {
		return err
	}
	end := bytes.LastIndex(b.Bytes(), []byte("</body>"))
	if end < 0 {
		end = b.Len()
	}
	page := string(b.Bytes()[:end]) + Sprite(b.Bytes(), "")
	_, err := io.WriteString(w, page+string(b.Bytes()[end:]))
	return err
}

// Sprite is the glyphs and patterns that a page refers to, as the one inline picture
// that a page ends with; "" where it refers to none. more are symbols beside those of
// every page, one a line: files of ours.
func Sprite(page []byte, more string) string {
	wanted := map[string]bool{}
	for rest := page; ; {
		i := bytes.IndexByte(rest, '#')
		if i < 0 {
			break
		}
		rest = rest[i+1:]
		n := bytes.IndexFunc(rest, func(r rune) bool { return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') })
		if n > 0 && n < 32 {
			wanted[string(rest[:n])] = true
		}
	}
	var used strings.Builder
	for l := range strings.Lines(sprite + more) {
		if _, id, _ := strings.Cut(l, `id="`); wanted[id[:max(strings.IndexByte(id, '"'), 0)]] {
			used.WriteString(l)
		}
	}
	if used.Len() == 0 {
		return ""
	}
	return `<svg class="sprite" aria-hidden="true" focusable="false">` + "\n" + used.String() + "</svg>\n"
}

// Renderer writes one kind of page by its template, which is parsed at the first
// use.
func Renderer(text string, funcs template.FuncMap) func(io.Writer, any) error {
	t := sync.OnceValue(func() *template.Template { return Template(text, funcs) })
	return func(w io.Writer, view any) error { return Write(w, t(), view) }
}

// Said is a verdict as a page says it: the template "badge" tints it, "bare"
// does not.
type Said struct {
	Tone print.Tone
	Word string
}

// SaidOf is a verdict by its own word.
func SaidOf[T ~string](verdict T) Said {
	return Said{print.ToneOf(verdict), print.VerdictWord(verdict)}
}

// glyph names the shape of a tone.
func glyph(t print.Tone) string {
	if t == print.Cautious {
		return "warn"
	}
	return t.Class
}
