package probe

import (
	"context"
	"time"

	"partnerguard/internal/delegation"
)

// Kind is what is asked.
type Kind string

// The kinds.
const (
	RelationshipActive Kind = "relationship-active" // the relationship gives access
	RelationshipEnded  Kind = "relationship-ended"  // it does not any more
	AssignmentActive   Kind = "assignment-active"   // the group has exactly these roles by it
	AssignmentGone     Kind = "assignment-gone"     // the group has no assignment by it
	RoleGone           Kind = "role-gone"           // no relationship gives the group that role at this customer
	DAPGone            Kind = "dap-gone"            // Partner Center says that there is no DAP
	TokenRoles         Kind = "token-roles"         // the connected account's token in the customer's tenant has these roles, and no other
	MemberSeen         Kind = "member-seen"         // somebody of the group signed in to the customer's tenant since
)

// Outcome is how a probe ended.
type Outcome string

// The outcomes.
const (
	Pass    Outcome = "pass"
	Fail    Outcome = "fail"
	Wait    Outcome = "wait"    // not yet so, and it may still take its time: ask again after Result.Again
	Unknown Outcome = "unknown" // it could not be asked
)

// Proof is by what an outcome is known.
type Proof string

// The proofs, from the strongest.
const (
	ByToken  Proof = "token"   // a token of the connected account in the customer's tenant
	BySignIn Proof = "sign-in" // a row of a log
	ByState  Proof = "state"   // what Microsoft says that the relationship or assignment is
	ByNone   Proof = ""
)

// How long changes take to be felt: from then on what is not so has failed.
const (
	// AssignmentTakes is for an assignment or a relationship to become active, or to end.
	AssignmentTakes = 10 * time.Minute
	// MembershipTakes is for a token to show a change of a group's roles or members
	// (contracts-2026-11.md section 3.3: about 30 minutes).
	MembershipTakes = 35 * time.Minute
)

// Expectation is what should be so at one customer.
type Expectation struct {
	Customer string   `json:"customerTenantId"`
	Name     string   `json:"name,omitempty"`
	Active   []Access `json:"active,omitempty"` // access that should exist
	Gone     []Access `json:"gone,omitempty"`   // access that should not; no group: the whole relationship should be over
	NoRole   []Lost   `json:"noRole,omitempty"` // roles that a group should not have by any relationship
	NoDAP    bool     `json:"noDap,omitempty"`  // DAP should be gone
	// Whole says that Active is all that should give access to this customer: then a role
	// in a token that none of it gives is access that should not exist.
	Whole bool `json:"whole,omitempty"`
	// Since is when it was made so: until the change had its time, what is not yet so
	// waits. Zero: long ago.
	Since time.Time `json:"since,omitzero"`
}

// Access is what one group has by one relationship.
type Access struct {
	Relationship string   `json:"relationshipId"`
	Group        string   `json:"groupId,omitempty"`
	Roles        []string `json:"roles,omitempty"` // template ids, lower case
}

// Lost is a role that a group should not have any more.
type Lost struct {
	Group string `json:"groupId"`
	Role  string `json:"role"`
}

// Result is what one probe found.
type Result struct {
	Customer string    `json:"customerTenantId"`
	Kind     Kind      `json:"kind"`
	Subject  string    `json:"subject"` // relationship, relationship and group, or account
	Want     string    `json:"want"`
	Got      string    `json:"got"`
	Outcome  Outcome   `json:"outcome"`
	Proof    Proof     `json:"proof,omitempty"`
	Why      string    `json:"why,omitempty"`
	Fix      string    `json:"fix,omitempty"`
	At       time.Time `json:"at"`
	Again    time.Time `json:"again,omitzero"` // of Wait: when to ask next
}

// Client is what is read. Errors are those of msapi; each reading stands for itself.
type Client interface {
	// Relationship reads a relationship's status, and whether there is one.
	Relationship(ctx context.Context, id string) (Relationship, error)
	// Relationships are the ids of those at a customer that give access, or may soon.
	Relationships(ctx context.Context, customer string) ([]string, error)
	// Assignments reads a relationship's access assignments.
	Assignments(ctx context.Context, id string) ([]Assignment, error)
	// DAP says whether Partner Center shows DAP at a customer.
	DAP(ctx context.Context, customer string) (delegation.Answer, error)
	// Token gets a new token of the connected account in a customer's tenant, and says
	// what it says. The token itself stays where it is.
	Token(ctx context.Context, customer string) (Token, error)
	// Groups are the groups that the connected account is in, nested ones too, by id.
	Groups(ctx context.Context) ([]string, error)
	// SignedIn says who of a group signed in to a customer's tenant since a moment, by
	// the partner's log; zero time: nobody that the log shows.
	SignedIn(ctx context.Context, customer, group string, since time.Time) (time.Time, error)
}

// Relationship is how a relationship stands.
type Relationship struct {
	Status string // raw; "" there is none
	Roles  []string
}

// Assignment is how an access assignment stands.
type Assignment struct {
	ID, Group, Status string
	Roles             []string
}

// Token is what a token in a customer's tenant says.
type Token struct {
	Account string   // its user principal name
	Roles   []string // wids: template ids; nil when it does not say
	Refused bool     // Entra ID gives this account none: it has no access there
}
