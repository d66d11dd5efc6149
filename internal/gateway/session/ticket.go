package session

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"hash/fnv"
	"io"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/problem"
)

// ticket is what a session's cookie holds. Moments are seconds.
type ticket struct {
	ID       string   `json:"i"` // of the session
	Issuer   string   `json:"iss"`
	Audience string   `json:"aud"`
	Tenant   string   `json:"tid"`
	Home     string   `json:"hom,omitempty"`
	ObjectID string   `json:"oid"`
	Subject  string   `json:"sub,omitempty"`
	Account  string   `json:"acc,omitempty"`
	Version  string   `json:"ver,omitempty"`
	SID      string   `json:"sid,omitempty"`
	Roles    []string `json:"rol,omitempty"`
	Wids     []string `json:"wid,omitempty"`
	Groups   []string `json:"grp,omitempty"`
	More     bool     `json:"mor,omitempty"` // in more groups than are told
	Contexts []string `json:"acr,omitempty"`
	AMR      []string `json:"amr,omitempty"`
	Proven   bool     `json:"mfa,omitempty"`
	Lacks    string   `json:"lck,omitempty"` // word of a reason
	AuthTime int64    `json:"at,omitempty"`
	Issued   int64    `json:"iat"`
	Made     int64    `json:"m"`
	Seen     int64    `json:"s"`
	Ends     int64    `json:"e"`
	Asked    uint32   `json:"q"` // which roles and groups were looked for
}

// maxLife is the longest life of a session, whatever the settings say.
const maxLife = 7 * 24 * time.Hour

// backwards is how far the clock may go back before a session is over: one that was set
// back must not let anybody stay longer.
const backwards = 2 * time.Minute

// over says that a session has ended.
func (t *ticket) over(seen int64, now time.Time, life, idle time.Duration) bool {
	made, ends := time.Unix(t.Made, 0), time.Unix(t.Ends, 0)
	last := time.Unix(max(t.Seen, seen), 0)
	return now.Before(made.Add(-backwards)) || now.Before(last.Add(-backwards)) || !now.Before(ends) || !now.Before(made.Add(life)) ||
		!now.Before(last.Add(idle))
}

// last is when nothing can be left of a session, whatever clocks say.
func (t *ticket) last() time.Time { return time.Unix(t.Ends, 0).Add(backwards).UTC() }

// identity is who a ticket's session is. It is made once a cookie and shared.
func (t *ticket) identity() *gateway.Identity {
	id := &gateway.Identity{Way: gateway.BySession, Issuer: t.Issuer, Audience: t.Audience, Tenant: t.Tenant, Home: t.Home, ObjectID: t.ObjectID,
		Subject: t.Subject, Account: t.Account, App: strings.ToLower(t.Audience), AppAuth: "", Version: t.Version, Session: t.SID, ID: t.ID,
		Roles: t.Roles, Wids: t.Wids, Groups: t.Groups, GroupsElsewhere: t.More, Contexts: t.Contexts, AMR: t.AMR, Proven: t.Proven,
		Capable: true, CapableTold: true, AuthTime: t.AuthTime, IssuedAt: t.Issued, NotBefore: t.Issued, NotAfter: t.Ends}
	if !t.Proven {
		id.Lacks = gateway.SingleFactor
		if r, ok := gateway.ReasonOf(t.Lacks); ok && r.Kind() == gateway.Challenge {
			id.Lacks = r
		}
	}
	return id
}

// whole says that what was opened can be a ticket of ours.
func (t *ticket) whole() bool {
	return t.ID != "" && t.Tenant != "" && t.ObjectID != "" && t.Audience != "" && t.Made > 0 && t.Seen >= t.Made && t.Ends > t.Made
}

// asked is what the routes ask for of roles and groups, and its fingerprint: a cookie
// has room for no others.
func asked(routes []*gateway.Route) (names map[string]bool, print uint32) {
	names = map[string]bool{}
	for _, r := range routes {
		for _, list := range [][]string{r.Roles, r.Groups} {
			for _, s := range list {
				names[strings.ToLower(s)] = true
			}
		}
	}
	sorted := make([]string, 0, len(names))
	for s := range names {
		sorted = append(sorted, s)
	}
	slices.Sort(sorted)
	h := fnv.New32a()
	for _, s := range sorted {
		_, _ = io.WriteString(h, s+"\x00")
	}
	return names, h.Sum32()
}

// only leaves those of a list that are asked for.
func only(list []string, names map[string]bool) []string {
	var out []string
	for _, s := range list {
		if names[strings.ToLower(s)] && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// seal seals a ticket for a cookie of a host. Groups that find no room are said to be
// elsewhere.
func (m *Manager) seal(name, host string, t *ticket) (string, error) {
	plain, err := json.Marshal(t)
	if err != nil {
		return "", problem.Wrap(err, problem.Internal, "a session could not be written")
	}
	const most = (maxCookie - 16) * 3 / 4 // base64, the key's number
	if len(plain) > most-64 {             // nonce and tag
		lean := *t
		lean.Groups, lean.More = nil, true
		if plain, err = json.Marshal(&lean); err != nil || len(plain) > most-64 {
			return "", problem.New(problem.Limit, "what the sign-in says of this account does not fit into a cookie").
				WithHint("have the sign-in app's registration emit fewer roles")
		}
	}
	return m.d.Seal.Seal(bound(name, host), plain)
}

// entry is a cookie that was opened before.
type entry struct {
	t    ticket
	id   *gateway.Identity
	seen seconds
}

// key is a cookie's hash: the value itself is not kept.
type key [sha256.Size]byte

func keyOf(name, host, value string) key {
	h := sha256.New()
	var n [8]byte
	for _, s := range [...]string{name, host, value} {
		binary.LittleEndian.PutUint64(n[:], uint64(len(s)))
		_, _ = h.Write(n[:])
		_, _ = io.WriteString(h, s)
	}
	var k key
	h.Sum(k[:0])
	return k
}

// Open is of [gateway.Sessions]. A cookie that is not ours is none; one whose session is
// over or was ended says so.
func (m *Manager) Open(host, cookie string, now time.Time) (*gateway.Identity, gateway.Reason) {
	e, _, reason := m.open(host, cookie, now)
	if reason != gateway.Passed {
		return nil, reason
	}
	return e.id, gateway.Passed
}

func (m *Manager) open(host, cookie string, now time.Time) (*entry, string, gateway.Reason) {
	name, value := sessionCookie(host, cookie)
	if value == "" || len(value) > maxCookie {
		return nil, "", gateway.NoToken
	}
	host = strings.ToLower(host)
	k := keyOf(name, host, value)
	e := m.known.get(k)
	if e == nil {
		plain, ok, err := m.d.Seal.Open(bound(name, host), value)
		if err != nil {
			m.d.Log.Error("the key of the sessions could not be read", "err", err)
		}
		if !ok {
			return nil, "", gateway.NoToken
		}
		e = &entry{}
		if json.Unmarshal(plain, &e.t) != nil || !e.t.whole() {
			return nil, "", gateway.NoToken
		}
		e.id = e.t.identity()
		e.seen.Store(e.t.Seen)
		e = m.known.put(k, e)
	}
	life, idle := m.span()
	seen := e.seen.Load()
	if _, print := m.askedNow(); e.t.over(seen, now, life, idle) || print != e.t.Asked || m.ended.has(&e.t) || m.stray.has(&e.t) {
		return e, name, gateway.SessionOver
	}
	if reason := gateway.Out(m.d.Revocations, e.id, now); reason != gateway.Passed {
		return e, name, reason
	}
	if s := now.Unix(); s > seen {
		e.seen.Store(s)
	}
	return e, name, gateway.Passed
}

// Renew gives a header Set-Cookie for the answer to a request that passed by a session:
// its cookie with the moment of now, so that its idle time begins anew for every process;
// "" where that is not due. It costs nothing where there was no session.
func (m *Manager) Renew(d *gateway.Decision, r *gateway.Request) string {
	if d.Identity == nil || d.Identity.Way != gateway.BySession {
		return ""
	}
	e, name, reason := m.open(r.Host, r.Cookie, r.Now)
	if reason != gateway.Passed {
		return ""
	}
	_, idle := m.span()
	if r.Now.Sub(time.Unix(e.t.Seen, 0)) < max(idle/4, time.Minute) {
		return ""
	}
	next := e.t
	next.Seen = r.Now.Unix()
	value, err := m.seal(name, r.Host, &next)
	if err != nil {
		return ""
	}
	return cookieLine(name, value, time.Unix(next.Ends, 0).Sub(r.Now))
}
