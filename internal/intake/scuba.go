package intake

import (
	"bytes"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/intake/text"
)

// scubaMember reads one member of a ScubaGear export.
type scubaMember func(f *file, s *text.Scanner, c byte, p place) error

// scubaMembers are the members of a ScubaGear export that tell it apart. Those
// that hold nothing judged here are passed over.
var scubaMembers = map[string]scubaMember{
	"conditional_access_policies":                scubaList(evidence.ConditionalAccessPolicy),
	"privileged_roles":                           scubaList(evidence.ScubaPrivilegedRole),
	"license_information":                        scubaList(evidence.SubscribedSku),
	"risky_applications":                         scubaList(evidence.Application),
	"risky_third_party_service_principals":       scubaList(evidence.ServicePrincipal),
	"privileged_users":                           scubaUsers,
	"service_plans":                              scubaPlans,
	"authentication_method":                      scubaMethods,
	"tenant_details":                             scubaTenant,
	"aad_unsuccessful_commands":                  scubaFailed,
	"authorization_policies":                     scubaPass,
	"privileged_service_principals":              scubaPass,
	"domain_settings":                            scubaPass,
	"directory_settings":                         scubaPass,
	"default_app_management_policy":              scubaPass,
	"risky_delegated_permission_classifications": scubaPass,
	"scuba_config":                               scubaPass,
}

func scubaPass(_ *file, s *text.Scanner, _ byte, _ place) error { return s.Value() }

// scubaEach calls take with every object of a list, or with the one object
// that PowerShell makes of a list of one.
func scubaEach(f *file, s *text.Scanner, c byte, p place, take func(raw []byte, p place) error) (n int, err error) {
	one := func(c byte) error {
		n++
		p.index = n
		raw, err := s.Whole()
		if c != '{' && (err == nil || err == text.ErrTooDeep) {
			n--
			return nil
		}
		if err != nil {
			return f.passed(s, err, "this record", p)
		}
		return take(raw, p)
	}
	if c == '{' {
		return n, one(c)
	}
	return n, s.Array(one)
}

func scubaList(kind evidence.Kind) scubaMember {
	return func(f *file, s *text.Scanner, c byte, p place) error {
		n, err := scubaEach(f, s, c, p, func(raw []byte, p place) error { return f.emit(kind, raw, p) })
		if err == nil && n == 0 {
			f.emptyList(kind, "")
		}
		return err
	}
}

// scubaUsers reads a map of user id -> {DisplayName, roles, …}; the id becomes
// a member of the record.
func scubaUsers(f *file, s *text.Scanner, c byte, p place) error {
	if c == '[' { // PowerShell writes an empty map either way
		return scubaList(evidence.PrivilegedUser)(f, s, c, p)
	}
	n := 0
	var rec []byte
	err := s.Object(func(id string, c byte) (bool, error) {
		if c != '{' {
			return false, nil
		}
		n++
		p.index = n
		raw, err := s.Whole()
		if err != nil {
			return true, f.passed(s, err, "this record", p)
		}
		rec = text.With(rec[:0], "id", text.Quote(id), raw)
		return true, f.emit(evidence.PrivilegedUser, rec, p)
	})
	if err == nil && n == 0 {
		f.emptyList(evidence.PrivilegedUser, "")
	}
	return err
}

// scubaPlans reads the service plans of all SKUs, which ScubaGear lists apart
// from them and only those that were provisioned. They are handed on as one SKU
// that says nothing else: which SKU a plan came from is not in the export.
func scubaPlans(f *file, s *text.Scanner, c byte, p place) error {
	raw, err := s.Whole()
	if err != nil {
		return f.passed(s, err, "this list", p)
	}
	if c == '{' {
		raw = append(append([]byte{'['}, raw...), ']')
	}
	if len(bytes.TrimSpace(raw[1:len(raw)-1])) == 0 {
		f.emptyList(evidence.SubscribedSku, "")
		return nil
	}
	rec := append([]byte(`{"servicePlans":`), raw...)
	return f.emit(evidence.SubscribedSku, append(rec, '}'), p)
}

// scubaMethods reads {authentication_method_policy, authentication_method_feature_settings}:
// the settings are the method configurations that the policy lacks.
func scubaMethods(f *file, s *text.Scanner, c byte, p place) error {
	_, err := scubaEach(f, s, c, p, func(raw []byte, p place) error {
		policy, settings := text.Member(raw, "authentication_method_policy"), text.Member(raw, "authentication_method_feature_settings")
		if len(policy) == 0 || policy[0] != '{' {
			policy = []byte("{}")
			if len(settings) == 0 || settings[0] == 'n' {
				return nil
			}
		}
		rec := policy
		if len(settings) > 0 && (settings[0] == '[' || settings[0] == '{') {
			rec = text.With(nil, "authenticationMethodConfigurations", settings, policy)
		}
		return f.emit(evidence.AuthenticationMethods, rec, p)
	})
	return err
}

// scubaTenant reads the organization, which stands in AADAdditionalData.
func scubaTenant(f *file, s *text.Scanner, c byte, p place) error {
	_, err := scubaEach(f, s, c, p, func(raw []byte, p place) error {
		inner := text.Member(raw, "AADAdditionalData")
		if len(inner) > 2 && (inner[0] == '{' || inner[0] == '[') {
			_, err := scubaEach(f, text.InMemory(inner), inner[0], p, func(raw []byte, p place) error {
				return f.emit(evidence.Organization, raw, p)
			})
			return err
		}
		return f.emit(evidence.Organization, raw, p)
	})
	return err
}

// scubaFailed notes the commands that failed: their members are empty because
// nobody could read them, not because there is nothing.
func scubaFailed(f *file, s *text.Scanner, c byte, p place) error {
	raw, err := s.Raw()
	if err == text.ErrTooLarge {
		return s.Value()
	}
	if err != nil || c != '[' {
		return err
	}
	var names []string
	text.Elements(raw, func(v []byte) {
		if v[0] == '"' {
			names = append(names, text.Clip(text.Unquote(v)))
		}
	})
	if len(names) > 0 {
		f.fault(f.at(p), 0, "the export says that these commands failed, so what they read is missing: "+text.Clip(strings.Join(names, ", ")))
	}
	return nil
}
