//go:build !judge

package move

import (
	"time"

	"partnerguard/internal/delegation"
)

// Plan is what shall become of a partner's delegation, customer by customer. It is read
// by people, changed by them, and holds no secret.
type Plan struct {
	Version int       `yaml:"version" json:"version"` // 1
	Cloud   string    `yaml:"cloud" json:"cloud"`
	Tenant  string    `yaml:"tenant" json:"tenant"` // the partner's id
	Made    time.Time `yaml:"made" json:"made"`
	Facts   time.Time `yaml:"facts" json:"facts"`   // as of when what it was made from was true
	From    string    `yaml:"madeFrom" json:"from"` // fingerprint of that
	To      string    `yaml:"to" json:"to"`         // least, or the template's name
	// Stages are shares of the customers in percent, rising to 100: a stage begins when
	// the probes of the one before it passed.
	Stages    []int             `yaml:"stages" json:"stages"`
	Roles     map[string]string `yaml:"roleNames" json:"roleNames"` // for people: the names of the ids below
	Customers []Customer        `yaml:"customers" json:"customers"`
	Unchanged []Unchanged       `yaml:"unchanged,omitempty" json:"unchanged"` // where nothing is done, and why
}

// Unchanged is a customer where nothing is done.
type Unchanged struct {
	Tenant string `yaml:"tenant" json:"customerTenantId"`
	Name   string `yaml:"name" json:"name"`
	Why    string `yaml:"why" json:"why"`
}

// Change is the kind of change at a customer, from the smallest to the largest.
type Change string

// The changes.
const (
	Keep    Change = "keep"    // nothing is done
	Narrow  Change = "narrow"  // an active relationship holds all the roles: its assignments are changed, and nobody has to approve
	Replace Change = "replace" // a new relationship, which the customer approves
)

// DAPWill is what becomes of delegated administration privileges.
type DAPWill string

// What may become of them.
const (
	DAPKeep   DAPWill = "keep"
	DAPRemove DAPWill = "remove"
)

// Customer is what shall become of one customer.
type Customer struct {
	Tenant string   `yaml:"tenant" json:"customerTenantId"`
	Name   string   `yaml:"name" json:"name"` // as others wrote it, cleaned
	Stage  int      `yaml:"stage" json:"stage"`
	Risk   int      `yaml:"risk" json:"risk"` // the higher, the later
	Change Change   `yaml:"change" json:"change"`
	Why    string   `yaml:"why" json:"why"`
	Words  []string `yaml:"words,omitempty" json:"words"` // what the change means, a sentence each
	// Relationship is the one that gives access afterwards: a new one, or with its id one
	// that is active.
	Relationship *Relationship `yaml:"relationship,omitempty" json:"relationship,omitempty"`
	Groups       []Group       `yaml:"groups,omitempty" json:"groups"`
	End          []Former      `yaml:"end,omitempty" json:"end"`
	DAP          DAPWill       `yaml:"dap" json:"dap"`
	Goes         []Going       `yaml:"goes,omitempty" json:"goes"`
	Stays        []Staying     `yaml:"stays,omitempty" json:"stays"`
	Was          Was           `yaml:"was" json:"was"`
}

// Relationship is a relationship as it shall be.
type Relationship struct {
	ID         string   `yaml:"id,omitempty" json:"id,omitempty"` // "": to be made
	Name       string   `yaml:"name" json:"displayName"`          // at most 50 characters, of one relationship alone
	Duration   string   `yaml:"duration,omitempty" json:"duration,omitempty"`
	AutoExtend string   `yaml:"autoExtend,omitempty" json:"autoExtendDuration,omitempty"` // P180D, or nothing
	Roles      []string `yaml:"roles" json:"roles"`
	// DropGlobal takes Global Administrator out of an active relationship.
	DropGlobal bool `yaml:"dropGlobalAdministrator,omitempty" json:"dropGlobalAdministrator,omitempty"`
}

// Group is a security group of the partner with the roles it shall have.
type Group struct {
	ID    string   `yaml:"id" json:"groupId"`
	Name  string   `yaml:"name,omitempty" json:"name"`
	Roles []string `yaml:"roles" json:"roles"`
}

// Former is a relationship that shall end.
type Former struct {
	ID   string `yaml:"id" json:"relationshipId"`
	Name string `yaml:"name" json:"displayName"`
	Why  string `yaml:"why" json:"why"`
}

// Going is a role that a group will not have any more.
type Going struct {
	Role  string `yaml:"role" json:"role"`
	Group string `yaml:"group" json:"groupId"`
	Sure  string `yaml:"sure" json:"sure"` // evidence, no-evidence
	Why   string `yaml:"why,omitempty" json:"why"`
}

// Staying is a role that stays though no act called for it.
type Staying struct {
	Role  string `yaml:"role" json:"role"`
	Group string `yaml:"group" json:"groupId"`
	Why   string `yaml:"why" json:"why"`
}

// Was is what the plan found at a customer: what is held against what is there when the
// plan is applied.
type Was struct {
	DAP           delegation.Answer `yaml:"dap" json:"dap"`
	Relationships []WasRelationship `yaml:"relationships,omitempty" json:"relationships"`
}

// WasRelationship is a relationship that gave access.
type WasRelationship struct {
	ID     string     `yaml:"id" json:"relationshipId"`
	Name   string     `yaml:"name" json:"displayName"`
	Roles  []string   `yaml:"roles" json:"roles"`
	End    time.Time  `yaml:"end,omitempty" json:"endDateTime,omitzero"`
	Groups []WasGroup `yaml:"groups,omitempty" json:"groups"`
}

// WasGroup is what a group had by a relationship.
type WasGroup struct {
	Assignment string   `yaml:"assignment" json:"assignmentId"`
	Group      string   `yaml:"group" json:"groupId"`
	Roles      []string `yaml:"roles" json:"roles"`
}
