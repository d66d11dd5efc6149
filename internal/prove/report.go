package prove

import (
	"partnerguard/internal/access"
	"partnerguard/internal/evidence"
)

// SchemaID names the JSON schema of Report.
const SchemaID = "partnerguard.proof/1"

// Report is the answer to one question or several.
type Report struct {
	Schema     string           `json:"schema"`
	Partner    string           `json:"partner"` // the organisation's name; "" not known
	Proofs     []*access.Proof  `json:"proofs"`  // in the order asked
	Complete   bool             `json:"complete"`
	Incomplete []string         `json:"incomplete"`
	Age        []string         `json:"age"` // what is to be known of the age of what was read, in sentences; empty when it is of today
	Inputs     []evidence.Input `json:"inputs"`
	Sample     bool             `json:"sample"` // the embedded partner

	// From are the inputs as the user named them, repeated in the commands that
	// let a reader try a sign-in. Optional.
	From []string `json:"-"`
}
