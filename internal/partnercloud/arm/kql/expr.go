package kql

import (
	"strconv"
	"strings"
)

// expr is a value of a row.
type expr func(Row) any

func (p *parser) expr() (expr, *Error) {
	left, err := p.and()
	for err == nil && p.is("or") {
		var right expr
		if right, err = p.and(); err == nil {
			l := left
			left = func(r Row) any { return truth(l(r)) || truth(right(r)) }
		}
	}
	return left, err
}

func (p *parser) and() (expr, *Error) {
	left, err := p.compare()
	for err == nil && p.is("and") {
		var right expr
		if right, err = p.compare(); err == nil {
			l := left
			left = func(r Row) any { return truth(l(r)) && truth(right(r)) }
		}
	}
	return left, err
}

func (p *parser) deeper() *Error {
	if p.depth++; p.depth > maxDepth {
		return p.wrong("it is nested too deeply")
	}
	return nil
}

// compare reads one comparison, or a condition in brackets.
func (p *parser) compare() (expr, *Error) {
	if p.peek().text == "(" && p.peek().kind == sign {
		if err := p.deeper(); err != nil {
			return nil, err
		}
		p.i++
		e, err := p.expr()
		p.depth--
		if err == nil {
			err = p.want(")")
		}
		return e, err
	}
	left, err := p.value()
	if err != nil {
		return nil, err
	}
	t := p.peek()
	op := strings.ToLower(t.text)
	if t.kind == word && op == "in" && p.next(1).text == "~" && p.next(1).kind == sign || t.text == "!in" && p.next(1).text == "~" {
		op += "~"
		p.i++
	}
	if deny, is := strings.CutPrefix(op, "!in"); is || strings.HasPrefix(op, "in") && (op == "in" || op == "in~") && t.kind == word {
		p.i++
		return p.among(left, is, is && deny == "~" || op == "in~")
	}
	f, known := operators[op]
	if !known || t.kind == text {
		return left, nil // a condition by itself: isnotempty(x)
	}
	p.i++
	right, err := p.value()
	if err != nil {
		return nil, err
	}
	return func(r Row) any { return f(left(r), right(r)) }, nil
}

func (p *parser) among(left expr, deny, fold bool) (expr, *Error) {
	if err := p.want("("); err != nil {
		return nil, err
	}
	var list []expr
	for {
		e, err := p.value()
		if err != nil {
			return nil, err
		}
		if list = append(list, e); !p.is(",") {
			break
		}
	}
	return func(r Row) any {
		v := left(r)
		for _, e := range list {
			if w := e(r); fold && strings.EqualFold(str(v), str(w)) || !fold && equal(v, w) {
				return !deny
			}
		}
		return deny
	}, p.want(")")
}

// functions have one argument each; not takes a condition.
var functions = map[string]func(any) any{
	"tostring": func(v any) any { return str(v) }, "tolower": func(v any) any { return strings.ToLower(str(v)) },
	"toupper": func(v any) any { return strings.ToUpper(str(v)) }, "isempty": func(v any) any { return str(v) == "" },
	"isnotempty": func(v any) any { return str(v) != "" }, "isnull": func(v any) any { return v == nil }, "isnotnull": func(v any) any { return v != nil },
	"strlen": func(v any) any { return float64(len([]rune(str(v)))) }, "toint": asNumber, "tolong": asNumber, "toreal": asNumber, "todouble": asNumber,
	"array_length": func(v any) any {
		if l, ok := v.([]any); ok {
			return float64(len(l))
		}
		return nil
	},
	"not": func(v any) any { return !truth(v) },
}

// value reads a literal, a path or a function of one argument.
func (p *parser) value() (expr, *Error) {
	t := p.peek()
	switch {
	case t.kind == text:
		p.i++
		return func(Row) any { return t.text }, nil
	case t.kind == number || t.kind == sign && t.text == "-" && p.next(1).kind == number:
		minus := p.is("-")
		n, err := strconv.ParseFloat(p.peek().text, 64)
		if err != nil {
			return nil, p.wrong("a number that cannot be read")
		}
		p.i++
		if minus {
			n = -n
		}
		return func(Row) any { return n }, nil
	case t.kind != word:
		return nil, p.wrong("a column, a text or a number is expected")
	}
	p.i++
	switch strings.ToLower(t.text) {
	case "true", "false":
		v := strings.EqualFold(t.text, "true")
		return func(Row) any { return v }, nil
	}
	if p.peek().text == "(" && p.peek().kind == sign {
		f, known := functions[strings.ToLower(t.text)]
		if !known {
			p.i--
			return nil, p.wrong("a function that is not known here")
		}
		if err := p.deeper(); err != nil {
			return nil, err
		}
		p.i++
		e, err := p.expr()
		p.depth--
		if err != nil {
			return nil, err
		}
		return func(r Row) any { return f(e(r)) }, p.want(")")
	}
	return p.path(t.text)
}

func (p *parser) path(first string) (expr, *Error) {
	steps := []string{first}
	for {
		switch {
		case p.is("."):
			t := p.take()
			if t.kind != word {
				p.i--
				return nil, p.wrong("a name is expected")
			}
			steps = append(steps, t.text)
		case p.is("["):
			t := p.take()
			if t.kind != text && t.kind != number {
				p.i--
				return nil, p.wrong("a text or a number is expected")
			}
			steps = append(steps, t.text)
			if err := p.want("]"); err != nil {
				return nil, err
			}
		default:
			return func(r Row) any { return walk(r, steps) }, nil
		}
		if len(steps) > maxDepth {
			return nil, p.wrong("it is nested too deeply")
		}
	}
}

// walk follows a path through objects and lists. Columns count without case where
// none is spelled so, as Resource Graph takes them (K).
func walk(v any, steps []string) any {
	for _, s := range steps {
		switch x := v.(type) {
		case map[string]any:
			next, found := x[s]
			if !found {
				for n, w := range x {
					if strings.EqualFold(n, s) {
						next = w
						break
					}
				}
			}
			v = next
		case []any:
			i, err := strconv.Atoi(s)
			if err != nil || i < 0 || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}
