package alert

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/notify"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

type row interface{ Scan(...any) error }

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

const alertColumns = "id, source, key, kind, severity, tenant, state, opened, changed, resolved, told, body, steps"

func scanAlert(r row) (a Alert, err error) {
	var id, source, key, kind, severity, tenant, state, body, at string
	var opened, changed, ended, told int64
	if err := r.Scan(&id, &source, &key, &kind, &severity, &tenant, &state, &opened, &changed, &ended, &told, &body, &at); err != nil {
		return a, err
	}
	if err := errors.Join(json.Unmarshal([]byte(body), &a.Finding), json.Unmarshal([]byte(at), &a.steps)); err != nil {
		a.Finding = Finding{Title: "this alert is damaged: something else wrote into the database"} // and the next look mends it
	}
	a.ID, a.Source, a.Key, a.Kind, a.Severity, a.Tenant, a.State = id, source, key, Kind(kind), notify.Severity(severity), tenant, state
	a.Opened, a.Changed, a.Resolved, a.Told = db.Time(opened), db.Time(changed), db.Time(ended), db.Time(told)
	return a, nil
}

func (s *Store) alerts(ctx context.Context, state string, since time.Time, limit int) ([]Alert, error) {
	q, args := "SELECT "+alertColumns+" FROM alerts WHERE state = $1 AND changed >= $2 ORDER BY changed DESC, id", []any{state, db.Micros(since)}
	if limit > 0 {
		q, args = q+" LIMIT $3", append(args, limit)
	}
	return all(ctx, s.d.DB, scanAlert, q, args...)
}

func (s *Store) alert(ctx context.Context, id string) (Alert, error) {
	a, err := scanAlert(s.d.DB.QueryRowContext(ctx, "SELECT "+alertColumns+" FROM alerts WHERE id = $1", id))
	if errors.Is(err, sql.ErrNoRows) {
		err = problem.New(problem.NotFound, "no alert has the id %.40q", id).WithHint("partnerguard notify list shows them with their ids")
	}
	return a, err
}

// insertAlert opens an alert; false: one of its cause is open already.
func (s *Store) insertAlert(ctx context.Context, a *Alert) (bool, error) {
	body, err := json.Marshal(&a.Finding)
	if err != nil {
		return false, err
	}
	r, err := s.d.DB.ExecContext(ctx, "INSERT INTO alerts ("+alertColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, $10, '{}') "+
		"ON CONFLICT (key) WHERE state = 'open' DO NOTHING", a.ID, a.Source, a.Key, string(a.Kind), string(a.Severity), a.Tenant, a.State,
		db.Micros(a.Opened), db.Micros(a.Changed), string(body))
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n == 1, err
}

func (s *Store) updateAlert(ctx context.Context, a *Alert) error {
	body, err := json.Marshal(&a.Finding)
	if err != nil {
		return err
	}
	at, err := json.Marshal(&a.steps)
	if err != nil {
		return err
	}
	_, err = s.d.DB.ExecContext(ctx, "UPDATE alerts SET severity = $2, tenant = $3, state = $4, changed = $5, resolved = $6, told = $7, body = $8, "+
		"steps = $9, kind = $10, source = $11 WHERE id = $1", a.ID, string(a.Severity), a.Tenant, a.State, db.Micros(a.Changed), db.Micros(a.Resolved),
		db.Micros(a.Told), string(body), string(at), string(a.Kind), a.Source)
	return err
}

// note adds a line to an alert's life.
func (s *Store) note(ctx context.Context, alert, what, actor, words string) error {
	_, err := s.d.DB.ExecContext(ctx, "INSERT INTO alert_events (alert, n, at, what, actor, words) SELECT $1, COALESCE(MAX(n), 0) + 1, $2, $3, $4, $5 "+
		"FROM alert_events WHERE alert = $6", alert, db.Micros(s.now()), what, actor, notify.Plain(words, 500), alert)
	return err
}

func (s *Store) events(ctx context.Context, alert string) ([]Happening, error) {
	return all(ctx, s.d.DB, func(r row) (h Happening, err error) {
		var at int64
		err = r.Scan(&h.N, &at, &h.What, &h.Actor, &h.Words)
		h.At = db.Time(at)
		return h, err
	}, "SELECT n, at, what, actor, words FROM alert_events WHERE alert = $1 ORDER BY n", alert)
}

// Acts is the table of what people did about alerts, whose rows are marked.
var Acts = &vault.Book{Table: "alert_acts", Version: 1, Key: []string{"alert"},
	Columns: []string{"acked", "acker", "until", "snoozer", "why", "version"}}

// Feeds is the table of the calendars, whose rows are marked.
var Feeds = &vault.Book{Table: "alert_feeds", Version: 1, Key: []string{"id"}, Columns: []string{"hash", "owner", "name", "tenants", "made", "ended"}}

// Books are the tables whose rows are marked.
func Books() []*vault.Book { return []*vault.Book{Acts, Feeds} }

// act is what people did about one alert.
type act struct {
	alert, acker, snoozer, why string
	acked, until               time.Time
	version                    int64
	mark                       []byte
}

func (x *act) values() []any {
	return []any{x.alert, db.Micros(x.acked), x.acker, db.Micros(x.until), x.snoozer, x.why, x.version}
}

const actColumns = "alert, acked, acker, until, snoozer, why, version, mark"

func scanAct(r row) (x act, err error) {
	var acked, until int64
	err = r.Scan(&x.alert, &acked, &x.acker, &until, &x.snoozer, &x.why, &x.version, &x.mark)
	x.acked, x.until = db.Time(acked), db.Time(until)
	return x, err
}

// acts are those of the open alerts and of what was resolved lately, by alert.
func (s *Store) acts(ctx context.Context) (map[string]act, error) {
	list, err := all(ctx, s.d.DB, scanAct, "SELECT "+actColumns+" FROM alert_acts")
	out := make(map[string]act, len(list))
	for _, x := range list {
		out[x.alert] = x
	}
	return out, err
}

// actOf is what was done about one alert; a row that does not hold is as none.
func (s *Store) actOf(ctx context.Context, alert string) (act, error) {
	x, err := scanAct(s.d.DB.QueryRowContext(ctx, "SELECT "+actColumns+" FROM alert_acts WHERE alert = $1", alert))
	if errors.Is(err, sql.ErrNoRows) {
		return act{alert: alert}, nil
	}
	if err != nil {
		return x, err
	}
	if err := s.d.Marks.Fits(ctx, Acts, x.mark, x.values()...); errors.Is(err, vault.ErrForged) {
		return act{alert: alert, version: x.version}, nil
	} else if err != nil {
		return x, err
	}
	return x, nil
}

func (s *Store) putAct(ctx context.Context, x *act) error {
	x.version++
	mark, err := s.d.Marks.Mark(ctx, Acts, x.values()...)
	if err != nil {
		return err
	}
	_, err = s.d.DB.ExecContext(ctx, "INSERT INTO alert_acts ("+actColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (alert) DO UPDATE SET "+
		"acked = excluded.acked, acker = excluded.acker, until = excluded.until, snoozer = excluded.snoozer, why = excluded.why, "+
		"version = excluded.version, mark = excluded.mark", append(x.values(), mark)...)
	return err
}

// queued is what waits for a channel.
type queued struct {
	channel, alert, what string
	since, due           time.Time
	digest               bool
}

func (s *Store) queue(ctx context.Context) ([]queued, error) {
	return all(ctx, s.d.DB, func(r row) (q queued, err error) {
		var since, due int64
		var digest int
		err = r.Scan(&q.channel, &q.alert, &q.what, &since, &due, &digest)
		q.since, q.due, q.digest = db.Time(since), db.Time(due), digest != 0
		return q, err
	}, "SELECT channel, alert, what, since, due, digest FROM alert_queue ORDER BY channel, since, alert")
}

func (s *Store) putQueued(ctx context.Context, q *queued) error {
	digest := 0
	if q.digest {
		digest = 1
	}
	_, err := s.d.DB.ExecContext(ctx, "INSERT INTO alert_queue (channel, alert, what, since, due, digest) VALUES ($1, $2, $3, $4, $5, $6) "+
		"ON CONFLICT (channel, alert) DO UPDATE SET what = excluded.what, due = excluded.due, digest = excluded.digest", q.channel, q.alert, q.what,
		db.Micros(q.since), db.Micros(q.due), digest)
	return err
}

func (s *Store) dropQueued(ctx context.Context, q *queued) error {
	_, err := s.d.DB.ExecContext(ctx, "DELETE FROM alert_queue WHERE channel = $1 AND alert = $2", q.channel, q.alert)
	return err
}

// forgetBefore takes away what was resolved long ago.
func (s *Store) forgetBefore(ctx context.Context, at time.Time) error {
	const old = "(SELECT id FROM alerts WHERE state = 'resolved' AND resolved < $1)"
	for _, q := range []string{"DELETE FROM alert_events WHERE alert IN " + old, "DELETE FROM alert_acts WHERE alert IN " + old,
		"DELETE FROM alert_queue WHERE alert IN " + old, "DELETE FROM alerts WHERE state = 'resolved' AND resolved < $1"} {
		if _, err := s.d.DB.ExecContext(ctx, q, db.Micros(at)); err != nil {
			return err
		}
	}
	return nil
}

// The causes that judgements found.

func (s *Store) cursor(ctx context.Context, tenant string) (round int64, err error) {
	err = s.d.DB.QueryRowContext(ctx, "SELECT round FROM alert_cursors WHERE tenant = $1", tenant).Scan(&round)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return round, err
}

func (s *Store) putCursor(ctx context.Context, tenant string, round int64) error {
	_, err := s.d.DB.ExecContext(ctx, "INSERT INTO alert_cursors (tenant, round) VALUES ($1, $2) ON CONFLICT (tenant) DO UPDATE SET round = excluded.round",
		tenant, round)
	return err
}

func (s *Store) causes(ctx context.Context, tenant string) ([]Culprit, error) {
	return all(ctx, s.d.DB, func(r row) (c Culprit, err error) {
		var body string
		if err := r.Scan(&body); err != nil {
			return c, err
		}
		if err := json.Unmarshal([]byte(body), &c); err != nil {
			return c, problem.Wrap(err, problem.BadInput, "a kept cause is damaged")
		}
		return c, nil
	}, "SELECT body FROM alert_causes WHERE tenant = $1 ORDER BY key", tenant)
}

func (s *Store) putCause(ctx context.Context, tenant string, c *Culprit) error {
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = s.d.DB.ExecContext(ctx, "INSERT INTO alert_causes (key, tenant, body) VALUES ($1, $2, $3) ON CONFLICT (key) DO UPDATE SET body = excluded.body",
		c.Key, tenant, string(body))
	return err
}

func (s *Store) dropCause(ctx context.Context, key string) error {
	_, err := s.d.DB.ExecContext(ctx, "DELETE FROM alert_causes WHERE key = $1", key)
	return err
}

// The calendars.

const feedColumns = "id, hash, owner, name, tenants, made, ended, mark"

// feedRow is a calendar as it is kept.
type feedRow struct {
	Feed
	hash, tenants string
	mark          []byte
}

func (f *feedRow) values() []any {
	return []any{f.ID, f.hash, f.Owner, f.Name, f.tenants, db.Micros(f.Made), db.Micros(f.Ended)}
}

func scanFeed(r row) (f feedRow, err error) {
	var made, ended int64
	if err := r.Scan(&f.ID, &f.hash, &f.Owner, &f.Name, &f.tenants, &made, &ended, &f.mark); err != nil {
		return f, err
	}
	f.Made, f.Ended = db.Time(made), db.Time(ended)
	if err := json.Unmarshal([]byte(f.tenants), &f.Tenants); err != nil {
		f.Tenants = []string{} // then its mark does not fit either
	}
	return f, nil
}

func (s *Store) feeds(ctx context.Context) ([]feedRow, error) {
	return all(ctx, s.d.DB, scanFeed, "SELECT "+feedColumns+" FROM alert_feeds ORDER BY made, id")
}

func (s *Store) feedBy(ctx context.Context, column, value string) (feedRow, error) {
	f, err := scanFeed(s.d.DB.QueryRowContext(ctx, fmt.Sprintf("SELECT "+feedColumns+" FROM alert_feeds WHERE %s = $1", column), value))
	if errors.Is(err, sql.ErrNoRows) {
		err = problem.New(problem.NotFound, "there is no such calendar").WithHint("partnerguard notify feed list shows them")
	}
	return f, err
}

func (s *Store) putFeed(ctx context.Context, f *feedRow) error {
	mark, err := s.d.Marks.Mark(ctx, Feeds, f.values()...)
	if err != nil {
		return err
	}
	_, err = s.d.DB.ExecContext(ctx, "INSERT INTO alert_feeds ("+feedColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "+
		"ON CONFLICT (id) DO UPDATE SET ended = excluded.ended, mark = excluded.mark", append(f.values(), mark)...)
	return err
}

// entry is how often an entry of the calendars changed.
type entry struct {
	digest   string
	sequence int64
	changed  time.Time
}

func (s *Store) entries(ctx context.Context) (map[string]entry, error) {
	type keyed struct {
		uid string
		entry
	}
	list, err := all(ctx, s.d.DB, func(r row) (k keyed, err error) {
		var changed int64
		err = r.Scan(&k.uid, &k.digest, &k.sequence, &changed)
		k.changed = db.Time(changed)
		return k, err
	}, "SELECT uid, digest, sequence, changed FROM alert_calendar")
	out := make(map[string]entry, len(list))
	for _, k := range list {
		out[k.uid] = k.entry
	}
	return out, err
}

func (s *Store) putEntry(ctx context.Context, uid string, e *entry) error {
	_, err := s.d.DB.ExecContext(ctx, "INSERT INTO alert_calendar (uid, digest, sequence, changed) VALUES ($1, $2, $3, $4) ON CONFLICT (uid) DO UPDATE SET "+
		"digest = excluded.digest, sequence = excluded.sequence, changed = excluded.changed", uid, e.digest, e.sequence, db.Micros(e.changed))
	return err
}
