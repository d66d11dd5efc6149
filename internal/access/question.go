package access

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"

	"partnerguard/internal/entra"
)

// Protection is what a question asks of every sign-in it is about.
type Protection string

// The protections, each satisfied by a block as well.
const (
	RequireMFA      Protection = "mfa"
	RequirePhishing Protection = "phishing-resistant"
	RequireBlock    Protection = "block"
)

// Question asks whether every sign-in of a set is protected. Empty lists mean
// any. It is also the form of a custom question's JSON file.
type Question struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	// Require is the protection asked for; default mfa.
	Require Protection `json:"require"`

	Users     []string `json:"users"`    // ids or user principal names
	Roles     []string `json:"roles"`    // role template ids; also "admins": any directory role
	External  []string `json:"external"` // external types, also "member" and "guest"
	Apps      []string `json:"apps"`     // app ids or user actions
	Clients   []string `json:"clients"`  // browser, native, device-code, transfer, eas, other; also modern, legacy
	Platforms []string `json:"platforms"`
	// Risk levels: none, low, medium, high.
	SignInRisk []string `json:"signInRisk"`
	UserRisk   []string `json:"userRisk"`
	Locations  []string `json:"locations"` // ids of named locations, "untrusted": nowhere the tenant names

	// Ordinary narrows to the sign-in everybody makes every day: a modern client,
	// no risk, no flow, no device that a filter singles out, from a place the
	// tenant does not name. A compliant device is as ordinary as one that is not.
	Ordinary bool `json:"ordinary"`
}

// Questions lists the built-in questions in the order they are asked.
func Questions() []Question {
	return []Question{
		{Name: "mfa-every-sign-in", Title: "Does every sign-in need MFA?", Require: RequireMFA},
		{Name: "mfa-every-user", Title: "Does every account need MFA for an ordinary sign-in?", Require: RequireMFA, Ordinary: true},
		{Name: "mfa-admin-roles", Title: "Does every sign-in with a directory role need MFA?", Require: RequireMFA, Roles: []string{"admins"}},
		{Name: "legacy-blocked", Title: "Is legacy authentication stopped for everybody?", Require: RequireMFA, Clients: []string{"legacy"}},
		{Name: "phishing-resistant-admins", Title: "Do administrators need phishing-resistant MFA?", Require: RequirePhishing, Roles: []string{"admins"}},
		{Name: "register-security-info-protected", Title: "Is registering security information protected?", Require: RequireMFA,
			Apps: []string{actionRegisterInfo}, Clients: []string{"modern"}},
		{Name: "service-providers", Title: "Do service provider users need MFA?", Require: RequireMFA, External: []string{string(ServiceProvider)}},
	}
}

// FindQuestion looks a built-in question up.
func FindQuestion(name string) (Question, bool) {
	for _, q := range Questions() {
		if q.Name == name {
			return q, true
		}
	}
	return Question{}, false
}

// ParseQuestion reads a custom question. Unknown members and values are
// errors: a question that asks nonsense must not pass silently.
func ParseQuestion(raw []byte) (Question, error) {
	var q Question
	if len(raw) > 1<<20 {
		return q, fmt.Errorf("a question is at most 1 MiB of JSON")
	}
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&q); err != nil {
		return q, fmt.Errorf("not a question: %w", err)
	}
	if dec.More() {
		return q, fmt.Errorf("not a question: more than one JSON value")
	}
	if q.Name == "" {
		return q, fmt.Errorf("a question needs a name")
	}
	return q, q.check()
}

// check fills in what a question leaves out and refuses values that mean
// nothing: such a value would narrow the question silently.
func (q *Question) check() error {
	if q.Title == "" {
		q.Title = q.Name
	}
	for what, list := range map[string][]string{"users": q.Users, "roles": q.Roles, "external": q.External, "apps": q.Apps, "clients": q.Clients,
		"platforms": q.Platforms, "locations": q.Locations, "signInRisk": q.SignInRisk, "userRisk": q.UserRisk} {
		if slices.ContainsFunc(list, func(s string) bool { return strings.TrimSpace(s) == "" }) {
			return fmt.Errorf("%s holds an empty text", what)
		}
	}
	switch q.Require {
	case "":
		q.Require = RequireMFA
	case RequireMFA, RequirePhishing, RequireBlock:
	default:
		return fmt.Errorf("require is %q; it may be mfa, phishing-resistant or block", q.Require)
	}
	for _, c := range q.Clients {
		if clientWords[strings.ToLower(c)] == nil {
			return fmt.Errorf("no client is called %q; there are %s", c, strings.Join(sortedNames(clientWords), ", "))
		}
	}
	for _, p := range q.Platforms {
		if platformClass(p) < 0 {
			return fmt.Errorf("no platform is called %q; there are %s", p, strings.Join(platformNames, ", "))
		}
	}
	for _, r := range slices.Concat(q.SignInRisk, q.UserRisk) {
		if !slices.Contains(riskNames, strings.ToLower(r)) {
			return fmt.Errorf("no risk level is called %q; there are %s", r, strings.Join(riskNames, ", "))
		}
	}
	for _, x := range q.External {
		if x = strings.ToLower(x); x != "member" && x != "guest" && (x == "none" || !slices.Contains(knownExternals, x)) {
			return fmt.Errorf("no external type is called %q; there are member, guest, %s", x, strings.Join(knownExternals[1:], ", "))
		}
	}
	for _, a := range q.Apps {
		if a = strings.ToLower(a); a == "none" || strings.HasPrefix(a, "urn:") && !slices.Contains(knownActions, a) {
			return fmt.Errorf("no app or user action is called %q; the user actions are %s", a, strings.Join(knownActions, ", "))
		}
	}
	return nil
}

// clientWords name the client classes a question may list.
var clientWords = map[string][]int{
	"browser": {clientBrowser}, "native": {clientNative}, "device-code": {clientDeviceCode}, "transfer": {clientTransfer}, "eas": {clientEAS},
	"other":  {clientOther},
	"modern": {clientBrowser, clientNative, clientDeviceCode, clientTransfer}, "legacy": {clientEAS, clientOther},
}

func sortedNames[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

func platformClass(name string) int {
	return slices.IndexFunc(platformNames, func(p string) bool { return strings.EqualFold(p, name) })
}

// compiledQuestion is a question over one engine's classes.
type compiledQuestion struct {
	Question
	classes  [][]int // by dimension
	protects mask    // policies that protect where they apply
	perhaps  mask    // those of them whose grant is not known well enough to say so
	guarded  bool    // alternatives of the grant are ways around
	nothing  string  // why the question asks about no sign-in at all; "" it does
}

// compile brings a question to the engine's classes. An app or location that
// the tenant does not name falls into its class "any other".
func (e *Engine) compile(q Question) (*compiledQuestion, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	c := &compiledQuestion{Question: q, protects: e.mask(), perhaps: e.mask(), guarded: true}
	e.protections(c)
	c.classes = make([][]int, len(e.dims))
	for l := range e.dims {
		for k := range e.dims[l].labels {
			c.classes[l] = append(c.classes[l], k)
		}
	}
	pick := func(l dimID, list []int) {
		slices.Sort(list)
		c.classes[l] = slices.Compact(list)
	}
	// User actions are asked about by name only: they are no sign-in to an app.
	if len(q.Apps) == 0 {
		c.classes[dimResource] = slices.DeleteFunc(c.classes[dimResource], func(k int) bool {
			return k == e.apps[actionRegisterInfo] || k == e.apps[actionRegisterDevice]
		})
	} else {
		var list []int
		for _, a := range q.Apps {
			a = strings.ToLower(a)
			list = append(list, e.resource(a))
			for id, k := range e.apps { // a suite is all of its apps
				if e.maybeSuite(id, a) || a == "all" && !slices.Contains(knownActions, id) {
					list = append(list, k)
				}
			}
		}
		pick(dimResource, list)
	}
	clients := q.Clients
	if q.Ordinary && len(clients) == 0 {
		clients = []string{"browser", "native"}
	}
	if len(clients) > 0 {
		var list []int
		for _, w := range clients {
			list = append(list, clientWords[strings.ToLower(w)]...)
		}
		pick(dimClient, list)
	}
	if len(q.Platforms) > 0 {
		var list []int
		for _, p := range q.Platforms {
			list = append(list, platformClass(p))
		}
		pick(dimPlatform, list)
	}
	pickRisks(&q, pick)
	if err := e.pickPlaces(c, pick); err != nil {
		return nil, err
	}
	if q.Ordinary {
		for l, asked := range map[dimID][]string{dimSignInRisk: q.SignInRisk, dimUserRisk: q.UserRisk, dimInsiderRisk: nil} {
			if len(asked) == 0 {
				pick(l, []int{0})
			}
		}
		for l := dimFirstFilter; int(l) < len(e.dims); l++ {
			switch x := e.axisOf(int(l)); {
			case x.opaque:
				pick(l, []int{0, 1})
			case x.bare:
				pick(l, []int{1})
			default:
				pick(l, []int{0})
			}
		}
	}
	if len(c.classes[dimClient]) == 1 && c.classes[dimClient][0] == clientEAS && !slices.Contains(c.classes[dimResource], e.apps[entra.AppExchange]) {
		c.nothing = "Exchange ActiveSync reaches Exchange Online alone"
	}
	return c, nil
}

// protections fills in which policies protect as the question asks.
func (e *Engine) protections(c *compiledQuestion) {
	q := &c.Question
	for i, p := range e.policies {
		if !e.enforced.has(i) && !(e.unsupported.has(i) && p.MayBeEnforced()) {
			continue
		}
		d := &e.demands[i]
		protects := d.block || d.refuses || d.unread
		switch q.Require {
		case RequireMFA:
			protects = protects || d.mfa && !d.or[altAnything]
		case RequirePhishing:
			protects = protects || d.phishingResistant && !d.or[altAnything]
		}
		if protects {
			c.protects.set(i)
			if e.unsupported.has(i) || d.unread || !d.block && !d.refuses && (d.mfaUnknown || q.Require == RequirePhishing && d.resistanceUnknown) {
				c.perhaps.set(i)
			}
		}
	}
}

// pickRisks narrows the risk levels to those asked about.
func pickRisks(q *Question, pick func(dimID, []int)) {
	for l, levels := range map[dimID][]string{dimSignInRisk: q.SignInRisk, dimUserRisk: q.UserRisk} {
		var list []int
		for _, r := range levels {
			list = append(list, slices.Index(riskNames, strings.ToLower(r)))
		}
		if len(list) > 0 {
			pick(l, list)
		}
	}
}

// pickPlaces narrows the places to those asked about.
func (e *Engine) pickPlaces(c *compiledQuestion, pick func(dimID, []int)) error {
	q := &c.Question
	places := q.Locations
	if q.Ordinary && len(places) == 0 {
		places = []string{"untrusted"}
	}
	if len(places) > 0 {
		var list []int
		for _, id := range places {
			found := false
			for k := range e.geo.places {
				p := &e.geo.places[k]
				if strings.EqualFold(id, "untrusted") && p.plain() || p.in[strings.ToLower(id)] != no {
					list = append(list, k)
					found = true
				}
			}
			if !found && !strings.EqualFold(id, "untrusted") {
				return fmt.Errorf("no policy uses the named location %q, so a question about it asks nothing", id)
			}
		}
		if len(list) == 0 {
			if list = c.classes[dimLocation]; !q.Ordinary {
				c.nothing = "every address lies in a place that the tenant names"
			}
		}
		pick(dimLocation, list)
	}
	return nil
}

// plain reports a place that no policy can tell from nowhere in particular, or
// that may be one.
func (p *place) plain() bool {
	for _, in := range p.in {
		if in == yes || in == maybe && !p.vague && !p.blur {
			return false
		}
	}
	return (p.trusted == no || p.trusted == maybe && (p.vague || p.blur)) && p.network == no
}

// about says whether the question is about an account.
func (q *Question) about(s *Subject, e *Engine) tri {
	if !q.names(s) {
		return no
	}
	kind := s.overKinds(func(x External) tri { return triOf(q.aboutKind(x)) })
	if s.MayBeExempt {
		kind = kind.and(maybe)
	}
	if len(q.Roles) == 0 {
		return kind
	}
	hit := no
	for _, r := range q.Roles {
		r = strings.ToLower(r)
		switch {
		case s.Anyone: // somebody who is not in the export may hold any role
			hit = hit.or(maybe)
		case r == "admins":
			hit = hit.or(triOf(s.Admin || len(s.Roles)+len(s.Eligible) > 0))
			if e.rolesOpen() || len(s.PerhapsRoles) > 0 {
				hit = hit.or(maybe)
			}
		case slices.Contains(s.Roles, r) || slices.Contains(s.Eligible, r):
			hit = yes
		default:
			hit = hit.or(e.roleTri(s)(r))
		}
	}
	return kind.and(hit)
}

// rolesOpen reports that somebody may hold or activate a role that is not shown.
func (e *Engine) rolesOpen() bool {
	return !e.tenant.RolesKnown || len(e.tenant.OpenRoles)+len(e.tenant.OpenEligible) > 0 || e.tenant.EligibleLack != ""
}

// names reports an account that can sign in and that the question does not
// leave out by name.
func (q *Question) names(s *Subject) bool {
	if s.Exempt {
		return false
	}
	return len(q.Users) == 0 || slices.ContainsFunc(q.Users, func(u string) bool { return strings.EqualFold(u, s.ID) || strings.EqualFold(u, s.Name) })
}

func (q *Question) aboutKind(is External) bool {
	if len(q.External) > 0 {
		return slices.ContainsFunc(q.External, func(x string) bool {
			x = strings.ToLower(x)
			return x == string(is) || x == "member" && is == Member || x == "guest" && is != Member && is != ServiceProvider
		})
	}
	return is != ServiceProvider // asked about by name only: they belong to other tenants
}

// inWorld reports whether the question is about an account in one of its worlds.
func (q *Question) inWorld(s *Subject, w *world, e *Engine) bool {
	if !q.names(s) || !q.aboutKind(w.kind) {
		return false
	}
	if len(q.Roles) == 0 {
		return true
	}
	for _, r := range q.Roles {
		r = strings.ToLower(r)
		switch {
		case s.Anyone:
			return true
		case r == "admins" && (s.Admin || len(s.Roles)+len(s.Eligible) > 0 || w.roles != 0):
			return true
		case slices.Contains(s.Roles, r), slices.Contains(s.Eligible, r):
			return true
		}
		i := slices.Index(e.openRoleIDs, r)
		if i >= 0 && w.roles>>min(i, anyRole-1)&1 != 0 || i < 0 && w.roles>>anyRole&1 != 0 {
			return true
		}
	}
	return false
}
