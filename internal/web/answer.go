package web

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"strconv"
	"sync"
	"time"

	"partnerguard/internal/page"
	"partnerguard/internal/print"
)

//go:embed page.tmpl
var pageText string

//go:embed front.tmpl
var frontText string

var (
	writePage  = page.Renderer(pageText, nil)
	writeFront = page.Renderer(frontText, nil)
	pageSheet  = sync.OnceValue(func() page.Sheet { return page.NewSheet() })
)

// closed is the content security policy of what has none of its own.
const closed = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// errorPage is what a person is shown.
type errorPage struct {
	Problem
	CSS template.CSS
	ID  string
}

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
func answer(q *request, forPerson bool, status int, err error) {
	words, hint := shown(status, err)
	p := Problem{"about:blank", title(status), status, words, instance + q.id, hint}
	head := q.Header()
	var b bytes.Buffer
	if forPerson {
		sheet := pageSheet()
		p.Detail, p.Hint = print.Ended(words), print.Ended(hint)
		if writePage(&b, errorPage{p, sheet.CSS, q.id}) == nil {
			head.Set("Content-Security-Policy", sheet.Policy("'none'"))
			head.Set("Content-Type", "text/html; charset=utf-8")
		}
	} else if json.NewEncoder(&b).Encode(p) == nil {
		head.Set("Content-Type", "application/problem+json")
	}
	q.WriteHeader(status)
	_, _ = q.Write(b.Bytes())
}

// Answer writes an error as every route without a form of its own has it, for a
// [Route.Fail] that has one of some errors alone.
func Answer(w http.ResponseWriter, r *http.Request, status int, err error) {
	q, ok := w.(*request)
	if !ok {
		q = &request{ResponseWriter: w, id: RequestID(r.Context())}
	}
	if status == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") == "" {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	answer(q, q.route != nil && q.route.Page && WantsPage(r), status, err)
}

// WantsPage says that a client would rather have a page than JSON, or does not say.
func WantsPage(r *http.Request) bool { return wantsPage(r.Header.Values("Accept"), true) }

// Words are the words and the hint that may be told of an error with a status.
func Words(status int, err error) (words, hint string) { return shown(status, err) }

func title(status int) string {
	if t := http.StatusText(status); t != "" {
		return t
	}
	return "Error"
}

// seconds is a duration as Retry-After says it (RFC 9110 section 10.2.3).
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
