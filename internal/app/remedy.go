package app

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/assess"
	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/problem"
	"partnerguard/internal/rehearse"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/find"
	"partnerguard/internal/remedy/gate"
	"partnerguard/internal/signin"
)

// RemedyAsk says what a remedy is looked for from.
type RemedyAsk struct {
	Reading  Reading
	Question Question
	Actor    string // the account that applies a plan, by name or id; "" is not known
	Tenant   string // the tenant's id, where it was not read
	By       string // who asks
}

// Remedies are what was read for a remedy, and what would meet what is not met.
type Remedies struct {
	Choices []find.Choice
	Report  *assess.Report

	ask RemedyAsk
	in  find.Input
	// people and the moment of judgement are the gate's.
	people map[string]gate.Person
	at     time.Time
	// rolesAt is of when the roles are that were read. live says that settings were laid over
	// them as they are now, rolesNow that roles were too, peopleNow that it was read who of
	// those that hold them is enabled; peopleAt is of when the accounts are.
	rolesAt, peopleAt         time.Time
	live, rolesNow, peopleNow bool
}

// Remedy reads and judges. lens, when set, tells apart in the log what a plan's settings
// will: it is asked for once everything but the log is read.
func Remedy(ctx context.Context, ask RemedyAsk, lens func(*access.Tenant) *access.Engine) (*Remedies, error) {
	kept := &readSettings{objects: find.Objects{}, told: map[string]bool{}, raw: map[string][]byte{}}
	ask.Reading.settings = kept.take
	var history *rehearse.History
	ask.Question.look = func(f *facts.Facts) func() signin.Visitor {
		t := f.Tenant()
		e := access.Compile(t)
		if lens != nil {
			e = lens(t)
		}
		history = rehearse.NewHistory(e)
		return history.Visitor
	}
	ask.Question.settle(&ask.Reading)
	beside := besideReading(&ask.Reading)
	j, err := judge(ctx, ask.Reading, ask.Question, nil)
	if err != nil {
		return nil, err
	}
	f := j.Facts
	if err := settingsRead(f); err != nil {
		return nil, err
	}
	if f.SignIns == nil {
		history = nil
	}
	r := &Remedies{Report: j.Report, ask: ask, at: ask.Question.AsOf, people: gatePeople(f, history, kept),
		rolesAt: f.Ages().At(evidence.RoleAssignment, ask.Question.AsOf), peopleAt: f.Ages().At(evidence.User, ask.Question.AsOf)}
	r.in = find.Input{Tenant: f.Tenant(), History: history, Accounts: accountsOf(f), Licences: licencesOf(f), Unmet: unmetOf(j.Report, f),
		Objects: kept.objectsOf(f), Users: usersOf(f), NewID: newPlanID}
	r.in.Head = find.Head{From: sourcesOf(&ask.Reading), AsOf: f.Ages().SettledAt(ask.Question.AsOf), Now: ask.Question.AsOf, By: ask.By,
		Program: j.Report.Program, RuleBook: j.Report.RuleBook}
	r.in.Head.Tenant = remedy.Tenant{ID: strings.ToLower(ask.Tenant)}
	if len(f.Directory.Organizations) > 0 {
		o := &f.Directory.Organizations[0]
		r.in.Head.Tenant.Name = o.DisplayName
		if ask.Tenant == "" {
			r.in.Head.Tenant.ID = strings.ToLower(o.ID)
		}
	}
	if lens == nil { // what is looked for is not known yet; a plan that is there has its steps
		err = r.withPractices(ctx, j, beside())
	}
	return r, err
}

// Name is what people call an account, a group, an app, a role or a named location that was
// read, by its id; "" where none of this id was.
func (r *Remedies) Name(id string) string {
	for _, l := range r.in.Tenant.Locations {
		if strings.EqualFold(l.ID, id) {
			return l.DisplayName
		}
	}
	if n := r.in.Tenant.Names[strings.ToLower(id)]; n != "" {
		return n
	}
	return r.in.Users[id].Name
}

// List finds what would meet what is not met.
func (r *Remedies) List() []find.Choice { return find.List(r.in) }

// Plan makes a plan and looks at its gate at each stage; the plan carries that of the last.
func (r *Remedies) Plan(goal find.Goal) (*remedy.Plan, []*remedy.Gate, error) {
	if r.in.Head.Tenant.ID == "" {
		return nil, nil, problem.New(problem.BadInput, "whose settings these are is not in the input").
			WithHint("export /organization, or give the tenant's id with --tenant-id")
	}
	var err error
	if goal.Pilot, err = r.pilotIDs(goal.Pilot); err != nil {
		return nil, nil, err
	}
	p, err := find.Plan(r.in, goal)
	if err != nil {
		return nil, nil, err
	}
	p.Actor = r.actorID(r.ask.Actor)
	gates, err := r.Gates(p)
	if err != nil {
		return nil, nil, err
	}
	p.Gate = gates[len(gates)-1]
	return p, gates, nil
}

// Gates looks at a plan's gates, one for each of its stages, as if none was done yet; at
// those of some stages when they are named.
func (r *Remedies) Gates(p *remedy.Plan, only ...remedy.Stage) (out []*remedy.Gate, err error) {
	for _, stage := range p.Stages {
		if len(only) > 0 && !slices.Contains(only, stage) {
			continue
		}
		g, err := gate.Look(r.gate(p, stage))
		if err != nil {
			return nil, err
		}
		r.tellRoles(g, p.Accepted)
		out = append(out, g)
	}
	if len(out) == 0 {
		_, err = gate.Expand(p, "", only[0], r.in.Tenant)
	}
	return out, err
}

func (r *Remedies) gate(p *remedy.Plan, stage remedy.Stage) gate.Input {
	return gate.Input{Plan: p, Stage: stage, Tenant: r.in.Tenant, History: r.in.History, Accounts: r.in.Accounts, People: r.people, Actor: r.ask.Actor,
		Licences: r.in.Licences, Now: r.at}
}

// CheckPlan reads everything and looks at a plan's gates.
func CheckPlan(ctx context.Context, ask RemedyAsk, p *remedy.Plan, only ...remedy.Stage) ([]*remedy.Gate, *Remedies, error) {
	r, err := Remedy(ctx, ask, func(t *access.Tenant) *access.Engine { return gate.Lens(t, p) })
	if err != nil {
		return nil, nil, err
	}
	if id := r.in.Head.Tenant.ID; id != "" && !strings.EqualFold(id, p.Tenant.ID) {
		return nil, nil, problem.New(problem.BadInput, "the plan is for the tenant %s, and what was read is of %s", p.Tenant.ID, id).
			WithHint("read the export of the plan's tenant")
	}
	if err := r.actsFor(p); err != nil {
		return nil, nil, err
	}
	gates, err := r.Gates(p, only...)
	return gates, r, err
}

// actorID is the id of an account that was named by id or name; "" where none of it was read.
func (r *Remedies) actorID(name string) string {
	low := strings.ToLower(name)
	if app, is := strings.CutPrefix(low, "app:"); is && remedy.Principal.IsID(app) {
		return low
	}
	if _, is := r.in.Users[low]; is && remedy.PerUserMFA.IsID(low) {
		return low
	}
	for id, u := range r.in.Users {
		if name != "" && strings.EqualFold(u.Name, name) && remedy.PerUserMFA.IsID(id) {
			return id
		}
	}
	return ""
}

// pilotIDs are the ids of the accounts of a pilot, that were named by id or user principal name.
func (r *Remedies) pilotIDs(names []string) (out []string, err error) {
	for _, name := range names {
		id := r.actorID(strings.TrimSpace(name))
		if id == "" || strings.HasPrefix(id, "app:") {
			return nil, problem.New(problem.BadInput, "no account that was read is called %.100q, for the pilot", name).
				WithHint("give its user principal name or its id")
		}
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out, nil
}

// actsFor holds a plan to the account that it was made for: a gate that was passed for one
// says nothing of another. Where nobody is named it is the plan's.
func (r *Remedies) actsFor(p *remedy.Plan) error {
	if r.ask.Actor == "" {
		r.ask.Actor = p.Actor
	}
	if p.Actor == "" || strings.EqualFold(p.Actor, r.ask.Actor) || p.Actor == r.actorID(r.ask.Actor) {
		return nil
	}
	of := cmp.Or(r.in.Users[p.Actor].Name, p.Actor)
	return problem.New(problem.Conflict, "the plan is for %s to apply, and not for %.100q", of, r.ask.Actor).
		WithHint("check it as %s, or have it planned anew with --actor %s", of, r.ask.Actor)
}

// Proposed gives the policies of files and folders as plans take them: each with what Graph
// says of it.
func Proposed(ctx context.Context, paths []string) ([]json.RawMessage, error) {
	var out []json.RawMessage
	r := Reading{From: paths, settings: func(kind evidence.Kind, raw []byte, _ evidence.Source) {
		if kind == evidence.ConditionalAccessPolicy {
			out = append(out, bytes.Clone(raw))
		}
	}}
	if _, err := Read(ctx, r, nil); err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, problem.New(problem.BadInput, "no Conditional Access policy was found in %s", strings.Join(paths, ", ")).
			WithHint("a proposal is one or more policies as Graph writes them; partnerguard rehearse --preset partner-baseline --write FILE makes one")
	}
	return out, nil
}

// LensOf tells apart what proposed policies will.
func LensOf(list []json.RawMessage) func(*access.Tenant) *access.Engine {
	p := &remedy.Plan{}
	for i, raw := range list {
		p.Steps = append(p.Steps, remedy.Step{N: i + 1, Kind: remedy.Policy, After: raw})
	}
	return func(t *access.Tenant) *access.Engine { return gate.Lens(t, p) }
}

func newPlanID() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func sourcesOf(r *Reading) []string {
	if r.Sample() {
		return []string{"the sample partner"}
	}
	return slices.Clone(r.From)
}

func unmetOf(report *assess.Report, f *facts.Facts) (out []find.Unmet) {
	for i := range report.Requirements {
		q := &report.Requirements[i]
		if q.Verdict != assess.NotMet && q.Verdict != assess.Unknown {
			continue
		}
		u := find.Unmet{ID: q.ID, Title: q.Title, Verdict: string(q.Verdict), Reason: q.Reason, Action: q.Action,
			Mandatory: q.Level == "mandatory", Until: countsUntil(q, report, f)}
		for k := range report.Causes {
			if c := &report.Causes[k]; c.Kind == assess.CauseSettings && slices.Contains(c.Requirements, q.ID) {
				u.Changes = append(u.Changes, c.Changes)
			}
		}
		out = append(out, u)
	}
	return out
}

func licencesOf(f *facts.Facts) gate.Licences {
	p2 := f.Directory.HasServicePlan("AAD_PREMIUM_P2")
	return gate.Licences{Known: f.Whole(evidence.SubscribedSku), P1: p2 || f.Directory.HasServicePlan("AAD_PREMIUM"), P2: p2}
}

func usersOf(f *facts.Facts) map[string]find.User {
	out := map[string]find.User{}
	for _, u := range f.Directory.Users {
		if u.ID == "" {
			continue
		}
		name := u.UserPrincipalName
		if name == "" {
			name = u.DisplayName
		}
		guest := strings.EqualFold(string(u.UserType), "guest")
		out[strings.ToLower(u.ID)] = find.User{Name: name, Disabled: u.AccountEnabled.False(), Guest: guest}
	}
	return out
}

// gatePeople is what the gate must know of accounts besides their settings.
func gatePeople(f *facts.Facts, h *rehearse.History, kept *readSettings) map[string]gate.Person {
	known := func(set, is bool) rehearse.Known {
		switch {
		case !set:
			return rehearse.NotKnown
		case is:
			return rehearse.KnownYes
		}
		return rehearse.KnownNo
	}
	roles, _ := f.Directory.RolesByPrincipal()
	partly := f.RolesPartly()
	out := map[string]gate.Person{}
	for _, u := range f.Directory.Users {
		id := strings.ToLower(u.ID)
		if id == "" {
			continue
		}
		class := directory.Classify(u, directory.Signs{Roles: roles[id], RolesPartly: partly})
		out[id] = gate.Person{Enabled: known(u.AccountEnabled.Set, u.AccountEnabled.True()),
			Synced: known(u.OnPremisesSyncEnabled.Set || kept.told[id], u.OnPremisesSyncEnabled.True()), Sync: class == directory.ClassDirectorySync}
	}
	if h == nil {
		return out
	}
	for _, p := range h.Patterns() {
		if who, ok := out[p.Account]; ok && p.Proven > 0 && p.Last.After(who.Seen) {
			who.Seen = p.Last
			out[p.Account] = who
		}
	}
	return out
}

// Moment is the moment as of which plans are judged.
func (r *Remedies) Moment() time.Time { return r.at }

// Settings are those that were read. They are not to be changed.
func (r *Remedies) Settings() *access.Tenant { return r.in.Tenant }
