package alert

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// Deadline is a date ahead at which something ends, is due or changes here; or one that
// is past and still stands. Everybody who shows deadlines shows these.
type Deadline struct {
	// ID is the same as long as it is the same thing, also when its date moves:
	// "exception/x-4t7k", "token/c-93kd".
	ID     string    `json:"id"`
	Kind   string    `json:"kind"` // one of the Due… constants
	At     time.Time `json:"at"`   // UTC
	Title  string    `json:"title"`
	Detail string    `json:"detail,omitempty"`
	Path   string    `json:"path,omitempty"` // of the console's page about it: "/exceptions?row=x-4t7k"
	// Sure is false where it may be sooner, or where nobody has said the day.
	Sure bool `json:"sure"`
	// Tenant is whom it concerns, by id; "" is the partner as a whole.
	Tenant string `json:"tenant,omitempty"`
	Whole  bool   `json:"wholeDay,omitempty"` // it is a day, not a moment
	Count  int    `json:"count,omitempty"`    // of a change of Microsoft: how many are hit, of Unit
	Unit   string `json:"unit,omitempty"`
}

// Past says that a deadline needs not be shown any more: it is a day over, and what it
// was about is done with it. An answer that Microsoft waits for stands until it is given.
func (d *Deadline) Past(now time.Time) bool {
	return d.Kind != DueAnswer && d.At.Before(now.Add(-24*time.Hour))
}

// The kinds of deadlines.
const (
	DueException   = "exception"    // ends, and what it left out counts again
	DueAttestation = "attestation"  // ends
	DueDelegation  = "gdap"         // a relationship with a customer ends
	DueToken       = "connection"   // a refresh token dies
	DueCertificate = "certificate"  // of the server, or an app's credential
	DueAnswer      = "fraud-answer" // Microsoft's 24 hours for an alert
	DueChange      = "change"       // a dated change of Microsoft that hits here
)

// Dater gives deadlines of one kind of thing. A part that could not be read is an
// error beside what could.
type Dater func(ctx context.Context) ([]Deadline, error)

// Deadlines are all dates ahead, and those past that still stand, soonest first.
// missing names what could not be read: the list is not whole then.
func (s *Store) Deadlines(ctx context.Context) (list []Deadline, missing []string) {
	list = []Deadline{}
	for _, d := range s.d.Dates {
		got, err := d.Get(ctx)
		if err != nil {
			s.d.Log.WarnContext(ctx, "deadlines could not be read", "of", d.Name, "error", err)
			missing = append(missing, d.Name)
		}
		list = append(list, got...)
	}
	for i := range list {
		list[i].At = list[i].At.UTC().Truncate(time.Second)
	}
	slices.SortStableFunc(list, func(a, b Deadline) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	return slices.CompactFunc(list, func(a, b Deadline) bool { return a.ID == b.ID && a.At.Equal(b.At) }), missing
}
