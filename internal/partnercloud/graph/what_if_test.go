package graph

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

func TestWhatIf(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	ask := func(conditions string, more string) map[string]any {
		a := l.do("POST", "/v1.0/identity/conditionalAccess/evaluate", tok, `{"signInIdentity":{"@odata.type":"#microsoft.graph.userSignIn","userId":"`+plain+
			`"},"signInContext":{"@odata.type":"#microsoft.graph.applicationContext","includeApplications":["`+entra.AppGraph+`"]},"signInConditions":{`+
			conditions+`}`+more+`}`)
		rows := a.rows()
		if len(rows) == 0 {
			return nil
		}
		return rows[0]
	}
	for name, c := range map[string]struct {
		conditions string
		applies    bool
		reason     string
	}{
		"it applies":         {`"devicePlatform":"linux","clientAppType":"browser","ipAddress":"203.0.113.5","country":"DE"`, true, "notSet"},
		"another platform":   {`"devicePlatform":"windows","clientAppType":"browser","ipAddress":"203.0.113.5","country":"DE"`, false, "devicePlatform"},
		"a trusted place":    {`"devicePlatform":"linux","clientAppType":"browser","ipAddress":"192.0.2.9","country":"DE"`, false, "location"},
		"both":               {`"devicePlatform":"windows","clientAppType":"browser","ipAddress":"192.0.2.9","country":"DE"`, false, "devicePlatform,location"},
		"nothing said of it": {`"clientAppType":"browser"`, false, "notEnoughInformation"},
	} {
		r := ask(c.conditions, "")
		if r["policyApplies"] != c.applies || str(r, "analysisReasons") != c.reason {
			t.Errorf("%s: %v %q, want %v %q", name, r["policyApplies"], r["analysisReasons"], c.applies, c.reason)
		}
	}
	if r := ask(`"devicePlatform":"windows"`, `,"appliedPoliciesOnly":true`); r != nil {
		t.Errorf("appliedPoliciesOnly gave %v", r)
	}
	s := readSchema(t, "v1.0")
	r := ask(`"devicePlatform":"linux","ipAddress":"203.0.113.5"`, "")
	s.check("evaluate", "microsoft.graph.whatIfAnalysisResult", map[string]any(r), t.Errorf)
	l.do("POST", "/v1.0/identity/conditionalAccess/evaluate", tok, `{"signInIdentity":{"userId":"`+carla+`"},"signInContext":{"includeApplications":["x"]}}`).
		want(404)
	l.do("POST", "/v1.0/identity/conditionalAccess/evaluate", tok, `{}`).want(400)
}

func TestRelationshipLife(t *testing.T) {
	l := newLab(t)
	tok := func() string { return l.admin() }
	base := "/v1.0/tenantRelationships/delegatedAdminRelationships"
	body := func(name, extra string) string {
		return `{"displayName":"` + name + `","duration":"P30D","customer":{"tenantId":"` + customerID +
			`"},"accessDetails":{"unifiedRoles":[{"roleDefinitionId":"` + entra.RoleGlobalAdministrator + `"},{"roleDefinitionId":"` +
			entra.RoleUserAdministrator + `"}]}` + extra + `}`
	}
	l.do("POST", base, tok(), body("GA", `,"autoExtendDuration":"P180D"`)).want(400)
	l.do("POST", base, tok(), body("Support", "")).refused(409, "Conflict") // the name exists
	l.do("POST", base, tok(), strings.Replace(body("x", ""), "P30D", "P3Y", 1)).want(400)
	l.do("POST", base, tok(), strings.Replace(body("x", ""), "P30D", "PT5H", 1)).want(400)
	l.do("POST", base, tok(), strings.Replace(body("x", ""), customerID, carla, 1)).want(400)
	a := l.do("POST", base, tok(), body("GA", "")).want(201)
	id, tag := str(a.body, "id"), str(a.body, "@odata.etag")
	one := base + "/" + id
	if str(a.body, "status") != "created" || a.header.Get("Location") != "http://graph.test"+one {
		t.Errorf("created: %s, Location %q", a.raw, a.header.Get("Location"))
	}
	l.do("PATCH", one, tok(), `{"duration":"P60D"}`).want(400) // no If-Match
	l.do("PATCH", one, tok(), `{"duration":"P60D"}`, "If-Match", `W/"old"`).refused(412, "PreconditionFailed")
	a = l.do("PATCH", one, tok(), `{"duration":"P60D"}`, "If-Match", tag).want(200)
	if str(a.body, "@odata.etag") == tag || str(a.body, "duration") != "P60D" {
		t.Error("the change left the ETag as it was")
	}
	req := func(token, action string) *answer {
		return l.do("POST", one+"/requests", token, `{"action":"`+action+`"}`)
	}
	status := func() string { return str(l.get(one, tok()).want(200).body, "status") }
	carlas := func() string { return l.token(customerID, carla, everything()) }
	req(tok(), "terminate").refused(409, "Conflict")
	req(tok(), "approve").want(403)
	req(carlas(), "approve").want(409)
	if got := req(tok(), "lockForApproval").want(201); str(got.body, "status") != "created" || str(got.body, "action") != "lockForApproval" {
		t.Errorf("request: %s", got.raw)
	}
	if status() != "approvalPending" {
		t.Errorf("status %s", status())
	}
	l.do("DELETE", one, tok(), "", "If-Match", "*").refused(409, "Conflict")
	req(l.token(freeID, "cccccccc-0000-4000-8000-000000000009", everything()), "approve").want(404) // another customer's
	req(carlas(), "approve").want(201)
	if status() != "activating" {
		t.Errorf("status %s", status())
	}
	assign := func(group, role string) *answer {
		return l.do("POST", one+"/accessAssignments", tok(), `{"accessContainer":{"accessContainerId":"`+group+
			`","accessContainerType":"securityGroup"},"accessDetails":{"unifiedRoles":[{"roleDefinitionId":"`+role+`"}]}}`)
	}
	assign(nested, entra.RoleUserAdministrator).refused(409, "Conflict") // not active yet
	_, _ = l.clock.Jump(activatingTakes)
	if status() != "active" {
		t.Errorf("status %s", status())
	}
	assign(nested, entra.RoleReportsReader).want(400)    // not of the relationship
	assign(plain, entra.RoleUserAdministrator).want(400) // not a group
	a = assign(nested, entra.RoleUserAdministrator).want(201)
	if str(a.body, "status") != "pending" {
		t.Errorf("assignment %s", a.raw)
	}
	assign(nested, entra.RoleGlobalAdministrator).refused(409, "Conflict")
	aid, atag := str(a.body, "id"), str(a.body, "@odata.etag")
	// The right comes with the active assignment and not before.
	users := func() int {
		return l.do("PATCH", "/v1.0/users/"+carla, l.aobo(rhea, customerID, everything()), `{"jobTitle":"x"}`).code
	}
	if got := users(); got != 403 {
		t.Errorf("pending assignment: %d", got)
	}
	_, _ = l.clock.Jump(assigningTakes)
	if got := users(); got != 204 {
		t.Errorf("active assignment: %d", got)
	}
	as := one + "/accessAssignments/" + aid
	same := `{"accessDetails":{"unifiedRoles":[{"roleDefinitionId":"` + entra.RoleUserAdministrator + `"}]}}`
	l.do("PATCH", as, tok(), same, "If-Match", atag).want(200)
	a = l.do("PATCH", as, tok(), strings.Replace(same, entra.RoleUserAdministrator, entra.RoleGlobalAdministrator, 1), "If-Match", atag).want(202)
	loc := strings.TrimPrefix(a.header.Get("Location"), "http://graph.test")
	if a.header.Get("Retry-After") != "10" || !strings.Contains(loc, "/operations/") {
		t.Errorf("202 with %v", a.header)
	}
	_, _ = l.clock.Jump(time.Second)
	if st := str(l.get(loc, tok()).want(200).body, "status"); st != "running" {
		t.Errorf("operation %s", st)
	}
	_, _ = l.clock.Jump(operationTakes)
	if st := str(l.get(loc, tok()).want(200).body, "status"); st != "succeeded" {
		t.Errorf("operation %s", st)
	}
	l.do("PATCH", as, tok(), same, "If-Match", atag).refused(412, "PreconditionFailed")
	// An active relationship gives up Global Administrator, and then may extend itself.
	l.do("PATCH", one, tok(), `{"displayName":"other"}`, "If-Match", "*").refused(409, "Conflict")
	l.do("PATCH", one, tok(), `{"autoExtendDuration":"P180D"}`, "If-Match", "*").want(400)
	l.do("PATCH", one, tok(), `{"accessDetails":{"unifiedRoles":[{"roleDefinitionId":"`+entra.RoleUserAdministrator+`"}]}}`, "If-Match", "*").want(202)
	l.do("PATCH", one, tok(), `{"autoExtendDuration":"P180D"}`, "If-Match", "*").want(202)
	l.do("DELETE", as, tok(), "", "If-Match", "*").want(204)
	if st := str(l.get(as, tok()).want(200).body, "status"); st != "deleting" {
		t.Errorf("assignment %s", st)
	}
	_, _ = l.clock.Jump(assigningTakes)
	if st := str(l.get(as, tok()).want(200).body, "status"); st != "deleted" {
		t.Errorf("assignment %s", st)
	}
	req(tok(), "terminate").want(201)
	if status() != "terminationRequested" {
		t.Errorf("status %s", status())
	}
	_, _ = l.clock.Jump(terminatingTakes / 2)
	if status() != "terminating" {
		t.Errorf("status %s", status())
	}
	_, _ = l.clock.Jump(terminatingTakes / 2)
	if status() != "terminated" {
		t.Errorf("status %s", status())
	}
	if ids := l.get(base+"?$filter=status eq 'active'&$top=300", tok()).ids(); !slices.Equal(ids, []string{relID}) {
		t.Errorf("active: %v", ids)
	}
	l.get(base+"?$top=301", tok()).want(400)
	// What nobody accepts lapses after 90 days.
	a = l.do("POST", base, tok(), body("Lapse", "")).want(201)
	one = base + "/" + str(a.body, "id")
	req(tok(), "lockForApproval").want(201)
	_, _ = l.clock.Jump(world.OfferLapse)
	if status() != "expired" {
		t.Errorf("status %s", status())
	}
	// An approved relationship ends when its duration is over, though nobody looked in between.
	a = l.do("POST", base, tok(), body("Short", "")).want(201)
	one = base + "/" + str(a.body, "id")
	req(tok(), "lockForApproval").want(201)
	req(carlas(), "approve").want(201)
	_, _ = l.clock.Jump(31 * 24 * time.Hour)
	if status() != "expired" {
		t.Errorf("status %s", status())
	}
	_ = http.MethodGet
}

func TestPIM(t *testing.T) {
	l := newLab(t)
	path := "/v1.0/roleManagement/directory/roleAssignmentScheduleRequests"
	body := func(duration, justification string) string {
		return `{"action":"selfActivate","principalId":"` + plain + `","roleDefinitionId":"` + entra.RoleSecurityReader +
			`","directoryScopeId":"/","justification":"` + justification +
			`","scheduleInfo":{"startDateTime":"2026-11-22T09:00:00Z","expiration":{"type":"afterDuration","duration":"` + duration + `"}}}`
	}
	tok := l.token(partnerID, plain, everything())
	l.get("/beta/auditLogs/signIns", tok).want(403)
	l.do("POST", path, l.admin(), body("PT4H", "x")).want(403) // for somebody else
	l.do("POST", path, tok, body("PT4H", "")).want(400)
	l.do("POST", path, tok, body("PT9H", "x")).want(400)
	weak := l.claims(partnerID, plain, everything())
	weak.AMR = []string{"pwd"}
	l.do("POST", path, l.sign(weak), body("PT4H", "x")).want(400)
	l.do("POST", path, tok, body("PT4H", "x")).want(201)
	l.do("POST", path, tok, body("PT4H", "x")).want(400) // twice
	l.get("/beta/auditLogs/signIns", tok).want(200)      // the role is there
	rows := l.get("/v1.0/roleManagement/directory/roleAssignmentScheduleInstances?$filter=principalId eq '"+plain+"'", l.admin()).rows()
	if len(rows) != 1 || str(rows[0], "assignmentType") != "Activated" || rows[0]["endDateTime"] == nil {
		t.Errorf("instances %v", rows)
	}
	_, _ = l.clock.Jump(4 * time.Hour)
	l.get("/beta/auditLogs/signIns", l.token(partnerID, plain, everything())).want(403) // and gone
}

func TestScoreFollowsTheWorld(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	req := func() map[string]map[string]any {
		out := map[string]map[string]any{}
		for _, r := range l.get("/beta/security/partner/securityScore/requirements", tok).rows() {
			out[str(r, "requirementType")] = r
		}
		return out
	}
	before := req()
	if len(before) != 5 {
		t.Fatalf("%d requirements", len(before))
	}
	admins := before["mfaEnforcedForAdmins"]
	if str(admins, "complianceStatus") != "noncomplaint" || admins["totalAdminsCount"] != 4.0 {
		t.Errorf("admins: %v", admins) // the policy leaves the office and every platform but one out
	}
	if before["securityAlertsPromptlyResolved"]["averageResponseTimeInHours"] != 2.0 ||
		str(before["securityContactProvided"], "complianceStatus") != "compliant" {
		t.Errorf("%v", before)
	}
	if b := before["spendingBudgetSetForCustomerAzureSubscriptions"]; b["totalCustomersCount"] != 1.0 || b["customersWithSpendBudgetCount"] != 0.0 {
		t.Errorf("budgets: %v", b)
	}
	if c := before["mfaEnforcedForAdminsOfCustomers"]; c["totalTenantCount"] != 2.0 || c["compliantTenantCount"] != 1.0 { // the one with security defaults
		t.Errorf("customers: %v", c)
	}
	l.do("PATCH", "/v1.0/identity/conditionalAccess/policies/"+polID, tok, `{"conditions":{"platforms":null,"locations":null}}`).want(204)
	l.w.Read(func(s *world.State) {
		p := s.PartnerTenant()
		p.SecurityContact = ""
		p.Customers.Change(customerID, func(c *world.Customer) { n := 5.0; c.Budget = &n })
		s.Dirty()
	})
	l.do("POST", "/v1.0/identity/conditionalAccess/policies", l.token(customerID, carla, everything()),
		`{"displayName":"P","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`).want(201)
	_, _ = l.clock.Jump(23 * time.Hour)
	tok = l.admin()
	after := req()
	for kind, want := range map[string]string{"mfaEnforcedForAdmins": "compliant", "securityContactProvided": "noncomplaint",
		"mfaEnforcedForAdminsOfCustomers": "compliant", "spendingBudgetSetForCustomerAzureSubscriptions": "compliant",
		"securityAlertsPromptlyResolved": "noncomplaint"} {
		if got := str(after[kind], "complianceStatus"); got != want {
			t.Errorf("%s: %s, want %s: %v", kind, got, want, after[kind])
		}
	}
	// Who is asked and has nothing to answer with is counted apart.
	if a := after["mfaEnforcedForAdmins"]; a["adminsRequiredNotUsingMfaCount"] != 2.0 || a["mfaEnabledAdminsCount"] != 2.0 {
		t.Errorf("admins: %v", a)
	}
	l.do("PATCH", "/beta/security/partner/securityAlerts/alert-1", tok, `{"status":"resolved"}`).want(400)
	l.do("PATCH", "/beta/security/partner/securityAlerts/alert-1", tok, `{"status":"resolved","resolvedReason":"fraud"}`).want(200)
	root := l.get("/beta/security/partner/securityScore", tok).want(200).body
	if root["maxScore"] != 100.0 || root["currentScore"] != 60.0 {
		t.Errorf("score %v of %v", root["currentScore"], root["maxScore"])
	}
	l.get("/beta/security/partner/securityScore/customerInsights?$top=1", tok).want(400)
}
