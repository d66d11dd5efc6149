//go:build !judge

package move

import (
	"context"
	"fmt"
	"slices"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/print"
)

// restoring makes the old assignments again, as the plan found them.
func (w *work) restoring(ctx context.Context) (outcome, error) {
	ids := []string{}
	for _, e := range w.c.End {
		ids = append(ids, e.ID)
	}
	if w.c.Change == Narrow {
		ids = append(ids, w.target())
	}
	pending := 0
	for _, id := range ids {
		o, left, err := w.restore(ctx, id)
		if err != nil || o != nil {
			return *orNone(o), err
		}
		pending += left
	}
	if pending > 0 {
		return w.settle("Microsoft is giving old assignments back: %d to go", pending), nil
	}
	if o, err := w.onlyWay(ctx, ids); err != nil || o != nil {
		return *orNone(o), err
	}
	if w.c.Change == Replace && (w.x.Progress.Relationship != "" || w.x.Progress.Intent != "") {
		return goOn(Retracting), nil
	}
	return goOn(RolledBack), nil
}

// onlyWay keeps the new relationship where nothing else is left: DAP was the old access, and
// is gone. An answer may have been lost when it was taken away, or somebody else did it.
func (w *work) onlyWay(ctx context.Context, old []string) (*outcome, error) {
	given := slices.ContainsFunc(old, func(id string) bool { return len(w.c.was(id).Groups) > 0 })
	if given || w.c.Change != Replace || w.c.Was.DAP != delegation.Yes {
		return nil, nil
	}
	dap, err := w.cloud.DAP(ctx, w.c.Tenant)
	if err != nil || dap == delegation.Yes {
		return nil, err
	}
	o := w.settle("Partner Center does not say whether there is DAP, and nothing else was there before")
	if dap == delegation.No {
		o = outcome{to: Done, why: "it was not taken back: DAP is gone, and without the new relationship there would be no access at all"}
	}
	return &o, nil
}

// restore makes one old assignment of a relationship again, and says how many are on
// their way.
func (w *work) restore(ctx context.Context, id string) (o *outcome, left int, err error) {
	was := w.c.was(id)
	if len(was.Groups) == 0 {
		return nil, 0, nil
	}
	seen, err := w.cloud.Relationship(ctx, id)
	if gone(err) || err == nil && seen.Status != statusActive {
		out := hold("the old relationship %s is not active any more: its access cannot be given back; what there is now was left as it is",
			print.Clean(was.Name, print.MaxName))
		return &out, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	if o, waits, err := w.operation(ctx, id); waits || err != nil {
		return &o, 0, err
	}
	list, err := w.cloud.Assignments(ctx, id)
	if err != nil {
		return nil, 0, err
	}
	var done []string
	for _, g := range was.Groups {
		if slices.Contains(done, g.Group) {
			continue
		}
		done = append(done, g.Group)
		roles, _ := was.group(g.Group)
		slices.Sort(roles)
		roles = slices.Compact(roles)
		a := ofGroup(list, g.Group)
		switch {
		case a == nil || a.Status == assignError:
			err = w.ask(ctx, fmt.Sprintf("give %s back to %s", named(roles), g.Group), func(ctx context.Context) error {
				return w.cloud.Assign(ctx, id, g.Group, roles)
			})
		case a.Status == assignDeleting || a.Status == assignPending:
			left++
			continue
		case same(a.Roles, roles):
			continue
		default:
			err = w.reassign(ctx, id, a, roles, g.Group)
		}
		if refused(err, 400) {
			out := hold("Microsoft does not take the group %s back: was it deleted?", g.Group)
			return &out, 0, nil
		}
		if err != nil {
			return nil, 0, err
		}
		out := wait(0, "old assignments are being given back")
		return &out, 0, nil
	}
	return nil, left, nil
}

// retracting takes the new relationship back: what was never offered is deleted, what is
// active is ended. What is offered cannot be taken back; it is watched until it lapses.
func (w *work) retracting(ctx context.Context, to State) (outcome, error) {
	p := &w.x.Progress
	if p.Relationship == "" && p.Intent != "" && p.Name != "" { // it may be there
		seen, found, err := w.cloud.Named(ctx, p.Name)
		if err != nil {
			return outcome{}, err
		}
		if p.Intent = ""; found && (seen.Customer == "" || seen.Customer == w.c.Tenant) {
			p.Relationship = seen.ID
		}
	}
	if p.Relationship == "" {
		return goOn(to), nil
	}
	seen, err := w.cloud.Relationship(ctx, p.Relationship)
	switch {
	case gone(err), err == nil && over(seen.Status):
		return goOn(to), nil
	case err != nil:
		return outcome{}, err
	}
	switch {
	case seen.Status == statusCreated:
		err = w.ask(ctx, "delete the relationship "+p.Name, func(ctx context.Context) error {
			return w.cloud.Discard(ctx, p.Relationship, seen.ETag)
		})
	case seen.Status == statusActive:
		err = w.terminate(ctx, p.Relationship, p.Name)
	case seen.Status == statusPending:
		return wait(hourly, "an offer cannot be taken back: it lapses by %s, and is ended at once should the customer approve it before",
			p.Offered.Add(OfferLife).Format(time.DateOnly)), nil
	default:
		return w.settle("the new relationship is %s", print.Clean(seen.Status, 40)), nil
	}
	if err != nil && !gone(err) {
		return outcome{}, err
	}
	return wait(0, "the new relationship is being taken back"), nil
}
