package arm

import (
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

const sub = "/subscriptions/" + subID

// wants checks an answer's status and code.
func (a answer) wants(t *testing.T, what string, status int, code string) answer {
	t.Helper()
	if a.Code != status || a.code() != code {
		t.Fatalf("%s: %d %s, want %d %s: %.400s", what, a.Code, a.code(), status, code, a.Body)
	}
	return a
}

func (a answer) names(key string) (out []string) {
	for _, r := range a.rows() {
		out = append(out, r[key].(string))
	}
	return out
}

func TestResourceGroups(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	at := sub + "/resourcegroups/rg-new"
	l.as("owner", "HEAD", at, "").wants(t, "none yet", 404, "")
	l.as("reader", "PUT", at, `{"location":"westeurope"}`).wants(t, "a reader", 403, "AuthorizationFailed")
	for body, code := range map[string]string{`{}`: "LocationRequired", `{"location":"mars"}`: "LocationNotAvailableForResourceGroup",
		`{"location":"westeurope","colour":"red"}`: "InvalidRequestContent", `{"location":"westeurope","tags":{"a<b":"x"}}`: "InvalidTagNameCharacters"} {
		l.as("owner", "PUT", at, body).wants(t, body, 400, code)
	}
	l.as("owner", "PUT", at, `{"location":"West Europe","tags":{"env":"test"}}`).wants(t, "made", 201, "")
	l.as("owner", "PUT", at, `{"location":"westeurope","tags":{"env":"prod"}}`).wants(t, "again", 200, "")
	l.as("owner", "PUT", at, `{"location":"eastus"}`).wants(t, "moved", 409, "InvalidResourceGroupLocation")
	if a := l.as("owner", "HEAD", at, ""); a.Code != 204 || a.Body.Len() != 0 {
		t.Fatalf("HEAD: %d", a.Code)
	}
	read := l.as("owner", "GET", at, "").wants(t, "read", 200, "")
	l.as("owner", "PATCH", at, read.Body.String()).wants(t, "sent back unchanged", 200, "")
	byTag := sub + "/resourcegroups?$filter=tagName+eq+'env'+and+tagValue+eq+'prod'"
	if a := l.as("owner", "GET", byTag, ""); !slices.Equal(a.names("name"), []string{"rg-new"}) {
		t.Fatalf("by tag: %s", a.Body)
	}
	l.as("owner", "GET", sub+"/resourcegroups?$filter=name+eq+'x'", "").wants(t, "another filter", 400, "InvalidFilterInQueryString")

	// Deletion takes a while, and takes what is in the group with it.
	gone := l.as("owner", "DELETE", sub+"/resourceGroups/rg1", "").wants(t, "deleted", 202, "")
	poll := strings.TrimPrefix(gone.Header().Get("Location"), "http://localhost:7444")
	token := l.token("owner", customerID, nil)
	l.do(token, "GET", poll, "").wants(t, "under way", 202, "")
	if a := l.as("owner", "GET", sub+"/resourceGroups/rg1", ""); a.m["properties"].(map[string]any)["provisioningState"] != "Deleting" {
		t.Fatalf("%s", a.Body)
	}
	l.as("owner", "PUT", sub+"/resourceGroups/rg1", `{"location":"westeurope"}`).wants(t, "made while it goes", 409, "ResourceGroupBeingDeleted")
	l.jump(10 * time.Second)
	l.do(token, "GET", poll, "").wants(t, "ended", 200, "")
	l.as("owner", "GET", sub+"/resourceGroups/rg1", "").wants(t, "gone", 404, "ResourceGroupNotFound")
	if a := l.as("owner", "GET", sub+"/resources", ""); len(a.rows()) != 1 {
		t.Fatalf("what was in it: %s", a.Body)
	}
	l.as("owner", "PUT", sub+"/resourceGroups/rg1", `{"location":"eastus"}`).wants(t, "made anew", 201, "")
	if a := l.as("owner", "GET", sub+"/resourceGroups/rg1/resources", ""); len(a.rows()) != 0 {
		t.Fatalf("it came back with its things: %s", a.Body)
	}
}

func TestProviders(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	if a := l.as("reader", "GET", sub+"/providers", ""); len(a.rows()) != len(providers()) {
		t.Fatalf("%s", a.Body)
	}
	l.as("nothing", "GET", "/providers", "").wants(t, "of the tenant", 200, "")
	l.as("reader", "GET", sub+"/providers?$expand=everything", "").wants(t, "an option's value", 400, "InvalidQueryParameter")
	l.as("reader", "GET", sub+"/providers/Microsoft.Magic", "").wants(t, "unknown", 404, "InvalidResourceNamespace")
	state := func() any { return l.as("reader", "GET", sub+"/providers/microsoft.batch", "").m["registrationState"] }
	if state() != "NotRegistered" {
		t.Fatal(state())
	}
	l.as("reader", "POST", sub+"/providers/Microsoft.Batch/register", "").wants(t, "a reader", 403, "AuthorizationFailed")
	l.as("owner", "POST", sub+"/providers/Microsoft.Batch/register", `{"odd":1}`).wants(t, "an odd body", 400, "InvalidRequestContent")
	l.as("owner", "POST", sub+"/providers/Microsoft.Batch/register", "").wants(t, "registered", 200, "")
	if state() != "Registering" {
		t.Fatal(state())
	}
	l.jump(10 * time.Second)
	if state() != "Registered" {
		t.Fatal(state())
	}
	l.as("owner", "POST", sub+"/providers/Microsoft.Compute/unregister", "").wants(t, "in use", 409, "CannotUnregisterNamespaceWithResources")
}

func TestAnyResource(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st := sub + "/resourceGroups/rg1/providers/Microsoft.Storage/storageAccounts/st"
	if a := l.as("reader", "GET", st, "").wants(t, "by id", 200, ""); a.m["type"] != "Microsoft.Storage/storageAccounts" {
		t.Fatalf("%s", a.Body)
	}
	if a := l.as("reader", "HEAD", st, ""); a.Code != 204 {
		t.Fatal(a.Code)
	}
	l.as("reader", "DELETE", st, "").wants(t, "a reader", 403, "AuthorizationFailed")
	l.as("contributor", "DELETE", st, "").wants(t, "a contributor", 202, "")
	l.jump(10 * time.Second)
	l.as("reader", "GET", st, "").wants(t, "gone", 404, "ResourceNotFound")
	usages := l.as("reader", "GET", sub+"/providers/Microsoft.Compute/locations/westeurope/usages", "").wants(t, "usages", 200, "")
	if n := usages.rows()[0]["currentValue"]; n != float64(3*4+2) {
		t.Fatalf("cores: %v", n)
	}
	l.as("reader", "GET", sub+"/providers/Microsoft.Compute/locations/mars/usages", "").wants(t, "no region", 400, "NoRegisteredProviderFound")
	l.as("reader", "GET", sub+"/providers/Microsoft.Compute/virtualMachines?$expand=secrets", "").wants(t, "an option's value", 400, "InvalidQueryParameter")
}

func TestRightsAsked(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	first := func(who, scope string) any {
		rows := l.as(who, "GET", scope+"/providers/Microsoft.Authorization/permissions", "").rows()
		if len(rows) == 0 {
			return nil
		}
		return rows[0]["actions"].([]any)[0]
	}
	if first("reader", sub) != "*/read" || first("owner", sub+"/resourceGroups/rg1") != "*" {
		t.Fatal("permissions")
	}
	if a := l.as("reader", "GET", sub+"/providers/Microsoft.Authorization/denyAssignments", "").wants(t, "denied", 200, ""); len(a.rows()) != 0 {
		t.Fatal(a.Body)
	}
	l.as("reader", "GET", sub+"/providers/Microsoft.Authorization/denyAssignments/"+subID, "").wants(t, "one", 404, "DenyAssignmentNotFound")

	// Description and condition are kept, and may be changed; a condition on what
	// an assignment may assign leaves nothing of that right.
	at := sub + "/providers/Microsoft.Authorization/roleAssignments/60000000-0000-4000-8000-000000000001"
	body := func(more string) string {
		return `{"properties":{"roleDefinitionId":"` + sub + `/providers/Microsoft.Authorization/roleDefinitions/` + ownerID + `","principalId":"` +
			uid("nothing") + `"` + more + `}}`
	}
	l.as("owner", "PUT", at, body(`,"condition":"x"`)).wants(t, "no version", 400, "InvalidConditionVersion")
	l.as("owner", "PUT", at, body(`,"description":"why","condition":"(!(ActionMatches{'x'}))","conditionVersion":"2.0"`)).wants(t, "made", 201, "")
	read := l.as("owner", "GET", at+"?tenantId="+customerID, "").wants(t, "read", 200, "")
	if p := read.m["properties"].(map[string]any); p["description"] != "why" || p["conditionVersion"] != "2.0" || p["createdBy"] != uid("owner") {
		t.Fatalf("%s", read.Body)
	}
	l.as("owner", "GET", at+"?tenantId="+otherID, "").wants(t, "another tenant", 401, "InvalidAuthenticationTokenTenant")
	l.as("nothing", "GET", sub, "").wants(t, "it gives rights", 200, "")
	l.as("nothing", "DELETE", sub+"/providers/Microsoft.Authorization/roleAssignments/50000000-0000-4000-8000-000000000003", "").
		wants(t, "conditioned", 403, "AuthorizationFailed")
	l.as("owner", "PUT", at, read.Body.String()).wants(t, "sent back", 200, "")
	l.as("owner", "PUT", at, body("")).wants(t, "without them", 201, "")
	l.as("nothing", "DELETE", sub+"/providers/Microsoft.Authorization/roleAssignments/50000000-0000-4000-8000-000000000003", "").wants(t, "free", 200, "")
}

func TestRootOfAzure(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.w.Read(func(s *world.State) {
		c := s.Tenant(customerID)
		c.Held.Put(&world.RoleAssignment{ID: "ga", Principal: uid("nothing"), Role: entra.RoleGlobalAdministrator, Scope: "/", Start: start.AddDate(-1, 0, 0)})
	})
	group := "/providers/Microsoft.Management/managementGroups/" + customerID
	if a := l.as("nothing", "GET", "/providers/Microsoft.Management/managementGroups", "").wants(t, "not yet", 200, ""); len(a.rows()) != 0 {
		t.Fatal(a.Body)
	}
	l.as("nothing", "GET", group, "").wants(t, "not yet", 403, "AuthorizationFailed")
	l.as("owner", "POST", "/providers/Microsoft.Authorization/elevateAccess", "").wants(t, "no Global Administrator", 403, "AuthorizationFailed")
	l.as("agent", "POST", "/providers/Microsoft.Authorization/elevateAccess", "").wants(t, "a partner", 403, "AuthorizationFailed")
	l.as("nothing", "POST", "/providers/Microsoft.Authorization/elevateAccess", "").wants(t, "elevated", 200, "")
	l.as("nothing", "GET", sub, "").wants(t, "it reaches subscriptions", 200, "")
	l.as("nothing", "POST", sub+"/resourceGroups/rg1/providers/Microsoft.Compute/virtualMachines/vm0/start", "").wants(t, "not all", 403, "AuthorizationFailed")
	a := l.as("nothing", "GET", group+"?$expand=children&$recurse=true", "").wants(t, "the group", 200, "")
	if c := a.m["properties"].(map[string]any)["children"].([]any); len(c) != 1 {
		t.Fatalf("%s", a.Body)
	}
	if a := l.as("nothing", "GET", group+"/descendants", ""); !slices.Equal(a.names("name"), []string{subID}) {
		t.Fatalf("%s", a.Body)
	}
	if a := l.as("reader", "POST", "/providers/Microsoft.Management/getEntities", ""); len(a.rows()) != 2 || a.m["count"] != 2.0 {
		t.Fatalf("%s", a.Body)
	}
	l.as("reader", "POST", "/providers/Microsoft.Management/getEntities?$filter=name+eq+'x'", "").wants(t, "an option", 400, "InvalidQueryParameter")
	root := l.as("nothing", "GET", "/providers/Microsoft.Authorization/roleAssignments?$filter=atScope()", "").wants(t, "at the root", 200, "")
	if p := root.rows()[0]["properties"].(map[string]any); p["scope"] != "/" {
		t.Fatalf("%s", root.Body)
	}
	l.as("nothing", "DELETE", root.rows()[0]["id"].(string), "").wants(t, "given back", 200, "")
	l.as("nothing", "GET", sub, "").wants(t, "no more", 403, "AuthorizationFailed")
}

func TestUsageDetails(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.w.Read(func(s *world.State) {
		s.Tenant(customerID).Azure.Change(subID, func(a *world.AzureSubscription) {
			a.Resources = slices.Clone(a.Resources)
			a.Resources[0].Hourly, a.Resources[0].Runs = 2, []world.Run{{From: start}}
		})
	})
	at := sub + "/providers/Microsoft.Consumption/usageDetails"
	sum := func(query string) (cost float64, n int) {
		t.Helper()
		next := at + query
		for next != "" {
			a := l.as("reader", "GET", next, "").wants(t, query, 200, "")
			for _, r := range a.rows() {
				cost += r["properties"].(map[string]any)["costInBillingCurrency"].(float64)
				n++
			}
			next, _ = a.m["nextLink"].(string)
			if next = strings.TrimPrefix(next, "http://localhost:7444"); next != "" {
				next = strings.ReplaceAll(next, "&"+v, "")
				next = strings.ReplaceAll(next, v+"&", "")
			}
		}
		return cost, n
	}
	if cost, n := sum(""); cost < 13.49 || cost > 13.51 || n != 2 {
		t.Fatalf("this month: %v in %d rows", cost, n)
	}
	// weeks before repeat the first
	october := "?$filter=properties/usageStart+ge+'2026-10-01'+and+properties/usageEnd+le+'2026-10-31'&metric=ActualCost"
	if cost, _ := sum(october); cost != 3*99 {
		t.Fatalf("last month: %v", cost)
	}
	// A machine that runs is paid for, until it is deallocated.
	l.jump(36 * time.Hour)
	filter := "?$filter=properties/resourceGroup+eq+'rg1'&$top=1"
	if cost, n := sum(filter); cost != 72 || n != 2 {
		t.Fatalf("36 hours: %v in %d rows", cost, n)
	}
	l.as("owner", "POST", sub+"/resourceGroups/rg1/providers/Microsoft.Compute/virtualMachines/vm0/deallocate", "").wants(t, "off", 202, "")
	l.jump(10 * 24 * time.Hour)
	stopped, _ := sum("?$filter=properties/resourceGroup+eq+'rg1'+and+usageStart+ge+'2026-11-01'")
	if stopped < 72 || stopped > 72.1 {
		t.Fatalf("after it was deallocated: %v", stopped)
	}
	l.as("owner", "POST", sub+"/resourceGroups/rg1/providers/Microsoft.Compute/virtualMachines/vm0/start", "").wants(t, "on", 202, "")
	l.jump(time.Hour + 5*time.Second)
	l.as("owner", "POST", sub+"/providers/Microsoft.Subscription/cancel?IgnoreResourceCheck=true", "").wants(t, "cancelled", 200, "")
	l.jump(24 * time.Hour)
	if cost, _ := sum("?$filter=properties/resourceGroup+eq+'rg1'+and+usageStart+ge+'2026-11-01'"); cost < stopped+1.99 || cost > stopped+2.01 {
		t.Fatalf("after the subscription was cancelled: %v", cost)
	}
	l.as("agent", "POST", sub+"/providers/Microsoft.Subscription/enable", "").wants(t, "enabled", 200, "")
	if cost, _ := sum("?$filter=properties/resourceGroup+eq+'rg1'+and+usageStart+ge+'2026-11-01'"); cost > stopped+2.01 {
		t.Fatalf("the pause is paid for: %v", cost)
	}
	for query, code := range map[string]string{"?$filter=name+ne+'x'": "BadRequest", "?$top=0": "BadRequest", "?$top=5000": "BadRequest",
		"?metric=guess": "InvalidQueryParameter", "?$expand=everything": "InvalidQueryParameter", "?$apply=x": "InvalidQueryParameter",
		"?$filter=date+ge+'2026-12-01'+and+date+le+'2026-11-01'": "BadRequest"} {
		l.as("reader", "GET", at+query, "").wants(t, query, 400, code)
	}
}

func TestResourceGraph(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	const at = "/providers/Microsoft.ResourceGraph/resources"
	ask := func(who, body string) answer { return l.as(who, "POST", at, body) }
	a := ask("reader", `{"subscriptions":["`+subID+`"],"query":"Resources | where type =~ 'Microsoft.Compute/virtualMachines' | summarize count() by location"}`)
	a.wants(t, "count", 200, "")
	row := a.m["data"].([]any)[0].(map[string]any)
	if row["count_"] != 3.0 || row["location"] != "westeurope" || a.m["totalRecords"] != 1.0 {
		t.Fatalf("%s", a.Body)
	}
	one := ask("reader", `{"query":"Resources | project name | order by name asc","options":{"$top":2,"resultFormat":"objectArray"}}`).wants(t, "page", 200, "")
	two := ask("reader", `{"query":"Resources | project name | order by name asc","options":{"$top":9,"$skipToken":"`+one.m["$skipToken"].(string)+`"}}`)
	if n := two.m["count"]; n != 3.0 || one.m["count"] != 2.0 || two.m["$skipToken"] != nil {
		t.Fatalf("%s %s", one.Body, two.Body)
	}
	containers := ask("reader", `{"query":"ResourceContainers | where type =~ 'microsoft.resources/subscriptions/resourcegroups' | project name"}`)
	if containers.m["count"] != 2.0 {
		t.Fatalf("%s", containers.Body)
	}
	if a := ask("nothing", `{"query":"Resources"}`); a.m["count"] != 0.0 {
		t.Fatalf("without rights: %s", a.Body)
	}
	ask("nothing", `{"subscriptions":["`+subID+`"],"query":"Resources"}`).wants(t, "named, without rights", 403, "AccessDenied")
	for body, code := range map[string]string{
		`{"query":"Resources | join (x)"}`: "BadRequest", `{"query":"Resources","colour":1}`: "InvalidRequestContent", `{"query":""}`: "BadRequest",
		`{"query":"Resources","options":{"resultFormat":"csv"}}`: "BadRequest", `{"query":"Resources","facets":[{}]}`: "BadRequest",
		`{"query":"Resources","options":{"$skipToken":"AAAA"}}`: "BadRequest"} {
		ask("reader", body).wants(t, body, 400, code)
	}
	wrong := ask("reader", `{"query":"Resources | frobnicate"}`)
	details := wrong.m["error"].(map[string]any)["details"].([]any)
	if details[0].(map[string]any)["code"] != "InvalidQuery" || details[1].(map[string]any)["token"] != "frobnicate" {
		t.Fatalf("%s", wrong.Body)
	}
	older := ask("reader", `{"query":"Resources | project name | limit 1","options":{"resultFormat":"table"}}`)
	if len(older.m["data"].(map[string]any)["columns"].([]any)) != 1 {
		t.Fatalf("%s", older.Body)
	}
}

func TestActivitySelect(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.as("owner", "PUT", sub+"/resourceGroups/rg-log", `{"location":"westeurope"}`).wants(t, "made", 201, "")
	at := sub + "/providers/Microsoft.Insights/eventtypes/management/values?$filter=eventTimestamp+ge+'2026-11-01T00:00:00Z'"
	a := l.as("owner", "GET", at+"&$select=eventTimestamp,caller", "").wants(t, "selected", 200, "")
	if r := a.rows()[0]; len(r) != 2 || r["caller"] != "owner" {
		t.Fatalf("%v", r)
	}
	l.as("owner", "GET", at+"&$select=colour", "").wants(t, "unknown", 400, "BadRequest")
}

func TestLocks(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	vm := sub + "/resourceGroups/rg1/providers/Microsoft.Compute/virtualMachines/vm0"
	lock := func(scope, name string) string { return scope + "/providers/Microsoft.Authorization/locks/" + name }
	l.as("contributor", "PUT", lock(vm, "keep"), `{"properties":{"level":"CanNotDelete"}}`).wants(t, "a contributor", 403, "AuthorizationFailed")
	l.as("owner", "PUT", lock(vm, "keep"), `{"properties":{"level":"Strong"}}`).wants(t, "a level", 400, "InvalidLockLevel")
	l.as("owner", "PUT", lock(vm, "keep"), `{"properties":{"level":"CanNotDelete","notes":"why"}}`).wants(t, "locked", 201, "")
	l.as("contributor", "DELETE", vm, "").wants(t, "the machine", 409, "ScopeLocked")
	l.as("contributor", "DELETE", sub+"/resourceGroups/rg1", "").wants(t, "what holds it", 409, "ScopeLocked")
	l.as("contributor", "POST", vm+"/deallocate", "").wants(t, "no deletion", 202, "")
	l.as("contributor", "DELETE", sub+"/resourceGroups/rg2/providers/Microsoft.Compute/virtualMachines/vm1", "").wants(t, "another", 202, "")
	l.as("owner", "PUT", lock(sub+"/resourceGroups/rg1", "still"), `{"properties":{"level":"ReadOnly"}}`).wants(t, "read-only", 201, "")
	l.as("contributor", "POST", vm+"/start", "").wants(t, "no change at all", 409, "ScopeLocked")
	l.as("contributor", "PATCH", sub+"/resourceGroups/rg1", `{"tags":{}}`).wants(t, "of the group", 409, "ScopeLocked")
	if a := l.as("reader", "GET", lock(sub, "")[:len(lock(sub, ""))-1], ""); len(a.rows()) != 2 {
		t.Fatalf("%s", a.Body)
	}
	l.as("owner", "DELETE", lock(sub+"/resourceGroups/rg1", "still"), "").wants(t, "unlocked", 200, "")
	l.as("owner", "DELETE", lock(vm, "keep"), "").wants(t, "unlocked", 200, "")
	l.as("owner", "DELETE", lock(vm, "keep"), "").wants(t, "none", 204, "")
	l.as("contributor", "DELETE", vm, "").wants(t, "free", 202, "")
}
