package claim

import (
	"strings"
	"time"
	"unicode"
)

// identityNames are claims that say who somebody is, or that decide.
var identityNames = []string{
	"iss", "tid", "oid", "sub", "appid", "azp", "upn", "preferred_username", "unique_name",
	"email", "name", "given_name", "family_name", "nonce", "idtyp", "ver", "sid", "jti", "idp",
}

// Limits of identity claims, in bytes.
const (
	maxIdentity = 1024
	maxScopes   = 16 << 10
)

// identityClaims says what is wrong with the claims that say who somebody is,
// or "". What they hold comes from a tenant, which may want to look like another
// or to write over a terminal or a page.
func identityClaims(o object) string {
	for _, name := range identityNames {
		s, form := o.text(name)
		switch {
		case form == formAbsent:
			continue
		case form != formText:
			return "its claim " + name + " is not a text"
		case len(s) > maxIdentity:
			return "its claim " + name + " is too long"
		case name != "iss" && unfit(s, strings.HasSuffix(name, "name") && name != "unique_name" && name != "preferred_username"): // iss is compared whole
			return "its claim " + name + " holds characters that hide or reorder text"
		}
	}
	if _, bound := o.members["cnf"]; bound {
		return "it is bound to a key (cnf) and is no bearer token"
	}
	for _, name := range []string{"tid", "oid"} {
		if s, form := o.text(name); form == formText && !isGUID(s) {
			return "its claim " + name + " is not a GUID"
		}
	}
	if s, form := o.text("scp"); form != formAbsent && (form != formText || len(s) > maxScopes || unfit(s, false)) {
		return "its claim scp is not a text of scopes"
	}
	return ""
}

// versionFault holds ver to the form of the issuer, where that is one of Entra
// ID's: version 2 ends in /v2.0, version 1 does not (contracts.md section 4.4).
func versionFault(t Token) string {
	bare := strings.TrimSuffix(t.Issuer, "/")
	last := bare[strings.LastIndexByte(bare, '/')+1:]
	two := last == "v2.0"
	if !two && !isGUID(last) || t.Version == "" {
		return ""
	}
	if t.Version != "1.0" && t.Version != "2.0" || two != (t.Version == "2.0") {
		return "its version is not that of its issuer"
	}
	return ""
}

// unfit finds characters that end a line or change the order in which text is
// read, and, where no person's language needs them, those that are not seen.
func unfit(s string, shown bool) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		switch {
		case unicode.IsControl(r), r == 0x2028, r == 0x2029, r == 0xfeff, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return true
		case shown:
			return false
		}
		return unicode.Is(unicode.Cf, r)
	})
}

func earliest(at time.Time, more ...time.Time) time.Time {
	for _, m := range more {
		if !m.IsZero() && m.Before(at) {
			at = m
		}
	}
	return at
}
