package consent

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// Intent is a consent that is removed in order to be granted anew.
type Intent struct {
	Connection string
	Customer   string // tenant id
	App        string
	Grants     []msapi.ConsentGrant
	Since      time.Time
}

// Intents remembers intents across crashes. Begin is durable when it returns;
// beginning one that is there keeps its Since.
type Intents interface {
	Begin(context.Context, Intent) error
	End(ctx context.Context, connection, customer string) error
	Open(ctx context.Context, connection string) (map[string]Intent, error) // by customer
}

// IntentBook is the table of the intents, whose rows are marked.
var IntentBook = &vault.Book{Table: "consent_intents", Version: 1, Key: []string{"connection", "customer"}, Columns: []string{"app", "grants", "since"}}

// Marks vouches for rows; *vault.Vault meets it.
type Marks interface {
	Mark(ctx context.Context, b *vault.Book, values ...any) ([]byte, error)
	Fits(ctx context.Context, b *vault.Book, mark []byte, values ...any) error
}

// NewIntents keeps intents in the database, under marks of v.
func NewIntents(d *db.DB, v Marks) Intents { return &intents{d, v} }

type intents struct {
	d *db.DB
	v Marks
}

func (s *intents) Begin(ctx context.Context, i Intent) error {
	b, err := json.Marshal(i.Grants)
	if err != nil {
		return problem.Wrap(err, problem.Internal, "an intent could not be written")
	}
	err = s.d.InTx(ctx, func(ctx context.Context) error {
		var since int64 // as kept: of an earlier one its own
		if err := s.d.QueryRowContext(ctx, `INSERT INTO consent_intents (connection, customer, app, grants, since) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (connection, customer) DO UPDATE SET app = excluded.app, grants = excluded.grants RETURNING since`,
			i.Connection, i.Customer, i.App, string(b), db.Micros(i.Since)).Scan(&since); err != nil {
			return err
		}
		mark, err := s.v.Mark(ctx, IntentBook, i.Connection, i.Customer, i.App, string(b), since)
		if err != nil {
			return err
		}
		_, err = s.d.ExecContext(ctx, `UPDATE consent_intents SET mark = $1 WHERE connection = $2 AND customer = $3`, mark, i.Connection, i.Customer)
		return err
	})
	if err != nil {
		return problem.Wrap(err, problem.Internal, "the database could not write down what is about to be removed")
	}
	return nil
}

func (s *intents) End(ctx context.Context, connection, customer string) error {
	if _, err := s.d.ExecContext(ctx, `DELETE FROM consent_intents WHERE connection = $1 AND customer = $2`, connection, customer); err != nil {
		return problem.Wrap(err, problem.Internal, "the database could not forget an intent")
	}
	return nil
}

func (s *intents) Open(ctx context.Context, connection string) (map[string]Intent, error) {
	bad := func(err error) error {
		return problem.Wrap(err, problem.Internal, "the database could not tell what an earlier run left")
	}
	rows, err := s.d.QueryContext(ctx, `SELECT customer, app, grants, since, mark FROM consent_intents WHERE connection = $1`, connection)
	if err != nil {
		return nil, bad(err)
	}
	defer rows.Close()
	type kept struct {
		Intent
		text  string
		since int64
		mark  []byte
	}
	var list []kept
	for rows.Next() {
		k := kept{Intent: Intent{Connection: connection}}
		if err := rows.Scan(&k.Customer, &k.App, &k.text, &k.since, &k.mark); err != nil {
			return nil, bad(err)
		}
		list = append(list, k)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, bad(err)
	}
	out := map[string]Intent{}
	for _, k := range list {
		if err := s.v.Fits(ctx, IntentBook, k.mark, connection, k.Customer, k.App, k.text, k.since); err != nil {
			return nil, err
		}
		// A row that cannot be read still says where something was left.
		_ = json.Unmarshal([]byte(k.text), &k.Grants)
		k.Since = db.Time(k.since)
		out[k.Customer] = k.Intent
	}
	return out, nil
}
