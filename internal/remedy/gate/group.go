package gate

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/object"
)

// groupsAt are the keys of the groups that a stage's policies include, without what tells
// the groups of one step from those of everybody.
func groupsAt(p *remedy.Plan, stage remedy.Stage) (keys []string) {
	if !on(stage) || stage == remedy.All {
		return nil
	}
	if len(p.Pilot) > 0 {
		keys = append(keys, "pilot")
	}
	if stage != remedy.Pilot {
		keys = append(keys, "share-"+strconv.Itoa(stage.Share()))
	}
	return keys
}

// kinds are which groups the staged steps have: everybody's, and their own.
func (x *expansion) kinds() (of []*stagedStep) {
	for i := range x.staged {
		s := &x.staged[i]
		if s.holds && !slices.ContainsFunc(of, func(o *stagedStep) bool { return o.group == s.group }) {
			of = append(of, s)
		}
	}
	return of
}

// groups adds the groups that the stage needs and the one before did not.
func (x *expansion) groups() {
	have := groupsAt(x.plan, x.from)
	for _, key := range groupsAt(x.plan, x.to) {
		if slices.Contains(have, key) {
			continue
		}
		for _, s := range x.kinds() {
			x.group(key, s)
		}
	}
}

// group adds one group and its members.
func (x *expansion) group(key string, s *stagedStep) {
	own := key + s.group
	after := x.groupObject(key, s)
	name := text(after, "displayName")
	x.made(remedy.Step{Kind: remedy.Group, Key: own, Name: name, Text: "make the group " + quoted(name), After: after})
	for _, u := range x.members(key, s) {
		x.made(remedy.Step{Kind: remedy.Member, Name: nameOf(u), Text: "put " + nameOf(u) + " into " + quoted(text(after, "displayName")),
			After: canonical(remedy.Member, map[string]any{"group": "{" + own + "}", "member": u.ID})})
	}
}

func (x *expansion) groupObject(key string, s *stagedStep) remedy.Object {
	name := "Partnerguard stage " + x.plan.ID + " " + key
	if n, is := strings.CutPrefix(key, "share-"); is {
		name = "Partnerguard stage " + x.plan.ID + " " + n + "%"
	}
	if s.group != "" {
		name += " of step " + strconv.Itoa(s.N)
	}
	nick := "partnerguard-" + x.plan.ID + "-" + key + s.group
	return canonical(remedy.Group, map[string]any{"displayName": name, "mailNickname": nick, "mailEnabled": false, "securityEnabled": true,
		"isAssignableToRole": false, "description": "Made by Partnerguard for the stages of plan " + x.plan.ID + "; it goes when the plan is done"})
}

// made adds a move that makes something of the stages' own.
func (x *expansion) made(s remedy.Step) {
	s.Do = remedy.Create
	object.Complete(&s)
	x.out = append(x.out, Move{Step: s, phase: phasePlain})
}

// canonical writes an object of ours.
func canonical(kind remedy.Kind, o map[string]any) remedy.Object {
	raw, err := json.Marshal(o)
	if err != nil {
		return nil // it was made of JSON
	}
	c, err := object.Canonical(kind, raw)
	if err != nil {
		return raw // what it is made of is told where it is read
	}
	return c
}

// members are the accounts of a group, by id: the pilot or a share, as far as the policy is
// for them. Whom it may or may not take is left out: a pilot is of those it surely takes.
func (x *expansion) members(key string, s *stagedStep) (out []*access.Subject) {
	takes := func(int) bool { return true }
	if s.group != "" {
		takes = x.takes(s)
	}
	for i := range x.tenant.Users {
		u := &x.tenant.Users[i]
		if !Stageable(u) || !takes(i) {
			continue
		}
		in := slices.ContainsFunc(x.plan.Pilot, func(id string) bool { return strings.EqualFold(id, u.ID) })
		if n, is := strings.CutPrefix(key, "share-"); is {
			percent, _ := strconv.Atoi(n)
			in = remedy.InShare(x.plan.ID, u.ID, percent)
		}
		if in {
			out = append(out, u)
		}
	}
	return out
}

// Stageable says whether an account may be in a group of a stage: never a break-glass
// account, the directory's synchronisation, one that cannot sign in or has no id.
func Stageable(u *access.Subject) bool {
	return !u.BreakGlass && !u.Exempt && !u.MayBeExempt && !u.Anyone && !u.Unidentified && u.ID != ""
}

// takes says of accounts by index whether the wanted policy surely is for them.
func (x *expansion) takes(s *stagedStep) func(int) bool {
	list, err := access.ParsePolicies(s.After, 1)
	if err != nil {
		return func(int) bool { return false }
	}
	alone := *x.tenant
	alone.Policies, alone.Defaults = list, nil
	return access.Compile(&alone).TakenBy(0)
}

func nameOf(u *access.Subject) string {
	if u.Name != "" {
		return u.Name
	}
	return u.ID
}
