package graph

import (
	"crypto/sha1" //nolint:gosec // customKeyIdentifier is the SHA-1 thumbprint
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/world"
)

const (
	readApps  = "Application.Read.All Application.ReadWrite.All Directory.Read.All Directory.ReadWrite.All"
	writeApps = "Application.ReadWrite.All Directory.ReadWrite.All"
)

func appAdmins() []string { return []string{applicationAdmin, cloudAppAdmin} }

func passwords(list []world.PasswordCredential) []object {
	out := make([]object, 0, len(list))
	for _, p := range list {
		out = append(out, passwordObject(p, nil))
	}
	return out
}

func passwordObject(p world.PasswordCredential, secret any) object {
	name := any(nil)
	if p.Name != "" {
		name = p.Name
	}
	return object{{"customKeyIdentifier", nil}, {"displayName", name}, {"endDateTime", p.End}, {"hint", p.Hint}, {"keyId", p.KeyID}, {"secretText", secret}, {"startDateTime", p.Start}}
}

func keys(list []world.KeyCredential) []object {
	out := make([]object, 0, len(list))
	for _, k := range list {
		sum := sha1.Sum(k.DER) //nolint:gosec // see above
		out = append(out, object{
			{"customKeyIdentifier", base64.StdEncoding.EncodeToString(sum[:])}, {"displayName", k.Name}, {"endDateTime", k.End}, {"key", nil}, {"keyId", k.KeyID},
			{"startDateTime", k.Start}, {"type", k.Type}, {"usage", k.Usage},
		})
	}
	return out
}

func permissionScopes(list []world.Scope) []object {
	out := make([]object, 0, len(list))
	for _, s := range list {
		typ := "User"
		if s.Admin {
			typ = "Admin"
		}
		out = append(out, object{
			{"adminConsentDescription", named(s)}, {"adminConsentDisplayName", named(s)}, {"id", s.ID}, {"isEnabled", true}, {"type", typ},
			{"userConsentDescription", nil}, {"userConsentDisplayName", nil}, {"value", s.Value},
		})
	}
	return out
}

func named(s world.Scope) string {
	if s.Name != "" {
		return s.Name
	}
	return s.Value
}

func permissionRoles(list []world.Scope) []object {
	out := make([]object, 0, len(list))
	for _, s := range list {
		out = append(out, object{{"allowedMemberTypes", []string{"Application"}}, {"description", named(s)}, {"displayName", named(s)}, {"id", s.ID}, {"isEnabled", true}, {"origin", "Application"}, {"value", s.Value}})
	}
	return out
}

func requiredAccess(list []world.RequiredAccess) []object {
	out := make([]object, 0, len(list))
	for _, r := range list {
		access := []object{}
		for _, id := range r.Scopes {
			access = append(access, object{{"id", id}, {"type", "Scope"}})
		}
		for _, id := range r.Roles {
			access = append(access, object{{"id", id}, {"type", "Role"}})
		}
		out = append(out, object{{"resourceAppId", r.Resource}, {"resourceAccess", access}})
	}
	return out
}

func newAppShape() *shape {
	type a = *world.Application
	return newShape("application", func(r any) string { return r.(a).ID },
		f("id", func(x a) any { return x.ID }),
		f("deletedDateTime", func(a) any { return nil }),
		f("appId", func(x a) any { return x.AppID }),
		f("createdDateTime", func(x a) any { return x.Created }),
		f("displayName", func(x a) any { return x.Name }),
		f("description", func(a) any { return nil }),
		f("disabledByMicrosoftStatus", func(a) any { return nil }),
		f("identifierUris", func(x a) any { return orEmpty(x.Identifiers) }),
		f("isFallbackPublicClient", func(x a) any { return x.Fallback }),
		f("publisherDomain", func(a) any { return nil }),
		f("signInAudience", func(x a) any {
			if x.Audience == "" {
				return "AzureADMyOrg"
			}
			return x.Audience
		}),
		f("tags", func(a) any { return []string{} }),
		f("api", func(x a) any {
			version := any(nil)
			if x.TokenV2 {
				version = 2
			}
			return object{{"acceptMappedClaims", nil}, {"knownClientApplications", []string{}}, {"requestedAccessTokenVersion", version}, {"oauth2PermissionScopes", permissionScopes(x.Scopes)}, {"preAuthorizedApplications", []object{}}}
		}),
		f("appRoles", func(x a) any { return permissionRoles(x.Roles) }),
		f("keyCredentials", func(x a) any { return keys(x.Keys) }),
		f("passwordCredentials", func(x a) any { return passwords(x.Passwords) }),
		f("publicClient", func(x a) any { return object{{"redirectUris", orEmpty(x.Public)}} }),
		f("requiredResourceAccess", func(x a) any { return requiredAccess(x.Required) }),
		f("spa", func(x a) any { return object{{"redirectUris", orEmpty(x.SPA)}} }),
		f("verifiedPublisher", func(a) any {
			return object{{"displayName", nil}, {"verifiedPublisherId", nil}, {"addedDateTime", nil}}
		}),
		f("web", func(x a) any {
			return object{{"homePageUrl", nil}, {"logoutUrl", nil}, {"redirectUris", orEmpty(x.Web)}, {"implicitGrantSettings", object{{"enableAccessTokenIssuance", false}, {"enableIdTokenIssuance", false}}}}
		}),
	)
}

func appFields() fields {
	uris := obj(fields{"redirectUris": list(text().upTo(2048)).upTo(256)})
	scope := obj(fields{
		"id": text().need(), "value": text(), "type": enum("User Admin"), "isEnabled": flag(), "adminConsentDescription": text(), "adminConsentDisplayName": text(),
		"userConsentDescription": text(), "userConsentDisplayName": text(), "origin": text(),
	})
	return fields{
		"displayName": text().need().upTo(256), "signInAudience": enum("AzureADMyOrg AzureADMultipleOrgs AzureADandPersonalMicrosoftAccount PersonalMicrosoftAccount"),
		"identifierUris": list(text().upTo(255)).upTo(50), "isFallbackPublicClient": flag(),
		"web":          obj(fields{"redirectUris": list(text().upTo(2048)).upTo(256), "homePageUrl": unused(), "logoutUrl": unused(), "implicitGrantSettings": anything(), "redirectUriSettings": anything()}),
		"spa":          uris,
		"publicClient": uris,
		"api":          obj(fields{"requestedAccessTokenVersion": number(), "oauth2PermissionScopes": list(scope).upTo(200), "acceptMappedClaims": unused(), "knownClientApplications": unused(), "preAuthorizedApplications": unused()}),
		"appRoles":     list(obj(fields{"id": text().need(), "value": text(), "displayName": text(), "description": text(), "isEnabled": flag(), "allowedMemberTypes": list(text()), "origin": text()})).upTo(200),
		"requiredResourceAccess": list(obj(fields{
			"resourceAppId": text().need(), "resourceAccess": list(obj(fields{"id": text().need(), "type": enum("Scope Role").need()})).need(),
		})).upTo(50),
		"description": unused(), "tags": unused(), "notes": unused(),
		"id": readOnly(), "appId": readOnly(), "createdDateTime": readOnly(), "passwordCredentials": readOnly(), "keyCredentials": list(obj(keyFields())).upTo(20), "publisherDomain": readOnly(), "deletedDateTime": readOnly(), "verifiedPublisher": readOnly(),
	}
}

func (c *call) applyApp(s *world.State, t *world.Tenant, a *world.Application) error {
	set := func(k string, to *string) {
		if given(c.in, k) {
			*to = str(c.in, k)
		}
	}
	set("displayName", &a.Name)
	set("signInAudience", &a.Audience)
	if given(c.in, "identifierUris") {
		a.Identifiers = strs(c.in, "identifierUris")
		for _, u := range a.Identifiers {
			if r := s.Resource(u); r != nil && !strings.EqualFold(r.AppID, a.AppID) {
				return badRequest("Another object with the same value for property identifierUris already exists.")
			}
		}
	}
	if given(c.in, "isFallbackPublicClient") {
		a.Fallback = truth(c.in, "isFallbackPublicClient")
	}
	for k, to := range map[string]*[]string{"web": &a.Web, "spa": &a.SPA, "publicClient": &a.Public} {
		if m := inner(c.in, k); m != nil && given(m, "redirectUris") {
			*to = strs(m, "redirectUris")
		}
	}
	if m := inner(c.in, "api"); m != nil {
		if given(m, "requestedAccessTokenVersion") {
			n, _ := m["requestedAccessTokenVersion"].(float64)
			a.TokenV2 = n == 2
		}
		if given(m, "oauth2PermissionScopes") {
			a.Scopes = nil
			for _, x := range objs(m, "oauth2PermissionScopes") {
				a.Scopes = append(a.Scopes, world.Scope{ID: str(x, "id"), Value: str(x, "value"), Name: str(x, "adminConsentDisplayName"), Admin: str(x, "type") == "Admin"})
			}
		}
	}
	if given(c.in, "appRoles") {
		a.Roles = nil
		for _, x := range objs(c.in, "appRoles") {
			a.Roles = append(a.Roles, world.Scope{ID: str(x, "id"), Value: str(x, "value"), Name: str(x, "displayName")})
		}
	}
	if given(c.in, "requiredResourceAccess") {
		a.Required = nil
		for _, x := range objs(c.in, "requiredResourceAccess") {
			r := world.RequiredAccess{Resource: str(x, "resourceAppId")}
			for _, y := range objs(x, "resourceAccess") {
				if str(y, "type") == "Role" {
					r.Roles = append(r.Roles, str(y, "id"))
				} else {
					r.Scopes = append(r.Scopes, str(y, "id"))
				}
			}
			a.Required = append(a.Required, r)
		}
	}
	return nil
}

// findApp resolves {id} or appId={id}.
func findApp(c *call, t *world.Tenant) (*world.Application, error) {
	if id, ok := strings.CutPrefix(c.params[0], "appId="); ok {
		for a := range t.Apps.All() {
			if strings.EqualFold(a.AppID, id) {
				return a, nil
			}
		}
		return nil, notFound(id)
	}
	if a := t.Apps.Get(c.params[0]); a != nil {
		return a, nil
	}
	return nil, notFound(c.params[0])
}

func appTarget(a *world.Application) world.AuditTarget { return target("Application", a.ID, a.Name) }

func (p *router) apps() {
	sh := newAppShape()
	read := allow(readApps)
	write := allow(writeApps).with(appAdmins()...)
	p.add("GET", "applications", route{permit: read, cost: 2, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		return c.listed(s, t, &listing{shape: sh, context: "applications", since: rows(&t.Apps), top: 100, max: 999, advanced: true})
	}})
	p.add("GET", "applications/{}", route{permit: read, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		a, err := findApp(c, t)
		if err != nil {
			return nil, err
		}
		return c.one(s, t, "applications", sh, a)
	}})
	p.add("POST", "applications", route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		if err := appFields().check("", c.in); err != nil {
			return nil, err
		}
		if str(c.in, "displayName") == "" {
			return nil, badRequest("A value is required for property 'displayName' of resource 'Application'.")
		}
		a := &world.Application{ID: world.NewGUID(), AppID: world.NewGUID(), Audience: "AzureADMyOrg", Created: c.now}
		if err := c.applyApp(s, t, a); err != nil {
			return nil, err
		}
		s.PutApp(t, a)
		ch := change{activity: "Add application", category: "ApplicationManagement", operation: "Add", target: appTarget(a)}
		ch.changed("DisplayName", nil, []string{a.Name})
		c.audit(s, t, ch)
		return c.created(s, t, "applications", sh, a)
	}})
	p.add("PATCH", "applications/{}", route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		old, err := findApp(c, t)
		if err != nil {
			return nil, err
		}
		if err := appFields().check("", c.in); err != nil {
			return nil, err
		}
		a := *old
		if err := c.applyApp(s, t, &a); err != nil {
			return nil, err
		}
		if given(c.in, "keyCredentials") {
			next, err := replaceKeys(old, objs(c.in, "keyCredentials"))
			if err != nil {
				return nil, err
			}
			c.setApp(s, t, &a, func(a *world.Application) { a.Keys = next })
			a.Keys = next
		}
		s.PutApp(t, &a)
		ch := change{activity: "Update application", category: "ApplicationManagement", target: appTarget(&a)}
		ch.changed("DisplayName", []string{old.Name}, []string{a.Name})
		ch.changed("SignInAudience", []string{old.Audience}, []string{a.Audience})
		ch.changed("RequiredResourceAccess", old.Required, a.Required)
		ch.changed("AppAddress", append(append(slices.Clone(old.Web), old.SPA...), old.Public...), append(append(slices.Clone(a.Web), a.SPA...), a.Public...))
		c.audit(s, t, ch)
		return noContent()
	}})
	p.add("DELETE", "applications/{}", route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		a, err := findApp(c, t)
		if err != nil {
			return nil, err
		}
		s.DeleteApp(t, a.ID)
		if sp := t.SP(a.AppID); sp != nil { // the home tenant's service principal goes with it
			t.SPs.Delete(sp.ID)
			s.Touch(t)
		}
		c.audit(s, t, change{activity: "Delete application", category: "ApplicationManagement", operation: "Delete", target: appTarget(a)})
		return noContent()
	}})
	p.credentials(write)
	p.federated(read, write)
}

// credentials are the helper actions for secrets and certificates.
func (p *router) credentials(write permit) {
	p.add("POST", "applications/{}/addPassword", route{permit: write, bare: true, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		a, err := findApp(c, t)
		if err != nil {
			return nil, err
		}
		fs := fields{"passwordCredential": obj(fields{"displayName": text().upTo(120), "startDateTime": when(), "endDateTime": when(), "keyId": unused(), "secretText": unused(), "hint": unused(), "customKeyIdentifier": unused()})}
		if err := fs.check("", c.in); err != nil {
			return nil, err
		}
		m := inner(c.in, "passwordCredential")
		secret := world.NewSecret()[:40]
		cred := world.PasswordCredential{KeyID: world.NewGUID(), Name: str(m, "displayName"), Hint: secret[:3], Start: later(moment(m, "startDateTime"), time.Time{}), End: moment(m, "endDateTime"), Hash: world.HashSecret(secret)}
		if cred.Start.IsZero() {
			cred.Start = c.now
		}
		if cred.End.IsZero() {
			cred.End = cred.Start.AddDate(2, 0, 0)
		}
		if !cred.End.After(cred.Start) {
			return nil, badRequest("The endDateTime of the credential must lie after its startDateTime.")
		}
		c.setApp(s, t, a, func(a *world.Application) { a.Passwords = append(slices.Clone(a.Passwords), cred) })
		body := append(object{{"@odata.context", c.root() + "/$metadata#microsoft.graph.passwordCredential"}}, passwordObject(cred, secret)...)
		return &reply{status: http.StatusOK, body: appendValue(nil, body)}, nil
	}})
	p.add("POST", "applications/{}/removePassword", route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		a, err := findApp(c, t)
		if err != nil {
			return nil, err
		}
		if err := (fields{"keyId": text().need()}).check("", c.in); err != nil {
			return nil, err
		}
		is := func(p world.PasswordCredential) bool { return strings.EqualFold(p.KeyID, str(c.in, "keyId")) }
		if !slices.ContainsFunc(a.Passwords, is) {
			return nil, badRequest("No password credential found with keyId.")
		}
		c.setApp(s, t, a, func(a *world.Application) { a.Passwords = slices.DeleteFunc(slices.Clone(a.Passwords), is) })
		return noContent()
	}})
	p.add("POST", "applications/{}/addKey", route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		a, err := findApp(c, t)
		if err != nil {
			return nil, err
		}
		// The proof of possession of an earlier key is accepted unread: there may be
		// none in a fresh world.
		if err := (fields{"keyCredential": obj(keyFields()).need(), "passwordCredential": unused(), "proof": text()}).check("", c.in); err != nil {
			return nil, err
		}
		cred, err := keyOf(inner(c.in, "keyCredential"))
		if err != nil {
			return nil, err
		}
		c.setApp(s, t, a, func(a *world.Application) { a.Keys = append(slices.Clone(a.Keys), cred) })
		body := append(object{{"@odata.context", c.root() + "/$metadata#microsoft.graph.keyCredential"}}, keys([]world.KeyCredential{cred})[0]...)
		return &reply{status: http.StatusOK, body: appendValue(nil, body)}, nil
	}})
	p.add("POST", "applications/{}/removeKey", route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		a, err := findApp(c, t)
		if err != nil {
			return nil, err
		}
		if err := (fields{"keyId": text().need(), "proof": text()}).check("", c.in); err != nil {
			return nil, err
		}
		is := func(p world.KeyCredential) bool { return strings.EqualFold(p.KeyID, str(c.in, "keyId")) }
		if !slices.ContainsFunc(a.Keys, is) {
			return nil, badRequest("No key credential found with keyId.")
		}
		c.setApp(s, t, a, func(a *world.Application) { a.Keys = slices.DeleteFunc(slices.Clone(a.Keys), is) })
		return noContent()
	}})
}

// keyFields are the members of a keyCredential that may be written.
func keyFields() fields {
	return fields{"type": enum("AsymmetricX509Cert").need(), "usage": enum("Verify").need(), "key": text().upTo(20_000), "displayName": text().upTo(120), "keyId": text(), "startDateTime": when(), "endDateTime": when(), "customKeyIdentifier": text()}
}

// keyOf reads a keyCredential that brings its certificate.
func keyOf(m map[string]any) (cred world.KeyCredential, err error) {
	der, err := base64.StdEncoding.DecodeString(str(m, "key"))
	if err != nil {
		return cred, badRequest("The key is not valid base64.")
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return cred, badRequest("Key value is invalid certificate.")
	}
	cred = world.KeyCredential{KeyID: world.NewGUID(), Name: str(m, "displayName"), Type: "AsymmetricX509Cert", Usage: "Verify", Start: cert.NotBefore.UTC(), End: cert.NotAfter.UTC(), DER: der}
	if cred.Name == "" {
		cred.Name = cert.Subject.String()
	}
	return cred, nil
}

// replaceKeys is what PATCH does with keyCredentials: the list becomes what was
// written. An entry without its certificate names one that stays by keyId.
func replaceKeys(a *world.Application, list []map[string]any) ([]world.KeyCredential, error) {
	out := []world.KeyCredential{}
	for _, m := range list {
		if str(m, "key") == "" {
			i := slices.IndexFunc(a.Keys, func(k world.KeyCredential) bool { return strings.EqualFold(k.KeyID, str(m, "keyId")) })
			if i < 0 {
				return nil, badRequest("A key credential needs its certificate, or the keyId of one that stays.")
			}
			out = append(out, a.Keys[i])
			continue
		}
		cred, err := keyOf(m)
		if err != nil {
			return nil, err
		}
		out = append(out, cred)
	}
	return out, nil
}

// setApp changes an application's credentials and audits what is not secret.
func (c *call) setApp(s *world.State, t *world.Tenant, a *world.Application, f func(*world.Application)) {
	next := *a
	f(&next)
	s.PutApp(t, &next)
	ids := func(a *world.Application) []string {
		out := []string{}
		for _, p := range a.Passwords {
			out = append(out, "[KeyIdentifier="+p.KeyID+",KeyType=Password,KeyUsage=Verify,DisplayName="+p.Name+"]")
		}
		for _, k := range a.Keys {
			out = append(out, "[KeyIdentifier="+k.KeyID+",KeyType="+k.Type+",KeyUsage=Verify,DisplayName="+k.Name+"]")
		}
		for _, x := range a.Federated {
			out = append(out, "[FederatedIdentityCredential="+x.Name+",Issuer="+x.Issuer+",Subject="+x.Subject+"]")
		}
		return out
	}
	ch := change{activity: "Update application \u2013 Certificates and secrets management", category: "ApplicationManagement", target: appTarget(a)}
	ch.changed("KeyDescription", ids(a), ids(&next))
	c.audit(s, t, ch)
}

func (p *router) federated(read, write permit) {
	type row = world.FederatedCredential
	sh := newShape("federatedIdentityCredential", func(x any) string { return x.(row).ID },
		f("id", func(x row) any { return x.ID }),
		f("name", func(x row) any { return x.Name }),
		f("issuer", func(x row) any { return x.Issuer }),
		f("subject", func(x row) any { return x.Subject }),
		f("description", func(x row) any {
			if x.Description == "" {
				return nil
			}
			return x.Description
		}),
		f("audiences", func(x row) any { return orEmpty(x.Audiences) }),
	)
	const path = "applications/{}/federatedIdentityCredentials"
	context := func(a *world.Application) string {
		return "applications('" + a.ID + "')/federatedIdentityCredentials"
	}
	fs := fields{"id": readOnly(), "name": text().need().upTo(120), "issuer": text().need().upTo(600), "subject": text().need().upTo(600), "audiences": list(text().upTo(600)).need().upTo(1), "description": text().upTo(600)}
	p.add("GET", path, route{permit: read, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		a, err := findApp(c, t)
		if err != nil {
			return nil, err
		}
		return c.listed(s, t, &listing{shape: sh, context: context(a), since: slice(a.Federated, sh.key), top: 100, max: 999})
	}})
	find := func(c *call, t *world.Tenant) (*world.Application, int, error) {
		a, err := findApp(c, t)
		if err != nil {
			return nil, 0, err
		}
		i := slices.IndexFunc(a.Federated, func(x row) bool { return strings.EqualFold(x.ID, c.params[1]) || x.Name == c.params[1] })
		if i < 0 {
			return nil, 0, notFound(c.params[1])
		}
		return a, i, nil
	}
	p.add("GET", path+"/{}", route{permit: read, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		a, i, err := find(c, t)
		if err != nil {
			return nil, err
		}
		return c.one(s, t, context(a), sh, a.Federated[i])
	}})
	p.add("POST", path, route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		a, err := findApp(c, t)
		if err != nil {
			return nil, err
		}
		if err := fs.check("", c.in); err != nil {
			return nil, err
		}
		x := row{ID: world.NewGUID(), Name: str(c.in, "name"), Issuer: str(c.in, "issuer"), Subject: str(c.in, "subject"), Audiences: strs(c.in, "audiences"), Description: str(c.in, "description")}
		if x.Name == "" || x.Issuer == "" || x.Subject == "" || len(x.Audiences) != 1 {
			return nil, badRequest("A federated identity credential needs name, issuer, subject and one audience.")
		}
		if len(a.Federated) >= 20 {
			return nil, badRequest("An application can have 20 federated identity credentials at most.")
		}
		for _, o := range a.Federated {
			if o.Name == x.Name || o.Issuer == x.Issuer && o.Subject == x.Subject {
				return nil, refuse(http.StatusConflict, "Request_MultipleObjectsWithSameKeyValue", "FederatedIdentityCredential with name %s already exists.", clip(x.Name))
			}
		}
		c.setApp(s, t, a, func(a *world.Application) { a.Federated = append(slices.Clone(a.Federated), x) })
		return c.created(s, t, context(a), sh, x)
	}})
	p.add("PATCH", path+"/{}", route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		a, i, err := find(c, t)
		if err != nil {
			return nil, err
		}
		patch := fields{}
		for k, v := range fs {
			patch[k] = v
		}
		patch["name"] = readOnly()
		if err := patch.check("", c.in); err != nil {
			return nil, err
		}
		c.setApp(s, t, a, func(a *world.Application) {
			a.Federated = slices.Clone(a.Federated)
			x := &a.Federated[i]
			if given(c.in, "issuer") {
				x.Issuer = str(c.in, "issuer")
			}
			if given(c.in, "subject") {
				x.Subject = str(c.in, "subject")
			}
			if given(c.in, "audiences") {
				x.Audiences = strs(c.in, "audiences")
			}
			if given(c.in, "description") {
				x.Description = str(c.in, "description")
			}
		})
		return noContent()
	}})
	p.add("DELETE", path+"/{}", route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		a, i, err := find(c, t)
		if err != nil {
			return nil, err
		}
		c.setApp(s, t, a, func(a *world.Application) { a.Federated = slices.Delete(slices.Clone(a.Federated), i, i+1) })
		return noContent()
	}})
}
