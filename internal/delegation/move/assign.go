//go:build !judge

package move

import (
	"context"
	"fmt"
	"slices"

	"partnerguard/internal/entra"
	"partnerguard/internal/print"
)

// lives says that an assignment gives access, or will in a moment.
func (a *Assigned) lives() bool { return a.Status == assignActive || a.Status == assignPending }

// ofGroup gives a group's assignment among those that are not gone.
func ofGroup(list []Assigned, group string) *Assigned {
	var out *Assigned
	for i := range list {
		if a := &list[i]; a.Group == group && a.Status != assignDeleted && (out == nil || a.lives()) {
			out = a
		}
	}
	return out
}

// assigning gives groups their roles, one change a look.
func (w *work) assigning(ctx context.Context) (outcome, error) {
	id := w.target()
	seen, err := w.cloud.Relationship(ctx, id)
	switch {
	case gone(err):
		return hold("the relationship that gives the access is gone"), nil
	case err != nil:
		return outcome{}, err
	case seen.Customer != "" && seen.Customer != w.c.Tenant:
		return hold("another tenant than the customer has the relationship %s: end it by hand", print.Clean(seen.Name, print.MaxName)), nil
	case seen.Status != statusActive:
		return hold("the relationship that gives the access is not active any more (%s)", print.Clean(seen.Status, 40)), nil
	case w.c.Change == Replace && len(beyond(seen.Roles, w.c.Relationship.Roles)) > 0:
		return hold("the new relationship holds other roles than were asked for"), nil
	}
	if o, waits, err := w.operation(ctx, id); waits || err != nil {
		return o, err
	}
	list, err := w.cloud.Assignments(ctx, id)
	if err != nil {
		return outcome{}, err
	}
	pending := 0
	for i := range w.c.Groups {
		o, done, err := w.assign(ctx, id, &w.c.Groups[i], list)
		if err != nil || o != nil {
			return *orNone(o), err
		}
		if !done {
			pending++
		}
	}
	if pending > 0 {
		return w.settle("Microsoft is giving the groups their roles: %d to go", pending), nil
	}
	return goOn(Probing), nil
}

func orNone(o *outcome) *outcome {
	if o == nil {
		return &outcome{}
	}
	return o
}

// assign brings one group to its roles. An outcome ends the look; done says that nothing
// is to be done for the group.
func (w *work) assign(ctx context.Context, id string, g *Group, list []Assigned) (o *outcome, done bool, err error) {
	a := ofGroup(list, g.ID)
	name := groupName(g.ID, g.Name)
	next := func() (*outcome, bool, error) {
		if err != nil {
			return nil, false, err
		}
		out := wait(0, "roles are being given")
		return &out, false, nil
	}
	switch {
	case a != nil && a.Status == assignError && !slices.Contains(w.x.Progress.Failed, a.ID):
		w.x.Progress.Failed = append(w.x.Progress.Failed, a.ID) // once more
		fallthrough
	case a == nil:
		err = w.ask(ctx, fmt.Sprintf("give %s to %s", named(g.Roles), name), func(ctx context.Context) error {
			return w.cloud.Assign(ctx, id, g.ID, g.Roles)
		})
		if refused(err, 400) || gone(err) {
			out := hold("Microsoft does not take the group %s: was it deleted?", name)
			return &out, false, nil
		}
		return next()
	case a.Status == assignError:
		out := hold("Microsoft failed to give roles to the group %s, twice: was it deleted?", name)
		return &out, false, nil
	case a.Status == assignDeleting || a.Status == assignPending:
		return nil, false, nil
	case same(a.Roles, g.Roles):
		return nil, true, nil
	}
	before := []string{}
	if was := w.c.was(id); was != nil {
		before, _ = was.group(g.ID)
	}
	if len(beyond(a.Roles, before)) > 0 && len(beyond(a.Roles, g.Roles)) > 0 { // neither as it was nor as it shall be
		out := hold("somebody else gave the group %s other roles: %s", name, named(a.Roles))
		return &out, false, nil
	}
	err = w.reassign(ctx, id, a, g.Roles, name)
	return next()
}

func (w *work) reassign(ctx context.Context, id string, a *Assigned, roles []string, name string) error {
	return w.ask(ctx, fmt.Sprintf("leave %s with %s", name, named(roles)), func(ctx context.Context) error {
		operation, err := w.cloud.Reassign(ctx, id, a.ID, a.ETag, roles)
		if err == nil {
			w.x.Progress.Operation, w.x.Progress.Narrowed = operation, true
		}
		return err
	})
}

// groupName is a group for people.
func groupName(id, name string) string {
	if name = print.Clean(name, 60); name != "" {
		return name
	}
	return id
}

// easing takes the old assignments away: they can be made again as long as their
// relationship lives.
func (w *work) easing(ctx context.Context) (outcome, error) {
	pending := 0
	for _, e := range w.c.End {
		o, left, err := w.ease(ctx, e.ID, nil)
		if err != nil || o != nil {
			return *orNone(o), err
		}
		pending += left
	}
	if groups := w.leftOver(); len(groups) > 0 {
		o, left, err := w.ease(ctx, w.target(), groups)
		if err != nil || o != nil {
			return *orNone(o), err
		}
		pending += left
	}
	if pending > 0 {
		return w.settle("Microsoft is taking old assignments away: %d to go", pending), nil
	}
	return goOn(Proving), nil
}

// ease takes one assignment of a relationship away, of the groups that are named or of all
// of them, and says how many are on their way.
func (w *work) ease(ctx context.Context, id string, groups []string) (o *outcome, left int, err error) {
	seen, err := w.cloud.Relationship(ctx, id)
	if gone(err) || err == nil && seen.Status != statusActive {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	list, err := w.cloud.Assignments(ctx, id)
	if err != nil {
		return nil, 0, err
	}
	was := w.c.was(id)
	for i := range list {
		a := &list[i]
		if groups != nil && !slices.Contains(groups, a.Group) || a.Status == assignDeleted || a.Status == assignError {
			continue
		}
		if a.Status == assignDeleting {
			left++
			continue
		}
		before, _ := was.group(a.Group)
		if more := beyond(a.Roles, before); len(more) > 0 {
			out := hold("since the plan was made the group %s got roles by %s: %s", a.Group, print.Clean(was.Name, print.MaxName), named(more))
			return &out, 0, nil
		}
		err := w.ask(ctx, fmt.Sprintf("take %s from %s", named(a.Roles), w.groupCalled(a.Group)), func(ctx context.Context) error {
			err := w.cloud.Unassign(ctx, id, a.ID, a.ETag)
			if err == nil {
				w.x.Progress.Eased = append(w.x.Progress.Eased, a.ID)
			}
			return err
		})
		if err != nil && !gone(err) {
			return nil, 0, err
		}
		out := wait(0, "old assignments are being taken away")
		return &out, 0, nil
	}
	return nil, left, nil
}

// ending ends the old relationships for good.
func (w *work) ending(ctx context.Context) (outcome, error) {
	pending := 0
	for _, e := range w.c.End {
		seen, err := w.cloud.Relationship(ctx, e.ID)
		switch {
		case gone(err), err == nil && over(seen.Status):
			continue
		case err != nil:
			return outcome{}, err
		case passing(seen.Status):
			pending++
			continue
		case seen.Status != statusActive:
			return hold("the old relationship %s is %s, which cannot be ended", print.Clean(e.Name, print.MaxName), print.Clean(seen.Status, 40)), nil
		}
		if err := w.terminate(ctx, e.ID, print.Clean(e.Name, print.MaxName)); err != nil {
			return outcome{}, err
		}
		return wait(0, "old relationships are being ended"), nil
	}
	if pending > 0 {
		return w.settle("Microsoft is ending old relationships: %d to go", pending), nil
	}
	if o, err := w.dropGlobal(ctx); err != nil || o != nil {
		return *orNone(o), err
	}
	if w.c.DAP == DAPRemove {
		return goOn(Removing), nil
	}
	return goOn(Done), nil
}

func (w *work) terminate(ctx context.Context, id, name string) error {
	return w.ask(ctx, "end the relationship "+name, func(ctx context.Context) error {
		err := w.cloud.Ask(ctx, id, "terminate")
		if err == nil && !slices.Contains(w.x.Progress.Ended, id) {
			w.x.Progress.Ended = append(w.x.Progress.Ended, id)
		}
		return err
	})
}

// dropGlobal takes Global Administrator out of the relationship that stays.
func (w *work) dropGlobal(ctx context.Context) (*outcome, error) {
	if w.c.Relationship == nil || !w.c.Relationship.DropGlobal {
		return nil, nil
	}
	id := w.target()
	if o, waits, err := w.operation(ctx, id); waits || err != nil {
		return &o, err
	}
	seen, err := w.cloud.Relationship(ctx, id)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(seen.Roles, entra.RoleGlobalAdministrator) {
		return nil, nil
	}
	left := beyond(seen.Roles, []string{entra.RoleGlobalAdministrator})
	if err := w.ask(ctx, "take Global Administrator out of the relationship", func(ctx context.Context) error {
		operation, err := w.cloud.SetRoles(ctx, id, seen.ETag, left)
		if err == nil {
			w.x.Progress.Operation = operation
			w.x.Progress.Ended = append(w.x.Progress.Ended, id+" Global Administrator")
		}
		return err
	}); err != nil {
		return nil, err
	}
	o := wait(0, "Global Administrator is being taken out")
	return &o, nil
}

// groupCalled is a group's name as the plan has it, or its id.
func (w *work) groupCalled(id string) string {
	for i := range w.c.Groups {
		if g := &w.c.Groups[i]; g.ID == id {
			return groupName(g.ID, g.Name)
		}
	}
	return id
}
