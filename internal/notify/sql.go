package notify

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
)

const (
	put    = "INSERT INTO told (key, at) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING"
	forget = "DELETE FROM told WHERE at < $1"
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

// insertMessage keeps a message once: an id that is there already changes nothing.
func (o *Outbox) insertMessage(ctx context.Context, m *Message) (bool, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return false, err
	}
	test := 0
	if m.Test {
		test = 1
	}
	r, err := o.d.DB.ExecContext(ctx, "INSERT INTO notify_messages (id, at, test, thread, title, body) VALUES ($1, $2, $3, $4, $5, $6) "+
		"ON CONFLICT (id) DO NOTHING", m.ID, db.Micros(m.At), test, m.Thread, m.Title, string(body))
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n == 1, err
}

func (o *Outbox) message(ctx context.Context, id string) (*Message, error) {
	var body string
	err := o.d.DB.QueryRowContext(ctx, "SELECT body FROM notify_messages WHERE id = $1", id).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, problem.New(problem.NotFound, "no message has the id %.40q", id)
	}
	if err != nil {
		return nil, err
	}
	m := &Message{}
	if err := json.Unmarshal([]byte(body), m); err != nil || m.ID != id {
		return nil, problem.New(problem.BadInput, "the message %.40q is damaged", id).WithHint("something else wrote into the database")
	}
	m.Clean(o.d.Base) // once more: whoever writes the database sends no links in our name
	return m, nil
}

func (o *Outbox) insertDelivery(ctx context.Context, message, channel string, s state, due time.Time) error {
	_, err := o.d.DB.ExecContext(ctx, "INSERT INTO notify_deliveries (message, channel, state, tries, due, changed) VALUES ($1, $2, $3, 0, $4, $5)",
		message, channel, string(s), db.Micros(due), db.Micros(o.now()))
	return err
}

// deliveryRow is a delivery as it stands.
type deliveryRow struct {
	message, channel string
	state            state
	tries            int
	due, changed     time.Time
}

const deliveryColumns = "message, channel, state, tries, due, changed"

func scanDelivery(r row) (d deliveryRow, err error) {
	var due, changed int64
	err = r.Scan(&d.message, &d.channel, &d.state, &d.tries, &due, &changed)
	d.due, d.changed = db.Time(due), db.Time(changed)
	return d, err
}

func (o *Outbox) delivery(ctx context.Context, message, channel string) (deliveryRow, error) {
	d, err := scanDelivery(o.d.DB.QueryRowContext(ctx, "SELECT "+deliveryColumns+" FROM notify_deliveries WHERE message = $1 AND channel = $2", message,
		channel))
	if errors.Is(err, sql.ErrNoRows) {
		err = problem.New(problem.NotFound, "no message %.40q goes to the channel %.40q", message, channel)
	}
	return d, err
}

func (o *Outbox) updateDelivery(ctx context.Context, d *deliveryRow) error {
	_, err := o.d.DB.ExecContext(ctx, "UPDATE notify_deliveries SET state = $3, tries = $4, due = $5, changed = $6 WHERE message = $1 AND channel = $2",
		d.message, d.channel, string(d.state), d.tries, db.Micros(d.due), db.Micros(o.now()))
	return err
}

// due are the deliveries that should have been tried by a moment.
func (o *Outbox) due(ctx context.Context, by time.Time, limit int) ([]deliveryRow, error) {
	return all(ctx, o.d.DB, scanDelivery, "SELECT "+deliveryColumns+" FROM notify_deliveries WHERE state = 'waiting' AND due <= $1 ORDER BY due LIMIT $2",
		db.Micros(by), limit)
}

// noTest leaves out tests: nothing follows from one that failed.
const noTest = "NOT EXISTS (SELECT 1 FROM notify_messages m WHERE m.id = notify_deliveries.message AND m.test = 1)"

func (o *Outbox) dead(ctx context.Context) ([]deliveryRow, error) {
	return all(ctx, o.d.DB, scanDelivery,
		"SELECT "+deliveryColumns+" FROM notify_deliveries WHERE state = 'dead' AND "+noTest+" ORDER BY changed DESC LIMIT 1000")
}

// begin writes down that an attempt begins, and gives its number.
func (o *Outbox) begin(ctx context.Context, message, channel string) (n int, err error) {
	return n, o.d.DB.InTx(ctx, func(ctx context.Context) error {
		err := o.d.DB.QueryRowContext(ctx, "SELECT COALESCE(MAX(n), 0) + 1 FROM notify_attempts WHERE message = $1 AND channel = $2", message, channel).Scan(&n)
		if err != nil {
			return err
		}
		_, err = o.d.DB.ExecContext(ctx, "INSERT INTO notify_attempts (message, channel, n, began, took, outcome, status, words, fix) "+
			"VALUES ($1, $2, $3, $4, 0, 'begun', '', '', '')", message, channel, n, db.Micros(o.now()))
		return err
	})
}

func (o *Outbox) end(ctx context.Context, message, channel string, a *Attempt) error {
	_, err := o.d.DB.ExecContext(ctx, "UPDATE notify_attempts SET took = $4, outcome = $5, status = $6, words = $7, fix = $8 "+
		"WHERE message = $1 AND channel = $2 AND n = $3", message, channel, a.N, a.Took.Microseconds(), a.Outcome, a.Status, a.Words, a.Fix)
	return err
}

// historyRow is a delivery with its message.
func scanHistory(r row) (d Delivery, err error) {
	var at, due, changed int64
	var test int
	err = r.Scan(&d.Message, &at, &test, &d.Alert, &d.Title, &d.Channel, &d.State, &d.Tries, &due, &changed)
	d.At, d.Due, d.Changed, d.Test = db.Time(at), db.Time(due), db.Time(changed), test != 0
	return d, err
}

const historyColumns = "SELECT m.id, m.at, m.test, m.thread, m.title, d.channel, d.state, d.tries, d.due, d.changed " +
	"FROM notify_messages m JOIN notify_deliveries d ON d.message = m.id "

func (o *Outbox) history(ctx context.Context, q HistoryOf) ([]Delivery, error) {
	where, args := "WHERE m.at >= $1", []any{db.Micros(q.Since)}
	for _, c := range []struct{ column, value string }{{"d.channel", q.Channel}, {"m.thread", q.Alert}, {"d.state", q.State}, {"m.id", q.Message}} {
		if c.value != "" {
			args = append(args, c.value)
			where += fmt.Sprintf(" AND %s = $%d", c.column, len(args))
		}
	}
	args = append(args, q.Limit)
	return all(ctx, o.d.DB, scanHistory, historyColumns+where+fmt.Sprintf(" ORDER BY m.at DESC, m.id, d.channel LIMIT $%d", len(args)), args...)
}

func (o *Outbox) attempts(ctx context.Context, message, channel string) ([]Attempt, error) {
	return all(ctx, o.d.DB, func(r row) (a Attempt, err error) {
		var began, took int64
		err = r.Scan(&a.N, &began, &took, &a.Outcome, &a.Status, &a.Words, &a.Fix)
		a.Began, a.Took = db.Time(began), time.Duration(took)*time.Microsecond
		return a, err
	}, "SELECT n, began, took, outcome, status, words, fix FROM notify_attempts WHERE message = $1 AND channel = $2 ORDER BY n", message, channel)
}

// lastOf is the newest attempt of each channel.
func (o *Outbox) lastOf(ctx context.Context) (map[string]Attempt, error) {
	type named struct {
		channel string
		Attempt
	}
	list, err := all(ctx, o.d.DB, func(r row) (a named, err error) {
		var began, took int64
		err = r.Scan(&a.channel, &a.N, &began, &took, &a.Outcome, &a.Status, &a.Words, &a.Fix)
		a.Began, a.Took = db.Time(began), time.Duration(took)*time.Microsecond
		return a, err
	}, "SELECT a.channel, a.n, a.began, a.took, a.outcome, a.status, a.words, a.fix FROM notify_attempts a "+
		"WHERE a.began = (SELECT MAX(b.began) FROM notify_attempts b WHERE b.channel = a.channel)")
	out := map[string]Attempt{}
	for _, a := range list {
		out[a.channel] = a.Attempt
	}
	return out, err
}

func (o *Outbox) counts(ctx context.Context) (map[string]map[state]int, error) {
	type count struct {
		channel string
		state   state
		n       int
	}
	list, err := all(ctx, o.d.DB, func(r row) (c count, err error) { return c, r.Scan(&c.channel, &c.state, &c.n) },
		"SELECT channel, state, COUNT(*) FROM notify_deliveries WHERE state <> 'sent' AND "+noTest+" GROUP BY channel, state")
	out := map[string]map[state]int{}
	for _, c := range list {
		if out[c.channel] == nil {
			out[c.channel] = map[state]int{}
		}
		out[c.channel][c.state] = c.n
	}
	return out, err
}

// forgetBefore takes away what was told long ago and waits no more.
func (o *Outbox) forgetBefore(ctx context.Context, at time.Time) error {
	const old = "(SELECT id FROM notify_messages WHERE at < $1 AND NOT EXISTS (SELECT 1 FROM notify_deliveries d " +
		"WHERE d.message = id AND d.state = 'waiting'))"
	return o.d.DB.InTx(ctx, func(ctx context.Context) error {
		for _, q := range []string{"DELETE FROM notify_attempts WHERE message IN " + old, "DELETE FROM notify_deliveries WHERE message IN " + old,
			"DELETE FROM notify_messages WHERE at < $1 AND NOT EXISTS (SELECT 1 FROM notify_deliveries d WHERE d.message = id)"} {
			if _, err := o.d.DB.ExecContext(ctx, q, db.Micros(at)); err != nil {
				return err
			}
		}
		return nil
	})
}
