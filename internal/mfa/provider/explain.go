package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/claim"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// Explained is a hint, claim by claim, and whether it would be taken.
type Explained struct {
	Taken  bool   `json:"taken"`
	Reason string `json:"reason,omitempty"` // a claim.Flaw; "" when it is taken
	Why    string `json:"why"`
	Claims []Part `json:"claims"`
}

// Part is one claim, or member of the header.
type Part struct {
	Name  string `json:"claim"`
	Value string `json:"value"`
	Judge string `json:"judge"` // good, bad, unknown
	Why   string `json:"why"`
}

// Explain says of a hint what each claim means here and whether it would be taken now.
// Nothing is kept, so that the hint stays good. keys are those to verify by; without any
// the signature is not known. t is the tenant that is served; its zero value is none.
func (p *Provider) Explain(raw secret.Text, keys jose.JSONWebKeySet, t Tenant) Explained {
	said, now := claim.Inspect(raw), p.d.Now()
	var e Explained
	add := func(name, value string, good bool, ifGood, ifBad string) {
		x := Part{Name: name, Value: print.Clean(value, maxText), Judge: "good", Why: ifGood}
		if !good {
			x.Judge, x.Why = "bad", ifBad
		}
		e.Claims = append(e.Claims, x)
	}
	kid := keyID(raw)
	switch {
	case len(keys.Keys) == 0:
		e.Claims = append(e.Claims, Part{"kid", print.Clean(kid, maxText), "unknown", "no keys are at hand to verify the signature by"})
	default:
		add("kid", kid, len(keys.Key(kid)) == 1, "one of Entra ID's keys", "not one of Entra ID's keys: they roll, and are read anew for it")
	}
	add("iss", said.Issuer, claim.TenantIssuer(p.issuers()...)(said), "Entra ID's, for the tenant", "not Entra ID's of this cloud for this tenant")
	add("aud", strings.Join(said.Audience, " "), len(said.Audience) == 1 && said.Audience[0] == t.App && t.App != "", "our app",
		"not our app's id; where it is the client id, the method's configuration has the two mixed up")
	add("tid", said.Tenant, t.ID != "" && strings.EqualFold(said.Tenant, t.ID), "a tenant that is served", "not a tenant that is served")
	add("oid", said.ObjectID, guid.MatchString(said.ObjectID), "whom it is about", "not an object's id")
	add("sub", said.Subject, said.Subject != "", "answered with", "missing")
	add("iat", when(said.IssuedAt), !said.IssuedAt.IsZero() && now.Sub(said.IssuedAt) <= claim.HintWindow+p.d.Config.Leeway &&
		said.IssuedAt.Sub(now) <= p.d.Config.Leeway, "within the five minutes", "not within the five minutes before now: "+when(now))
	add("exp", when(said.NotAfter), !said.NotAfter.IsZero(), "not held against the clock: hints are issued in the expired state", "missing")
	add("name", said.Account, true, "shown, and never used to find anybody", "")
	var use once
	_, err := claim.VerifyHint(raw, keys, claim.HintExpect{Now: now, Leeway: p.d.Config.Leeway, AppID: either(t.App, "none"), ClientID: t.Client,
		Issuers: p.issuers(), Tenant: func(id string) bool { return t.ID != "" && strings.EqualFold(id, t.ID) }, Used: &use})
	var flaw claim.Flaw
	switch {
	case err == nil:
		e.Taken, e.Why = true, "it would be taken, once, if its nonce was not used before"
	case errors.As(err, &flaw):
		e.Reason, e.Why = string(flaw), words(err)
	default:
		e.Reason, e.Why = broken, words(err)
	}
	return e
}

func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// EntraSet reads Entra ID's keys for a hint.
func (p *Provider) EntraSet(ctx context.Context, raw secret.Text) (jose.JSONWebKeySet, error) {
	return p.entra.get(ctx, keyID(raw))
}

// KeysOf reads a key set from a file's bytes, for the keys of Entra ID.
func (p *Provider) KeysOf(raw []byte) (jose.JSONWebKeySet, error) {
	set, err := claim.ReadKeySet(raw)
	if err != nil {
		return jose.JSONWebKeySet{}, fmt.Errorf("the keys: %w", err)
	}
	keys := set.For("", p.issuers()...)
	if len(keys.Keys) == 0 {
		return keys, problem.New(problem.BadInput, "the keys are of another issuer than this cloud's").WithHint("--cloud names the cloud")
	}
	return keys, nil
}
