package vault

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
)

func cloud(t *testing.T) *partnercloud.Server {
	t.Helper()
	s, err := partnercloud.Start(t.Context(), partnercloud.Options{Unthrottled: true, NoLag: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

func credential(t *testing.T, s *partnercloud.Server, app string) azcore.TokenCredential {
	t.Helper()
	for _, a := range s.Info().Apps {
		if a.Name != app {
			continue
		}
		c, err := azidentity.NewClientSecretCredential(s.Info().Tenant.ID, a.ClientID, a.ClientSecret, &azidentity.ClientSecretCredentialOptions{
			ClientOptions: azcore.ClientOptions{Transport: &http.Client{Transport: s.Transport()}}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	t.Fatalf("no app %s", app)
	return nil
}

const keeper = "Contoso Evidence Collector" // may wrap and unwrap

// eavesdrop keeps the bodies that pass.
type eavesdrop struct {
	http.RoundTripper
	unwraps atomic.Int32
	bodies  func([]byte)
}

func (e *eavesdrop) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/unwrapkey") && r.Header.Get("Authorization") != "" {
		e.unwraps.Add(1)
	}
	resp, err := e.RoundTripper.RoundTrip(r)
	if err == nil && e.bodies != nil {
		text, rerr := io.ReadAll(resp.Body)
		if rerr != nil {
			return nil, rerr
		}
		e.bodies(text)
		resp.Body = io.NopCloser(bytes.NewReader(text))
	}
	return resp, err
}

// The whole life of a vault whose master key is in Azure Key Vault, against the
// partner cloud's, by Microsoft's own clients.
func TestAzureKeyVault(t *testing.T) {
	t.Parallel()
	s := cloud(t)
	d := dbtest.SQLite(t)
	ctx := t.Context()
	var dataKeys [][]byte
	ears := &eavesdrop{RoundTripper: s.Transport(), bodies: func(b []byte) {
		if i := bytes.Index(b, []byte(`"value":"`)); i > 0 {
			b = b[i+9:]
			if raw, err := base64.RawURLEncoding.DecodeString(string(b[:bytes.IndexByte(b, '"')])); err == nil && len(raw) == 32 {
				dataKeys = append(dataKeys, raw)
			}
		}
	}}
	e := Env{Credential: func() (azcore.TokenCredential, error) { return credential(t, s, keeper), nil }, Transport: ears}
	spec := "azurekeyvault:" + s.Info().KeyVaultKey
	parse := func() Master {
		m, err := ParseMaster(spec, e)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	v := reopen(t, d, parse(), nil)
	put(t, v, refresh("a"), "a")
	st, err := v.Status(ctx)
	if err != nil || !strings.HasPrefix(st.Master, s.Info().KeyVaultKey+"/") || st.MasterKind != "azurekeyvault" {
		t.Errorf("%+v %v", st, err)
	}
	first := st.Master
	n := ears.unwraps.Load()
	for range 20 {
		want(t, v, refresh("a"), "a")
		put(t, v, refresh("b"), "b")
	}
	if ears.unwraps.Load() != n {
		t.Error("each secret asks the key vault")
	}
	// The key gets a new version: the vault opens by the one it was wrapped with,
	// and a rotation wraps with the newest.
	_ = s.World.Do(func(w *world.State) error {
		w.AddVersion(w.KeyVault, w.KeyVault.Key("partnerguard"), s.World.Clock.Now())
		return nil
	})
	v = reopen(t, d, parse(), nil)
	want(t, v, refresh("a"), "a")
	if err := v.Rotate(ctx); err != nil {
		t.Fatal(err)
	}
	resealAll(t, v, 10)
	if st, _ = v.Status(ctx); st.Master == first {
		t.Error("the newest version does not wrap")
	}
	want(t, reopen(t, d, parse(), nil), refresh("a"), "a")
	// The data keys that went over the wire are not in the database.
	if len(dataKeys) < 2 {
		t.Fatalf("%d data keys heard", len(dataKeys))
	}
	stored, err := readKeyset(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range dataKeys {
		if bytes.Contains(stored.Keyset, k) || bytes.Contains(stored.Slot.Wrapped, k) {
			t.Error("a data key is in the database in the clear")
		}
	}
	// To a key file and back.
	key := newKey(t)
	if err := v.ChangeMaster(ctx, NewKeyFile(key)); err != nil {
		t.Fatal(err)
	}
	_, err = Open(ctx, d, parse(), Options{})
	if w, ok := errors.AsType[*WrongMaster](err); !ok || !strings.HasPrefix(w.Want, "key:") || w.Given != s.Info().KeyVaultKey {
		t.Errorf("%v", err)
	}
	if err := v.ChangeMaster(ctx, parse()); err != nil {
		t.Fatal(err)
	}
	want(t, reopen(t, d, parse(), nil), refresh("a"), "a")
	// A changed wrapped key is refused by the key vault.
	spoil(t, d, `UPDATE vault_keyset SET wrapped = zeroblob(256)`)
	if _, err := Open(ctx, d, parse(), Options{}); err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("%v", err)
	}
}

// What goes wrong between here and the key vault: each is told by its cause, and
// nothing of an answer or of a token is quoted.
func TestAzureKeyVaultRefuses(t *testing.T) {
	t.Parallel()
	s := cloud(t)
	d := dbtest.SQLite(t)
	good, err := NewAzureKey(s.Info().KeyVaultKey, credential(t, s, keeper), s.Transport())
	if err != nil {
		t.Fatal(err)
	}
	v := reopen(t, d, good, nil)
	put(t, v, refresh("a"), "a")
	id := func() string { st, _ := Peek(t.Context(), d); return st.Master }()
	answer := func(status int, body string) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			if !strings.Contains(r.URL.Host, "vault") || r.Header.Get("Authorization") == "" {
				return s.Transport().RoundTrip(r)
			}
			return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}, "Retry-After-Ms": {"1"}},
				Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		})
	}
	const leak = "LEAKED-UPSTREAM"
	for name, tt := range map[string]struct {
		cred  string
		over  http.RoundTripper
		words string
		hint  string
	}{
		"no permission":  {"Contoso Control Panel", s.Transport(), "403 Forbidden", "wrapKey and unwrapKey"},
		"throttled":      {keeper, answer(429, `{"error":{"code":"Throttled","message":"`+leak+`"}}`), "429 Throttled", "busy"},
		"gone":           {keeper, answer(404, `{"error":{"code":"KeyNotFound","message":"`+leak+`"}}`), "404 KeyNotFound", "recover"},
		"a strange code": {keeper, answer(400, `{"error":{"code":"`+leak+` 1 2 3","message":"x"}}`), "(400)", "RSA"},
		"no JSON":        {keeper, answer(200, leak), "could not be asked", "network"},
		"another length": {keeper, answer(200, `{"kid":"`+id+`","value":"AAAA"}`), "was changed", "restore"},
		"endless":        {keeper, answer(200, `{"kid":"`+strings.Repeat("x", 2*maxAzureAnswer)+`"}`), "could not be asked", "network"},
		"unreachable":    {keeper, roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New(leak) }), "could not be asked", "network"},
		"sent elsewhere": {keeper, answer(302, ""), "302", "busy"},
	} {
		m, err := newAzureKey(s.Info().KeyVaultKey, credential(t, s, tt.cred), tt.over, time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		_, err = Open(t.Context(), d, m, Options{})
		slog.New(slog.NewTextHandler(&log, nil)).Error("x", "err", err)
		if err == nil || !strings.Contains(err.Error(), tt.words) || !strings.Contains(problem.HintOf(err), tt.hint) {
			t.Errorf("%s: %v (%s)", name, err, problem.HintOf(err))
		}
		var chain func(error)
		chain = func(err error) {
			if strings.Contains(fmt.Sprintf("%v %+v", err, err), leak) || strings.Contains(fmt.Sprint(err), "eyJ") {
				t.Errorf("%s: what the service said is quoted", name)
			}
			if u, ok := err.(interface{ Unwrap() []error }); ok {
				for _, e := range u.Unwrap() {
					chain(e)
				}
			}
		}
		chain(err)
	}
	// Wrapping: an answer that names a key of somebody else is not kept.
	for _, kid := range []string{"https://evil.example/keys/partnerguard/1", "https://contoso-keys.vault.azure.net/keys/other/1",
		"https://contoso-keys.vault.azure.net/keys/partnerguard", "x"} {
		m, err := NewAzureKey(s.Info().KeyVaultKey, credential(t, s, keeper), answer(200, `{"kid":"`+kid+`","value":"AAAA"}`))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Wrap(t.Context(), "v", make([]byte, 32)); err == nil {
			t.Errorf("%s was taken", kid)
		}
	}
}

// The id in the database never decides where a token goes.
func TestAzureKeyOfAnotherVault(t *testing.T) {
	t.Parallel()
	asked := roundTrip(func(r *http.Request) (*http.Response, error) {
		t.Errorf("%s was asked", r.URL.Host)
		return nil, errors.New("no")
	})
	m, err := NewAzureKey("https://mine.vault.azure.net/keys/k", noCredential{}, asked)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"https://evil.vault.azure.net/keys/k/1", "https://mine.vault.azure.net/keys/other/1", "https://mine.vault.azure.net/keys/k",
		"", "https://mine.vault.azure.net/keys/k/../x/1"} {
		if _, err := m.Unwrap(t.Context(), "v", Slot{Kind: kindAzure, ID: id, Wrapped: []byte("x")}); !errors.Is(err, ErrWrongMaster) {
			t.Errorf("%s: %v", id, err)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type noCredential struct{ azcore.TokenCredential }
