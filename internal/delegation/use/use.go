package use

import (
	"time"

	"partnerguard/internal/delegation/role"
)

// Part is what was seen of the partner in one customer's tenant. It is small: it grows
// with kinds of acts and people, not with rows.
type Part struct {
	Tenant   string    `json:"customerTenantId"`
	From     time.Time `json:"from"` // the window asked for
	To       time.Time `json:"to"`
	Logs     []Log     `json:"logs"`
	Acts     []Act     `json:"acts"`
	Rows     int64     `json:"rows"`     // all rows read
	Unread   int64     `json:"unread"`   // rows that could not be understood
	Outside  int64     `json:"outside"`  // rows before or after the window
	Overflow bool      `json:"overflow"` // there were more kinds of acts than are kept
}

// Log is how one log was read.
type Log struct {
	Kind     string    `json:"kind"` // evidence.Kind: directoryAudit, signIn, azureActivity, partnerCenterAuditRecord
	Read     bool      `json:"read"`
	First    time.Time `json:"first,omitzero"` // of any row, whoever's
	Last     time.Time `json:"last,omitzero"`
	Complete int       `json:"completeDays"` // of the window
	Days     int       `json:"days"`         // the window's
	Why      string    `json:"why,omitempty"`
	Ask      string    `json:"settle,omitempty"`
}

// Act is one kind of act of one actor, added up.
type Act struct {
	Actor  string    `json:"actor"` // object id of the partner's user, lower case with dashes; of an app: its app id
	App    bool      `json:"app,omitempty"`
	Act    role.Act  `json:"act"`
	Failed bool      `json:"failed,omitempty"` // it was refused: it called for nothing
	Count  int64     `json:"count"`
	First  time.Time `json:"first"`
	Last   time.Time `json:"last"`
	Row    string    `json:"row,omitempty"` // one row's id, to look at
}
