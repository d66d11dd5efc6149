package revoke

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// Whoever writes such a row has this program refuse somebody, or let somebody in again.
var book = &vault.Book{Table: "gateway_revocations", Version: 1, Key: []string{"id"},
	Columns: []string{"kind", "value", "tenant", "before_at", "until_at", "who", "why", "made", "ended", "ended_by"}}

// Books are the tables whose rows are marked.
func Books() []*vault.Book { return []*vault.Book{book} }

// rowsOf names what the rows are of, in errors.
const rowsOf = db.Kept("the gateway's revocations")

const columns = "id, kind, value, tenant, before_at, until_at, who, why, made, ended, ended_by"

func (r *Revocation) values() []any {
	return []any{r.ID, string(r.Kind), r.Value, r.Tenant, micros(r.Before), micros(r.Until), r.Who, r.Why, micros(r.Made), micros(r.Ended), r.By}
}

// micros is a moment as it is kept; 0 for none.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func moment(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

func scan(s db.Row) (r Revocation, err error) {
	var before, until, made, ended int64
	err = s.Scan(&r.ID, &r.Kind, &r.Value, &r.Tenant, &before, &until, &r.Who, &r.Why, &made, &ended, &r.By, &r.mark)
	r.Before, r.Until, r.Made, r.Ended = moment(before), moment(until), moment(made), moment(ended)
	return r, err
}

func (s *Store) rows(ctx context.Context) ([]Revocation, error) {
	return db.All(ctx, s.d.DB, rowsOf, scan, "SELECT "+columns+", mark FROM gateway_revocations ORDER BY made, id")
}

func (s *Store) row(ctx context.Context, id string) (Revocation, error) {
	r, err := scan(s.d.DB.QueryRowContext(ctx, "SELECT "+columns+", mark FROM gateway_revocations WHERE id = $1", id))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return r, problem.New(problem.NotFound, "no revocation has the id %.40q", id).WithHint("partnerguard gateway revocations lists them")
	case err == nil && r.ID != id:
		return r, vault.Other(book, id)
	}
	return r, rowsOf.Failed(err)
}

func (s *Store) insert(ctx context.Context, r *Revocation) error {
	mark, err := s.d.Marks.Mark(ctx, book, r.values()...)
	if err != nil {
		return err
	}
	return rowsOf.One(s.d.DB.ExecContext(ctx, "INSERT INTO gateway_revocations ("+columns+
		", mark) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)", append(r.values(), mark)...))
}

// end writes that a revocation was taken back; a row that is not there is made, so that
// what the trail says and what is kept are one again.
func (s *Store) end(ctx context.Context, r *Revocation) error {
	mark, err := s.d.Marks.Mark(ctx, book, r.values()...)
	if err != nil {
		return err
	}
	return rowsOf.One(s.d.DB.ExecContext(ctx, "INSERT INTO gateway_revocations ("+columns+`, mark) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, value = excluded.value, tenant = excluded.tenant, before_at = excluded.before_at,
			until_at = excluded.until_at, who = excluded.who, why = excluded.why, made = excluded.made, ended = excluded.ended,
			ended_by = excluded.ended_by, mark = excluded.mark`, append(r.values(), mark)...))
}

// forget removes what ended by itself before a moment.
func (s *Store) forget(ctx context.Context, before time.Time) error {
	_, err := s.d.DB.ExecContext(ctx, "DELETE FROM gateway_revocations WHERE until_at > 0 AND until_at < $1", micros(before))
	return rowsOf.Failed(err)
}
