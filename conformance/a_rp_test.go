package conformance

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions"
	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// onlyByNames leaves a client out of the way by endpoints, with the reason: a relying
// party that insists on the issuer it was told never takes another host for it.
// It says whether to go on.
func onlyByNames(t *testing.T, client, what string) bool {
	t.Helper()
	if cloud.way != byNames {
		note(client, what, apart)
		return false
	}
	shows(t, client, what)
	return true
}

var theRP struct {
	once sync.Once
	app
}

// relyingParty is a web app that an administrator registered and consented to.
func relyingParty(t *testing.T) app {
	t.Helper()
	theRP.once.Do(func() {
		var made, sp, graph struct{ ID, AppID string }
		var secret struct{ SecretText string }
		asAdmin(t, "POST", "/v1.0/applications", map[string]any{"displayName": "Conformance Relying Party", "web": map[string]any{
			"redirectUris": []string{"http://localhost/callback"}, "implicitGrantSettings": map[string]any{"enableIdTokenIssuance": true}}}, &made)
		asAdmin(t, "PATCH", "/v1.0/applications/"+made.ID, map[string]any{"identifierUris": []string{"api://" + made.AppID}}, nil)
		asAdmin(t, "POST", "/v1.0/applications/"+made.ID+"/addPassword", map[string]any{}, &secret)
		asAdmin(t, "POST", "/v1.0/servicePrincipals", map[string]any{"appId": made.AppID}, &sp)
		asAdmin(t, "GET", "/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')?$select=id", nil, &graph)
		asAdmin(t, "POST", "/v1.0/oauth2PermissionGrants", map[string]any{"clientId": sp.ID, "resourceId": graph.ID, "consentType": "AllPrincipals",
			"scope": "openid profile email offline_access User.Read"}, nil)
		theRP.app = app{id: made.AppID, secret: secret.SecretText, redirect: "http://localhost/callback"}
	})
	if theRP.id == "" {
		t.Fatal("the relying party was not made")
	}
	return theRP.app
}

// signsIn runs a script of a relying party; a person signs in where it says.
func signsIn(t *testing.T, script, who string) {
	t.Helper()
	rp, b, p := relyingParty(t), chromium(t), someone(t, who)
	nodeOK(t, script, []string{"RP_ID=" + rp.id, "RP_SECRET=" + rp.secret, "UPN=" + p.upn}, func(w []string) {
		if strings.Contains(w[0], "redirect_uri=") {
			if err := b.open(p)(w[0]); err != nil {
				t.Error(err)
			}
			return
		}
		// One page after the other: they share a tab.
		if _, err := b.signIn(w[0], p, func(s sight) bool { return strings.HasPrefix(s.URL, w[0]) && strings.Contains(s.Text, "signed in") }); err != nil {
			t.Error(err)
		}
	})
}

func TestOpenIDClient(t *testing.T) {
	if !onlyByNames(t, "openid-client", "discovery, code flow with PKCE and nonce, userinfo, refresh, garbage refused") {
		return
	}
	signsIn(t, "openid-client.mjs", "ravi.menon")
}

func TestOAuth4WebAPI(t *testing.T) {
	if !onlyByNames(t, "oauth4webapi", "code flow, signed ID token, userinfo, client credentials; a code is not redeemed twice") {
		return
	}
	signsIn(t, "oauth4webapi.mjs", "elena.petrova")
}

func TestExpressOpenIDConnect(t *testing.T) {
	if !onlyByNames(t, "express-openid-connect", "a page asks to sign in: ID token by form_post, then the code flow") {
		return
	}
	signsIn(t, "express-oidc.mjs", "mia.lindqvist")
}

func TestPassportAzureAD(t *testing.T) {
	shows(t, "passport-azure-ad", "BearerStrategy: the right token passes; a changed one, another API's and none do not")
	rp := relyingParty(t)
	nodeOK(t, "passport.mjs", []string{"RP_ID=" + rp.id, "RP_SECRET=" + rp.secret}, nil)
}

func TestKiota(t *testing.T) {
	shows(t, "@microsoft/msgraph-sdk", "users in pages, counted, made, changed, deleted; the error's own type")
	w := writer(t)
	nodeOK(t, "kiota.mjs", []string{"WRITER_ID=" + w.id, "WRITER_SECRET=" + w.secret, "DOMAIN=" + cloud.Tenant.Domain}, nil)
}

func TestGoOIDC(t *testing.T) {
	if !onlyByNames(t, "go-oidc", "discovery, code flow, verified ID token, userinfo") {
		return
	}
	ctx, rp, b, p := context.Background(), relyingParty(t), chromium(t), someone(t, "lena.fischer")
	provider, err := oidc.NewProvider(ctx, cloud.Login+"/"+cloud.Tenant.ID+"/v2.0")
	if err != nil {
		t.Fatal(err)
	}
	redirect := strings.TrimSuffix(listen(t), "/") + "/callback"
	c := oauth2.Config{ClientID: rp.id, ClientSecret: rp.secret, Endpoint: provider.Endpoint(), RedirectURL: redirect,
		Scopes: []string{oidc.ScopeOpenID, "profile", "email"}}
	at, err := b.signIn(c.AuthCodeURL("s", oidc.Nonce("n-0S6_WzA2Mj"), oauth2.SetAuthURLParam("login_hint", p.upn)), p, arrives(redirect))
	if err != nil {
		t.Fatal(err)
	}
	token, err := c.Exchange(ctx, query(t, at.URL, "code"))
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.Verifier(&oidc.Config{ClientID: rp.id}).Verify(ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	if id.Nonce != "n-0S6_WzA2Mj" {
		t.Errorf("nonce %q", id.Nonce)
	}
	user, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil || user.Subject != id.Subject {
		t.Errorf("userinfo: %+v, %v", user, err)
	}
	if _, err := provider.Verifier(&oidc.Config{ClientID: "another"}).Verify(ctx, raw); err == nil {
		t.Error("an ID token for another client was taken")
	}
}

// TestM365 runs the commands of CLI for Microsoft 365. It knows production's names
// alone.
func TestM365(t *testing.T) {
	if !onlyByNames(t, "CLI for Microsoft 365", "commands for people, groups, roles, apps, policies and the recycle bin; see node/m365/steps.mjs") {
		return
	}
	w := writer(t)
	dir, err := filepath.Abs("node/m365")
	if err != nil {
		t.Fatal(err)
	}
	installedIn(t, dir)
	last := node(t, filepath.Join("m365", "run.mjs"), []string{"CLIENT_ID=" + w.id, "CLIENT_SECRET=" + w.secret, "DOMAIN=" + cloud.Tenant.Domain,
		"HOME=" + t.TempDir()}, nil)
	if !strings.HasPrefix(last, "ok ") {
		t.Fatal(last)
	}
	t.Log(last)
}

// TestAzureNode runs Azure's SDKs for Node in a customer's subscription, by AOBO.
func TestAzureNode(t *testing.T) {
	tenant, sub, token := azure(t)
	for _, c := range []struct{ pkg, what, about string }{
		{"@azure/arm-resources", "resources", "resources listed; a resource group made, found, deleted; providers"},
		{"@azure/arm-authorization", "authorization", "role definitions; an assignment made, listed, deleted; permissions"},
		{"@azure/arm-consumption", "consumption", "usage details in pages; a budget made and deleted"},
	} {
		t.Run(c.what, func(t *testing.T) {
			shows(t, c.pkg, c.about)
			var users struct{ Value []struct{ ID string } }
			asAdminOf(t, tenant, "GET", "/v1.0/users?$top=1&$select=id", nil, &users)
			nodeOK(t, "arm.mjs", []string{"ARM=" + cloud.ARM, "ARM_TOKEN=" + token, "SUBSCRIPTION=" + sub, "PRINCIPAL=" + users.Value[0].ID, "WHAT=" + c.what}, nil)
		})
	}
}

// azure is a customer with a subscription, and an agent's token for it.
func azure(t *testing.T) (tenant, subscription, token string) {
	t.Helper()
	tenant = customer(t, "Fabrikam")
	cred := inTenant{signInAgent(t), tenant}
	c, err := armsubscriptions.NewClient(cred, &arm.ClientOptions{ClientOptions: options()})
	if err != nil {
		t.Fatal(err)
	}
	page, err := c.NewListPager(nil).NextPage(context.Background())
	if err != nil || len(page.Value) == 0 {
		t.Fatal("no subscription", err)
	}
	at, err := cred.GetToken(context.Background(), policy.TokenRequestOptions{Scopes: []string{armDefault}, EnableCAE: true})
	if err != nil {
		t.Fatal(err)
	}
	return tenant, *page.Value[0].SubscriptionID, at.Token
}
