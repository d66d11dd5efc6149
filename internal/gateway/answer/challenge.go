package answer

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/gateway"
)

// Able says whether who asks is told by a challenge what it lacks. A client whose token
// says that it does not understand challenges is not; one whose token does not speak of
// it is, since the claim is optional and the API's registration may not ask for it.
func Able(id *gateway.Identity) bool { return id == nil || id.Capable || !id.CapableTold }

// wish is one claim that is asked for (OpenID Connect Core 1.0 section 5.5.1).
type wish struct {
	Essential bool     `json:"essential"`
	Value     string   `json:"value,omitempty"`
	Values    []string `json:"values,omitempty"`
}

var (
	wishMFA = wish{Essential: true, Values: []string{"mfa"}}
	wishAge = wish{Essential: true}
)

// Claims are the claims that a new token must have for the route and a reason of the kind
// Challenge, as JSON for the parameter claims of a sign-in; "" where no claim would help.
func Claims(route *gateway.Route, reason gateway.Reason, now time.Time) string {
	return claims("access_token", route, reason, now)
}

// SignInClaims are those of the id token of a browser's sign-in.
func SignInClaims(route *gateway.Route, reason gateway.Reason, now time.Time) string {
	return claims("id_token", route, reason, now)
}

func claims(token string, route *gateway.Route, reason gateway.Reason, now time.Time) string {
	if reason.Kind() != gateway.Challenge || route == nil {
		return ""
	}
	want := map[string]wish{}
	context := func() bool {
		if route.Context != "" {
			want["acrs"] = wish{Essential: true, Value: route.Context}
		}
		return route.Context != ""
	}
	switch reason {
	case gateway.Revoked:
		want["nbf"] = wish{Essential: true, Value: strconv.FormatInt(now.Unix(), 10)}
	case gateway.ContextMissing:
		context()
		if route.MFA {
			want["amr"] = wishMFA
		}
	case gateway.TooOld, gateway.AgeUnknown:
		if !context() {
			want["amr"] = wishMFA
		}
		want["auth_time"] = wishAge
	default: // single factor, third-party MFA, a version that hides it
		context()
		if route.MFA || route.Context == "" {
			want["amr"] = wishMFA
		}
	}
	if len(want) == 0 {
		return ""
	}
	b, _ := json.Marshal(map[string]map[string]wish{token: want}) // texts alone
	return string(b)
}

// Challenge is the value of the one header WWW-Authenticate for a reason of the kinds
// Sign and Challenge. The realm is empty, so that a client asks the authority that is
// named, in whatever tenant its account is of (contracts-2026-11 section 8).
func Challenge(route *gateway.Route, reason gateway.Reason, now time.Time, o Options) string {
	var b strings.Builder
	b.WriteString(`Bearer realm="", authorization_uri="`)
	b.WriteString(authority(o))
	b.WriteString(`/common/oauth2/authorize"`)
	switch {
	case reason == gateway.NoToken: // RFC 6750 section 3.1: who brought nothing is told no error
	case reason.Kind() == gateway.Challenge:
		param(&b, "error", "insufficient_claims")
		param(&b, "error_description", reason.Title())
		if c := Claims(route, reason, now); c != "" {
			param(&b, "claims", base64.StdEncoding.EncodeToString([]byte(c)))
		}
		if route == nil || reason == gateway.Revoked {
			break
		}
		// For clients of RFC 9470, which read no claims.
		if route.Context != "" {
			param(&b, "acr_values", route.Context)
		}
		if route.MaxAge > 0 {
			param(&b, "max_age", strconv.FormatInt(int64(route.MaxAge/time.Second), 10))
		}
	default:
		param(&b, "error", "invalid_token")
		param(&b, "error_description", reason.Title())
	}
	return b.String()
}

func authority(o Options) string {
	a := o.Authority
	if a == "" {
		a = entra.Login
	}
	return strings.TrimRight(strings.Map(fit, a), "/")
}

// param writes one parameter as a quoted string of the characters of RFC 6750 section 3.
func param(b *strings.Builder, name, value string) {
	b.WriteString(", ")
	b.WriteString(name)
	b.WriteString(`="`)
	b.WriteString(strings.Map(fit, value))
	b.WriteByte('"')
}

func fit(r rune) rune {
	if r < ' ' || r > '~' || r == '"' || r == '\\' {
		return -1
	}
	return r
}
