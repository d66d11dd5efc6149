package eam

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Limits of what is fetched.
const (
	maxBody   = 256 << 10
	fetchTime = 10 * time.Second
	cacheLife = 24 * time.Hour
	// A key that is not known is looked for again, but not more often.
	refetch   = 5 * time.Minute
	maxCached = 256
	maxToken  = 32 << 10
	suffix    = "/.well-known/openid-configuration"
)

// Provider is what discovery says of a provider, checked.
type Provider struct {
	Issuer        string
	Authorization string // authorization_endpoint

	jwks string
}

// Client reads providers. Safe for concurrent use.
type Client struct {
	http *http.Client
	now  func() time.Time

	mu    sync.Mutex // guards the rest
	seen  map[string]cached
	keys  map[string]cachedKeys
	tried map[string]time.Time // last look for keys
}

type cached struct {
	p  Provider
	at time.Time
}

type cachedKeys struct {
	set jose.JSONWebKeySet
	at  time.Time
}

// NewClient makes a client that fetches by a transport and keeps what it read
// by a clock. Redirects are not followed.
func NewClient(rt http.RoundTripper, now func() time.Time) *Client {
	return &Client{
		http: &http.Client{Transport: rt, Timeout: fetchTime, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		now:  now, seen: map[string]cached{}, keys: map[string]cachedKeys{}, tried: map[string]time.Time{},
	}
}

// Discover reads a provider's metadata, or gives what is not 24 hours old. The
// error says what the provider does wrong (contracts.md section 6.1).
func (c *Client) Discover(ctx context.Context, discovery string) (Provider, error) {
	now := c.now()
	c.mu.Lock()
	hit, ok := c.seen[discovery]
	c.mu.Unlock()
	if ok && now.Sub(hit.at) < cacheLife {
		return hit.p, nil
	}
	issuer, ok := strings.CutSuffix(discovery, suffix)
	if !ok || !fetchable(discovery) {
		return Provider{}, errors.New("the discovery address does not end in " + suffix + ", is not https, or has a query")
	}
	body, err := c.fetch(ctx, discovery)
	if err != nil {
		return Provider{}, err
	}
	p, err := parse(body, issuer)
	if err != nil {
		return Provider{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.seen) >= maxCached {
		clear(c.seen)
	}
	c.seen[discovery] = cached{p, now}
	return p, nil
}

// fetchable allows https, and http on this very machine: nothing else leaves it.
func fetchable(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.RawQuery != "" || u.Fragment != "" || u.User != nil || u.Host == "" {
		return false
	}
	return u.Scheme == "https" && u.Port() != "443" || u.Scheme == "http" && slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname())
}

// parse checks the members that a provider must serve.
func parse(body []byte, issuer string) (Provider, error) {
	var d struct {
		Issuer        string   `json:"issuer"`
		Authorization string   `json:"authorization_endpoint"`
		JWKS          string   `json:"jwks_uri"`
		Scopes        []string `json:"scopes_supported"`
		Types         []string `json:"response_types_supported"`
		Modes         []string `json:"response_modes_supported"`
		Subjects      []string `json:"subject_types_supported"`
		Algorithms    []string `json:"id_token_signing_alg_values_supported"`
		Grants        []string `json:"grant_types_supported"`
		Claims        []string `json:"claim_types_supported"`
	}
	if err := json.Unmarshal(body, &d); err != nil {
		return Provider{}, errors.New("the provider's metadata is not JSON of the expected shape")
	}
	if d.Issuer != issuer {
		return Provider{}, errors.New("the provider's issuer is not its discovery address without " + suffix)
	}
	for _, need := range []struct {
		list []string
		want string
		name string
	}{
		{d.Scopes, "openid", "scopes_supported"}, {d.Types, "id_token", "response_types_supported"}, {d.Modes, "form_post", "response_modes_supported"},
		{d.Algorithms, "RS256", "id_token_signing_alg_values_supported"}, {d.Grants, "implicit", "grant_types_supported"},
		{d.Claims, "normal", "claim_types_supported"},
	} {
		if need.name == "claim_types_supported" && need.list == nil {
			continue // optional, but what is there has to hold it
		}
		// The contract itself prints "Id_token" in one place.
		if !slices.ContainsFunc(need.list, func(have string) bool {
			return have == need.want || need.want == "id_token" && strings.EqualFold(have, need.want)
		}) {
			return Provider{}, fmt.Errorf("the provider's %s lacks %s", need.name, need.want)
		}
	}
	u, err := url.Parse(d.Authorization)
	if err != nil || len(d.Subjects) == 0 || !fetchable(d.JWKS) || u.Host == "" || u.User != nil || u.Fragment != "" || !fetchable(u.Scheme+"://"+u.Host) {
		return Provider{}, errors.New("the provider's metadata lacks a usable authorization_endpoint, jwks_uri or subject_types_supported")
	}
	return Provider{Issuer: d.Issuer, Authorization: d.Authorization, jwks: d.JWKS}, nil
}

func (c *Client) fetch(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("the provider's address cannot be used")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Accept-Encoding", "identity") // the length is that of the answer
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, errors.New("the provider cannot be reached")
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the provider answered with status %d", resp.StatusCode)
	}
	if resp.ContentLength < 0 {
		return nil, errors.New("the provider's answer has no Content-Length")
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		return nil, errors.New("the provider's answer was cut short or is too long")
	}
	return body, nil
}

// Verify checks the signature of a provider's id_token and gives its payload:
// RS256 by a key of the provider's key set that the header names. A key without
// its certificate (x5c) counts for nothing (contracts-2026-11.md section 0).
func (c *Client) Verify(ctx context.Context, p Provider, token string) ([]byte, error) {
	if len(token) > maxToken {
		return nil, errors.New("the id_token is too long")
	}
	sig, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil || len(sig.Signatures) != 1 {
		return nil, errors.New("the id_token is not a compact JWS with RS256")
	}
	kid := sig.Signatures[0].Protected.KeyID
	if kid == "" {
		return nil, errors.New("the id_token names no key")
	}
	set, err := c.keySet(ctx, p, kid)
	if err != nil {
		return nil, err
	}
	for _, k := range set.Key(kid) {
		if payload, err := sig.Verify(k.Key); err == nil {
			return payload, nil
		}
	}
	return nil, &BadSignature{Issuer: p.Issuer, KeyID: kid}
}

// BadSignature says that no key that the provider publishes under the name of its
// id_token's verifies it. Entra ID tells the issuer and the key's name
// (contracts-2026-11.md section 0).
type BadSignature struct{ Issuer, KeyID string }

// Error says so in words.
func (b *BadSignature) Error() string {
	return fmt.Sprintf("the id_token's signature does not fit, or its key is not published: issuer %s, KeyID %s", b.Issuer, b.KeyID)
}

// parseKeys reads a provider's key set, in which every key has all that a provider has
// to publish (contracts.md section 6.1; x5c: contracts-2026-11.md section 0).
func parseKeys(body []byte) (set jose.JSONWebKeySet, err error) {
	var all struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(body, &all) != nil || len(all.Keys) == 0 {
		return set, errors.New("the provider's keys cannot be read")
	}
	for _, raw := range all.Keys {
		var m map[string]json.RawMessage
		var k jose.JSONWebKey
		if json.Unmarshal(raw, &m) != nil || json.Unmarshal(raw, &k) != nil || !k.IsPublic() {
			return set, errors.New("the provider's keys cannot be read")
		}
		for _, name := range []string{"kty", "use", "kid", "n", "e", "alg", "x5t", "x5c"} {
			if _, there := m[name]; !there {
				return set, fmt.Errorf("a key of the provider is published without %s", name)
			}
		}
		switch {
		case len(k.Certificates) == 0:
			return set, errors.New("a key of the provider is published without x5c")
		case k.Use != "sig" || k.Algorithm != string(jose.RS256):
			return set, errors.New("a key of the provider is not for RS256 signatures")
		}
		set.Keys = append(set.Keys, k)
	}
	return set, nil
}

// keySet gives the provider's keys, read again when they are old or lack a kid.
func (c *Client) keySet(ctx context.Context, p Provider, kid string) (*jose.JSONWebKeySet, error) {
	now := c.now()
	c.mu.Lock()
	hit, ok := c.keys[p.jwks]
	fresh := ok && now.Sub(hit.at) < cacheLife
	if fresh && (len(hit.set.Key(kid)) > 0 || now.Sub(c.tried[p.jwks]) < refetch) {
		c.mu.Unlock()
		return &hit.set, nil
	}
	c.mu.Unlock()
	body, err := c.fetch(ctx, p.jwks)
	if err != nil {
		return nil, err
	}
	set, err := parseKeys(body)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.keys) >= maxCached {
		clear(c.keys)
		clear(c.tried)
	}
	c.keys[p.jwks], c.tried[p.jwks] = cachedKeys{set, now}, now
	return &set, nil
}
