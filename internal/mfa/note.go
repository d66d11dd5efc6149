package mfa

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/audit"
	"partnerguard/internal/jobs"
	"partnerguard/internal/observe"
	"partnerguard/internal/token"
	"partnerguard/internal/vault"
)

// note writes down what somebody should look at, and in the trail, in the transaction of
// ctx.
func (s *Store) note(ctx context.Context, p *Person, kind, source, words string) error {
	n := Note{ID: token.ID("mn"), Person: p.ID, At: s.now(), Kind: kind, Source: network(source, true), Words: cleaned(words)}
	if err := s.putNote(ctx, &n); err != nil {
		return err
	}
	return s.record(ctx, audit.MFARisk, audit.Done, "system:mfa", p, "", n.Words, map[string]string{"kind": kind, "network": n.Source})
}

// Notes are what was seen since a moment of a person, or of all where person is "", the
// newest first, 2,000 at most.
func (s *Store) Notes(ctx context.Context, person string, since time.Time) ([]Note, error) {
	return s.notes(ctx, person, since)
}

// Clock says how many people's passcodes of a day fitted at another time only, and on
// which side: of several people at once on one side it is our own clock.
type Clock struct {
	Ahead, Behind int           // people whose device is ahead of ours, or behind
	Off           time.Duration // the one in the middle, of the larger side
}

// Wrong says that our own clock is to be looked at.
func (c Clock) Wrong() bool {
	more, fewer := max(c.Ahead, c.Behind), min(c.Ahead, c.Behind)
	return more >= 3 && more >= 3*fewer
}

// Clock looks whether our clock is right, by the passcodes of the last day.
func (s *Store) Clock(ctx context.Context) (c Clock, err error) {
	list, err := s.Factors(ctx, "")
	if err != nil {
		return c, err
	}
	since := s.now().Add(-24 * time.Hour)
	side := map[bool]map[string]time.Duration{true: {}, false: {}}
	for _, f := range counted(list, TOTP) {
		// One that fitted at the right time afterwards was the device's fault.
		if f.Far != 0 && f.FarAt.After(since) && !f.Last.After(f.FarAt) {
			side[f.Far > 0][f.Person] = time.Duration(f.Far) * time.Duration(f.Period) * time.Second
		}
	}
	c.Ahead, c.Behind = len(side[true]), len(side[false])
	var offs []time.Duration
	for _, d := range side[c.Ahead >= c.Behind] {
		offs = append(offs, d)
	}
	slices.Sort(offs)
	if len(offs) > 0 {
		c.Off = offs[len(offs)/2]
	}
	return c, nil
}

// Line is a person with all that the help desk wants to know.
type Line struct {
	Person
	Factors   []Factor    `json:"factors"`
	Strongest Kind        `json:"strongest,omitempty"`
	Locked    time.Time   `json:"locked,omitzero"`
	Notes     []Note      `json:"notes,omitempty"` // of 30 days
	Acts      []Act       `json:"acts,omitempty"`  // that wait, or may still be used
	Done      []Act       `json:"done,omitempty"`  // approved in 30 days
	Invited   *Invitation `json:"invited,omitempty"`
}

// Lines are all people, the worst first: who needs the help desk.
func (s *Store) Lines(ctx context.Context) ([]Line, error) {
	list, err := s.People(ctx)
	if err != nil {
		return nil, err
	}
	all, err := s.Factors(ctx, "")
	if err != nil {
		return nil, err
	}
	locked, err := s.Locked(ctx)
	if err != nil {
		return nil, err
	}
	notes, err := s.Notes(ctx, "", s.now().Add(-30*24*time.Hour))
	if err != nil {
		return nil, err
	}
	acts, err := s.Acts(ctx)
	if err != nil {
		return nil, err
	}
	invited, err := s.Invitations(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Line, len(list))
	at := map[string]*Line{}
	for i := range list {
		out[i] = Line{Person: list[i], Factors: []Factor{}, Locked: locked[list[i].ID]}
		at[list[i].ID] = &out[i]
	}
	for _, f := range all {
		if l := at[f.Person]; l != nil {
			l.Factors = append(l.Factors, f)
		}
	}
	for _, n := range notes {
		if l := at[n.Person]; l != nil {
			l.Notes = append(l.Notes, n)
		}
	}
	now := s.now()
	for _, a := range acts {
		if l := at[a.Person]; l != nil && (a.State == Asked || a.State == Approved && a.What == ActPass) && now.Before(a.Ends) {
			l.Acts = append(l.Acts, a)
		}
	}
	for _, a := range acts {
		if l := at[a.Person]; l != nil && a.Refused == "" && !a.Decided.IsZero() && a.State != Withdrawn && now.Sub(a.Decided) < 30*24*time.Hour {
			l.Done = append(l.Done, a)
		}
	}
	for i := range invited {
		if l := at[invited[i].Person]; l != nil && invited[i].State == Waits && now.Before(invited[i].Ends) {
			l.Invited = &invited[i]
		}
	}
	for i := range out {
		out[i].Strongest = strongest(out[i].Factors)
	}
	slices.SortStableFunc(out, func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.Rank(), b.Rank()), strings.Compare(strings.ToLower(a.Called()), strings.ToLower(b.Called())), strings.Compare(a.ID, b.ID))
	})
	return out, nil
}

// Rank orders people: the lower the sooner somebody should look.
func (l *Line) Rank() int {
	switch {
	case l.Refused != "" || slices.ContainsFunc(l.Factors, func(f Factor) bool { return f.Refused != "" }):
		return 0
	case slices.ContainsFunc(l.Acts, func(a Act) bool { return a.State == Asked }):
		return 1
	case !l.Locked.IsZero():
		return 2
	case l.Risky():
		return 3
	case l.State == Blocked:
		return 4
	case l.Strongest == "" && l.Invited == nil:
		return 5
	case l.Strongest == "":
		return 6
	case l.Strongest == Recovery:
		return 7
	case l.Strongest == TOTP:
		return 8
	}
	return 9
}

// Risky says that something was seen that is no everyday thing.
func (l *Line) Risky() bool {
	return slices.ContainsFunc(l.Notes, func(n Note) bool { return n.Kind == NoteNotMe || n.Kind == NoteCopied || n.Kind == NoteRefusals })
}

// How often what is over is taken away, and how long what is told of stays.
const (
	sweepEvery = 5 * time.Minute
	keepNotes  = 90 * 24 * time.Hour
	keepTries  = 2 * 24 * time.Hour
	keepActs   = 90 * 24 * time.Hour
)

// Jobs takes away what is over.
func (s *Store) Jobs(q *jobs.Queue) error {
	const kind = "mfa-sweep"
	q.Handle(kind, func(ctx context.Context, _ jobs.Job) error { return s.sweep(ctx) })
	q.Every(sweepEvery, kind, nil)
	return nil
}

func (s *Store) sweep(ctx context.Context) error {
	now := s.now()
	for _, x := range []struct {
		sh *shelf
		at time.Time
	}{{challenges, now}, {sessions, now}, {invitations, now.Add(-keepActs)}, {acts, now.Add(-keepActs)}} {
		err := s.d.DB.InTx(ctx, func(ctx context.Context) error {
			rows, err := s.over(ctx, x.sh, x.at)
			if err != nil {
				return err
			}
			for i := range rows {
				if err := s.forget(ctx, x.sh, &rows[i]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return failed(err)
		}
	}
	if err := s.endPasses(ctx); err != nil {
		return err
	}
	if err := s.dropNotes(ctx, now.Add(-keepNotes)); err != nil {
		return err
	}
	return s.dropTries(ctx, "", now.Add(-keepTries))
}

// forget deletes the secret of a row that was taken away.
func (s *Store) forget(ctx context.Context, sh *shelf, r *row) error {
	switch sh {
	case challenges:
		return s.d.Vault.Delete(ctx, vault.Ref{Purpose: "mfa-challenge", Owner: r.id})
	case sessions:
		return s.d.Vault.Delete(ctx, vault.Ref{Purpose: "mfa-pending", Owner: r.id})
	}
	return nil
}

// Metrics adds the gauges.
func (s *Store) Metrics(reg prometheus.Registerer) {
	observe.Gauge(reg, "partnerguard_mfa_people", "People of our own MFA provider, by their strongest factor.", "strongest",
		func(ctx context.Context) (map[string]float64, error) {
			list, err := s.Lines(ctx)
			n := map[string]float64{"none": 0}
			for _, k := range Kinds() {
				n[string(k)] = 0
			}
			for i := range list {
				n[cmp.Or(string(list[i].Strongest), "none")]++
			}
			return n, err
		})
	observe.Gauge(reg, "partnerguard_mfa_locked", "People whose answers are not looked at for a while, after wrong ones.", "",
		func(ctx context.Context) (map[string]float64, error) {
			m, err := s.Locked(ctx)
			return map[string]float64{"": float64(len(m))}, err
		})
	observe.Gauge(reg, "partnerguard_mfa_clock_off", "People whose passcodes fitted at another time only, in a day: many on one side is our clock.", "side",
		func(ctx context.Context) (map[string]float64, error) {
			c, err := s.Clock(ctx)
			return map[string]float64{"ahead": float64(c.Ahead), "behind": float64(c.Behind)}, err
		})
}

// pendingRef is the secret of passcodes that are being set up.
func pendingRef(session string) vault.Ref { return vault.Ref{Purpose: "mfa-pending", Owner: session} }
