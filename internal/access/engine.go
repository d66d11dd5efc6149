package access

import (
	"iter"
	"math/bits"
	"slices"
	"strings"
	"sync"
)

// mask is a set of policies, one bit each, in the order of Engine.policies.
type mask []uint64

func (m mask) has(i int) bool { return m[i/64]>>(i%64)&1 != 0 }
func (m mask) set(i int)      { m[i/64] |= 1 << (i % 64) }
func (m mask) empty() bool {
	for _, w := range m {
		if w != 0 {
			return false
		}
	}
	return true
}

// setAll puts policies by number into m.
func (m mask) setAll(list policyList) {
	for _, i := range list {
		m[i/64] |= 1 << (i % 64)
	}
}

// meets reports that two masks share a policy.
func (m mask) meets(o mask) bool {
	for i, w := range m {
		if w&o[i] != 0 {
			return true
		}
	}
	return false
}

// add puts the policies of o into m.
func (m mask) add(o mask) {
	for i, w := range o {
		m[i] |= w
	}
}

// each calls f for every policy in m.
func (m mask) each(f func(i int)) {
	for w, word := range m {
		for ; word != 0; word &= word - 1 {
			f(w*64 + bits.TrailingZeros64(word))
		}
	}
}

// dimID names a dimension of a sign-in besides the account.
type dimID int

const (
	dimClient dimID = iota
	dimResource
	dimPlatform
	dimLocation
	dimSignInRisk
	dimUserRisk
	dimInsiderRisk
	dimCompliant // device axes from here: class 0 is no or no value, class 1 is yes
	dimJoined
	dimApprovedApp
	dimCompliantApp
	dimFirstFilter // one axis for each further attribute that device filters test
)

// Client classes, in the order of dimClient. The flow is part of the client,
// because only modern clients have one.
const (
	clientBrowser = iota
	clientNative
	clientDeviceCode
	clientTransfer
	clientEAS
	clientOther
	clientCount
)

var clientLabels = [clientCount]string{"browser", "mobile app or desktop client", "device code flow", "authentication transfer", "Exchange ActiveSync",
	"another legacy client"}

var platformNames = []string{"android", "iOS", "windows", "windowsPhone", "macOS", "linux", "unknown platform"}
var riskNames = []string{"none", "low", "medium", "high"}
var insiderNames = []string{"none", "minor", "moderate", "elevated"}

// dim is one dimension: its classes and, for each class, the policies whose
// clause on this dimension it surely and possibly meets.
type dim struct {
	name   string
	labels []string
	sure   []mask
	could  []mask
	// guard leaves out, per class, the policies whose grant lets this class
	// through without MFA (compliant device or MFA). Nil where none does.
	guard []mask
	// every and some are the masks over all classes, for a class that is not known.
	every, some mask
	// vague classes hang on something that is not known; phantom classes are what
	// they may be. A gap that is certain is looked for in classes that are no
	// phantoms, a proof in classes that are not vague. blur classes stand for
	// several real ones in a decision and are in neither.
	vague, phantom, blur []bool
	// rows are sure and could of each class side by side, those of an unknown
	// class first: what a decision reads.
	rows []uint64
}

// Engine is a compiled tenant. It is immutable and safe for concurrent use.
type Engine struct {
	tenant    *Tenant
	policies  []*Policy
	demands   []demand
	words     int
	dims      []dim
	geo       *geography
	apps      map[string]int        // lower-case app id or special name -> resource class
	appKeys   []string              // resource class -> app id or special name
	axes      []*deviceAxis         // device attributes; the first two share a dimension with grants
	terms     [][]literal           // by policy: the device filter
	axisClass [altAnything][2]int32 // of the first four device dimensions, the class of no and of yes; -1 open
	origin    []int                 // by policy: the first of the copies that a filter or grant was split into

	live []int // dimensions on which some policy has a clause

	enforced    mask // enabled, for users, understood
	reportOnly  mask // report-only, for users, understood
	unsupported mask // enabled or report-only, not understood
	blocks      mask // enforced, and a block
	asks        mask // enforced, and MFA without a way around

	namesSuite  bool     // some policy names a suite of apps
	openRoleIDs []string // the bits of world.roles
	basic       int      // the resource class of baseline scopes alone, or -1
	basicBefore mask     // the policies that took it before Microsoft's change

	absent   map[string]bool // ids of accounts that policies name and the export does not have
	variants []variant       // subjects beyond the tenant's accounts
	sets     [][]uint64      // distinct, as [Engine.user] reads them; many subjects share one
	setOf    []int32         // by subject

	names  sync.Once
	byName map[string]int // lower-case id or name -> subject; see [Engine.Find]
}

// compiledUser are the policies whose user clauses surely and possibly take
// somebody. Where something of the account is not known and the ways it may be
// are few, worlds holds them all one after the other, for [Engine.worldsOf]; else it
// is empty.
type compiledUser struct {
	sure, could mask
	worlds      []uint64
}

// variant is a subject that is not an account of the tenant as it is: one with
// eligible roles active, or a stand-in.
type variant struct {
	Subject
	account int // subject it is a variant of, itself for a stand-in
}

// Compile prepares a tenant. Policies with the same id are judged one by one.
func Compile(t *Tenant) *Engine {
	e := &Engine{tenant: t}
	e.split(append(slices.Clone(t.Policies), builtins(t)...))
	e.words = max((len(e.policies)+63)/64, 1)
	e.enforced, e.reportOnly, e.unsupported = e.mask(), e.mask(), e.mask()
	for i, p := range e.policies {
		switch {
		case p.Conditions.Workload || !p.MayBeEnforced() && !p.ReportOnly():
		case len(p.Unsupported) > 0:
			e.unsupported.set(i)
		case p.Enforced():
			e.enforced.set(i)
		default:
			e.reportOnly.set(i)
		}
	}
	e.blocks, e.asks = e.mask(), e.mask()
	e.enforced.each(func(i int) {
		switch d := &e.demands[i]; {
		case d.block:
			e.blocks.set(i)
		case d.mfa && !d.mfaUnknown && !d.hasAlternative():
			e.asks.set(i)
		}
	})
	e.gatherAxes()
	e.buildDims()
	for l := range e.dims {
		d := &e.dims[l]
		d.every, d.some = e.full(), e.mask()
		for c := range d.labels {
			// An app that is not named is some app; a user action is always named.
			if dimID(l) == dimResource && (c == e.apps[actionRegisterInfo] || c == e.apps[actionRegisterDevice]) {
				continue
			}
			for w := range d.every {
				d.every[w] &= d.sure[c][w]
				d.some[w] |= d.could[c][w]
			}
		}
		d.rows = append(append(d.rows, d.every...), d.some...)
		for c := range d.labels {
			d.rows = append(append(d.rows, d.sure[c]...), d.could[c]...)
		}
		if dimID(l) == dimResource || !slices.Equal(d.every, e.full()) {
			e.live = append(e.live, l)
		}
	}
	e.findAbsent()
	e.buildVariants()
	e.compileUsers()
	return e
}

// split fills policies, demands, terms and origin. A policy whose device filter
// can be met in several ways, or whose grant refuses by several controls, stands
// there once for each: together they apply as it does.
func (e *Engine) split(policies []*Policy) {
	strengths := map[string]*Strength{}
	for _, s := range e.tenant.Strengths {
		strengths[strings.ToLower(s.ID)] = s
	}
	for _, p := range policies {
		first := len(e.policies)
		terms := [][]literal{nil}
		for _, c := range p.Conditions.Devices.Items {
			if f := c.Filter; f != nil && strings.TrimSpace(f.Rule) != "" {
				terms = readFilter(f.Rule, strings.EqualFold(string(f.Mode), "exclude"))
			}
		}
		for _, d := range demandsOf(p, strengths) {
			for _, t := range terms {
				e.policies, e.demands = append(e.policies, p), append(e.demands, d)
				e.terms, e.origin = append(e.terms, t), append(e.origin, first)
			}
		}
	}
}

// anyCopy reports that a mask has one of the copies of the policy that begins
// at i.
func (e *Engine) anyCopy(m mask, i int) bool {
	for k := i; k < len(e.policies) && e.origin[k] == i; k++ {
		if m.has(k) {
			return true
		}
	}
	return false
}

func (e *Engine) findAbsent() {
	e.absent = map[string]bool{}
	for _, p := range e.policies {
		for _, list := range [][]string{p.Conditions.Users.IncludeUsers, p.Conditions.Users.ExcludeUsers} {
			for _, id := range list {
				switch id = strings.ToLower(id); id {
				case "", "all", "none", "guestsorexternalusers":
				default:
					e.absent[id] = true
				}
			}
		}
	}
	for i := range e.tenant.Users {
		if len(e.absent) == 0 {
			return
		}
		delete(e.absent, strings.ToLower(e.tenant.Users[i].ID))
	}
}

// subject gives subject i; see [Engine.Subjects].
func (e *Engine) subject(i int) *Subject {
	if n := len(e.tenant.Users); i >= n {
		return &e.variants[i-n].Subject
	}
	return &e.tenant.Users[i]
}

func (e *Engine) subjectCount() int { return len(e.tenant.Users) + len(e.variants) }

// account maps a variant with active roles back to its account.
func (e *Engine) account(subject int) int {
	if n := len(e.tenant.Users); subject >= n {
		return e.variants[subject-n].account
	}
	return subject
}

// user gives the policies that take subject i.
func (e *Engine) user(i int) compiledUser { return e.set(e.setOf[i]) }

// set gives a set by number. One in which sure and could are the same and that has
// no worlds is kept as the one mask: most are.
func (e *Engine) set(n int32) compiledUser {
	row, w := e.sets[n], e.words
	if len(row) == w {
		return compiledUser{sure: row, could: row}
	}
	return compiledUser{sure: row[:w:w], could: row[w : 2*w : 2*w], worlds: row[2*w:]}
}

// worldsOf gives the worlds of a set.
func (e *Engine) worldsOf(u compiledUser) iter.Seq[world] {
	return func(yield func(world) bool) {
		for rest := u.worlds; len(rest) > 0; rest = rest[2+e.words:] {
			if !yield(world{kind: externalTypes[rest[0]], roles: rest[1], takes: rest[2 : 2+e.words : 2+e.words]}) {
				return
			}
		}
	}
}

// buildVariants adds to the tenant's accounts what else can sign in: the same
// account with eligible roles active, accounts that were not exported, and
// service provider users of other tenants.
func (e *Engine) buildVariants() {
	t := e.tenant
	shunned, named := map[string]bool{}, map[string]bool{} // what some policy leaves out, or names at all
	for _, p := range e.policies {
		u := &p.Conditions.Users
		for _, id := range slices.Concat(u.ExcludeRoles, u.ExcludeGroups) {
			shunned[strings.ToLower(id)] = true
		}
		for _, id := range slices.Concat(u.IncludeGroups, u.ExcludeGroups) {
			named[strings.ToLower(id)] = true
		}
	}
	for i := range t.Users {
		if len(t.Users[i].Eligible)+len(t.Users[i].Activate) == 0 {
			continue
		}
		for _, active := range activations(&t.Users[i], shunned, named) {
			s := t.Users[i]
			names := make([]string, len(active))
			for k, id := range active {
				names[k] = t.name(id)
				if slices.Contains(s.Activate, id) {
					s.Groups = append(slices.Clone(s.Groups), id)
				} else {
					s.Roles = append(slices.Clone(s.Roles), id)
				}
			}
			s.Name = s.label() + " with " + join(names) + " active"
			e.variants = append(e.variants, variant{s, i})
		}
	}
	stand := func(s Subject) {
		e.variants = append(e.variants, variant{s, e.subjectCount()})
	}
	// Of a whole directory no further member is asked about, but a log may hold
	// one: see [Engine.Stranger].
	stand(Subject{ID: AnyMember, Name: "any further member", Anyone: true, Exempt: t.Whole})
	if !t.Whole {
		stand(Subject{ID: "partnerguard:any-guest", Name: "any further guest", Anyone: true, External: CollaborationGuest})
		for _, k := range []struct {
			is   External
			name string
		}{{InternalGuest, "any further internal guest"}, {CollaborationMember, "any further B2B collaboration member"}} {
			if e.namesExternal(k.is) {
				stand(Subject{ID: "partnerguard:any-" + string(k.is), Name: k.name, Anyone: true, External: k.is})
			}
		}
	}
	stand(Subject{ID: "partnerguard:service-provider", Name: "any service provider user (GDAP)", External: ServiceProvider})
}

// namesExternal reports that some policy tells the external type from others.
func (e *Engine) namesExternal(x External) bool {
	for _, p := range e.policies {
		for _, list := range [][]Externals{p.Conditions.Users.IncludeExternals.Items, p.Conditions.Users.ExcludeExternals.Items} {
			for i := range list {
				if slices.ContainsFunc(list[i].Types, func(t string) bool { return strings.EqualFold(t, string(x)) }) {
					return true
				}
			}
		}
	}
	return false
}

// activations lists the sets of activations that must be looked at. A role
// that no policy leaves out only adds protection, so it is looked at alone and
// never together with another of its kind; roles that some policy leaves out
// are looked at in every combination, or past six of them one by one, in pairs
// and all together.
//
// What may be activated are roles, and groups that some policy names.
func activations(s *Subject, shunned, named map[string]bool) (out [][]string) {
	var plain, risky []string
	for _, r := range slices.Concat(s.Eligible, s.Activate) {
		switch list := &plain; {
		case slices.Contains(s.Roles, r), slices.Contains(s.Groups, r):
		case slices.Contains(s.Activate, r) && !named[r]:
		default:
			if shunned[r] {
				list = &risky
			}
			if !slices.Contains(*list, r) {
				*list = append(*list, r)
			}
		}
	}
	sets := [][]string{nil}
	if len(risky) <= 6 {
		for _, r := range risky {
			for _, set := range slices.Clone(sets) {
				sets = append(sets, append(slices.Clone(set), r))
			}
		}
	} else {
		for i, r := range risky {
			sets = append(sets, []string{r})
			for _, o := range risky[:i] {
				sets = append(sets, []string{o, r})
			}
		}
		sets = append(sets, risky)
	}
	for _, set := range sets {
		if len(set) > 0 {
			out = append(out, set)
		}
		for _, r := range plain {
			out = append(out, append(slices.Clone(set), r))
		}
	}
	return out
}

func trailing(w uint64) int { return bits.TrailingZeros64(w) }

func (e *Engine) mask() mask { return make(mask, e.words) }

func (e *Engine) full() mask {
	m := e.mask()
	for i := range e.policies {
		m.set(i)
	}
	return m
}
