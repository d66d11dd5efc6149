package access

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/lenient"
)

// known is the tree of members the engine understands below a policy, in lower
// case. The leaves are the ones below.
type known map[string]known

// The leaves of known: what a value must be to be read whole. A value of
// another shape would be dropped by the lenient reader, and with it perhaps an
// exclusion.
var (
	texts   = known{"texts": nil}   // a list of texts, or texts joined by commas
	text    = known{"text": nil}    // one text
	object  = known{"object": nil}  // an object, read elsewhere
	ignored = known{"ignored": nil} // looked at by nobody
)

var (
	knownConditions = known{
		"users": {
			"includeusers": texts, "excludeusers": texts, "includegroups": texts, "excludegroups": texts, "includeroles": texts, "excluderoles": texts,
			"includeguestsorexternalusers": externalKeys, "excludeguestsorexternalusers": externalKeys,
		},
		"applications": {"includeapplications": texts, "excludeapplications": texts, "includeuseractions": texts,
			"includeauthenticationcontextclassreferences": texts},
		"clientapptypes":      texts,
		"platforms":           {"includeplatforms": texts, "excludeplatforms": texts},
		"locations":           {"includelocations": texts, "excludelocations": texts},
		"devices":             {"devicefilter": {"mode": text, "rule": text}},
		"signinrisklevels":    texts,
		"userrisklevels":      texts,
		"insiderrisklevels":   texts,
		"authenticationflows": {"transfermethods": texts},
		// The members below make it a policy for workloads, which never applies to users.
		"clientapplications": ignored, "serviceprincipalrisklevels": ignored, "agents": ignored, "agentidrisklevels": ignored,
		"agentcontext": ignored,
	}
	externalKeys = known{"guestorexternalusertypes": texts, "externaltenants": {"membershipkind": text, "members": texts}}
	knownGrants  = known{"operator": text, "_operator": text, "builtincontrols": texts, "customauthenticationfactors": texts, "termsofuse": texts,
		"authenticationstrength": object}
)

// The values the engine knows, in lower case.
var (
	knownClients   = []string{"all", "browser", "mobileappsanddesktopclients", "exchangeactivesync", "eassupported", "other"}
	knownPlatforms = []string{"all", "android", "ios", "windows", "windowsphone", "macos", "linux"}
	knownRisks     = []string{"none", "low", "medium", "high", "hidden"}
	knownInsider   = []string{"minor", "moderate", "elevated"}
	knownFlows     = []string{"none", "devicecodeflow", "authenticationtransfer"}
	knownControls  = []string{"block", "mfa", "compliantdevice", "domainjoineddevice", "approvedapplication", "compliantapplication", "passwordchange",
		"riskremediation"}
	knownExternals = []string{"none", "internalguest", "b2bcollaborationguest", "b2bcollaborationmember", "b2bdirectconnectuser", "otherexternaluser",
		"serviceprovider"}
	knownActions = []string{actionRegisterInfo, actionRegisterDevice}
)

const (
	actionRegisterInfo   = "urn:user:registersecurityinfo"
	actionRegisterDevice = "urn:user:registerdevice"
)

// findUnsupported fills p.Unsupported and Conditions.Workload from the raw
// record.
func (p *Policy) findUnsupported(raw []byte) {
	p.Unsupported = nil
	top, odd := members(raw)
	for _, k := range []string{"conditions", "grantcontrols", "state"} {
		if strings.Contains(odd, k+" given twice") {
			p.Unsupported = append(p.Unsupported, k+" (given twice)")
		}
	}
	p.findMissing(top)
	// Set by readers of configurations; what an export writes there only makes
	// its own policy count less.
	if p.Planned = strings.TrimSpace(string(top["@partnerguard.planned"])) == "true"; p.Planned {
		p.Unsupported = append(p.Unsupported, planned)
	}
	conditions := top["conditions"]
	walkUnknown(conditions, knownConditions, "conditions", &p.Unsupported)
	walkUnknown(top["grantcontrols"], knownGrants, "grantControls", &p.Unsupported)
	inner, _ := members(conditions)
	for _, k := range []string{"clientapplications", "serviceprincipalrisklevels", "agents", "agentidrisklevels", "agentcontext"} {
		switch v := inner[k]; {
		case empty(v):
		case lost(v): // it may well be empty
			p.Unsupported = append(p.Unsupported, "conditions."+k+cutOff)
		default:
			p.Conditions.Workload = true
		}
	}
	for _, k := range []string{"users", "applications"} {
		if blankText(inner[k]) {
			p.Unsupported = append(p.Unsupported, "conditions."+k+cutOff)
		}
	}
	p.checkValues()
	p.findSilent(inner, top)
	slices.Sort(p.Unsupported)
	p.Unsupported = slices.Compact(p.Unsupported)
}

// checkValues names the values that are not among those known here.
func (p *Policy) checkValues() {
	c := &p.Conditions
	check := func(what string, values, allowed []string) {
		for _, v := range values {
			if !slices.Contains(allowed, strings.ToLower(v)) {
				p.Unsupported = append(p.Unsupported, fmt.Sprintf("%s %q", what, v))
			}
		}
	}
	check("client app type", c.ClientAppTypes, knownClients)
	for _, pl := range c.Platforms.Items {
		check("platform", pl.Include, knownPlatforms)
		check("platform", pl.Exclude, knownPlatforms)
	}
	check("sign-in risk level", c.SignInRiskLevels, knownRisks)
	check("user risk level", c.UserRiskLevels, knownRisks)
	check("insider risk level", c.InsiderRisk, knownInsider)
	for _, f := range c.Flows.Items {
		check("authentication flow", f.TransferMethods, knownFlows)
	}
	check("user action", c.Applications.UserActions, knownActions)
	// The resources of agents are no apps a user signs in to, and as an app of
	// its own the word would be asked about.
	for _, list := range [][]string{c.Applications.IncludeApplications, c.Applications.ExcludeApplications} {
		for _, v := range list {
			if strings.EqualFold(v, resAgents) && !c.Workload {
				p.Unsupported = append(p.Unsupported, fmt.Sprintf("application %q", v))
			}
		}
	}
	for _, l := range []([]Externals){c.Users.IncludeExternals.Items, c.Users.ExcludeExternals.Items} {
		for _, e := range l {
			check("external user type", e.Types, knownExternals)
			if e.Tenants != nil && e.Tenants.Kind != "" && !strings.EqualFold(string(e.Tenants.Kind), "all") &&
				!strings.EqualFold(string(e.Tenants.Kind), "enumerated") {
				p.Unsupported = append(p.Unsupported, fmt.Sprintf("external tenant membership %q", e.Tenants.Kind))
			}
		}
	}
	for _, d := range c.Devices.Items {
		if d.Filter != nil && !strings.EqualFold(string(d.Filter.Mode), "include") && !strings.EqualFold(string(d.Filter.Mode), "exclude") {
			p.Unsupported = append(p.Unsupported, fmt.Sprintf("device filter mode %q", d.Filter.Mode))
		}
	}
	if g := p.GrantControls; g != nil {
		check("grant control", g.BuiltInControls, knownControls)
		if op := strings.ToUpper(string(g.Operator)); op != "AND" && op != "OR" && op != "" {
			p.Unsupported = append(p.Unsupported, fmt.Sprintf("grant operator %q", g.Operator))
		}
	}
}

// findMissing names what every policy has and this record lacks: an export lost
// it, and what is not there is not "none".
func (p *Policy) findMissing(top map[string]json.RawMessage) {
	add := func(s string) { p.Unsupported = append(p.Unsupported, s) }
	switch s := strings.TrimSpace(string(p.State)); {
	case s == "":
		add("state (not in the export)")
	case !p.Enforced() && !p.ReportOnly() && !strings.EqualFold(s, string(Disabled)):
		add(fmt.Sprintf("state %q", s))
	}
	if c := strings.TrimSpace(string(top["conditions"])); c == "" || c == "null" {
		add("conditions (not in the export)")
	}
	// A policy has grant controls or session controls; those of the latter alone
	// are often written without the former.
	if empty(top["grantcontrols"]) && empty(top["sessioncontrols"]) && !blankText(top["grantcontrols"]) {
		add("grantControls (neither these nor session controls are in the export, and every policy has one)")
	}
}

// findSilent names what of a policy that has conditions says nothing at all:
// whom it takes, which apps, what it asks for. Graph writes all three, be it
// None; an empty list is an answer, a list that is not there is not.
func (p *Policy) findSilent(conditions, top map[string]json.RawMessage) {
	if conditions == nil || p.Conditions.Workload {
		return
	}
	written := func(of json.RawMessage, list string) bool {
		m, _ := members(of)
		return len(m[list]) > 0 && string(bytes.TrimSpace(m[list])) != "null"
	}
	add := func(what, why string) { // what is named already says more
		if !slices.ContainsFunc(p.Unsupported, func(s string) bool { return strings.HasPrefix(s, what) }) {
			p.Unsupported = append(p.Unsupported, what+" ("+why+")")
		}
	}
	u, a := &p.Conditions.Users, &p.Conditions.Applications
	if len(u.IncludeUsers)+len(u.IncludeGroups)+len(u.IncludeRoles)+len(u.IncludeExternals.Items) == 0 && !written(conditions["users"], "includeusers") {
		add("conditions.users", "whom it takes is not in the export")
	}
	if len(a.IncludeApplications)+len(a.UserActions)+len(a.Contexts) == 0 && !written(conditions["applications"], "includeapplications") {
		add("conditions.applications", "which apps it takes is not in the export")
	}
	g := p.GrantControls
	if g == nil || empty(top["grantcontrols"]) || !empty(top["sessioncontrols"]) {
		return
	}
	if len(g.BuiltInControls)+len(g.CustomFactors)+len(g.TermsOfUse) == 0 && g.Strength == nil {
		add("grantControls", "no control is in the export, and every policy has one")
	}
}

// members reads an object's members by lower-case name; anything else has none.
// odd says what is wrong with it: a list of several, no object at all, or a
// member given twice.
func members(raw []byte) (out map[string]json.RawMessage, odd string) {
	raw = bytes.TrimSpace(raw)
	if len(raw) > 0 && raw[0] == '[' { // a list of one, as some tools write
		var l []json.RawMessage
		if json.Unmarshal(raw, &l) != nil || len(l) > 1 {
			return nil, "a list"
		}
		if len(l) == 0 {
			return nil, ""
		}
		raw = bytes.TrimSpace(l[0])
	}
	if len(raw) == 0 || string(raw) == "null" {
		return nil, ""
	}
	out = map[string]json.RawMessage{}
	if !lenient.Members(raw, func(name string, v json.RawMessage) {
		name = strings.ToLower(name)
		if strings.Contains(name, "@odata.") {
			return
		}
		if _, twice := out[name]; twice {
			odd += name + " given twice "
		}
		out[name] = v
	}) {
		return nil, "not an object"
	}
	return out, odd
}

// walkUnknown names what lies below raw and is not in tree, or not of its
// shape.
func walkUnknown(raw json.RawMessage, tree known, at string, found *[]string) {
	if lost(raw) || blankText(raw) && !strings.Contains(at, ".") {
		*found = append(*found, at+cutOff)
		return
	}
	inner, odd := members(raw)
	if odd != "" {
		*found = append(*found, at+" ("+strings.TrimSpace(odd)+")")
	}
	for k, v := range inner {
		sub, ok := tree[k]
		switch at := at + "." + k; {
		case empty(v):
		case lost(v) && !is(sub, ignored):
			*found = append(*found, at+cutOff)
		case !ok:
			*found = append(*found, at)
		case is(sub, ignored):
		case is(sub, texts):
			if !areTexts(v) {
				*found = append(*found, at+" (not a list of texts)")
			}
		case is(sub, text):
			if strings.IndexByte(`{[`, bytes.TrimSpace(v)[0]) >= 0 {
				*found = append(*found, at+" (not a text)")
			}
		case is(sub, object):
			if bytes.TrimSpace(v)[0] != '{' {
				*found = append(*found, at+" (not an object)")
			}
		default:
			walkUnknown(v, sub, at, found)
		}
	}
}

// cutOff ends the reason of what an export left out.
const cutOff = ": cut off by the export's depth; export with ConvertTo-Json -Depth 10"

// lost reports a text, or a list of texts, that says of what type the value was
// instead of the value: what ConvertTo-Json writes below its depth, and
// Export-Csv of every object.
func lost(v json.RawMessage) bool {
	switch v = bytes.TrimSpace(v); {
	case len(v) == 0:
	case v[0] == '"':
		var s string
		return json.Unmarshal(v, &s) == nil && lenient.TypeName(s)
	case v[0] == '[':
		var l []json.RawMessage
		if json.Unmarshal(v, &l) == nil {
			return slices.ContainsFunc(l, func(one json.RawMessage) bool { return len(one) > 0 && one[0] == '"' && lost(one) })
		}
	}
	return false
}

// misread says in one clause what of a policy is not understood. What an export
// cut off in many places is said once.
func (p *Policy) misread() string {
	var out, cut []string
	for _, u := range p.Unsupported {
		if at, ok := strings.CutSuffix(u, cutOff); ok {
			cut = append(cut, at)
		} else {
			out = append(out, u)
		}
	}
	if n := len(cut); n > 0 {
		if n > 3 {
			cut = append(cut[:2:2], fmt.Sprintf("%d more parts", n-2))
		}
		out = append(out, join(cut)+cutOff)
	}
	return strings.Join(out, ", ")
}

// blankText reports an empty text where an object has to be.
func blankText(v json.RawMessage) bool {
	var s string
	v = bytes.TrimSpace(v)
	return len(v) > 1 && v[0] == '"' && json.Unmarshal(v, &s) == nil && strings.TrimSpace(s) == ""
}

// is compares leaves.
func is(sub, leaf known) bool {
	for k := range leaf {
		_, ok := sub[k]
		return ok && len(sub) == 1
	}
	return false
}

func areTexts(v json.RawMessage) bool {
	v = bytes.TrimSpace(v)
	switch v[0] {
	case '"':
		var s string
		if json.Unmarshal(v, &s) != nil {
			return false
		}
		if s = strings.TrimSpace(s); strings.HasPrefix(s, "[") && json.Valid([]byte(s)) {
			return areTexts([]byte(s))
		}
		return true
	case '[':
		var l []json.RawMessage
		if json.Unmarshal(v, &l) != nil {
			return false
		}
		blank := true
		for _, one := range l {
			if strings.IndexByte(`{[`, bytes.TrimSpace(one)[0]) >= 0 {
				return false
			}
			blank = blank && empty(one)
		}
		return !blank // a list of nothing but blanks would be read as no list
	}
	return false
}

// CopiesDiffer is what [Policy.Unsupported] says of a policy of which two copies
// differ and neither is known to be newer.
const CopiesDiffer = "its copies in the export differ and none is known to be newer"

// area is a part of a policy that may not have been understood.
type area int

const (
	areaUsers area = iota
	areaApps
	areaClients
	areaPlatforms
	areaLocations
	areaDevices
	areaSignInRisk
	areaUserRisk
	areaInsiderRisk
	areaGrants
)

// areaWords are how the entries of Policy.Unsupported begin, by the part they
// are about.
var areaWords = [...][]string{
	areaUsers:       {"conditions.users", "external user type", "external tenant"},
	areaApps:        {"conditions.applications", "user action", "application "},
	areaClients:     {"conditions.clientapptypes", "client app type", "conditions.authenticationflows", "authentication flow"},
	areaPlatforms:   {"conditions.platforms", "platform "},
	areaLocations:   {"conditions.locations"},
	areaDevices:     {"conditions.devices", "device filter"},
	areaSignInRisk:  {"conditions.signinrisklevels", "sign-in risk"},
	areaUserRisk:    {"conditions.userrisklevels", "user risk"},
	areaInsiderRisk: {"conditions.insiderrisklevels", "insider risk"},
	areaGrants:      {"grant"},
}

// lost reports that what a policy says of an area is not understood, so that it
// may take more, or ask for more, than was read. A condition that is not known
// at all only narrows a policy.
func (p *Policy) lost(a area) bool {
	for _, u := range p.Unsupported {
		u = strings.ToLower(u)
		found := strings.HasPrefix(u, "conditions.") || strings.HasPrefix(u, "state")
		for k, words := range areaWords {
			for _, w := range words {
				if strings.HasPrefix(u, w) {
					if found = true; area(k) == a {
						return true
					}
				}
			}
		}
		if !found { // about the policy as a whole
			return true
		}
	}
	return false
}

// grantsUnderstood reports that nothing unknown stands in what a policy asks
// for.
func (p *Policy) grantsUnderstood() bool {
	return !p.lost(areaGrants)
}

// empty reports values that say nothing: null, "", [], {}, false, 0, and
// objects whose members are all empty, as serializers write unset ones.
func empty(v json.RawMessage) bool {
	switch s := strings.TrimSpace(string(v)); s {
	case "", "null", `""`, "false", "0":
		return true
	default:
		switch s[0] {
		case '[':
			return strings.TrimSpace(s[1:]) == "]"
		case '{':
			inner, odd := members(v)
			for _, m := range inner {
				if !empty(m) {
					return false
				}
			}
			return odd == ""
		}
		return false
	}
}
