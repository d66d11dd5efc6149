//go:build !judge

package eyes

import (
	"slices"
	"time"

	"partnerguard/internal/fraud/detect"
)

// Seen is what our own eyes saw of a customer.
type Seen struct {
	Tenant     string         `json:"tenant"`
	AsOf       time.Time      `json:"asOf"`
	Found      []Found        `json:"found"`
	Blind      []detect.Blind `json:"blind"`
	Suppressed int            `json:"suppressed"` // findings that a declared deployment explains
	Events     int64          `json:"events"`     // rows of logs that were folded, over all rounds
	Lines      int64          `json:"lines"`      // lines of use
	Dropped    int64          `json:"dropped"`    // beyond limits
	Unread     int64          `json:"unread"`     // rows of this round that could not be read
	Subs       []string       `json:"subscriptions"`
}

// Found is a finding with a name that stays the same while it grows.
type Found struct {
	Key string `json:"key"`
	detect.Finding
}

// Times of what is shown.
const (
	looked = 60 * 24 * time.Hour // findings are looked for so far back each time
	joined = 7 * 24 * time.Hour  // two of one subscription so close have one cause
	fresh  = 14 * 24 * time.Hour // after its last sign a finding is over
)

// Open reports that something was added to it not long ago.
func (f *Found) Open(now time.Time) bool { return now.Sub(f.newest()) <= fresh }

// newest is when something was added last.
func (f *Found) newest() time.Time {
	if f.LastSeen.After(f.Detected) {
		return f.LastSeen
	}
	return f.Detected
}

// Look judges what was folded as of a moment. old is what was seen the last time: a finding that
// goes on keeps its name, and the moment at which it was detected first.
func (f *Fold) Look(who detect.Customer, o detect.Options, old *Seen, asOf time.Time) *Seen {
	f.feed(asOf)
	f.part.Customer(who)
	r := detect.Judge(f.part, o, asOf.Add(-looked), asOf)
	s := &Seen{Tenant: f.tenant, AsOf: asOf, Found: []Found{}, Blind: r.Blind, Suppressed: r.Suppressed, Unread: f.unread, Subs: f.part.Subscriptions()}
	s.Events, s.Lines, s.Dropped = f.part.Counted()
	if s.Blind == nil {
		s.Blind = []detect.Blind{}
	}
	for i := range r.Findings {
		s.Found = append(s.Found, named(r.Findings[i], old))
	}
	slices.SortStableFunc(s.Found, func(a, b Found) int { return b.Detected.Compare(a.Detected) })
	return s
}

// named gives a finding its name: the one that it had.
func named(now detect.Finding, old *Seen) Found {
	f := Found{Key: now.Subscription + "@" + now.First.UTC().Format("20060102T1504"), Finding: now}
	if old == nil {
		return f
	}
	for i := range old.Found {
		was := &old.Found[i]
		if was.Subscription != now.Subscription || now.First.After(was.newest().Add(joined)) || was.First.After(f.newest().Add(joined)) {
			continue
		}
		f.Key = was.Key
		if was.Detected.Before(f.Detected) {
			f.Detected = was.Detected
		}
		break
	}
	return f
}
