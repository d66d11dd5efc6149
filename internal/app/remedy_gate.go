//go:build !judge

package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partner"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/gate"
	"partnerguard/internal/remedy/object"
	remedyrun "partnerguard/internal/remedy/run"
)

// remedyLog is how far back sign-ins are rehearsed.
const remedyLog = 30 * 24 * time.Hour

// remedies reads what the archive has of a plan's tenant, and lays over it the settings as
// they are at this moment.
func (i *Installation) remedies(ctx context.Context, a *remedyrun.Ask) (*Remedies, error) {
	now := i.Now().UTC()
	tenant := strings.ToLower(a.Plan.Tenant.ID)
	ask := RemedyAsk{Actor: a.Cloud.Actor, Tenant: tenant, By: i.Actor, Question: Question{AsOf: now, Now: now, Cloud: partner.Cloud(i.cloudKind())},
		Reading: Reading{quick: true, From: []string{FromArchive + tenant}, AsOf: now, Since: now.Add(-remedyLog), Until: now.Add(time.Second),
			Archive: func(ctx context.Context, x Archived) (fs.FS, error) { return i.shown(ctx, x) }}}
	r, err := Remedy(ctx, ask, func(t *access.Tenant) *access.Engine { return gate.Lens(t, a.Plan) })
	if errors.Is(err, problem.NotFound) {
		return nil, problem.Wrap(err, problem.NotFound, "nothing was collected of the tenant %s: its people and sign-ins are not known", tenant).
			WithHint("partnerguard collect --now reads them; a plan is never applied without")
	}
	if err != nil {
		return nil, err
	}
	r.live = true
	if r.in.Tenant, r.rolesNow, err = laidOver(ctx, r.in.Tenant, a); err != nil {
		return nil, err
	}
	r.peopleNow, err = liveEntries(ctx, r.people, r.in.Tenant.Users, a)
	return r, err
}

// remedyGate looks at a stage of a plan over what is there now.
func (i *Installation) remedyGate(ctx context.Context, a remedyrun.Ask) (*remedy.Gate, error) {
	r, err := i.remedies(ctx, &a)
	if err != nil {
		return nil, err
	}
	in := r.gate(a.Plan, a.To)
	in.From, in.IDs = a.From, a.IDs
	if a.Proof {
		return answersNow(&in)
	}
	g, err := gate.Look(in)
	if err == nil {
		r.tellRoles(g, a.Plan.Accepted)
	}
	return g, err
}

// answersNow asks a plan's questions of the settings as they are.
func answersNow(in *gate.Input) (*remedy.Gate, error) {
	g := &remedy.Gate{At: in.Now, Stage: in.Stage, Passed: true}
	e := access.Compile(in.Tenant)
	names := []string{}
	for _, id := range append(slices.Clone(in.Plan.Serves), "mfa-every-sign-in", "legacy-blocked") {
		if q := gate.QuestionOf(id); q != "" && !slices.Contains(names, q) {
			names = append(names, q)
		}
	}
	for _, name := range names {
		q, known := access.FindQuestion(name)
		if !known {
			continue
		}
		p, err := e.Prove(q)
		if err != nil {
			return nil, err
		}
		g.Answers = append(g.Answers, remedy.Answer{Question: name, Before: string(p.Verdict), After: string(p.Verdict)})
	}
	return g, nil
}

// remedyExpand gives the changes of a stage, over the people that are known and the groups as
// they are.
func (i *Installation) remedyExpand(ctx context.Context, a remedyrun.Ask) ([]gate.Move, error) {
	r, err := i.remedies(ctx, &a)
	if err != nil {
		return nil, err
	}
	return gate.Expand(a.Plan, a.From, a.To, r.in.Tenant)
}

// laidOver is a tenant with its settings as Graph gives them now. What is read is read whole,
// or the gate is not looked at; roles says whether who holds them was.
func laidOver(ctx context.Context, t *access.Tenant, a *remedyrun.Ask) (over *access.Tenant, roles bool, err error) {
	out := *t
	if out.Policies, err = livePolicies(ctx, a.Cloud.Graph); err != nil {
		return nil, false, err
	}
	out.PoliciesLack = nil
	if out.Locations, err = liveList[access.NamedLocation](ctx, a.Cloud.Graph, "/v1.0/identity/conditionalAccess/namedLocations"); err != nil {
		return nil, false, err
	}
	out.LocationsLack = ""
	if out.Strengths, err = liveList[access.Strength](ctx, a.Cloud.Graph, "/v1.0/policies/authenticationStrengthPolicies"); err != nil {
		return nil, false, err
	}
	reply, err := a.Cloud.Graph.Read(ctx, object.Read(remedy.Defaults, ""))
	if err != nil {
		return nil, false, err
	}
	out.Defaults = &access.SecurityDefaults{}
	if err := json.Unmarshal(reply.Body, out.Defaults); err != nil {
		return nil, false, unreadableNow("the security defaults")
	}
	if err := liveUsers(ctx, &out, a); err != nil {
		return nil, false, err
	}
	if err := liveGroups(ctx, &out, a); err != nil {
		return nil, false, err
	}
	roles, err = liveRoles(ctx, &out, a)
	return &out, roles, err
}

func unreadableNow(what string) error {
	return problem.New(problem.Unavailable, "Microsoft's answer about %s cannot be read", what).WithHint("try again; if it stays so, report it")
}

// livePolicies are the policies as they are. One without conditions or state is an error:
// what is not known of a policy is not guessed.
func livePolicies(ctx context.Context, g remedyrun.Graph) ([]*access.Policy, error) {
	var raw [][]byte
	for item, err := range g.Items(ctx, "/beta/identity/conditionalAccess/policies") {
		if err != nil {
			// A tenant without the licence has no policies, and says so.
			if e, ok := errors.AsType[*msapi.APIError](err); ok && e.Status == 403 && strings.Contains(e.Code, "NotLicensed") {
				return nil, nil
			}
			return nil, err
		}
		raw = append(raw, item)
	}
	if len(raw) == 0 {
		return nil, nil
	}
	return access.ParsePolicies([]byte("["+string(bytes.Join(raw, []byte(",")))+"]"), len(raw))
}

func liveList[T any](ctx context.Context, g remedyrun.Graph, path string) (out []*T, err error) {
	for item, err := range g.Items(ctx, path) {
		if err != nil {
			return nil, err
		}
		o := new(T)
		if json.Unmarshal(item, o) != nil {
			return nil, unreadableNow(path)
		}
		out = append(out, o)
	}
	return out, nil
}

// liveUsers reads the per-user MFA of the accounts whose it is that the plan changes.
func liveUsers(ctx context.Context, t *access.Tenant, a *remedyrun.Ask) error {
	t.Users = slices.Clone(t.Users)
	for k := range a.Plan.Steps {
		s := &a.Plan.Steps[k]
		n := slices.IndexFunc(t.Users, func(u access.Subject) bool { return strings.EqualFold(u.ID, s.ID) })
		if s.Kind != remedy.PerUserMFA || n < 0 {
			continue
		}
		reply, err := a.Cloud.Graph.Read(ctx, object.Read(s.Kind, strings.ToLower(s.ID)))
		if err != nil {
			return err
		}
		var in struct {
			State string `json:"perUserMfaState"`
		}
		if json.Unmarshal(reply.Body, &in) != nil || in.State == "" {
			return unreadableNow("per-user MFA")
		}
		t.Users[n].PerUserMFA = in.State
	}
	return nil
}

// liveGroups reads who is in the stages' groups, which the archive may not know of yet, and in
// those whose members the plan changes.
func liveGroups(ctx context.Context, t *access.Tenant, a *remedyrun.Ask) error {
	for id := range groupsOf(a) {
		in := map[string]bool{}
		for raw, err := range a.Cloud.Graph.Items(ctx, "/v1.0/groups/"+id+"/transitiveMembers?$select=id") {
			if e, ok := errors.AsType[*msapi.APIError](err); ok && e.Status == 404 { // its stage is over
				break
			}
			if err != nil {
				return err
			}
			var m struct{ ID string }
			if json.Unmarshal(raw, &m) != nil {
				return unreadableNow("the members of a group")
			}
			in[strings.ToLower(m.ID)] = true
		}
		known := map[string]bool{id: true}
		for g := range t.KnownGroups {
			known[g] = true
		}
		t.KnownGroups = known
		for k := range t.Users {
			u := &t.Users[k]
			switch is, was := in[strings.ToLower(u.ID)], slices.Contains(u.Groups, id); {
			case is && !was:
				u.Groups = append(slices.Clone(u.Groups), id)
			case !is && was:
				u.Groups = slices.DeleteFunc(slices.Clone(u.Groups), func(g string) bool { return g == id })
			}
		}
	}
	return nil
}

// groupsOf are the groups whose members count as they are now, by lower-case id.
func groupsOf(a *remedyrun.Ask) map[string]bool {
	out := map[string]bool{}
	for key, id := range a.IDs {
		if strings.HasPrefix(key, "pilot") || strings.HasPrefix(key, "share-") {
			out[strings.ToLower(id)] = true
		}
	}
	for k := range a.Plan.Steps {
		s := &a.Plan.Steps[k]
		var is struct{ Group string }
		if s.Kind == remedy.Member && json.Unmarshal([]byte(cmp.Or(string(s.Before), string(s.After))), &is) == nil && is.Group != "" &&
			!strings.HasPrefix(is.Group, "{") {
			out[strings.ToLower(is.Group)] = true
		}
	}
	return out
}
