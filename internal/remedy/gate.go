package remedy

import (
	"strings"
	"time"
)

// Gate is what was found out about a plan at one stage, before it is done. A gate that is
// not passed refuses; a person may accept a named consequence, and never silences the gate.
type Gate struct {
	At       time.Time `json:"at"`
	Stage    Stage     `json:"stage"`
	Passed   bool      `json:"passed"`
	Answers  []Answer  `json:"answers"`  // proofs before and after
	Findings []Finding `json:"findings"` // what refuses first, then what is accepted, then what is told
	Log      *Log      `json:"log,omitempty"`
	// Ways are the break-glass ways in that were proved to remain; Actor is the account
	// that applies the plan, and how it gets in afterwards.
	Ways  []Way `json:"ways"`
	Actor *Way  `json:"actor,omitempty"`
}

// Answer is the proof of one question before and after.
type Answer struct {
	Question string `json:"question"` // its name, as prove knows it
	Before   string `json:"before"`   // proved, gap, unknown
	After    string `json:"after"`
	Closed   int    `json:"closed"` // accounts that were open and no longer are
	Opened   int    `json:"opened"`
}

// Log is what was rehearsed.
type Log struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	SignIns int64     `json:"signIns"`
	Breaks  int64     `json:"breaks"` // of them would not get in any more
}

// FindingKind says what a finding is about.
type FindingKind string

// The kinds, the gravest first.
const (
	LocksOut  FindingKind = "locks-out" // fewer than two ways in, or the applying account shut out: never acceptable
	Opens     FindingKind = "opens"     // a sign-in without MFA that was not possible before
	Conflicts FindingKind = "conflicts" // Microsoft would refuse it, or two steps do not go together: never acceptable
	Misses    FindingKind = "misses"    // it does not meet what it was made for
	Breaks    FindingKind = "breaks"    // somebody or something that signed in would not any more
	Licence   FindingKind = "licence"   // the tenant has no licence for it
	Unknown   FindingKind = "unknown"   // it cannot be said; Settles names the one request
	Lasts     FindingKind = "lasts"     // it cannot be taken back
	Tells     FindingKind = "tells"     // worth knowing; refuses nothing
)

// Finding is one thing that stands against a plan.
type Finding struct {
	// ID names it for an acceptance: equal findings about equal subjects have equal ids.
	ID      string      `json:"id"`
	Kind    FindingKind `json:"kind"`
	Step    int         `json:"step,omitempty"` // 0: of all of them
	Subject string      `json:"subject,omitempty"`
	// SubjectID is the account's, the app's or the policy's id.
	SubjectID string   `json:"subjectId,omitempty"`
	App       string   `json:"app,omitempty"`    // of [Breaks]: the app as sign-ins name it, else its id; "" any
	Client    string   `json:"client,omitempty"` // of [Breaks]: Microsoft's clientAppUsed; "" any
	Text      string   `json:"text"`
	SignIns   int64    `json:"signIns,omitempty"` // recorded ones that it concerns
	WaysOut   []string `json:"waysOut,omitempty"` // each must be done, or the finding accepted by name
	Settles   string   `json:"settles,omitempty"` // the request that would decide an unknown
	// Acceptable says that a person may take it upon themselves.
	Acceptable bool        `json:"acceptable"`
	Accepted   *Acceptance `json:"accepted,omitempty"`
	Witness    string      `json:"witness,omitempty"` // a sign-in that shows it, in words
}

// Refuses says that the finding keeps the gate shut.
func (f *Finding) Refuses() bool { return f.Kind != Tells && f.Accepted == nil }

// Way is a way in that remains.
type Way struct {
	ID      string `json:"id"`
	Account string `json:"account"`
	How     string `json:"how"`              // by which method, past which policies
	Tested  string `json:"tested,omitempty"` // when it was last seen to work: a sign-in's day; "" never seen
}

// About says that a finding is about what a policy did to an account's sign-ins: the same
// account, and the same app and client where the finding names them.
func (f *Finding) About(e *Effect) bool {
	same := func(of, is string) bool { return of == "" || strings.EqualFold(of, is) }
	return f.SubjectID != "" && strings.EqualFold(f.SubjectID, e.Account) && same(f.App, e.App) && same(f.Client, e.Client)
}
