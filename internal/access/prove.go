package access

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// ProofVerdict is the answer to a question over all sign-ins.
type ProofVerdict string

// The verdicts. Unknown is never proved.
const (
	Proved       ProofVerdict = "proved"
	GapFound     ProofVerdict = "gap"
	UnknownProof ProofVerdict = "unknown"
)

// Proof answers a question. Gaps are ranked: the widest first, then those of
// most accounts; gaps of break-glass accounts alone come last.
type Proof struct {
	Question string       `json:"question"`
	Title    string       `json:"title"`
	Verdict  ProofVerdict `json:"verdict"`
	Reason   string       `json:"reason"`
	Accounts int          `json:"accounts"` // asked about, stand-ins included
	Open     int          `json:"open"`     // with a gap
	Gaps     []Gap        `json:"gaps"`
	More     int          `json:"more"` // gaps beyond those listed
	// Possible gaps hang on what is not known; they make a verdict unknown.
	Possible []Gap       `json:"possible"`
	Policies []PolicyUse `json:"policies"`
	Missing  []string    `json:"missing"` // what to export so that unknown becomes an answer
	Facts    []string    `json:"facts"`   // what else a reader should know
	// TooComplex says that the bound on work was met; the gaps listed are real,
	// others may exist.
	TooComplex bool `json:"tooComplex"`

	open *findings
}

// GapOf is the gap of one of [Tenant.Users] that is fixed first, or nil. It is
// safe for concurrent use.
func (p *Proof) GapOf(user int) *Gap {
	if p.open == nil {
		return nil
	}
	return p.open.gapOf(user)
}

// Gap is a set of sign-ins that nothing protects.
type Gap struct {
	Who     Who      `json:"who"`
	What    []Narrow `json:"what"` // dimensions on which the gap is not "any"
	Text    string   `json:"text"` // the gap in one line
	Why     []Why    `json:"why"`  // the clauses that open it, nearest policies first
	Witness Witness  `json:"witness"`
}

// Who lists the accounts of a gap.
type Who struct {
	Count      int      `json:"count"`
	Names      []string `json:"names"`      // at most 10
	BreakGlass bool     `json:"breakGlass"` // all of them are break-glass accounts
}

// Narrow is one dimension of a gap.
type Narrow struct {
	Dimension string   `json:"dimension"`
	Values    []string `json:"values"`
}

// Why is one policy and the clause by which it lets the gap through.
type Why struct {
	ID     string `json:"id"`
	Policy string `json:"policy"`
	Clause string `json:"clause"`
}

// Witness is one concrete sign-in of a gap, confirmed by Decide.
type Witness struct {
	Account   string  `json:"account"`
	SignIn    SignIn  `json:"signIn"`
	Outcome   Outcome `json:"outcome"`
	Confirmed bool    `json:"confirmed"`
}

// PolicyUse says how a policy counts towards an answer.
type PolicyUse struct {
	ID     string `json:"id"`
	Policy string `json:"policy"`
	State  State  `json:"state"`
	Counts bool   `json:"counts"`
	Why    string `json:"why"`
}

// maxGaps bounds the gaps listed.
const maxGaps = 50

// cohort is a set of accounts that the same protecting policies take.
type cohort struct {
	subjects []int32
	set      int32 // the compiled user of one of them
}

// Prove answers a question over all sign-ins it is about. The error is about
// the question. Prove is safe for concurrent use.
func (e *Engine) Prove(q Question) (*Proof, error) {
	c, err := e.compile(q)
	if err != nil {
		return nil, err
	}
	q = c.Question
	p := &Proof{Question: q.Name, Title: q.Title, Gaps: []Gap{}, Possible: []Gap{}, Policies: e.policyUses(c), Missing: []string{}, Facts: e.facts(c)}
	cohorts, asked := e.cohorts(c)
	p.Accounts = asked
	certain := newDiagram(e, c, false) // possible matches protect: what is open here is open for certain
	open := e.search(c, certain, cohorts)
	p.TooComplex = certain.over
	p.open, p.Open = open, open.accounts
	p.Gaps, p.More = open.list()
	stranger := e.strangers(c)
	switch {
	case len(p.Gaps) > 0:
		p.Verdict = GapFound
		p.Reason = e.gapReason(p, cohorts)
		if p.TooComplex {
			p.Reason += "; the policies are too entangled to look at every sign-in within bounds, so there may be more"
		}
	case c.nothing != "":
		p.Verdict, p.Reason = UnknownProof, "the question asks about no sign-in: "+c.nothing
	case len(stranger) > 0:
		p.Verdict, p.Reason = UnknownProof, "not in the export: "+join(stranger)
		p.Missing = append(p.Missing, stranger...)
	case asked == 0 && len(q.Roles) > 0 && !e.tenant.RolesKnown:
		p.Verdict, p.Reason = UnknownProof, "who holds a directory role is not in the export"
		p.Missing = append(p.Missing, "role assignments and eligibility")
	case asked == 0:
		p.Verdict, p.Reason = UnknownProof, "no account in the export is asked about"
	case p.TooComplex:
		p.Verdict, p.Reason = UnknownProof, tooComplex
	default:
		pessimist := newDiagram(e, c, true)
		possible := e.search(c, pessimist, cohorts)
		p.TooComplex = pessimist.over
		switch {
		case p.TooComplex:
			p.Verdict, p.Reason = UnknownProof, tooComplex
		case possible.accounts > 0:
			p.Verdict = UnknownProof
			p.Possible, _ = possible.list()
			p.Missing = e.missing(c)
			p.Reason = "what is not in the export decides it"
			if len(p.Missing) > 0 {
				p.Reason += ": " + strings.Join(p.Missing[:min(3, len(p.Missing))], "; ")
				if n := len(p.Missing) - 3; n > 0 {
					p.Reason += fmt.Sprintf("; and %d more", n)
				}
			}
		default:
			p.Verdict, p.Reason = Proved, e.provedReason(cohorts)
		}
	}
	if open.cut && p.Verdict == GapFound {
		p.Facts = append(p.Facts, "the gaps are many and intricate; the list shows the first of each kind")
	}
	return p, nil
}

const tooComplex = "the policies are too entangled to be proved within bounds; no gap was found so far"

// cohorts groups the accounts asked about by the protecting policies that take
// them. Unsupported policies may protect anybody: where they could apply,
// nothing is certain to be covered by them; they are named, never counted.
func (e *Engine) cohorts(c *compiledQuestion) (out []cohort, accounts int) {
	var (
		count     = e.subjectCount()
		cohortOf  = make([]int32, count) // by subject; -1 not asked about
		bySet     = make([]int32, len(e.sets))
		sizes     []int
		reps      []int32 // a set of each cohort
		found     = newInterner()
		seen      = make([]bool, count)
		words     = make([]uint64, 2*e.words)
		other     = make([]uint64, 2*e.words)
		protected = func(set int32, into []uint64) []uint64 {
			u := &e.sets[set]
			for w := range u.sure {
				into[w] = u.sure[w] & c.protects[w] &^ c.perhaps[w]
				into[e.words+w] = u.could[w] & c.protects[w]
			}
			return into
		}
	)
	for i := range bySet {
		bySet[i] = -1
	}
	asked := 0
	for i := range count {
		cohortOf[i] = -1
		if !c.about(e.subject(i)) {
			continue
		}
		asked++
		if a := e.account(i); !seen[a] {
			seen[a] = true
			accounts++
		}
		set := e.setOf[i]
		if bySet[set] < 0 {
			n, isNew := found.add(protected(set, words), func(n int32) []uint64 { return protected(reps[n], other) })
			if isNew {
				reps, sizes = append(reps, set), append(sizes, 0)
			}
			bySet[set] = n
		}
		cohortOf[i] = bySet[set]
		sizes[bySet[set]]++
	}
	out = make([]cohort, len(reps))
	subjects := make([]int32, asked)
	for n := range out {
		out[n] = cohort{subjects: subjects[:0:sizes[n]], set: reps[n]}
		subjects = subjects[sizes[n]:]
	}
	for i, n := range cohortOf {
		if n >= 0 {
			out[n].subjects = append(out[n].subjects, int32(i))
		}
	}
	return out, accounts
}

// joinEAS joins a gap of Exchange ActiveSync, which reaches Exchange alone,
// with the gap of other clients that is the same but for that.
func (e *Engine) joinEAS(c *compiledQuestion, boxes []box) []box {
	onlyEAS := func(b box) bool {
		set := b[dimClient]
		return set != nil && set[0] == 1<<clientEAS
	}
	var out, eas []box
	for _, b := range boxes {
		if onlyEAS(b) {
			eas = append(eas, b)
		} else {
			out = append(out, b)
		}
	}
next:
	for _, b := range eas {
		for _, o := range out {
			same := o[dimClient] != nil && hasClass(o[dimResource], e.apps[exchangeOnline])
			for l := range b {
				if dimID(l) != dimClient && dimID(l) != dimResource && !slices.Equal(b[l], o[l]) {
					same = false
				}
			}
			if same {
				o[dimClient] = slices.Clone(o[dimClient])
				o[dimClient][0] |= 1 << clientEAS
				continue next
			}
		}
		out = append(out, b)
	}
	return out
}

func covers(set []uint64, classes []int) bool {
	for _, k := range classes {
		if !hasClass(set, k) {
			return false
		}
	}
	return true
}

func (e *Engine) who(subjects []int32) Who {
	w := Who{BreakGlass: true, Names: []string{}}
	seen := make(map[int]bool, len(subjects))
	for _, i := range subjects {
		if a := e.account(int(i)); seen[a] {
			continue
		} else {
			seen[a] = true
		}
		w.Count++
		s := e.subject(int(i))
		w.BreakGlass = w.BreakGlass && s.BreakGlass
		if len(w.Names) < 10 {
			w.Names = append(w.Names, s.label())
		}
	}
	sort.Strings(w.Names)
	return w
}

// preferred classes make a witness look like a sign-in that happens.
var preferred = map[dimID][]int{
	dimClient:   {clientBrowser, clientNative, clientOther, clientEAS, clientDeviceCode, clientTransfer},
	dimPlatform: {2, 4, 1, 0, 5, 3, 6}, // windows, macOS, iOS, android, linux ...
}

func (e *Engine) witnessPoint(c *compiledQuestion, b box, subject int) Point {
	p := Point{User: subject, Classes: make([]int16, len(e.dims))}
	for l := range e.dims {
		order := preferred[dimID(l)]
		if dimID(l) == dimResource {
			order = []int{e.apps[resOther], e.apps[exchangeOnline]}
			if p.Classes[dimClient] == clientEAS {
				order = []int{e.apps[exchangeOnline]}
			}
		}
		if dimID(l) == dimLocation {
			order = []int{e.geo.home}
		}
		p.Classes[l] = -1
		for _, k := range append(slices.Clone(order), c.classes[l]...) {
			if k >= 0 && hasClass(b[l], k) && slices.Contains(c.classes[l], k) {
				p.Classes[l] = int16(k)
				break
			}
		}
	}
	return p
}

// witness turns a point into a sign-in a person can try, and asks Decide.
func (e *Engine) witness(c *compiledQuestion, p Point) Witness {
	s := SignIn{User: p.User, Device: map[string]bool{}}
	s.Client = []string{"browser", "native", "device-code", "transfer", "eas", "other"}[p.Classes[dimClient]]
	for id, k := range e.apps {
		if k == int(p.Classes[dimResource]) && (s.App == "" || id < s.App) {
			s.App = id
		}
	}
	if s.App == resOther {
		s.App = "any other app"
	}
	s.Platform = platformNames[p.Classes[dimPlatform]]
	place := &e.geo.places[p.Classes[dimLocation]]
	if place.ip.IsValid() {
		s.IP, s.Country = place.ip, place.country
	} else {
		s.Location = place.label
	}
	s.SignInRisk, s.UserRisk, s.InsiderRisk = riskNames[p.Classes[dimSignInRisk]], riskNames[p.Classes[dimUserRisk]], insiderNames[p.Classes[dimInsiderRisk]]
	for l := int(dimCompliant); l < len(e.dims); l++ {
		s.Device[e.dims[l].name] = p.Classes[l] == 1
	}
	w := Witness{Account: e.subject(p.User).label(), SignIn: s}
	again := e.Point(&s)
	w.Outcome = e.Outcome(again)
	w.Confirmed = slices.Equal(again.Classes, p.Classes) && !e.protected(c, again)
	return w
}

// protected asks, by matching alone and without the diagram, whether a point
// has the protection that a question asks for, counting possible matches too.
func (e *Engine) protected(c *compiledQuestion, p Point) bool {
	sure, could := e.mask(), e.mask()
	e.match(p, sure, could)
	hit := false
	could.each(func(i int) {
		if c.protects.has(i) && (e.demands[i].block || e.withoutAlternative(&e.demands[i], p) != no) {
			hit = true
		}
	})
	return hit
}

// why names, for the policies that come nearest, the clause that lets the gap
// through. An exclusion is nearer than not being included, and missing a part
// of the gap is nearer than missing all of it.
func (e *Engine) why(c *compiledQuestion, b box, subject int) []Why {
	type near struct {
		why   Why
		miles int
	}
	var all []near
	if what := e.untargeted(c, b); what != "" {
		return []Why{{Clause: "no enforced policy that asks for it targets " + what}}
	}
	c.protects.each(func(i int) {
		p := e.policies[i]
		n := near{why: Why{ID: p.ID, Policy: p.DisplayName}}
		var clauses []string
		if t, clause := p.takes(e.subject(subject), e); t != yes {
			if t == maybe {
				clause = "may not reach the account: " + clause
			}
			n.miles += 2
			if clause == "does not include the account" {
				n.miles += 10
			}
			clauses = append(clauses, clause)
		}
		for l := range e.dims {
			d := &e.dims[l]
			missed, taken, clause := 0, 0, ""
			for _, k := range c.classes[l] {
				if !hasClass(b[l], k) {
					continue
				}
				guarded := d.guard != nil && !d.guard[k].has(i)
				if d.sure[k].has(i) && !guarded {
					taken++
					continue
				}
				missed++
				switch {
				case clause != "":
				case guarded:
					clause = "lets " + d.labels[k] + " through instead of MFA"
				default:
					clause = e.clauseText(i, l, k)
				}
			}
			if missed == 0 {
				continue
			}
			miles := 6
			switch { // a policy about other clients or about user actions is about something else
			case dimID(l) == dimClient, dimID(l) == dimResource && len(p.Conditions.Applications.IncludeApplications) == 0:
				miles = 12
			}
			if strings.HasPrefix(clause, "excludes") || strings.HasPrefix(clause, "lets") {
				miles = 2
			}
			if taken > 0 {
				miles /= 2
			}
			n.miles += miles
			clauses = append(clauses, clause)
		}
		if len(clauses) > 0 {
			n.why.Clause = strings.Join(clauses, "; ")
			all = append(all, n)
		}
	})
	slices.SortStableFunc(all, func(x, y near) int { return cmp.Compare(x.miles, y.miles) })
	var out []Why
	for i, n := range all {
		if i == 3 || i > 0 && n.miles > all[0].miles+3 {
			break
		}
		out = append(out, n.why)
	}
	// Policies that would help but are not on.
	for i, p := range e.policies {
		if len(out) >= 5 {
			break
		}
		d := &e.demands[i]
		if e.reportOnly.has(i) && (d.mfa || d.block) && !d.hasAlternative() {
			if t, _ := p.takes(e.subject(subject), e); t != no && e.takesBox(c, b, i) {
				out = append(out, Why{p.ID, p.DisplayName, "would close it, but is report-only"})
			}
		}
		if e.unsupported.has(i) && p.Enforced() && (!d.nothing() || !p.grantsUnderstood()) && e.takesBox(c, b, i) {
			out = append(out, Why{p.ID, p.DisplayName, "is not counted: it uses what is not understood here (" + strings.Join(p.Unsupported, ", ") + ")"})
		}
	}
	if out == nil {
		out = []Why{{Clause: "no enforced policy asks for it at all"}}
		if c.protects.empty() {
			return out
		}
		out[0].Clause = "no enforced policy that asks for it comes near"
	}
	return out
}

// untargeted names the user action of a box that no protecting policy selects.
func (e *Engine) untargeted(c *compiledQuestion, b box) string {
	d := &e.dims[dimResource]
	var labels []string
	for _, k := range c.classes[dimResource] {
		if !hasClass(b[dimResource], k) {
			continue
		}
		if k != e.apps[actionRegisterInfo] && k != e.apps[actionRegisterDevice] || d.could[k].meets(c.protects) {
			return ""
		}
		labels = append(labels, d.labels[k])
	}
	return strings.Join(labels, " or ")
}

func (e *Engine) takesBox(c *compiledQuestion, b box, i int) bool {
	for l := range e.dims {
		for _, k := range c.classes[l] {
			if hasClass(b[l], k) && !e.dims[l].could[k].has(i) {
				return false
			}
		}
	}
	return true
}

// rank orders gaps the way a person would fix them.
func rank(gaps []Gap) []Gap {
	slices.SortStableFunc(gaps, func(a, b Gap) int {
		return cmp.Or(
			compareBools(a.Who.BreakGlass, b.Who.BreakGlass),
			cmp.Compare(len(a.What), len(b.What)),
			cmp.Compare(b.Who.Count, a.Who.Count),
			cmp.Compare(a.Text, b.Text))
	})
	return gaps
}

// gapText puts a gap in one line. Where the gap is all that the question asks
// about, the question's own words stand for it.
func (e *Engine) gapText(c *compiledQuestion, g *Gap) string {
	var b strings.Builder
	switch {
	case g.Who.Count == 1:
		b.WriteString(g.Who.Names[0])
	case g.Who.Count <= 3:
		b.WriteString(join(g.Who.Names))
	default:
		fmt.Fprintf(&b, "%d accounts", g.Who.Count)
	}
	if g.Who.BreakGlass {
		b.WriteString(" (break-glass)")
	}
	if len(g.What) == 0 {
		of := func(asked bool, l dimID, any string) string {
			if !asked {
				return any
			}
			var labels []string
			for _, k := range c.classes[l] {
				if v := e.dims[l].labels[k]; !slices.Contains(labels, v) {
					labels = append(labels, v)
				}
			}
			return enumerate(labels)
		}
		client := of(len(c.Clients) > 0, dimClient, "any client")
		if len(c.Clients) == 1 && strings.EqualFold(c.Clients[0], "modern") {
			client = "any modern client"
		}
		where := of(len(c.Locations) > 0, dimLocation, "anywhere")
		if c.Ordinary && len(c.Locations) == 0 {
			where = "from any place the tenant does not name"
		}
		b.WriteString(": " + of(len(c.Apps) > 0, dimResource, "any app") + ", " + client + ", " + where)
		return b.String()
	}
	b.WriteString(": ")
	for i, n := range g.What {
		if i > 0 {
			b.WriteString(", ")
		}
		text := enumerate(n.Values)
		switch n.Dimension {
		case "client":
			switch {
			case slices.Equal(n.Values, clientLabels[:clientEAS]):
				text = "any modern client"
			case slices.Equal(n.Values, clientLabels[clientEAS:]):
				text = "any legacy client"
			}
			text = "by " + text
		case "platform", "location":
			text = "from " + text
		case "sign-in risk", "user risk", "insider risk":
			text = "at " + n.Dimension + " " + text
		case "app":
			text = "to " + text
		default:
			text = "from " + text
		}
		b.WriteString(text)
	}
	return b.String()
}

func enumerate(v []string) string {
	if len(v) > 4 {
		return fmt.Sprintf("%s or %d others", strings.Join(v[:3], ", "), len(v)-3)
	}
	return strings.Join(v, " or ")
}

// gapReason says in one sentence who is open.
func (e *Engine) gapReason(p *Proof, cohorts []cohort) string {
	if kinds := e.standIns(cohorts); kinds != "" {
		return "no account asked about is in the export; " + kinds + " could sign in without it"
	}
	bg := true
	for i := range p.Gaps {
		bg = bg && p.Gaps[i].Who.BreakGlass
	}
	s := fmt.Sprintf("%d of %d accounts can sign in without it", p.Open, p.Accounts)
	if p.Accounts == 1 {
		s = "the account can sign in without it"
	}
	if bg {
		s += "; all of them are break-glass accounts, which may use another method but not none"
	}
	return s
}

func (e *Engine) provedReason(cohorts []cohort) string {
	accounts, seen := 0, map[int]bool{}
	for _, co := range cohorts {
		for _, i := range co.subjects {
			if a := e.account(int(i)); !seen[a] {
				seen[a] = true
				accounts++
			}
		}
	}
	switch kinds := e.standIns(cohorts); {
	case kinds != "":
		return "every sign-in of " + kinds + " is covered by an enforced policy; no account asked about is in the export"
	case accounts == 1:
		return "every sign-in of the one account asked about is covered by an enforced policy"
	}
	return fmt.Sprintf("every sign-in of all %d accounts asked about is covered by an enforced policy", accounts)
}

// standIns names the subjects asked about when all of them only stand for
// accounts that are not in the export; else it is "".
func (e *Engine) standIns(cohorts []cohort) string {
	var names []string
	for _, co := range cohorts {
		for _, i := range co.subjects {
			if a := e.account(int(i)); a < len(e.tenant.Users) {
				return ""
			}
			names = append(names, e.subject(int(i)).label())
		}
	}
	if len(names) == 0 {
		return ""
	}
	sort.Strings(names)
	return join(names)
}

// policyUses says how each policy counts.
func (e *Engine) policyUses(c *compiledQuestion) []PolicyUse {
	out := []PolicyUse{}
	for i, p := range e.policies {
		u := PolicyUse{ID: p.ID, Policy: p.DisplayName, State: p.State}
		d := &e.demands[i]
		switch {
		case p.Conditions.Workload:
			u.Why = "selects workloads, not users"
		case e.unsupported.has(i):
			u.Why = "not counted as protection, because it uses what is not known here: " + strings.Join(p.Unsupported, ", ")
		case p.ReportOnly():
			u.Why = "report-only: it writes what it would do"
		case !p.Enforced():
			u.Why = "not enabled"
		case c.protects.has(i) && d.hasAlternative() && !d.block:
			u.Counts, u.Why = true, "counts where "+d.text()+" comes down to MFA"
		case c.protects.has(i):
			u.Counts, u.Why = true, "asks for "+d.text()
		default:
			u.Why = "asks for " + d.text() + ", which is not what is asked here"
		}
		out = append(out, u)
	}
	return out
}

// facts adds what a reader should know beside the verdict.
func (e *Engine) facts(c *compiledQuestion) []string {
	out := []string{}
	if d := e.tenant.Defaults; d != nil && d.IsEnabled.True() {
		out = append(out, "security defaults are on: by Microsoft's word they meet the MFA requirement, but they challenge only administrators and Azure management at every sign-in")
	}
	names := map[string]int{}
	for _, p := range e.tenant.Policies {
		if p.ID != "" {
			names[strings.ToLower(p.ID)]++
		}
	}
	for _, p := range e.tenant.Policies {
		if names[strings.ToLower(p.ID)] > 1 {
			out = append(out, "some policy ids occur more than once; each copy is judged by itself")
			break
		}
	}
	return out
}

// missing lists what to export so that unknown becomes an answer.
func (e *Engine) missing(c *compiledQuestion) []string {
	seen := map[string]bool{}
	out := []string{}
	add := func(s string) {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	if !e.tenant.Whole {
		add("all users, with their groups and roles")
	}
	c.protects.each(func(i int) {
		if s := e.demands[i].strength; s != nil && c.perhaps.has(i) {
			add("the authentication strength " + cmp.Or(s.DisplayName, s.ID))
		}
		u := &e.policies[i].Conditions.Users
		for _, list := range [][]string{u.IncludeGroups, u.ExcludeGroups} {
			for _, g := range list {
				if g != "" && !e.tenant.KnownGroups[strings.ToLower(g)] {
					add("the members of group " + e.tenant.name(g))
				}
			}
		}
		for _, id := range u.ExcludeUsers {
			if e.absent[strings.ToLower(id)] && !e.tenant.Whole {
				add("the account " + id)
			}
		}
		if !e.tenant.RolesKnown && len(u.IncludeRoles)+len(u.ExcludeRoles) > 0 {
			add("role assignments and eligibility")
		}
	})
	used := map[string]bool{}
	c.protects.each(func(i int) {
		for _, l := range e.policies[i].Conditions.Locations.Items {
			for _, id := range slices.Concat(l.IncludeLocations, l.ExcludeLocations) {
				used[strings.ToLower(id)] = true
			}
		}
	})
	for _, m := range e.geo.missing {
		if trusted := slices.ContainsFunc(e.tenant.Locations, func(l *NamedLocation) bool { return strings.EqualFold(l.ID, m.id) && l.IsTrusted.True() }); used[m.id] || trusted && used[locAllTrusted] {
			add(m.text)
		}
	}
	return out
}
