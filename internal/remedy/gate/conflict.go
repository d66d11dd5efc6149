package gate

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/evidence"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/object"
)

var keyIn = regexp.MustCompile(`\{[a-z][a-z0-9-]{0,39}\}`)

// conflicts finds what Microsoft would refuse, and steps that do not go together.
func (l *look) conflicts() {
	w := newWorld(l.Tenant, l.moves, l.IDs)
	made := map[string]string{}
	for k, id := range l.IDs {
		made[k] = id
	}
	for i := range l.moves {
		m := &l.moves[i]
		l.conflict(w, m)
		l.written(m, made)
		if m.Key != "" {
			made[m.Key] = "00000000-0000-4000-8000-000000000001" // of the right form; which it is does not matter here
		}
		if w.apply(m) != nil {
			return // told by whoever makes the settings
		}
	}
	l.keys()
}

func (l *look) clash(m *Move, what, text string, ways ...string) {
	l.add(remedy.Finding{Kind: remedy.Conflicts, Step: m.Of, Subject: m.Name, SubjectID: m.ID, Text: text, WaysOut: ways}, what+m.Key)
}

// conflict looks at one move against the settings as they are then.
func (l *look) conflict(w *world, m *Move) {
	name := quoted(m.Name)
	switch {
	case m.Kind == remedy.Policy && m.Do != remedy.Delete:
		l.policy(w, m)
	case m.Kind == remedy.Defaults:
		d := &access.SecurityDefaults{}
		if w.read(m, m.After, d) != nil || !d.IsEnabled.True() {
			return
		}
		for _, p := range w.t.Policies {
			if p.Enforced() && !p.Conditions.Workload {
				l.clash(m, "defaults", "Microsoft refuses security defaults while a policy is on, and "+quoted(p.DisplayName)+" is",
					"turn the policies off first, in an earlier step")
				return
			}
		}
	case m.Kind == remedy.Location && m.Do == remedy.Delete:
		for _, p := range w.t.Policies {
			if names(p, w.id(m)) {
				l.clash(m, "named", "Microsoft refuses to delete "+name+" while a policy names it, and "+quoted(p.DisplayName)+" does",
					"take it out of the policy first, in an earlier step")
				return
			}
		}
		if at := slices.IndexFunc(w.t.Locations, func(n *access.NamedLocation) bool { return strings.EqualFold(n.ID, w.id(m)) }); at >= 0 &&
			w.t.Locations[at].IsTrusted.True() {
			l.clash(m, "trusted", "Microsoft refuses to delete "+name+" while it is trusted", "clear isTrusted first, in an earlier step")
		}
	case m.Kind == remedy.Strength && m.Do == remedy.Delete:
		for _, p := range w.t.Policies {
			if g := p.GrantControls; g != nil && g.Strength != nil && strings.EqualFold(g.Strength.ID, w.id(m)) {
				l.clash(m, "strength", "Microsoft refuses to delete "+name+" while a policy asks for it, and "+quoted(p.DisplayName)+" does",
					"let the policy ask for another strength first")
				return
			}
		}
	}
}

// names reports a policy that names a location.
func names(p *access.Policy, location string) bool {
	for _, c := range p.Conditions.Locations.Items {
		for _, id := range slices.Concat(c.IncludeLocations, c.ExcludeLocations) {
			if strings.EqualFold(id, location) {
				return true
			}
		}
	}
	return false
}

// policy looks at a policy that is made or changed.
func (l *look) policy(w *world, m *Move) {
	list, err := access.ParsePolicies([]byte(w.keys.Replace(string(m.After))), 1)
	if err != nil {
		l.clash(m, "form", "what the policy is to be cannot be read: "+err.Error())
		return
	}
	p := list[0]
	if len(p.Unsupported) > 0 && p.MayBeEnforced() {
		l.clash(m, "unknown", "the policy says what is not understood here ("+strings.Join(p.Unsupported, ", ")+"), so that what it does cannot be said",
			"change it in the Entra admin centre")
	}
	if p.GrantControls == nil && !p.Sessions() {
		l.clash(m, "grant", "Microsoft refuses a policy that neither grants, blocks nor controls the session", "say what it asks for")
	}
	if !p.MayBeEnforced() {
		return
	}
	enforced := slices.ContainsFunc(w.t.Policies, func(o *access.Policy) bool { return o.Enforced() && !o.Conditions.Workload })
	switch {
	case w.t.Defaults.On():
		l.clash(m, "defaults", "Microsoft refuses a policy that is on while security defaults are",
			"turn security defaults off first, in an earlier step of this plan")
	case w.t.Defaults == nil && !enforced:
		l.add(remedy.Finding{Kind: remedy.Unknown, Text: "whether security defaults are on is not known, and Microsoft refuses policies while they are",
			Settles: evidence.RequestFor(evidence.SecurityDefaults)}, "defaults")
	}
}

// written refuses what would not be written: a value that is not known, an object that is
// not of its kind.
func (l *look) written(m *Move, made map[string]string) {
	if m.Kind == remedy.Person {
		return
	}
	if _, err := object.ToRequest(&m.Step, made); err != nil {
		l.clash(m, "write", "the step cannot be written: "+err.Error())
	}
}

// keys refuses keys that nothing makes, and what is made for a use that it never has.
func (l *look) keys() {
	makes, uses := map[string]int{}, map[string]int{}
	for i := range l.Plan.Steps {
		s := &l.Plan.Steps[i]
		if s.Key != "" {
			makes["{"+s.Key+"}"] = i
		}
		for _, k := range keyIn.FindAllString(s.ID+" "+string(s.Before)+" "+string(s.After), -1) {
			uses[k] = i
		}
	}
	for k, i := range uses {
		s := &l.Plan.Steps[i]
		if _, ok := makes[k]; !ok && l.IDs[strings.Trim(k, "{}")] == "" {
			l.clash(&Move{Of: s.N, Step: *s}, "key "+k, fmt.Sprintf("it says %s, and no step makes that", k))
		}
	}
	for k, i := range makes {
		s := &l.Plan.Steps[i]
		if _, ok := uses[k]; !ok && (s.Kind == remedy.Location || s.Kind == remedy.Strength || s.Kind == remedy.Group) {
			l.clash(&Move{Of: s.N, Step: *s}, "unused "+k, fmt.Sprintf("it makes %s, and no step uses it", k),
				"leave the step out, or name it where it is meant")
		}
	}
}

// licences refuses what the tenant has no licence for.
func (l *look) licences() {
	p1, p2 := 0, 0
	for i := range l.moves {
		m := &l.moves[i]
		if m.Kind != remedy.Policy || m.Do == remedy.Delete {
			continue
		}
		if p1 == 0 {
			p1 = m.Of
		}
		if list, err := access.ParsePolicies(m.After, 1); err == nil && p2 == 0 &&
			len(list[0].Conditions.SignInRiskLevels)+len(list[0].Conditions.UserRiskLevels)+len(list[0].Conditions.InsiderRisk) > 0 {
			p2 = m.Of
		}
	}
	need := func(step int, has bool, what, for_ string) {
		switch {
		case step == 0:
		case !l.Licences.Known:
			l.add(remedy.Finding{Kind: remedy.Unknown, Step: step, Text: "whether the tenant has " + what + ", which " + for_ + " needs, is not known",
				Settles: evidence.RequestFor(evidence.SubscribedSku)}, what)
		case !has:
			l.add(remedy.Finding{Kind: remedy.Licence, Step: step, Text: "the tenant has no " + what + ", which " + for_ + " needs",
				WaysOut: []string{"buy it for everybody the policy is for", "or turn on security defaults, which need no licence"}}, what)
		}
	}
	need(p1, l.Licences.P1, "Entra ID P1", "Conditional Access")
	need(p2, l.Licences.P2, "Entra ID P2", "a condition on risk")
}

// lasting tells what cannot be taken back, and what a person has to do.
func (l *look) lasting() {
	for i := range l.moves {
		switch m := &l.moves[i]; {
		case m.Undo == remedy.Irreversible:
			l.add(remedy.Finding{Kind: remedy.Lasts, Step: m.Of, Subject: m.Name, SubjectID: m.ID, Text: m.Text + ": this cannot be taken back"}, "lasts")
		case m.Kind == remedy.Person:
			l.add(remedy.Finding{Kind: remedy.Tells, Step: m.Of, Subject: m.Name, Text: "a person has to do it: " + m.Text}, fmt.Sprint("person ", m.Of))
		}
	}
}
