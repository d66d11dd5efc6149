package access

import (
	"hash/maphash"
	"runtime"
	"slices"
	"strings"
)

// userIndex finds, for one account, the policies whose user clauses take it,
// without asking each policy. Masks by id hold the policies that name the id.
type userIndex struct {
	all, noOne              mask // include All; exclude All
	guestsIn, guestsOut     mask
	users, groups, roles    map[string]*named
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
		users: map[string]*named{}, groups: map[string]*named{}, roles: map[string]*named{}, namesGroup: map[string]bool{},
	}
	at := func(m map[string]*named, id string) *named {
		id = strings.ToLower(id)
		n := m[id]
		if n == nil {
			n = &named{}
			m[id] = n
		}
		return n
	}
	put := func(list []string, by map[string]*named, i int, out bool) {
		for _, id := range list {
			switch {
			case id == "":
			case out:
				at(by, id).out.add(i)
			default:
				at(by, id).in.add(i)
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
	e.setOf = make([]int32, 0, n)
	found := newInterner(n)
	workers := min(runtime.GOMAXPROCS(0), (n+usersAtOnce-1)/usersAtOnce, mostCompilers)
	if workers <= 1 {
		u := newUserCompiler(e, x)
		for i := range n {
			set, _ := found.add(u.compile(e.subject(i)))
			e.setOf = append(e.setOf, set)
		}
	} else {
		e.compileAtOnce(x, found, workers)
	}
	e.sets, e.openRoleIDs = found.rows, x.allRoles
}

// Accounts that one compiler takes at once, and the compilers at most.
const (
	usersAtOnce   = 2048
	mostCompilers = 16
)

// compiledBlock are the rows of some subjects one after the other.
type compiledBlock struct {
	rows   []uint64
	ends   []int
	hashes []uint64
}

// compileAtOnce has several compilers take the blocks of subjects in turn; the sets
// are numbered in the order of the subjects all the same.
func (e *Engine) compileAtOnce(x *userIndex, found *interner, workers int) {
	n := e.subjectCount()
	done, back := make([]chan *compiledBlock, workers), make([]chan *compiledBlock, workers)
	for k := range workers {
		done[k], back[k] = make(chan *compiledBlock, 1), make(chan *compiledBlock, 2)
		back[k] <- &compiledBlock{}
		back[k] <- &compiledBlock{}
		go func() {
			u := newUserCompiler(e, x)
			for from := k * usersAtOnce; from < n; from += workers * usersAtOnce {
				b := <-back[k]
				b.fill(u, from, min(from+usersAtOnce, n), found.seed)
				done[k] <- b
			}
		}()
	}
	for at := 0; at*usersAtOnce < n; at++ {
		b := <-done[at%workers]
		from := 0
		for i, end := range b.ends {
			set, _ := found.addHashed(b.rows[from:end], b.hashes[i])
			e.setOf = append(e.setOf, set)
			from = end
		}
		back[at%workers] <- b
	}
}

// fill compiles the subjects [from, to).
func (b *compiledBlock) fill(u *userCompiler, from, to int, seed maphash.Seed) {
	b.rows, b.ends, b.hashes = b.rows[:0], b.ends[:0], b.hashes[:0]
	for i := from; i < to; i++ {
		row := u.compile(u.e.subject(i))
		var h uint64
		h, u.key = hashOf(seed, row, u.key)
		b.rows = append(b.rows, row...)
		b.ends, b.hashes = append(b.ends, len(b.rows)), append(b.hashes, h)
	}
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

// maxUnknowns bounds what may be unknown of one account before its worlds are
// no longer told apart; each policy is then asked for itself.
const maxUnknowns = 7

// userCompiler compiles one account after the other.
type userCompiler struct {
	e       *Engine
	x       *userIndex
	scratch []uint64 // see part
	row     []uint64
	key     []byte
}

// The masks of a compiler's scratch: those of an account, then those of its worlds.
const (
	partSure = iota
	partCould
	partIn
	partInMaybe
	partOut
	partOutMaybe
	partsOfAccount
	partBase = iota - 1 // before the types, which worlds may tell apart
	partBaseOut
	partKindIn
	partKindOut
	partNever
	partWorldIn
	partWorldOut
	partCount
)

func newUserCompiler(e *Engine, x *userIndex) *userCompiler {
	return &userCompiler{e: e, x: x, scratch: make([]uint64, partCount*e.words)}
}

func (u *userCompiler) part(i int) mask { return u.scratch[i*u.e.words : (i+1)*u.e.words] }

// compile gives the row of an account: the policies that surely and possibly
// take it, then its worlds if something is not known; where nothing tells the sure
// from the possible, the former alone. It agrees with
// Policy.takes, which a test holds it to. The row is valid until the next call.
func (u *userCompiler) compile(s *Subject) []uint64 {
	e, x := u.e, u.x
	clear(u.scratch[:partsOfAccount*e.words])
	sure, could, in, inMaybe, out, outMaybe := u.part(partSure), u.part(partCould), u.part(partIn), u.part(partInMaybe), u.part(partOut), u.part(partOutMaybe)
	both := func(by map[string]*named, id string) {
		if m := by[id]; m != nil {
			in.setAll(m.in)
			out.setAll(m.out)
		}
	}
	in.add(x.all)
	out.add(x.noOne)
	if len(x.users) > 0 {
		both(x.users, strings.ToLower(s.ID))
	}
	for _, g := range s.Groups {
		both(x.groups, g)
	}
	for _, r := range s.Roles {
		both(x.roles, r)
	}
	if perUserMFA(s) {
		in.add(x.perUser)
	}
	unknown, activations := u.unknowns(s)
	for _, m := range unknown {
		inMaybe.setAll(m.in)
		outMaybe.setAll(m.out)
	}
	openAdmin := x.anyOpenRoles && !s.Admin || s.Anyone || len(s.PerhapsRoles) > 0
	apart := len(unknown)+len(activations) > 0 || len(s.Kinds) > 0 || openAdmin
	if apart {
		copy(u.part(partBase), in)
		copy(u.part(partBaseOut), out)
	}
	u.external(s, s.guest(), func(ex *Externals) tri { return ex.selects(s) }, in, inMaybe, out, outMaybe)
	same := !apart
	for w := range in {
		sure[w] = in[w] &^ out[w] &^ outMaybe[w] &^ x.lost[w]
		could[w] = (in[w]|inMaybe[w])&^out[w] | x.lost[w]
		same = same && sure[w] == could[w]
	}
	u.row = append(u.row[:0], sure...)
	if same {
		return u.row
	}
	u.row = append(u.row, could...)
	if !apart {
		return u.row
	}
	all := append(unknown, activations...)
	for _, k := range s.kinds() {
		if len(all) > maxUnknowns {
			u.worst(s, k, all)
		} else {
			u.worlds(s, k, all, openAdmin)
		}
	}
	return u.row
}

// kinds are the types an account may be of.
func (s *Subject) kinds() []External {
	if len(s.Kinds) == 0 {
		return []External{s.External}
	}
	return s.Kinds
}

// ofKind gives what takes and leaves out an account of one type.
func (u *userCompiler) ofKind(s *Subject, kind External) (in, out mask) {
	in, out = u.part(partKindIn), u.part(partKindOut)
	never := u.part(partNever)
	copy(in, u.part(partBase))
	copy(out, u.part(partBaseOut))
	clear(never)
	u.external(s, triOf(kind != Member), func(ex *Externals) tri { return ex.selectsKind(kind, s.HomeTenant) }, in, never, out, out)
	return in, out
}

// world appends one.
func (u *userCompiler) world(kind External, roles uint64, in, out mask) {
	u.row = append(u.row, uint64(slices.Index(externalTypes, kind)), roles)
	for w := range in {
		u.row = append(u.row, in[w]&^out[w]&^u.x.lost[w])
	}
}

// worst appends a world in which everything unknown turns out for the worse.
func (u *userCompiler) worst(s *Subject, kind External, unknown []unknown) {
	in, out := u.ofKind(s, kind)
	for _, m := range unknown {
		out.setAll(m.out)
	}
	u.world(kind, ^uint64(0), in, out)
}

// worlds appends each way in which the unknowns may come out for one type.
func (u *userCompiler) worlds(s *Subject, kind External, unknown []unknown, openAdmin bool) {
	kindIn, kindOut := u.ofKind(s, kind)
	in, out := u.part(partWorldIn), u.part(partWorldOut)
	for pick := range uint(1) << len(unknown) {
		roles := uint64(0)
		copy(in, kindIn)
		copy(out, kindOut)
		for i, m := range unknown {
			if pick>>i&1 == 0 {
				continue
			}
			in.setAll(m.in)
			out.setAll(m.out)
			if m.role >= 0 {
				roles |= 1 << m.role
			}
		}
		u.world(kind, roles, in, out)
		if openAdmin && roles == 0 {
			u.world(kind, 1<<anyRole, in, out)
		}
	}
}

// unknown is something that policies name and nobody knows of an account.
type unknown struct {
	*named     // the policies concerned
	role   int // its bit in world.roles, or -1
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

// named are the policies that include and exclude an id: few of all, so no masks.
type named struct{ in, out policyList }

// policyList are policies by number, each once, ascending.
type policyList []int32

// add puts the policy that was asked about last.
func (l *policyList) add(i int) {
	if n := len(*l); n == 0 || (*l)[n-1] != int32(i) {
		*l = append(*l, int32(i))
	}
}
