package center

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
)

// Deps is everything a Center needs. Nil Log discards.
type Deps struct {
	World *world.World // required
	Keys  *bearer.Keys // required
	Log   *slog.Logger
	// Transport delivers webhooks; nil makes one that dials loopback alone. Only
	// loopback URLs reach it.
	Transport http.RoundTripper
	// Unthrottled switches the limits off.
	Unthrottled bool
}

// Center is the Partner Center API. Safe for concurrent use; it has no goroutine
// while no webhook is due.
type Center struct {
	world  *world.World
	keys   *bearer.Keys
	log    *slog.Logger
	api    bearer.API
	routes []*route

	unthrottled bool
	limits      kit.Buckets
	pages       pager
	replays     replays             // used inside World.Do only
	bills       map[time.Time]*bill // of months that are over; used inside World.Do only
	post        *post               // webhooks
	refused     atomic.Int64
	base        atomic.Value // string: the latest public base of this service
	tests       tests
	trigger     sync.Mutex // one Pump at a time
	more        atomic.Bool
	seen        int // audit records that Pump has looked at
	last        *world.AuditRecord
}

// New makes the API over a world. Webhooks follow what happens from now on.
func New(d Deps) *Center {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	c := &Center{
		world: d.World, keys: d.Keys, log: d.Log, unthrottled: d.Unthrottled,
		api:   bearer.API{Keys: d.Keys, World: d.World, Resource: entra.AppPartnerCenter},
		pages: newPager(), routes: makeRoutes(),
	}
	c.post = newPost(d.Keys, d.Transport, d.Log, d.World.Clock.Now)
	c.base.Store(entra.PartnerCenter)
	c.world.Read(func(s *world.State) {
		s.Settle = func(now time.Time) { settleBought(s, now); overBudget(s, now) }
		if p := s.PartnerTenant(); p != nil {
			c.seen = len(p.Records)
			if c.seen > 0 {
				c.last = p.Records[c.seen-1]
			}
		}
	})
	return c
}

// Close stops deliveries that are still due.
func (c *Center) Close() { c.post.close() }

// call is one request on its way through the gates. What lies below the line is
// filled with the state locked.
type call struct {
	*http.Request
	c           *Center
	route       *route
	params      map[string]string
	body        []byte
	who         *bearer.Caller
	now         time.Time
	id          string // MS-RequestId
	given       bool   // the client chose it
	correlation string
	base        string
	password    world.Password // hashed ahead of the lock

	s        *world.State
	partner  *world.Tenant
	user     *world.User // of an app+user call
	customer *world.Customer
	tenant   *world.Tenant // the customer's
	rights   world.Delegation
}

// reply is what a handler answers. The body must not be changed afterwards.
type reply struct {
	status int
	body   any // nil: none
	header map[string]string
	raw    []byte
}

func ok(body any) reply { return reply{status: http.StatusOK, body: body} }

// requestContext is the header that Application Insights adds to every answer of
// Partner Center; the id is ours.
const requestContext = "appId=cid-v1:5d1f8a0c-9e2b-4c77-8a53-0b6f4e1d2c90"

// ServeHTTP answers one request.
func (c *Center) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k := &call{Request: r, c: c, now: c.world.Clock.Now(), base: kit.Base(r)}
	k.id, k.given = echo(r.Header.Get("MS-RequestId"))
	k.correlation, _ = echo(r.Header.Get("MS-CorrelationId"))
	h := w.Header()
	h.Set("MS-RequestId", k.id)
	h.Set("MS-CorrelationId", k.correlation)
	h.Set("MS-CV", k.correlation[:8]+".0")
	h.Set("MS-ServerId", "partner-cloud")
	h.Set("X-Locale", locale(r.Header.Get("X-Locale")))
	h.Set("Request-Context", requestContext)
	if c.certificate(w, r) {
		return
	}
	rep, f := k.run(h)
	if f != nil {
		writeFault(w, k, f)
		return
	}
	for name, v := range rep.header {
		h.Set(name, v)
	}
	body := rep.raw
	if body == nil && rep.body != nil {
		var err error
		if body, err = json.Marshal(rep.body); err != nil {
			c.log.LogAttrs(r.Context(), slog.LevelError, "reply", slog.String("route", k.route.pattern), slog.Any("err", err))
			writeFault(w, k, refuse(http.StatusInternalServerError, 500, "The reply could not be written."))
			return
		}
	}
	kit.Send(w, r, rep.status, body)
	if r.Method != http.MethodGet {
		c.Pump()
	}
}

// run passes the gates and calls the handler.
func (k *call) run(h http.Header) (rep reply, f *fault) {
	c := k.c
	who, bad := c.api.Authenticate(k.Request)
	if bad != nil {
		return rep, authentication(bad, k)
	}
	k.who = who
	if !who.AppOnly() && strings.EqualFold(k.Header.Get("ValidateMfa"), "true") {
		h.Set("isMfaCompliant", strconv.FormatBool(who.HasMFA()))
	}
	c.base.Store(k.base)
	if k.route, k.params, f = match(c.routes, k.Method, k.URL.EscapedPath()); f != nil {
		return rep, f
	}
	if f = k.understood(); f != nil {
		return rep, f
	}
	if f = k.read(); f != nil {
		return rep, f
	}
	if k.route.ahead != nil {
		if f = k.route.ahead(k); f != nil {
			return rep, f
		}
	}
	c.world.Read(func(s *world.State) {
		k.s = s
		if f = k.admit(); f != nil {
			return
		}
		write := k.Method != http.MethodGet && k.Method != http.MethodHead
		if write && k.given {
			if old, found := c.replays.find(k); found {
				rep = old
				return
			}
		}
		if rep, f = k.route.do(k); f == nil && write && k.given {
			c.replays.keep(k, rep)
		}
	})
	return rep, f
}

// read takes the body, within its limit.
func (k *call) read() *fault {
	if k.Body == nil || k.Method == http.MethodGet {
		return nil
	}
	body, err := kit.ReadBody(k.Request, kit.MaxBody)
	if err != nil {
		return refuse(http.StatusRequestEntityTooLarge, 413, "The request body is too large.")
	}
	k.body = body
	return nil
}

// decode reads the body as one JSON object, names without case. A member that is
// not understood is refused.
func (k *call) decode(into any) *fault {
	if err := kit.Object(k.body, into); err != nil {
		return refuse(http.StatusBadRequest, 400, "The request body is not the JSON object that was expected: %s.", err)
	}
	return nil
}

// sent are members of every resource that clients send back as they got them.
type sent struct {
	Attributes any `json:"attributes"`
	Links      any `json:"links"`
}

// headers are those that Partner Center knows (contracts.md section 2.1) and those by
// which its SDKs speak of themselves.
var headers = kit.Headers{Own: []string{"Ms-", "X-Ms-"}, Taken: []string{
	"MS-RequestId", "MS-CorrelationId", "MS-ContinuationToken", "MS-Contract-Version", "MS-PartnerCenter-Application", "MS-PartnerCenter-Client",
	"MS-SdkVersion", "MS-CV", "X-MS-Client-Request-Id", "X-MS-Correlation-Request-Id", "X-MS-Return-Client-Request-Id",
}}

// understood refuses query options and headers that the operation does not know.
func (k *call) understood() *fault {
	q, err := url.ParseQuery(k.URL.RawQuery)
	if err != nil {
		return refuse(http.StatusBadRequest, 400, "The query cannot be read.")
	}
	if name := kit.UnknownOption(q, k.route.options...); name != "" {
		return refuse(http.StatusBadRequest, 400, "The query option '%s' is not known here.", kit.Clip(name))
	}
	if name := kit.RepeatedOption(q, "licenseGroupIds"); name != "" {
		return refuse(http.StatusBadRequest, 400, "The query option '%s' is there more than once.", kit.Clip(name))
	}
	var more []string
	if k.route.matched || k.Header.Get("If-Match") == "*" { // the star asks for no state
		more = []string{"If-Match"}
	}
	if name := headers.Unknown(k.Request, more...); name != "" {
		return refuse(http.StatusBadRequest, 400, "The header '%s' is not known here.", kit.Clip(name))
	}
	return nil
}

// query reads a query parameter, its name without case.
func (k *call) query(name string) string { return kit.Param(k.URL.Query(), name) }

// condition is the state that a change is for: If-Match's, else the one that the
// resource was sent back with; "" when neither says one.
func (k *call) condition(sentTag string) string {
	return strings.Trim(strings.TrimPrefix(cmp.Or(k.Header.Get("If-Match"), sentTag), "W/"), `"`)
}

// flag reads a query parameter that is true or false; usual is what it is when it is
// left out.
func (k *call) flag(name string, usual bool) (bool, *fault) {
	switch strings.ToLower(k.query(name)) {
	case "":
		return usual, nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, deny(entra.CenterInvalidInput, name+" is true or false.")
}

// queryAll reads every value of a query parameter, its name without case.
func (k *call) queryAll(name string) []string {
	var out []string
	for n, v := range k.URL.Query() {
		if strings.EqualFold(n, name) {
			out = append(out, v...)
		}
	}
	return out
}

// record adds an audit record of a write.
func (k *call) record(resource, operation string, before, after any, data ...world.KeyValue) {
	r := &world.AuditRecord{ResourceType: resource, Operation: operation, Old: text(before), New: text(after), Correlation: k.correlation,
		AppID: k.who.Client(), UPN: k.who.UPN, Data: data}
	if k.customer != nil {
		r.Customer, r.CustomerName = k.customer.TenantID, k.customer.Name
	}
	k.s.Record(r)
}

func text(v any) string {
	if v == nil {
		return ""
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// echo gives a client's id back when it is harmless, or makes one.
func echo(v string) (id string, given bool) {
	if len(v) < 8 || len(v) > 64 {
		return world.NewGUID(), false
	}
	for i := range len(v) {
		if c := v[i]; !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '.' || c == '_') {
			return world.NewGUID(), false
		}
	}
	return v, true
}

func locale(v string) string {
	if len(v) < 2 || len(v) > 12 || strings.ContainsFunc(v, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-') }) {
		return "en-US"
	}
	return v
}

// Flush waits until no webhook is under way, or ctx is done: for tests and for
// a clean end.
func (c *Center) Flush(ctx context.Context) error { return c.post.flush(ctx) }
