package vouch

import (
	"errors"
	"fmt"
	"regexp"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"partnerguard/internal/evidence"
	"partnerguard/internal/problem"
	"partnerguard/internal/yamlguard"
)

// head is what such a file has at the beginning of a line and nothing else has.
var head = regexp.MustCompile(`(?m)^(attestations|exceptions)[ \t]*:[ \t]*(\[[ \t]*\])?[ \t]*(#[^\n]*)?\r?$`)

// start is what its first line may be that is neither empty nor a remark: a key,
// or what begins a document. A table whose cells hold such lines is none.
var start = regexp.MustCompile(`^([ \t]*(#[^\n]*)?\r?\n)*(---|%YAML|[A-Za-z]+[ \t]*:([ \t\r\n]|$))`)

// Is reports a text that is such a file, by its beginning.
func Is(text []byte) bool { return start.Match(text) && head.Match(text) }

// form is the file. Its lists are taken one statement at a time, so that each
// fault has its line.
type form struct {
	Attestations []Statement `yaml:"attestations"`
	Exceptions   []Statement `yaml:"exceptions"`
}

// Parse reads a file; path is for the sources of what it says. It is all or
// nothing: the error names the line and what is wrong with it.
func Parse(path string, raw []byte) (out []Statement, err error) {
	defer func() {
		if r := recover(); r != nil { // of the YAML library
			out, err = nil, problem.Wrap(fmt.Errorf("%v", r), problem.BadInput, "not readable as YAML")
		}
	}()
	switch {
	case len(raw) > MaxFile:
		return nil, problem.New(problem.Limit, "a file of attestations has at most %d bytes", MaxFile)
	case !utf8.Valid(raw):
		return nil, wrong("not UTF-8")
	}
	if line := yamlguard.TooDeep(raw, 20, 60); line > 0 {
		return nil, at(line, "nested too deep")
	}
	file, err := parser.ParseBytes(raw, 0)
	if err != nil {
		return nil, unreadable(err)
	}
	if len(file.Docs) > 1 {
		return nil, wrong("it is more than one YAML document")
	}
	if line, why := refused(file); line > 0 {
		return nil, at(line, why)
	}
	var f form
	if err := yaml.UnmarshalWithOptions(raw, &f, yaml.Strict()); err != nil {
		return nil, unreadable(err)
	}
	if n := len(f.Attestations) + len(f.Exceptions); n > MaxStatements {
		return nil, problem.New(problem.Limit, "it holds %d statements, and at most %d are read", n, MaxStatements)
	}
	for _, list := range []struct {
		kind Kind
		all  []Statement
	}{{Attestation, f.Attestations}, {Exception, f.Exceptions}} {
		for i := range list.all {
			s := list.all[i]
			s.Kind = list.kind
			line := lineOf(file, string(list.kind)+"s", i)
			s.Source = evidence.Source{Path: path, Line: line}
			if err := s.Check(); err != nil {
				return nil, at(line, err.Error())
			}
			for j := range out {
				if out[j].Same(&s) {
					return nil, at(line, fmt.Sprintf("it says the same as line %d", out[j].Source.Line))
				}
			}
			out = append(out, s)
		}
	}
	return out, nil
}

func at(line int, text string) error { return problem.New(problem.BadInput, "line %d: %s", line, text) }

func unreadable(err error) error {
	line, text := 1, "not readable as YAML"
	if e, ok := errors.AsType[yaml.Error](err); ok {
		text = e.GetMessage()
		if t := e.GetToken(); t != nil && t.Position != nil {
			line = t.Position.Line
		}
	}
	return problem.Wrap(err, problem.BadInput, "line %d: %s", line, text)
}

// lineOf is the line at which the nth statement of a list begins; 0 when that
// cannot be told.
func lineOf(file *ast.File, list string, n int) int {
	p, err := yaml.PathString(fmt.Sprintf("$.%s[%d]", list, n))
	if err != nil {
		return 0
	}
	node, err := p.FilterFile(file)
	if err != nil || node == nil {
		return 0
	}
	if m, ok := node.(*ast.MappingNode); ok && len(m.Values) > 0 {
		return m.Values[0].Key.GetToken().Position.Line
	}
	return node.GetToken().Position.Line
}

// refused is what such a file may not hold: what makes a short file long, and what
// means something else than it says (017 would be read as 15).
func refused(file *ast.File) (line int, why string) {
	if line, _ := yamlguard.First(file, yamlguard.Expanding()...); line > 0 {
		return line, "anchors, aliases and tags are not taken: write the value out where it is needed"
	}
	line, _ = yamlguard.First(file, ast.IntegerType, ast.FloatType, ast.InfinityType, ast.NanType, ast.BoolType)
	return line, "a number or a yes and no where words belong: put it in quotes"
}
