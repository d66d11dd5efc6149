package odata

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Bounds on a filter: far above what any client writes.
const (
	maxFilter = 16 << 10
	maxDepth  = 40
	maxTerms  = 500
)

// Error is a query that cannot be understood; its text is safe to show.
type Error struct{ Text string }

func (e *Error) Error() string { return e.Text }

func bad(format string, args ...any) *Error { return &Error{fmt.Sprintf(format, args...)} }

// Filter is a parsed $filter. It is immutable and safe for concurrent use.
type Filter struct {
	root  node
	paths [][]string
	exact []string
}

// Paths lists the properties that the filter reads, without those of lambda
// variables.
func (f *Filter) Paths() [][]string { return f.paths }

// Rename puts what name says in the place of the first name of every path: the
// spelling of the type. Call it before the filter is used.
func (f *Filter) Rename(name func(string) string) {
	for _, p := range f.paths {
		p[0] = name(p[0])
	}
}

// Exact makes eq, ne and in compare these properties with their case.
func (f *Filter) Exact(properties ...string) { f.exact = properties }

// Match reports whether an object passes. Comparing with what is null or of
// another type is false.
func (f *Filter) Match(row any) bool {
	ok, _ := f.root.eval(&env{row: row, exact: f.exact}).(bool)
	return ok
}

// Bounds gives the moments between which a property must lie for any row to
// pass, as far as the filter's outermost "and" terms say; zero means open.
func (f *Filter) Bounds(property string) (from, to time.Time) {
	var walk func(n node)
	walk = func(n node) {
		switch x := n.(type) {
		case *logic:
			if x.op == "and" {
				walk(x.a)
				walk(x.b)
			}
		case *compare:
			p, is := x.a.(*path)
			lit, isLit := x.b.(*literal)
			if !is || !isLit || len(p.names) != 1 || p.bound || p.names[0] != property {
				return
			}
			t, ok := lit.v.(time.Time)
			if !ok {
				s, isText := lit.v.(string)
				if !isText {
					return
				}
				if t, ok = parseTime(s); !ok {
					return
				}
			}
			if x.op == "ge" || x.op == "gt" || x.op == "eq" {
				if t.After(from) {
					from = t
				}
			}
			if x.op == "le" || x.op == "lt" || x.op == "eq" {
				if to.IsZero() || t.Before(to) {
					to = t
				}
			}
		}
	}
	walk(f.root)
	return from, to
}

type env struct {
	row  any
	name string // of the lambda variable
	elem any
	up   *env

	exact []string
}

// differ reports two texts that are the same but for their case, of a property that
// is compared with it.
func (e *env) differ(n node, a, b any) bool {
	p, ok := n.(*path)
	if !ok || p.bound || len(p.names) != 1 || !slices.Contains(e.exact, p.names[0]) {
		return false
	}
	x, isText := a.(string)
	y, also := b.(string)
	return isText && also && x != y
}

func (e *env) find(name string) (any, bool) {
	for x := e; x != nil; x = x.up {
		if x.name != "" && x.name == name {
			return x.elem, true
		}
	}
	return nil, false
}

type node interface{ eval(e *env) any }

type literal struct{ v any }

func (l *literal) eval(*env) any { return l.v }

type path struct {
	names []string
	bound bool // begins with a lambda variable
}

func (p *path) eval(e *env) any {
	if p.bound {
		v, _ := e.find(p.names[0])
		return Lookup(v, p.names[1:])
	}
	return Lookup(e.row, p.names)
}

type logic struct {
	op   string
	a, b node
}

func (l *logic) eval(e *env) any {
	a, _ := l.a.eval(e).(bool)
	if l.op == "and" && !a || l.op == "or" && a {
		return a
	}
	b, _ := l.b.eval(e).(bool)
	return b
}

type not struct{ a node }

func (n *not) eval(e *env) any {
	a, _ := n.a.eval(e).(bool)
	return !a
}

type compare struct {
	op   string
	a, b node
}

func (c *compare) eval(e *env) any {
	a, b := plain(c.a.eval(e)), plain(c.b.eval(e))
	if a == nil || b == nil {
		switch c.op {
		case "eq":
			return a == nil && b == nil
		case "ne":
			return (a == nil) != (b == nil)
		}
		return false
	}
	n, ok := Compare(a, b)
	if ok && n == 0 && (e.differ(c.a, a, b) || e.differ(c.b, a, b)) {
		n = 1
	}
	switch c.op {
	case "eq":
		return ok && n == 0
	case "ne":
		return !ok || n != 0
	case "gt":
		return ok && n > 0
	case "ge":
		return ok && n >= 0
	case "lt":
		return ok && n < 0
	}
	return ok && n <= 0
}

type within struct {
	a    node
	list []node
}

func (w *within) eval(e *env) any {
	a := plain(w.a.eval(e))
	for _, n := range w.list {
		b := plain(n.eval(e))
		if a == nil && b == nil {
			return true
		}
		if a == nil || b == nil {
			continue
		}
		if n, ok := Compare(a, b); ok && n == 0 && !e.differ(w.a, a, b) {
			return true
		}
	}
	return false
}

type call struct {
	name string
	args []node
}

func (c *call) eval(e *env) any {
	a, ok := plain(c.args[0].eval(e)).(string)
	if !ok {
		return nil
	}
	switch c.name {
	case "tolower":
		return strings.ToLower(a)
	case "toupper":
		return strings.ToUpper(a)
	case "length":
		return float64(len([]rune(a)))
	}
	b, ok := plain(c.args[1].eval(e)).(string)
	if !ok {
		return nil
	}
	a, b = strings.ToLower(a), strings.ToLower(b)
	switch c.name {
	case "startswith":
		return strings.HasPrefix(a, b)
	case "endswith":
		return strings.HasSuffix(a, b)
	}
	return strings.Contains(a, b)
}

type lambda struct {
	of   *path
	all  bool
	name string
	body node // nil: any() alone
}

func (l *lambda) eval(e *env) any {
	list := elements(l.of.eval(e))
	if l.body == nil {
		return len(list) > 0
	}
	for _, v := range list {
		ok, _ := l.body.eval(&env{row: e.row, name: l.name, elem: v, up: e, exact: e.exact}).(bool)
		if ok != l.all {
			return ok
		}
	}
	return l.all
}

type count struct{ of *path }

func (c *count) eval(e *env) any { return float64(len(elements(c.of.eval(e)))) }

// Advanced reports a filter that only an advanced directory query may use: ne,
// not, endswith, $count.
func (f *Filter) Advanced() bool {
	var walk func(n node) bool
	walk = func(n node) bool {
		switch x := n.(type) {
		case *not, *count:
			return true
		case *logic:
			return walk(x.a) || walk(x.b)
		case *compare:
			return x.op == "ne" || walk(x.a) || walk(x.b)
		case *call:
			return x.name == "endswith" || x.name == "contains"
		case *lambda:
			return x.body != nil && walk(x.body)
		}
		return false
	}
	return walk(f.root)
}
