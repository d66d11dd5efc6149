package cause

import (
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/assess"
	"partnerguard/internal/directory"
	"partnerguard/internal/print"
	"partnerguard/internal/rehearse"
)

// aims are the questions that changes are looked for, with the requirements that
// closing their gaps serves.
var aims = []struct {
	question string
	serves   []string
}{
	{"mfa-every-sign-in", []string{"mfa-every-user", "mfa-every-sign-in", "security-defaults-or-conditional-access"}},
	{"legacy-blocked", []string{"legacy-authentication"}},
}

// settings adds the changes of the tenant's settings.
func (f *finder) settings() {
	today, tenant := f.Today, f.Today.Tenant()
	var done []access.Change
	var breakGlass []assess.Cause
	cut := false // a bound of the search was met
	for _, aim := range aims {
		q, _ := access.FindQuestion(aim.question)
		before, err := today.Prove(q)
		if err != nil || before.Verdict != access.GapFound {
			continue
		}
		from := today
		if len(done) > 0 {
			from = access.Compile(tenant.Apply(done...))
		}
		s, now := begin(q, from, f.History)
		if now == nil {
			return
		}
		w := &weigher{finder: f, today: today, before: before, question: q}
		for _, t := range s.steps(now, forEverybody, true) {
			c := w.cause(t, false)
			serves := aim.serves
			if slices.ContainsFunc(t.closes, func(i int) bool { return tenant.Users[i].Admin }) {
				serves = append(slices.Clone(serves), "mfa-admin-roles")
			}
			f.add(c, serves...)
			done, now = append(done, t.changes...), s.shrink(t.after)
		}
		cut = cut || now.left() > 0
		if aim.question != aims[0].question {
			continue
		}
		apart := now
		for _, t := range s.steps(apart, forBreakGlass, false) {
			c := w.cause(t, true)
			breakGlass = append(breakGlass, c)
		}
	}
	if cut {
		f.left(tenant.Apply(done...))
	}
	for _, c := range breakGlass {
		f.add(c, append(slices.Clone(aims[0].serves), "mfa-admin-roles")...)
	}
}

// left says what stays open past the bounds of the search: nothing is left out
// silently.
func (f *finder) left(then *access.Tenant) {
	q, _ := access.FindQuestion(aims[0].question)
	cover, err := access.Compile(then).Coverage(q)
	n := 0
	for i, c := range cover {
		if c == access.Open && !then.Users[i].BreakGlass {
			n++
		}
	}
	if err != nil || n == 0 {
		return
	}
	f.add(assess.Cause{Kind: assess.CauseRequirement, Accounts: n, Title: "Look again once the changes above are made",
		Detail: counted(n, "account stays", "accounts stay") + " open after them, and no more changes were looked for; partnerguard prove has every gap"},
		aims[0].serves...)
}

// weigher says what a trial comes to.
type weigher struct {
	*finder
	today    *access.Engine
	before   *access.Proof
	question access.Question
	people   map[string]int // of the cause at hand: id -> index
}

// cause weighs changes: what they close on top of those before them, and by
// themselves the proof and the rehearsal. One for emergency accounts counts
// those, and the sign-ins of all.
func (w *weigher) cause(t *trial, emergency bool) assess.Cause {
	c := assess.Cause{Kind: assess.CauseSettings, Accounts: len(t.closes), SignIns: t.signIns}
	if emergency {
		c.BreakGlass, c.Accounts, c.SignIns = true, len(t.breakGlass), t.signIns+t.breakGlassSignIns
	}
	var texts []string
	for i := range t.changes {
		texts = append(texts, t.changes[i].Text)
		c.Changes = append(c.Changes, t.changes[i])
	}
	c.Title, w.people = joinTexts(texts), map[string]int{}
	if s := longTitle(t.changes); s != "" {
		c.Title = s
	}
	alone := access.Compile(w.today.Tenant().Apply(t.changes...))
	c.Proof = w.proof(alone)
	w.rehearse(&c, alone)
	w.silent(&c, t)
	c.Detail = w.detail(&c, t)
	return c
}

// longTitle names the first of a long list of exclusions of one kind and counts
// the others; "" it is none.
func longTitle(changes []access.Change) string {
	n := len(changes)
	if n <= longList || slices.ContainsFunc(changes, func(c access.Change) bool { return c.Kind != access.ChangeRemove || c.Field != changes[0].Field }) {
		return ""
	}
	of := "exclusions"
	switch {
	case strings.HasSuffix(changes[0].Field, ".excludeUsers"):
		of = "accounts"
	case strings.HasSuffix(changes[0].Field, ".excludeGroups"):
		of = "groups"
	}
	before, after, _ := strings.Cut(changes[0].Text, " from ")
	return fmt.Sprintf("%s and %d more %s from %s", before, n-1, of, after)
}

// proof asks the question once more with the changes made.
func (w *weigher) proof(alone *access.Engine) *assess.CauseProof {
	after, err := alone.Prove(w.question)
	if err != nil {
		return nil
	}
	out := &assess.CauseProof{Question: w.question.Name, Gaps: []int{}, Before: w.before.Open, After: after.Open, Verdict: after.Verdict, Reason: after.Reason}
	users := len(w.today.Tenant().Users)
	for i := range w.before.Gaps {
		s := w.before.Gaps[i].Witness.SignIn
		if s.User >= users { // a stand-in, which another set of policies numbers anew
			continue
		}
		if o := alone.Outcome(alone.Point(&s)); o == access.MFARequired || o == access.Blocked {
			out.Gaps = append(out.Gaps, i+1)
		}
	}
	return out
}

// rehearse replays the log and names who would break.
func (w *weigher) rehearse(c *assess.Cause, alone *access.Engine) {
	if w.History == nil {
		return
	}
	r := rehearse.Rehearse(rehearse.Input{Proposal: c.Title, Today: w.today, Then: alone, History: w.History.Under(w.today, alone),
		Accounts: w.Accounts, Bare: true})
	for _, t := range r.Totals {
		if t.Effect != rehearse.Unchanged && t.Rows > 0 {
			c.Effects = append(c.Effects, assess.CauseEffects{Effect: string(t.Effect), SignIns: t.Rows, Accounts: t.Accounts})
		}
	}
	for i := range r.Groups {
		g := &r.Groups[i]
		if !g.Effect.Breaks() {
			continue
		}
		w.person(c, directory.Key(g.ID, g.Account), g.Reason, g.WaysOut, g.Rows)
	}
}

// silent names the accounts that the changes close and that cannot answer, but
// that the log does not show.
func (w *weigher) silent(c *assess.Cause, t *trial) {
	users := w.today.Tenant().Users
	for _, i := range slices.Concat(t.closes, t.breakGlass) {
		a, ok := w.Accounts[users[i].ID]
		reason := rehearse.Unattended(a.Class)
		switch {
		case !ok, reason == "" && a.Registered != rehearse.KnownNo:
			continue
		case reason == "":
			reason = "has no registered method to answer with"
		}
		p := w.personOf(users[i].ID)
		ways := slices.DeleteFunc(slices.Clone(p.WaysOut), func(o assess.WayOut) bool { return o == directory.WayRequire })
		if len(ways) == 0 {
			ways = directory.WaysOut(directory.Needs{Class: a.Class, Unregistered: a.Registered == rehearse.KnownNo, Covered: true})
		}
		w.person(c, users[i].ID, reason, ways, 0)
	}
}

// person adds an account, or to what is said of it already.
func (w *weigher) person(c *assess.Cause, key, reason string, ways []directory.WayOut, rows int64) {
	p := w.personOf(key)
	at, known := w.people[p.ID]
	if !known {
		w.people[p.ID] = len(c.People)
		p.Reason, p.SignIns, p.WaysOut = reason, rows, ways
		c.People = append(c.People, p)
		return
	}
	old := &c.People[at]
	old.SignIns += rows
	for _, way := range ways {
		if !slices.Contains(old.WaysOut, way) {
			old.WaysOut = append(slices.Clone(old.WaysOut), way)
		}
	}
}

// detail says what a cause brings.
func (w *weigher) detail(c *assess.Cause, t *trial) string {
	var parts []string
	if c.Accounts > 0 {
		parts = append(parts, "closes "+counted(c.Accounts, "account", "accounts"))
	}
	if c.SignIns > 0 {
		word := "closes "
		if len(parts) > 0 {
			word = ""
		}
		parts = append(parts, word+counted(int(c.SignIns), "recorded sign-in", "recorded sign-ins"))
	}
	out := strings.Join(parts, ", ")
	if n := len(t.breakGlass); n > 0 && !c.BreakGlass {
		out += "; and " + counted(n, "emergency account", "emergency accounts")
	}
	if t.changes[0].Kind == access.ChangeAdd && !slices.ContainsFunc(w.today.Tenant().Policies, (*access.Policy).Enforced) {
		out += "; without Entra ID P1, which policies need, turn on security defaults"
	}
	for i := range t.changes {
		if more := w.today.Tenant().More(t.changes[i]); more != "" && !strings.Contains(out, more) {
			out += "; " + accessName(&t.changes[i]) + " " + more + ": whoever cannot meet that is refused"
		}
	}
	switch n := len(c.People); {
	case n == 1:
		out += fmt.Sprintf("; %s cannot answer yet", name(&c.People[0]))
	case n > 1:
		out += fmt.Sprintf("; %d of those concerned cannot answer yet", n)
	}
	return out
}

func accessName(c *access.Change) string {
	if c.Policy != "" {
		return c.Policy
	}
	return "the policy"
}

func name(p *assess.CausePerson) string {
	for _, s := range []string{p.UserPrincipalName, p.DisplayName} {
		if s != "" {
			return s
		}
	}
	return p.ID
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return print.Number(int64(n)) + " " + many
}

// joinTexts makes one sentence of several changes.
func joinTexts(texts []string) string {
	for i := 1; i < len(texts); i++ {
		texts[i] = strings.ToLower(texts[i][:1]) + texts[i][1:]
	}
	return strings.Join(texts, " and ")
}
