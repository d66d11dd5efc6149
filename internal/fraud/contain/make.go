//go:build !judge

package contain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/fraud"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// Ask says what a plan shall be of.
type Ask struct {
	Alert      string        // its id, or the beginning of one
	Before     time.Duration // how long before the alert's first sign what is new is suspected; 0 is 14 days
	Everything bool          // also what is older is stopped
	Cancel     bool          // the plan's last step cancels the subscription
	Suspend    bool          // the plan's last step suspends the whole Azure plan
	OnlyEnd    bool          // nothing but these two
	Budget     int64         // a spending budget to set, in whole units of the customer's currency; 0 none
	Connection string        // by which it is done; "" the usual one
}

// defaultBefore is how long an intruder is taken to have been there before the first sign.
const defaultBefore = 14 * 24 * time.Hour

// maker makes one plan.
type maker struct {
	c     *Cloud
	p     *Plan
	scene Scene
	alert fraud.Alert
	ask   *Ask
	now   time.Time
	found found
	names map[string]string // of principals
	r     rights
}

// Plan reads what is there at this moment and makes a plan, which is kept so that what is
// applied is known to be of it. Nothing is changed at Microsoft.
func (c *Containment) Plan(ctx context.Context, a Ask) (Plan, error) {
	if c.d.Marks == nil {
		return Plan{}, errNoVault()
	}
	if c.d.Alert == nil || c.d.Cloud == nil {
		return Plan{}, problem.New(problem.Unavailable, "there is no way to Microsoft here").WithHint("partnerguard connect")
	}
	alert, err := c.d.Alert(ctx, a.Alert)
	if err != nil {
		return Plan{}, err
	}
	customer, sub := strings.ToLower(alert.Customer), strings.ToLower(alert.Subscription)
	if !guid.MatchString(customer) || !guid.MatchString(sub) {
		return Plan{}, problem.New(problem.BadInput, "the alert %.60q names no customer or no subscription", alert.ID).
			WithHint("look at it: partnerguard fraud show %s", print.Clean(alert.ID, 60))
	}
	cloud, err := c.d.Cloud(ctx, a.Connection, customer)
	if err != nil {
		return Plan{}, err
	}
	m := &maker{c: cloud, alert: alert, ask: &a, now: c.now(), names: map[string]string{}}
	if c.d.Scene != nil {
		if m.scene, err = c.d.Scene(ctx, alert.ID); err != nil && !errors.Is(err, problem.NotFound) {
			return Plan{}, err
		}
	}
	m.r = rights{c: cloud, sub: "/subscriptions/" + sub, held: map[string]allowed{}, said: map[string]Held{}}
	m.p = &Plan{Version: 1, Cloud: c.d.Name, Partner: strings.ToLower(cloud.Self.Tenant), Customer: customer, Name: print.Clean(alert.CustomerName, print.MaxName),
		Alert: alert.ID, Subscription: sub, Connection: cloud.Self.Connection, As: print.Clean(cloud.Self.UPN, print.MaxName), Made: m.now}
	m.p.Since = m.since()
	if err := m.make(ctx); err != nil {
		return Plan{}, err
	}
	if len(m.p.Steps) == 0 {
		return *m.p, nil
	}
	return *m.p, c.keepPlan(ctx, m.p)
}

// since is the moment from which what is new is suspected.
func (m *maker) since() time.Time {
	first := m.now
	for _, t := range []time.Time{m.alert.Detected, m.alert.First, m.scene.Since} {
		if !t.IsZero() && t.Before(first) {
			first = t
		}
	}
	before := m.ask.Before
	if before <= 0 {
		before = defaultBefore
	}
	return first.Add(-before).UTC().Truncate(time.Second)
}

// make fills the plan.
func (m *maker) make(ctx context.Context) error {
	steps := []func(context.Context) error{m.people, m.credentials, m.roles, m.resources, m.quotas, m.budget, m.end}
	if m.ask.OnlyEnd {
		steps = []func(context.Context) error{m.end}
	} else {
		s := &scanner{c: m.c, sub: "/subscriptions/" + m.p.Subscription, since: m.p.Since, now: m.now}
		if err := s.read(ctx); err != nil {
			return err
		}
		if err := s.readKeys(ctx); err != nil {
			return err
		}
		m.found = s.out
	}
	for _, do := range steps {
		if err := do(ctx); err != nil {
			return err
		}
	}
	m.tell()
	p := m.p
	slices.SortStableFunc(p.Steps, func(a, b Step) int { return a.Kind.rank() - b.Kind.rank() })
	if len(p.Steps) > maxSteps {
		p.Told = append(p.Told, fmt.Sprintf("%d more things run than a plan takes: apply this one, and make another", len(p.Steps)-maxSteps))
		p.Steps = p.Steps[:maxSteps]
	}
	p.Told = p.Told[:min(len(p.Told), maxTold)]
	for i := range p.Steps {
		p.Steps[i].ID = p.Steps[i].id()
	}
	p.Seen = hashOf(m.found.all)[:16]
	p.ID = p.id()
	if len(p.Steps) == 0 {
		return nil
	}
	return p.Check()
}

// add puts a step into the plan, unless it would lock somebody out.
func (m *maker) add(ctx context.Context, s Step) error {
	l := levers[s.Kind]
	s.Phase, s.Undo, s.Danger, s.How = l.phase, l.undo, l.danger, l.how
	if s.Tenant == "" {
		s.Tenant = m.p.Customer
	}
	s.Why, s.Stops = print.Clean(s.Why, print.MaxSaying), print.Clean(s.Stops, print.MaxSaying)
	for i := range m.p.Steps {
		if x := &m.p.Steps[i]; x.Kind == s.Kind && strings.EqualFold(x.Target, s.Target) && x.Key == s.Key {
			return nil
		}
	}
	if err := m.c.guard(ctx, m.p.Steps, &s); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		words := fmt.Sprintf("not in this plan: %s %s: %s", l.words, s.Name, err.Error())
		if hint := problem.HintOf(err); hint != "" {
			words += " → " + hint
		}
		m.told(words)
		return nil
	}
	m.r.set(ctx, &s)
	m.p.Steps = append(m.p.Steps, s)
	return nil
}

func (m *maker) told(words string) {
	words = print.Clean(words, print.MaxSaying)
	if !slices.Contains(m.p.Told, words) {
		m.p.Told = append(m.p.Told, words)
	}
}

// suspect is somebody who is stopped first.
type suspect struct {
	tenant, id, app, why string
}

// suspects are the actors of the inquiry, and who holds or made new roles in Azure.
func (m *maker) suspects() (out []suspect) {
	add := func(s suspect) {
		if s.tenant == "" {
			s.tenant = m.p.Customer
		}
		s.tenant, s.id = strings.ToLower(s.tenant), strings.ToLower(s.id)
		if s.tenant != m.p.Customer && s.tenant != m.p.Partner {
			m.told("somebody of another tenant acted (" + s.tenant + ", " + s.id + "): whoever owns that tenant can stop it")
			return
		}
		for i := range out {
			if out[i].id == s.id && out[i].app == s.app {
				return
			}
		}
		out = append(out, s)
	}
	for _, a := range m.scene.Actors {
		if a.ID != "" || a.App != "" {
			add(suspect{a.Tenant, a.ID, strings.ToLower(a.App), first(a.Words, "it acted in the attack, as the inquiry found")})
		}
	}
	for i := range m.found.roles {
		r := &m.found.roles[i]
		if !m.newRole(r) {
			continue
		}
		since := r.created.UTC().Format(time.DateTime)
		if !strings.EqualFold(r.kind, "Group") {
			add(suspect{"", r.principal, "", "it got the role " + azureRole(r.definition) + " at " + since})
		}
		if guid.MatchString(r.by) && r.by != r.principal {
			add(suspect{"", r.by, "", "it gave the role " + azureRole(r.definition) + " to " + r.principal + " at " + since})
		}
	}
	return out
}

func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

// newRole says that an assignment is suspected.
func (m *maker) newRole(r *role) bool {
	if strings.EqualFold(r.kind, foreignGroup) || !strings.HasPrefix(strings.ToLower(r.id), "/subscriptions/") {
		return false
	}
	return !r.created.Before(m.p.Since) || slices.Contains(m.scene.Things, strings.ToLower(r.id))
}

func azureRole(id string) string {
	switch id {
	case azureOwner:
		return "Owner"
	case azureContributor:
		return "Contributor"
	case azureAccess:
		return "User Access Administrator"
	}
	return id
}

// people stops who could start things again.
func (m *maker) people(ctx context.Context) error {
	for _, s := range m.suspects() {
		g := m.c.graph(s.tenant)
		if g == nil {
			m.told("the directory of " + s.tenant + " cannot be reached: " + s.id + " is not stopped")
			continue
		}
		if s.id == "" {
			if err := m.appOf(ctx, g, &s); err != nil || s.id == "" {
				if err != nil {
					return err
				}
				continue
			}
		}
		if !guid.MatchString(s.id) {
			continue
		}
		a, err := readAccount(ctx, g, userPath(s.id))
		if err == nil {
			name := print.Clean(first(a.UPN, a.Name, s.id), print.MaxName)
			m.names[s.id] = name
			if err := m.add(ctx, Step{Kind: RevokeSessions, Target: s.id, Tenant: s.tenant, Name: name, Why: s.why,
				Stops: name + " is signed out everywhere within minutes to an hour, and has to sign in again"}); err != nil {
				return err
			}
			if a.Enabled != nil && *a.Enabled {
				err = m.add(ctx, Step{Kind: DisableUser, Target: s.id, Tenant: s.tenant, Name: name, Why: s.why,
					Stops: name + " cannot sign in to anything of the tenant: mail, files and Azure; what it does by itself stops"})
			}
			if err != nil {
				return err
			}
			continue
		}
		if absent(err) {
			a, err = readAccount(ctx, g, appPath(s.id))
		}
		switch {
		case absent(err):
			m.told("nobody in the directory has the id " + s.id + " any more: " + s.why)
		case err != nil:
			m.told("who " + s.id + " is cannot be read, so that it is not stopped: " + err.Error())
		default:
			name := print.Clean(first(a.Name, s.id), print.MaxName)
			m.names[s.id] = name
			if a.Enabled != nil && !*a.Enabled {
				continue
			}
			if err := m.add(ctx, Step{Kind: DisableApp, Target: s.id, Tenant: s.tenant, Name: name, Why: s.why,
				Stops: "whatever uses the app " + name + " in this tenant gets no token any more; tokens that are out live for up to an hour, or a day for managed identities"}); err != nil {
				return err
			}
		}
	}
	return nil
}

// appOf finds the service principal of a suspect that is known by its client id.
func (m *maker) appOf(ctx context.Context, g Graph, s *suspect) error {
	if !guid.MatchString(s.app) {
		return nil
	}
	for raw, err := range g.Items(ctx, "/v1.0/servicePrincipals?$filter=appId%20eq%20'"+s.app+"'&$select=id,appId") {
		var a account
		if err != nil || json.Unmarshal(raw, &a) != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			m.told("the app " + s.app + " cannot be read, so that it is not stopped")
			return nil
		}
		if strings.EqualFold(a.App, s.app) {
			s.id = strings.ToLower(a.ID)
		}
	}
	return nil
}

func (m *maker) credentials(ctx context.Context) error {
	for _, k := range m.found.keys {
		if err := m.add(ctx, Step{Kind: RemoveCredential, Target: k.holder, Key: k.key, Name: k.name,
			Why:   "a " + k.what + " that is new since " + k.start.UTC().Format(time.DateTime),
			Stops: "whatever signs in as the app " + k.name + " with this " + k.what + "; its others stay"}); err != nil {
			return err
		}
	}
	return nil
}

func (m *maker) roles(ctx context.Context) error {
	for i := range m.found.roles {
		r := &m.found.roles[i]
		if !m.newRole(r) {
			continue
		}
		if !cleanID(r.id) || !strings.HasPrefix(r.id, "/subscriptions/"+m.p.Subscription+"/") {
			m.told("a role assignment above the subscription is not touched: " + r.id)
			continue
		}
		who := first(m.names[r.principal], r.principal)
		if err := m.add(ctx, Step{Kind: RemoveRole, Target: r.id, Name: azureRole(r.definition) + " of " + who, Before: r.before,
			Why:   "given at " + r.created.UTC().Format(time.DateTime) + by(m.names[r.by], r.by),
			Stops: who + " loses " + azureRole(r.definition) + " on " + r.scope}); err != nil {
			return err
		}
	}
	return nil
}

func by(name, id string) string {
	if n := first(name, id); n != "" {
		return " by " + n
	}
	return ""
}

// resources stops what runs.
func (m *maker) resources(ctx context.Context) error {
	older := 0
	for i := range m.found.things {
		t := &m.found.things[i]
		why := ""
		switch id := strings.ToLower(t.id); {
		case slices.Contains(m.scene.Things, id):
			why = "made in the attack, as the inquiry found"
		case m.named(id):
			why = "Microsoft's alert names it"
		case t.created.IsZero():
			why = "nobody says when it was made"
		case !t.created.Before(m.p.Since):
			why = "made at " + t.created.UTC().Format(time.DateTime)
		case m.ask.Everything:
			why = "everything that runs is to stop; it was made at " + t.created.UTC().Format(time.DateTime) + ", before the attack as far as is known"
		default:
			older++
			continue
		}
		if err := m.add(ctx, m.stop(t, why)); err != nil {
			return err
		}
	}
	if older > 0 {
		m.told(print.Plural(int64(older), "resources") + " that run are older than " + m.p.Since.Format(time.DateOnly) +
			" and named by nothing: not in this plan; --everything takes them in")
	}
	return nil
}

// named says that the alert is about a thing, or about something that holds it.
func (m *maker) named(id string) bool {
	return slices.ContainsFunc(m.alert.Resources, func(r fraud.Resource) bool {
		x := strings.ToLower(strings.TrimSuffix(r.ID, "/"))
		return strings.Count(x, "/") > 4 && (x == id || strings.HasPrefix(id, x+"/"))
	})
}

func (m *maker) stop(t *thing, why string) Step {
	s := Step{Kind: t.kind, Target: t.id, Name: t.name, Why: why, Before: t.before}
	what := map[Kind]string{StopMachine: "a machine", StopSet: print.Plural(int64(t.nodes), "machines") + " of a scale set",
		StopPool: print.Plural(int64(t.nodes), "nodes") + " of a Batch pool", StopCompute: print.Plural(int64(t.nodes), "nodes") + " of machine learning",
		StopContainers: "a container group"}[t.kind]
	words := t.name + ": " + what
	if t.size != "" {
		words += " (" + t.size + ")"
	}
	if t.place != "" {
		words += " in " + t.place
	}
	if !t.created.IsZero() {
		words += ", there for " + print.Plural(int64(m.now.Sub(t.created).Hours()), "hours")
	}
	if cost := m.scene.PerHour[strings.ToLower(t.id)]; cost > 0 {
		s.PerHour, s.Currency = cost, print.Clean(m.scene.Currency, 8)
		words += fmt.Sprintf(", %s %s an hour", strconv.FormatFloat(cost, 'f', 2, 64), s.Currency)
	} else {
		words += ", what it costs is not known"
	}
	s.Stops = words + "; who depends on it is not known: whatever it serves stops"
	for _, lock := range m.found.locks {
		if id := strings.ToLower(t.id); id == lock || strings.HasPrefix(id, lock+"/") {
			s.Why += "; a read-only lock at " + lock + " forbids it until somebody takes that away"
		}
	}
	return s
}
