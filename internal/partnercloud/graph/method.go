package graph

import (
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/signon"
	"partnerguard/internal/partnercloud/world"
)

// builtinSince dates what came with the directory itself.
var builtinSince = time.Date(2021, 12, 1, 0, 0, 0, 0, time.UTC)

// methodRow is one entry of a user's authentication methods: the password is
// one too.
type methodRow struct {
	user *world.User
	m    *world.Method // nil: the password
}

// passwordMethodID is the id of everybody's password method (K).
const passwordMethodID = entra.PasswordMethod

func (r methodRow) id() string {
	if r.m == nil {
		return passwordMethodID
	}
	return r.m.ID
}

// methodTypes maps a registered method to its Graph type.
func (r methodRow) kind() string {
	if r.m == nil {
		return "passwordAuthenticationMethod"
	}
	switch r.m.Type {
	case world.MethodTOTP:
		return "softwareOathAuthenticationMethod"
	case world.MethodFIDO2:
		return "fido2AuthenticationMethod"
	case world.MethodPush:
		return "microsoftAuthenticatorAuthenticationMethod"
	case world.MethodPhone:
		return "phoneAuthenticationMethod"
	case world.MethodHello:
		return "windowsHelloForBusinessAuthenticationMethod"
	case world.MethodPass:
		return "temporaryAccessPassAuthenticationMethod"
	}
	return "externalAuthenticationMethod"
}

func newMethodShape() *shape {
	type r = methodRow
	only := func(kind string, get func(r) any) func(r) any {
		return func(x r) any {
			if x.kind() != kind {
				return nil
			}
			return get(x)
		}
	}
	sh := newShape("authenticationMethod", func(x any) string { return x.(r).id() },
		f("id", func(x r) any { return x.id() }),
		f("createdDateTime", func(x r) any {
			if x.m == nil {
				return later(x.user.PasswordChanged, x.user.Created)
			}
			return x.m.Created
		}),
		f("displayName", func(x r) any {
			if x.m == nil || x.m.Name == "" {
				return x.kind()[:len(x.kind())-len("AuthenticationMethod")]
			}
			return x.m.Name
		}),
		f("password", func(r) any { return nil }),
		f("secretKey", func(r) any { return nil }),
		f("phoneNumber", only("phoneAuthenticationMethod", func(x r) any { return x.m.Phone })),
		f("phoneType", only("phoneAuthenticationMethod", func(r) any { return "mobile" })),
		f("smsSignInState", only("phoneAuthenticationMethod", func(r) any { return "notAllowedByPolicy" })),
		f("configurationId", only("externalAuthenticationMethod", func(x r) any { return x.m.Configuration })),
		f("aaGuid", func(r) any { return nil }),
		f("model", func(r) any { return nil }),
		f("attestationCertificates", func(r) any { return []string{} }),
		f("attestationLevel", func(r) any { return nil }),
		f("deviceTag", func(r) any { return "SoftwareTokenActivated" }),
		f("phoneAppVersion", func(r) any { return nil }),
		f("keyStrength", func(r) any { return nil }),
		f("isUsable", only("temporaryAccessPassAuthenticationMethod", func(r) any { return true })),
		f("isUsableOnce", only("temporaryAccessPassAuthenticationMethod", func(r) any { return true })),
		f("lifetimeInMinutes", only("temporaryAccessPassAuthenticationMethod", func(r) any { return 60 })),
		f("startDateTime", only("temporaryAccessPassAuthenticationMethod", func(x r) any { return x.m.Created })),
		f("methodUsabilityReason", func(r) any { return nil }),
		f("temporaryAccessPass", func(r) any { return nil }),
	)
	sh.kind = func(x any) string { return x.(r).kind() }
	return sh
}

func methodsOf(u *world.User) []methodRow {
	out := []methodRow{}
	if !u.Password.None {
		out = append(out, methodRow{u, nil})
	}
	for i := range u.Methods {
		out = append(out, methodRow{u, &u.Methods[i]})
	}
	return out
}

func (p *router) methods() {
	sh := newMethodShape()
	roles := []string{authAdmin, privilegedAuthAdmin, globalReader}
	read := allow("UserAuthenticationMethod.Read.All UserAuthenticationMethod.ReadWrite.All").with(roles...).orOwn("UserAuthenticationMethod.Read.All UserAuthenticationMethod.ReadWrite.All")
	write := allow("UserAuthenticationMethod.ReadWrite.All").with(authAdmin, privilegedAuthAdmin).orOwn("UserAuthenticationMethod.ReadWrite.All")
	context := func(u *world.User, rest string) string { return "users('" + u.ID + "')/authentication/" + rest }
	collections := []struct{ path, kind string }{
		{"methods", ""}, {"softwareOathMethods", "softwareOathAuthenticationMethod"}, {"fido2Methods", "fido2AuthenticationMethod"},
		{"phoneMethods", "phoneAuthenticationMethod"}, {"microsoftAuthenticatorMethods", "microsoftAuthenticatorAuthenticationMethod"},
		{"windowsHelloForBusinessMethods", "windowsHelloForBusinessAuthenticationMethod"}, {"passwordMethods", "passwordAuthenticationMethod"},
		{"temporaryAccessPassMethods", "temporaryAccessPassAuthenticationMethod"}, {"externalAuthenticationMethods", "externalAuthenticationMethod"},
	}
	for _, col := range collections {
		path := "users/{}/authentication/" + col.path
		rd, wr := read, write
		if col.kind == "externalAuthenticationMethod" {
			rd.scopes = append(slices.Clone(rd.scopes), words("UserAuthMethod-External.Read.All UserAuthMethod-External.ReadWrite.All")...)
			wr.scopes = append(slices.Clone(wr.scopes), words("UserAuthMethod-External.ReadWrite.All")...)
		}
		p.add("GET", path, route{permit: rd, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
			u, err := c.findUser(s, t)
			if err != nil {
				return nil, err
			}
			all := methodsOf(u)
			if col.kind != "" {
				all = slices.DeleteFunc(all, func(r methodRow) bool { return r.kind() != col.kind })
			}
			return c.list(s, t, &listing{shape: sh, context: context(u, col.path), since: slice(all, sh.key), top: 100, max: 999})
		}})
		find := func(c *call, s *world.State, t *world.Tenant) (methodRow, error) {
			u, err := c.findUser(s, t)
			if err != nil {
				return methodRow{}, err
			}
			for _, r := range methodsOf(u) {
				if strings.EqualFold(r.id(), c.params[1]) && (col.kind == "" || r.kind() == col.kind) {
					return r, nil
				}
			}
			return methodRow{}, refuse(http.StatusNotFound, "resourceNotFound", "The requested authentication method was not found: %s", clip(c.params[1]))
		}
		p.add("GET", path+"/{}", route{permit: rd, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
			r, err := find(c, s, t)
			if err != nil {
				return nil, err
			}
			return c.one(s, t, context(r.user, col.path), sh, r)
		}})
		if col.kind == "" || col.kind == "passwordAuthenticationMethod" {
			continue
		}
		p.add("DELETE", path+"/{}", route{permit: wr, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
			r, err := find(c, s, t)
			if err != nil {
				return nil, err
			}
			if err := c.mayTouch(s, t, r.user); err != nil {
				return nil, err
			}
			c.setMethods(s, t, r.user, slices.DeleteFunc(slices.Clone(r.user.Methods), func(m world.Method) bool { return m.ID == r.m.ID }), "Admin deleted security info", r.m.Type)
			return noContent()
		}})
	}
	ext := "users/{}/authentication/externalAuthenticationMethods"
	wr := write
	wr.scopes = append(slices.Clone(wr.scopes), "UserAuthMethod-External.ReadWrite.All")
	p.add("POST", ext, route{permit: wr, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		u, err := c.findUser(s, t)
		if err != nil {
			return nil, err
		}
		if err := (fields{"configurationId": text().need(), "displayName": text().need().upTo(200)}).check("", c.in); err != nil {
			return nil, err
		}
		conf := t.MethodConfigs.Get(str(c.in, "configurationId"))
		if conf == nil || !isExternalConfig(conf) {
			return nil, badRequest("The external authentication method configuration '%s' does not exist.", clip(str(c.in, "configurationId")))
		}
		if slices.ContainsFunc(u.Methods, func(m world.Method) bool {
			return m.Type == world.MethodExternal && strings.EqualFold(m.Configuration, conf.ID)
		}) {
			return nil, badRequest("The user has registered this external authentication method already.")
		}
		if err := c.mayTouch(s, t, u); err != nil {
			return nil, err
		}
		m := world.Method{ID: world.NewGUID(), Type: world.MethodExternal, Name: str(c.in, "displayName"), Created: c.now, Configuration: conf.ID}
		c.setMethods(s, t, u, append(slices.Clone(u.Methods), m), "Admin registered security info", m.Type)
		return c.created(s, t, context(u, "externalAuthenticationMethods"), sh, methodRow{u, &m})
	}})
	p.requirements(context)
	p.registration()
	p.methodsPolicy()
}

func (c *call) setMethods(s *world.State, t *world.Tenant, u *world.User, next []world.Method, activity, what string) {
	old := u.Registered()
	n := s.Change()
	t.Users.Change(u.ID, func(u *world.User) { u.Methods, u.Changed = next, n })
	s.Touch(t)
	ch := change{activity: activity, category: "UserManagement", service: "Authentication Methods", target: userTarget(u), more: []world.KeyValue{{Key: "AuthenticationMethod", Value: what}}}
	ch.changed("StrongAuthenticationMethod", old, t.Users.Get(u.ID).Registered())
	c.audit(s, t, ch)
}

// requirements is per-user MFA (contracts.md section 3.3).
func (p *router) requirements(context func(*world.User, string) string) {
	const path = "users/{}/authentication/requirements"
	shape := newShape("strongAuthenticationRequirements", func(any) string { return "" }, f("perUserMfaState", func(u *world.User) any {
		if u.PerUserMFA == "" {
			return "disabled"
		}
		return u.PerUserMFA
	}))
	p.add("GET", path, route{only: "beta", permit: allow("Policy.Read.All Policy.ReadWrite.AuthenticationMethod").with(globalReader, authAdmin, privilegedAuthAdmin, authPolicyAdmin), do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		u, err := c.findUser(s, t)
		if err != nil {
			return nil, err
		}
		return c.one(s, t, context(u, "requirements")+"!", shape, u)
	}})
	p.add("PATCH", path, route{only: "beta", permit: allow("Policy.ReadWrite.AuthenticationMethod").with(authAdmin, privilegedAuthAdmin, authPolicyAdmin), do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		u, err := c.findUser(s, t)
		if err != nil {
			return nil, err
		}
		if err := (fields{"perUserMfaState": enum("disabled enabled enforced").need()}).check("", c.in); err != nil {
			return nil, err
		}
		if !given(c.in, "perUserMfaState") {
			return nil, badRequest("The body must hold perUserMfaState.")
		}
		if err := c.mayTouch(s, t, u); err != nil {
			return nil, err
		}
		next := str(c.in, "perUserMfaState")
		ch := change{activity: "Update per-user multifactor authentication state", category: "UserManagement", service: "Authentication Methods", target: userTarget(u)}
		ch.changed("StrongAuthenticationRequirement", u.PerUserMFA, next)
		n := s.Change()
		t.Users.Change(u.ID, func(u *world.User) { u.PerUserMFA, u.Changed = next, n })
		s.Touch(t)
		c.audit(s, t, ch)
		return noContent()
	}})
}

// registered is one row of userRegistrationDetails.
type registered struct {
	user    *world.User
	admin   bool
	capable bool
	at      time.Time
}

func (p *router) registration() {
	type r = *registered
	second := func(x r) bool { return len(signon.Possible(nil, x.user)) > 0 }
	preferred := func(x r) string {
		switch {
		case x.user.Method(world.MethodPush) != nil:
			return "push"
		case x.user.Method(world.MethodTOTP) != nil:
			return "oath"
		case x.user.Method(world.MethodPhone) != nil:
			return "sms"
		}
		return "none"
	}
	shape := newShape("userRegistrationDetails", func(x any) string { return x.(r).user.ID },
		f("id", func(x r) any { return x.user.ID }),
		f("userPrincipalName", func(x r) any { return x.user.UPN }),
		f("userDisplayName", func(x r) any { return x.user.Name }),
		f("userType", func(x r) any {
			if x.user.Guest {
				return "guest"
			}
			return "member"
		}),
		f("isAdmin", func(x r) any { return x.admin }),
		f("isSsprRegistered", func(x r) any { return second(x) }),
		f("isSsprEnabled", func(r) any { return false }),
		f("isSsprCapable", func(r) any { return false }),
		f("isMfaRegistered", func(x r) any { return second(x) }),
		f("isMfaCapable", func(x r) any { return x.capable }),
		f("isPasswordlessCapable", func(x r) any {
			return x.user.Method(world.MethodFIDO2) != nil || x.user.Method(world.MethodHello) != nil
		}),
		f("lastUpdatedDateTime", func(x r) any { return x.at }),
		f("methodsRegistered", func(x r) any {
			out := orEmpty(x.user.Registered())
			if len(x.user.AppPasswords) > 0 {
				out = append(slices.Clone(out), "appPassword")
			}
			return out
		}),
		f("isSystemPreferredAuthenticationMethodEnabled", func(r) any { return true }),
		f("systemPreferredAuthenticationMethods", func(x r) any {
			if v := preferred(x); v != "none" {
				return []string{v}
			}
			return []string{}
		}),
		f("userPreferredMethodForSecondaryAuthentication", func(x r) any { return preferred(x) }),
	)
	const path = "reports/authenticationMethods/userRegistrationDetails"
	perm := allow("AuditLog.Read.All").with(reportsReader, securityReader, securityOperator, securityAdmin, globalReader)
	perm.custom = func(_ *call, _ *world.State, t *world.Tenant) error {
		if !t.Premium() {
			return refuse(http.StatusForbidden, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "Neither tenant is B2C or tenant doesn't have premium license")
		}
		return nil
	}
	row := func(c *call, t *world.Tenant, admins map[string]bool, u *world.User) *registered {
		return &registered{user: u, admin: admins[strings.ToLower(u.ID)], capable: len(c.usable(t, u)) > 0, at: c.now.Truncate(24 * time.Hour)}
	}
	p.add("GET", path, route{permit: perm, service: reports, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		admins := adminsOf(t, c.now)
		since := func(after string, at int) iter.Seq2[int, any] {
			return func(yield func(int, any) bool) {
				for i, u := range t.Users.Since(after, at) {
					if u.Enabled && !yield(i, row(c, t, admins, u)) { // disabled accounts are not in the report (K)
						return
					}
				}
			}
		}
		return c.list(s, t, &listing{shape: shape, context: path, since: since, top: 1000, max: 1000})
	}})
	p.add("GET", path+"/{}", route{permit: perm, service: reports, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		u := t.Users.Get(c.params[0])
		if u == nil || !u.Enabled {
			return nil, notFound(c.params[0])
		}
		return c.one(s, t, path, shape, row(c, t, adminsOf(t, c.now), u))
	}})
}

// adminsOf lists, by lower id, who holds or may activate a directory role.
func adminsOf(t *world.Tenant, now time.Time) map[string]bool {
	out := map[string]bool{}
	var add func(id string)
	add = func(id string) {
		k := strings.ToLower(id)
		if out[k] {
			return
		}
		out[k] = true
		if g := t.Groups.Get(id); g != nil {
			for _, m := range g.Members {
				add(m)
			}
		}
	}
	for _, table := range []*world.Table[world.RoleAssignment, *world.RoleAssignment]{&t.Held, &t.Eligible} {
		for a := range table.All() {
			if a.In(now) {
				add(a.Principal)
			}
		}
	}
	return out
}

// usable lists the registered methods that the methods policy allows.
func (c *call) usable(t *world.Tenant, u *world.User) []string {
	var out []string
	for _, m := range u.Methods {
		id := configOf(m)
		conf := t.MethodConfigs.Get(id)
		if conf == nil {
			out = append(out, m.Type)
			continue
		}
		if str(decodeObject(conf.Raw), "state") == "enabled" {
			out = append(out, m.Type)
		}
	}
	return out
}

// configOf is the id of the configuration that allows a method.
func configOf(m world.Method) string {
	switch m.Type {
	case world.MethodTOTP:
		return "SoftwareOath"
	case world.MethodFIDO2:
		return "Fido2"
	case world.MethodPush:
		return "MicrosoftAuthenticator"
	case world.MethodPhone:
		return "Sms"
	case world.MethodPass:
		return "TemporaryAccessPass"
	case world.MethodExternal:
		return m.Configuration
	}
	return "-"
}

// The authentication methods policy (contracts.md section 3.8).

func isExternalConfig(d *world.Document) bool {
	m := decodeObject(d.Raw)
	return strings.HasSuffix(str(m, "@odata.type"), "externalAuthenticationMethodConfiguration") || m["openIdConnectSetting"] != nil
}

// configKind is the Graph type of a configuration.
func configKind(d *document) string {
	var typ string
	_ = json.Unmarshal(d.all["@odata.type"], &typ)
	if typ = strings.TrimPrefix(typ, "#microsoft.graph."); typ != "" {
		return typ
	}
	if d.all["openIdConnectSetting"] != nil {
		return "externalAuthenticationMethodConfiguration"
	}
	switch strings.ToLower(d.id) {
	case "fido2":
		return "fido2AuthenticationMethodConfiguration"
	case "microsoftauthenticator":
		return "microsoftAuthenticatorAuthenticationMethodConfiguration"
	case "sms":
		return "smsAuthenticationMethodConfiguration"
	case "temporaryaccesspass":
		return "temporaryAccessPassAuthenticationMethodConfiguration"
	case "softwareoath":
		return "softwareOathAuthenticationMethodConfiguration"
	case "hardwareoath":
		return "hardwareOathAuthenticationMethodConfiguration"
	case "email":
		return "emailAuthenticationMethodConfiguration"
	case "voice":
		return "voiceAuthenticationMethodConfiguration"
	case "x509certificate":
		return "x509CertificateAuthenticationMethodConfiguration"
	case "qrcodepin":
		return "qrCodePinAuthenticationMethodConfiguration"
	}
	return "authenticationMethodConfiguration"
}

// shownConfig is a configuration as Graph shows it.
func (c *call) shownConfig(d *world.Document) (*document, bool) {
	m := decodeObject(d.Raw)
	m["id"] = d.ID
	if m["state"] == nil {
		m["state"] = "disabled"
	}
	if m["excludeTargets"] == nil {
		m["excludeTargets"] = []any{}
	}
	raw, err := json.Marshal(m)
	if err != nil {
		raw = d.Raw
	}
	doc := newDocument(d.ID, raw)
	kind := configKind(doc)
	_, exists := properties()[kind]
	known, _ := knownProperty(kind, "id", c.beta)
	return doc, exists && known
}

func targetsSpec() *spec {
	return list(obj(fields{"id": text().need(), "targetType": enum("user group").need(), "isRegistrationRequired": flag(), "authenticationMode": text(), "isUsableForSignIn": flag()}))
}

func (p *router) methodsPolicy() {
	const path = "policies/authenticationMethodsPolicy"
	confs := path + "/authenticationMethodConfigurations"
	shape := documentShape("authenticationMethodsPolicy", nil, "id", "displayName", "description", "lastModifiedDateTime", "policyVersion", "reconfirmationInDays", "policyMigrationState", "registrationEnforcement")
	confShape := documentShape("authenticationMethodConfiguration", configKind, "id", "state", "displayName", "appId", "openIdConnectSetting", "excludeTargets",
		"isSelfServiceRegistrationAllowed", "isAttestationEnforced", "keyRestrictions", "isSoftwareOathEnabled", "featureSettings", "defaultLifetimeInMinutes", "defaultLength",
		"minimumLifetimeInMinutes", "maximumLifetimeInMinutes", "isUsableOnce", "allowExternalIdToUseEmailOtp", "isOfficePhoneAllowed")
	// includeTargets is a navigation property that is always given.
	withTargets := func(c *call, d *document) *entity {
		e := c.entity(confShape, d)
		v := d.all["includeTargets"]
		if len(v) == 0 {
			v = json.RawMessage("[]")
		}
		e.extra = object{{"includeTargets", v}}
		return e
	}
	read := allow("Policy.Read.AuthenticationMethod Policy.Read.All Policy.ReadWrite.AuthenticationMethod").with(globalReader, authPolicyAdmin, securityReader, securityAdmin)
	write := allow("Policy.ReadWrite.AuthenticationMethod").with(authPolicyAdmin)
	all := func(c *call, t *world.Tenant) []any {
		out := []any{}
		for d := range t.MethodConfigs.All() {
			if doc, ok := c.shownConfig(d); ok {
				out = append(out, withTargets(c, doc))
			}
		}
		return out
	}
	p.add("GET", path, route{permit: read, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		m := decodeObject(t.MethodsPolicy.Raw)
		base := map[string]any{
			"id": "authenticationMethodsPolicy", "displayName": "Authentication Methods Policy", "description": "The tenant-wide policy that controls which authentication methods are allowed",
			"lastModifiedDateTime": world.Stamp{Time: later(t.MethodsPolicy.Changed, later(t.MethodsPolicy.Created, t.Created))}, "policyVersion": "1.5", "policyMigrationState": "migrationComplete",
			"registrationEnforcement": map[string]any{"authenticationMethodsRegistrationCampaign": map[string]any{
				"snoozeDurationInDays": 1, "state": "default", "excludeTargets": []any{},
				"includeTargets": []any{map[string]any{"id": "all_users", "targetType": "group", "targetedAuthenticationMethod": "microsoftAuthenticator"}},
			}},
		}
		m = merge(base, m)
		delete(m, "authenticationMethodConfigurations")
		if campaign := inner(inner(m, "registrationEnforcement"), "authenticationMethodsRegistrationCampaign"); !c.beta && campaign != nil {
			delete(campaign, "enforceRegistrationAfterAllowedSnoozes") // of beta alone
		}
		raw, err := json.Marshal(m)
		if err != nil {
			return nil, err
		}
		e := c.entity(shape, newDocument("authenticationMethodsPolicy", raw))
		if c.selection() == nil || slices.Contains(c.selection(), "authenticationMethodConfigurations") {
			e.extra = object{{"authenticationMethodConfigurations", all(c, t)}}
			c.q.Select = slices.DeleteFunc(slices.Clone(c.q.Select), func(n string) bool { return n == "authenticationMethodConfigurations" })
		}
		return c.one(s, t, path+"!", shape, e)
	}})
	p.add("PATCH", path, route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		fs := fields{
			"id": anything(), "displayName": readOnly(), "description": readOnly(), "lastModifiedDateTime": readOnly(), "policyVersion": readOnly(), "reconfirmationInDays": readOnly(),
			"policyMigrationState": enum("preMigration migrationInProgress migrationComplete"),
			"registrationEnforcement": obj(fields{"authenticationMethodsRegistrationCampaign": obj(fields{
				"snoozeDurationInDays": number(), "state": enum("default enabled disabled"),
				"includeTargets": list(obj(fields{"id": text().need(), "targetType": enum("user group").need(), "targetedAuthenticationMethod": text()})), "excludeTargets": targetsSpec(),
			})}),
		}
		if err := fs.check("", c.in); err != nil {
			return nil, err
		}
		old := t.MethodsPolicy.Raw
		raw, err := json.Marshal(merge(decodeObject(old), c.in))
		if err != nil {
			return nil, err
		}
		t.MethodsPolicy.ID, t.MethodsPolicy.Raw, t.MethodsPolicy.Changed = "authenticationMethodsPolicy", raw, c.now
		s.Touch(t)
		ch := change{activity: "Authentication Methods Policy Update", category: "ApplicationManagement", service: "Authentication Methods", target: target("Policy", "authenticationMethodsPolicy", "")}
		ch.props = []world.Modified{{Name: "AuthenticationMethodsPolicy", Old: string(old), New: string(raw)}}
		c.audit(s, t, ch)
		return noContent()
	}})
	p.add("GET", confs, route{permit: read, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		return c.list(s, t, &listing{shape: confShape, context: confs, since: slice(all(c, t), func(r any) string { e := r.(*entity); return e.key(e.row) }), top: 100, max: 999})
	}})
	p.add("GET", confs+"/{}", route{permit: read, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		if d := t.MethodConfigs.Get(c.params[0]); d != nil {
			if doc, ok := c.shownConfig(d); ok {
				return c.one(s, t, confs, confShape, withTargets(c, doc))
			}
		}
		return nil, notFound(c.params[0])
	}})
	external := fields{
		"id": readOnly(), "displayName": text().need().upTo(200), "appId": text().need(), "state": enum("enabled disabled"),
		"openIdConnectSetting": obj(fields{"clientId": text().need(), "discoveryUrl": text().need()}).need(), "includeTargets": targetsSpec(), "excludeTargets": targetsSpec(),
	}
	p.add("POST", confs, route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		if str(c.in, "@odata.type") != "#microsoft.graph.externalAuthenticationMethodConfiguration" {
			return nil, badRequest("Only configurations of type #microsoft.graph.externalAuthenticationMethodConfiguration can be created.")
		}
		if err := external.check("", c.in); err != nil {
			return nil, err
		}
		if err := judgeExternal(s, t, "", c.in); err != nil {
			return nil, err
		}
		m := merge(map[string]any{"state": "disabled", "includeTargets": []any{map[string]any{"id": "all_users", "targetType": "group", "isRegistrationRequired": false}}, "excludeTargets": []any{}}, c.in)
		d := &world.Document{ID: world.NewGUID(), Created: c.now}
		m["id"] = d.ID
		raw, err := json.Marshal(m)
		if err != nil {
			return nil, err
		}
		d.Raw = raw
		t.MethodConfigs.Put(d)
		s.Touch(t)
		ch := change{activity: "Authentication Methods Policy Update", category: "ApplicationManagement", operation: "Add", service: "Authentication Methods", target: target("Policy", d.ID, str(m, "displayName"))}
		ch.props = []world.Modified{{Name: "AuthenticationMethodConfiguration", Old: "", New: string(raw)}}
		c.audit(s, t, ch)
		doc, _ := c.shownConfig(d)
		return c.created(s, t, confs, confShape, withTargets(c, doc))
	}})
	p.add("PATCH", confs+"/{}", route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		old := t.MethodConfigs.Get(c.params[0])
		if old == nil {
			return nil, notFound(c.params[0])
		}
		m := decodeObject(old.Raw)
		if isExternalConfig(old) {
			fs := fields{}
			for k, v := range external {
				fs[k] = v
			}
			fs["displayName"], fs["appId"] = readOnly(), text()
			if given(c.in, "displayName") && str(c.in, "displayName") == str(m, "displayName") {
				fs["displayName"] = text()
			}
			if err := fs.check("", c.in); err != nil {
				return nil, err
			}
			if err := judgeExternal(s, t, old.ID, merge(m, c.in)); err != nil {
				return nil, err
			}
		} else if err := configFields().check("", c.in); err != nil {
			return nil, err
		}
		raw, err := json.Marshal(merge(m, c.in))
		if err != nil {
			return nil, err
		}
		d := *old
		d.Raw, d.Changed = raw, c.now
		t.MethodConfigs.Put(&d)
		s.Touch(t)
		ch := change{activity: "Authentication Methods Policy Update", category: "ApplicationManagement", service: "Authentication Methods", target: target("Policy", d.ID, str(m, "displayName"))}
		ch.props = []world.Modified{{Name: "AuthenticationMethodConfiguration", Old: string(old.Raw), New: string(raw)}}
		c.audit(s, t, ch)
		return noContent()
	}})
	p.add("DELETE", confs+"/{}", route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		old := t.MethodConfigs.Get(c.params[0])
		if old == nil {
			return nil, notFound(c.params[0])
		}
		if !isExternalConfig(old) {
			return nil, badRequest("Only external authentication methods can be deleted.")
		}
		t.MethodConfigs.Delete(old.ID)
		s.Touch(t)
		c.audit(s, t, change{activity: "Authentication Methods Policy Update", category: "ApplicationManagement", operation: "Delete", service: "Authentication Methods", target: target("Policy", old.ID, str(decodeObject(old.Raw), "displayName"))})
		return noContent()
	}})
}

// configFields are what a PATCH of a built-in method's configuration may hold.
func configFields() fields {
	return fields{
		"id": anything(), "state": enum("enabled disabled"), "includeTargets": targetsSpec(), "excludeTargets": targetsSpec(),
		"isSelfServiceRegistrationAllowed": flag(), "isAttestationEnforced": flag(), "isSoftwareOathEnabled": flag(), "defaultLifetimeInMinutes": number(), "defaultLength": number(),
		"minimumLifetimeInMinutes": number(), "maximumLifetimeInMinutes": number(), "isUsableOnce": flag(), "isOfficePhoneAllowed": flag(),
		"allowExternalIdToUseEmailOtp": enum("default enabled disabled"), "featureSettings": anything(),
		"keyRestrictions": obj(fields{"isEnforced": flag(), "enforcementType": enum("allow block"), "aaGuids": list(text())}),
	}
}

// judgeExternal refuses a configuration that could not work.
func judgeExternal(s *world.State, t *world.Tenant, id string, m map[string]any) error {
	oidc := inner(m, "openIdConnectSetting")
	if str(m, "displayName") == "" || str(m, "appId") == "" || str(oidc, "clientId") == "" || str(oidc, "discoveryUrl") == "" {
		return badRequest("An external authentication method needs displayName, appId and openIdConnectSetting with clientId and discoveryUrl.")
	}
	if _, ok := s.Client(str(m, "appId")); !ok {
		return badRequest("The application '%s' does not exist.", clip(str(m, "appId")))
	}
	u, err := url.Parse(str(oidc, "discoveryUrl"))
	if err != nil || u.Host == "" || !strings.HasSuffix(u.Path, "/.well-known/openid-configuration") {
		return badRequest("The discoveryUrl must be an address that ends in /.well-known/openid-configuration.")
	}
	if host := u.Hostname(); u.Scheme != "https" && host != "localhost" && host != "127.0.0.1" && host != "::1" {
		return badRequest("The discoveryUrl must use https.")
	}
	for d := range t.MethodConfigs.All() {
		if !strings.EqualFold(d.ID, id) && isExternalConfig(d) && strings.EqualFold(str(decodeObject(d.Raw), "displayName"), str(m, "displayName")) {
			return badRequest("An external authentication method of the name '%s' exists already.", clip(str(m, "displayName")))
		}
	}
	for _, k := range []string{"includeTargets", "excludeTargets"} {
		for _, x := range objs(m, k) {
			if tid := str(x, "id"); tid != "all_users" && t.Groups.Get(tid) == nil {
				return badRequest("The group '%s' does not exist.", clip(tid))
			}
		}
	}
	return nil
}
