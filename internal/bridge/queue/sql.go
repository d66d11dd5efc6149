package queue

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

// itemBook: whoever writes such a row says where mail goes, and from whom.
var itemBook = &vault.Book{Table: "bridge_queue", Version: 1, Key: []string{"id"}, Columns: []string{"place", "device", "mailbox", "sender", "recipients",
	"message_id", "size", "made", "next", "tries", "state", "bounce", "doubts", "reason"}}

// Books are the tables whose rows are marked.
func Books() []*vault.Book { return []*vault.Book{itemBook} }

func failed(err error) error {
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if _, ok := errors.AsType[*problem.Error](err); ok || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return problem.Wrap(err, problem.Unavailable, "the queue of the bridge cannot be read: the database does not answer").WithAfter(5 * time.Second)
}

const itemColumns = "id, place, device, mailbox, sender, recipients, message_id, size, made, next, tries, state, bounce, doubts, reason"

func (it *Item) values() []any {
	recipients, _ := json.Marshal(it.Recipients) // texts alone
	bounce := int64(0)
	if it.Bounce {
		bounce = 1
	}
	return []any{it.ID, it.Place, it.Device, it.Mailbox, it.Sender, string(recipients), it.MessageID, it.Size, db.Micros(it.Made), db.Micros(it.Next),
		int64(it.Tries), it.state, bounce, int64(it.Doubts), it.Reason}
}

func scan(r interface{ Scan(...any) error }) (it Item, err error) {
	var recipients string
	var made, next, bounce int64
	err = r.Scan(&it.ID, &it.Place, &it.Device, &it.Mailbox, &it.Sender, &recipients, &it.MessageID, &it.Size, &made, &next, &it.Tries, &it.state,
		&bounce, &it.Doubts, &it.Reason, &it.mark)
	it.Made, it.Next, it.Bounce = db.Time(made), db.Time(next), bounce == 1
	if err == nil && json.Unmarshal([]byte(recipients), &it.Recipients) != nil {
		it.Recipients = nil // its mark does not fit either
	}
	return it, err
}

func (q *Queue) row(ctx context.Context, id string) (Item, error) {
	it, err := scan(q.d.DB.QueryRowContext(ctx, "SELECT "+itemColumns+", mark FROM bridge_queue WHERE id = $1", id))
	if err == nil && it.ID != id {
		return it, vault.Other(itemBook, id)
	}
	return it, failed(err)
}

// rows gives the messages of a place, or of all where it is "", oldest first.
func (q *Queue) rows(ctx context.Context, place string) ([]Item, error) {
	rows, err := q.d.DB.QueryContext(ctx, "SELECT "+itemColumns+", mark FROM bridge_queue WHERE place = $1 OR $1 = '' ORDER BY made, id", place)
	if err != nil {
		return nil, failed(err)
	}
	defer rows.Close()
	out := []Item{}
	for rows.Next() {
		it, err := scan(rows)
		if err != nil {
			return nil, failed(err)
		}
		out = append(out, it)
	}
	return out, failed(rows.Err())
}

// due gives the ids of messages of this place whose time has come.
func (q *Queue) due(ctx context.Context, now time.Time, most int) ([]string, error) {
	rows, err := q.d.DB.QueryContext(ctx, "SELECT id FROM bridge_queue WHERE place = $1 AND next <= $2 ORDER BY next, id LIMIT $3", q.place,
		db.Micros(now), most)
	if err != nil {
		return nil, failed(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, failed(err)
		}
		out = append(out, id)
	}
	return out, failed(rows.Err())
}

func (q *Queue) insert(ctx context.Context, it *Item) error {
	mark, err := q.d.Vault.Mark(ctx, itemBook, it.values()...)
	if err != nil {
		return err
	}
	_, err = q.d.DB.ExecContext(ctx, "INSERT INTO bridge_queue ("+itemColumns+
		", mark) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)", append(it.values(), mark)...)
	return failed(err)
}

// update writes what a try changes.
func (q *Queue) update(ctx context.Context, it *Item) error {
	v := it.values()
	mark, err := q.d.Vault.Mark(ctx, itemBook, v...)
	if err != nil {
		return err
	}
	_, err = q.d.DB.ExecContext(ctx, "UPDATE bridge_queue SET recipients = $2, next = $3, tries = $4, state = $5, doubts = $6, reason = $7, "+
		"mark = $8 WHERE id = $1", v[0], v[5], v[9], v[10], v[11], v[13], v[14], mark)
	return failed(err)
}

func (q *Queue) remove(ctx context.Context, id string) error {
	_, err := q.d.DB.ExecContext(ctx, "DELETE FROM bridge_queue WHERE id = $1", id)
	return failed(err)
}

// Count is how many messages wait, of all places.
func Count(ctx context.Context, d *db.DB) (n int, err error) {
	return n, failed(d.QueryRowContext(ctx, "SELECT COUNT(*) FROM bridge_queue").Scan(&n))
}
