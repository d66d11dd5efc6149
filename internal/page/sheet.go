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
	var used strings.Builder
	for l := range strings.Lines(sprite) {
		if _, id, _ := strings.Cut(l, `id="`); bytes.Contains(b.Bytes(), []byte("#"+id[:strings.IndexByte(id, '"')])) {
			used.WriteString(l)
		}
	}
	page := string(b.Bytes()[:end])
	if used.Len() > 0 {
		page += `<svg class="sprite" aria-hidden="true" focusable="false">` + "\n" + used.String() + "</svg>\n"
	}
	_, err := io.WriteString(w, page+string(b.Bytes()[end:]))
	return err
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
