package conformance

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

const (
	graphDefault = "https://graph.microsoft.com/.default"
	armDefault   = "https://management.azure.com/.default"
	centerScope  = "https://api.partnercenter.microsoft.com/user_impersonation"
)

// options configures any Azure SDK client for the way of this run. By names
// nothing is configured at all.
func options() azcore.ClientOptions {
	if cloud.way == byNames {
		return azcore.ClientOptions{Cloud: sdk.AzurePublic}
	}
	return azcore.ClientOptions{Cloud: sdk.Configuration{
		ActiveDirectoryAuthorityHost: cloud.Login,
		Services: map[sdk.ServiceName]sdk.ServiceConfiguration{sdk.ResourceManager: {Audience: "https://management.azure.com",
			Endpoint: cloud.ARM}},
	}}
}

// offline says whether instance discovery, which asks the public cloud about a
// private authority, must be left out.
func offline() bool { return cloud.way == byEndpoints }

// part reads one part of a token without checking it.
func part(t *testing.T, token string, i int) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatal("not a JWT")
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[i])
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func claims(t *testing.T, token string) map[string]any {
	t.Helper()
	return part(t, token, 1)
}

// withMFA says whether claims name the person and carry the MFA claim.
func withMFA(m map[string]any, p person) bool {
	list, _ := m["amr"].([]any)
	upn, _ := m["upn"].(string)
	return strings.EqualFold(upn, p.upn) && slices.Contains(list, any("mfa"))
}

func get(t *testing.T, c azcore.TokenCredential, scope string) azcore.AccessToken {
	t.Helper()
	return getBy(t, context.Background(), c, policy.TokenRequestOptions{Scopes: []string{scope}})
}

func getBy(t *testing.T, ctx context.Context, c azcore.TokenCredential, o policy.TokenRequestOptions) azcore.AccessToken {
	t.Helper()
	token, err := c.GetToken(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	if token.ExpiresOn.Before(time.Now().Add(10 * time.Minute)) {
		t.Errorf("the token expires at %s", token.ExpiresOn)
	}
	return token
}

// collector is the app with application permissions, by its secret.
func collector(t *testing.T) azcore.TokenCredential {
	t.Helper()
	a := program(t, "collector")
	c, err := azidentity.NewClientSecretCredential(cloud.Tenant.ID, a.id, a.secret, &azidentity.ClientSecretCredentialOptions{ClientOptions: options(),
		DisableInstanceDiscovery: offline()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAzidentitySecret(t *testing.T) {
	shows(t, "azidentity (Go)", "ClientSecretCredential; a wrong secret is AADSTS7000215")
	a := program(t, "collector")
	m := claims(t, get(t, collector(t), graphDefault).Token)
	if m["appid"] != a.id || m["tid"] != cloud.Tenant.ID || m["idtyp"] != "app" || m["scp"] != nil || m["roles"] == nil {
		t.Errorf("claims %v", m)
	}
	bad, err := azidentity.NewClientSecretCredential(cloud.Tenant.ID, a.id, "wrong", &azidentity.ClientSecretCredentialOptions{ClientOptions: options(),
		DisableInstanceDiscovery: offline()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bad.GetToken(context.Background(), policy.TokenRequestOptions{Scopes: []string{graphDefault}}); err == nil ||
		!strings.Contains(err.Error(), "AADSTS7000215") {
		t.Errorf("a wrong secret: %v", err)
	}
}

// newCert makes a certificate for an app's assertions.
func newCert(t *testing.T) (*x509.Certificate, *rsa.PrivateKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "conformance"}, NotBefore: time.Now().
		Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func TestAzidentityCertificate(t *testing.T) {
	shows(t, "azidentity (Go)", "ClientCertificateCredential, the certificate added by Graph; a strange one is AADSTS700027")
	a := program(t, "collector")
	cert, key := newCert(t)
	giveCert(t, a.id, cert)
	o := &azidentity.ClientCertificateCredentialOptions{ClientOptions: options(), DisableInstanceDiscovery: offline()}
	c, err := azidentity.NewClientCertificateCredential(cloud.Tenant.ID, a.id, []*x509.Certificate{cert}, key, o)
	if err != nil {
		t.Fatal(err)
	}
	if m := claims(t, get(t, c, graphDefault).Token); m["appidacr"] != "2" || m["appid"] != a.id {
		t.Errorf("claims %v; appidacr 2 is a certificate", m)
	}
	strange, other := newCert(t)
	bad, err := azidentity.NewClientCertificateCredential(cloud.Tenant.ID, a.id, []*x509.Certificate{strange}, other, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bad.GetToken(context.Background(), policy.TokenRequestOptions{Scopes: []string{graphDefault}}); err == nil ||
		!strings.Contains(err.Error(), "AADSTS700027") {
		t.Errorf("a certificate nobody added: %v", err)
	}
}

// inTenant asks for another tenant's tokens with somebody's credential, as a
// partner's tool does for its customers.
type inTenant struct {
	azcore.TokenCredential
	tenant string
}

func (c inTenant) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	o.TenantID = c.tenant
	return c.TokenCredential.GetToken(ctx, o)
}

// agent is lena.fischer, an admin agent, signed in once by the device code flow.
var agent struct {
	cred    azcore.TokenCredential
	prompts int
}

func signInAgent(t *testing.T) azcore.TokenCredential {
	t.Helper()
	if agent.cred != nil {
		return agent.cred
	}
	b, p := chromium(t), someone(t, "lena.fischer")
	c, err := azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
		ClientOptions: options(), DisableInstanceDiscovery: offline(), ClientID: program(t, "command line").id, TenantID: cloud.Tenant.ID,
		AdditionallyAllowedTenants: []string{"*"},
		UserPrompt: func(_ context.Context, m azidentity.DeviceCodeMessage) error {
			if agent.prompts++; agent.prompts > 1 {
				return errors.New("asked again, which nobody answers")
			}
			b.enterCode(m.VerificationURL, m.UserCode, p)
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	// With CAE, as Azure's clients ask: the library keeps two caches apart.
	if m := claims(t, getBy(t, b.wait, c, policy.TokenRequestOptions{Scopes: []string{graphDefault}, EnableCAE: true}).Token); !withMFA(m, p) ||
		m["tid"] != cloud.Tenant.ID {
		t.Fatalf("claims %v", m)
	}
	agent.cred = c
	return c
}

func TestAzidentityDeviceCode(t *testing.T) {
	shows(t, "azidentity (Go)", "DeviceCodeCredential; TOTP in Chromium; the token carries MFA")
	shows(t, "oathtool", "the TOTP codes of these sign-ins, at the cloud's clock")
	signInAgent(t)
}

func TestAzidentityCustomer(t *testing.T) {
	shows(t, "azidentity (Go)", "DeviceCodeCredential, then a customer's tenant silently (AOBO); MFA carried over")
	c, id := signInAgent(t), customer(t, "Fabrikam")
	ctx, stop := context.WithTimeout(context.Background(), 30*time.Second)
	defer stop()
	token := getBy(t, ctx, inTenant{c, id}, policy.TokenRequestOptions{Scopes: []string{armDefault}, EnableCAE: true})
	if m := claims(t, token.Token); m["tid"] != id || !withMFA(m, someone(t, "lena.fischer")) {
		t.Errorf("claims %v", m)
	}
	if agent.prompts != 1 {
		t.Errorf("asked %d times", agent.prompts)
	}
}

// desktopBrowser stands in for the system's browser, which libraries open by
// xdg-open.
func desktopBrowser(t *testing.T, b *browser, p person, times int) {
	t.Helper()
	dir := t.TempDir()
	note := filepath.Join(dir, "url")
	script := "#!/bin/sh\nprintf %s \"$1\" > '" + note + ".new' && mv '" + note + ".new' '" + note + "'\n"
	if err := os.WriteFile(filepath.Join(dir, "xdg-open"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	b.later(func(b *browser) error {
		for times > 0 {
			raw, err := os.ReadFile(note)
			if err != nil {
				select {
				case <-b.tab.Done():
					return b.tab.Err()
				case <-time.After(50 * time.Millisecond):
				}
				continue
			}
			times--
			if err := os.Remove(note); err != nil {
				return err
			}
			if _, err := b.signIn(string(raw), p, arrives(query(b.t, string(raw), "redirect_uri"))); err != nil {
				return err
			}
			b.codes = 0
		}
		return nil
	})
}

func interactive(t *testing.T) *azidentity.InteractiveBrowserCredential {
	t.Helper()
	c, err := azidentity.NewInteractiveBrowserCredential(&azidentity.InteractiveBrowserCredentialOptions{
		ClientOptions: options(), DisableInstanceDiscovery: offline(), ClientID: program(t, "command line").id, TenantID: cloud.Tenant.ID,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAzidentityInteractive(t *testing.T) {
	shows(t, "azidentity (Go)", "InteractiveBrowserCredential through Chromium; a second resource silently")
	b, p := chromium(t), someone(t, "ravi.menon")
	desktopBrowser(t, b, p, 1)
	c := interactive(t)
	if m := claims(t, getBy(t, b.wait, c, policy.TokenRequestOptions{Scopes: []string{graphDefault}}).Token); !withMFA(m, p) {
		t.Errorf("claims %v", m)
	}
	second := getBy(t, b.wait, c, policy.TokenRequestOptions{Scopes: []string{armDefault}})
	if m := claims(t, second.Token); !strings.HasPrefix(m["aud"].(string), "https://management.") || !withMFA(m, p) {
		t.Errorf("claims %v", m)
	}
}

func TestAzidentityOnBehalfOf(t *testing.T) {
	shows(t, "azidentity (Go)", "OnBehalfOfCredential: a user's token for an API becomes one for Graph")
	api, p := program(t, "orders"), someone(t, "freja.holm")
	user := signInByMSAL(t, p, "api://"+api.id+"/access_as_user").AccessToken
	c, err := azidentity.NewOnBehalfOfCredentialWithSecret(cloud.Tenant.ID, api.id, user, api.secret,
		&azidentity.OnBehalfOfCredentialOptions{ClientOptions: options(), DisableInstanceDiscovery: offline()})
	if err != nil {
		t.Fatal(err)
	}
	if m := claims(t, get(t, c, "https://graph.microsoft.com/User.Read").Token); !withMFA(m, p) || m["appid"] != api.id {
		t.Errorf("claims %v", m)
	}
}
