package consent

import (
	"context"
	"encoding/json"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
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

// NewIntents keeps intents in the database.
func NewIntents(d *db.DB) Intents { return &intents{d} }

type intents struct{ d *db.DB }

func (s *intents) Begin(ctx context.Context, i Intent) error {
	b, err := json.Marshal(i.Grants)
	if err != nil {
		return problem.Wrap(err, problem.Internal, "an intent could not be written")
	}
	_, err = s.d.ExecContext(ctx, `INSERT INTO consent_intents (connection, customer, app, grants, since) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (connection, customer) DO UPDATE SET app = excluded.app, grants = excluded.grants`,
		i.Connection, i.Customer, i.App, string(b), db.Micros(i.Since))
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
	rows, err := s.d.QueryContext(ctx, `SELECT customer, app, grants, since FROM consent_intents WHERE connection = $1`, connection)
	if err != nil {
		return nil, bad(err)
	}
	defer rows.Close()
	out := map[string]Intent{}
	for rows.Next() {
		i := Intent{Connection: connection}
		var text string
		var since int64
		if err := rows.Scan(&i.Customer, &i.App, &text, &since); err != nil {
			return nil, bad(err)
		}
		// A row that cannot be read still says where something was left.
		_ = json.Unmarshal([]byte(text), &i.Grants)
		i.Since = db.Time(since)
		out[i.Customer] = i
	}
	if err := rows.Err(); err != nil {
		return nil, bad(err)
	}
	return out, nil
}
