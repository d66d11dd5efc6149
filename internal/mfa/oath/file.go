package oath

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"

	"partnerguard/internal/problem"
	"partnerguard/internal/yamlguard"
)

// File is a plan as people read it: a line taken out is a token left alone. What is to
// be done with each is planned anew when it is applied. It holds no secret.
type File struct {
	Version int    `yaml:"version"` // 1
	Cloud   string `yaml:"cloud"`
	Tenant  string `yaml:"tenant"` // its id
	Tokens  []Line `yaml:"tokens"`
}

// Line is one token of a file. All but Serial tells people what was planned.
type Line struct {
	Serial string `yaml:"serialNumber"`
	User   string `yaml:"user"`
	Name   string `yaml:"name,omitempty"`
	Act    Act    `yaml:"act"`
	Why    string `yaml:"why,omitempty"`
}

// Limits of a plan's file.
const (
	maxPlan   = 4 << 20
	brackets  = 16
	indenting = 64
)

var tenantID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// Lines are the steps of a plan as a file has them.
func Lines(plan []Step) []Line {
	out := make([]Line, 0, len(plan))
	for _, s := range plan {
		out = append(out, Line{Serial: s.Token.Serial, User: s.Token.User, Name: s.Token.Name, Act: s.Act, Why: s.Why})
	}
	return out
}

// YAML writes a file for people.
func (f File) YAML() ([]byte, error) {
	b, err := yaml.Marshal(f)
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the plan cannot be written")
	}
	return append([]byte("# Which of our seeds go to Entra ID as hardware OATH tokens. Take out what shall stay, then:\n"+
		"# partnerguard mfa oath --apply THIS-FILE\n"), b...), nil
}

// ReadFile reads a plan's file strictly; name is for its errors. Kind problem.BadInput.
func ReadFile(name string, raw []byte) (f File, err error) {
	bad := func(format string, args ...any) error {
		return problem.New(problem.BadInput, "%s: %s", name, fmt.Sprintf(format, args...)).WithHint("partnerguard mfa oath --plan writes one that can be read")
	}
	defer func() {
		if r := recover(); r != nil { // of the YAML library
			err = bad("not readable as YAML")
		}
	}()
	if len(raw) > maxPlan || !utf8.Valid(raw) {
		return f, bad("not UTF-8, or of more than %d bytes", maxPlan)
	}
	if line := yamlguard.TooDeep(raw, brackets, indenting); line > 0 {
		return f, bad("line %d is nested deeper than a plan is", line)
	}
	tree, err := parser.ParseBytes(raw, 0)
	if err != nil {
		return f, bad("not readable as YAML")
	}
	if line, _ := yamlguard.First(tree, yamlguard.Expanding()...); line > 0 {
		return f, bad("line %d: anchors, aliases and tags have no place in a plan", line)
	}
	if err := yaml.NewDecoder(bytes.NewReader(raw), yaml.Strict()).Decode(&f); err != nil {
		return f, bad("%s", strings.SplitN(yaml.FormatError(err, false, false), "\n", 2)[0])
	}
	switch {
	case f.Version != 1:
		return f, bad("the plan's version is %d, not 1", f.Version)
	case !tenantID.MatchString(f.Tenant):
		return f, bad("the plan's tenant is not an id in lower case")
	case len(f.Tokens) == 0 || len(f.Tokens) > maxTokens:
		return f, bad("a plan has 1 to %d tokens", maxTokens)
	}
	seen := map[string]bool{}
	for _, t := range f.Tokens {
		if !serial(t.Serial) || seen[strings.ToLower(t.Serial)] {
			return f, bad("the serial number %.70q is none, or there twice", t.Serial)
		}
		seen[strings.ToLower(t.Serial)] = true
	}
	return f, nil
}

// Only keeps of a plan what a file names. A token that the file names and the plan does
// not have is an error of kind problem.Conflict.
func (f File) Only(plan []Step) ([]Step, error) {
	by := map[string]Step{}
	for _, s := range plan {
		by[strings.ToLower(s.Token.Serial)] = s
	}
	out := make([]Step, 0, len(f.Tokens))
	for _, t := range f.Tokens {
		s, ok := by[strings.ToLower(t.Serial)]
		if !ok || !strings.EqualFold(s.Token.User, t.User) {
			return nil, problem.New(problem.Conflict, "the token %s of the plan is not here any more, or another's", t.Serial).
				WithHint("partnerguard mfa oath --plan writes a plan of now")
		}
		out = append(out, s)
	}
	return out, nil
}
