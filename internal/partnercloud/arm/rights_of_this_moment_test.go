package arm

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/world"
)

// TestRightsOfThisMoment: a token outlives no right.
func TestRightsOfThisMoment(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	tok := l.token("agent", customerID, nil)
	ask := func() int { return l.do(tok, "GET", "/subscriptions/"+subID+"?"+v, "").Code }
	if ask() != 200 {
		t.Fatal("not at first")
	}
	l.w.Read(func(s *world.State) {
		s.PartnerTenant().Relationships.Change("r"+customerID, func(r *world.Relationship) { r.Status = "terminated" })
	})
	if got := ask(); got != 403 {
		t.Errorf("after GDAP ended: %d", got)
	}
	l.w.Read(func(s *world.State) {
		s.PartnerTenant().Customers.Change(customerID, func(c *world.Customer) { c.DAP = true })
	})
	if got := ask(); got != 200 {
		t.Errorf("by DAP: %d", got)
	}
	l.w.Read(func(s *world.State) {
		s.Tenant(customerID).Azure.Change(subID, func(a *world.AzureSubscription) { a.Roles = a.Roles[1:] })
	})
	if got := ask(); got != 403 {
		t.Errorf("after the foreign principal was removed: %d", got)
	}
	// a group of the customer's that happens to have the id of the partner's
	l.w.Read(func(s *world.State) {
		s.Tenant(customerID).Azure.Change(subID, func(a *world.AzureSubscription) {
			a.Roles = []world.AzureRole{{ID: "x", Role: "Owner", Principal: agents, PrincipalType: "Group"}, {ID: "y", Role: "Owner", Principal: uid("owner"),
				PrincipalType: foreign}}
		})
	})
	if got := ask(); got != 403 {
		t.Errorf("by a group of the customer's: %d", got)
	}
	if a := l.as("owner", "GET", "/subscriptions/"+subID, ""); a.Code != 403 {
		t.Errorf("a customer's user by a foreign principal: %d", a.Code)
	}
}

func TestMFAForDelegatedWork(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	none := func(c *bearer.Claims) { c.AMR = []string{"pwd", "ngcmfa"} }
	ask := func(who string, change func(*bearer.Claims)) answer {
		return l.do(l.token(who, customerID, change), "GET", "/subscriptions?"+v, "")
	}
	if a := ask("agent", none); a.Code != 200 {
		t.Errorf("not enforced: %d", a.Code)
	}
	l.w.Read(func(s *world.State) { s.Enforcement.AOBO = world.Activation{Ramp: start, Enforced: start} })
	a := ask("agent", none)
	if a.Code != 401 || !strings.Contains(a.Header().Get("WWW-Authenticate"), `error="insufficient_claims"`) || !strings.Contains(a.Header().
		Get("WWW-Authenticate"), "claims=") {
		t.Errorf("%d %v", a.Code, a.Header())
	}
	if a := ask("agent", nil); a.Code != 200 {
		t.Errorf("with MFA: %d", a.Code)
	}
	if a := ask("owner", none); a.Code != 200 {
		t.Errorf("the customer's own user is not the partner's: %d", a.Code)
	}
	if a := ask("app", nil); a.Code != 200 {
		t.Errorf("an app: %d", a.Code)
	}
}

func TestDeallocate(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for _, kind := range []string{"virtualMachines/vm0", "virtualMachineScaleSets/set"} {
		at := "/subscriptions/" + subID + "/resourceGroups/rg1/providers/Microsoft.Compute/" + kind
		a := l.as("agent", "POST", at+"/deallocate", "")
		op, mon := a.Header().Get("Azure-AsyncOperation"), a.Header().Get("Location")
		if a.Code != 202 || a.Header().Get("Retry-After") != "5" || op == "" || mon == "" || a.Body.Len() != 0 {
			t.Fatalf("%s: %d %v", kind, a.Code, a.Header())
		}
		tok := l.token("agent", customerID, nil)
		get := func(url string) answer { return l.do(tok, "GET", strings.TrimPrefix(url, "http://localhost:7444"), "") }
		state := func() string {
			v := l.as("owner", "GET", at+"?$expand=instanceView", "")
			st := v.m["properties"].(map[string]any)["instanceView"].(map[string]any)["statuses"].([]any)
			return st[1].(map[string]any)["code"].(string)
		}
		l.jump(5*time.Second - time.Nanosecond)
		if s := get(op); s.m["status"] != "InProgress" || get(mon).Code != 202 || state() != "PowerState/deallocating" {
			t.Errorf("%s: too soon: %s %s", kind, s.Body, state())
		}
		l.jump(time.Nanosecond)
		if s := get(op); s.m["status"] != "Succeeded" || get(mon).Code != 200 || state() != "PowerState/deallocated" {
			t.Errorf("%s: not yet: %s %s", kind, s.Body, state())
		}
		if a := l.do(l.token("owner", otherID, nil), "GET", strings.Replace(strings.TrimPrefix(op, "http://localhost:7444"), subID, otherSub, 1),
			""); a.Code != 404 {
			t.Errorf("another tenant reads the operation: %d", a.Code)
		}
	}
	// a second change does not undo what came due
	l.as("owner", "DELETE", "/subscriptions/"+subID+"/resourceGroups/rg1/providers/Microsoft.Compute/virtualMachines/vm2", "")
	l.jump(time.Minute)
	all := l.as("owner", "GET", "/subscriptions/"+subID+"/providers/Microsoft.Compute/virtualMachines?statusOnly=true", "")
	if len(all.rows()) != 2 || !strings.Contains(all.Body.String(), "PowerState/deallocated") {
		t.Errorf("%s", all.Body)
	}
	// the log says who
	logs := l.as("owner", "GET", "/subscriptions/"+subID+
		"/providers/Microsoft.Insights/eventtypes/management/values?$filter=eventTimestamp+ge+'2026-11-22T00:00:00Z'+and+caller+eq+'agent'", "")
	if len(logs.rows()) != 6 || logs.rows()[0]["operationName"].(map[string]any)["value"] != "Microsoft.Compute/virtualMachineScaleSets/deallocate/action" ||
		logs.rows()[0]["authorization"].(map[string]any)["role"] != "Owner" {
		t.Errorf("%s", logs.Body)
	}
}

func TestCancelAndEnable(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	sub := "/subscriptions/" + subID
	do := func(path string) answer {
		return l.as("owner", "POST", sub+"/providers/Microsoft.Subscription/"+path, "")
	}
	if a := do("cancel?IgnoreResourceCheck=true"); a.m["subscriptionId"] != subID {
		t.Fatalf("%s", a.Body)
	}
	if a := l.as("owner", "GET", sub, ""); a.m["state"] != "Disabled" {
		t.Errorf("%s", a.Body)
	}
	l.w.Read(func(s *world.State) {
		if st := s.PartnerTenant().Customers.Get(customerID).Subscriptions[0].Entitlements[0].StatusAt(start); st != "inactive" {
			t.Errorf("the entitlement is %s", st)
		}
	})
	machine := sub + "/resourceGroups/rg1/providers/Microsoft.Compute/virtualMachines/vm0"
	if a := l.as("owner", "POST", machine+"/start", ""); a.code() != "ReadOnlyDisabledSubscription" {
		t.Errorf("start: %s", a.Body)
	}
	if a := l.as("owner", "POST", machine+"/deallocate", ""); a.Code != 202 {
		t.Errorf("deallocate: %s", a.Body)
	}
	if a := do("cancel?IgnoreResourceCheck=true"); a.Code != 400 {
		t.Errorf("twice: %d", a.Code)
	}
	if a := do("enable"); a.Code != 200 {
		t.Errorf("%s", a.Body)
	}
	if a := l.as("owner", "GET", sub, ""); a.m["state"] != "Enabled" {
		t.Errorf("%s", a.Body)
	}
	// the partner agreement's way, with a token for the partner's tenant
	path := "/providers/Microsoft.Billing/billingAccounts/x/billingSubscriptions/" + subID + "/cancel?" + v
	if a := l.do(l.token("plain", partnerID, nil), "POST", path, `{"cancellationReason":"Compromise"}`); a.Code != 403 {
		t.Errorf("no agent: %d", a.Code)
	}
	if a := l.do(l.token("agent", partnerID, nil), "POST", path, `{"cancellationReason":"Bored"}`); a.Code != 400 {
		t.Errorf("reason: %d", a.Code)
	}
	if a := l.do(l.token("agent", partnerID, nil), "POST", path, `{"cancellationReason":"Compromise","customerId":"/billingAccounts/x/customers/`+customerID+
		`"}`); a.Code != 202 {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	if a := do("enable"); a.code() != "SubscriptionEnableNotAllowed" {
		t.Errorf("the customer enables what the partner cancelled: %s", a.Body)
	}
}

func TestBudgets(t *testing.T) {
	t.Parallel()
	const good = `{"properties":{"category":"Cost","amount":100,"timeGrain":"Monthly","timePeriod":{"startDate":"2026-11-01T00:00:00Z"},"notifications":{"n":{"enabled":true,"operator":"GreaterThan","threshold":80,"contactEmails":["a@b.example"]}}}}`
	at := "/subscriptions/" + subID + "/providers/Microsoft.Consumption/budgets/b1"
	many := func(kind string, n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(`"n%d":{"enabled":true,"operator":"EqualTo","threshold":1,"thresholdType":%q,"contactRoles":["Owner"]}`, i, kind))
		}
		return `{` + strings.Join(list, ",") + `}`
	}
	for _, c := range []struct{ name, from, to string }{
		{"category", `"Cost"`, `"Usage"`}, {"no amount", `"amount":100,`, ``}, {"zero", `100`, `0`}, {"time grain", `"Monthly"`, `"Weekly"`},
		{"no start", `"startDate":"2026-11-01T00:00:00Z"`, ``},
		{"mid-month", `11-01T`, `11-02T`}, {"end first", `"startDate":"2026-11-01T00:00:00Z"`,
			`"startDate":"2026-11-01T00:00:00Z","endDate":"2026-10-01T00:00:00Z"`},
		{"operator", `"GreaterThan"`, `"LessThan"`}, {"threshold", `:80`, `:1001`}, {"threshold below", `:80`, `:-1`},
		{"no threshold", `"threshold":80,`, ``}, {"threshold type", `"threshold":80`, `"threshold":80,"thresholdType":"Guess"`},
		{"nobody to tell", `["a@b.example"]`, `[]`}, {"no address", `a@b.example`, `ab`},
		{"six", `{"n":{"enabled":true,"operator":"GreaterThan","threshold":80,"contactEmails":["a@b.example"]}}`, many("Actual", 6)},
		{"six forecasts", `{"n":{"enabled":true,"operator":"GreaterThan","threshold":80,"contactEmails":["a@b.example"]}}`, many("Forecasted", 6)},
	} {
		l := newLab(t)
		body := strings.Replace(good, c.from, c.to, 1)
		if body == good {
			t.Fatalf("%s changes nothing", c.name)
		}
		if a := l.as("agent", "PUT", at, body); a.Code != 400 {
			t.Errorf("%s: %d %s", c.name, a.Code, a.Body)
		}
	}
	l := newLab(t)
	if a := l.as("agent", "PUT", at, strings.Replace(good, `"n":`, many("Actual", 5)[1:len(many("Actual", 5))-1]+`,"x":`, 1)); a.Code != 400 {
		t.Errorf("five and one: %d", a.Code)
	}
	a := l.as("agent", "PUT", at, good)
	if a.Code != 201 || a.m["properties"].(map[string]any)["currentSpend"].(map[string]any)["amount"] != 13.5 {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	tag := a.m["eTag"].(string)
	if a := l.as("agent", "PUT", at, strings.Replace(good, `{`, `{"eTag":"\"99\"",`, 1)); a.Code != 412 {
		t.Errorf("a stale eTag: %d", a.Code)
	}
	if a := l.as("agent", "PUT", at, strings.Replace(good, `{`, `{"eTag":`+fmt.Sprintf("%q", tag)+`,`, 1)); a.Code != 200 {
		t.Errorf("again: %d %s", a.Code, a.Body)
	}
	if a := l.as("reader", "GET", strings.TrimSuffix(at, "/b1"), ""); len(a.rows()) != 1 {
		t.Errorf("%s", a.Body)
	}
	if a := l.as("agent", "PUT", strings.Replace(at, "/b1", "/b%20d", 1), good); a.Code != 400 {
		t.Errorf("a bad name: %d", a.Code)
	}
	if a := l.as("agent", "DELETE", at, ""); a.Code != 200 {
		t.Errorf("%d", a.Code)
	}
	if a := l.as("agent", "GET", at, ""); a.Code != 404 {
		t.Errorf("%d", a.Code)
	}
	rule := "/subscriptions/" + subID + "/providers/Microsoft.CostManagement/scheduledActions/anomaly"
	if a := l.as("agent", "PUT", rule, `{"kind":"InsightAlert","properties":{"displayName":"x","status":"Enabled","notification":{"to":["a@b.example"],"subject":"s"}}}`); a.Code != 201 || a.m["kind"] != "InsightAlert" {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	if a := l.as("agent", "PUT", rule, `{"kind":"Other"}`); a.Code != 400 {
		t.Errorf("%d", a.Code)
	}
	q := l.as("reader", "POST", "/subscriptions/"+subID+"/providers/Microsoft.CostManagement/query",
		`{"type":"ActualCost","timeframe":"MonthToDate","dataset":{"granularity":"None","grouping":[{"type":"Dimension","name":"ServiceName"}]}}`)
	if rows := q.m["properties"].(map[string]any)["rows"].([]any); len(rows) != 2 || rows[1].([]any)[0] != 12.5 || rows[1].([]any)[2] != "EUR" {
		t.Errorf("%s", q.Body)
	}
}

func TestListAssignments(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	sub := "/subscriptions/" + subID
	group := sub + "/resourceGroups/rg1"
	const at = "/providers/Microsoft.Authorization/roleAssignments"
	for _, c := range []struct {
		scope, filter string
		want          int
	}{
		{sub, "", 7}, {sub, "atScope()", 6}, {group, "", 7}, {group, "atScope()", 7}, {sub + "/resourceGroups/rg2", "", 6},
		{sub, "principalId+eq+'" + uid("owner") + "'", 1}, {sub, "principalId+eq+'" + uid("grouped") + "'", 0}, {sub, "assignedTo('" + uid("grouped") + "')",
			1},
		{sub, "atScope()+and+assignedTo('" + uid("grouped") + "')", 0}, {sub, "principalId+eq+'" + agents + "'", 1},
	} {
		a := l.as("owner", "GET", c.scope+at+"?$filter="+c.filter, "")
		if len(a.rows()) != c.want {
			t.Errorf("%s %s: %d, want %d", c.scope, c.filter, len(a.rows()), c.want)
		}
	}
	if a := l.as("owner", "GET", sub+at+"?$filter=scope+eq+'x'", ""); a.code() != "UnsupportedQuery" {
		t.Errorf("%s", a.Body)
	}
	if a := l.as("reader", "GET", sub+"/providers/Microsoft.Authorization/roleDefinitions?$filter=roleName+eq+'Owner'", ""); len(a.rows()) != 1 ||
		a.rows()[0]["name"] != ownerID {
		t.Errorf("%s", a.Body)
	}
	if a := l.as("reader", "GET", sub+"/providers/Microsoft.Authorization/roleDefinitions/"+readerID, ""); a.Code != 200 {
		t.Errorf("%s", a.Body)
	}
}

func TestPagesAndLimits(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	seen, path := 0, "/subscriptions/"+subID+"/resources?$top=2&"+v
	tok := l.token("owner", customerID, nil)
	for path != "" {
		a := l.do(tok, "GET", path, "")
		seen += len(a.rows())
		next, _ := a.m["nextLink"].(string)
		if next != "" && !strings.HasPrefix(next, "http://localhost:7444/subscriptions/") {
			t.Fatalf("nextLink %s", next)
		}
		path = strings.TrimPrefix(next, "http://localhost:7444")
	}
	if seen != 5 {
		t.Errorf("%d rows in all", seen)
	}
	l.a = New(Deps{World: l.w, Keys: l.keys})
	for i := range 300 {
		a := l.do(tok, "GET", "/subscriptions/"+subID+"?"+v, "")
		switch {
		case i < 250 && a.Code != 200:
			t.Fatalf("call %d: %d", i, a.Code)
		case i == 0 && a.Header().Get("x-ms-ratelimit-remaining-subscription-reads") != "249":
			t.Errorf("%v", a.Header())
		case i == 250 && (a.Code != 429 || a.Header().Get("Retry-After") == ""):
			t.Errorf("call %d: %d", i, a.Code)
		}
	}
	l.jump(time.Second)
	if a := l.do(tok, "GET", "/subscriptions/"+subID+"?"+v, ""); a.Code != 200 {
		t.Errorf("after a second: %d", a.Code)
	}
}

func FuzzTarget(f *testing.F) {
	f.Add("/subscriptions/x/resourceGroups/y/providers/Microsoft.Compute/virtualMachines/z/providers/Microsoft.Authorization/roleAssignments/q")
	f.Add("/providers/a")
	f.Add("//%2f")
	f.Fuzz(func(t *testing.T, path string) {
		at, bad := parseTarget(path)
		if (at == nil) == (bad == nil) {
			t.Fatal("neither taken nor refused")
		}
		if at != nil && strings.ContainsAny(at.group+at.sub, "/\\") {
			t.Fatalf("%+v", at)
		}
	})
}

func FuzzActivityFilter(f *testing.F) {
	f.Add("eventTimestamp ge '2026-11-01T00:00:00Z' and eventTimestamp le '2026-11-02'")
	f.Add("caller eq 'x' AND eventTimestamp ge '2026-11-20'")
	f.Fuzz(func(t *testing.T, text string) {
		v, bad := parseActivityFilter(text, start)
		if (v == nil) == (bad == nil) || v != nil && (v.from.IsZero() || v.to.Before(v.from)) {
			t.Fatalf("%+v", v)
		}
	})
}

func FuzzSkipToken(f *testing.F) {
	p := newPager()
	f.Add(p.seal("q", 7))
	f.Fuzz(func(t *testing.T, text string) {
		if n, good := p.open("q", text); good && n != 7 {
			t.Fatalf("forged %q", text)
		}
	})
}

func FuzzUsageFilter(f *testing.F) {
	f.Add("properties/usageStart ge '2026-11-01' and properties/resourceGroup eq 'rg'")
	f.Add("date eq '2026-11-01' and (")
	f.Fuzz(func(t *testing.T, text string) {
		got, no := parseUsageFilter(text, start)
		if (got == nil) == (no == nil) || got != nil && got.to.Before(got.from) {
			t.Fatalf("%q: %v %v", text, got, no)
		}
	})
}
