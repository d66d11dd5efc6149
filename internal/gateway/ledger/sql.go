package ledger

import (
	"context"
	"strconv"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
)

// rowsOf names what the rows are of, in errors.
const rowsOf = db.Kept("what the gateway decided")

const keyColumns = "hour, route, reason, mode, refused, kind, tenant, caller, client, agent, way, excused"

// put adds counts to what is kept, in the transaction that ctx carries.
func (l *Ledger) put(ctx context.Context, rows []Sum) error {
	for i := range rows {
		s := &rows[i]
		_, err := l.d.DB.ExecContext(ctx, `INSERT INTO gateway_decisions (`+keyColumns+`, account, n, first_at, last_at, told)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 0)
			ON CONFLICT (`+keyColumns+`) DO UPDATE SET n = gateway_decisions.n + excluded.n,
				account = CASE WHEN excluded.account = '' THEN gateway_decisions.account ELSE excluded.account END,
				first_at = CASE WHEN excluded.first_at < gateway_decisions.first_at THEN excluded.first_at ELSE gateway_decisions.first_at END,
				last_at = CASE WHEN excluded.last_at > gateway_decisions.last_at THEN excluded.last_at ELSE gateway_decisions.last_at END`,
			s.Hour, s.Route, s.Reason, s.Mode, b2i(s.Refused), s.Kind, s.Tenant, s.Caller, s.Client, s.Agent, s.Way, s.Excused, s.Account, s.N,
			db.Micros(s.First), db.Micros(s.Last))
		if err != nil {
			return rowsOf.Failed(err)
		}
	}
	return nil
}

func b2i(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func scanSum(r db.Row) (s Sum, err error) {
	var refused, first, last int64
	err = r.Scan(&s.Hour, &s.Route, &s.Reason, &s.Mode, &refused, &s.Kind, &s.Tenant, &s.Caller, &s.Client, &s.Agent, &s.Way, &s.Excused, &s.Account, &s.N,
		&first, &last)
	s.Refused, s.First, s.Last = refused == 1, db.Time(first), db.Time(last)
	return s, err
}

// most is how many rows a report reads; beyond, a shorter time is to be asked for.
const most = 500_000

// sums are the counts from an hour to another, that one too, added up over the hours. route
// "" is all of them.
func (l *Ledger) sums(ctx context.Context, from, to int64, route string) ([]Sum, error) {
	list, err := db.All(ctx, l.d.DB, rowsOf, scanSum, `SELECT MIN(hour), route, reason, mode, refused, kind, tenant, caller, client, agent, way, excused,
			MAX(account), CAST(SUM(n) AS bigint), MIN(first_at), MAX(last_at) FROM gateway_decisions
		WHERE hour >= $1 AND hour <= $2 AND ($3 = '' OR route = $3)
		GROUP BY route, reason, mode, refused, kind, tenant, caller, client, agent, way, excused
		ORDER BY route, reason, mode, refused, kind, tenant, caller, client, agent, way, excused LIMIT `+strconv.Itoa(most), from, to, route)
	if err == nil && len(list) == most {
		return nil, problem.New(problem.Limit, "there is more than a report takes").WithHint("ask for a shorter time, or one route")
	}
	return list, err
}

// hours are the requests of each hour from one on: all, those that are not well, and those
// that were refused.
func (l *Ledger) hours(ctx context.Context, from int64, route string) ([]Hour, error) {
	return db.All(ctx, l.d.DB, rowsOf, func(r db.Row) (h Hour, err error) {
		var hour int64
		err = r.Scan(&hour, &h.Requests, &h.NotWell, &h.Refused)
		h.At = time.Unix(hour*3600, 0).UTC()
		return h, err
	}, `SELECT hour, CAST(SUM(n) AS bigint), CAST(SUM(CASE WHEN reason = 'passed' OR excused <> '' THEN 0 ELSE n END) AS bigint),
			CAST(SUM(refused * n) AS bigint) FROM gateway_decisions WHERE hour >= $1 AND ($2 = '' OR route = $2) GROUP BY hour ORDER BY hour`, from, route)
}

// untold is the first hour before one that has refusals which the trail has not; -1: none.
func (l *Ledger) untold(ctx context.Context, before int64) (hour int64, err error) {
	err = l.d.DB.QueryRowContext(ctx, "SELECT COALESCE(MIN(hour), -1) FROM gateway_decisions WHERE refused = 1 AND told < n AND hour < $1", before).Scan(&hour)
	return hour, rowsOf.Failed(err)
}

// take gives what the trail has not of an hour, those who proved who they are first, and
// writes down that it has it, in the transaction that ctx carries. The first statement holds others off the rows.
func (l *Ledger) take(ctx context.Context, hour int64) ([]Sum, error) {
	const of = " WHERE hour = $1 AND refused = 1 AND told < n"
	if _, err := l.d.DB.ExecContext(ctx, "UPDATE gateway_decisions SET told = told"+of, hour); err != nil {
		return nil, rowsOf.Failed(err)
	}
	list, err := db.All(ctx, l.d.DB, rowsOf, scanSum, `SELECT MIN(hour), route, reason, '', 1, kind, tenant, caller, client, '', '', '', MAX(account),
			CAST(SUM(n - told) AS bigint), MIN(first_at), MAX(last_at) FROM gateway_decisions`+of+`
		GROUP BY route, reason, kind, tenant, caller, client
		ORDER BY CASE WHEN kind IN ('user', 'app') THEN 0 ELSE 1 END, 14 DESC, route, reason, kind, tenant, caller, client`, hour)
	if err != nil {
		return nil, err
	}
	_, err = l.d.DB.ExecContext(ctx, "UPDATE gateway_decisions SET told = n"+of, hour)
	return list, rowsOf.Failed(err)
}

// forget removes what is older than an hour.
func (l *Ledger) forget(ctx context.Context, before int64) error {
	_, err := l.d.DB.ExecContext(ctx, "DELETE FROM gateway_decisions WHERE hour < $1", before)
	return rowsOf.Failed(err)
}

// whose are the accounts of a name, or of an object id: tenant and object id.
func (l *Ledger) whose(ctx context.Context, name string) ([][2]string, error) {
	return db.All(ctx, l.d.DB, rowsOf, func(r db.Row) (w [2]string, err error) { return w, r.Scan(&w[0], &w[1]) },
		`SELECT DISTINCT tenant, caller FROM gateway_decisions WHERE kind = 'user' AND (LOWER(account) = LOWER($1) OR caller = LOWER($1))
		ORDER BY tenant, caller LIMIT 5`, name)
}
