//go:build !judge

package desk

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/fraud"
	"partnerguard/internal/jobs"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// Case is an alert with what people did about it. Times are UTC.
type Case struct {
	fraud.Alert
	Assignee     string    `json:"assignee,omitempty"` // who has it; "" nobody
	Acknowledged time.Time `json:"acknowledged,omitzero"`
	Notes        []Note    `json:"notes"` // oldest first
	Answer       *Answer   `json:"answer,omitempty"`
	Clock        Clock     `json:"clock"`
	Seen         time.Time `json:"seen"`              // first read here
	Read         time.Time `json:"read"`              // last read here
	Aged         bool      `json:"aged,omitempty"`    // it was old when this installation first read: it pages nobody by itself
	Gone         time.Time `json:"gone,omitzero"`     // since when Microsoft no longer lists it
	Refused      string    `json:"refused,omitempty"` // something else wrote a row of it: what it says counts for nothing
}

// Clock is how long a case may wait.
type Clock struct {
	DueGoal time.Time     `json:"dueGoal,omitzero"` // an hour after it was detected; zero: when is not known
	Due     time.Time     `json:"due,omitzero"`     // 24 hours after it was detected
	Left    time.Duration `json:"left"`             // until Due; below zero: over; 0 of one that is answered or whose clock is not known
	Waited  time.Duration `json:"waited"`           // until it was answered, or until now
	Running bool          `json:"running"`          // nobody resolved it
}

// Note is what somebody wrote down for whoever is next.
type Note struct {
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	Text string    `json:"text"`
}

// AnswerState is where an answer to Microsoft stands.
type AnswerState string

// The states of an answer.
const (
	Queued AnswerState = "queued" // it is sent as soon as Microsoft answers
	Asked  AnswerState = "asked"  // it is being sent, or was and no reply is known: it is looked for before it is sent again
	Sent   AnswerState = "sent"   // Microsoft has it
	Other  AnswerState = "other"  // somebody else answered meanwhile, with another reason: nothing was overwritten
	Failed AnswerState = "failed" // Microsoft refuses it, or somebody has to look; Why says it
)

// Answer is the one answer to one alert.
type Answer struct {
	Reason  fraud.Reason `json:"reason"`
	State   AnswerState  `json:"state"`
	By      string       `json:"by"`
	At      time.Time    `json:"at"`               // when it was queued
	Settled time.Time    `json:"settled,omitzero"` // when it was sent, or found to be so
	Why     string       `json:"why,omitempty"`
	Tries   int          `json:"tries,omitempty"`
}

// Filter says which cases are wanted. The zero value wants all.
type Filter struct {
	Open         bool   // those that nobody resolved
	Customer     string // tenant id, in any case
	Subscription string
	Since        time.Time // detected, or where that is not known seen, not before
	NoTests      bool
}

// Marks vouch for rows that steer.
type Marks interface {
	Mark(ctx context.Context, b *vault.Book, values ...any) ([]byte, error)
	Fits(ctx context.Context, b *vault.Book, mark []byte, values ...any) error
}

// Cloud is Microsoft, as the desk asks it.
type Cloud interface {
	// Alerts reads every alert, from whichever interface answers; both asks the two.
	Alerts(ctx context.Context, both bool) (Told, error)
	// Alert reads one alert anew. Kind problem.NotFound where it is no more.
	Alert(ctx context.Context, a *fraud.Alert) (fraud.Alert, error)
	// Resolve answers exactly one alert, once: after a lost reply the caller looks.
	Resolve(ctx context.Context, a *fraud.Alert, reason fraud.Reason) error
}

// Told is what Microsoft told.
type Told struct {
	List []fraud.Alert // of both interfaces: one alert may be in it twice
	From []string      // the interfaces that were read to the end
	Lost int           // alerts that could not be read
}

// Deps is what a desk is made of.
type Deps struct {
	DB     *db.DB
	Marks  Marks // nil where the vault is not open: rows are then shown, and nothing is done
	Record audit.Recorder
	// Last gives the newest action the trail has of an alert, in a version of its row; nil:
	// rows are held to their marks alone.
	Last func(context.Context) (func(alert, version string) audit.Action, error)
	// Cloud gives the way to Microsoft; its error says what is missing. Nil: nothing is read.
	Cloud func(context.Context) (Cloud, error)
	// Told is called when new alerts were read, to have people told at once. Nil: they hear of
	// them as of everything else.
	Told func(context.Context) error
	// Judge has the requirements about alerts judged anew after some changed. Nil: they are as
	// everything else is.
	Judge func(context.Context) error
	// Escalate tells of a group that nobody reacted to; it is asked again and again, and tells
	// once a stage. Nil: nobody is told.
	Escalate func(context.Context, *Group) error
	Actor    string
	Now      func() time.Time
	Log      *slog.Logger
	Config   *Config

	// at is where tests let a process die.
	at func(ctx context.Context, point string)
}

// Desk keeps the alerts at hand. Safe for concurrent use, by several processes too.
type Desk struct {
	d  Deps
	id string // of this process, as leases name it

	mu    sync.Mutex // guards what follows
	hooks []func(context.Context, Case)
	queue *jobs.Queue // nil until there is one
}

func errNoVault() error {
	return problem.New(problem.Unavailable, "the vault is not open, so that no answer can be vouched for").WithHint("open the installation with its key")
}

// OnNew has f called, once, for each alert that is read for the first time and is no test and
// not aged; after the rows are there. f must not block for long. Call it before Jobs.
func (d *Desk) OnNew(f func(context.Context, Case)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hooks = append(d.hooks, f)
}
