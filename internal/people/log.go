package people

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/signin"
)

// Log counts rows of the log by account and day while they are read. The zero value is
// ready.
type Log struct {
	mu    sync.Mutex
	parts []*counter
}

// counter is a visitor of one goroutine.
type counter struct {
	days    map[string]bool
	unasked map[string]map[string]int32 // by user, then day
}

// Visitor gives a visitor for one goroutine. Safe for concurrent use.
func (l *Log) Visitor() signin.Visitor {
	c := &counter{map[string]bool{}, map[string]map[string]int32{}}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.parts = append(l.parts, c)
	return c
}

// See counts a row.
func (c *counter) See(s *signin.Sighting) {
	if s.At.IsZero() {
		return
	}
	day := s.At.UTC().Format(time.DateOnly)
	c.days[day] = true
	key := strings.ToLower(cmp.Or(s.UserID, s.UserPrincipalName))
	if s.Verdict != signin.NotChallenged || key == "" {
		return
	}
	if c.unasked[key] == nil {
		c.unasked[key] = map[string]int32{}
	}
	c.unasked[key][day]++
}

// days says of each day of the log whether it was read, and counts the sign-ins
// without MFA of each account on it.
func (b *builder) days() {
	last := b.At.UTC().Truncate(24 * time.Hour)
	at := map[string]int{}
	for n := range Span {
		d := last.AddDate(0, 0, n-Span+1).Format(time.DateOnly)
		at[d] = n
		b.part.Days = append(b.part.Days, Day{Date: d})
	}
	b.daily = map[string][]int32{}
	if b.Log == nil {
		return
	}
	for _, c := range b.Log.parts {
		for day := range c.days {
			if n, shown := at[day]; shown {
				b.part.Days[n].Read = true
			}
		}
		for key, days := range c.unasked {
			for day, rows := range days {
				n, shown := at[day]
				if !shown {
					continue
				}
				if b.daily[key] == nil {
					b.daily[key] = make([]int32, Span)
				}
				b.daily[key][n] += rows
			}
		}
	}
	// A day without a row was read where the whole log was, from its first row to now.
	if b.logAll && !b.Facts.SignIns.First.IsZero() {
		first := b.Facts.SignIns.First.UTC().Format(time.DateOnly)
		for n := range b.part.Days {
			if b.part.Days[n].Date >= first {
				b.part.Days[n].Read = true
			}
		}
	}
}

// maxApps bounds the apps named of one account.
const maxApps = 3

// log is what the log saw of an account.
func (b *builder) log(r *Row, key string) {
	s := b.logs[key]
	if s == nil {
		s = b.logs[strings.ToLower(r.UPN)]
	}
	switch {
	case s == nil && b.logAll && b.Facts.SignIns.OtherAccounts.Rows == 0:
		r.Log = SeenNever
		return
	case s == nil:
		r.Log = SeenUnknown
		return
	}
	unclear := s.Verdicts.Of(signin.Unknown)
	r.Unasked = s.Verdicts.Of(signin.NotChallenged)
	r.SignIns = s.Verdicts.Proven() + r.Unasked + unclear
	r.LastSignIn, r.LastUnasked = s.LastSignIn, s.LastNotChallenged
	switch {
	case r.Unasked > 0:
		r.Log = SeenUnasked
	case !b.logAll:
		r.Log = SeenUnknown // what is missing of the log may show it
	case unclear > 0:
		r.Log = SeenUnclear
	case r.SignIns == 0:
		r.Log = SeenNever
	default:
		r.Log = SeenAsked
	}
	for c := range s.LegacySuccesses {
		r.Legacy = append(r.Legacy, c)
	}
	slices.Sort(r.Legacy)
	for a := range s.NotChallengedApps {
		r.Apps = append(r.Apps, a)
	}
	slices.SortFunc(r.Apps, func(x, y string) int {
		return cmp.Or(cmp.Compare(s.NotChallengedApps[y], s.NotChallengedApps[x]), strings.Compare(x, y))
	})
	r.Apps = r.Apps[:min(len(r.Apps), maxApps)]
	if len(s.NotChallenged) > 0 {
		w := &s.NotChallenged[0]
		r.Seen = &Seen{At: w.Time, ID: w.ID, App: w.App, Client: w.Client, From: strings.TrimSpace(w.IP + " " + w.Country), Source: w.Source.String()}
		r.source("sign-in", w.Source, b.at(evidence.SignIn))
	}
	b.bars(r, key)
}

// bars are its sign-ins without MFA by day; a day that was not read is no zero.
func (b *builder) bars(r *Row, key string) {
	n := b.daily[key]
	if n == nil {
		n = b.daily[strings.ToLower(r.UPN)]
	}
	if n == nil {
		return
	}
	r.Daily = slices.Clone(n)
	for i := range r.Daily {
		if !b.part.Days[i].Read {
			r.Daily[i] = -1
		}
	}
}
