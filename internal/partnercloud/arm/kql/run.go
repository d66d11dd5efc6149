package kql

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// str is a value as text.
func str(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case bool:
		return strconv.FormatBool(x)
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	b, err := json.Marshal(v)
	if err != nil || len(b) > maxText {
		return ""
	}
	return string(b)
}

// finite is a number, or nothing where it is none that JSON has.
func finite(n float64) any {
	if math.IsInf(n, 0) || math.IsNaN(n) {
		return nil
	}
	return n
}

func asNumber(v any) any {
	switch x := v.(type) {
	case float64:
		return x
	case string:
		if n, err := strconv.ParseFloat(strings.TrimSpace(x), 64); err == nil {
			return finite(n)
		}
	}
	return nil
}

func truth(v any) bool { b, ok := v.(bool); return ok && b }

func equal(x, y any) bool {
	if a, ok := x.(float64); ok {
		if b, ok := asNumber(y).(float64); ok {
			return a == b
		}
	}
	return str(x) == str(y)
}

func rank(x, y any) int {
	a, oka := x.(float64)
	b, okb := y.(float64)
	if oka && okb {
		return cmp.Compare(a, b)
	}
	return cmp.Compare(str(x), str(y))
}

// hasTerm reports a whole term: letters and digits between others.
func hasTerm(v, term string) bool {
	v, term = strings.ToLower(v), strings.ToLower(term)
	if term == "" {
		return true
	}
	word := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	for from := 0; ; {
		i := strings.Index(v[from:], term)
		if i < 0 {
			return false
		}
		i += from
		before, after := []rune(v[:i]), []rune(v[i+len(term):])
		if (len(before) == 0 || !word(before[len(before)-1])) && (len(after) == 0 || !word(after[0])) {
			return true
		}
		from = i + len(term)
	}
}

func fold(f func(v, w string) bool) func(x, y any) bool {
	return func(x, y any) bool { return f(strings.ToLower(str(x)), strings.ToLower(str(y))) }
}

func deny(f func(x, y any) bool) func(x, y any) bool { return func(x, y any) bool { return !f(x, y) } }

var operators = map[string]func(x, y any) bool{
	"==": equal, "!=": deny(equal), "=~": fold(func(v, w string) bool { return v == w }), "!~": fold(func(v, w string) bool { return v != w }),
	"<": func(x, y any) bool { return rank(x, y) < 0 }, "<=": func(x, y any) bool { return rank(x, y) <= 0 },
	">": func(x, y any) bool { return rank(x, y) > 0 }, ">=": func(x, y any) bool { return rank(x, y) >= 0 },
	"contains": fold(strings.Contains), "!contains": deny(fold(strings.Contains)), "startswith": fold(strings.HasPrefix),
	"!startswith": deny(fold(strings.HasPrefix)), "endswith": fold(strings.HasSuffix), "!endswith": deny(fold(strings.HasSuffix)),
	"has": fold(hasTerm), "!has": deny(fold(hasTerm)),
}

func where(e expr) step {
	return func(rows []Row) []Row {
		var out []Row
		for _, r := range rows {
			if truth(e(r)) {
				out = append(out, r)
			}
		}
		return out
	}
}

func project(list []column) step {
	return func(rows []Row) []Row {
		out := make([]Row, 0, len(rows))
		for _, r := range rows {
			n := Row{}
			for _, c := range list {
				n[c.name] = c.e(r)
			}
			out = append(out, n)
		}
		return out
	}
}

func extend(list []column) step {
	return func(rows []Row) []Row {
		out := make([]Row, 0, len(rows))
		for _, r := range rows {
			n := clone(r)
			for _, c := range list {
				n[c.name] = c.e(n)
			}
			out = append(out, n)
		}
		return out
	}
}

func clone(r Row) Row {
	n := make(Row, len(r)+1)
	for k, v := range r {
		n[k] = v
	}
	return n
}

func away(names []string) step {
	return func(rows []Row) []Row {
		out := make([]Row, 0, len(rows))
		for _, r := range rows {
			n := clone(r)
			for k := range n {
				if slices.ContainsFunc(names, func(w string) bool { return strings.EqualFold(k, w) }) {
					delete(n, k)
				}
			}
			out = append(out, n)
		}
		return out
	}
}

func limit(n int) step { return func(rows []Row) []Row { return rows[:min(n, len(rows))] } }

func counting(rows []Row) []Row { return []Row{{"Count": float64(len(rows))}} }

func order(keys []sortKey) step {
	return func(rows []Row) []Row {
		out := slices.Clone(rows)
		slices.SortStableFunc(out, func(x, y Row) int {
			for _, k := range keys {
				c := rank(k.e(x), k.e(y))
				if !k.asc {
					c = -c
				}
				if c != 0 {
					return c
				}
			}
			return 0
		})
		return out
	}
}

func distinct(list []column) step {
	return func(rows []Row) []Row { return group(nil, list)(rows) }
}

// group makes a row of each group, in the order they first come.
func group(sums []aggregate, by []column) step {
	return func(rows []Row) []Row {
		keys := map[string]int{}
		var heads []Row
		var members [][]Row
		for _, r := range project(by)(rows) {
			b, err := json.Marshal(r)
			if err != nil {
				continue
			}
			if _, known := keys[string(b)]; !known {
				keys[string(b)] = len(heads)
				heads, members = append(heads, r), append(members, nil)
			}
		}
		for _, r := range rows {
			b, err := json.Marshal(project(by)([]Row{r})[0])
			if err != nil {
				continue
			}
			i := keys[string(b)]
			members[i] = append(members[i], r)
		}
		if len(by) == 0 && len(heads) == 0 {
			heads, members = []Row{{}}, [][]Row{nil}
		}
		for i := range heads {
			for _, a := range sums {
				heads[i][a.name] = a.make(members[i])
			}
		}
		return heads
	}
}

func numbers(e expr, rows []Row) (out []float64) {
	for _, r := range rows {
		if n, ok := asNumber(e(r)).(float64); ok {
			out = append(out, n)
		}
	}
	return out
}

func values(e expr, rows []Row, once bool) any {
	out, seen := []any{}, map[string]bool{}
	for _, r := range rows {
		v := e(r)
		if v == nil || once && seen[str(v)] {
			continue
		}
		seen[str(v)] = true
		out = append(out, v)
	}
	return out
}

func sum(e expr, rows []Row) float64 {
	total := 0.0
	for _, n := range numbers(e, rows) {
		total += n
	}
	return total
}

func extreme(e expr, rows []Row, way int) any {
	var best any
	for _, r := range rows {
		if v := e(r); v != nil && (best == nil || rank(v, best)*way > 0) {
			best = v
		}
	}
	return best
}

func first(e expr, rows []Row) any {
	for _, r := range rows {
		if v := e(r); v != nil {
			return v
		}
	}
	return nil
}

var aggregates = map[string]func(e expr, rows []Row) any{
	"count":     nil,
	"countif":   func(e expr, rows []Row) any { return float64(len(where(e)(rows))) },
	"dcount":    func(e expr, rows []Row) any { return float64(len(values(e, rows, true).([]any))) },
	"sum":       func(e expr, rows []Row) any { return finite(sum(e, rows)) },
	"min":       func(e expr, rows []Row) any { return extreme(e, rows, -1) },
	"max":       func(e expr, rows []Row) any { return extreme(e, rows, 1) },
	"make_list": func(e expr, rows []Row) any { return values(e, rows, false) },
	"make_set":  func(e expr, rows []Row) any { return values(e, rows, true) },
	"any":       first,
	"take_any":  first,
	"avg": func(e expr, rows []Row) any {
		if n := len(numbers(e, rows)); n > 0 {
			return finite(sum(e, rows) / float64(n))
		}
		return nil
	},
}
