package arm

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/pattern"
)

// Deps is everything an ARM needs. Nil Log discards.
type Deps struct {
	World *world.World // required
	Keys  *bearer.Keys // required
	Log   *slog.Logger
	// Unthrottled switches the limits off.
	Unthrottled bool
	// Long is how long a long operation takes by the world's clock; 0 is 5 seconds.
	Long time.Duration
}

// ARM is the service. Safe for concurrent use; it has no goroutine.
type ARM struct {
	world       *world.World
	log         *slog.Logger
	api         bearer.API
	routes      []*route
	unthrottled bool
	long        time.Duration
	limits      kit.Buckets
	pages       pager
	operations  operations // used inside World.Do only
}

// New makes the service over a world.
func New(d Deps) *ARM {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Long <= 0 {
		d.Long = 5 * time.Second
	}
	return &ARM{
		world: d.World, log: d.Log, routes: makeRoutes(), unthrottled: d.Unthrottled, long: d.Long, pages: newPager(),
		api: bearer.API{Keys: d.Keys, World: d.World, Resource: entra.AppARM},
	}
}

// call is one request. What lies below the line is filled with the state locked.
type call struct {
	*http.Request
	a      *ARM
	route  *route
	at     *target
	params map[string]string
	query  url.Values
	body   []byte
	who    *bearer.Caller
	now    time.Time
	id     string
	base   string

	s      *world.State
	tenant *world.Tenant
	holds  map[string]bool // lower ids of principals whose assignments count
	sub    *world.AzureSubscription
	shown  any // what the activity log shows of the answer; nil is nothing
}

// reply is what a handler answers.
type reply struct {
	status int
	body   any
	header map[string]string
}

func ok(body any) reply { return reply{status: http.StatusOK, body: body} }

type object = map[string]any

// fault is a refusal; [ARM.ServeHTTP] gives it ARM's shape.
type fault = kit.Fault

func refuse(status int, code, message string) *fault { return kit.Refuse(status, code, message) }

func bad(code, message string) *fault { return refuse(http.StatusBadRequest, code, message) }

// ServeHTTP answers one request.
func (a *ARM) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k := &call{Request: r, a: a, now: a.world.Clock.Now(), id: world.NewGUID(), base: kit.Base(r)}
	h := w.Header()
	h.Set("x-ms-request-id", k.id)
	h.Set("x-ms-correlation-request-id", k.id)
	h.Set("x-ms-routing-request-id", "PARTNERCLOUD:"+k.now.Format("20060102T150405Z")+":"+k.id)
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	rep, f := k.run(h)
	status, body := rep.status, rep.body
	for name, v := range rep.header {
		h.Set(name, v)
	}
	if f != nil {
		status, body = f.Status, object{"error": object{"code": f.Code, "message": f.Text}}
		f.Headers(h)
	}
	if body == nil {
		kit.Send(w, r, status, nil)
		return
	}
	b, err := json.Marshal(body)
	if err != nil {
		a.log.LogAttrs(r.Context(), slog.LevelError, "reply", slog.Any("err", err))
		status, b = http.StatusInternalServerError, []byte(`{"error":{"code":"InternalServerError","message":"The reply could not be written."}}`)
	}
	kit.Send(w, r, status, b)
}

// run passes the gates and calls the handler.
func (k *call) run(h http.Header) (rep reply, f *fault) {
	who, bad := k.a.api.Authenticate(k.Request)
	if bad != nil {
		return rep, authentication(bad, k)
	}
	k.who = who
	var err error
	if k.query, err = url.ParseQuery(k.URL.RawQuery); err != nil {
		return rep, refuse(http.StatusBadRequest, "InvalidRequestUri", "The query cannot be read.")
	}
	if k.at, f = parseTarget(k.URL.EscapedPath()); f != nil {
		return rep, f
	}
	if k.route, k.params, f = k.a.match(k.Method, k.at); f != nil {
		return rep, f
	}
	if f = checkVersion(k.query, k.now); f != nil {
		return rep, f
	}
	if f = k.understood(); f != nil {
		return rep, f
	}
	if k.Body != nil && k.Method != http.MethodGet {
		if k.body, err = kit.ReadBody(k.Request, kit.MaxBody); err != nil {
			return rep, refuse(http.StatusRequestEntityTooLarge, "RequestContentTooLarge", "The request content is too large.")
		}
	}
	k.a.world.Read(func(s *world.State) {
		k.s = s
		if f = k.admit(h); f != nil {
			return
		}
		if text := strings.TrimSpace(string(k.body)); k.route.bare && text != "" && text != "{}" && text != "null" {
			f = refuse(http.StatusBadRequest, "InvalidRequestContent", "No request content is expected.")
			return
		}
		rep, f = k.route.do(k)
	})
	return rep, f
}

// authentication turns a refused token into ARM's answer.
func authentication(f *bearer.Fault, k *call) *fault {
	challenge := func(err, text string) string {
		return `Bearer authorization_uri="https://` + entra.LoginWindowsHost + `/common", error="` + err + `", error_description="` + text + `"`
	}
	switch f.Code {
	case "Missing":
		return refuse(http.StatusUnauthorized, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.").
			With("WWW-Authenticate", challenge("invalid_token", "The authentication failed because of missing 'Authorization' header."))
	case "Expired":
		return refuse(http.StatusUnauthorized, "ExpiredAuthenticationToken", "The access token has expired.").
			With("WWW-Authenticate", challenge("invalid_token", "The access token expired."))
	case "Audience":
		return refuse(http.StatusUnauthorized, "InvalidAuthenticationTokenAudience",
			"The access token has been obtained for wrong audience or resource. It must be for "+entra.ARM+".").
			With("WWW-Authenticate", challenge("invalid_token", "The access token has a wrong audience."))
	case "Revoked", "Disabled":
		return refuse(http.StatusUnauthorized, "InvalidAuthenticationToken", f.Text).
			With("WWW-Authenticate", bearer.Challenge(entra.Login+"/common/oauth2/authorize", bearer.RevokedClaims(k.now.Unix())))
	}
	return refuse(http.StatusUnauthorized, "InvalidAuthenticationToken", "The access token is invalid.").
		With("WWW-Authenticate", challenge("invalid_token", "The access token is invalid."))
}

// MFAClaims is the claims request of the challenge when delegated work lacks
// MFA. Production asks for an authentication context (acrs p1) that the
// authority of this cloud does not have: the amr claim says the same.
const MFAClaims = `{"access_token":{"amr":{"essential":true,"values":["mfa"]}}}`

// admit finds who calls and what for, asks for MFA where enforcement does, and
// for the permission.
func (k *call) admit(h http.Header) *fault {
	if k.tenant = k.s.Tenant(k.who.Tenant); k.tenant == nil {
		return refuse(http.StatusUnauthorized, "InvalidAuthenticationToken", "The tenant of the access token does not exist.")
	}
	if f := k.principals(); f != nil {
		return f
	}
	if f := k.throttle(h); f != nil {
		return f
	}
	if k.who.AOBO && !k.who.HasMFA() && k.s.Refuses(k.s.Enforcement.AOBO, k.s.PartnerTenant(), true) {
		return refuse(http.StatusUnauthorized, "InteractionRequired", "Multifactor authentication is required for delegated administration.").
			With("WWW-Authenticate", bearer.Challenge(entra.Login+"/"+k.tenant.ID+"/oauth2/authorize", MFAClaims))
	}
	if t := k.param("tenantId"); t != "" && !strings.EqualFold(t, k.tenant.ID) {
		return refuse(http.StatusUnauthorized, "InvalidAuthenticationTokenTenant", "The access token is from the wrong issuer: it is for another tenant.")
	}
	if k.at.sub == "" {
		return nil
	}
	if !world.IsGUID(k.at.sub) {
		return bad("InvalidSubscriptionId", "The provided subscription identifier '"+clip(k.at.sub)+"' is malformed or invalid.")
	}
	if k.sub = k.tenant.Azure.Get(k.at.sub); k.sub == nil || k.sub.State == "Deleted" {
		return refuse(http.StatusNotFound, "SubscriptionNotFound", "The subscription '"+strings.ToLower(k.at.sub)+"' could not be found.")
	}
	action := strings.NewReplacer("{provider}", clip(k.at.named), "{type}", clip(k.params["type"])).Replace(k.route.action)
	if !k.may(k.sub, action, k.at.authScope(k.route, k.params)) {
		return k.denied(action, k.at.authScope(k.route, k.params))
	}
	if f := k.locked(k.at.authScope(k.route, k.params)); f != nil {
		return f
	}
	if k.route.writes && k.sub.StateAt(k.now) != "Enabled" && k.sub.StateAt(k.now) != "Warned" && k.sub.StateAt(k.now) != "PastDue" && !k.route.disabled {
		return refuse(http.StatusConflict, "ReadOnlyDisabledSubscription", "The subscription '"+k.sub.ID+
			"' is disabled and therefore marked as read only. You cannot perform any write actions on this subscription until it is re-enabled.")
	}
	return nil
}

// clip keeps what a client sent from filling an error text.
func clip(v string) string { return kit.Clip(v) }

var versionForm = pattern.Later(`^\d{4}-\d{2}-\d{2}(-preview|-alpha|-beta)?$`)

// checkVersion asks for an api-version that is a date which has come. Production
// has a list for each type; here any such date is taken.
func checkVersion(q url.Values, now time.Time) *fault {
	v := kit.Param(q, "api-version")
	if v == "" {
		return bad("MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.")
	}
	day, err := time.Parse(time.DateOnly, v[:min(len(v), 10)])
	if !versionForm.MatchString(v) || err != nil || day.Year() < 2014 || day.After(now) {
		return bad("InvalidApiVersionParameter", "The api-version '"+clip(v)+
			"' is invalid. The supported versions are dates of the form yyyy-mm-dd from 2014 on.")
	}
	return nil
}

// param reads a query parameter, its name without case.
func (k *call) param(name string) string { return kit.Param(k.query, name) }

// decode reads the body as one JSON object. A member that is not understood is
// refused.
func (k *call) decode(into any) *fault {
	if err := kit.Object(k.body, into); err != nil {
		return bad("InvalidRequestContent", "The request content was invalid and could not be deserialized: "+err.Error()+".")
	}
	return nil
}

// headers are those that ARM's clients say of themselves, or that ask for their ids
// back.
var headers = kit.Headers{Own: []string{"X-Ms-"}, Taken: []string{
	"x-ms-client-request-id", "x-ms-return-client-request-id", "x-ms-correlation-request-id", "x-ms-client-session-id", "x-ms-date", "x-ms-useragent",
	"x-ms-command-name", "x-ms-parameter-set-name", "x-ms-effective-locale", "x-ms-client-app-id",
}}

// understood refuses query options and headers that the operation does not know.
func (k *call) understood() *fault {
	if name := kit.UnknownOption(k.query, append(k.route.options, "api-version")...); name != "" {
		return bad("InvalidQueryParameter", "The query parameter '"+clip(name)+"' is not known here.")
	}
	if name := kit.RepeatedOption(k.query); name != "" {
		return bad("InvalidQueryParameter", "The query parameter '"+clip(name)+"' is there more than once.")
	}
	for option, values := range k.route.values {
		for _, v := range strings.Split(k.param(option), ",") {
			if v = strings.TrimSpace(v); v != "" && !slices.ContainsFunc(values, func(w string) bool { return strings.EqualFold(v, w) }) {
				return bad("InvalidQueryParameter", "The value '"+clip(v)+"' of the query parameter '"+option+"' is not known here: "+
					strings.Join(values, ", ")+".")
			}
		}
	}
	if name := headers.Unknown(k.Request); name != "" {
		return bad("InvalidHeader", "The header '"+clip(name)+"' is not known here.")
	}
	return nil
}
