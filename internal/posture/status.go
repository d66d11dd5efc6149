package posture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/print"
)

// StatusPartName is what the snapshot calls a [StatusPart].
const StatusPartName = "status"

// StatusPart is what the page Status shows beside the kept state.
type StatusPart struct {
	Tenant     string       `json:"tenant"`
	At         time.Time    `json:"at"` // judged as of
	Book       string       `json:"ruleBook"`
	Kind       string       `json:"kind"`  // of partner
	Cloud      string       `json:"cloud"` // of Microsoft
	Complete   bool         `json:"complete"`
	Incomplete []string     `json:"incomplete,omitempty"` // why not
	Details    []Detail     `json:"details"`              // by requirement
	Causes     []Fix        `json:"causes"`               // what to do first
	Score      Score        `json:"score"`
	Dates      []DatedThing `json:"dates,omitempty"` // what Microsoft changes, soonest first
	Facts      []StatusFact `json:"facts"`
	Back       *Lookback    `json:"back,omitempty"`
}

// Detail is what decided a requirement.
type Detail struct {
	ID       string    `json:"id"`
	Action   string    `json:"action,omitempty"` // what to do, or what settles an unknown
	Evidence []Decider `json:"evidence"`
	More     int       `json:"more,omitempty"`
	Age      string    `json:"age,omitempty"` // how old what decided it is, in a clause
	Hours    int       `json:"hours"`         // how old it may be
	HoursWhy string    `json:"hoursWhy"`
	Oldest   time.Time `json:"oldest,omitzero"` // of what it rests on
	By       string    `json:"by,omitempty"`    // who vouches, where somebody does
	Until    string    `json:"until,omitempty"`
	// Counted is what the log says of it, in a sentence; "" where it says nothing.
	Counted string `json:"counted,omitempty"`
}

// Decider is one thing that decided a verdict.
type Decider struct {
	Subject string    `json:"subject"`
	Detail  string    `json:"detail"`
	At      time.Time `json:"at,omitzero"`
	Record  string    `json:"record,omitempty"`
	Source  string    `json:"source"`
}

// Fix is a cause of a report: one thing to do, with what it brings.
type Fix struct {
	Rank         int       `json:"rank"`
	Kind         string    `json:"kind"` // urgent, settings, account, requirement
	Title        string    `json:"title"`
	Detail       string    `json:"detail"`
	Requirements []string  `json:"requirements"`
	Mandatory    bool      `json:"mandatory"`
	Accounts     int       `json:"accounts"`          // closed by it
	SignIns      int64     `json:"signIns"`           // of the log, closed by it
	Changes      []string  `json:"changes,omitempty"` // ids, for a rehearsal
	Breaks       int       `json:"breaks,omitempty"`  // accounts that cannot answer yet
	Before       []int     `json:"before,omitempty"`  // ranks of what comes first
	Due          time.Time `json:"due,omitzero"`
	Proof        string    `json:"proof,omitempty"` // what is proved of it
}

// Score is Microsoft's own view, which is never added to the verdicts.
type Score struct {
	Known        bool         `json:"known"`
	Current      float64      `json:"current"`
	Max          float64      `json:"max"`
	Updated      time.Time    `json:"updated,omitzero"`
	Requirements []ScorePoint `json:"requirements,omitempty"`
	Admins       int          `json:"admins"`   // accounts that it looks at, as far as roles were read
	Accounts     int          `json:"accounts"` // accounts that the contract binds
}

// ScorePoint is one requirement of Microsoft's score.
type ScorePoint struct {
	Type    string  `json:"type"`
	Verdict string  `json:"verdict"`
	Score   float64 `json:"score"`
	Max     float64 `json:"max"`
	Detail  string  `json:"detail,omitempty"`
}

// DatedThing is something that Microsoft changes on a date.
type DatedThing struct {
	ID   string    `json:"id"`
	Date time.Time `json:"date"`
	When string    `json:"when"` // the date as it is meant
	What string    `json:"what"`
	Hits string    `json:"hits"` // who is hit here, in a sentence
}

// StatusFact is a list that was read, with its moment.
type StatusFact struct {
	What   string    `json:"what"`
	At     time.Time `json:"at,omitzero"`
	Hours  int       `json:"hours,omitempty"`
	Gaps   int       `json:"gaps,omitempty"`
	Source string    `json:"source,omitempty"`
}

// StatusInput is what a status is made of: a report in plain types.
type StatusInput struct {
	StatusPart
	// Log is the log as it was counted, by verdict of a sign-in; nil where none was read.
	Log map[string]int64
	// Legacy are rows of legacy clients.
	Legacy int64
}

// BuildStatus makes the part. It is pure.
func BuildStatus(in StatusInput) StatusPart {
	p := in.StatusPart
	p.Tenant = strings.ToLower(p.Tenant)
	for i := range p.Details {
		d := &p.Details[i]
		d.Counted = in.counted(d.ID)
		if d.Evidence == nil {
			d.Evidence = []Decider{}
		}
	}
	slices.SortStableFunc(p.Causes, func(a, b Fix) int { return cmp.Compare(a.Rank, b.Rank) })
	slices.SortStableFunc(p.Dates, func(a, b DatedThing) int { return a.Date.Compare(b.Date) })
	if p.Causes == nil {
		p.Causes = []Fix{}
	}
	return p
}

// counted says what the log has of a requirement that is about sign-ins.
func (in *StatusInput) counted(id string) string {
	if in.Log == nil {
		if slices.Contains([]string{"mfa-every-user", "mfa-every-sign-in", "legacy-authentication"}, id) {
			return "no sign-in log was read"
		}
		return ""
	}
	switch id {
	case "mfa-every-user", "mfa-every-sign-in":
		done := in.Log["challenged"] + in.Log["satisfiedByClaim"] + in.Log["satisfiedByProvider"]
		s := amount64(in.Log["notChallenged"], "1 sign-in without MFA", "%s sign-ins without MFA") + " and " + amount64(done, "1 with", "%s with")
		if n := in.Log["unknown"]; n > 0 {
			s += "; " + amount64(n, "1 does not show", "%s do not show")
		}
		return s + ", in the log"
	case "legacy-authentication":
		return amount64(in.Legacy, "1 sign-in by a legacy client", "%s sign-ins by legacy clients") + " in the log"
	}
	return ""
}

// amount64 is a sentence about n things; many has its %s.
func amount64(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return fmt.Sprintf(many, print.Number(n))
}
