//go:build !judge

package move

import (
	"context"
	"log/slog"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// Marks vouch for rows that steer.
type Marks interface {
	Mark(ctx context.Context, b *vault.Book, values ...any) ([]byte, error)
	Fits(ctx context.Context, b *vault.Book, mark []byte, values ...any) error
}

// Prober asks whether access that should exist exists, and whether access that should not
// does not. It only reads.
type Prober interface {
	Probe(ctx context.Context, ask ProbeAsk) (ProbeAnswer, error)
}

// ProbeAsk is what a probe of one customer looks for.
type ProbeAsk struct {
	Tenant       string // the customer's
	Relationship string
	Groups       []Group // that should have access, with their roles
	Gone         []Going // access that should be gone; only after the old assignments went

	Since time.Time // when what is asked for was first to be so: what takes its time has failed when it had it
}

// ProbeAnswer is what a probe found.
type ProbeAnswer struct {
	Pass  Passed
	Words string // what was found, one sentence
}

// Passed is whether a probe passed. What could not be asked is no pass.
type Passed string

// The answers.
const (
	Pass    Passed = "pass"
	Fail    Passed = "fail"
	Unknown Passed = "unknown"
)

// Tell sends something to whoever passes invitations on: the invitation itself, or a
// reminder of it. key is the same for the same message.
type Tell func(ctx context.Context, key string, i Invitation) error

// Deps is what moves are made of.
type Deps struct {
	DB     *db.DB
	Marks  Marks // nil where the vault is not open: rows are then shown, and nothing is done
	Record audit.Recorder
	// Last gives what the trail says last of a plan or a pin (tenant ""), and of the move of
	// a customer; nil: rows are held to their marks alone.
	Last func(context.Context) (func(object, tenant string) audit.Action, error)
	// Cloud gives the way to Microsoft, by the connection of the partner's tenant; its
	// error says what is missing. Nil: nothing is done.
	Cloud  func(ctx context.Context, tenant string) (Cloud, error)
	Probe  Prober // nil: every probe is unknown
	Tell   Tell   // nil: nobody is told; the invitation is shown by Invite
	Admin  string // base of the Microsoft 365 admin center; "" is Microsoft's
	Actor  string
	Now    func() time.Time
	Log    *slog.Logger
	Config *Config

	// at is where tests let a process die.
	at func(ctx context.Context, point string)
}

// Mover keeps plans that are applied and the moves of customers, and does them. Safe for
// concurrent use, by several processes too.
type Mover struct {
	d  Deps
	id string // of this process, as leases name it
}

// errNoVault says that what steers cannot be vouched for.
func errNoVault() error {
	return problem.New(problem.Unavailable, "the vault is not open, so that no plan can be vouched for").WithHint("open the installation with its key")
}
