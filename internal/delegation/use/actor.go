package use

import "strings"

// technician begins the user principal name that a customer's logs give to somebody of a
// partner; the object id in the partner's directory follows (contracts-2026-11.md 3.1).
const technician = "user_"

// Technician is the object id, lower case with dashes, of the partner's user whom a user
// principal name of a customer's log stands for. The display name "… Technician" says
// nothing: anybody may be called so.
func Technician(upn string) (id string, ok bool) {
	if len(upn) > 512 {
		return "", false
	}
	upn = strings.TrimSpace(upn)
	if len(upn) < len(technician) || !strings.EqualFold(upn[:len(technician)], technician) {
		return "", false
	}
	hex, _, _ := strings.Cut(upn[len(technician):], "@")
	return ObjectID(hex)
}

// ObjectID brings an object id to its one form, lower case with dashes. It takes 32
// hexadecimal digits, with the four dashes at their places or without any.
func ObjectID(s string) (id string, ok bool) {
	s = strings.ToLower(strings.Trim(strings.TrimSpace(s), "{}"))
	if len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' {
		s = s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	}
	if len(s) != 32 {
		return "", false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return "", false
		}
	}
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:], true
}
