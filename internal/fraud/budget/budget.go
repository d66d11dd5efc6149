//go:build !judge

package budget

import (
	"context"
	"encoding/json"
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

// Cloud is what budgets need of Microsoft. Each method is one request; a write is sent once.
// Errors are msapi's.
type Cloud interface {
	// SpendingBudget reads Partner Center's budget of a customer; nil: there is none.
	SpendingBudget(ctx context.Context, customer string) (*float64, error)
	// SetSpendingBudget sets it; nil takes it away.
	SetSpendingBudget(ctx context.Context, customer string, amount *float64) error
	// AzureBudget reads a budget of a subscription as Azure has it: properties, and the ETag
	// it is changed by. found is false where there is none of that name.
	AzureBudget(ctx context.Context, customer, subscription, name string) (b Kept, found bool, err error)
	// PutAzureBudget makes or changes it.
	PutAzureBudget(ctx context.Context, customer, subscription, name string, b Kept) error
	DeleteAzureBudget(ctx context.Context, customer, subscription, name string) error
}

// Kept is a budget of Azure's as it is written: what is given back is what was there.
type Kept struct {
	ETag       string          `json:"eTag,omitempty"`
	Properties json.RawMessage `json:"properties"`
}

// Deps is what budgets are made of.
type Deps struct {
	DB     *db.DB
	Marks  Marks // nil where the vault is not open: rows are then shown, and nothing is done
	Record audit.Recorder
	// Last gives what the trail says last of a plan; nil: rows are held to their marks alone.
	Last func(context.Context) (func(plan string) audit.Action, error)
	// Cloud gives the way to Microsoft by the connection of the partner's tenant; nil: nothing is done.
	Cloud func(ctx context.Context, tenant string) (Cloud, error)
	Actor string
	Now   func() time.Time
	Log   *slog.Logger

	// at is where tests let a process die.
	at func(ctx context.Context, point string)
}

// Budgets keeps plans of budgets that are applied, and does them. Safe for concurrent use, by
// several processes too.
type Budgets struct {
	d  Deps
	id string // of this process, as leases name it
}

// errNoVault says that what steers cannot be vouched for.
func errNoVault() error {
	return problem.New(problem.Unavailable, "the vault is not open, so that no plan can be vouched for").WithHint("open the installation with its key")
}
