package posture

import "time"

// Changes is what differs between two judgements of a tenant, and why. Lists have a
// fixed order, so that equal states give equal bytes.
type Changes struct {
	Tenant string    `json:"tenant"`
	Asked  time.Time `json:"asked,omitzero"`
	Short  bool      `json:"short,omitempty"` // nothing was kept at the moment asked for: the first judgement stands for it
	From   Mark      `json:"from"`
	To     Mark      `json:"to"`

	Turned   []Turned        `json:"turned"`   // requirements whose verdict is another
	Accounts []TurnedAccount `json:"accounts"` // accounts whose verdict or cover is another
	Causes   []Cause         `json:"causes"`   // everything that changed and could be a cause, the weighty first
	Notes    []string        `json:"notes"`    // what limits the above
}

// Turned is a requirement whose verdict turned.
type Turned struct {
	ID      string   `json:"id"`
	Title   string   `json:"title"`
	From    string   `json:"from"`
	To      string   `json:"to"`
	Reason  string   `json:"reason"` // of the newer verdict
	Worse   bool     `json:"worse"`
	Because []string `json:"because"`         // ids of causes, those that surely did it first
	Sure    bool     `json:"sure"`            // the first cause is shown to have done it; else they are candidates
	Newly   []string `json:"newly,omitempty"` // subjects that decide now and did not then

	Unexplained bool    `json:"unexplained"` // nothing that changed explains it
	Excepted    *Excuse `json:"excepted,omitempty"`
}

// TurnedAccount is an account whose verdict or cover turned.
type TurnedAccount struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	From    string   `json:"from"`            // verdict; "" where it was not there
	To      string   `json:"to"`              // "" where it is not there any more
	WasBy   []string `json:"wasBy,omitempty"` // policies that covered it
	Reason  string   `json:"reason"`
	Worse   bool     `json:"worse"`
	Because []string `json:"because"`
	Sure    bool     `json:"sure"`

	Unexplained bool    `json:"unexplained"`
	Excepted    *Excuse `json:"excepted,omitempty"`
}

// Excuse is the exception under which something stands. It silences the alert; the
// verdict stays.
type Excuse struct {
	ID      string    `json:"id"`
	Owner   string    `json:"owner"`
	Expires time.Time `json:"expires"`
}

// CauseKind is what kind of thing changed.
type CauseKind string

// The kinds of causes.
const (
	PolicyEdited     CauseKind = "policy_edited"
	PolicyAdded      CauseKind = "policy_added"
	PolicyRemoved    CauseKind = "policy_removed"
	SettingChanged   CauseKind = "setting_changed"
	AccountAdded     CauseKind = "account_added"
	AccountRemoved   CauseKind = "account_removed"
	AccountEnabled   CauseKind = "account_enabled"
	AccountDisabled  CauseKind = "account_disabled"
	FactorLost       CauseKind = "registration_lost"
	FactorGained     CauseKind = "registration_gained"
	RoleGiven        CauseKind = "role_given"
	RoleTaken        CauseKind = "role_taken"
	SignedInUnasked  CauseKind = "sign_in_without_mfa"
	UnaskedPast      CauseKind = "sign_in_left_the_log" // the one without MFA is older than what is looked at
	RuleDate         CauseKind = "rule_date"
	RuleBook         CauseKind = "rule_book"
	Program          CauseKind = "program"
	EvidenceOld      CauseKind = "evidence_too_old"
	NotKnownAnyMore  CauseKind = "not_known_any_more"
	KnownNow         CauseKind = "known_now"
	StatementMade    CauseKind = "statement_made"
	StatementEnded   CauseKind = "statement_ended"
	DisagreementSeen CauseKind = "disagreement_seen"
	DisagreementGone CauseKind = "disagreement_gone"
)

// Cause is one thing that changed.
type Cause struct {
	ID      string    `json:"id"` // within these changes: c1, c2 ...
	Kind    CauseKind `json:"kind"`
	Subject string    `json:"subject"`          // name of the policy, account, list, requirement
	Object  string    `json:"object,omitempty"` // its id
	Text    string    `json:"text"`             // what happened, in a sentence
	Members []Member  `json:"members,omitempty"`
	Edits   []Edit    `json:"edits,omitempty"`  // who did it and when, by the audit log, newest first
	Who     string    `json:"who"`              // the sentence about that
	Turned  []string  `json:"turned,omitempty"` // requirements that it turned, or may have
	Minor   bool      `json:"minor,omitempty"`  // it changes no sign-in, such as a name

	kinds  []string // of evidence that it touches
	direct string   // the one requirement it is about
	better int      // 1 it can only mend, -1 it can only harm, 0 either
}

// Member is one member of a setting.
type Member struct {
	Path    string   `json:"path"`
	From    string   `json:"from"`
	To      string   `json:"to"`
	Added   []string `json:"added,omitempty"` // of a list
	Removed []string `json:"removed,omitempty"`
}

// Edit is an act of the directory's audit log.
type Edit struct {
	At       time.Time `json:"at"`
	By       string    `json:"by"` // user principal name, or the app's name
	ByID     string    `json:"byId,omitempty"`
	App      bool      `json:"app,omitempty"`
	Activity string    `json:"activity"`
	Audit    string    `json:"audit"` // id of the row
}

// cause finds one by its id; nil where there is none.
func (c *Changes) cause(id string) *Cause {
	for i := range c.Causes {
		if c.Causes[i].ID == id {
			return &c.Causes[i]
		}
	}
	return nil
}
