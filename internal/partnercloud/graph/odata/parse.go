package odata

import (
	"slices"
	"strconv"
	"strings"
)

// ParseFilter reads a $filter. The error is an *Error with Graph's manner of
// saying it.
func ParseFilter(text string) (*Filter, error) {
	if len(text) > maxFilter {
		return nil, bad("Invalid filter clause: it is longer than %d characters.", maxFilter)
	}
	toks, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{toks: toks}
	root, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != end {
		return nil, bad("Invalid filter clause: syntax error at position %d.", t.at)
	}
	if !boolean(root) {
		return nil, bad("Invalid filter clause: it is not a condition.")
	}
	return &Filter{root: root, paths: p.paths}, nil
}

// boolean reports a node that can be a condition by itself.
func boolean(n node) bool {
	switch x := n.(type) {
	case *literal:
		_, is := x.v.(bool)
		return is
	case *call:
		return x.name != "tolower" && x.name != "toupper" && x.name != "length"
	case *count:
		return false
	}
	return true
}

type parser struct {
	toks  []token
	i     int
	terms int
	paths [][]string
	vars  []string
}

func (p *parser) peek() token { return p.toks[p.i] }

func (p *parser) next() token {
	t := p.toks[p.i]
	if t.kind != end {
		p.i++
	}
	return t
}

func (p *parser) word(w string) bool {
	if t := p.peek(); t.kind == name && strings.EqualFold(t.text, w) {
		p.i++
		return true
	}
	return false
}

func (p *parser) punct(s string) bool {
	if t := p.peek(); t.kind == punct && t.text == s {
		p.i++
		return true
	}
	return false
}

func (p *parser) deep(depth int) error {
	p.terms++
	if depth > maxDepth || p.terms > maxTerms {
		return bad("Invalid filter clause: it is nested too deeply or has too many terms.")
	}
	return nil
}

func (p *parser) or(depth int) (node, error) {
	a, err := p.and(depth)
	for err == nil && p.word("or") {
		var b node
		if b, err = p.and(depth + 1); err == nil {
			a, err = join("or", a, b)
		}
	}
	return a, err
}

func (p *parser) and(depth int) (node, error) {
	a, err := p.unary(depth)
	for err == nil && p.word("and") {
		var b node
		if b, err = p.unary(depth + 1); err == nil {
			a, err = join("and", a, b)
		}
	}
	return a, err
}

func join(op string, a, b node) (node, error) {
	if !boolean(a) || !boolean(b) {
		return nil, bad("Invalid filter clause: %q joins what is not a condition.", op)
	}
	return &logic{op: op, a: a, b: b}, nil
}

func (p *parser) unary(depth int) (node, error) {
	if err := p.deep(depth); err != nil {
		return nil, err
	}
	if p.word("not") {
		a, err := p.unary(depth + 1)
		if err != nil {
			return nil, err
		}
		if !boolean(a) {
			return nil, bad("Invalid filter clause: \"not\" before what is not a condition.")
		}
		return &not{a}, nil
	}
	a, err := p.operand(depth)
	if err != nil {
		return nil, err
	}
	t := p.peek()
	if t.kind != name {
		return a, nil
	}
	op := strings.ToLower(t.text)
	switch op {
	case "eq", "ne", "gt", "ge", "lt", "le":
		p.i++
		b, err := p.operand(depth + 1)
		if err != nil {
			return nil, err
		}
		return &compare{op: op, a: a, b: b}, nil
	case "in":
		p.i++
		if !p.punct("(") {
			return nil, bad("Invalid filter clause: \"in\" needs a list at position %d.", t.at)
		}
		w := &within{a: a}
		for {
			b, err := p.operand(depth + 1)
			if err != nil {
				return nil, err
			}
			w.list = append(w.list, b)
			if p.punct(")") {
				return w, nil
			}
			if !p.punct(",") {
				return nil, bad("Invalid filter clause: syntax error at position %d.", p.peek().at)
			}
		}
	}
	return a, nil
}

// functions and how many arguments they take.
func arity(name string) int {
	switch name {
	case "startswith", "endswith", "contains":
		return 2
	case "tolower", "toupper", "length":
		return 1
	}
	return 0
}

func (p *parser) operand(depth int) (node, error) {
	if err := p.deep(depth); err != nil {
		return nil, err
	}
	t := p.next()
	switch t.kind {
	case text, number, moment:
		return &literal{t.value}, nil
	case punct:
		if t.text == "(" {
			a, err := p.or(depth + 1)
			if err != nil {
				return nil, err
			}
			if !p.punct(")") {
				return nil, bad("Invalid filter clause: a parenthesis is not closed at position %d.", p.peek().at)
			}
			return a, nil
		}
	case name:
		switch strings.ToLower(t.text) {
		case "true":
			return &literal{true}, nil
		case "false":
			return &literal{false}, nil
		case "null":
			return &literal{nil}, nil
		}
		if n := p.peek(); n.kind == text && n.at == t.at+len(t.text) { // an enum or typed literal: microsoft.graph.riskLevel'high'
			p.i++
			return &literal{n.value}, nil
		}
		if n := arity(strings.ToLower(t.text)); n > 0 && p.punct("(") {
			c := &call{name: strings.ToLower(t.text)}
			for i := range n {
				if i > 0 && !p.punct(",") {
					return nil, bad("Invalid filter clause: %s takes %d arguments.", t.text, n)
				}
				a, err := p.operand(depth + 1)
				if err != nil {
					return nil, err
				}
				c.args = append(c.args, a)
			}
			if !p.punct(")") {
				return nil, bad("Invalid filter clause: %s takes %d arguments.", t.text, n)
			}
			return c, nil
		}
		return p.path(t, depth)
	}
	return nil, bad("Invalid filter clause: syntax error at position %d.", t.at)
}

func (p *parser) path(first token, depth int) (node, error) {
	pa := &path{names: []string{first.text}, bound: slices.Contains(p.vars, first.text)}
	keep := func() {
		if !pa.bound {
			p.paths = append(p.paths, pa.names)
		}
	}
	for p.punct("/") {
		t := p.next()
		if t.kind != name || len(pa.names) > 8 {
			return nil, bad("Invalid filter clause: syntax error at position %d.", t.at)
		}
		if t.text == "$count" {
			keep()
			return &count{pa}, nil
		}
		if (strings.EqualFold(t.text, "any") || strings.EqualFold(t.text, "all")) && p.punct("(") {
			keep()
			return p.lambda(pa, strings.EqualFold(t.text, "all"), depth)
		}
		pa.names = append(pa.names, t.text)
	}
	keep()
	return pa, nil
}

func (p *parser) lambda(of *path, all bool, depth int) (node, error) {
	if !all && p.punct(")") {
		return &lambda{of: of}, nil
	}
	v := p.next()
	if v.kind != name || !p.punct(":") {
		return nil, bad("Invalid filter clause: a lambda needs a variable at position %d.", v.at)
	}
	p.vars = append(p.vars, v.text)
	body, err := p.or(depth + 1)
	p.vars = p.vars[:len(p.vars)-1]
	if err != nil {
		return nil, err
	}
	if !boolean(body) || !p.punct(")") {
		return nil, bad("Invalid filter clause: syntax error at position %d.", p.peek().at)
	}
	return &lambda{of: of, all: all, name: v.text, body: body}, nil
}

type kind uint8

const (
	end kind = iota
	name
	text
	number
	moment
	punct
)

type token struct {
	kind  kind
	text  string
	value any
	at    int
}

func lex(s string) ([]token, error) {
	var out []token
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case strings.IndexByte("(),/:", c) >= 0:
			out = append(out, token{kind: punct, text: s[i : i+1], at: i})
			i++
		case c == '\'':
			var b strings.Builder
			j := i + 1
			for {
				if j >= len(s) {
					return nil, bad("Invalid filter clause: there is an unterminated string literal at position %d.", i)
				}
				if s[j] == '\'' {
					if j+1 < len(s) && s[j+1] == '\'' {
						b.WriteByte('\'')
						j += 2
						continue
					}
					break
				}
				b.WriteByte(s[j])
				j++
			}
			out = append(out, token{kind: text, text: s[i : j+1], value: b.String(), at: i})
			i = j + 1
		case c >= '0' && c <= '9' || c == '-':
			j := i + 1
			for j < len(s) && (s[j] >= '0' && s[j] <= '9' || s[j] >= 'a' && s[j] <= 'z' || s[j] >= 'A' && s[j] <= 'Z' || strings.IndexByte("-+:.", s[j]) >= 0) {
				j++
			}
			t, err := bare(s[i:j], i)
			if err != nil {
				return nil, err
			}
			out = append(out, t)
			i = j
		case c == '_' || c == '$' || c == '@' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			j := i + 1
			for j < len(s) && (s[j] == '_' || s[j] == '.' || s[j] == '-' || s[j] >= '0' && s[j] <= '9' || s[j] >= 'a' && s[j] <= 'z' || s[j] >= 'A' &&
				s[j] <= 'Z') {
				j++
			}
			w := s[i:j]
			if guid(w) { // a Guid may be written without quotes
				out = append(out, token{kind: text, text: w, value: w, at: i})
			} else {
				out = append(out, token{kind: name, text: w, at: i})
			}
			i = j
		default:
			return nil, bad("Invalid filter clause: syntax error at position %d.", i)
		}
	}
	return append(out, token{kind: end, at: len(s)}), nil
}

func bare(w string, at int) (token, error) {
	if f, err := strconv.ParseFloat(w, 64); err == nil {
		return token{kind: number, text: w, value: f, at: at}, nil
	}
	if t, ok := parseTime(w); ok {
		return token{kind: moment, text: w, value: t, at: at}, nil
	}
	if guid(w) {
		return token{kind: text, text: w, value: w, at: at}, nil
	}
	return token{}, bad("Invalid filter clause: unrecognized literal at position %d.", at)
}

func guid(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return false
		}
	}
	return true
}
