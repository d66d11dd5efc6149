package keyvault_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/keyvault"
	"partnerguard/internal/partnercloud/world"
)

const (
	base    = "https://" + keyvault.Host
	allowed = "Contoso Evidence Collector"
	other   = "Contoso Control Panel" // has no access
)

func start(t *testing.T, o partnercloud.Options) *partnercloud.Server {
	t.Helper()
	o.NoLag = true
	s, err := partnercloud.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

func options(s *partnercloud.Server) azcore.ClientOptions {
	return azcore.ClientOptions{Transport: &http.Client{Transport: s.Transport()}, Retry: policy.RetryOptions{MaxRetries: 2, RetryDelay: time.Millisecond,
		MaxRetryDelay: time.Millisecond}}
}

func app(t testing.TB, s *partnercloud.Server, name string) partnercloud.App {
	t.Helper()
	for _, a := range s.Info().Apps {
		if a.Name == name {
			return a
		}
	}
	t.Fatalf("no app %s", name)
	return partnercloud.App{}
}

func secretOf(t testing.TB, s *partnercloud.Server, name string) azcore.TokenCredential {
	t.Helper()
	a := app(t, s, name)
	c, err := azidentity.NewClientSecretCredential(s.Info().Tenant.ID, a.ClientID, a.ClientSecret,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: options(s)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func client(t *testing.T, s *partnercloud.Server, cred azcore.TokenCredential) *azkeys.Client {
	t.Helper()
	c, err := azkeys.NewClient(base, cred, &azkeys.ClientOptions{ClientOptions: options(s)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func oaep(value []byte, alg azkeys.EncryptionAlgorithm) azkeys.KeyOperationParameters {
	return azkeys.KeyOperationParameters{Algorithm: to.Ptr(alg), Value: value}
}

// Microsoft's client and credentials, unmodified, production names.
func TestMicrosoftsClient(t *testing.T) {
	t.Parallel()
	s := start(t, partnercloud.Options{Unthrottled: true})
	ctx := t.Context()
	c := client(t, s, secretOf(t, s, allowed))
	plain := bytes.Repeat([]byte{9}, 32)

	got, err := c.GetKey(ctx, "partnerguard", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Key == nil || *got.Key.Kty != azkeys.KeyTypeRSA || len(got.Key.N) != 256 || got.Key.KID.Name() != "partnerguard" ||
		len(got.Key.KID.Version()) != 32 || !*got.Attributes.Enabled {
		t.Errorf("%+v", got.Key)
	}
	for _, alg := range []azkeys.EncryptionAlgorithm{azkeys.EncryptionAlgorithmRSAOAEP256, azkeys.EncryptionAlgorithmRSAOAEP} {
		w, err := c.WrapKey(ctx, "partnerguard", "", oaep(plain, alg), nil)
		if err != nil || w.KID.Version() != got.Key.KID.Version() || bytes.Contains(w.Result, plain) {
			t.Fatalf("%s: %v", alg, err)
		}
		u, err := c.UnwrapKey(ctx, "partnerguard", w.KID.Version(), oaep(w.Result, alg), nil)
		if err != nil || !bytes.Equal(u.Result, plain) {
			t.Errorf("%s: %v", alg, err)
		}
		if alg == azkeys.EncryptionAlgorithmRSAOAEP256 { // the published public key wraps too
			pub := &rsa.PublicKey{N: new(big.Int).SetBytes(got.Key.N), E: int(new(big.Int).SetBytes(got.Key.E).Int64())}
			own, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, pub, plain, nil)
			if err != nil {
				t.Fatal(err)
			}
			if u, err := c.UnwrapKey(ctx, "partnerguard", "", oaep(own, alg), nil); err != nil || !bytes.Equal(u.Result, plain) {
				t.Errorf("wrapped by the public key: %v", err)
			}
			if _, err := c.UnwrapKey(ctx, "partnerguard", "", oaep(own, azkeys.EncryptionAlgorithmRSAOAEP), nil); status(err) != 400 {
				t.Errorf("the other algorithm: %v", err)
			}
		}
	}
	for name, do := range map[string]func() error{
		"no such key":     func() error { _, err := c.WrapKey(ctx, "nothing", "", oaep(plain, "RSA-OAEP-256"), nil); return err },
		"no such version": func() error { _, err := c.GetKey(ctx, "partnerguard", strings.Repeat("0", 32), nil); return err },
	} {
		if e := code(do()); e != "404 KeyNotFound" {
			t.Errorf("%s: %s", name, e)
		}
	}
	for name, do := range map[string]func() error{
		"algorithm": func() error { _, err := c.WrapKey(ctx, "partnerguard", "", oaep(plain, "RSA1_5"), nil); return err },
		"too long": func() error {
			_, err := c.WrapKey(ctx, "partnerguard", "", oaep(make([]byte, 300), "RSA-OAEP-256"), nil)
			return err
		},
		"ciphertext": func() error {
			_, err := c.UnwrapKey(ctx, "partnerguard", "", oaep(make([]byte, 256), "RSA-OAEP-256"), nil)
			return err
		},
	} {
		if e := code(do()); e != "400 BadParameter" {
			t.Errorf("%s: %s", name, e)
		}
	}
	// Permissions are each their own.
	for name, do := range map[string]func() error{
		"rotate": func() error { _, err := c.RotateKey(ctx, "partnerguard", nil); return err },
		"encrypt": func() error {
			_, err := c.Encrypt(ctx, "partnerguard", "", oaep(plain, "RSA-OAEP-256"), nil)
			return err
		},
		"list": func() error { _, err := c.NewListKeyPropertiesPager(nil).NextPage(ctx); return err },
	} {
		if e := code(do()); e != "403 Forbidden" {
			t.Errorf("%s: %s", name, e)
		}
	}
}

func status(err error) int {
	if r, ok := errors.AsType[*azcore.ResponseError](err); ok {
		return r.StatusCode
	}
	return 0
}

func code(err error) string {
	r, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok {
		if err == nil {
			return "no error"
		}
		return err.Error()
	}
	return strings.Join([]string{itoa(r.StatusCode), r.ErrorCode}, " ")
}

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) }

func TestVersionsAndDisabledKeys(t *testing.T) {
	t.Parallel()
	s := start(t, partnercloud.Options{Unthrottled: true})
	ctx := t.Context()
	grant(s, app(t, s, allowed).ClientID, world.KeyPermissions()...)
	c := client(t, s, secretOf(t, s, allowed))
	plain := []byte("a data key")
	old, err := c.WrapKey(ctx, "partnerguard", "", oaep(plain, "RSA-OAEP-256"), nil)
	if err != nil {
		t.Fatal(err)
	}
	made, err := c.RotateKey(ctx, "partnerguard", nil)
	if err != nil || made.Key.KID.Version() == old.KID.Version() {
		t.Fatal(err)
	}
	now, err := c.WrapKey(ctx, "partnerguard", "", oaep(plain, "RSA-OAEP-256"), nil)
	if err != nil || now.KID.Version() != made.Key.KID.Version() {
		t.Errorf("the newest does not wrap: %v", err)
	}
	if u, err := c.UnwrapKey(ctx, "partnerguard", old.KID.Version(), oaep(old.Result, "RSA-OAEP-256"), nil); err != nil || !bytes.Equal(u.Result, plain) {
		t.Errorf("the older version does not unwrap: %v", err)
	}
	if _, err := c.UnwrapKey(ctx, "partnerguard", now.KID.Version(), oaep(old.Result, "RSA-OAEP-256"), nil); status(err) != 400 {
		t.Errorf("the newer unwraps what the older wrapped: %v", err)
	}
	page, err := c.NewListKeyPropertiesVersionsPager("partnerguard", nil).NextPage(ctx)
	if err != nil || len(page.Value) != 3 {
		t.Errorf("%d versions, %v", len(page.Value), err)
	}
	e, err := c.Encrypt(ctx, "partnerguard", "", oaep(plain, "RSA-OAEP"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := c.Decrypt(ctx, "partnerguard", e.KID.Version(), oaep(e.Result, "RSA-OAEP"), nil); err != nil || !bytes.Equal(d.Result, plain) {
		t.Error(err)
	}
	_ = s.World.Do(func(st *world.State) error {
		st.KeyVault.Key("partnerguard").Version(old.KID.Version()).Disabled = true
		st.Dirty()
		return nil
	})
	_, err = c.UnwrapKey(ctx, "partnerguard", old.KID.Version(), oaep(old.Result, "RSA-OAEP-256"), nil)
	if e := code(err); e != "403 Forbidden" || !strings.Contains(err.Error(), "KeyDisabled") {
		t.Errorf("a disabled key: %s", e)
	}
}

// grant changes the access policy of an app.
func grant(s *partnercloud.Server, appID string, may ...string) {
	_ = s.World.Do(func(st *world.State) error {
		sp := st.PartnerTenant().SP(appID)
		st.KeyVault.Access = []world.KeyVaultAccess{{Principal: sp.ID, May: may}}
		st.Dirty()
		return nil
	})
}

func TestAccess(t *testing.T) {
	t.Parallel()
	s := start(t, partnercloud.Options{Unthrottled: true})
	_, err := client(t, s, secretOf(t, s, other)).WrapKey(t.Context(), "partnerguard", "", oaep([]byte("x"), "RSA-OAEP-256"), nil)
	if e := code(err); e != "403 Forbidden" || !strings.Contains(err.Error(), "AccessDenied") ||
		!strings.Contains(err.Error(), "does not have keys wrapKey permission on key vault 'contoso-keys") {
		t.Errorf("%s: %v", e, err)
	}
	// The policy counts at the moment of the call.
	c := client(t, s, secretOf(t, s, allowed))
	if _, err := c.GetKey(t.Context(), "partnerguard", "", nil); err != nil {
		t.Fatal(err)
	}
	grant(s, app(t, s, allowed).ClientID, "wrapkey")
	if _, err := c.GetKey(t.Context(), "partnerguard", "", nil); status(err) != 403 {
		t.Errorf("%v", err)
	}
}

// A certificate as the credential.
func TestCertificateCredential(t *testing.T) {
	t.Parallel()
	s := start(t, partnercloud.Options{Unthrottled: true})
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := s.World.Clock.Now()
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "collector"}, NotBefore: now.Add(-time.Hour),
		NotAfter: now.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	crt, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a := app(t, s, allowed)
	_ = s.World.Do(func(st *world.State) error {
		_, r := st.App(a.ClientID)
		r.Keys = append(r.Keys, world.KeyCredential{KeyID: world.NewGUID(), Name: "CN=collector", Type: "AsymmetricX509Cert", Usage: "Verify",
			Start: tmpl.NotBefore, End: tmpl.NotAfter, DER: der})
		st.Dirty()
		return nil
	})
	cred, err := azidentity.NewClientCertificateCredential(s.Info().Tenant.ID, a.ClientID, []*x509.Certificate{crt}, key,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: options(s)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client(t, s, cred).WrapKey(t.Context(), "partnerguard", "", oaep([]byte("x"), "RSA-OAEP-256"), nil); err != nil {
		t.Error(err)
	}
	// Another's certificate is refused by the authority.
	key2, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der2, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key2.PublicKey, key2)
	if err != nil {
		t.Fatal(err)
	}
	crt2, _ := x509.ParseCertificate(der2)
	cred, err = azidentity.NewClientCertificateCredential(s.Info().Tenant.ID, a.ClientID, []*x509.Certificate{crt2}, key2,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: options(s)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client(t, s, cred).GetKey(t.Context(), "partnerguard", "", nil); err == nil || status(err) == 403 {
		t.Errorf("a stranger's certificate: %v", err)
	}
}

// send is a plain request.
func send(t *testing.T, s *partnercloud.Server, method, path, token, body string) (int, http.Header, map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := s.Transport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatalf("%s %s: %q", method, path, text)
	}
	return resp.StatusCode, resp.Header, m
}

func tokenOf(t *testing.T, s *partnercloud.Server, scope string) string {
	t.Helper()
	tk, err := secretOf(t, s, allowed).GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{scope}})
	if err != nil {
		t.Fatal(err)
	}
	return tk.Token
}

func errorCode(m map[string]any) string {
	e, _ := m["error"].(map[string]any)
	c, _ := e["code"].(string)
	return c
}

func TestHostileRequests(t *testing.T) {
	t.Parallel()
	s := start(t, partnercloud.Options{Unthrottled: true})
	good := tokenOf(t, s, "https://vault.azure.net/.default")
	const v = "?api-version=7.4"
	value := base64.RawURLEncoding.EncodeToString([]byte("x"))
	wrap := `{"alg":"RSA-OAEP-256","value":"` + value + `"}`
	for name, tt := range map[string]struct {
		method, path, token, body string
		status                    int
		code                      string
	}{
		"no token":       {"GET", "/keys/partnerguard/" + v, "", "", 401, "Unauthorized"},
		"rubbish token":  {"GET", "/keys/partnerguard/" + v, "x.y.z", "", 401, "Unauthorized"},
		"Graph's token":  {"GET", "/keys/partnerguard/" + v, tokenOf(t, s, "https://graph.microsoft.com/.default"), "", 401, "Unauthorized"},
		"no version":     {"GET", "/keys/partnerguard", good, "", 400, "BadParameter"},
		"old version":    {"GET", "/keys/partnerguard?api-version=2016-10-01", good, "", 400, "BadParameter"},
		"newest version": {"GET", "/keys/partnerguard?api-version=2025-07-01", good, "", 200, ""},
		"secrets":        {"GET", "/secrets/partnerguard" + v, good, "", 404, "NotFound"},
		"deep":           {"GET", "/keys/a/b/c/d" + v, good, "", 404, "NotFound"},
		"dots":           {"GET", "/keys/%2e%2e" + v, good, "", 400, "BadParameter"},
		"a slash in it":  {"GET", "/keys/a%2fb" + v, good, "", 400, "BadParameter"},
		"another method": {"DELETE", "/keys/partnerguard" + v, good, "", 405, "MethodNotAllowed"},
		"another action": {"POST", "/keys/partnerguard/sign" + v, good, wrap, 404, "NotFound"},
		"well made":      {"POST", "/keys/partnerguard/wrapkey" + v, good, wrap, 200, ""},
		"case of a key":  {"POST", "/keys/PartnerGuard/wrapKey" + v, good, wrap, 200, ""},
		"no body":        {"POST", "/keys/partnerguard/wrapkey" + v, good, "", 400, "BadParameter"},
		"not JSON":       {"POST", "/keys/partnerguard/wrapkey" + v, good, "{", 400, "BadParameter"},
		"padded value":   {"POST", "/keys/partnerguard/wrapkey" + v, good, `{"alg":"RSA-OAEP-256","value":"eA=="}`, 400, "BadParameter"},
		"empty value":    {"POST", "/keys/partnerguard/wrapkey" + v, good, `{"alg":"RSA-OAEP-256","value":""}`, 400, "BadParameter"},
		"enormous body": {"POST", "/keys/partnerguard/wrapkey" + v, good, `{"alg":"RSA-OAEP-256","value":"` + strings.Repeat("A", 1<<20) + `"}`, 400,
			"BadParameter"},
		"an unknown option":  {"GET", "/keys/partnerguard" + v + "&frobnicate=1", good, "", 400, "BadParameter"},
		"an option twice":    {"GET", "/keys/partnerguard" + v + "&Api-Version=7.5", good, "", 400, "BadParameter"},
		"an unknown member":  {"POST", "/keys/partnerguard/wrapkey" + v, good, `{"alg":"RSA-OAEP-256","value":"AAAA","frobnicate":1}`, 400, "BadParameter"},
		"a query of rubbish": {"GET", "/keys/partnerguard?api-version=7.4;%zz", good, "", 400, "BadParameter"},
	} {
		got, h, m := send(t, s, tt.method, tt.path, tt.token, tt.body)
		if got != tt.status || errorCode(m) != tt.code {
			t.Errorf("%s: %d %s, want %d %s", name, got, errorCode(m), tt.status, tt.code)
		}
		challenge := `Bearer authorization="https://login.microsoftonline.com/` + s.Info().Tenant.ID + `", resource="https://vault.azure.net"`
		if tt.status == 401 && h.Get("WWW-Authenticate") != challenge {
			t.Errorf("%s: %s", name, h.Get("WWW-Authenticate"))
		}
	}
	// A token that has expired.
	s.World.Clock.Jump(3 * time.Hour)
	if got, _, m := send(t, s, "GET", "/keys/partnerguard"+v, good, ""); got != 401 || errorCode(m) != "Unauthorized" {
		t.Errorf("expired: %d %v", got, m)
	}
}

func TestThrottling(t *testing.T) {
	t.Parallel()
	s := start(t, partnercloud.Options{})
	s.World.Clock.Freeze()
	good := tokenOf(t, s, "https://vault.azure.net/.default")
	met := 0
	for range 4001 {
		got, h, m := send(t, s, "GET", "/keys/partnerguard?api-version=7.4", good, "")
		if got == 429 {
			met++
			if errorCode(m) != "Throttled" || h.Get("Retry-After") != "10" {
				t.Errorf("%v %v", h, m)
			}
		}
	}
	if met != 1 {
		t.Errorf("%d of 4,001 requests refused", met)
	}
	s.World.Clock.Jump(11 * time.Second)
	if got, _, _ := send(t, s, "GET", "/keys/partnerguard?api-version=7.4", good, ""); got != 200 {
		t.Errorf("after the window: %d", got)
	}
	if u, err := url.Parse(s.Info().KeyVaultKey); err != nil || u.Host != keyvault.Host {
		t.Error(s.Info().KeyVaultKey)
	}
}

// The same seed gives the same keys, in another process too.
func TestKeysComeFromTheSeed(t *testing.T) {
	t.Parallel()
	var n []string
	for _, seed := range []uint64{5, 5, 6} {
		s := start(t, partnercloud.Options{Unthrottled: true, Seed: seed})
		_, _, m := send(t, s, "GET", "/keys/partnerguard?api-version=7.4", tokenOf(t, s, "https://vault.azure.net/.default"), "")
		key, _ := m["key"].(map[string]any)
		text, _ := key["n"].(string)
		if len(text) < 300 {
			t.Fatalf("%v", m)
		}
		n = append(n, text)
	}
	if n[0] != n[1] || n[0] == n[2] {
		t.Error("the keys do not follow from the seed")
	}
}
