package gate

import (
	"encoding/json"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/remedy"
)

// registered are the methods, as the report of registrations names them, that a
// configuration of the authentication methods policy lets people use, by its id in lower
// case.
var registered = map[string][]string{
	"fido2":                  {"fido2securitykey", "fido2", "passkeydevicebound", "passkeydeviceboundauthenticator", "passkeysynced"},
	"microsoftauthenticator": {"microsoftauthenticatorpush", "microsoftauthenticatorpasswordless", "passkeydeviceboundauthenticator"},
	"softwareoath":           {"softwareonetimepasscode"},
	"hardwareoath":           {"hardwareonetimepasscode"},
	"sms":                    {"mobilephone"},
	"voice":                  {"mobilephone", "alternatemobilephone", "officephone"},
	"temporaryaccesspass":    {"temporaryaccesspass"},
	"x509certificate":        {"x509certificatemultifactor", "x509certificatesinglefactor"},
}

// configuration is one configuration of a method, as far as it says who may use it.
type configuration struct {
	Type    string   `json:"@odata.type"`
	ID      string   `json:"id"`
	State   string   `json:"state"`
	Include []target `json:"includeTargets"`
	Exclude []target `json:"excludeTargets"`
}

type target struct {
	ID string `json:"id"`
}

// methods takes from accounts what they have registered and may no longer use.
func (w *world) methods(m *Move) error {
	var list []configuration
	if m.Kind == remedy.Methods {
		var policy struct {
			List []json.RawMessage `json:"authenticationMethodConfigurations"`
		}
		if err := w.read(m, m.After, &policy); err != nil {
			return err
		}
		for _, raw := range policy.List {
			var c configuration
			if err := w.read(m, raw, &c); err != nil {
				return err
			}
			list = append(list, c)
		}
	} else {
		c := configuration{}
		o := m.After
		if m.Do == remedy.Delete {
			o = m.Before
		}
		if err := w.read(m, o, &c); err != nil {
			return err
		}
		if m.Do == remedy.Delete {
			c.State = "disabled"
		}
		if c.ID == "" {
			c.ID = w.id(m)
		}
		list = append(list, c)
	}
	for i := range list {
		w.allow(&list[i])
	}
	return nil
}

// allow takes a method from whoever the configuration does not surely let use it.
func (w *world) allow(c *configuration) {
	names := registered[strings.ToLower(c.ID)]
	if strings.HasSuffix(strings.ToLower(c.Type), "externalauthenticationmethodconfiguration") {
		names = []string{"externalauthmethod"}
	}
	if names == nil {
		return
	}
	on := strings.EqualFold(c.State, "enabled")
	all := slices.ContainsFunc(c.Include, func(t target) bool { return strings.EqualFold(t.ID, "all_users") })
	if on && (all || len(c.Include) == 0) && len(c.Exclude) == 0 {
		return
	}
	w.accounts()
	for i := range w.t.Users {
		u := &w.t.Users[i]
		if !u.MethodsKnown || on && may(u, c, all) {
			continue
		}
		if slices.ContainsFunc(u.Methods, func(m string) bool { return slices.Contains(names, strings.ToLower(m)) }) {
			u.Methods = slices.DeleteFunc(slices.Clone(u.Methods), func(m string) bool { return slices.Contains(names, strings.ToLower(m)) })
		}
	}
}

// may says that an account surely may use a method.
func may(u *access.Subject, c *configuration, all bool) bool {
	in := all || len(c.Include) == 0
	for _, t := range c.Include {
		in = in || slices.Contains(u.Groups, strings.ToLower(t.ID)) || strings.EqualFold(t.ID, u.ID)
	}
	for _, t := range c.Exclude {
		id := strings.ToLower(t.ID)
		in = in && !slices.Contains(u.Groups, id) && !slices.Contains(u.PerhapsGroups, id) && !strings.EqualFold(id, u.ID)
	}
	return in
}
