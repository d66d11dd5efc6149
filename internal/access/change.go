package access

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/lenient"
)

// ChangeKind says what a [Change] does.
type ChangeKind string

// The kinds of changes. None of them can take protection away.
const (
	ChangeTurnOn  ChangeKind = "turn_on"  // a report-only or disabled policy is enabled
	ChangeRemove  ChangeKind = "remove"   // one value leaves a list of exclusions
	ChangeWiden   ChangeKind = "widen"    // a condition selects everything
	ChangeOnlyMFA ChangeKind = "only_mfa" // what the grant accepts instead of MFA goes
	ChangeAdd     ChangeKind = "add"      // a policy of [PartnerBaseline] is added
)

// Change is one edit of a tenant's settings that protects more sign-ins or the
// same. It is made by [Tenant.Changes] and holds for the tenant it was made from
// and for what [Tenant.Apply] makes of that.
type Change struct {
	ID       string     `json:"id"` // names it: equal changes of equal policies have equal ids, whatever else the tenant has
	Kind     ChangeKind `json:"kind"`
	PolicyID string     `json:"policyId,omitempty"`
	Policy   string     `json:"policy,omitempty"` // its name
	Field    string     `json:"field,omitempty"`  // the property as Graph names it, from the policy's root
	Value    string     `json:"value,omitempty"`  // the value removed, as the policy writes it
	Text     string     `json:"text"`             // what to do, in one sentence without a full stop

	at int // index in Tenant.Policies, or in PartnerBaseline
}

// named gives the change its id.
func (c Change) named() Change {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(c.Kind), c.PolicyID, c.Policy, c.Field, c.Value}, "\x00")))
	c.ID = hex.EncodeToString(sum[:4])
	return c
}

// Changes lists the single edits of t that could protect more, in the order of
// the policies. Policies with clauses that are not understood are left alone:
// what an edit of them does cannot be said. So are blocks that are not about
// legacy clients or flows: widening them would shut people out, which is no way
// to ask them for MFA.
func (t *Tenant) Changes() (out []Change) {
	who := t.roster()
	for i, p := range t.Policies {
		if p.Conditions.Workload || len(p.Unsupported) > 0 || t.Defaults != nil && t.Defaults.IsEnabled.True() {
			continue
		}
		d := demandsOf(p, t.strengths())[0]
		if !d.mfa && !(d.block && p.blocksAWay()) {
			continue
		}
		e := editor{t: t, p: p, at: i, accounts: who}
		switch {
		case p.Enforced():
			e.clauses(&d)
		case !d.plain(): // turned on, it would ask for more than MFA
		case p.ReportOnly():
			e.add(ChangeTurnOn, "state", "", "Turn on %s, which is report-only", e.name())
		case strings.EqualFold(string(p.State), string(Disabled)):
			e.add(ChangeTurnOn, "state", "", "Turn on %s, which is off", e.name())
		}
		out = append(out, e.out...)
	}
	return apart(out)
}

// apart gives changes that would have one id, as those of policies without ids
// and of one name, an id each.
func apart(all []Change) []Change {
	seen := map[string]bool{}
	for i := range all {
		id := all[i].ID
		for n := 1; seen[id]; n++ {
			sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", all[i].ID, n))
			id = hex.EncodeToString(sum[:4])
		}
		seen[id], all[i].ID = true, id
	}
	return all
}

// Additions are what can be made beside today's policies, for where editing them
// does not do: the policies of [PartnerBaseline].
func (t *Tenant) Additions() (out []Change) {
	if t.Defaults != nil && t.Defaults.IsEnabled.True() {
		return nil
	}
	for i, p := range t.added() {
		text := "Add a policy that requires MFA of all users, at all apps and from everywhere"
		if p.Blocks() {
			text = "Add a policy that blocks legacy authentication for all users"
		}
		out = append(out, Change{Kind: ChangeAdd, Policy: p.DisplayName, Text: text, at: i}.named())
	}
	return out
}

// added are the policies of [PartnerBaseline], without the exclusion of the
// synchronisation role where nobody is known to hold it: where roles were not
// read, an exclusion would leave everybody's protection open.
func (t *Tenant) added() []*Policy {
	all := PartnerBaseline()
	if !slices.ContainsFunc(t.Users, func(s Subject) bool { return s.Exempt }) {
		for _, p := range all {
			p.Conditions.Users.ExcludeRoles = nil
		}
	}
	return all
}

// blocksAWay reports a block of legacy clients or of an authentication flow,
// which leaves other ways in.
func (p *Policy) blocksAWay() bool {
	legacy := func(c string) bool {
		return strings.EqualFold(c, "exchangeActiveSync") || strings.EqualFold(c, "other")
	}
	clients := p.Conditions.ClientAppTypes
	if len(clients) > 0 && !slices.ContainsFunc(clients, func(c string) bool { return !legacy(c) }) {
		return true
	}
	for _, class := range []int{clientBrowser, clientNative} { // a flow clause without a flow takes every sign-in
		if matchClient(p, class) != no {
			return false
		}
	}
	return len(p.Conditions.Flows.Items) > 0
}

// strengths finds authentication strengths by lower-case id.
func (t *Tenant) strengths() map[string]*Strength {
	out := map[string]*Strength{}
	for _, s := range t.Strengths {
		out[strings.ToLower(s.ID)] = s
	}
	return out
}

// plain reports a demand that everybody with any second factor can meet, or a
// block.
func (d *demand) plain() bool {
	return d.block || !d.other && !d.phishingResistant && !d.mfaUnknown
}

// More says what a change makes people meet besides MFA, in a clause: whoever
// cannot is refused. It is "" where any second factor will do.
func (t *Tenant) More(c Change) string {
	if c.Kind == ChangeAdd || c.Kind == ChangeOnlyMFA && t.Policies[c.at].GrantControls.Strength == nil {
		return ""
	}
	switch d := demandsOf(t.Policies[c.at], t.strengths())[0]; {
	case d.block:
		return ""
	case d.other:
		return "asks for more than MFA, such as a compliant device"
	case d.mfaUnknown:
		return "asks for a strength that is not in the export"
	case d.phishingResistant:
		return "takes phishing-resistant methods alone"
	}
	return ""
}

// roster finds accounts for changes.
type roster struct {
	byID  map[string]int  // lower-case id -> account
	empty map[string]bool // groups, by lower-case id, with synchronisation in them and nobody else
}

func (t *Tenant) roster() *roster {
	r := &roster{byID: make(map[string]int, len(t.Users)), empty: map[string]bool{}}
	for i := range t.Users {
		s := &t.Users[i]
		r.byID[strings.ToLower(s.ID)] = i
		for _, g := range s.Groups {
			only, seen := r.empty[g]
			r.empty[g] = s.Exempt && (only || !seen)
		}
	}
	return r
}

// editor collects the changes of one policy.
type editor struct {
	t   *Tenant
	p   *Policy
	at  int
	out []Change

	accounts *roster
}

func (e *editor) name() string {
	if e.p.DisplayName == "" {
		return "the policy " + e.p.ID
	}
	return quoted(e.p.DisplayName)
}

// quoted sets a name of the tenant's own apart from our words.
func quoted(name string) string { return `"` + name + `"` }

func (e *editor) add(kind ChangeKind, field, value, text string, args ...any) {
	c := Change{Kind: kind, PolicyID: e.p.ID, Policy: e.p.DisplayName, Field: field, Value: value, Text: fmt.Sprintf(text, args...), at: e.at}
	e.out = append(e.out, c.named())
}

// The properties that changes edit.
const (
	fieldExcludeUsers     = "conditions.users.excludeUsers"
	fieldExcludeGroups    = "conditions.users.excludeGroups"
	fieldExcludeRoles     = "conditions.users.excludeRoles"
	fieldExcludeExternals = "conditions.users.excludeGuestsOrExternalUsers"
	fieldIncludeUsers     = "conditions.users.includeUsers"
	fieldExcludeApps      = "conditions.applications.excludeApplications"
	fieldClients          = "conditions.clientAppTypes"
	fieldPlatforms        = "conditions.platforms"
	fieldExcludeLocations = "conditions.locations.excludeLocations"
	fieldLocations        = "conditions.locations"
	fieldDevices          = "conditions.devices"
	fieldGrant            = "grantControls"
)

// clauses lists the edits of an enforced policy.
func (e *editor) clauses(d *demand) {
	c := &e.p.Conditions
	for _, id := range c.Users.ExcludeUsers {
		if i, known := e.accounts.byID[strings.ToLower(id)]; known && e.t.Users[i].Exempt {
			continue // it cannot answer, and the contract leaves it out
		}
		e.add(ChangeRemove, fieldExcludeUsers, id, "Remove %s from the exclusions of %s", e.account(id), e.name())
	}
	for _, id := range c.Users.ExcludeGroups {
		low := strings.ToLower(id)
		if e.t.KnownGroups[low] && e.accounts.empty[low] {
			continue
		}
		e.add(ChangeRemove, fieldExcludeGroups, id, "Remove the group %s from the exclusions of %s", quoted(e.t.name(id)), e.name())
	}
	for _, id := range c.Users.ExcludeRoles {
		if !strings.EqualFold(id, entra.RoleDirectorySync) { // it cannot answer, and the contract leaves it out
			e.add(ChangeRemove, fieldExcludeRoles, id, "Remove the role %s from the exclusions of %s", quoted(e.t.name(id)), e.name())
		}
	}
	if len(c.Users.ExcludeExternals.Items) > 0 {
		e.add(ChangeRemove, fieldExcludeExternals, "", "Remove guests and external users from the exclusions of %s", e.name())
	}
	for _, id := range c.Applications.ExcludeApplications {
		e.add(ChangeRemove, fieldExcludeApps, id, "Remove the app %s from the exclusions of %s", quoted(appName(e.t, id)), e.name())
	}
	for i := range c.Locations.Items {
		for _, id := range c.Locations.Items[i].ExcludeLocations {
			e.add(ChangeRemove, fieldExcludeLocations, id, "Remove %s from %s", e.location(id), e.name())
		}
	}
	if d.block || d.other { // its selection is its point, or more would be turned away than is asked for MFA
		return
	}
	everyone := func(list lenient.Strings) bool {
		return slices.ContainsFunc(list, func(id string) bool { return strings.EqualFold(id, "All") })
	}
	if d.plain() && e.p.SessionControls.empty() && !everyone(c.Users.IncludeUsers) && !aimed(&c.Users) && everyone(c.Applications.IncludeApplications) {
		e.add(ChangeWiden, fieldIncludeUsers, "", "Let %s include all users", e.name())
	}
	if len(c.ClientAppTypes) > 0 && !everyone(c.ClientAppTypes) {
		e.add(ChangeWiden, fieldClients, "", "Let %s apply to every client app", e.name())
	}
	if len(c.Platforms.Items) > 0 {
		e.add(ChangeWiden, fieldPlatforms, "", "Let %s apply on every platform", e.name())
	}
	for i := range c.Locations.Items {
		if !everyone(c.Locations.Items[i].IncludeLocations) {
			e.add(ChangeWiden, fieldLocations, "", "Let %s apply at every location", e.name())
		}
	}
	if len(c.Devices.Items) > 0 {
		e.add(ChangeWiden, fieldDevices, "", "Let %s apply to every device", e.name())
	}
	if d.hasAlternative() {
		e.add(ChangeOnlyMFA, fieldGrant, "", "Let %s accept nothing but MFA: today %s will do", e.name(), grantText(e.p, d))
	}
}

// aimed reports a policy for guests or for roles: to widen it to everybody makes
// something else of it, and a policy beside it is plainer. So it is with apps.
func aimed(u *Users) bool {
	return len(u.IncludeRoles)+len(u.IncludeExternals.Items) > 0 ||
		slices.ContainsFunc(u.IncludeUsers, func(id string) bool { return strings.EqualFold(id, "GuestsOrExternalUsers") })
}

// empty reports that no session control is set that changes how often people
// sign in, or from which devices.
func (s *SessionControls) empty() bool {
	return s == nil || (s.SignInFrequency == nil || !s.SignInFrequency.IsEnabled.True()) &&
		(s.TokenProtection == nil || !s.TokenProtection.IsEnabled.True())
}

func (e *editor) account(id string) string {
	if strings.EqualFold(id, "GuestsOrExternalUsers") {
		return "guests and external users"
	}
	if i, known := e.accounts.byID[strings.ToLower(id)]; known && e.t.Users[i].Name != "" {
		return e.t.Users[i].Name
	}
	return "the account " + e.t.name(id)
}

func (e *editor) location(id string) string {
	if strings.EqualFold(id, "AllTrusted") {
		return "the exclusion of all trusted locations"
	}
	for _, l := range e.t.Locations {
		if strings.EqualFold(l.ID, id) && l.DisplayName != "" {
			return "the excluded location " + quoted(l.DisplayName)
		}
	}
	return "the excluded location " + id
}

func appName(t *Tenant, id string) string {
	if n := t.Names[strings.ToLower(id)]; n != "" {
		return n
	}
	return appLabel(strings.ToLower(id))
}

// Apply makes a tenant with the changes made, leaving t as it is. Changes of one
// policy add up.
func (t *Tenant) Apply(changes ...Change) *Tenant {
	out := *t
	out.Policies = slices.Clone(t.Policies)
	for _, c := range changes {
		switch c.Kind {
		case ChangeAdd:
			out.Policies = append(out.Policies, t.added()[c.at])
		default:
			p := *out.Policies[c.at]
			p.edit(c, t.strengths())
			out.Policies[c.at] = &p
		}
	}
	return &out
}

// edit makes one change to a policy that is its own copy; what it points to is
// not, and is replaced whole.
func (p *Policy) edit(c Change, strengths map[string]*Strength) {
	without := func(list lenient.Strings) lenient.Strings {
		return slices.DeleteFunc(slices.Clone(list), func(id string) bool { return strings.EqualFold(id, c.Value) })
	}
	all := lenient.Strings{"All"}
	switch c.Field {
	case "state":
		p.State = Enabled
	case fieldExcludeUsers:
		p.Conditions.Users.ExcludeUsers = without(p.Conditions.Users.ExcludeUsers)
	case fieldExcludeGroups:
		p.Conditions.Users.ExcludeGroups = without(p.Conditions.Users.ExcludeGroups)
	case fieldExcludeRoles:
		p.Conditions.Users.ExcludeRoles = without(p.Conditions.Users.ExcludeRoles)
	case fieldExcludeExternals:
		p.Conditions.Users.ExcludeExternals.Items = nil
	case fieldExcludeApps:
		p.Conditions.Applications.ExcludeApplications = without(p.Conditions.Applications.ExcludeApplications)
	case fieldExcludeLocations:
		p.Conditions.Locations.Items = slices.Clone(p.Conditions.Locations.Items)
		for i := range p.Conditions.Locations.Items {
			l := &p.Conditions.Locations.Items[i]
			l.ExcludeLocations = without(l.ExcludeLocations)
		}
	case fieldIncludeUsers:
		p.Conditions.Users.IncludeUsers = all
	case fieldClients:
		p.Conditions.ClientAppTypes = lenient.Strings{"all"}
	case fieldPlatforms:
		p.Conditions.Platforms.Items = nil
	case fieldLocations:
		p.Conditions.Locations.Items = slices.Clone(p.Conditions.Locations.Items)
		for i := range p.Conditions.Locations.Items {
			p.Conditions.Locations.Items[i].IncludeLocations = all
		}
	case fieldDevices:
		p.Conditions.Devices.Items = nil
	case fieldGrant:
		p.GrantControls = p.GrantControls.onlyMFA(strengths)
	}
}

// onlyMFA keeps of a grant what is MFA: a strength that is or may be, where plain
// MFA was no way around it, else plain MFA.
func (g *GrantControls) onlyMFA(strengths map[string]*Strength) *GrantControls {
	out := &GrantControls{Operator: "OR"}
	s := g.Strength
	if s != nil {
		if full := strengths[strings.ToLower(s.ID)]; full != nil && len(s.AllowedCombinations.Items) == 0 {
			s = full
		}
	}
	if s != nil && s.mfa() != no && !slices.Contains(g.controls(), ControlMFA) {
		out.Strength = g.Strength
	} else {
		out.BuiltInControls = lenient.Strings{"mfa"}
	}
	return out
}
