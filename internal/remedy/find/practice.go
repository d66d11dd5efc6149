package find

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/partner"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
)

// The goals that bring practices about and are no requirements.
const (
	goalResistant = "phishing-resistant-admins"
	goalConsent   = "app-consent"
	goalGuests    = "guest-access"
	goalApps      = "spare-apps"
	goalLeavers   = "leavers"
	goalGlobals   = "few-globals"
	goalDevices   = "healthy-devices"
	goalStations  = "workstations"
)

// practiceGoals are the goals by which settings bring practices about, by the practice's id.
// What is not in it is another command's or a person's.
var practiceGoals = map[string]string{
	"P04": "mfa-every-user", "P07": goalResistant, "P08": "risk-based-access", "P09": "legacy-blocked", "P11": goalConsent, "P12": goalApps,
	"P15": goalGlobals, "P16": goalLeavers, "P25": goalDevices, "P26": goalStations,
}

// PracticeGoal is the goal by which settings bring a practice about; "" where none do.
func PracticeGoal(id string) string { return practiceGoals[strings.ToUpper(id)] }

// meant is what settings are asked for to meet something: for a practice its goal's own
// requirement, with the changes that a judge proposes for that.
func (f *finder) meant(u *Unmet) *Unmet {
	word := PracticeGoal(u.ID)
	if word == "" {
		return u
	}
	out := &Unmet{ID: word}
	for i := range f.Unmet {
		if o := &f.Unmet[i]; o.ID == word || aim(o.ID) != "" && aim(o.ID) == aim(word) {
			out.Changes, out.Until = o.Changes, o.Until
		}
	}
	return out
}

// beside is the way by settings that are no policies: what the plan's steps say.
func (f *finder) beside(u *Unmet) []Choice {
	word := PracticeGoal(u.ID)
	if word == "" || ofPolicy(word) {
		return nil
	}
	b := &builder{finder: f, plan: &remedy.Plan{ID: "00000000", Goal: u.ID, Serves: []string{u.ID}}}
	if b.word(Goal{ID: word}) != nil {
		return nil
	}
	var changes []access.Change
	n := 0
	for i := range b.plan.Steps {
		s := &b.plan.Steps[i]
		changes = append(changes, access.Change{Text: s.Text})
		if s.Do != remedy.Ask {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return []Choice{{Way: print.Sentence(wordsOf(changes)), Goal: u.ID, Objects: n, Check: cmp.Or(u.Check, "partnerguard practices "+u.ID), Unweighed: true}}
}

// byPerson plans for a practice that no setting brings about: the steps of a person, with
// what shows that they were done. Where another command does it, that is said instead.
func (b *builder) byPerson(id string) error {
	u := Unmet{ID: id}
	for i := range b.Unmet {
		if b.Unmet[i].ID == id {
			u = b.Unmet[i]
		}
	}
	p, _ := partner.FindPractice(id)
	switch {
	case u.Command != "":
		return problem.New(problem.NotFound, "no setting decides %s (%s)", id, p.Title).WithHint("%s: %s", elsewhere(&u).Way, u.Command)
	case len(u.Steps) == 0:
		return problem.New(problem.NotFound, "nothing is to be done for %s (%s): it is not unmet", id, p.Title).
			WithHint("partnerguard practices %s says how it stands", id)
	}
	b.ask(p.Title, "bring about "+id+": "+p.Title, append(b.about(&u), u.Steps...), u.Check)
	return nil
}

// mostAbout bounds what a task names: a task has 200 lines at most.
const mostAbout = 50

// about names what the steps of a person are about, so that a plan says it by itself: accounts
// with the roles that they hold. What is not known yet is found out first.
func (b *builder) about(u *Unmet) (out []string) {
	if u.Settles != "" && u.Verdict == "unknown" && !slices.Contains(u.Steps, u.Settles) {
		out = append(out, "find out first what is not known yet: "+u.Settles)
	}
	for _, a := range u.About[:min(len(u.About), mostAbout)] {
		line := a.Name
		if a.ID != "" && a.ID != a.Name {
			line += " (" + a.ID + ")"
		}
		if a.Why != "" {
			line += ": " + a.Why
		}
		if roles := b.rolesOf(a.ID); len(roles) > 0 {
			line += "; by an assignment of its own: " + strings.Join(roles, ", ")
		}
		out = append(out, remedy.About+print.Clean(line, print.MaxSaying))
	}
	if more := u.More + max(len(u.About)-mostAbout, 0); more > 0 {
		out = append(out, fmt.Sprintf("%s%d more: %s", remedy.About, more, cmp.Or(u.Check, "partnerguard practices "+u.ID)))
	}
	return out
}

// rolesOf are the roles that an account holds by assignments that were read, with where.
func (b *builder) rolesOf(id string) (out []string) {
	for _, key := range slices.Sorted(maps.Keys(b.Objects[remedy.Role])) {
		var is assignment
		if id == "" || json.Unmarshal(b.Objects[remedy.Role][key].Raw, &is) != nil || !strings.EqualFold(is.Principal, id) {
			continue
		}
		role := b.Tenant.RoleName(is.Role)
		if is.Scope != "" && is.Scope != "/" {
			role += " over " + is.Scope
		}
		out = append(out, role)
	}
	return out
}

// ask adds a person's step. text is a sentence without a full stop.
func (b *builder) ask(name, text string, do []string, check string) {
	b.plan.Steps = append(b.plan.Steps, remedy.Step{Do: remedy.Ask, Kind: remedy.Person, Name: name, Text: strings.TrimSuffix(text, "."),
		Serves: b.plan.Serves, Task: &remedy.Task{Do: do, Check: check}})
}

// ofPolicy reports a goal that one policy of its own meets.
func ofPolicy(goal string) bool {
	return goal == goalResistant || goal == goalDevices || goal == goalStations
}

// policyGoal plans for a goal that one policy meets, with what has to be done for it first.
func (b *builder) policyGoal(goal Goal) error {
	b.serve(goal.ID)
	if question, is := b.decided(&Unmet{ID: goal.ID}); is && goal.Devices == "" {
		return b.nothing(b.unmet(b.plan.Goal), question)
	}
	if goal.Variant != "" && goal.Variant != byPolicy {
		return problem.New(problem.Usage, "there is no way %.40q to meet %s", goal.Variant, b.plan.Goal).WithHint("leave --way out: there is one")
	}
	list := b.policyOf(goal.ID, goal.Devices)
	switch {
	case len(list) == 0 && goal.ID == goalDevices:
		return problem.New(problem.NotFound, "which groups work at customers was not read").
			WithHint("read the access assignments of each relationship: GET /tenantRelationships/delegatedAdminRelationships/ID/accessAssignments")
	case goal.ID == goalResistant:
		if err := b.passkeys(); err != nil {
			return err
		}
	case goal.ID == goalStations:
		b.ask("Workstations", "mark the devices on which privileged work is done", []string{
			"choose the devices that serve privileged work alone",
			"mark each so that the rule takes it, for example PATCH /devices/ID {\"extensionAttributes\":{\"extensionAttribute1\":\"SAW\"}}: " +
				stationRule(goal.Devices)}, "GET /devices?$select=displayName,extensionAttributes lists exactly those")
		b.plan.Steps[len(b.plan.Steps)-1].First = true
	}
	return b.candidate(list[0])
}

// policyOf is the one policy of a goal; none where it cannot be said for whom it is.
func (f *finder) policyOf(goal, devices string) []candidate {
	c := candidate{variant: byPolicy, base: f.withoutDefaults()}
	p := &access.Policy{State: access.Enabled}
	p.Conditions.Applications.IncludeApplications = []string{"All"}
	p.Conditions.ClientAppTypes = []string{"all"}
	switch goal {
	case goalResistant:
		p.DisplayName = "Partner practice: phishing-resistant MFA for administrators"
		f.administrators(p)
		p.GrantControls = &access.GrantControls{Operator: "OR", Strength: f.resistant()}
		c.question, c.words = goalResistant, "Add a policy that asks every administrator for phishing-resistant MFA"
	case goalDevices:
		p.DisplayName = "Partner practice: healthy devices for customers' work"
		for _, g := range f.Reach {
			p.Conditions.Users.IncludeGroups = append(p.Conditions.Users.IncludeGroups, g.ID)
		}
		if len(f.Reach) == 0 {
			return nil
		}
		p.GrantControls = &access.GrantControls{Operator: "OR", BuiltInControls: []string{"compliantDevice", "domainJoinedDevice"}}
		c.words = fmt.Sprintf("Add a policy that lets the members of %s that work at customers in from healthy devices alone", groupWords(f.Reach))
	case goalStations:
		p.DisplayName = "Partner practice: workstations for privileged work"
		f.administrators(p)
		for i := range f.Tenant.Users { // a workstation may be lost
			if u := &f.Tenant.Users[i]; u.BreakGlass && !u.Unidentified {
				p.Conditions.Users.ExcludeUsers = append(p.Conditions.Users.ExcludeUsers, strings.ToLower(u.ID))
			}
		}
		p.Conditions.Devices.Items = []access.DeviceCondition{filterOf("exclude", stationRule(devices))}
		p.GrantControls = &access.GrantControls{Operator: "OR", BuiltInControls: []string{"block"}}
		c.words = "Add a policy that blocks administrators but from workstations that are marked"
	default:
		return nil
	}
	c.added, c.words = append(f.inPlace(), p), c.words+f.inPlaceWords()
	return []candidate{c}
}

func filterOf(mode, rule string) (d access.DeviceCondition) {
	raw, _ := json.Marshal(map[string]any{"deviceFilter": map[string]string{"mode": mode, "rule": rule}}) // texts alone
	_ = json.Unmarshal(raw, &d)                                                                           // as it was written
	return d
}

// stationRule is the rule of Microsoft's example where nobody gives another (Conditional
// Access, filter for devices).
func stationRule(rule string) string { return cmp.Or(rule, `device.extensionAttribute1 -eq "SAW"`) }

func groupWords(list []Group) string {
	if len(list) == 1 {
		return "the group " + list[0].Name
	}
	return fmt.Sprintf("%d groups", len(list))
}

// sorted puts ids in order, each once.
func sorted(ids []string) []string {
	slices.Sort(ids)
	return slices.Compact(ids)
}
