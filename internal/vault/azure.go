package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"partnerguard/internal/entra"
	"partnerguard/internal/pattern"
	"partnerguard/internal/problem"
)

// azureKey is a master key that never leaves Azure Key Vault or a managed HSM:
// the data key goes there to be wrapped and unwrapped.
type azureKey struct {
	host, name, version string
	client              *azkeys.Client
}

// azureHosts end the names of key vaults and managed HSMs in each cloud.
func azureHosts() (out []string) {
	for _, c := range entra.Clouds() {
		if !c.Closed {
			out = append(out, "."+c.Vault, "."+c.HSM)
		}
	}
	return out
}

// azureTime is the longest that one wrap or unwrap may take, retries included.
const azureTime = 30 * time.Second

// maxAzureAnswer bounds an answer of the key vault, in bytes.
const maxAzureAnswer = 1 << 20

var azurePart = pattern.Later(`^[0-9A-Za-z-]{1,127}$`)

// parseKeyURL reads https://NAME.vault.azure.net/keys/KEY[/VERSION].
func parseKeyURL(raw string) (host, name, version string, err error) {
	bad := problem.New(problem.Usage, "the master key's URL cannot be used").WithHint("it looks like https://NAME.%s/keys/KEY, with /VERSION to stay on one",
		entra.KeyVaultHost)
	u, perr := url.Parse(raw)
	if perr != nil || u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Port() != "" || len(raw) > 512 {
		return "", "", "", bad
	}
	host = strings.ToLower(u.Host)
	known := false
	for _, end := range azureHosts() {
		if name, ok := strings.CutSuffix(host, end); ok && azurePart.MatchString(name) {
			known = true
		}
	}
	parts := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/")
	if !known || len(parts) < 2 || len(parts) > 3 || parts[0] != "keys" {
		return "", "", "", bad
	}
	for _, p := range parts[1:] {
		if !azurePart.MatchString(p) {
			return "", "", "", bad
		}
	}
	if len(parts) == 3 {
		version = parts[2]
	}
	return host, parts[1], version, nil
}

// NewAzureKey is the RSA key at keyURL in Azure Key Vault, used by RSA-OAEP-256
// through Microsoft's client. Without a version, the newest wraps; whichever
// wrapped unwraps. cred needs the key operations wrapKey and unwrapKey (role Key
// Vault Crypto Service Encryption User); transport nil is the network.
func NewAzureKey(keyURL string, cred azcore.TokenCredential, transport http.RoundTripper) (Master, error) {
	return newAzureKey(keyURL, cred, transport, 500*time.Millisecond)
}

// newAzureKey takes how long to wait before the first retry.
func newAzureKey(keyURL string, cred azcore.TokenCredential, transport http.RoundTripper, wait time.Duration) (Master, error) {
	host, name, version, err := parseKeyURL(keyURL)
	if err != nil {
		return nil, err
	}
	if cred == nil {
		return nil, problem.New(problem.Usage, "a key in Azure Key Vault needs a credential")
	}
	if transport == nil {
		transport = http.DefaultTransport
	}
	web := &http.Client{Transport: limited{transport}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	c, err := azkeys.NewClient("https://"+host, cred, &azkeys.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: web,
		Retry:     policy.RetryOptions{MaxRetries: 3, TryTimeout: 10 * time.Second, RetryDelay: wait, MaxRetryDelay: 10 * wait},
		Telemetry: policy.TelemetryOptions{ApplicationID: "partnerguard"},
	}})
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the key vault's client could not be made")
	}
	return &azureKey{host: host, name: name, version: version, client: c}, nil
}

// limited cuts answers that are longer than any of a key vault.
type limited struct{ next http.RoundTripper }

func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxAzureAnswer), resp.Body}
	}
	return resp, err
}

func (a *azureKey) Describe() string { return "Azure Key Vault key " + a.url("") }

func (a *azureKey) url(version string) string {
	u := "https://" + a.host + "/keys/" + a.name
	if version != "" {
		u += "/" + version
	}
	return u
}

func (a *azureKey) Stale(Slot) bool { return false }

func (a *azureKey) parameters(value []byte) azkeys.KeyOperationParameters {
	return azkeys.KeyOperationParameters{Algorithm: to.Ptr(azkeys.EncryptionAlgorithmRSAOAEP256), Value: value}
}

func (a *azureKey) Wrap(ctx context.Context, _ string, key []byte) (Slot, error) {
	ctx, stop := context.WithTimeout(ctx, azureTime)
	defer stop()
	r, err := a.client.WrapKey(ctx, a.name, a.version, a.parameters(key), nil)
	if err != nil {
		return Slot{}, a.failed(ctx, "wrap", err)
	}
	if r.KID == nil || len(r.Result) == 0 || len(r.Result) > maxKeyset {
		return Slot{}, a.odd("wrap")
	}
	host, name, version, err := parseKeyURL(string(*r.KID))
	if err != nil || version == "" || !a.owns(host, name) {
		return Slot{}, a.odd("wrap")
	}
	return Slot{Kind: kindAzure, ID: a.url(version), Params: `{"algorithm":"RSA-OAEP-256"}`, Wrapped: r.Result}, nil
}

// owns compares as Key Vault does: its names have no case.
func (a *azureKey) owns(host, name string) bool {
	return strings.EqualFold(host, a.host) && strings.EqualFold(name, a.name)
}

func (a *azureKey) Unwrap(ctx context.Context, _ string, s Slot) ([]byte, error) {
	if s.Kind != kindAzure {
		return nil, wrongMaster(s, a.url(a.version), a)
	}
	// The URL comes from the database: it decides the version and nothing else,
	// least of all where a token is sent.
	host, name, version, err := parseKeyURL(s.ID)
	if err != nil || version == "" || !a.owns(host, name) {
		return nil, wrongMaster(s, a.url(a.version), a)
	}
	ctx, stop := context.WithTimeout(ctx, azureTime)
	defer stop()
	r, err := a.client.UnwrapKey(ctx, a.name, version, a.parameters(s.Wrapped), nil)
	if err != nil {
		return nil, a.failed(ctx, "unwrap", err)
	}
	if len(r.Result) != 32 {
		clear(r.Result)
		return nil, slotDamaged(errors.New("the unwrapped data key is not 32 bytes"), s)
	}
	return r.Result, nil
}

func (a *azureKey) odd(what string) error {
	return problem.New(problem.BadInput, "the %s gave an answer to %s that cannot be used", a.Describe(), what)
}

var azureCode = pattern.Later(`^[A-Za-z]{1,60}$`)

// failed says what went wrong without what the service or the credential said:
// their errors carry whole answers.
func (a *azureKey) failed(ctx context.Context, what string, err error) error {
	says := a.Describe()
	if ctx.Err() != nil {
		return problem.Wrap(ctx.Err(), problem.Limit, "the %s did not answer to %s in time", says, what).
			WithHint("check the network and the service's health, then try again")
	}
	r, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok {
		return problem.New(problem.BadInput, "the %s could not be asked to %s: it cannot be reached, or no token for it could be had", says, what).
			WithHint("check the network, and that the credential can get a token for %s", entra.KeyVaultResource)
	}
	code := ""
	if azureCode.MatchString(r.ErrorCode) {
		code = " " + r.ErrorCode
	}
	e := problem.Wrap(fmt.Errorf("key vault: %s: status %d%s", what, r.StatusCode, code), problem.BadInput, "the %s refuses to %s (%d%s)", says, what,
		r.StatusCode, code)
	switch {
	case r.StatusCode == http.StatusUnauthorized || r.StatusCode == http.StatusForbidden:
		return e.WithHint("the credential needs wrapKey and unwrapKey on this key: the role Key Vault Crypto Service Encryption User, or an access " +
			"policy; and the key must be enabled")
	case r.StatusCode == http.StatusNotFound:
		return e.WithHint("the key or this version of it is gone; az keyvault key list-deleted, az keyvault key recover")
	case r.StatusCode == http.StatusBadRequest:
		return e.WithHint("the key must be RSA (or RSA-HSM) and allow wrapKey and unwrapKey; what is unwrapped must be unchanged")
	}
	return e.WithHint("the service is busy or down; try again later")
}
