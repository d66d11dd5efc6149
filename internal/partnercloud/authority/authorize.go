package authority

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/oauth"
	"partnerguard/internal/partnercloud/authority/pages"
	"partnerguard/internal/partnercloud/world"
)

// authorize is the authorization endpoint. Until client and redirect URI are
// known to belong together, faults are shown here and sent nowhere.
func (a *Authority) authorize(w http.ResponseWriter, q *request, v1 bool) {
	form, fault := a.readParams(q)
	if fault != nil {
		a.showFault(w, q, fault)
		return
	}
	f := &flow{purpose: forApp, pathName: q.tenantName}
	if fault = a.whoAsks(q, f, form, v1); fault != nil {
		a.showFault(w, q, fault)
		return
	}
	maxAge, fault := a.whatAsked(q, f, form, v1)
	if fault != nil {
		a.reply(w, q, f, a.failure(q, f, fault))
		return
	}
	a.open(w, q, f)
	f.mu.Lock()
	defer f.mu.Unlock()
	a.w.Read(func(s *world.State) { a.greet(s, q, f, maxAge) })
	if f.prompt == "none" {
		a.silentAuthorize(w, q, f)
		return
	}
	a.proceed(w, q, f)
}

// readParams reads an authorization request from query or form.
func (a *Authority) readParams(q *request) (url.Values, *oauth.Fault) {
	switch q.Method {
	case http.MethodGet, http.MethodHead:
		v, err := url.ParseQuery(q.URL.RawQuery)
		if err != nil {
			return nil, oauth.Refuse(entra.CodeMalformed)
		}
		return v, single(v)
	case http.MethodPost:
		return readForm(q)
	}
	return nil, oauth.Refuse(entra.CodeMethodNotAccepted, "GET, POST", clip(q.Method, 16))
}

// whoAsks checks client and redirect URI.
func (a *Authority) whoAsks(q *request, f *flow, form url.Values, v1 bool) *oauth.Fault {
	return a.do(func(s *world.State) (fault *oauth.Fault) {
		path, fault := findTenant(s, f.pathName)
		if fault != nil {
			return fault
		}
		if form.Get("client_id") == "" {
			return oauth.Refuse(entra.CodeParameterMissing, "client_id")
		}
		if f.client, fault = findClient(s, path, form.Get("client_id"), f.pathName); fault != nil {
			return fault
		}
		f.redirect = form.Get("redirect_uri")
		if f.redirect == "" && v1 && f.client.App != nil && len(f.client.App.Web)+len(f.client.App.SPA)+len(f.client.App.Public) == 1 {
			f.redirect = append(append(append([]string{}, f.client.App.Web...), f.client.App.SPA...), f.client.App.Public...)[0]
		}
		if f.redirect == "" {
			return oauth.Refuse(entra.CodeParameterMissing, "redirect_uri")
		}
		if f.platform = a.registered(f.client, f.redirect); f.platform == nowhere {
			return oauth.Refuse(entra.CodeRedirectUnknown, clip(f.redirect, 256), f.client.AppID)
		}
		return nil
	})
}

// whatAsked reads the rest: its faults go back to the client.
func (a *Authority) whatAsked(q *request, f *flow, form url.Values, v1 bool) (maxAge time.Duration, fault *oauth.Fault) {
	f.state, f.nonce, f.hint = form.Get("state"), form.Get("nonce"), clip(form.Get("login_hint"), 320)
	f.kind = strings.Join(sorted(strings.Fields(form.Get("response_type"))), " ")
	f.mode = form.Get("response_mode")
	if fault = f.response(); fault != nil {
		return 0, fault
	}
	for _, name := range []string{"state", "nonce"} {
		if len(form.Get(name)) > 4096 {
			return 0, oauth.Refuse(entra.CodeMalformed)
		}
	}
	if f.ask, fault = oauth.ParseClaims(form.Get("claims")); fault != nil {
		return 0, fault
	}
	if strings.Contains(f.kind, "code") {
		if f.challenge, fault = oauth.ParseChallenge(form.Get("code_challenge"), form.Get("code_challenge_method")); fault != nil {
			return 0, fault
		}
	}
	if strings.Contains(f.kind, "id_token") && f.client.App != nil && !f.client.App.IDTokens() {
		return 0, oauth.Refuse(entra.CodeResponseTypeDisabled, "id_token")
	}
	if strings.Contains(f.kind, "id_token") && f.nonce == "" {
		return 0, oauth.Refuse(entra.CodeParameterMissing, "nonce")
	}
	if f.prompt, fault = promptOf(form.Get("prompt")); fault != nil {
		return 0, fault
	}
	if v := form.Get("max_age"); v != "" {
		n, err := strconv.ParseInt(v, 10, 32)
		if err != nil || n < 0 {
			return 0, oauth.Refuse(entra.CodeMalformed)
		}
		maxAge, f.authTime = time.Duration(n)*time.Second, true
	} else {
		maxAge = -1
	}
	for _, v := range strings.Fields(form.Get("amr_values")) {
		f.askMFA = f.askMFA || v == "mfa" || v == "ngcmfa"
	}
	f.info = form.Get("client_info") == "1"
	fault = a.do(func(s *world.State) (fault *oauth.Fault) {
		f.target, fault = parseTarget(s, v1, form.Get("scope"), form.Get("resource"), f.pathName)
		return fault
	})
	return maxAge, fault
}

func sorted(words []string) []string {
	if len(words) == 2 && words[0] > words[1] {
		words[0], words[1] = words[1], words[0]
	}
	return words
}

// response checks type and mode of the answer.
func (f *flow) response() *oauth.Fault {
	mode := f.mode
	f.mode = "query" // for the fault itself
	switch f.kind {
	case "":
		return oauth.Refuse(entra.CodeParameterMissing, "response_type")
	case "code":
	case "id_token", "code id_token":
		f.mode = "fragment"
	default:
		return oauth.Refuse(entra.CodeResponseTypeDisabled, clip(f.kind, 64))
	}
	switch {
	case mode == "":
	case mode == "form_post" || mode == "fragment":
		f.mode = mode
	case mode == "query" && f.kind == "code":
		f.mode = mode
	default:
		return oauth.Refuse(entra.CodeResponseModeUnsupported, clip(mode, 32))
	}
	return nil
}

func promptOf(v string) (string, *oauth.Fault) {
	switch v {
	case "", "none", "login", "select_account", "consent", "admin_consent":
		return v, nil
	case "attempt_none", "create", "refresh_session": // seen from old clients
		return "", nil
	}
	return "", oauth.Refuse(entra.CodeMalformed)
}

// greet starts a flow with the browser's session where that will do.
func (a *Authority) greet(s *world.State, q *request, f *flow, maxAge time.Duration) {
	f.name = f.hint
	if f.prompt == "login" || f.prompt == "select_account" {
		if f.prompt == "login" {
			f.guess(s)
		}
		return
	}
	x := a.sessionOf(s, q)
	if x == nil || maxAge >= 0 && q.now.Sub(x.AuthTime) >= maxAge {
		f.guess(s)
		return
	}
	if f.hint != "" {
		u := s.Tenant(x.TenantID).Users.Get(x.UserID)
		if !strings.EqualFold(f.hint, u.UPN) && !strings.EqualFold(f.hint, u.Mail) && !strings.EqualFold(f.hint, u.ID) {
			f.guess(s)
			return
		}
	}
	f.join(s, x)
}

// guess takes the account from the login hint.
func (f *flow) guess(s *world.State) {
	path, fault := findTenant(s, f.pathName)
	if fault != nil || f.hint == "" {
		return
	}
	if home, u := findAccount(s, path, f.hint); u != nil {
		f.home, f.user, f.upn = home.ID, u.ID, u.UPN
	}
}

// silentAuthorize answers prompt=none: now, or with what stands in the way.
func (a *Authority) silentAuthorize(w http.ResponseWriter, q *request, f *flow) {
	var fault *oauth.Fault
	var st stage
	a.w.Read(func(s *world.State) { st = a.next(s, q, f) })
	switch st.name {
	case "done":
		a.finish(w, q, f)
		return
	case "account", "password":
		fault = oauth.Refuse(entra.CodeNobodySignedIn)
	case "consent":
		fault = oauth.Refuse(entra.CodeNoConsent, f.client.AppID)
	case "fault":
		fault = f.fault
	default:
		fault = refusal(&st.ruling, f.target, stamp(q.now))
	}
	f.done = true
	a.flows.drop(f.id)
	a.reply(w, q, f, a.failure(q, f, fault))
}

// failure is an error answer to the client (RFC 6749 section 4.1.2.1).
func (a *Authority) failure(q *request, f *flow, fault *oauth.Fault) url.Values {
	word := fault.Word
	switch {
	case fault.Sub == "consent_required":
		word = "consent_required"
	case word == "invalid_grant" || word == "invalid_client":
		word = "access_denied"
	}
	v := url.Values{"error": {word}, "error_description": {describe(q, fault, " ")}, "error_uri": {q.base() + "/error?code=" + strconv.Itoa(fault.Code)}}
	if fault.Sub != "" {
		v.Set("error_subcode", fault.Sub)
	}
	if fault.Claims != "" {
		v.Set("claims", fault.Claims)
	}
	if fault.Code == entra.CodeConsentDeclined {
		v.Set("error_subcode", "cancel")
	}
	return v
}

// reply sends an answer to the client's redirect URI, the only address it may
// ever go to.
func (a *Authority) reply(w http.ResponseWriter, q *request, f *flow, v url.Values) {
	if f.state != "" {
		v.Set("state", f.state)
	}
	switch f.mode {
	case "form_post":
		p := pages.Page{Name: "post", Title: "Back to the app", Text: "If nothing happens, press the button.", PostTo: f.redirect, App: f.client.Shown()}
		for _, k := range keysOf(v) {
			p.Hidden = append(p.Hidden, pages.Field{Name: k, Value: v.Get(k)})
		}
		if o, ok := oauth.Origin(f.redirect); ok {
			p.FormAction = []string{o}
		}
		a.show(w, q, http.StatusOK, p)
	case "fragment":
		w.Header().Set("Location", f.redirect+"#"+v.Encode())
		w.WriteHeader(http.StatusSeeOther)
	default:
		w.Header().Set("Location", oauth.WithParams(f.redirect, v))
		w.WriteHeader(http.StatusSeeOther)
	}
}

func keysOf(v url.Values) []string {
	var out []string
	for _, k := range []string{"code", "id_token", "client_info", "state", "session_state", "error", "error_description", "error_subcode", "error_uri",
		"claims"} {
		if v.Has(k) {
			out = append(out, k)
		}
	}
	return out
}
