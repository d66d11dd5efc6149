//go:build !judge

package contain

import (
	"context"
	"log/slog"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/fraud"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
	"partnerguard/internal/vault"
)

// Marks vouch for rows that steer.
type Marks interface {
	Mark(ctx context.Context, b *vault.Book, values ...any) ([]byte, error)
	Fits(ctx context.Context, b *vault.Book, mark []byte, values ...any) error
}

// Word says what the trail says last: of a run's going on (about ""), or of its approval
// (about "approval").
type Word func(run, about string) audit.Action

// Deps is what containment is made of.
type Deps struct {
	DB     *db.DB
	Marks  Marks // nil where the vault is not open: rows are then shown, and nothing is done
	Record audit.Recorder
	// Last gives what the trail says last; nil: rows are held to their marks alone.
	Last func(context.Context) (Word, error)
	// Alert finds an alert by its id or the beginning of one.
	Alert func(ctx context.Context, id string) (fraud.Alert, error)
	// Scene gives what an inquiry found; nil: there is none.
	Scene func(ctx context.Context, id string) (Scene, error)
	// Answer tells Microsoft what became of one alert; nil: nobody does.
	Answer func(ctx context.Context, id string, reason fraud.Reason, actor string) error
	// Cloud gives the way to Microsoft by a connection ("" the usual one) to a customer.
	Cloud  func(ctx context.Context, connection, customer string) (*Cloud, error)
	Name   string // of the cloud
	Actor  string
	Now    func() time.Time
	Log    *slog.Logger
	Config *Config

	// at is where tests let a process die.
	at func(ctx context.Context, point string)
}

// Containment keeps plans and does them. Safe for concurrent use, by several processes too.
type Containment struct {
	d  Deps
	id string // of this process, as leases name it
}

// New makes a Containment over a database whose schema is current.
func New(d Deps) (*Containment, error) {
	if d.DB == nil || d.Now == nil || d.Record == nil {
		return nil, problem.New(problem.Internal, "containment has no database, no trail or no clock")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Config == nil {
		d.Config = &Config{}
	}
	if d.at == nil {
		d.at = func(context.Context, string) {}
	}
	return &Containment{d, token.ID("contain")}, nil
}

// As is the same, acting as somebody else.
func (c *Containment) As(actor string) *Containment {
	out := *c
	out.d.Actor = actor
	return &out
}

// now is the clock as the database can keep it.
func (c *Containment) now() time.Time { return c.d.Now().UTC().Truncate(time.Microsecond) }

func errNoVault() error {
	return problem.New(problem.Unavailable, "the vault is not open, so that no plan can be vouched for").WithHint("open the installation with its key")
}
