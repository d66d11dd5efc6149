package graph

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// What was written of a person is read back, filtered by and counted as unchanged.
func TestPlainPropertiesOfUsers(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	props := `"city":"Kiel","state":"SH","country":"Germany","streetAddress":"Am Hafen 1","postalCode":"24103","companyName":"Contoso","employeeId":"4711",` +
		`"employeeType":"Contractor","employeeHireDate":"2026-01-02T00:00:00Z","employeeOrgData":{"division":"North","costCenter":"7"},` +
		`"otherMails":["nia@example.org"],"businessPhones":["+49 431 1"],"mobilePhone":"+49 151 1","faxNumber":"+49 431 2","officeLocation":"B2",` +
		`"preferredLanguage":"de-DE","ageGroup":"Adult","consentProvidedForMinor":"NotRequired","onPremisesImmutableId":"abc",` +
		`"passwordPolicies":"DisablePasswordExpiration","showInAddressList":true,"aboutMe":"Sails.","onPremisesExtensionAttributes":{"extensionAttribute3":"x"}`
	a := l.do("POST", "/v1.0/users", tok, `{"accountEnabled":true,"displayName":"Nia","mailNickname":"nia.n","userPrincipalName":"nia@contoso.com",`+
		`"passwordProfile":{"password":"Correct-Horse-1"},`+props+`}`).want(201)
	nia := str(a.body, "id")
	sel := "city,state,country,streetAddress,postalCode,companyName,employeeId,employeeType,employeeHireDate,employeeOrgData,otherMails,businessPhones," +
		"mobilePhone,faxNumber,officeLocation,preferredLanguage,ageGroup,consentProvidedForMinor,onPremisesImmutableId,passwordPolicies,showInAddressList," +
		"aboutMe,onPremisesExtensionAttributes"
	raw := string(l.get("/v1.0/users/"+nia+"?$select=mailNickname,"+sel, tok).want(200).raw)
	for part := range strings.SplitSeq(strings.ReplaceAll(props, `"onPremisesExtensionAttributes":{"extensionAttribute3":"x"}`, ""), `,"`) {
		if part = strings.Trim(part, `,`); part != "" && !strings.Contains(part, "{") && !strings.Contains(part, "}") && !strings.Contains(raw, part) {
			t.Errorf("%s is not in %s", part, raw)
		}
	}
	for _, want := range []string{`"mailNickname":"nia.n"`, `"division":"North"`, `"costCenter":"7"`,
		`"extensionAttribute3":"x"`, `"extensionAttribute1":null`} {
		if !strings.Contains(raw, want) {
			t.Errorf("%s is not in %s", want, raw)
		}
	}
	for filter, want := range map[string]int{
		"city eq 'kiel'": 1, "employeeId eq '4711'": 1, "otherMails/any(m: m eq 'nia@example.org')": 1, "employeeOrgData/division eq 'North'": 1,
		"onPremisesExtensionAttributes/extensionAttribute3 eq 'x'": 1, "employeeHireDate ge 2026-01-01T00:00:00Z": 1, "city eq null": 6,
		"businessPhones/any(p: startsWith(p,'+49'))": 1, "showInAddressList eq true": 1,
	} {
		if n := len(l.get("/v1.0/users?$filter="+url.QueryEscape(filter), tok).rows()); n != want {
			t.Errorf("%s: %d rows, want %d", filter, n, want)
		}
	}
	// A part of an object is changed, the rest stays; null takes back.
	l.do("PATCH", "/v1.0/users/"+nia, tok, `{"employeeOrgData":{"division":"South"},"city":null,"otherMails":[]}`).want(204)
	u := l.get("/v1.0/users/"+nia+"?$select="+sel, tok).want(200).body
	if o := inner(u, "employeeOrgData"); o["division"] != "South" || o["costCenter"] != "7" || u["city"] != nil || len(strs(u, "otherMails")) != 0 {
		t.Errorf("%v", u)
	}
	// A client sends back what it read, read-only members and all.
	a = l.get("/beta/users/"+nia, tok).want(200)
	delete(a.body, "@odata.context")
	a.body["jobTitle"] = "Skipper"
	l.do("PATCH", "/beta/users/"+nia, tok, jsonText(a.body)).want(204)
	l.do("PATCH", "/v1.0/users/"+nia, tok, `{"id":"`+ada+`"}`).refused(400, "Request_BadRequest")
	l.do("PATCH", "/v1.0/users/"+nia, tok, `{"createdDateTime":"2020-01-01T00:00:00Z"}`).refused(400, "Request_BadRequest")
	for _, bad := range []string{`{"city":""}`, `{"ageGroup":"Old"}`, `{"businessPhones":["1","2"]}`, `{"employeeId":"12345678901234567"}`, `{"citty":"x"}`,
		`{"employeeOrgData":{"team":"x"}}`, `{"passwordPolicies":"Whatever"}`, `{"employeeHireDate":"soon"}`, `{"proxyAddresses":["SMTP:x@contoso.com"]}`} {
		l.do("PATCH", "/v1.0/users/"+nia, tok, bad).refused(400, "Request_BadRequest")
	}
	if got := l.get("/v1.0/users/"+ada+"?$select=securityIdentifier,identities", tok).want(200).body; got["securityIdentifier"] !=
		"S-1-12-1-2863311530-1073741824-128-16777216" || len(objs(got, "identities")) != 1 {
		t.Errorf("%v", got)
	}
}

// Who has no profile costs a pointer.
func TestUsersStaySmall(t *testing.T) {
	l := newLab(t)
	l.do("PATCH", "/v1.0/users/"+plain, l.admin(), `{"displayName":"Pat P"}`).want(204)
	l.w.Read(func(s *world.State) {
		for u := range s.PartnerTenant().Users.All() {
			if u.Profile != nil {
				t.Errorf("%s has a profile", u.UPN)
			}
		}
	})
}

func TestManagers(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	l.get("/v1.0/users/"+plain+"/manager", tok).refused(404, "Request_ResourceNotFound")
	ref := func(id string) string { return `{"@odata.id":"https://graph.microsoft.com/v1.0/users/` + id + `"}` }
	l.do("PUT", "/v1.0/users/"+plain+"/manager/$ref", tok, ref(rhea)).want(204)
	l.do("PUT", "/v1.0/users/"+rhea+"/manager/$ref", tok, ref("ada@contoso.com")).want(204)
	l.do("PUT", "/v1.0/users/"+ursa+"/manager/$ref", tok, ref(plain)).want(204)
	if m := l.get("/v1.0/users/"+plain+"/manager?$select=displayName", tok).want(200).body; m["displayName"] != "Rhea Reader" ||
		m["@odata.type"] != "#microsoft.graph.user" {
		t.Errorf("%v", m)
	}
	if m := l.get("/v1.0/users/"+plain+"/manager/$ref", tok).want(200).body; str(m, "@odata.id") != "http://graph.test/v1.0/directoryObjects/"+rhea {
		t.Errorf("%v", m)
	}
	if ids := l.get("/v1.0/users/"+rhea+"/directReports", tok).ids(); !slices.Equal(ids, []string{plain}) {
		t.Errorf("%v", ids)
	}
	u := l.get("/v1.0/users/"+plain+"?$expand=manager($levels=max;$select=id,displayname)&$select=id", tok).want(200).body
	if m := inner(u, "manager"); m["id"] != rhea || m["displayName"] != "Rhea Reader" || inner(m, "manager")["id"] != ada {
		t.Errorf("%v", u)
	}
	u = l.get("/v1.0/users/"+ursa+"?$expand=manager($levels=2)", tok).want(200).body
	if m := inner(u, "manager"); m["id"] != plain || inner(m, "manager")["id"] != rhea || inner(m, "manager")["manager"] != nil {
		t.Errorf("%v", u)
	}
	u = l.get("/v1.0/users/"+plain+"?$expand=manager", tok).want(200).body
	if m := inner(u, "manager"); m["id"] != rhea || m["manager"] != nil {
		t.Errorf("%v", u)
	}
	// A ring of managers is harmless.
	l.do("PUT", "/v1.0/users/"+ada+"/manager/$ref", tok, ref(plain)).want(204)
	l.get("/v1.0/users/"+plain+"?$expand=manager($levels=max)", tok).want(200)
	for _, bad := range []string{ref(plain), ref(agents), `{}`, `{"@odata.id":"x","y":1}`} {
		if a := l.do("PUT", "/v1.0/users/"+plain+"/manager/$ref", tok, bad); a.code != 400 && a.code != 404 {
			t.Errorf("%s: %d", bad, a.code)
		}
	}
	l.do("PUT", "/v1.0/users/"+plain+"/manager/$ref", l.token(partnerID, plain, everything()), ref(ada)).want(403)
	l.do("DELETE", "/v1.0/users/"+plain+"/manager/$ref", tok, "").want(204)
	l.do("DELETE", "/v1.0/users/"+plain+"/manager/$ref", tok, "").want(404)
}

func TestMembershipsAsIDs(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	ids := func(a *answer) []string { return strs(a.want(200).body, "value") }
	for _, path := range []string{"users/" + rhea, "directoryObjects/" + rhea} {
		if got := ids(l.do("POST", "/v1.0/"+path+"/getMemberGroups", tok, `{"securityEnabledOnly":true}`)); !slices.Equal(got, []string{nested, agents}) {
			t.Errorf("%s: %v", path, got)
		}
		if got := ids(l.do("POST", "/v1.0/"+path+"/getMemberObjects", tok, `{"securityEnabledOnly":false}`)); len(got) != 3 {
			t.Errorf("%s: %v, want two groups and a role", path, got)
		}
		if got := ids(l.do("POST", "/v1.0/"+path+"/checkMemberObjects", tok, `{"ids":["`+agents+`","`+ada+`"]}`)); !slices.Equal(got, []string{agents}) {
			t.Errorf("%s: %v", path, got)
		}
	}
	if got := ids(l.do("POST", "/v1.0/me/getMemberGroups", l.token(partnerID, rhea, "User.Read"), `{}`)); len(got) != 2 {
		t.Errorf("me: %v", got)
	}
	if got := ids(l.do("POST", "/v1.0/groups/"+nested+"/getMemberGroups", tok, `{}`)); !slices.Equal(got, []string{agents}) {
		t.Errorf("group: %v", got)
	}
	l.do("POST", "/v1.0/users/"+rhea+"/checkMemberGroups", tok, `{"groupIds":["x"]}`).refused(400, "Request_BadRequest")
	l.do("POST", "/v1.0/users/"+rhea+"/checkMemberGroups", tok, `{}`).refused(400, "Request_BadRequest")
	l.do("POST", "/v1.0/servicePrincipals/"+ada+"/getMemberGroups", tok, `{}`).refused(404, "Request_ResourceNotFound")
	if got := l.get("/v1.0/users/"+ada+"/ownedObjects", tok).ids(); !slices.Equal(got, []string{agents}) {
		t.Errorf("owned: %v", got)
	}
	l.do("POST", "/v1.0/groups", tok, `{"displayName":"G","mailEnabled":false,"mailNickname":"g","securityEnabled":true}`).want(201)
	if got := l.get("/v1.0/me/createdObjects", tok).rows(); len(got) != 1 || got[0]["displayName"] != "G" {
		t.Errorf("created: %v", got)
	}
}

func TestLicences(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	const sku, p1, p2 = "10101010-0000-4000-8000-000000000001", "10101010-0000-4000-8000-000000000002", "10101010-0000-4000-8000-000000000003"
	l.w.Read(func(s *world.State) {
		s.PartnerTenant().SKUs = append(s.PartnerTenant().SKUs, world.SKU{ID: sku, Part: "SPE_E3", Status: "Enabled", Enabled: 1,
			Plans: []world.Plan{{ID: p1, Name: "EXCHANGE"}, {ID: p2, Name: "TEAMS"}}})
	})
	path := "/v1.0/users/" + plain + "/assignLicense"
	add := func(off string) string {
		return `{"addLicenses":[{"skuId":"` + sku + `","disabledPlans":[` + off + `]}],"removeLicenses":[]}`
	}
	remove := `{"addLicenses":[],"removeLicenses":["` + sku + `"]}`
	refuses := func(who, body, text string) {
		t.Helper()
		if a := l.do("POST", "/v1.0/users/"+who+"/assignLicense", tok, body).refused(400, "Request_BadRequest"); !strings.Contains(string(a.raw), text) {
			t.Errorf("%s: %s", text, a.raw)
		}
	}
	refuses(plain, add(""), "invalid usage location")
	for _, u := range []string{plain, rhea} {
		l.do("PATCH", "/v1.0/users/"+u, tok, `{"usageLocation":"DE"}`).want(204)
	}
	refuses(plain, remove, "does not have a corresponding license")
	refuses(plain, strings.ReplaceAll(add(""), sku, ada), "does not correspond to a valid company License")
	refuses(plain, add(`"`+ada+`"`), "service plan")
	refuses(plain, `{"addLicenses":[]}`, "must be given")
	consumed := func() any {
		return l.get("/v1.0/subscribedSkus/"+partnerID+"_"+sku, tok).want(200).body["consumedUnits"]
	}
	u := l.do("POST", path, tok, add(`"`+p2+`"`)).want(200).body
	if u["id"] != plain || consumed() != 1.0 {
		t.Errorf("%v, %v consumed", u, consumed())
	}
	l.do("POST", path, tok, add(`"`+p2+`"`)).want(200) // again: no second one
	refuses(rhea, add(""), "does not have any available licenses")
	got := l.get("/v1.0/users/"+plain+"?$select=assignedLicenses,licenseAssignmentStates", tok).want(200).body
	if x := objs(got, "assignedLicenses"); len(x) != 1 || !slices.Equal(strs(x[0], "disabledPlans"), []string{p2}) {
		t.Errorf("%v", got)
	}
	d := l.get("/v1.0/users/"+plain+"/licenseDetails", tok).rows()
	if len(d) != 1 || d[0]["skuPartNumber"] != "SPE_E3" || objs(d[0], "servicePlans")[1]["provisioningStatus"] != "Disabled" ||
		objs(d[0], "servicePlans")[0]["provisioningStatus"] != "Success" {
		t.Errorf("%v", d)
	}
	l.get("/v1.0/users/"+plain+"/licenseDetails/"+str(d[0], "id"), tok).want(200)
	l.do("POST", path, tok, add("")).want(200)
	if d := l.get("/v1.0/users/"+plain+"/licenseDetails", tok).rows(); objs(d[0], "servicePlans")[1]["provisioningStatus"] != "Success" {
		t.Errorf("the plan is still off: %v", d)
	}
	// Who is deleted gives the licence back, and takes it again.
	l.do("DELETE", "/v1.0/users/"+plain, tok, "").want(204)
	if consumed() != 0.0 {
		t.Errorf("%v consumed", consumed())
	}
	l.do("POST", "/v1.0/directory/deletedItems/"+plain+"/restore", tok, "").want(200)
	if consumed() != 1.0 {
		t.Errorf("%v consumed", consumed())
	}
	l.do("POST", path, tok, remove).want(200)
	if consumed() != 0.0 {
		t.Errorf("%v consumed", consumed())
	}
	l.do("POST", path, l.token(partnerID, rhea, everything()), remove).want(403)
	l.do("POST", "/v1.0/users/"+plain+"/reprocessLicenseAssignment", tok, "").want(200)
}

func TestDeletedItems(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	users := "/v1.0/directory/deletedItems/microsoft.graph.user"
	if n := len(l.get(users, tok).rows()); n != 0 {
		t.Fatalf("%d deleted", n)
	}
	l.do("DELETE", "/v1.0/users/"+rhea, tok, "").want(204)
	l.get("/v1.0/users/"+rhea, tok).want(404)
	a := l.get(users+"?$select=id,userPrincipalName,deletedDateTime", tok).rows()
	if len(a) != 1 || a[0]["id"] != rhea || a[0]["userPrincipalName"] != strings.ReplaceAll(rhea, "-", "")+"rhea@contoso.com" ||
		a[0]["deletedDateTime"] != "2026-11-22T09:00:00Z" {
		t.Errorf("%v", a)
	}
	if n := len(l.get("/v1.0/directory/deleteditems/Microsoft.Graph.User?$filter=deletedDateTime ge 2026-11-22T00:00:00Z", tok).rows()); n != 1 {
		t.Errorf("%d by time", n)
	}
	if d := l.get("/v1.0/directory/deletedItems/"+rhea, tok).want(200).body; d["@odata.type"] != "#microsoft.graph.user" {
		t.Errorf("%v", d)
	}
	l.get("/v1.0/directory/deletedItems", tok).refused(400, "Request_BadRequest")
	l.get("/v1.0/directory/deletedItems/microsoft.graph.group", l.token(partnerID, ada, "User.Read.All")).want(403)
	l.do("POST", "/v1.0/directory/deletedItems/"+rhea+"/restore", l.token(partnerID, agent, everything()), "").want(403)
	// The name may be taken meanwhile.
	nia := str(l.do("POST", "/v1.0/users", tok, `{"accountEnabled":true,"displayName":"N","mailNickname":"rhea","userPrincipalName":"rhea@contoso.com",`+
		`"passwordProfile":{"password":"Correct-Horse-1"}}`).want(201).body, "id")
	l.do("POST", "/v1.0/directory/deletedItems/"+rhea+"/restore", tok, "").refused(400, "Request_BadRequest")
	back := l.do("POST", "/v1.0/directory/deletedItems/"+rhea+"/restore", tok, `{"newUserPrincipalName":"rhea2@contoso.com"}`).want(200).body
	if back["userPrincipalName"] != "rhea2@contoso.com" {
		t.Errorf("%v", back)
	}
	// Roles and memberships are back.
	if ids := l.get("/v1.0/users/"+rhea+"/transitiveMemberOf", tok).ids(); len(ids) != 3 {
		t.Errorf("%v", ids)
	}
	// A delta query sees it go, come, and go for good.
	link := func(a *answer) string {
		return strings.TrimPrefix(str(a.want(200).body, "@odata.deltaLink"), "http://graph.test")
	}
	d := link(l.get("/v1.0/users/delta", tok))
	l.do("DELETE", "/v1.0/users/"+nia, tok, "").want(204)
	gone := l.get(d, tok)
	if r := gone.rows(); len(r) != 1 || inner(r[0], "@removed")["reason"] != "changed" {
		t.Errorf("%s", gone.raw)
	}
	l.do("DELETE", "/v1.0/directory/deletedItems/"+nia, tok, "").want(204)
	l.do("DELETE", "/v1.0/directory/deletedItems/"+nia, tok, "").want(404)
	if r := l.get(link(gone), tok).rows(); len(r) != 1 || inner(r[0], "@removed")["reason"] != "deleted" {
		t.Errorf("%v", r)
	}
	l.do("DELETE", "/v1.0/users/"+ursa, tok, "").want(204)
	l.do("POST", "/v1.0/directory/deletedItems/"+ursa+"/restore", tok, "").want(200)
	if r := l.get(d, tok).rows(); slices.ContainsFunc(r, func(m map[string]any) bool { return m["id"] == ursa && m["@removed"] != nil }) {
		t.Errorf("%v", r)
	}
	// After 30 days it is too late.
	l.do("DELETE", "/v1.0/users/"+ursa, tok, "").want(204)
	_, _ = l.clock.Jump(30 * 24 * time.Hour)
	tok = l.admin()
	l.get("/v1.0/directory/deletedItems/"+ursa, tok).want(404)
	l.do("POST", "/v1.0/directory/deletedItems/"+ursa+"/restore", tok, "").want(404)
}

func TestAppRolesOfUsersAndGroups(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	sp := str(l.get("/v1.0/servicePrincipals(appId='"+toolApp+"')", tok).want(200).body, "id")
	for _, who := range []string{"users/" + plain, "groups/" + nested} {
		_, id, _ := strings.Cut(who, "/")
		body := `{"principalId":"` + id + `","resourceId":"` + sp + `","appRoleId":"12121212-0000-4000-8000-000000000002"}`
		base := "/v1.0/" + who + "/appRoleAssignments"
		a := l.do("POST", base, tok, body).want(201).body
		l.do("POST", base, tok, body).refused(400, "Request_BadRequest")
		l.do("POST", base, tok, strings.Replace(body, id, ada, 1)).refused(400, "Request_BadRequest")
		l.do("POST", base, l.token(partnerID, plain, everything()), body).want(403)
		graph := str(l.get("/v1.0/servicePrincipals(appId='"+entra.AppGraph+"')", tok).want(200).body, "id")
		l.do("POST", base, tok, `{"principalId":"`+id+`","resourceId":"`+graph+`","appRoleId":"7ab1d382-f21e-4acd-a863-ba3e13f7da61"}`).
			refused(400, "Request_BadRequest")
		if ids := l.get(base, tok).ids(); !slices.Equal(ids, []string{str(a, "id")}) {
			t.Errorf("%v", ids)
		}
		l.get(base+"/"+str(a, "id"), tok).want(200)
		l.do("DELETE", base+"/"+str(a, "id"), tok, "").want(204)
		l.do("DELETE", base+"/"+str(a, "id"), tok, "").want(404)
	}
}

func TestOrganizationIsChanged(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	path := "/v1.0/organization/" + partnerID
	o := l.get(path, tok).want(200).body
	delete(o, "@odata.context")
	o["marketingNotificationEmails"] = []any{"a@contoso.com"}
	l.do("PATCH", path, tok, jsonText(o)).want(204)
	l.do("PATCH", path, tok, `{"securityComplianceNotificationMails":["sec@contoso.com"],"privacyProfile":{"statementUrl":"https://x.example"}}`).want(204)
	o = l.get(path, tok).want(200).body
	if len(strs(o, "marketingNotificationEmails")) != 1 || !slices.Equal(strs(o, "securityComplianceNotificationMails"), []string{"sec@contoso.com"}) ||
		inner(o, "privacyProfile")["statementUrl"] != "https://x.example" {
		t.Errorf("%v", o)
	}
	l.do("PATCH", path, tok, `{"city":"Kiel"}`).refused(400, "Request_BadRequest")
	l.do("PATCH", path, tok, `{"colour":"red"}`).refused(400, "Request_BadRequest")
	l.do("PATCH", "/v1.0/organization/"+customerID, tok, `{"displayName":"x"}`).want(404)
	l.do("PATCH", path, l.token(partnerID, ursa, everything()), `{"displayName":"x"}`).want(403)
}

func TestAnyObjectIsDeleted(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	l.do("DELETE", "/v1.0/directoryObjects/"+rhea, l.token(partnerID, ada, "Application.ReadWrite.All"), "").want(403)
	l.do("DELETE", "/v1.0/directoryObjects/"+rhea, l.token(partnerID, agent, everything()), "").want(403)
	for _, id := range []string{rhea, nested, toolObj} {
		l.do("DELETE", "/v1.0/directoryObjects/"+id, tok, "").want(204)
		l.get("/v1.0/directoryObjects/"+id, tok).want(404)
	}
	l.do("DELETE", "/v1.0/directoryObjects/"+polID, tok, "").want(404)
}

func TestInvitations(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	body := func(address string) string {
		return `{"invitedUserEmailAddress":"` + address + `","inviteRedirectUrl":"https://example.org",
			"invitedUserDisplayName":"Gina","sendInvitationMessage":true}`
	}
	a := l.do("POST", "/v1.0/invitations", tok, body("gina@example.org")).want(201).body
	id := str(inner(a, "invitedUser"), "id")
	if a["status"] != "PendingAcceptance" || str(a, "inviteRedeemUrl") == "" {
		t.Errorf("%v", a)
	}
	u := l.get("/v1.0/users/"+id+"?$select=userType,externalUserState,mail,otherMails,userPrincipalName,creationType,displayName", tok).want(200).body
	if u["userType"] != "Guest" || u["externalUserState"] != "PendingAcceptance" || u["mail"] != "gina@example.org" ||
		!strings.HasPrefix(str(u, "userPrincipalName"), "gina_example.org#EXT#@") || u["creationType"] != "Invitation" || u["displayName"] != "Gina" {
		t.Errorf("%v", u)
	}
	if again := l.do("POST", "/v1.0/invitations", tok, body("gina@example.org")).want(201).body; str(inner(again, "invitedUser"), "id") != id {
		t.Error("invited twice")
	}
	withCopy := strings.TrimSuffix(body("hugo@example.org"), "}") + `,
		"invitedUserMessageInfo":{"ccRecipients":[{"emailAddress":{"address":"boss@contoso.com"}}]}}`
	if raw := string(l.do("POST", "/v1.0/invitations", tok, withCopy).want(201).raw); !strings.Contains(raw, "boss@contoso.com") {
		t.Errorf("the copy is dropped: %s", raw)
	}
	l.do("POST", "/v1.0/invitations", tok, strings.Replace(withCopy, "address", "street", 1)).refused(400, "Request_BadRequest")
	// Somebody of another tenant here is known there.
	a = l.do("POST", "/v1.0/invitations", tok, body("carla@fabrikam.com")).want(201).body
	l.w.Read(func(s *world.State) {
		if g := s.PartnerTenant().Users.Get(str(inner(a, "invitedUser"), "id")); g.HomeTenant != customerID || g.HomeUser != carla {
			t.Errorf("%+v", g)
		}
	})
	l.do("POST", "/v1.0/invitations", tok, body("new@contoso.com")).refused(400, "Request_BadRequest")
	l.do("POST", "/v1.0/invitations", tok, body("no address")).refused(400, "Request_BadRequest")
	l.do("POST", "/v1.0/invitations", tok, strings.Replace(body("x@example.org"), "https://example.org", "home", 1)).refused(400, "Request_BadRequest")
	l.do("POST", "/v1.0/invitations", l.token(partnerID, guest, everything()), body("x@example.org")).want(403)
}

func TestTenantInformation(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	by := "/v1.0/tenantRelationships/findTenantInformationBy"
	for _, path := range []string{by + "TenantId(tenantId='" + customerID + "')", by + "DomainName(domainName='fabrikam.com')",
		"/v1.0/tenantRelationships/microsoft.graph.findTenantInformationByDomainName(domainName='FABRIKAM.com')"} {
		if a := l.get(path, tok).want(200).body; a["tenantId"] != customerID || a["displayName"] != "Fabrikam" || a["defaultDomainName"] != "fabrikam.com" {
			t.Errorf("%s: %v", path, a)
		}
	}
	l.get(by+"DomainName(domainName='nowhere.example')", tok).want(404)
	l.get(by+"TenantId(tenantId='x')", tok).want(400)
	l.get(by+"TenantId(name='"+customerID+"')", tok).want(400)
	l.get(by+"TenantId(tenantId='"+customerID+"')", l.token(partnerID, ada, "User.Read")).want(403)
	_ = entra.RoleGlobalAdministrator
}
