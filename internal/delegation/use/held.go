package use

import (
	"slices"
	"strings"
	"time"

	"partnerguard/internal/delegation/role"
)

// Held is who holds which role of the customer's directory, as its lists say now.
type Held struct {
	Roles      map[string][]HeldRole // by user id, lower case
	Whole      bool                  // every assignment of a role was read
	Assignable map[string]bool       // groups that roles may be given to, by id, lower case: their members are guarded as who holds one
}

// HeldRole is one role of one user.
type HeldRole struct {
	Role     string // template id, lower case
	Eligible bool   // must be activated first
	Perhaps  bool   // as far as was read it may be so
}

// roleEvent is a row of the log by which a role was given or taken away.
type roleEvent struct {
	at    time.Time
	role  heldKey
	given bool
}

// heldKey tells a role held from the same one that may be activated: that an activation
// ended says nothing of the eligibility.
type heldKey struct {
	role     string // template id, or a name behind "name:"; "" not known
	eligible bool
}

// roleChange reads an act that gives or takes a role. ok is false for every other, and for
// one that only asks for it.
func (f *Fold) roleChange(act string, r *auditRow) (user string, e roleEvent, ok bool) {
	low := strings.ToLower(act)
	for _, word := range []string{"request", "cancel", "denied", "deny", "fail", "renew", "approv"} {
		if strings.Contains(low, word) {
			return "", e, false
		}
	}
	given := strings.Contains(low, "member to role")
	if !given && !strings.Contains(low, "member from role") && !strings.Contains(low, "direct role assignment") {
		return "", e, false
	}
	u, ok := r.user()
	if !ok {
		return "", e, false
	}
	id, ok := ObjectID(string(u.ID))
	if !ok {
		return "", e, false
	}
	e = roleEvent{at: r.At.Time, given: given, role: heldKey{f.roleOf(r), strings.Contains(low, "eligible")}}
	return id, e, true
}

// roleOf is the role that such a row names, by what of it the product knows best.
func (f *Fold) roleOf(r *auditRow) string {
	for i := range r.Targets.Items[:min(len(r.Targets.Items), maxTargets)] {
		t := &r.Targets.Items[i]
		for _, name := range []string{"Role.TemplateId", "RoleDefinitionTemplateId"} {
			if id, ok := ObjectID(t.value(name)); ok {
				return id
			}
		}
		name := t.value("Role.DisplayName")
		if name == "" && strings.EqualFold(string(t.Type), "role") {
			name = string(t.Name)
			if known, ok := f.o.Roles.ByName(name); ok {
				return known.ID
			}
			if id, ok := ObjectID(string(t.ID)); ok {
				if _, known := f.o.Roles.Role(id); known {
					return id
				}
			}
		}
		if known, ok := f.o.Roles.ByName(name); ok {
			return known.ID
		}
		if name != "" {
			return "name:" + strings.ToLower(name)
		}
	}
	return ""
}

// ofGroup begins the id of a group where a user's could stand.
const ofGroup = "group:"

// targetAt says what kind of target a user was at a moment: the roles the lists say now,
// walked back by the rows that gave and took.
func (f *Fold) targetAt(user string, at time.Time) role.Target {
	if id, ok := strings.CutPrefix(user, ofGroup); ok {
		if f.held.Assignable[id] {
			return role.TargetPrivileged
		}
		return role.TargetNone
	}
	if f.eventsLost {
		return role.TargetUnknown
	}
	events := f.events[user]
	var keys []heldKey
	add := func(k heldKey) {
		if !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	for _, h := range f.held.Roles[user] {
		add(heldKey{h.Role, h.Eligible})
	}
	for _, e := range events {
		add(e.role)
	}
	var held []string
	perhaps := false
	for _, k := range keys {
		switch f.heldAt(user, events, k, at) {
		case surely:
			held = append(held, k.role)
		case maybe:
			perhaps = true
		}
	}
	found := f.o.Roles.TargetOf(held)
	switch {
	case found == role.TargetPrivileged:
		return found
	case perhaps || !f.held.Whole:
		return role.TargetUnknown
	}
	return found
}

type sureness uint8

const (
	not sureness = iota
	maybe
	surely
)

// heldAt says whether a user held a role at a moment. events are the user's, in order.
func (f *Fold) heldAt(user string, events []roleEvent, k heldKey, at time.Time) sureness {
	word := func(given bool) sureness {
		if given {
			return surely
		}
		return not
	}
	var before, after *roleEvent
	for i := range events {
		switch e := &events[i]; {
		case e.role != k:
		case !e.at.After(at):
			before = e
		case after == nil:
			after = e
		}
	}
	switch {
	case before != nil:
		return word(before.given)
	case after != nil:
		return word(!after.given)
	}
	for _, h := range f.held.Roles[user] {
		if h.Role == k.role && h.Eligible == k.eligible {
			if h.Perhaps {
				return maybe
			}
			return surely
		}
	}
	return not
}
