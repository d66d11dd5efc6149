package signins

import (
	"cmp"
	"strings"
	"time"

	"partnerguard/internal/signin"
)

// PartName is the name of the part among those of a snapshot.
const PartName = "signins"

// Part is what the page shows of one tenant. It is shared and never changed.
type Part struct {
	From    time.Time     `json:"from,omitzero"` // of the rows that were looked at
	To      time.Time     `json:"to,omitzero"`   // judged as of
	First   time.Time     `json:"first,omitzero"`
	Last    time.Time     `json:"last,omitzero"` // of the newest row
	Unread  string        `json:"unread,omitempty"`
	Allows  time.Duration `json:"allows,omitempty"` // how old the log may be; 0 is no limit
	Total   Count         `json:"total"`
	Hours   []Hour        `json:"hours"` // by time, those with rows
	Gaps    []Span        `json:"gaps"`  // what was never read
	Marks   []Mark        `json:"marks"` // when policies were changed
	Facets  []Facet       `json:"facets"`
	Rows    []Row         `json:"rows"` // worst first, then newest
	Against Kept          `json:"against"`
	Unknown Kept          `json:"unknown"`
	Rest    Kept          `json:"rest"`
	Strange int64         `json:"strange,omitempty"` // rows whose clock is unreadable or far from the span
	Settled bool          `json:"settled"`           // the settings were known: rows say what they ask
}

// Kept says how many rows of a kind are in the part, of how many.
type Kept struct {
	Rows int   `json:"rows"`
	Of   int64 `json:"of"`
}

// Count counts rows by what they prove.
type Count struct {
	Asked       int64 `json:"asked,omitempty"`       // MFA in this very sign-in
	Claim       int64 `json:"claim,omitempty"`       // by an earlier claim
	Provider    int64 `json:"provider,omitempty"`    // by an external provider
	Open        int64 `json:"open,omitempty"`        // not challenged, by a modern client
	Legacy      int64 `json:"legacy,omitempty"`      // not challenged, by a legacy protocol
	Unknown     int64 `json:"unknown,omitempty"`     // the row does not say
	Interrupted int64 `json:"interrupted,omitempty"` // stopped at a prompt
	Failed      int64 `json:"failed,omitempty"`
}

// Rows are all of them.
func (c *Count) Rows() int64 {
	return c.Asked + c.Claim + c.Provider + c.Open + c.Legacy + c.Unknown + c.Interrupted + c.Failed
}

// Without are those that succeeded without MFA.
func (c *Count) Without() int64 { return c.Open + c.Legacy }

// Well are those with MFA.
func (c *Count) Well() int64 { return c.Asked + c.Claim + c.Provider }

func (c *Count) add(o *Count) {
	c.Asked += o.Asked
	c.Claim += o.Claim
	c.Provider += o.Provider
	c.Open += o.Open
	c.Legacy += o.Legacy
	c.Unknown += o.Unknown
	c.Interrupted += o.Interrupted
	c.Failed += o.Failed
}

func (c *Count) see(s *signin.Sighting) {
	switch s.Verdict {
	case signin.Challenged:
		c.Asked++
	case signin.SatisfiedByClaim:
		c.Claim++
	case signin.SatisfiedByProvider:
		c.Provider++
	case signin.NotChallenged:
		if s.Legacy {
			c.Legacy++
		} else {
			c.Open++
		}
	case signin.Interrupted:
		c.Interrupted++
	case signin.Failed:
		c.Failed++
	default:
		c.Unknown++
	}
}

// Hour is one hour, UTC.
type Hour struct {
	At time.Time `json:"at"`
	Count
}

// Span is a time.
type Span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Mark is a change on the axis of time.
type Mark struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
	By   string    `json:"by,omitempty"`
}

// Facet counts all rows by one thing they are about.
type Facet struct {
	Name   string  `json:"name"`   // of the list's filter
	Values []Value `json:"values"` // most without MFA first, then most rows; at most 40
	More   int     `json:"more"`   // values that are not listed
}

// Value is one value of a facet.
type Value struct {
	Value string `json:"value"`
	Word  string `json:"word,omitempty"`
	Rows  int64  `json:"rows"`
	Open  int64  `json:"open"` // without MFA
}

// Row is one sign-in.
type Row struct {
	ID       string    `json:"id,omitempty"`
	At       time.Time `json:"at,omitzero"`
	UserID   string    `json:"userId,omitempty"`
	User     string    `json:"user,omitempty"` // user principal name
	AppID    string    `json:"appId,omitempty"`
	App      string    `json:"app,omitempty"`
	Resource string    `json:"resource,omitempty"`
	Client   string    `json:"client,omitempty"`
	Protocol string    `json:"protocol,omitempty"`
	IP       string    `json:"ip,omitempty"`
	Country  string    `json:"country,omitempty"`
	Place    string    `json:"place,omitempty"` // as the policies tell places apart
	Platform string    `json:"platform,omitempty"`
	Risk     string    `json:"risk,omitempty"`
	Policy   string    `json:"policy,omitempty"` // conditionalAccessStatus
	Verdict  string    `json:"verdict"`
	Reason   string    `json:"reason"`
	Said     string    `json:"said"` // the reason as a sentence

	Legacy     bool       `json:"legacy,omitempty"`
	DeviceCode bool       `json:"deviceCode,omitempty"`
	ROPC       bool       `json:"ropc,omitempty"`
	AOBO       bool       `json:"aobo,omitempty"`
	Success    bool       `json:"success,omitempty"`
	Compliant  signin.Tri `json:"compliant,omitempty"`
	Joined     signin.Tri `json:"joined,omitempty"`

	Segment string `json:"segment,omitempty"`
	Entry   int64  `json:"entry"` // among the entries of the segment, from 0

	// What the settings of the judgement say of it: mfa_required, blocked,
	// mfa_not_required, undecided; "" where they were not known.
	Settings  string   `json:"settings,omitempty"`
	By        []string `json:"by,omitempty"` // the policies that ask or block, or that come nearest
	Disagrees bool     `json:"disagrees,omitempty"`
	Cell      string   `json:"cell,omitempty"` // the key of its cell among those of coverage
}

// Key names the row: its id, else its place.
func (r *Row) Key() string {
	if r.ID != "" {
		return r.ID
	}
	return r.Segment + ":" + strings.TrimSpace(r.At.Format(time.RFC3339Nano)) + r.UserID
}

// account is what the row is filtered by.
func (r *Row) account() string { return strings.ToLower(cmp.Or(r.UserID, r.User)) }

// Bounds of a part.
const (
	MaxAgainst = 5_000  // rows that count against a requirement
	MaxUnknown = 1_000  // rows that do not say
	MaxRest    = 2_000  // the newest of the others
	maxValues  = 40     // of a facet
	maxKeys    = 10_000 // of a facet, for one goroutine
	maxText    = 256    // bytes of a text of a row
	maxDays    = 62     // hours that are counted, back from the judgement
)
