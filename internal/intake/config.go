package intake

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/intake/text"
	"partnerguard/internal/pattern"
)

// Configurations of other tools that set Conditional Access: Terraform and
// Microsoft365DSC. Their policies are brought to Microsoft Graph's form. What a
// configuration leaves to be computed stands in the record as an object where a
// text has to be, which the access engine names as not understood.

// maxConfig bounds a configuration file, which is read as a whole.
const maxConfig = 8 << 20

var (
	hclHead = pattern.Later(`(?m)^[ \t]*(resource|data|terraform|provider|variable|locals|module|import|moved|output)\b[^\n={]*\{`)
	dscHead = pattern.Later(`(?mi)^[ \t]*(configuration[ \t]+[a-z_]\w*|import-dscresource\b|AAD[a-z]+[ \t]+["'])`)
)

// isConfig reports the beginning of a configuration.
func isConfig(head []byte) bool {
	return hclHead.Match(head) || dscHead.Match(head)
}

// config reads a configuration.
func (f *file) config(br *bufio.Reader) error {
	source, err := io.ReadAll(io.LimitReader(br, maxConfig+1))
	if err != nil {
		return err
	}
	if dscHead.Match(source[:min(len(source), text.SniffLen)]) {
		f.in.Format = "microsoft365dsc configuration"
		if len(source) > maxConfig {
			f.fault(f.at(place{}), 0, "this configuration is larger than "+text.Size(maxConfig)+" and was skipped")
			return nil
		}
		return f.dscText(source)
	}
	f.in.Format = "terraform configuration"
	if len(source) > maxConfig {
		f.fault(f.at(place{}), 0, "this configuration is larger than "+text.Size(maxConfig)+" and was skipped")
		return nil
	}
	return f.hcl(source)
}

// resource hands a Terraform resource on as what it is in Microsoft Graph.
// attributes are those of the state: blocks are lists of objects. planned says
// that it is what is to be, not what is.
func (f *file) resource(kind string, attributes map[string]any, planned bool, p place) (bool, error) {
	var out map[string]any
	var as evidence.Kind
	switch kind {
	case "azuread_conditional_access_policy":
		out, as = tfPolicy(attributes), evidence.ConditionalAccessPolicy
		if planned {
			out["@partnerguard.planned"] = true
		}
	case "azuread_named_location":
		out, as = tfLocation(attributes), evidence.NamedLocation
	case "azuread_authentication_strength_policy":
		out, as = map[string]any{"id": tfID(attributes), "displayName": attributes["display_name"],
			"allowedCombinations": attributes["allowed_combinations"]}, evidence.AuthenticationStrength
	default:
		return false, nil
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return false, nil
	}
	what := "holds what Terraform manages, not all of the tenant's"
	if planned {
		what = "holds what a Terraform configuration plans, not what is in force"
	}
	f.in.Shorten(evidence.Cut{Kind: as, Why: what, Source: f.at(p)})
	return true, f.emit(as, raw, p)
}

// terraform reads a state file, or what "terraform show -json" prints of a
// state or a plan.
func (f *file) terraform(raw []byte, p place) (taken bool, reason string, err error) {
	type shown struct {
		Resources []struct {
			Type, Mode string
			Values     map[string]any
		}
		Child []json.RawMessage `json:"child_modules"`
	}
	type values struct {
		Root json.RawMessage `json:"root_module"`
	}
	var doc struct {
		Resources []struct {
			Mode, Type, Name string
			Instances        []struct{ Attributes map[string]any }
		}
		Values  *values
		Planned *values `json:"planned_values"`
		Prior   *struct{ Values *values }
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		f.fault(f.at(p), 0, "a Terraform state in a form that is not known: use GET /identity/conditionalAccess/policies")
		return true, "", nil
	}
	f.format("terraform state")
	n := 0
	one := func(mode, kind string, attributes map[string]any, planned bool) error {
		if mode == "data" || attributes == nil {
			return nil
		}
		p.part, p.index = kind, n+1
		took, err := f.resource(kind, attributes, planned, p)
		if took {
			n++
		}
		return err
	}
	for _, r := range doc.Resources {
		for _, i := range r.Instances {
			if err := one(r.Mode, r.Type, i.Attributes, false); err != nil {
				return true, "", err
			}
		}
	}
	var walk func(raw json.RawMessage, planned bool, depth int) error
	walk = func(raw json.RawMessage, planned bool, depth int) error {
		var m shown
		if len(raw) == 0 || depth > 32 || json.Unmarshal(raw, &m) != nil {
			return nil
		}
		for _, r := range m.Resources {
			if err := one(r.Mode, r.Type, r.Values, planned); err != nil {
				return err
			}
		}
		for _, c := range m.Child {
			if err := walk(c, planned, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	switch {
	case doc.Prior != nil && doc.Prior.Values != nil:
		err = walk(doc.Prior.Values.Root, false, 0)
	case doc.Values != nil:
		err = walk(doc.Values.Root, false, 0)
	case doc.Planned != nil:
		err = walk(doc.Planned.Root, true, 0)
	}
	if err != nil {
		return true, "", err
	}
	if n == 0 {
		return false, terraformState + " without Conditional Access policies or named locations", nil
	}
	return true, "", nil
}

// tfID is the id of a resource: newer providers write the request's path.
func tfID(attributes map[string]any) any {
	for _, name := range []string{"object_id", "id"} {
		if s, ok := attributes[name].(string); ok && s != "" {
			return s[strings.LastIndexByte(s, '/')+1:]
		}
	}
	return nil
}

// tfNames are the attributes whose names in Microsoft Graph do not follow from
// their own: by the block they stand in, then by name.
var tfNames = map[string]map[string]string{
	"applications":        {"filter": "applicationFilter"},
	"devices":             {"filter": "deviceFilter"},
	"client_applications": {"filter": "servicePrincipalFilter"},
	"grant_controls":      {"operator": "operator", "authentication_strength_policy_id": "authenticationStrength"},
	"conditions":          {"authentication_flow_transfer_methods": "authenticationFlows"},
}

// tfPolicy brings azuread_conditional_access_policy to Microsoft Graph's form.
// What it does not know keeps its name, so that the engine can name it.
func tfPolicy(a map[string]any) map[string]any {
	out := map[string]any{"id": tfID(a), "displayName": a["display_name"], "state": stateOf(a["state"]), "grantControls": nil}
	conditions, _ := tfBlock(a["conditions"], "conditions", 0).(map[string]any)
	if conditions == nil {
		conditions = map[string]any{"conditions": text.Computed("no conditions")}
	}
	for _, meta := range []string{"count", "for_each", "dynamic", "provider_computed"} {
		if v := a[meta]; v != nil {
			conditions["terraform's "+meta] = v
		}
	}
	if flows, ok := conditions["authenticationFlows"]; ok && !isEmptyValue(flows) {
		conditions["authenticationFlows"] = map[string]any{"transferMethods": flows}
	} else {
		delete(conditions, "authenticationFlows")
	}
	out["conditions"] = conditions
	if g, ok := tfBlock(a["grant_controls"], "grant_controls", 0).(map[string]any); ok {
		switch id := g["authenticationStrength"].(type) {
		case string:
			delete(g, "authenticationStrength")
			if id = id[strings.LastIndexByte(id, '/')+1:]; id != "" {
				g["authenticationStrength"] = map[string]any{"id": id}
			}
		case map[string]any: // computed: the engine shall name it
			delete(g, "authenticationStrength")
			g["the strength"] = id
		}
		out["grantControls"] = g
	}
	if s, ok := tfBlock(a["session_controls"], "session_controls", 0).(map[string]any); ok {
		out["sessionControls"] = tfSession(s)
	}
	return out
}

// stateOf keeps a state that is a text; another is no state that is known.
func stateOf(v any) any {
	if m, ok := v.(map[string]any); ok {
		return fmt.Sprint("computed: ", m["computed"])
	}
	return v
}

func tfSession(s map[string]any) map[string]any {
	out := map[string]any{}
	frequency := map[string]any{}
	if v, ok := s["signInFrequency"]; ok && !isEmptyValue(v) {
		frequency["value"], frequency["isEnabled"] = v, true
	}
	for from, to := range map[string]string{"signInFrequencyPeriod": "type", "signInFrequencyAuthenticationType": "authenticationType",
		"signInFrequencyInterval": "frequencyInterval"} {
		if v, ok := s[from]; ok && !isEmptyValue(v) {
			frequency[to] = v
		}
	}
	if strings.EqualFold(fmt.Sprint(frequency["frequencyInterval"]), "everyTime") {
		frequency["isEnabled"] = true
	}
	if len(frequency) > 0 {
		out["signInFrequency"] = frequency
	}
	return out
}

// tfBlock brings a block to an object: Terraform writes it as a list of one.
// More than one stays a list, which the engine does not understand.
func tfBlock(v any, name string, depth int) any {
	if depth > 8 {
		return v
	}
	if list, ok := v.([]any); ok {
		if len(list) != 1 {
			if len(list) == 0 {
				return nil
			}
			return v
		}
		if _, block := list[0].(map[string]any); !block {
			return v
		}
		v = list[0]
	}
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	if _, isComputed := m["computed"]; isComputed {
		return m
	}
	out := make(map[string]any, len(m))
	for k, inner := range m {
		to := tfNames[name][k]
		if to == "" {
			to = camel(k)
		}
		inner = tfBlock(inner, k, depth+1)
		if !isEmptyValue(inner) {
			out[to] = inner
		}
	}
	return out
}

func isEmptyValue(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case float64:
		return v == 0
	case bool:
		return !v
	}
	return false
}

// camel brings an attribute's name to Microsoft Graph's: included_users ->
// includeUsers.
func camel(s string) string {
	s = strings.Replace(strings.Replace(s, "included_", "include_", 1), "excluded_", "exclude_", 1)
	var b strings.Builder
	up := false
	for _, r := range s {
		if r == '_' {
			up = true
			continue
		}
		if up {
			b.WriteString(strings.ToUpper(string(r)))
		} else {
			b.WriteRune(r)
		}
		up = false
	}
	return b.String()
}

// tfLocation brings azuread_named_location to Microsoft Graph's form.
func tfLocation(a map[string]any) map[string]any {
	out := map[string]any{"id": tfID(a), "displayName": a["display_name"]}
	if ip, ok := tfBlock(a["ip"], "ip", 0).(map[string]any); ok {
		out["@odata.type"] = "#microsoft.graph.ipNamedLocation"
		out["isTrusted"] = ip["trusted"] == true
		var ranges []any
		list, whole := ip["ipRanges"].([]any)
		for _, r := range list {
			ranges = append(ranges, map[string]any{"cidrAddress": r})
		}
		if whole {
			out["ipRanges"] = ranges
		}
	}
	if c, ok := tfBlock(a["country"], "country", 0).(map[string]any); ok {
		out["@odata.type"] = "#microsoft.graph.countryNamedLocation"
		for k, v := range c {
			out[k] = v
		}
	}
	return out
}

// hcl reads a Terraform configuration.
func (f *file) hcl(source []byte) error {
	const without = "a Terraform configuration without Conditional Access policies or named locations"
	list, line, err := text.HCL(source, f.in.Path)
	switch {
	case err == text.ErrNested:
		f.fault(f.at(place{}), 0, "a Terraform configuration that is not read: "+err.Error())
		return nil
	case err != nil && !bytes.Contains(source, []byte("azuread_conditional_access_policy")) && !bytes.Contains(source, []byte("azuread_named_location")):
		f.foreign(without)
		return nil
	case err != nil:
		f.fault(f.at(place{line: line}), 0, "a Terraform configuration that is not read: "+err.Error()+" (use GET /identity/conditionalAccess/policies)")
		return nil
	}
	n := 0
	for _, r := range list {
		if _, ok := r.Attributes["display_name"].(string); !ok {
			r.Attributes["display_name"] = r.Name // as Terraform calls it
		}
		took, err := f.resource(r.Kind, r.Attributes, true, place{line: r.Line, part: r.Kind + "." + r.Name})
		if err != nil {
			return err
		}
		if took {
			n++
		}
	}
	if n == 0 {
		f.foreign(without)
	}
	return nil
}
