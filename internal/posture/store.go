package posture

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/snapshot"
)

// Deps is what a Store needs.
type Deps struct {
	DB     *db.DB           // required
	Now    func() time.Time // required
	Config *Config          // optional: nil is the defaults
	Record audit.Recorder   // optional: nil writes no trail
	Marks  Marks            // what marks rows that steer something; nil where the vault is not open: then nothing is excepted
	Last   Last             // what the trail says last of an exception; nil asks nothing
	Judge  Judge            // judges a tenant again; nil where there is no archive
	Audits Audits           // the directory's audit rows; nil where there are none
	Log    *slog.Logger     // optional: nil discards

	// What the pages need beside the store; without them they say less.
	Snapshot  *snapshot.Store                                           // what is shown beside the kept state
	Deadlines func(ctx context.Context, v *screen.Viewer) []screen.Item // the next ones, soonest first
}

// Judge judges a tenant as of a moment with the rules of now, from the evidence that
// was there then. The log is looked at for span before it.
type Judge func(ctx context.Context, tenant string, asOf time.Time, span time.Duration) (*State, error)

// Audits gives the directory's audit rows of a tenant, from <= time < to, in any order,
// and whether they were read whole for that time.
type Audits func(ctx context.Context, tenant string, from, to time.Time) (rows []AuditRow, whole bool, err error)

// Store keeps posture. Safe for concurrent use, by several processes too.
type Store struct {
	d     Deps
	tries int // of a job that judges again
}

// New makes a store over a database whose schema is current.
func New(d Deps) (*Store, error) {
	if d.DB == nil || d.Now == nil {
		return nil, problem.New(problem.Internal, "kept posture has no database or no clock")
	}
	if d.Config == nil {
		d.Config = &Config{Span: DefaultSpan, Day: DefaultStep}
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Store{d, rejudgeTry}, nil
}

// now is the clock as the database can keep it.
func (s *Store) now() time.Time { return s.d.Now().UTC().Truncate(time.Microsecond) }

// retry runs do again when it lost a race.
func (s *Store) retry(ctx context.Context, do func(context.Context) error) error {
	for range 10 {
		err := s.d.DB.InTx(ctx, do)
		if !errors.Is(err, errStale) {
			return err
		}
	}
	return problem.New(problem.Conflict, "kept posture is being changed by others all the time").WithHint("try again")
}

// Kept is what became of a judgement that was kept.
type Kept struct {
	Mark
	First   bool // nothing was kept of the tenant before
	Same    bool // nothing differs from the last round
	Rows    int  // written
	Changes *Changes
}

// Keep keeps a judgement: one transaction, and keeping the same twice changes
// nothing. What differs from the last round makes a new one. An older moment than
// the last is kept too, in the order of judging: a clock may have been wrong. Without
// a tenant or a moment the error is of kind Internal.
func (s *Store) Keep(ctx context.Context, st *State) (Kept, error) {
	if st.Tenant == "" || st.AsOf.IsZero() || len(st.Requirements) == 0 {
		return Kept{}, problem.New(problem.Internal, "a judgement without a tenant, a moment or requirements is not kept")
	}
	next, err := st.facts()
	if err != nil {
		return Kept{}, err
	}
	var out Kept
	var before Mark
	err = s.retry(ctx, func(ctx context.Context) error {
		out = Kept{}
		if before, err = s.lastRound(ctx, st.Tenant); err != nil {
			return err
		}
		now, err := s.digests(ctx, st.Tenant)
		if err != nil {
			return err
		}
		var gone, fresh []fact
		old := make(map[string]string, len(now))
		for i := range now {
			old[now[i].key()] = now[i].digest
			if f, still := next[now[i].key()]; !still || f.digest != now[i].digest {
				gone = append(gone, now[i])
			}
		}
		for key, f := range next {
			if d, had := old[key]; !had || d != f.digest {
				fresh = append(fresh, f)
			}
		}
		asOf, judged := st.AsOf.UTC().Truncate(time.Microsecond), st.Judged.UTC().Truncate(time.Microsecond)
		out.First = before.Round == 0
		if !out.First && len(gone) == 0 && len(fresh) == 0 && before.Book == st.Book && before.Program == st.Program {
			out.Same, out.Mark = true, before
			out.LastOf, out.Last, out.Position = later(before.LastOf, asOf), later(before.Last, judged), st.Position
			return s.extendRound(ctx, st.Tenant, &out.Mark)
		}
		out.Mark = Mark{before.Round + 1, asOf, judged, asOf, judged, st.Book, st.Program, st.Position}
		if err := s.insertRound(ctx, st.Tenant, &out.Mark); err != nil {
			return err
		}
		return s.write(ctx, st.Tenant, &out, gone, fresh)
	})
	if err != nil {
		return Kept{}, fmt.Errorf("keep the posture of %s: %w", st.Tenant, err)
	}
	if !out.First && !out.Same {
		c, err := s.between(ctx, st.Tenant, before, out.Mark)
		if err != nil {
			return out, err
		}
		out.Changes = c
	}
	return out, nil
}

// write ends rows and begins others with a round.
func (s *Store) write(ctx context.Context, tenant string, out *Kept, gone, fresh []fact) error {
	slices.SortFunc(fresh, func(a, b fact) int { return compareKeys(&a, &b) })
	for i := range gone {
		if err := s.endFact(ctx, tenant, &gone[i], out.Round); err != nil {
			return err
		}
	}
	for i := range fresh {
		fresh[i].since = out.Round
		if err := s.insertFact(ctx, tenant, &fresh[i]); err != nil {
			return err
		}
	}
	out.Rows = len(gone) + len(fresh)
	return nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// state reads a round back.
func (s *Store) state(ctx context.Context, tenant string, m Mark) (*State, error) {
	rows, err := s.factsAt(ctx, tenant, m.Round)
	if err != nil {
		return nil, err
	}
	st := &State{Tenant: tenant, AsOf: m.AsOf, Judged: m.Judged, Book: m.Book, Program: m.Program, Position: m.Position}
	for i := range rows {
		if err := st.unpack(&rows[i]); err != nil {
			return nil, problem.Wrap(err, problem.BadInput, "what is kept of tenant %s is damaged", tenant).
				WithHint("something else wrote into the database; partnerguard rejudge makes it anew from the archive")
		}
	}
	return st, nil
}

// At is the state of a tenant as of a moment, with its round. Kind NotFound where
// nothing was judged by then.
func (s *Store) At(ctx context.Context, tenant string, at time.Time) (*State, Mark, error) {
	m, err := s.roundAt(ctx, tenant, at)
	if err == nil && m.Round == 0 {
		err = problem.New(problem.NotFound, "nothing of tenant %s was judged by %s", tenant, at.UTC().Format("2006-01-02 15:04 UTC")).
			WithHint("partnerguard history shows since when it was")
	}
	if err != nil {
		return nil, m, err
	}
	st, err := s.state(ctx, tenant, m)
	return st, m, err
}

// Tenants are those of which anything is kept.
func (s *Store) Tenants(ctx context.Context) ([]string, error) { return s.tenants(ctx) }

// Changes compares the tenant's state as of since with the newest, and says why.
// Where nothing was judged by then the first round stands for it. Kind NotFound where
// nothing is kept.
func (s *Store) Changes(ctx context.Context, tenant string, since time.Time) (*Changes, error) {
	last, err := s.lastRound(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if last.Round == 0 {
		return nil, problem.New(problem.NotFound, "nothing of tenant %s was judged yet", tenant).WithHint("partnerguard collect --now reads and judges it")
	}
	from, err := s.roundAt(ctx, tenant, since)
	if err != nil {
		return nil, err
	}
	short := from.Round == 0
	if short {
		rounds, err := s.rounds(ctx, tenant)
		if err != nil {
			return nil, err
		}
		from = rounds[0]
	}
	c, err := s.between(ctx, tenant, from, last)
	if err != nil {
		return nil, err
	}
	c.Asked, c.Short = since.UTC(), short
	return c, nil
}

// between compares two rounds, with the audit rows of the time between and the
// exceptions that are in force.
func (s *Store) between(ctx context.Context, tenant string, a, b Mark) (*Changes, error) {
	from, err := s.state(ctx, tenant, a)
	if err != nil {
		return nil, err
	}
	to, err := s.state(ctx, tenant, b)
	if err != nil {
		return nil, err
	}
	var edits []AuditRow
	whole := false
	if s.d.Audits != nil && a.Round != b.Round {
		// What was read for the older state may have been older than its moment.
		if edits, whole, err = s.d.Audits(ctx, tenant, a.AsOf.Add(-auditSlack), b.AsOf.Add(time.Second)); err != nil {
			return nil, fmt.Errorf("the directory's audit rows: %w", err)
		}
	}
	c := Compare(from, to, edits, whole)
	c.From, c.To = a, b
	excepted, err := s.InForce(ctx)
	if err != nil {
		s.d.Log.WarnContext(ctx, "exceptions are not counted", "error", err)
		c.Notes = append(c.Notes, "exceptions could not be read, so none silences anything: "+err.Error())
	}
	c.except(excepted)
	return c, nil
}

// auditSlack is how much older the reading of a setting may be than the moment its
// state is as of.
const auditSlack = 24 * time.Hour
