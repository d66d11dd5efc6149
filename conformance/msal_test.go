package conformance

import (
	"context"
	"crypto/x509"
	"slices"
	"strings"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

const userRead = "https://graph.microsoft.com/User.Read"

func authority(tenant string) string { return cloud.Login + "/" + tenant }

func publicClient(t *testing.T, word string) public.Client {
	t.Helper()
	c, err := public.New(program(t, word).id, public.WithAuthority(authority(cloud.Tenant.ID)), public.WithInstanceDiscovery(!offline()))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// signInByMSAL signs a person in with the desktop app, in a profile of its own.
func signInByMSAL(t *testing.T, p person, scopes ...string) public.AuthResult {
	t.Helper()
	b := chromium(t)
	r, err := publicClient(t, "command line").AcquireTokenInteractive(b.wait, scopes, public.WithOpenURL(b.open(p)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var admins struct{ token string }

// adminToken is a Global Administrator's, with what the writes of these checks
// need; consent is given on the way in.
func adminToken(t *testing.T) string {
	t.Helper()
	if admins.token == "" {
		var scopes []string
		for _, s := range []string{"User.Read", "Directory.Read.All", "Application.ReadWrite.All", "Application.Read.All", "Policy.Read.All",
			"Policy.ReadWrite.ConditionalAccess", "Group.ReadWrite.All", "User.RevokeSessions.All", "DelegatedAdminRelationship.Read.All"} {
			scopes = append(scopes, "https://graph.microsoft.com/"+s)
		}
		admins.token = signInByMSAL(t, someone(t, "mia.lindqvist"), scopes...).AccessToken
	}
	return admins.token
}

func TestMSALInteractiveAndSilent(t *testing.T) {
	shows(t, "MSAL for Go", "interactive, then silent from cache and by refresh token; MFA claim kept")
	b, p := chromium(t), someone(t, "elena.petrova")
	c := publicClient(t, "command line")
	first, err := c.AcquireTokenInteractive(b.wait, []string{userRead}, public.WithLoginHint(p.upn), public.WithOpenURL(b.open(p)))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.EqualFold(first.Account.PreferredUsername, p.upn) || !strings.EqualFold(first.IDToken.PreferredUsername, p.upn) ||
		first.IDToken.TenantID != cloud.Tenant.ID {
		t.Errorf("ID token %+v", first.IDToken)
	}
	again, err := c.AcquireTokenSilent(b.wait, []string{userRead}, public.WithSilentAccount(first.Account))
	if err != nil || again.AccessToken != first.AccessToken || again.Metadata.TokenSource != public.TokenSourceCache {
		t.Errorf("from the cache: %v", err)
	}
	other, err := c.AcquireTokenSilent(b.wait, []string{centerScope}, public.WithSilentAccount(first.Account))
	if err != nil {
		t.Fatal(err)
	}
	if m := claims(t, other.AccessToken); m["aud"] != "https://api.partnercenter.microsoft.com" || !withMFA(m, p) {
		t.Errorf("claims %v", m)
	}
}

func TestMSALDeviceCode(t *testing.T) {
	shows(t, "MSAL for Go", "device code; a person whom policy keeps from the flow is refused (AADSTS53003)")
	b, p := chromium(t), someone(t, "sam-agent")
	c := publicClient(t, "command line")
	d, err := c.AcquireTokenByDeviceCode(b.wait, []string{userRead})
	if err != nil {
		t.Fatal(err)
	}
	b.enterCode(d.Result.VerificationURL, d.Result.UserCode, p)
	r, err := d.AuthenticationResult(b.wait)
	if err != nil {
		t.Fatal(err)
	}
	if m := claims(t, r.AccessToken); !withMFA(m, p) {
		t.Errorf("claims %v", m)
	}
	// CA004 keeps everybody else from it.
	b, p = chromium(t), someone(t, "freja.holm")
	if d, err = c.AcquireTokenByDeviceCode(b.wait, []string{userRead}); err != nil {
		t.Fatal(err)
	}
	s, err := b.enterCodeUntil(d.Result.VerificationURL, d.Result.UserCode, p, func(s sight) bool {
		return s.Kind == "fault" || strings.Contains(s.Text, "You are signed in")
	})
	if err != nil || s.Kind != "fault" || !strings.Contains(s.Text, "AADSTS53003") && !strings.Contains(s.Text, "AADSTS530036") {
		t.Errorf("%v; the page says:\n%s", err, s.Text)
	}
}

func confidentialClient(t *testing.T, word string, cred confidential.Credential) confidential.Client {
	t.Helper()
	c, err := confidential.New(authority(cloud.Tenant.ID), program(t, word).id, cred, confidential.WithInstanceDiscovery(!offline()))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func bySecret(t *testing.T, secret string) confidential.Credential {
	t.Helper()
	cred, err := confidential.NewCredFromSecret(secret)
	if err != nil {
		t.Fatal(err)
	}
	return cred
}

func TestMSALSecret(t *testing.T) {
	shows(t, "MSAL for Go", "client credentials by secret; then from its cache; a wrong secret is refused")
	a := program(t, "collector")
	c := confidentialClient(t, "collector", bySecret(t, a.secret))
	r, err := c.AcquireTokenByCredential(context.Background(), []string{graphDefault})
	if err != nil {
		t.Fatal(err)
	}
	if m := claims(t, r.AccessToken); m["appid"] != a.id || m["appidacr"] != "1" {
		t.Errorf("claims %v", m)
	}
	again, err := c.AcquireTokenByCredential(context.Background(), []string{graphDefault})
	if err != nil || again.AccessToken != r.AccessToken {
		t.Errorf("from the cache: %v", err)
	}
	if _, err := confidentialClient(t, "collector", bySecret(t, "wrong")).
		AcquireTokenByCredential(context.Background(), []string{graphDefault}); err == nil || !strings.Contains(err.Error(), "AADSTS7000215") {
		t.Errorf("a wrong secret: %v", err)
	}
}

func TestMSALCertificate(t *testing.T) {
	shows(t, "MSAL for Go", "client credentials by certificate")
	a := program(t, "collector")
	cert, key := newCert(t)
	giveCert(t, a.id, cert)
	cred, err := confidential.NewCredFromCert([]*x509.Certificate{cert}, key)
	if err != nil {
		t.Fatal(err)
	}
	r, err := confidentialClient(t, "collector", cred).AcquireTokenByCredential(context.Background(), []string{graphDefault})
	if err != nil {
		t.Fatal(err)
	}
	if m := claims(t, r.AccessToken); m["appid"] != a.id || m["appidacr"] != "2" {
		t.Errorf("claims %v", m)
	}
}

func TestMSALOnBehalfOf(t *testing.T) {
	shows(t, "MSAL for Go", "on-behalf-of; the second time from its cache")
	api, p := program(t, "orders"), someone(t, "aoife.byrne")
	user := signInByMSAL(t, p, "api://"+api.id+"/access_as_user").AccessToken
	c := confidentialClient(t, "orders", bySecret(t, api.secret))
	r, err := c.AcquireTokenOnBehalfOf(context.Background(), user, []string{userRead})
	if err != nil {
		t.Fatal(err)
	}
	if m := claims(t, r.AccessToken); !withMFA(m, p) || m["appid"] != api.id {
		t.Errorf("claims %v", m)
	}
	again, err := c.AcquireTokenOnBehalfOf(context.Background(), user, []string{userRead})
	if err != nil || again.AccessToken != r.AccessToken {
		t.Errorf("from the cache: %v", err)
	}
}

func TestMSALPassword(t *testing.T) {
	shows(t, "MSAL for Go", "username and password: refused where MFA is asked (AADSTS50076), taken in the gap of CA002")
	ctx := context.Background()
	p := someone(t, "ravi.menon")
	_, err := publicClient(t, "command line").AcquireTokenByUsernamePassword(ctx, []string{userRead}, p.upn, p.password)
	if err == nil || !strings.Contains(err.Error(), "AADSTS50076") {
		t.Errorf("with MFA: %v", err)
	}
	p = someone(t, "svc-billing")
	r, err := publicClient(t, "billing sync").AcquireTokenByUsernamePassword(ctx, []string{centerScope}, p.upn, p.password)
	if err != nil {
		t.Fatal(err)
	}
	m := claims(t, r.AccessToken)
	if list, _ := m["amr"].([]any); withMFA(m, p) || !slices.Contains(list, any("pwd")) {
		t.Errorf("claims %v", m)
	}
}
