package provider

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"partnerguard/internal/audit"
	"partnerguard/internal/claim"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// The errors that Entra ID is given (OpenID Connect Core 3.1.2.6).
const (
	AccessDenied = "access_denied"
	Unavailable  = "temporarily_unavailable"
)

// Reasons for which a request is not taken, beside the flaws of package claim.
const (
	badForm      = "bad request"        // the form is not one of Entra ID's
	badClient    = "bad client"         // another client id than the tenant's
	badWanted    = "bad claims"         // the claims field cannot be read
	noFactor     = "no factor of ours"  // what is asked for is none of what we have
	noKeys       = "keys unreachable"   // Entra ID's
	notOurs      = "tenant not served"  //
	broken       = "not kept"           // the database or the vault does not answer
	tooLate      = "late"               // the five minutes are over
	notAnswering = "challenge not kept" // no page could be shown
)

// refusal is why a request is not taken: for the administrator, and never for whoever
// sent it.
type refusal struct {
	reason      string // one of the above, or a claim.Flaw
	why         string // a sentence
	code        string // for Entra ID
	tenant      string // a tenant that is served, by the hint, proven or not; "" else
	proven      bool   // Entra ID signed the hint
	correlation string
	source      string
}

// denied makes a refusal of an error of claim.VerifyHint, or of what keeps hints.
func denied(err error) refusal {
	r := refusal{reason: broken, why: words(err), code: Unavailable}
	var flaw claim.Flaw
	if errors.As(err, &flaw) {
		r.reason, r.code = string(flaw), AccessDenied
		r.proven = flaw == claim.Expired || flaw == claim.NotYetValid || flaw == claim.Replayed || flaw == claim.BadAudience ||
			flaw == claim.BadSetUp || flaw == claim.BadClaim || flaw == claim.BadIssuer
	}
	return r
}

// words are what may be told of an error.
func words(err error) string {
	if e, ok := errors.AsType[*problem.Error](err); ok && !errors.Is(e.Kind, problem.Internal) {
		return e.Public
	}
	return "it did not work here"
}

// Count is how often something happened on a day, for one tenant or for none.
type Count struct {
	Day    string    `json:"day"`  // 2026-11-30, UTC
	What   string    `json:"what"` // "asked", "answered", "denied", or "refused: " and the reason
	Tenant string    `json:"tenant,omitempty"`
	N      int64     `json:"n"`
	Last   time.Time `json:"last"`
}

const (
	countsKept = 90 * 24 * time.Hour
	maxCounts  = 2000
	tallyHeld  = 1000 // kinds of counts that wait to be written
)

// tally counts, and writes to the database no more often than a stranger may make it:
// what comes faster is added up first.
type tally struct {
	keep func(context.Context, Count) error

	mu   sync.Mutex // guards the rest
	pace *rate.Limiter
	held map[Count]Count // by day, what and tenant
}

func (t *tally) add(ctx context.Context, c Count) {
	key := Count{Day: c.Day, What: c.What, Tenant: c.Tenant}
	t.mu.Lock()
	if t.held == nil {
		t.held, t.pace = map[Count]Count{}, rate.NewLimiter(5, 20)
	}
	was, there := t.held[key]
	if !there && len(t.held) >= tallyHeld {
		t.mu.Unlock()
		return
	}
	c.N = was.N + 1
	t.held[key] = c
	now := t.pace.Allow()
	if now {
		delete(t.held, key)
	}
	t.mu.Unlock()
	if now && t.keep(context.WithoutCancel(ctx), c) != nil {
		t.put(c)
	}
}

// put adds what could not be written.
func (t *tally) put(c Count) {
	key := Count{Day: c.Day, What: c.What, Tenant: c.Tenant}
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.held[key]
	c.N += was.N
	if was.Last.After(c.Last) {
		c.Last = was.Last
	}
	if len(t.held) < tallyHeld {
		t.held[key] = c
	}
}

// flush writes what waits.
func (t *tally) flush(ctx context.Context) error {
	t.mu.Lock()
	held := t.held
	t.held = nil
	if held != nil {
		t.held = map[Count]Count{}
	}
	t.mu.Unlock()
	var first error
	for _, c := range held {
		if err := t.keep(ctx, c); err != nil {
			t.put(c)
			first = err
		}
	}
	return first
}

func (p *Provider) count(ctx context.Context, what, tenant string) {
	now := p.d.Now().UTC()
	p.tally.add(ctx, Count{Day: now.Format(time.DateOnly), What: what, Tenant: tenant, Last: now})
}

// explain tells the administrator why a request was not taken: in the log, in the
// counts, and in the trail.
func (p *Provider) explain(ctx context.Context, r refusal) {
	p.d.Log.WarnContext(ctx, "a request of External MFA is refused", "reason", r.reason, "why", r.why, "tenant", r.tenant, "correlation", r.correlation,
		"source", r.source, "signed", r.proven, "answer", r.code)
	p.count(ctx, "refused: "+r.reason, r.tenant)
	if p.d.Record == nil || !r.proven && !p.strangers.Allow() {
		return
	}
	err := p.d.Record.Record(context.WithoutCancel(ctx), audit.Event{Action: audit.MFAHintRefused, Outcome: audit.Refused, Actor: "entra:" + p.d.Cloud.Name,
		Object: r.reason, Tenant: r.tenant, Reason: r.why, Details: map[string]string{"correlation": r.correlation, "source": r.source, "answer": r.code}})
	if err != nil {
		p.d.Log.ErrorContext(ctx, "a refusal is not in the trail", "err", err)
	}
}

// tidy is a text of the request as it may be written down.
func tidy(s string) string { return print.Clean(strings.TrimSpace(s), 64) }
