package access

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
)

// Lifetime is a sign-in frequency: how long after an interactive sign-in a
// client may go on without a person.
type Lifetime struct {
	ID     string `json:"id"`
	Policy string `json:"policy"`
	App    string `json:"app"` // of those asked about, the one it applies to most surely
	// Every is the longest time since the sign-in. For a policy that asks every
	// time it is the five minutes that Entra ID grants for one and the same
	// sign-in (K); zero when it cannot be read.
	Every     time.Duration `json:"every"`
	EveryTime bool          `json:"everyTime,omitempty"`
	Applies   string        `json:"applies"`         // yes, perhaps
	Hangs     string        `json:"hangs,omitempty"` // what it hangs on, for perhaps
	Changed   time.Time     `json:"changed,omitzero"`
}

// Refusal is a policy that turns a client away that nobody sits at, however
// young and strong the sign-in behind its refresh token.
type Refusal struct {
	ID      string    `json:"id"`
	Policy  string    `json:"policy"`
	App     string    `json:"app"`
	Demands string    `json:"demands"` // what it asks for
	Applies string    `json:"applies"`
	Hangs   string    `json:"hangs,omitempty"`
	Changed time.Time `json:"changed,omitzero"`
}

// everyTime is how old a sign-in may be that a policy wants every time (K).
const everyTime = 5 * time.Minute

// Lifetimes answers which sign-in frequencies end the refresh tokens of a
// subject at a client, asked for any of the apps, shortest first; those whose
// length cannot be read come last. What s leaves open (place, platform) may be
// anything: a policy that takes some of it applies perhaps. The subject's
// eligible roles are such a thing too. Without apps it is any app that a policy
// tells from others.
func (e *Engine) Lifetimes(s SignIn, apps []string) []Lifetime {
	out := []Lifetime{}
	e.quiet(s, apps, func(i int, app string, t tri, hangs string) {
		c := e.policies[i].SessionControls
		if c == nil || c.SignInFrequency == nil {
			return
		}
		l, ok := c.SignInFrequency.lifetime()
		if !ok {
			return
		}
		if l.Hangs != "" {
			t, hangs = maybe, l.Hangs
		}
		l.ID, l.Policy, l.App, l.Changed = e.policies[i].ID, e.policies[i].DisplayName, app, e.changed(i)
		l.Applies, l.Hangs = appliesWord(t), hangs
		out = append(out, l)
	})
	slices.SortStableFunc(out, func(a, b Lifetime) int {
		return cmp.Or(cmp.Compare(unread(a.Every), unread(b.Every)), cmp.Compare(b.Applies, a.Applies), cmp.Compare(a.ID, b.ID))
	})
	return out
}

func unread(d time.Duration) time.Duration {
	if d <= 0 {
		return 1<<63 - 1
	}
	return d
}

// lifetime reads a sign-in frequency; false when it is off.
func (f *SignInFrequency) lifetime() (l Lifetime, on bool) {
	if f.IsEnabled.False() {
		return l, false
	}
	if !f.IsEnabled.Set {
		if !f.Value.Set && f.Interval == "" {
			return l, false
		}
		l.Hangs = "whether its sign-in frequency is on"
	}
	switch strings.ToLower(string(f.Interval)) {
	case "everytime":
		l.Every, l.EveryTime = everyTime, true
		return l, true
	case "", "timebased":
	default:
		l.Hangs = fmt.Sprintf("what the interval %q means", f.Interval)
	}
	unit := time.Hour
	switch strings.ToLower(string(f.Type)) {
	case "hours":
	case "days":
		unit = 24 * time.Hour
	default:
		l.Hangs = fmt.Sprintf("what the unit %q means", f.Type)
	}
	const most = 10 * 365 * 24 // in either unit: no overflow, and as good as never
	if !f.Value.Set || f.Value.Value <= 0 || f.Value.Value > most {
		l.Hangs = "how long its sign-in frequency is"
		return l, true
	}
	l.Every = time.Duration(f.Value.Value) * unit
	return l, true
}

// Refusals answers which policies turn away a subject's client that asks with a
// refresh token whose sign-in had MFA and nobody at it: blocks, and controls
// that only a device or a person meets. s and apps are those of
// [Engine.Lifetimes]; device facts that s does not know count as not there.
func (e *Engine) Refusals(s SignIn, apps []string) []Refusal {
	out := []Refusal{}
	e.quiet(s, apps, func(i int, app string, t tri, hangs string) {
		refuses, demands, why := e.refuses(i, &s)
		if refuses == no {
			return
		}
		if refuses == maybe {
			hangs = cmp.Or(why, hangs)
		}
		out = append(out, Refusal{
			ID: e.policies[i].ID, Policy: e.policies[i].DisplayName, App: app, Demands: demands,
			Applies: appliesWord(t.and(refuses)), Hangs: hangs, Changed: e.changed(i),
		})
	})
	slices.SortStableFunc(out, func(a, b Refusal) int { return cmp.Or(cmp.Compare(b.Applies, a.Applies), cmp.Compare(a.ID, b.ID)) })
	return out
}

func appliesWord(t tri) string {
	if t == yes {
		return "yes"
	}
	return "perhaps"
}

func (e *Engine) changed(i int) time.Time {
	p := e.policies[i]
	if p.Modified.Set {
		return p.Modified.Time
	}
	return p.CreatedDateTime.Time
}

// refuses says whether the grant of policy i, where it applies, turns away a
// client that nobody sits at, with what it asks for and what that hangs on.
func (e *Engine) refuses(i int, s *SignIn) (answer tri, demands, hangs string) {
	p, d := e.policies[i], &e.demands[i]
	demands = d.text()
	if d.block {
		return yes, demands, ""
	}
	answer = no
	if c := p.SessionControls; c != nil && c.TokenProtection != nil && !c.TokenProtection.IsEnabled.False() && c.TokenProtection.IsEnabled.Set {
		answer, demands, hangs = maybe, "token protection", "whether this kind of app is held to token protection"
	}
	g := p.GrantControls
	if g == nil {
		return answer, demands, hangs
	}
	and, asked := g.all(), g.controls()
	met, unmet, open := no, no, false // by some control; some control that is not; MFA among them
	put := func(t tri) { met, unmet = met.or(t), unmet.or(t.not()) }
	for _, c := range asked {
		axis := ""
		switch c {
		case ControlMFA, ControlPasswordChange: // a change of password is for users at risk
			open = true
			put(yes)
			continue
		case ControlRiskRemediation:
			hangs = "whether the account's risk is remedied"
			put(maybe)
			continue
		case ControlCompliantDevice:
			axis = AxisCompliant
		case ControlDomainJoined:
			axis = AxisJoined
		case ControlApprovedApp:
			axis = AxisApprovedApp
		case ControlProtectedApp:
			axis = AxisProtectedApp
		}
		put(triOf(axis != "" && s.Device[axis]))
	}
	strength := no
	if d.strength != nil {
		if strings.EqualFold(d.strength.ID, entra.StrengthMFA) {
			put(yes)
		} else {
			strength = yes
			put(maybe)
		}
	}
	t := unmet // AND, and one control alone
	if !and {
		t = met.not()
		if open {
			t = no
		}
	}
	if t == no {
		return answer, demands, hangs
	}
	if t == maybe && strength == yes {
		hangs = "whether the sign-in met the authentication strength " + cmp.Or(d.strength.DisplayName, d.strength.ID)
		return maybe, d.text(), hangs
	}
	if t == yes && len(asked) == 0 && d.strength == nil {
		return answer, demands, hangs // no control at all
	}
	return t, d.text(), hangs
}

// quiet visits every policy that is on and applies, or may, to a sign-in for
// one of the apps, once, with the app it applies to most surely.
func (e *Engine) quiet(s SignIn, apps []string, visit func(i int, app string, t tri, hangs string)) {
	if len(apps) == 0 {
		apps = slices.DeleteFunc(slices.Clone(e.appKeys), func(k string) bool { return slices.Contains(knownActions, k) })
	}
	type found struct {
		app   string
		t     tri
		hangs string
	}
	best := map[int]found{}
	sure, could := e.mask(), e.mask()
	look := func(app string, p Point, role string) {
		e.match(p, sure, could)
		could.each(func(i int) {
			pol := e.policies[i]
			if pol.Conditions.Workload || !pol.Enforced() || strings.HasPrefix(pol.ID, "partnerguard:") {
				return
			}
			f := found{app, yes, ""}
			if !sure.has(i) {
				f.t, f.hangs = maybe, e.leftOut(i, p)
			}
			if role != "" {
				f.t, f.hangs = maybe, "applies to "+role
			}
			if old, ok := best[e.origin[i]]; !ok || f.t > old.t {
				best[e.origin[i]] = f
			}
		})
	}
	for _, app := range apps {
		s.App = app
		p := e.Point(&s)
		look(app, p, "")
		for v := range e.variants {
			if i := len(e.tenant.Users) + v; e.variants[v].account == s.User && i != s.User {
				q := p
				q.User = i
				look(app, q, e.variants[v].Name)
			}
		}
	}
	for i, pol := range e.policies {
		if e.origin[i] != i {
			continue
		}
		// What is not understood may also widen whom a policy takes: as in Decide,
		// nothing leaves it out.
		if e.unsupported.has(i) && pol.Enforced() && !strings.HasPrefix(pol.ID, "partnerguard:") {
			best[i] = found{apps[0], maybe, "what is not understood of it: " + pol.misread()}
		}
		if f, ok := best[i]; ok {
			visit(i, f.app, f.t, f.hangs)
		}
	}
}
