package apppassword

import (
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/partner"
)

// SchemaID names the form of Report as JSON.
const SchemaID = "partnerguard.apppassword/1"

// Answer is yes, no or unknown. What was not read is unknown.
type Answer string

// The answers.
const (
	Yes     Answer = "yes"
	No      Answer = "no"
	Unknown Answer = "unknown"
)

// Input is what an answer is made of.
type Input struct {
	Facts  *facts.Facts
	Engine *access.Engine // the facts' tenant, compiled
	Log    *Log           // nil: nobody looked through the log
	AsOf   time.Time      // required
	// Account narrows to one account, by id or user principal name; "" is all.
	Account string
	// SMTPAuth is the tenant's switch for SMTP AUTH, which no export read here shows,
	// as its operator says: enabled, disabled, or "" where nobody says.
	SMTPAuth string
	// Ends are Microsoft's dated changes with whom they hit here, of which those that
	// end an app password or what it is used for are shown.
	Ends []partner.Outlook
}

// Report is the answer of apppassword decide.
type Report struct {
	Schema   string            `json:"schema"`
	AsOf     time.Time         `json:"asOf"`
	Partner  string            `json:"partner"` // the organisation's name; "" not known
	Totals   Totals            `json:"totals"`
	Settings []Setting         `json:"settings"` // of the tenant
	Accounts []Account         `json:"accounts"` // those that it works for first
	Whole    bool              `json:"whole"`    // no account is missing
	Register Register          `json:"register"`
	Ends     []partner.Outlook `json:"ends"`
	Known    []string          `json:"known"`      // what holds of every app password
	Lacks    []string          `json:"incomplete"` // lists that were not read whole
	Inputs   []evidence.Input  `json:"inputs"`
	Sample   bool              `json:"sample"`
}

// Totals count accounts.
type Totals struct {
	Accounts int `json:"accounts"`
	Yes      int `json:"yes"` // an app password would work
	No       int `json:"no"`
	Unknown  int `json:"unknown"`
	Depend   int `json:"depend"` // sign in by one, as the log shows
	Hold     int `json:"hold"`   // have one registered
}

// Setting is one thing of the tenant that decides.
type Setting struct {
	What   string `json:"what"`
	Is     string `json:"is"`     // a sentence
	Settle string `json:"settle"` // what settles it where it is not known; "" otherwise
}

// Account is the answer for one account.
type Account struct {
	ID      string          `json:"id"`
	UPN     string          `json:"userPrincipalName"`
	Name    string          `json:"displayName"`
	Class   directory.Class `json:"class"`
	PerUser string          `json:"perUserMfaState"` // disabled, enabled, enforced; "" not known

	Works  Answer `json:"works"`  // would an app password work for it, by any protocol
	Why    string `json:"why"`    // what decided that
	Settle string `json:"settle"` // the one request that settles an unknown; "" otherwise

	// Until is the day after which it no longer works without somebody's doing;
	// nil where no day is known, or where it does not work.
	Until    *time.Time `json:"until"`
	DaysLeft *int       `json:"daysLeft"`
	Breaks   []string   `json:"breaks"` // what breaks it, beside what ends by date

	Paths []Path `json:"protocols"`

	Holds    Answer `json:"holds"` // has one registered; no export is a reliable no
	HoldsWhy string `json:"holdsWhy"`

	Depends    Answer `json:"depends"` // signs in by one, as the log shows
	DependsWhy string `json:"dependsWhy"`
	Uses       []Use  `json:"uses"` // its sign-ins by old clients
	Ways       []Way  `json:"ways"` // the nearest way out first, one list for each use
}

// Path is the answer for one protocol.
type Path struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Works    Answer   `json:"works"`
	Why      string   `json:"why"`
	Settle   string   `json:"settle"`
	Policies []string `json:"policies"`   // that decided, by name
	Report   []string `json:"reportOnly"` // policies that would stop it once they are switched on
}

// Use is what the log shows of one client of an account.
type Use struct {
	Client   string    `json:"client"` // clientAppUsed
	Protocol string    `json:"protocol"`
	Rows     int64     `json:"rows"`
	Marked   int64     `json:"marked"` // of them, those that name an app password
	First    time.Time `json:"first,omitzero"`
	Last     time.Time `json:"last,omitzero"`
	Example  string    `json:"example"` // id of the newest row
}

// Way is one way out for one protocol.
type Way struct {
	Protocol string `json:"protocol"`
	ID       string `json:"id"`
	Text     string `json:"text"`
	Needs    string `json:"needs"`
}

// Register is what is known of who made and deleted app passwords.
type Register struct {
	// Since is when the audit rows that were read begin; nil: none was read. What was
	// made before is not in it.
	Since   *time.Time `json:"since"`
	Whole   bool       `json:"whole"` // every row since then was read
	Settle  string     `json:"settle"`
	Entries []Entry    `json:"entries"` // newest first
}

// Entry is one act.
type Entry struct {
	At      time.Time       `json:"at"`
	Act     string          `json:"act"`     // created, deleted
	Result  string          `json:"result"`  // as the row says
	Account string          `json:"account"` // user principal name, else id
	By      string          `json:"by"`      // "" is not said
	Audit   string          `json:"audit"`   // id of the row
	Source  evidence.Source `json:"source"`
}
