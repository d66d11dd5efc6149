package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"partnerguard/internal/problem"
)

// Limits of a scenario file.
const (
	maxText    = 4 << 20
	maxNesting = 64   // levels of indentation or brackets
	maxErrors  = 20   // shown at once
	maxLine    = 1000 // places on one line that could open a level
)

// Parse reads a scenario. Whatever it does not know is an error: unknown keys,
// wrong types, names that nobody bears, ids given twice. The error says line,
// what is wrong and what to do; up to twenty are shown at once. Safe for text
// from anywhere.
func Parse(text []byte) (sc *Scenario, err error) {
	return ParseFile("scenario", text)
}

// ParseFile is Parse with a file's name for the error messages.
func ParseFile(name string, text []byte) (sc *Scenario, err error) {
	// The parser of the YAML library is given text from anywhere: a panic of
	// its own is a bad file, not the end of this process.
	defer func() {
		if r := recover(); r != nil {
			sc, err = nil, problem.Wrap(fmt.Errorf("%v", r), problem.BadInput, "%s: not readable as YAML", name).WithHint(seeDefault)
		}
	}()
	if len(text) > maxText {
		return nil, problem.New(problem.Limit, "%s: %d bytes; a scenario has at most %d", name, len(text), maxText).
			WithHint("let the generator make the rest: generate.customers, generate.users")
	}
	if !utf8.Valid(text) {
		return nil, problem.New(problem.BadInput, "%s: not UTF-8", name).WithHint("save the file as UTF-8")
	}
	if line := tooDeep(text); line > 0 {
		return nil, problem.New(problem.BadInput, "%s:%d: nested too deep", name, line).
			WithHint("no part of a scenario is nested more than %d levels", maxNesting)
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, wrong(name, err)
	}
	lines := lineIndex{}
	for i, doc := range file.Docs {
		if i > 0 && doc.Body != nil {
			return nil, problem.New(problem.BadInput, "%s:%d: a second document", name, doc.Body.GetToken().Position.Line).
				WithHint("a scenario is one YAML document: remove the --- line")
		}
		if doc.Body == nil {
			continue
		}
		w := &walker{lines: lines}
		ast.Walk(w, doc.Body)
		if w.alias > 0 {
			return nil, problem.New(problem.BadInput, "%s:%d: anchors, aliases, merge keys and tags are not taken", name, w.alias).
				WithHint("write the value out where it is needed")
		}
	}
	sc = &Scenario{}
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(sc); err != nil {
		if len(bytes.TrimSpace(text)) == 0 || err.Error() == "EOF" {
			return nil, problem.New(problem.BadInput, "%s: empty", name).WithHint("start from the default scenario")
		}
		return nil, wrong(name, err)
	}
	sc.text = slices.Clone(text)
	c := &checker{name: name, lines: lines, sc: sc}
	c.check()
	if len(c.faults) > 0 {
		return nil, c.err()
	}
	return sc, nil
}

// wrong turns an error of the YAML library into ours: with a line, without a
// copy of the file's text.
func wrong(name string, err error) error {
	if e, ok := errors.AsType[yaml.Error](err); ok {
		line := 0
		if t := e.GetToken(); t != nil && t.Position != nil {
			line = t.Position.Line
		}
		text := e.GetMessage()
		if t, ok := errors.AsType[*yaml.TypeError](err); ok && t.SrcType != nil && t.DstType != nil {
			text = "a " + kindWord(t.SrcType) + " stands where a " + kindWord(t.DstType) + " is expected"
		}
		return problem.Wrap(err, problem.BadInput, "%s:%d: %s", name, line, text).WithHint(seeDefault)
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return problem.Wrap(err, problem.BadInput, "%s: %s", name, first).WithHint(seeDefault)
}

const seeDefault = "partnerguard cloud scenario prints one that says what may stand where"

// kindWord names a type as who writes YAML thinks of it.
func kindWord(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "yes or no (true, false)"
	case reflect.Slice, reflect.Array:
		return "list"
	case reflect.Map, reflect.Struct:
		return "group of keys"
	case reflect.Pointer:
		return kindWord(t.Elem())
	}
	return "number"
}

// tooDeep finds the first line at which text could be nested deeper than the
// recursive parser should be asked to follow; 0 when there is none. Brackets
// inside texts are counted too: a scenario has no use for so many.
func tooDeep(text []byte) int {
	depth := 0
	n := 0
	for line := range bytes.Lines(text) {
		n++
		openers, indent, levels := 0, 0, 0
		for indent < len(line) && line[indent] == ' ' {
			indent++
		}
		for i, c := range line {
			switch c {
			case '[', '{':
				depth++
				openers++
			case ']', '}':
				depth = max(0, depth-1)
			case '-', '?', ':':
				if i+1 < len(line) && (line[i+1] == ' ' || line[i+1] == '\t' || line[i+1] == '\n') {
					levels++
				}
			case '&', '*', '!':
				levels++
			}
		}
		if depth > maxNesting || indent > 8*maxNesting || levels > maxLine || openers > maxLine {
			return n
		}
	}
	return 0
}

// lineIndex maps YAML paths ($.people[3].upn) to lines.
type lineIndex map[string]int

type walker struct {
	lines lineIndex
	alias int // line of the first anchor, alias, merge key or tag
}

// Visit notes where each value stands.
func (w *walker) Visit(n ast.Node) ast.Visitor {
	if n == nil {
		return nil
	}
	line := 0
	if t := n.GetToken(); t != nil && t.Position != nil {
		line = t.Position.Line
	}
	switch n.Type() {
	case ast.AnchorType, ast.AliasType, ast.MergeKeyType, ast.TagType:
		if w.alias == 0 {
			w.alias = max(line, 1)
		}
		return nil
	}
	p := n.GetPath()
	if old, ok := w.lines[p]; p != "" && (!ok || line < old) {
		w.lines[p] = line
	}
	return w
}

// of finds the line of a path, or of the nearest part of it that has one.
func (l lineIndex) of(path string) int {
	for path != "" {
		if n := l[path]; n > 0 {
			return n
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			break
		}
		path = path[:i]
	}
	return 1
}
