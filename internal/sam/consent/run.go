package consent

import (
	"context"
	"errors"
	"net/http"
	"sort"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"partnerguard/internal/audit"
	"partnerguard/internal/entra"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam/capture"
)

// Plan looks and changes nothing, whatever o.Apply says.
func (s *Service) Plan(ctx context.Context, o Options, yield func(Row) error) (Summary, error) {
	o.Apply = false
	return s.Run(ctx, o, yield)
}

// Apply does what Plan would say.
func (s *Service) Apply(ctx context.Context, o Options, yield func(Row) error) (Summary, error) {
	o.Apply = true
	return s.Run(ctx, o, yield)
}

// ahead is how far the list of customers is read before those that are looked at:
// with up to so many the whole number is known from the start.
const ahead = 10_000

// Run goes through the customers with some workers and gives each as it is
// done, one at a time; those under way are in memory, and names that are read ahead. One customer's
// failure is in its row. An error ends the run: of yield, of the list of
// customers, of the trail, or one that every customer would have (no MFA claim,
// no access). What was begun at a customer is brought to its end all the same.
func (s *Service) Run(ctx context.Context, o Options, yield func(Row) error) (Summary, error) {
	sum := Summary{Actions: map[Action]int{}, Results: map[Result]int{}, States: map[State]int{}}
	if err := s.check(&o); err != nil {
		return sum, err
	}
	var left map[string]Intent
	if s.d.Intents != nil {
		var err error
		if left, err = s.d.Intents.Open(ctx, o.Connection.ID); err != nil {
			return sum, err
		}
	}
	r := &run{s: s, o: &o, left: left, sum: &sum, yield: yield}
	g, gctx := errgroup.WithContext(ctx)
	todo := make(chan msapi.Customer, ahead)
	for range o.Workers {
		g.Go(func() error {
			for c := range todo {
				if gctx.Err() != nil {
					return gctx.Err()
				}
				row, err := s.customer(gctx, &o, c, left[c.ID])
				if row.Result != "" { // also one that ends the run: something was done there
					err = errors.Join(err, r.give(row))
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	g.Go(func() error {
		defer close(todo)
		return r.list(gctx, todo)
	})
	err := g.Wait()
	if err == nil {
		err = r.unknownNames()
	}
	return sum, err
}

// run is what the workers of one run share.
type run struct {
	s    *Service
	o    *Options
	left map[string]Intent

	mu    sync.Mutex // guards the rest, and yield's turns
	sum   *Summary
	yield func(Row) error
	known int
	whole bool
	found map[int]bool // of Only
	ended error        // of yield: it is not called again
}

func (r *run) list(ctx context.Context, todo chan<- msapi.Customer) error {
	for c, err := range r.o.Center.Customers(ctx, 0) {
		if err != nil {
			return err
		}
		if len(r.o.Only) > 0 {
			i := named(c, r.o.Only)
			if i < 0 {
				continue
			}
			r.mu.Lock()
			if r.found == nil {
				r.found = map[int]bool{}
			}
			r.found[i] = true
			r.mu.Unlock()
		}
		r.mu.Lock()
		r.known++
		r.mu.Unlock()
		select {
		case todo <- c:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.whole = true
	r.tell()
	return nil
}

func (r *run) tell() {
	if r.o.Progress != nil {
		r.o.Progress(r.sum.Customers, r.known, r.whole)
	}
}

func (r *run) give(row Row) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended != nil {
		return r.ended
	}
	r.sum.Customers++
	r.sum.Actions[row.Action]++
	r.sum.Results[row.Result]++
	for _, it := range row.Items {
		r.sum.States[it.State]++
	}
	if !row.Left.IsZero() {
		r.sum.Left++
	}
	if r.ended = r.yield(row); r.ended != nil {
		return r.ended
	}
	r.tell()
	return nil
}

func (r *run) unknownNames() error {
	var names []string
	for i, n := range r.o.Only {
		if !r.found[i] {
			names = append(names, n)
		}
	}
	if len(names) == 0 {
		return nil
	}
	sort.Strings(names)
	return problem.New(problem.NotFound, "no customer is called %.300s", strings.Join(names, ", ")).
		WithHint("give a tenant id or the domain that Partner Center shows")
}

// customer does one customer. Its error ends the run.
func (s *Service) customer(ctx context.Context, o *Options, c msapi.Customer, left Intent) (Row, error) {
	row := Row{Customer: c, Left: left.Since, Items: s.look(ctx, o, c.ID)}
	if err := ctx.Err(); err != nil {
		return row, err
	}
	row.Action, row.Why = decide(row.Items, o.Trim)
	switch {
	case row.Action == Skip:
		row.Result = Skipped
		for _, it := range row.Items {
			if it.State == Unknown {
				row.Why, row.Fix = row.Why+": "+it.Why, it.Fix
				break
			}
		}
		return row, nil
	case row.Action == None:
		row.Result = Unchanged
		if left.Customer == "" || !o.Apply {
			return row, nil
		}
		// An earlier run ended after its work and before it said so.
		return row, s.d.Intents.End(ctx, o.Connection.ID, c.ID)
	case !o.Apply:
		row.Result = Planned
		return row, nil
	}
	// What is begun here is not left half done because somebody wants to stop.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Minute)
	defer cancel()
	return s.change(ctx, o, row, left)
}

// look observes every wanted resource at a customer.
func (s *Service) look(ctx context.Context, o *Options, customer string) []Item {
	out := make([]Item, len(o.Wanted))
	for i, w := range o.Wanted {
		// Where the app is not known at all, it is so for every resource.
		if i > 0 && out[0].Code == entra.CodeNotAuthorizedForPartner && out[0].State == Missing {
			out[i] = Item{Resource: w.Resource, URI: w.URI, State: Missing, Lacks: w.Scopes, Code: entra.CodeNotAuthorizedForPartner}
			continue
		}
		out[i] = s.observe(ctx, o, customer, w)
	}
	return out
}

// change grants, or removes and grants, and looks whether it worked.
func (s *Service) change(ctx context.Context, o *Options, row Row, left Intent) (Row, error) {
	fail := func(err error) (Row, error) {
		row.Result, row.Why, row.Fix = Failed, plain(err), problem.HintOf(err)
		if row.Action == Replace {
			row.Fix = "run it again: the removed consent is remembered and granted then"
		}
		if fatal(err) {
			return row, err
		}
		return row, nil
	}
	if row.Action == Grant {
		existed, err := s.grant(ctx, o, &row, grants(row.Items, o.Wanted, false))
		if err != nil {
			return fail(err)
		}
		items := s.settle(ctx, o, row.Customer.ID, row.Items)
		next, _ := decide(items, false)
		if !existed || next == None || next == Skip {
			return s.end(ctx, o, row, items, left)
		}
		// A grant is there that the token does not show, or not enough of it:
		// only a removal makes room.
		row.Items, row.Action = items, Replace
	}
	all := grants(row.Items, o.Wanted, true)
	if err := s.d.Intents.Begin(ctx, Intent{Connection: o.Connection.ID, Customer: row.Customer.ID, App: o.Connection.ClientID, Grants: all,
		Since: s.d.Now()}); err != nil {
		return fail(err) // nothing was removed
	}
	var removed bool
	err := s.persist(ctx, func() (err error) {
		removed, err = o.Center.RemoveConsent(ctx, row.Customer.ID, o.Connection.ClientID)
		return err
	})
	if err != nil {
		if rerr := s.record(ctx, o, audit.ConsentRemoved, audit.Failed, row.Customer.ID, plain(err), nil); rerr != nil {
			return row, rerr
		}
		return fail(err)
	}
	if removed {
		if err := s.record(ctx, o, audit.ConsentRemoved, audit.Done, row.Customer.ID, "it is granted anew next: a grant cannot be changed", nil); err != nil {
			s.d.Log.Error("a removed consent could not be recorded; it is granted anew all the same", "customer", row.Customer.ID, "err", err)
		}
	}
	if _, err := s.grant(ctx, o, &row, all); err != nil {
		return fail(err)
	}
	return s.end(ctx, o, row, s.settle(ctx, o, row.Customer.ID, row.Items), left)
}

// end judges what is there now.
func (s *Service) end(ctx context.Context, o *Options, row Row, items []Item, left Intent) (Row, error) {
	row.Items, row.Result = items, Applied
	for _, it := range items {
		switch it.State {
		case Missing, Drift:
			row.Result, row.Why, row.Fix = Unseen, "Partner Center took it, and a new token does not show it yet", "plan again in a few minutes"
		case Unknown:
			if row.Result == Applied {
				row.Result, row.Why, row.Fix = Unseen, it.Why, it.Fix
			}
		}
	}
	if row.Result == Applied && (row.Action == Replace || left.Customer != "") {
		return row, s.d.Intents.End(ctx, o.Connection.ID, row.Customer.ID)
	}
	return row, nil
}

// grant asks for consents and records each. existed says that there was one
// already for something.
func (s *Service) grant(ctx context.Context, o *Options, row *Row, list []msapi.ConsentGrant) (existed bool, err error) {
	if len(list) == 0 {
		return false, nil
	}
	var results []msapi.ConsentResult
	err = s.persist(ctx, func() (err error) {
		results, err = o.Center.GrantConsent(ctx, row.Customer.ID, o.Connection.ClientID, o.Name, list)
		return err
	})
	if err != nil {
		if rerr := s.record(ctx, o, audit.ConsentGranted, audit.Failed, row.Customer.ID, plain(err), nil); rerr != nil {
			return false, rerr
		}
		return false, err
	}
	for i, r := range results {
		details := map[string]string{"resource": r.Resource, "scopes": strings.Join(list[i].Scopes, " ")}
		var rerr, first error
		switch r.State {
		case msapi.Granted:
			rerr = s.record(ctx, o, audit.ConsentGranted, audit.Done, row.Customer.ID, "", details)
		case msapi.Existed:
			existed = true
		case msapi.Absent:
			for k := range row.Items {
				if row.Items[k].Resource == r.Resource {
					row.Items[k].State, row.Items[k].Why = Absent, "the customer never used that service"
				}
			}
		case msapi.Failed:
			first = r.Err
			rerr = s.record(ctx, o, audit.ConsentGranted, audit.Failed, row.Customer.ID, plain(r.Err), details)
		}
		if rerr != nil {
			return existed, rerr
		}
		if first != nil && err == nil {
			err = first
		}
	}
	return existed, err
}

// settling is how long a grant may take to show in tokens, in steps.
var settling = []time.Duration{0, 2 * time.Second, 5 * time.Second, 15 * time.Second, 30 * time.Second}

// settle looks until what was granted is seen, or patience ends. Resources that
// the customer does not have are not asked for.
func (s *Service) settle(ctx context.Context, o *Options, customer string, before []Item) []Item {
	var items []Item
	for _, d := range settling {
		if d > 0 && s.d.Wait(ctx, d) != nil {
			return items
		}
		items = make([]Item, len(o.Wanted))
		done := true
		for i, w := range o.Wanted {
			if before[i].State == Absent {
				items[i] = before[i]
				continue
			}
			items[i] = s.observe(ctx, o, customer, w)
			done = done && (items[i].State == InOrder || items[i].State == Excess || items[i].State == Absent)
		}
		if done {
			break
		}
	}
	return items
}

// patience is how often what passes is tried again here, on top of msapi's own
// tries: between a removal and a grant giving up early costs the most.
const patience = 4

// persist tries again what may pass, waiting as long as the answer says, five
// minutes at most.
func (s *Service) persist(ctx context.Context, do func() error) error {
	for try := 1; ; try++ {
		err := do()
		after, ok := passing(err)
		if !ok || try == patience {
			return err
		}
		if s.d.Wait(ctx, min(max(after, time.Duration(try)*2*time.Second), 5*time.Minute)) != nil {
			return err
		}
	}
}

// passing says whether a failure may pass, and after how long if it says so: of
// Partner Center, or of getting the token for it.
func passing(err error) (time.Duration, bool) {
	if e, ok := errors.AsType[*msapi.APIError](err); ok {
		return e.RetryAfter, e.Transient
	}
	if e, ok := errors.AsType[*msapi.TokenError](err); ok {
		return e.RetryAfter, e.Transient
	}
	return 0, err != nil && errors.Is(err, problem.Limit)
}

// fatal says that every customer would fail the same.
func fatal(err error) bool {
	if _, ok := passing(err); ok {
		return false
	}
	e, ok := errors.AsType[*msapi.APIError](err)
	return !ok || e.WithoutMFA() || e.Status == http.StatusUnauthorized
}

// Difference is what is granted beyond and below of what is wanted, over a row.
func (r Row) Difference() capture.Difference {
	d := capture.Difference{Missing: map[string][]string{}, More: map[string][]string{}}
	for _, it := range r.Items {
		if len(it.Lacks) > 0 {
			d.Missing[it.URI] = it.Lacks
		}
		if len(it.More) > 0 {
			d.More[it.URI] = it.More
		}
	}
	return d
}
