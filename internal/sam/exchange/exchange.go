package exchange

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"partnerguard/internal/claim"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
)

// Connections is the store; *sam.Store meets it.
type Connections interface {
	Find(ctx context.Context, nameOrID string) (sam.Connection, error)
	Token(ctx context.Context, id string) (sam.Held, error)
	App(ctx context.Context, clientID string) (msapi.App, error)
}

// Keeper takes the refresh token that came back, which it may keep instead of
// the one of that generation. A failure is logged and harmless: the old one
// stays valid.
type Keeper interface {
	Offer(ctx context.Context, connection string, generation int64, refresh secret.Text) error
}

// Resolver knows a partner's customers: it gives the tenant id (a GUID) of the
// customer with this domain or tenant id, and problem.NotFound for whoever is
// no customer of that partner.
type Resolver interface {
	Resolve(ctx context.Context, c sam.Connection, customer string) (tenant string, err error)
}

// Deps is everything an Exchange needs. The zero limits are the defaults named.
type Deps struct {
	Connections Connections      // required
	Authority   msapi.Authority  // required
	Resolver    Resolver         // optional: without it a customer is named by tenant id, unchecked
	Keeper      Keeper           // optional
	Log         *slog.Logger     // optional
	Now         func() time.Time // optional: the wall clock, which may jump
	// Mono is the time since some fixed moment, which never jumps; optional.
	Mono func() time.Duration

	MaxTokens   int           // kept; 0 is 10,000
	MaxWaiting  int           // requests under way or waiting, each for another token; 0 is 10,000
	Concurrent  int           // requests of one connection at a time; 0 is 8
	PerTenant   int           // of these for one tenant; 0 is half of Concurrent, at least 1
	Timeout     time.Duration // of one request, its turn not counted; 0 is 45 s
	NegativeFor time.Duration // a final refusal is remembered; 0 is 30 s
	OfferEvery  time.Duration // a new refresh token is offered at most so often a connection; 0 is 1 h
}

// Request says which token is wanted.
type Request struct {
	Connection string   // name or id
	Customer   string   // "" or "partner": the partner's own tenant; else a customer's tenant id or domain
	Resource   string   // identifier URI, or a short name, see [Resource]
	Scopes     []string // of the resource; none: all that the app was granted there (.default)
	Caller     string   // takes turns with other callers
	// Claims is the JSON of a claims challenge: the token is asked for anew with
	// it, and then serves everybody.
	Claims string
	// Fresh wants a token that was asked for after this call began.
	Fresh bool
	// Refused is the SHA-256, in hex, of a token that the resource did not take:
	// when it is the one that is kept, it is asked for anew.
	Refused string
}

// Token is an access token with what is known of it.
type Token struct {
	Access     secret.Text
	Connection string // id
	ClientID   string
	Tenant     string // id
	Resource   string // identifier URI
	Scopes     []string
	Account    string    // its user principal name; "" it does not say
	Wids       []string  // directory roles of the account there, by template id; nil: it does not say
	Expires    time.Time // by our clock
	At         time.Time // when it was asked for
	// Fingerprint is what may be written down of it, see token.Fingerprint.
	Fingerprint string
	// Plain says that Access has letters, digits and -._~+/= only, so that it
	// may be written anywhere as it is.
	Plain bool
}

// Exchange hands out access tokens. Safe for concurrent use.
type Exchange struct {
	d      Deps
	ctx    context.Context // of requests that nobody waits for
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu          sync.Mutex // guards the rest
	cache       cache
	flights     map[key]*flight
	waiting     int
	turns       map[string]*turns // by connection id
	paused      map[place]time.Duration
	connections map[string]known[*sam.Connection] // by name or id, as asked
	tenants     map[place]known[resolved]         // place.tenant is the customer as asked
	offered     map[string]time.Duration

	lookups singleflight.Group // of connections and customers
}

// resolved is what a customer's name stands for; err when it is nobody's.
type resolved struct {
	tenant string
	err    error
}

// place is a tenant as one connection reaches it.
type place struct{ connection, tenant string }

// key says which token it is.
type key struct {
	place
	resource, scope, claims string
	alone                   *flight // makes a key of its own for a fresh token
}

// known is something looked up, with the monotonic time of it.
type known[T any] struct {
	v  T
	at time.Duration
}

const (
	// connectionFor is how long a connection's record is trusted: so soon does a
	// removed or rejected one stop working here.
	connectionFor = 5 * time.Second
	tenantFor     = 10 * time.Minute
	maxKnown      = 20000
	// margin is how long before its end a token is no longer handed out.
	margin = 5 * time.Minute
	// refusedAge: a token younger than this is not asked for anew because a
	// caller says that it was refused.
	refusedAge = 5 * time.Second
	maxPause   = 10 * time.Minute
	maxClaims  = 8 << 10
)

// New makes an Exchange. Close ends what it does in the background.
func New(d Deps) (*Exchange, error) {
	if d.Connections == nil || d.Authority == nil {
		return nil, errors.New("exchange: Connections and Authority are required")
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Mono == nil {
		began := time.Now()
		d.Mono = func() time.Duration { return time.Since(began) }
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	number := func(n *int, def int) {
		if *n <= 0 {
			*n = def
		}
	}
	number(&d.MaxTokens, 10_000)
	number(&d.MaxWaiting, 10_000)
	number(&d.Concurrent, 8)
	number(&d.PerTenant, max(d.Concurrent/2, 1))
	length := func(n *time.Duration, def time.Duration) {
		if *n <= 0 {
			*n = def
		}
	}
	length(&d.Timeout, 45*time.Second)
	length(&d.NegativeFor, 30*time.Second)
	length(&d.OfferEvery, time.Hour)
	x := &Exchange{
		d: d, cache: newCache(d.MaxTokens), flights: map[key]*flight{}, turns: map[string]*turns{}, paused: map[place]time.Duration{},
		connections: map[string]known[*sam.Connection]{}, tenants: map[place]known[resolved]{}, offered: map[string]time.Duration{},
	}
	x.ctx, x.cancel = context.WithCancel(context.Background())
	return x, nil
}

// Close forgets every token, ends what is under way and waits for it.
func (x *Exchange) Close() {
	x.mu.Lock()
	x.cancel() // under the lock: nothing starts after it
	x.mu.Unlock()
	x.done.Wait()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.cache = newCache(x.d.MaxTokens)
}

// Forget drops all that is kept of a connection, by id: after it was healed,
// rejected or removed.
func (x *Exchange) Forget(connection string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.cache.drop(func(k key) bool { return k.connection == connection })
	clear(x.connections)
	for p := range x.paused {
		if p.connection == connection {
			delete(x.paused, p)
		}
	}
}

// Connection gives a connection by name or id, at most some seconds old. It is
// shared: nobody may change it.
func (x *Exchange) Connection(ctx context.Context, nameOrID string) (*sam.Connection, error) {
	if c := x.knownConnection(nameOrID); c != nil {
		return c, nil
	}
	found, err := x.look(ctx, "connection\x00"+nameOrID, func(ctx context.Context) (any, error) {
		// Who looked before the last one ended, and asks after it, finds it here.
		if c := x.knownConnection(nameOrID); c != nil {
			return c, nil
		}
		now := x.d.Mono()
		c, err := x.d.Connections.Find(ctx, nameOrID)
		if err != nil {
			return nil, err
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		if len(x.connections) >= maxKnown {
			clear(x.connections)
		}
		x.connections[nameOrID] = known[*sam.Connection]{&c, now}
		return &c, nil
	})
	if err != nil {
		return nil, err
	}
	return found.(*sam.Connection), nil
}

func (x *Exchange) knownConnection(nameOrID string) *sam.Connection {
	x.mu.Lock()
	defer x.mu.Unlock()
	if k, ok := x.connections[nameOrID]; ok && x.d.Mono()-k.at < connectionFor {
		return k.v
	}
	return nil
}

// Tenant gives the tenant id of a customer as a person names it: "" and
// "partner" are the partner's own tenant.
func (x *Exchange) Tenant(ctx context.Context, c *sam.Connection, customer string) (string, error) {
	customer = strings.ToLower(strings.TrimSpace(customer))
	switch {
	case customer == "" || customer == "partner" || customer == strings.ToLower(c.Tenant):
		return strings.ToLower(c.Tenant), nil
	case len(customer) > 255:
		return "", problem.New(problem.Usage, "no customer has a name of %d characters", len(customer))
	case x.d.Resolver == nil && !isGUID(customer):
		return "", problem.New(problem.Usage, "the customer %q must be named by its tenant id", customer)
	case x.d.Resolver == nil:
		return customer, nil
	}
	p := place{c.ID, customer}
	if k, ok := x.knownTenant(p); ok {
		return k.tenant, k.err
	}
	found, err := x.look(ctx, "customer\x00"+c.ID+"\x00"+customer, func(ctx context.Context) (any, error) {
		if k, ok := x.knownTenant(p); ok {
			return k, nil
		}
		now := x.d.Mono()
		id, err := x.d.Resolver.Resolve(ctx, *c, customer)
		if err != nil && !errors.Is(err, problem.NotFound) {
			return nil, err
		}
		if id = strings.ToLower(id); err == nil && !isGUID(id) {
			return nil, problem.New(problem.Internal, "the customer %q has no tenant id", customer)
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		if len(x.tenants) >= maxKnown {
			clear(x.tenants)
		}
		k := resolved{id, err}
		x.tenants[p] = known[resolved]{k, now}
		return k, nil
	})
	if err != nil {
		return "", err
	}
	k := found.(resolved)
	return k.tenant, k.err
}

func (x *Exchange) knownTenant(p place) (resolved, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	k, ok := x.tenants[p]
	life := tenantFor
	if k.v.err != nil {
		life = x.d.NegativeFor
	}
	return k.v, ok && x.d.Mono()-k.at < life
}

// look shares a lookup among all who want it at the same time. It outlives the
// caller who began it.
func (x *Exchange) look(ctx context.Context, key string, do func(context.Context) (any, error)) (any, error) {
	got := x.lookups.DoChan(key, func() (any, error) {
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), x.d.Timeout)
		defer stop()
		return do(ctx)
	})
	select {
	case r := <-got:
		return r.Val, r.Err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Token gives the token that was asked for. Errors: *msapi.TokenError when
// Entra ID refuses (shared by all who wait for it); *[Busy] when the tenant is
// throttled or too many wait; problem.NotFound for an unknown connection or
// customer; problem.BadInput for a connection that does not work any more, with
// the hint that heals it.
func (x *Exchange) Token(ctx context.Context, r Request) (Token, error) {
	c, err := x.Connection(ctx, r.Connection)
	if err != nil {
		return Token{}, err
	}
	if err := usable(c); err != nil {
		return Token{}, err
	}
	tenant, err := x.Tenant(ctx, c, r.Customer)
	if err != nil {
		return Token{}, err
	}
	resource, err := Resource(c.Cloud, r.Resource)
	if err != nil {
		return Token{}, err
	}
	if resource == c.Cloud.PartnerCenterResource && tenant != strings.ToLower(c.Tenant) {
		return Token{}, problem.New(problem.Usage, "Partner Center is asked in the partner's own tenant, not in a customer's").
			WithHint("leave the customer out; the customer is part of Partner Center's address")
	}
	if len(r.Claims) > maxClaims {
		return Token{}, problem.New(problem.Limit, "the claims challenge is longer than %d bytes", maxClaims)
	}
	scope, err := scopeOf(resource, r.Scopes)
	if err != nil {
		return Token{}, err
	}
	k := key{place: place{c.ID, tenant}, resource: resource, scope: scope, claims: r.Claims}
	return x.token(ctx, k, c, &r)
}

// usable refuses a connection that is not active.
func usable(c *sam.Connection) error {
	if c.State == sam.Active {
		return nil
	}
	words, fix := "its state is "+string(c.State), "run partnerguard connect to sign in again with MFA"
	if c.Trouble != nil && c.Trouble.Words != "" {
		words = c.Trouble.Words
		if c.Trouble.Fix != "" {
			fix = c.Trouble.Fix
		}
	}
	return problem.New(problem.BadInput, "the connection %s does not work any more: %s", c.Name, words).WithHint("%s", fix)
}

// Access says which scopes the app has at a tenant for a resource, as the
// token there says.
func (x *Exchange) Access(ctx context.Context, connection, tenant, resource string) (scopes []string, err error) {
	t, err := x.Token(ctx, Request{Connection: connection, Customer: tenant, Resource: resource, Caller: "consent"})
	return t.Scopes, err
}

// FreshAccess is Access by a token that was asked for after this call began:
// for use after a consent was changed.
func (x *Exchange) FreshAccess(ctx context.Context, connection, tenant, resource string) (scopes []string, err error) {
	t, err := x.Token(ctx, Request{Connection: connection, Customer: tenant, Resource: resource, Caller: "consent", Fresh: true})
	return t.Scopes, err
}

// ask does the exchange itself.
func (x *Exchange) ask(ctx context.Context, k key, c *sam.Connection) (Token, error) {
	held, err := x.d.Connections.Token(ctx, c.ID)
	if err != nil {
		return Token{}, err
	}
	app, err := x.d.Connections.App(ctx, c.ClientID)
	if err != nil {
		return Token{}, err
	}
	g, err := x.d.Authority.Refresh(ctx, msapi.RefreshRequest{Cloud: c.Cloud, App: app, Tenant: k.tenant, Refresh: held.Current, Scope: k.scope,
		Claims: k.claims})
	if err != nil {
		return Token{}, err
	}
	seen := claim.Inspect(g.Access)
	if !seen.Opaque && !strings.EqualFold(seen.Tenant, k.tenant) {
		return Token{}, problem.New(problem.Internal, "Entra ID answered with a token of another tenant than was asked for").
			WithHint("nothing was handed out; tell the maintainers")
	}
	if !g.Refresh.IsZero() {
		x.offer(c.ID, held.Generation, g.Refresh)
	}
	return Token{
		Account: seen.Account, Wids: seen.Wids, Access: g.Access, Connection: c.ID, ClientID: c.ClientID, Tenant: k.tenant, Resource: k.resource,
		Scopes: granted(&seen, g.Scope, k.resource), Expires: g.Expires, At: g.At,
		Fingerprint: token.Fingerprint(g.Access), Plain: plain(g.Access.Reveal()),
	}, nil
}

// plain says whether s is of the characters of a bearer token (RFC 6750
// section 2.1).
func plain(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-._~+/=", r))
	})
}

// granted are the scopes that a token carries: its own scp, or what the answer
// said when the token cannot be read.
func granted(t *claim.Token, answered []string, resource string) []string {
	list := slices.Clone(t.Scopes)
	if len(list) == 0 && t.Opaque {
		for _, s := range answered {
			s = strings.TrimPrefix(s, resource+"/")
			switch s {
			case ".default", "offline_access", "openid", "profile", "email":
			default:
				list = append(list, s)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// offer hands the new refresh token to the keeper, now and then.
func (x *Exchange) offer(connection string, generation int64, refresh secret.Text) {
	if x.d.Keeper == nil {
		return
	}
	now := x.d.Mono()
	x.mu.Lock()
	last, ok := x.offered[connection]
	due := !ok || now-last >= x.d.OfferEvery
	if due {
		x.offered[connection] = now
	}
	x.mu.Unlock()
	if !due {
		return
	}
	x.done.Go(func() {
		ctx, stop := context.WithTimeout(x.ctx, x.d.Timeout)
		defer stop()
		if err := x.d.Keeper.Offer(ctx, connection, generation, refresh); err != nil {
			x.d.Log.Warn("the new refresh token was not kept; the old one stays valid", "connection", connection, "error", err.Error())
		}
	})
}

// Busy says that a token cannot be had just now, and when to ask again.
type Busy struct {
	After time.Duration // at least a second
	words string
}

// Error is a sentence for anyone.
func (b *Busy) Error() string {
	return fmt.Sprintf("%s; ask again in %d s", b.words, int(b.After.Seconds()+0.999))
}

// Unwrap makes it a problem of kind Limit.
func (b *Busy) Unwrap() error { return problem.Limit }

func busy(after time.Duration, words string) *Busy { return &Busy{max(after, time.Second), words} }
