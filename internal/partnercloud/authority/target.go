package authority

import (
	"net/url"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/oauth"
	"partnerguard/internal/partnercloud/world"
)

// target is what a token is asked for: one resource, with scopes.
type target struct {
	res     *world.Resource
	v1      bool
	all     bool     // .default, or resource= of v1: everything granted
	scopes  []string // named scopes, as the resource spells them
	prefix  string   // what stood before the scopes in the request, for the answer
	aud     string   // the resource as it was asked for: the audience of v1 tokens
	asked   []string // scope words as asked, for the answer and for refreshing
	openid  bool
	profile bool
	email   bool
	offline bool
	basic   bool // nothing of a resource was named: sign-in only
}

const maxScopes = 100

// parseTarget reads scope or resource. named is the tenant for error texts.
func parseTarget(s *world.State, v1 bool, scope, resource, named string) (*target, *oauth.Fault) {
	t := &target{v1: v1}
	if v1 {
		return t.fromResource(s, scope, resource, named)
	}
	words := strings.Fields(scope)
	if len(words) == 0 {
		return nil, oauth.Refuse(entra.CodeParameterMissing, "scope")
	}
	if len(words) > maxScopes {
		return nil, oauth.Refuse(entra.CodeScopeInvalid, "too many scopes")
	}
	var names []string
	for _, word := range words {
		if t.standard(word) {
			t.asked = append(t.asked, word)
			continue
		}
		uri, name := entra.AppGraph, word
		prefix := ""
		if i := strings.LastIndexByte(word, '/'); i >= 0 {
			uri, name, prefix = word[:i], word[i+1:], word[:i+1]
		}
		if name == "" || uri == "" {
			return nil, oauth.Refuse(entra.CodeScopeInvalid, quoted(word))
		}
		res := s.Resource(uri)
		if res == nil {
			if prefix == "" || !strings.Contains(uri, ":") && !world.IsGUID(uri) {
				return nil, oauth.Refuse(entra.CodeScopeInvalid, quoted(word))
			}
			return nil, oauth.Refuse(entra.CodeResourceNotFound, uri, named)
		}
		if t.res != nil && t.res.AppID != res.AppID {
			return nil, oauth.Refuse(entra.CodeScopesOfSeveralResources)
		}
		t.res, t.prefix, t.aud = res, prefix, uri
		t.asked = append(t.asked, word)
		names = append(names, name)
	}
	if t.res == nil {
		t.res, t.aud, t.basic = world.FindResource(entra.AppGraph), entra.AppGraph, true
		return t, nil
	}
	return t, t.name(names)
}

// name resolves scope names against the resource.
func (t *target) name(names []string) *oauth.Fault {
	for _, n := range names {
		if n == ".default" {
			t.all = true
			continue
		}
		sc, ok := t.res.ScopeByValue(n)
		if !ok {
			return oauth.Refuse(entra.CodeScopeInvalid, quoted(t.prefix+n)+" is not a scope of "+t.res.Name)
		}
		if !slices.Contains(t.scopes, sc.Value) {
			t.scopes = append(t.scopes, sc.Value)
		}
	}
	if t.all && len(t.scopes) > 0 {
		return oauth.Refuse(entra.CodeScopeInvalid, ".default cannot be combined with scopes of a resource")
	}
	return nil
}

func quoted(s string) string {
	if len(s) > 120 {
		s = s[:120] + "…"
	}
	return "'" + s + "'"
}

// standard notes a scope of OpenID Connect.
func (t *target) standard(word string) bool {
	switch strings.ToLower(word) {
	case "openid":
		t.openid = true
	case "profile":
		t.profile = true
	case "email":
		t.email = true
	case "offline_access":
		t.offline = true
	default:
		return false
	}
	return true
}

// fromResource is the v1 form: a refresh token always, everything granted.
func (t *target) fromResource(s *world.State, scope, resource, named string) (*target, *oauth.Fault) {
	for _, word := range strings.Fields(scope) {
		t.standard(word)
	}
	t.openid, t.offline, t.all = true, true, true
	if resource == "" {
		t.res, t.aud, t.basic = world.FindResource(entra.AppGraph), entra.AppGraph, true
		return t, nil
	}
	t.aud = resource
	if t.res = s.Resource(resource); t.res == nil {
		return nil, oauth.Refuse(entra.CodeResourceNotFound, resource, named)
	}
	t.asked = []string{resource}
	return t, nil
}

// words rebuilds the request for a refresh that names nothing.
func (t *target) words() []string {
	if t.v1 {
		return []string{"openid", "offline_access", t.aud + "/.default"}
	}
	return t.asked
}

// claim is the scp of an access token: what was granted, and for Graph, whose they
// are, the scopes of OpenID Connect that were asked for.
func (t *target) claim(granted []string) string {
	out := slices.Clone(granted)
	if t.res.AppID == entra.AppGraph {
		out = t.oidc(out)
	}
	if len(out) == 0 {
		return "openid"
	}
	return strings.Join(out, " ")
}

// oidc adds the scopes of OpenID Connect that were asked for.
func (t *target) oidc(out []string) []string {
	for _, w := range []struct {
		on   bool
		word string
	}{{t.openid, "openid"}, {t.profile, "profile"}, {t.email, "email"}} {
		if w.on && !slices.Contains(out, w.word) {
			out = append(out, w.word)
		}
	}
	return out
}

// answer is the scope member of a token answer: what was granted, in the form
// it was asked for, and what OpenID Connect added.
func (t *target) answer(granted []string) string {
	if t.v1 {
		return strings.Join(granted, " ")
	}
	var out []string
	for _, g := range granted {
		out = append(out, t.prefix+g)
	}
	if t.all {
		out = append(out, t.prefix+".default")
	}
	return strings.Join(t.oidc(out), " ")
}

// defaultOnly holds a request of an app by itself to a resource with /.default:
// single scopes are not its to ask for. Those of OpenID Connect change nothing.
func defaultOnly(scope string) *oauth.Fault {
	found := false
	for _, word := range strings.Fields(scope) {
		switch {
		case len(word) > len("/.default") && strings.HasSuffix(word, "/.default"):
			found = true
		case !oidc(word):
			return oauth.Refuse(entra.CodeScopeNotDefault, clip(scope, 200))
		}
	}
	if !found && strings.TrimSpace(scope) != "" {
		return oauth.Refuse(entra.CodeScopeNotDefault, clip(scope, 200))
	}
	return nil
}

// single reads a form's or query's value and refuses parameters given twice
// (RFC 6749 section 3.1).
func single(v url.Values) *oauth.Fault {
	for k, list := range v {
		if len(list) > 1 {
			if len(k) > 64 {
				k = k[:64]
			}
			return oauth.Refuse(entra.CodeParameterDuplicated, k)
		}
	}
	return nil
}
