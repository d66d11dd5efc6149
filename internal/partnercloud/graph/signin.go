package graph

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

const signInsPath = "auditLogs/signIns"

// interactiveUser is the event type of the list when a filter asks for none.
const interactiveUser = "interactiveUser"

// maxScan bounds the rows that one page looks at: past it the page ends early
// with a next link, as the real service may.
const maxScan = 200_000

// needPremium: the logs and reports need a licence for them.
func needPremium(_ *call, _ *world.State, t *world.Tenant) error {
	if !t.Premium() {
		return refuse(http.StatusForbidden, "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
			"Neither tenant is B2C or tenant doesn't have premium license")
	}
	return nil
}

// hidePolicies: the policies of a row are for callers who may read policies.
func (c *call) hidePolicies() bool {
	if !c.holds(words("Policy.Read.All Policy.Read.ConditionalAccess Policy.ReadWrite.ConditionalAccess")) {
		return true
	}
	return !c.caller.AppOnly() && !c.hasRole(entra.RoleConditionalAccessAdministrator) && !c.hasRole(watchers...)
}

// retention of the log with P1 or P2.
const retention = 30 * 24 * time.Hour

func listSignIns(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	size, err := c.signInQuery()
	if err != nil {
		return nil, err
	}
	pos, err := c.resume()
	if err != nil {
		return nil, err
	}
	counting := (c.q.Count && pos.Time == 0) || c.tally
	p := c.readSignIns(s, t, pos, size, counting)
	if c.tally {
		return &reply{status: http.StatusOK, body: strconv.AppendInt(nil, int64(p.count), 10), text: true}, nil
	}
	head := object{{"@odata.context", c.contextURL(signInsPath, false)}}
	if counting {
		head = append(head, member{"@odata.count", p.count})
	}
	if p.more && p.last != nil {
		head = append(head, member{"@odata.nextLink", c.nextLink(position{After: p.last.ID, Time: p.last.CreatedDateTime.UnixNano()})})
	}
	rep := &reply{status: http.StatusOK}
	rep.make = func() ([]byte, error) {
		b, _ := c.g.pages.Get().(*[]byte)
		if b == nil {
			b = new([]byte)
		}
		out, err := encodeSignIns((*b)[:0], head, p.rows, c.selection())
		rep.done = func() {
			*b = out
			c.g.pages.Put(b)
		}
		return out, err
	}
	return rep, nil
}

// signInQuery checks the query, of which the log takes less than directory objects,
// and gives the size of the page.
func (c *call) signInQuery() (size int, err error) {
	if err := signInShape().checkNames(c, c.q); err != nil {
		return 0, err
	}
	if c.q.Filter != nil { // the log keeps names in lower case, and compares them with it
		c.q.Filter.Exact("userPrincipalName")
	}
	for _, o := range c.q.OrderBy {
		if len(o.Path) != 1 || o.Path[0] != "createdDateTime" {
			return 0, refuse(http.StatusBadRequest, "BadRequest", "Only $orderby=createdDateTime is supported.")
		}
	}
	if c.q.Has("$skip") || len(c.q.Search) > 0 || len(c.q.Expand) > 0 {
		return 0, refuse(http.StatusBadRequest, "BadRequest", "The query is not supported.")
	}
	if c.q.Top < 0 {
		return c.takes.top, nil
	}
	if c.q.Top == 0 || c.q.Top > c.takes.max {
		return 0, refuse(http.StatusBadRequest, "BadRequest", "Invalid value for $top: it must be between 1 and %d.", c.takes.max)
	}
	return c.q.Top, nil
}

// signInShape says which properties a query may name: rows show themselves.
func signInShape() *shape { return &shape{typ: "signIn"} }

// signInPage is what was read of the log.
type signInPage struct {
	rows  []signInRow
	last  *world.SignIn // looked at: where the next page begins
	more  bool
	count int
}

// signInSpan is the time that a filter asks for, and whether it names event types;
// without any the list holds interactive sign-ins of users.
func (c *call) signInSpan() (from, to time.Time, typed bool) {
	from = c.now.Add(-retention)
	q := c.q.Filter
	if q == nil {
		return from, to, false
	}
	a, to := q.Bounds("createdDateTime")
	if a.After(from) {
		from = a
	}
	typed = slices.ContainsFunc(q.Paths(), func(p []string) bool { return p[0] == "signInEventTypes" })
	return from, to, typed
}

// readSignIns reads a page, and on to the end when counting.
func (c *call) readSignIns(s *world.State, t *world.Tenant, pos position, size int, counting bool) signInPage {
	from, to, typed := c.signInSpan()
	skipping := pos.Time != 0
	log, edge := s.Newest, to
	if len(c.q.OrderBy) > 0 && !c.q.OrderBy[0].Desc {
		log = s.Oldest
	}
	if skipping {
		edge = time.Unix(0, pos.Time).UTC()
		if len(c.q.OrderBy) > 0 && !c.q.OrderBy[0].Desc {
			from = edge
		} else {
			to = edge
		}
	}
	hide, scanned := c.hidePolicies(), 0
	p := signInPage{rows: make([]signInRow, 0, min(size, 64))}
	for row := range log(t, from, to) {
		if skipping {
			if row.CreatedDateTime.Time.Equal(edge) {
				skipping = row.ID != pos.After
				continue
			}
			skipping = false
		}
		if scanned++; scanned > maxScan && !counting {
			p.more = true
			break
		}
		if c.young(row) {
			continue
		}
		r := signInRow{c, row, hide}
		if !typed && !slices.Contains(row.EventTypes, interactiveUser) || c.q.Filter != nil && !c.q.Filter.Match(r) {
			p.last = row
			continue
		}
		p.count++
		if c.tally || len(p.rows) == size {
			p.more = !c.tally
			if counting {
				continue
			}
			break
		}
		p.rows = append(p.rows, r)
		p.last = row
	}
	if counting && len(p.rows) > 0 {
		p.last = p.rows[len(p.rows)-1].row
	}
	return p
}

// young reports a row that has not come through to the log yet.
func (c *call) young(row *world.SignIn) bool {
	age := c.now.Sub(row.CreatedDateTime.Time)
	return age < maxLag && age < c.g.lag(row.ID, false)
}

// encodeSignIns writes a page behind b. It runs outside of the world's lock.
func encodeSignIns(b []byte, head object, rows []signInRow, sel []string) ([]byte, error) {
	b = head.appendJSON(b)
	b = append(b[:len(b)-1], `,"value":[`...)
	w := bytes.NewBuffer(b)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	var f form
	for i, r := range rows {
		if i > 0 {
			w.WriteByte(',')
		}
		if sel != nil {
			w.Write(pick(r, sel))
			continue
		}
		if err := e.Encode(r.shown(&f)); err != nil {
			return nil, err
		}
		w.Truncate(w.Len() - 1) // the encoder's line feed
	}
	w.WriteString("]}")
	return w.Bytes(), nil
}

// pick writes the properties of a row that were asked for.
func pick(r signInRow, sel []string) []byte {
	var all map[string]json.RawMessage
	out := object{}
	for _, name := range sel {
		name = first(name)
		if v, ok := r.quick(name); ok {
			out = append(out, member{name, v})
			continue
		}
		if all == nil && json.Unmarshal(r.appendJSON(nil), &all) != nil {
			return []byte("{}")
		}
		if v, ok := all[name]; ok {
			out = append(out, member{name, v})
		} else {
			out = append(out, member{name, nil})
		}
	}
	return out.appendJSON(nil)
}

// quick gives plain properties that need no encoding of the whole row.
func (r signInRow) quick(name string) (any, bool) {
	switch name {
	case "location", "crossTenantAccessType", "authenticationProtocol", "signInEventTypes":
		return nil, false // shown otherwise than filtered
	}
	v, ok := r.Field(name)
	if _, raw := v.(json.RawMessage); raw {
		return nil, false
	}
	return v, ok
}

func getSignIn(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	if err := signInShape().checkNames(c, c.q); err != nil {
		return nil, err
	}
	for row := range s.Newest(t, c.now.Add(-retention), time.Time{}) {
		if !strings.EqualFold(row.ID, c.params[0]) {
			continue
		}
		if c.young(row) {
			break
		}
		r := signInRow{c, row, c.hidePolicies()}
		head := object{{"@odata.context", c.contextURL(signInsPath, true)}}
		return &reply{status: http.StatusOK, make: func() ([]byte, error) {
			b := head.appendJSON(nil)
			b[len(b)-1] = ','
			if sel := c.selection(); sel != nil {
				return append(b, pick(r, sel)[1:]...), nil
			}
			return append(b, r.appendJSON(nil)[1:]...), nil
		}}, nil
	}
	return nil, notFound(c.params[0])
}
