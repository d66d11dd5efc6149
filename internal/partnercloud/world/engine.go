package world

import (
	"encoding/json"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/entra"
	"partnerguard/internal/lenient"
)

// engineCache is what is derived from a tenant until it changes.
type engineCache struct {
	version int64
	until   time.Time // the next moment at which a role begins or ends
	engine  *access.Engine
	parents map[string][]string
	// policies are the decoded ones by lower id: a sign-in asks for each of them
	// several times.
	policies map[string]*access.Policy
}

func (t *Tenant) cache() *engineCache {
	if t.engine == nil || t.engine.version != t.version {
		t.engine = &engineCache{version: t.version}
	}
	return t.engine
}

// ServiceProviderSubject is the name of the stand-in for every user of a partner
// in the engine of a customer's tenant.
func ServiceProviderSubject(partnerTenant string) string { return "serviceprovider:" + partnerTenant }

// Engine compiles the tenant's settings, or gives the engine compiled since the
// last change. Users are subjects by object id; partners' users share
// [ServiceProviderSubject].
func (s *State) Engine(t *Tenant) *access.Engine {
	now := s.Clock.Now()
	c := t.cache()
	if c.engine != nil && (c.until.IsZero() || now.Before(c.until)) {
		return c.engine
	}
	tenant := s.Settings(t)
	c.until = time.Time{}
	for _, table := range []*Table[RoleAssignment, *RoleAssignment]{&t.Held, &t.Eligible} {
		for a := range table.All() {
			for _, at := range []time.Time{a.Start, a.End} {
				if at.After(now) && (c.until.IsZero() || at.Before(c.until)) {
					c.until = at
				}
			}
		}
	}
	c.engine = access.Compile(tenant)
	return c.engine
}

// Settings brings the tenant's settings to the engine's form.
func (s *State) Settings(t *Tenant) *access.Tenant {
	now := s.Clock.Now()
	on := &access.SecurityDefaults{ID: entra.SecurityDefaults}
	_ = json.Unmarshal(boolJSON(t.SecurityDefaults), &on.IsEnabled)
	out := &access.Tenant{Defaults: on, KnownGroups: map[string]bool{}, RolesKnown: true, Names: map[string]string{}}
	// Every account is in Users, so nothing is left to guess. Whole stays false
	// where stand-ins of the engine would only cost: Decide is asked by name.
	out.Whole = true
	for d := range t.Policies.All() {
		p := new(access.Policy)
		if err := json.Unmarshal(d.Raw, p); err == nil {
			out.Policies = append(out.Policies, p)
		}
	}
	for d := range t.Locations.All() {
		l := new(access.NamedLocation)
		if err := json.Unmarshal(d.Raw, l); err == nil {
			out.Locations = append(out.Locations, l)
		}
	}
	for d := range t.Strengths.All() {
		l := new(access.Strength)
		if err := json.Unmarshal(d.Raw, l); err == nil {
			out.Strengths = append(out.Strengths, l)
		}
	}
	for g := range t.Groups.All() {
		out.KnownGroups[strings.ToLower(g.ID)] = true
		out.Names[strings.ToLower(g.ID)] = g.Name
	}
	held := map[string][]string{}
	for a := range t.Held.All() {
		if a.In(now) {
			k := strings.ToLower(a.Principal)
			held[k] = append(held[k], strings.ToLower(a.Role))
		}
	}
	eligible := map[string][]string{}
	for a := range t.Eligible.All() {
		if a.In(now) {
			k := strings.ToLower(a.Principal)
			eligible[k] = append(eligible[k], strings.ToLower(a.Role))
		}
	}
	out.Users = make([]access.Subject, 0, t.Users.Len()+1)
	for u := range t.Users.All() {
		sub := access.Subject{ID: strings.ToLower(u.ID), Name: u.UPN, PerUserMFA: u.PerUserMFA, Methods: u.Registered(), MethodsKnown: true}
		if sub.PerUserMFA == "" {
			sub.PerUserMFA = "disabled"
		}
		if u.Guest {
			sub.External, sub.HomeTenant = access.CollaborationGuest, strings.ToLower(u.HomeTenant)
		}
		sub.Groups = lower(t.GroupsOf(u.ID))
		for _, k := range append(lower(sub.Groups), sub.ID) {
			sub.Roles = append(sub.Roles, held[k]...)
			sub.Eligible = append(sub.Eligible, eligible[k]...)
		}
		for _, r := range sub.Roles {
			sub.Exempt = sub.Exempt || r == directorySync
		}
		out.Users = append(out.Users, sub)
	}
	if t.Kind == CustomerTenant && s.Partner != "" {
		out.Users = append(out.Users, access.Subject{
			ID: ServiceProviderSubject(s.Partner), Name: ServiceProviderSubject(s.Partner),
			External: access.ServiceProvider, HomeTenant: s.Partner, PerUserMFA: "disabled",
		})
	}
	return out
}

const directorySync = entra.RoleDirectorySync

func boolJSON(b bool) []byte {
	if b {
		return []byte("true")
	}
	return []byte("false")
}

func lower(list []string) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = strings.ToLower(v)
	}
	return out
}

// Policy gives one Conditional Access policy of the tenant by id, decoded, or
// nil. It is shared until the tenant changes: do not change it.
func (t *Tenant) Policy(id string) *access.Policy {
	c, k := t.cache(), strings.ToLower(id)
	if p, ok := c.policies[k]; ok {
		return p
	}
	d := t.Policies.Get(id)
	if d == nil {
		return nil
	}
	p := new(access.Policy)
	if json.Unmarshal(d.Raw, p) != nil {
		p = nil
	}
	if c.policies == nil {
		c.policies = make(map[string]*access.Policy)
	}
	c.policies[k] = p
	return p
}

// Strength resolves an authentication strength's allowed combinations.
func (t *Tenant) Strength(st *access.Strength) []string {
	if st == nil {
		return nil
	}
	list := st.AllowedCombinations.Items
	if len(list) == 0 {
		if d := t.Strengths.Get(st.ID); d != nil {
			full := new(access.Strength)
			if json.Unmarshal(d.Raw, full) == nil {
				list = full.AllowedCombinations.Items
			}
		}
	}
	return texts(list)
}

func texts(list []lenient.String) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}
