package claim

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
)

// identityNames are claims that say who somebody is, or that decide. They are
// texts, whoever issued the token.
var identityNames = []string{
	"iss", "tid", "oid", "sub", "appid", "azp", "upn", "preferred_username", "unique_name",
	"email", "name", "given_name", "family_name", "nonce", "idtyp", "sid", "jti", "idp",
}

// describingNames say more of somebody, in whatever form the issuer has: every
// text in them, and every name, is held to the same characters.
var describingNames = []string{
	"acr", "acrs", "act", "amr", "appidacr", "azpacr", "client_id", "groups", "login_hint", "middle_name", "nickname",
	"roles", "scope", "username", "ver", "verified_primary_email", "verified_secondary_email", "wids", "xms_cc",
}

// shownNames are written in people's own languages, some of which need
// characters that are not seen (a joiner in Persian, marks of direction).
var shownNames = []string{"name", "given_name", "family_name", "middle_name", "nickname", "groups"}

// decidingNames may not be there in other letters too: readers that do not
// compare exactly would take the other one.
var decidingNames = []string{
	"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "nonce", "tid", "oid", "ver", "amr", "acr", "acrs", "auth_time", "scp", "roles",
	"appid", "azp", "appidacr", "azpacr", "cnf", "upn", "idtyp",
}

// Limits of identity claims, in bytes.
const (
	maxIdentity = 1024
	maxScopes   = 16 << 10
)

// identityClaims says what is wrong with the claims that say who somebody is,
// or "". What they hold comes from a tenant, which may want to look like another
// or to write over a terminal or a page.
//
// tid and oid are GUIDs and scp is a text whoever issued the token: they are
// read as Entra ID's here. A list of scopes (Okta's access tokens) is one thing
// to whom joins it and another to whom does not, and no issuer of workloads'
// tokens writes one.
func identityClaims(o object) string {
	for _, name := range identityNames {
		s, form := o.text(name)
		switch {
		case form == formAbsent:
			continue
		case form != formText:
			return "its claim " + name + " is not a text"
		}
		if why := unfitText(name, s); why != "" {
			return why
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
	if s, form := o.text("scp"); form != formAbsent && (form != formText || len(s) > maxScopes || strings.ContainsFunc(s, noScope)) {
		return "its claim scp is not a text of scopes"
	}
	for _, name := range describingNames {
		for _, s := range textsIn(o.members[name]) {
			if why := unfitText(name, s); why != "" {
				return why
			}
		}
	}
	return ""
}

func unfitText(name, s string) string {
	most := maxIdentity
	if name == "scope" {
		most = maxScopes
	}
	switch {
	case len(s) > most:
		return "its claim " + name + " is too long"
	case name != "iss" && unfit(s, slices.Contains(shownNames, name)): // iss is compared whole
		return "its claim " + name + " holds characters that hide or reorder text"
	}
	return ""
}

// textsIn lists the texts of a claim of any form, names of members and numbers
// as they are written included.
func textsIn(raw json.RawMessage) []string {
	if raw == nil {
		return nil
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // a number beyond float64 would hide the texts beside it
	if d.Decode(&v) != nil {
		return nil
	}
	var out []string
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			out = append(out, v)
		case json.Number:
			out = append(out, v.String())
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for name, e := range v {
				out = append(out, name)
				walk(e)
			}
		}
	}
	walk(v)
	return out
}

// twoSpellings finds a claim that decides and is there in other letters too.
func twoSpellings(o object) string {
	for _, exact := range decidingNames {
		if _, there := o.members[exact]; !there {
			continue
		}
		for name := range o.members {
			if name != exact && strings.EqualFold(name, exact) {
				return exact
			}
		}
	}
	return ""
}

// entraTenant takes an issuer of Entra ID's form apart: https://…/{tenant}/ of
// version 1 and https://…/{tenant}/v2.0 of version 2, whichever cloud's or the
// lab's it is. Others end in a GUID too, or in v2.0 and a slash (Azure DevOps,
// AKS, B2C), and are none of it. (contracts.md section 4.4)
func entraTenant(issuer string) (tenant, version string) {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" {
		return "", ""
	}
	tenant, last, _ := strings.Cut(strings.TrimPrefix(u.EscapedPath(), "/"), "/")
	switch {
	case !isGUID(tenant):
		return "", ""
	case last == "v2.0":
		return tenant, "2.0"
	case last == "" && strings.HasSuffix(issuer, "/"):
		return tenant, "1.0"
	}
	return "", ""
}

// issuerForm holds ver and tid to the form of the issuer, where that is one of
// Entra ID's. Others write there what they like (Okta the number 1).
func issuerForm(t Token, o object) string {
	tenant, version := entraTenant(t.Issuer)
	form := o.form("ver")
	switch {
	case form != formAbsent && form != formText && (tenant != "" || form != formNumber):
		return "its claim ver is not a text"
	case tenant == "":
		return ""
	case form != formAbsent && t.Version != version:
		return "its version is not that of its issuer"
	case t.Tenant != "" && !strings.EqualFold(t.Tenant, tenant):
		return "its tenant is not that of its issuer"
	}
	return ""
}

// unfit finds characters that end a line or change the order in which text is
// read, and, where no person's language needs them, those that are not seen.
func unfit(s string, shown bool) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		switch {
		case r >= ' ' && r <= '~': // nearly all
			return false
		case unicode.IsControl(r), r == 0x2028, r == 0x2029, r == 0xfeff, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return true
		case shown:
			return false
		}
		return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point) || r == 0x2800 // a blank of Braille
	})
}

// noScope is what no scope holds and no two are held apart by (RFC 6749 section
// 3.3): readers cut at different blanks.
func noScope(r rune) bool { return r < ' ' || r > '~' }

func earliest(at time.Time, more ...time.Time) time.Time {
	for _, m := range more {
		if !m.IsZero() && m.Before(at) {
			at = m
		}
	}
	return at
}
