package check

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/claim"
	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/answer"
	"partnerguard/internal/gateway/guard"
	"partnerguard/internal/print"
)

// because says what of the token, or of the request, decided.
func (c *Checker) because(a *Asked, r *gateway.Request, d *gateway.Decision) string {
	switch {
	case d.Route == nil && d.Reason == gateway.Passed:
		return "it is one of the gateway's own pages: no rule is asked"
	case d.Route == nil:
		return ""
	case d.Identity == nil && d.Reason == gateway.Passed && d.Phase.Mode != gateway.Off:
		return "it is a CORS preflight, and the route lets them through"
	}
	if d.Phase.Mode == gateway.Off {
		return "the route's mode is off: nothing is looked at"
	}
	t := says(a, r)
	switch d.Reason {
	case gateway.NoToken:
		if _, ok := guard.Bearer(r.Authorization); ok {
			return "a token came, and this route has callers of another kind"
		}
		return "there is no Authorization: Bearer" + map[bool]string{true: ", and no session", false: ""}[d.Route.Browser]
	case gateway.BadIssuer:
		return "iss is " + shown(t.Issuer)
	case gateway.WrongAudience:
		return "aud is " + shown(t.Audience...) + "; the route is " + strings.Join(d.Route.Audiences, ", ")
	case gateway.Expired, gateway.NotYetValid:
		return fmt.Sprintf("exp is %s, and it is %s", moment(t.NotAfter), moment(r.Now))
	}
	if id := d.Identity; id != nil {
		return identityWords(d, id, r.Now)
	}
	return ""
}

// identityWords are because of somebody whose token is genuine.
func identityWords(d *gateway.Decision, id *gateway.Identity, now time.Time) string {
	switch route := d.Route; d.Reason {
	case gateway.ForeignTenant:
		return "tid is " + shown(id.Tenant) + "; the route is of " + strings.Join(route.Tenants, ", ")
	case gateway.CustomerNotAllowed:
		return "tid is " + shown(id.Tenant) + ", a customer's that the route does not name, and the account's home " + shown(id.Home)
	case gateway.AppNotAllowed, gateway.ClientNotAllowed:
		return "the app is " + shown(id.App)
	case gateway.SingleFactor, gateway.ThirdPartyMFA:
		return "amr is " + shown(id.AMR...) + ", without mfa"
	case gateway.VersionHides:
		return "ver is 2.0, and there is no amr"
	case gateway.ContextMissing:
		return "acrs is " + shown(id.Contexts...) + ", without " + route.Context
	case gateway.TooOld:
		return fmt.Sprintf("auth_time is %s, %s ago, and at most %s is allowed", moment(time.Unix(id.AuthTime, 0)),
			span(now.Sub(time.Unix(id.AuthTime, 0))), span(route.MaxAge))
	case gateway.AgeUnknown:
		if id.AuthTime > 0 {
			return "auth_time is in the future"
		}
		return "there is no auth_time"
	case gateway.RoleMissing, gateway.RolesElsewhere:
		return fmt.Sprintf("roles is %s, wids has %d and groups %d", shown(id.Roles...), len(id.Wids), len(id.Groups))
	case gateway.Passed:
		return passed(route, id, now)
	}
	return ""
}

func passed(route *gateway.Route, id *gateway.Identity, now time.Time) string {
	if id.IsApp {
		return "the app " + shown(id.App) + " may call without a user"
	}
	var out []string
	if route.MFA {
		out = append(out, "amr is "+shown(id.AMR...))
	}
	if route.Context != "" {
		out = append(out, "acrs has "+route.Context)
	}
	if route.MaxAge > 0 {
		out = append(out, "the sign-in was "+span(now.Sub(time.Unix(id.AuthTime, 0)))+" ago")
	}
	if len(out) == 0 {
		return "the route asks for no MFA"
	}
	return strings.Join(out, "; ")
}

// says is what the token of a request says, not whether it is true.
func says(a *Asked, r *gateway.Request) claim.Token {
	if len(a.Claims) > 0 {
		enc := base64.RawURLEncoding
		return inspect(enc.EncodeToString([]byte(`{"alg":"none"}`)) + "." + enc.EncodeToString(a.Claims) + "." + enc.EncodeToString([]byte("x")))
	}
	token, ok := guard.Bearer(r.Authorization)
	if !ok || len(token) > claim.MaxSize {
		return claim.Token{Opaque: true}
	}
	return inspect(token)
}

// notes say what the answer leaves out.
func (c *Checker) notes(a *Asked, r *gateway.Request, d *gateway.Decision) (out []string) {
	token, bearer := guard.Bearer(r.Authorization)
	switch {
	case d.Route == nil || d.Phase.Mode == gateway.Off:
	case len(a.Claims) > 0:
		out = append(out, "the claims were taken as a genuine token's")
	case bearer && token != "" && !c.who.checked && d.Identity != nil:
		out = append(out, "the signature was not checked: no keys were read")
	}
	if d.Route != nil && d.Route.Upstream == "" {
		out = append(out, "the route has no upstream: it is for other proxies, which ask (forward), and to anybody else the answer is 404")
	}
	if d.Reason == gateway.KeysAway {
		out = append(out, "check without --url and --token says how it stands with the keys; --keys FILE reads a file, --offline takes the token as it says")
	}
	if d.Route != nil && d.Route.Browser && r.Cookie != "" && !bearer {
		out = append(out, "a session is known to the running gateway alone: its cookie was not opened")
	}
	if d.Identity != nil && d.Reason != gateway.Expired {
		out = append(out, "whether anything was revoked is known to the running gateway alone")
	}
	if d.Phase.Mode == gateway.Ramp && d.Reason != gateway.Passed && d.Excused == nil {
		out = append(out, fmt.Sprintf("this caller is number %d of 0 to 99 on the route: a ramp above that refuses it", guard.Share(d.Route.Name,
			d.Identity, r.Remote)))
	}
	return out
}

// Answer is what the caller would get.
type Answer struct {
	Status    int        `json:"status"`
	Location  string     `json:"location,omitempty"`
	Challenge *Challenge `json:"challenge,omitempty"`
	Headers   []Header   `json:"headers"`
}

// Challenge is WWW-Authenticate, taken apart.
type Challenge struct {
	Error         string          `json:"error,omitempty"`
	Authorization string          `json:"authorizationUri,omitempty"`
	Claims        json.RawMessage `json:"claims,omitempty"` // decoded
}

func answered(a answer.Answer) *Answer {
	out := &Answer{Status: a.Status, Location: a.Get("Location"), Headers: []Header{}}
	for _, h := range a.Header {
		out.Headers = append(out.Headers, Header{h[0], h[1]})
	}
	if v := a.Get("WWW-Authenticate"); v != "" {
		out.Challenge = challenge(v)
	}
	return out
}

// quoted is one parameter of a challenge of our own, which has no escapes.
var quoted = regexp.MustCompile(`([a-z_]+)="([^"]*)"`)

func challenge(v string) *Challenge {
	c := &Challenge{}
	for _, m := range quoted.FindAllStringSubmatch(v, -1) {
		switch m[1] {
		case "error":
			c.Error = m[2]
		case "authorization_uri":
			c.Authorization = m[2]
		case "claims":
			if b, err := base64.StdEncoding.DecodeString(m[2]); err == nil && json.Valid(b) {
				c.Claims = b
			}
		}
	}
	return c
}

// shown are values of a claim for people.
func shown(list ...string) string {
	list = slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == "" })
	if len(list) == 0 {
		return "not there"
	}
	const most = 8
	var out []string
	for i, s := range list {
		if i == most {
			out = append(out, fmt.Sprintf("%d more", len(list)-most))
			break
		}
		out = append(out, print.Clean(s, 120))
	}
	return strings.Join(out, ", ")
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "not there"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// span says a duration in its largest units.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return print.Plural(int64(d/time.Second), "seconds")
	case d < time.Hour || d%time.Hour != 0 && d < 48*time.Hour:
		h, m := int64(d/time.Hour), int64(d%time.Hour/time.Minute)
		switch {
		case h == 0:
			return print.Plural(m, "minutes")
		case m == 0:
			return print.Plural(h, "hours")
		}
		return print.Plural(h, "hours") + " " + print.Plural(m, "minutes")
	case d < 48*time.Hour:
		return print.Plural(int64(d/time.Hour), "hours")
	}
	return print.Plural(int64(d/(24*time.Hour)), "days")
}
