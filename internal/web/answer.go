package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"
)

//go:embed page.css
var pageCSS string

//go:embed page.tmpl
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// closed is the content security policy of what has none of its own; pagePolicy
// that of the kernel's pages, which may have their style and no more.
const closed = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

var pagePolicy = func() string {
	sum := sha256.Sum256([]byte(pageCSS))
	return closed + "; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}()

// Problem is an answer by RFC 9457 section 3.1. Its type is about:blank, so that
// the title is the status's; the instance is the request's id; hint says what to
// do next.
type Problem struct {
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail,omitempty"`
	Instance string `json:"instance"`
	Hint     string `json:"hint,omitempty"`
}

// instance is the URI of a request, by its id.
const instance = "urn:partnerguard:request:"

// answer writes an error that has no other form.
func answer(q *request, page bool, status int, err error) {
	words, hint := shown(status, err)
	p := Problem{"about:blank", title(status), status, words, instance + q.id, hint}
	head := q.Header()
	var b bytes.Buffer
	if page {
		view := struct {
			CSS             template.CSS
			Title, ID       string
			Words, Hint, At string
		}{template.CSS(pageCSS), p.Title, q.id, sentence(words), sentence(hint), strconv.Itoa(status)} //nolint:gosec // our own file
		if pageTemplate.Execute(&b, view) == nil {
			head.Set("Content-Security-Policy", pagePolicy)
			head.Set("Content-Type", "text/html; charset=utf-8")
		}
	} else if json.NewEncoder(&b).Encode(p) == nil {
		head.Set("Content-Type", "application/problem+json")
	}
	q.WriteHeader(status)
	_, _ = q.Write(b.Bytes())
}

func title(status int) string {
	if t := http.StatusText(status); t != "" {
		return t
	}
	return "Error"
}

// sentence makes our lower-case words a sentence of a page.
func sentence(s string) string {
	if s == "" {
		return s
	}
	s = strings.ToUpper(s[:1]) + s[1:]
	if !strings.ContainsAny(s[len(s)-1:], ".!?") {
		s += "."
	}
	return s
}

// seconds is a duration as Retry-After says it (RFC 9110 section 10.2.3).
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
