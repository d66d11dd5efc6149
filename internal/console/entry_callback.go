package console

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

	"partnerguard/internal/audit"
	"partnerguard/internal/claim"
	"partnerguard/internal/msapi"
	"partnerguard/internal/pattern"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/secret"
	"partnerguard/internal/web"
)

// leeway is how far clocks may differ.
const leeway = 5 * time.Minute

const onceMore = "begin again at the sign-in page"

// person is who an id token names, and what it proves.
type person struct {
	subject, account, tenant string
	verdict                  claim.Verdict
	proven                   time.Time // of the sign-in; zero: not told
	held                     held
	more                     bool // in more groups than a token holds
}

// actor is how the trail names them.
func (p *person) actor() string {
	if p.account == "" {
		return "entra:" + p.subject
	}
	return "entra:" + strings.ToLower(p.account)
}

func (p *person) name() string {
	if p.account == "" {
		return p.subject
	}
	return p.account
}

// callback takes the answer of Entra ID.
func (c *Console) callback(w http.ResponseWriter, r *http.Request) error {
	f, cb, err := c.answer(w, r)
	if err != nil {
		return c.turnAway(r, nil, f.To, err)
	}
	c.setCookie(w, r, cookieFlow, "", 0) // an answer counts once, whatever it says
	// A browser that leaves does not cut a redemption short.
	ctx := context.WithoutCancel(r.Context())
	who, err := c.prove(ctx, r, f, cb)
	if err != nil {
		return c.turnAway(r, who, f.To, err)
	}
	if miss := c.missed(who, f); miss != "" {
		if f.Forced {
			return c.turnAway(r, who, f.To, c.noMFA(who, miss))
		}
		c.refused(r, who.actor(), who.tenant, "no mfa", miss, map[string]string{"subject": who.subject, "next": "step-up"})
		next := flow{To: f.To, Hint: who.account, At: c.now().UnixMicro(), Missed: miss}
		sealed, err := c.box.seal(ctx, c.cookieName(r, cookieFlow), next)
		if err != nil {
			return err
		}
		c.setCookie(w, r, cookieFlow, sealed, flowLife)
		http.Redirect(w, r, stepUpPath, http.StatusSeeOther)
		return nil
	}
	s, text, err := c.enter(ctx, r, who, f)
	if err != nil {
		return c.turnAway(r, who, f.To, err)
	}
	if err := c.give(w, r, s, text); err != nil {
		return err
	}
	http.Redirect(w, r, safePath(f.To), http.StatusSeeOther)
	return nil
}

// answer reads what the browser brought, and the flow that it belongs to.
func (c *Console) answer(w http.ResponseWriter, r *http.Request) (flow, capture.Callback, error) {
	home, err := url.Parse(c.canonical(r))
	if err != nil || home.Host == "" {
		return flow{}, capture.Callback{}, web.WithStatus(http.StatusMisdirectedRequest, problem.New(problem.NotFound, "the console has another name"))
	}
	door := capture.Door{Host: home.Host, Path: callbackPath, Mode: "query", Origin: c.d.Cloud.Authority}
	cb, err := door.Read(w, r)
	if err != nil {
		words := "the answer is not one of Entra ID"
		if no, ok := errors.AsType[*capture.Refusal](err); ok {
			words = no.Words
		}
		return flow{}, cb, refuse(problem.BadInput, "forged", onceMore, "%s", words)
	}
	var f flow
	ok, err := c.readCookie(r, cookieFlow, &f)
	if err != nil {
		return flow{}, cb, err
	}
	f.To = safePath(f.To)
	switch {
	case !ok || f.State == "":
		return flow{}, cb, refuse(problem.BadInput, "other browser",
			onceMore+", in one browser; if nobody here began a sign-in, somebody tried to slip one in",
			"the answer belongs to no sign-in that this browser began")
	case subtle.ConstantTimeCompare([]byte(f.State), []byte(cb.State.Reveal())) != 1:
		return flow{}, cb, refuse(problem.BadInput, "state", onceMore+", in one tab",
			"the answer belongs to another sign-in than the last that this browser began")
	case f.late(c.now()):
		return f, cb, refuse(problem.BadInput, "late", onceMore, "the sign-in took more than ten minutes")
	case !c.used.once(f.State):
		return f, cb, refuse(problem.BadInput, "replayed", onceMore, "the answer to this sign-in came before")
	}
	return f, cb, nil
}

// prove redeems the code and verifies who it is.
func (c *Console) prove(ctx context.Context, r *http.Request, f flow, cb capture.Callback) (*person, error) {
	si, err := c.app(ctx)
	if err != nil {
		return nil, err
	}
	// A code is given to nobody but the authority that made it (RFC 9207).
	if cb.Issuer != "" && !slices.Contains(c.d.Cloud.IssuersOf(si.Tenant), cb.Issuer) {
		return nil, refuse(problem.BadInput, "authority", onceMore+", and look at the address of the sign-in page",
			"another authority or tenant answered than the one that was asked")
	}
	if cb.Err != "" {
		return nil, c.declined(cb)
	}
	g, err := c.d.Entra.Redeem(ctx, msapi.RedeemRequest{Cloud: c.d.Cloud, App: si.App, Tenant: si.Tenant, Code: cb.Code,
		Verifier: secret.New(f.Verifier), Redirect: c.canonical(r) + callbackPath, Resource: c.d.Cloud.GraphResource})
	if err != nil {
		if e, ok := errors.AsType[*msapi.TokenError](err); ok && !e.Transient {
			return nil, refuse(problem.BadInput, "declined", here(e.Fix()), "the sign-in was not completed: %s", e.Public())
		}
		return nil, problem.Wrap(err, problem.Unavailable, "Entra ID could not complete the sign-in just now").WithHint("sign in again in a minute")
	}
	return c.identity(ctx, si, f, g)
}

// here is a way out for somebody at the console: what another of our programs would do
// again is done here.
func here(fix string) string {
	if fix == "" || strings.Contains(fix, "partnerguard connect") {
		return onceMore
	}
	return fix
}

// declined explains an error answer.
func (c *Console) declined(cb capture.Callback) error {
	x := msapi.Explain(cb.AADSTS)
	switch {
	case x.Known:
		return refuse(problem.Forbidden, "declined", here(x.Fix), "Entra ID did not let the sign-in through: %s (AADSTS%d)", x.Words, cb.AADSTS)
	case cb.Err == "access_denied" || cb.Err == "consent_required":
		return refuse(problem.Forbidden, "declined", "sign in again, or have an administrator of the tenant consent to the app first",
			"the sign-in was given up, or the consent declined")
	case cb.Err == "temporarily_unavailable" || cb.Err == "server_error":
		return refuse(problem.Unavailable, "declined", "sign in again in a few minutes", "Entra ID could not complete the sign-in just now")
	}
	return refuse(problem.Forbidden, "declined", onceMore, "Entra ID did not let the sign-in through (%s)", cb.Err)
}

// identity verifies the id token and who it names.
func (c *Console) identity(ctx context.Context, si SignIn, f flow, g *msapi.Grant) (*person, error) {
	bad := func(why string) error {
		return refuse(problem.BadInput, "token", onceMore+"; is a clock wrong, or something on the way rewriting answers?",
			"the id token is not taken: %s", why)
	}
	if g.ID.IsZero() {
		return nil, bad("none came")
	}
	var head struct {
		Kid string `json:"kid"`
	}
	if !claim.Part(g.ID, 0, &head) || len(head.Kid) > 256 {
		head.Kid = ""
	}
	keys, err := c.d.Entra.Keys(ctx, c.d.Cloud, si.Tenant, head.Kid)
	if err != nil {
		return nil, problem.Wrap(err, problem.Unavailable, "Entra ID's keys could not be read just now").WithHint("sign in again in a minute")
	}
	id, err := claim.Verify(g.ID, keys, claim.Expect{Now: c.d.Now(), Leeway: leeway, Audiences: []string{si.App.ClientID}, Nonce: secret.New(f.Nonce),
		IssuerRule: func(t claim.Token) bool { return slices.Contains(c.d.Cloud.IssuersOf(t.Tenant), t.Issuer) }})
	if flaw, ok := errors.AsType[claim.Flaw](err); ok {
		return nil, bad(string(flaw))
	} else if err != nil {
		return nil, bad("it cannot be verified")
	}
	var more struct {
		IDP    string                     `json:"idp"`
		Wids   []string                   `json:"wids"`
		Groups []string                   `json:"groups"`
		Where  map[string]json.RawMessage `json:"_claim_names"`
	}
	if !claim.Part(g.ID, 1, &more) {
		return nil, bad("it cannot be read")
	}
	p := &person{subject: strings.ToLower(id.ObjectID), account: id.Account, tenant: strings.ToLower(id.Tenant), verdict: id.MFA(claim.Options{Now: c.d.Now(),
		Issuers: c.d.Cloud.Issuers})}
	switch {
	case p.subject == "":
		return nil, bad("it names no account")
	case p.tenant != si.Tenant:
		return p, refuse(problem.Forbidden, "tenant", "sign in with an account of "+si.Name,
			"the account %s is of another tenant than the one that is connected", p.name())
	case more.IDP != "" && !slices.Contains(c.d.Cloud.IssuersOf(si.Tenant), more.IDP):
		return p, refuse(problem.Forbidden, "guest", "sign in with an account of the tenant's own: a member of "+si.Name,
			"the account %s is a guest: it signed in elsewhere, where its MFA and its life are not the tenant's", p.name())
	}
	if at := id.AuthTime; !at.IsZero() && !at.After(c.now().Add(leeway)) {
		p.proven = at.UTC()
	}
	_, p.more = more.Where["groups"]
	p.held = held{Roles: ids(more.Wids), Groups: ids(more.Groups)}
	if len(p.held.Roles) == 0 {
		p.held.Roles = directoryRoles(g.Access, si, p)
	}
	return p, nil
}

// directoryRoles are those that the access token says. Entra ID names them in an id token
// only where the app's registration asks for it (groupMembershipClaims); Graph's access
// tokens have them. Its signature is Graph's to check: it came from the token endpoint
// itself, for a code that was redeemed with our proof key, and must be of the same
// account, app and tenant.
func directoryRoles(raw secret.Text, si SignIn, p *person) []string {
	t := claim.Inspect(raw)
	if t.Opaque || t.IsApp || !strings.EqualFold(t.ObjectID, p.subject) || !strings.EqualFold(t.App, si.App.ClientID) ||
		!strings.EqualFold(t.Tenant, p.tenant) {
		return nil
	}
	var body struct {
		Wids []string `json:"wids"`
	}
	if !claim.Part(raw, 1, &body) {
		return nil
	}
	return ids(body.Wids)
}

// maxIDs is how many roles and groups a session remembers.
const maxIDs = 300

// ids are those of a list that are ids, in lower case.
func ids(list []string) []string {
	var out []string
	for _, s := range list[:min(len(list), maxIDs)] {
		if guidForm.MatchString(s) {
			out = append(out, strings.ToLower(s))
		}
	}
	return out
}

// missed says why a sign-in does not prove MFA, "" where it does. A step-up must be of
// now: what was demanded can be taken out of an address.
func (c *Console) missed(p *person, f flow) string {
	if p.verdict.Answer != claim.Proven {
		return p.verdict.Reason
	}
	if f.Forced && (p.proven.IsZero() || p.proven.Before(time.UnixMicro(f.At).Add(-leeway))) {
		return "the sign-in is an older one, although a new one was demanded"
	}
	return ""
}

// noMFA ends a step-up that came without MFA, with what an administrator must set.
func (c *Console) noMFA(p *person, miss string) error {
	fix := "an administrator sets a Conditional Access policy that requires MFA of every user for this app; the account registers a method at " +
		"https://aka.ms/mfasetup; a federated provider must send authnmethodsreferences with multipleauthn"
	if p.verdict.Answer == claim.Proven {
		fix = "sign out at Microsoft, or use a private window, and begin again"
	}
	no := refuse(problem.Forbidden, "no mfa", fix, "MFA was demanded of %s, and the sign-in came back without it: %s", p.name(), miss)
	no.Facts = []entryFact{{"Account", p.name()}, {"Object id", p.subject}}
	return no
}

// enter begins the session of somebody who proved MFA and has a role.
func (c *Console) enter(ctx context.Context, r *http.Request, p *person, f flow) (*Session, secret.Text, error) {
	grants, err := c.grants(ctx)
	if err != nil {
		return nil, secret.Text{}, err
	}
	st, ok := stand(grants, p.tenant, p.subject, p.held)
	if !ok {
		return nil, secret.Text{}, c.noRole(p, grants)
	}
	was, action := "", audit.ConsoleEntered
	if old, err := c.session(r); err == nil { // whoever's it is: one browser, one session
		was = old.ID
		if f.Forced && old.Subject == p.subject {
			action = audit.ConsoleSteppedUp
		}
	}
	s := &Session{Way: ByEntra, Actor: p.actor(), Subject: p.subject, Name: p.name(), Tenant: p.tenant, Role: st.Role.ID, Customers: st.Customers,
		Proof: strings.Join(claim.Methods(p.verdict.By), ", "), Proven: p.proven, Address: addressOf(r), Client: clientOf(r), held: p.held}
	text, err := c.begin(ctx, s, was, action, map[string]string{"because": st.Because})
	return s, text, err
}

var plainAccount = pattern.Later(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}@[A-Za-z0-9][A-Za-z0-9.-]{0,100}$`)

// noRole refuses somebody whom nothing gives a role, and says what would.
func (c *Console) noRole(p *person, grants []Grant) error {
	fix, command := "an administrator gives you one, on the machine", "partnerguard console roles add --user "+p.subject+" --role reader"
	if plainAccount.MatchString(p.account) { // somebody will paste it into a shell
		command += " --name " + p.account
	}
	byGroup := slices.ContainsFunc(grants, func(g Grant) bool { return g.Kind == KindGroup })
	switch {
	case byGroup && p.more:
		fix += ". Roles are given to groups here, and this account is in more groups than a token holds: give it one of its own"
	case byGroup && len(p.held.Groups) == 0:
		fix += ". Roles are given to groups here, and the app's tokens name none: set groupMembershipClaims of its registration to SecurityGroup"
	}
	no := refuse(problem.Forbidden, "no role", fix, "the account %s proved MFA, and has no role here", p.name())
	no.Command = command
	no.Facts = []entryFact{{"Account", p.name()}, {"Object id", p.subject}, {"Comes in without being given a role",
		"Global Administrator, Security Administrator, Security Reader"}}
	return no
}
