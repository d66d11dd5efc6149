//go:build !judge

package collect

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/evidence"
)

// cursor is how far the reading of one resource in one tenant is.
type cursor struct {
	tenant, resource string

	// The run under way.
	run      string
	began    time.Time
	position string
	pages    int
	from, to time.Time // of a log
	flaw     string    // why it will not be whole

	// What is behind.
	covered   time.Time // of a log: all before it was read
	delta     string
	base      string
	whole     time.Time
	wholeRun  string
	wholeSize int // pages of that run
	tried     time.Time
	tries     int
	words     string
	refused   evidence.GapReason
	needs     string
	refusedAt time.Time

	due time.Time
}

const cursorColumns = `tenant, resource, run, began_at, position, pages, span_from, span_to, flaw, covered_at, delta, base, due_at, whole_at, whole_run,
	whole_pages, tried_at, tries, words, refused, needs, refused_at`

func scanCursor(row interface{ Scan(...any) error }) (c cursor, err error) {
	var began, from, to, covered, due, whole, tried, refusedAt int64
	var refused string
	err = row.Scan(&c.tenant, &c.resource, &c.run, &began, &c.position, &c.pages, &from, &to, &c.flaw, &covered, &c.delta, &c.base, &due, &whole, &c.wholeRun,
		&c.wholeSize, &tried, &c.tries, &c.words, &refused, &c.needs, &refusedAt)
	c.began, c.from, c.to, c.covered, c.due = db.Time(began), db.Time(from), db.Time(to), db.Time(covered), db.Time(due)
	c.whole, c.tried, c.refusedAt, c.refused = db.Time(whole), db.Time(tried), db.Time(refusedAt), evidence.GapReason(refused)
	return c, err
}

// cursors are those of a tenant, or of all with "", by resource.
func (s *Store) cursors(ctx context.Context, tenant string) (out []cursor, err error) {
	query, args := "SELECT "+cursorColumns+" FROM collect_cursors", []any{}
	if tenant != "" { // by its index: there may be thousands of tenants
		query, args = query+" WHERE tenant = $1", append(args, tenant)
	}
	rows, err := s.db.QueryContext(ctx, query+" ORDER BY tenant, resource", args...)
	if err != nil {
		return nil, fmt.Errorf("read how far the lists are: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		c, err := scanCursor(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// putCursor writes how far a reading is.
func (s *Store) putCursor(ctx context.Context, c *cursor) error {
	_, err := s.db.ExecContext(ctx, "INSERT INTO collect_cursors ("+cursorColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
		ON CONFLICT (tenant, resource) DO UPDATE SET run = excluded.run, began_at = excluded.began_at, position = excluded.position, pages = excluded.pages,
		span_from = excluded.span_from, span_to = excluded.span_to, flaw = excluded.flaw, covered_at = excluded.covered_at, delta = excluded.delta,
		base = excluded.base, due_at = excluded.due_at, whole_at = excluded.whole_at, whole_run = excluded.whole_run, whole_pages = excluded.whole_pages, tried_at = excluded.tried_at,
		tries = excluded.tries, words = excluded.words, refused = excluded.refused, needs = excluded.needs, refused_at = excluded.refused_at`,
		c.tenant, c.resource, c.run, db.Micros(c.began), c.position, c.pages, db.Micros(c.from), db.Micros(c.to), c.flaw, db.Micros(c.covered), c.delta, c.base,
		db.Micros(c.due), db.Micros(c.whole), c.wholeRun, c.wholeSize, db.Micros(c.tried), c.tries, c.words, string(c.refused), c.needs, db.Micros(c.refusedAt))
	if err != nil {
		return fmt.Errorf("keep how far %s is: %w", c.resource, err)
	}
	return nil
}

// lease is who reads a tenant.
type lease struct {
	owner       string
	turn, beats int64
}

func (s *Store) leaseOf(ctx context.Context, tenant string) (l lease, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT owner, turn, beats FROM collect_leases WHERE tenant = $1", tenant).Scan(&l.owner, &l.turn, &l.beats)
	if errors.Is(err, sql.ErrNoRows) {
		return lease{}, nil
	}
	if err != nil {
		return l, fmt.Errorf("read who is at a tenant: %w", err)
	}
	return l, nil
}

// takeLease takes the place of old, as it was seen; false where it changed since.
func (s *Store) takeLease(ctx context.Context, tenant, owner string, old lease) (bool, error) {
	if old == (lease{}) {
		return changed(s.db.ExecContext(ctx, `INSERT INTO collect_leases (tenant, owner, turn, beats) VALUES ($1, $2, 1, 1)
			ON CONFLICT (tenant) DO NOTHING`, tenant, owner))
	}
	return changed(s.db.ExecContext(ctx, `UPDATE collect_leases SET owner = $2, turn = turn + 1, beats = beats + 1
		WHERE tenant = $1 AND owner = $3 AND turn = $4 AND beats = $5`, tenant, owner, old.owner, old.turn, old.beats))
}

// beat says that the owner lives; false where another took its place.
func (s *Store) beat(ctx context.Context, tenant, owner string, turn int64) (bool, error) {
	return changed(s.db.ExecContext(ctx, "UPDATE collect_leases SET beats = beats + 1 WHERE tenant = $1 AND owner = $2 AND turn = $3", tenant, owner, turn))
}

// endLease gives the tenant up, where it is still held.
func (s *Store) endLease(ctx context.Context, tenant, owner string, turn int64) error {
	_, err := s.db.ExecContext(ctx, "UPDATE collect_leases SET owner = '', beats = beats + 1 WHERE tenant = $1 AND owner = $2 AND turn = $3",
		tenant, owner, turn)
	return err
}

func changed(r sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n > 0, err
}

const gapColumns = "tenant, resource, item, from_at, to_at, since_at, closed_at, lost, reason, why, can, needs, request, run, tried_at"

// gapRow is a gap as it is kept.
type gapRow struct {
	evidence.Gap
	run           string // that noticed it last
	closed, tried time.Time
}

// gapRows are the gaps of a tenant, or of all with "", that were open at a moment. One
// that is open and was noticed in the future, by a clock that was wrong, is open always,
// and one that was closed in the future is closed.
func (s *Store) gapRows(ctx context.Context, tenant string, at time.Time) (out []gapRow, err error) {
	whose, args := "", []any{db.Micros(at), db.Micros(s.now())}
	if tenant != "" {
		whose, args = "tenant = $3 AND ", append(args, tenant)
	}
	return scanGaps(s.db.QueryContext(ctx, "SELECT "+gapColumns+" FROM collect_gaps WHERE "+whose+`((closed_at = 0 OR closed_at > $1
		AND closed_at <= $2) AND since_at <= $1 OR closed_at = 0 AND since_at > $2) ORDER BY tenant, resource, item, from_at, to_at, since_at`, args...))
}

// openGaps are those of a resource that are open, whatever the clock says.
func (s *Store) openGaps(ctx context.Context, tenant, resource string) ([]gapRow, error) {
	return scanGaps(s.db.QueryContext(ctx, "SELECT "+gapColumns+` FROM collect_gaps WHERE tenant = $1 AND resource = $2 AND closed_at = 0
		ORDER BY item, from_at, to_at, since_at`, tenant, resource))
}

func scanGaps(rows *sql.Rows, err error) (out []gapRow, _ error) {
	if err != nil {
		return nil, fmt.Errorf("read the gaps: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var g gapRow
		var from, to, since, closed, lost, tried int64
		var reason string
		if err := rows.Scan(&g.Tenant, &g.Resource, &g.Of, &from, &to, &since, &closed, &lost, &reason, &g.Why, &g.Can, &g.Needs, &g.Request, &g.run,
			&tried); err != nil {
			return nil, err
		}
		g.From, g.To, g.Since, g.closed, g.tried = db.Time(from), db.Time(to), db.Time(since), db.Time(closed), db.Time(tried)
		g.Lost, g.Reason = lost != 0, evidence.GapReason(reason)
		out = append(out, g)
	}
	return out, rows.Err()
}

// What a list of all tenants wants, a statement each.
const (
	sumCursors = `SELECT tenant, CAST(sum(CASE WHEN whole_at > 0 OR covered_at > 0 THEN 1 ELSE 0 END) AS bigint),
		CAST(sum(CASE WHEN refused <> '' THEN 1 ELSE 0 END) AS bigint), CAST(sum(CASE WHEN refused = '' AND tries > 0 THEN 1 ELSE 0 END) AS bigint),
		min(CASE WHEN refused <> '' THEN NULL WHEN covered_at > whole_at THEN covered_at WHEN whole_at > 0 THEN whole_at END)
		FROM collect_cursors GROUP BY tenant`
	sumGaps     = "SELECT tenant, count(*), CAST(sum(lost) AS bigint) FROM collect_gaps WHERE closed_at = 0 GROUP BY tenant"
	leasesTaken = "SELECT tenant, owner FROM collect_leases WHERE owner <> ''"
	dueNow      = "UPDATE collect_cursors SET due_at = 0 WHERE tenant = $1"
	healedGaps  = "SELECT " + gapColumns + ` FROM collect_gaps WHERE tenant = $1 AND closed_at >= $2 AND reason <> $3
		ORDER BY closed_at DESC, resource LIMIT 200`
)

// putGap writes a gap; the same one that is open already stays as it was noticed first.
func (s *Store) putGap(ctx context.Context, g *gapRow) error {
	lost := 0
	if g.Lost {
		lost = 1
	}
	_, err := s.db.ExecContext(ctx, "INSERT INTO collect_gaps ("+gapColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
		ON CONFLICT (tenant, resource, item, from_at, to_at, since_at) DO UPDATE SET closed_at = excluded.closed_at, lost = excluded.lost,
		reason = excluded.reason, why = excluded.why, can = excluded.can, needs = excluded.needs, request = excluded.request,
		run = excluded.run, tried_at = excluded.tried_at`,
		g.Tenant, g.Resource, g.Of, db.Micros(g.From), db.Micros(g.To), db.Micros(g.Since), db.Micros(g.closed), lost, string(g.Reason), g.Why, g.Can, g.Needs,
		g.Request, g.run, db.Micros(g.tried))
	if err != nil {
		return fmt.Errorf("write a gap of %s: %w", g.Resource, err)
	}
	return nil
}

const tenantColumns = "tenant, domain, name, partner, risk, seen_at, gone_at, last_at, accounts, words"

// tenantRows are the tenants that a word names, an id, a domain or "partner", or all with
// "".
func (s *Store) tenantRows(ctx context.Context, which string) (out []Tenant, err error) {
	rows, err := s.db.QueryContext(ctx, "SELECT "+tenantColumns+` FROM collect_tenants WHERE $1 = '' OR tenant = $1 OR domain = $1 OR partner = 1 AND $1 = 'partner'
		ORDER BY partner DESC, risk DESC, last_at, tenant`, which)
	if err != nil {
		return nil, fmt.Errorf("read the tenants: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var t Tenant
		var partner, seen, gone, last int64
		if err := rows.Scan(&t.ID, &t.Domain, &t.Name, &partner, &t.Risk, &seen, &gone, &last, &t.accounts, &t.Words); err != nil {
			return nil, err
		}
		t.Partner, t.Seen, t.Gone, t.Last = partner != 0, db.Time(seen), db.Time(gone), db.Time(last)
		out = append(out, t)
	}
	return out, rows.Err()
}

// putTenant writes who a tenant is; what is known of its rounds stays.
func (s *Store) putTenant(ctx context.Context, t *Tenant) error {
	partner := 0
	if t.Partner {
		partner = 1
	}
	_, err := s.db.ExecContext(ctx, "INSERT INTO collect_tenants ("+tenantColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, '')
		ON CONFLICT (tenant) DO UPDATE SET domain = excluded.domain, name = excluded.name, partner = excluded.partner, risk = excluded.risk,
		seen_at = excluded.seen_at, gone_at = excluded.gone_at`,
		t.ID, t.Domain, t.Name, partner, t.Risk, db.Micros(t.Seen), db.Micros(t.Gone))
	if err != nil {
		return fmt.Errorf("keep a tenant: %w", err)
	}
	return nil
}

// addAccounts counts accounts of a tenant that were read; anew begins the count again.
func (s *Store) addAccounts(ctx context.Context, tenant string, n int, anew bool) error {
	keep := 1
	if anew {
		keep = 0
	}
	_, err := s.db.ExecContext(ctx, "UPDATE collect_tenants SET accounts = accounts * $2 + $3 WHERE tenant = $1", tenant, keep, n)
	if err != nil {
		return fmt.Errorf("count the accounts: %w", err)
	}
	return nil
}

// putRound writes how a tenant's last round ended.
func (s *Store) putRound(ctx context.Context, tenant string, at time.Time, words string) error {
	_, err := s.db.ExecContext(ctx, "UPDATE collect_tenants SET last_at = $2, words = $3 WHERE tenant = $1", tenant, db.Micros(at), words)
	if err != nil {
		return fmt.Errorf("keep the end of a round: %w", err)
	}
	return nil
}
