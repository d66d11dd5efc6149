package access

import (
	"fmt"
	"slices"
	"strings"
)

// literal is one test of a device filter rule: an attribute, what it is
// compared with, and whether the comparison or its opposite has to hold.
// Values are kept byte for byte.
type literal struct {
	atom
	want bool
}

// atom is a positive comparison. An unregistered device has no attributes, so no
// atom holds of it and every opposite does (Microsoft, "Filter for devices as a
// condition": positive operators take registered devices alone, negative ones
// take unregistered devices too).
type atom struct {
	attr  string // lower case, without "device."
	op    string // eq, startswith, endswith, contains; "rule" for a whole rule that is not taken apart
	value string
}

// text is the atom as a rule writes it; it names the fact in [SignIn.Device].
func (a atom) text() string {
	op := map[string]string{"eq": "-eq", "startswith": "-startsWith", "endswith": "-endsWith", "contains": "-contains"}[a.op]
	if op == "" {
		return a.value
	}
	return fmt.Sprintf("device.%s %s %q", a.attr, op, a.value)
}

// maxTerms bounds the ways a rule may be met, and maxRule the length of a rule
// that is taken apart (Entra allows 3,072 characters).
const (
	maxTerms = 12
	maxRule  = 8192
)

// readFilter turns a rule into the ways it can be met: one of the terms, each
// with all of its literals. exclude turns the rule around. A rule that is not
// understood, or has too many ways, is one atom of its own.
func readFilter(rule string, exclude bool) [][]literal {
	if len(rule) <= maxRule {
		p := filterParser{rest: rule}
		terms, ok := p.or(exclude)
		if ok && strings.TrimSpace(p.rest) == "" {
			return terms
		}
	}
	return [][]literal{{{atom{attr: rule, op: "rule", value: rule}, !exclude}}}
}

type filterParser struct {
	rest  string
	depth int
}

// or reads alternatives; negate gives those of the opposite.
func (p *filterParser) or(negate bool) ([][]literal, bool) {
	return p.chain(negate, "-or", p.and, negate)
}

func (p *filterParser) and(negate bool) ([][]literal, bool) {
	return p.chain(negate, "-and", p.factor, !negate)
}

// chain reads operands joined by a word; meet says that all of them must hold.
func (p *filterParser) chain(negate bool, word string, operand func(bool) ([][]literal, bool), meet bool) ([][]literal, bool) {
	out, ok := operand(negate)
	for ok && p.word(word) {
		var more [][]literal
		if more, ok = operand(negate); !ok {
			break
		}
		if !meet {
			out = append(out, more...)
		} else {
			var product [][]literal
			for _, a := range out {
				for _, b := range more {
					product = append(product, append(slices.Clone(a), b...))
				}
			}
			out = product
		}
		out = distinct(out)
		if len(out) > maxTerms {
			return nil, false
		}
	}
	return out, ok
}

// distinct drops tests and ways that stand twice.
func distinct(terms [][]literal) (out [][]literal) {
	seen := map[string]bool{}
	for _, t := range terms {
		var kept []literal
		for _, l := range t {
			if !slices.Contains(kept, l) {
				kept = append(kept, l)
			}
		}
		if key := fmt.Sprintf("%#v", kept); !seen[key] {
			seen[key] = true
			out = append(out, kept)
		}
	}
	return out
}

func (p *filterParser) factor(negate bool) ([][]literal, bool) {
	if p.depth++; p.depth > 64 {
		return nil, false
	}
	defer func() { p.depth-- }()
	if p.word("-not") || p.word("not") {
		return p.factor(!negate)
	}
	p.space()
	if strings.HasPrefix(p.rest, "(") {
		p.rest = p.rest[1:]
		out, ok := p.or(negate)
		p.space()
		if !ok || !strings.HasPrefix(p.rest, ")") {
			return nil, false
		}
		p.rest = p.rest[1:]
		return out, true
	}
	return p.test(negate)
}

// test reads device.attribute -operator value.
func (p *filterParser) test(negate bool) ([][]literal, bool) {
	attr := strings.ToLower(p.bare())
	attr, ok := strings.CutPrefix(attr, "device.")
	if !ok || attr == "" {
		return nil, false
	}
	op, opposite := strings.ToLower(p.bare()), false
	switch op {
	case "-eq", "-startswith", "-endswith", "-contains", "-in":
	case "-ne":
		op, opposite = "-eq", true
	case "-notstartswith", "-notendswith", "-notcontains", "-notin":
		op, opposite = "-"+op[4:], true
	default:
		return nil, false
	}
	op = op[1:]
	var values []string
	if op == "in" {
		values, ok = p.list()
		op = "eq"
	} else {
		var v string
		v, ok = p.value()
		values = []string{v}
	}
	if !ok || len(values) > maxTerms {
		return nil, false
	}
	want := opposite == negate
	var all []literal
	for _, v := range values {
		if attr == "iscompliant" || attr == "trusttype" { // not free text: the case of the word is no matter
			v = canonical(attr, v)
		}
		all = append(all, literal{atom{attr, op, v}, want})
	}
	if !want { // none of them
		return [][]literal{all}, true
	}
	var out [][]literal
	for _, l := range all {
		out = append(out, []literal{l})
	}
	return out, len(out) > 0
}

// canonical gives the documented spelling of a value of a fixed set.
func canonical(attr, v string) string {
	known := []string{"True", "False"}
	if attr == "trusttype" {
		known = []string{"ServerAD", "AzureAD", "Workplace"}
	}
	for _, k := range known {
		if strings.EqualFold(k, v) {
			return k
		}
	}
	return v
}

func (p *filterParser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// word takes a word when it is next.
func (p *filterParser) word(w string) bool {
	p.space()
	if len(p.rest) < len(w) || !strings.EqualFold(p.rest[:len(w)], w) {
		return false
	}
	if len(p.rest) > len(w) && !strings.ContainsRune(" \t\r\n(", rune(p.rest[len(w)])) {
		return false
	}
	p.rest = p.rest[len(w):]
	return true
}

func (p *filterParser) bare() string {
	p.space()
	end := strings.IndexAny(p.rest, " \t\r\n()[]{},\"'")
	if end < 0 {
		end = len(p.rest)
	}
	w := p.rest[:end]
	p.rest = p.rest[end:]
	return w
}

// value reads a text in quotes, byte for byte, or a bare word.
func (p *filterParser) value() (string, bool) {
	p.space()
	if p.rest == "" {
		return "", false
	}
	if q := p.rest[0]; q == '"' || q == '\'' {
		end := strings.IndexByte(p.rest[1:], q)
		if end < 0 {
			return "", false
		}
		v := p.rest[1 : 1+end]
		p.rest = p.rest[end+2:]
		return v, true
	}
	w := p.bare()
	return w, w != ""
}

func (p *filterParser) list() (out []string, ok bool) {
	p.space()
	if p.rest == "" || p.rest[0] != '[' && p.rest[0] != '{' && p.rest[0] != '(' {
		return nil, false
	}
	end := map[byte]byte{'[': ']', '{': '}', '(': ')'}[p.rest[0]]
	p.rest = p.rest[1:]
	for {
		v, ok := p.value()
		if !ok {
			return nil, false
		}
		out = append(out, v)
		p.space()
		if p.rest == "" || len(out) > maxTerms {
			return nil, false
		}
		c := p.rest[0]
		p.rest = p.rest[1:]
		switch c {
		case end:
			return out, true
		case ',':
		default:
			return nil, false
		}
	}
}

// possible reports that one text may have exactly these atoms hold; only what is
// certain is ruled out.
func possible(atoms []atom, holds uint, view func(string) string) bool {
	is := func(i int) bool { return holds>>i&1 != 0 }
	for i, a := range atoms {
		if !is(i) {
			continue
		}
		for k, b := range atoms {
			if i == k {
				continue
			}
			switch follows(a, b, view) {
			case yes:
				if !is(k) {
					return false
				}
			case no:
				if is(k) {
					return false
				}
			}
		}
	}
	return true
}

// doubtful reports that whether one text may have exactly these atoms hold hangs
// on whether comparison looks at the case of letters, which is not documented.
func doubtful(atoms []atom, holds uint) bool {
	folded := make([]atom, len(atoms))
	for i, a := range atoms {
		folded[i] = atom{a.attr, a.op, strings.ToLower(a.value)}
	}
	return !possible(atoms, holds, asWritten) || !possible(folded, holds, asWritten)
}

// How values are compared: eitherWay rules out only what neither way allows.
var (
	asWritten = func(s string) string { return s }
	eitherWay = strings.ToLower
)

// follows says whether b holds of every text of which a holds (yes), of none
// (no), or of some as far as can be told. Comparison may or may not look at the
// case of letters, so values that differ in case alone tell nothing.
func follows(a, b atom, view func(string) string) tri {
	if a.op == "rule" || b.op == "rule" {
		return maybe
	}
	av, bv := view(a.value), view(b.value)
	exact := func(sure, fold bool) tri {
		switch {
		case sure:
			return yes
		case fold:
			return maybe
		}
		return no
	}
	switch a.op {
	case "eq":
		switch b.op {
		case "eq":
			return exact(a.value == b.value, av == bv)
		case "startswith":
			return exact(strings.HasPrefix(a.value, b.value), strings.HasPrefix(av, bv))
		case "endswith":
			return exact(strings.HasSuffix(a.value, b.value), strings.HasSuffix(av, bv))
		case "contains":
			return exact(strings.Contains(a.value, b.value), strings.Contains(av, bv))
		}
	case "startswith":
		switch {
		case b.op == "startswith" && strings.HasPrefix(a.value, b.value), b.op == "contains" && strings.Contains(a.value, b.value):
			return yes
		case b.op == "startswith" && !strings.HasPrefix(av, bv) && !strings.HasPrefix(bv, av), b.op == "eq" && !strings.HasPrefix(bv, av):
			return no
		}
	case "endswith":
		switch {
		case b.op == "endswith" && strings.HasSuffix(a.value, b.value), b.op == "contains" && strings.Contains(a.value, b.value):
			return yes
		case b.op == "endswith" && !strings.HasSuffix(av, bv) && !strings.HasSuffix(bv, av), b.op == "eq" && !strings.HasSuffix(bv, av):
			return no
		}
	case "contains":
		switch {
		case b.op == "contains" && strings.Contains(a.value, b.value):
			return yes
		case b.op == "eq" && !strings.Contains(bv, av):
			return no
		}
	}
	return maybe
}
