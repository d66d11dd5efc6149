//go:build !judge

package desk

import (
	"context"
	"log/slog"

	"partnerguard/internal/fraud"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
)

// New makes a Desk over a database whose schema is current.
func New(d Deps) (*Desk, error) {
	if d.DB == nil || d.Now == nil || d.Record == nil {
		return nil, problem.New(problem.Internal, "the desk of fraud alerts has no database, no trail or no clock")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.at == nil {
		d.at = func(context.Context, string) {}
	}
	return &Desk{d: d, id: token.ID("desk")}, nil
}

// Get finds a case by its id, Microsoft's ids of it, or a beginning that no other has.
func (d *Desk) Get(ctx context.Context, id string) (*Case, error) { panic("not yet") }

// List gives the cases that are wanted, those that wait longest first.
func (d *Desk) List(ctx context.Context, f Filter) ([]Case, error) { panic("not yet") }

// Answer queues the answer to exactly one alert; it is sent once, when Microsoft answers.
func (d *Desk) Answer(ctx context.Context, id string, reason fraud.Reason, actor string) error {
	panic("not yet")
}

// Pull reads the alerts of Microsoft now and gives those that are new.
func (d *Desk) Pull(ctx context.Context) ([]Case, error) { panic("not yet") }
