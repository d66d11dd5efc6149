package graph

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/graph/odata"
	"partnerguard/internal/partnercloud/world"
)

// route is one operation.
type route struct {
	method  string
	pattern []string // "{}" stands for a key
	only    string   // "v1.0", "beta" or "": both
	permit  permit
	service service
	cost    int // resource units of the directory service
	do      func(c *call, s *world.State, t *world.Tenant) (*reply, error)
	// free is called without the world's lock instead of do, after the permission
	// check.
	free func(c *call) (*reply, error)
	bare bool // takes no body although it is a POST
}

type router struct {
	byHead map[string][]*route // by lower-case first segment
}

func (p *router) add(method, pattern string, r route) {
	r.method, r.pattern = method, strings.Split(pattern, "/")
	head := strings.ToLower(r.pattern[0])
	p.byHead[head] = append(p.byHead[head], &r)
}

const maxSegments = 16

// locate reads version and path. name('key') is the same as name/key.
func (c *call) locate() error {
	scheme := "http"
	if c.r.TLS != nil {
		scheme = "https"
	}
	c.base = scheme + "://" + c.r.Host
	segs := strings.Split(strings.Trim(c.r.URL.EscapedPath(), "/"), "/")
	switch {
	case strings.EqualFold(segs[0], "v1.0"):
	case strings.EqualFold(segs[0], "beta"):
		c.beta = true
	default:
		return refuse(http.StatusBadRequest, "BadRequest", "Invalid version: %s", clip(segs[0]))
	}
	if len(segs) > maxSegments {
		return refuse(http.StatusBadRequest, "BadRequest", "The path has too many segments.")
	}
	for _, raw := range segs[1:] {
		seg, err := url.PathUnescape(raw)
		if err != nil {
			return refuse(http.StatusBadRequest, "BadRequest", "The path is not properly escaped.")
		}
		if seg == "" {
			continue
		}
		if i := strings.IndexByte(seg, '('); i > 0 && strings.HasSuffix(seg, ")") {
			arg := seg[i+1 : len(seg)-1]
			c.path = append(c.path, seg[:i])
			if arg != "" {
				c.path = append(c.path, unquote(arg))
			}
			continue
		}
		c.path = append(c.path, seg)
	}
	return nil
}

// unquote takes the quotes off a key; appId='x' becomes appId=x.
func unquote(arg string) string {
	name, val, named := strings.Cut(arg, "=")
	if !named || strings.HasPrefix(arg, "'") {
		name, val = "", arg
	}
	if len(val) >= 2 && val[0] == '\'' && val[len(val)-1] == '\'' {
		val = strings.ReplaceAll(val[1:len(val)-1], "''", "'")
	}
	if named && name != "" {
		return name + "=" + val
	}
	return val
}

// match finds the operation. Trailing $count, $ref and casts are taken off
// where the operation does not name them itself.
func (c *call) match() error {
	if len(c.path) == 0 {
		return refuse(http.StatusBadRequest, "BadRequest", "The service document is not part of the partner cloud.")
	}
	if strings.EqualFold(c.path[0], "me") {
		c.path = append([]string{"users", "me"}, c.path[1:]...)
	}
	for i, seg := range c.path {
		if rest, ok := strings.CutPrefix(seg, "microsoft.graph."); ok && i == len(c.path)-1 && !slices.Contains(memberTypes(), strings.ToLower(rest)) {
			c.path[i] = rest // a bound function or action with its namespace
		}
	}
	if c.try() {
		return nil
	}
	last := c.path[len(c.path)-1]
	switch {
	case last == "$count":
		c.tally = true
	case last == "$ref" && c.r.Method == http.MethodGet:
		c.refs = true
	default:
		return c.unmatched()
	}
	c.path = c.path[:len(c.path)-1]
	if len(c.path) > 0 && c.try() && c.route.method == http.MethodGet {
		return nil
	}
	return c.unmatched()
}

// memberTypes are the types a collection of directory objects may be cast to.
func memberTypes() []string {
	return []string{"user", "group", "serviceprincipal", "directoryrole", "device", "application"}
}

func (c *call) try() bool {
	path := c.path
	if rest, ok := strings.CutPrefix(path[len(path)-1], "microsoft.graph."); ok && slices.Contains(memberTypes(), strings.ToLower(rest)) {
		path = path[:len(path)-1]
		c.cast = strings.ToLower(rest)
		if len(path) == 0 {
			return false
		}
	}
	for _, r := range c.g.plan.byHead[strings.ToLower(path[0])] {
		if r.method != c.r.Method || r.only != "" && r.only != c.version() {
			continue
		}
		if params, ok := r.fits(path); ok {
			c.route, c.params = r, params
			return true
		}
	}
	return false
}

func (r *route) fits(path []string) (params []string, ok bool) {
	if len(path) != len(r.pattern) {
		return nil, false
	}
	for i, p := range r.pattern {
		if p == "{}" && !strings.HasPrefix(path[i], "$") {
			params = append(params, path[i])
		} else if !strings.EqualFold(p, path[i]) {
			return nil, false
		}
	}
	return params, true
}

// unmatched says what is wrong: the method, or the first segment nobody knows.
func (c *call) unmatched() error {
	known := 0
	for _, r := range c.g.plan.byHead[strings.ToLower(c.path[0])] {
		if r.only != "" && r.only != c.version() {
			continue
		}
		if _, ok := r.fits(c.path); ok {
			return refuse(http.StatusMethodNotAllowed, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
		}
		n := 0
		for n < len(r.pattern) && n < len(c.path) && (r.pattern[n] == "{}" || strings.EqualFold(r.pattern[n], c.path[n])) {
			n++
		}
		known = max(known, n)
	}
	return refuse(http.StatusBadRequest, "BadRequest", "Resource not found for the segment '%s'.", clip(c.path[min(known, len(c.path)-1)]))
}

type query struct {
	q       *odata.Query
	unknown bool // Prefer: include-unknown-enum-members
	advance bool // ConsistencyLevel: eventual
}

func (c *call) readQuery() error {
	q, err := odata.Parse(c.r.URL.RawQuery)
	if err != nil {
		return err
	}
	c.q = q
	for _, v := range c.r.Header.Values("Prefer") {
		for p := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(p), "include-unknown-enum-members") {
				c.unknown = true
				c.head.Add("Preference-Applied", "include-unknown-enum-members")
			}
		}
	}
	c.advance = strings.EqualFold(c.r.Header.Get("ConsistencyLevel"), "eventual")
	return nil
}

// maxBody bounds a request's body.
const maxBody = 1 << 20

func (c *call) readBody() error {
	if c.r.Method != http.MethodPost && c.r.Method != http.MethodPatch && c.r.Method != http.MethodPut {
		return nil
	}
	tooLarge := func() error {
		return refuse(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "The request body is larger than %d bytes.", maxBody)
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, c.r.Body, maxBody))
	if err != nil {
		return tooLarge()
	}
	// Microsoft's generated clients compress every body they send. The limit holds
	// for what comes out.
	switch encoding := strings.ToLower(strings.TrimSpace(c.r.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err == nil {
			body, err = io.ReadAll(io.LimitReader(z, maxBody+1))
		}
		if err != nil {
			return badRequest("Unable to read the request body: it is not gzip, as Content-Encoding says.")
		}
		if len(body) > maxBody {
			return tooLarge()
		}
	default:
		return refuse(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "The Content-Encoding is not supported: use gzip or none.")
	}
	c.body = body
	if len(body) == 0 && c.route.bare {
		return nil
	}
	if media, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return refuse(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "The request body must be JSON: Content-Type application/json.")
	}
	return c.readObject()
}

func (c *call) readObject() error {
	if json.Unmarshal(c.body, &c.in) != nil || c.in == nil {
		return refuse(http.StatusBadRequest, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
	}
	return nil
}
