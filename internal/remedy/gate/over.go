package gate

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
)

// Over gives the settings as they would be after the first upto moves of a stage; less than
// zero is after all of them. ids are what the plan made so far, by key; what is still to be
// made gets a stand-in for its id. t is not changed, and what stays the same is shared.
//
// It is of kind Conflict where something that is to be changed is not there, and BadInput
// where an object cannot be read.
func Over(t *access.Tenant, moves []Move, upto int, ids map[string]string) (*access.Tenant, error) {
	w := newWorld(t, moves, ids)
	for i := range moves {
		if upto >= 0 && i >= upto {
			break
		}
		if err := w.apply(&moves[i]); err != nil {
			return nil, err
		}
	}
	return w.tenant(), nil
}

// standIn is the id of what a plan is to make under a key.
func standIn(key string) string { return "partnerguard:plan:" + key }

// world is a tenant that is being changed, move by move.
type world struct {
	t     access.Tenant
	keys  *strings.Replacer
	users map[string]int // lower-case id -> index; nil until accounts are changed
}

func newWorld(t *access.Tenant, moves []Move, ids map[string]string) *world {
	w := &world{t: *t}
	all := maps.Clone(ids)
	if all == nil {
		all = map[string]string{}
	}
	for i := range moves {
		if k := moves[i].Key; k != "" && all[k] == "" {
			all[k] = standIn(k)
		}
	}
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(all)) {
		pairs = append(pairs, "{"+k+"}", all[k])
	}
	w.keys = strings.NewReplacer(pairs...)
	w.t.Policies = slices.Clone(t.Policies)
	return w
}

// tenant is the tenant as it is now; later moves leave it alone.
func (w *world) tenant() *access.Tenant {
	out := w.t
	out.Policies = slices.Clone(w.t.Policies)
	w.users = nil // the next change of accounts copies them
	return &out
}

func (w *world) id(m *Move) string {
	if m.Do == remedy.Create && m.Key != "" {
		return w.keys.Replace("{" + m.Key + "}")
	}
	return w.keys.Replace(m.ID)
}

// read decodes an object of a move, ids in the place of keys.
func (w *world) read(m *Move, o remedy.Object, into any) error {
	if err := json.Unmarshal([]byte(w.keys.Replace(string(o))), into); err != nil {
		return problem.Wrap(err, problem.BadInput, "step %d: its object cannot be read", m.Of)
	}
	return nil
}

func gone(m *Move) error {
	return problem.New(problem.Conflict, "%s is not there any more, so that it cannot be changed", quoted(m.Name)).
		WithHint("somebody changed the settings since the plan was made: make it anew")
}

// apply makes one move.
func (w *world) apply(m *Move) error {
	switch m.Kind {
	case remedy.Policy:
		return w.policy(m)
	case remedy.Location:
		return put(w, m, &w.t.Locations, func(l *access.NamedLocation) *string { return &l.ID })
	case remedy.Strength:
		return put(w, m, &w.t.Strengths, func(s *access.Strength) *string { return &s.ID })
	case remedy.Defaults:
		d := &access.SecurityDefaults{}
		if err := w.read(m, m.After, d); err != nil {
			return err
		}
		w.t.Defaults = d
	case remedy.Method, remedy.Methods:
		return w.methods(m)
	case remedy.PerUserMFA:
		return w.perUser(m)
	case remedy.Group:
		w.group(m)
	case remedy.Member:
		return w.member(m)
	case remedy.Role:
		return w.role(m)
	}
	return nil // it decides no sign-in
}

func (w *world) policy(m *Move) error {
	id := w.id(m)
	at := slices.IndexFunc(w.t.Policies, func(p *access.Policy) bool { return strings.EqualFold(p.ID, id) })
	if m.Do != remedy.Create && at < 0 {
		return gone(m)
	}
	if m.Do == remedy.Delete {
		w.t.Policies = slices.Delete(slices.Clone(w.t.Policies), at, at+1)
		return nil
	}
	list, err := access.ParsePolicies([]byte(w.keys.Replace(string(m.After))), 1)
	if err != nil {
		return problem.Wrap(err, problem.BadInput, "step %d: the policy it makes cannot be read", m.Of)
	}
	p := list[0]
	p.ID = id
	if at < 0 {
		w.t.Policies = append(w.t.Policies, p)
		return nil
	}
	p.Source = w.t.Policies[at].Source
	w.t.Policies[at] = p
	return nil
}

// put changes one of a list of objects that are found by their ids.
func put[T any](w *world, m *Move, list *[]*T, idOf func(*T) *string) error {
	id := w.id(m)
	at := slices.IndexFunc(*list, func(o *T) bool { return strings.EqualFold(*idOf(o), id) })
	if m.Do != remedy.Create && at < 0 {
		return gone(m)
	}
	out := slices.Clone(*list)
	if m.Do == remedy.Delete {
		*list = slices.Delete(out, at, at+1)
		return nil
	}
	o := new(T)
	if err := w.read(m, m.After, o); err != nil {
		return err
	}
	*idOf(o) = id
	if at < 0 {
		out = append(out, o)
	} else {
		out[at] = o
	}
	*list = out
	return nil
}

// accounts makes the accounts ready to be changed.
func (w *world) accounts() map[string]int {
	if w.users == nil {
		w.t.Users = slices.Clone(w.t.Users)
		w.users = make(map[string]int, len(w.t.Users))
		for i := range w.t.Users {
			w.users[strings.ToLower(w.t.Users[i].ID)] = i
		}
	}
	return w.users
}

func (w *world) perUser(m *Move) error {
	var state struct {
		State string `json:"perUserMfaState"`
	}
	if err := w.read(m, m.After, &state); err != nil {
		return err
	}
	if i, ok := w.accounts()[strings.ToLower(w.id(m))]; ok {
		w.t.Users[i].PerUserMFA = state.State
	}
	return nil // of an account that was not read nothing was said before, either
}

// group makes a group known with nobody in it, or takes it from everybody.
func (w *world) group(m *Move) {
	id := strings.ToLower(w.id(m))
	switch m.Do {
	case remedy.Create:
		w.t.KnownGroups = maps.Clone(w.t.KnownGroups)
		if w.t.KnownGroups == nil {
			w.t.KnownGroups = map[string]bool{}
		}
		w.t.KnownGroups[id] = true
		w.t.Names = maps.Clone(w.t.Names)
		if w.t.Names == nil {
			w.t.Names = map[string]string{}
		}
		w.t.Names[id] = m.Name
	case remedy.Delete:
		w.accounts()
		for i := range w.t.Users {
			w.leave(i, id)
		}
		w.t.KnownGroups = maps.Clone(w.t.KnownGroups)
		if w.t.KnownGroups == nil {
			w.t.KnownGroups = map[string]bool{}
		}
		w.t.KnownGroups[id] = true // nobody is in it
	}
}

// leave takes an account out of a group. Through it the account may have been in others.
func (w *world) leave(i int, group string) {
	u := &w.t.Users[i]
	u.PerhapsGroups = slices.DeleteFunc(slices.Clone(u.PerhapsGroups), func(g string) bool { return g == group })
	u.Activate = slices.DeleteFunc(slices.Clone(u.Activate), func(g string) bool { return g == group })
	if !slices.Contains(u.Groups, group) {
		return
	}
	u.PerhapsGroups = append(u.PerhapsGroups, slices.DeleteFunc(slices.Clone(u.Groups), func(g string) bool { return g == group })...)
	u.Groups = nil
}

func (w *world) member(m *Move) error {
	var is struct {
		Group  string `json:"group"`
		Member string `json:"member"`
	}
	o := m.After
	if m.Do == remedy.Delete {
		o = m.Before
	}
	if err := w.read(m, o, &is); err != nil {
		return err
	}
	group := strings.ToLower(is.Group)
	i, ok := w.accounts()[strings.ToLower(is.Member)]
	switch {
	case !ok: // a group or an app: who is in it stays as it was read, and the gate says so
		return nil
	case m.Do == remedy.Delete:
		w.leave(i, group)
	case !slices.Contains(w.t.Users[i].Groups, group):
		above := w.above(group)
		u := &w.t.Users[i]
		u.Groups = append(slices.Clone(u.Groups), group)
		u.PerhapsGroups = slices.Clone(u.PerhapsGroups)
		for _, g := range above {
			if !slices.Contains(u.Groups, g) && !slices.Contains(u.PerhapsGroups, g) {
				u.PerhapsGroups = append(u.PerhapsGroups, g)
			}
		}
	}
	return nil
}

// memberOf is whom a move puts where, in lower case; "" where it cannot be read.
func (w *world) memberOf(m *Move) (group, who string) {
	o := m.After
	if m.Do == remedy.Delete {
		o = m.Before
	}
	var is struct {
		Group  string `json:"group"`
		Member string `json:"member"`
	}
	if w.read(m, o, &is) != nil {
		return "", ""
	}
	return strings.ToLower(is.Group), strings.ToLower(is.Member)
}

// has says that an account was read.
func (w *world) has(id string) bool {
	return slices.ContainsFunc(w.t.Users, func(u access.Subject) bool { return strings.EqualFold(u.ID, id) })
}

// above are a group and those that it may be in itself: all who are in it are in them too.
// Which groups are in which was not kept when memberships were read.
func (w *world) above(group string) []string {
	var out []string
	for i := range w.t.Users {
		u := &w.t.Users[i]
		if !slices.Contains(u.Groups, group) {
			continue
		}
		if out == nil {
			out = slices.Clone(u.Groups)
			continue
		}
		out = slices.DeleteFunc(out, func(g string) bool { return !slices.Contains(u.Groups, g) })
	}
	if out == nil {
		return []string{group}
	}
	return out
}

// role takes a role from an account, or from whoever holds it by a group.
func (w *world) role(m *Move) error {
	var is struct {
		Principal string `json:"principalId"`
		Role      string `json:"roleDefinitionId"`
	}
	if m.Do != remedy.Delete {
		return nil // it is removed alone
	}
	if err := w.read(m, m.Before, &is); err != nil {
		return err
	}
	role, principal := strings.ToLower(is.Role), strings.ToLower(is.Principal)
	users := w.accounts()
	lose := func(i int) {
		u := &w.t.Users[i]
		without := func(list []string) []string {
			return slices.DeleteFunc(slices.Clone(list), func(r string) bool { return r == role })
		}
		u.Roles, u.PerhapsRoles = without(u.Roles), without(u.PerhapsRoles)
	}
	if i, ok := users[principal]; ok {
		lose(i)
		return nil
	}
	for i := range w.t.Users {
		if slices.Contains(w.t.Users[i].Groups, principal) {
			lose(i)
		}
	}
	return nil
}
