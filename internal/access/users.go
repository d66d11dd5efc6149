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
	all, noOne                    mask // include All; exclude All
	guestsIn, guestsOut           mask
	users, groups, roles          map[string]named
	strangeIn, strangeOut         mask // name a group whose members are not known
	strangerIn, strangerOut       mask // name a group or role at all, or an account that is not in the export
	externalIn, externalOut       []int
	perUser                       mask
	roleUnknownIn, roleUnknownOut mask // name a role while roles are not known
}

func (e *Engine) indexUsers() *userIndex {
	x := &userIndex{
		all: e.mask(), noOne: e.mask(), guestsIn: e.mask(), guestsOut: e.mask(), strangeIn: e.mask(), strangeOut: e.mask(),
		strangerIn: e.mask(), strangerOut: e.mask(), perUser: e.mask(), roleUnknownIn: e.mask(), roleUnknownOut: e.mask(),
		users: map[string]named{}, groups: map[string]named{}, roles: map[string]named{},
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
	for i, p := range e.policies {
		u := &p.Conditions.Users
		if p.ID == perUserID {
			x.perUser.set(i)
		}
		for _, id := range u.IncludeUsers {
			switch strings.ToLower(id) {
			case "all":
				x.all.set(i)
			case "none", "":
			case "guestsorexternalusers":
				x.guestsIn.set(i)
			default:
				at(x.users, id).in.set(i)
				if e.absent[strings.ToLower(id)] {
					x.strangerIn.set(i)
				}
			}
		}
		for _, id := range u.ExcludeUsers {
			switch strings.ToLower(id) {
			case "all":
				x.noOne.set(i)
			case "":
			case "guestsorexternalusers":
				x.guestsOut.set(i)
			default:
				at(x.users, id).out.set(i)
				if e.absent[strings.ToLower(id)] {
					x.strangerOut.set(i)
				}
			}
		}
		put := func(list []string, by map[string]named, out bool, isKnown func(string) bool, strange, any mask) {
			for _, id := range list {
				if id == "" {
					continue
				}
				m := at(by, id)
				if out {
					m.out.set(i)
				} else {
					m.in.set(i)
				}
				any.set(i)
				if !isKnown(strings.ToLower(id)) {
					strange.set(i)
				}
			}
		}
		group := func(id string) bool { return e.tenant.KnownGroups[id] }
		role := func(string) bool { return e.tenant.RolesKnown }
		put(u.IncludeGroups, x.groups, false, group, x.strangeIn, x.strangerIn)
		put(u.ExcludeGroups, x.groups, true, group, x.strangeOut, x.strangerOut)
		put(u.IncludeRoles, x.roles, false, role, x.roleUnknownIn, x.strangerIn)
		put(u.ExcludeRoles, x.roles, true, role, x.roleUnknownOut, x.strangerOut)
		if len(u.IncludeExternals.Items) > 0 {
			x.externalIn = append(x.externalIn, i)
		}
		if len(u.ExcludeExternals.Items) > 0 {
			x.externalOut = append(x.externalOut, i)
		}
	}
	return x
}

// compileUsers finds the policies of every subject. Subjects with the same
// policies share one set.
func (e *Engine) compileUsers() {
	x := e.indexUsers()
	n := e.subjectCount()
	e.setOf = make([]int32, n)
	scratch := make([]uint64, 6*e.words) // the set, then what compileUser needs
	both := scratch[:2*e.words]
	var flat []uint64 // the sets one after the other
	found := newInterner()
	for i := range n {
		e.compileUser(x, e.subject(i), scratch)
		set, isNew := found.add(both, func(at int32) []uint64 { return flat[int(at)*len(both) : (int(at)+1)*len(both)] })
		if isNew {
			flat = append(flat, both...)
		}
		e.setOf[i] = set
	}
	e.sets = make([]compiledUser, found.count)
	for i := range e.sets {
		set := flat[i*len(both) : (i+1)*len(both)]
		e.sets[i] = compiledUser{set[:e.words:e.words], set[e.words:]}
	}
}

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

// compileUser puts the policies that surely and possibly take s into the first
// two masks of scratch. It agrees with Policy.takes, which a test holds it to.
func (e *Engine) compileUser(x *userIndex, s *Subject, scratch []uint64) {
	clear(scratch)
	part := func(i int) mask { return scratch[i*e.words : (i+1)*e.words] }
	in, inMaybe, out, outMaybe := part(2), part(3), part(4), part(5)
	add := func(to, from mask) {
		for w := range from {
			to[w] |= from[w]
		}
	}
	both := func(by map[string]named, id string) {
		if m, ok := by[id]; ok {
			add(in, m.in)
			add(out, m.out)
		}
	}
	add(in, x.all)
	add(out, x.noOne)
	if s.guest() {
		add(in, x.guestsIn)
		add(out, x.guestsOut)
	}
	both(x.users, strings.ToLower(s.ID))
	for _, g := range s.Groups {
		both(x.groups, g)
	}
	for _, r := range s.Roles {
		both(x.roles, r)
	}
	if perUserMFA(s) {
		add(in, x.perUser)
	}
	if s.Anyone {
		add(inMaybe, x.strangerIn)
		add(outMaybe, x.strangerOut)
	} else {
		add(inMaybe, x.strangeIn)
		add(outMaybe, x.strangeOut)
		add(inMaybe, x.roleUnknownIn)
		add(outMaybe, x.roleUnknownOut)
	}
	external := func(list []int, get func(*Users) []Externals, sure, perhaps mask) {
		for _, i := range list {
			for _, ex := range get(&e.policies[i].Conditions.Users) {
				switch ex.selects(s) {
				case yes:
					sure.set(i)
				case maybe:
					perhaps.set(i)
				}
			}
		}
	}
	if s.guest() {
		external(x.externalIn, func(u *Users) []Externals { return u.IncludeExternals.Items }, in, inMaybe)
		external(x.externalOut, func(u *Users) []Externals { return u.ExcludeExternals.Items }, out, outMaybe)
	}
	sure, could := part(0), part(1)
	for w := range in {
		sure[w] = in[w] &^ out[w] &^ outMaybe[w]
		could[w] = (in[w] | inMaybe[w]) &^ out[w]
	}
}

// named are the policies that include and exclude an id.
type named struct{ in, out mask }
