package graph

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/signon"
	"partnerguard/internal/partnercloud/world"
)

func TestMethodsPolicyInFull(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	beta := "/beta/policies/authenticationMethodsPolicy"
	got := l.get(beta, tok).want(200).body
	if at(got, "systemCredentialPreferences", "state") != "default" || at(got, "reportSuspiciousActivitySettings", "includeTarget", "id") != "all_users" ||
		at(got, "registrationEnforcement", "authenticationMethodsRegistrationCampaign", "enforceRegistrationAfterAllowedSnoozes") != true {
		t.Errorf("%v", got)
	}
	campaign := `{"registrationEnforcement":{"authenticationMethodsRegistrationCampaign":{"state":"enabled","snoozeDurationInDays":3,
		"includeTargets":[{"id":"` + agents + `","targetType":"group","targetedAuthenticationMethod":"fido2"}],"excludeTargets":[{"id":"` + plain + `","targetType":"user"}]}}}`
	l.do("PATCH", beta, tok, campaign).want(204)
	l.do("PATCH", beta, tok, `{"systemCredentialPreferences":{"state":"enabled","includeTargets":[{"id":"all_users","targetType":"group"}]},
		"reportSuspiciousActivitySettings":{"state":"enabled","voiceReportingCode":1},"optOutSettings":{"passkeyDynamicMigration":true},
		"displayName":"Authentication Methods Policy"}`).want(204)
	got = l.get(beta, tok).body
	c := inner(inner(got, "registrationEnforcement"), "authenticationMethodsRegistrationCampaign")
	if str(c, "state") != "enabled" || c["snoozeDurationInDays"] != 3.0 || len(objs(c, "excludeTargets")) != 1 ||
		c["enforceRegistrationAfterAllowedSnoozes"] != true ||
		at(got, "systemCredentialPreferences", "state") != "enabled" || at(got, "optOutSettings", "passkeyDynamicMigration") != true {
		t.Errorf("%v", got)
	}
	v1 := l.get(strings.Replace(beta, "beta", "v1.0", 1), tok).body
	if v1["systemCredentialPreferences"] != nil || v1["optOutSettings"] != nil {
		t.Errorf("v1.0 shows %v", v1)
	}
	// The audit row holds what changed, and nothing else.
	rows := l.get("/v1.0/auditLogs/directoryAudits?$filter=activityDisplayName eq 'Authentication Methods Policy Update'", tok).rows()
	mod := objs(objs(rows[0], "targetResources")[0], "modifiedProperties")[0]
	if text := str(mod, "newValue"); strings.Contains(text, "registrationEnforcement") || !strings.Contains(text, "passkeyDynamicMigration") {
		t.Errorf("the row says %s", text)
	}
	for name, body := range map[string]string{
		"an unknown group":  `{"systemCredentialPreferences":{"includeTargets":[{"id":"` + carla + `","targetType":"group"}]}}`,
		"an unknown user":   strings.Replace(campaign, plain, carla, 1),
		"an unknown method": strings.Replace(campaign, `"fido2"`, `"sms"`, 1),
		"a long snooze":     strings.Replace(campaign, `"snoozeDurationInDays":3`, `"snoozeDurationInDays":15`, 1),
		"another name":      `{"displayName":"Mine"}`,
		"an unknown state":  `{"systemCredentialPreferences":{"state":"on"}}`,
	} {
		if a := l.do("PATCH", beta, tok, body); a.code != 400 {
			t.Errorf("%s: %d %.200s", name, a.code, a.raw)
		}
	}
	l.do("PATCH", strings.Replace(beta, "beta", "v1.0", 1), tok, `{"optOutSettings":{"passkeyDynamicMigration":true}}`).want(400)
}

func TestConfigurationsOfMethods(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	base := "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/"
	l.configure("TemporaryAccessPass", `{"state":"disabled"}`)
	l.do("PATCH", base+"TemporaryAccessPass", tok, `{"@odata.type":"#microsoft.graph.temporaryAccessPassAuthenticationMethodConfiguration","state":"enabled",
		"minimumLifetimeInMinutes":30,"maximumLifetimeInMinutes":90,"defaultLifetimeInMinutes":60,"defaultLength":9,"isUsableOnce":true,
		"includeTargets":[{"id":"`+agents+`","targetType":"group"}]}`).want(204)
	if got := l.get(base+"TemporaryAccessPass", tok).body; got["maximumLifetimeInMinutes"] != 90.0 || len(objs(got, "includeTargets")) != 1 ||
		objs(got, "includeTargets")[0]["isRegistrationRequired"] != false { // what is not said is false, and never absent
		t.Errorf("%v", got)
	}
	for name, body := range map[string]string{
		"less than the least":    `{"defaultLifetimeInMinutes":29}`,
		"upside down":            `{"maximumLifetimeInMinutes":20}`,
		"too long a word":        `{"defaultLength":49}`,
		"another method's":       `{"isSoftwareOathEnabled":true}`,
		"a group that is not":    `{"includeTargets":[{"id":"` + carla + `","targetType":"group"}]}`,
		"an unknown target type": `{"includeTargets":[{"id":"all_users","targetType":"tenant"}]}`,
	} {
		if a := l.do("PATCH", base+"TemporaryAccessPass", tok, body); a.code != 400 {
			t.Errorf("%s: %d %.200s", name, a.code, a.raw)
		}
	}
	// External MFA has its targets; its name is for good.
	l.do("PATCH", base+"ext-1", tok, `{"includeTargets":[{"id":"`+agents+`","targetType":"group","isRegistrationRequired":false}],
		"excludeTargets":[{"id":"`+nested+`","targetType":"group"}],"displayName":"Other MFA"}`).want(204)
	got := l.get(base+"ext-1", tok).body
	if len(objs(got, "includeTargets")) != 1 || str(objs(got, "includeTargets")[0], "id") != agents || len(objs(got, "excludeTargets")) != 1 {
		t.Errorf("%v", got)
	}
	l.do("PATCH", base+"ext-1", tok, `{"displayName":"Renamed"}`).want(400)
	// Who is no target of a method cannot use it, and the report says so.
	l.do("PATCH", base+"SoftwareOath", tok, `{"excludeTargets":[{"id":"`+nested+`","targetType":"group"}]}`).want(204)
	got = l.get("/v1.0/reports/authenticationMethods/userRegistrationDetails/"+rhea, tok).body
	if got["isMfaCapable"] != false || got["isMfaRegistered"] != true {
		t.Errorf("%v", got)
	}
}

func TestCountsOfRegistrations(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	count := func(path, list, key string) map[string]float64 {
		out := map[string]float64{}
		body := l.get("/v1.0/reports/authenticationMethods/"+path, tok).want(200).body
		out["total"], _ = body["totalUserCount"].(float64)
		for _, row := range objs(body, list) {
			out[str(row, key)], _ = row["userCount"].(float64)
		}
		return out
	}
	byMethod := func(args string) map[string]float64 {
		return count("usersRegisteredByMethod"+args, "userRegistrationMethodCounts", "authenticationMethod")
	}
	all := byMethod("")
	if all["total"] != 6 || all["softwareOneTimePasscode"] != 2 || all["fido2SecurityKey"] != 1 || all["mobilePhone"] != 1 || all["password"] != 6 {
		t.Errorf("%v", all)
	}
	if same := byMethod("(includedUserTypes='all',includedUserRoles='all')"); fmt.Sprint(same) != fmt.Sprint(all) {
		t.Errorf("%v and %v", same, all)
	}
	if got := byMethod("(includedUserTypes='guest',includedUserRoles='all')"); got["total"] != 1 || got["softwareOneTimePasscode"] != 0 {
		t.Errorf("guests: %v", got)
	}
	if got := byMethod("(includedUserTypes='member',includedUserRoles='user')"); got["total"] != 1 {
		t.Errorf("members without a role: %v", got)
	}
	if got := count("usersRegisteredByFeature", "userRegistrationFeatureCounts", "feature"); got["mfaCapable"] != 2 || got["passwordlessCapable"] != 1 {
		t.Errorf("%v", got)
	}
	l.get("/v1.0/reports/authenticationMethods/usersRegisteredByMethod(includedUserTypes='robots')", tok).want(400)
	l.get("/v1.0/reports/authenticationMethods/usersRegisteredByMethod", l.token(freeID, "cccccccc-0000-4000-8000-000000000009", everything())).want(403)
}

func TestRiskDetections(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	rows := l.get("/v1.0/identityProtection/riskDetections", tok).rows()
	if len(rows) != 1 || str(rows[0], "userId") != plain || str(rows[0], "riskLevel") != "high" || str(rows[0], "activity") != "user" {
		t.Fatalf("%v", rows)
	}
	l.do("POST", "/v1.0/identityProtection/riskyUsers/confirmCompromised", tok, `{"userIds":["`+rhea+`"]}`).want(204)
	l.w.Read(func(s *world.State) {
		p := s.PartnerTenant()
		a := &signon.Attempt{
			Tenant: p, Home: p, User: p.Users.Get(ursa), AppID: toolApp, AppName: "Tool", Client: signon.Browser, Interactive: true, SignInRisk: "medium",
		}
		r := signon.Judge(s, a)
		row := signon.Row(s, a, &r, -1)
		row.CreatedDateTime = world.Stamp{Time: l.clock.Now().Add(-time.Hour)}
		s.LogSignIn(p, row)
	})
	rows = l.get("/v1.0/identityProtection/riskDetections?$filter=riskLevel eq 'medium'", tok).rows()
	if len(rows) != 1 || str(rows[0], "userId") != ursa || str(rows[0], "activity") != "signin" || rows[0]["requestId"] == nil {
		t.Errorf("%v", rows)
	}
	one := l.get("/v1.0/identityProtection/riskDetections/"+str(rows[0], "id"), tok).want(200).body
	for _, v := range []string{"v1.0", "beta"} {
		s := readSchema(t, v)
		for i, row := range l.get("/"+v+"/identityProtection/riskDetections", tok).rows() {
			s.check(fmt.Sprintf("%s[%d]", v, i), "microsoft.graph.riskDetection", row, t.Errorf)
		}
	}
	if str(one, "riskEventType") == "" {
		t.Errorf("%v", one)
	}
	l.get("/v1.0/identityProtection/riskDetections", l.token(partnerID, ursa, everything())).want(403)
	l.get("/v1.0/identityProtection/riskDetections", l.token(customerID, carla, everything())).want(403) // P1 alone
}

func TestSecureScore(t *testing.T) {
	l := newLab(t)
	score := func(tok string) map[string]float64 {
		rows := l.get("/v1.0/security/secureScores?$top=1", tok).rows()
		out := map[string]float64{}
		out["now"], _ = rows[0]["currentScore"].(float64)
		out["max"], _ = rows[0]["maxScore"].(float64)
		for _, k := range objs(rows[0], "controlScores") {
			out[str(k, "controlName")], _ = k["score"].(float64)
		}
		return out
	}
	tok := l.admin()
	before := score(tok)
	if before["AdminMFAV2"] == 0 || before["AdminMFAV2"] == 10 || before["IntegratedApps"] != 0 || before["BlockLegacyAuthentication"] != 0 ||
		before["max"] != 46 {
		t.Errorf("%v", before)
	}
	l.do("PATCH", "/v1.0/policies/authorizationPolicy", tok, `{"defaultUserRolePermissions":{"permissionGrantPoliciesAssigned":[]}}`).want(204)
	l.do("POST", caPath+"policies", tok, strings.NewReplacer("enabledForReportingButNotEnforced", "enabled", `["all"]`, `["exchangeActiveSync","other"]`).
		Replace(reportOnly("All", ""))).want(201)
	after := score(tok)
	if after["IntegratedApps"] != 4 || after["BlockLegacyAuthentication"] != 8 || int(after["now"]-before["now"]+.5) != 12 {
		t.Errorf("%v, before %v", after, before)
	}
	if free := score(l.token(freeID, "cccccccc-0000-4000-8000-000000000009", everything())); free["BlockLegacyAuthentication"] != 8 || free["AdminMFAV2"] != 0 {
		t.Errorf("with security defaults: %v", free)
	}
	profiles := l.get("/v1.0/security/secureScoreControlProfiles", tok).rows()
	sum := 0.0
	for _, p := range profiles {
		n, _ := p["maxScore"].(float64)
		sum += n
	}
	if sum != before["max"] {
		t.Errorf("the profiles are worth %v", sum)
	}
	l.do("PATCH", "/v1.0/security/secureScoreControlProfiles/AdminMFAV2", tok, `{"vendorInformation":{}}`).refused(501, "NotImplemented")
}
