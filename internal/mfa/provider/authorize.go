package provider

import (
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/claim"
	"partnerguard/internal/mfa"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// asked is what the answer to a challenge needs; it is sealed while it waits.
type asked struct {
	Redirect string            `json:"redirect"`
	Client   string            `json:"client"`
	Subject  string            `json:"sub"`
	Nonce    string            `json:"nonce,omitempty"`
	State    string            `json:"state,omitempty"`
	HasState bool              `json:"hasState,omitempty"`
	ACR      map[string]string `json:"acr"` // what to answer, by amr
}

// authorize takes the form that Entra ID has a browser post.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) error {
	open(w)
	if err := p.usable(); err != nil {
		return err
	}
	form, err := postedForm(r)
	if err != nil {
		return err
	}
	from := refusal{source: mfa.Source(r)}
	if v := form["client-request-id"]; len(v) == 1 {
		from.correlation = tidy(v[0])
	}
	req, err := claim.ReadExternalRequest(form, p.returns())
	if err != nil { // where it comes from is not known, so that nobody is sent back
		from.reason, from.why, from.code = badForm, words(err), "a page"
		p.explain(r.Context(), from)
		return problem.New(problem.BadInput, "this is not a request of Microsoft Entra ID").
			WithHint("begin to sign in once more; an administrator finds the reason by the id below")
	}
	c, payload, no := p.take(r.Context(), req)
	if no != nil {
		no.correlation, no.source = from.correlation, from.source
		return p.refuse(w, r, req, *no)
	}
	c.Source = from.source
	if err := p.d.Challenger.Begin(r.Context(), w, r, c, payload); err != nil {
		return p.refuse(w, r, req, refusal{reason: notAnswering, why: words(err), code: Unavailable, tenant: c.Account.Tenant, proven: true,
			correlation: from.correlation, source: from.source})
	}
	return nil
}

// open lets the window of the sign-in keep whoever opened it: many applications sign
// in by a window of their own, and wait for it.
func open(w http.ResponseWriter) { w.Header().Set("Cross-Origin-Opener-Policy", "unsafe-none") }

// postedForm is the body of a form; the address's query counts for nothing.
func postedForm(r *http.Request) (map[string][]string, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, problem.New(problem.BadInput, "this address takes the form of Microsoft Entra ID alone")
	}
	if err := r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, err
		}
		return nil, problem.Wrap(err, problem.BadInput, "the form cannot be read")
	}
	return r.PostForm, nil
}

// take proves a request and gives its challenge, or why it is refused.
func (p *Provider) take(ctx context.Context, req claim.ExternalRequest) (mfa.Challenge, []byte, *refusal) {
	no := func(r refusal) (mfa.Challenge, []byte, *refusal) { return mfa.Challenge{}, nil, &r }
	said := claim.Inspect(req.Hint) // to find whose it says to be; proven below
	t, err := p.Served(ctx, said.Tenant)
	served := err == nil
	if err != nil && !errors.Is(err, problem.NotFound) {
		return no(refusal{reason: broken, why: words(err), code: Unavailable})
	}
	set, err := p.entra.get(ctx, keyID(req.Hint))
	if err != nil {
		return no(refusal{reason: noKeys, why: words(err), code: Unavailable, tenant: t.ID})
	}
	var use once
	hint, err := claim.VerifyHint(req.Hint, set, claim.HintExpect{Now: p.d.Now(), Leeway: p.d.Config.Leeway, AppID: either(t.App, req.ClientID),
		ClientID: t.Client, Issuers: p.issuers(), Tenant: func(id string) bool { return served && strings.EqualFold(id, t.ID) }, Nonce: req.Nonce, Used: &use})
	if err != nil {
		r := denied(err)
		if r.tenant = t.ID; !served && errors.Is(err, claim.BadIssuer) {
			r.reason = notOurs
		}
		return no(r)
	}
	r := refusal{code: AccessDenied, tenant: t.ID, proven: true}
	if req.ClientID != t.Client {
		r.reason, r.why = badClient, "its client_id is not the one of the method's configuration for this tenant: partnerguard mfa register-with-entra mends it"
		return no(r)
	}
	want, refused, err := readWanted(req.Claims)
	if err != nil {
		r.reason, r.why = badWanted, err.Error()
		return no(r)
	}
	if refused != "" {
		r.reason, r.why = noFactor, refused
		return no(r)
	}
	c := mfa.Challenge{Account: mfa.Account{Tenant: strings.ToLower(hint.Tenant), Object: strings.ToLower(hint.ObjectID)},
		Name: nameOf(req.Hint), Login: print.Clean(hint.Account, maxText), Where: t.Name, Accept: want.accept, Correlation: tidy(req.Correlation),
		Asked: p.d.Now().UTC(), Deadline: hint.IssuedAt.Add(claim.HintWindow).UTC()}
	a := asked{Redirect: req.RedirectURI, Client: req.ClientID, Subject: hint.Subject, Nonce: req.Nonce.Reveal(), State: req.State.Reveal(),
		HasState: req.HasState, ACR: map[string]string{}}
	for _, amr := range want.accept {
		a.ACR[amr] = want.acr(amr)
	}
	payload, err := json.Marshal(a)
	if err == nil {
		err = p.keepAsked(ctx, &c, use)
	}
	if err != nil {
		no := denied(err)
		no.tenant, no.proven = t.ID, true
		return mfa.Challenge{}, nil, &no
	}
	return c, payload, nil
}

// once holds back what is taken once, so that only a hint that is proven whole costs a
// write.
type once struct {
	key   string
	until time.Time
}

func (o *once) First(key string, until time.Time) (bool, error) {
	o.key, o.until = key, until
	return true, nil
}

// keepAsked remembers a hint, and tells the trail of it. A hint that was taken before
// is refused.
func (p *Provider) keepAsked(ctx context.Context, c *mfa.Challenge, o once) error {
	err := p.d.DB.InTx(ctx, func(ctx context.Context) error {
		first, err := p.first(ctx, o.key, o.until.Add(p.d.Config.Leeway))
		if err != nil {
			return err
		}
		if !first {
			return problem.Wrap(claim.Replayed, problem.BadInput, "the hint is refused: it was taken before")
		}
		return p.d.Record.Record(ctx, audit.Event{Action: audit.MFAAsked, Outcome: audit.Done, Actor: "entra:" + p.d.Cloud.Name, Object: c.Account.Object,
			Tenant: c.Account.Tenant, Details: map[string]string{"correlation": c.Correlation}})
	})
	if err == nil {
		p.count(ctx, "asked", c.Account.Tenant)
	}
	return err
}

// issuers are the templates of Entra ID's issuers of v2 tokens.
func (p *Provider) issuers() (out []string) {
	nobody := strings.Repeat("0", 8) + strings.Repeat("-0000", 3) + "-" + strings.Repeat("0", 12)
	for _, i := range p.d.Cloud.IssuersOf(nobody) {
		if t := strings.Replace(i, nobody, "{tenantid}", 1); strings.HasSuffix(t, "/v2.0") && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	if p.d.Plain != "" {
		out = append(out, p.d.Plain+"/{tenantid}/v2.0")
	}
	return out
}

// keyID is the kid that a token's header names, proven by nothing; "" where it names
// none.
func keyID(raw secret.Text) string {
	head, _, _ := strings.Cut(raw.Reveal(), ".")
	var h struct {
		KeyID string `json:"kid"`
	}
	b, err := decode(head)
	if err != nil || json.Unmarshal(b, &h) != nil || len(h.KeyID) > maxText {
		return ""
	}
	return h.KeyID
}

// nameOf is the display name of a hint that is proven.
func nameOf(raw secret.Text) string {
	parts := strings.Split(raw.Reveal(), ".")
	var c struct {
		Name string `json:"name"`
	}
	b, err := decode(parts[len(parts)/2])
	if err != nil || json.Unmarshal(b, &c) != nil {
		return ""
	}
	return print.Clean(c.Name, maxText)
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
