package recommend

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"

	"partnerguard/internal/problem"
	"partnerguard/internal/yamlguard"
)

// Limits of a file of pins.
const (
	maxPinFile = 1 << 20
	maxPins    = 10_000
	maxReason  = 500
)

// pinFile is a file of pins.
type pinFile struct {
	Pins []struct {
		Role     string `yaml:"role"`
		Group    string `yaml:"group"`
		Customer string `yaml:"customer"`
		Reason   string `yaml:"reason"`
	} `yaml:"pins"`
}

// ReadPins reads a file of pins strictly, YAML or JSON: {pins: [{role, group, customer,
// reason}]}; roles, groups and customers by name or id, group and customer may be left out.
// name is for its errors. Kind problem.BadInput.
func ReadPins(name string, raw []byte) (out []Pin, err error) {
	bad := func(format string, args ...any) error {
		return problem.New(problem.BadInput, "%s: %s", name, fmt.Sprintf(format, args...)).
			WithHint("write pins: and under it - role: Service Support Administrator, reason: tickets; group and customer are optional")
	}
	defer func() {
		if r := recover(); r != nil { // of the YAML library
			out, err = nil, bad("not readable as YAML")
		}
	}()
	if len(raw) > maxPinFile || !utf8.Valid(raw) {
		return nil, bad("not UTF-8, or of more than %d bytes", maxPinFile)
	}
	if line := yamlguard.TooDeep(raw, 20, 60); line > 0 {
		return nil, bad("line %d is nested deeper than pins are", line)
	}
	tree, err := parser.ParseBytes(raw, 0)
	if err != nil {
		return nil, bad("not readable as YAML")
	}
	if line, _ := yamlguard.First(tree, yamlguard.Expanding()...); line > 0 {
		return nil, bad("line %d: anchors, aliases and tags have no place among pins", line)
	}
	var f pinFile
	if err := yaml.NewDecoder(bytes.NewReader(raw), yaml.Strict()).Decode(&f); err != nil {
		return nil, bad("%s", strings.SplitN(yaml.FormatError(err, false, false), "\n", 2)[0])
	}
	if len(f.Pins) == 0 || len(f.Pins) > maxPins {
		return nil, bad("it has 1 to %d pins", maxPins)
	}
	for i, p := range f.Pins {
		if p.Role == "" || strings.TrimSpace(p.Reason) == "" || len(p.Reason) > maxReason {
			return nil, bad("pin %d has no role, or no reason of 1 to %d bytes", i+1, maxReason)
		}
		out = append(out, Pin{Role: p.Role, Group: p.Group, Customer: p.Customer, Reason: p.Reason})
	}
	return out, nil
}
