package capture

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/audit"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
)

// Entra is what is asked of Entra ID; *msapi.Client meets it.
type Entra interface {
	AuthorizeURL(msapi.AuthorizeRequest) (string, error)
	Redeem(context.Context, msapi.RedeemRequest) (*msapi.Grant, error)
	Refresh(context.Context, msapi.RefreshRequest) (*msapi.Grant, error)
	Discover(ctx context.Context, cloud msapi.Cloud, tenant string) (msapi.Discovery, error)
	Keys(ctx context.Context, cloud msapi.Cloud, tenant, kid string) (jose.JSONWebKeySet, error)
}

// Keeper keeps a proven consent, within the transaction that ctx carries;
// *sam.Store meets it.
type Keeper interface {
	InTx(ctx context.Context, do func(context.Context) error) error
	Keep(ctx context.Context, c sam.Captured) (sam.Connection, error)
}

// Deps is everything a Capture needs.
type Deps struct {
	Entra  Entra          // required
	Keeper Keeper         // required, save for checks
	Record audit.Recorder // optional; what it cannot record is not kept
	// Kept runs in the transaction that keeps a consent; optional.
	Kept func(context.Context, sam.Connection) error
	Now  func() time.Time // nil is time.Now
	Log  *slog.Logger     // nil discards
}

// Capture takes consents. Safe for concurrent use.
type Capture struct {
	d       Deps
	waiting *waiting

	mu      sync.Mutex // guards the two below
	strayed int        // forged answers since the last that was recorded
	stray   time.Time  // when that was
}

// New makes a Capture.
func New(d Deps) (*Capture, error) {
	if d.Entra == nil {
		return nil, errors.New("capture: Entra is required")
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Capture{d: d, waiting: newWaiting(d.Now)}, nil
}

// Request is one consent to be captured.
type Request struct {
	Name      string // of the connection; "" keeps the one it has
	Suggested string // for a connection without a name; "" is the account's domain
	Model     sam.Model
	Cloud     msapi.Cloud
	App       msapi.App
	// Tenant whose account must sign in, id or domain: the partner's own, or the
	// one that was invited. Required.
	Tenant string
	// Redirect is one of the app's redirect URIs. For a loopback one without a
	// port, Listen chooses a port.
	Redirect string
	Mode     string // response_mode: "query" (the default) or "form_post"
	Features []Feature
	// Account that must sign in, user principal name or object id; "" is any.
	Account string
	Hint    string // the sign-in page's first guess; "" is Account
	Actor   string // for the trail: "local:USER"
	// Invitation that the request comes from, its id; "" is none. One invitation
	// has few places.
	Invitation string
	// Bind asks for a cookie in the browser that begins, which must come with
	// the answer: for a server's own callback.
	Bind bool
	// Check looks at the proof and keeps nothing: the token comes back to the
	// caller, also without MFA. For a public first-party client.
	Check bool
}

// Begun is a sign-in that waits for its answer.
type Begun struct {
	URL     string      // to be opened in the person's browser
	State   secret.Text // to give it up: Forget
	Binding secret.Text // for the browser's cookie (HttpOnly, Secure, 10 minutes); zero without Bind
	Door    Door        // where the answer comes in
	Until   time.Time
}

// Begin makes the address to open. Kind problem.Usage for a request that cannot
// be, problem.NotFound for a tenant that is not, problem.TooMany when too many wait.
func (c *Capture) Begin(ctx context.Context, r Request) (Begun, error) {
	if r.Mode == "" {
		r.Mode = "query"
	}
	if r.Hint == "" && strings.Contains(r.Account, "@") {
		r.Hint = r.Account
	}
	if err := c.check(&r); err != nil {
		return Begun{}, err
	}
	d, err := c.d.Entra.Discover(ctx, r.Cloud, r.Tenant)
	if err != nil {
		return Begun{}, err
	}
	door, ok := doorOf(r.Redirect, r.Mode, r.Cloud.Authority)
	if d.Tenant == "" || !ok {
		return Begun{}, problem.New(problem.Usage, "the tenant must be one tenant, and the redirect URI an address without query")
	}
	state, binding := token.State(), secret.Text{}
	p := &pending{hash: sha256.Sum256([]byte(state.Reveal())), bound: r.Bind, r: r, tenant: d.Tenant, nonce: token.Nonce(), verify: token.Verifier()}
	if r.Bind {
		binding = token.Text()
		p.binding = sha256.Sum256([]byte(binding.Reveal()))
	}
	where, err := c.d.Entra.AuthorizeURL(msapi.AuthorizeRequest{
		Cloud: r.Cloud, ClientID: r.App.ClientID, Tenant: d.Tenant, Redirect: r.Redirect, Resource: r.Cloud.PartnerCenterResource,
		State: state, Nonce: p.nonce, Challenge: token.Challenge(p.verify), Mode: r.Mode,
		Prompt: "login", LoginHint: r.Hint, AMR: "mfa", MaxAge: Life,
	})
	if err != nil {
		return Begun{}, err
	}
	if err := c.waiting.put(p); err != nil {
		return Begun{}, err
	}
	return Begun{URL: where, State: state, Binding: binding, Door: door, Until: p.at.Add(Life)}, nil
}

// Forget gives a sign-in up: its answer will be refused.
func (c *Capture) Forget(b Begun) { c.waiting.drop(b.State) }

func (c *Capture) check(r *Request) error {
	bad := func(format string, args ...any) error { return problem.New(problem.Usage, format, args...) }
	if err := r.Cloud.Check(); err != nil {
		return err
	}
	u, err := url.Parse(r.Redirect)
	switch {
	case r.Tenant == "" || strings.EqualFold(r.Tenant, "common") || strings.EqualFold(r.Tenant, "organizations") || strings.EqualFold(r.Tenant, "consumers"):
		return problem.New(problem.Usage, "a consent is for one tenant").WithHint("name the partner tenant: its id or one of its domains")
	case r.App.ClientID == "" || r.App.Credential == nil:
		return problem.New(problem.Usage, "the app and its credential are not known").WithHint("register the app first")
	case r.App.Credential.Kind() == msapi.Public && !r.Check:
		return problem.New(problem.Usage, "an app without a credential cannot be kept: its refresh token would work for whoever has it").
			WithHint("give the app a certificate")
	case r.Cloud.PartnerCenterResource == "":
		return bad("the cloud has no Partner Center")
	case r.Mode != "query" && r.Mode != "form_post":
		return bad("there is no response mode %.20q", r.Mode)
	case err != nil || u.Scheme != "https" && !isLoopback(u):
		return bad("the redirect URI is neither https nor this machine")
	case r.Model != sam.CSP && r.Model != sam.CPV && !r.Check:
		return bad("the model is neither csp nor cpv")
	case c.d.Keeper == nil && !r.Check:
		return problem.New(problem.Internal, "there is nowhere to keep a consent")
	}
	return nil
}
