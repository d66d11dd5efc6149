package kql

import (
	"slices"
	"strconv"
	"strings"
)

// Query is a parsed query.
type Query struct {
	Table string // as written, in lower case
	steps []step
}

// step turns rows into rows.
type step func([]Row) []Row

// Row is one row: columns by name, values as JSON has them.
type Row = map[string]any

// Parse reads a query over one of the tables.
func Parse(q string, tables ...string) (*Query, *Error) {
	list, err := lex(q)
	if err != nil {
		return nil, err
	}
	p := &parser{q: q, list: list}
	out := &Query{Table: "resources"} // a query may begin with an operator
	if p.peek().kind == word && p.next(1).text == "|" || p.peek().kind == word && p.next(1).kind == end {
		out.Table = strings.ToLower(p.take().text)
		if !slices.Contains(tables, out.Table) {
			p.i--
			return nil, p.wrong("a table that is not known here: " + strings.Join(tables, ", "))
		}
		if p.peek().kind == end {
			return out, nil
		}
		p.i++
	}
	for {
		if len(out.steps) == maxSteps {
			return nil, p.wrong("too many operators")
		}
		s, err := p.step()
		if err != nil {
			return nil, err
		}
		out.steps = append(out.steps, s)
		if p.peek().kind == end {
			return out, nil
		}
		if err := p.want("|"); err != nil {
			return nil, err
		}
	}
}

// Run runs the query. The rows are not changed.
func (q *Query) Run(rows []Row) []Row {
	for _, s := range q.steps {
		rows = s(rows)
	}
	return rows
}

type parser struct {
	q     string
	list  []token
	i     int
	depth int
}

func (p *parser) peek() token { return p.list[p.i] }

func (p *parser) next(n int) token { return p.list[min(p.i+n, len(p.list)-1)] }

func (p *parser) take() token {
	t := p.peek()
	if t.kind != end {
		p.i++
	}
	return t
}

func (p *parser) wrong(why string) *Error { return place(p.q, p.peek().at, why) }

// is takes the next token when it is this sign or word.
func (p *parser) is(s string) bool {
	if t := p.peek(); t.kind != text && t.kind != end && strings.EqualFold(t.text, s) {
		p.i++
		return true
	}
	return false
}

func (p *parser) want(s string) *Error {
	if !p.is(s) {
		return p.wrong("'" + s + "' is expected")
	}
	return nil
}

func (p *parser) step() (step, *Error) {
	t := p.take()
	if t.kind == word {
		switch strings.ToLower(t.text) {
		case "where", "filter":
			e, err := p.expr()
			return where(e), err
		case "project":
			list, err := p.columns()
			return project(list), err
		case "extend":
			list, err := p.columns()
			return extend(list), err
		case "project-away":
			names, err := p.names()
			return away(names), err
		case "distinct":
			list, err := p.columns()
			return distinct(list), err
		case "count":
			return counting, nil
		case "limit", "take":
			n, err := p.number()
			return limit(n), err
		case "summarize":
			return p.summarize()
		case "order", "sort":
			if err := p.want("by"); err != nil {
				return nil, err
			}
			keys, err := p.keys()
			return order(keys), err
		case "top":
			n, err := p.number()
			if err == nil {
				err = p.want("by")
			}
			if err != nil {
				return nil, err
			}
			keys, err := p.keys()
			return func(rows []Row) []Row { return limit(n)(order(keys)(rows)) }, err
		}
	}
	p.i = max(0, p.i-1)
	return nil, p.wrong("an operator is expected: where, project, project-away, extend, summarize, order by, top, limit, distinct, count")
}

func (p *parser) number() (int, *Error) {
	t := p.peek()
	n, err := strconv.Atoi(t.text)
	if t.kind != number || err != nil {
		return 0, p.wrong("a number is expected")
	}
	p.i++
	return n, nil
}

func (p *parser) names() ([]string, *Error) {
	var out []string
	for {
		t := p.peek()
		if t.kind != word {
			return nil, p.wrong("a column is expected")
		}
		p.i++
		out = append(out, t.text)
		if !p.is(",") {
			return out, nil
		}
	}
}

// column is an expression under a name.
type column struct {
	name string
	e    expr
}

func (p *parser) columns() ([]column, *Error) {
	var out []column
	for {
		c, err := p.column()
		if err != nil {
			return nil, err
		}
		if out = append(out, c); len(out) > maxWidth {
			return nil, p.wrong("too many columns")
		}
		if !p.is(",") {
			return out, nil
		}
	}
}

func (p *parser) column() (column, *Error) {
	name := ""
	if p.peek().kind == word && p.next(1).text == "=" && p.next(1).kind == sign {
		name = p.take().text
		p.i++
	}
	from := p.i
	e, err := p.expr()
	if err != nil {
		return column{}, err
	}
	if name == "" {
		name = p.called(from)
	}
	return column{name, e}, nil
}

// called is the name that a column gets by itself: its path with underscores, the
// path within a function (K: of tostring and its like).
func (p *parser) called(from int) string {
	var parts []string
	for _, t := range p.list[from:p.i] {
		if t.kind == word || t.kind == text || t.kind == number {
			parts = append(parts, t.text)
		}
	}
	if len(parts) > 1 && p.list[from+1].text == "(" {
		parts = parts[1:]
	}
	if len(parts) == 0 {
		return "Column1"
	}
	return strings.Join(parts, "_")
}

type sortKey struct {
	e   expr
	asc bool
}

func (p *parser) keys() ([]sortKey, *Error) {
	var out []sortKey
	for {
		e, err := p.value()
		if err != nil {
			return nil, err
		}
		k := sortKey{e: e}
		switch {
		case p.is("asc"):
			k.asc = true
		case p.is("desc"):
		}
		if out = append(out, k); !p.is(",") {
			return out, nil
		}
	}
}

// aggregate is one sum of a group.
type aggregate struct {
	name string
	make func(rows []Row) any
}

func (p *parser) summarize() (step, *Error) {
	var sums []aggregate
	for !strings.EqualFold(p.peek().text, "by") || p.peek().kind != word {
		a, err := p.aggregate()
		if err != nil {
			return nil, err
		}
		if sums = append(sums, a); len(sums) > maxWidth {
			return nil, p.wrong("too many aggregations")
		}
		if !p.is(",") {
			break
		}
	}
	var by []column
	if p.is("by") {
		var err *Error
		if by, err = p.columns(); err != nil {
			return nil, err
		}
	}
	if len(sums)+len(by) == 0 {
		return nil, p.wrong("an aggregation is expected")
	}
	return group(sums, by), nil
}

func (p *parser) aggregate() (aggregate, *Error) {
	name := ""
	if p.peek().kind == word && p.next(1).text == "=" && p.next(1).kind == sign {
		name = p.take().text
		p.i++
	}
	t := p.peek()
	f := strings.ToLower(t.text)
	make, known := aggregates[f]
	if t.kind != word || !known {
		return aggregate{}, p.wrong("an aggregation that is not known here: count, countif, dcount, sum, min, max, avg, make_list, make_set, any, take_any")
	}
	p.i++
	if err := p.want("("); err != nil {
		return aggregate{}, err
	}
	if f == "count" {
		if name == "" {
			name = "count_"
		}
		return aggregate{name, func(rows []Row) any { return float64(len(rows)) }}, p.want(")")
	}
	from := p.i
	var e expr
	var err *Error
	if f == "countif" {
		e, err = p.expr()
	} else {
		e, err = p.value()
	}
	if err != nil {
		return aggregate{}, err
	}
	if name == "" {
		name = f + "_" + p.called(from)
	}
	return aggregate{name, func(rows []Row) any { return make(e, rows) }}, p.want(")")
}
