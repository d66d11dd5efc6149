package access

import "strings"

// answering are registered methods that can answer an MFA challenge. E-mail,
// security questions and app passwords cannot.
var answering = map[string]bool{
	"mobilephone": true, "alternatemobilephone": true, "officephone": true, "microsoftauthenticatorpush": true, "softwareonetimepasscode": true,
	"hardwareonetimepasscode": true, "windowshelloforbusiness": true, "fido2securitykey": true, "passkeydevicebound": true,
	"passkeydeviceboundauthenticator":    true,
	"microsoftauthenticatorpasswordless": true, "temporaryaccesspass": true, "macossecureenclavekey": true, "externalauthmethod": true, "fido2": true,
	"passkeysynced": true,
}

func (s *Subject) able() (out []string) {
	for _, m := range s.Methods {
		if answering[strings.ToLower(m)] {
			out = append(out, m)
		}
	}
	return out
}

func (s *Subject) label() string {
	if s.Name != "" {
		return s.Name
	}
	return s.ID
}
