package partner

import (
	"fmt"
	"time"
)

// Sure says how sure the date of a change is.
type Sure string

// How sure: Microsoft says it itself; one careful source, or general knowledge;
// one poor source; nobody does.
const (
	SureHigh Sure = "high"
	SureMid  Sure = "mid"
	SureLow  Sure = "low"
	SureNone Sure = "none"
)

// Precision says what of a date is meant.
type Precision string

// The precisions. A month and a half-year are given by their last day.
const (
	ByDay      Precision = "day"
	ByMonth    Precision = "month"
	ByHalfYear Precision = "half-year"
	Undated    Precision = "none"
)

// Change is one thing that Microsoft has changed or is to change on a date.
type Change struct {
	ID        string    `json:"id"`
	Date      Date      `json:"date"` // "" when nobody has said one
	Precision Precision `json:"precision"`
	What      string    `json:"what"`
	Who       string    `json:"who"`    // who is hit, in general
	Tells     string    `json:"tells"`  // by what evidence
	Source    string    `json:"source"` // where it is written
	Sure      Sure      `json:"sure"`
	Note      string    `json:"note"` // what is not sure about it; "" nothing
}

// Standing says whether a change has come by asOf: past, ahead or undated.
func (c *Change) Standing(asOf time.Time) string {
	switch {
	case c.Date.IsZero():
		return "undated"
	case c.Date.reached(asOf):
		return "past"
	}
	return "ahead"
}

// DaysLeft is how many days there are until the change, below zero since. Zero
// when it has no date.
func (c *Change) DaysLeft(asOf time.Time) int {
	if c.Date.IsZero() {
		return 0
	}
	y, m, d := asOf.UTC().Date()
	return int(c.Date.Sub(time.Date(y, m, d, 0, 0, 0, 0, time.UTC)).Hours() / 24)
}

// When is the date as it is meant: "1 February 2027", "December 2026", "the
// first half of 2027".
func (c *Change) When() string {
	switch half := "first"; c.Precision {
	case ByMonth:
		return c.Date.Format("January 2006")
	case ByHalfYear:
		if c.Date.Month() > time.June {
			half = "second"
		}
		return fmt.Sprintf("the %s half of %d", half, c.Date.Year())
	case Undated:
		return "no date"
	}
	return c.Date.Format("2 January 2006")
}

// Answer says whether a change hits here.
type Answer string

// The answers. Nobody is said only where the evidence was whole and of late.
const (
	Hit          Answer = "hit"
	Nobody       Answer = "nobody"
	HitIsUnknown Answer = "unknown"
)

// MaxNames is how many are named of those that are hit.
const MaxNames = 10

// Outlook is a change with what the evidence says of who is hit here.
type Outlook struct {
	Change
	Standing string   `json:"standing"` // past, ahead, undated
	DaysLeft int      `json:"daysLeft"` // below zero: days since; 0 when undated
	Answer   Answer   `json:"answer"`
	Count    int      `json:"count"` // how many are hit; 0 when nobody or unknown
	Unit     string   `json:"unit"`  // of what: users, senders, policies, customers ...
	Names    []string `json:"names"` // at most MaxNames of them
	More     int      `json:"more"`
	Text     string   `json:"text"`   // the answer in a sentence
	Action   string   `json:"action"` // what to do about it; "" nothing
	Settle   string   `json:"settle"` // what settles an unknown: one request, or where to look; "" otherwise
}
