package assess

import (
	"time"

	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
)

// SchemaID names the JSON schema of Report; it changes only when a reader
// would break. The schema itself is docs/report.schema.json.
const SchemaID = "partnerguard.report/1"

// Verdict is one of the five words of the blueprint, section 2.
type Verdict string

// The verdicts. Unknown is never met.
const (
	Met           Verdict = "met"
	NotMet        Verdict = "not_met"
	Unknown       Verdict = "unknown"
	Attested      Verdict = "attested"
	NotApplicable Verdict = "not_applicable"
)

// Report is the answer for one partner as of one moment. All slices are
// sorted, so that equal facts give byte-equal reports.
type Report struct {
	Schema       string        `json:"schema"` // SchemaID
	AsOf         time.Time     `json:"asOf"`
	Partner      Partner       `json:"partner"`
	Complete     bool          `json:"complete"`
	Incomplete   []string      `json:"incomplete"` // why not complete, in sentences; empty when complete
	Requirements []Requirement `json:"requirements"`
	Causes       []Cause       `json:"causes"`   // what to do first; empty until they are looked for
	Score        ScoreView     `json:"score"`    // Microsoft's view, beside the contract, never mixed with it
	Accounts     []Account     `json:"accounts"` // every account known, the unmet ones first
	SignIns      SignIns       `json:"signIns"`
	// Disagreements are places where the settings ask for MFA or block and the log
	// shows a success without, or the reverse: both sides, never settled silently.
	Disagreements []Evidence       `json:"disagreements"`
	Inputs        []evidence.Input `json:"inputs"`
	Sample        bool             `json:"sample"`            // the embedded sample partner, not a real one
	Program       string           `json:"program,omitempty"` // what wrote it, with its version
	RuleBook      string           `json:"ruleBook"`          // the day the rule book was last revised, 2006-01-02
	Age           EvidenceAge      `json:"age"`               // how old all of it is
	// Attestations are what people vouch for or leave out, in the order of the inputs.
	Attestations []Vouch `json:"attestations"`
	// Dates are what Microsoft changes on dates, and who is hit here; by date.
	Dates []partner.Outlook `json:"dates"`

	// From are the inputs as the user named them, repeated in the commands that let
	// a reader rehearse a cause. Optional.
	From []string `json:"-"`
}

// Partner says who was judged.
type Partner struct {
	Kind        string `json:"kind"`  // direct-bill, indirect-provider, indirect-reseller, control-panel-vendor, advisor
	Cloud       string `json:"cloud"` // public, usgov, china, germany
	TenantID    string `json:"tenantId,omitempty"`
	DisplayName string `json:"displayName,omitempty"`
}

// Requirement is one row of the report.
type Requirement struct {
	ID       string     `json:"id"`
	Title    string     `json:"title"`
	Level    string     `json:"level"`   // mandatory, recommended
	Binding  string     `json:"binding"` // how it stands on AsOf: not_yet, announced, contract, enforced, advised, exempt
	Verdict  Verdict    `json:"verdict"`
	Reason   string     `json:"reason"`   // one sentence
	Affected int        `json:"affected"` // how many fall short; 0 when met or unknown
	Total    int        `json:"total"`    // of how many; 0 when not countable
	Unit     string     `json:"unit"`     // accounts, sign-ins, apps, relationships, alerts, customers
	Action   string     `json:"action"`   // what to do, one sentence; "" when nothing
	Evidence []Evidence `json:"evidence"` // the decisive ones, at most MaxEvidence
	More     int        `json:"more"`     // evidence beyond those listed
	Source   string     `json:"source"`   // where the rule is written
	// AttestedBy and AttestedUntil say who vouches for an attested requirement.
	AttestedBy    string `json:"attestedBy,omitempty"`
	AttestedUntil string `json:"attestedUntil,omitempty"`
	Age           Age    `json:"age"` // how old what decided it is
}

// MaxEvidence bounds the evidence listed for one requirement.
const MaxEvidence = 10

// Evidence is one thing that decided a verdict.
type Evidence struct {
	Subject  string          `json:"subject"`            // account, app, policy, relationship ...
	Detail   string          `json:"detail"`             // what it shows, in words
	Observed *time.Time      `json:"observed,omitempty"` // when it happened or was recorded
	RecordID string          `json:"recordId,omitempty"` // the record's own id
	Source   evidence.Source `json:"source"`
}

// Account is one account of the partner tenant with its class and way out.
type Account struct {
	ID                string     `json:"id"`
	UserPrincipalName string     `json:"userPrincipalName"`
	DisplayName       string     `json:"displayName"`
	Class             string     `json:"class"`   // member, guest, service, directory_sync, break_glass_candidate, shared, resource, agent, disabled, unknown
	InScope           bool       `json:"inScope"` // false for disabled accounts and directory sync
	Admin             bool       `json:"admin"`   // holds or may activate a directory role
	Roles             []string   `json:"roles"`
	StrongestFactor   string     `json:"strongestFactor"` // phishing_resistant, app, otp, phone, none, unknown
	MFA               Verdict    `json:"mfa"`             // met, not_met, unknown, not_applicable
	Reason            string     `json:"reason"`
	WaysOut           []WayOut   `json:"waysOut"` // empty when met, but for shared mailboxes and rooms
	SignIns           Tally      `json:"signIns"`
	LastSignIn        *time.Time `json:"lastSignIn,omitempty"`
	LastNotChallenged *time.Time `json:"lastNotChallenged,omitempty"`
	LegacyClients     []string   `json:"legacyClients"`
	Exception         string     `json:"exception,omitempty"` // who leaves it out, until when and why; the verdict stays
}

// WayOut is one step that would bring an account into line.
type WayOut = directory.WayOut

// Tally counts sign-ins by verdict. Successful user sign-ins are the first five.
type Tally struct {
	Challenged          int64 `json:"challenged"`
	SatisfiedByClaim    int64 `json:"satisfiedByClaim"`
	SatisfiedByProvider int64 `json:"satisfiedByProvider"`
	NotChallenged       int64 `json:"notChallenged"`
	Unknown             int64 `json:"unknown"`
	Interrupted         int64 `json:"interrupted"`
	Failed              int64 `json:"failed"`
	NotUser             int64 `json:"notUser"`
}

// SignIns summarises the log for tables and plots.
type SignIns struct {
	Rows       int64            `json:"rows"`       // distinct sign-ins judged
	Duplicates int64            `json:"duplicates"` // further copies of the same id, dropped
	OutOfRange int64            `json:"outOfRange"` // outside --since/--until, not judged
	First      *time.Time       `json:"first,omitempty"`
	Last       *time.Time       `json:"last,omitempty"`
	Total      Tally            `json:"total"`
	Legacy     Tally            `json:"legacy"`  // rows whose client is a legacy protocol
	AOBO       Tally            `json:"aobo"`    // rows on behalf of a customer
	Reasons    map[string]int64 `json:"reasons"` // rows by reason code (signin.Reason)
	Days       []Day            `json:"days"`    // ascending, UTC days that have rows
	Apps       []AppTally       `json:"apps"`    // not challenged most first, at most 50
}

// Day is one UTC day of the log.
type Day struct {
	Date string `json:"date"` // 2006-01-02
	Tally
}

// AppTally is one application of the log.
type AppTally struct {
	AppID string `json:"appId"`
	Name  string `json:"name"`
	Tally
}

// ScoreView is what Microsoft's own security score says, as exported.
type ScoreView struct {
	Available    bool               `json:"available"`
	Current      float64            `json:"current"`
	Max          float64            `json:"max"`
	Updated      *time.Time         `json:"updated,omitempty"`
	Requirements []ScoreRequirement `json:"requirements"`
}

// ScoreRequirement is one row of Microsoft's score.
type ScoreRequirement struct {
	Type     string  `json:"type"`
	Verdict  Verdict `json:"verdict"` // compliant -> met, noncompliant -> not_met, else unknown
	Score    float64 `json:"score"`
	MaxScore float64 `json:"maxScore"`
	State    string  `json:"state"` // active, preview
	Detail   string  `json:"detail"`
}
