package gate

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
)

// Expand gives the changes between two stages of a plan, in the order in which they are
// made: from is the stage that was reached ("" where nothing was done), to the one that is
// asked for. t holds the accounts that stages are made of. Equal input gives equal moves.
//
// What comes first comes first. Then, with the first stage that is not report-only, what
// has no stages; then the staged policies, each in the stage's form; what loosens or
// removes comes last, with all. A staged policy that is new, or that is not in force yet,
// takes the stage's form itself. Beside one in force stands a twin of the plan's own until
// all: policies add up, so a twin never loosens.
//
// Ids of what the plan makes stand as {KEY}, in ids too. Groups are made when a stage needs
// them and stay until whoever does the plan takes them away at its end; they hold nobody
// who is a break-glass account or synchronises the directory. Errors are of kind BadInput.
func Expand(p *remedy.Plan, from, to remedy.Stage, t *access.Tenant) ([]Move, error) {
	if p == nil || t == nil {
		return nil, problem.New(problem.Internal, "a plan is expanded for a tenant")
	}
	x := &expansion{plan: p, from: from, to: to, tenant: t}
	at := slices.Index(p.Stages, to)
	was := slices.Index(p.Stages, from)
	switch {
	case at < 0:
		return nil, problem.New(problem.BadInput, "the plan has no stage %.40q", string(to)).WithHint("its stages are %s", stagesOf(p))
	case from != "" && was < 0:
		return nil, problem.New(problem.BadInput, "the plan has no stage %.40q", string(from)).WithHint("its stages are %s", stagesOf(p))
	case from != "" && was >= at:
		return nil, problem.New(problem.BadInput, "the stage %s is reached already", to).WithHint("stages go forward; rollback takes a plan back")
	case to == remedy.Pilot && len(p.Pilot) == 0:
		return nil, problem.New(problem.BadInput, "the plan has a pilot stage and nobody in it").
			WithHint("name accounts: partnerguard remedy plan GOAL --stages report-only,pilot,all --pilot ada@contoso.com")
	}
	if err := x.read(); err != nil {
		return nil, err
	}
	x.plain(phaseFirst, func(s *remedy.Step) bool { return s.First && from == "" })
	if on(to) && !on(from) {
		x.plain(phasePlain, func(s *remedy.Step) bool { return !s.First && !Late(s) })
	}
	x.groups()
	for i := range x.staged {
		from := len(x.out)
		x.policy(&x.staged[i])
		for k := from; k < len(x.out); k++ {
			x.out[k].phase = phaseStaged
		}
	}
	if to == remedy.All {
		x.plain(phaseLate, func(s *remedy.Step) bool { return !s.First && Late(s) })
	}
	for i := range x.out {
		x.out[i].N = i + 1
	}
	return x.out, nil
}

func stagesOf(p *remedy.Plan) string {
	var words []string
	for _, s := range p.Stages {
		words = append(words, string(s))
	}
	return strings.Join(words, ", ")
}

// on says that policies of the stage are in force for somebody.
func on(s remedy.Stage) bool { return s != "" && s != remedy.ReportOnly }

// Late says of a step without stages that it takes something away: it is done last, alone.
// The stages' own groups apart, whatever is deleted is; so is per-user MFA that is
// switched off, and a policy, a location or a strength in force that is changed outright.
func Late(s *remedy.Step) bool {
	switch {
	case s.Do == remedy.Delete:
		return true
	case s.Do != remedy.Update:
		return false
	case s.Kind == remedy.PerUserMFA:
		return strings.EqualFold(text(s.After, "perUserMfaState"), "disabled")
	case s.Kind == remedy.Policy:
		return strings.EqualFold(text(s.Before, "state"), string(access.Enabled))
	}
	return s.Kind == remedy.Location || s.Kind == remedy.Strength || s.Kind == remedy.Principal
}

// text is a member of an object that is a text; "" where it is none.
func text(o remedy.Object, member string) string {
	var all map[string]json.RawMessage
	var s string
	if json.Unmarshal(o, &all) != nil || json.Unmarshal(all[member], &s) != nil {
		return ""
	}
	return s
}

// expansion makes the moves of a stage.
type expansion struct {
	plan     *remedy.Plan
	from, to remedy.Stage
	tenant   *access.Tenant
	staged   []stagedStep
	out      []Move
}

// stagedStep is a step that goes through the stages.
type stagedStep struct {
	*remedy.Step
	wanted map[string]any
	twin   bool   // the policy is in force: a twin goes through the stages beside it
	key    string // of what goes through the stages
	group  string // which groups its stages have: "" for everybody's, else its own
	holds  bool   // it is to be in force: else its form is the same in every stage
}

// read looks at the staged steps.
func (x *expansion) read() error {
	for i := range x.plan.Steps {
		s := &x.plan.Steps[i]
		if !s.Staged {
			continue
		}
		if s.Kind != remedy.Policy || s.Do != remedy.Create && s.Do != remedy.Update {
			return problem.New(problem.BadInput, "step %d is staged and no policy that is made or changed", s.N).
				WithHint("only Conditional Access policies go through stages")
		}
		st := stagedStep{Step: s}
		if err := json.Unmarshal(s.After, &st.wanted); err != nil || st.wanted == nil {
			return problem.New(problem.BadInput, "step %d does not say what the policy is to be", s.N)
		}
		st.holds = text(s.After, "state") == string(access.Enabled)
		st.twin = s.Do == remedy.Update && strings.EqualFold(text(s.Before, "state"), string(access.Enabled))
		switch {
		case st.twin:
			st.key = "twin-" + strconv.Itoa(s.N)
		case s.Do == remedy.Create:
			if st.key = s.Key; st.key == "" {
				st.key = "policy-" + strconv.Itoa(s.N)
			}
		}
		if !forEverybody(st.wanted) {
			st.group = "-" + strconv.Itoa(s.N)
		}
		x.staged = append(x.staged, st)
	}
	return nil
}

// forEverybody reports a policy that includes all users.
func forEverybody(policy map[string]any) bool {
	list, _ := member(policy, "conditions", "users")["includeUsers"].([]any)
	return slices.ContainsFunc(list, func(v any) bool { s, _ := v.(string); return strings.EqualFold(s, "All") })
}

// member goes down an object by names; an empty map where there is nothing.
func member(o map[string]any, path ...string) map[string]any {
	for _, name := range path {
		next, _ := o[name].(map[string]any)
		if next == nil {
			return map[string]any{}
		}
		o = next
	}
	return o
}

// plain adds the steps without stages that are chosen, as they are.
func (x *expansion) plain(at phase, chosen func(*remedy.Step) bool) {
	for i := range x.plan.Steps {
		if s := &x.plan.Steps[i]; !s.Staged && chosen(s) {
			x.out = append(x.out, Move{Of: s.N, Step: *s, phase: at})
		}
	}
}

// policy adds what a staged step comes to.
func (x *expansion) policy(s *stagedStep) {
	was, is := x.form(s, x.from), x.form(s, x.to)
	move := Move{Of: s.N, Step: *s.Step}
	move.Staged = false
	switch {
	case s.twin && x.to == remedy.All:
		x.out = append(x.out, move) // the policy itself, as it was and as it is wanted
		if x.from != "" {
			gone := x.own(s, remedy.Delete, was, nil)
			gone.Text = "take the stages' policy away: " + quoted(s.Name) + " itself is in force"
			x.out = append(x.out, gone)
		}
	case x.from == "" && (s.twin || s.Do == remedy.Create):
		x.out = append(x.out, x.own(s, remedy.Create, nil, is))
	case x.from == "":
		move.After = is
		move.Text = x.words(s)
		x.out = append(x.out, move)
	case string(was) != string(is):
		x.out = append(x.out, x.own(s, remedy.Update, was, is))
	}
}

// own is a move of what goes through the stages: the step's new policy, its twin, or its
// policy that is not in force yet.
func (x *expansion) own(s *stagedStep, do remedy.Do, was, is remedy.Object) Move {
	m := Move{Of: s.N, Step: *s.Step}
	m.Do, m.Before, m.After, m.Staged = do, was, is, false
	m.ETag, m.Modified, m.Place = "", s.Modified, nil
	switch {
	case do == remedy.Create:
		m.ID, m.Key, m.Undo = "", s.key, remedy.Removes
	case s.key == "":
		m.Undo = remedy.Restores
	default:
		m.ID, m.Key, m.Undo = "{"+s.key+"}", "", remedy.Restores
	}
	if do == remedy.Delete {
		m.Undo = remedy.SoftDeleted
	}
	if s.twin {
		m.Name = twinName(x.plan, s.Name)
		m.Modified = s.Modified
	}
	m.Text = x.words(s)
	return m
}

func (x *expansion) words(s *stagedStep) string {
	name := quoted(s.Name)
	if s.twin {
		name = "the stages' policy beside " + name
	}
	if !s.holds || x.to == remedy.All {
		return s.Text
	}
	switch x.to {
	case remedy.ReportOnly:
		return "let " + name + " report what it would do, and do nothing"
	case remedy.Pilot:
		return "put " + name + " in force for the pilot"
	}
	return "put " + name + " in force for " + string(x.to) + " of the accounts"
}

func quoted(name string) string { return `"` + name + `"` }

// twinName marks what the plan makes: a lost answer is found by it and by its content.
func twinName(p *remedy.Plan, name string) string {
	const limit = 256 // of a display name
	head, tail := "Partnerguard stage: ", " ["+p.ID+"]"
	for len(head)+len(name)+len(tail) > limit {
		runes := []rune(name)
		name = string(runes[:len(runes)-1])
	}
	return head + name + tail
}

// form is the policy as a stage has it; nil where nothing goes through the stages.
func (x *expansion) form(s *stagedStep, stage remedy.Stage) remedy.Object {
	if stage == "" {
		return s.Before
	}
	if stage == remedy.All && !s.twin || !s.holds && !s.twin {
		return s.After
	}
	var p map[string]any
	_ = json.Unmarshal(s.After, &p) // it was read before
	if s.twin {
		p["displayName"] = twinName(x.plan, s.Name)
	}
	if stage == remedy.ReportOnly {
		p["state"] = string(access.ReportOnly)
	} else {
		x.only(p, s, stage)
	}
	return canonical(remedy.Policy, p)
}

// only lets a policy include the groups of a stage and nobody else. What it excludes stays.
func (x *expansion) only(p map[string]any, s *stagedStep, stage remedy.Stage) {
	users := map[string]any{}
	for name, v := range member(p, "conditions", "users") {
		if !strings.HasPrefix(name, "include") {
			users[name] = v
		}
	}
	var groups []any
	for _, g := range groupsAt(x.plan, stage) {
		groups = append(groups, "{"+g+s.group+"}")
	}
	users["includeGroups"] = groups
	conditions := map[string]any{}
	for name, v := range member(p, "conditions") {
		conditions[name] = v
	}
	conditions["users"] = users
	p["conditions"] = conditions
}
