package onboard

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
	"partnerguard/internal/vault"
)

// Invitation lets one partner tenant consent to one app, once.
type Invitation struct {
	ID         string            `json:"id"`
	Tenant     string            `json:"tenant"` // its id
	ClientID   string            `json:"clientId"`
	Name       string            `json:"name,omitempty"` // of a new connection, when it is free
	Features   []capture.Feature `json:"features"`
	MadeBy     string            `json:"madeBy"`
	MadeAt     time.Time         `json:"madeAt"`
	Expires    time.Time         `json:"expires"`
	UsedAt     time.Time         `json:"usedAt,omitzero"`
	Connection string            `json:"connection,omitempty"`
}

// Longest is how long an invitation may wait.
const Longest = 30 * 24 * time.Hour

// leeway is how far clocks may differ.
const leeway = 5 * time.Minute

// Invitations is the table of the invitations, whose rows are marked.
var Invitations = &vault.Book{Table: "invitations", Version: 1, Key: []string{"id"},
	Columns: []string{"hash", "tenant", "client_id", "name", "features", "made_by", "made_at", "expires_at", "used_at", "connection"}}

// Marks vouches for rows; *vault.Vault meets it.
type Marks interface {
	Mark(ctx context.Context, b *vault.Book, values ...any) ([]byte, error)
	Fits(ctx context.Context, b *vault.Book, mark []byte, values ...any) error
}

// Past is what is remembered of invitations beside their rows.
type Past interface {
	// Spent says that an invitation was used or withdrawn.
	Spent(ctx context.Context, id string) (bool, error)
	// Used remembers, in the transaction that ctx carries, that it was used.
	Used(ctx context.Context, i Invitation) error
}

// Store keeps invitations. Safe for concurrent use, by several processes too.
type Store struct {
	d    *db.DB
	v    Marks
	now  func() time.Time
	past Past
}

// Remember makes the store ask the past before an invitation is taken: one that
// was used or withdrawn may have been put back into the database. Call it before
// the store is used.
func (s *Store) Remember(p Past) { s.past = p }

// NewStore makes a store over an open database and what vouches for its rows.
func NewStore(d *db.DB, v Marks, now func() time.Time) *Store { return &Store{d: d, v: v, now: now} }

// row is an invitation as it is kept.
type row struct {
	Invitation
	hash, features string
	mark           []byte
}

func (r *row) values() []any {
	return []any{r.ID, r.hash, r.Tenant, r.ClientID, r.Name, r.features, r.MadeBy, db.Micros(r.MadeAt), db.Micros(r.Expires), db.Micros(r.UsedAt), r.Connection}
}

func hashOf(link secret.Text) string {
	sum := sha256.Sum256([]byte(link.Reveal()))
	return hex.EncodeToString(sum[:])
}

// Make keeps an invitation for life and gives the secret of its link, which is
// not kept.
func (s *Store) Make(ctx context.Context, i Invitation, life time.Duration) (Invitation, secret.Text, error) {
	if life <= 0 || life > Longest {
		return i, secret.Text{}, problem.New(problem.Usage, "an invitation waits for 1 to 30 days")
	}
	link := token.Text()
	i.ID, i.MadeAt = token.ID("i"), s.now().UTC().Truncate(time.Microsecond)
	i.Expires = i.MadeAt.Add(life)
	features, err := json.Marshal(i.Features)
	if err != nil {
		return i, secret.Text{}, problem.Wrap(err, problem.Internal, "the invitation cannot be written")
	}
	r := row{Invitation: i, hash: hashOf(link), features: string(features)}
	err = s.d.InTx(ctx, func(ctx context.Context) error {
		mark, err := s.v.Mark(ctx, Invitations, r.values()...)
		if err != nil {
			return err
		}
		_, err = s.d.ExecContext(ctx, `INSERT INTO invitations (id, hash, tenant, client_id, name, features, made_by, made_at, expires_at, used_at, connection, mark)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`, append(r.values(), mark)...)
		return err
	})
	if err != nil {
		return i, secret.Text{}, problem.Wrap(err, problem.Internal, "the invitation could not be kept")
	}
	return i, link, nil
}

const columns = `id, hash, tenant, client_id, name, features, made_by, made_at, expires_at, used_at, connection, mark`

func scan(from interface{ Scan(...any) error }) (r row, err error) {
	var made, expires, used int64
	if err := from.Scan(&r.ID, &r.hash, &r.Tenant, &r.ClientID, &r.Name, &r.features, &r.MadeBy, &made, &expires, &used, &r.Connection, &r.mark); err != nil {
		return r, err
	}
	r.MadeAt, r.Expires, r.UsedAt = db.Time(made), db.Time(expires), db.Time(used)
	return r, json.Unmarshal([]byte(r.features), &r.Features)
}

// Open finds the invitation that a link leads to. Kind problem.NotFound when
// there is none that can be used: unknown, used or out of time look the same.
func (s *Store) Open(ctx context.Context, link secret.Text) (Invitation, error) {
	gone := problem.New(problem.NotFound, "this invitation cannot be used: it does not exist, was used, or is out of time").WithHint("ask for a new one")
	if len(link.Reveal()) > 100 {
		return Invitation{}, gone
	}
	i, err := scan(s.d.QueryRowContext(ctx, "SELECT "+columns+" FROM invitations WHERE hash = $1", hashOf(link)))
	if errors.Is(err, sql.ErrNoRows) {
		return Invitation{}, gone
	}
	if err != nil {
		return Invitation{}, problem.Wrap(err, problem.Internal, "the invitation could not be read")
	}
	if subtle.ConstantTimeCompare([]byte(i.hash), []byte(hashOf(link))) != 1 {
		return Invitation{}, gone // the database gave another one
	}
	if err := s.v.Fits(ctx, Invitations, i.mark, i.values()...); errors.Is(err, vault.ErrForged) {
		return Invitation{}, gone // its name is in the log and the trail, and not for whoever has a link
	} else if err != nil {
		return Invitation{}, err
	}
	// Made on one machine and opened on another: clocks differ a little.
	now := s.now()
	if !i.UsedAt.IsZero() || !now.Before(i.Expires) || now.Before(i.MadeAt.Add(-leeway)) {
		return Invitation{}, gone
	}
	if s.past != nil {
		if spent, err := s.past.Spent(ctx, i.ID); err != nil {
			return Invitation{}, err
		} else if spent {
			return Invitation{}, gone
		}
	}
	return i.Invitation, nil
}

// Use marks an invitation used, within the transaction that keeps the consent:
// two answers at once keep one.
func (s *Store) Use(ctx context.Context, id, connection string) error {
	res, err := s.d.ExecContext(ctx, "UPDATE invitations SET used_at = $1, connection = $2 WHERE id = $3 AND used_at = 0", db.Micros(s.now().UTC()),
		connection, id)
	if err != nil {
		return problem.Wrap(err, problem.Internal, "the invitation could not be marked used")
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return problem.New(problem.NotFound, "this invitation was used meanwhile").WithHint("ask for a new one")
	}
	// The row is ours until the transaction ends: what it said before is held to
	// its mark, then it is marked as it is.
	r, err := scan(s.d.QueryRowContext(ctx, "SELECT "+columns+" FROM invitations WHERE id = $1", id))
	if err != nil {
		return problem.Wrap(err, problem.Internal, "the invitation could not be read")
	}
	if r.ID != id {
		return vault.Other(Invitations, id)
	}
	before := r
	before.UsedAt, before.Connection = time.Time{}, ""
	if err := s.v.Fits(ctx, Invitations, r.mark, before.values()...); err != nil {
		return err
	}
	mark, err := s.v.Mark(ctx, Invitations, r.values()...)
	if err != nil {
		return err
	}
	if _, err := s.d.ExecContext(ctx, "UPDATE invitations SET mark = $1 WHERE id = $2", mark, id); err != nil {
		return problem.Wrap(err, problem.Internal, "the invitation could not be marked used")
	}
	if s.past != nil {
		return s.past.Used(ctx, r.Invitation)
	}
	return nil
}

// List gives the invitations, newest first, at most 1,000.
func (s *Store) List(ctx context.Context) ([]Invitation, error) {
	rows, err := s.d.QueryContext(ctx, "SELECT "+columns+" FROM invitations ORDER BY made_at DESC, id LIMIT 1000")
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the invitations could not be read")
	}
	defer rows.Close()
	var out []Invitation
	for rows.Next() {
		i, err := scan(rows)
		if err != nil {
			return nil, problem.Wrap(err, problem.Internal, "the invitations could not be read")
		}
		out = append(out, i.Invitation)
	}
	if err := rows.Err(); err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the invitations could not be read")
	}
	return out, nil
}

// Withdraw deletes an invitation that waits.
func (s *Store) Withdraw(ctx context.Context, id string) error {
	res, err := s.d.ExecContext(ctx, "DELETE FROM invitations WHERE id = $1 AND used_at = 0", id)
	if err != nil {
		return problem.Wrap(err, problem.Internal, "the invitation could not be deleted")
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return problem.New(problem.NotFound, "no invitation %.40q waits", id).WithHint("partnerguard connect invite list shows them")
	}
	return nil
}
