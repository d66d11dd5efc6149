package report

import (
	"encoding/json"
	"runtime/debug"
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
	"partnerguard/internal/vouch"
)

// Reader is for whom a pack is made. It decides how much of the verdicts' detail is told,
// and never which verdict is told.
type Reader string

// The readers.
const (
	Auditor   Reader = "auditor"   // all of it
	Insurer   Reader = "insurer"   // verdicts, counts and practices; no person is named
	Microsoft Reader = "microsoft" // the programme's requirements, with all that decided them
	Customer  Reader = "customer"  // verdicts and counts; no person and no other customer is named
)

// Readers lists them.
func Readers() []Reader { return []Reader{Auditor, Insurer, Microsoft, Customer} }

// Input is all that a pack's report is made of. Where something is redacted, Report is to be
// one that was judged from the redacted evidence, with Cut; without it nobody is named.
type Input struct {
	Name   string // of the pack, its identity: lower-case letters, digits, '.', '-'
	Tool   string // program and version that makes it
	Made   time.Time
	Reader Reader
	Tenant string // id
	Title  string // the tenant's name; "" is not known or redacted
	// Customer is the customer's tenant id where the pack is about one; "" where it is about
	// the partner.
	Customer  string
	From, To  time.Time // the period: From <= t < To; verdicts are as of To
	Redacted  []string  // the rule: names, addresses; empty leaves all as it was
	Evidence  string    // which pages are in it: all, deciding, none
	Rejudges  bool      // the verdicts come out again from what is inside
	Agreement Agreement // in force on the day of the evidence

	Report *assess.Report // as of To; required
	Cut    bool           // Report was judged from the evidence as it is in the pack, with pseudonyms
	// Recounted are what verdicts that are unknown anyway counted before the redaction, in words.
	Recounted []string
	Days      []Day // of the period, oldest first
	// Practices is the report of the security best practices as JSON; nil: none was made.
	Practices  json.RawMessage
	Exceptions []Exception
	Statements []vouch.Statement // attestations and exceptions as they were judged by
	Gaps       []evidence.Gap    // what was to be read and was not
	// Lacking are the inputs that were judged by as not whole; what they say is judged by again.
	Lacking []evidence.Input
	// Since is from when on sign-ins were judged.
	Since time.Time
	// Where finds the page in the pack that a line of a file of the evidence stands in; nil
	// where no page is in it. ok is false where that is not known of the line.
	Where func(file string, line int) (entry string, ok bool)

	Checkpoint Checkpoint       // of the trail, under which all of it stands
	Sign       Signer           // of the findings; nil: they have their digests alone
	Build      *debug.BuildInfo // of the program; nil: no bill of materials can be made
}

// Agreement is the edition of Microsoft's partner agreement that was in force.
type Agreement struct {
	Edition string `json:"edition"`
	Since   string `json:"since,omitempty"` // 2006-01-02
	Source  string `json:"source"`
}

// Day is how the requirements stood at the end of one UTC day, as they were judged then.
type Day struct {
	Day      string            `json:"day"` // 2006-01-02
	Judged   bool              `json:"judged"`
	Verdicts map[string]string `json:"verdicts,omitempty"` // by requirement; absent where nothing was judged
}

// Exception is what somebody leaves out of alerts for a while, and answers for.
type Exception struct {
	ID          string    `json:"id"`
	Requirement string    `json:"requirement"`
	Accounts    []string  `json:"accounts"`
	Owner       string    `json:"owner"`
	Reason      string    `json:"reason"`
	Control     string    `json:"compensatingControl"`
	AddedBy     string    `json:"addedBy"`
	ApprovedBy  string    `json:"approvedBy,omitempty"`
	Added       time.Time `json:"added"`
	Expires     time.Time `json:"expires"`
	Standing    string    `json:"standing"` // approved, proposed, expired, ended, refused
}

// Checkpoint is a signed checkpoint of the trail.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   string // lower-case hexadecimal
	Time   time.Time
}

// Signer signs under the key of the trail's checkpoints.
type Signer interface {
	Sign(text []byte) ([]byte, error)
	Key() string // the verifier's key, as `trail key` prints it
}
