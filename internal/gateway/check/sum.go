package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"partnerguard/internal/gateway"
	"partnerguard/internal/print"
)

// Sum counts what was tried, by route and reason.
type Sum struct {
	n     int64
	parts map[part]int64
}

type part struct{ route, reason, what string }

// NewSum counts from nothing.
func NewSum() *Sum { return &Sum{parts: map[part]int64{}} }

// Add counts one.
func (s *Sum) Add(t *Tried) {
	s.n++
	s.parts[part{first(t.Route, "(no route)"), t.Reason, t.what()}]++
}

// what becomes of it, in a word.
func (t *Tried) what() string {
	switch {
	case t.Refused:
		return "refused"
	case t.Excused != nil:
		return "excused"
	case t.Enforce:
		return "would be refused"
	}
	return "served"
}

// Short is one line about it.
func (t *Tried) Short() string {
	out := []string{t.what(), t.Reason, first(t.Route, "(no route)"), print.Clean(t.Method, 20), t.URL}
	if t.ID != "" {
		out = append(out, print.Clean(t.ID, 80))
	}
	return strings.Join(out, "  ")
}

// Write says the counts to people.
func (s *Sum) Write(p *print.Screen) {
	p.Section(print.Plural(s.n, "requests"), "")
	keys := slices.SortedFunc(maps.Keys(s.parts), func(a, b part) int {
		return strings.Compare(a.route+"\x00"+a.what+"\x00"+a.reason, b.route+"\x00"+b.what+"\x00"+b.reason)
	})
	for _, k := range keys {
		p.Para("  ", fmt.Sprintf("%s: %s, %s: %s", k.route, k.what, k.reason, print.Number(s.parts[k])), print.Plain)
	}
}

// URLs gives an address of each route, for a token that is tried on all.
func URLs(t *gateway.Table) (out []string) {
	for _, r := range t.Routes {
		host := "other.invalid"
		if len(r.Hosts) > 0 {
			host = strings.Replace(r.Hosts[0], "*", "any", 1)
		}
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		out = append(out, "https://"+host+r.Path)
	}
	return out
}
