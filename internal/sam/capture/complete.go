package capture

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/claim"
	"partnerguard/internal/entra"
	"partnerguard/internal/msapi"
	"partnerguard/internal/sam"
	"partnerguard/internal/secret"
)

// leeway is how far clocks may differ.
const leeway = 5 * time.Minute

// Done is a sign-in that came to a good end.
type Done struct {
	Connection sam.Connection // as kept; zero for a check
	Account    string
	Tenant     string
	Verdict    claim.Verdict
	Scopes     map[string][]string // granted, by resource
	Difference Difference          // from what the features need
	Notes      []string            // what could not be read, in words
	// Access is the Partner Center token of a check; zero otherwise.
	Access secret.Text
}

// Complete takes the answer to a sign-in: it redeems the code, verifies the
// proof, and keeps the consent. Each answer works once.
//
// Errors: *Refusal for a consent that was not taken, which is in the trail;
// *msapi.TokenError when Entra ID could not be asked. Nothing is kept then.
func (c *Capture) Complete(ctx context.Context, cb Callback) (Done, error) {
	p, no := c.waiting.take(cb.State, cb.Binding)
	if no != nil {
		return Done{}, c.turnedAway(ctx, nil, no)
	}
	done, err := c.complete(ctx, p, cb)
	if no, ok := errors.AsType[*Refusal](err); ok {
		return Done{}, c.turnedAway(ctx, p, no)
	}
	return done, err
}

func (c *Capture) complete(ctx context.Context, p *pending, cb Callback) (Done, error) {
	r := &p.r
	// A code is given to nobody but the authority that made it (RFC 9207).
	if cb.Issuer != "" && !slices.Contains(r.Cloud.IssuersOf(p.tenant), cb.Issuer) {
		return Done{}, refuse(Authority, beginAgain+" and look at the address of the sign-in page",
			"another authority or tenant answered than the one that was asked")
	}
	if cb.Err != "" {
		return Done{}, declined(cb)
	}
	g, err := c.d.Entra.Redeem(ctx, msapi.RedeemRequest{
		Cloud: r.Cloud, App: r.App, Tenant: p.tenant, Code: cb.Code, Verifier: p.verify, Redirect: r.Redirect, Resource: r.Cloud.PartnerCenterResource,
	})
	if err != nil {
		if e, ok := errors.AsType[*msapi.TokenError](err); ok && !e.Transient {
			return Done{}, &Refusal{Cause: Declined, Words: "the sign-in was not completed: " + e.Public(), Fix: e.Fix(), Code: e.Code}
		}
		return Done{}, err
	}
	id, err := c.identity(ctx, p, g.ID)
	if err != nil {
		return Done{}, err
	}
	access, err := c.proof(p, id, g)
	if err != nil {
		return Done{}, err
	}
	now := c.d.Now()
	v := access.MFA(claim.Options{Now: now, Issuers: r.Cloud.Issuers})
	done := Done{Account: id.Account, Tenant: p.tenant, Verdict: v, Scopes: map[string][]string{r.Cloud.PartnerCenterResource: access.Scopes}}
	if r.Check {
		done.Access = g.Access
		return done, nil
	}
	if v.Answer != claim.Proven {
		return Done{}, refuse(NoMFA, noMFAFix(v), "the sign-in of %s does not prove MFA: %s", name(id), v.Reason)
	}
	if g.Refresh.IsZero() {
		return Done{}, refuse(NoToken, "add the delegated permission offline_access to the app and consent again", "the sign-in brought no refresh token")
	}
	newest := c.scopes(ctx, p, g.Refresh, &done)
	done.Difference = Diff(done.Scopes, Permissions(r.Features).Needed(r.Cloud))
	return c.keep(ctx, p, id, newest, done, now)
}

// noMFAFix is the way out for somebody who was asked for MFA and came without.
func noMFAFix(v claim.Verdict) string {
	switch v.Cause {
	case claim.NoClaim, claim.WithoutMFA:
		return "MFA was asked for and not done: register a method for the account at https://aka.ms/mfasetup (a federated provider must pass its MFA " +
			"claim on), then run partnerguard connect again"
	}
	return v.Fix
}

// declined explains an error answer.
func declined(cb Callback) *Refusal {
	no := &Refusal{Cause: Declined, Code: cb.AADSTS}
	x := msapi.Explain(cb.AADSTS)
	switch {
	case x.Known:
		no.Words, no.Fix = fmt.Sprintf("Entra ID did not let the sign-in through: %s (AADSTS%d)", x.Words, cb.AADSTS), x.Fix
	case cb.Err == "access_denied" || cb.Err == "consent_required":
		no.Words, no.Fix = "the sign-in was given up, or the consent declined", "begin again and accept, or let an administrator of the tenant consent first"
	case cb.Err == "temporarily_unavailable" || cb.Err == "server_error":
		no.Words, no.Fix = "Entra ID could not complete the sign-in just now", "begin again in a few minutes"
	default:
		no.Words, no.Fix = fmt.Sprintf("Entra ID did not let the sign-in through (%s)", cb.Err), beginAgain
	}
	return no
}

// identity verifies the id token and who it names.
func (c *Capture) identity(ctx context.Context, p *pending, raw secret.Text) (claim.Token, error) {
	r := &p.r
	bad := func(why string) (claim.Token, error) {
		return claim.Token{}, refuse(BadToken, beginAgain+"; is something on the way rewriting answers, or a clock wrong?", "the id token is not taken: %s",
			why)
	}
	if raw.IsZero() {
		return bad("none came")
	}
	keys, err := c.d.Entra.Keys(ctx, r.Cloud, p.tenant, kidOf(raw))
	if err != nil {
		return claim.Token{}, err
	}
	id, err := claim.Verify(raw, keys, claim.Expect{
		Now: c.d.Now(), Leeway: leeway, Audiences: []string{r.App.ClientID}, Nonce: p.nonce,
		// Of this cloud, for the tenant it names; whose tenant comes next.
		IssuerRule: func(t claim.Token) bool { return slices.Contains(r.Cloud.IssuersOf(t.Tenant), t.Issuer) },
	})
	if err != nil {
		if f, ok := errors.AsType[claim.Flaw](err); ok {
			return bad(string(f))
		}
		return bad("it cannot be verified")
	}
	if !strings.EqualFold(id.Tenant, p.tenant) {
		return claim.Token{}, refuse(Tenant, "sign in with an account of the tenant "+r.Tenant,
			"the consent is of another tenant than the one that was asked for")
	}
	if idp := idpOf(raw); idp != "" && !slices.Contains(r.Cloud.IssuersOf(p.tenant), idp) {
		return claim.Token{}, refuse(Guest, "connect with a member of the tenant: a service account of its own",
			"%s is a guest: it signed in elsewhere, where its MFA and its life are not the tenant's", name(id))
	}
	if id.ObjectID == "" {
		return bad("it names no account")
	}
	if r.Account != "" && !strings.EqualFold(r.Account, id.Account) && !strings.EqualFold(r.Account, id.ObjectID) {
		return claim.Token{}, refuse(Account, "sign in as "+r.Account, "%s signed in where another account was expected", name(id))
	}
	return id, nil
}

// proof reads the Partner Center token and holds it to the id token. Its
// signature is Partner Center's to check; it came from the token endpoint
// itself, for a code that was redeemed with our proof key.
func (c *Capture) proof(p *pending, id claim.Token, g *msapi.Grant) (claim.Token, error) {
	r := &p.r
	t := claim.Inspect(g.Access)
	same := func(a, b string) bool {
		return strings.EqualFold(strings.TrimSuffix(a, "/"), strings.TrimSuffix(b, "/"))
	}
	switch {
	case t.Opaque:
		if r.Check {
			return t, nil
		}
		return t, refuse(NoMFA, "this is not Partner Center as it is known: report it", "the access token cannot be read, so MFA cannot be proven")
	case len(t.Audience) != 1 || !same(t.Audience[0], r.Cloud.PartnerCenterResource):
		return t, refuse(BadToken, beginAgain, "the access token is not for Partner Center")
	case !strings.EqualFold(t.Tenant, p.tenant):
		return t, refuse(Tenant, "sign in with an account of the tenant "+r.Tenant, "the access token is of another tenant")
	case !strings.EqualFold(t.App, r.App.ClientID):
		return t, refuse(App, "check the client id", "the access token was given to another app")
	case t.IsApp || !strings.EqualFold(t.ObjectID, id.ObjectID):
		return t, refuse(Account, beginAgain, "the access token is of another account than the id token")
	case !slices.Contains(t.Scopes, "user_impersonation"):
		return t, refuse(NoScope, "add Partner Center's user_impersonation to the app (the manifest has it) and consent again",
			"the app may not use Partner Center for the account")
	}
	return t, nil
}

// scopes asks what was granted on the other resources that are needed, and
// gives the newest refresh token. What cannot be read is said, and costs nothing.
func (c *Capture) scopes(ctx context.Context, p *pending, refresh secret.Text, done *Done) secret.Text {
	r := &p.r
	for _, resource := range slices.Sorted(maps.Keys(Permissions(r.Features).Needed(r.Cloud))) {
		if resource == r.Cloud.PartnerCenterResource || resource == "" {
			continue
		}
		g, err := c.d.Entra.Refresh(ctx, msapi.RefreshRequest{Cloud: r.Cloud, App: r.App, Tenant: p.tenant, Refresh: refresh,
			Scope: resource + "/.default offline_access"})
		if err != nil {
			if e, ok := errors.AsType[*msapi.TokenError](err); ok && !e.Transient && e.Explanation().Bucket == entra.BucketConsent {
				done.Scopes[resource] = []string{}
				continue
			}
			done.Notes = append(done.Notes, fmt.Sprintf("what was granted on %s could not be read: %s", resource, plain(err)))
			continue
		}
		if !g.Refresh.IsZero() {
			refresh = g.Refresh
		}
		done.Scopes[resource] = Granted(g, resource)
	}
	return refresh
}

// Granted are the permissions of an answer: what its token says, or, where that
// cannot be read, what the answer says of itself.
func Granted(g *msapi.Grant, resource string) []string {
	out := []string{}
	if t := claim.Inspect(g.Access); !t.Opaque {
		for _, s := range t.Scopes {
			if s != "openid" || len(t.Scopes) > 1 {
				out = append(out, s)
			}
		}
		return out
	}
	for _, s := range g.Scope {
		if v, ok := strings.CutPrefix(s, strings.TrimSuffix(resource, "/")+"/"); ok && v != ".default" {
			out = append(out, v)
		}
	}
	return out
}

func (c *Capture) keep(ctx context.Context, p *pending, id claim.Token, refresh secret.Text, done Done, now time.Time) (Done, error) {
	r := &p.r
	_, domain, _ := strings.Cut(id.Account, "@")
	authTime := id.AuthTime
	if authTime.IsZero() || authTime.After(now) {
		// A fresh sign-in was demanded, so it was not before this: the earliest
		// it can have been, and the earliest its end can come.
		authTime = p.at
	}
	captured := sam.Captured{
		Name: r.Name, Suggested: r.Suggested, Model: r.Model, Cloud: r.Cloud, Tenant: p.tenant, Domain: domain, ClientID: r.App.ClientID, Account: name(id),
		ObjectID: id.ObjectID,
		Scopes:   done.Scopes, Proof: done.Verdict, AuthTime: authTime, At: now, Refresh: refresh,
	}
	err := c.d.Keeper.InTx(ctx, func(ctx context.Context) (err error) {
		if done.Connection, err = c.d.Keeper.Keep(ctx, captured); err != nil {
			return err
		}
		if c.d.Kept != nil {
			if err := c.d.Kept(ctx, done.Connection); err != nil {
				return err
			}
		}
		return c.record(ctx, audit.Event{
			Action: audit.ConnectionConsented, Outcome: audit.Done, Actor: r.Actor, Object: done.Connection.ID, Tenant: p.tenant,
			Details: map[string]string{
				"account": name(id), "app": r.App.ClientID, "by": strings.Join(done.Verdict.By, " "),
				"generation": strconv.FormatInt(done.Connection.Generation, 10),
			},
		})
	})
	if err != nil {
		return Done{}, err
	}
	return done, nil
}

func name(t claim.Token) string {
	if t.Account == "" {
		return t.ObjectID
	}
	return t.Account
}

// plain is an error's public words.
func plain(err error) string {
	if e, ok := errors.AsType[*msapi.TokenError](err); ok {
		return e.Public()
	}
	return "Entra ID could not be asked"
}

func (c *Capture) record(ctx context.Context, e audit.Event) error {
	if c.d.Record == nil {
		return nil
	}
	e.At = c.d.Now().UTC().Truncate(time.Microsecond)
	return c.d.Record.Record(ctx, e)
}

// strayPause is how often answers to nothing are recorded: anybody can send
// them, and the trail is not theirs to fill.
const strayPause = time.Minute

// turnedAway records a refusal and gives it back.
func (c *Capture) turnedAway(ctx context.Context, p *pending, no *Refusal) error {
	e := audit.Event{Action: audit.ConnectionRefused, Outcome: audit.Refused, Reason: no.Words, Details: map[string]string{"cause": string(no.Cause)}}
	if p != nil {
		e.Actor, e.Tenant = p.r.Actor, p.tenant
		e.Details["app"] = p.r.App.ClientID
		if no.Code != 0 {
			e.Details["code"] = fmt.Sprintf("AADSTS%d", no.Code)
		}
	} else {
		now := c.d.Now()
		c.mu.Lock()
		c.strayed++
		n := c.strayed
		since := now.Sub(c.stray)
		due := c.stray.IsZero() || since >= strayPause || since < 0
		if due {
			c.strayed, c.stray = 0, now
		}
		c.mu.Unlock()
		if !due {
			return no
		}
		e.Actor = "unknown"
		e.Details["times"] = fmt.Sprint(n)
	}
	if err := c.record(ctx, e); err != nil {
		c.d.Log.Error("a refusal could not be recorded", "cause", string(no.Cause), "err", err)
	}
	return no
}
