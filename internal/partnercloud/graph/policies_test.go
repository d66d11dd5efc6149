package graph

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/world"
)

const caPath = "/v1.0/identity/conditionalAccess/"

// reportOnly is a policy body with conditions beside the usual ones.
func reportOnly(users, more string) string {
	return fmt.Sprintf(`{"displayName":"P","state":"enabledForReportingButNotEnforced","conditions":{"users":{"includeUsers":["%s"]},
		"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]%s},"grantControls":{"operator":"OR","builtInControls":["block"]}}`, users, more)
}

func TestPoliciesLieAtTwoAddresses(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	a := l.do("POST", "/v1.0/policies/conditionalAccessPolicies", tok, reportOnly("All", "")).want(201)
	id := str(a.body, "id")
	if ctx := str(a.body, "@odata.context"); !strings.Contains(ctx, "#policies/conditionalAccessPolicies") {
		t.Errorf("context %q", ctx)
	}
	x, y := l.get(caPath+"policies", tok).ids(), l.get("/v1.0/policies/conditionalAccessPolicies", tok).ids()
	if len(x) != 2 || strings.Join(x, " ") != strings.Join(y, " ") {
		t.Errorf("%v and %v", x, y)
	}
	l.do("PATCH", caPath+"policies/"+id, tok, `{"displayName":"Q"}`).want(204)
	if got := l.get("/v1.0/policies/conditionalAccessPolicies/"+id, tok).want(200).body; str(got, "displayName") != "Q" {
		t.Errorf("%v", got)
	}
}

func TestDeletedPoliciesCanBeRestored(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	bin := caPath + "deletedItems/policies"
	if rows := l.get(bin, tok).rows(); len(rows) != 0 {
		t.Fatalf("deleted from the start: %v", rows)
	}
	before := l.get(caPath+"policies/"+polID, tok).want(200)
	l.do("DELETE", caPath+"policies/"+polID, tok, "").want(204)
	l.get(caPath+"policies/"+polID, tok).want(404)
	got := l.get(bin+"/"+polID, tok).want(200).body
	if str(got, "deletedDateTime") == "" || str(got, "displayName") != "MFA for all" || len(l.get(bin, tok).rows()) != 1 {
		t.Errorf("in the bin: %v", got)
	}
	l.do("POST", bin+"/"+polID+"/restore", l.token(partnerID, ursa, everything()), "").want(403)
	l.do("POST", bin+"/"+polID+"/restore", tok, "").want(200)
	if after := l.get(caPath+"policies/"+polID, tok).want(200); string(after.raw) != string(before.raw) {
		t.Errorf("restored otherwise than it was:\n%s\n%s", before.raw, after.raw)
	}
	l.do("POST", bin+"/"+polID+"/restore", tok, "").want(404)

	// For good: by hand, or after 30 days.
	l.do("DELETE", caPath+"policies/"+polID, tok, "").want(204)
	_, _ = l.clock.Jump(29 * 24 * time.Hour)
	l.get(bin+"/"+polID, l.admin()).want(200)
	_, _ = l.clock.Jump(25 * time.Hour)
	l.get(bin+"/"+polID, l.admin()).want(404)
	l.do("POST", bin+"/"+polID+"/restore", l.admin(), "").want(404)
	id := str(l.do("POST", caPath+"policies", l.admin(), reportOnly("All", "")).want(201).body, "id")
	l.do("DELETE", caPath+"policies/"+id, l.admin(), "").want(204)
	l.do("DELETE", bin+"/"+id, l.admin(), "").want(204)
	l.get(bin+"/"+id, l.admin()).want(404)
	if a := l.audits(partnerID); a[len(a)-1] != "Hard delete conditional access policy" {
		t.Errorf("the last audit row is %q", a[len(a)-1])
	}
	l.w.Read(func(s *world.State) {
		if n := s.PartnerTenant().DeletedPolicies.Len(); n != 0 {
			t.Errorf("%d policies are kept past their time", n)
		}
	})
}

func TestDeletedLocationsCanBeRestored(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	loc := l.do("POST", caPath+"namedLocations", tok, `{"@odata.type":"#microsoft.graph.ipNamedLocation","displayName":"Depot","isTrusted":false,
		"ipRanges":[{"@odata.type":"#microsoft.graph.iPv4CidrRange","cidrAddress":"198.51.100.0/24"}]}`).want(201).body
	path := caPath + "deletedItems/namedLocations/" + str(loc, "id")
	l.do("DELETE", caPath+"namedLocations/"+str(loc, "id"), tok, "").want(204)
	if got := l.get(path, tok).want(200).body; str(got, "deletedDateTime") == "" || str(got, "@odata.type") != "#microsoft.graph.ipNamedLocation" {
		t.Errorf("%v", got)
	}
	l.do("POST", path+"/restore", tok, "{}").want(200)
	if got := l.get(caPath+"namedLocations/"+str(loc, "id"), tok).want(200).body; got["deletedDateTime"] != nil {
		t.Errorf("%v", got)
	}
}

func TestRangesByAddress(t *testing.T) {
	l := newLab(t)
	body := func(typ, cidr string) string {
		return `{"@odata.type":"#microsoft.graph.ipNamedLocation","displayName":"Depot","ipRanges":[{"@odata.type":"#microsoft.graph.` + typ +
			`","cidrAddress":"` + cidr + `"}]}`
	}
	got := l.do("POST", caPath+"namedLocations", l.admin(), body("iPv4CidrRange", "2001:db8::/32")).want(201).body
	if r := objs(got, "ipRanges"); len(r) != 1 || str(r[0], "@odata.type") != "#microsoft.graph.iPv6CidrRange" {
		t.Errorf("%v", got)
	}
	l.do("POST", caPath+"namedLocations", l.admin(), body("iPv6CidrRange", "192.0.2.0/24")).refused(400, "Request_BadRequest")
}

func TestPoliciesForAgents(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	beta := "/beta/identity/conditionalAccess/policies"
	more := `,"agentIdRiskLevels":"medium,high","clientApplications":{"includeServicePrincipals":[],"includeAgentIdServicePrincipals":["All"]},
		"agents":{"includeAgentUsers":["All"],"excludeAgentUsers":[],"agentFilter":null},
		"agentContext":{"includeAgentContexts":["agentUserSessionsInitiatedFromEndpoints"],"excludeAgentContexts":[]},"times":null,"deviceStates":null`
	body := strings.Replace(reportOnly("None", more), `["All"]},`, `["AllAgentIdResources"]},`, 1)
	body = strings.Replace(body, `{"displayName"`, `{"#microsoft.graph.restore":{"target":"x"},"partialEnablementStrategy":null,"displayName"`, 1)
	id := str(l.do("POST", beta, tok, body).want(201).body, "id")
	cond := inner(l.get(beta+"/"+id, tok).want(200).body, "conditions")
	if str(cond, "agentIdRiskLevels") != "medium,high" || jsonText(at(cond, "agents", "includeAgentUsers")) != `["All"]` ||
		jsonText(at(cond, "clientApplications", "includeAgentIdServicePrincipals")) != `["All"]` ||
		jsonText(at(cond, "agentContext", "includeAgentContexts")) != `["agentUserSessionsInitiatedFromEndpoints"]` {
		t.Errorf("%v", cond)
	}
	if _, shown := cond["times"]; shown {
		t.Error("a member that can only be null is shown")
	}
	v1 := l.get(caPath+"policies/"+id, tok).want(200)
	if strings.Contains(string(v1.raw), "gent") && strings.Contains(string(v1.raw), "agentIdRiskLevels") || at(v1.body, "conditions", "agents") != nil {
		t.Errorf("v1.0 shows what it does not know: %s", v1.raw)
	}
	for name, c := range map[string]string{
		"people and agents":  strings.Replace(body, `["None"]`, `["All"]`, 1),
		"an unknown level":   strings.Replace(body, "medium,high", "grave", 1),
		"an unknown context": strings.Replace(body, "agentUserSessionsInitiatedFromEndpoints", "anything", 1),
		"states of devices":  strings.Replace(body, `"deviceStates":null`, `"deviceStates":{"includeStates":["x"]}`, 1),
	} {
		if a := l.do("POST", beta, tok, c); a.code != 400 {
			t.Errorf("%s: %d %.200s", name, a.code, a.raw)
		}
	}
	l.do("POST", caPath+"policies", tok, body).want(400) // v1.0 does not have them
}

func TestAStrengthCanBeBound(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	body := func(ref string) string {
		return strings.Replace(reportOnly("All", ""), `"builtInControls":["block"]`, `"builtInControls":[],"authenticationStrength@odata.bind":`+ref, 1)
	}
	ref := `"https://graph.microsoft.com/v1.0/policies/authenticationStrengthPolicies/` + strID + `"`
	got := l.do("POST", caPath+"policies", tok, body(ref)).want(201).body
	if at(got, "grantControls", "authenticationStrength", "id") != strID {
		t.Errorf("%v", got)
	}
	l.do("POST", caPath+"policies", tok, body(strings.ReplaceAll(ref, strID, plain))).want(400)
	l.do("POST", caPath+"policies", tok, body("5")).want(400)
}

func TestAuthorizationPolicy(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	path := "/v1.0/policies/authorizationPolicy"
	got := l.get(path, tok).want(200).body
	if str(got, "allowInvitesFrom") != "everyone" || at(got, "defaultUserRolePermissions", "allowedToCreateApps") != true || str(got, "guestUserRoleId") == "" {
		t.Errorf("%v", got)
	}
	// Everybody registers applications while the policy lets them.
	own := l.token(partnerID, plain, "Application.ReadWrite.All")
	l.do("POST", "/v1.0/applications", own, `{"displayName":"Pat's"}`).want(201)
	l.do("POST", "/v1.0/applications", l.token(partnerID, guest, "Application.ReadWrite.All"), `{"displayName":"G"}`).want(403)
	invitation := `{"invitedUserEmailAddress":"x%d@elsewhere.example","inviteRedirectUrl":"https://contoso.com"}`
	l.do("POST", "/v1.0/invitations", l.token(partnerID, plain, "User.Invite.All"), fmt.Sprintf(invitation, 1)).want(201)
	l.do("PATCH", path, l.token(partnerID, ursa, everything()), `{"allowInvitesFrom":"none"}`).want(403)
	l.do("PATCH", path, tok, `{"allowInvitesFrom":"adminsAndGuestInviters","defaultUserRolePermissions":{"allowedToCreateApps":false}}`).want(204)
	l.do("POST", "/v1.0/applications", own, `{"displayName":"Pat's second"}`).want(403)
	l.do("POST", "/v1.0/invitations", l.token(partnerID, plain, "User.Invite.All"), fmt.Sprintf(invitation, 2)).want(403)
	l.do("POST", "/v1.0/invitations", l.token(partnerID, ursa, "User.Invite.All"), fmt.Sprintf(invitation, 3)).want(201)
	got = l.get(path, tok).body
	if str(got, "allowInvitesFrom") != "adminsAndGuestInviters" || at(got, "defaultUserRolePermissions", "allowedToReadOtherUsers") != true {
		t.Errorf("%v", got)
	}
	l.w.Read(func(s *world.State) {
		p := s.PartnerTenant()
		if p.InvitesFrom() != "adminsAndGuestInviters" || p.MembersMay("allowedToCreateApps") || p.UserConsent() != "all" {
			t.Errorf("%q %v", p.InvitesFrom(), p.UserConsent())
		}
	})
	// Beta has it as a collection of one, with the consent policies beside the permissions.
	rows := l.get("/beta/policies/authorizationPolicy", tok).rows()
	if len(rows) != 1 || len(strs(rows[0], "permissionGrantPolicyIdsAssignedToDefaultUserRole")) != 1 ||
		at(rows[0], "defaultUserRolePermissions", "permissionGrantPoliciesAssigned") != nil {
		t.Errorf("%v", rows)
	}
	l.do("PATCH", "/beta/policies/authorizationPolicy/authorizationPolicy", tok, `{"permissionGrantPolicyIdsAssignedToDefaultUserRole":[]}`).want(204)
	l.w.Read(func(s *world.State) {
		if v := s.PartnerTenant().UserConsent(); v != "none" {
			t.Errorf("users may consent to %q", v)
		}
	})
	for _, bad := range []string{
		`{"allowInvitesFrom":"friends"}`, `{"guestUserRoleId":"` + plain + `"}`, `{"frobnicate":true}`,
		`{"defaultUserRolePermissions":{"permissionGrantPoliciesAssigned":["ManagePermissionGrantsForSelf.nothing"]}}`, `{"allowedToUseSSPR":"yes"}`,
	} {
		l.do("PATCH", path, tok, bad).want(400)
	}
}

func TestOtherPoliciesOfATenant(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	for _, p := range singletons() {
		if p.typ == "authorizationPolicy" {
			continue
		}
		got := l.get("/v1.0/policies/"+p.name, tok).want(200).body
		if str(got, "id") == "" {
			t.Errorf("%s: %v", p.name, got)
		}
		if p.fields == nil {
			l.do("PATCH", "/v1.0/policies/"+p.name, tok, `{}`).refused(501, "NotImplemented")
		}
	}
	l.do("PUT", "/v1.0/policies/adminConsentRequestPolicy", tok, `{"isEnabled":true,"notifyReviewers":true,"remindersEnabled":false,"requestDurationInDays":5,
		"reviewers":[{"query":"/users/`+ada+`","queryType":"MicrosoftGraph","queryRoot":null}]}`).want(204)
	if got := l.get("/v1.0/policies/adminConsentRequestPolicy", tok).body; got["isEnabled"] != true || len(objs(got, "reviewers")) != 1 {
		t.Errorf("%v", got)
	}
	l.do("PUT", "/v1.0/policies/adminConsentRequestPolicy", tok, `{"isEnabled":true}`).want(400)
	l.do("PATCH", "/v1.0/policies/crossTenantAccessPolicy/default", tok, `{"inboundTrust":{"isMfaAccepted":true,"isCompliantDeviceAccepted":false}}`).want(204)
	l.w.Read(func(s *world.State) {
		if !s.PartnerTenant().AcceptsHomeMFA {
			t.Error("MFA of guests' homes is not trusted")
		}
	})
	l.do("PATCH", "/v1.0/policies/crossTenantAccessPolicy/default", tok, `{"inboundTrust":{"isCompliantDeviceAccepted":true}}`).want(400)
	l.get("/v1.0/policies/crossTenantAccessPolicy/partners", tok).refused(501, "NotImplemented")
	if ids := l.get("/v1.0/policies/permissionGrantPolicies", tok).ids(); len(ids) < 5 {
		t.Errorf("%v", ids)
	}
	if ids := l.get("/v1.0/applicationTemplates", tok).ids(); len(ids) != 1 {
		t.Errorf("%v", ids)
	}
	l.do("POST", "/v1.0/applicationTemplates/8adf8e6e-67b2-4cf2-a259-e3dc5476c621/instantiate", tok, `{"displayName":"x"}`).refused(501, "NotImplemented")
}

func TestTokenPolicies(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	path := "/v1.0/policies/claimsMappingPolicies"
	def := `"definition":["{\"ClaimsMappingPolicy\":{\"Version\":1,\"IncludeBasicClaimSet\":\"true\"}}"]`
	a := l.do("POST", path, tok, `{"displayName":"Claims",`+def+`}`).want(201)
	id := str(a.body, "id")
	for _, bad := range []string{`{"displayName":"x"}`, `{"displayName":"x","definition":["{}"]}`, `{"displayName":"x","definition":["no"]}`,
		`{"displayName":"x","definition":["{\"TokenLifetimePolicy\":{}}"]}`, `{"displayName":"x",` + def + `,"kind":1}`} {
		l.do("POST", path, tok, bad).want(400)
	}
	if got := l.get("/v1.0/policies/tokenLifetimePolicies", tok).ids(); len(got) != 0 {
		t.Errorf("a policy of another type: %v", got)
	}
	l.get("/v1.0/policies/tokenLifetimePolicies/"+id, tok).want(404)
	l.do("PATCH", path+"/"+id, tok, `{"displayName":"Renamed","isOrganizationDefault":true}`).want(204)
	l.do("POST", path, tok, `{"displayName":"Second","isOrganizationDefault":true,`+def+`}`).want(400)
	sp := "/v1.0/servicePrincipals(appId='" + toolApp + "')/claimsMappingPolicies"
	ref := `{"@odata.id":"https://graph.microsoft.com/v1.0/policies/claimsMappingPolicies/` + id + `"}`
	l.do("POST", sp+"/$ref", tok, ref).want(204)
	l.do("POST", sp+"/$ref", tok, ref).want(400)
	if rows := l.get(sp, tok).rows(); len(rows) != 1 || str(rows[0], "displayName") != "Renamed" {
		t.Errorf("%v", rows)
	}
	l.do("DELETE", sp+"/"+id+"/$ref", tok, "").want(204)
	l.do("POST", sp+"/$ref", tok, ref).want(204)
	l.do("DELETE", path+"/"+id, tok, "").want(204)
	if rows := l.get(sp, tok).rows(); len(rows) != 0 {
		t.Errorf("%v", rows)
	}
}

// The new resources fit the published schema, as far as it has them.
func TestMoreAnswersFitTheSchema(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	app := str(l.do("POST", "/v1.0/applications", tok, wide).want(201).body, "id")
	sp := str(l.do("POST", "/v1.0/servicePrincipals", tok, `{"appId":"`+str(l.get("/v1.0/applications/"+app, tok).body, "appId")+`"}`).want(201).body, "id")
	l.do("DELETE", caPath+"policies/"+polID, tok, "").want(204)
	loc := str(l.do("POST", caPath+"namedLocations", tok, `{"@odata.type":"#microsoft.graph.countryNamedLocation","displayName":"D","countriesAndRegions":["DE"]}`).
		want(201).body, "id")
	l.do("DELETE", caPath+"namedLocations/"+loc, tok, "").want(204)
	l.do("POST", "/beta/identity/conditionalAccess/policies", tok,
		reportOnly("None", `,"agentIdRiskLevels":"high","clientApplications":{"includeAgentIdServicePrincipals":["All"]}`)).want(201)
	for _, r := range []read{
		{"applications/" + app, "application"}, {"applications/" + app + "/owners", "directoryObject"}, {"servicePrincipals/" + sp, "servicePrincipal"},
		{"servicePrincipals/" + sp + "/owners", "directoryObject"}, {"users/" + ada + "/ownedObjects", "directoryObject"},
		{"policies/conditionalAccessPolicies", "conditionalAccessPolicy"},
		{"identity/conditionalAccess/deletedItems/policies", "conditionalAccessPolicy"},
		{"identity/conditionalAccess/deletedItems/namedLocations", "namedLocation"},
		{"policies/crossTenantAccessPolicy", "crossTenantAccessPolicy"},
	} {
		for _, v := range []string{"v1.0", "beta"} {
			s := readSchema(t, v)
			a := l.get("/"+v+"/"+r.path, tok).want(200)
			rows := []any{a.body}
			if list, many := a.body["value"].([]any); many {
				rows = list
			}
			if len(rows) == 0 {
				t.Errorf("%s: nothing to check", r.path)
			}
			for i, row := range rows {
				s.check(fmt.Sprintf("%s/%s[%d]", v, r.path, i), "microsoft.graph."+r.typ, row, t.Errorf)
			}
		}
	}
}
