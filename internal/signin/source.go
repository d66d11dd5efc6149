package signin

import (
	"time"

	"partnerguard/internal/evidence"
)

// SourceRef says where an event stands in the input. Seq orders inputs that
// the caller numbers; inputs with the same Seq are ordered by path.
type SourceRef struct {
	Seq int
	evidence.Source
}

// PolicySighting is a Conditional Access policy that the log says was applied
// to a sign-in of this tenant, enforced or report-only: whoever exports the
// policies should have it.
type PolicySighting struct {
	ID     string // lower case
	Name   string
	Last   time.Time       // the newest row that lists it; zero where no such row has a clock
	Source evidence.Source // the first row that lists it
}

// ClockNote says of one input that clocks in it could not be read, why, and of
// how many rows. The rows are counted, without a clock.
type ClockNote struct {
	Source evidence.Source `json:"source"` // the first such row
	Rows   int64           `json:"rows"`
	// LocalTime: the clocks are in the local time of whoever exported. Otherwise
	// day and month could be exchanged and nothing in the input decides it;
	// Contrary says that the input holds clocks of both orders.
	LocalTime bool `json:"localTime,omitempty"`
	Contrary  bool `json:"contrary,omitempty"`
}
