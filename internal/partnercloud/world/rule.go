package world

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Rules of dynamic groups (Microsoft Entra, "Manage rules for dynamic membership
// groups"): expressions over properties of users. Rules over devices, other users
// and dates are not understood, and refused.

// Bounds on a rule: text as in production, depth and terms far above what anybody
// writes.
const (
	maxRule      = 3072
	maxRuleDepth = 30
	maxRuleTerms = 300
)

// Rule is a membership rule, ready to be asked. Safe for concurrent use.
type Rule struct{ root ruleNode }

// Holds reports whether a user of the tenant is a member by the rule.
func (r *Rule) Holds(t *Tenant, u *User) bool {
	return r.root.holds(func(name string) any { return ruleValue(t, u, name) })
}

// lookup gives a property by its lower-case name: text, bool, nil or a list of either
// texts or further lookups.
type lookup func(name string) any

type ruleNode interface{ holds(get lookup) bool }

type (
	ruleJoin struct {
		and  bool
		a, b ruleNode
	}
	ruleNot  struct{ a ruleNode }
	ruleTest struct {
		property string
		op       string
		values   []any // one, or those of a list
		pattern  *regexp.Regexp
	}
	ruleEach struct {
		property string
		all      bool
		body     ruleNode
	}
)

func (j *ruleJoin) holds(get lookup) bool {
	if a := j.a.holds(get); a != j.and {
		return a
	}
	return j.b.holds(get)
}

func (n *ruleNot) holds(get lookup) bool { return !n.a.holds(get) }

func (e *ruleEach) holds(get lookup) bool {
	switch list := get(e.property).(type) {
	case []string:
		for _, v := range list {
			if e.body.holds(func(string) any { return v }) != e.all {
				return !e.all
			}
		}
	case []lookup:
		for _, v := range list {
			if e.body.holds(v) != e.all {
				return !e.all
			}
		}
	}
	return e.all
}

func (t *ruleTest) holds(get lookup) bool {
	have := get(t.property)
	negative := strings.HasPrefix(t.op, "-not") || t.op == "-ne"
	if list, ok := have.([]string); ok { // of a collection: any element
		if slices.Equal(t.values, []any{nil}) {
			return (len(list) == 0) != negative
		}
		found := slices.ContainsFunc(list, func(v string) bool { return t.one(v) })
		return found != negative
	}
	return t.one(have) != negative
}

// one says whether a value is what the positive form of the operator asks.
func (t *ruleTest) one(have any) bool {
	same := func(want any) bool {
		a, isText := have.(string)
		b, also := want.(string)
		if isText && also {
			return strings.EqualFold(a, b)
		}
		return have == want || have == nil && want == ""
	}
	text, _ := have.(string)
	text = strings.ToLower(text)
	switch t.op {
	case "-eq", "-ne", "-in", "-notin":
		return slices.ContainsFunc(t.values, same)
	case "-match", "-notmatch":
		return have != nil && t.pattern.MatchString(text)
	}
	want, _ := t.values[0].(string)
	want = strings.ToLower(want)
	switch t.op {
	case "-startswith", "-notstartswith":
		return have != nil && strings.HasPrefix(text, want)
	case "-endswith", "-notendswith":
		return have != nil && strings.HasSuffix(text, want)
	}
	return have != nil && strings.Contains(text, want)
}

// ParseRule reads a membership rule. The error's text is safe to show.
func ParseRule(text string) (*Rule, error) {
	if len(text) > maxRule {
		return nil, fmt.Errorf("the rule is longer than %d characters", maxRule)
	}
	toks, err := ruleTokens(text)
	if err != nil {
		return nil, err
	}
	p := &ruleParser{toks: toks}
	root, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if p.peek() != "" {
		return nil, p.wrong()
	}
	return &Rule{root}, nil
}

// ruleTokens cuts a rule into words, brackets and quoted texts, which keep their
// opening quote.
func ruleTokens(s string) (out []string, err error) {
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case strings.IndexByte(" \t\r\n", c) >= 0:
			i++
		case strings.IndexByte("()[],", c) >= 0:
			out = append(out, s[i:i+1])
			i++
		case c == '"' || c == '\'':
			var b strings.Builder
			b.WriteByte('"')
			j := i + 1
			for ; j < len(s) && s[j] != c; j++ {
				if s[j] == '`' && j+1 < len(s) { // as in PowerShell
					j++
				}
				b.WriteByte(s[j])
			}
			if j >= len(s) {
				return nil, fmt.Errorf("a quotation at position %d does not end", i)
			}
			out = append(out, b.String())
			i = j + 1
		default:
			j := i
			for j < len(s) && strings.IndexByte(" \t\r\n()[],\"'", s[j]) < 0 {
				j++
			}
			out = append(out, s[i:j])
			i = j
		}
	}
	return out, nil
}

type ruleParser struct {
	toks  []string
	i     int
	terms int
	inner string // inside -any and -all: what elements are called
}

func (p *ruleParser) peek() string {
	if p.i < len(p.toks) {
		return p.toks[p.i]
	}
	return ""
}

func (p *ruleParser) next() string { t := p.peek(); p.i++; return t }

// operator takes one of the words, with or without hyphen.
func (p *ruleParser) operator(words ...string) string {
	w := strings.ToLower(p.peek())
	if w == "" || w[0] == '"' {
		return ""
	}
	if w = "-" + strings.TrimPrefix(w, "-"); slices.Contains(words, w) {
		p.i++
		return w
	}
	return ""
}

func (p *ruleParser) wrong() error {
	if t := p.peek(); t != "" {
		return fmt.Errorf("'%.40s' is not understood there", strings.TrimPrefix(t, `"`))
	}
	return fmt.Errorf("the rule ends too early")
}

func (p *ruleParser) or(depth int) (ruleNode, error) {
	a, err := p.and(depth)
	for err == nil && p.operator("-or") != "" {
		var b ruleNode
		if b, err = p.and(depth); err == nil {
			a = &ruleJoin{false, a, b}
		}
	}
	return a, err
}

func (p *ruleParser) and(depth int) (ruleNode, error) {
	a, err := p.term(depth)
	for err == nil && p.operator("-and") != "" {
		var b ruleNode
		if b, err = p.term(depth); err == nil {
			a = &ruleJoin{true, a, b}
		}
	}
	return a, err
}

func (p *ruleParser) term(depth int) (ruleNode, error) {
	if p.terms++; depth > maxRuleDepth || p.terms > maxRuleTerms {
		return nil, fmt.Errorf("the rule is nested too deeply or has too many terms")
	}
	if p.operator("-not") != "" {
		a, err := p.term(depth + 1)
		return &ruleNot{a}, err
	}
	if p.peek() == "(" {
		p.i++
		a, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		if p.next() != ")" {
			p.i--
			return nil, p.wrong()
		}
		return a, nil
	}
	return p.test(depth)
}

func (p *ruleParser) test(depth int) (ruleNode, error) {
	name, multi, err := p.property()
	if err != nil {
		return nil, err
	}
	if op := p.operator("-any", "-all"); op != "" {
		if !multi || p.inner != "" || p.peek() != "(" {
			p.i--
			return nil, p.wrong()
		}
		p.inner = "_"
		if name == "assignedplans" {
			p.inner = "assignedplan."
		}
		body, err := p.term(depth + 1)
		p.inner = ""
		return &ruleEach{name, op == "-all", body}, err
	}
	t := &ruleTest{property: name, op: p.operator("-eq", "-ne", "-startswith", "-notstartswith", "-endswith", "-notendswith", "-contains", "-notcontains",
		"-match", "-notmatch", "-in", "-notin")}
	if t.op == "" || name == "assignedplans" {
		return nil, p.wrong()
	}
	if t.values, err = p.values(t.op); err != nil {
		return nil, err
	}
	if strings.HasSuffix(t.op, "match") {
		text, _ := t.values[0].(string)
		if t.pattern, err = regexp.Compile("(?i)" + text); err != nil {
			return nil, fmt.Errorf("the pattern is not understood")
		}
	}
	return t, nil
}

func (p *ruleParser) values(op string) ([]any, error) {
	if op != "-in" && op != "-notin" {
		v, err := p.value()
		if _, isText := v.(string); err == nil && !isText && op != "-eq" && op != "-ne" {
			p.i--
			return nil, p.wrong()
		}
		return []any{v}, err
	}
	if p.next() != "[" {
		p.i--
		return nil, p.wrong()
	}
	var out []any
	for {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		switch p.next() {
		case "]":
			return out, nil
		case ",":
		default:
			p.i--
			return nil, p.wrong()
		}
	}
}

func (p *ruleParser) value() (any, error) {
	t := p.next()
	if strings.HasPrefix(t, `"`) {
		return t[1:], nil
	}
	switch strings.ToLower(t) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null", "$null":
		return nil, nil
	}
	p.i--
	return nil, p.wrong()
}
