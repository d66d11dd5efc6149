package app

import (
	"context"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/assess"
	"partnerguard/internal/cause"
	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/problem"
	"partnerguard/internal/rehearse"
	"partnerguard/internal/signin"
)

// Settings reads everything and compiles the settings. It refuses an export
// that does not show them: the absence of a policy would say nothing.
func Settings(ctx context.Context, r Reading) (*facts.Facts, *access.Engine, error) {
	f, err := Read(ctx, r, nil)
	if err != nil {
		return nil, nil, err
	}
	if err := settingsRead(f); err != nil {
		return nil, nil, err
	}
	return f, access.Compile(f.Tenant()), nil
}

func settingsRead(f *facts.Facts) error {
	if f.Defaults != nil || f.Whole(evidence.ConditionalAccessPolicy) || f.Seen[evidence.ConditionalAccessPolicy] > 0 {
		return nil
	}
	return problem.New(problem.BadInput, "no Conditional Access policy and no security defaults are in the input").
		WithHint("export /identity/conditionalAccess/policies and /policies/identitySecurityDefaultsEnforcementPolicy (Policy.Read.All)")
}

// Proposal says what to rehearse. Exactly one of its fields is set.
type Proposal struct {
	Policies         []string // files and folders: added to today's, replacing those of the same id
	Preset           string   // partner-baseline: added to today's
	SecurityDefaults bool     // on, with every Conditional Access policy off
	Changes          []string // ids of changes as a report's causes name them

	given []*access.Policy // as Policies, read already
}

// Rehearse replays the sign-ins of r through a proposal.
func Rehearse(ctx context.Context, r Reading, p Proposal) (*rehearse.Result, error) {
	var in rehearse.Input
	r.Visit = func(f *facts.Facts) (func() signin.Visitor, error) {
		today := f.Tenant()
		then, err := p.apply(ctx, today)
		if err != nil {
			return nil, err
		}
		in.Proposal, in.Policies = then.words, then.policies
		in.Today, in.Then = access.Compile(today), access.Compile(then.tenant)
		in.History = rehearse.NewHistory(in.Today, in.Then)
		return in.History.Visitor, nil
	}
	f, err := Read(ctx, r, nil)
	if err != nil {
		return nil, err
	}
	if f.SignIns == nil {
		return nil, problem.New(problem.BadInput, "no sign-in is in the input: there is nothing to replay").
			WithHint("export /beta/auditLogs/signIns; partnerguard prove answers from the settings alone")
	}
	in.Accounts = accountsOf(f)
	out := rehearse.Rehearse(in)
	out.Inputs, out.Sample = f.Inputs, r.Sample()
	out.Complete = !slices.ContainsFunc(f.Inputs, func(i evidence.Input) bool {
		return i.NextLink || i.Status == evidence.Partial || i.Status == evidence.Unreadable
	})
	return out, nil
}

// proposed is a proposal applied to a tenant.
type proposed struct {
	tenant   *access.Tenant
	words    string
	policies []rehearse.Proposed
}

func (p *Proposal) apply(ctx context.Context, today *access.Tenant) (*proposed, error) {
	then := *today
	then.Policies = slices.Clone(today.Policies)
	out := &proposed{tenant: &then}
	switch {
	case p.SecurityDefaults:
		out.words = "security defaults on, all Conditional Access policies off"
		then.Defaults = &access.SecurityDefaults{ID: "proposed"}
		then.Defaults.IsEnabled.Set, then.Defaults.IsEnabled.Value = true, true
		for i, old := range then.Policies {
			off := *old
			off.State = access.Disabled
			then.Policies[i] = &off
			if old.Enforced() {
				out.policies = append(out.policies, rehearse.Proposed{Policy: old.DisplayName, Change: "turned off", State: string(access.Disabled)})
			}
		}
	case len(p.Changes) > 0:
		return p.change(today)
	case p.Preset == "partner-baseline":
		out.words = "the partner-baseline preset beside today's policies"
		for _, add := range access.PartnerBaseline() {
			then.Policies = append(then.Policies, add)
			out.policies = append(out.policies, rehearse.Proposed{Policy: add.DisplayName, Change: "new", State: string(add.State)})
		}
	case p.Preset != "":
		return nil, problem.New(problem.Usage, "no preset is called %q", p.Preset).WithHint("there is partner-baseline")
	case len(p.given) > 0:
		out.words = "the policies that were given beside today's"
		out.beside(p.given)
	default:
		f, err := Read(ctx, Reading{From: p.Policies}, nil)
		if err != nil {
			return nil, err
		}
		list := f.Tenant().Policies
		if len(list) == 0 {
			return nil, problem.New(problem.BadInput, "no Conditional Access policy was found in %s", strings.Join(p.Policies, ", ")).
				WithHint("a proposal is one or more policies as Graph writes them; --preset partner-baseline --write FILE makes one to start from")
		}
		out.words = "the policies in " + strings.Join(p.Policies, ", ") + " beside today's"
		then.Locations = append(slices.Clone(today.Locations), f.Tenant().Locations...)
		then.Strengths = append(slices.Clone(today.Strengths), f.Tenant().Strengths...)
		out.beside(list)
	}
	return out, nil
}

// beside puts policies beside today's, in the place of those of the same id.
func (p *proposed) beside(list []*access.Policy) {
	for _, add := range list {
		on := *add.Proposed()
		row := rehearse.Proposed{Policy: add.DisplayName, Change: "new", State: string(add.State)}
		if on.ReportOnly() {
			on.State = access.Enabled // a rehearsal is of the day it is on
		}
		if i := slices.IndexFunc(p.tenant.Policies, func(o *access.Policy) bool { return add.ID != "" && strings.EqualFold(o.ID, add.ID) }); i >= 0 {
			p.tenant.Policies[i] = &on
			row.Change = "replaces"
		} else {
			p.tenant.Policies = append(p.tenant.Policies, &on)
		}
		p.policies = append(p.policies, row)
	}
	if p.tenant.Defaults != nil && p.tenant.Defaults.IsEnabled.True() {
		p.tenant.Defaults = nil // enabling a policy needs security defaults off
	}
}

// change makes changes that a report proposes.
func (p *Proposal) change(today *access.Tenant) (*proposed, error) {
	changes, unknown := cause.Change(today, p.Changes)
	if unknown != "" {
		return nil, problem.New(problem.BadInput, "no change of these settings is called %q", unknown).
			WithHint("partnerguard assess --output json names the changes it proposes: .causes[].changes[].id")
	}
	out := &proposed{tenant: today.Apply(changes...)}
	var words []string
	for i := range changes {
		c := &changes[i]
		words = append(words, c.Text)
		row := rehearse.Proposed{Policy: c.Policy, Change: "changed", State: string(access.Enabled)}
		if c.Kind == access.ChangeAdd {
			row.Change = "new"
		}
		out.policies = append(out.policies, row)
	}
	out.words = strings.Join(words, "; ")
	return out, nil
}

// accountsOf gives class and registration of every account, by id and UPN.
func accountsOf(f *facts.Facts) map[string]rehearse.Account {
	out := map[string]rehearse.Account{}
	ropc := map[string]bool{}
	if f.SignIns != nil {
		for i := range f.SignIns.Accounts {
			if s := &f.SignIns.Accounts[i]; s.ROPC > 0 {
				ropc[s.Key] = true
			}
		}
	}
	roles, _ := f.Directory.RolesByPrincipal()
	t, partly := f.Tenant(), f.RolesPartly()
	for i := range t.Users {
		s := &t.Users[i]
		u := f.Directory.Users[s.ID]
		if u == nil {
			u = &directory.User{ID: s.ID, UserPrincipalName: s.Name}
		}
		a := rehearse.Account{Class: directory.Classify(u, directory.Signs{Roles: roles[s.ID], RolesPartly: partly, ROPC: ropc[s.ID]})}
		if s.MethodsKnown {
			a.Registered, a.Resistant = rehearse.KnownNo, rehearse.KnownNo
			if s.CanAnswer() {
				a.Registered = rehearse.KnownYes
			}
			if s.CanResist() {
				a.Resistant = rehearse.KnownYes
			}
			a.OnlyExternal = s.OnlyExternal()
		}
		out[s.ID] = a
		if s.Name != "" {
			out[strings.ToLower(s.Name)] = a
		}
	}
	return out
}

// disagreements compares what today's settings say with what the log shows.
func disagreements(f *facts.Facts, h *rehearse.History, e *access.Engine) []assess.Evidence {
	var out []assess.Evidence
	reverse := f.SettingsKnown() && f.Defaults != nil && !f.Defaults.IsEnabled.True()
	for _, d := range rehearse.Disagreements(h, e, reverse) {
		ev := assess.Evidence{Subject: d.Account, Detail: d.Text, RecordID: d.RecordID, Source: d.Source}
		if !d.At.IsZero() {
			at := d.At.UTC()
			ev.Observed = &at
		}
		out = append(out, ev)
	}
	return out
}
