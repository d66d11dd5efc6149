package graph

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"partnerguard/internal/partnercloud/graph/odata"
	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
)

// What a request says besides its path and body: query options and headers. What is
// not understood is refused.

type query struct {
	q       *odata.Query
	unknown bool   // Prefer: include-unknown-enum-members
	advance bool   // ConsistencyLevel: eventual
	level   string // odata.metadata: none, full, or "" for minimal
}

func (c *call) readQuery() error {
	q, err := odata.Parse(c.r.URL.RawQuery, c.beta)
	if err != nil {
		return err
	}
	c.q = q
	if c.onlyProperty != "" { // what a property needs, its path needs
		if len(q.Given) > 0 {
			return refuse(http.StatusBadRequest, "BadRequest", "The query option '%s' is not supported by this operation.", clip(q.Given[0]))
		}
		q.Select = []string{c.onlyProperty}
	}
	if err := c.understood(); err != nil {
		return err
	}
	if err := c.preferences(); err != nil {
		return err
	}
	switch v := strings.TrimSpace(c.r.Header.Get("ConsistencyLevel")); {
	case v == "":
	case strings.EqualFold(v, "eventual"):
		c.advance = true
	default:
		return refuse(http.StatusBadRequest, "BadRequest", "The ConsistencyLevel '%s' is not known here: it can be eventual.", clip(v))
	}
	return c.metadataLevel()
}

// preferences reads Prefer. A preference may be ignored by the standard; here it is
// refused, so that nobody counts on it.
func (c *call) preferences() error {
	for _, v := range c.r.Header.Values("Prefer") {
		for p := range strings.SplitSeq(v, ",") {
			switch p = strings.ToLower(strings.Join(strings.Fields(p), "")); {
			case p == "":
				continue
			case p == "include-unknown-enum-members":
				c.unknown = true
			case p == "create-if-missing" && c.route.upserts:
				continue // said again where it was done
			case p == "return=minimal" && c.route.method != http.MethodGet:
			case strings.HasPrefix(p, "odata.maxpagesize=") && c.route.method == http.MethodGet:
				n, err := strconv.Atoi(strings.TrimPrefix(p, "odata.maxpagesize="))
				if err != nil || n < 1 {
					return refuse(http.StatusBadRequest, "BadRequest", "The preference odata.maxpagesize must be a positive number.")
				}
				largest := c.takes.max
				if c.takes.changes {
					largest = maxDeltaPage
				}
				if largest == 0 {
					continue // everything comes at once: nothing was applied
				}
				c.takes.top = min(n, largest)
			default:
				return refuse(http.StatusBadRequest, "BadRequest", "The preference '%s' is not known here.", clip(p))
			}
			c.head.Add("Preference-Applied", p)
		}
	}
	return nil
}

// metadataLevel reads how much control information is asked for, by Accept or
// $format.
func (c *call) metadataLevel() error {
	for _, v := range append(c.r.Header.Values("Accept"), c.q.Format) {
		for part := range strings.SplitSeq(strings.ToLower(v), ";") {
			name, val, _ := strings.Cut(strings.TrimSpace(part), "=")
			if name != "odata.metadata" && name != "odata" {
				continue
			}
			val, _, _ = strings.Cut(val, ",")
			switch val = strings.Trim(strings.TrimSpace(val), `"`); val {
			case "minimal", "minimalmetadata", "verbose":
				c.level = ""
			case "none", "nometadata":
				c.level = "none"
			case "full", "fullmetadata":
				c.level = "full"
			default:
				return refuse(http.StatusBadRequest, "BadRequest", "The odata.metadata '%s' is not known here: it can be none, minimal or full.", clip(val))
			}
		}
	}
	return nil
}

// headers are those by which Graph's clients speak of themselves.
var headers = kit.Headers{Own: []string{"X-Ms-"}, Taken: []string{"x-ms-client-request-id", "x-ms-return-client-request-id"}}

// understood refuses query options and headers that the operation does not know.
func (c *call) understood() error {
	if name := kit.UnknownOption(c.q.Other); name != "" {
		return refuse(http.StatusBadRequest, "BadRequest", "The query option '%s' is not known here.", clip(name))
	}
	if c.route.method != http.MethodGet && !c.route.takes.many {
		for _, name := range c.q.Given {
			if name != "$select" || !c.route.selects {
				return refuse(http.StatusBadRequest, "BadRequest", "The query option '%s' is not supported by this operation.", clip(name))
			}
		}
	}
	if c.route.method == http.MethodGet && !c.route.takes.many { // $count=true is for advanced queries of one object, too
		for _, name := range c.q.Given {
			if slices.Contains([]string{"$filter", "$orderby", "$top", "$skip", "$search", "$skiptoken"}, name) {
				return refuse(http.StatusBadRequest, "BadRequest", "The query specified in the URI is not valid. The requested resource is not a collection. "+
					"Query options $filter, $orderby, $count, $skip, and $top can be applied only on collections.")
			}
		}
	}
	var more []string
	if c.route.condition {
		more = []string{"If-Match"}
	}
	if name := headers.Unknown(c.r, more...); name != "" {
		return refuse(http.StatusBadRequest, "BadRequest", "The header '%s' is not known here.", clip(name))
	}
	return nil
}

// propertyPath takes the name of a property off a path to one directory object:
// users/{id}/displayName reads that property (OASIS OData URL Conventions 4.6).
func (c *call) propertyPath() bool {
	if len(c.path) != 3 || c.r.Method != http.MethodGet || strings.ContainsAny(c.path[2], "$.") || c.path[2] == "delta" {
		return false
	}
	switch strings.ToLower(c.path[0]) {
	case "users", "groups", "applications", "serviceprincipals", "organization", "directoryroles":
	default:
		return false
	}
	for _, r := range c.g.plan[strings.ToLower(c.path[0])] { // a segment that is served otherwise is none
		if len(r.parts) >= 3 && r.parts[1] == "{}" && strings.EqualFold(r.parts[2], c.path[2]) {
			return false
		}
	}
	whole := c.path
	c.path = whole[:2]
	if !c.try() || c.route.takes.many || c.cast != "" {
		c.path, c.route, c.cast = whole, nil, ""
		return false
	}
	c.onlyProperty = whole[2]
	return true
}

// onePropertyOf answers a read of a property: its value, or nothing for null.
func (c *call) onePropertyOf(context string, e *entity) (*reply, error) {
	name := spelled(e.typ, c.onlyProperty)
	v, ok := e.Field(name)
	if !ok {
		return nil, noProperty(c.onlyProperty)
	}
	c.onlyProperty = ""
	if raw := string(appendValue(nil, v)); raw == "null" {
		return noContent()
	}
	return give(object{{"@odata.context", c.root() + "/$metadata#" + context + "('" + e.key(e.row) + "')/" + name}, {"value", v}})
}

// tenantPrefix takes the tenant off a path that begins with one:
// /v1.0/{id or domain}/users and /v1.0/myorganization/users are /v1.0/users.
func (c *call) tenantPrefix() {
	if len(c.path) < 2 || c.g.plan[strings.ToLower(c.path[0])] != nil || strings.EqualFold(c.path[0], "me") {
		return
	}
	if head := c.path[0]; world.IsGUID(head) || strings.Contains(head, ".") || strings.EqualFold(head, "myorganization") {
		c.tenant, c.path = head, c.path[1:]
	}
}

// ownTenant refuses a path that names another tenant than the token.
func (c *call) ownTenant() error {
	if c.tenant == "" || strings.EqualFold(c.tenant, "myorganization") || strings.EqualFold(c.tenant, c.caller.Tenant) {
		return nil
	}
	ok := false
	c.g.world.Read(func(s *world.State) {
		if t := s.Tenant(c.caller.Tenant); t != nil {
			ok = slices.ContainsFunc(t.Domains, func(d string) bool { return strings.EqualFold(d, c.tenant) })
		}
	})
	if !ok {
		return refuse(http.StatusForbidden, "Authorization_RequestDenied", "The tenant '%s' of the request is not the tenant of the access token.",
			clip(c.tenant))
	}
	return nil
}

// byGUID are the collections of directory objects whose keys are object ids, with
// the alternate key that they take besides.
func byGUID(head string) (alternate []string, ok bool) {
	switch strings.ToLower(head) {
	case "applications":
		return []string{"appId=", "uniqueName="}, true
	case "serviceprincipals":
		return []string{"appId="}, true
	case "groups":
		return []string{"uniqueName="}, true
	case "directoryroles":
		return []string{"roleTemplateId="}, true
	case "directoryobjects", "administrativeunits", "directoryroletemplates", "deleteditems", "members", "owners", "manager", "registeredowners":
		return nil, true
	}
	return nil, false
}

// checkIDs refuses keys that are no object ids where they must be.
func (c *call) checkIDs() error {
	n := 0
	for i, part := range c.route.parts {
		if part != "{}" {
			continue
		}
		key := c.params[n]
		n++
		alternate, strict := byGUID(c.route.parts[i-1])
		if !strict || world.IsGUID(key) {
			continue
		}
		if slices.ContainsFunc(alternate, func(a string) bool { return len(key) > len(a) && strings.EqualFold(key[:len(a)], a) }) {
			continue
		}
		return badRequest("Invalid object identifier '%s'.", clip(key))
	}
	return nil
}
