package odata

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const maxQuery = 32 << 10

// Query is the system query options of one request.
type Query struct {
	Filter  *Filter
	Select  []string
	Expand  []Expand
	OrderBy []Order
	Top     int // -1: not given
	Skip    int
	Count   bool
	Search  []Search // any of them

	Format     string // $format in lower case
	SkipToken  string
	DeltaToken string

	// Canonical is the query without its tokens, sorted: what a token is bound to.
	Canonical string
	// Given names the options that were given, in lower case.
	Given []string
	// Other holds what is no system query option: arguments of functions.
	Other url.Values
}

// Has reports an option by its name with the dollar sign.
func (q *Query) Has(option string) bool { return slices.Contains(q.Given, option) }

// Expand is one navigation to expand.
type Expand struct {
	Name   string
	Select []string
	Levels int      // how deep; 0: not given, -1: max
	Others []string // options that are known to OData, for the caller to refuse
}

// Order is one $orderby term.
type Order struct {
	Path []string
	Desc bool
}

// Search is one "property:value" term.
type Search struct{ Property, Value string }

// loose are the options that Graph's beta takes without the dollar sign.
var loose = []string{"select", "filter", "expand", "orderby", "top", "skip", "count", "search", "skiptoken", "deltatoken", "format"}

// Option is the name of a query argument in lower case, with the dollar sign of a
// system query option where beta lets it be missing.
func Option(name string, beta bool) string {
	name = strings.ToLower(name)
	if beta && slices.Contains(loose, name) {
		return "$" + name
	}
	return name
}

// Parse reads a raw query. Semicolons inside $expand are kept. beta says that the
// dollar signs may be missing.
func Parse(raw string, beta bool) (*Query, error) {
	q := &Query{Top: -1, Other: url.Values{}}
	if len(raw) > maxQuery {
		return nil, bad("The query string is too long.")
	}
	var canonical []string
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		k, v, _ := strings.Cut(part, "=")
		key, err := url.QueryUnescape(k)
		if err != nil {
			return nil, bad("The query string is not properly escaped.")
		}
		val, err := url.QueryUnescape(v)
		if err != nil {
			return nil, bad("The query string is not properly escaped.")
		}
		lower := Option(key, beta)
		if !strings.HasPrefix(lower, "$") {
			q.Other.Add(key, val)
			canonical = append(canonical, lower+"="+val)
			continue
		}
		if slices.Contains(q.Given, lower) {
			return nil, bad("Query option '%s' was specified more than once, but it must be specified at most once.", key)
		}
		q.Given = append(q.Given, lower)
		if lower != "$skiptoken" && lower != "$deltatoken" {
			canonical = append(canonical, lower+"="+val)
		}
		if err := q.option(lower, val); err != nil {
			return nil, err
		}
	}
	slices.Sort(canonical)
	q.Canonical = strings.Join(canonical, "&")
	return q, nil
}

func (q *Query) option(key, val string) error {
	var err error
	switch key {
	case "$filter":
		q.Filter, err = ParseFilter(val)
	case "$select":
		q.Select, err = names(val)
	case "$expand":
		q.Expand, err = expands(val)
	case "$orderby":
		q.OrderBy, err = orders(val)
	case "$top":
		if q.Top, err = strconv.Atoi(val); err != nil || q.Top < 0 {
			err = bad("Invalid value '%s' for $top query option found. The $top query option requires a non-negative integer value.", short(val))
		}
	case "$skip":
		if q.Skip, err = strconv.Atoi(val); err != nil || q.Skip < 0 {
			err = bad("Invalid value '%s' for $skip query option found. The $skip query option requires a non-negative integer value.", short(val))
		}
	case "$count":
		switch strings.ToLower(val) {
		case "true":
			q.Count = true
		case "false":
		default:
			err = bad("Invalid value '%s' for $count query option found. Valid values are 'true' and 'false'.", short(val))
		}
	case "$search":
		q.Search, err = searches(val)
	case "$skiptoken":
		q.SkipToken = val
	case "$deltatoken":
		q.DeltaToken = val
	case "$format":
		if v := strings.ToLower(val); v != "json" && v != "application/json" && !strings.HasPrefix(v, "application/json;odata.metadata=") {
			err = bad("The $format '%s' is not supported.", short(val))
		}
		q.Format = strings.ToLower(val)
	default:
		err = bad("The query parameter '%s' is not supported.", short(key))
	}
	return err
}

func short(s string) string {
	if len(s) > 40 {
		return s[:40]
	}
	return s
}

func names(val string) ([]string, error) {
	var out []string
	for n := range strings.SplitSeq(val, ",") {
		n = strings.TrimSpace(n)
		if n == "" || strings.ContainsAny(n, "()'\" ") {
			return nil, bad("Parsing $select failed: term '%s' is not valid in a $select expression.", short(n))
		}
		if len(out) > 300 {
			return nil, bad("Parsing $select failed: too many terms.")
		}
		out = append(out, n)
	}
	return out, nil
}

func expands(val string) ([]Expand, error) {
	var out []Expand
	for val != "" {
		i := strings.IndexAny(val, ",(")
		e := Expand{}
		switch {
		case i < 0:
			e.Name, val = val, ""
		case val[i] == ',':
			e.Name, val = val[:i], val[i+1:]
		default:
			e.Name = val[:i]
			j := strings.IndexByte(val, ')')
			if j < 0 {
				return nil, bad("Parsing $expand failed: a parenthesis is not closed.")
			}
			for opt := range strings.SplitSeq(val[i+1:j], ";") {
				k, v, _ := strings.Cut(opt, "=")
				switch strings.ToLower(strings.TrimSpace(k)) {
				case "$select":
					sel, err := names(v)
					if err != nil {
						return nil, err
					}
					e.Select = sel
				case "$levels":
					if v = strings.TrimSpace(v); strings.EqualFold(v, "max") {
						e.Levels = -1
					} else if n, err := strconv.Atoi(v); err != nil || n < 1 {
						return nil, bad("Parsing $expand failed: $levels must be a positive number or max.")
					} else {
						e.Levels = n
					}
				case "$top", "$count", "$filter", "$orderby", "$skip", "$search":
					e.Others = append(e.Others, strings.ToLower(strings.TrimSpace(k)))
				default:
					return nil, bad("Parsing $expand failed: option '%s' is not supported.", short(k))
				}
			}
			val = strings.TrimPrefix(val[j+1:], ",")
		}
		if e.Name = strings.TrimSpace(e.Name); e.Name == "" || len(out) > 20 {
			return nil, bad("Parsing $expand failed.")
		}
		out = append(out, e)
	}
	return out, nil
}

func orders(val string) ([]Order, error) {
	var out []Order
	for term := range strings.SplitSeq(val, ",") {
		f := strings.Fields(term)
		if len(f) == 0 || len(f) > 2 || len(out) > 5 {
			return nil, bad("Syntax error in $orderby.")
		}
		o := Order{Path: strings.Split(f[0], "/")}
		if len(f) == 2 {
			switch strings.ToLower(f[1]) {
			case "asc":
			case "desc":
				o.Desc = true
			default:
				return nil, bad("Syntax error in $orderby: '%s'.", short(f[1]))
			}
		}
		out = append(out, o)
	}
	return out, nil
}

// searches reads "displayName:Anna" OR "mail:anna"; AND is refused.
func searches(val string) ([]Search, error) {
	var out []Search
	for term := range strings.SplitSeq(val, " OR ") {
		term = strings.TrimSpace(term)
		if len(term) < 2 || term[0] != '"' || term[len(term)-1] != '"' || len(out) > 10 {
			return nil, bad("Syntax error: $search needs quoted \"property:value\" terms joined by OR.")
		}
		p, v, ok := strings.Cut(term[1:len(term)-1], ":")
		if !ok || p == "" || strings.Contains(v, "\"") {
			return nil, bad("Syntax error: $search needs quoted \"property:value\" terms joined by OR.")
		}
		out = append(out, Search{p, v})
	}
	return out, nil
}

// Found reports whether an object has one of the searched words: at the
// beginning of a word of the property, without case.
func Found(row any, terms []Search) bool {
	for _, t := range terms {
		v, _ := plain(Lookup(row, []string{t.Property})).(string)
		want := strings.ToLower(t.Value)
		for w := range strings.FieldsFuncSeq(strings.ToLower(v), func(r rune) bool { return strings.ContainsRune(" -_.@,", r) }) {
			if strings.HasPrefix(w, want) {
				return true
			}
		}
		if want != "" && strings.HasPrefix(strings.ToLower(v), want) {
			return true
		}
	}
	return false
}
