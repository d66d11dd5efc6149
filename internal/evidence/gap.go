package evidence

import "time"

// Gap is something that was to be read and was not: an interval of a log, an
// answer of a list, or a list as a whole. It says that nothing follows from
// what is not there. Texts are ours, and hold no secret; ids come from outside.
type Gap struct {
	Tenant   string    `json:"tenant"`        // id
	Resource string    `json:"resource"`      // the row of the table of resources
	Kind     Kind      `json:"kind"`          // what the list holds
	Of       string    `json:"of,omitempty"`  // the item of a loop, where only its answer is missing
	From     time.Time `json:"from,omitzero"` // of a log: [From, To) was not read; zero is the whole list
	To       time.Time `json:"to,omitzero"`
	Since    time.Time `json:"since"` // when it was noticed
	Why      string    `json:"why"`   // a clause: "the tenant has no Entra ID P1"
	Reason   GapReason `json:"reason"`
	Can      string    `json:"can"`               // how it can still be had, or that it cannot: a clause
	Lost     bool      `json:"lost,omitempty"`    // it can no longer be had
	Needs    string    `json:"needs,omitempty"`   // the permission or licence that is missing, by name
	Request  string    `json:"request,omitempty"` // the one request that settles it
	Nearest  []string  `json:"nearest,omitempty"` // resources that say something of the same, and were read
}

// GapReason is why something was not read.
type GapReason string

// The reasons. The first seven are Microsoft's answers, and facts by themselves.
const (
	GapLicence    GapReason = "licence"
	GapPermission GapReason = "permission"
	GapRole       GapReason = "role"
	GapMFA        GapReason = "mfa"
	GapConsent    GapReason = "consent"
	GapAbsent     GapReason = "absent"    // there is no such thing in this tenant or cloud
	GapGone       GapReason = "gone"      // it was there
	GapNever      GapReason = "never"     // not read yet
	GapLate       GapReason = "late"      // read before, and not since
	GapFailed     GapReason = "failed"    // what was asked failed, and went on failing
	GapPoisoned   GapReason = "poisoned"  // an answer that nothing can be read from
	GapRetention  GapReason = "retention" // Microsoft kept it no longer when it was to be read
)

// Interval reports a gap in time, of a log.
func (g *Gap) Interval() bool { return !g.To.IsZero() }

// Cut is the gap as what it means to the list of its kind.
func (g *Gap) Cut() Cut {
	why := "was not read: " + g.Why
	switch {
	case g.Interval():
		why = "lacks " + stamp(g.From) + " to " + stamp(g.To) + ": " + g.Why
	case g.Of != "":
		why = "lacks what belongs to " + g.Of + ": " + g.Why
	}
	if g.Can != "" {
		why += "; " + g.Can
	}
	return Cut{Kind: g.Kind, Why: why, Request: g.Request, Source: Source{Path: "archive:" + g.Resource}}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
