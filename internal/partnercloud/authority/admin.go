package authority

import (
	"net/http"
	"net/url"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/oauth"
	"partnerguard/internal/partnercloud/world"
)

// adminAsk is what an administrator is asked to consent to.
type adminAsk struct {
	v2     bool
	scope  string // v2: as asked
	target *target
}

// answer is what the client learns.
func (k adminAsk) answer(st *stage) url.Values {
	v := url.Values{"admin_consent": {"True"}, "tenant": {st.sub.tenant.ID}}
	if k.v2 {
		v.Set("scope", k.scope)
	}
	return v
}

// adminConsent is the admin consent endpoint: it makes the service principal and
// grants what the registration lists, or the scopes named, to everybody.
func (a *Authority) adminConsent(w http.ResponseWriter, q *request, v2 bool) {
	form, fault := a.readParams(q)
	if fault != nil {
		a.showFault(w, q, fault)
		return
	}
	f := &flow{purpose: forAdmin, pathName: q.tenantName, state: form.Get("state"), mode: "query", hint: clip(form.Get("login_hint"), 320)}
	if f.ask, fault = oauth.ParseClaims(""); fault == nil {
		fault = a.whoAsks(q, f, form, !v2)
	}
	if fault == nil && f.client.App == nil {
		fault = oauth.Refuse(entra.CodeRedirectUnknown, clip(form.Get("redirect_uri"), 256), f.client.AppID)
	}
	if fault != nil {
		a.showFault(w, q, fault)
		return
	}
	f.admin.v2, f.admin.scope = v2, form.Get("scope")
	fault = a.do(func(s *world.State) (fault *oauth.Fault) {
		f.target, fault = parseTarget(s, true, "", "", f.pathName) // the sign-in itself
		if fault == nil && v2 && f.admin.scope != "" {
			f.admin.target, fault = parseTarget(s, false, f.admin.scope, "", f.pathName)
		}
		return fault
	})
	if fault != nil {
		a.reply(w, q, f, a.failure(q, f, fault))
		return
	}
	a.open(w, q, f)
	f.mu.Lock()
	defer f.mu.Unlock()
	a.w.Read(func(s *world.State) { a.greet(s, q, f, -1) })
	a.proceed(w, q, f)
}

// adminStage is the consent of an administrator.
func (a *Authority) adminStage(s *world.State, f *flow, st stage) stage {
	if f.consented {
		st.name = "done"
		return st
	}
	t := f.admin.target
	if t != nil && (t.all || t.basic) {
		t = nil
	}
	st.wants = asksFor(s, f.client, t, true)
	if st.sub.aobo || !mayConsent(s, st.sub.tenant, st.sub.user.ID, st.wants) {
		return a.stopRow(s, f, st, oauth.Refuse(entra.CodeAdminConsentRequired, f.client.AppID))
	}
	if app := f.client.App; !app.MultiTenant() && !strings.EqualFold(f.client.Owner, st.sub.tenant.ID) {
		return a.stopRow(s, f, st, oauth.Refuse(entra.CodeAppNotFound, f.client.AppID, st.sub.tenant.Name))
	}
	st.name = "consent"
	return st
}
