package graph

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// builtinSince dates what came with the directory itself.
var builtinSince = time.Date(2021, 12, 1, 0, 0, 0, 0, time.UTC)

// methodRow is one entry of a user's authentication methods: the password is
// one too.
type methodRow struct {
	user *world.User
	m    *world.Method // nil: the password

	sms string // smsSignInState of a phone
	why string // methodUsabilityReason of a pass
}

// passwordMethodID is the id of everybody's password method (K).

func (r methodRow) id() string {
	if r.m == nil {
		return entra.PasswordMethod
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
	case world.MethodHardware:
		return "hardwareOathAuthenticationMethod"
	case world.MethodFIDO2:
		return "fido2AuthenticationMethod"
	case world.MethodPush:
		return "microsoftAuthenticatorAuthenticationMethod"
	case world.MethodPhone, world.MethodAltPhone, world.MethodOffice:
		return "phoneAuthenticationMethod"
	case world.MethodEmail:
		return "emailAuthenticationMethod"
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
		f("phoneType", only("phoneAuthenticationMethod", func(x r) any { return phoneType(x.m) })),
		f("smsSignInState", only("phoneAuthenticationMethod", func(x r) any { return cmp.Or(x.sms, "notAllowedByPolicy") })),
		f("emailAddress", only("emailAuthenticationMethod", func(x r) any { return x.m.Email })),
		f("configurationId", only("externalAuthenticationMethod", func(x r) any { return x.m.Configuration })),
		f("aaGuid", func(r) any { return nil }),
		f("model", func(r) any { return nil }),
		f("attestationCertificates", func(r) any { return []string{} }),
		f("attestationLevel", func(r) any { return nil }),
		f("deviceTag", func(r) any { return "SoftwareTokenActivated" }),
		f("phoneAppVersion", func(r) any { return nil }),
		f("keyStrength", func(r) any { return nil }),
		f("isUsable", only("temporaryAccessPassAuthenticationMethod", func(x r) any { return x.why == usablePass })),
		f("isUsableOnce", only("temporaryAccessPassAuthenticationMethod", func(x r) any { return passOf(x).Once })),
		f("lifetimeInMinutes", only("temporaryAccessPassAuthenticationMethod", func(x r) any { return passOf(x).Minutes })),
		f("startDateTime", only("temporaryAccessPassAuthenticationMethod", func(x r) any { return passOf(x).Start })),
		f("methodUsabilityReason", only("temporaryAccessPassAuthenticationMethod", func(x r) any { return cmp.Or(x.why, "Expired") })),
		f("temporaryAccessPass", func(r) any { return nil }),
	)
	sh.kind = func(x any) string { return x.(r).kind() }
	return sh
}

// methodsOf lists the methods of a user, with what of them hangs on policy and time.
func (c *call) methodsOf(t *world.Tenant, u *world.User) []methodRow {
	out := []methodRow{}
	if !u.Password.None {
		out = append(out, methodRow{user: u})
	}
	for i := range u.Methods {
		out = append(out, c.methodRow(t, u, &u.Methods[i]))
	}
	return out
}

func (c *call) methodRow(t *world.Tenant, u *world.User, m *world.Method) methodRow {
	r := methodRow{user: u, m: m}
	switch r.kind() {
	case "phoneAuthenticationMethod":
		r.sms = smsState(t, u, m)
	case "temporaryAccessPassAuthenticationMethod":
		r.why = c.passReason(t, u, m)
	}
	return r
}

// methodKind is the type that the path's collection holds; "" is any.
func (c *call) methodKind() string {
	switch c.route.parts[3] {
	case "methods":
		return ""
	case "externalAuthenticationMethods":
		return "externalAuthenticationMethod"
	}
	return strings.TrimSuffix(c.route.parts[3], "Methods") + "AuthenticationMethod"
}

// methodContext is the collection of the path for @odata.context.
func (c *call) methodContext(u *world.User) string {
	return "users('" + u.ID + "')/authentication/" + c.route.parts[3]
}

func findMethod(c *call, s *world.State, t *world.Tenant) (methodRow, error) {
	u, err := c.findUser(s, t)
	if err != nil {
		return methodRow{}, err
	}
	kind := c.methodKind()
	for _, r := range c.methodsOf(t, u) {
		if strings.EqualFold(r.id(), c.params[1]) && (kind == "" || r.kind() == kind) {
			return r, nil
		}
	}
	return methodRow{}, refuse(http.StatusNotFound, "resourceNotFound", "The requested authentication method was not found: %s", clip(c.params[1]))
}

func listMethods(c *call, s *world.State, t *world.Tenant, u *world.User) (*reply, error) {
	all, kind := c.methodsOf(t, u), c.methodKind()
	if kind != "" {
		all = slices.DeleteFunc(all, func(r methodRow) bool { return r.kind() != kind })
	}
	return c.list(t, c.methodContext(u), c.g.sh.method, slice(all, c.g.sh.method.key))
}

func getMethod(c *call, s *world.State, t *world.Tenant, r methodRow) (*reply, error) {
	return c.one(t, c.methodContext(r.user), c.g.sh.method, r)
}

func deleteMethod(c *call, s *world.State, t *world.Tenant, r methodRow) (*reply, error) {
	if err := c.mayTouch(s, t, r.user); err != nil {
		return nil, err
	}
	left := slices.DeleteFunc(slices.Clone(r.user.Methods), func(m world.Method) bool { return m.ID == r.m.ID })
	if r.m.Type == world.MethodPhone && slices.ContainsFunc(left, func(m world.Method) bool { return m.Type == world.MethodAltPhone }) {
		return nil, badRequest("The mobile phone cannot be deleted while an alternate mobile phone is registered.")
	}
	c.setMethods(s, t, r.user, left, "Admin deleted security info", r.m.Type)
	return noContent()
}

// createMethod registers an external method: the others cannot be made by Graph
// here.
func createMethod(c *call, s *world.State, t *world.Tenant, u *world.User) (*reply, error) {
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
	return c.created(t, c.methodContext(u), c.g.sh.method, methodRow{user: u, m: &m})
}

func (c *call) setMethods(s *world.State, t *world.Tenant, u *world.User, next []world.Method, activity, what string) {
	old := u.Registered()
	n := s.Change()
	t.Users.Change(u.ID, func(u *world.User) { u.Methods, u.Changed = next, n })
	s.Touch(t)
	ch := change{
		activity: activity, category: "UserManagement", service: "Authentication Methods", target: userTarget(u),
		more: []world.KeyValue{{Key: "AuthenticationMethod", Value: what}},
	}
	ch.changed("StrongAuthenticationMethod", old, t.Users.Get(u.ID).Registered())
	c.audit(s, t, ch)
}

// Per-user MFA (contracts.md section 3.3).

func newRequirementsShape() *shape {
	return newShape("strongAuthenticationRequirements", func(any) string { return "" }, f("perUserMfaState", func(u *world.User) any {
		if u.PerUserMFA == "" {
			return "disabled"
		}
		return u.PerUserMFA
	}))
}

func getRequirements(c *call, s *world.State, t *world.Tenant, u *world.User) (*reply, error) {
	return c.one(t, c.methodContext(u)+"!", c.g.sh.requirements, u)
}

func changeRequirements(c *call, s *world.State, t *world.Tenant, u *world.User) (*reply, error) {
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
	ch := change{
		activity: "Update per-user multifactor authentication state", category: "UserManagement", service: "Authentication Methods", target: userTarget(u),
	}
	ch.changed("StrongAuthenticationRequirement", u.PerUserMFA, next)
	n := s.Change()
	t.Users.Change(u.ID, func(u *world.User) { u.PerUserMFA, u.Changed = next, n })
	s.Touch(t)
	c.audit(s, t, ch)
	return noContent()
}
