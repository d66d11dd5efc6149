package export

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
)

// Terraform writes a plan as a configuration of the provider hashicorp/azuread, 3.8 and
// later. What exists is imported, and never made twice. An object with something that
// the provider has no attribute for is left out whole, and told: without it, it would be
// another policy.
func Terraform(p *remedy.Plan, stage remedy.Stage) (*Out, error) {
	s, err := at(p, stage)
	if err != nil {
		return nil, err
	}
	if _, _, err := s.calls(); err != nil { // what must not be written is not exported either
		return nil, err
	}
	s.steps = folded(s.steps)
	f := hclwrite.NewEmptyFile()
	t := &terra{staged: s, body: f.Body(), left: slices.Clone(s.skipped)}
	t.note(s.head("Plan into a file and apply that: Graph takes one request a second here, so -parallelism=1.")...)
	need := t.body.AppendNewBlock("terraform", nil).Body()
	need.SetAttributeValue("required_version", cty.StringVal(">= 1.5"))
	need.AppendNewBlock("required_providers", nil).Body().SetAttributeValue("azuread", cty.ObjectVal(map[string]cty.Value{
		"source": cty.StringVal("hashicorp/azuread"), "version": cty.StringVal("~> 3.8")}))
	t.body.AppendNewline()
	t.body.AppendNewBlock("provider", []string{"azuread"}).Body().SetAttributeValue("tenant_id", cty.StringVal(p.Tenant.ID))
	for i := range s.steps {
		if err := t.step(&s.steps[i]); err != nil {
			return nil, err
		}
	}
	if len(t.left) > 0 {
		t.body.AppendNewline()
		t.note(append([]string{"Not in this configuration:"}, t.left...)...)
	}
	return &Out{[]File{{"main.tf", hclwrite.Format(f.Bytes())}}, t.left}, nil
}

type terra struct {
	*staged
	body *hclwrite.Body
	left []string
}

// note writes comment lines.
func (t *terra) note(lines ...string) {
	for _, l := range lines {
		t.body.AppendUnstructuredTokens(hclwrite.Tokens{{Type: hclsyntax.TokenComment, Bytes: []byte("# " + line(l) + "\n")}})
	}
}

// resources are the kinds that the provider has, and how it imports them.
var resources = map[remedy.Kind][2]string{
	remedy.Policy:   {"azuread_conditional_access_policy", "/identity/conditionalAccess/policies/"},
	remedy.Location: {"azuread_named_location", "/identity/conditionalAccess/namedLocations/"},
	remedy.Strength: {"azuread_authentication_strength_policy", "/policies/authenticationStrengthPolicies/"},
	remedy.Group:    {"azuread_group", "/groups/"},
	remedy.Member:   {"azuread_group_member", ""},
}

func (t *terra) step(s *remedy.Step) error {
	kind, has := resources[s.Kind]
	t.body.AppendNewline()
	t.note(about(s)...)
	if !has || s.Do == remedy.Delete || s.Do == remedy.Ask {
		why := "the provider has no resource for it"
		if s.Do == remedy.Delete {
			why = "Terraform takes away only what it has made"
		}
		t.left = append(t.left, fmt.Sprintf("step %d (%s): %s; use `--as graph` for it", s.N, line(s.Text), why))
		t.note("   not by Terraform: " + why)
		return nil
	}
	var m map[string]any
	if err := json.Unmarshal(s.After, &m); err != nil {
		return problem.Wrap(err, problem.BadInput, "step %d: its object is none", s.N)
	}
	w := &writer{keys: t.refs(), odd: nil}
	block := hclwrite.NewBlock("resource", []string{kind[0], t.name(s)})
	switch s.Kind {
	case remedy.Policy:
		w.policy(block.Body(), m)
	case remedy.Location:
		w.location(block.Body(), m)
	case remedy.Strength:
		w.fields(block.Body(), m, map[string]string{"displayName": "display_name", "description": "description", "allowedCombinations": "allowed_combinations"})
	case remedy.Group:
		w.fields(block.Body(), m, map[string]string{"displayName": "display_name", "description": "description", "mailEnabled": "mail_enabled",
			"mailNickname": "mail_nickname", "securityEnabled": "security_enabled", "isAssignableToRole": "assignable_to_role"})
	case remedy.Member:
		w.fields(block.Body(), m, map[string]string{"group": "group_object_id", "member": "member_object_id"})
	}
	w.limits(s, m)
	if len(w.odd) > 0 {
		slices.Sort(w.odd)
		why := "the provider has no attribute for " + strings.Join(w.odd, ", ") + ", and without it this would be something else"
		t.left = append(t.left, fmt.Sprintf("step %d (%s): %s; use `--as graph` for it", s.N, line(s.Text), why))
		t.note("   not by Terraform: " + why)
		return nil
	}
	if strings.Contains(string(s.After), `"linux"`) && s.Kind == remedy.Policy {
		t.note("   linux: where v1.0 of Graph, which the provider reads, answers unknownFutureValue for it, each later plan shows it as a change")
	}
	if s.Do == remedy.Update {
		imp := t.body.AppendNewBlock("import", nil).Body()
		imp.SetAttributeTraversal("to", traversal(kind[0], t.name(s)))
		imp.SetAttributeValue("id", cty.StringVal(kind[1]+s.ID))
		t.body.AppendNewline()
		// It was there before: `terraform destroy`, or a change that the provider makes by
		// a new object, would take it from who had it.
		block.Body().AppendNewBlock("lifecycle", nil).Body().SetAttributeValue("prevent_destroy", cty.True)
	}
	t.body.AppendBlock(block)
	return nil
}

// name is the resource's name: of the object, of the key, or of the plan's step. An object
// has the same name in each plan's configuration: under another one Terraform would destroy
// it by the old name while it imports it by the new.
func (t *terra) name(s *remedy.Step) string {
	plain := strings.NewReplacer("-", "_", "/", "_").Replace
	name := fmt.Sprintf("step_%d_of_%s", s.N, plain(t.plan.ID))
	if s.ID != "" {
		name = "id_" + plain(s.ID)
	}
	if s.Key != "" {
		name = variable(s.Key)
	}
	return name
}

// refs are the references that stand for keys.
func (t *terra) refs() map[string]hcl.Traversal {
	out := map[string]hcl.Traversal{}
	for i := range t.steps {
		s := &t.steps[i]
		kind, has := resources[s.Kind]
		if s.Key == "" || !has {
			continue
		}
		attribute := "id"
		switch s.Kind {
		case remedy.Group, remedy.Location:
			attribute = "object_id"
		}
		out["{"+s.Key+"}"] = traversal(kind[0], variable(s.Key), attribute)
	}
	return out
}

func traversal(root string, names ...string) hcl.Traversal {
	out := hcl.Traversal{hcl.TraverseRoot{Name: root}}
	for _, n := range names {
		out = append(out, hcl.TraverseAttr{Name: n})
	}
	return out
}

// writer writes attributes, and notes what it has no attribute for.
type writer struct {
	keys map[string]hcl.Traversal
	odd  []string
}

// fields writes members as attributes; what has none is odd.
func (w *writer) fields(b *hclwrite.Body, m map[string]any, names map[string]string) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if names[k] == "" {
			w.odd = append(w.odd, k)
			continue
		}
		b.SetAttributeRaw(names[k], w.value(m[k]))
	}
}

// value is a value as an expression: hclwrite escapes what a template would read.
func (w *writer) value(v any) hclwrite.Tokens {
	switch v := v.(type) {
	case string:
		if ref, is := w.keys[v]; is {
			return hclwrite.TokensForTraversal(ref)
		}
		return hclwrite.TokensForValue(cty.StringVal(v))
	case bool:
		return hclwrite.TokensForValue(cty.BoolVal(v))
	case float64:
		return hclwrite.TokensForValue(cty.NumberFloatVal(v))
	case []any:
		var l []hclwrite.Tokens
		for _, x := range v {
			l = append(l, w.value(x))
		}
		return hclwrite.TokensForTuple(l)
	}
	w.odd = append(w.odd, fmt.Sprintf("a value of type %T", v))
	return hclwrite.TokensForValue(cty.NullVal(cty.String))
}
