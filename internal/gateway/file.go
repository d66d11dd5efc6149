package gateway

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"partnerguard/internal/problem"
	"partnerguard/internal/yamlguard"
)

// Limits of gateway.yaml.
const (
	MaxFile       = 1 << 20 // bytes
	MaxRoutes     = 1000
	MaxExceptions = 10_000 // of all routes together
	maxList       = 1000   // values of one list
	maxListen     = 24
	maxDeep       = 20 // open brackets
	maxIndent     = 60
)

const manual = "docs/gateway-config.md says what may stand where"

// Names are what a file leaves to the installation.
type Names struct {
	File string    // for errors
	Dir  string    // where files are that it names relatively; "" leaves them as they are
	Now  time.Time // exceptions end within a year of it; required
	// Tenant is the id that "connected" stands for among tenants; "" refuses the word.
	Tenant string
	// Connected is the authority that "cloud: connected" stands for; nil refuses the word.
	Connected *Authority
}

// File is gateway.yaml, read and checked.
type File struct{ table Table }

// Read reads gateway.yaml strictly. Errors say the line and what to do; kind
// [problem.BadInput], or [problem.Limit] where it is too large.
func Read(raw []byte, n Names) (_ *File, err error) {
	name := n.File
	if name == "" {
		name = "gateway.yaml"
	}
	defer func() {
		if r := recover(); r != nil { // of the YAML library
			err = problem.Wrap(fmt.Errorf("%v", r), problem.BadInput, "%s: not readable as YAML", name)
		}
	}()
	switch {
	case n.Now.IsZero():
		return nil, problem.New(problem.Internal, "a gateway's file is read at a moment, and none was given")
	case len(raw) > MaxFile:
		return nil, problem.New(problem.Limit, "%s: the file has at most %d bytes", name, MaxFile).WithHint("name groups and roles, not people")
	case len(bytes.TrimSpace(raw)) == 0:
		return nil, problem.New(problem.BadInput, "%s: the file is empty", name).WithHint("docs/gateway-config.md has one to begin with")
	case !utf8.Valid(raw):
		return nil, problem.New(problem.BadInput, "%s: not UTF-8", name).WithHint("save it as UTF-8")
	}
	if line := yamlguard.TooDeep(raw, maxDeep, maxIndent); line > 0 {
		return nil, problem.New(problem.BadInput, "%s:%d: nested too deep", name, line).WithHint(manual)
	}
	file, err := parser.ParseBytes(raw, 0)
	if err != nil {
		return nil, misread(name, err)
	}
	if len(file.Docs) > 1 {
		line := 1
		if b := file.Docs[1].Body; b != nil {
			line = lineOf(b)
		}
		return nil, problem.New(problem.BadInput, "%s:%d: another YAML document begins, and it is one", name, line).WithHint("take out the line ---")
	}
	if at, _ := yamlguard.First(file, yamlguard.Expanding()...); at > 0 {
		return nil, problem.New(problem.BadInput, "%s:%d: anchors, aliases and tags are not taken", name, at).WithHint("write the value out where it is needed")
	}
	f := &form{}
	if err := yaml.NewDecoder(bytes.NewReader(raw), yaml.Strict()).Decode(f); err != nil {
		return nil, misread(name, err)
	}
	c := &checker{name: name, file: file, names: n}
	out := &File{}
	sum := sha256.Sum256(raw)
	out.table.Digest = hex.EncodeToString(sum[:])
	c.whole(f, &out.table)
	if c.err != nil {
		return nil, c.err
	}
	out.table.index()
	return out, nil
}

// ReadFile reads it from a path. What it names relatively is looked for beside it.
func ReadFile(path string, n Names) (*File, error) {
	raw, err := problem.ReadFile("the gateway's file", path, MaxFile)
	if err != nil {
		if p, ok := errors.AsType[*problem.Error](err); ok && errors.Is(err, problem.NotFound) {
			err = p.WithHint("docs/gateway-config.md has a file to begin with")
		}
		return nil, err
	}
	n.File, n.Dir = path, filepath.Dir(path)
	return Read(raw, n)
}

// Compile makes the generation that serves by it.
func (f *File) Compile(generation uint64) *Table {
	t := f.table
	t.Generation = generation
	return &t
}

func misread(name string, err error) error {
	line, text := 1, "not readable as YAML"
	if e, ok := errors.AsType[yaml.Error](err); ok {
		text = e.GetMessage()
		if t := e.GetToken(); t != nil && t.Position != nil {
			line = t.Position.Line
		}
	}
	if e, ok := errors.AsType[*unlike](err); ok {
		line, text = e.line, e.text
	}
	return problem.Wrap(err, problem.BadInput, "%s:%d: %s", name, line, text).WithHint("%s", hintOf(text))
}

// hintOf is what to do about what the YAML library says.
func hintOf(text string) string {
	switch {
	case strings.Contains(text, "\t"):
		return "YAML indents by spaces, never by tabs"
	case strings.HasSuffix(text, "where sequence is expected"):
		return "write a list, such as [one, two]"
	}
	return manual
}

// checker finds what is well formed and wrong. It keeps the first fault.
type checker struct {
	name  string
	file  *ast.File
	names Names
	err   error
}

// fault keeps a fault of what stands at a path, with what to do.
func (c *checker) fault(path, hint, format string, args ...any) {
	if c.err != nil {
		return
	}
	if hint == "" {
		hint = manual
	}
	c.err = problem.New(problem.BadInput, "%s:%d: %s: %s", c.name, max(c.line(path), 1), path, fmt.Sprintf(format, args...)).WithHint("%s", hint)
}

// line is where the thing stands, or else the nearest thing around it; 0 is nowhere.
func (c *checker) line(path string) int {
	for p := path; p != ""; p = p[:max(strings.LastIndexAny(p, ".["), 0)] {
		if yp, err := yaml.PathString("$." + p); err == nil {
			if n, err := yp.FilterFile(c.file); err == nil && n != nil && n.GetToken() != nil {
				return n.GetToken().Position.Line
			}
		}
	}
	return 0
}

// beside is a path that the file names, from where the file is.
func (c *checker) beside(path string) string {
	if path == "" || c.names.Dir == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(c.names.Dir, path)
}
