package find

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/partner"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/object"
)

// Goal is what a plan is asked for: one of its first three fields.
type Goal struct {
	ID       string            // of a requirement, a practice, a question, or one of [Goals]
	Preset   string            // partner-baseline
	Policies []json.RawMessage // as Graph writes them: in the place of those of their ids, or new
	// Variant chooses among the ways that List gives; "" the first.
	Variant string
	// Take are the accounts, by id or user principal name, that roles are taken from: of the
	// goals that take roles, where it is a person's choice from whom.
	Take []string
	// Devices is a filter's rule that singles the workstations for privileged work out; "" by
	// the attribute of Microsoft's example.
	Devices string
	Stages  []remedy.Stage // nil: report-only, 10%, all; with a pilot report-only, pilot, 10%, all
	Pilot   []string       // ids of accounts
	Wait    remedy.Wait    // zero: a week, two days, two days
}

// Goals are the goals besides requirements, with what each is.
func Goals() map[string]string {
	return map[string]string{
		"legacy-blocked": "block legacy authentication", "eam": "let everybody use the External MFA that is set up",
		"spare-roles": "take directory roles from disabled accounts and guests", "per-user-mfa": "switch per-user MFA off once policies ask everybody",
		goalResistant: "ask administrators for phishing-resistant MFA", goalConsent: "let accounts consent to no app by themselves",
		goalGuests: "let administrators alone invite guests, and show guests the least", goalApps: "remove ended credentials, switch unused apps off",
		goalLeavers: "take directory roles from accounts that are disabled or out of use",
		goalGlobals: "take Global Administrator from those who do not need it", goalDevices: "let those who work at customers in from healthy devices alone",
		goalStations: "let administrators in from their workstations alone",
	}
}

// The times that stages are watched at least, unless a plan says otherwise.
const (
	waitReport = 7 * 24 * time.Hour
	waitShare  = 2 * 24 * time.Hour
	waitRows   = 100
)

// Plan makes the plan for a goal. It is of kind NotFound where nothing changes settings for
// it, and the hint says what does; Usage for a goal that is none.
func Plan(in Input, goal Goal) (*remedy.Plan, error) {
	f := newFinder(in)
	p := &remedy.Plan{Form: remedy.Form, ID: in.NewID(), Made: in.Head.Now.UTC().Truncate(time.Second), By: in.Head.By, Program: in.Head.Program,
		RuleBook: in.Head.RuleBook, Tenant: in.Head.Tenant, Basis: remedy.Basis{AsOf: in.Head.AsOf.UTC(), From: in.Head.From},
		Stages: goal.Stages, Pilot: goal.Pilot, Wait: goal.Wait}
	b := &builder{finder: f, plan: p}
	if err := b.goal(goal); err != nil {
		return nil, err
	}
	if len(p.Steps) == 0 {
		return nil, problem.New(problem.NotFound, "there is nothing to change for %s", p.Goal).WithHint("partnerguard remedy list says what is left")
	}
	b.head(goal)
	for i := range p.Steps {
		s := &p.Steps[i]
		s.N = i + 1
		traps := s.Traps
		object.Complete(s)
		s.Traps = append(traps, s.Traps...)
	}
	p.Basis.SHA256 = p.BeforeSHA256()
	return p, nil
}

// builder makes one plan.
type builder struct {
	*finder
	plan *remedy.Plan
}

// head fills in stages and waits.
func (b *builder) head(goal Goal) {
	p := b.plan
	staged := slices.ContainsFunc(p.Steps, func(s remedy.Step) bool { return s.Staged })
	switch {
	case p.Stages != nil:
	case !staged:
		p.Stages = []remedy.Stage{remedy.All}
	case b.Tenant.Defaults.On(): // between defaults and a share of the policies the others would have nothing
		p.Stages = []remedy.Stage{remedy.ReportOnly, remedy.All}
	case len(p.Pilot) > 0:
		p.Stages = []remedy.Stage{remedy.ReportOnly, remedy.Pilot, "10%", remedy.All}
	default:
		p.Stages = []remedy.Stage{remedy.ReportOnly, "10%", remedy.All}
	}
	if p.Wait == (remedy.Wait{}) && staged {
		p.Wait = remedy.Wait{ReportOnly: waitReport, Pilot: waitShare, Share: waitShare, SignIns: waitRows}
	}
}

func (b *builder) goal(goal Goal) error {
	switch {
	case goal.Preset == "partner-baseline":
		b.plan.Goal = "preset:" + goal.Preset
		base := b.withoutDefaults()
		b.plan.Serves = []string{"mfa-every-user", "mfa-every-sign-in", "mfa-admin-roles", "legacy-authentication", "security-defaults-or-conditional-access"}
		added := slices.DeleteFunc(b.baseline(base), func(p *access.Policy) bool { return !b.wanting(base, p) })
		if len(added) == 0 && base == b.Tenant {
			return b.nothing(&Unmet{ID: goal.Preset, Until: b.latest()}, "mfa-every-sign-in")
		}
		return b.candidate(candidate{base: base, added: added})
	case goal.Preset != "":
		return problem.New(problem.Usage, "no preset is called %.40q", goal.Preset).WithHint("there is partner-baseline")
	case len(goal.Policies) > 0:
		b.plan.Goal = "policies"
		return b.policies(goal.Policies)
	}
	b.plan.Goal = goal.ID
	if p, is := partner.FindPractice(strings.ToUpper(goal.ID)); is {
		b.plan.Goal, b.plan.Serves = p.ID, []string{p.ID}
		if goal.ID = practiceGoals[p.ID]; goal.ID == "" {
			return b.byPerson(p.ID)
		}
		u := b.unmet(p.ID)
		if question, is := b.decided(&Unmet{ID: p.ID}); is && (len(u.toDo()) == 0 || !b.meant(u).Until.IsZero()) {
			return b.nothing(u, question)
		} else if is {
			return b.byPerson(p.ID)
		}
		err := b.word(goal)
		if err == nil && len(b.plan.Steps) == 0 { // what is left of it is a person's
			err = b.byPerson(p.ID)
		}
		return err
	}
	return b.word(goal)
}

// word plans for a goal by its own name.
func (b *builder) word(goal Goal) error {
	switch goal.ID {
	case "spare-roles":
		return b.takeRoles(goal.Take, "", func(u *User) string { return u.spare() })
	case goalLeavers:
		return b.takeRoles(goal.Take, "", func(u *User) string { return u.left() })
	case goalGlobals:
		return b.globals(goal.Take)
	case "per-user-mfa":
		return b.perUser()
	case "eam":
		return b.external()
	case goalConsent:
		return b.consent()
	case goalGuests:
		return b.guests()
	case goalApps:
		return b.apps()
	case goalResistant, goalDevices, goalStations:
		return b.policyGoal(goal)
	}
	return b.requirement(goal)
}

// serve notes what a plan is to meet, each once.
func (b *builder) serve(ids ...string) {
	for _, id := range ids {
		if !slices.Contains(b.plan.Serves, id) {
			b.plan.Serves = append(b.plan.Serves, id)
		}
	}
}

// requirement plans for a requirement or a question that settings decide.
func (b *builder) requirement(goal Goal) error {
	id := goal.ID
	u := &Unmet{ID: id}
	for i := range b.Unmet {
		if o := &b.Unmet[i]; o.ID == id || aim(o.ID) == aim(id) && aim(id) != "" && u.Title == "" {
			u = &Unmet{ID: id, Title: o.Title, Reason: o.Reason, Action: o.Action, Changes: o.Changes, Until: o.Until}
		}
	}
	if question, is := b.decided(u); is {
		return b.nothing(u, question)
	}
	list := b.candidates(u)
	if len(list) == 0 {
		e := elsewhere(u)
		switch {
		case e.Command != "":
			return problem.New(problem.NotFound, "no setting decides %.60q", id).WithHint("%s: %s", e.Way, e.Command)
		case e.Task != "":
			b.serve(id)
			b.ask(cmp.Or(u.Title, id), e.Way, []string{e.Task}, e.Check)
			return nil
		}
		return problem.New(problem.Usage, "%.60q is no requirement, no practice and no other goal", id).
			WithHint("partnerguard remedy list has them; and there are %s, --preset partner-baseline and --policies FOLDER",
				strings.Join(slices.Sorted(maps.Keys(Goals())), ", "))
	}
	b.serve(id)
	ways := b.settings(u)
	want := ways[0].Changes
	if goal.Variant != "" {
		want = goal.Variant
	}
	for _, c := range list {
		if c.variant == want {
			return b.candidate(c)
		}
	}
	var names []string
	for _, c := range list {
		names = append(names, c.variant)
	}
	return problem.New(problem.Usage, "there is no way %.40q to meet %s", want, id).WithHint("there is %s", strings.Join(names, ", "))
}

// candidate adds the steps of a candidate: security defaults off where they are on, each
// policy that is changed or made.
func (b *builder) candidate(c candidate) error {
	then := c.base.Apply(c.changes...)
	if b.Tenant.Defaults.On() && (len(c.changes) > 0 || len(c.added) > 0) {
		if err := b.defaultsOff(); err != nil {
			return err
		}
	}
	for i, was := range c.base.Policies {
		var fields, texts []string
		for _, ch := range c.changes {
			if ch.Kind != access.ChangeAdd && ch.PolicyID == was.ID && ch.Policy == was.DisplayName && then.Policies[i] != was {
				fields, texts = append(fields, ch.Field), append(texts, ch.Text)
			}
		}
		if len(fields) == 0 {
			continue
		}
		if err := b.edit(was, then.Policies[i], fields, texts); err != nil {
			return err
		}
	}
	for _, p := range slices.Concat(then.Policies[len(c.base.Policies):], c.added) {
		if err := b.make(asKnown(p), p.DisplayName); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) defaultsOff() error {
	b.plan.Steps = append(b.plan.Steps, remedy.Step{Do: remedy.Update, Kind: remedy.Defaults, Name: "Security defaults", Serves: b.plan.Serves,
		Text: "turn security defaults off: Microsoft takes no policy that is on beside them", Before: []byte(`{"isEnabled":true}`),
		After: []byte(`{"isEnabled":false}`)})
	return nil
}

// readLive is told of a step whose object was not read in Graph's own form.
const readLive = "it was read in another form than Graph's: what it was is said as far as it is known, and is read again before it is changed"

// edit adds the change of a policy.
func (b *builder) edit(was, then *access.Policy, fields, texts []string) error {
	m, known, place := b.before(was)
	after := clone(m)
	for _, field := range fields {
		change(after, field, then)
	}
	s := remedy.Step{Do: remedy.Update, Kind: remedy.Policy, ID: strings.ToLower(was.ID), Name: was.DisplayName, Text: wordsOfTexts(texts),
		Serves: b.plan.Serves, Staged: true, Place: place, Modified: was.Modified.Time}
	if !known {
		s.Traps = []string{readLive}
	}
	var err error
	if s.Before, err = canonical(remedy.Policy, m); err == nil {
		s.After, err = canonical(remedy.Policy, after)
	}
	if err != nil {
		return problem.Wrap(err, problem.BadInput, "the policy %.80q cannot be written as Graph would", was.DisplayName)
	}
	b.plan.Steps = append(b.plan.Steps, s)
	return nil
}

func wordsOfTexts(texts []string) string {
	changes := make([]access.Change, len(texts))
	for i := range texts {
		changes[i].Text = texts[i]
	}
	s := wordsOf(changes)
	return strings.ToLower(s[:1]) + s[1:]
}

// make adds a new policy. Its name ends with the plan's id: what is made is found by it, and
// by its content, when an answer is lost.
func (b *builder) make(m map[string]any, name string) error {
	m["displayName"] = b.named(name)
	after, err := canonical(remedy.Policy, m)
	if err != nil {
		return problem.Wrap(err, problem.BadInput, "the policy %.80q cannot be written as Graph would", name)
	}
	key := "policy-" + string(rune('a'+len(b.plan.Steps)%26))
	for n := 0; slices.ContainsFunc(b.plan.Steps, func(s remedy.Step) bool { return s.Key == key }); n++ {
		key += string(rune('a' + n%26))
	}
	b.plan.Steps = append(b.plan.Steps, remedy.Step{Do: remedy.Create, Kind: remedy.Policy, Key: key, Name: b.named(name), Serves: b.plan.Serves,
		Text: "make the policy \"" + b.named(name) + `"`, After: after, Staged: true})
	return nil
}

func (b *builder) named(name string) string { return name + " [" + b.plan.ID + "]" }
