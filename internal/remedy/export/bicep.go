package export

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
)

func sorted(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// Bicep writes a plan for the Microsoft Graph extension v1.0. It has groups, apps, users and
// consents, and no Conditional Access, named locations, security defaults or authentication
// methods (learn.microsoft.com/graph/templates/reference/overview, July 2025 and later):
// what of a plan it cannot say stands as a Graph request in a comment. A plan of which
// it can say nothing is refused.
func Bicep(p *remedy.Plan, stage remedy.Stage) (*Out, error) {
	s, err := at(p, stage)
	if err != nil {
		return nil, err
	}
	calls, left, err := s.calls()
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString(comment("//", s.head("Deployed with bicepconfig.json beside it; what stands as a request is done by hand, in this order.")))
	b.WriteString("extension microsoftGraphV1\n")
	said := 0
	members := s.members()
	for _, c := range calls {
		b.WriteString("\n" + comment("//", about(c.step)))
		switch {
		case c.step.Kind == remedy.Group && c.step.Do == remedy.Create && c.step.Key != "":
			text, err := bicepGroup(p, c.step, members[c.step.Key])
			if err != nil {
				return nil, err
			}
			b.WriteString(text)
			said++
		case c.step.Kind == remedy.Member && c.step.Do == remedy.Create && s.inOwnGroup(c.step):
			b.WriteString("// it stands with its group\n")
		case !c.request.None():
			b.WriteString(comment("//", []string{"   " + c.request.Method + " " + c.request.Path}))
			for l := range strings.SplitSeq(pretty(c.request.Body), "\n") {
				b.WriteString("//   " + l + "\n")
			}
			left = append(left, fmt.Sprintf("step %d (%s): Bicep's Microsoft Graph extension has no %s", c.step.N, line(c.step.Text), c.step.Kind))
		}
	}
	if said == 0 {
		return nil, problem.New(problem.Usage, "Bicep can say nothing of this plan: its Microsoft Graph extension has no Conditional Access").
			WithHint("export it as terraform, graph or powershell")
	}
	b.WriteString(leftOver("//", left))
	const config = "{\n  \"extensions\": {\n    \"microsoftGraphV1\": \"br:mcr.microsoft.com/bicep/extensions/microsoftgraph/v1.0:1.0.0\"\n  }\n}\n"
	return &Out{[]File{{"main.bicep", []byte(b.String())}, {"bicepconfig.json", []byte(config)}}, left}, nil
}

// members are the accounts that the plan puts into groups that it makes, by key.
func (s *staged) members() map[string][]string {
	out := map[string][]string{}
	for i := range s.steps {
		var m struct{ Group, Member string }
		if step := &s.steps[i]; s.inOwnGroup(step) && json.Unmarshal(step.After, &m) == nil {
			key := strings.Trim(m.Group, "{}")
			out[key] = append(out[key], m.Member)
		}
	}
	return out
}

func (s *staged) inOwnGroup(step *remedy.Step) bool {
	var m struct{ Group string }
	return step.Kind == remedy.Member && step.Do == remedy.Create && json.Unmarshal(step.After, &m) == nil && strings.HasPrefix(m.Group, "{")
}

func bicepGroup(p *remedy.Plan, s *remedy.Step, members []string) (string, error) {
	var m map[string]any
	if err := json.Unmarshal(s.After, &m); err != nil {
		return "", problem.Wrap(err, problem.BadInput, "step %d: its object is none", s.N)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "resource %s 'Microsoft.Graph/groups@v1.0' = {\n  uniqueName: %s\n", variable(s.Key), bicepText("partnerguard-"+p.ID+"-"+s.Key))
	if m["mailEnabled"] == nil { // which Bicep wants to be said
		m["mailEnabled"] = false
	}
	for _, k := range sorted(m) {
		switch v := m[k].(type) {
		case string:
			fmt.Fprintf(&b, "  %s: %s\n", k, bicepText(v))
		case bool:
			fmt.Fprintf(&b, "  %s: %t\n", k, v)
		default:
			return "", problem.New(problem.BadInput, "step %d: Bicep cannot say %s of a group", s.N, k).WithHint("export it as graph")
		}
	}
	if len(members) > 0 {
		b.WriteString("  members: {\n    relationships: [\n")
		for _, id := range members {
			fmt.Fprintf(&b, "      %s\n", bicepText(id))
		}
		b.WriteString("    ]\n  }\n")
	}
	b.WriteString("}\n")
	return b.String(), nil
}

// bicepText is a text that Bicep takes as it is.
func bicepText(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "${", `\${`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s) + "'"
}
