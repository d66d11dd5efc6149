//go:build !judge

package run

import (
	"context"
	"encoding/json"
	"iter"
	"log/slog"
	"time"

	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/gate"
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

// Graph is what is needed of Microsoft Graph, in one tenant.
type Graph interface {
	Read(ctx context.Context, path string) (msapi.Reply, error)
	Write(ctx context.Context, w msapi.Write) (msapi.Reply, error)
	Items(ctx context.Context, path string) iter.Seq2[json.RawMessage, error]
}

// Cloud is the way to one tenant.
type Cloud struct {
	Graph  Graph
	Tenant string // whose directory it is, lower case
	Actor  string // object id of the account that acts; "" not known, or an app alone
}

// Ask asks for a stage of a plan: From is the stage that was reached ("" none), IDs are
// what the plan made so far, by key.
type Ask struct {
	Plan     *remedy.Plan
	From, To remedy.Stage
	IDs      map[string]string
	Cloud    *Cloud
	// Proof asks for the answers alone, over what is there: nothing is to be changed.
	Proof bool
}

// Deps is what doing plans is made of.
type Deps struct {
	DB     *db.DB
	Marks  Marks // nil where the vault is not open: rows are then shown, and nothing is done
	Record audit.Recorder
	// Last gives what the trail says last; nil: rows are held to their marks alone.
	Last func(context.Context) (Word, error)
	// Verifiers are the keys whose signature on a plan counts.
	Verifiers func(context.Context) ([]note.Verifier, error)
	// Cloud gives the way to a tenant, by a connection that holds the permissions named.
	Cloud func(ctx context.Context, tenant string, permissions []string) (*Cloud, error)
	// Gate looks at a stage of a plan over the settings as they are at this moment. The
	// proofs' "before" is how it stands now.
	Gate func(ctx context.Context, a Ask) (*remedy.Gate, error)
	// Expand gives exactly the changes between two stages, in order; what the plan made is
	// named by its key.
	Expand func(ctx context.Context, a Ask) ([]gate.Move, error)
	// Observed counts what a policy did to sign-ins since a moment; own are all policies of the
	// run. Its error is of kind problem.NotFound where no log can tell (no log is kept, no
	// licence for it).
	Observed func(ctx context.Context, tenant, policy string, own []string, since time.Time) ([]remedy.Effect, remedy.Log, error)
	// Who says who changed an object since a moment, by the directory's log; nil or "": not known.
	Who    func(ctx context.Context, c *Cloud, id string, since time.Time) (string, error)
	Actor  string
	Now    func() time.Time
	Log    *slog.Logger
	Config *Config

	// at is where tests let a process die.
	at func(ctx context.Context, point string)
}

// Runner keeps runs of plans and does them. Safe for concurrent use, by several processes
// too.
type Runner struct {
	d  Deps
	id string // of this process, as leases name it
}

// New makes a Runner over a database whose schema is current.
func New(d Deps) (*Runner, error) {
	if d.DB == nil || d.Now == nil || d.Record == nil {
		return nil, problem.New(problem.Internal, "plans have no database, no trail or no clock")
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
	return &Runner{d, token.ID("remedy")}, nil
}

// As is the same, acting as somebody else.
func (c *Runner) As(actor string) *Runner {
	out := *c
	out.d.Actor = actor
	return &out
}

// now is the clock as the database can keep it.
func (c *Runner) now() time.Time { return c.d.Now().UTC().Truncate(time.Microsecond) }

func errNoVault() error {
	return problem.New(problem.Unavailable, "the vault is not open, so that no plan can be vouched for").WithHint("open the installation with its key")
}
