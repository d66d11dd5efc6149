//go:build !judge

package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/fraud"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
	"partnerguard/internal/vault"
)

// New makes a Desk over a database whose schema is current.
func New(d Deps) (*Desk, error) {
	if d.DB == nil || d.Now == nil || d.Record == nil {
		return nil, problem.New(problem.Internal, "the desk of fraud alerts has no database, no trail or no clock")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Config == nil {
		d.Config = &Config{Every: 5 * time.Minute}
	}
	if d.at == nil {
		d.at = func(context.Context, string) {}
	}
	return &Desk{d: d, id: token.ID("desk")}, nil
}

// now is the clock as the database can keep it.
func (d *Desk) now() time.Time { return d.d.Now().UTC().Truncate(time.Microsecond) }

func (d *Desk) record(ctx context.Context, a audit.Action, o audit.Outcome, actor, object, tenant, reason string, details map[string]string) error {
	return d.d.Record.Record(ctx, audit.Event{At: d.now(), Action: a, Outcome: o, Actor: cmp.Or(actor, d.d.Actor), Object: object, Tenant: tenant,
		Reason: print.Clean(reason, print.MaxSaying), Details: details})
}

func none(id string) error {
	return problem.New(problem.NotFound, "no fraud alert is called %.60q", id).WithHint("partnerguard fraud list --all shows those that are known")
}

// rowOf names a version of a row, as the trail keeps it.
func rowOf(kind string, version int64) string { return fmt.Sprintf("%s/%d", kind, version) }

// standing holds a row to what the trail says: it knows of this version, and of none that is
// newer. Whoever puts an older row back has nothing sent twice. Kind problem.Conflict.
func (d *Desk) standing(ctx context.Context, kind, id string, version int64) error {
	last, err := d.lasts(ctx)
	if err != nil || version == 0 {
		return err
	}
	return newest(last, kind, id, version)
}

func newest(last func(alert, row string) audit.Action, kind, id string, version int64) error {
	if last == nil {
		return nil
	}
	if last(id, rowOf(kind, version)) == "" || last(id, rowOf(kind, version+1)) != "" {
		return problem.New(problem.Conflict, "the %s of alert %s is not the one that the trail knows last", kind, id).
			WithHint("somebody put an older row back: look at the trail, and restore a backup")
	}
	return nil
}

// lasts is what the trail says last. It is asked outside of transactions: what one of them
// wrote and gave up is no word of the trail.
func (d *Desk) lasts(ctx context.Context) (func(alert, row string) audit.Action, error) {
	if d.d.Last == nil {
		return nil, nil
	}
	return d.d.Last(ctx)
}

// next is the version of a row that is written after the one that was read; where that is
// none, after whatever the trail knows of.
func next(last func(alert, row string) audit.Action, kind, id string, version int64) (int64, error) {
	version++
	for ; last != nil && last(id, rowOf(kind, version)) != ""; version++ {
		if version > 1_000_000 {
			return 0, problem.New(problem.Limit, "the %s of alert %s was written too often", kind, id)
		}
	}
	return version, nil
}

// shelf is everything that is kept, by alert.
type shelf struct {
	alerts  []kept
	files   map[string]*file
	replies map[string]*reply
	refused map[string]string // rows that are not as they were written
	older   bool              // one of them is not the one that the trail knows last
	last    func(alert, row string) audit.Action
}

// shelve reads what is kept, each row held to its mark where the vault is open, and to what
// the trail says last of it.
func (d *Desk) shelve(ctx context.Context) (s shelf, err error) {
	for range 3 { // a row may be written between the two readings
		if s, err = d.readShelf(ctx); err != nil || !s.older {
			break
		}
	}
	return s, err
}

func (d *Desk) readShelf(ctx context.Context) (s shelf, err error) {
	s = shelf{files: map[string]*file{}, replies: map[string]*reply{}, refused: map[string]string{}}
	if s.alerts, err = d.alerts(ctx); err != nil {
		return s, err
	}
	files, err := d.files(ctx)
	if err != nil {
		return s, err
	}
	replies, err := d.replies(ctx)
	if err != nil {
		return s, err
	}
	if s.last, err = d.lasts(ctx); err != nil {
		return s, err
	}
	for i := range s.alerts {
		if err := d.fits(ctx, &s, alertBook, s.alerts[i].ID, s.alerts[i].mark, s.alerts[i].values()); err != nil {
			return s, err
		}
	}
	for i := range files {
		f := &files[i]
		if err := d.fits(ctx, &s, caseBook, f.alert, f.mark, f.values()); err != nil {
			return s, err
		}
		s.known("case", f.alert, f.version)
		s.files[f.alert] = f
	}
	for i := range replies {
		r := &replies[i]
		if err := d.fits(ctx, &s, answerBook, r.alert, r.mark, r.values()); err != nil {
			return s, err
		}
		s.known("answer", r.alert, r.version)
		s.replies[r.alert] = r
	}
	return s, nil
}

func (d *Desk) fits(ctx context.Context, s *shelf, b *vault.Book, id string, mark []byte, values []any) error {
	if d.d.Marks == nil {
		return nil
	}
	err := d.d.Marks.Fits(ctx, b, mark, values...)
	if errors.Is(err, vault.ErrForged) {
		s.refused[id] = cmp.Or(s.refused[id], err.Error())
		return nil
	}
	return err
}

func (s *shelf) known(kind, id string, version int64) {
	if err := newest(s.last, kind, id, version); err != nil {
		s.refused[id], s.older = cmp.Or(s.refused[id], err.Error()), true
	}
}

// caseOf is an alert with all that is kept of it. What was refused counts for nothing: nobody
// has it, and nothing was answered.
func (d *Desk) caseOf(s *shelf, k *kept, read time.Time) Case {
	c := Case{Alert: k.Alert, Notes: []Note{}, Seen: k.seen, Read: read, Aged: k.aged, Refused: s.refused[k.ID]}
	if c.Gone = k.gone; !k.gone.IsZero() {
		c.Read = k.gone
	}
	if c.Refused == "" {
		if f := s.files[k.ID]; f != nil {
			c.Assignee, c.Acknowledged = f.body.Assignee, f.body.Acknowledged
			c.Notes = append(c.Notes, f.body.Notes...)
		}
		if r := s.replies[k.ID]; r != nil {
			c.Answer = &Answer{Reason: r.body.Reason, State: r.state, By: r.body.By, At: r.body.At, Settled: r.body.Settled, Why: r.body.Why, Tries: r.body.Tries}
		}
	} else {
		c.Aged = false // it may be anything
	}
	c.Clock = clockOf(&c.Alert, d.now())
	return c
}

func clockOf(a *fraud.Alert, now time.Time) Clock {
	c := Clock{Running: a.Open()}
	if a.Detected.IsZero() {
		return c
	}
	c.DueGoal, c.Due = a.Detected.Add(fraud.Goal), a.Detected.Add(fraud.Duty)
	switch {
	case c.Running:
		c.Left, c.Waited = c.Due.Sub(now).Truncate(time.Second), max(now.Sub(a.Detected), 0).Truncate(time.Second)
	case !a.ResolvedAt.IsZero():
		c.Waited = max(a.ResolvedAt.Sub(a.Detected), 0).Truncate(time.Second)
	}
	return c
}

// Get finds a case by its id, by Microsoft's ids of it, or by a beginning of its id that no
// other has. Kinds problem.NotFound and, for a beginning that several have, problem.Usage.
func (d *Desk) Get(ctx context.Context, id string) (*Case, error) {
	list, err := d.List(ctx, Filter{})
	if err != nil {
		return nil, err
	}
	id = strings.ToLower(strings.TrimSpace(id))
	var found []*Case
	for i := range list {
		c := &list[i]
		if id != "" && (id == c.ID || id == strings.ToLower(c.GraphID) || id == strings.ToLower(c.EventID)) {
			return c, nil
		}
		if len(id) > 2 && (strings.HasPrefix(c.ID, id) || strings.HasPrefix(c.ID, "fa-"+id)) {
			found = append(found, c)
		}
	}
	switch len(found) {
	case 0:
		return nil, none(id)
	case 1:
		return found[0], nil
	}
	return nil, problem.New(problem.Usage, "%d fraud alerts begin with %.60q", len(found), id).WithHint("%s and %s: type more of it", found[0].ID, found[1].ID)
}

// List gives the cases that are wanted: those that wait, longest first, then the others,
// newest first.
func (d *Desk) List(ctx context.Context, f Filter) ([]Case, error) {
	s, err := d.shelve(ctx)
	if err != nil {
		return nil, err
	}
	good, err := d.good(ctx)
	if err != nil {
		return nil, err
	}
	out := []Case{}
	for i := range s.alerts {
		k := &s.alerts[i]
		switch at := cmp.Or(k.Detected, k.seen); {
		case f.Open && !k.Open(), f.NoTests && k.Test, f.Customer != "" && !strings.EqualFold(f.Customer, k.Customer),
			f.Subscription != "" && !strings.EqualFold(f.Subscription, k.Subscription), !f.Since.IsZero() && at.Before(f.Since):
			continue
		}
		out = append(out, d.caseOf(&s, k, good))
	}
	sortCases(out)
	return out, nil
}

func sortCases(out []Case) {
	slices.SortStableFunc(out, func(a, b Case) int {
		if a.Open() != b.Open() {
			if a.Open() {
				return -1
			}
			return 1
		}
		if a.Open() {
			return cmp.Or(a.Detected.Compare(b.Detected), cmp.Compare(a.ID, b.ID))
		}
		return cmp.Or(b.Detected.Compare(a.Detected), cmp.Compare(a.ID, b.ID))
	})
}

// Readings tell how reading went: of the desk as a whole first, then of each interface.
func (d *Desk) Readings(ctx context.Context) ([]Reading, error) {
	list, err := d.readings(ctx)
	slices.SortStableFunc(list, func(a, b Reading) int {
		if (a.Source == whole) != (b.Source == whole) {
			if a.Source == whole {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Source, b.Source)
	})
	return list, err
}

// good is when the alerts were last read.
func (d *Desk) good(ctx context.Context) (time.Time, error) {
	list, err := d.Readings(ctx)
	if err != nil || len(list) == 0 || list[0].Source != whole {
		return time.Time{}, err
	}
	return list[0].Good, nil
}
