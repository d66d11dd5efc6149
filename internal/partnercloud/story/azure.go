package story

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/world"
)

// claims are what an activity log row tells of the token.
func (p *player) claims(a *actor) map[string]string {
	out := map[string]string{"aud": entra.ARM, "iss": bearer.IssuerV1(p.t.ID), "appid": a.app, "ipaddr": a.ip.String(), "ver": "1.0",
		"http://schemas.microsoft.com/identity/claims/tenantid":         p.t.ID,
		"http://schemas.microsoft.com/identity/claims/objectidentifier": a.id()}
	if a.sp != nil {
		out["idtyp"] = "app"
		return out
	}
	out["name"], out["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"] = a.user.Name, a.user.UPN
	out["http://schemas.microsoft.com/claims/authnmethodsreferences"] = "pwd"
	if a.mfa {
		out["http://schemas.microsoft.com/claims/authnmethodsreferences"] = "pwd,mfa"
	}
	if a.user.Guest {
		out["http://schemas.microsoft.com/identity/claims/identityprovider"] = bearer.IssuerV1(a.user.HomeTenant)
	}
	return out
}

// step is one write in Azure.
type step struct {
	action, resource string
	method           string
	body             any           // "" nothing
	takes            time.Duration // of a long operation; 0 is done at once
	after            time.Duration // of the act's moment
	change           func(*world.AzureSubscription, time.Time)
}

// rolesFor are the roles that let somebody do an action here.
func rolesFor(action string) []string {
	if strings.HasPrefix(action, "Microsoft.Authorization/") {
		return []string{"Owner", "User Access Administrator"}
	}
	return []string{"Owner", "Contributor"}
}

// may says why the actor may not do an action of the subscription any more; "" when he
// may.
func (p *player) may(a *actor, action string) string {
	sub := p.sub()
	switch state := sub.StateAt(p.at); {
	case state != "Enabled" && state != "Warned" && state != "PastDue":
		return "the subscription is disabled"
	case assigned(sub, a.id(), rolesFor(action)...):
		return ""
	}
	for _, r := range p.t.AzureRoot {
		if strings.EqualFold(r.Principal, a.id()) && slices.Contains(rolesFor(action), r.Role) {
			return ""
		}
	}
	return "no role assignment lets " + p.name(a) + " do it any more"
}

func (p *player) name(a *actor) string {
	if a.user != nil {
		return a.user.UPN
	}
	return a.sp.Name
}

// does writes steps of an actor: each leaves its rows of the activity log. It answers
// why the actor is stopped; "" when all are done.
func (p *player) does(a *actor, steps ...step) string {
	since := p.st.Begun
	if why := a.unable(since); why != "" {
		return why
	}
	for _, x := range steps {
		if why := p.may(a, x.action); why != "" {
			p.failed(a, &x)
			return why
		}
		at := p.at.Add(x.after)
		body := ""
		if x.body != nil {
			body = jsonOf(x.body)
		}
		caller, method := a.id(), x.method
		if a.user != nil {
			caller = a.user.UPN
		}
		if method == "" {
			method = "PUT"
		}
		one := world.AzureAct{Tenant: p.t.ID, Subscription: p.st.Subscription, Action: x.action, Resource: x.resource, At: at, Caller: caller,
			Claims: p.claims(a), Role: "Owner", IP: a.ip.String(), Method: method, Correlation: world.NewGUID(), Status: "Started", Request: body}
		p.t.Azure.Change(p.st.Subscription, func(s *world.AzureSubscription) {
			if x.change != nil {
				x.change(s, at.Add(x.takes))
			}
			s.Log(one.JSON())
			one.Request, one.At = "", at.Add(2*time.Second)
			if x.takes > 0 {
				one.Status = "Accepted"
				s.Log(one.JSON())
				one.At = at.Add(x.takes)
			}
			one.Status = "Succeeded"
			s.Log(one.JSON())
		})
	}
	p.s.Dirty()
	return ""
}

// failed writes what the log has of a write that was refused.
func (p *player) failed(a *actor, x *step) {
	caller := a.id()
	if a.user != nil {
		caller = a.user.UPN
	}
	one := world.AzureAct{Tenant: p.t.ID, Subscription: p.st.Subscription, Action: x.action, Resource: x.resource, At: p.at, Caller: caller,
		Claims: p.claims(a), IP: a.ip.String(), Method: "PUT", Correlation: world.NewGUID(), Status: "Failed", SubStatus: "Forbidden"}
	p.t.Azure.Change(p.st.Subscription, func(s *world.AzureSubscription) { s.Log(one.JSON()) })
	p.s.Dirty()
}

func jsonOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("story: a body has no JSON: " + err.Error()) // texts and numbers alone
	}
	return string(b)
}

// group makes a resource group.
func (p *player) group(name, location string) step {
	return step{action: "Microsoft.Resources/subscriptions/resourceGroups/write", resource: p.scope() + "/resourceGroups/" + name,
		body: map[string]any{"location": location}, change: func(s *world.AzureSubscription, at time.Time) {
			if !slices.ContainsFunc(s.Groups, func(g world.AzureGroup) bool { return strings.EqualFold(g.Name, name) && g.Gone.IsZero() }) {
				s.Groups = append(slices.Clone(s.Groups), world.AzureGroup{Name: name, Location: location, Created: at})
			}
		}}
}

// register registers a resource provider.
func (p *player) register(namespace string) step {
	return step{action: namespace + "/register/action", resource: p.scope() + "/providers/" + namespace, method: "POST",
		change: func(s *world.AzureSubscription, at time.Time) {
			s.Providers = slices.DeleteFunc(slices.Clone(s.Providers), func(o world.AzureProvider) bool { return strings.EqualFold(o.Namespace, namespace) })
			s.Providers = append(s.Providers, world.AzureProvider{Namespace: strings.ToLower(namespace), Registered: true, Due: at})
		}}
}

// assign gives a role to a principal.
func (p *player) assign(by *actor, role, roleID, principal, kind string) step {
	id := p.id("assignment/" + principal + "/" + role)
	at := p.scope() + "/providers/Microsoft.Authorization/roleAssignments/" + id
	return step{action: "Microsoft.Authorization/roleAssignments/write", resource: at, body: map[string]any{"Id": id, "Properties": map[string]any{
		"PrincipalId": principal, "PrincipalType": kind, "RoleDefinitionId": p.scope() + "/providers/Microsoft.Authorization/roleDefinitions/" + roleID,
		"Scope": p.scope()}}, change: func(s *world.AzureSubscription, when time.Time) {
		s.Roles = append(slices.Clone(s.Roles), world.AzureRole{ID: id, Role: role, Principal: strings.ToLower(principal), PrincipalType: kind,
			Scope: p.scope(), Created: when, By: by.id()})
	}}
}

// The ids of roles that stories give.
const (
	ownerRole       = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
	contributorRole = "b24988ac-6180-42a0-ab88-20f7382dd24c"
)

// quota asks for another limit.
func (p *player) quota(by *actor, provider, location, name string, limit int) step {
	return step{action: "Microsoft.Quota/quotas/write", resource: p.scope() + "/providers/" + provider + "/locations/" + location +
		"/providers/Microsoft.Quota/quotas/" + name, takes: time.Minute, body: map[string]any{"properties": map[string]any{
		"limit": map[string]any{"limitObjectType": "LimitValue", "value": limit}, "name": map[string]any{"value": name}, "resourceType": "dedicated"}},
		change: func(s *world.AzureSubscription, at time.Time) {
			s.Ask(world.AzureQuota{Provider: strings.ToLower(provider), Location: location, Name: name, Limit: limit, Request: world.NewGUID(), At: at,
				By: by.id()})
		}}
}

// make makes a resource that is paid for from its moment on.
func (p *player) make(r world.AzureResource, props map[string]any, extra map[string]any) step {
	body := map[string]any{"location": r.Location, "properties": props}
	for k, v := range extra {
		body[k] = v
	}
	if len(r.Tags) > 0 {
		body["tags"] = r.Tags
	}
	return step{action: r.Type + "/write", resource: p.scope() + r.Path(), body: body, takes: 90 * time.Second,
		change: func(s *world.AzureSubscription, at time.Time) {
			if slices.ContainsFunc(s.Resources, func(o world.AzureResource) bool { return strings.EqualFold(o.Path(), r.Path()) }) {
				return
			}
			own := r
			own.Created, own.Power, own.Props = at, "running", json.RawMessage(jsonOf(props))
			if r.Hourly > 0 {
				own = own.Pay(true, at)
			}
			s.Resources = append(slices.Clone(s.Resources), own)
			if strings.EqualFold(r.Type, machineType) {
				s.Resources = append(s.Resources, world.AzureResource{Group: r.Group, Type: "Microsoft.Compute/disks", Name: r.Name + "_OsDisk",
					Location: r.Location, Created: at})
			}
		}}
}

// Types of what stories make.
const (
	machineType   = "Microsoft.Compute/virtualMachines"
	setType       = "Microsoft.Compute/virtualMachineScaleSets"
	containerType = "Microsoft.ContainerInstance/containerGroups"
	workspaceType = "Microsoft.MachineLearningServices/workspaces"
	computeType   = "Microsoft.MachineLearningServices/workspaces/computes"
	accountType   = "Microsoft.Batch/batchAccounts"
	poolType      = "Microsoft.Batch/batchAccounts/pools"
)

// machine is a virtual machine of a size.
func (p *player) machine(group, name, location, size string, tags map[string]string) step {
	r := world.AzureResource{Group: group, Type: machineType, Name: name, Location: location, Size: size, Hourly: world.Hourly(size), Tags: tags}
	return p.make(r, map[string]any{"hardwareProfile": map[string]any{"vmSize": size}, "osProfile": map[string]any{"computerName": name},
		"storageProfile": map[string]any{"imageReference": map[string]any{"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server"}}}, nil)
}

// set is a scale set.
func (p *player) set(group, name, location, size string, n int) step {
	r := world.AzureResource{Group: group, Type: setType, Name: name, Location: location, Size: size, Hourly: world.Hourly(size), Count: n}
	return p.make(r, map[string]any{"upgradePolicy": map[string]any{"mode": "Manual"}, "overprovision": false},
		map[string]any{"sku": map[string]any{"name": size, "capacity": n}})
}

// fresh are regions that the subscription does not use yet.
func (p *player) fresh(n int) (out []string) {
	for _, name := range []string{"eastus", "westus3", "southeastasia", "brazilsouth", "australiaeast", "japaneast", "koreacentral", "centralindia", "uaenorth",
		"southafricanorth"} {
		used := slices.ContainsFunc(p.sub().Resources, func(r world.AzureResource) bool {
			return r.Location == name && r.Created.Before(p.st.Begun)
		})
		if !used && len(out) < n {
			out = append(out, name)
		}
	}
	return out
}

// made are the resources of a type that the story made and that still run.
func (p *player) made(kind string) (out []world.AzureResource) {
	for _, r := range p.sub().Resources {
		if r.Type == kind && !r.Created.Before(p.st.Begun) && r.Power == "running" && strings.HasPrefix(r.Group, p.prefix()) {
			out = append(out, r)
		}
	}
	return out
}

// prefix begins the names of the story's groups.
func (p *player) prefix() string { return fmt.Sprintf("rg-%s", p.st.ID[:4]) }
