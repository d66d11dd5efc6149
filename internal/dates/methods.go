package dates

import (
	"cmp"
	"slices"
	"strings"

	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
)

// phones are the methods that Microsoft's own SMS and voice carry, in lower case,
// and reset are those that reset passwords or last for hours and are no second
// factor beside them (contracts.md 3.3).
var (
	phones = []string{"mobilephone", "alternatemobilephone", "officephone", "sms", "voice", "mobilesms"}
	reset  = []string{"email", "securityquestion", "apppassword", "temporaryaccesspass", "password"}
)

// publicAlone is why a change of SMS and voice hits nobody in another cloud
// (contracts-2026-11.md 1.4).
const publicAlone = "it concerns Microsoft's public cloud alone, and the tenant is in another"

// registered calls f with every registration of an account that can sign in.
func (l *looker) registered(f func(key, name string, r *directory.Registration)) {
	for key, r := range l.Directory.Registrations {
		if !l.off(cmp.Or(r.ID, key), r.UserPrincipalName) {
			f(cmp.Or(r.ID, key), cmp.Or(r.UserPrincipalName, r.UserDisplayName, key), r)
		}
	}
}

func (l *looker) phoneOnly() found {
	v := found{kinds: []evidence.Kind{evidence.RegistrationDetails}, unit: "users", hit: "%s {lose their|loses its} only second factor",
		none: "nobody has SMS or voice for the only second factor", action: "have them register a passkey or an authenticator app before that day"}
	if l.cloud.Sovereign() {
		return found{none: publicAlone}
	}
	l.registered(func(key, name string, r *directory.Registration) {
		phone, other := false, false // External MFA is another: its users are out of scope
		for _, m := range r.MethodsRegistered {
			m = strings.ToLower(m)
			switch {
			case slices.Contains(phones, m):
				phone = true
			case !slices.Contains(reset, m):
				other = true
			}
		}
		switch {
		case phone && !other:
			v.add(key, name)
		case len(r.MethodsRegistered) == 0 && r.IsMFARegistered.True():
			v.unsure = "of an account that is registered the export does not say by which method"
		}
	})
	return v
}

func (l *looker) questions() found {
	v := found{kinds: []evidence.Kind{evidence.RegistrationDetails}, unit: "users", hit: "%s {answer|answers} security questions to reset a password",
		none: "nobody has registered security questions", action: "have them register another method"}
	l.registered(func(key, name string, r *directory.Registration) {
		if slices.ContainsFunc(r.MethodsRegistered, func(m string) bool { return strings.EqualFold(m, "securityQuestion") }) {
			v.add(key, name)
		}
	})
	return v
}

func (l *looker) unregistered() found {
	v := found{kinds: []evidence.Kind{evidence.RegistrationDetails}, unit: "users", hit: "%s may reset the password and {have|has} registered nothing for it",
		none: "everybody who may reset a password has registered for it", action: "have them register: aka.ms/mysecurityinfo"}
	l.registered(func(key, name string, r *directory.Registration) {
		switch {
		case !r.IsSSPREnabled.Set || !r.IsSSPRRegistered.Set:
			v.unsure = "the registration report does not say who may reset a password"
		case r.IsSSPREnabled.True() && r.IsSSPRRegistered.False():
			v.add(key, name)
		}
	})
	return v
}

func (l *looker) phoneMethods() found {
	v := found{kinds: []evidence.Kind{evidence.AuthenticationMethods}, unit: "methods", hit: "%s {are|is} on, whose users are asked to register a passkey",
		none: "neither SMS nor voice is on", action: "tell the help desk, and move to passkeys before SMS and voice end"}
	if l.cloud.Sovereign() {
		return found{none: publicAlone}
	}
	if l.Methods == nil {
		return v
	}
	told := 0
	for _, m := range l.Methods.Configurations.Items {
		id := strings.ToLower(m.ID)
		if id != "sms" && id != "voice" {
			continue
		}
		if told++; strings.EqualFold(string(m.State), "enabled") {
			v.add(m.ID, m.ID)
		}
	}
	if told < 2 && len(v.who) == 0 {
		v.unsure = "the authentication methods policy does not say whether SMS and voice are on"
	}
	return v
}
