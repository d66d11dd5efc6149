package intake

import (
	"bytes"
	"fmt"
	"math/big"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// hcl reads a Terraform configuration. Nothing is evaluated but literals: what
// refers to something else is computed.
func (f *file) hcl(text []byte) error {
	if err := tooNested(text); err != nil {
		f.fault(f.at(place{}), 0, "a Terraform configuration that is not read: "+err.Error())
		return nil
	}
	parsed, diags := hclsyntax.ParseConfig(text, f.in.Path, hcl.InitialPos)
	body, ok := parsed.Body.(*hclsyntax.Body)
	if !ok || diags.HasErrors() {
		if !bytes.Contains(text, []byte("azuread_conditional_access_policy")) && !bytes.Contains(text, []byte("azuread_named_location")) {
			f.foreign("a Terraform configuration without Conditional Access policies or named locations")
			return nil
		}
		msg, line := "it cannot be parsed", 0
		if len(diags) > 0 {
			msg = clip(diags[0].Summary)
			if diags[0].Subject != nil {
				line = diags[0].Subject.Start.Line
			}
		}
		f.fault(f.at(place{line: line}), 0, "a Terraform configuration that is not read: "+msg+" (use GET /identity/conditionalAccess/policies)")
		return nil
	}
	n := 0
	for _, b := range body.Blocks {
		if b.Type != "resource" || len(b.Labels) != 2 {
			continue
		}
		attributes := hclBlock(b.Body, text, 0)
		if _, ok := attributes["display_name"].(string); !ok {
			attributes["display_name"] = b.Labels[1] // as Terraform calls it
		}
		took, err := f.resource(b.Labels[0], attributes, true, place{line: b.DefRange().Start.Line, part: b.Labels[0] + "." + b.Labels[1]})
		if err != nil {
			return err
		}
		if took {
			n++
		}
	}
	if n == 0 {
		f.foreign("a Terraform configuration without Conditional Access policies or named locations")
	}
	return nil
}

// hclBlock brings a block to the form that a state has: blocks inside are lists
// of objects.
func hclBlock(b *hclsyntax.Body, text []byte, depth int) map[string]any {
	out := map[string]any{}
	if depth > 8 {
		return computed("nested too deep")
	}
	for name, a := range b.Attributes {
		out[name] = hclValue(a.Expr, text)
	}
	for _, inner := range b.Blocks {
		if inner.Type == "dynamic" { // whether and how often the block is there is computed
			out["dynamic"] = computed(source(text, inner.Range()))
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
	return computed(source(text, e.Range()))
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
