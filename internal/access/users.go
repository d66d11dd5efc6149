package access

import (
	"encoding/binary"
	"hash/maphash"
	"slices"
	"strings"
)

// userIndex finds, for one account, the policies whose user clauses take it,
// without asking each policy. Masks by id hold the policies that name the id.
type userIndex struct {
	all, noOne              mask // include All; exclude All
	guestsIn, guestsOut     mask
	users, groups, roles    map[string]named
	lost                    mask // whose users are not understood
	externalIn, externalOut []int
	perUser                 mask

	// What is not known of accounts in general, and that some policy names.
	openGroups   []string // whose members are not all known
	openRoles    []string // that somebody not shown may hold
	unheldRoles  []string // that somebody may activate whom the export does not show
	unheldGroups []string
	allGroups    []string // every group, role and absent account that a policy names
	allRoles     []string
	absent       []string
	namesGroup   map[string]bool
	anyOpenRoles bool // somebody not shown may hold some role, named or not
}

func (e *Engine) indexUsers() *userIndex {
	x := &userIndex{
		all: e.mask(), noOne: e.mask(), guestsIn: e.mask(), guestsOut: e.mask(), perUser: e.mask(), lost: e.mask(),
		users: map[string]named{}, groups: map[string]named{}, roles: map[string]named{}, namesGroup: map[string]bool{},
	}
	at := func(m map[string]named, id string) named {
		id = strings.ToLower(id)
		n, ok := m[id]
		if !ok {
			n = named{e.mask(), e.mask()}
			m[id] = n
		}
		return n
	}
	put := func(list []string, by map[string]named, i int, out bool) {
		for _, id := range list {
			switch {
			case id == "":
			case out:
				at(by, id).out.set(i)
			default:
				at(by, id).in.set(i)
			}
		}
	}
	for i, p := range e.policies {
		u := &p.Conditions.Users
		if p.ID == perUserID {
			x.perUser.set(i)
		}
		if p.lost(areaUsers) {
			x.lost.set(i)
			continue
		}
		for _, words := range []struct {
			list        []string
			all, guests mask
			out         bool
		}{{u.IncludeUsers, x.all, x.guestsIn, false}, {u.ExcludeUsers, x.noOne, x.guestsOut, true}} {
			for _, id := range words.list {
				switch strings.ToLower(id) {
				case "all":
					words.all.set(i)
				case "", "none":
				case "guestsorexternalusers":
					words.guests.set(i)
				default:
					put([]string{id}, x.users, i, words.out)
				}
			}
		}
		put(u.IncludeGroups, x.groups, i, false)
		put(u.ExcludeGroups, x.groups, i, true)
		put(u.IncludeRoles, x.roles, i, false)
		put(u.ExcludeRoles, x.roles, i, true)
		if len(u.IncludeExternals.Items) > 0 {
			x.externalIn = append(x.externalIn, i)
		}
		if len(u.ExcludeExternals.Items) > 0 {
			x.externalOut = append(x.externalOut, i)
		}
	}
	x.indexUnknowns(e)
	return x
}

// indexUnknowns finds what is not known of accounts in general and that some
// policy names.
func (x *userIndex) indexUnknowns(e *Engine) {
	t := e.tenant
	for _, id := range sortedNames(x.groups) {
		x.allGroups = append(x.allGroups, id)
		x.namesGroup[id] = true
		if !t.KnownGroups[id] {
			x.openGroups = append(x.openGroups, id)
		} else if t.OpenActivation[id] != "" {
			x.unheldGroups = append(x.unheldGroups, id)
		}
	}
	for _, id := range sortedNames(x.roles) {
		if t.CustomRoles[id] {
			delete(x.roles, id) // has no effect
			continue
		}
		x.allRoles = append(x.allRoles, id)
		if !t.RolesKnown || t.OpenRoles[id] != "" {
			x.openRoles = append(x.openRoles, id)
		} else if t.EligibleLack != "" || t.OpenEligible[id] != "" {
			x.unheldRoles = append(x.unheldRoles, id)
		}
	}
	for _, id := range sortedNames(x.users) {
		if e.absent[id] {
			x.absent = append(x.absent, id)
		}
	}
	x.anyOpenRoles = e.rolesOpen()
}

// compileUsers finds the policies of every subject. Subjects with the same
// policies share one set.
func (e *Engine) compileUsers() {
	x := e.indexUsers()
	n := e.subjectCount()
	e.setOf = make([]int32, n)
	u := userCompiler{e: e, x: x, scratch: make([]uint64, 6*e.words)}
	found := newInterner()
	var flat []uint64 // the sets one after the other
	var ends []int
	row := func(at int32) []uint64 {
		from := 0
		if at > 0 {
			from = ends[at-1]
		}
		return flat[from:ends[at]]
	}
	for i := range n {
		set, isNew := found.add(u.compile(e.subject(i)), row)
		if isNew {
			flat = append(flat, u.row...)
			ends = append(ends, len(flat))
		}
		e.setOf[i] = set
	}
	e.sets = make([]compiledUser, found.count)
	for i := range e.sets {
		set := row(int32(i))
		e.sets[i] = compiledUser{sure: set[:e.words:e.words], could: set[e.words : 2*e.words : 2*e.words]}
		for rest := set[2*e.words:]; len(rest) > 0; rest = rest[2+e.words:] {
			e.sets[i].worlds = append(e.sets[i].worlds, world{kind: externalTypes[rest[0]], roles: rest[1], takes: rest[2 : 2+e.words : 2+e.words]})
		}
	}
	e.openRoleIDs = x.allRoles
}

// world is one way in which what is not known of an account may be: the
// policies that take it then, and what a question asks of it.
type world struct {
	kind  External
	roles uint64 // open roles it holds: bits of Engine.openRoleIDs, anyRole is a role that no policy names
	takes mask
}

const anyRole = 63

// externalTypes number the types for the interned row of a world.
var externalTypes = []External{Member, InternalGuest, CollaborationGuest, CollaborationMember, DirectConnect, OtherExternal, ServiceProvider}

// interner numbers equal rows of words alike, without keeping copies of them.
type interner struct {
	seed  maphash.Seed
	first map[uint64]int32 // hash -> the latest row with it
	next  []int32          // row -> an earlier row of the same hash, or -1
	count int
	key   []byte
}

func newInterner() *interner {
	return &interner{seed: maphash.MakeSeed(), first: map[uint64]int32{}}
}

// add gives the number of a row; row gives the words of an earlier number.
func (x *interner) add(words []uint64, row func(int32) []uint64) (n int32, isNew bool) {
	x.key = x.key[:0]
	for _, w := range words {
		x.key = binary.LittleEndian.AppendUint64(x.key, w)
	}
	h := maphash.Bytes(x.seed, x.key)
	at, ok := x.first[h]
	if !ok {
		at = -1
	}
	for n := at; n >= 0; n = x.next[n] {
		if slices.Equal(row(n), words) {
			return n, false
		}
	}
	n = int32(x.count)
	x.count++
	x.first[h] = n
	x.next = append(x.next, at)
	return n, true
}

// maxUnknowns bounds what may be unknown of one account before its worlds are
// no longer told apart; each policy is then asked for itself.
const maxUnknowns = 7

// userCompiler compiles one account after the other.
type userCompiler struct {
	e       *Engine
	x       *userIndex
	scratch []uint64
	row     []uint64
}

// compile gives the row of an account: the policies that surely and possibly
// take it, then its worlds if something is not known. It agrees with
// Policy.takes, which a test holds it to. The row is valid until the next call.
func (u *userCompiler) compile(s *Subject) []uint64 {
	e, x := u.e, u.x
	clear(u.scratch)
	part := func(i int) mask { return u.scratch[i*e.words : (i+1)*e.words] }
	sure, could, in, inMaybe, out, outMaybe := part(0), part(1), part(2), part(3), part(4), part(5)
	both := func(by map[string]named, id string, in, out mask) {
		if m, ok := by[id]; ok {
			in.add(m.in)
			out.add(m.out)
		}
	}
	in.add(x.all)
	out.add(x.noOne)
	both(x.users, strings.ToLower(s.ID), in, out)
	for _, g := range s.Groups {
		both(x.groups, g, in, out)
	}
	for _, r := range s.Roles {
		both(x.roles, r, in, out)
	}
	if perUserMFA(s) {
		in.add(x.perUser)
	}
	unknown, activations := u.unknowns(s)
	for _, m := range unknown {
		inMaybe.add(m.in)
		outMaybe.add(m.out)
	}
	openAdmin := x.anyOpenRoles && !s.Admin || s.Anyone || len(s.PerhapsRoles) > 0
	apart := len(unknown)+len(activations) > 0 || len(s.Kinds) > 0 || openAdmin
	var base, baseOut []uint64 // before the types, which worlds may tell apart
	if apart {
		base, baseOut = slices.Clone(in), slices.Clone(out)
	}
	u.external(s, s.guest(), func(ex *Externals) tri { return ex.selects(s) }, in, inMaybe, out, outMaybe)
	for w := range in {
		sure[w] = in[w] &^ out[w] &^ outMaybe[w] &^ x.lost[w]
		could[w] = (in[w]|inMaybe[w])&^out[w] | x.lost[w]
	}
	u.row = append(append(u.row[:0], sure...), could...)
	if !apart {
		return u.row
	}
	kinds := s.Kinds
	if len(kinds) == 0 {
		kinds = []External{s.External}
	}
	all := append(unknown, activations...)
	for _, k := range kinds {
		if len(all) > maxUnknowns {
			u.worst(s, k, base, baseOut, all)
		} else {
			u.worlds(s, k, base, baseOut, all, openAdmin)
		}
	}
	return u.row
}

// worst appends a world in which everything unknown turns out for the worse.
func (u *userCompiler) worst(s *Subject, kind External, base, baseOut []uint64, unknown []unknown) {
	e := u.e
	in, out, never := slices.Clone(base), slices.Clone(baseOut), e.mask()
	u.external(s, triOf(kind != Member), func(ex *Externals) tri { return ex.selectsKind(kind, s.HomeTenant) }, in, never, out, out)
	for _, m := range unknown {
		mask(out).add(m.out)
	}
	u.row = append(u.row, uint64(slices.Index(externalTypes, kind)), ^uint64(0))
	for w := range in {
		u.row = append(u.row, in[w]&^out[w]&^u.x.lost[w])
	}
}

// worlds appends each way in which the unknowns may come out for one type.
func (u *userCompiler) worlds(s *Subject, kind External, base, baseOut []uint64, unknown []unknown, openAdmin bool) {
	e := u.e
	kindIn, kindOut, never := slices.Clone(base), slices.Clone(baseOut), e.mask()
	u.external(s, triOf(kind != Member), func(ex *Externals) tri { return ex.selectsKind(kind, s.HomeTenant) }, kindIn, never, kindOut, kindOut)
	for pick := range uint(1) << len(unknown) {
		in, out, roles := slices.Clone(kindIn), slices.Clone(kindOut), uint64(0)
		for i, m := range unknown {
			if pick>>i&1 == 0 {
				continue
			}
			mask(in).add(m.in)
			mask(out).add(m.out)
			if m.role >= 0 {
				roles |= 1 << m.role
			}
		}
		row := func(roles uint64) {
			u.row = append(u.row, uint64(slices.Index(externalTypes, kind)), roles)
			for w := range in {
				u.row = append(u.row, in[w]&^out[w]&^u.x.lost[w])
			}
		}
		row(roles)
		if openAdmin && roles == 0 {
			row(1 << anyRole)
		}
	}
}

// unknown is something that policies name and nobody knows of an account.
type unknown struct {
	named     // the policies concerned
	role  int // its bit in world.roles, or -1
}

// unknowns lists what is not known of an account as it is, and what it may be
// able to activate: without an activation it is as it is, so the latter makes no
// decision uncertain, but a proof has to hold with it too.
func (u *userCompiler) unknowns(s *Subject) (out, activations []unknown) {
	x := u.x
	group := func(to *[]unknown, list ...string) {
		for _, g := range list {
			if !slices.Contains(s.Groups, g) {
				*to = append(*to, unknown{x.groups[g], -1})
			}
		}
	}
	role := func(to *[]unknown, list ...string) {
		for _, r := range list {
			if m, ok := x.roles[r]; ok && !slices.Contains(s.Roles, r) {
				*to = append(*to, unknown{m, min(slices.Index(x.allRoles, r), anyRole-1)})
			}
		}
	}
	if s.Anyone {
		group(&out, x.allGroups...)
		role(&out, x.allRoles...)
	} else {
		group(&out, x.openGroups...)
		for _, g := range s.PerhapsGroups {
			if x.namesGroup[g] && !slices.Contains(x.openGroups, g) {
				group(&out, g)
			}
		}
		role(&out, x.openRoles...)
		for _, r := range s.PerhapsRoles {
			if !slices.Contains(x.openRoles, r) {
				role(&out, r)
			}
		}
		for _, r := range x.unheldRoles {
			if !slices.Contains(s.Eligible, r) && !slices.Contains(s.PerhapsRoles, r) {
				role(&activations, r)
			}
		}
		for _, g := range x.unheldGroups {
			if !slices.Contains(s.Activate, g) && !slices.Contains(s.PerhapsGroups, g) {
				group(&activations, g)
			}
		}
	}
	if s.Anyone || s.Unidentified {
		for _, id := range x.absent {
			out = append(out, unknown{x.users[id], -1})
		}
	}
	return out, activations
}

// external adds the policies that select by type of account.
func (u *userCompiler) external(s *Subject, guest tri, ask func(*Externals) tri, in, inMaybe, out, outMaybe mask) {
	x := u.x
	switch guest {
	case yes:
		in.add(x.guestsIn)
		out.add(x.guestsOut)
	case maybe:
		inMaybe.add(x.guestsIn)
		outMaybe.add(x.guestsOut)
	default:
		return
	}
	look := func(list []int, get func(*Users) []Externals, sure, perhaps mask) {
		for _, i := range list {
			for k := range get(&u.e.policies[i].Conditions.Users) {
				switch ask(&get(&u.e.policies[i].Conditions.Users)[k]) {
				case yes:
					sure.set(i)
				case maybe:
					perhaps.set(i)
				}
			}
		}
	}
	look(x.externalIn, func(u *Users) []Externals { return u.IncludeExternals.Items }, in, inMaybe)
	look(x.externalOut, func(u *Users) []Externals { return u.ExcludeExternals.Items }, out, outMaybe)
}

// named are the policies that include and exclude an id.
type named struct{ in, out mask }
