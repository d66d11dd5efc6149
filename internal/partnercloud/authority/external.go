package authority

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/eam"
	"partnerguard/internal/partnercloud/authority/oauth"
	"partnerguard/internal/partnercloud/authority/pages"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/world"
)

// externalPath is where providers send people back.
const externalPath = "/common/federation/externalauthprovider"

// externalConfig is an external authentication method of a tenant.
type externalConfig struct {
	id, name, app, clientID, discovery string
}

// externalAsk is a redirect to a provider under way.
type externalAsk struct {
	config  externalConfig
	state   string
	nonce   string
	subject string
	begun   time.Time
	issuer  string
	base    string
}

// externalOf lists the enabled external methods whose targets hold the user
// (contracts.md section 3.8).
func externalOf(s *world.State, sub subject) []*externalConfig {
	var out []*externalConfig
	for d := range sub.home.MethodConfigs.All() {
		var m struct {
			Type  string `json:"@odata.type"`
			Name  string `json:"displayName"`
			State string `json:"state"`
			App   string `json:"appId"`
			OIDC  struct {
				Client    string `json:"clientId"`
				Discovery string `json:"discoveryUrl"`
			} `json:"openIdConnectSetting"`
			Include []targetGroup `json:"includeTargets"`
			Exclude []targetGroup `json:"excludeTargets"`
		}
		if json.Unmarshal(d.Raw, &m) != nil || m.State != "enabled" || !strings.HasSuffix(m.Type, "externalAuthenticationMethodConfiguration") {
			continue
		}
		groups := sub.home.GroupsOf(sub.self.ID)
		if !anyTarget(m.Include, groups) || anyTarget(m.Exclude, groups) {
			continue
		}
		out = append(out, &externalConfig{id: d.ID, name: m.Name, app: m.App, clientID: m.OIDC.Client, discovery: m.OIDC.Discovery})
	}
	return out
}

type targetGroup struct {
	ID string `json:"id"`
}

func anyTarget(list []targetGroup, groups []string) bool {
	return slices.ContainsFunc(list, func(t targetGroup) bool {
		return t.ID == "all_users" || slices.ContainsFunc(groups, func(g string) bool { return strings.EqualFold(g, t.ID) })
	})
}

// hint are the claims of id_token_hint (contracts.md section 6.2). It is issued
// in the expired state: exp lies one second before iat (contracts-2026-11.md
// section 0).
type hint struct {
	Issuer    string `json:"iss"`
	Audience  string `json:"aud"`
	Expires   int64  `json:"exp"`
	Issued    int64  `json:"iat"`
	NotBefore int64  `json:"nbf"`
	Tenant    string `json:"tid"`
	Object    string `json:"oid"`
	Subject   string `json:"sub"`
	Preferred string `json:"preferred_username"`
	Name      string `json:"name"`
	Version   string `json:"ver"`
	Mark      string `json:"xpc"`
}

// externalPage sends the browser to a provider by a form that posts itself.
func (a *Authority) externalPage(w http.ResponseWriter, q *request, f *flow, st *stage, c *externalConfig) *pages.Page {
	fault := a.externalReady(q, st, c)
	var p eam.Provider
	if fault == nil {
		ctx, cancel := context.WithTimeout(q.Context(), 15*time.Second)
		defer cancel()
		var err error
		if p, err = a.external.Discover(ctx, c.discovery); err != nil {
			fault = oauth.Refuse(entra.CodeExternalClaimInvalid, err.Error())
		} else {
			fault = a.replyURL(c, p)
		}
	}
	if fault != nil {
		a.externalFailed(q, f, st, c.name, fault)
		return a.factorPage(w, q, f, st)
	}
	ask := &externalAsk{config: *c, state: f.id + "." + world.NewSecret(), nonce: world.NewSecret(), begun: q.now,
		subject: bearer.Pairwise(f.home, f.user, c.app), issuer: p.Issuer, base: q.base()}
	now := q.now.Unix()
	payload, _ := json.Marshal(hint{
		Issuer: q.issuerV2(f.home), Audience: c.app, Issued: now, NotBefore: now, Expires: now - 1, Tenant: f.home, Object: f.user,
		Subject: ask.subject, Preferred: st.sub.self.UPN, Name: st.sub.self.Name, Version: "2.0", Mark: bearer.Mark,
	})
	signed, err := a.keys.SignRaw(payload, "JWT")
	if err != nil {
		a.log.Error("sign", "err", err)
		a.externalFailed(q, f, st, c.name, oauth.Refuse(entra.CodeExternalChallenge))
		return a.factorPage(w, q, f, st)
	}
	f.ext = ask
	a.w.Read(func(s *world.State) {
		f.once(entra.CodeExternalChallenge, func() { logSignIn(s, st.attempt, &st.ruling, entra.CodeExternalChallenge, "") })
	})
	page := f.page("post", "On to "+c.name)
	page.Text = "Another provider checks that it is you. If nothing happens, press the button."
	page.PostTo = p.Authorization
	if o, ok := oauth.Origin(p.Authorization); ok {
		page.FormAction = []string{o}
	}
	page.Hidden = []pages.Field{
		{Name: "scope", Value: "openid"}, {Name: "response_type", Value: "id_token"}, {Name: "response_mode", Value: "form_post"},
		{Name: "client_id", Value: c.clientID},
		{Name: "redirect_uri", Value: ask.base + externalPath}, {Name: "nonce", Value: ask.nonce}, {Name: "state", Value: ask.state},
		{Name: "id_token_hint", Value: signed},
		{Name: "claims", Value: requestedClaims()}, {Name: "client-request-id", Value: f.correlation},
	}
	return &page
}

// requestedClaims is the claims field, as published.
func requestedClaims() string {
	acr, amr := eam.Requested()
	type want struct {
		Essential bool     `json:"essential"`
		Values    []string `json:"values"`
	}
	type names struct {
		ACR want `json:"acr"`
		AMR want `json:"amr"`
	}
	b, _ := json.Marshal(struct {
		ID names `json:"id_token"`
	}{names{want{true, acr}, want{true, amr}}})
	return string(b)
}

// externalReady checks that the provider's app was consented to.
func (a *Authority) externalReady(_ *request, st *stage, c *externalConfig) *oauth.Fault {
	return a.do(func(*world.State) *oauth.Fault {
		if sp := st.sub.home.SP(c.app); sp == nil || !sp.Enabled {
			return oauth.Refuse(entra.CodeExternalPrincipalMissing, c.app, st.sub.home.Name)
		}
		return nil
	})
}

// replyURL checks that the provider's app lists its authorization endpoint,
// where the app's registration is in this world.
func (a *Authority) replyURL(c *externalConfig, p eam.Provider) *oauth.Fault {
	return a.do(func(s *world.State) *oauth.Fault {
		_, app := s.App(c.app)
		if app != nil && !slices.ContainsFunc(app.Web, func(u string) bool { return strings.HasPrefix(u, p.Authorization) }) {
			return oauth.Refuse(entra.CodeExternalClaimInvalid, "the provider's app does not list its authorization_endpoint as a redirect URI")
		}
		return nil
	})
}

// externalFailed notes why a provider's answer was not taken, and goes back to
// the choice.
func (a *Authority) externalFailed(q *request, f *flow, st *stage, method string, fault *oauth.Fault) {
	f.ext, f.way = nil, "choose"
	f.say = "AADSTS" + itoa(fault.Code) + ": " + fault.Text
	a.w.Read(func(s *world.State) { f.failed(s, q, st, fault.Code, method) })
}

// externalReturn takes a provider's answer. It comes by a form from another
// site, without our cookies: the state names the flow, which goes on only in the
// browser that has its cookie.
func (a *Authority) externalReturn(w http.ResponseWriter, q *request) {
	form, fault := readForm(q)
	if fault != nil {
		a.showFault(w, q, fault)
		return
	}
	state := form.Get("state")
	id, _, _ := strings.Cut(state, ".")
	f, ok := a.flows.get(q.now, id)
	if !ok {
		a.showFault(w, q, oauth.Refuse(entra.CodePageExpired))
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	ask := f.ext
	if ask == nil || f.done || subtle.ConstantTimeCompare([]byte(state), []byte(ask.state)) != 1 {
		a.showFault(w, q, oauth.Refuse(entra.CodePageExpired))
		return
	}
	f.ext = nil // one answer
	f.say = ""
	var st stage
	a.w.Read(func(s *world.State) { st = a.next(s, q, f) })
	if st.name == "mfa" {
		if fault := a.weigh(q, ask, form.Get("error"), form.Get("id_token")); fault != nil {
			a.externalFailed(q, f, &st, ask.config.name, fault)
		} else {
			a.externalDone(q, f, &st, ask)
		}
	}
	w.Header().Set("Location", f.url())
	w.WriteHeader(http.StatusSeeOther)
}

// weigh judges an answer (contracts.md section 6.3).
func (a *Authority) weigh(q *request, ask *externalAsk, failed, token string) *oauth.Fault {
	if failed != "" {
		f := oauth.Refuse(entra.CodeMFAFailed)
		f.Text = "The provider answered: " + clip(failed, 64) + "."
		return f
	}
	ctx, cancel := context.WithTimeout(q.Context(), 15*time.Second)
	defer cancel()
	p, err := a.external.Discover(ctx, ask.config.discovery)
	if err != nil {
		return oauth.Refuse(entra.CodeExternalClaimInvalid, err.Error())
	}
	payload, err := a.external.Verify(ctx, p, token)
	if bad, ok := errors.AsType[*eam.BadSignature](err); ok {
		f := oauth.Refuse(entra.CodeClientCredentialInvalid)
		f.Text = "Error validating credentials. AADSTS" + itoa(entra.CodeAssertionInvalid) + ": The id_token of the external provider failed signature " +
			"verification. Issuer: '" + clip(bad.Issuer, 256) + "', KeyID: '" + clip(bad.KeyID, 128) + "'."
		return f
	}
	if err != nil {
		return oauth.Refuse(entra.CodeExternalTokenInvalid, err.Error())
	}
	acr, amr := eam.Requested()
	if why := eam.Check(payload, eam.Expect{
		Issuer: ask.issuer, Audience: ask.config.clientID, Subject: ask.subject, Nonce: ask.nonce, ACR: acr, AMR: amr,
		First: eam.Knowledge, Begun: ask.begun, Now: q.now,
	}); why != "" {
		return oauth.Refuse(entra.CodeExternalTokenInvalid, why)
	}
	return nil
}

// externalDone takes the provider's word: MFA, and no strength. Who was not
// registered is now.
func (a *Authority) externalDone(q *request, f *flow, st *stage, ask *externalAsk) {
	f.prove(q, "mfa")
	f.proof.fresh, f.proof.external = false, true
	f.proof.combos = append(slices.Clone(f.proof.combos), externalMark)
	f.steps = append(f.steps, q.step(ask.config.name, "", true, "MFA requirement satisfied by claim provided by external provider", secondary))
	if !slices.ContainsFunc(st.sub.self.Methods, func(m world.Method) bool {
		return m.Type == world.MethodExternal && strings.EqualFold(m.Configuration, ask.config.id)
	}) {
		a.register(q, f, st, world.Method{ID: world.NewGUID(), Type: world.MethodExternal, Name: ask.config.name, Created: q.now, Configuration: ask.config.id})
	}
}
