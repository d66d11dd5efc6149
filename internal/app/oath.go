//go:build !judge

package app

import (
	"context"
	"errors"

	"partnerguard/internal/mfa"
	"partnerguard/internal/mfa/oath"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/secret"
)

// OathPlan says which of our seeds are to go to Entra ID as hardware OATH tokens, in the
// tenant of a connection ("" is the only one). It changes nothing.
func (i *Installation) OathPlan(ctx context.Context, connection string) (oath.File, []oath.Step, error) {
	c, g, err := i.oathGraph(ctx, connection)
	if err != nil {
		return oath.File{}, nil, err
	}
	steps, err := i.oathSteps(ctx, c, g)
	return oath.File{Version: 1, Cloud: i.Cloud.Name, Tenant: c.Tenant, Tokens: oath.Lines(steps)}, steps, err
}

// OathApply does what a plan names, token by token, and gives what became of each.
func (i *Installation) OathApply(ctx context.Context, connection string, f oath.File) ([]oath.Result, error) {
	c, g, err := i.oathGraph(ctx, connection)
	if err != nil {
		return nil, err
	}
	if f.Cloud != i.Cloud.Name || f.Tenant != c.Tenant {
		return nil, problem.New(problem.Usage, "the plan is for tenant %s in the cloud %s, and the connection is of %s in %s", f.Tenant, f.Cloud, c.Tenant,
			i.Cloud.Name).WithHint("name the connection of that tenant with --connection")
	}
	steps, err := i.oathSteps(ctx, c, g)
	if err == nil {
		steps, err = f.Only(steps)
	}
	if err != nil {
		return nil, err
	}
	d := oath.Deps{Graph: g, Seeds: oathSeeds{i}, Record: i.Trail, Actor: i.Actor, Tenant: c.Tenant}
	return d.Apply(ctx, steps)
}

func (i *Installation) oathGraph(ctx context.Context, connection string) (sam.Connection, *msapi.Graph, error) {
	c, err := i.SAM.Connection(ctx, connection)
	if err != nil {
		return c, nil, err
	}
	g, err := i.SAM.Graph(c)
	return c, g, err
}

// oathSteps holds our seeds against the tokens that the tenant has.
func (i *Installation) oathSteps(ctx context.Context, c sam.Connection, g *msapi.Graph) ([]oath.Step, error) {
	list, err := i.MFA.AllPasscodes(ctx, c.Tenant)
	if err != nil {
		return nil, err
	}
	there, err := oath.Read(ctx, g)
	if e, ok := errors.AsType[*msapi.APIError](err); ok && (e.Status == 401 || e.Status == 403) {
		return nil, problem.Wrap(err, problem.Forbidden, "Microsoft Graph does not let the connection see hardware OATH tokens").
			WithHint("connect once more with --feature hardware-oath, as an account with the roles Authentication Policy Administrator and " +
				"Authentication Administrator")
	}
	if err != nil {
		return nil, err
	}
	return oath.Plan(i.oathCloud(), oathTokens(list), there)
}

// oathCloud is the cloud that a plan is for: the local one stands for the public one.
func (i *Installation) oathCloud() string {
	if i.Lab() {
		return "public"
	}
	return i.Cloud.Name
}

func oathTokens(list []mfa.Passcodes) []oath.Token {
	out := make([]oath.Token, 0, len(list))
	for _, x := range list {
		out = append(out, oath.Token{Serial: x.Factor.ID, User: x.Person.Account.Object, Name: x.Factor.Label, Interval: x.Factor.Period,
			Hash: x.Factor.Algorithm, Digits: x.Factor.Digits})
	}
	return out
}

// oathSeeds gives the seeds of our factors, each to one request.
type oathSeeds struct{ i *Installation }

// Seed gives a seed by its factor's id.
func (s oathSeeds) Seed(ctx context.Context, serial string) (secret.Text, error) {
	seed, err := s.i.MFA.Seed(ctx, serial)
	return seed.Secret, err
}

// Code gives the passcode of this moment.
func (s oathSeeds) Code(ctx context.Context, serial string) (secret.Text, error) {
	seed, err := s.i.MFA.Seed(ctx, serial)
	if err != nil {
		return secret.Text{}, err
	}
	return seed.Code(seed.Step(s.i.Now()))
}
