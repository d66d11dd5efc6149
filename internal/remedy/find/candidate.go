package find

import (
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/directory"
	"partnerguard/internal/rehearse"
	"partnerguard/internal/remedy/gate"
)

// The variants of a goal that settings decide.
const (
	byEdit     = "edit"     // today's policies are changed
	byBaseline = "baseline" // policies of the baseline are added
	byRisk     = "risk"     // policies on risk are added
	byPolicy   = "policy"   // one policy is added that asks for just this
)

// finder holds what is found from.
type finder struct {
	Input
	today *access.Engine
	cover map[string][]access.Cover
	was   map[string]weight // what was weighed already
	// proofs are the questions that were asked of whole settings, and whether they are proved.
	proofs map[string]bool
	bare   *access.Engine // see withoutDefaults; nil until it is asked for
}

func newFinder(in Input) *finder {
	return &finder{Input: in, today: access.Compile(in.Tenant), cover: map[string][]access.Cover{}, was: map[string]weight{},
		proofs: map[string]bool{}}
}

// candidate is one way to meet a requirement by settings.
type candidate struct {
	variant  string
	question string
	words    string
	changes  []access.Change // of the policies of base
	base     *access.Tenant  // today's settings; with security defaults off where they are to go
	added    []*access.Policy
}

// aim is the question by which changes for a requirement are weighed.
func aim(id string) string {
	if id == "security-defaults-or-conditional-access" {
		return "mfa-every-user"
	}
	return gate.QuestionOf(id)
}

// candidates are the ways to meet a requirement by settings, none where settings do not
// decide it.
func (f *finder) candidates(u *Unmet) (out []candidate) {
	question := aim(u.ID)
	switch {
	case ofPolicy(u.ID):
		return f.policyOf(u.ID, "")
	case u.ID == "risk-based-access":
		return []candidate{{variant: byRisk, base: f.withoutDefaults(), added: append(f.inPlace(), f.missing(riskPolicies())...),
			words: "Add policies that ask for MFA at a risky sign-in and for a new password at a risky account" + f.inPlaceWords()}}
	case question == "":
		return nil
	}
	base := f.withoutDefaults()
	var edits []access.Change
	for _, set := range u.Changes {
		for _, c := range set {
			if !slices.ContainsFunc(edits, func(o access.Change) bool { return o.ID == c.ID }) {
				edits = append(edits, c)
			}
		}
	}
	if len(edits) > 0 {
		out = append(out, candidate{variant: byEdit, question: question, base: f.Tenant, changes: edits, words: wordsOf(edits)})
	}
	var adds []access.Change
	var policies []*access.Policy
	for i, p := range f.baseline(base) {
		if (question != "legacy-blocked" || p.Blocks()) && f.wanting(base, p) {
			adds, policies = append(adds, base.Additions()[i]), append(policies, p)
		}
	}
	if len(adds) > 0 && !sameChanges(adds, edits) {
		out = append(out, candidate{variant: byBaseline, question: question, base: base, added: policies, words: wordsOf(adds)})
	}
	return out
}

// baseline are the policies of the partner baseline. They leave the role of directory
// synchronisation out only where somebody is, or looks like, its account: where roles were
// not read, whom a role leaves out is not known.
func (f *finder) baseline(base *access.Tenant) (out []*access.Policy) {
	syncs := slices.ContainsFunc(base.Users, func(u access.Subject) bool {
		return f.Accounts[u.ID].Class == directory.ClassDirectorySync || directory.NamedLikeSync(u.Name, "")
	})
	for _, p := range base.Apply(base.Additions()...).Policies[len(base.Policies):] {
		own := *p
		if !syncs {
			own.Conditions.Users.ExcludeRoles = nil
		}
		out = append(out, &own)
	}
	return out
}

// inPlace are the policies that take the place of security defaults, where a policy that is
// added has them go: without, it would open more than it closes.
func (f *finder) inPlace() (out []*access.Policy) {
	if base := f.withoutDefaults(); base != f.Tenant {
		for _, p := range f.baseline(base) {
			if f.wanting(base, p) {
				out = append(out, p)
			}
		}
	}
	return out
}

func (f *finder) inPlaceWords() string {
	if len(f.inPlace()) == 0 {
		return ""
	}
	return "; and the baseline's in the place of security defaults"
}

// wanting says that a policy of the baseline closes something that settings leave open: what
// they decide already is not made once more.
func (f *finder) wanting(base *access.Tenant, p *access.Policy) bool {
	question := "mfa-every-sign-in"
	if p.Blocks() {
		question = "legacy-blocked"
	}
	if base == f.Tenant {
		return !f.proven(question)
	}
	if f.bare == nil {
		f.bare = access.Compile(base)
	}
	return !f.provenBy(f.bare, "without defaults", question)
}

func sameChanges(a, b []access.Change) bool {
	return slices.EqualFunc(a, b, func(x, y access.Change) bool { return x.ID == y.ID })
}

// withoutDefaults are today's settings with security defaults off: policies cannot be on
// beside them.
func (f *finder) withoutDefaults() *access.Tenant {
	if !f.Tenant.Defaults.On() {
		return f.Tenant
	}
	out := *f.Tenant
	off := *f.Tenant.Defaults
	off.IsEnabled.Value = false
	out.Defaults = &off
	return &out
}

// then are the settings when a candidate is done.
func (c *candidate) then() *access.Tenant {
	out := c.base.Apply(c.changes...)
	out.Policies = append(out.Policies, c.added...)
	return out
}

// weight is what a candidate brings.
type weight struct {
	after           string
	objects         int
	closes, breaks  int
	signIns         int64
	brokenByAccount map[string]bool
}

// weigh proves and rehearses a candidate.
func (f *finder) weigh(c candidate) weight {
	key := c.question + "\x00" + c.variant + "\x00" + c.words
	w, known := f.was[key]
	if !known {
		w = f.look(c)
		f.was[key] = w
	}
	return w
}

func (f *finder) look(c candidate) (w weight) {
	e := access.Compile(c.then())
	if q, ok := access.FindQuestion(c.question); ok {
		f.prove(q, e, &w)
	}
	ids := map[string]bool{}
	for _, ch := range c.changes {
		id := ch.PolicyID
		if id == "" {
			id = ch.ID
		}
		ids[id] = true
	}
	w.objects = len(ids) + len(c.added)
	if f.Tenant.Defaults.On() {
		w.objects++
	}
	if f.History == nil {
		return w
	}
	h := f.History.Under(f.today, e)
	before := map[string]int64{}
	same := rehearse.Rehearse(rehearse.Input{Today: f.today, Then: f.today, History: f.History.Under(f.today, f.today), Accounts: f.Accounts, Bare: true})
	for i := range same.Groups {
		if g := &same.Groups[i]; g.Effect.Breaks() {
			before[g.ID+"\x00"+g.App+"\x00"+g.Client] += g.Rows
		}
	}
	r := rehearse.Rehearse(rehearse.Input{Today: f.today, Then: e, History: h, Accounts: f.Accounts, Bare: true})
	w.brokenByAccount = map[string]bool{}
	for i := range r.Groups {
		g := &r.Groups[i]
		if g.Effect.Breaks() && g.Rows > before[g.ID+"\x00"+g.App+"\x00"+g.Client] {
			w.brokenByAccount[g.ID] = true
			w.signIns += g.Rows
		}
	}
	w.breaks = len(w.brokenByAccount)
	return w
}

// prove asks a question with a candidate done, and counts the accounts that it closes.
func (f *finder) prove(q access.Question, e *access.Engine, w *weight) {
	w.after = string(access.UnknownProof)
	if p, err := e.Prove(q); err == nil {
		w.after = string(p.Verdict)
	}
	was := f.coverage(q)
	is, err := e.Coverage(q)
	if err != nil {
		return
	}
	for i := range min(len(was), len(is)) {
		if was[i] == access.Open && is[i] != access.Open {
			w.closes++
		}
	}
}

func (f *finder) coverage(q access.Question) []access.Cover {
	if list, ok := f.cover[q.Name]; ok {
		return list
	}
	list, err := f.today.Coverage(q)
	if err != nil {
		list = nil
	}
	f.cover[q.Name] = list
	return list
}

// wordsOf say changes in one sentence; of many the first and how many more.
func wordsOf(changes []access.Change) string {
	var texts []string
	for _, c := range changes {
		texts = append(texts, c.Text)
	}
	const most = 3
	more := len(texts) - most
	texts = texts[:min(most, len(texts))]
	for i := 1; i < len(texts); i++ {
		texts[i] = strings.ToLower(texts[i][:1]) + texts[i][1:]
	}
	out := strings.Join(texts, "; ")
	if more > 0 {
		out += fmt.Sprintf("; and %d more changes", more)
	}
	return out
}

// riskPolicies are those that Microsoft recommends with Entra ID P2: MFA at a risky
// sign-in, a new password (which takes MFA) at a risky account.
func riskPolicies() []*access.Policy {
	stand := func(name string) *access.Policy {
		p := &access.Policy{DisplayName: name, State: access.Enabled}
		p.Conditions.Users.IncludeUsers = []string{"All"}
		p.Conditions.Applications.IncludeApplications = []string{"All"}
		p.Conditions.ClientAppTypes = []string{"all"}
		return p
	}
	signIn := stand("Partner baseline 3: MFA at a risky sign-in")
	signIn.Conditions.SignInRiskLevels = []string{"medium", "high"}
	signIn.GrantControls = &access.GrantControls{Operator: "OR", BuiltInControls: []string{"mfa"}}
	user := stand("Partner baseline 4: a new password for a risky account")
	user.Conditions.UserRiskLevels = []string{"high"}
	user.GrantControls = &access.GrantControls{Operator: "AND", BuiltInControls: []string{"mfa", "passwordChange"}}
	return []*access.Policy{signIn, user}
}
