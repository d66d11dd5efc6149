//go:build !judge

package move

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/msapi"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// What Graph says of a relationship, and of an assignment.
const (
	statusCreated  = "created"
	statusPending  = "approvalPending"
	statusActive   = "active"
	statusExpired  = "expired"
	statusEnded    = "terminated"
	assignPending  = "pending"
	assignActive   = "active"
	assignDeleting = "deleting"
	assignDeleted  = "deleted"
	assignError    = "error"
)

// over says that a relationship gives no access any more and never will again.
func over(status string) bool { return status == statusEnded || status == statusExpired }

// passing says that a relationship is on its way to its end.
func passing(status string) bool {
	return status == "terminationRequested" || status == "terminating" || status == "expiring"
}

// gone says that Microsoft knows nothing of what was asked for.
func gone(err error) bool {
	e, ok := errors.AsType[*msapi.APIError](err)
	return errors.Is(err, problem.NotFound) || ok && e.Status == http.StatusNotFound
}

func refused(err error, status int) bool {
	e, ok := errors.AsType[*msapi.APIError](err)
	return ok && e.Status == status
}

// tooLong says that something is waited for longer than it should take.
func (w *work) tooLong() bool {
	p := &w.x.Progress
	if p.Settling.IsZero() {
		p.Settling = w.m.now()
	}
	return w.m.now().Sub(p.Settling) > patience
}

// settle waits for something that takes seconds, and not for ever.
func (w *work) settle(f string, a ...any) outcome {
	if w.tooLong() {
		return hold("it did not end within a day: "+f, a...)
	}
	o := wait(soon, f, a...)
	if w.m.now().Sub(w.x.Progress.Settling) > later {
		o.wait = later
	}
	o.settles = true
	return o
}

// checking holds what is there against what the plan found. It writes nothing.
func (w *work) checking(ctx context.Context) (outcome, error) {
	for i := range w.c.Was.Relationships {
		was := &w.c.Was.Relationships[i]
		if words, err := w.changed(ctx, was); err != nil || words != "" {
			return hold("%s", words), err
		}
	}
	switch {
	case w.c.Change == Replace:
		return goOn(Creating), nil
	case w.c.Change == Narrow:
		return goOn(Assigning), nil
	case len(w.c.End) > 0:
		return goOn(Easing), nil
	case w.c.DAP == DAPRemove:
		return goOn(Removing), nil
	}
	return goOn(Done), nil
}

// changed says what of a relationship is not as the plan found it, where that matters. What
// became less matters only where the access of afterwards needs it.
func (w *work) changed(ctx context.Context, was *WasRelationship) (string, error) {
	kept := w.c.Relationship != nil && w.c.Relationship.ID == was.ID
	ends := slices.ContainsFunc(w.c.End, func(f Former) bool { return f.ID == was.ID })
	if !kept && !ends {
		return "", nil
	}
	name := print.Clean(was.Name, print.MaxName)
	now, err := w.cloud.Relationship(ctx, was.ID)
	switch {
	case gone(err), err == nil && now.Status != statusActive:
		if kept {
			return fmt.Sprintf("the relationship %s, which was to give the access, is not active any more", name), nil
		}
		return "", nil // it ended already
	case err != nil:
		return "", err
	case now.Customer != "" && now.Customer != w.c.Tenant:
		return fmt.Sprintf("the relationship %s belongs to another customer than the plan says", name), nil
	}
	if more := beyond(now.Roles, was.Roles); len(more) > 0 {
		return fmt.Sprintf("since the plan was made the relationship %s got further roles: %s", name, named(more)), nil
	}
	if kept {
		if less := beyond(w.c.Relationship.Roles, now.Roles); len(less) > 0 {
			return fmt.Sprintf("the relationship %s lost roles that the plan needs: %s", name, named(less)), nil
		}
	}
	list, err := w.cloud.Assignments(ctx, was.ID)
	if err != nil {
		return "", err
	}
	for _, a := range list {
		if a.Status == assignDeleted || a.Status == assignDeleting || a.Status == assignError {
			continue
		}
		before, known := was.group(a.Group)
		if more := beyond(a.Roles, before); (!known || len(more) > 0) && !w.wanted(was.ID, &a) {
			return fmt.Sprintf("since the plan was made the group %s got roles by %s: %s", a.Group, name, named(beyond(a.Roles, before))), nil
		}
	}
	return "", nil
}

// wanted says that an assignment is as the plan wants it.
func (w *work) wanted(relationship string, a *Assigned) bool {
	return w.c.Relationship != nil && w.c.Relationship.ID == relationship &&
		slices.ContainsFunc(w.c.Groups, func(g Group) bool { return g.ID == a.Group && same(g.Roles, a.Roles) })
}

// group gives what a group had by a relationship.
func (r *WasRelationship) group(id string) ([]string, bool) {
	var out []string
	found := false
	for i := range r.Groups {
		if r.Groups[i].Group == id {
			out, found = append(out, r.Groups[i].Roles...), true
		}
	}
	return out, found
}

// beyond are the roles of a that b lacks.
func beyond(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(r string) bool { return slices.Contains(b, r) })
}

func same(a, b []string) bool { return len(beyond(a, b)) == 0 && len(beyond(b, a)) == 0 }

// named lists roles for people.
func named(roles []string) string {
	var out []string
	for _, r := range roles {
		out = append(out, roleName(r))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// target is the relationship that gives the access afterwards.
func (w *work) target() string {
	if w.c.Change == Narrow {
		return w.c.Relationship.ID
	}
	return w.x.Progress.Relationship
}

// title is the name of the new relationship: each offer has its own.
func (w *work) title() string {
	name := w.c.Relationship.Name
	if n := w.x.Progress.Offer; n > 0 {
		tail := fmt.Sprintf("-%d", n+1)
		name = name[:min(len(name), maxTitle-len(tail))] + tail
	}
	return name
}

func (w *work) creating(ctx context.Context) (outcome, error) {
	p := &w.x.Progress
	p.Name = w.title()
	if p.Relationship != "" {
		return goOn(Locking), nil
	}
	if p.Intent != "" || p.Tries > 0 { // it may be there
		seen, found, err := w.cloud.Named(ctx, p.Name)
		if err != nil {
			return outcome{}, err
		}
		if found {
			return w.adopt(&seen), nil
		}
	}
	r := *w.c.Relationship
	r.Name = p.Name
	var seen Seen
	err := w.ask(ctx, "create the relationship "+r.Name, func(ctx context.Context) (err error) {
		if seen, err = w.cloud.Create(ctx, w.c.Tenant, r); err == nil {
			p.Relationship = seen.ID
		}
		return err
	})
	if err != nil {
		return outcome{}, err
	}
	return w.adopt(&seen), nil
}

// adopt takes a relationship of the right name for the one that was made.
func (w *work) adopt(s *Seen) outcome {
	w.x.Progress.Intent = ""
	if s.Customer != "" && s.Customer != w.c.Tenant || !same(s.Roles, w.c.Relationship.Roles) {
		w.x.Progress.Relationship = ""
		return hold("there is a relationship named %s already, and it is another: for another customer, or with other roles", w.x.Progress.Name)
	}
	w.x.Progress.Relationship = s.ID
	return goOn(Locking)
}

func (w *work) locking(ctx context.Context) (outcome, error) {
	p := &w.x.Progress
	seen, err := w.cloud.Relationship(ctx, p.Relationship)
	switch {
	case gone(err):
		return hold("the new relationship is gone: somebody deleted it"), nil
	case err != nil:
		return outcome{}, err
	case seen.Status == statusCreated:
		if err := w.ask(ctx, "offer the relationship "+p.Name, func(ctx context.Context) error {
			return w.cloud.Ask(ctx, p.Relationship, "lockForApproval")
		}); err != nil {
			return outcome{}, err
		}
		return wait(0, "it is being offered"), nil
	case seen.Status != statusPending:
		return goOn(Inviting), nil // whatever it is: there it is seen
	}
	return w.invite(0), nil
}

// invite begins to wait for the customer, and tells it.
func (w *work) invite(reminder int) outcome {
	p := &w.x.Progress
	if p.Reminded = reminder; reminder == 0 {
		p.Offered = w.m.now()
	}
	why := fmt.Sprintf("the customer has not approved yet; offered on %s", p.Offered.Format(time.DateOnly))
	i := invitation(w.m.d.Admin, w.c, p, "")
	key := fmt.Sprintf("delegation/%s/%s/%d/%d", w.x.Plan, w.x.Customer, p.Offer, reminder)
	return outcome{to: Inviting, wait: soon, why: why, within: func(ctx context.Context) error {
		if w.m.d.Tell == nil {
			return nil
		}
		return w.m.d.Tell(ctx, key, i)
	}}
}

func (w *work) inviting(ctx context.Context) (outcome, error) {
	p, now := &w.x.Progress, w.m.now()
	seen, err := w.cloud.Relationship(ctx, p.Relationship)
	switch {
	case gone(err):
		return hold("the offered relationship is gone: somebody deleted it"), nil
	case err != nil:
		return outcome{}, err
	case seen.Customer != "" && seen.Customer != w.c.Tenant:
		return hold("another tenant than the customer accepted the relationship %s: end it by hand", p.Name), nil
	}
	switch seen.Status {
	case statusActive:
		return goOn(Assigning), nil
	case "approved", "activating":
		return w.settle("the customer approved, and Microsoft is activating the relationship"), nil
	case statusExpired:
		if p.Offer+1 >= mostMade {
			return hold("the customer did not answer %d offers of 90 days each", mostMade), nil
		}
		p.Offer++
		p.Relationship, p.Reminded, p.Offered = "", 0, time.Time{}
		return goOn(Creating), nil
	case statusPending:
		if due := int(now.Sub(p.Offered) / w.m.d.Config.Remind); due > p.Reminded && now.Sub(p.Offered) < OfferLife {
			return w.invite(due), nil
		}
		d := later
		switch since := now.Sub(p.Offered); {
		case since > 7*24*time.Hour:
			d = 4 * hourly
		case since > 24*time.Hour:
			d = hourly
		}
		return wait(d, "the customer has not approved yet; offered on %s", p.Offered.Format(time.DateOnly)), nil
	case statusCreated:
		return hold("the relationship was never offered: somebody undid it"), nil
	}
	return hold("the customer said no, or somebody ended the offer (%s)", print.Clean(seen.Status, 40)), nil
}

// operation waits for one that is under way.
func (w *work) operation(ctx context.Context, id string) (o outcome, waits bool, err error) {
	p := &w.x.Progress
	if p.Operation == "" {
		return o, false, nil
	}
	status, err := w.cloud.Operation(ctx, id, p.Operation)
	switch {
	case gone(err) || status == "succeeded":
		p.Operation = ""
		return o, false, nil
	case err != nil:
		return o, true, err
	case status == "failed":
		p.Operation = ""
		return hold("Microsoft took the change and then failed at it"), true, nil
	}
	return w.settle("Microsoft is at it (operation %s)", print.Clean(status, 40)), true, nil
}

// probing asks whether the new access exists, and with gone whether the old one does not.
func (w *work) probing(ctx context.Context, after bool) (outcome, error) {
	ask := ProbeAsk{Tenant: w.c.Tenant, Relationship: w.target(), Groups: w.c.Groups, Since: w.x.Since}
	if after {
		ask.Gone = w.c.Goes
	}
	a := ProbeAnswer{Pass: Unknown, Words: "there is nothing that probes here"}
	if len(ask.Groups) == 0 && len(ask.Gone) == 0 {
		a = ProbeAnswer{Pass: Pass, Words: "there is no access to probe"}
	} else if w.m.d.Probe != nil {
		var err error
		if a, err = w.m.d.Probe.Probe(ctx, ask); err != nil {
			return outcome{}, err
		}
	}
	w.x.Progress.Probed = print.Clean(a.Words, print.MaxSaying)
	switch a.Pass {
	case Pass:
		w.x.Progress.ByProbe = false
		return goOn(w.afterProbe(after)), nil
	case Fail:
		w.x.Progress.ByProbe = true
		o := hold("the probe failed: %s", a.Words)
		o.stop = fmt.Sprintf("the probe of %s (%s) failed: %s", print.Clean(w.c.Name, print.MaxName), w.c.Tenant, a.Words)
		return o, nil
	}
	if w.tooLong() {
		return hold("no probe could say within a day whether the access exists: %s", a.Words), nil
	}
	o := wait(later, "whether the access exists is not known yet: %s", a.Words)
	o.settles = true
	return o, nil
}

// afterProbe is what follows a probe that passed.
func (w *work) afterProbe(after bool) State {
	extra := w.c.Change == Narrow && len(w.leftOver()) > 0
	switch {
	case !after && (len(w.c.End) > 0 || extra):
		return Easing
	case len(w.c.End) > 0 || w.c.Relationship != nil && w.c.Relationship.DropGlobal:
		return Ending
	case w.c.DAP == DAPRemove:
		return Removing
	}
	return Done
}

// leftOver are groups that have roles by the relationship that stays, and shall have none.
func (w *work) leftOver() (out []string) {
	was := w.c.was(w.target())
	if w.c.Change != Narrow || was == nil {
		return nil
	}
	for _, g := range was.Groups {
		if !slices.ContainsFunc(w.c.Groups, func(x Group) bool { return x.ID == g.Group }) {
			out = append(out, g.Group)
		}
	}
	return out
}

func (w *work) removing(ctx context.Context) (outcome, error) {
	p := &w.x.Progress
	if w.c.DAP != DAPRemove {
		return goOn(Done), nil
	}
	dap, err := w.cloud.DAP(ctx, w.c.Tenant)
	switch {
	case err != nil:
		return outcome{}, err
	case dap == delegation.No:
		return goOn(Done), nil
	case dap == delegation.Unknown:
		return w.settle("Partner Center does not say whether there is DAP"), nil
	case p.DAPRemoved:
		return w.settle("DAP was taken away, and Partner Center still shows it"), nil
	}
	if err := w.ask(ctx, "take DAP away", func(ctx context.Context) error {
		err := w.cloud.RemoveDAP(ctx, w.c.Tenant)
		if err == nil {
			p.DAPRemoved = true
		}
		return err
	}); err != nil {
		return outcome{}, err
	}
	return wait(0, "DAP is being taken away"), nil
}
