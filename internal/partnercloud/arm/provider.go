package arm

import (
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
)

// providerRoutes are about resource providers themselves, and resources of any of
// them. They come last: a route that names its provider goes first.
func providerRoutes() []*route {
	const register = "{provider}/register/action"
	both := atTenant | atSubscription
	read := "Microsoft.Resources/subscriptions/providers/read"
	return slices.Concat(
		from(kit.Read, "Azure Resource Manager: Providers (SDK arm-resources 7.0)",
			add("GET", both, "", "providers", read, listProviders).takes("$top", "$skiptoken", "$expand").only("$expand", "metadata", "resourceTypes/aliases"),
			add("GET", both, anyProvider, "", read, getProvider).takes("$expand").only("$expand", "metadata", "resourceTypes/aliases"),
			add("POST", atSubscription, anyProvider, "register", register, registerProvider),
			add("POST", atSubscription, anyProvider, "unregister", "{provider}/unregister/action", unregisterProvider),
		),
		from(kit.Read, "Azure Resource Manager: Resources (SDK arm-resources 7.0)",
			add("GET", atGroup, anyProvider, "{type}/{name}", "{provider}/{type}/read", getResource),
			off(add("DELETE", atGroup, anyProvider, "{type}/{name}", "{provider}/{type}/delete", deleteResource)),
		),
	)
}

// provider is a resource provider as it is published; free ones need no
// registration, usual ones are registered from the start.
type provider struct {
	namespace   string
	free, usual bool
	types       []string
}

// providers are those that the cloud plays a part of, and some that attackers and
// scripts register.
func providers() []provider {
	return []provider{
		{"Microsoft.Authorization", true, true, []string{"roleAssignments", "roleDefinitions", "permissions", "denyAssignments"}},
		{"Microsoft.Billing", true, true, []string{"billingAccounts"}},
		{"Microsoft.Consumption", true, true, []string{"budgets", "usageDetails"}},
		{"Microsoft.CostManagement", true, true, []string{"query", "scheduledActions"}},
		{"Microsoft.Management", true, true, []string{"managementGroups", "getEntities"}},
		{"Microsoft.ResourceGraph", true, true, []string{"resources"}},
		{"Microsoft.Resources", true, true, []string{"subscriptions", "resourceGroups", "resources", "providers", "tenants"}},
		{"Microsoft.Subscription", true, true, []string{"subscriptions"}},
		{"Microsoft.Insights", false, true, []string{"eventtypes"}},
		{"Microsoft.Compute", false, true, []string{"virtualMachines", "virtualMachineScaleSets", "disks", "locations/usages", "locations/operations"}},
		{"Microsoft.Network", false, true, []string{"virtualNetworks", "networkInterfaces"}},
		{"Microsoft.Storage", false, true, []string{"storageAccounts"}},
		{"Microsoft.Batch", false, false, []string{"batchAccounts", "batchAccounts/pools", "locations/quotas", "locations/operations"}},
		{"Microsoft.Capacity", false, false, []string{"resourceProviders"}},
		{"Microsoft.ContainerInstance", false, false, []string{"containerGroups", "locations/operations"}},
		{"Microsoft.KeyVault", false, false, []string{"vaults"}},
		{"Microsoft.MachineLearningServices", false, false, []string{"workspaces", "workspaces/computes", "locations/usages", "locations/operations"}},
		{"Microsoft.Quota", false, true, []string{"quotas", "usages", "quotaRequests"}},
		{"Microsoft.Security", false, false, []string{"pricings"}},
		{"Microsoft.Sql", false, false, []string{"servers"}},
		{"Microsoft.Web", false, false, []string{"sites"}},
	}
}

// registration is the state of a provider in the subscription of the path.
func (k *call) registration(p *provider) string {
	registered := p.usual
	if k.sub != nil {
		for _, r := range k.sub.Providers {
			if !strings.EqualFold(r.Namespace, p.namespace) {
				continue
			}
			if registered = r.Registered; k.now.Before(r.Due) {
				if registered {
					return "Registering"
				}
				return "Unregistering"
			}
		}
	}
	if registered {
		return "Registered"
	}
	return "NotRegistered"
}

func (k *call) providerView(p *provider) object {
	policy := "RegistrationRequired"
	if p.free {
		policy = "RegistrationFree"
	}
	places := []string{}
	for _, r := range regions {
		places = append(places, r[1])
	}
	types := []object{}
	for _, t := range p.types {
		v := object{"resourceType": t, "locations": places, "apiVersions": []string{k.param("api-version")}, "capabilities": "None"}
		if strings.Contains(strings.ToLower(k.param("$expand")), "aliases") {
			v["aliases"] = []object{}
		}
		types = append(types, v)
	}
	v := object{"namespace": p.namespace, "registrationPolicy": policy, "resourceTypes": types}
	if k.sub != nil {
		v["id"], v["registrationState"] = "/subscriptions/"+k.sub.ID+"/providers/"+p.namespace, k.registration(p)
	}
	return v
}

func listProviders(k *call) (reply, *fault) {
	rows := []object{}
	for _, p := range providers() {
		rows = append(rows, k.providerView(&p))
	}
	return page(k, rows)
}

func (k *call) provider() (*provider, *fault) {
	for _, p := range providers() {
		if strings.EqualFold(p.namespace, k.at.named) {
			return &p, nil
		}
	}
	return nil, refuse(http.StatusNotFound, "InvalidResourceNamespace", "The resource namespace '"+clip(k.at.named)+"' is invalid.")
}

func getProvider(k *call) (reply, *fault) {
	p, f := k.provider()
	if f != nil {
		return reply{}, f
	}
	return ok(k.providerView(p)), nil
}

func registerProvider(k *call) (reply, *fault)   { return k.setProvider(true) }
func unregisterProvider(k *call) (reply, *fault) { return k.setProvider(false) }

func (k *call) setProvider(on bool) (reply, *fault) {
	var in struct {
		Third *struct {
			Authorize bool `json:"consentToAuthorization"`
		} `json:"thirdPartyProviderConsent"`
	}
	if len(k.body) > 0 {
		if f := k.decode(&in); f != nil {
			return reply{}, f
		}
	}
	p, f := k.provider()
	switch {
	case f != nil:
		return reply{}, f
	case p.free && !on:
		return reply{}, refuse(http.StatusConflict, "CannotUnregisterNamespace", "The namespace '"+p.namespace+
			"' needs no registration and cannot be unregistered.")
	case !on && slices.ContainsFunc(k.resources(), func(r world.AzureResource) bool {
		return strings.HasPrefix(strings.ToLower(r.Type), strings.ToLower(p.namespace)+"/")
	}):
		return reply{}, refuse(http.StatusConflict, "CannotUnregisterNamespaceWithResources", "The subscription has resources of the namespace '"+
			p.namespace+"'.")
	}
	if want := map[bool]string{true: "Registered", false: "NotRegistered"}[on]; k.registration(p) != want {
		action := p.namespace + map[bool]string{true: "/register/action", false: "/unregister/action"}[on]
		k.change(action, "/subscriptions/"+k.sub.ID+"/providers/"+p.namespace, "Succeeded", func(a *world.AzureSubscription) {
			a.Providers = slices.DeleteFunc(slices.Clone(a.Providers), func(o world.AzureProvider) bool { return strings.EqualFold(o.Namespace, p.namespace) })
			a.Providers = append(a.Providers, world.AzureProvider{Namespace: strings.ToLower(p.namespace), Registered: on, Due: k.now.Add(k.a.long)})
		})
	}
	return ok(k.providerView(p)), nil
}
