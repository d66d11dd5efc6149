package center

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"partnerguard/internal/partnercloud/kit"
)

// collection is the paged form (a) of contracts.md section 2.2.
type collection struct {
	TotalCount int        `json:"totalCount"`
	Items      any        `json:"items"`
	Links      *links     `json:"links,omitempty"`
	Attributes attributes `json:"attributes"`
}

type attributes struct {
	ETag       string `json:"etag,omitempty"`
	ObjectType string `json:"objectType"`
}

func object(kind string) attributes { return attributes{ObjectType: kind} }

type links struct {
	Self *link `json:"self,omitempty"`
	Next *link `json:"next,omitempty"`
}

type link struct {
	URI     string   `json:"uri"`
	Method  string   `json:"method"`
	Headers []header `json:"headers"`
}

type header struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

func list[T any](items []T) collection {
	if items == nil {
		items = []T{}
	}
	return collection{TotalCount: len(items), Items: items, Attributes: object("Collection")}
}

// pager seals continuation tokens, so that none can be made or changed outside.
type pager struct{ *kit.Sealer }

func newPager() pager { return pager{kit.NewSealer()} }

// place is where the next page begins. It is good for the same tenant and the
// same question.
type place struct {
	Tenant   string `json:"t"`
	Question string `json:"q"`
	Offset   int    `json:"o"`
}

func (p pager) seal(v place) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("center: a page token has no JSON: " + err.Error()) // strings and numbers alone
	}
	return p.Seal("", b)
}

func (p pager) open(text string) (v place, ok bool) {
	b, ok := p.Open("", text)
	return v, ok && json.Unmarshal(b, &v) == nil && v.Offset >= 0
}

const (
	defaultSize = 100
	maxSize     = 500
)

// page cuts a list by size and the continuation token in MS-ContinuationToken
// (with seekOperation=Next). The links leave the version out, as the
// documentation's examples do: /customers?size=2&seekOperation=Next.
func page[T, V any](k *call, all []T, view func(T) V) (collection, *fault) {
	return pageOf(k, all, view, defaultSize, maxSize)
}

// pageOf is page with sizes of its own. An offset, where the operation takes one, is
// where to begin instead.
func pageOf[T, V any](k *call, all []T, view func(T) V, size, most int) (collection, *fault) {
	if v := k.query("size"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return collection{}, refuse(http.StatusBadRequest, 400, "size is not a positive number.")
		}
		size = min(n, most)
	}
	sum := sha256.Sum256([]byte(strings.ToLower(k.URL.EscapedPath() + "?" + k.otherOptions())))
	here := place{Tenant: k.who.Tenant, Question: base64.RawURLEncoding.EncodeToString(sum[:12])}
	if v := k.query("offset"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			return collection{}, refuse(http.StatusBadRequest, 400, "offset is not a number.")
		}
		here.Offset = n
	}
	if v := k.query("seekOperation"); v != "" && !strings.EqualFold(v, "Next") {
		return collection{}, refuse(http.StatusBadRequest, 400, "seekOperation can only be Next.")
	}
	if v := k.Header.Get("MS-ContinuationToken"); v != "" {
		at, good := k.c.pages.open(v)
		if !good || at.Tenant != here.Tenant || at.Question != here.Question {
			return collection{}, refuse(http.StatusBadRequest, 400, "The continuation token is not valid.")
		}
		here.Offset = at.Offset
		if k.query("offset") != "" {
			return collection{}, refuse(http.StatusBadRequest, 400, "offset and MS-ContinuationToken both say where to begin.")
		}
	} else if strings.EqualFold(k.query("seekOperation"), "Next") {
		return collection{}, refuse(http.StatusBadRequest, 400, "seekOperation=Next needs the header MS-ContinuationToken of the page before.")
	}
	start := min(here.Offset, len(all))
	end := min(start+size, len(all))
	rows := make([]V, 0, end-start)
	for _, v := range all[start:end] {
		rows = append(rows, view(v))
	}
	out := list(rows)
	out.TotalCount = len(all)
	out.Links = &links{Self: &link{URI: k.linkURI(size, false), Method: http.MethodGet, Headers: []header{}}}
	if end < len(all) {
		here.Offset = end
		out.Links.Next = &link{URI: k.linkURI(size, true), Method: http.MethodGet, Headers: []header{{"MS-ContinuationToken", k.c.pages.seal(here)}}}
	}
	return out, nil
}

// otherOptions are the query options but those that say which page.
func (k *call) otherOptions() string {
	q := k.URL.Query()
	for name := range q {
		if strings.EqualFold(name, "size") || strings.EqualFold(name, "offset") || strings.EqualFold(name, "seekOperation") {
			delete(q, name)
		}
	}
	return q.Encode()
}

func (k *call) linkURI(size int, next bool) string {
	path := k.URL.EscapedPath()
	if len(path) > 3 && strings.EqualFold(path[:4], "/v1/") {
		path = path[3:]
	}
	q := "?size=" + strconv.Itoa(size)
	if other := k.otherOptions(); other != "" {
		q += "&" + other
	}
	if next {
		q += "&seekOperation=Next"
	}
	return path + q
}

// filter is the JSON in ?filter= (contracts.md section 2.2).
type filter struct {
	Field    string `json:"Field"`
	Value    string `json:"Value"`
	Operator string `json:"Operator"`
}

const maxFilter = 2 << 10

// parseFilter reads a filter on one of the fields that a list allows.
func parseFilter(text string, fields ...string) (*filter, *fault) {
	if text == "" {
		return nil, nil
	}
	bad := func(why string) (*filter, *fault) {
		value, operator := "con", "starts_with"
		if fields[0] == "UserState" {
			value, operator = "Inactive", "equals" // what that field takes
		}
		return nil, refuse(http.StatusBadRequest, 400, `The filter is not valid: %s. Example: {"Field":"%s","Value":"%s","Operator":"%s"}`, why,
			fields[0], value, operator)
	}
	if len(text) > maxFilter {
		return bad("it is too long")
	}
	f := new(filter)
	if err := kit.Object([]byte(text), f); err != nil {
		return bad("it is not a JSON object of three texts: " + err.Error())
	}
	known := false
	for _, n := range fields {
		if strings.EqualFold(n, f.Field) {
			f.Field, known = n, true
		}
	}
	if !known {
		return bad("the field is none of " + strings.Join(fields, ", "))
	}
	f.Operator = strings.ToLower(f.Operator)
	switch f.Operator {
	case "starts_with", "substring", "equals":
	default:
		return bad("the operator is none of starts_with, substring, equals")
	}
	return f, nil
}

// matches reports that a value passes the filter, without case.
func (f *filter) matches(value string) bool {
	value, want := strings.ToLower(value), strings.ToLower(f.Value)
	switch f.Operator {
	case "starts_with":
		return strings.HasPrefix(value, want)
	case "substring":
		return strings.Contains(value, want)
	}
	return value == want
}
