package msapi

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/time/rate"

	"partnerguard/internal/claim"
	"partnerguard/internal/problem"
)

// Discovery is what we use of a tenant's metadata (contracts.md section 4.6).
type Discovery struct {
	Tenant string // id, from the issuer; "" for common and organizations
	Issuer string // of v2 tokens
	JWKS   string
}

// How long documents are kept, and how soon an unknown key may make us ask again.
const (
	keysLife     = 24 * time.Hour
	keysPause    = 5 * time.Minute
	askEvery     = 10 * time.Second // of one document that fails
	askBurst     = 10
	maxMeta      = 4096
	metaNotFound = "the tenant is not known to the authority"
)

// metaCache keeps discovery documents and keys by authority and tenant.
type metaCache struct {
	mu   sync.Mutex // guards the rest
	docs map[string]kept[Discovery]
	keys map[string]kept[claim.KeySet]
	asks map[string]*rate.Limiter // of documents, by address
	room time.Time                // when asks was last searched for room
}

type kept[T any] struct {
	v  T
	at time.Time
}

func (m *metaCache) doc(key string) kept[Discovery] {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.docs[key]
}

func (m *metaCache) set(jwks string) kept[claim.KeySet] {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.keys[jwks]
}

// fresh says whether something kept at a moment may still be used; a clock that
// went backwards over it makes it old.
func fresh(at, now time.Time, life time.Duration) bool {
	return !at.IsZero() && !now.Before(at) && now.Sub(at) < life
}

// put keeps one more, and never more than a bound.
func put[T any](m map[string]kept[T], key string, v T, at time.Time) map[string]kept[T] {
	if m == nil || len(m) >= maxMeta {
		m = map[string]kept[T]{}
	}
	m[key] = kept[T]{v, at}
	return m
}

// Discover reads a tenant's metadata, at most once a day. The issuer must be
// one that the cloud gives to that tenant, and the keys must be at the authority
// itself: otherwise kind problem.BadInput. A tenant that the authority does not
// know is problem.NotFound.
func (c *Client) Discover(ctx context.Context, cloud Cloud, tenant string) (Discovery, error) {
	if err := cloud.Check(); err != nil {
		return Discovery{}, err
	}
	if err := checkTenant(tenant); err != nil {
		return Discovery{}, err
	}
	tenant = strings.ToLower(tenant)
	key := cloud.Authority + "/" + tenant
	old := c.cache.doc(key)
	if fresh(old.at, c.o.Now(), keysLife) {
		return old.v, nil
	}
	v, err := c.shared(ctx, "doc "+key, func(ctx context.Context) (any, error) {
		// Who looked before the last reading ended and asks after it finds it here.
		if old := c.cache.doc(key); fresh(old.at, c.o.Now(), keysLife) {
			return old.v, nil
		}
		body, err := c.document(ctx, cloud, tenant, "discovery", key+"/v2.0/.well-known/openid-configuration")
		if err != nil {
			return Discovery{}, err
		}
		d, err := readDiscovery(body, cloud, tenant)
		if err != nil {
			return Discovery{}, err
		}
		c.cache.mu.Lock()
		defer c.cache.mu.Unlock()
		c.cache.docs = put(c.cache.docs, key, d, c.o.Now())
		return d, nil
	})
	if err != nil {
		return Discovery{}, err
	}
	return v.(Discovery), nil
}

// Keys gives the signing keys of a tenant. They are kept for a day; a kid that
// is not among them makes us ask again, at most every five minutes, since keys
// roll without notice. kid may be "". A key that says which issuer it belongs to
// is given for that issuer's tenant alone. The result must not be changed.
func (c *Client) Keys(ctx context.Context, cloud Cloud, tenant, kid string) (jose.JSONWebKeySet, error) {
	return c.KeysOf(ctx, cloud, tenant, kid, keysLife)
}

// KeysOf is Keys for who may not use a set older than age, at least five minutes: a key
// that the authority took back is gone then. Where it cannot be asked it is an error, and
// what was known of it stays with who knows it.
func (c *Client) KeysOf(ctx context.Context, cloud Cloud, tenant, kid string, age time.Duration) (jose.JSONWebKeySet, error) {
	age = min(max(age, keysPause), keysLife)
	d, err := c.Discover(ctx, cloud, tenant)
	if err != nil {
		return jose.JSONWebKeySet{}, err
	}
	old := c.cache.set(d.JWKS)
	now := c.o.Now()
	issuers := []string{d.Issuer}
	if d.Tenant != "" {
		issuers = cloud.IssuersOf(d.Tenant)
	}
	known := kid == "" || old.v.Has(kid)
	if fresh(old.at, now, age) && (known || fresh(old.at, now, keysPause)) {
		return old.v.For(d.Tenant, issuers...), nil
	}
	v, err := c.shared(ctx, "keys "+d.JWKS, func(ctx context.Context) (any, error) {
		if old := c.cache.set(d.JWKS); fresh(old.at, c.o.Now(), keysPause) {
			return old.v, nil
		}
		body, err := c.document(ctx, cloud, tenant, "keys", d.JWKS)
		if err != nil {
			return nil, err
		}
		set, err := claim.ReadKeySet(body)
		if err != nil {
			return nil, err
		}
		c.cache.mu.Lock()
		defer c.cache.mu.Unlock()
		c.cache.keys = put(c.cache.keys, d.JWKS, set, c.o.Now())
		return set, nil
	})
	if err != nil {
		return jose.JSONWebKeySet{}, err
	}
	return v.(claim.KeySet).For(d.Tenant, issuers...), nil
}

// shared runs do once for all who ask at the same time. One who gives up does
// not end it for the others.
func (c *Client) shared(ctx context.Context, key string, do func(context.Context) (any, error)) (any, error) {
	ch := c.flight.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*c.o.Timeout)
		defer cancel()
		return do(ctx)
	})
	select {
	case r := <-ch:
		return r.Val, r.Err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// afford says whether a document may be asked for once more. Answers are kept;
// this bounds those that fail, which anyone can ask for with a token of his own.
func (c *Client) afford(where string) bool {
	c.cache.mu.Lock()
	defer c.cache.mu.Unlock()
	l := c.cache.asks[where]
	if l == nil {
		if len(c.cache.asks) >= maxMeta && time.Since(c.cache.room) > time.Second {
			c.cache.room = time.Now()
			maps.DeleteFunc(c.cache.asks, func(_ string, l *rate.Limiter) bool { return l.Tokens() >= askBurst }) // as good as new
		}
		if len(c.cache.asks) >= maxMeta {
			return false // all are being asked at once: nobody's budget is forgotten for another
		}
		if c.cache.asks == nil {
			c.cache.asks = map[string]*rate.Limiter{}
		}
		l = rate.NewLimiter(rate.Every(askEvery), askBurst)
		c.cache.asks[where] = l
	}
	return l.Allow()
}

// document reads a public document of the authority. ctx is a reading's own:
// when it ends, the authority was too slow, and no caller has left.
func (c *Client) document(ctx context.Context, cloud Cloud, tenant, what, where string) ([]byte, error) {
	if !c.afford(where) {
		return nil, problem.New(problem.Limit, "the %s document of %s was asked for too often", what, cloud.Authority).WithHint("try again in a minute")
	}
	req, err := runtime.NewRequest(ctx, http.MethodGet, where)
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the authority's %s address cannot be", what)
	}
	req.Raw().Header.Set("Accept", "application/json")
	res, err := c.send(req, conduct{what: what, tenant: tenant, kind: "meta", pace: paceLogin, again: true})
	switch {
	case err != nil:
		return nil, problem.Wrap(err, problem.Limit, "the %s document of %s could not be read: %s", what, cloud.Authority, onTheWay(err)).
			WithHint("check the network and try again")
	case res.status == http.StatusOK:
		return res.body, nil
	case res.status == http.StatusBadRequest || res.status == http.StatusNotFound:
		return nil, problem.New(problem.NotFound, "%s", metaNotFound).WithHint("check the tenant's id or domain")
	}
	return nil, problem.New(problem.Limit, "the %s document of %s could not be read (HTTP %d)", what, cloud.Authority, res.status).WithHint("try again later")
}

// readDiscovery holds a metadata document to the cloud and the tenant asked for.
func readDiscovery(body []byte, cloud Cloud, tenant string) (Discovery, error) {
	bad := func(why string) (Discovery, error) {
		return Discovery{}, problem.New(problem.BadInput, "the discovery document of %s is not its own: %s", cloud.Authority, why).
			WithHint("is something between here and there rewriting answers?")
	}
	var in struct {
		Issuer string `json:"issuer"`
		JWKS   string `json:"jwks_uri"`
	}
	if json.Unmarshal(body, &in) != nil || len(in.Issuer) > 512 || len(in.JWKS) > 512 {
		return bad("it cannot be read")
	}
	d := Discovery{Issuer: in.Issuer, JWKS: in.JWKS}
	u, err := url.Parse(in.JWKS)
	a, aerr := url.Parse(cloud.Authority)
	if err != nil || aerr != nil || u.Scheme != a.Scheme || !strings.EqualFold(u.Host, a.Host) || u.User != nil || u.Fragment != "" {
		return bad("its keys are elsewhere")
	}
	for part := range strings.SplitSeq(in.Issuer, "/") {
		if isGUID(part) {
			d.Tenant = strings.ToLower(part)
		}
	}
	switch {
	case d.Tenant == "" && strings.Contains(in.Issuer, "/{tenantid}/") && (tenant == "common" || tenant == "organizations"):
		return d, nil
	case d.Tenant == "" || !slices.Contains(cloud.IssuersOf(d.Tenant), strings.ToLower(in.Issuer)) && !slices.Contains(cloud.IssuersOf(d.Tenant), in.Issuer):
		return bad("its issuer is not one of this cloud")
	case isGUID(tenant) && !strings.EqualFold(tenant, d.Tenant):
		return bad("its issuer is another tenant's")
	}
	return d, nil
}
