package graph

import (
	"encoding/json"
	"net/http"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// Methods that an administrator makes for a user: passes, phones and addresses.

// targeted reports that a method's configuration is enabled for a user.
func targeted(t *world.Tenant, conf map[string]any, u *world.User) bool {
	if str(conf, "state") != "enabled" {
		return false
	}
	in := func(list []map[string]any) bool {
		return slices.ContainsFunc(list, func(x map[string]any) bool {
			id := str(x, "id")
			return id == "all_users" || strings.EqualFold(id, u.ID) || slices.ContainsFunc(t.GroupsOf(u.ID), func(g string) bool {
				return strings.EqualFold(g, id)
			})
		})
	}
	_, limited := conf["includeTargets"]
	return (!limited || in(objs(conf, "includeTargets"))) && !in(objs(conf, "excludeTargets"))
}

// configured is a method's configuration; what is not there is switched off.
func configured(t *world.Tenant, id string) map[string]any {
	if d := t.MethodConfigs.Get(id); d != nil {
		return decodeObject(d.Raw)
	}
	return map[string]any{}
}

// usablePass is the reason why a pass can be used.
const usablePass = "EnabledByPolicy"

func (c *call) passReason(t *world.Tenant, u *world.User, m *world.Method) string {
	switch why := m.Pass.Reason(c.now); {
	case why != "":
		return why
	case !targeted(t, configured(t, "TemporaryAccessPass"), u):
		return "DisabledByPolicy"
	}
	return usablePass
}

// passOf is a row's pass; of old ones only that they are over is known.
func passOf(x methodRow) *world.TemporaryPass {
	if x.m.Pass == nil {
		return &world.TemporaryPass{Start: x.m.Created, Minutes: 60, Once: true}
	}
	return x.m.Pass
}

func passFields() fields {
	return fields{
		"id": unused(), "lifetimeInMinutes": number(), "isUsableOnce": flag(), "startDateTime": when(), "temporaryAccessPass": unused(),
		"createdDateTime": unused(), "isUsable": unused(), "methodUsabilityReason": unused(), "lastUsedDateTime": unused(),
	}
}

// whole is a whole number of a settings object.
func whole(m map[string]any, k string, otherwise int) int {
	if n, ok := m[k].(float64); ok {
		return int(n)
	}
	return otherwise
}

// createPass makes a Temporary Access Pass, within what the policy allows. Its secret
// is in this answer and nowhere else.
func createPass(c *call, s *world.State, t *world.Tenant, u *world.User) (*reply, error) {
	if err := passFields().check("", c.in); err != nil {
		return nil, err
	}
	if err := c.mayTouch(s, t, u); err != nil {
		return nil, err
	}
	conf := configured(t, "TemporaryAccessPass")
	if u.Guest || !targeted(t, conf, u) {
		return nil, badRequest("Temporary Access Pass is not enabled for the user by policy.")
	}
	left := slices.DeleteFunc(slices.Clone(u.Methods), func(m world.Method) bool { // what is over makes room
		return m.Type == world.MethodPass && slices.Contains(words("Expired OneTimeUsed"), m.Pass.Reason(c.now))
	})
	if slices.ContainsFunc(left, func(m world.Method) bool { return m.Type == world.MethodPass }) {
		return nil, badRequest("The user has a Temporary Access Pass already: only one can exist at a time.")
	}
	least, most := whole(conf, "minimumLifetimeInMinutes", 60), whole(conf, "maximumLifetimeInMinutes", 480)
	minutes := whole(c.in, "lifetimeInMinutes", whole(conf, "defaultLifetimeInMinutes", 60))
	if minutes < least || minutes > most {
		return nil, badRequest("Invalid value specified for property 'lifetimeInMinutes': it must be between %d and %d.", least, most)
	}
	once := truth(conf, "isUsableOnce")
	if given(c.in, "isUsableOnce") {
		if once && !truth(c.in, "isUsableOnce") {
			return nil, badRequest("The policy allows passes for one use only.")
		}
		once = truth(c.in, "isUsableOnce")
	}
	start := c.now
	if given(c.in, "startDateTime") && !moment(c.in, "startDateTime").IsZero() {
		if start = moment(c.in, "startDateTime"); start.Before(c.now.Add(-5 * time.Minute)) {
			return nil, badRequest("Invalid value specified for property 'startDateTime': it lies in the past.")
		}
	}
	id := world.NewGUID()
	pass, secret := world.NewPass(id, min(max(whole(conf, "defaultLength", 8), 8), 48))
	pass.Start, pass.Minutes, pass.Once = start, minutes, once
	m := world.Method{ID: id, Type: world.MethodPass, Created: c.now, Pass: pass}
	c.setMethods(s, t, u, append(left, m), "Admin registered security info", m.Type)
	sh := *c.g.sh.method // shows the secret, this once
	sh.fields = slices.Clone(sh.fields)
	sh.fields[sh.index["temporaryAccessPass"]].get = func(any) any { return secret }
	return c.created(t, c.methodContext(u), &sh, c.methodRow(t, u, &m))
}

// phones are the types of phones, with the fixed id of each.
var phones = []struct{ typ, method, id string }{
	{"mobile", world.MethodPhone, entra.MobilePhoneMethod}, {"alternateMobile", world.MethodAltPhone, entra.AlternatePhoneMethod},
	{"office", world.MethodOffice, entra.OfficePhoneMethod},
}

func phoneType(m *world.Method) string {
	for _, p := range phones {
		if p.method == m.Type {
			return p.typ
		}
	}
	return "mobile"
}

func phoneFields() fields {
	return fields{
		"id": readOnly(), "createdDateTime": readOnly(), "lastUsedDateTime": readOnly(), "smsSignInState": readOnly(),
		"phoneNumber": text().need().upTo(40), "phoneType": enum("mobile alternateMobile office").need(),
	}
}

var phoneNumber = regexp.MustCompile(`^\+\d{1,3} ?\d[\d ]{3,14}(x\d{1,10})?$`)

// readPhone takes a number and its kind from the body.
func (c *call) readPhone() (number, typ string, err error) {
	if err := phoneFields().check("", c.in); err != nil {
		return "", "", err
	}
	number, typ = str(c.in, "phoneNumber"), str(c.in, "phoneType")
	if !phoneNumber.MatchString(number) || strings.Contains(number, "x") && typ != "office" {
		return "", "", badRequest("Invalid value specified for property 'phoneNumber': it must be +{country code} {number}x{extension}.")
	}
	return number, typ, nil
}

func createPhone(c *call, s *world.State, t *world.Tenant, u *world.User) (*reply, error) {
	number, typ, err := c.readPhone()
	if err != nil {
		return nil, err
	}
	if typ == "" {
		return nil, badRequest("A value is required for property 'phoneType'.")
	}
	if err := c.mayTouch(s, t, u); err != nil {
		return nil, err
	}
	kind := phones[slices.IndexFunc(phones, func(p struct{ typ, method, id string }) bool { return p.typ == typ })]
	switch {
	case u.Method(kind.method) != nil:
		return nil, badRequest("The user has a phone of the type '%s' already.", typ)
	case kind.method == world.MethodAltPhone && u.Method(world.MethodPhone) == nil:
		return nil, badRequest("An alternate mobile phone needs a mobile phone first.")
	}
	m := world.Method{ID: kind.id, Type: kind.method, Created: c.now, Phone: number}
	c.setMethods(s, t, u, append(slices.Clone(u.Methods), m), "Admin registered security info", m.Type)
	return c.created(t, c.methodContext(u), c.g.sh.method, c.methodRow(t, u, &m))
}

// changeMethod writes a changed method in its place.
func (c *call) changeMethod(s *world.State, t *world.Tenant, r methodRow, f func(*world.Method)) world.Method {
	next := slices.Clone(r.user.Methods)
	i := slices.IndexFunc(next, func(m world.Method) bool { return m.ID == r.m.ID })
	f(&next[i])
	c.setMethods(s, t, r.user, next, "Admin updated security info", next[i].Type)
	return next[i]
}

func changePhone(c *call, s *world.State, t *world.Tenant, r methodRow) (*reply, error) {
	c.dropUnchanged(s, c.entity(c.g.sh.method, c.methodRow(t, r.user, r.m)), phoneFields())
	number, typ, err := c.readPhone()
	if err != nil {
		return nil, err
	}
	if typ != "" && typ != phoneType(r.m) {
		return nil, badRequest("The type of a phone cannot be changed.")
	}
	if err := c.mayTouch(s, t, r.user); err != nil {
		return nil, err
	}
	m := c.changeMethod(s, t, r, func(m *world.Method) {
		if m.Phone != number { // another number is another sign-in name
			m.Phone, m.SMS = number, false
		}
	})
	return c.one(t, c.methodContext(r.user), c.g.sh.method, c.methodRow(t, r.user, &m))
}

// smsState says whether a phone's number is a sign-in name.
func smsState(t *world.Tenant, u *world.User, m *world.Method) string {
	if m.Type != world.MethodPhone {
		return "notSupported"
	}
	conf := configured(t, "Sms")
	signIn := slices.ContainsFunc(objs(conf, "includeTargets"), func(x map[string]any) bool {
		return x["isUsableForSignIn"] == nil || truth(x, "isUsableForSignIn")
	})
	switch {
	case !signIn || !targeted(t, conf, u):
		return "notAllowedByPolicy"
	case m.SMS:
		return "ready"
	}
	return "notConfigured"
}

// smsSignIn makes a number a sign-in name, or takes that back. Nobody can sign in by
// it here: there is no phone.
func smsSignIn(c *call, s *world.State, t *world.Tenant, r methodRow) (*reply, error) {
	if len(c.in) > 0 {
		return nil, badRequest("The action takes no parameters.")
	}
	if err := c.mayTouch(s, t, r.user); err != nil {
		return nil, err
	}
	on := strings.EqualFold(c.route.last(), "enableSmsSignIn")
	if on {
		switch smsState(t, r.user, r.m) {
		case "notSupported", "notAllowedByPolicy":
			return nil, badRequest("SMS sign-in is not allowed for this phone or user.")
		}
		for u := range t.Users.All() {
			if m := u.Method(world.MethodPhone); m != nil && m.SMS && u.ID != r.user.ID && m.Phone == r.m.Phone {
				return nil, badRequest("The phone number is used for SMS sign-in by another user.")
			}
		}
	}
	if r.m.SMS != on {
		c.changeMethod(s, t, r, func(m *world.Method) { m.SMS = on })
	}
	return noContent()
}

func emailFields() fields {
	return fields{"id": readOnly(), "createdDateTime": readOnly(), "lastUsedDateTime": readOnly(), "emailAddress": text().need().upTo(320)}
}

func (c *call) readEmail() (string, error) {
	if err := emailFields().check("", c.in); err != nil {
		return "", err
	}
	address := str(c.in, "emailAddress")
	if a, err := mail.ParseAddress(address); err != nil || a.Address != address {
		return "", badRequest("Invalid value specified for property 'emailAddress'.")
	}
	return address, nil
}

func createEmail(c *call, s *world.State, t *world.Tenant, u *world.User) (*reply, error) {
	address, err := c.readEmail()
	if err != nil {
		return nil, err
	}
	if err := c.mayTouch(s, t, u); err != nil {
		return nil, err
	}
	if u.Method(world.MethodEmail) != nil {
		return nil, badRequest("The user has an email address for authentication already.")
	}
	m := world.Method{ID: entra.EmailMethod, Type: world.MethodEmail, Created: c.now, Email: address}
	c.setMethods(s, t, u, append(slices.Clone(u.Methods), m), "Admin registered security info", m.Type)
	return c.created(t, c.methodContext(u), c.g.sh.method, c.methodRow(t, u, &m))
}

func changeEmail(c *call, s *world.State, t *world.Tenant, r methodRow) (*reply, error) {
	c.dropUnchanged(s, c.entity(c.g.sh.method, c.methodRow(t, r.user, r.m)), emailFields())
	address, err := c.readEmail()
	if err != nil {
		return nil, err
	}
	if err := c.mayTouch(s, t, r.user); err != nil {
		return nil, err
	}
	m := c.changeMethod(s, t, r, func(m *world.Method) { m.Email = address })
	return c.one(t, c.methodContext(r.user), c.g.sh.method, c.methodRow(t, r.user, &m))
}

// resetPassword gives a user another password, the administrator's or one that is
// made up and shown this once. It is hashed outside of the world's lock.
func resetPassword(c *call) (*reply, error) {
	if err := (fields{"newPassword": text().upTo(256), "requireChangeOnNextSignIn": flag()}).check("", c.in); err != nil {
		return nil, err
	}
	if !strings.EqualFold(c.params[1], entra.PasswordMethod) {
		return nil, refuse(http.StatusNotFound, "resourceNotFound", "The requested authentication method was not found: %s", clip(c.params[1]))
	}
	plain, made := str(c.in, "newPassword"), false
	if plain == "" {
		_, secret := world.NewPass("", 12)
		plain, made = secret+"!7aA", true
	}
	if err := checkPassword(plain); err != nil {
		return nil, err
	}
	hash := world.NewPassword(plain)
	var id string
	err := c.g.world.Do(func(s *world.State) error {
		t := s.Tenant(c.caller.Tenant)
		u, err := c.findUser(s, t)
		if err != nil {
			return err
		}
		if err := c.mayTouch(s, t, u); err != nil {
			return err
		}
		if strings.EqualFold(u.ID, c.caller.ObjectID) {
			return badRequest("The password of one's own account cannot be reset: change it.")
		}
		if u.Synced || u.Guest {
			return badRequest("The password of this user is not kept in this tenant.")
		}
		id = u.ID
		n := s.Change()
		t.Users.Change(u.ID, func(u *world.User) {
			u.Password, u.PasswordChanged, u.SessionsValidFrom, u.Revoked, u.Changed = hash, c.now, c.now, "reset", n
			u.PasswordExpired = truth(c.in, "requireChangeOnNextSignIn")
		})
		s.EndSessions(t.ID, u.ID, "reset")
		s.Touch(t)
		c.audit(s, t, change{activity: "Reset user password", category: "UserManagement", target: userTarget(u)})
		return nil
	})
	if err != nil {
		return nil, err
	}
	rep := &reply{status: http.StatusAccepted, header: http.Header{}}
	done, _ := json.Marshal(c.now)
	rep.header.Set("Location", c.root()+"/users/"+id+"/authentication/operations/"+c.g.tokens.Seal(operationOf(id), done))
	if made {
		rep.body = appendValue(nil, object{{"@odata.context", c.root() + "/$metadata#microsoft.graph.passwordResetResponse"}, {"newPassword", plain}})
	}
	return rep, nil
}

func operationOf(user string) string { return "reset/" + strings.ToLower(user) }

// resetOperation says how a reset ended: resets are done at once here.
func resetOperation(c *call, s *world.State, t *world.Tenant, u *world.User) (*reply, error) {
	raw, ok := c.g.tokens.Open(operationOf(u.ID), c.params[1])
	var at time.Time
	if !ok || json.Unmarshal(raw, &at) != nil {
		return nil, notFound(c.params[1])
	}
	return give(object{
		{"@odata.context", c.root() + "/$metadata#users('" + u.ID + "')/authentication/operations/$entity"}, {"id", c.params[1]}, {"createdDateTime", at},
		{"lastActionDateTime", at}, {"resourceLocation", nil}, {"status", "succeeded"}, {"statusDetail", nil},
	})
}
