package remedy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"partnerguard/internal/pattern"
	"partnerguard/internal/problem"
	"partnerguard/internal/yamlguard"
)

// How deep a plan goes: objects of Graph are at most eight deep, within a step.
const (
	brackets  = 30
	indenting = 80
	maxDepth  = 24
)

const fileHint = "have the plan written by `partnerguard remedy plan`"

// document is a file as JSON, and the line of each of its values by JSON pointer.
type document struct {
	json  []byte
	lines map[string]int
}

// line is where a value stands; the nearest one around it that is known.
func (d *document) line(at string) int {
	for {
		if n, known := d.lines[at]; known {
			return n
		}
		i := strings.LastIndexByte(at, '/')
		if i < 0 {
			return 1
		}
		at = at[:i]
	}
}

// readYAML reads a file without anything that could surprise.
func readYAML(raw []byte) (d *document, err error) {
	defer func() {
		if r := recover(); r != nil { // of the YAML library
			d, err = nil, problem.Wrap(fmt.Errorf("%v", r), problem.BadInput, "the plan is not readable as YAML").WithHint(fileHint)
		}
	}()
	bad := func(format string, args ...any) (*document, error) {
		return nil, problem.New(problem.BadInput, format, args...).WithHint(fileHint)
	}
	switch {
	case len(raw) > MaxFile:
		return nil, problem.New(problem.Limit, "the plan has more than %d bytes", MaxFile).WithHint("plan less at once")
	case !utf8.Valid(raw):
		return bad("the plan is not UTF-8")
	}
	if line := yamlguard.TooDeep(raw, brackets, indenting); line > 0 {
		return bad("the plan, line %d: nested deeper than a plan is", line)
	}
	f, err := parser.ParseBytes(raw, 0)
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the plan%s is not readable as YAML", lineIn(err)).WithHint(fileHint)
	}
	if line, _ := yamlguard.First(f, yamlguard.Expanding()...); line > 0 {
		return bad("the plan, line %d: anchors, aliases and tags have no place here", line)
	}
	if len(f.Docs) != 1 || f.Docs[0].Body == nil {
		return bad("the plan's file holds no plan, or more than one")
	}
	c := &converter{lines: map[string]int{}}
	if err := c.value(f.Docs[0].Body, "", 0); err != nil {
		return nil, err
	}
	return &document{c.out.Bytes(), c.lines}, nil
}

var lineOf = pattern.Later(`^\[(\d+):\d+\]`)

func lineIn(err error) string {
	if m := lineOf.FindStringSubmatch(err.Error()); m != nil {
		return ", line " + m[1] + ","
	}
	return ""
}

// converter makes JSON of YAML.
type converter struct {
	out   bytes.Buffer
	lines map[string]int
}

var jsonNumber = pattern.Later(`^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?$`)

func (c *converter) value(n ast.Node, at string, depth int) error {
	line := 1
	if t := n.GetToken(); t != nil && t.Position != nil {
		line = t.Position.Line
	}
	if _, had := c.lines[at]; !had {
		c.lines[at] = line
	}
	bad := func(format string, args ...any) error {
		return problem.New(problem.BadInput, "the plan, line %d: %s", line, fmt.Sprintf(format, args...)).WithHint(fileHint)
	}
	if depth > maxDepth {
		return bad("nested deeper than a plan is")
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		return c.mapping(n.Values, at, depth, bad)
	case *ast.MappingValueNode:
		return c.mapping([]*ast.MappingValueNode{n}, at, depth, bad)
	case *ast.SequenceNode:
		c.out.WriteByte('[')
		for i, x := range n.Values {
			if i > 0 {
				c.out.WriteByte(',')
			}
			if err := c.value(x, at+"/"+strconv.Itoa(i), depth+1); err != nil {
				return err
			}
		}
		c.out.WriteByte(']')
	case *ast.StringNode:
		return c.text(n.Value)
	case *ast.LiteralNode:
		return c.text(n.Value.Value)
	case *ast.IntegerNode, *ast.FloatNode:
		s := strings.TrimSpace(n.GetToken().Value)
		if !jsonNumber.MatchString(s) {
			return bad("%s is not written as a plan writes numbers; a text stands in quotes", clipped(s))
		}
		c.out.WriteString(s)
	case *ast.BoolNode:
		c.out.WriteString(strconv.FormatBool(n.Value))
	case *ast.NullNode:
		c.out.WriteString("null")
	default:
		return bad("a plan has no %s", n.Type())
	}
	return nil
}

func (c *converter) mapping(pairs []*ast.MappingValueNode, at string, depth int, bad func(string, ...any) error) error {
	c.out.WriteByte('{')
	seen := map[string]bool{}
	for i, pair := range pairs {
		key, is := pair.Key.(*ast.StringNode)
		if !is {
			return bad("%s is no name; it stands in quotes", clipped(pair.Key.String()))
		}
		if seen[key.Value] {
			return bad("%s is given twice", clipped(key.Value))
		}
		seen[key.Value] = true
		if i > 0 {
			c.out.WriteByte(',')
		}
		if err := c.text(key.Value); err != nil {
			return err
		}
		c.out.WriteByte(':')
		below := at + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key.Value)
		if key.Token != nil && key.Token.Position != nil {
			c.lines[below] = key.Token.Position.Line
		}
		if err := c.value(pair.Value, below, depth+1); err != nil {
			return err
		}
	}
	c.out.WriteByte('}')
	return nil
}

func (c *converter) text(s string) error {
	b, err := json.Marshal(s)
	c.out.Write(b)
	return err
}

func clipped(s string) string {
	if r := []rune(s); len(r) > 60 {
		s = string(r[:57]) + "..."
	}
	return strconv.Quote(s)
}

// writeYAML writes JSON as YAML in blocks. Of the many ways to write a text in YAML it
// takes two that every reader reads alike: a plain one where nothing else could be meant,
// and JSON's own in quotes.
func writeYAML(w io.Writer, raw []byte) error {
	e := &emitter{w: w, d: jsontext.NewDecoder(bytes.NewReader(raw))}
	return e.value(0, true)
}

type emitter struct {
	w io.Writer
	d *jsontext.Decoder
}

func (e *emitter) put(s string) { _, _ = io.WriteString(e.w, s) } // into a buffer

// value writes one value. It begins on the line of its name, or of its dash; lead says
// that it is at the start of a line's content.
func (e *emitter) value(indent int, lead bool) error {
	t, err := e.d.ReadToken()
	if err != nil {
		return problem.Wrap(err, problem.Internal, "the plan cannot be written")
	}
	switch t.Kind() {
	case '{':
		return e.object(indent, lead)
	case '[':
		return e.array(indent, lead)
	case '"':
		e.put(scalar(t.String()) + "\n")
	default:
		e.put(t.String() + "\n")
	}
	return nil
}

func (e *emitter) object(indent int, lead bool) error {
	for first := true; e.d.PeekKind() != '}'; first = false {
		if first && !lead {
			e.put("\n")
		}
		if !first || !lead {
			e.put(strings.Repeat(" ", indent))
		}
		name, err := e.d.ReadToken()
		if err != nil {
			return err
		}
		if name.String() == "n" { // which YAML 1.1 would have as false, and no reader of ours or of theirs does
			e.put("n:")
		} else {
			e.put(scalar(name.String()) + ":")
		}
		if k := e.d.PeekKind(); k == '[' || k == '{' {
			below := indent + 2
			if k == '[' { // its dashes stand below the name
				below = indent
			}
			if err := e.value(below, false); err != nil {
				return err
			}
			continue
		}
		e.put(" ")
		if err := e.value(0, true); err != nil {
			return err
		}
	}
	return e.end(lead)
}

// end closes what was open; what was empty is said to be.
func (e *emitter) end(lead bool) error {
	kind, n := e.d.StackIndex(e.d.StackDepth())
	if _, err := e.d.ReadToken(); err != nil || n > 0 {
		return err
	}
	if !lead {
		e.put(" ")
	}
	e.put(map[jsontext.Kind]string{'{': "{}\n", '[': "[]\n"}[kind])
	return nil
}

func (e *emitter) array(indent int, lead bool) error {
	for first := true; e.d.PeekKind() != ']'; first = false {
		if first && !lead {
			e.put("\n")
		}
		if !first || !lead {
			e.put(strings.Repeat(" ", indent))
		}
		e.put("- ")
		if err := e.value(indent+2, true); err != nil {
			return err
		}
	}
	return e.end(lead)
}

var (
	plainText = pattern.Later(`^[A-Za-z][A-Za-z0-9_./+()'-]*( [A-Za-z0-9_./+()'-]+)*$`)
	// What some reader of YAML takes for something else than a text.
	reserved = []string{"true", "false", "yes", "no", "on", "off", "null", "nil", "none", "y", "n", "nan", "inf", "infinity"}
)

func scalar(s string) string {
	if plainText.MatchString(s) && !slices.Contains(reserved, strings.ToLower(s)) {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	odd := unbalanced(s)
	for _, r := range s {
		switch {
		case odd && strings.ContainsRune("[]{}", r):
			fmt.Fprintf(&b, `\u%04x`, r)
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' || r == '\ufeff' || r == '\ufffe' || r == '\uffff':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// unbalanced reports brackets in a text that a reader who counts them before it knows
// what a text is would take for depth.
func unbalanced(s string) bool {
	depth, most := 0, 0
	for _, r := range s {
		switch r {
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		}
		most = max(most, depth)
		if depth < 0 {
			return true
		}
	}
	return depth != 0 || most > 3
}
