package revoke

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/gateway"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

// Every is how often what others revoked is read.
const Every = 2 * time.Second

// Marks vouch for rows that steer.
type Marks interface {
	Mark(ctx context.Context, b *vault.Book, values ...any) ([]byte, error)
	Fits(ctx context.Context, b *vault.Book, mark []byte, values ...any) error
}

// Deps is what a Store is made of.
type Deps struct {
	DB     *db.DB         // required
	Marks  Marks          // required
	Record audit.Recorder // required
	// Last gives what the trail says last of each revocation: what [ReadSaid] makes of its
	// entries. nil: rows are held to their marks alone.
	Last func(context.Context) (map[Said]audit.Action, error)
	Now  func() time.Time // required
	Log  *slog.Logger     // nil discards
}

// Store has the revocations. Safe for concurrent use, and for several processes over one
// database.
type Store struct {
	d   Deps
	now atomic.Pointer[snapshot]

	looking sync.Mutex // one look at a time

	mu      sync.Mutex // guards the fields below
	failing time.Time
	why     string
	read    time.Time
}

var _ gateway.Revocations = (*Store)(nil)

// New makes a Store. Nothing is revoked before the first [Store.Look]: a gateway begins
// with it, and does not begin where it fails.
func New(d Deps) (*Store, error) {
	if d.DB == nil || d.Marks == nil || d.Record == nil || d.Now == nil {
		return nil, errors.New("revoke: DB, Marks, Record and Now are required")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Store{d: d}, nil
}

// Revoked implements [gateway.Revocations]. Before the first look all are revoked.
func (s *Store) Revoked(id *gateway.Identity, now time.Time) bool {
	m := s.now.Load()
	return m == nil || m.revoked(id, now)
}

// Blocked implements [gateway.Blocks]: a revocation holds that refuses later sign-ins too.
// That of a token or a session ends with it, and a new one helps.
func (s *Store) Blocked(id *gateway.Identity, now time.Time) bool {
	m := s.now.Load()
	return m != nil && m.blocked(id, now)
}

// Revoke has somebody not come in any more. Kind, Value, Tenant, Before, Until and Why are
// the caller's. Kind problem.Usage for what cannot be, problem.Limit where there are too
// many.
func (s *Store) Revoke(ctx context.Context, r Revocation, actor string) (Revocation, error) {
	return s.make(ctx, r, actor, maxActive)
}

// End is Revoke of what a browser's session ended by. Whoever has a browser can have many of
// these made: they leave room for those that people make.
func (s *Store) End(ctx context.Context, r Revocation, actor string) (Revocation, error) {
	return s.make(ctx, r, actor, maxEnded)
}

func (s *Store) make(ctx context.Context, r Revocation, actor string, most int) (Revocation, error) {
	now := s.d.Now().UTC().Truncate(time.Microsecond)
	r = Revocation{ID: token.ID("gr"), Kind: r.Kind, Value: r.Value, Tenant: r.Tenant, Before: r.Before, Until: r.Until, Why: r.Why, Who: actor, Made: now}
	if err := r.settle(now); err != nil {
		return Revocation{}, err
	}
	err := s.d.DB.InTx(ctx, func(ctx context.Context) error {
		rows, err := s.rows(ctx)
		if err != nil {
			return err
		}
		active := 0
		for i := range rows {
			if rows[i].Holds(now) {
				active++
			}
		}
		if active >= most {
			return problem.New(problem.Limit, "%d revocations hold, and no more are made", active).
				WithHint("partnerguard gateway unrevoke takes those back that nobody needs")
		}
		if err := s.insert(ctx, &r); err != nil {
			return err
		}
		return s.d.Record.Record(ctx, r.event(audit.GatewayRevoked, actor))
	})
	if err != nil {
		return Revocation{}, err
	}
	s.again(ctx)
	return r, nil
}

// Unrevoke takes a revocation back. Kind problem.NotFound where there is none that holds,
// problem.Conflict where it was taken back before.
func (s *Store) Unrevoke(ctx context.Context, id, actor string) (Revocation, error) {
	list, err := s.List(ctx)
	if err != nil {
		return Revocation{}, err
	}
	k := slices.IndexFunc(list, func(r Revocation) bool { return r.ID == id })
	if k < 0 {
		return Revocation{}, problem.New(problem.NotFound, "no revocation has the id %.40q", id).WithHint("partnerguard gateway revocations lists them")
	}
	r := list[k]
	if !r.Ended.IsZero() {
		return r, problem.New(problem.Conflict, "the revocation %s was taken back on %s", r.ID, r.Ended.Format(time.DateOnly))
	}
	r.Ended, r.By = s.d.Now().UTC().Truncate(time.Microsecond), actor
	err = s.d.DB.InTx(ctx, func(ctx context.Context) error {
		// Another may have taken it back since: its row says so, and is not overwritten.
		if is, err := s.row(ctx, id); err == nil && r.Refused == "" && !is.Ended.IsZero() {
			return problem.New(problem.Conflict, "the revocation %s was taken back a moment ago", id)
		} else if err != nil && !errors.Is(err, problem.NotFound) {
			return err
		}
		if err := s.end(ctx, &r); err != nil {
			return err
		}
		return s.d.Record.Record(ctx, r.event(audit.GatewayUnrevoked, actor))
	})
	if err != nil {
		return Revocation{}, err
	}
	r.Refused = ""
	s.again(ctx)
	return r, nil
}

// again makes the memory anew after an act; where that fails, the round does it.
func (s *Store) again(ctx context.Context) {
	if s.now.Load() == nil {
		return // nobody asks here
	}
	if err := s.Look(ctx); err != nil {
		s.d.Log.WarnContext(ctx, "what was revoked is read again in a moment", "err", err)
	}
}

// event is what the trail says of it: all that is needed to hold it without its row.
func (r *Revocation) event(a audit.Action, actor string) audit.Event {
	e := audit.Event{Action: a, Outcome: audit.Done, Actor: actor, Object: r.ID, Tenant: r.Tenant, Reason: r.Why,
		Details: map[string]string{"kind": string(r.Kind), "value": r.Value}}
	for name, t := range map[string]time.Time{"signedInBefore": r.Before, "until": r.Until} {
		if !t.IsZero() {
			e.Details[name] = strconv.FormatInt(t.UnixMicro(), 10)
		}
	}
	return e
}

var about = []byte(`"action":"gateway.`)

// Line says whether a line of the trail may be of a revocation.
func Line(line []byte) bool {
	return bytes.Contains(line, about) && bytes.Contains(line, []byte("revoked"))
}

// ReadSaid reads an entry of the trail; false for one that is of no revocation.
func ReadSaid(e *trail.Entry) (Said, bool) {
	if e.Action != audit.GatewayRevoked && e.Action != audit.GatewayUnrevoked || e.Outcome != audit.Done {
		return Said{}, false
	}
	s := Said{ID: e.Object, Kind: Kind(e.Details["kind"]), Value: e.Details["value"], Tenant: e.Tenant}
	for name, to := range map[string]*int64{"signedInBefore": &s.Before, "until": &s.Until} {
		if v := e.Details[name]; v != "" {
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				n = 0 // of a form of nobody's: all sign-ins, without an end
			}
			*to = n
		}
	}
	return s, true
}

func (r *Revocation) said() Said {
	return Said{ID: r.ID, Kind: r.Kind, Value: r.Value, Tenant: r.Tenant, Before: micros(r.Before), Until: micros(r.Until)}
}

// List gives all revocations as they hold, oldest first: of the rows and of the trail.
func (s *Store) List(ctx context.Context) ([]Revocation, error) {
	rows, err := s.rows(ctx)
	if err != nil {
		return nil, err
	}
	var last map[Said]audit.Action
	if s.d.Last != nil {
		if last, err = s.d.Last(ctx); err != nil {
			return nil, err
		}
	}
	ended := map[string]bool{} // by the trail
	for x, a := range last {
		if a == audit.GatewayUnrevoked {
			ended[x.ID] = true
		}
	}
	out := make([]Revocation, 0, len(rows))
	held := map[Said]bool{}
	odd := map[string]string{}
	for i := range rows {
		r := &rows[i]
		err := s.d.Marks.Fits(ctx, book, r.mark, r.values()...)
		switch {
		case errors.Is(err, vault.ErrForged):
			odd[r.ID] = err.Error()
		case err != nil:
			return nil, err
		case !r.Ended.IsZero() && s.d.Last != nil && !ended[r.ID]:
			odd[r.ID] = "its row says that it was taken back, and the audit trail does not"
		case r.Ended.IsZero() && ended[r.ID]:
			odd[r.ID] = "its row is one of before it was taken back"
		default:
			held[r.said()] = true
			out = append(out, *r)
		}
	}
	// What the trail says and no row does holds by the trail's word, but for what was over
	// long ago: its row was forgotten.
	before := micros(s.d.Now().Add(-kept))
	for x, a := range last {
		if held[x] || x.Until != 0 && x.Until < before && odd[x.ID] == "" {
			continue
		}
		r := Revocation{ID: x.ID, Kind: x.Kind, Value: x.Value, Tenant: x.Tenant, Before: moment(x.Before), Until: moment(x.Until), Refused: odd[x.ID]}
		if r.Refused == "" {
			r.Refused = "its row is not in the database any more"
		}
		if a == audit.GatewayUnrevoked {
			r.Ended = time.UnixMicro(1).UTC() // when is not kept here; that it was, is
		}
		delete(odd, x.ID)
		out = append(out, r)
	}
	for i := range rows { // forged, and the trail never heard of it: it revokes nobody
		if why := odd[rows[i].ID]; why != "" {
			r := rows[i]
			r.Refused = why
			if r.Ended.IsZero() {
				r.Ended = time.UnixMicro(1).UTC()
			}
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b Revocation) int { return a.Made.Compare(b.Made) })
	return out, nil
}

// Look makes the memory anew.
func (s *Store) Look(ctx context.Context) error {
	s.looking.Lock()
	defer s.looking.Unlock()
	list, err := s.List(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.d.Now()
	if err != nil {
		if s.failing.IsZero() && ctx.Err() == nil {
			s.failing, s.why = now, err.Error()
			s.d.Log.ErrorContext(ctx, "what was revoked cannot be read: what was known goes on", "err", err)
		}
		return err
	}
	s.now.Store(makeSnapshot(list))
	s.failing, s.why, s.read = time.Time{}, "", now
	return nil
}

// kept is how long a revocation is shown that is over.
const kept = 7 * 24 * time.Hour

// rounds are the looks between two times of forgetting: about an hour.
const rounds = int(time.Hour / Every)

// Forget removes the rows that have been over for a week: each look reads all that are
// there. The trail still has them.
func (s *Store) Forget(ctx context.Context) error { return s.forget(ctx, s.d.Now().Add(-kept)) }

// Run reads what others revoked until ctx ends.
func (s *Store) Run(ctx context.Context) {
	tick := time.NewTicker(Every)
	defer tick.Stop()
	for n := 0; ; n++ {
		if n%rounds == 0 {
			if err := s.Forget(ctx); err != nil && ctx.Err() == nil {
				s.d.Log.WarnContext(ctx, "revocations that are over could not be forgotten", "err", err)
			}
		}
		select {
		case <-tick.C:
			_ = s.Look(ctx) // it is logged, and Standing says it
		case <-ctx.Done():
			return
		}
	}
}

// Standing is how fresh the memory is.
type Standing struct {
	Read    time.Time `json:"read,omitzero"`
	Failing time.Time `json:"failing,omitzero"`
	Why     string    `json:"why,omitempty"`
}

// Standing says how fresh the memory is.
func (s *Store) Standing() Standing {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Standing{s.read, s.failing, s.why}
}
