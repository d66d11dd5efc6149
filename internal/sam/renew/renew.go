package renew

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/claim"
	"partnerguard/internal/msapi"
	"partnerguard/internal/notify"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
	"partnerguard/internal/vault"
)

// Deps is everything a Renewer needs.
type Deps struct {
	Store     *sam.Store      // required
	Authority msapi.Authority // required
	Record    audit.Recorder  // required
	Settings  SettingsReader  // optional: without it forecasts say what they do not know
	Told      *notify.Told    // optional: without it nobody is warned

	Every time.Duration    // between renewals; 0: sam.RenewEvery; from an hour to 30 days
	Pace  float64          // requests a second to Entra ID at most; 0: 45
	Who   string           // whose lease it is; "": a random name
	Actor string           // in the trail; "": system:renewal
	Now   func() time.Time // nil is time.Now
	Log   *slog.Logger     // nil discards
	// Wait waits out a throttle's pause, or returns the context's error; nil waits
	// on the machine's clock.
	Wait func(context.Context, time.Duration) error
}

// Renewer renews connections. Safe for concurrent use.
type Renewer struct {
	d    Deps
	pace *pace

	mu   sync.Mutex           // guards the field below
	told map[string]time.Time // connections whose being held was recorded, and when
}

// New makes a Renewer. Kind problem.Usage when what it is to do cannot be.
func New(d Deps) (*Renewer, error) {
	if d.Store == nil || d.Authority == nil || d.Record == nil {
		return nil, problem.New(problem.Internal, "renewal needs a store, an authority and an audit trail")
	}
	if d.Every == 0 {
		d.Every = sam.RenewEvery
	}
	if d.Every < minEvery || d.Every > maxEvery {
		return nil, problem.New(problem.Usage, "connections are renewed every hour to every 30 days, not every %s", d.Every).
			WithHint("refresh tokens die after 90 idle days")
	}
	if d.Pace == 0 {
		d.Pace = defaultPace
	}
	if d.Pace < 0 {
		return nil, problem.New(problem.Usage, "a pace is above zero")
	}
	if d.Who == "" {
		d.Who = token.ID("r")
	}
	if d.Actor == "" {
		d.Actor = "system:renewal"
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Renewer{d: d, pace: newPace(d.Pace, d.Wait), told: map[string]time.Time{}}, nil
}

// Outcome is how a renewal ended.
type Outcome string

// The outcomes.
const (
	Renewed  Outcome = "renewed"
	Rejected Outcome = "rejected" // Entra ID will not renew it until somebody does something
	Failed   Outcome = "failed"   // it may pass; it is tried again by itself
	Damaged  Outcome = "damaged"  // the sealed token does not open
	Held     Outcome = "held"     // not used: its row is forged, or older than the audit trail knows
	Busy     Outcome = "busy"     // another process renews it now, or did so in the meantime
)

// Result is what came of one renewal.
type Result struct {
	Connection sam.Connection // as it is now
	Outcome    Outcome
	// Note says what was unusual: the previous token had to be used.
	Note string
}

// Once renews a connection now, due or not. An error means that it is not
// known how it stands: the database did not answer, or ctx ended. What Entra ID
// says is in the result, and stored. The kept tokens are never worse after it.
func (r *Renewer) Once(ctx context.Context, id string) (Result, error) {
	c, err := r.d.Store.Find(ctx, id)
	if isHeld(err) {
		return r.held(ctx, id, err)
	}
	if err != nil {
		return Result{}, err
	}
	if err := r.pace.wait(ctx); err != nil { // before the lease, which runs
		return Result{}, err
	}
	if ok, err := r.d.Store.Lease(ctx, c.ID, r.d.Who, leaseLife); err != nil {
		return Result{}, err
	} else if !ok {
		return Result{Connection: c, Outcome: Busy, Note: "another process renews it"}, nil
	}
	out, err := r.renew(ctx, c.ID)
	if isHeld(err) {
		out, err = r.held(ctx, c.ID, err)
	}
	if err != nil || out.Outcome == Damaged || out.Outcome == Held { // what was stored ended the lease
		if rerr := r.d.Store.Release(context.WithoutCancel(ctx), c.ID, r.d.Who); rerr != nil {
			r.d.Log.WarnContext(ctx, "a lease was not released and runs out by itself", "connection", c.ID, "error", rerr)
		}
	}
	if errors.Is(err, sam.ErrMoved) {
		// Renewed or consented anew meanwhile: what we did is not needed.
		c, err = r.d.Store.Find(ctx, c.ID)
		return Result{Connection: c, Outcome: Busy, Note: "it was renewed meanwhile"}, err
	}
	if err != nil {
		return Result{}, err
	}
	if out.Outcome == Renewed {
		out.Connection = r.foretold(ctx, out.Connection)
	}
	return out, nil
}

// isHeld says that a connection is not used until a person looked at it.
func isHeld(err error) bool {
	return errors.Is(err, vault.ErrForged) || errors.Is(err, sam.ErrRolledBack)
}

// held leaves a connection alone: nothing is asked with its token, and its row
// is evidence. The trail hears of it once an hour.
func (r *Renewer) held(ctx context.Context, id string, why error) (Result, error) {
	c, err := r.d.Store.Look(ctx, id)
	if err != nil {
		return Result{}, err
	}
	words := heldWords(why)
	out := Result{Connection: c, Outcome: Held, Note: words}
	now := r.d.Now()
	r.mu.Lock()
	at, told := r.told[c.ID]
	news := !told || now.Sub(at).Abs() >= time.Hour
	if news {
		if len(r.told) > 10_000 {
			clear(r.told)
		}
		r.told[c.ID] = now
	}
	r.mu.Unlock()
	if !news {
		return out, nil
	}
	r.d.Log.WarnContext(ctx, "a connection is held back", "connection", c.ID, "because", words)
	e := r.event(&c, audit.ConnectionHeld, audit.Refused)
	e.Reason = words
	return out, r.d.Record.Record(ctx, e)
}

func heldWords(err error) string {
	// What it wraps may be joined; the first of ours says why.
	if p, ok := errors.AsType[*problem.Error](err); ok {
		return p.Public
	}
	return "it is not as partnerguard wrote it"
}

func (r *Renewer) renew(ctx context.Context, id string) (Result, error) {
	held, err := r.d.Store.Token(ctx, id)
	if errors.Is(err, vault.ErrDamaged) {
		c, ferr := r.d.Store.Find(ctx, id)
		return Result{Connection: c, Outcome: Damaged}, ferr
	} else if err != nil {
		return Result{}, err
	}
	c := held.Connection
	app, err := r.d.Store.App(ctx, c.ClientID)
	if err != nil {
		if ctx.Err() != nil {
			return Result{}, ctx.Err()
		}
		return r.setback(ctx, held, err)
	}
	asking, cancel := context.WithTimeout(ctx, askLife)
	defer cancel()
	ask := func(refresh secret.Text) (*msapi.Grant, error) {
		g, err := r.d.Authority.Refresh(asking, msapi.RefreshRequest{Cloud: c.Cloud, App: app, Tenant: c.Tenant, Refresh: refresh, Scope: scope(c)})
		r.pace.saw(err)
		return g, err
	}
	used, note := held.Of, ""
	if held.Of != held.Generation {
		note = "the newest sealed token is damaged; the one before it was used"
	}
	g, err := ask(held.Current)
	if te, ok := errors.AsType[*msapi.TokenError](err); ok && judge(te) == unknown && !held.Previous.IsZero() {
		first := err
		if g, err = ask(held.Previous); err == nil {
			used = held.PreviousOf
			note = fmt.Sprintf("Entra ID did not know the newest token (%s); the previous one was used", short(te))
		} else if te, ok := errors.AsType[*msapi.TokenError](err); !ok || judge(te) != passes {
			err = first // what is wrong is what is wrong with the newest
		}
	}
	if ctx.Err() != nil {
		return Result{}, ctx.Err()
	}
	if err != nil {
		if te, ok := errors.AsType[*msapi.TokenError](err); ok && judge(te) != passes {
			return r.reject(ctx, held, sam.Trouble{Code: te.Code, Words: te.Public(), Fix: te.Fix()}, te.Correlation)
		}
		return r.setback(ctx, held, err)
	}
	now := r.d.Now()
	t := claim.Inspect(g.Access)
	proof := t.MFA(claim.Options{Now: now, Issuers: c.Cloud.IssuersOf(c.Tenant)})
	if t := stranger(&c, &t); t != nil {
		return r.reject(ctx, held, *t, "")
	}
	if proof.Answer != claim.Proven {
		return r.reject(ctx, held, sam.Trouble{Words: "the renewed token does not prove MFA: " + proof.Reason, Fix: proof.Fix}, "")
	}
	e := r.event(&c, audit.ConnectionRenewed, audit.Done)
	e.Reason = note
	e.Details = map[string]string{"generation": strconv.FormatInt(held.Generation+1, 10), "used": strconv.FormatInt(used, 10)}
	if !g.Refresh.IsZero() {
		e.Details["fingerprint"] = token.Fingerprint(g.Refresh)
	}
	next := sam.Renewal{From: held.Generation, Used: used, Refresh: g.Refresh, At: g.At, Proof: proof, Auth: t.AuthTime,
		Next: nextAfterSuccess(now, r.d.Every, chance())}
	if c, err = r.with(ctx, &e, func(ctx context.Context) (sam.Connection, error) { return r.d.Store.Renewed(ctx, c.ID, next) }); err != nil {
		return Result{}, err
	}
	if note != "" {
		r.d.Log.WarnContext(ctx, "renewed with the token before the newest", "connection", c.ID, "note", note)
	}
	return Result{Connection: c, Outcome: Renewed, Note: note}, nil
}

// scope asks for Partner Center, whose tokens say whether there was MFA
// (contracts.md section 4.4), and for a new refresh token.
func scope(c sam.Connection) string {
	return c.Cloud.PartnerCenterResource + "/.default offline_access"
}

// short names a refusal by its code or word.
func short(e *msapi.TokenError) string {
	if e.Code != 0 {
		return fmt.Sprintf("AADSTS%d", e.Code)
	}
	return e.Err
}

// stranger says what is wrong with a token that is not of this connection.
func stranger(c *sam.Connection, t *claim.Token) *sam.Trouble {
	for _, x := range []struct{ what, want, got string }{{"tenant", c.Tenant, t.Tenant}, {"app", c.ClientID, t.App}, {"account", c.ObjectID, t.ObjectID}} {
		if x.want != "" && x.got != "" && !strings.EqualFold(x.want, x.got) {
			return &sam.Trouble{Words: "the renewed token is of another " + x.what + " than the connection's", Fix: "remove the connection and connect again"}
		}
	}
	return nil
}

// reject stores a rejection. The trail hears of it once, and again when the
// reason changes.
func (r *Renewer) reject(ctx context.Context, held sam.Held, t sam.Trouble, correlation string) (Result, error) {
	now := r.d.Now()
	t.At = now
	c := held.Connection
	e := r.event(&c, audit.ConnectionRejected, audit.Failed)
	e.Reason = t.Words
	if t.Code != 0 {
		e.Details = map[string]string{"code": strconv.Itoa(t.Code)}
		if correlation != "" {
			e.Details["correlation"] = correlation
		}
	}
	tell := &e
	if old := c.Trouble; c.State == sam.Rejected && old != nil && old.Code == t.Code && old.Words == t.Words {
		tell = nil
	}
	f := sam.Failure{From: held.Generation, State: sam.Rejected, Trouble: t, Next: nextAfterRejection(now, chance())}
	c, err := r.with(ctx, tell, func(ctx context.Context) (sam.Connection, error) { return r.d.Store.Failed(ctx, c.ID, f) })
	if err != nil {
		return Result{}, err
	}
	r.d.Log.WarnContext(ctx, "a connection was rejected", "connection", c.ID, "code", t.Code, "words", t.Words)
	return Result{Connection: c, Outcome: Rejected}, nil
}

// setback stores what may pass. A connection that was rejected stays so: a
// network that is down heals nothing.
func (r *Renewer) setback(ctx context.Context, held sam.Held, err error) (Result, error) {
	now, c := r.d.Now(), held.Connection
	t := sam.Trouble{At: now, Transient: true, Words: "renewing did not work", Fix: "nothing to do: it is tried again"}
	var after time.Duration
	if te, ok := errors.AsType[*msapi.TokenError](err); ok {
		t.Code, t.Words, t.Fix, after = te.Code, te.Public(), te.Fix(), te.RetryAfter
	} else if p, ok := errors.AsType[*problem.Error](err); ok {
		t.Words, t.Fix = p.Public, p.Hint
		if errors.Is(p, problem.NotFound) || errors.Is(p, vault.ErrDamaged) {
			t.Transient = false // somebody must give the app a credential
		}
	}
	times := 1
	if c.Trouble != nil && c.Trouble.Transient {
		times += c.Trouble.Times
	}
	f := sam.Failure{From: held.Generation, State: sam.Active, Trouble: t, Next: nextAfterTrouble(now, times, after, chance())}
	if !t.Transient {
		f.Next = nextAfterRejection(now, chance())
	}
	if c.State == sam.Rejected && c.Trouble != nil {
		f.State, f.Trouble = sam.Rejected, *c.Trouble
		if t.Transient {
			f.Next = nextAfterTrouble(now, 7, after, chance()) // about an hour: today's look is still owed
		}
	}
	c, serr := r.d.Store.Failed(ctx, c.ID, f)
	if serr != nil {
		return Result{}, serr
	}
	r.d.Log.InfoContext(ctx, "a renewal did not work and is tried again", "connection", c.ID, "times", t.Times, "words", t.Words, "next", c.RenewAfter)
	return Result{Connection: c, Outcome: Failed}, nil
}

func (r *Renewer) event(c *sam.Connection, a audit.Action, o audit.Outcome) audit.Event {
	return audit.Event{At: r.d.Now().UTC().Truncate(time.Microsecond), Action: a, Outcome: o, Actor: r.d.Actor, Object: c.ID, Tenant: c.Tenant}
}

// with makes a change and records it, if there is something to tell, together.
func (r *Renewer) with(ctx context.Context, e *audit.Event, change func(context.Context) (sam.Connection, error)) (c sam.Connection, err error) {
	err = r.d.Store.InTx(ctx, func(ctx context.Context) (err error) {
		if c, err = change(ctx); err != nil || e == nil {
			return err
		}
		return r.d.Record.Record(ctx, *e)
	})
	return c, err
}
