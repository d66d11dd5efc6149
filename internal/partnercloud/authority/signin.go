package authority

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/oauth"
	"partnerguard/internal/partnercloud/authority/pages"
	"partnerguard/internal/partnercloud/world"
)

// signin serves a flow's pages: GET shows where it stands, POST does one thing
// and comes back by GET, so that going back and reloading are harmless.
func (a *Authority) signin(w http.ResponseWriter, q *request) {
	switch q.Method {
	case http.MethodGet, http.MethodHead:
		f, fault := a.flowOf(q, q.URL.Query().Get("flow"))
		if fault != nil {
			a.showFault(w, q, fault)
			return
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		a.turn(w, q, f)
	case http.MethodPost:
		form, fault := readForm(q)
		if fault != nil {
			a.showFault(w, q, fault)
			return
		}
		f, fault := a.flowOf(q, form.Get("flow"))
		if fault == nil && (a.cross.Check(q.Request) != nil || subtle.ConstantTimeCompare([]byte(form.Get("csrf")), []byte(f.csrf)) != 1) {
			fault = oauth.Refuse(entra.CodePageExpired)
		}
		if fault != nil {
			a.showFault(w, q, fault)
			return
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.say = ""
		a.act(w, q, f, form)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		a.showFault(w, q, oauth.Refuse(entra.CodeMethodNotAccepted, "GET, POST", clip(q.Method, 16)))
	}
}

// proceed sends the browser to where the flow stands, or back to the app when
// nothing is left to do.
func (a *Authority) proceed(w http.ResponseWriter, q *request, f *flow) {
	var st stage
	a.w.Read(func(s *world.State) { st = a.next(s, q, f) })
	if st.name == "done" {
		a.finish(w, q, f)
		return
	}
	w.Header().Set("Location", f.url())
	w.WriteHeader(http.StatusSeeOther)
}

// turn shows where the flow stands.
func (a *Authority) turn(w http.ResponseWriter, q *request, f *flow) {
	if f.done {
		a.showFault(w, q, oauth.Refuse(entra.CodePageExpired))
		return
	}
	var st stage
	var where string
	a.w.Read(func(s *world.State) {
		st = a.next(s, q, f)
		if st.sub.tenant != nil {
			where = st.sub.tenant.Name
		}
	})
	if st.name == "done" {
		a.finish(w, q, f)
		return
	}
	p := a.pageOf(w, q, f, &st)
	if p == nil {
		return
	}
	p.Where = where
	a.show(w, q, http.StatusOK, *p)
}

// pageOf makes the page of a stage; nil when it was written already.
func (a *Authority) pageOf(w http.ResponseWriter, q *request, f *flow, st *stage) *pages.Page {
	var p pages.Page
	switch st.name {
	case "confirm":
		p = f.page("confirm", "Sign in to "+f.client.Shown()+"?")
		p.App = ""
		p.Text = "You are about to sign in to " + f.client.Shown() +
			" on another device. Go on only if you started this yourself, on a device you trust, just now."
	case "account":
		p = f.page("account", "Sign in")
		p.Text = f.name
	case "password":
		if f.way == "passkey" && hasKey(st.sub.self) {
			return a.keyPage(q, f, st, false)
		}
		if st.pass && f.way != "word" {
			p = f.page("pass", "Enter Temporary Access Pass")
			p.First = true
			return &p
		}
		p = f.page("password", "Enter password")
		p.Key = hasKey(st.sub.self)
	case "mfa":
		return a.factorPage(w, q, f, st)
	case "register":
		return a.enrollPage(q, f, st)
	case "stay":
		p = f.page("stay", "Stay signed in?")
	case "consent":
		p = f.consentPage(st)
	default:
		fault := f.fault
		p = f.page("fault", "Sign-in stopped")
		p.Code, p.Text, p.Back, p.Other = fault.Code, fault.Text, f.redirect, f.purpose != forDevice
		p.Facts = []pages.Fact{{Name: "Error code", Value: "AADSTS" + itoa(fault.Code)}, {Name: "Trace ID", Value: q.trace},
			{Name: "Correlation ID", Value: f.correlation}, {Name: "Time", Value: stamp(q.now)}}
		if f.purpose == forDevice {
			p.Back = ""
		}
	}
	return &p
}

func (f *flow) consentPage(st *stage) pages.Page {
	p := f.page("consent", "Permissions requested")
	p.App = f.client.Shown()
	for _, w := range st.wants {
		for _, sc := range w.scopes {
			p.Permissions = append(p.Permissions, pages.Permission{Name: sc.Value, Note: "on " + w.res.Name + ", as the person who signed in", Admin: sc.Admin})
		}
		for _, role := range w.roles {
			p.Permissions = append(p.Permissions, pages.Permission{Name: role.Value, Note: "on " + w.res.Name + ", as the app itself, without a user",
				Admin: true})
		}
	}
	p.OnlyForAll = f.purpose == forAdmin || f.prompt == "admin_consent"
	p.Everybody = !p.OnlyForAll && st.mayForAll
	p.Publisher = st.publisher
	return p
}

// act does what a form asks, if the flow stands where that makes sense.
func (a *Authority) act(w http.ResponseWriter, q *request, f *flow, form url.Values) {
	if f.done {
		a.showFault(w, q, oauth.Refuse(entra.CodePageExpired))
		return
	}
	do := form.Get("do")
	var st stage
	a.w.Read(func(s *world.State) { st = a.next(s, q, f) })
	f.say = ""
	switch {
	case do == "back" && f.fault != nil && f.purpose != forDevice:
		a.end(f)
		a.reply(w, q, f, a.failure(q, f, f.fault))
		return
	case do == "other":
		f.switchUser()
		f.confirmed = f.confirmed || f.purpose != forDevice
	case st.name == "confirm":
		a.confirm(q, f, do)
	case st.name == "account" && do == "account":
		a.takeAccount(q, f, form.Get("loginfmt"))
	case st.name == "password":
		a.atPassword(q, f, &st, do, form)
	case st.name == "mfa":
		a.atFactor(q, f, &st, do, form)
	case st.name == "register":
		a.atEnroll(q, f, &st, do, form)
	case st.name == "stay" && (do == "stay" || do == "leave"):
		a.staying(w, q, f, do == "stay")
	case st.name == "consent" && do == "accept":
		a.accept(q, f, &st, form.Get("everybody") == "1")
	case st.name == "consent" && do == "decline":
		f.fault = oauth.Refuse(entra.CodeConsentDeclined)
		a.w.Read(func(s *world.State) { logSignIn(s, st.attempt, &st.ruling, entra.CodeConsentDeclined, "") })
		if f.purpose != forDevice {
			a.end(f)
			a.reply(w, q, f, a.failure(q, f, f.fault))
			return
		}
	}
	if f.purpose == forDevice && f.done {
		a.show(w, q, http.StatusOK, pages.Page{Name: "note", Title: "Cancelled", Text: "Nobody was signed in. You may close this page."})
		return
	}
	w.Header().Set("Location", f.url())
	w.WriteHeader(http.StatusSeeOther)
}

// staying notes the answer and signs the browser in: what comes after, consent,
// may be refused and the person is signed in all the same.
func (a *Authority) staying(w http.ResponseWriter, q *request, f *flow, stay bool) {
	f.stayAsked, f.stay = true, stay
	var cookie string
	var maxAge int
	a.w.Read(func(s *world.State) { cookie, maxAge = a.keepSession(s, q, f, stay) })
	if cookie != "" {
		setSession(w, q, cookie, maxAge)
		f.session, f.typed = world.HashSecret(cookie), false
	}
}

// end closes a flow.
func (a *Authority) end(f *flow) {
	f.done = true
	a.flows.drop(f.id)
}

// takeAccount notes whose sign-in it is.
func (a *Authority) takeAccount(q *request, f *flow, name string) {
	f.name = clip(strings.TrimSpace(name), 320)
	a.w.Read(func(s *world.State) {
		path, fault := findTenant(s, f.pathName)
		if fault != nil {
			f.fault = fault
			return
		}
		home, u := findAccount(s, path, f.name)
		if u == nil {
			f.say = "No account with that name exists in this cloud."
			return
		}
		f.home, f.user, f.upn = home.ID, u.ID, u.UPN
	})
}

// accept writes a consent down. What is asked is taken from the stage, never
// from the form.
func (a *Authority) accept(q *request, f *flow, st *stage, everybody bool) {
	f.consented = true
	a.w.Read(func(s *world.State) {
		all := f.purpose == forAdmin || f.prompt == "admin_consent" || everybody
		if all && !mayConsent(s, st.sub.tenant, st.sub.user.ID, st.wants) {
			f.consented = false
			f.fault = oauth.Refuse(entra.CodeAdminConsentRequired, f.client.AppID)
			return
		}
		q.correlation = f.correlation
		q.consent(s, st.sub.tenant, st.sub.user, f.client, st.wants, all)
	})
}

// confirm answers the question whether a device's sign-in is meant.
func (a *Authority) confirm(_ *request, f *flow, do string) {
	switch do {
	case "confirm":
		f.confirmed = true
	case "refuse":
		f.device.mu.Lock()
		if f.device.state == waiting {
			f.device.state = declined
		}
		f.device.mu.Unlock()
		a.end(f)
	}
}
