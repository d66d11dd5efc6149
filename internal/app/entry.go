//go:build !judge

package app

import (
	"cmp"
	"context"
	"errors"

	"partnerguard/internal/console"
	"partnerguard/internal/problem"
)

// makeConsole makes what lets people into the console.
func (i *Installation) makeConsole() (err error) {
	i.Console, err = console.New(console.Deps{
		DB: i.DB, Vault: i.Vault, Trail: i.Trail, Entra: i.API, Cloud: i.Cloud, SignIn: i.signIn, Browsable: i.SAM.Browsable, Public: i.Config.Web.PublicURL,
		Machine: i.Actor, Lab: i.Lab(), Config: &i.Config.Console, Now: i.Now, Log: i.Log,
	})
	return err
}

// signIn is the app that signs people in: the one that the settings name, which must be
// registered here with its credential, else that of the connection whose tenant is read.
func (i *Installation) signIn(ctx context.Context, clientID string) (console.SignIn, error) {
	c, err := i.SAM.Connection(ctx, i.Config.Collect.Connection)
	if errors.Is(err, problem.Usage) {
		err = problem.New(problem.NotFound, "there are several connections, and none is named whose tenant signs people in").
			WithHint("the setting collectConnection names one; partnerguard connect status lists them")
	}
	if err != nil {
		return console.SignIn{}, err
	}
	a, err := i.SAM.Store.App(ctx, cmp.Or(clientID, c.ClientID))
	if err != nil {
		return console.SignIn{}, err
	}
	return console.SignIn{App: a, Tenant: c.Tenant, Name: cmp.Or(c.Domain, c.Name, c.Tenant)}, nil
}
