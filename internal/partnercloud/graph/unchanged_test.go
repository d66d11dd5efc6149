package graph

import "testing"

// A read-only member that says something else than what is so is refused, wherever
// it stands; sent back as it was read, it passes.
func TestChangedReadOnlyMembersAreRefused(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	sts := "/v1.0/policies/claimsMappingPolicies"
	policy := str(l.do("POST", sts, tok, `{"displayName":"C","definition":["{\"ClaimsMappingPolicy\":{}}"]}`).want(201).body, "id")
	place := str(l.do("POST", caPath+"namedLocations", tok, `{"@odata.type":"#microsoft.graph.ipNamedLocation","displayName":"L","isTrusted":false,
		"ipRanges":[{"@odata.type":"#microsoft.graph.iPv4CidrRange","cidrAddress":"203.0.113.0/24"}]}`).want(201).body, "id")
	for _, x := range []struct{ path, member string }{
		{"/v1.0/policies/authorizationPolicy", "id"},
		{"/v1.0/policies/authenticationFlowsPolicy", "displayName"},
		{"/v1.0/policies/authenticationFlowsPolicy", "description"},
		{"/v1.0/policies/crossTenantAccessPolicy", "id"},
		{"/v1.0/policies/crossTenantAccessPolicy/default", "id"},
		{"/v1.0/policies/authenticationMethodsPolicy", "id"},
		{"/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/fido2", "id"},
		{sts + "/" + policy, "id"},
		{caPath + "policies/" + polID, "id"},
		{caPath + "policies/" + polID, "createdDateTime"},
		{caPath + "policies/" + polID, "templateId"},
		{caPath + "namedLocations/" + place, "id"},
		{caPath + "namedLocations/" + place, "modifiedDateTime"},
	} {
		before := l.get(x.path, tok).want(200)
		if before.body[x.member] != nil {
			l.do("PATCH", x.path, tok, `{"`+x.member+`":`+jsonText(before.body[x.member])+`}`).want(204)
		}
		l.do("PATCH", x.path, tok, `{"`+x.member+`":"2001-01-01T00:00:00Z"}`).refused(400, "Request_BadRequest")
		if now := str(l.get(x.path, tok).body, x.member); now == "2001-01-01T00:00:00Z" {
			t.Errorf("%s of %s was taken", x.member, x.path)
		}
	}

	phones := "/v1.0/users/" + plain + "/authentication/phoneMethods"
	made := l.do("POST", phones, tok, `{"phoneNumber":"+49 5551234567","phoneType":"mobile"}`).want(201).body
	delete(made, "@odata.context")
	one := phones + "/" + str(made, "id")
	made["phoneNumber"] = "+49 5557654321"
	l.do("PATCH", one, tok, jsonText(made)).want(200)
	made["smsSignInState"] = "ready"
	l.do("PATCH", one, tok, jsonText(made)).refused(400, "Request_BadRequest")

	const consents = "/v1.0/policies/adminConsentRequestPolicy"
	put := l.get(consents, tok).want(200).body
	delete(put, "@odata.context")
	l.do("PUT", consents, tok, jsonText(put)).want(204)
	put["version"] = 7
	l.do("PUT", consents, tok, jsonText(put)).refused(400, "Request_BadRequest")
}

// A binding that an operation does not take is refused, not dropped.
func TestBindingsAreTakenOrRefused(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	unit := str(l.do("POST", "/v1.0/directory/administrativeUnits", tok, `{"displayName":"U","members@odata.bind":["`+plain+`"]}`).want(201).body, "id")
	for path, name := range map[string]string{
		"/v1.0/directory/administrativeUnits/" + unit:                               "members",
		"/v1.0/applications/" + toolObj:                                             "owners",
		"/v1.0/servicePrincipals/" + l.get("/v1.0/servicePrincipals", tok).ids()[0]: "owners",
		"/v1.0/users/" + plain:                                                      "manager",
		caPath + "policies/" + polID:                                                "conditions",
		"/v1.0/policies/authorizationPolicy":                                        "definition",
	} {
		if a := l.do("PATCH", path, tok, `{"`+name+`@odata.bind":["`+ada+`"]}`); a.code != 400 {
			t.Errorf("%s: %d", path, a.code)
		}
	}
}
