package renew

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/vault"
)

// Health is how a connection stands, in one word.
type Health string

// The healths. Healthy is said only where everything that could end the
// connection was read.
const (
	Healthy Health = "healthy"
	Unsure  Health = "unsure" // works; not all that could end it is known
	Dying   Health = "dying"
	Dead    Health = "dead"
	Stopped Health = "held" // not used until a person looked at it
)

// StatusRow is one connection's standing.
type StatusRow struct {
	Connection sam.Connection `json:"connection"`
	Health     Health         `json:"health"`
	At         time.Time      `json:"at,omitzero"` // when it dies, or died
	Code       int            `json:"code,omitempty"`
	Because    string         `json:"because,omitempty"` // the setting, or the refusal
	Fix        string         `json:"fix,omitempty"`
	Heal       string         `json:"heal,omitempty"`    // the one command or link
	Unknown    []string       `json:"unknown,omitempty"` // what could end it sooner and was not read
	Note       string         `json:"note,omitempty"`    // a passing trouble
	Overdue    bool           `json:"overdue,omitempty"` // At is past, and nobody has asked Entra ID since
}

// Words is the row as one sentence.
func (r StatusRow) Words() string {
	switch r.Health {
	case Stopped:
		return "held back: " + r.Because
	case Dead:
		if r.Code != 0 {
			said := strings.TrimSuffix(r.Because, fmt.Sprintf(" (AADSTS%d)", r.Code)) // not twice
			return fmt.Sprintf("dead because AADSTS%d: %s", r.Code, said)
		}
		return "dead because " + r.Because
	case Dying:
		if r.Overdue {
			return fmt.Sprintf("was to die on %s because %s, and nobody has asked since: connect status --live does", r.At.UTC().
				Format(time.DateOnly), r.Because)
		}
		return fmt.Sprintf("dying on %s because %s", r.At.UTC().Format(time.DateOnly), r.Because)
	case Unsure:
		return "works; not everything that could end it could be read"
	}
	return "healthy"
}

// Status gives every connection's standing, the worst first: above all those
// that are not what the audit trail says, or whose row was written by something
// else. It reads the database alone. heal gives the command or link that heals a connection.
func (r *Renewer) Status(ctx context.Context, heal func(sam.Connection) string) ([]StatusRow, error) {
	list, err := r.d.Store.List(ctx)
	if err != nil {
		return nil, err
	}
	now := r.d.Now()
	out := make([]StatusRow, len(list))
	for i, c := range list {
		out[i] = Judge(c, now)
		_, err := r.d.Store.Find(ctx, c.ID)
		if err == nil {
			err = r.d.Store.Standing(ctx, c)
		}
		if isHeld(err) {
			out[i] = StatusRow{Connection: c, Health: Stopped, Because: heldWords(err), Fix: problem.HintOf(err)}
			if c.Trouble != nil && errors.Is(err, vault.ErrForged) {
				out[i].Fix = c.Trouble.Fix
			}
			continue
		} else if err != nil && !isGone(err) {
			return nil, err
		}
		if heal != nil && out[i].Health != Healthy && out[i].Health != Unsure {
			out[i].Heal = heal(c)
		}
	}
	rank := map[Health]int{Stopped: 0, Dead: 1, Dying: 2, Unsure: 3, Healthy: 4}
	slices.SortStableFunc(out, func(a, b StatusRow) int {
		return cmp.Or(cmp.Compare(rank[a.Health], rank[b.Health]), a.At.Compare(b.At), cmp.Compare(a.Connection.Name, b.Connection.Name))
	})
	return out, nil
}

// oldForecast is how long a forecast says something of policies, which may
// have changed since.
const oldForecast = 3 * 24 * time.Hour

// Judge says how a connection stands at a moment. It is pure.
func Judge(c sam.Connection, now time.Time) StatusRow {
	row := StatusRow{Connection: c}
	t := c.Trouble
	if c.State != sam.Active || t != nil && !t.Transient {
		row.Health, row.Because = Dead, "it was refused"
		if t != nil {
			row.At, row.Code, row.Because, row.Fix = t.At, t.Code, t.Words, t.Fix
		}
		return row
	}
	if t != nil {
		row.Note = fmt.Sprintf("the last %d renewals did not work (%s); tried again at %s", t.Times, t.Words, c.RenewAfter.UTC().Format(time.RFC3339))
		if t.Times == 1 {
			row.Note = fmt.Sprintf("the last renewal did not work (%s); tried again at %s", t.Words, c.RenewAfter.UTC().Format(time.RFC3339))
		}
	}
	f := current(c, now)
	row.At, row.Because, row.Fix, row.Unknown = f.At, f.Words, f.Fix, f.Unknown
	switch {
	// A sign-in frequency ends it however often it is renewed.
	case f.Cause == CauseFrequency || f.Cause == CauseBlocked, !f.At.IsZero() && f.At.Sub(now) <= thresholds[0]:
		row.Health, row.Overdue = Dying, !f.At.IsZero() && f.At.Before(now) && f.Cause != CauseBlocked
	case len(f.Unknown) > 0:
		row.Health = Unsure
	default:
		row.Health = Healthy
	}
	return row
}

// current is the kept forecast, or what is known without one.
func current(c sam.Connection, now time.Time) sam.Forecast {
	if c.Forecast == nil {
		return Predict(c, Facts{Registration: &sam.Registration{}, Why: "no forecast was made yet"}, now)
	}
	f := *c.Forecast
	if age := now.Sub(f.Computed); age > oldForecast {
		f.Unknown = append(slices.Clone(f.Unknown), fmt.Sprintf("what changed since the settings were read, %s ago", count(int(age/(24*time.Hour)), "day")))
	}
	return f
}

// thresholds are how long before the end a warning is due, longest first.
var thresholds = [...]time.Duration{14 * 24 * time.Hour, 7 * 24 * time.Hour, 24 * time.Hour}

// Warning is that a connection dies soon.
type Warning struct {
	Connection sam.Connection
	At         time.Time
	Days       int // the threshold that was passed: 14, 7 or 1
	Words, Fix string
	// Key is the same for the same warning, so that it is given once.
	Key string
}

// Warnings lists which connections die within 14, 7 or 1 days, soonest first:
// the narrowest threshold of each. Dead ones are not foretold. It is pure; who
// tells people keeps the keys that were told.
func Warnings(now time.Time, list []sam.Connection) []Warning {
	var out []Warning
	for _, c := range list {
		if c.State != sam.Active || c.Trouble != nil && !c.Trouble.Transient {
			continue
		}
		f := current(c, now)
		if f.At.IsZero() {
			continue
		}
		days := 0
		for _, d := range thresholds {
			if f.At.Sub(now) <= d {
				days = int(d / (24 * time.Hour))
			}
		}
		if days == 0 {
			continue
		}
		// The day is enough: a new forecast of the same end differs by moments.
		key := fmt.Sprintf("%s/%s/%s/%d", c.ID, f.Cause, f.At.UTC().Format(time.DateOnly), days)
		if !f.At.After(f.Computed) { // over already: its moment may be that of looking
			key = fmt.Sprintf("%s/%s/%s/%d", c.ID, f.Cause, f.Object, days)
		}
		out = append(out, Warning{Connection: c, At: f.At, Days: days, Words: f.Words, Fix: f.Fix, Key: key})
	}
	slices.SortStableFunc(out, func(a, b Warning) int { return a.At.Compare(b.At) })
	return out
}
