package assert

import (
	"encoding/base64"
	"strings"
)

// The headers that an upstream is told by. Values are visible ASCII; all else in them,
// and the percent sign and comma of a list's element, is percent-encoded UTF-8.
const (
	HeaderUser      = "X-Partnerguard-User"             // the account's name: for people, never for decisions
	HeaderObjectID  = "X-Partnerguard-Object-Id"        // oid: with the tenant, the one to decide by
	HeaderTenant    = "X-Partnerguard-Tenant"           // tid: where the token is valid
	HeaderHome      = "X-Partnerguard-Home"             // the account's own tenant, where it is another
	HeaderCustomer  = "X-Partnerguard-Customer"         // the customer's tenant when the partner acts for one (AOBO)
	HeaderApp       = "X-Partnerguard-App"              // the app through which, or which, it is
	HeaderMFA       = "X-Partnerguard-Mfa"              // true, false, unknown
	HeaderAuthTime  = "X-Partnerguard-Auth-Time"        // when the user signed in, seconds since 1970
	HeaderRoles     = "X-Partnerguard-Roles"            // app roles, with commas
	HeaderWids      = "X-Partnerguard-Directory-Roles"  // templates of directory roles, with commas
	HeaderGroups    = "X-Partnerguard-Groups"           // object ids, with commas
	HeaderElsewhere = "X-Partnerguard-Groups-Elsewhere" // true: there are more than are told
	HeaderRoute     = "X-Partnerguard-Route"
	HeaderRequest   = "X-Partnerguard-Request"
	HeaderAssertion = "X-Partnerguard-Assertion"
)

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// line appends one line of a head. What would end it is a space, though nothing that comes
// here has it: hosts are checked before, and the rest is ours.
func line(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	for i := range len(value) {
		c := value[i]
		if c == '\r' || c == '\n' || c == 0 {
			c = ' '
		}
		dst = append(dst, c)
	}
	return append(dst, '\r', '\n')
}

// plain makes a value of a header of what a token said.
func plain(s string) string {
	const hex = "0123456789ABCDEF"
	clean := true
	for i := 0; i < len(s) && clean; i++ {
		clean = s[i] > ' ' && s[i] < 0x7f && s[i] != '%'
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c > ' ' && c < 0x7f && c != '%' {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// maxList bounds a list in a header, in bytes: many servers take 8 KiB for one.
const maxList = 4 << 10

// join makes a list of a header: "" where it would be too long, since half a list is a
// wrong one.
func join(list []string) string {
	n := 0
	for _, s := range list {
		if n += len(s) + 1; n > maxList {
			return ""
		}
	}
	var b strings.Builder
	for i, s := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strings.ReplaceAll(plain(s), ",", "%2C"))
	}
	return b.String()
}
