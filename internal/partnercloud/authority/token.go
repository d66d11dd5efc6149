package authority

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/oauth"
	"partnerguard/internal/partnercloud/world"
)

// Grant types beyond the short names.
const (
	deviceGrant   = "urn:ietf:params:oauth:grant-type:device_code"
	onBehalfGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
)

// tokenRequest is one token request under way.
type tokenRequest struct {
	*request
	form   url.Values
	v1     bool
	path   pathTenant
	client *client
	ask    *oauth.ClaimsRequest
}

// readForm reads a form body: the right type, no parameter twice, not too long.
func readForm(q *request) (url.Values, *oauth.Fault) {
	if q.Method != http.MethodPost {
		return nil, oauth.Refuse(entra.CodeMethodNotAccepted, "POST", clip(q.Method, 16))
	}
	if kind, _, err := mime.ParseMediaType(q.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, oauth.Refuse(entra.CodeMalformed)
	}
	if err := q.ParseForm(); err != nil {
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			f := oauth.Refuse(entra.CodeRequestTooLarge)
			f.Status = http.StatusRequestEntityTooLarge
			return nil, f
		}
		return nil, oauth.Refuse(entra.CodeMalformed)
	}
	return q.PostForm, single(q.PostForm)
}

// token is the token endpoint: one grant, one answer.
func (a *Authority) token(w http.ResponseWriter, q *request, v1 bool) {
	if q.Method == http.MethodOptions {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Allow-Methods", "POST, OPTIONS")
		h.Set("Access-Control-Allow-Headers", "*")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if q.Header.Get("Origin") != "" {
		w.Header().Set("Access-Control-Allow-Origin", "*") // no cookie has any say here
	}
	form, fault := readForm(q)
	if fault != nil {
		a.writeFault(w, q, fault)
		return
	}
	tr := &tokenRequest{request: q, form: form, v1: v1}
	if tr.ask, fault = oauth.ParseClaims(form.Get("claims")); fault != nil {
		a.writeFault(w, q, fault)
		return
	}
	grant, fault := a.grantOf(form.Get("grant_type"))
	if fault != nil {
		a.writeFault(w, q, fault)
		return
	}
	b, fault := grant(tr)
	if fault != nil {
		a.writeFault(w, q, fault)
		return
	}
	a.answer(w, q, b)
}

func (a *Authority) grantOf(name string) (func(*tokenRequest) (*bundle, *oauth.Fault), *oauth.Fault) {
	switch name {
	case "":
		return nil, oauth.Refuse(entra.CodeParameterMissing, "grant_type")
	case "authorization_code":
		return a.redeemCode, nil
	case "refresh_token":
		return a.refresh, nil
	case "client_credentials":
		return a.appOnly, nil
	case "password":
		return a.password, nil
	case deviceGrant, "device_code":
		return a.pollDevice, nil
	case onBehalfGrant:
		return a.onBehalf, nil
	}
	return nil, oauth.Refuse(entra.CodeGrantUnsupported, clip(name, 64))
}

// begin finds tenant and client and checks the credential presented. It is
// called under the world's lock.
func (a *Authority) begin(s *world.State, tr *tokenRequest) (fault *oauth.Fault) {
	if tr.path, fault = findTenant(s, tr.tenantName); fault != nil {
		return fault
	}
	id := tr.form.Get("client_id")
	if id == "" {
		if user, _, ok := tr.BasicAuth(); ok {
			id, _ = url.QueryUnescape(user)
		}
	}
	if tr.client, fault = findClient(s, tr.path, id, tr.tenantName); fault != nil {
		return fault
	}
	return a.authenticate(s, tr.request, tr.path, tr.client, tr.form)
}

// target reads what is asked for, or falls back to what was asked before.
func (tr *tokenRequest) target(s *world.State, before []string) (*target, *oauth.Fault) {
	scope, resource := tr.form.Get("scope"), tr.form.Get("resource")
	if tr.v1 {
		if resource == "" {
			resource = resourceOf(before)
		}
		return parseTarget(s, true, scope, resource, tr.tenantName)
	}
	if scope == "" {
		scope = strings.Join(before, " ")
	}
	return parseTarget(s, false, scope, "", tr.tenantName)
}

// resourceOf finds the resource in words that a target wrote.
func resourceOf(words []string) string {
	for _, w := range words {
		if oidc(w) {
			continue
		}
		if i := strings.LastIndexByte(w, '/'); i >= 0 && !strings.HasSuffix(w, "/") && strings.Count(w, "/") != 2 {
			return w[:i]
		}
		if strings.Contains(w, ":") {
			return w
		}
	}
	return ""
}

// refuse carries a fault out of World.Do, whose error it is.
func (a *Authority) do(f func(s *world.State) *oauth.Fault) *oauth.Fault {
	var fault *oauth.Fault
	a.w.Read(func(s *world.State) { fault = f(s) })
	return fault
}
