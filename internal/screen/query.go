package screen

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"partnerguard/internal/problem"
)

// Query is what an address says of a list. The zero value is the first page of all of
// it in the list's own order.
type Query struct {
	Text    string              // q: every word of it is somewhere in the row
	Filters map[string][]string // by filter: one of the values
	Sort    string              // a column's name, "-" before it for descending; "" is the list's
	Page    int                 // from 1
	Size    int                 // rows a page
	Row     string              // the row that is open
}

// Limits of a query.
const (
	Size    = 100  // rows a page where nothing else is said
	MaxSize = 1000 // rows a page at most
	maxText = 256  // bytes of a member
	maxMany = 50   // values of a filter
)

// own are the members of a query that every list has.
var own = []string{"q", "sort", "page", "size", "row", "tenant"}

// Parse reads a query. more are members that are somebody else's. What is not
// understood is refused with the words that are: kind problem.Usage.
func Parse(l Lister, values url.Values, more ...string) (Query, error) {
	q := Query{Page: 1, Size: Size}
	if l != nil && l.perPage() > 0 {
		q.Size = l.perPage()
	}
	for name, list := range values {
		for _, v := range list {
			if len(v) > maxText || !utf8.ValidString(v) || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' }) {
				return q, problem.New(problem.Usage, "%s in the address is longer than %d bytes or holds signs that no text has", known(name), maxText)
			}
		}
		switch {
		case slices.Contains(more, name) || name == "tenant":
		case l != nil && slices.Contains(own, name):
			if len(list) > 1 {
				return q, problem.New(problem.Usage, "%s is in the address more than once", name)
			}
			if err := q.member(l, name, list[0]); err != nil {
				return q, err
			}
		case l != nil && slices.Contains(l.filters(), name):
			if len(list) > maxMany {
				return q, problem.New(problem.Usage, "%s is in the address more than %d times", name, maxMany)
			}
			if q.Filters == nil {
				q.Filters = map[string][]string{}
			}
			q.Filters[name] = list
		default:
			return q, unknown("member of the address", name, members(l, more))
		}
	}
	return q, nil
}

func (q *Query) member(l Lister, name, v string) error {
	switch name {
	case "q":
		q.Text = strings.TrimSpace(v)
	case "row":
		q.Row = v
	case "sort":
		if v != "" && !slices.Contains(l.sorts(), strings.TrimPrefix(v, "-")) {
			return unknown("order", v, l.sorts())
		}
		q.Sort = v
	case "page", "size":
		n, err := strconv.Atoi(v)
		most := 1_000_000
		if name == "size" {
			most = MaxSize
		}
		if err != nil || n < 1 || n > most {
			return problem.New(problem.Usage, "%s is a whole number from 1 to %d", name, most)
		}
		if name == "page" {
			q.Page = n
		} else {
			q.Size = n
		}
	}
	return nil
}

func members(l Lister, more []string) []string {
	if l == nil {
		return append(slices.Clone(more), "tenant")
	}
	return slices.Concat(own, l.filters(), more)
}

func unknown(what, has string, are []string) error {
	e := problem.New(problem.Usage, "there is no %s %s", what, known(has))
	if len(are) > 0 {
		return e.WithHint("there is %s", strings.Join(are, ", "))
	}
	return e
}

// known is a name as an error may repeat it.
func known(s string) string {
	if len(s) > 40 || strings.ContainsFunc(s, func(r rune) bool { return r < '!' || r > '~' }) {
		return "of that name"
	}
	return strconv.Quote(s)
}

// Values is the query as an address says it, with what is as it would be anyway left
// out.
func (q Query) Values() url.Values { return q.values(Size) }

// values is Values of a list with so many rows a page.
func (q Query) values(size int) url.Values {
	v := url.Values{}
	for name, list := range q.Filters {
		if len(list) > 0 {
			v[name] = slices.Clone(list)
		}
	}
	for name, s := range map[string]string{"q": q.Text, "sort": q.Sort, "row": q.Row} {
		if s != "" {
			v.Set(name, s)
		}
	}
	if q.Page > 1 {
		v.Set("page", strconv.Itoa(q.Page))
	}
	if q.Size != size && q.Size > 0 {
		v.Set("size", strconv.Itoa(q.Size))
	}
	return v
}
