package access

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// SignIn is one sign-in to decide. Empty text means not known; a decision then
// holds for every value, or is undecided.
type SignIn struct {
	User     int        `json:"-"`                  // index from [Engine.Find]
	App      string     `json:"app,omitempty"`      // app id, or a user action's urn
	Client   string     `json:"client,omitempty"`   // browser, native, device-code, transfer, eas, other
	Platform string     `json:"platform,omitempty"` // android, iOS, windows, windowsPhone, macOS, linux, unknown platform
	IP       netip.Addr `json:"ip,omitzero"`
	Country  string     `json:"country,omitempty"` // ISO code; "" beside an IP: of no known country
	// Location names the place instead of IP and Country, by the label of
	// [Engine.Places]; it outranks them.
	Location string `json:"location,omitempty"`

	SignInRisk  string `json:"signInRisk,omitempty"` // none, low, medium, high; "" means none
	UserRisk    string `json:"userRisk,omitempty"`
	InsiderRisk string `json:"insiderRisk,omitempty"`

	// Device facts by axis name: compliant device, joined device, approved app,
	// protected app, or the text of a device filter. Absent means not known.
	Device map[string]bool `json:"device,omitempty"`
}

// Point is a sign-in in the engine's classes, one for each dimension; -1 means
// not known. It is what a hot path keeps.
type Point struct {
	User    int
	Classes []int32
}

// Outcome is what happens to a sign-in.
type Outcome uint8

// The outcomes.
const (
	// Undecided: what is not known decides it.
	Undecided Outcome = iota
	Blocked
	MFARequired
	MFANotRequired
)

var outcomeNames = [...]string{"undecided", "blocked", "mfa_required", "mfa_not_required"}

// String is the stable name.
func (o Outcome) String() string { return outcomeNames[o] }

// MarshalText makes the name the JSON form.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// Find gives the index of an account by id or user principal name, as it is
// before any role is activated.
func (e *Engine) Find(idOrName string) (int, bool) {
	e.names.Do(func() {
		users := e.tenant.Users
		e.byName = make(map[string]int, 2*len(users))
		for i := range users {
			if n := users[i].Name; n != "" {
				e.byName[strings.ToLower(n)] = i
			}
		}
		for i := range users {
			e.byName[strings.ToLower(users[i].ID)] = i
		}
	})
	i, ok := e.byName[strings.ToLower(idOrName)]
	return i, ok
}

// Subjects lists the accounts the engine decides for: those of the tenant,
// each with eligible roles again for each way to activate them, and stand-ins
// for accounts that are not in the export.
func (e *Engine) Subjects() []Subject {
	out := slices.Clone(e.tenant.Users)
	for i := range e.variants {
		out = append(out, e.variants[i].Subject)
	}
	return out
}

// Point brings a sign-in to classes. Values nobody names fall into their
// dimension's class for the rest.
func (e *Engine) Point(s *SignIn) Point {
	p := Point{User: s.User, Classes: make([]int32, len(e.dims))}
	e.Locate(s, p.Classes)
	return p
}

// Locate fills classes, which must have one element for each dimension, and
// allocates nothing but for the lower-cased forms of ids that are not lower
// case already.
func (e *Engine) Locate(s *SignIn, classes []int32) {
	for i := range classes {
		classes[i] = -1
	}
	if w := clientWords[s.Client]; len(w) == 1 {
		classes[dimClient] = int32(w[0])
	} else if w := clientWords[strings.ToLower(s.Client)]; len(w) == 1 {
		classes[dimClient] = int32(w[0])
	}
	if s.App != "" {
		classes[dimResource] = int32(e.resource(strings.ToLower(s.App)))
	}
	if s.Platform != "" {
		if c := platformClass(s.Platform); c >= 0 {
			classes[dimPlatform] = int32(c)
		} else {
			classes[dimPlatform] = int32(len(platformNames) - 1)
		}
	}
	switch {
	case s.Location != "":
		for i := range e.geo.places {
			if e.geo.places[i].label == s.Location {
				classes[dimLocation] = int32(i)
				break
			}
		}
	case s.IP.IsValid() || s.Country != "":
		classes[dimLocation] = int32(e.geo.locate(s.IP, s.Country))
	}
	classes[dimSignInRisk] = levelClass(riskNames, s.SignInRisk)
	classes[dimUserRisk] = levelClass(riskNames, s.UserRisk)
	classes[dimInsiderRisk] = levelClass(insiderNames, s.InsiderRisk)
	for l := int(dimCompliant); l < len(e.dims); l++ {
		if classes[dimClient] == clientOther {
			classes[l] = 0 // it shows no device
			continue
		}
		if len(s.Device) > 0 {
			classes[l] = e.deviceClass(l, s.Device)
		}
	}
}

func levelClass(names []string, v string) int32 {
	if v == "" || v == "hidden" {
		return 0
	}
	for i, n := range names {
		if strings.EqualFold(n, v) {
			return int32(i)
		}
	}
	return -1
}

// match computes the policies that surely and possibly apply to a point.
func (e *Engine) match(p Point, sure, could mask) {
	u := e.user(p.User)
	copy(sure, u.sure)
	copy(could, u.could)
	for _, l := range e.live {
		row := e.dims[l].rows[(int(p.Classes[l])+1)*2*e.words:]
		for w := range sure {
			sure[w] &= row[w]
			could[w] &= row[e.words+w]
		}
	}
}

// maxWords is how many policies the allocation-free path takes, in 64s.
const maxWords = 16

// Outcome decides a point without explaining it. It allocates nothing for up
// to 1,024 policies and is safe for concurrent use.
func (e *Engine) Outcome(p Point) Outcome {
	var a, b [maxWords]uint64
	sure, could := mask(a[:]), mask(b[:])
	if e.words > maxWords {
		sure, could = e.mask(), e.mask()
	}
	sure, could = sure[:e.words], could[:e.words]
	e.match(p, sure, could)
	return e.verdict(p, sure, could)
}

// Protecting names the enforced policies that surely apply to a point and block
// it or ask for MFA, in the order of the tenant's policies.
func (e *Engine) Protecting(p Point) (names []string) {
	sure, could := e.mask(), e.mask()
	e.match(p, sure, could)
	sure.each(func(i int) {
		if e.enforced.has(i) && (e.demands[i].block || e.demands[i].mfa) {
			names = append(names, e.policies[i].DisplayName)
		}
	})
	return names
}

// verdict weighs the matching policies: a block wins, then MFA; where only
// possible matches would change the answer, it is undecided. Policies that are
// not understood are possible matches that could do anything.
func (e *Engine) verdict(p Point, sure, could mask) Outcome {
	switch {
	case sure.meets(e.blocks):
		return Blocked
	case sure.meets(e.asks): // blocked perhaps: either way not without MFA
		return MFARequired
	}
	blocked, mfa := no, no
	for w := range could {
		// what may apply
		for word := could[w] & (e.enforced[w] | e.unsupported[w]); word != 0; word &= word - 1 {
			i := w*64 + trailing(word)
			certain := sure[w]>>(i%64)&1 != 0 && e.unsupported[w]>>(i%64)&1 == 0
			if e.unsupported[w]>>(i%64)&1 != 0 && !e.policies[i].MayBeEnforced() {
				continue
			}
			d := &e.demands[i]
			t := maybe
			if certain {
				t = yes
			}
			if d.block || d.unread {
				blocked = blocked.or(t)
			}
			if d.refuses {
				blocked = blocked.or(t.and(e.withoutAlternative(d, p)))
			}
			if d.mfa {
				if d.mfaUnknown {
					t = maybe
				}
				mfa = mfa.or(t.and(e.withoutAlternative(d, p)))
			}
		}
	}
	switch {
	case blocked == yes:
		return Blocked
	case mfa == yes:
		return MFARequired
	case mfa == maybe || blocked == maybe:
		return Undecided
	}
	return MFANotRequired
}

// withoutAlternative says whether a grant leaves nothing but MFA at a point.
func (e *Engine) withoutAlternative(d *demand, p Point) tri {
	if d.or[altAnything] {
		return no
	}
	out := yes
	for alt := altCompliantDevice; alt <= altCompliantApp; alt++ {
		if !d.or[alt] {
			continue
		}
		switch c := p.Classes[int(dimCompliant)+int(alt)]; {
		case c < 0:
			out = maybe
		case e.offers(alt, c):
			return no
		}
	}
	return out
}

// Use is one policy in an answer.
type Use struct {
	ID      string `json:"id"`
	Policy  string `json:"policy"`
	State   State  `json:"state"`
	Applies string `json:"applies"` // yes, no, perhaps
	Clause  string `json:"clause"`  // what decided that
	Demands string `json:"demands"` // what it asks for
}

// Answer explains a decision.
type Answer struct {
	Outcome Outcome  `json:"outcome"`
	Reason  string   `json:"reason"` // one plain sentence
	Account string   `json:"account"`
	SignIn  SignIn   `json:"signIn"`
	Applied []Use    `json:"applied"`    // enforced and applying, or perhaps
	Others  []Use    `json:"others"`     // enforced and not applying, by which clause
	Report  []Use    `json:"reportOnly"` // report-only, with what they would do
	Able    []string `json:"able"`       // registered methods that could satisfy MFA
	// AbleKnown is false when the account's methods were not exported.
	AbleKnown bool     `json:"ableKnown"`
	Notes     []string `json:"notes"`
}

// Decide answers one sign-in with the policies and clauses that decided.
func (e *Engine) Decide(s SignIn) Answer {
	p := e.Point(&s)
	sure, could := e.mask(), e.mask()
	e.match(p, sure, could)
	subject := e.subject(p.User)
	a := Answer{Outcome: e.verdict(p, sure, could), SignIn: s, Account: subject.label(), Applied: []Use{}, Others: []Use{}, Report: []Use{}, Able: []string{},
		Notes: []string{}}
	settle := lacks{seen: map[string]bool{}}
	var deciding []string
	for i, pol := range e.policies {
		if e.origin[i] != i || pol.Conditions.Workload || !pol.MayBeEnforced() && !pol.ReportOnly() {
			continue
		}
		use := Use{ID: pol.ID, Policy: pol.DisplayName, State: pol.State, Demands: e.demands[i].text()}
		switch {
		case e.unsupported.has(i):
			use.Applies, use.Clause = "perhaps", "not understood: "+pol.misread()
		case e.anyCopy(sure, i):
			use.Applies, use.Clause = "yes", "every clause takes this sign-in"
		case e.anyCopy(could, i):
			use.Applies, use.Clause = "perhaps", e.leftOut(i, p)
		default:
			use.Applies, use.Clause = "no", e.leftOut(i, p)
		}
		switch {
		case pol.ReportOnly():
			a.Report = append(a.Report, use)
		case use.Applies == "no":
			a.Others = append(a.Others, use)
		default:
			a.Applied = append(a.Applied, use)
			d := &e.demands[i]
			if a.Outcome == Blocked && (d.block || e.turnsAway(i)) && use.Applies == "yes" || a.Outcome == MFARequired && d.mfa && use.Applies == "yes" ||
				a.Outcome == Undecided && (use.Applies == "perhaps" && !d.nothing() || d.mfaUnknown) {
				deciding = append(deciding, pol.DisplayName)
				if t, _ := pol.takes(subject, e); t == maybe && use.Applies == "perhaps" {
					e.missingUsers(&settle, pol)
				}
			}
		}
	}
	a.Able, a.AbleKnown = subject.able(), subject.MethodsKnown
	if a.Able == nil {
		a.Able = []string{}
	}
	switch a.Outcome {
	case Blocked:
		a.Reason = "blocked by " + join(deciding)
	case MFARequired:
		a.Reason = "MFA is required by " + join(deciding)
		if subject.MethodsKnown && len(a.Able) == 0 {
			a.Reason += "; the account has no registered method that could answer"
		}
	case MFANotRequired:
		a.Reason = "no enforced policy that asks for MFA takes this sign-in"
	default:
		a.Reason = "undecidable, because it hangs on " + join(deciding)
		for _, s := range settle.list {
			a.Notes = append(a.Notes, "what would settle it is "+s)
		}
	}
	if d := e.tenant.Defaults; d != nil && d.IsEnabled.True() {
		if a.Outcome == MFANotRequired {
			a.Notes = append(a.Notes, "security defaults challenge this account only when Microsoft sees a need")
		}
		for _, pol := range e.tenant.Policies {
			if pol.Enforced() {
				a.Notes = append(a.Notes, "security defaults and an enabled policy exclude each other: the export mixes two moments or two tenants")
				break
			}
		}
	}
	return a
}

// turnsAway reports a grant that refuses whoever has none of what it asks for.
func (e *Engine) turnsAway(i int) bool {
	for k := i; k < len(e.policies) && e.origin[k] == i; k++ {
		if e.demands[k].refuses {
			return true
		}
	}
	return false
}

func join(names []string) string {
	switch len(names) {
	case 0:
		return "what is not known"
	case 1:
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// leftOut names the clause of a policy that does not take a point, or what it
// hangs on.
func (e *Engine) leftOut(i int, p Point) string {
	pol := e.policies[i]
	if t, clause := pol.takes(e.subject(p.User), e); t != yes {
		if t == maybe && clause == "" {
			clause = "may include the account through a group or role that is not in the export"
		}
		return clause
	}
	for l, c := range p.Classes {
		d := &e.dims[l]
		switch {
		case c < 0 && !d.every.has(i):
			return "depends on the " + d.name
		case c >= 0 && !d.sure[c].has(i):
			return e.clauseText(i, l, int(c))
		}
	}
	return ""
}

// clauseText says in words how policy i leaves class c of dimension l out.
func (e *Engine) clauseText(i, l, c int) string {
	d, pol := &e.dims[l], e.policies[i]
	if dimID(l) == dimResource && c == e.basic && len(pol.Conditions.Applications.ExcludeApplications) > 0 {
		return "excludes apps, and before Microsoft's change of June 2026 such a policy let clients go that ask for baseline scopes alone"
	}
	if dimID(l) == dimResource {
		for _, id := range pol.Conditions.Applications.ExcludeApplications {
			id = strings.ToLower(id)
			if key := e.appKeys[c]; id == key || id == suiteOf(key) || id == "all" {
				return "excludes " + cmp.Or(suiteNames[id], d.labels[c])
			}
		}
	}
	verb := "does not take "
	if d.could[c].has(i) {
		verb = "may not take "
	} else if n := d.taken(i); n > 0 && n <= 3 && (dimID(l) == dimClient || dimID(l) == dimPlatform || dimID(l) == dimResource) {
		return "takes only " + levels(d, i)
	}
	switch dimID(l) {
	case dimLocation:
		for k := range pol.Conditions.Locations.Items {
			if t, why := pol.Conditions.Locations.Items[k].selects(&e.geo.places[c], e.locationName); t != yes && why != "" {
				return why
			}
		}
		return verb + d.labels[c]
	case dimClient:
		return verb + d.labels[c]
	case dimSignInRisk, dimUserRisk, dimInsiderRisk:
		return fmt.Sprintf("asks only at %s %s", d.name, levels(d, i))
	}
	return verb + d.labels[c]
}

// taken counts the classes that a policy surely or possibly takes.
func (d *dim) taken(policy int) (n int) {
	for c := range d.could {
		if d.could[c].has(policy) {
			n++
		}
	}
	return n
}

func levels(d *dim, policy int) string {
	var out []string
	for c := range d.labels {
		if d.sure[c].has(policy) {
			out = append(out, d.labels[c])
		}
	}
	return strings.Join(out, " or ")
}

// nothing reports a grant that neither blocks nor asks for MFA.
func (d *demand) nothing() bool { return !d.block && !d.mfa && !d.refuses }

// text says what a grant asks for.
func (d *demand) text() string {
	var parts []string
	switch {
	case d.block:
		return "block"
	case d.unread:
		return "what is not understood"
	case d.mfaUnknown:
		parts = append(parts, "an authentication strength that is not in the export")
	case d.phishingResistant && !d.resistanceUnknown:
		parts = append(parts, "phishing-resistant MFA")
	case d.mfa:
		parts = append(parts, "MFA")
	}
	for i, n := range [...]string{"a compliant device", "a hybrid joined device", "an approved app", "an app with app protection", "another control"} {
		if d.or[i] {
			parts = append(parts, n)
		}
	}
	if len(parts) == 0 {
		if d.other {
			return "other controls"
		}
		return "session controls only"
	}
	return strings.Join(parts, " or ")
}
