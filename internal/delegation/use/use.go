package use

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"time"

	"partnerguard/internal/delegation/role"
	"partnerguard/internal/evidence"
)

// Part is what was seen of the partner in one customer's tenant. It is small: it grows
// with kinds of acts, people and days, not with rows. Nothing in it is changed once it is
// made; [Part.Within] and [Merge] give new ones. Safe for concurrent reading.
type Part struct {
	Tenant   string    `json:"customerTenantId"`
	From     time.Time `json:"from,omitzero"` // the window; zero: all that was read
	To       time.Time `json:"to,omitzero"`
	Logs     []Log     `json:"logs"`
	Acts     []Act     `json:"acts"`
	Rows     int64     `json:"rows"`     // all rows read, whoever's
	Unread   int64     `json:"unread"`   // rows that could not be understood
	Outside  int64     `json:"outside"`  // rows of the partner's before or after the window
	Overflow bool      `json:"overflow"` // there were more kinds of acts than are kept
	Newest   time.Time `json:"newest,omitzero"`
}

// Log is how one log was read.
type Log struct {
	Kind     evidence.Kind `json:"kind"` // directoryAudit, signIn, azureActivity, partnerCenterAuditRecord
	Read     bool          `json:"read"`
	Whole    bool          `json:"whole"`          // what was read was read to its end: no page is missing and no row was lost
	First    time.Time     `json:"first,omitzero"` // of any row, whoever's
	Last     time.Time     `json:"last,omitzero"`
	Spans    []Span        `json:"spans,omitempty"` // of a live log: what was collected of it
	Live     bool          `json:"live,omitempty"`  // Spans say what was read, not First and Last
	Lost     int64         `json:"lost,omitempty"`  // its rows that could not be understood
	Complete int           `json:"completeDays"`    // of the window
	Days     int           `json:"days"`            // the window's
	Why      string        `json:"why,omitempty"`
	Ask      string        `json:"settle,omitempty"`
}

// Span is a time of which a log was read whole: From <= t < To.
type Span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Act is one kind of act of one actor, added up.
type Act struct {
	Actor  string    `json:"actor"` // object id of the partner's user, lower case with dashes; of an app: its app id
	App    bool      `json:"app,omitempty"`
	Act    role.Act  `json:"act"`
	Failed bool      `json:"failed,omitempty"` // it was refused: it called for nothing
	Count  int64     `json:"count"`
	First  time.Time `json:"first"` // to the day where the window cuts it
	Last   time.Time `json:"last"`
	Days   Days      `json:"days,omitempty"` // by day, in order
	Row    string    `json:"row,omitempty"`  // one row's id, to look at: the last one's
}

// Days are days in order. Its JSON is one text, such as "20420,20421x3": a part has hundreds of
// them, and a partner thousands of parts.
type Days []Day

// MarshalText writes the text.
func (d Days) MarshalText() ([]byte, error) {
	out := make([]byte, 0, 8*len(d))
	for i, x := range d {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendInt(out, x[0], 10)
		if x[1] != 1 {
			out = strconv.AppendInt(append(out, 'x'), x[1], 10)
		}
	}
	return out, nil
}

// UnmarshalText reads it; days out of order, and counts below 1, are refused.
func (d *Days) UnmarshalText(b []byte) error {
	*d = make(Days, 0, bytes.Count(b, []byte{','})+1)
	last := int64(math.MinInt64)
	for len(b) > 0 {
		var one []byte
		one, b, _ = bytes.Cut(b, []byte{','})
		at, times, many := bytes.Cut(one, []byte{'x'})
		x := Day{0, 1}
		var err error
		if x[0], err = strconv.ParseInt(string(at), 10, 64); err == nil && many {
			x[1], err = strconv.ParseInt(string(times), 10, 64)
		}
		if err != nil || x[0] <= last || x[1] < 1 {
			return errors.New("these are no days")
		}
		last = x[0]
		*d = append(*d, x)
	}
	return nil
}

// Day is how often on one day: days since 1970-01-01 in UTC, and the count.
type Day [2]int64
