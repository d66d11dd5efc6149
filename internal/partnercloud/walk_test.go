package partnercloud

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/entra"
)

// The Secure Application Model from consent to the death of its refresh token.
func TestWalkSecureApplicationModel(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	partner, tailspin := l.i.Tenant.ID, l.customer("tailspin.example")

	first := l.consent(samAgent, "amr_values", "mfa")
	rt := first.text("refresh_token")
	c := claimsOf(t, first.text("access_token"))
	if !slices.Contains(words(c["amr"]), "mfa") || c["tid"] != partner || c["appid"] != panelApp || c["aud"] != centerAPI || c["ver"] != "1.0" ||
		c["scp"] != "user_impersonation" {
		t.Fatalf("claims of the consent: %v", c)
	}

	// Partner Center sees the claim.
	a := l.get(l.i.PartnerCenter+"/v1/customers?size=5", first.text("access_token"), "ValidateMfa", "true")
	if a.status != http.StatusOK || a.header.Get("isMfaCompliant") != "true" || len(a.rows()) != 5 {
		t.Fatalf("Partner Center: %d %v %s", a.status, a.header, a.raw)
	}

	// The same refresh token, the customer's tenant in the path.
	a = l.refresh(tailspin, rt, graphAPI+"/.default")
	if a.status != http.StatusOK {
		t.Fatalf("exchange: %s", a.raw)
	}
	aobo := a.text("access_token")
	c = claimsOf(t, aobo)
	if c["tid"] != tailspin || c["oid"] != l.userID(samAgent) || c["upn"] != samAgent || !slices.Contains(words(c["amr"]), "mfa") ||
		c["idp"] != "https://sts.windows.net/"+partner+"/" {
		t.Errorf("claims for the customer: %v", c)
	}
	wids := words(c["wids"])
	slices.Sort(wids)
	want := []string{ // the union of the four groups' roles
		"88d8e3e3-8f55-4a1e-953a-9b9898b8876b", "4d6ac14f-3453-41d0-bef9-a3e0c569773a", "f023fd81-a637-4b56-95fd-791ac0226033",
		"29232cdf-9323-42fd-ade2-1d097af3e4de",
		"729827e3-9c14-49f7-bb1b-9608f156bbb8", "194ae4cb-b126-40b2-bd5b-6091b380977d", "158c047a-c907-4556-b7ef-446551a6b5f7",
	}
	slices.Sort(want)
	if !slices.Equal(wids, want) {
		t.Errorf("wids %v, want %v", wids, want)
	}
	if next := a.text("refresh_token"); next == "" || next == rt {
		t.Error("the refresh token did not rotate")
	} else if b := l.refresh(partner, rt, centerAPI+"/.default"); b.status != http.StatusOK {
		t.Errorf("the one before it: %s", b.raw)
	}

	// The customer's log tells who came, and Graph shows it there. GDAP Security
	// gives Security Administrator.
	a = l.get(l.i.Graph+"/beta/auditLogs/signIns?$top=50&$filter="+
		url.QueryEscape("crossTenantAccessType eq 'serviceProvider' and signInEventTypes/any(t: t eq 'nonInteractiveUser')"), aobo, "Prefer",
		"include-unknown-enum-members")
	var row map[string]any
	for _, r := range a.rows() {
		if r["userPrincipalName"] == l.technician(tailspin, samAgent) && r["appId"] == panelApp {
			row = r
			break
		}
	}
	if row == nil {
		t.Fatalf("the customer's log through Graph: %d %.400s", a.status, a.raw)
	}
	if row["userDisplayName"] != "Contoso Cloud Partners Technician" {
		t.Errorf("the customer sees %v", row["userDisplayName"])
	}
	if row["homeTenantId"] != partner || row["resourceTenantId"] != tailspin || row["incomingTokenType"] != "refreshToken" ||
		row["authenticationRequirement"] != "multiFactorAuthentication" {
		t.Errorf("row: %v", row)
	}
	var provider []string
	for _, p := range row["authenticationRequirementPolicies"].([]any) {
		provider = append(provider, p.(map[string]any)["requirementProvider"].(string))
	}
	if !slices.Contains(provider, "enforcedForCspAdmins") {
		t.Errorf("asked by %v", provider)
	}

	// Ninety days of silence.
	l.jump(95 * 24 * time.Hour)
	a = l.refresh(partner, rt, centerAPI+"/.default")
	if a.status != http.StatusBadRequest || a.aadsts() != 700082 || a.text("error") != "invalid_grant" || !strings.HasPrefix(a.text("error_description"),
		"AADSTS700082: ") {
		t.Errorf("after 95 days: %d %s", a.status, a.raw)
	}
	if a := l.get(l.i.PartnerCenter+"/v1/customers?size=1", first.text("access_token")); a.status != http.StatusUnauthorized {
		t.Errorf("an access token of 95 days ago: %d", a.status)
	}
}

// A customer without consent: the exchange says so, Partner Center mends it, and
// takes it back.
func TestWalkCustomerConsent(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	woodgrove := l.customer("woodgrove.example")
	rt := l.consent(samAgent, "amr_values", "mfa").text("refresh_token")
	center := l.good(l.i.Tenant.ID, rt, centerAPI+"/.default")
	// GDAP there gives no role that may consent; Adatum's GDAP Security does.
	adatum := l.customer("adatum.example")
	consents := l.i.PartnerCenter + "/v1/customers/" + adatum + "/applicationconsents"
	if a := l.call(http.MethodDelete, consents+"/"+panelApp, center, ""); a.status != http.StatusOK {
		t.Fatalf("withdraw: %d %s", a.status, a.raw)
	}
	refused := func(when string) {
		t.Helper()
		a := l.refresh(adatum, rt, graphAPI+"/.default")
		if code := a.aadsts(); a.status != http.StatusBadRequest || code != 65001 && code != 90099 {
			t.Fatalf("%s: %d %s", when, a.status, a.raw)
		}
	}
	refused("without consent")
	body := `{"applicationId":"` + panelApp + `","applicationGrants":[{"enterpriseApplicationId":"` + entra.AppGraph +
		`","scope":"Directory.Read.All, User.Read"}]}`
	if a := l.call(http.MethodPost, consents, center, strings.Replace(body, panelApp, vendorApp, 1)); a.status != http.StatusForbidden {
		t.Errorf("consent for another app: %d %s", a.status, a.raw)
	}
	if a := l.call(http.MethodPost, l.i.PartnerCenter+"/v1/customers/"+woodgrove+"/applicationconsents", center, body); a.status != http.StatusForbidden {
		t.Errorf("consent without a role that may: %d %s", a.status, a.raw)
	}
	if a := l.call(http.MethodPost, consents, center, body); a.status != http.StatusCreated {
		t.Fatalf("consent: %d %s", a.status, a.raw)
	}
	if a := l.call(http.MethodPost, consents, center, body); a.status != http.StatusConflict {
		t.Errorf("consent a second time: %d %s", a.status, a.raw)
	}
	aobo := l.good(adatum, rt, graphAPI+"/.default")
	if got := claimsOf(t, aobo)["scp"]; got != "Directory.Read.All User.Read" {
		t.Errorf("scp %q", got)
	}
	if a := l.get(l.i.Graph+"/v1.0/users?$top=2", aobo); a.status != http.StatusOK || len(a.rows()) != 2 {
		t.Errorf("the customer's users: %d %s", a.status, a.raw)
	}
	if a := l.refresh(adatum, rt, graphAPI+"/Policy.Read.All"); a.aadsts() != 65001 {
		t.Errorf("more than was consented: %s", a.raw)
	}
	if a := l.call(http.MethodDelete, consents+"/"+panelApp, center, ""); a.status != http.StatusOK {
		t.Fatalf("withdraw: %d %s", a.status, a.raw)
	}
	refused("after the consent was withdrawn")
}

// Rights of this moment decide: a token that is still valid is worth nothing
// when the assignment, or the membership, behind it is gone.
func TestWalkRightsGone(t *testing.T) {
	t.Parallel()
	for name, take := range map[string]func(l *lab, token, customer string){
		"assignments": func(l *lab, token, customer string) {
			rels := l.get(l.i.Graph+"/v1.0/tenantRelationships/delegatedAdminRelationships", token)
			for _, r := range rels.rows() {
				c, _ := r["customer"].(map[string]any)
				if c == nil || c["tenantId"] != customer {
					continue
				}
				base := l.i.Graph + "/v1.0/tenantRelationships/delegatedAdminRelationships/" + r["id"].(string) + "/accessAssignments"
				for _, as := range l.get(base, token).rows() {
					if a := l.call(http.MethodDelete, base+"/"+as["id"].(string), token, "", "If-Match",
						as["@odata.etag"].(string)); a.status != http.StatusNoContent {
						l.Fatalf("delete assignment: %d %s", a.status, a.raw)
					}
				}
			}
			l.jump(time.Minute)
		},
		"groups": func(l *lab, token, _ string) {
			id := l.userID(samAgent)
			for _, g := range l.get(l.i.Graph+"/v1.0/groups?$select=id,displayName", token).rows() {
				if !strings.HasPrefix(g["displayName"].(string), "GDAP ") {
					continue
				}
				a := l.call(http.MethodDelete, l.i.Graph+"/v1.0/groups/"+g["id"].(string)+"/members/"+id+"/$ref", token, "")
				if a.status != http.StatusNoContent && a.status != http.StatusNotFound {
					l.Fatalf("remove member: %d %s", a.status, a.raw)
				}
			}
		},
		"termination": func(l *lab, token, customer string) {
			for _, r := range l.get(l.i.Graph+"/v1.0/tenantRelationships/delegatedAdminRelationships", token).rows() {
				c, _ := r["customer"].(map[string]any)
				if c == nil || c["tenantId"] != customer || r["status"] != "active" {
					continue
				}
				if a := l.call(http.MethodPost, l.i.Graph+"/v1.0/tenantRelationships/delegatedAdminRelationships/"+r["id"].(string)+"/requests", token,
					`{"action":"terminate"}`); a.status != http.StatusCreated {
					l.Fatalf("terminate: %d %s", a.status, a.raw)
				}
			}
			l.jump(5 * time.Minute)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, Options{Unthrottled: true})
			tailspin := l.customer("tailspin.example") // no DAP to fall back to
			rt := l.consent(samAgent, "amr_values", "mfa").text("refresh_token")
			graph, arm, center := l.good(tailspin, rt, graphAPI+"/.default"), l.good(tailspin, rt, armAPI+"/.default"),
				l.good(l.i.Tenant.ID, rt, centerAPI+"/.default")
			probe := func(want bool, when string) {
				t.Helper()
				check := func(what string, a *answer, ok int) {
					t.Helper()
					if (a.status == ok) != want {
						t.Errorf("%s, %s: %d %.300s", when, what, a.status, a.raw)
					}
				}
				check("Graph", l.get(l.i.Graph+"/v1.0/users?$top=1", graph), http.StatusOK)
				check("Partner Center", l.get(l.i.PartnerCenter+"/v1/customers/"+tailspin+"/users", center), http.StatusOK)
				a := l.get(l.i.ARM+"/subscriptions?api-version=2022-12-01", arm)
				if a.status != http.StatusOK || (len(a.rows()) > 0) != want {
					t.Errorf("%s, ARM: %d %.300s", when, a.status, a.raw)
				}
				a = l.refresh(tailspin, rt, graphAPI+"/.default")
				if (a.status == http.StatusOK) != want {
					t.Errorf("%s, exchange: %d %.300s", when, a.status, a.raw)
				}
				if !want && a.aadsts() != 50020 && a.aadsts() != 50177 {
					t.Errorf("%s, exchange: %s", when, a.raw)
				}
			}
			probe(true, "before")
			token := l.asAdmin(l.i.Tenant.ID, admin,
				graphScope("DelegatedAdminRelationship.ReadWrite.All Group.ReadWrite.All GroupMember.ReadWrite.All Directory.Read.All"))
			take(l, token, tailspin)
			probe(false, "after")
		})
	}
}

// A partner user without MFA signs in at home, where a policy's gap lets it
// through, and is refused wherever the claim is looked for.
func TestWalkWithoutMFA(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{Unthrottled: true})
	partner, tailspin := l.i.Tenant.ID, l.customer("tailspin.example")
	b := l.browser().open(l.authorize(partner)).signIn(nomfa)
	first := b.redeem(partner)
	rt, token := first.text("refresh_token"), first.text("access_token")
	if c := claimsOf(t, token); slices.Contains(words(c["amr"]), "mfa") || !slices.Contains(words(c["amr"]), "pwd") {
		t.Fatalf("amr %v", c["amr"])
	}

	enforce := func(body string) {
		t.Helper()
		req, _ := http.NewRequest(http.MethodPost, l.i.Control+"/v1/enforcement", strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer "+l.i.ControlSecret)
		req.Header.Set("Content-Type", "application/json")
		if a := l.do(req); a.status != http.StatusOK {
			t.Fatalf("enforcement %s: %d %s", body, a.status, a.raw)
		}
	}
	calls := func(n int) (refused int) {
		t.Helper()
		for range n {
			a := l.get(l.i.PartnerCenter+"/v1/customers?size=1", token, "ValidateMfa", "true")
			if a.header.Get("isMfaCompliant") != "false" {
				t.Errorf("isMfaCompliant %q", a.header.Get("isMfaCompliant"))
			}
			switch a.status {
			case http.StatusOK:
			case http.StatusUnauthorized:
				if refused++; a.fault() != "900421" {
					t.Errorf("refused with %s", a.raw)
				}
			default:
				t.Errorf("%d %s", a.status, a.raw)
			}
		}
		return refused
	}
	for body, want := range map[string]int{`{"api":"off"}`: 0, `{"api":0.25}`: 10, `{"api":"on"}`: 40} {
		enforce(body)
		if got := calls(40); got != want {
			t.Errorf("%s: %d of 40 refused, want %d", body, got, want)
		}
	}
	// What was refused is told in the adoption reports.
	enforce(`{"api":"off"}`)
	sam := l.good(partner, l.consent(samAgent, "amr_values", "mfa").text("refresh_token"), centerAPI+"/.default")
	found := false
	for _, r := range l.get(l.i.PartnerCenter+"/v1/partnerRequests", sam).rows() {
		found = found || r["upn"] == nomfa && r["mfaCompliant"] == false && r["operationName"] == "Get /v{version}/customers"
	}
	if !found {
		t.Error("its requests are not among the partner's")
	}
	enforce(`{"preset":"history"}`)

	// GDAP work in Graph wants the claim, whatever the share is.
	graph := l.good(partner, rt, graphAPI+"/.default")
	if a := l.call(http.MethodPost, l.i.Graph+"/v1.0/tenantRelationships/delegatedAdminRelationships", graph,
		`{"displayName":"No MFA","duration":"P90D","accessDetails":{"unifiedRoles":[{"roleDefinitionId":"88d8e3e3-8f55-4a1e-953a-9b9898b8876b"}]}}`); a.status != http.StatusForbidden {
		t.Errorf("a relationship without MFA: %d %s", a.status, a.raw)
	}
	if a := l.call(http.MethodPost, l.i.PartnerCenter+"/v1/customers/"+tailspin+"/applicationconsents", token, `{}`); a.status == http.StatusCreated {
		t.Errorf("a consent without MFA: %d", a.status)
	}

	// AOBO: silently refused, interactively asked for what it has not. Who has
	// something registered is told to use it, who has not to enroll.
	a := l.refresh(tailspin, rt, graphAPI+"/.default")
	if a.aadsts() != 50079 || a.text("error") != "interaction_required" {
		t.Errorf("AOBO by refresh token: %s", a.raw)
	}
	office := l.browser()
	office.from = "203.0.113.9"              // a trusted place, where nobody asks
	const agent = "lena.fischer@contoso.com" // without a directory role, for which MFA is asked everywhere
	lax := office.open(l.authorize(partner)).signIn(agent).redeem(partner)
	// The panel's server, which redeemed the code, is not at the office: the token
	// tells where the person is.
	if c := claimsOf(t, lax.text("access_token")); slices.Contains(words(c["amr"]), "mfa") || c["ipaddr"] != "203.0.113.9" {
		t.Errorf("from the office: %v, %v", c["amr"], c["ipaddr"])
	}
	if a := l.refresh(tailspin, lax.text("refresh_token"), graphAPI+"/.default"); a.aadsts() != 50076 || a.text("error") != "interaction_required" {
		t.Errorf("AOBO by a refresh token without MFA: %s", a.raw)
	}
	if l.logged(tailspin, l.technician(tailspin, agent), 50076) != 1 {
		t.Error("the customer's log does not say why")
	}
	// Woodgrove leaves partners' users out of its own policies: the safeguard alone asks.
	for _, domain := range []string{"tailspin.example", "woodgrove.example"} {
		id := l.customer(domain)
		l.refresh(id, rt, graphAPI+"/.default")
		b = l.browser().open(l.authorize(id, "scope", graphAPI+"/.default offline_access")).enter(nomfa)
		b.want("More information required") // registration on the way in: nothing else will do
		var asked, last string
		for _, r := range l.signIns(id) {
			if r.UserPrincipalName != l.technician(id, nomfa) || r.CrossTenant != "serviceProvider" || r.Status.ErrorCode == 0 {
				continue
			}
			last = r.Requirement
			for _, q := range r.Requirements {
				if q.Provider == "enforcedForCspAdmins" {
					asked += " " + itoa(r.Status.ErrorCode)
				}
			}
		}
		if !strings.Contains(asked, "50079") && !strings.Contains(asked, "50072") || last != "multiFactorAuthentication" {
			t.Errorf("%s: rows of enforcedForCspAdmins: %s, %s", domain, asked, last)
		}
	}
	if n := len(l.signIns(tailspin)); n == 0 {
		t.Error("no row for the customer")
	}

	// The portal asks as well.
	enforce(`{"portal":"on"}`)
	p := l.browser()
	p.open(l.i.Portal + "/")
	for range 3 {
		if m := signInLink.FindStringSubmatch(p.page); p.at.Host != mustURL(l.i.Login).Host && m != nil {
			p.open(l.i.Portal + m[1])
		}
	}
	if p.at.Host != mustURL(l.i.Login).Host {
		t.Fatalf("the portal did not send to the sign-in: %v\n%.1500s", p.at, p.page)
	}
	p.enter(nomfa)
	if p.has("Stay signed in?") {
		p.press("do", "leave")
	}
	if !p.has("More information required") {
		t.Errorf("the portal let it in: %d %v\n%.1500s", p.status, p.at, p.page[max(0, strings.Index(p.page, "<main")):])
	}
}

var signInLink = regexp.MustCompile(`(?:href|action)="(/[^"]*sign-?in[^"]*)"`)

func itoa(n int) string { return strconv.Itoa(n) }

func mustURL(v string) *url.URL {
	u, err := url.Parse(v)
	if err != nil {
		panic(err)
	}
	return u
}
