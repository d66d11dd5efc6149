package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/caller"
	"partnerguard/internal/db"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/exchange"
)

// Exchange is where tokens come from; *exchange.Exchange meets it.
type Exchange interface {
	Connection(ctx context.Context, nameOrID string) (*sam.Connection, error)
	Tenant(ctx context.Context, c *sam.Connection, customer string) (string, error)
	Token(ctx context.Context, r exchange.Request) (exchange.Token, error)
}

// Past is what is remembered of approvals beside their rows.
type Past interface {
	// Approved says that an approval was given and not withdrawn since.
	Approved(ctx context.Context, id, connection string) (bool, error)
}

// Deps is everything a Broker needs.
type Deps struct {
	Exchange Exchange         // required
	Trail    audit.Recorder   // required: without it nothing is handed out
	DB       *db.DB           // keeps approvals; a policy with approvals needs it
	Marks    Marks            // vouches for approvals; required with DB
	Past     Past             // remembers approvals; without it one that was withdrawn and is put back counts
	Log      *slog.Logger     // optional
	Now      func() time.Time // optional: the installation's time, which hours and tokens go by
	// Machine is the callers' time, by which they read expires_on; default
	// time.Now. It differs from Now where the cloud is the local one and its
	// clock was moved.
	Machine func() time.Time
}

// Broker decides and hands out. Safe for concurrent use.
type Broker struct {
	d      Deps
	ledger *ledger
	policy atomic.Pointer[Policy]
}

// New makes a broker without a policy: it allows local callers only.
func New(d Deps) (*Broker, error) {
	if d.Exchange == nil || d.Trail == nil {
		return nil, errors.New("broker: Exchange and Trail are required")
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Machine == nil {
		d.Machine = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	b := &Broker{d: d, ledger: newLedger(d.Trail, d.Now, d.Log)}
	b.policy.Store(&Policy{Version: 1, who: &caller.Rules{}})
	return b, nil
}

// SetPolicy puts another policy in place for the next request.
func (b *Broker) SetPolicy(p *Policy) error {
	if b.d.DB == nil {
		for _, c := range p.Callers {
			if slices.ContainsFunc(c.Grants, func(g Grant) bool { return g.Approval != nil }) {
				return problem.New(problem.Internal, "a policy with approvals needs the database")
			}
		}
	}
	own := *p
	own.who = p.rules()
	b.policy.Store(&own)
	return nil
}

// Close writes the refusals that were counted and not written yet.
func (b *Broker) Close(ctx context.Context) error { return b.ledger.close(ctx) }

// Caller is who asks, once it has proven itself.
type Caller struct {
	Name    string // in the policy, or of the local command
	Actor   string // for the audit trail: "local:USER", "mtls:NAME", "oidc:NAME"
	Subject string // what proved it: a certificate's key, a token's subject; approvals are for this one
	Default string // the customer meant when it names none
	local   bool   // of this machine's command line: there is no policy file behind it
	grants  []Grant
}

// Ask is what a caller asks for, as it was written.
type Ask struct {
	Customer string // "" is the caller's default
	Resource string
	Refused  string // SHA-256 in hex of a token that the resource refused
	// Subject is what the caller proves itself by, for Explain: approvals are for
	// one. Requests bring their own proof instead.
	Subject string
}

// Decision is an answer with its reasons.
type Decision struct {
	Allowed bool   `json:"allowed"`
	Words   string `json:"words"`         // one sentence
	Fix     string `json:"fix,omitempty"` // what to do next, for a refusal
	// Steps say of every grant why it allows it or not.
	Steps      []string  `json:"steps"`
	Connection string    `json:"connection,omitempty"` // id
	Name       string    `json:"name,omitempty"`       // of the connection
	Tenant     string    `json:"tenant,omitempty"`     // id
	Resource   string    `json:"resource,omitempty"`   // identifier URI
	Approval   string    `json:"approval,omitempty"`   // the id of an approval that is waited for
	Until      time.Time `json:"until,omitzero"`       // the permission's own end: of the hours, of an approval

	grant *Grant
	far   int // how many parts of the closest grant allowed it
}

// Handout is a token for a caller.
type Handout struct {
	exchange.Token
	// Until is when the caller is to ask again: the token's end or sooner.
	Until time.Time
}

// Refusal is why a caller gets nothing. Words are safe to show to the caller.
type Refusal struct {
	Status     int // of HTTP
	Words, Fix string
	RetryAfter time.Duration // when asking again may help
	cause      error
}

// Error is the sentence with what to do next.
func (r *Refusal) Error() string {
	if r.Fix == "" {
		return r.Words
	}
	return r.Words + " (" + r.Fix + ")"
}

// Unwrap gives what was behind it.
func (r *Refusal) Unwrap() error { return r.cause }

// Explain says what the policy answers a caller, without handing anything out
// or asking for an approval. caller is a name in the policy.
func (b *Broker) Explain(ctx context.Context, caller string, ask Ask) (Decision, error) {
	for _, r := range b.policy.Load().Callers {
		if r.Name == caller {
			c := r.caller("", ask.Subject)
			d := b.decide(ctx, &c, ask)
			if d.far == 5 && ask.Subject == "" {
				d.Fix = "an approval is for what the caller proves itself by: name its subject to see one"
			}
			if d.Allowed {
				d.Words = fmt.Sprintf("allowed: %s in tenant %s, by the connection %s (%s)", d.Resource, d.Tenant, d.Connection, d.Name)
				d.Steps = append(d.Steps, fmt.Sprintf("grant %d: %s", len(d.Steps)+1, d.Words))
			}
			return d, nil
		}
	}
	return Decision{}, problem.New(problem.NotFound, "the policy has no caller %q", caller)
}

func (r *CallerRule) caller(actor, subject string) Caller {
	return Caller{Name: r.Name, Actor: actor, Subject: subject, Default: r.Default, grants: r.Grants}
}

// decide looks for the first grant that allows what is asked.
func (b *Broker) decide(ctx context.Context, c *Caller, ask Ask) Decision {
	best := Decision{far: -1, Words: "nothing is granted to this caller"}
	var steps []string
	for i := range c.grants {
		d := b.try(ctx, c, &c.grants[i], ask)
		if d.Allowed {
			d.Steps = steps
			return d
		}
		steps = append(steps, fmt.Sprintf("grant %d: %s", i+1, d.Words))
		if d.far > best.far {
			best = d
		}
	}
	best.Steps = steps
	if best.Fix == "" {
		best.Fix = "whoever keeps the policy can allow it"
		if c.local {
			best.Fix = "what the command may have is on its line: --customer, --resource"
		}
	}
	return best
}

// try asks one grant. What needs no look-up in the cloud comes first: which
// connection, which resource, when. So nobody has names looked up for whom
// nothing could come of it.
func (b *Broker) try(ctx context.Context, c *Caller, g *Grant, ask Ask) Decision {
	d := Decision{grant: g}
	no := func(format string, args ...any) Decision { d.Words = fmt.Sprintf(format, args...); return d }
	conn, err := b.d.Exchange.Connection(ctx, g.Connection)
	if err != nil {
		return no("the connection %s cannot be used: %s", g.Connection, public(err))
	}
	d.Connection, d.Name, d.far = conn.ID, conn.Name, 1
	if d.Resource, err = exchange.Resource(conn.Cloud, ask.Resource); err != nil {
		return no("%s", public(err))
	}
	if !g.covers(conn, d.Resource) {
		return no("the resource %s is not among %s", d.Resource, strings.Join(g.Resources, ", "))
	}
	d.far = 2
	now := b.d.Now()
	if g.Hours != nil {
		until, open := g.Hours.open(now)
		if !open {
			return no("it is allowed only %s", g.Hours)
		}
		d.Until = until
	}
	d.far = 3
	customer := ask.Customer
	if customer == "" {
		customer = c.Default
	}
	// Whom nothing is granted about a customer learns nothing about it either: the
	// name is looked up only when it may be one of the grant's.
	if !b.mayName(ctx, conn, customer, g.Tenants) {
		return no("the customer is not among %s; name it as the policy does", strings.Join(g.Tenants, ", "))
	}
	if d.Tenant, err = b.d.Exchange.Tenant(ctx, conn, customer); err != nil {
		// Not the policy's doing: the words and the way out are those of who knows.
		d.Fix = problem.HintOf(err)
		return no("%s", public(err))
	}
	if ok, why := b.tenantIn(ctx, conn, d.Tenant, g.Tenants); !ok {
		return no("%s", why)
	}
	d.far = 4
	if g.Approval != nil {
		a, err := b.approval(ctx, c, &d)
		if err != nil {
			return no("the approvals cannot be read")
		}
		if !a.good(now) {
			d.far = 5 // only a person's yes is missing
			d.Approval = a.ID
			return no("it waits for the approval of %s", strings.Join(g.Approval.By, " or "))
		}
		if d.Until.IsZero() || a.Until.Before(d.Until) {
			d.Until = a.Until
		}
	}
	d.Allowed = true
	return d // without words: nobody reads them on the way to a token
}

// covers says whether a grant names a resource, an identifier URI.
func (g *Grant) covers(conn *sam.Connection, resource string) bool {
	return slices.ContainsFunc(g.Resources, func(name string) bool {
		r, err := exchange.Resource(conn.Cloud, name)
		return err == nil && r == resource
	})
}

// mayName says whether a customer, as it was asked for, can be one that the list
// allows. It looks up the names of the list and never the one that was asked for.
func (b *Broker) mayName(ctx context.Context, conn *sam.Connection, customer string, list []string) bool {
	return slices.ContainsFunc(list, func(name string) bool {
		switch {
		case name == AllCustomers, strings.EqualFold(name, customer):
			return true
		case name == Partner:
			return customer == "" || strings.EqualFold(customer, conn.Tenant) || strings.EqualFold(customer, conn.Domain)
		}
		id, err := b.d.Exchange.Tenant(ctx, conn, name)
		return err == nil && strings.EqualFold(id, customer)
	})
}

func (b *Broker) tenantIn(ctx context.Context, conn *sam.Connection, tenant string, list []string) (bool, string) {
	home := strings.EqualFold(tenant, conn.Tenant)
	unknown := ""
	for _, name := range list {
		switch {
		case name == Partner:
			if home {
				return true, ""
			}
		case name == AllCustomers:
			if home {
				continue
			}
			// Known as a customer, whatever way it was named.
			if id, err := b.d.Exchange.Tenant(ctx, conn, tenant); err == nil && id == tenant {
				return true, ""
			}
		case strings.EqualFold(name, tenant):
			return true, ""
		default:
			id, err := b.d.Exchange.Tenant(ctx, conn, name)
			if err != nil {
				unknown = fmt.Sprintf(" (%s cannot be found: %s)", name, public(err))
			} else if id == tenant {
				return true, ""
			}
		}
	}
	what := "the customer" // as it was asked for: its tenant's id is not told
	if home {
		what = "the partner's own tenant"
	}
	return false, fmt.Sprintf("%s is not among %s%s", what, strings.Join(list, ", "), unknown)
}

// public is what may be said of an error.
func public(err error) string {
	if e, ok := errors.AsType[*problem.Error](err); ok {
		return e.Public
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return "the caller left"
	}
	return "an error inside"
}

// Token hands a token out: decided, fetched, recorded, in this order. The error
// is always a *Refusal.
func (b *Broker) Token(ctx context.Context, c *Caller, ask Ask) (Handout, error) {
	d := b.decide(ctx, c, ask)
	if !d.Allowed {
		if d.far == 5 {
			if err := b.await(ctx, c, &d); err != nil {
				return Handout{}, b.refuse(ctx, c, ask, &d, &Refusal{Status: http.StatusForbidden, Words: "the approval could not be asked for: " +
					public(err), cause: err}, audit.Failed)
			}
		}
		return Handout{}, b.refuse(ctx, c, ask, &d, &Refusal{Status: http.StatusForbidden, Words: d.Words, Fix: d.Fix}, audit.Refused)
	}
	t, err := b.d.Exchange.Token(ctx, exchange.Request{
		Connection: d.Connection, Customer: d.Tenant, Resource: d.Resource, Scopes: d.grant.Scopes, Caller: c.Name, Refused: ask.Refused,
	})
	if err != nil {
		if ctx.Err() != nil {
			return Handout{}, &Refusal{Status: http.StatusServiceUnavailable, Words: "the caller left", cause: err}
		}
		return Handout{}, b.refuse(ctx, c, ask, &d, refusalOf(err), audit.Failed)
	}
	if !strings.EqualFold(t.Tenant, d.Tenant) || t.Resource != d.Resource { // a mistake of ours must not reach anybody
		return Handout{}, b.refuse(ctx, c, ask, &d, &Refusal{Status: http.StatusInternalServerError, Words: "the token is not what was asked for"},
			audit.Failed)
	}
	if more := beyond(t.Scopes, d.grant.Scopes); len(more) > 0 {
		return Handout{}, b.refuse(ctx, c, ask, &d, &Refusal{
			Status: http.StatusForbidden, Words: "the token carries more than the policy allows: " + strings.Join(more, ", "),
			Fix: "allow these scopes, or take them out of the consent",
		}, audit.Refused)
	}
	now := b.d.Now()
	left := t.Expires.Sub(now)
	if most := d.grant.Lifetime; most > 0 && left > most {
		return Handout{}, b.refuse(ctx, c, ask, &d, &Refusal{
			Status: http.StatusForbidden, Words: fmt.Sprintf("the token would live %s and the policy allows %s", left.Round(time.Second), most),
			Fix: "a token cannot be shortened: allow more, or set recheck",
		}, audit.Refused)
	}
	h := Handout{Token: t, Until: t.Expires}
	if soon := now.Add(d.grant.Recheck); d.grant.Recheck > 0 && soon.Before(h.Until) {
		h.Until = soon
	}
	if !d.Until.IsZero() && d.Until.Before(h.Until) {
		h.Until = d.Until
	}
	details := map[string]string{"resource": t.Resource, "fingerprint": t.Fingerprint, "expires": t.Expires.UTC().Format(time.RFC3339)}
	if len(d.grant.Scopes) > 0 {
		details["scopes"] = strings.Join(t.Scopes, " ")
	}
	if c.Subject != "" {
		details["subject"] = cut(c.Subject, maxSubject)
	}
	e := audit.Event{At: now, Action: audit.TokenIssued, Outcome: audit.Done, Actor: c.Actor, Object: t.Connection, Tenant: t.Tenant, Details: details}
	if err := b.d.Trail.Record(ctx, e); err != nil {
		b.d.Log.Error("a token was not handed out: the audit trail could not be written", "caller", c.Name, "error", err.Error())
		return Handout{}, &Refusal{Status: http.StatusServiceUnavailable, Words: "the audit trail cannot be written, so no token is handed out",
			RetryAfter: 5 * time.Second, cause: err}
	}
	return h, nil
}

// maxSubject is how much of a subject is written down where only people read it.
const maxSubject = 200

// beyond are the scopes that are not allowed; nothing allowed means all.
func beyond(have, allowed []string) (more []string) {
	if len(allowed) == 0 {
		return nil
	}
	for _, s := range have {
		if !slices.ContainsFunc(allowed, func(a string) bool { return strings.EqualFold(a, s) }) &&
			!slices.Contains([]string{"openid", "profile", "email", "offline_access"}, s) {
			more = append(more, s)
		}
	}
	return more
}

// refusalOf turns a failed exchange into what the caller sees.
func refusalOf(err error) *Refusal {
	if b, ok := errors.AsType[*exchange.Busy](err); ok {
		return &Refusal{Status: http.StatusTooManyRequests, Words: b.Error(), RetryAfter: b.After, cause: err}
	}
	if e, ok := errors.AsType[*msapi.TokenError](err); ok {
		r := &Refusal{Status: http.StatusBadRequest, Words: e.Public(), Fix: e.Fix(), cause: err}
		if e.Transient {
			r.Status, r.RetryAfter = http.StatusServiceUnavailable, max(e.RetryAfter, time.Second)
		}
		return r
	}
	r := &Refusal{Status: http.StatusBadRequest, Words: public(err), Fix: problem.HintOf(err), cause: err}
	if _, ok := errors.AsType[*problem.Error](err); !ok || errors.Is(err, problem.Internal) {
		r.Status = http.StatusInternalServerError
	}
	return r
}

// refuse writes a refusal down, as the ledger sees fit, and gives it back.
func (b *Broker) refuse(ctx context.Context, c *Caller, ask Ask, d *Decision, r *Refusal, outcome audit.Outcome) *Refusal {
	e := audit.Event{Action: audit.TokenRefused, Outcome: outcome, Actor: c.Actor, Object: d.Connection, Tenant: d.Tenant, Reason: r.Words,
		Details: map[string]string{"caller": c.Name}}
	if d.Resource != "" {
		e.Details["resource"] = d.Resource
	} else if ask.Resource != "" {
		e.Details["asked"] = ask.Resource
	}
	if d.Tenant == "" && ask.Customer != "" {
		e.Details["customer"] = ask.Customer
	}
	if c.Subject != "" {
		e.Details["subject"] = cut(c.Subject, maxSubject)
	}
	if d.Approval != "" {
		e.Details["approval"] = d.Approval
		r.Fix = "approval " + d.Approval
	}
	b.ledger.refused(ctx, e)
	return r
}
