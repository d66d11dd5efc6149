//go:build !judge

package automation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// Deps is what a Store needs.
type Deps struct {
	DB     *db.DB           // required
	Now    func() time.Time // required
	Record audit.Recorder   // optional: nil writes no trail
}

// Store keeps the items. Safe for concurrent use, by several processes too.
type Store struct{ d Deps }

// New makes a store over a database whose schema is current.
func New(d Deps) (*Store, error) {
	if d.DB == nil || d.Now == nil {
		return nil, problem.New(problem.Internal, "the list of automation has no database or no clock")
	}
	return &Store{d}, nil
}

// Change is what a person sets; nil leaves as it is.
type Change struct {
	Owner *string // at most 120 characters
	State *State
	Note  *string // at most 400 characters
	Actor string  // who, for the trail
}

// system is who acts when evidence does.
const system = "system:automation"

// errStale says that another process changed a row in between.
var errStale = errors.New("changed by another")

// retry runs do again when it lost a race.
func (s *Store) retry(ctx context.Context, do func(context.Context) error) error {
	for range 10 {
		err := s.d.DB.InTx(ctx, do)
		if !errors.Is(err, errStale) {
			return err
		}
	}
	return problem.New(problem.Internal, "the list of automation is being changed by others all the time")
}

// Merge takes over what a log showed: new items are added as found, evidence is
// brought up to date, and states follow the evidence. Owner and note stay. It
// is one transaction, and merging the same log twice changes nothing.
func (s *Store) Merge(ctx context.Context, r Result) (Merged, error) {
	var out Merged
	err := s.retry(ctx, func(ctx context.Context) error {
		out = Merged{New: []string{}, Reopened: []string{}, Gone: []string{}}
		now := s.now()
		kept, err := s.list(ctx)
		if err != nil {
			return err
		}
		seen := map[string]*Item{}
		for i := range r.Items {
			seen[r.Items[i].ID] = &r.Items[i]
		}
		for _, old := range kept {
			next := merge(old, seen[old.ID], &r, now)
			delete(seen, old.ID)
			if same(&old, &next) {
				continue
			}
			if err := s.update(ctx, &next); err != nil {
				return err
			}
			if next.State == old.State {
				continue
			}
			if next.State == Gone {
				out.Gone = append(out.Gone, next.ID)
			} else {
				out.Reopened = append(out.Reopened, next.ID)
			}
			if err := s.record(ctx, &old, &next, system); err != nil {
				return err
			}
		}
		for i := range r.Items { // in order, for the sake of Merged
			it, fresh := r.Items[i], seen[r.Items[i].ID] != nil
			if !fresh {
				continue
			}
			it.State, it.Updated = Found, now
			if err := s.insert(ctx, &it); err != nil {
				return err
			}
			out.New = append(out.New, it.ID)
		}
		return nil
	})
	if err != nil {
		return Merged{}, fmt.Errorf("merge the list of automation: %w", err)
	}
	return out, nil
}

// now is the clock as the database can keep it.
func (s *Store) now() time.Time { return s.d.Now().UTC().Truncate(time.Microsecond) }

// same compares what is stored.
func same(a, b *Item) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

// List gives all items, the surest first.
func (s *Store) List(ctx context.Context) ([]Item, error) {
	items, err := s.list(ctx)
	if err != nil {
		return nil, fmt.Errorf("list automation: %w", err)
	}
	sortItems(items)
	return items, nil
}

// Set changes what people decide of an item. It refuses a state that only
// evidence may give, and says which are open. The error is of kind NotFound for
// an id that is not there, Usage for a change that may not be.
func (s *Store) Set(ctx context.Context, id string, c Change) (Item, error) {
	var out Item
	err := s.retry(ctx, func(ctx context.Context) error {
		old, err := s.get(ctx, id)
		if err != nil {
			return err
		}
		now := s.now()
		next := old
		if c.Owner != nil {
			next.Owner = print.Clean(*c.Owner, print.MaxName)
		}
		if c.Note != nil {
			next.Note = print.Clean(*c.Note, print.MaxSaying)
		}
		if c.State != nil && *c.State != old.State {
			if err := next.become(*c.State, now); err != nil {
				return err
			}
		}
		out = next
		if same(&old, &next) {
			return nil
		}
		next.Updated = now
		out = next
		if err := s.update(ctx, &next); err != nil {
			return err
		}
		return s.record(ctx, &old, &next, c.Actor)
	})
	if err != nil {
		return Item{}, err
	}
	return out, nil
}

// become changes the state by a person's word.
func (it *Item) become(next State, now time.Time) error {
	switch {
	case next == Gone:
		return problem.New(problem.Usage, "only evidence makes an item verified gone").
			WithHint("set it to moved; once the logs read with --from cover %d days after that without a sign-in, it is verified gone", QuietDays)
	case !it.State.MayBecome(next):
		return problem.New(problem.Usage, "an item that is %s cannot become %q", it.State, string(next)).
			WithHint("the states are found, planned, moved; verified-gone comes by evidence")
	}
	it.State, it.MovedAt, it.QuietTo, it.Story = next, time.Time{}, time.Time{}, ""
	if next == Moved {
		it.MovedAt = now
		if it.Evidence.Last.After(now) {
			it.MovedAt = it.Evidence.Last // the log's clock is ahead of ours
		}
	}
	return nil
}

// record writes what changed to the trail.
func (s *Store) record(ctx context.Context, old, next *Item, actor string) error {
	if s.d.Record == nil {
		return nil
	}
	e := audit.Event{At: s.now(), Action: audit.AutomationChanged, Outcome: audit.Done, Actor: actor, Object: next.ID, Reason: next.Story,
		Details: map[string]string{"account": print.Clean(next.Name, print.MaxName), "state": string(next.State)}}
	if old.State != next.State {
		e.Details["from"] = string(old.State)
	}
	if old.Owner != next.Owner {
		e.Details["owner"] = next.Owner
	}
	return s.d.Record.Record(ctx, e)
}
