package arm

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/kit"
)

// target is what a path names: a scope, and a provider's thing at it. Constant
// parts count without case.
type target struct {
	sub, group string
	scope      string   // "/subscriptions/…", "" is the tenant
	resource   bool     // the scope is a resource
	named      string   // the provider as it was spelled
	provider   string   // lower case; "" is none
	rest       []string // behind the provider, or behind the scope without one

	of, location string // a provider in lower case and a region, where those are the scope
}

const maxPath = 2 << 10

// parseTarget reads a path. The last /providers/ is the thing's; one before it
// makes the scope a resource.
func parseTarget(escaped string) (*target, *fault) {
	lost := refuse(http.StatusNotFound, "InvalidResourceType", "The resource type could not be found.")
	if len(escaped) > maxPath {
		return nil, lost
	}
	var seg []string
	for _, p := range strings.Split(strings.Trim(escaped, "/"), "/") {
		v, err := url.PathUnescape(p)
		if err != nil || v == "" || v == "." || v == ".." || strings.ContainsAny(v, "/\\\x00") {
			return nil, lost
		}
		seg = append(seg, v)
	}
	t := &target{}
	is := func(i int, w string) bool { return i < len(seg) && strings.EqualFold(seg[i], w) }
	i := 0
	if is(0, "subscriptions") && len(seg) > 1 {
		t.sub, i = seg[1], 2
		t.scope = "/subscriptions/" + strings.ToLower(t.sub)
		if is(2, "resourceGroups") && len(seg) > 3 {
			t.group, i = seg[3], 4
			t.scope += "/resourceGroups/" + t.group
		}
	}
	last := -1
	for j := i; j < len(seg); j++ {
		if strings.EqualFold(seg[j], "providers") {
			last = j
		}
	}
	switch {
	case last < 0, last == i && last+1 == len(seg): // none named: the list of providers
		t.rest = seg[i:]
	case last+1 >= len(seg) || last > i && !is(i, "providers"):
		return nil, lost
	default:
		if last > i {
			switch {
			case last-i != 4 || t.sub == "":
				return nil, lost
			case t.group != "":
				t.resource = true
			case is(i+2, "locations"):
				t.of, t.location = strings.ToLower(seg[i+1]), seg[i+3]
			default:
				return nil, lost
			}
			t.scope += "/" + strings.Join(seg[i:last], "/")
		}
		t.named, t.provider, t.rest = seg[last+1], strings.ToLower(seg[last+1]), seg[last+2:]
	}
	return t, nil
}

// authScope is where the permission is asked: the named resource of a compute
// operation, else the scope.
func (t *target) authScope(r *route, params map[string]string) string {
	if slices.Contains([]string{compute, batch, learning, containers}, r.provider) && t.group != "" && params["name"] != "" {
		return t.scope + "/providers/" + canonical(r.provider) + "/" + r.words[0] + "/" + params["name"]
	}
	if r.provider == anyProvider && params["name"] != "" {
		return t.scope + "/providers/" + t.named + "/" + params["type"] + "/" + params["name"]
	}
	if t.scope == "" {
		return "/"
	}
	return t.scope
}

const (
	compute       = "microsoft.compute"
	authorization = "microsoft.authorization"
	consumption   = "microsoft.consumption"
	costs         = "microsoft.costmanagement"
	insights      = "microsoft.insights"
	subscribing   = "microsoft.subscription"
	billing       = "microsoft.billing"
	management    = "microsoft.management"
	resourceGraph = "microsoft.resourcegraph"

	// anyProvider is the provider of routes about providers themselves.
	anyProvider = "*"
)

// Where a route is found.
const (
	atTenant = 1 << iota
	atSubscription
	atGroup
	atResource
	atLocation // a provider's region
)

// route is one operation.
type route struct {
	method   string
	at       int
	provider string
	words    []string
	action   string
	do       func(*call) (reply, *fault)
	writes   bool
	disabled bool     // works in a disabled subscription too
	bare     bool     // takes no content
	options  []string // query options that are taken, besides api-version
	values   map[string][]string
	source   kit.Source
}

// only says which values of an option the operation understands, joined by commas.
func (r *route) only(option string, values ...string) *route {
	if r.values == nil {
		r.values = map[string][]string{}
	}
	r.values[option] = values
	return r
}

// takes says which query options the operation understands.
func (r *route) takes(options ...string) *route { r.options = options; return r }

// from says where operations are described, and how sure we are.
func from(sure kit.Sure, text string, rows ...*route) []*route {
	for _, r := range rows {
		r.source = kit.Source{Text: text, Sure: sure}
	}
	return rows
}

// add makes a route.
func add(method string, at int, provider, words, action string, do func(*call) (reply, *fault)) *route {
	r := &route{method: method, at: at, provider: provider, action: action, do: do, writes: method != http.MethodGet, bare: method == http.MethodDelete}
	if words != "" {
		r.words = strings.Split(words, "/")
	}
	return r
}

// off marks what works in a disabled subscription too.
func off(r *route) *route { r.disabled = true; return r }

// bare marks what takes no content.
func bare(r *route) *route { r.bare = true; return r }

// read marks what changes nothing, whatever its method.
func read(r *route) *route { r.writes = false; return r }

func makeRoutes() []*route {
	paging, search := []string{"$top", "$skiptoken"}, []string{"$top", "$skiptoken", "$filter"}
	anywhere := atSubscription | atGroup | atResource
	both := atSubscription | atGroup
	vm, set := "Microsoft.Compute/virtualMachines", "Microsoft.Compute/virtualMachineScaleSets"
	return slices.Concat(resourceRoutes(), machineRoutes(), batchRoutes(), learningRoutes(), containerRoutes(), quotaRoutes(), authorizationRoutes(),
		lockRoutes(), usageRoutes(), managementRoutes(),
		from(kit.Known, "Azure Resource Manager: Subscriptions, Tenants, Resource Groups, Resources; contracts.md section 7.3",
			add("GET", atTenant, "", "subscriptions", "", listSubscriptions).takes(paging...),
			add("GET", atTenant, "", "tenants", "", listTenants).takes("$top", "$skiptoken", "includeAllTenantCategories").
				only("includeAllTenantCategories", "true", "false"),
			add("GET", atSubscription, "", "", "Microsoft.Resources/subscriptions/read", getSubscription),
			add("GET", atSubscription, "", "locations", "Microsoft.Resources/subscriptions/read", listLocations).
				takes("$top", "$skiptoken", "includeExtendedLocations").only("includeExtendedLocations", "true", "false"),
			add("GET", atSubscription, "", "resourcegroups", "Microsoft.Resources/subscriptions/resourceGroups/read", listGroups).takes(search...),
			add("GET", atGroup, "", "", "Microsoft.Resources/subscriptions/resourceGroups/read", getGroup),
			add("GET", both, "", "resources", "Microsoft.Resources/subscriptions/resources/read", listResources).
				takes("$top", "$skiptoken", "$filter", "$expand").only("$expand", "createdTime", "changedTime", "provisioningState"),
		),
		from(kit.Known, "Azure Compute: Virtual Machines, Scale Sets; contracts.md section 7.3",
			add("GET", both, compute, "virtualMachines", vm+"/read", listMachines).takes("$top", "$skiptoken", "statusOnly", "$expand").
				only("$expand", "instanceView").only("statusOnly", "true", "false"),
			add("GET", atGroup, compute, "virtualMachines/{name}", vm+"/read", getMachine).takes("$expand").only("$expand", "instanceView"),
			add("GET", atGroup, compute, "virtualMachines/{name}/instanceView", vm+"/instanceView/read", instanceView),
			bare(add("POST", atGroup, compute, "virtualMachines/{name}/start", vm+"/start/action", power("starting"))),
			off(bare(add("POST", atGroup, compute, "virtualMachines/{name}/deallocate", vm+"/deallocate/action", power("deallocating")))),
			off(bare(add("POST", atGroup, compute, "virtualMachines/{name}/powerOff", vm+"/powerOff/action", power("stopping")))),
			off(add("DELETE", atGroup, compute, "virtualMachines/{name}", vm+"/delete", power("deleting"))),
			add("GET", both, compute, "virtualMachineScaleSets", set+"/read", listSets).takes("$top", "$skiptoken", "statusOnly", "$expand").
				only("$expand", "instanceView").only("statusOnly", "true", "false"),
			add("GET", atGroup, compute, "virtualMachineScaleSets/{name}", set+"/read", getMachine).takes("$expand").only("$expand", "instanceView"),
			bare(add("POST", atGroup, compute, "virtualMachineScaleSets/{name}/start", set+"/start/action", power("starting"))),
			off(bare(add("POST", atGroup, compute, "virtualMachineScaleSets/{name}/deallocate", set+"/deallocate/action", power("deallocating")))),
			off(add("DELETE", atGroup, compute, "virtualMachineScaleSets/{name}", set+"/delete", power("deleting"))),
			add("GET", atSubscription, compute, "locations/{location}/operations/{operation}", "Microsoft.Compute/locations/operations/read", operationStatus).
				takes("monitor"),
		),
		from(kit.Read, "Azure Subscription: Cancel, Enable, Rename; Azure Billing: Cancel; contracts.md section 7.3",
			off(bare(add("POST", atSubscription, subscribing, "cancel", "Microsoft.Subscription/cancel/action", cancelSubscription))).
				takes("IgnoreResourceCheck"),
			off(bare(add("POST", atSubscription, subscribing, "enable", "Microsoft.Subscription/enable/action", enableSubscription))),
			off(add("POST", atSubscription, subscribing, "rename", "Microsoft.Subscription/rename/action", renameSubscription)),
			add("POST", atTenant, billing, "billingAccounts/{account}/billingSubscriptions/{name}/cancel", "", cancelBilling),
		),
		from(kit.Known, "Azure Monitor: Activity Logs; contracts.md section 7.3",
			add("GET", atSubscription, insights, "eventtypes/management/values", "Microsoft.Insights/eventtypes/values/read", activityLog).
				takes("$top", "$skiptoken", "$filter", "$select"),
			add("GET", atTenant, insights, "eventtypes/management/values", "Microsoft.Insights/eventtypes/values/read", tenantLog).
				takes("$top", "$skiptoken", "$filter", "$select"),
		),
		from(kit.Read, "Azure Authorization: Role Assignments, Role Definitions (SDK arm-authorization 9.0)",
			add("GET", anywhere, authorization, "roleAssignments", "Microsoft.Authorization/roleAssignments/read", listAssignments).
				takes("$top", "$skiptoken", "$filter", "tenantId"),
			add("GET", anywhere, authorization, "roleAssignments/{name}", "Microsoft.Authorization/roleAssignments/read", getAssignment).takes("tenantId"),
			add("PUT", anywhere, authorization, "roleAssignments/{name}", "Microsoft.Authorization/roleAssignments/write", putAssignment),
			off(add("DELETE", anywhere, authorization, "roleAssignments/{name}", "Microsoft.Authorization/roleAssignments/delete", deleteAssignment)).
				takes("tenantId"),
			add("GET", anywhere, authorization, "roleDefinitions", "Microsoft.Authorization/roleDefinitions/read", listDefinitions).takes(search...),
			add("GET", anywhere, authorization, "roleDefinitions/{name}", "Microsoft.Authorization/roleDefinitions/read", getDefinition),
		),
		from(kit.Read, "Azure Consumption: Budgets; Azure Cost Management: Scheduled Actions, Query; contracts.md section 7.3",
			add("GET", both, consumption, "budgets", "Microsoft.Consumption/budgets/read", listBudgets).takes(paging...),
			add("GET", both, consumption, "budgets/{name}", "Microsoft.Consumption/budgets/read", getBudget),
			add("PUT", both, consumption, "budgets/{name}", "Microsoft.Consumption/budgets/write", putBudget),
			off(add("DELETE", both, consumption, "budgets/{name}", "Microsoft.Consumption/budgets/delete", deleteBudget)),
			add("GET", atSubscription, costs, "scheduledActions/{name}", "Microsoft.CostManagement/scheduledActions/read", getScheduled),
			add("PUT", atSubscription, costs, "scheduledActions/{name}", "Microsoft.CostManagement/scheduledActions/write", putScheduled),
			read(add("POST", both, costs, "query", "Microsoft.CostManagement/query/read", queryCosts)),
		),
		providerRoutes())
}

func (a *ARM) match(method string, t *target) (*route, map[string]string, *fault) {
	where := atTenant
	switch {
	case t.location != "":
		where = atLocation
	case t.resource:
		where = atResource
	case t.group != "":
		where = atGroup
	case t.sub != "":
		where = atSubscription
	}
	if method == http.MethodHead {
		method = http.MethodGet
	}
	var allowed []string
next:
	for _, r := range a.routes {
		if r.at&where == 0 || r.provider != t.provider && (r.provider != anyProvider || t.provider == "") || len(r.words) != len(t.rest) {
			continue
		}
		params := map[string]string{}
		for i, w := range r.words {
			if strings.HasPrefix(w, "{") {
				params[w[1:len(w)-1]] = t.rest[i]
			} else if !strings.EqualFold(w, t.rest[i]) {
				continue next
			}
		}
		if r.method == method {
			return r, params, nil
		}
		if !slices.Contains(allowed, r.method) {
			allowed = append(allowed, r.method)
		}
	}
	if len(allowed) > 0 {
		return nil, nil, refuse(http.StatusMethodNotAllowed, "HttpMethodNotAllowed", "The HTTP method is not supported here.").
			With("Allow", strings.Join(allowed, ", "))
	}
	return nil, nil, refuse(http.StatusNotFound, "InvalidResourceType", "The resource type could not be found in the namespace '"+clip(t.provider)+"'.")
}
