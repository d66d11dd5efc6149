package text

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Computed stands for a value that a configuration does not say but computes.
func Computed(source string) map[string]any {
	return map[string]any{"computed": Clip(strings.TrimSpace(source))}
}

// ErrNested says that a configuration is nested deeper than is read.
var ErrNested = errors.New("it is nested too deep")

// tooNested bounds what a parser that calls itself would do.
func tooNested(text []byte) error {
	depth := 0
	for _, c := range text {
		switch c {
		case '(', '[', '{':
			if depth++; depth > 200 {
				return ErrNested
			}
		case ')', ']', '}':
			depth = max(depth-1, 0)
		}
	}
	if bytes.Count(text, []byte("?"))+bytes.Count(text, []byte("!"))+bytes.Count(text, []byte("--"))+bytes.Count(text, []byte("- -")) > 5000 {
		return ErrNested
	}
	return nil
}

// Resource is one resource of a Terraform configuration.
type Resource struct {
	Kind, Name string
	Attributes map[string]any // blocks are lists of objects, what is computed is an object
	Line       int
}

// HCL reads the resources of a Terraform configuration. Nothing is evaluated
// but literals. The error is ErrNested, or what the parser says, with its line.
func HCL(text []byte, path string) (list []Resource, line int, err error) {
	if err := tooNested(text); err != nil {
		return nil, 0, err
	}
	parsed, diags := hclsyntax.ParseConfig(text, path, hcl.InitialPos)
	body, ok := parsed.Body.(*hclsyntax.Body)
	if !ok || diags.HasErrors() {
		msg := "it cannot be parsed"
		if len(diags) > 0 {
			msg = Clip(diags[0].Summary)
			if diags[0].Subject != nil {
				line = diags[0].Subject.Start.Line
			}
		}
		return nil, line, errors.New(msg)
	}
	for _, b := range body.Blocks {
		if b.Type == "resource" && len(b.Labels) == 2 {
			list = append(list, Resource{b.Labels[0], b.Labels[1], hclBlock(b.Body, text, 0), b.DefRange().Start.Line})
		}
	}
	return list, 0, nil
}

// hclBlock brings a block to the form that a state has: blocks inside are lists
// of objects.
func hclBlock(b *hclsyntax.Body, text []byte, depth int) map[string]any {
	out := map[string]any{}
	if depth > 8 {
		return Computed("nested too deep")
	}
	for name, a := range b.Attributes {
		out[name] = hclValue(a.Expr, text)
	}
	for _, inner := range b.Blocks {
		if inner.Type == "dynamic" { // whether and how often the block is there is computed
			out["dynamic"] = Computed(source(text, inner.Range()))
			continue
		}
		list, _ := out[inner.Type].([]any)
		out[inner.Type] = append(list, hclBlock(inner.Body, text, depth+1))
	}
	return out
}

// hclValue is a literal as JSON would have it, or what stands for a computed
// value.
func hclValue(e hclsyntax.Expression, text []byte) any {
	if len(e.Variables()) == 0 {
		if v, diags := e.Value(nil); !diags.HasErrors() {
			if out, ok := ctyValue(v, 0); ok {
				return out
			}
		}
	}
	return Computed(source(text, e.Range()))
}

func source(text []byte, r hcl.Range) string {
	from, to := max(r.Start.Byte, 0), min(r.End.Byte, len(text))
	if from >= to {
		return "a value"
	}
	return string(text[from:min(to, from+200)])
}

func ctyValue(v cty.Value, depth int) (any, bool) {
	if depth > 16 || !v.IsKnown() {
		return nil, false
	}
	if v.IsNull() {
		return nil, true
	}
	t := v.Type()
	switch {
	case t == cty.String:
		return v.AsString(), true
	case t == cty.Bool:
		return v.True(), true
	case t == cty.Number:
		n := v.AsBigFloat()
		if i, acc := n.Int64(); acc == big.Exact {
			return i, true
		}
		x, _ := n.Float64()
		return fmt.Sprint(x), true
	case t.IsTupleType() || t.IsListType() || t.IsSetType():
		list := []any{}
		for it := v.ElementIterator(); it.Next(); {
			_, e := it.Element()
			one, ok := ctyValue(e, depth+1)
			if !ok {
				return nil, false
			}
			list = append(list, one)
		}
		return list, true
	case t.IsObjectType() || t.IsMapType():
		m := map[string]any{}
		for it := v.ElementIterator(); it.Next(); {
			k, e := it.Element()
			one, ok := ctyValue(e, depth+1)
			if !ok {
				return nil, false
			}
			m[k.AsString()] = one
		}
		return m, true
	}
	return nil, false
}
