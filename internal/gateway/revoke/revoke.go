package revoke

import (
	"math"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// Kind is what is revoked.
type Kind string

// The kinds.
const (
	User    Kind = "user"    // an object id (oid)
	Session Kind = "session" // a session of Entra ID (sid)
	App     Kind = "app"     // a client, with users or without (appid, azp)
	Token   Kind = "token"   // one token (uti, jti)
)

// Kinds are all of them.
func Kinds() []Kind { return []Kind{User, Session, App, Token} }

// Limits of what is taken.
const (
	maxValue  = 128
	maxWhy    = 500
	maxActive = 20_000
	maxEnded  = 15_000 // when there are so many, ended sessions make no more
)

// Revocation is one of them.
type Revocation struct {
	ID     string    `json:"id"`
	Kind   Kind      `json:"kind"`
	Value  string    `json:"value"`
	Tenant string    `json:"tenant,omitempty"`        // "": of any
	Before time.Time `json:"signedInBefore,omitzero"` // sign-ins up to then; zero: all, later ones too
	Until  time.Time `json:"until,omitzero"`          // it holds until then; zero: without an end
	Who    string    `json:"who"`
	Why    string    `json:"why"`
	Made   time.Time `json:"made"`
	Ended  time.Time `json:"ended,omitzero"` // it was taken back
	By     string    `json:"endedBy,omitempty"`
	// Refused says what is wrong with its row; it then holds by the trail's word alone.
	Refused string `json:"refused,omitempty"`

	mark []byte
}

// Holds says whether it revokes at a moment.
func (r *Revocation) Holds(now time.Time) bool {
	return r.Ended.IsZero() && (r.Until.IsZero() || now.Before(r.Until))
}

// State is its word: active, over, ended.
func (r *Revocation) State(now time.Time) string {
	switch {
	case !r.Ended.IsZero():
		return "ended"
	case !r.Holds(now):
		return "over"
	}
	return "active"
}

// settle makes what a person said whole, or refuses it.
func (r *Revocation) settle(now time.Time) error {
	r.Value, r.Why = strings.TrimSpace(r.Value), strings.TrimSpace(r.Why)
	r.Tenant = strings.ToLower(strings.TrimSpace(r.Tenant))
	if r.Kind == User || r.Kind == App {
		r.Value = strings.ToLower(r.Value)
	}
	switch {
	case !slices.Contains(Kinds(), r.Kind):
		return problem.New(problem.Usage, "%.40q cannot be revoked", string(r.Kind)).WithHint("revoke a user, a session, an app or a token")
	case r.Value == "" || len(r.Value) > maxValue || print.Clean(r.Value, maxValue) != r.Value:
		return problem.New(problem.Usage, "%.140q names no %s", r.Value, string(r.Kind)).
			WithHint("a user is named by the object id, or by an account that came in before")
	case len(r.Tenant) > maxValue || print.Clean(r.Tenant, maxValue) != r.Tenant:
		return problem.New(problem.Usage, "%.140q names no tenant", r.Tenant).WithHint("give the tenant's id, or leave it out")
	case r.Why == "" || len(r.Why) > maxWhy || print.Clean(r.Why, maxWhy) != r.Why:
		return problem.New(problem.Usage, "it is not said why, in one line of at most %d bytes", maxWhy).WithHint("--reason \"laptop was stolen\"")
	case !r.Until.IsZero() && !r.Until.After(now):
		return problem.New(problem.Usage, "it would end before it begins: %s", r.Until.UTC().Format(time.RFC3339)).WithHint("--until names a moment to come")
	case r.Before.After(now.Add(time.Minute)):
		return problem.New(problem.Usage, "sign-ins before a moment to come cannot be told from those after").WithHint("leave the moment out to refuse all")
	}
	r.Before, r.Until = micro(r.Before), micro(r.Until)
	return nil
}

func micro(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Microsecond)
}

// Said is what the trail says of a revocation. It names it in full, so that it holds
// without its row.
type Said struct {
	ID            string
	Kind          Kind
	Value, Tenant string
	Before, Until int64 // microseconds; 0: none
}

// snapshot is what holds, by what is looked up. It is never changed.
type snapshot struct {
	by map[Kind]map[string][]bound
}

// bound says which sign-ins are revoked, and until when.
type bound struct {
	tenant string
	before int64 // seconds; sign-ins up to it; 0: all
	until  int64 // seconds; 0: without an end
}

func makeSnapshot(list []Revocation) *snapshot {
	s := &snapshot{by: map[Kind]map[string][]bound{}}
	for i := range list {
		r := &list[i]
		if !r.Ended.IsZero() {
			continue
		}
		if s.by[r.Kind] == nil {
			s.by[r.Kind] = map[string][]bound{}
		}
		b := bound{tenant: r.Tenant}
		if !r.Before.IsZero() {
			b.before = max(1, r.Before.Unix())
		}
		if !r.Until.IsZero() {
			b.until = max(1, r.Until.Unix())
		}
		s.by[r.Kind][r.Value] = append(s.by[r.Kind][r.Value], b)
	}
	return s
}

func (s *snapshot) revoked(id *gateway.Identity, now time.Time) bool {
	if len(s.by) == 0 {
		return false
	}
	return !id.IsApp && s.has(User, strings.ToLower(id.ObjectID), id, now) || s.has(App, strings.ToLower(id.App), id, now) ||
		s.has(Session, id.Session, id, now) || s.has(Token, id.ID, id, now)
}

// blocked says whether one holds of the user or the app that has no moment before it: no
// sign-in is early or late enough.
func (s *snapshot) blocked(id *gateway.Identity, now time.Time) bool {
	never := *id
	never.AuthTime, never.IssuedAt = math.MaxInt64, math.MaxInt64
	return !id.IsApp && s.has(User, strings.ToLower(id.ObjectID), &never, now) || s.has(App, strings.ToLower(id.App), &never, now)
}

// has says whether one of the bounds of a value holds. The moment that counts is the
// sign-in's, where the identity tells it, and else that of its token: a token that was got
// anew without signing in stays revoked where that can be seen.
func (s *snapshot) has(k Kind, value string, id *gateway.Identity, now time.Time) bool {
	if value == "" {
		return false
	}
	at := id.AuthTime
	if at == 0 {
		at = id.IssuedAt
	}
	for _, b := range s.by[k][value] {
		of := b.tenant == "" || b.tenant == id.Tenant || b.tenant == id.Home
		if of && (b.until == 0 || now.Unix() < b.until) && (b.before == 0 || at <= b.before) {
			return true
		}
	}
	return false
}
