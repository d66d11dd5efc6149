package authority

import (
	"net/http"
	"net/url"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/oauth"
	"partnerguard/internal/partnercloud/authority/pages"
	"partnerguard/internal/partnercloud/world"
)

// finish ends a flow that lacks nothing: session, row, and the answer. Whether
// it lacks nothing is asked once more under the lock that does it.
func (a *Authority) finish(w http.ResponseWriter, q *request, f *flow) {
	var (
		st     stage
		cookie string
		maxAge int
		grant  *code
	)
	a.w.Read(func(s *world.State) {
		if st = a.next(s, q, f); st.name != "done" {
			return
		}
		persistent := f.stay
		switch st.ruling.Persistent {
		case "always":
			persistent = true
		case "never":
			persistent = false
		}
		cookie, maxAge = a.keepSession(s, q, f, persistent)
		logSignIn(s, st.attempt, &st.ruling, -1, token22())
		note(s, st.sub, true)
		grant = &code{
			tenant: st.sub.tenant.ID, client: f.client.AppID, redirect: f.redirect, platform: f.platform, challenge: f.challenge,
			target: f.target, proof: f.proof, nonce: f.nonce, ask: f.ask, authTime: f.authTime, issued: q.now, from: q.origin(), info: f.info,
		}
	})
	if st.name != "done" {
		w.Header().Set("Location", f.url())
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	a.end(f)
	if cookie != "" {
		setSession(w, q, cookie, maxAge)
	}
	switch f.purpose {
	case forDevice:
		a.approve(q, f, &st)
		a.show(w, q, http.StatusOK, pages.Page{Name: "note", Title: "You are signed in", Text: "You have signed in to " + f.client.Name +
			" on your device. You may close this page."})
	case forAdmin:
		a.reply(w, q, f, f.admin.answer(&st))
	default:
		a.replyCode(w, q, f, &st, grant)
	}
}

// replyCode answers with a code, an ID token, or both.
func (a *Authority) replyCode(w http.ResponseWriter, q *request, f *flow, st *stage, grant *code) {
	v := url.Values{}
	if strings.Contains(f.kind, "code") {
		value := "0.PC." + world.NewSecret()
		a.codes.put(q.now, q.now.Add(2*codeLife), world.HashSecret(value), grant)
		v.Set("code", value)
	}
	if strings.Contains(f.kind, "id_token") {
		id := a.idToken(q, st.sub, f.client, f.target, &f.proof, f.ask, f.nonce, f.authTime)
		if v.Has("code") {
			id.CHash = halfHash(v.Get("code"))
		}
		signed, err := a.keys.Sign(id)
		if err != nil {
			a.log.Error("sign", "err", err)
			a.reply(w, q, f, a.failure(q, f, &oauth.Fault{Code: entra.CodeTransient, Word: "temporarily_unavailable",
				Text: "A transient error has occurred. Please try again."}))
			return
		}
		v.Set("id_token", signed)
	}
	if f.info {
		v.Set("client_info", clientInfo(st.sub))
	}
	v.Set("session_state", f.proof.sid)
	a.reply(w, q, f, v)
}

// approve gives a device its sign-in.
func (a *Authority) approve(q *request, f *flow, st *stage) {
	f.device.mu.Lock()
	defer f.device.mu.Unlock()
	if f.device.state == waiting {
		f.device.state, f.device.proof, f.device.tenant, f.device.from = approved, f.proof, st.sub.tenant.ID, q.origin()
	}
}

// beginDevice starts the sign-in behind a user code.
func (a *Authority) beginDevice(w http.ResponseWriter, q *request, d *device) {
	f := &flow{purpose: forDevice, pathName: d.path, client: d.client, platform: native, target: d.target, ask: d.ask, device: d}
	a.open(w, q, f)
	f.mu.Lock()
	defer f.mu.Unlock()
	a.w.Read(func(s *world.State) { a.greet(s, q, f, -1) })
	w.Header().Set("Location", f.url())
	w.WriteHeader(http.StatusSeeOther)
}

func (a *Authority) showDevice(w http.ResponseWriter, q *request, code, say string) {
	a.show(w, q, http.StatusOK, pages.Page{Name: "device", Title: "Enter code", Action: "/devicelogin", DeviceCode: code, Error: say})
}

// logout ends the browser's session. It leads on only to an address that the
// client registered (OpenID Connect RP-initiated logout).
func (a *Authority) logout(w http.ResponseWriter, q *request) {
	form, fault := a.readParams(q)
	if fault != nil {
		a.showFault(w, q, fault)
		return
	}
	if c, err := q.Cookie(sessionCookie); err == nil {
		a.w.Read(func(s *world.State) {
			s.Sessions.Delete(world.HashSecret(c.Value))
			s.Dirty()
		})
	}
	setSession(w, q, "", -1)
	if to := form.Get("post_logout_redirect_uri"); to != "" && a.mayLeadTo(form, to) {
		if state := form.Get("state"); state != "" {
			to = oauth.WithParams(to, url.Values{"state": {clip(state, 4096)}})
		}
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	a.show(w, q, http.StatusOK, pages.Page{Name: "note", Title: "You are signed out", Text: "You may close this page."})
}

// mayLeadTo reports that an address belongs to the client that asks, which
// client_id or id_token_hint names.
func (a *Authority) mayLeadTo(form url.Values, to string) (ok bool) {
	id := form.Get("client_id")
	if h := form.Get("id_token_hint"); id == "" && h != "" {
		if c, fault := a.keys.Parse(h); fault == nil {
			id = c.Audience
		}
	}
	a.w.Read(func(s *world.State) {
		if c, found := s.Client(id); found {
			ok = a.registered(&client{Client: c}, to) != nowhere
		}
	})
	return ok
}
