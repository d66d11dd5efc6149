//go:build !judge

package move

import (
	"context"
	"time"

	"partnerguard/internal/delegation"
)

// Cloud is what a move needs of Microsoft. Each method is one request, or a walk over one
// list; none is sent again after a lost answer but reads. Errors are msapi's.
type Cloud interface {
	// Relationship reads one; kind problem.NotFound where it is not there.
	Relationship(ctx context.Context, id string) (Seen, error)
	// Named finds the relationship of a name; found is false where there is none.
	Named(ctx context.Context, name string) (s Seen, found bool, err error)
	Create(ctx context.Context, tenant string, r Relationship) (Seen, error)
	// Ask makes a request: lockForApproval or terminate.
	Ask(ctx context.Context, id, action string) error
	// Discard deletes one that was never offered.
	Discard(ctx context.Context, id, etag string) error
	// SetRoles changes the roles of an active one; operation is what to wait for, "" nothing.
	SetRoles(ctx context.Context, id, etag string, roles []string) (operation string, err error)
	Assignments(ctx context.Context, id string) ([]Assigned, error)
	Assign(ctx context.Context, id, group string, roles []string) error
	Reassign(ctx context.Context, id, assignment, etag string, roles []string) (operation string, err error)
	Unassign(ctx context.Context, id, assignment, etag string) error
	// Operation gives an operation's status, as Graph says it.
	Operation(ctx context.Context, id, operation string) (string, error)
	DAP(ctx context.Context, tenant string) (delegation.Answer, error)
	RemoveDAP(ctx context.Context, tenant string) error
}

// Seen is a relationship as it is now.
type Seen struct {
	ID       string
	Name     string
	Status   string // raw
	Customer string // tenant id, lower case
	Roles    []string
	End      time.Time
	ETag     string
}

// Assigned is an access assignment as it is now.
type Assigned struct {
	ID     string
	Group  string
	Status string // raw
	Roles  []string
	ETag   string
}
