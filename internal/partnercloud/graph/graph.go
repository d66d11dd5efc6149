package graph

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
)

// Deps is everything a Graph needs. World and Keys are required.
type Deps struct {
	World *world.World
	Keys  *bearer.Keys
	Log   *slog.Logger // optional; nil discards
	// Lag is how long a sign-in (audit false) or a directory audit row stays out
	// of the logs, by its id. nil means the published order of magnitude, see
	// [PublishedLag]; [NoLag] switches it off.
	Lag func(id string, audit bool) time.Duration
	// Unthrottled switches the published limits off.
	Unthrottled bool
	// Login is the base URL of the authority that a claims challenge names; ""
	// means production's.
	Login string
}

// Graph is the service. Safe for concurrent use; it runs nothing when idle.
type Graph struct {
	world  *world.World
	api    *bearer.API
	log    *slog.Logger
	lag    func(id string, audit bool) time.Duration
	login  string
	tokens *kit.Sealer // of pages and delta queries
	sh     *shapes
	plan   table
	limit  *throttle
	score  scoreCache
	// exports are those of billing data, by operation. Used with the state locked.
	exports map[string]*export
	ordered []string // their operations, oldest first

	metadata metadataDocs
	pages    sync.Pool // of *[]byte: large pages are encoded into used memory
}

// New makes a Graph. It panics when World or Keys is missing: that is a mistake
// of ours.
func New(d Deps) *Graph {
	if d.World == nil || d.Keys == nil {
		panic("graph: World and Keys are required")
	}
	g := &Graph{
		world: d.World, api: &bearer.API{Keys: d.Keys, World: d.World, Resource: entra.AppGraph},
		log: d.Log, lag: d.Lag, login: strings.TrimSuffix(d.Login, "/"), sh: newShapes(), plan: newTable(routes()), tokens: kit.NewSealer(),
	}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	if g.lag == nil {
		g.lag = PublishedLag
	}
	if g.login == "" {
		g.login = entra.Login
	}
	if !d.Unthrottled {
		g.limit = newThrottle()
	}
	return g
}

// ServeHTTP answers one request.
func (g *Graph) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	id := world.NewGUID()
	h.Set("Request-Id", id)
	if v := r.Header.Get("Client-Request-Id"); v != "" && len(v) <= 64 {
		h.Set("Client-Request-Id", v)
	} else {
		h.Set("Client-Request-Id", id)
	}
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Ms-Ags-Diagnostic",
		`{"ServerInfo":{"DataCenter":"Partner cloud (local, not Microsoft)","Slice":"E","Ring":"1","ScaleUnit":"000","RoleInstance":"local"}}`)
	c := &call{g: g, r: r, head: h, now: g.world.Clock.Now(), auth: r.Header.Get("Authorization")}
	rep, err := c.run()
	if err != nil {
		rep = c.refusal(err)
		// A client that tries again reuses its body: take it all before answering, as
		// a front end would have.
		if r.Body != nil {
			_, _ = io.CopyN(io.Discard, r.Body, maxBody)
		}
	}
	rep.write(w)
}

// call is one request on its way.
type call struct {
	g    *Graph
	r    *http.Request
	head http.Header // of the reply
	now  time.Time
	auth string
	part bool // of a batch

	beta   bool
	path   []string // segments behind the version and tenant
	tenant string   // that the path begins with, if any
	base   string   // https://host
	route  *route
	takes  takes // the route's, as far as the query does not change it
	params []string
	cast   string // trailing microsoft.graph.<type>
	tally  bool   // trailing $count
	refs   bool   // trailing $ref on a read
	// onlyProperty is the trailing name of a property of the object, "" when it was given.
	onlyProperty string
	query
	caller *bearer.Caller
	skus   []world.SKU // a copy of the tenant's, where users' plans are asked for
	roles  []string    // of a delegated caller, at this moment
	body   []byte
	in     map[string]any // the body's members
}

func (c *call) version() string {
	if c.beta {
		return "beta"
	}
	return "v1.0"
}

// root is the URL that the version's resources lie under.
func (c *call) root() string { return c.base + "/" + c.version() }

func (c *call) run() (*reply, error) {
	c.base = kit.Base(c.r)
	if isUserInfo(c.r) {
		return c.userInfo()
	}
	if rest, blob := strings.CutPrefix(c.r.URL.Path, blobsPath); blob {
		return c.blob(rest)
	}
	if err := c.locate(); err != nil {
		return nil, err
	}
	if c.isMetadata() {
		return c.metadata()
	}
	if len(c.path) == 1 && strings.EqualFold(c.path[0], "$batch") {
		return c.batch()
	}
	if err := c.match(); err != nil {
		return nil, err
	}
	if err := c.authenticate(); err != nil {
		return nil, err
	}
	if err := c.ownTenant(); err != nil {
		return nil, err
	}
	if c.route.leftOut != "" { // whatever is asked of it, and by whom
		return nil, kit.LeftOut(c.route.leftOut)
	}
	if err := c.readQuery(); err != nil {
		return nil, err
	}
	if err := c.checkIDs(); err != nil {
		return nil, err
	}
	if err := c.readBody(); err != nil {
		return nil, err
	}
	if err := c.throttled(); err != nil {
		return nil, err
	}
	var rep *reply
	err := c.g.world.Do(func(s *world.State) error {
		t := s.Tenant(c.caller.Tenant)
		if t == nil {
			return unauthorized("the tenant of the token does not exist here")
		}
		if err := c.permit(s, t); err != nil {
			return err
		}
		if c.route.free != nil {
			return nil
		}
		var err error
		rep, err = c.route.do(c, s, t)
		if err == nil && c.onlyProperty != "" {
			return noProperty(c.onlyProperty)
		}
		return err
	})
	if err == nil && c.route.free != nil {
		rep, err = c.route.free(c)
	}
	if err != nil {
		return nil, err
	}
	if rep == nil {
		rep = &reply{status: http.StatusNoContent}
	}
	rep.call = c
	return rep, nil
}

// PublishedLag is how late rows come: sign-ins 30 seconds to 5 minutes,
// directory audits 5 seconds to a minute; always the same for the same id.
func PublishedLag(id string, audit bool) time.Duration {
	var h uint32 = 2166136261
	for i := range len(id) {
		h = (h ^ uint32(id[i])) * 16777619
	}
	if audit {
		return 5*time.Second + time.Duration(h%56)*time.Second
	}
	return 30*time.Second + time.Duration(h%271)*time.Second
}

// maxLag is the longest PublishedLag.
const maxLag = 5*time.Minute + time.Second

// NoLag lets every row be seen at once.
func NoLag(string, bool) time.Duration { return 0 }

func (c *call) String() string { return fmt.Sprintf("%s /%s", c.r.Method, strings.Join(c.path, "/")) }
