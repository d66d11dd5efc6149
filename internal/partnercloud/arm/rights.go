package arm

import (
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// principals collects whose role assignments count for the caller: himself and
// his groups in this tenant; for a delegated administrator the partner's groups
// he is in, while he has DAP or any GDAP role here (contracts.md section 7.3).
func (k *call) principals() *fault {
	k.holds = map[string]bool{}
	gone := refuse(http.StatusUnauthorized, "InvalidAuthenticationToken", "The identity of the access token does not exist or is disabled.")
	if k.who.AppOnly() {
		sp := k.tenant.SPs.Get(k.who.ObjectID)
		if sp == nil {
			sp = k.tenant.SP(k.who.Client())
		}
		if sp == nil || !sp.Enabled {
			return gone
		}
		k.add(k.tenant, sp.ID)
		return nil
	}
	if !k.who.AOBO {
		u := k.tenant.Users.Get(k.who.ObjectID)
		if u == nil || !u.Enabled {
			return gone
		}
		k.add(k.tenant, u.ID)
		return nil
	}
	p := k.s.PartnerTenant()
	if p == nil || !strings.EqualFold(p.ID, k.who.HomeTenant) {
		return gone
	}
	u := p.Users.Get(k.who.ObjectID)
	if u == nil || !u.Enabled {
		return gone
	}
	if _, delegated := k.s.Delegated(u, k.tenant); delegated {
		for _, g := range p.GroupsOf(u.ID) {
			k.holds[strings.ToLower(g)] = true
		}
	}
	return nil
}

func (k *call) add(t *world.Tenant, id string) {
	k.holds[strings.ToLower(id)] = true
	for _, g := range t.GroupsOf(id) {
		k.holds[strings.ToLower(g)] = true
	}
}

// foreign is the type of an assignment to a group of another tenant.
const foreign = "ForeignGroup"

// mine reports an assignment that counts for the caller. A foreign principal
// counts for delegated administrators alone, and nothing else counts for them.
func (k *call) mine(r *world.AzureRole) bool {
	return (r.PrincipalType == foreign) == k.who.AOBO && k.holds[strings.ToLower(r.Principal)]
}

// sees reports any assignment in a subscription.
func (k *call) sees(a *world.AzureSubscription) bool {
	return slices.ContainsFunc(k.roles(a), func(r world.AzureRole) bool { return k.mine(&r) })
}

// roles are the assignments that reach a subscription: its own, and those at the
// root.
func (k *call) roles(a *world.AzureSubscription) []world.AzureRole {
	if len(k.tenant.AzureRoot) == 0 {
		return a.Roles
	}
	return slices.Concat(k.tenant.AzureRoot, a.Roles)
}

// mayRoot reports the permission for an action above the subscriptions.
func (k *call) mayRoot(action string) bool {
	return slices.ContainsFunc(k.tenant.AzureRoot, func(r world.AzureRole) bool {
		d := definition(r.Role)
		return k.mine(&r) && d != nil && d.allows(action)
	})
}

// may reports the permission for an action at a scope by the assignments of
// this moment.
func (k *call) may(a *world.AzureSubscription, action, scope string) bool {
	for _, r := range k.roles(a) {
		if !k.mine(&r) || !covers(scopeOf(a, &r), scope) {
			continue
		}
		// Conditions are kept, not evaluated: what they limit is not granted at all.
		if r.Condition != "" && wild("microsoft.authorization/roleassignments/*", strings.ToLower(action)) && !strings.HasSuffix(action, "/read") {
			continue
		}
		if d := definition(r.Role); d != nil && d.allows(action) {
			return true
		}
	}
	return false
}

func scopeOf(a *world.AzureSubscription, r *world.AzureRole) string {
	if r.Scope == "" || r.Scope == "/" {
		return "/subscriptions/" + a.ID
	}
	return r.Scope
}

// covers reports that a scope is the other or lies above it.
func covers(above, scope string) bool {
	above, scope = strings.ToLower(strings.TrimSuffix(above, "/")), strings.ToLower(strings.TrimSuffix(scope, "/"))
	return above == scope || strings.HasPrefix(scope, above+"/")
}

// roleDefinition is a built-in role.
type roleDefinition struct {
	name, id, about  string
	actions, without []string
}

func definitions() []roleDefinition {
	return []roleDefinition{
		{"Owner", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Grants full access to manage all resources, including the ability to assign roles.", []string{"*"},
			nil},
		{"Contributor", "b24988ac-6180-42a0-ab88-20f7382dd24c", "Grants full access to manage all resources, but does not allow assigning roles.",
			[]string{"*"},
			[]string{"Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write", "Microsoft.Authorization/elevateAccess/Action",
				"Microsoft.Subscription/cancel/action", "Microsoft.Subscription/enable/action"}},
		{"Reader", "acdd72a7-3385-48ef-bd42-f606fba81ae7", "View all resources, but does not allow making any changes.", []string{"*/read"}, nil},
		{"User Access Administrator", "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "Lets you manage user access to Azure resources.",
			[]string{"*/read", "Microsoft.Authorization/*"}, nil},
	}
}

// definition finds a role by name, id, or full path.
func definition(v string) *roleDefinition {
	v = v[strings.LastIndexByte(v, '/')+1:]
	for _, d := range definitions() {
		if strings.EqualFold(d.name, v) || d.id == strings.ToLower(v) {
			return &d
		}
	}
	return nil
}

func (d *roleDefinition) allows(action string) bool {
	any := func(list []string) bool {
		for _, p := range list {
			if wild(strings.ToLower(p), strings.ToLower(action)) {
				return true
			}
		}
		return false
	}
	return any(d.actions) && !any(d.without)
}

// wild matches a pattern in which a star stands for anything.
func wild(pattern, v string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == v
	}
	if !strings.HasPrefix(v, parts[0]) {
		return false
	}
	v = v[len(parts[0]):]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(v, p)
		if i < 0 {
			return false
		}
		v = v[i+len(p):]
	}
	return strings.HasSuffix(v, parts[len(parts)-1])
}
