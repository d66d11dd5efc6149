//go:build !judge

package desk

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/fraud"
	"partnerguard/internal/vault"
)

// Whoever writes such a row has people answer for another alert, or hear of none.
var (
	alertBook = &vault.Book{Table: "fraud_alerts", Version: 1, Key: []string{"id"}, Columns: []string{"graph_id", "event_id", "body", "settled", "seen",
		"aged", "gone"}}
	caseBook   = &vault.Book{Table: "fraud_cases", Version: 1, Key: []string{"alert"}, Columns: []string{"body", "version"}}
	answerBook = &vault.Book{Table: "fraud_answers", Version: 1, Key: []string{"alert"}, Columns: []string{"state", "body", "version"}}
	pullBook   = &vault.Book{Table: "fraud_pulls", Version: 1, Key: []string{"source"}, Columns: []string{"first"}}
)

// Books are the tables whose rows are marked.
func Books() []*vault.Book { return []*vault.Book{alertBook, caseBook, answerBook, pullBook} }

// rowsOf names what the rows are of, in errors.
const rowsOf = db.Kept("the desk of fraud alerts")

var errStale = db.ErrStale

type row = db.Row

func failed(err error) error { return rowsOf.Failed(err) }

func one(r sql.Result, err error) error { return rowsOf.One(r, err) }

func all[T any](ctx context.Context, d *db.DB, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	return db.All(ctx, d, rowsOf, scan, query, args...)
}

// kept is an alert as its row has it.
type kept struct {
	fraud.Alert
	settled time.Time // since when it stands as it does
	seen    time.Time
	gone    time.Time
	aged    bool
	raw     string
	mark    []byte
}

const alertColumns = "id, graph_id, event_id, body, settled, seen, aged, gone"

func (k *kept) values() []any {
	aged := int64(0)
	if k.aged {
		aged = 1
	}
	return []any{k.ID, k.GraphID, k.EventID, k.raw, db.Micros(k.settled), db.Micros(k.seen), aged, db.Micros(k.gone)}
}

// write makes the row's text of what it is now.
func (k *kept) write() error {
	b, err := json.Marshal(&k.Alert)
	k.raw = string(b)
	return err
}

func scanAlert(s row) (k kept, err error) {
	var id, graph, event string
	var settled, seen, aged, gone int64
	if err = s.Scan(&id, &graph, &event, &k.raw, &settled, &seen, &aged, &gone, &k.mark); err != nil {
		return k, err
	}
	if json.Unmarshal([]byte(k.raw), &k.Alert) != nil {
		k.Alert = fraud.Alert{} // its mark does not fit either
	}
	k.ID, k.GraphID, k.EventID = id, graph, event
	k.settled, k.seen, k.gone, k.aged = db.Time(settled), db.Time(seen), db.Time(gone), aged != 0
	return k, nil
}

func (d *Desk) alerts(ctx context.Context) ([]kept, error) {
	return all(ctx, d.d.DB, scanAlert, "SELECT "+alertColumns+", mark FROM fraud_alerts ORDER BY seen, id")
}

// putAlert writes an alert, in the place of whatever row has its id.
func (d *Desk) putAlert(ctx context.Context, k *kept) error {
	if err := k.write(); err != nil {
		return err
	}
	mark, err := d.d.Marks.Mark(ctx, alertBook, k.values()...)
	if err != nil {
		return err
	}
	_, err = d.d.DB.ExecContext(ctx, "INSERT INTO fraud_alerts ("+alertColumns+`, mark) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id)
		DO UPDATE SET graph_id = $2, event_id = $3, body = $4, settled = $5, seen = $6, aged = $7, gone = $8, mark = $9`, append(k.values(), mark)...)
	return failed(err)
}

func (d *Desk) dropAlert(ctx context.Context, id string) error {
	_, err := d.d.DB.ExecContext(ctx, "DELETE FROM fraud_alerts WHERE id = $1", id)
	return failed(err)
}

// file is what people did about an alert.
type file struct {
	alert   string
	body    fileBody
	raw     string
	version int64
	mark    []byte
}

type fileBody struct {
	Assignee     string    `json:"assignee,omitempty"`
	Acknowledged time.Time `json:"acknowledged,omitzero"`
	Notes        []Note    `json:"notes,omitempty"`
}

func (f *file) values() []any { return []any{f.alert, f.raw, f.version} }

func scanFile(s row) (f file, err error) {
	if err = s.Scan(&f.alert, &f.raw, &f.version, &f.mark); err == nil && json.Unmarshal([]byte(f.raw), &f.body) != nil {
		f.body = fileBody{}
	}
	return f, err
}

func (d *Desk) files(ctx context.Context) ([]file, error) {
	return all(ctx, d.d.DB, scanFile, "SELECT alert, body, version, mark FROM fraud_cases")
}

// fileOf is what was done about one alert; a file of version 0 where nothing was.
func (d *Desk) fileOf(ctx context.Context, id string) (file, error) {
	f, err := scanFile(d.d.DB.QueryRowContext(ctx, "SELECT alert, body, version, mark FROM fraud_cases WHERE alert = $1", id))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return file{alert: id}, nil
	case err == nil && f.alert != id:
		return f, vault.Other(caseBook, id)
	}
	return f, failed(err)
}

// putFile writes a file in the place of the version that was read.
func (d *Desk) putFile(ctx context.Context, f *file, was int64) error {
	b, err := json.Marshal(&f.body)
	if err != nil {
		return err
	}
	f.raw = string(b)
	mark, err := d.d.Marks.Mark(ctx, caseBook, f.values()...)
	if err != nil {
		return err
	}
	if was == 0 {
		return one(d.d.DB.ExecContext(ctx, "INSERT INTO fraud_cases (alert, body, version, mark) VALUES ($1, $2, $3, $4) ON CONFLICT (alert) DO NOTHING",
			append(f.values(), mark)...))
	}
	return one(d.d.DB.ExecContext(ctx, "UPDATE fraud_cases SET body = $2, version = $3, mark = $4 WHERE alert = $1 AND version = $5",
		append(f.values(), mark, was)...))
}

// reply is an answer as its row has it.
type reply struct {
	alert   string
	state   AnswerState
	body    replyBody
	raw     string
	version int64
	mark    []byte
	next    time.Time
	holder  string
}

// replyBody is what of an answer is one text.
type replyBody struct {
	Reason  fraud.Reason `json:"reason"`
	By      string       `json:"by"`
	At      time.Time    `json:"at"`
	Settled time.Time    `json:"settled,omitzero"`
	Why     string       `json:"why,omitempty"`
	Tries   int          `json:"tries,omitempty"`
	About   about        `json:"about"`
}

// about is the alert that a person saw when they answered.
type about struct {
	GraphID      string    `json:"graphId,omitempty"`
	EventID      string    `json:"eventId,omitempty"`
	Type         string    `json:"type"`
	Customer     string    `json:"customerTenantId"`
	Subscription string    `json:"subscriptionId"`
	Detected     time.Time `json:"detected,omitzero"`
}

func (r *reply) values() []any { return []any{r.alert, string(r.state), r.raw, r.version} }

const replyColumns = "alert, state, body, version"

func scanReply(s row) (r reply, err error) {
	var next int64
	if err = s.Scan(&r.alert, &r.state, &r.raw, &r.version, &r.mark, &next, &r.holder); err == nil && json.Unmarshal([]byte(r.raw), &r.body) != nil {
		r.body = replyBody{}
	}
	r.next = db.Time(next)
	return r, err
}

func (d *Desk) replies(ctx context.Context) ([]reply, error) {
	return all(ctx, d.d.DB, scanReply, "SELECT "+replyColumns+", mark, next, holder FROM fraud_answers")
}

// replyOf is the answer to one alert; one of version 0 where there is none.
func (d *Desk) replyOf(ctx context.Context, id string) (reply, error) {
	r, err := scanReply(d.d.DB.QueryRowContext(ctx, "SELECT "+replyColumns+", mark, next, holder FROM fraud_answers WHERE alert = $1", id))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return reply{alert: id}, nil
	case err == nil && r.alert != id:
		return r, vault.Other(answerBook, id)
	}
	return r, failed(err)
}

// putReply writes an answer in the place of the version that was read, which this process
// holds, or nobody does.
func (d *Desk) putReply(ctx context.Context, r *reply, was int64) error {
	b, err := json.Marshal(&r.body)
	if err != nil {
		return err
	}
	r.raw = string(b)
	mark, err := d.d.Marks.Mark(ctx, answerBook, r.values()...)
	if err != nil {
		return err
	}
	if was == 0 {
		return one(d.d.DB.ExecContext(ctx, "INSERT INTO fraud_answers ("+replyColumns+
			", mark, next, holder, held_until) VALUES ($1, $2, $3, $4, $5, $6, '', 0) ON CONFLICT (alert) DO NOTHING",
			append(r.values(), mark, db.Micros(r.next))...))
	}
	return one(d.d.DB.ExecContext(ctx, "UPDATE fraud_answers SET state = $2, body = $3, version = $4, mark = $5, next = $6 WHERE alert = $1 AND version = $7 "+
		"AND holder = $8", append(r.values(), mark, db.Micros(r.next), was, r.holder)...))
}

// later has an answer looked at again then. That is not marked: it steers time alone.
func (d *Desk) later(ctx context.Context, id string, at time.Time) error {
	_, err := d.d.DB.ExecContext(ctx, "UPDATE fraud_answers SET next = $2 WHERE alert = $1", id, db.Micros(at))
	return failed(err)
}

// lease takes an answer for this process until a moment, unless another has it.
func (d *Desk) lease(ctx context.Context, id string, now, until time.Time) error {
	return one(d.d.DB.ExecContext(ctx, `UPDATE fraud_answers SET holder = $2, held_until = $3
		WHERE alert = $1 AND (holder = '' OR held_until < $4 OR held_until > $5)`, id, d.id, db.Micros(until), db.Micros(now), db.Micros(now.Add(2*leaseFor))))
}

func (d *Desk) release(ctx context.Context, id string) error {
	_, err := d.d.DB.ExecContext(ctx, "UPDATE fraud_answers SET holder = '', held_until = 0 WHERE alert = $1 AND holder = $2", id, d.id)
	return failed(err)
}

// longestWait is longer than any answer waits before it is looked at again.
const longestWait = 24 * time.Hour

// dueReplies are answers that are to be looked at now. A time that nobody would have written
// is no reason to wait.
func (d *Desk) dueReplies(ctx context.Context, now time.Time, limit int) ([]string, error) {
	return all(ctx, d.d.DB, func(r row) (id string, err error) { return id, r.Scan(&id) },
		"SELECT alert FROM fraud_answers WHERE state IN ('queued', 'asked') AND (next <= $1 OR next > $2) ORDER BY next, alert LIMIT $3", db.Micros(now),
		db.Micros(now.Add(longestWait)), limit)
}

// Reading is how reading an interface went.
type Reading struct {
	Source string    `json:"source"` // "graph", "partnerCenter", or "desk": whichever answered
	First  time.Time `json:"first,omitzero"`
	Good   time.Time `json:"good,omitzero"`  // the last that came about; zero: none did
	Tried  time.Time `json:"tried,omitzero"` // the last
	Count  int       `json:"count"`          // alerts that it told then
	Why    string    `json:"why,omitempty"`  // the last did not come about
	Fix    string    `json:"fix,omitempty"`

	mark []byte
}

func (r *Reading) values() []any { return []any{r.Source, db.Micros(r.First)} }

func (d *Desk) readings(ctx context.Context) ([]Reading, error) {
	return all(ctx, d.d.DB, func(s row) (r Reading, err error) {
		var first, good, tried int64
		err = s.Scan(&r.Source, &first, &good, &tried, &r.Count, &r.Why, &r.Fix, &r.mark)
		r.First, r.Good, r.Tried = db.Time(first), db.Time(good), db.Time(tried)
		return r, err
	}, "SELECT source, first, good, tried, count, why, fix, mark FROM fraud_pulls ORDER BY source")
}

func (d *Desk) putReading(ctx context.Context, r *Reading) error {
	mark, err := d.d.Marks.Mark(ctx, pullBook, r.values()...)
	if err != nil {
		return err
	}
	_, err = d.d.DB.ExecContext(ctx, `INSERT INTO fraud_pulls (source, first, good, tried, count, why, fix, mark) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (source) DO UPDATE SET first = $2, good = $3, tried = $4, count = $5, why = $6, fix = $7, mark = $8`,
		r.Source, db.Micros(r.First), db.Micros(r.Good), db.Micros(r.Tried), int64(r.Count), r.Why, r.Fix, mark)
	return failed(err)
}
