package session

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/claim"
	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/answer"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
)

const onceMore = "sign in again"

// response is the answer that a browser brought (RFC 6749 section 4.1.2).
type response struct {
	state, code secret.Text
	err         string
	aadsts      int
	issuer      string // iss (RFC 9207)
}

// readResponse reads the parameters of an answer. What is malformed, doubled or too long
// is refused.
func readResponse(text string) (response, string) {
	if len(text) > 64<<10 {
		return response{}, "it is too long"
	}
	v, err := url.ParseQuery(text)
	if err != nil {
		return response{}, "it cannot be read"
	}
	for _, name := range []string{"state", "code", "error", "iss", "error_description"} {
		if len(v[name]) > 1 {
			return response{}, name + " comes twice"
		}
	}
	state, code, word, iss := v.Get("state"), v.Get("code"), v.Get("error"), v.Get("iss")
	switch {
	case state == "" || len(state) > 256 || !printable(state):
		return response{}, "it has no state"
	case (code == "") == (word == ""):
		return response{}, "it has neither or both of code and error"
	case len(code) > 16<<10 || !printable(code):
		return response{}, "its code cannot be"
	case len(word) > 64 || strings.ContainsFunc(word, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r == '_') }):
		return response{}, "its error cannot be"
	case len(iss) > 512 || !printable(iss):
		return response{}, "its issuer cannot be"
	}
	out := response{state: secret.New(state), code: secret.New(code), err: word, issuer: iss}
	if rest, ok := strings.CutPrefix(v.Get("error_description"), "AADSTS"); ok {
		for _, c := range []byte(rest[:min(len(rest), 9)]) {
			if c < '0' || c > '9' {
				break
			}
			out.aadsts = out.aadsts*10 + int(c-'0')
		}
	}
	return out, ""
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// callback takes the answer of Entra ID.
func (m *Manager) callback(w http.ResponseWriter, r *http.Request) error {
	f, res, err := m.answered(r)
	if err != nil {
		return m.turnAway(r, nil, f.To, err)
	}
	// An answer counts once, whatever it says. What is left says when.
	cookie, err := m.writeFlow(r, &flow{Done: true, At: m.d.Now().UnixMicro()})
	if err != nil {
		return err
	}
	w.Header().Add("Set-Cookie", cookie)
	ctx := context.WithoutCancel(r.Context()) // a browser that leaves does not cut a redemption short
	t, err := m.prove(ctx, r, &f, res)
	if err != nil {
		return m.turnAway(r, t, f.To, err)
	}
	id := t.identity()
	route, lacks := m.lacking(r.Host, f.To, id)
	if f.Anew && lacks == gateway.Passed && (t.AuthTime == 0 || time.Unix(t.AuthTime, 0).Before(time.UnixMicro(f.At).Add(-leeway))) && route != nil {
		// What was demanded can be taken out of an address.
		lacks = gateway.TooOld
	}
	line, err := m.enter(ctx, r, t, &f, route, lacks)
	if err != nil {
		return m.turnAway(r, t, f.To, err)
	}
	w.Header().Add("Set-Cookie", line)
	if f.Forced && lacks != gateway.Passed {
		no := unmet(id, route, lacks)
		no.Retry = false
		return m.turnAway(r, t, f.To, no)
	}
	lead(w, answer.SafePath(f.To))
	return nil
}

// answered reads what the browser brought, and the flow that it belongs to.
func (m *Manager) answered(r *http.Request) (flow, response, error) {
	if home := m.canonical(r); !strings.HasSuffix(home, "//"+strings.ToLower(r.Host)) || home == "" {
		return flow{}, response{}, refuse(problem.BadInput, "host", onceMore, "the answer came to another address than a sign-in begins at")
	}
	res, why := readResponse(r.URL.RawQuery)
	if why != "" {
		return flow{}, res, refuse(problem.BadInput, "forged", onceMore, "the answer is not one of Entra ID: %s", why)
	}
	f, ok, err := m.readFlow(r)
	if err != nil {
		return flow{}, res, problem.Wrap(err, problem.Unavailable, "the key of the sessions cannot be read now").WithHint("sign in again in a minute")
	}
	f.To = answer.SafePath(f.To)
	switch {
	case !ok || f.State == "" || f.Done:
		return flow{}, res, refuse(problem.BadInput, "other browser",
			onceMore+", in one browser; if nobody here began a sign-in, somebody tried to slip one in",
			"the answer belongs to no sign-in that this browser began")
	case subtle.ConstantTimeCompare([]byte(f.State), []byte(res.state.Reveal())) != 1:
		return flow{}, res, refuse(problem.BadInput, "state", onceMore+", in one tab",
			"the answer belongs to another sign-in than the last that this browser began")
	case f.late(m.d.Now()):
		return f, res, refuse(problem.BadInput, "late", onceMore, "the sign-in took more than ten minutes")
	case !m.used.first("state "+f.State, m.d.Now(), m.d.Now().Add(flowLife+time.Minute)):
		return f, res, refuse(problem.BadInput, "replayed", onceMore, "the answer to this sign-in came before")
	}
	return f, res, nil
}

// prove redeems the code and verifies who it is.
func (m *Manager) prove(ctx context.Context, r *http.Request, f *flow, res response) (*ticket, error) {
	si, err := m.app(ctx)
	if err != nil {
		return nil, err
	}
	// A code is given to nobody but the authority that made it (RFC 9207).
	if res.issuer != "" && !slices.Contains(si.Cloud.IssuersOf(si.Tenant), res.issuer) {
		return nil, refuse(problem.BadInput, "authority", onceMore+", and look at the address of the sign-in page",
			"another authority or tenant answered than the one that was asked")
	}
	if res.err != "" {
		return nil, declined(res)
	}
	g, err := m.d.Entra.Redeem(ctx, msapi.RedeemRequest{Cloud: si.Cloud, App: si.App, Tenant: si.Tenant, Code: res.code,
		Verifier: secret.New(f.Verifier), Redirect: m.canonical(r) + callbackPath, Resource: si.Cloud.GraphResource})
	if err != nil {
		if e, ok := errors.AsType[*msapi.TokenError](err); ok && !e.Transient {
			return nil, refuse(problem.BadInput, "declined", here(e.Fix()), "the sign-in was not completed: %s", e.Public())
		}
		return nil, problem.Wrap(err, problem.Unavailable, "Entra ID could not complete the sign-in just now").WithHint("sign in again in a minute")
	}
	return m.read(ctx, &si, g.ID, f)
}

// here is a way out for somebody in a browser: what another of our programs would do
// again is done here.
func here(fix string) string {
	if fix == "" || strings.Contains(fix, "connect") {
		return onceMore
	}
	return fix
}

// declined explains an error answer.
func declined(res response) error {
	x := msapi.Explain(res.aadsts)
	switch {
	case x.Known:
		return refuse(problem.Forbidden, "declined", here(x.Fix), "Entra ID did not let the sign-in through: %s (AADSTS%d)", x.Words, res.aadsts)
	case res.err == "access_denied" || res.err == "consent_required":
		return refuse(problem.Forbidden, "declined", "sign in again, or have an administrator of the tenant consent to the app first",
			"the sign-in was given up, or the consent declined")
	case res.err == "temporarily_unavailable" || res.err == "server_error":
		return refuse(problem.Unavailable, "declined", "sign in again in a few minutes", "Entra ID could not complete the sign-in just now")
	}
	return refuse(problem.Forbidden, "declined", onceMore, "Entra ID did not let the sign-in through (%s)", res.err)
}

// verified takes a token of the app's authority, for the app.
func (m *Manager) verified(ctx context.Context, si *SignIn, raw secret.Text, e claim.Expect) (claim.Token, error) {
	var head struct {
		Kid string `json:"kid"`
	}
	if !claim.Part(raw, 0, &head) || len(head.Kid) > 256 {
		head.Kid = ""
	}
	keys, err := m.d.Entra.Keys(ctx, si.Cloud, si.Tenant, head.Kid)
	if err != nil {
		return claim.Token{}, problem.Wrap(err, problem.Unavailable, "Entra ID's keys could not be read just now").WithHint("sign in again in a minute")
	}
	e.Now, e.Leeway, e.Audiences = m.d.Now(), leeway, []string{si.App.ClientID}
	e.IssuerRule = func(t claim.Token) bool { return slices.Contains(si.Cloud.IssuersOf(si.Tenant), t.Issuer) }
	return claim.Verify(raw, keys, e)
}

// read verifies the id token and makes a ticket of it.
func (m *Manager) read(ctx context.Context, si *SignIn, raw secret.Text, f *flow) (*ticket, error) {
	bad := func(why string) error {
		return refuse(problem.BadInput, "token", onceMore+"; is a clock wrong, or something on the way rewriting answers?",
			"the id token is not taken: %s", why)
	}
	if raw.IsZero() {
		return nil, bad("none came")
	}
	id, err := m.verified(ctx, si, raw, claim.Expect{Nonce: secret.New(f.Nonce)})
	if flaw, ok := errors.AsType[claim.Flaw](err); ok {
		return nil, bad(string(flaw))
	} else if err != nil {
		return nil, err
	}
	var more struct {
		IDP    string                     `json:"idp"`
		SID    string                     `json:"sid"`
		Groups []string                   `json:"groups"`
		Where  map[string]json.RawMessage `json:"_claim_names"`
	}
	if !claim.Part(raw, 1, &more) {
		return nil, bad("it cannot be read")
	}
	switch {
	case id.ObjectID == "":
		return nil, bad("it names no account")
	case !strings.EqualFold(id.Tenant, si.Tenant):
		return nil, bad("it is of another tenant")
	}
	return m.ticketOf(si, &id, more.SID, homeOf(more.IDP, si), more.Groups, more.Where["groups"] != nil), nil
}

// homeOf is the tenant of a guest, "" for an account of the tenant's own.
func homeOf(idp string, si *SignIn) string {
	if idp == "" || slices.Contains(si.Cloud.IssuersOf(si.Tenant), idp) {
		return ""
	}
	for part := range strings.SplitSeq(idp, "/") {
		if guid.MatchString(part) {
			return strings.ToLower(part)
		}
	}
	return gateway.OtherHome
}

func (m *Manager) ticketOf(si *SignIn, id *claim.Token, sid, home string, groups []string, more bool) *ticket {
	names, print := m.askedNow()
	now := m.now()
	life, _ := m.span()
	t := &ticket{ID: token.ID("gs"), Issuer: id.Issuer, Audience: si.App.ClientID, Tenant: strings.ToLower(id.Tenant), Home: home,
		ObjectID: strings.ToLower(id.ObjectID), Subject: clip(id.Subject, 128), Account: clip(id.Account, 256), Version: clip(id.Version, 8),
		SID: clip(sid, 128), Roles: only(id.Roles, names), Wids: only(id.Wids, names), Groups: only(groups, names), More: more,
		Contexts: few(id.ACRS, 32), AMR: few(id.AMR, 16), Issued: id.IssuedAt.Unix(), Made: now.Unix(), Seen: now.Unix(),
		Ends: now.Add(life).Unix(), Asked: print}
	if at := id.AuthTime; !at.IsZero() && !at.After(now.Add(leeway)) {
		t.AuthTime = at.Unix()
	}
	v := id.MFA(claim.Options{Now: now, Issuers: si.Cloud.Issuers})
	t.Proven = v.Answer == claim.Proven
	if !t.Proven {
		t.Lacks = lacks(id, v.Cause).String()
	}
	return t
}

// multipleauthn is what a federated provider sends to say MFA; in a token it has become
// "mfa" where Entra ID took it (contracts.md section 1.2).
const multipleauthn = "http://schemas.microsoft.com/claims/multipleauthn"

// lacks is the reason of the claim engine's cause.
func lacks(id *claim.Token, cause claim.Cause) gateway.Reason {
	switch {
	case cause == claim.Version2:
		return gateway.VersionHides
	case slices.Contains(id.AMR, multipleauthn):
		return gateway.ThirdPartyMFA
	}
	return gateway.SingleFactor
}

func clip(s string, most int) string {
	if len(s) > most {
		return "" // half of it is another
	}
	return s
}

// few keeps a list short. What finds no room only takes away.
func few(list []string, most int) []string {
	var out []string
	for _, s := range list {
		if len(out) < most && len(s) <= 128 {
			out = append(out, s)
		}
	}
	return out
}

// enter begins a session, in place of the one that the browser had, and gives its cookie.
func (m *Manager) enter(ctx context.Context, r *http.Request, t *ticket, f *flow, route *gateway.Route, lacks gateway.Reason) (string, error) {
	what := Entered
	old, _, reason := m.who(r)
	if f.Forced && lacks == gateway.Passed && reason == gateway.Passed && old.t.ObjectID == t.ObjectID {
		what = SteppedUp
	}
	details := map[string]string{"host": r.Host, "proof": strings.Join(claim.Methods(without(t.AMR, "mfa")), ", "), "lacks": t.Lacks}
	if t.AuthTime > 0 {
		details["proven"] = unix(t.AuthTime).Format(time.RFC3339)
	}
	e := Event{What: what, Actor: t.actor(), Tenant: t.Tenant, Object: t.ObjectID, Session: t.ID, Host: r.Host, Details: details}
	if err := m.record(ctx, e, route); err != nil {
		return "", problem.Wrap(err, problem.Unavailable, "the sign-in cannot be written down now, and this host lets nobody in then").
			WithHint("sign in again in a few minutes")
	}
	name := m.cookieName(r, "")
	value, err := m.seal(name, r.Host, t)
	if err != nil {
		return "", err
	}
	if m.lives(old, reason) { // one browser, one session
		m.end(ctx, Ended{ID: old.t.ID, Why: "another session took its place", Actor: t.actor(), Until: old.t.last()})
	}
	return cookieLine(name, value, time.Unix(t.Ends, 0).Sub(m.now())), nil
}

// actor is how the trail names them.
func (t *ticket) actor() string {
	if t.Account == "" {
		return "entra:" + t.ObjectID
	}
	return "entra:" + strings.ToLower(t.Account)
}

func unix(s int64) time.Time { return time.Unix(s, 0).UTC() }

// turnAway records why a sign-in was not taken, and gives the error back.
func (m *Manager) turnAway(r *http.Request, t *ticket, to string, err error) error {
	no, ok := errors.AsType[*refusal](err)
	if !ok {
		return err
	}
	no.To = to
	e := Event{What: Refused, Actor: "unknown", Host: r.Host, Reason: no.Words, Details: map[string]string{"cause": no.Cause}}
	if t != nil {
		e.Actor, e.Tenant, e.Object = t.actor(), t.Tenant, t.ObjectID
	} else if !m.strangers.due(no.Cause, m.now()) {
		return no
	}
	_ = m.record(r.Context(), e, nil) // what is refused stays refused
	return no
}
