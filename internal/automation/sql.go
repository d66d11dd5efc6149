//go:build !judge

package automation

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
)

// body is what evidence says of an item: it is stored as one text.
type body struct {
	Account    string     `json:"account"`
	Name       string     `json:"name"`
	App        string     `json:"app"`
	AppName    string     `json:"appName"`
	Protocol   Protocol   `json:"protocol"`
	Client     string     `json:"client,omitempty"`
	Confidence Confidence `json:"confidence"`
	Why        []string   `json:"why"`
	Advice     string     `json:"advice"`
	Evidence   Evidence   `json:"evidence"`
}

func bodyOf(it *Item) (string, error) {
	b, err := json.Marshal(body{it.Account, it.Name, it.App, it.AppName, it.Protocol, it.Client, it.Confidence, it.Why, it.Advice, it.Evidence})
	return string(b), err
}

// Table is the table of the items.
const Table = "automation_items"

const columns = "id, body, owner, state, note, story, moved_at, quiet_to, updated, version"

func scan(row interface{ Scan(...any) error }) (it Item, err error) {
	var text, state string
	var moved, quiet, updated int64
	if err := row.Scan(&it.ID, &text, &it.Owner, &state, &it.Note, &it.Story, &moved, &quiet, &updated, &it.version); err != nil {
		return it, err
	}
	var b body
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		return it, fmt.Errorf("item %s: %w", it.ID, err)
	}
	it.Account, it.Name, it.App, it.AppName, it.Protocol, it.Client = b.Account, b.Name, b.App, b.AppName, b.Protocol, b.Client
	it.Confidence, it.Why, it.Advice, it.Evidence = b.Confidence, b.Why, b.Advice, b.Evidence
	it.State, it.MovedAt, it.QuietTo, it.Updated = State(state), db.Time(moved), db.Time(quiet), db.Time(updated)
	return it, nil
}

func (s *Store) list(ctx context.Context) ([]Item, error) {
	rows, err := s.d.DB.QueryContext(ctx, "SELECT "+columns+" FROM automation_items ORDER BY id")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	items := []Item{}
	for rows.Next() {
		it, err := scan(rows)
		if err != nil {
			return nil, err
		}
		items = append(items, it)
	}
	return items, rows.Err()
}

func (s *Store) get(ctx context.Context, id string) (Item, error) {
	it, err := scan(s.d.DB.QueryRowContext(ctx, "SELECT "+columns+" FROM automation_items WHERE id = $1", id))
	if errors.Is(err, sql.ErrNoRows) {
		return Item{}, problem.New(problem.NotFound, "no item has the id %.40q", id).WithHint("partnerguard automation lists them with their ids")
	}
	return it, err
}

func (s *Store) insert(ctx context.Context, it *Item) error {
	text, err := bodyOf(it)
	if err != nil {
		return err
	}
	r, err := s.d.DB.ExecContext(ctx, "INSERT INTO automation_items ("+columns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1) ON CONFLICT (id) DO NOTHING",
		it.ID, text, it.Owner, string(it.State), it.Note, it.Story, db.Micros(it.MovedAt), db.Micros(it.QuietTo), db.Micros(it.Updated))
	return one(r, err)
}

func (s *Store) update(ctx context.Context, it *Item) error {
	text, err := bodyOf(it)
	if err != nil {
		return err
	}
	r, err := s.d.DB.ExecContext(ctx, `UPDATE automation_items SET body = $2, owner = $3, state = $4, note = $5, story = $6, moved_at = $7, quiet_to = $8, updated = $9, version = version + 1
		WHERE id = $1 AND version = $10`,
		it.ID, text, it.Owner, string(it.State), it.Note, it.Story, db.Micros(it.MovedAt), db.Micros(it.QuietTo), db.Micros(it.Updated), it.version)
	return one(r, err)
}

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
