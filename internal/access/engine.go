package access

import (
	"math/bits"
	"slices"
	"sort"
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

// meets reports that two masks share a policy.
func (m mask) meets(o mask) bool {
	for i, w := range m {
		if w&o[i] != 0 {
			return true
		}
	}
	return false
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
	dimCompliant // boolean axes from here: class 0 is no, class 1 is yes
	dimJoined
	dimApprovedApp
	dimCompliantApp
	dimFirstFilter // one axis for each device filter rule that is not one of the above
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

var clientLabels = [clientCount]string{"browser", "mobile app or desktop client", "device code flow", "authentication transfer", "Exchange ActiveSync", "another legacy client"}

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
	// rows are sure and could of each class side by side, those of an unknown
	// class first: what a decision reads.
	rows []uint64
}

// Engine is a compiled tenant. It is immutable and safe for concurrent use.
type Engine struct {
	tenant   *Tenant
	policies []*Policy
	demands  []demand
	words    int
	dims     []dim
	geo      *geography
	apps     map[string]int // lower-case app id or special name -> resource class
	appKeys  []string       // resource class -> app id or special name
	filters  []string       // device filter rules, one axis each

	live []int // dimensions on which some policy has a clause

	enforced    mask // enabled, for users, understood
	reportOnly  mask // report-only, for users, understood
	unsupported mask // enabled or report-only, not understood
	blocks      mask // enforced, and a block
	asks        mask // enforced, and MFA without a way around

	absent   map[string]bool // ids of accounts that policies name and the export does not have
	variants []variant       // subjects beyond the tenant's accounts
	sets     []compiledUser  // distinct; many subjects share one
	setOf    []int32         // by subject

	names  sync.Once
	byName map[string]int // lower-case id or name -> subject; see [Engine.Find]
}

// compiledUser are the policies whose user clauses surely and possibly take
// somebody.
type compiledUser struct {
	sure, could mask
}

// variant is a subject that is not an account of the tenant as it is: one with
// eligible roles active, or a stand-in.
type variant struct {
	Subject
	account int // subject it is a variant of, itself for a stand-in
}

// Compile prepares a tenant. Policies with the same id are judged one by one.
func Compile(t *Tenant) *Engine {
	e := &Engine{tenant: t, policies: append(slices.Clone(t.Policies), builtins(t)...)}
	e.words = max((len(e.policies)+63)/64, 1)
	strengths := map[string]*Strength{}
	for _, s := range t.Strengths {
		strengths[strings.ToLower(s.ID)] = s
	}
	e.enforced, e.reportOnly, e.unsupported = e.mask(), e.mask(), e.mask()
	for i, p := range e.policies {
		e.demands = append(e.demands, demandOf(p.GrantControls, strengths))
		switch {
		case p.Conditions.Workload || !p.Enforced() && !p.ReportOnly():
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
func (e *Engine) user(i int) *compiledUser { return &e.sets[e.setOf[i]] }

// buildVariants adds to the tenant's accounts what else can sign in: the same
// account with eligible roles active, accounts that were not exported, and
// service provider users of other tenants.
func (e *Engine) buildVariants() {
	t := e.tenant
	shunned := map[string]bool{} // roles that some policy leaves out
	for _, p := range e.policies {
		for _, r := range p.Conditions.Users.ExcludeRoles {
			shunned[strings.ToLower(r)] = true
		}
	}
	for i := range t.Users {
		if len(t.Users[i].Eligible) == 0 {
			continue
		}
		for _, active := range activations(&t.Users[i], shunned) {
			s := t.Users[i]
			s.Roles = append(slices.Clone(s.Roles), active...)
			names := make([]string, len(active))
			for k, r := range active {
				names[k] = t.name(r)
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

// activations lists the sets of eligible roles that must be looked at. A role
// that no policy leaves out only adds protection, so it is looked at alone and
// never together with another of its kind; roles that some policy leaves out
// are looked at in every combination, or past six of them one by one, in pairs
// and all together.
func activations(s *Subject, shunned map[string]bool) (out [][]string) {
	var plain, risky []string
	for _, r := range s.Eligible {
		switch list := &plain; {
		case slices.Contains(s.Roles, r):
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

// addDim adds a dimension whose clause of policy p on class c is match.
func (e *Engine) addDim(name string, labels []string, match func(i int, p *Policy, class int) tri) *dim {
	d := dim{name: name, labels: labels}
	for c := range labels {
		sure, could := e.mask(), e.mask()
		for i, p := range e.policies {
			switch match(i, p, c) {
			case yes:
				sure.set(i)
				could.set(i)
			case maybe:
				could.set(i)
			}
		}
		d.sure, d.could = append(d.sure, sure), append(d.could, could)
	}
	e.dims = append(e.dims, d)
	return &e.dims[len(e.dims)-1]
}

func (e *Engine) buildDims() {
	e.addDim("client", clientLabels[:], func(_ int, p *Policy, c int) tri { return matchClient(p, c) })
	e.addResources()
	e.addDim("platform", platformNames, func(_ int, p *Policy, c int) tri { return matchPlatform(p, c) })
	used := map[string]bool{}
	for _, p := range e.policies {
		for _, l := range p.Conditions.Locations.Items {
			for _, list := range [][]string{l.IncludeLocations, l.ExcludeLocations} {
				for _, id := range list {
					used[strings.ToLower(id)] = true
				}
			}
		}
	}
	e.geo = survey(e.tenant.Locations, used)
	labels := make([]string, len(e.geo.places))
	for i := range e.geo.places {
		labels[i] = e.geo.places[i].label
	}
	clauses := make([][]placeClause, len(e.policies))
	for i, p := range e.policies {
		for k := range p.Conditions.Locations.Items {
			if l := &p.Conditions.Locations.Items[k]; len(l.IncludeLocations)+len(l.ExcludeLocations) > 0 {
				clauses[i] = append(clauses[i], placeClause{newPlaceSet(l.IncludeLocations), newPlaceSet(l.ExcludeLocations)})
			}
		}
	}
	e.addDim("location", labels, func(i int, _ *Policy, c int) tri {
		out := yes
		for k := range clauses[i] {
			out = out.and(clauses[i][k].selects(&e.geo.places[c]))
		}
		return out
	})
	level := func(get func(*Conditions) []string, names []string) func(int, *Policy, int) tri {
		return func(_ int, p *Policy, c int) tri {
			list := get(&p.Conditions)
			if len(list) == 0 {
				return yes
			}
			for _, v := range list {
				if strings.EqualFold(v, names[c]) {
					return yes
				}
			}
			return no
		}
	}
	e.addDim("sign-in risk", riskNames, level(func(c *Conditions) []string { return c.SignInRiskLevels }, riskNames))
	e.addDim("user risk", riskNames, level(func(c *Conditions) []string { return c.UserRiskLevels }, riskNames))
	e.addDim("insider risk", insiderNames, level(func(c *Conditions) []string { return c.InsiderRisk }, insiderNames))
	e.addDevices()
}

func matchClient(p *Policy, class int) tri {
	c := &p.Conditions
	// A flow clause takes only sign-ins by that flow.
	for _, f := range c.Flows.Items {
		wanted := false
		any := false
		for _, m := range f.TransferMethods {
			switch strings.ToLower(m) {
			case "devicecodeflow":
				any, wanted = true, wanted || class == clientDeviceCode
			case "authenticationtransfer":
				any, wanted = true, wanted || class == clientTransfer
			}
		}
		if any && !wanted {
			return no
		}
	}
	if len(c.ClientAppTypes) == 0 {
		return yes
	}
	out := no
	for _, v := range c.ClientAppTypes {
		switch strings.ToLower(v) {
		case "all":
			return yes
		case "browser":
			out = out.or(triOf(class == clientBrowser))
		case "mobileappsanddesktopclients":
			out = out.or(triOf(class == clientNative || class == clientDeviceCode || class == clientTransfer))
		case "exchangeactivesync":
			out = out.or(triOf(class == clientEAS))
		case "eassupported": // a part of Exchange ActiveSync
			if class == clientEAS {
				out = out.or(maybe)
			}
		case "other":
			out = out.or(triOf(class == clientOther))
		}
	}
	return out
}

func matchPlatform(p *Policy, class int) tri {
	out := yes
	for _, c := range p.Conditions.Platforms.Items {
		if len(c.Include)+len(c.Exclude) == 0 {
			continue
		}
		has := func(list []string) bool {
			for _, v := range list {
				if strings.EqualFold(v, "all") || strings.EqualFold(v, platformNames[class]) {
					return true
				}
			}
			return false
		}
		out = out.and(triOf((len(c.Include) == 0 || has(c.Include)) && !has(c.Exclude)))
	}
	return out
}

// Resource classes that stand for more than one app.
const (
	resOffice365    = "office365"
	resAdminPortals = "microsoftadminportals"
	resAgents       = "allagentidresources"
	resOther        = "any other app"
)

// Apps whose suite is known (K): members of the Office365 and
// MicrosoftAdminPortals groups by their app id. Any other id a policy names is
// taken for an app of neither.
var suiteOf = map[string]string{
	exchangeOnline:                         resOffice365,
	"00000003-0000-0ff1-ce00-000000000000": resOffice365, // SharePoint Online
	"00000004-0000-0ff1-ce00-000000000000": resOffice365, // Skype for Business Online
	"00000005-0000-0ff1-ce00-000000000000": resOffice365, // Viva Engage (Yammer)
	"cc15fd57-2c6c-4117-a88c-83b1d56b4bbe": resOffice365, // Teams
	"2634dd23-5e5a-431c-81ca-11710d9079f4": resOffice365, // Stream
	"cf53fce8-def6-4aeb-8d30-b158e7b1cf83": resOffice365, // Stream portal
	"7df0a125-d3be-4c96-aa54-591f83ff541c": resOffice365, // Power Automate
	"66a88757-258c-4c72-893c-3e8bed4d6899": resOffice365, // Office 365 Search
	"c9a559d2-7aab-4f13-a6ed-e7e9c52aec87": resOffice365, // Forms
	"905fcf26-4eb7-48a0-9ff0-8dcc7194b5ba": resOffice365, // Sway
	"94c63fef-13a3-47bc-8074-75af8c65887a": resOffice365, // Delve
	"09abbdfd-ed23-44ee-a2d9-a627aa1c90f3": resOffice365, // Planner
	"4765445b-32c6-49b0-83e6-1d93765276ca": resOffice365, // Office.com
	"2087bd82-7206-4c0a-b305-1321a39e5926": resOffice365, // To Do
	"c830ddb0-63e6-4f22-bd71-2ad47198a23e": resOffice365, // To Do
	"95de633a-083e-42f5-b444-a4295d8e9314": resOffice365, // Whiteboard
	"2d4d3d8e-2be3-4bef-9f87-7875a61c29de": resOffice365, // OneNote
	"4354e225-50c9-4423-9ece-2d5afd904870": resOffice365, // Augmentation Loop
	"c44b4083-3bb0-49c1-b47d-974e53cbdf3c": resAdminPortals,
	"00000006-0000-0ff1-ce00-000000000000": resAdminPortals,
	"80ccca67-54bd-44ab-8625-4b79c4dc7775": resAdminPortals,
	"497effe9-df71-4043-a8bb-14cf78c4b63b": resAdminPortals,
}

const exchangeOnline = "00000002-0000-0ff1-ce00-000000000000"

// appNames are shown instead of ids where known (K).
var appNames = map[string]string{
	exchangeOnline:                         "Exchange Online",
	"00000003-0000-0ff1-ce00-000000000000": "SharePoint Online",
	"cc15fd57-2c6c-4117-a88c-83b1d56b4bbe": "Teams",
	"c44b4083-3bb0-49c1-b47d-974e53cbdf3c": "Azure portal",
	"797f4846-ba00-4fd7-ba43-dac1f8f63013": "Azure Service Management",
	"00000003-0000-0000-c000-000000000000": "Microsoft Graph",
	"fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd": "Partner Center",
	resOffice365:                           "another app of Office 365",
	resAdminPortals:                        "another Microsoft admin portal",
	actionRegisterInfo:                     "registering security information",
	actionRegisterDevice:                   "registering or joining a device",
}

// suiteNames name a suite as a whole.
var suiteNames = map[string]string{resOffice365: "Office 365", resAdminPortals: "the Microsoft admin portals"}

// addResources makes a class for every app a policy names, for the suites, the
// user actions, and for all other apps together.
func (e *Engine) addResources() {
	e.apps = map[string]int{}
	var keys []string
	put := func(id string) {
		if id = strings.ToLower(id); id == "" || id == "all" || id == "none" || id == resOther || id == resAgents || slices.Contains(knownActions, id) {
			return
		}
		if _, ok := e.apps[id]; !ok {
			e.apps[id] = -1
			keys = append(keys, id)
		}
	}
	put(exchangeOnline)
	put(resOffice365)
	put(resAdminPortals)
	for _, p := range e.policies {
		for _, l := range [][]string{p.Conditions.Applications.IncludeApplications, p.Conditions.Applications.ExcludeApplications} {
			for _, id := range l {
				put(id)
			}
		}
	}
	sort.Strings(keys)
	keys = append(keys, resOther, actionRegisterInfo, actionRegisterDevice)
	labels := make([]string, len(keys))
	e.appKeys = keys
	for i, k := range keys {
		e.apps[k] = i
		labels[i] = k
		if n := appNames[k]; n != "" {
			labels[i] = n
		} else if n := e.tenant.Names[k]; n != "" {
			labels[i] = n
		}
	}
	include, exclude := make([]idSet, len(e.policies)), make([]idSet, len(e.policies))
	for i, p := range e.policies {
		include[i], exclude[i] = newIDSet(p.Conditions.Applications.IncludeApplications), newIDSet(p.Conditions.Applications.ExcludeApplications)
		delete(include[i], resOther) // a name of ours, not an app's
		delete(exclude[i], resOther)
	}
	e.addDim("app", labels, func(i int, p *Policy, c int) tri {
		if k := keys[c]; k == actionRegisterInfo || k == actionRegisterDevice {
			return triOf(slices.ContainsFunc(p.Conditions.Applications.UserActions, func(u string) bool { return strings.EqualFold(u, k) }))
		}
		return triOf(include[i].hasApp(keys[c]) && !exclude[i].hasApp(keys[c]))
	})
}

// idSet is a set of ids in lower case.
type idSet map[string]bool

func newIDSet(ids []string) idSet {
	s := make(idSet, len(ids))
	for _, id := range ids {
		if id != "" {
			s[strings.ToLower(id)] = true
		}
	}
	return s
}

// hasApp says whether a list of apps holds an app, by itself, by its suite or
// by All.
func (s idSet) hasApp(key string) bool { return s["all"] || s[key] || s[suiteOf[key]] }

// resource finds the class of an app id or user action.
func (e *Engine) resource(id string) int {
	if c, ok := e.apps[id]; ok {
		return c
	}
	if s := suiteOf[id]; s != "" {
		return e.apps[s]
	}
	return e.apps[resOther]
}

// addDevices adds the boolean axes: what a grant may ask of the device instead
// of MFA, and one axis for each device filter rule.
func (e *Engine) addDevices() {
	axis := func(name, without, with string) *dim {
		return e.addDim(name, []string{without, with}, func(_ int, p *Policy, c int) tri {
			for _, d := range p.Conditions.Devices.Items {
				if d.Filter == nil || strings.TrimSpace(d.Filter.Rule) == "" {
					continue
				}
				rule, want := readFilter(d.Filter.Rule)
				if rule != name {
					continue
				}
				matches := (c == 1) == want
				if strings.EqualFold(string(d.Filter.Mode), "exclude") {
					matches = !matches
				}
				if !matches {
					return no
				}
			}
			return yes
		})
	}
	for i, a := range []struct{ name, no, yes string }{
		{"compliant device", "a device that is not compliant", "a compliant device"},
		{"joined device", "a device that is not hybrid joined", "a hybrid joined device"},
		{"approved app", "an app that is not approved", "an approved client app"},
		{"protected app", "an app without app protection", "an app with app protection"},
	} {
		d := axis(a.name, a.no, a.yes)
		d.guard = []mask{e.full(), e.full()}
		for p := range e.policies {
			if e.demands[p].or[i] {
				d.guard[1][p/64] &^= 1 << (p % 64)
			}
		}
	}
	seen := map[string]bool{}
	for _, p := range e.policies {
		for _, d := range p.Conditions.Devices.Items {
			if d.Filter == nil || strings.TrimSpace(d.Filter.Rule) == "" {
				continue
			}
			if rule, _ := readFilter(d.Filter.Rule); !seen[rule] && rule != "compliant device" && rule != "joined device" {
				seen[rule] = true
				e.filters = append(e.filters, rule)
			}
		}
	}
	sort.Strings(e.filters)
	for _, r := range e.filters {
		axis(r, "a device outside the filter "+shorten(r), "a device the filter takes: "+shorten(r))
	}
}

// shorten keeps the beginning of a long device filter for a label.
func shorten(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

// readFilter brings a device filter rule to an axis. The plain tests of
// compliance and join type share the axes of the grant controls; any other
// rule is an axis of its own, by its text.
func readFilter(rule string) (axis string, want bool) {
	words := strings.Fields(strings.ToLower(strings.Trim(strings.TrimSpace(rule), "()")))
	if len(words) == 3 {
		value := strings.Trim(words[2], `"'`)
		eq, known := words[1] == "-eq", words[1] == "-eq" || words[1] == "-ne"
		switch {
		case known && words[0] == "device.iscompliant" && (value == "true" || value == "false"):
			return "compliant device", eq == (value == "true")
		case known && words[0] == "device.trusttype" && value == "serverad":
			return "joined device", eq
		}
	}
	return strings.Join(strings.Fields(rule), " "), true
}

// locationName shows a location id as a person knows it.
func (e *Engine) locationName(id string) string {
	switch strings.ToLower(id) {
	case locAllTrusted:
		return "all trusted locations"
	case locCompliantNetwork:
		return "the compliant network"
	case locMFATrusted:
		return "the MFA trusted IPs"
	}
	for _, l := range e.tenant.Locations {
		if strings.EqualFold(l.ID, id) {
			return "the location " + l.DisplayName
		}
	}
	return "the location " + id
}
