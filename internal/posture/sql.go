package posture

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// Mark is a round: a judgement, by when and by what.
type Mark struct {
	Round   int64     `json:"round"`
	AsOf    time.Time `json:"asOf"`
	Judged  time.Time `json:"judgedAt"`
	LastOf  time.Time `json:"lastAsOf"` // the last moment as of which it was judged the same
	Last    time.Time `json:"lastJudgedAt"`
	Book    string    `json:"ruleBook"`
	Program string    `json:"program"`
	Position
}

const markColumns = "round, as_of, judged, last_as_of, last, book, program, segment, root"

type row interface{ Scan(...any) error }

func scanMark(r row) (m Mark, err error) {
	var asOf, judged, lastOf, last int64
	err = r.Scan(&m.Round, &asOf, &judged, &lastOf, &last, &m.Book, &m.Program, &m.Segment, &m.Root)
	m.AsOf, m.Judged, m.LastOf, m.Last = db.Time(asOf), db.Time(judged), db.Time(lastOf), db.Time(last)
	return m, err
}

// all reads every row of a query.
func all[T any](ctx context.Context, d *db.DB, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := d.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// lastRound is the newest round; none has the number 0.
func (s *Store) lastRound(ctx context.Context, tenant string) (Mark, error) {
	return none(scanMark(s.d.DB.QueryRowContext(ctx, "SELECT "+markColumns+" FROM posture_rounds WHERE tenant = $1 ORDER BY round DESC LIMIT 1", tenant)))
}

// roundAt is the newest round as of a moment or before.
func (s *Store) roundAt(ctx context.Context, tenant string, at time.Time) (Mark, error) {
	return none(scanMark(s.d.DB.QueryRowContext(ctx,
		"SELECT "+markColumns+" FROM posture_rounds WHERE tenant = $1 AND as_of <= $2 ORDER BY round DESC LIMIT 1",
		tenant, db.Micros(at))))
}

// none makes of no row the zero value.
func none[T any](v T, err error) (T, error) {
	if errors.Is(err, sql.ErrNoRows) {
		var zero T
		return zero, nil
	}
	return v, err
}

func (s *Store) rounds(ctx context.Context, tenant string) ([]Mark, error) {
	return all(ctx, s.d.DB, scanMark, "SELECT "+markColumns+" FROM posture_rounds WHERE tenant = $1 ORDER BY round", tenant)
}

func (s *Store) tenants(ctx context.Context) ([]string, error) {
	return all(ctx, s.d.DB, func(r row) (t string, err error) { return t, r.Scan(&t) }, "SELECT DISTINCT tenant FROM posture_rounds ORDER BY tenant")
}

func (s *Store) insertRound(ctx context.Context, tenant string, m *Mark) error {
	r, err := s.d.DB.ExecContext(ctx, `INSERT INTO posture_rounds (tenant, `+markColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (tenant, round) DO NOTHING`, tenant, m.Round, db.Micros(m.AsOf), db.Micros(m.Judged), db.Micros(m.LastOf), db.Micros(m.Last), m.Book, m.Program,
		m.Segment, m.Root)
	return one(r, err)
}

func (s *Store) extendRound(ctx context.Context, tenant string, m *Mark) error {
	r, err := s.d.DB.ExecContext(ctx,
		"UPDATE posture_rounds SET last_as_of = $3, last = $4, segment = $5, root = $6 WHERE tenant = $1 AND round = $2", tenant, m.Round,
		db.Micros(m.LastOf), db.Micros(m.Last), m.Segment, m.Root)
	return one(r, err)
}

// errStale says that another process was faster.
var errStale = errors.New("changed by another")

// one says errStale when no row was written.
func one(r sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		return errStale
	}
	return nil
}

const factColumns = "kind, subject, since, till, digest, body"

func scanFact(r row) (f fact, err error) {
	return f, r.Scan(&f.kind, &f.subject, &f.since, &f.till, &f.digest, &f.body)
}

// digests are the rows that hold now, without their bodies.
func (s *Store) digests(ctx context.Context, tenant string) ([]fact, error) {
	return all(ctx, s.d.DB, func(r row) (f fact, err error) { return f, r.Scan(&f.kind, &f.subject, &f.since, &f.digest) },
		"SELECT kind, subject, since, digest FROM posture_facts WHERE tenant = $1 AND till = 0", tenant)
}

// factsAt are the rows that held in a round.
func (s *Store) factsAt(ctx context.Context, tenant string, round int64) ([]fact, error) {
	return all(ctx, s.d.DB, scanFact,
		"SELECT "+factColumns+" FROM posture_facts WHERE tenant = $1 AND since <= $2 AND (till = 0 OR till > $2) ORDER BY kind, subject",
		tenant, round)
}

// factsOf are all rows of one subject, or of all of a kind, oldest first.
func (s *Store) factsOf(ctx context.Context, tenant, kind, subject string) ([]fact, error) {
	return all(ctx, s.d.DB, scanFact,
		"SELECT "+factColumns+" FROM posture_facts WHERE tenant = $1 AND kind = $2 AND (subject = $3 OR $3 = '') ORDER BY subject, since",
		tenant, kind, subject)
}

// factsSince are the rows of a kind that held in a round or later, oldest first.
func (s *Store) factsSince(ctx context.Context, tenant, kind string, round int64) ([]fact, error) {
	return all(ctx, s.d.DB, scanFact,
		"SELECT "+factColumns+" FROM posture_facts WHERE tenant = $1 AND kind = $2 AND (till = 0 OR till > $3) ORDER BY subject, since",
		tenant, kind, round)
}

// factsNow are the rows of a kind that hold now.
func (s *Store) factsNow(ctx context.Context, tenant, kind string) ([]fact, error) {
	return all(ctx, s.d.DB, scanFact, "SELECT "+factColumns+" FROM posture_facts WHERE tenant = $1 AND kind = $2 AND till = 0 ORDER BY subject", tenant, kind)
}

func (s *Store) insertFact(ctx context.Context, tenant string, f *fact) error {
	r, err := s.d.DB.ExecContext(ctx, `INSERT INTO posture_facts (tenant, `+factColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (tenant, kind, subject, since) DO NOTHING`, tenant, f.kind, f.subject, f.since, f.till, f.digest, f.body)
	return one(r, err)
}

func (s *Store) endFact(ctx context.Context, tenant string, f *fact, till int64) error {
	r, err := s.d.DB.ExecContext(ctx, "UPDATE posture_facts SET till = $5 WHERE tenant = $1 AND kind = $2 AND subject = $3 AND since = $4 AND till = 0",
		tenant, f.kind, f.subject, f.since, till)
	return one(r, err)
}

// verdictCounts counts the requirements by verdict over all tenants' last rounds.
func (s *Store) bodiesNow(ctx context.Context, kind string) ([]string, error) {
	return all(ctx, s.d.DB, func(r row) (b string, err error) { return b, r.Scan(&b) }, "SELECT body FROM posture_facts WHERE kind = $1 AND till = 0", kind)
}

// lastJudged is when each tenant was judged last.
func (s *Store) lastJudged(ctx context.Context) (map[string]time.Time, error) {
	type pair struct {
		tenant string
		at     int64
	}
	list, err := all(ctx, s.d.DB, func(r row) (p pair, err error) { return p, r.Scan(&p.tenant, &p.at) },
		"SELECT tenant, MAX(last) FROM posture_rounds GROUP BY tenant")
	out := map[string]time.Time{}
	for _, p := range list {
		out[p.tenant] = db.Time(p.at)
	}
	return out, err
}

// Exceptions is the table of the exceptions, whose rows are marked.
var Exceptions = &vault.Book{Table: "exceptions", Version: 1, Key: []string{"id"},
	Columns: []string{"requirement", "accounts", "owner", "reason", "control", "added_by", "added", "expires", "state", "decided_by", "decided",
		"ended_by", "ended", "version"}}

// AttestationBook is the table of the kept attestations, whose rows are marked.
var AttestationBook = &vault.Book{Table: "attestations", Version: 1, Key: []string{"id"}, Columns: []string{"tenant", "body", "actor", "kept"}}

// Books are the tables whose rows are marked.
func Books() []*vault.Book { return []*vault.Book{Exceptions, AttestationBook} }

func (x *Exception) values() []any {
	return []any{x.ID, x.Requirement, x.accountsText(), x.Owner, x.Reason, x.Control, x.AddedBy, db.Micros(x.Added), db.Micros(x.Expires), string(x.State),
		x.DecidedBy, db.Micros(x.Decided), x.EndedBy, db.Micros(x.EndedAt), x.version}
}

const exceptionColumns = "id, requirement, accounts, owner, reason, control, added_by, added, expires, state, decided_by, decided, " +
	"ended_by, ended, version, mark"

func scanException(r row) (x Exception, err error) {
	var accounts string
	var added, expires, decided, ended int64
	if err := r.Scan(&x.ID, &x.Requirement, &accounts, &x.Owner, &x.Reason, &x.Control, &x.AddedBy, &added, &expires, &x.State, &x.DecidedBy,
		&decided, &x.EndedBy,
		&ended, &x.version, &x.mark); err != nil {
		return x, err
	}
	x.Added, x.Expires, x.Decided, x.EndedAt = db.Time(added), db.Time(expires), db.Time(decided), db.Time(ended)
	if err := json.Unmarshal([]byte(accounts), &x.Accounts); err != nil || x.Accounts == nil {
		x.Accounts = []string{"?"} // then its mark does not fit, and it names nobody
	}
	return x, nil
}

func (s *Store) exceptions(ctx context.Context) ([]Exception, error) {
	return all(ctx, s.d.DB, scanException, "SELECT "+exceptionColumns+" FROM exceptions ORDER BY id")
}

func (s *Store) exception(ctx context.Context, id string) (Exception, error) {
	x, err := scanException(s.d.DB.QueryRowContext(ctx, "SELECT "+exceptionColumns+" FROM exceptions WHERE id = $1", id))
	if errors.Is(err, sql.ErrNoRows) {
		return x, problem.New(problem.NotFound, "no exception has the id %.40q", id).WithHint("partnerguard exceptions list shows them with their ids")
	}
	if err == nil && x.ID != id {
		err = vault.Other(Exceptions, id)
	}
	return x, err
}

func (s *Store) countExceptions(ctx context.Context) (n int, err error) {
	return n, s.d.DB.QueryRowContext(ctx, "SELECT COUNT(*) FROM exceptions WHERE state <> 'ended'").Scan(&n)
}

func (s *Store) insertException(ctx context.Context, x *Exception) error {
	mark, err := s.d.Marks.Mark(ctx, Exceptions, x.values()...)
	if err != nil {
		return err
	}
	args := append(x.values(), mark)
	_, err = s.d.DB.ExecContext(ctx, "INSERT INTO exceptions ("+exceptionColumns+
		") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)", args...)
	return err
}

func (s *Store) updateException(ctx context.Context, x *Exception) error {
	was := x.version
	x.version++
	mark, err := s.d.Marks.Mark(ctx, Exceptions, x.values()...)
	if err != nil {
		return err
	}
	r, err := s.d.DB.ExecContext(ctx, `UPDATE exceptions SET state = $2, decided_by = $3, decided = $4, ended_by = $5, ended = $6, mark = $7, version = $8
		WHERE id = $1 AND version = $9`, x.ID, string(x.State), x.DecidedBy, db.Micros(x.Decided), x.EndedBy, db.Micros(x.EndedAt), mark, x.version, was)
	return one(r, err)
}

// keptStatement is a row of the attestations.
type keptStatement struct {
	id, tenant, body, actor string
	kept                    int64
	mark                    []byte
}

func (k *keptStatement) values() []any { return []any{k.id, k.tenant, k.body, k.actor, k.kept} }

func (s *Store) insertStatement(ctx context.Context, k *keptStatement) error {
	mark, err := s.d.Marks.Mark(ctx, AttestationBook, k.values()...)
	if err != nil {
		return err
	}
	_, err = s.d.DB.ExecContext(ctx, "INSERT INTO attestations (id, tenant, body, actor, kept, mark) VALUES ($1, $2, $3, $4, $5, $6)",
		append(k.values(), mark)...)
	return err
}

func (s *Store) deleteStatement(ctx context.Context, id string) error {
	r, err := s.d.DB.ExecContext(ctx, "DELETE FROM attestations WHERE id = $1", id)
	return one(r, err)
}

func (s *Store) statements(ctx context.Context) ([]keptStatement, error) {
	return all(ctx, s.d.DB, func(r row) (k keptStatement, err error) {
		return k, r.Scan(&k.id, &k.tenant, &k.body, &k.actor, &k.kept, &k.mark)
	}, "SELECT id, tenant, body, actor, kept, mark FROM attestations ORDER BY kept, id")
}

// The roll-ups of sign-ins.

type rolledDay struct {
	day                    string
	entries, rows, unasked int64
	body                   []byte
}

func scanRolled(r row) (d rolledDay, err error) {
	return d, r.Scan(&d.day, &d.entries, &d.rows, &d.unasked)
}

func (s *Store) rolledDays(ctx context.Context, tenant, since string) ([]rolledDay, error) {
	return all(ctx, s.d.DB, scanRolled, "SELECT day, entries, rows_in, unasked FROM posture_rollups WHERE tenant = $1 AND day >= $2 ORDER BY day",
		tenant, since)
}

func (s *Store) rolledBody(ctx context.Context, tenant, day string) (body []byte, err error) {
	err = s.d.DB.QueryRowContext(ctx, "SELECT body FROM posture_rollups WHERE tenant = $1 AND day = $2", tenant, day).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return body, err
}

func (s *Store) putRolled(ctx context.Context, tenant string, d *rolledDay) error {
	_, err := s.d.DB.ExecContext(ctx, `INSERT INTO posture_rollups (tenant, day, entries, rows_in, unasked, body) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (tenant, day) DO UPDATE SET entries = excluded.entries, rows_in = excluded.rows_in, unasked = excluded.unasked, body = excluded.body`,
		tenant, d.day, d.entries, d.rows, d.unasked, d.body)
	return err
}

// rejudgedRow is one moment that was judged again.
type rejudgedRow struct {
	run, tenant   string
	asOf, judged  time.Time
	book, program string
	err, body     string
}

func scanRejudged(r row) (x rejudgedRow, err error) {
	var asOf, judged int64
	err = r.Scan(&x.run, &x.tenant, &asOf, &judged, &x.book, &x.program, &x.err, &x.body)
	x.asOf, x.judged = db.Time(asOf), db.Time(judged)
	return x, err
}

// rejudged are the moments of a run, by tenant and time.
func (s *Store) rejudged(ctx context.Context, run string) ([]rejudgedRow, error) {
	return all(ctx, s.d.DB, scanRejudged,
		"SELECT run, tenant, as_of, judged, book, program, error, body FROM posture_rejudged WHERE run = $1 ORDER BY tenant, as_of", run)
}

func (s *Store) insertRejudged(ctx context.Context, x *rejudgedRow) error {
	_, err := s.d.DB.ExecContext(ctx, `INSERT INTO posture_rejudged (run, tenant, as_of, judged, book, program, error, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (run, tenant, as_of) DO NOTHING`, x.run, x.tenant, db.Micros(x.asOf), db.Micros(x.judged), x.book, x.program, x.err, x.body)
	return err
}

func (s *Store) countRejudged(ctx context.Context, run string) (done, failed int, err error) {
	err = s.d.DB.QueryRowContext(ctx, "SELECT COUNT(*), COALESCE(SUM(CASE WHEN error <> '' THEN 1 ELSE 0 END), 0) FROM posture_rejudged WHERE run = $1", run).
		Scan(&done, &failed)
	return done, failed, err
}

const rejudgeColumns = "id, began, since, until, step, span, tenants, total, book, program, actor"

func scanRejudge(r row) (x Rejudge, err error) {
	var began, since, until, step, span int64
	var tenants string
	if err := r.Scan(&x.ID, &began, &since, &until, &step, &span, &tenants, &x.Total, &x.Book, &x.Program, &x.Actor); err != nil {
		return x, err
	}
	x.Began, x.Since, x.Until, x.Step, x.Span = db.Time(began), db.Time(since), db.Time(until), time.Duration(step)*time.Second, time.Duration(span)*time.Second
	return x, json.Unmarshal([]byte(tenants), &x.Tenants)
}

func (s *Store) rejudges(ctx context.Context) ([]Rejudge, error) {
	return all(ctx, s.d.DB, scanRejudge, "SELECT "+rejudgeColumns+" FROM posture_rejudges ORDER BY began DESC, id")
}

func (s *Store) rejudge(ctx context.Context, id string) (Rejudge, error) {
	x, err := scanRejudge(s.d.DB.QueryRowContext(ctx, "SELECT "+rejudgeColumns+" FROM posture_rejudges WHERE id = $1", id))
	if errors.Is(err, sql.ErrNoRows) {
		return x, problem.New(problem.NotFound, "nothing was judged again under the id %.40q", id).WithHint("partnerguard rejudge list shows what was")
	}
	return x, err
}

func (s *Store) insertRejudge(ctx context.Context, x *Rejudge) error {
	tenants, err := json.Marshal(x.Tenants)
	if err != nil {
		return err
	}
	_, err = s.d.DB.ExecContext(ctx, "INSERT INTO posture_rejudges ("+rejudgeColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)", x.ID,
		db.Micros(x.Began), db.Micros(x.Since), db.Micros(x.Until), int64(x.Step/time.Second), int64(x.Span/time.Second), string(tenants), x.Total, x.Book,
		x.Program, x.Actor)
	return err
}

// forgetFailed takes away the moments of a run that could not be judged.
func (s *Store) forgetFailed(ctx context.Context, run string) error {
	_, err := s.d.DB.ExecContext(ctx, "DELETE FROM posture_rejudged WHERE run = $1 AND error <> ''", run)
	return err
}

// momentsDone are the moments of a tenant that a run has judged, in seconds.
func (s *Store) momentsDone(ctx context.Context, run, tenant string) (map[int64]bool, error) {
	list, err := all(ctx, s.d.DB, func(r row) (at int64, err error) { return at, r.Scan(&at) },
		"SELECT as_of FROM posture_rejudged WHERE run = $1 AND tenant = $2", run, tenant)
	out := map[int64]bool{}
	for _, at := range list {
		out[db.Time(at).Unix()] = true
	}
	return out, err
}
