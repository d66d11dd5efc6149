//go:build !judge

package move

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/delegation"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// Apply takes a plan over: its first stage begins, and each further one up to until (a
// share of the plan's stages in percent; 0 is all, and of a plan that was applied already as
// far as it was let go) when the probes of the one before it passed. now is what is there at this moment: a plan that was made of something else is
// refused with the differences, as kind problem.Conflict. Applying the same plan again
// changes nothing but until.
func (m *Mover) Apply(ctx context.Context, p Plan, until int, now *delegation.Inventory) (Run, error) {
	if m.d.Marks == nil {
		return Run{}, errNoVault()
	}
	if err := p.Check(); err != nil {
		return Run{}, err
	}
	last, err := p.stage(until)
	if err != nil {
		return Run{}, err
	}
	id := p.ID()
	if r, err := m.trusted(ctx, id); err == nil {
		if until == 0 {
			return r, nil
		}
		return m.extend(ctx, r, last)
	} else if !errors.Is(err, problem.NotFound) {
		return r, err
	}
	if d := Differences(&p, now); len(d) > 0 {
		return Run{}, differ(d)
	}
	r := Run{ID: id, Plan: p, State: Running, Stage: 1, Until: last, Applied: m.now(), Actor: m.d.Actor}
	err = m.d.DB.InTx(ctx, func(ctx context.Context) error {
		for i := range p.Customers {
			if err := m.free(ctx, &p.Customers[i]); err != nil {
				return err
			}
		}
		if err := m.insertRun(ctx, &r); err != nil {
			return err
		}
		for i := range p.Customers {
			c := &p.Customers[i]
			x := Move{Plan: id, Customer: c.Tenant, Name: print.Clean(c.Name, print.MaxName), Stage: c.Stage, State: Waiting, Since: r.Applied, wish: *c}
			if c.Stage == 1 {
				x.Next = r.Applied
			} else {
				x.Why = fmt.Sprintf("stage %d has not begun", c.Stage)
			}
			if err := m.insertMove(ctx, &x); err != nil {
				return err
			}
		}
		return m.record(ctx, audit.DelegationApplied, audit.Done, m.d.Actor, id, p.Tenant, "", map[string]string{
			"customers": strconv.Itoa(len(p.Customers)), "to": p.To, "made": p.Made.UTC().Format(time.RFC3339)})
	})
	if errors.Is(err, errStale) { // another process applied it in this moment
		return m.trusted(ctx, id)
	}
	return r, err
}

// stage is the last stage within a share of the customers.
func (p *Plan) stage(percent int) (int, error) {
	if percent == 0 {
		return len(p.Stages), nil
	}
	for i, s := range p.Stages {
		if s == percent {
			return i + 1, nil
		}
	}
	var list []string
	for _, s := range p.Stages {
		list = append(list, fmt.Sprintf("%d%%", s))
	}
	return 0, problem.New(problem.Usage, "the plan has no stage of %d%%", percent).WithHint("its stages are %s", strings.Join(list, ", "))
}

// extend lets further stages of a plan begin.
func (m *Mover) extend(ctx context.Context, r Run, last int) (Run, error) {
	if last == r.Until {
		return r, nil
	}
	err := m.retry(ctx, func(ctx context.Context) (err error) {
		if r, err = m.trusted(ctx, r.ID); err != nil {
			return err
		}
		r.Until = max(last, r.Stage)
		if err := m.updateRun(ctx, &r); err != nil {
			return err
		}
		return m.record(ctx, audit.DelegationApplied, audit.Done, m.d.Actor, r.ID, r.Plan.Tenant, "", map[string]string{"until": strconv.Itoa(r.Until)})
	})
	return r, err
}

// free refuses a customer that another plan is moving.
func (m *Mover) free(ctx context.Context, c *Customer) error {
	list, err := m.movesOf(ctx, c.Tenant)
	if err != nil {
		return err
	}
	for i := range list {
		if !list[i].State.Ended() {
			return problem.New(problem.Conflict, "the customer %s (%s) is being moved by the plan %s (%s)", print.Clean(c.Name, print.MaxName), c.Tenant,
				list[i].Plan, list[i].State).WithHint("let it end, or partnerguard delegation cancel %s --customer %s", list[i].Plan, c.Tenant)
		}
	}
	return nil
}

// maxShown bounds the differences that an error names; all are in [Differences].
const maxShown = 12

func differ(list []string) error {
	shown := list[:min(len(list), maxShown)]
	words := strings.Join(shown, "; ")
	if n := len(list) - len(shown); n > 0 {
		words += fmt.Sprintf("; and %d more", n)
	}
	return problem.New(problem.Conflict, "the plan was made of something that is not so any more: %s", words).
		WithHint("have it made anew: partnerguard delegation plan")
}

// Differences are what a plan was made of and is not so any more, a sentence each. What
// became less is none, but where the access of afterwards rests on it.
func Differences(p *Plan, now *delegation.Inventory) (out []string) {
	if now == nil {
		return []string{"it is not known what is there now, before partnerguard collect"}
	}
	if now.AsOf.Before(p.Facts) {
		return []string{fmt.Sprintf("what was collected is of %s, and the plan of %s: partnerguard collect",
			now.AsOf.UTC().Format(time.DateTime), p.Facts.UTC().Format(time.DateTime))}
	}
	by := map[string]*delegation.Customer{}
	for i := range now.Customers {
		by[strings.ToLower(now.Customers[i].Tenant)] = &now.Customers[i]
	}
	for i := range p.Customers {
		c := &p.Customers[i]
		at := fmt.Sprintf("%s (%s)", print.Clean(c.Name, print.MaxName), c.Tenant)
		there := by[c.Tenant]
		if there == nil {
			out = append(out, at+" is no customer any more")
			continue
		}
		for _, d := range differences(c, there) {
			out = append(out, at+": "+d)
		}
	}
	return out
}

func differences(c *Customer, now *delegation.Customer) (out []string) {
	if c.DAP == DAPRemove && now.DAP != c.Was.DAP {
		out = append(out, fmt.Sprintf("DAP was %s and is %s", c.Was.DAP, now.DAP))
	}
	seen := map[string]bool{}
	for i := range now.Relationships {
		r := &now.Relationships[i]
		seen[r.ID] = true
		was := c.was(r.ID)
		if (r.Governance || r.Provider != "") && slices.ContainsFunc(c.End, func(e Former) bool { return e.ID == r.ID }) {
			out = append(out, fmt.Sprintf("the relationship %s is not one to be ended here: Entra tenant governance made it, or an indirect provider has it",
				print.Clean(r.Name, 60)))
		}
		switch {
		case !r.Active || r.Governance || r.Provider != "":
			if was != nil && c.Relationship != nil && c.Relationship.ID == r.ID {
				out = append(out, fmt.Sprintf("the relationship %s gives no access any more", print.Clean(r.Name, 60)))
			}
		case was == nil:
			out = append(out, fmt.Sprintf("the relationship %s is new", print.Clean(r.Name, 60)))
		default:
			out = append(out, differs(was, r)...)
		}
	}
	if c.Relationship != nil && c.Relationship.ID != "" && !seen[c.Relationship.ID] {
		out = append(out, fmt.Sprintf("the relationship %s is gone", print.Clean(c.Relationship.Name, 60)))
	}
	return out
}

// differs says what a relationship has that it had not.
func differs(was *WasRelationship, r *delegation.Relationship) (out []string) {
	name := print.Clean(r.Name, 60)
	if more := beyond(r.Roles, was.Roles); len(more) > 0 {
		out = append(out, fmt.Sprintf("the relationship %s got further roles: %s", name, named(more)))
	}
	for _, a := range r.Assignments {
		before, known := was.group(a.Group)
		if more := beyond(a.Roles, before); a.Active && (!known || len(more) > 0) {
			out = append(out, fmt.Sprintf("the group %s got roles by %s: %s", a.Group, name, named(more)))
		}
	}
	return out
}

// Resume has a plan go on that was stopped, and its held moves try once more from where
// they were: somebody looked. customer "" is all of them.
func (m *Mover) Resume(ctx context.Context, plan, customer string) (n int, err error) {
	err = m.retry(ctx, func(ctx context.Context) error {
		n = 0
		r, err := m.trusted(ctx, plan)
		if err != nil {
			return err
		}
		list, err := m.moves(ctx, plan)
		if err != nil {
			return err
		}
		for i := range list {
			x := &list[i]
			if x.State != Held || customer != "" && x.Customer != customer {
				continue
			}
			if err := m.again(ctx, x); err != nil {
				return err
			}
			n++
		}
		if r.State == Stopped {
			r.State, r.Why = Running, ""
			if err := m.updateRun(ctx, &r); err != nil {
				return err
			}
		} else if n == 0 {
			return problem.New(problem.Conflict, "nothing of the plan %s waits for somebody to look", plan).WithHint("partnerguard delegation status %s", plan)
		}
		for _, s := range States() {
			if s.Ended() || s == Held {
				continue
			}
			if err := m.wake(ctx, plan, r.Stage, s, m.now()); err != nil {
				return err
			}
		}
		return m.record(ctx, audit.DelegationResumed, audit.Done, m.d.Actor, plan, customer, "", map[string]string{"moves": strconv.Itoa(n)})
	})
	return n, err
}

// again brings a held move back to where it was.
func (m *Mover) again(ctx context.Context, x *Move) error {
	if err := m.d.Marks.Fits(ctx, moveBook, x.mark, x.values()...); err != nil {
		return err
	}
	to := x.Progress.HeldIn
	if !Held.may(to) {
		return problem.New(problem.Internal, "a held move of %s knows no state to go back to", x.Customer)
	}
	x.State, x.Since, x.Next, x.Why = to, m.now(), m.now(), "somebody looked, and it goes on"
	x.Progress.HeldIn, x.Progress.Tries, x.Progress.Settling, x.Progress.Failed = "", 0, time.Time{}, nil
	return m.seize(ctx, x)
}

// seize writes a move that no process does at this moment.
func (m *Mover) seize(ctx context.Context, x *Move) error {
	now := m.now()
	if err := m.lease(ctx, x.Plan, x.Customer, now, now.Add(leaseFor)); err != nil {
		return err
	}
	x.holder = m.id
	if err := m.updateMove(ctx, x); err != nil {
		return err
	}
	return m.release(ctx, x.Plan, x.Customer)
}

// Cancel ends moves before the customer approved: nothing was taken from anybody. Moves
// that are past that are named in the error, and others are cancelled all the same.
func (m *Mover) Cancel(ctx context.Context, plan, customer string) (n int, err error) {
	var late []string
	err = m.retry(ctx, func(ctx context.Context) error {
		n, late = 0, nil
		return m.each(ctx, plan, customer, func(ctx context.Context, x *Move) error {
			at := x.State
			if at == Held {
				at = x.Progress.HeldIn
			}
			to := Cancelling
			switch at {
			case Waiting, Checking:
				to = Cancelled
			case Creating, Locking, Inviting:
			default:
				if !x.State.Ended() && !x.State.takesBack() {
					late = append(late, x.Customer)
				}
				return nil
			}
			n++
			return m.turned(ctx, x, to, audit.DelegationCancelled)
		})
	})
	if err == nil && len(late) > 0 {
		err = problem.New(problem.Conflict, "these are too far to be cancelled: %s", strings.Join(late[:min(len(late), maxShown)], ", ")).
			WithHint("take them back with partnerguard delegation rollback %s --customer TENANT", plan)
	}
	return n, err
}

// each calls do for the moves of a plan, or of one customer of it, that are as they were
// written.
func (m *Mover) each(ctx context.Context, plan, customer string, do func(context.Context, *Move) error) error {
	if _, err := m.trusted(ctx, plan); err != nil {
		return err
	}
	list, err := m.moves(ctx, plan)
	if err != nil {
		return err
	}
	found := false
	for i := range list {
		x := &list[i]
		if customer != "" && x.Customer != customer {
			continue
		}
		found = true
		if err := m.d.Marks.Fits(ctx, moveBook, x.mark, x.values()...); err != nil {
			return err
		}
		if err := do(ctx, x); err != nil {
			return err
		}
	}
	if !found {
		return problem.New(problem.NotFound, "the plan %s moves no customer %.40q", plan, customer).WithHint("partnerguard delegation status %s", plan)
	}
	return nil
}

// turned writes a move down that a person turned round.
func (m *Mover) turned(ctx context.Context, x *Move, to State, a audit.Action) error {
	from := x.State
	if !from.may(to) {
		return problem.New(problem.Internal, "a move that is %s cannot become %s", from, to)
	}
	x.State, x.Since, x.Next, x.Why = to, m.now(), m.now(), ""
	x.Progress.HeldIn, x.Progress.Tries, x.Progress.Settling, x.Progress.Failed = "", 0, time.Time{}, nil
	if to.Ended() {
		x.Next = time.Time{}
	}
	if err := m.seize(ctx, x); err != nil {
		return err
	}
	return m.record(ctx, a, audit.Done, m.d.Actor, x.Plan, x.Customer, "", map[string]string{"from": string(from)})
}

// Rollback gives the old assignments of a customer back and takes the new relationship
// away, as long as that can be had. Where it cannot, the error (kind problem.Conflict) says
// what stands in the way, and the hint what to do instead.
func (m *Mover) Rollback(ctx context.Context, plan, customer string) error {
	return m.retry(ctx, func(ctx context.Context) error {
		return m.each(ctx, plan, customer, func(ctx context.Context, x *Move) error {
			at := x.State
			if at == Held {
				at = x.Progress.HeldIn
			}
			if customer == "" && (x.State.Ended() && x.State != Done || x.State.takesBack() || at == Waiting || at == Checking) {
				return nil // of the whole plan: nothing to take back there
			}
			if err := x.returns(at); err != nil {
				return err
			}
			if err := m.turned(ctx, x, Restoring, audit.DelegationRolledBack); err != nil {
				return err
			}
			return m.stop(ctx, plan, print.Clean(x.Name, 60)+" was taken back")
		})
	})
}

// returns says why a move cannot be taken back, nil where it can.
func (x *Move) returns(at State) error {
	no := func(hint, format string, args ...any) error {
		return problem.New(problem.Conflict, format, args...).WithHint("%s", hint)
	}
	anew := "partnerguard delegation plan --to TEMPLATE makes a plan with the roles that are missed; the customer approves it as the first one"
	var ended []string
	for _, e := range x.wish.End {
		if slices.Contains(x.Progress.Ended, e.ID) {
			ended = append(ended, print.Clean(e.Name, 60))
		}
	}
	switch {
	case x.Progress.DAPRemoved:
		return no(anew, "%s cannot be taken back: DAP was taken away, and only a new invitation that the customer accepts brings it back", x.Customer)
	case len(ended) > 0:
		return no(anew, "%s cannot be taken back: the relationship %s was ended, and Microsoft revives none", x.Customer, strings.Join(ended, ", "))
	case len(x.Progress.Ended) > 0 && at != Cancelling:
		return no(anew, "%s cannot be taken back: Global Administrator was taken out of the relationship, and no role can be added to one", x.Customer)
	case at == Done:
		return no(anew, "%s is done: there is nothing that was put aside to be given back", x.Customer)
	case at == Waiting, at == Checking, at == Creating, at == Locking, at == Inviting:
		return no("partnerguard delegation cancel "+x.Plan+" --customer "+x.Customer, "%s has lost nothing yet: it is %s", x.Customer, at)
	case at == Removing || at == Ending:
		return nil // nothing was ended yet
	case x.State.Ended() || x.State.takesBack():
		return no("partnerguard delegation status "+x.Plan, "%s is %s", x.Customer, x.State)
	}
	return nil
}
