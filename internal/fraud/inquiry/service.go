//go:build !judge

package inquiry

import (
	"context"
	"log/slog"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/evidence"
	"partnerguard/internal/fraud"
)

// Case is an alert as the desk has it, as far as an inquiry wants to know.
type Case struct {
	Alert fraud.Alert
	Known time.Time // first known here
	Done  []Done    // notes, answers, containment
}

// Deps are what an Inquiry needs of others.
type Deps struct {
	Record audit.Recorder   // required
	Now    func() time.Time // required
	Log    *slog.Logger     // nil discards
	Actor  string           // who asks where nobody does: "system:fraud"

	// Case finds an alert by its id or a unique part of it.
	Case func(ctx context.Context, id string) (*Case, error)
	// Earlier are other alerts of the same customer.
	Earlier func(ctx context.Context, of *fraud.Alert) ([]fraud.Alert, error)
	// Partner is the partner's own tenant.
	Partner func(context.Context) (string, error)
	// Standing tells how resources of a tenant stand: those named.
	Standing func(ctx context.Context, tenant string, resources []string) ([]Read, error)
	// Collect reads resources of a tenant now, whether due or not; nil where nothing can be read.
	Collect func(ctx context.Context, tenant string, resources []string) error
	// Records hands out what the archive has of resources of a tenant, answered since a moment,
	// in the order in which it was read.
	Records func(ctx context.Context, q Query, each func(evidence.Kind, []byte, Place) error) ([]Segment, error)
}

// Query says which records of the archive are wanted.
type Query struct {
	Tenant    string
	Resources []string
	Since     time.Time // answered then or later
}

// Inquiry investigates alerts. Safe for concurrent use.
type Inquiry struct{ d Deps }
