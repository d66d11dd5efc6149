package alert

import (
	"context"
	"time"

	"partnerguard/internal/notify"
)

// Kind is what an alert is about.
type Kind string

// The kinds of alerts.
const (
	Requirement Kind = "requirement" // a requirement turned worse, and no one change explains it
	Caused      Kind = "cause"       // a change made requirements or accounts worse
	Fraud       Kind = "fraud"       // an alert of Microsoft that waits for an answer
	Connection  Kind = "connection"  // a connection is dying, dead or held back
	Collection  Kind = "collection"  // what decides is not read any more
	Ending      Kind = "ending"      // an exception or attestation ends
	Jobs        Kind = "jobs"        // jobs that are tried no more
	Trail       Kind = "trail"       // an anchor holds what does not fit the trail
	Change      Kind = "change"      // a dated change of Microsoft hits here
	Factors     Kind = "factors"     // people's second factors here: locked, reset, new, at risk
	Delegation  Kind = "delegation"  // delegated rights: DAP unused, people who left, new rights of Owner, consents that grew
	Bridge      Kind = "bridge"      // the mail bridge: guessed at, mail lost or waiting, devices that end
	Gateway     Kind = "gateway"     // the enforcement gateway: keys, file, upstreams, book, what ends or turns soon, bad tokens
	Spending    Kind = "spending"    // a customer's Azure is over its budget, will be, or has none since it is new
	Remedy      Kind = "remedy"      // a plan stopped, waits for somebody, or what it did is no longer so
	Channel     Kind = "channel"     // messages to a channel were given up
)

// Kinds are all kinds, in the order of the documentation.
func Kinds() []Kind {
	return []Kind{Fraud, Caused, Requirement, Connection, Factors, Delegation, Bridge, Gateway, Trail, Collection, Jobs, Ending, Change, Spending, Remedy,
		Channel}
}

// Finding is something that is wrong now, as a source sees it: one a cause.
type Finding struct {
	Key      string // of the cause: the same while it lasts, and no other source's
	Kind     Kind
	Severity notify.Severity
	Tenant   string // whom it concerns, by id; "" is the partner or this installation
	Title    string // what is wrong, in some words
	Cause    string // why, in a sentence; "" is not known
	Since    time.Time
	Due      time.Time // until when something has to be done; zero is no date
	Count    int       // of what: how many are hit; 0 is not counted
	Of       int       // of how many; 0 is not known
	Unit     string    // "accounts"
	Subjects []string  // who or what is hit, at most MaxSubjects; Count says how many there are
	Command  string    // what to do at a terminal; "" nothing
	Path     string    // of the console's page about it
	Fix      string    // what to do, in words
	// Excepted is the id of the exception that leaves all of it out; "" none does.
	Excepted string
	// Stage counts down as a date comes nearer, in days: a lower one than before is told of
	// again. 0 has none.
	Stage int `json:",omitempty"`
}

// MaxSubjects bounds how many names an alert keeps.
const MaxSubjects = 50

// Source says what is wrong now, in any order, each cause once. An error, or whole
// false, keeps what is open of the source as it is, besides what it gave.
type Source func(ctx context.Context) (list []Finding, whole bool, err error)
