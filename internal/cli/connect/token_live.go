package connect

import (
	"context"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/entra"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/secret"
)

// azureCLI is Microsoft's public client that the check of a sign-in uses, as
// Test-PartnerSecurityRequirement did (contracts.md section 5.4).
const azureCLI = entra.AppAzureCLI

// NewTokenCheck makes "token check", with a sign-in behind --live.
func NewTokenCheck(env *kit.Env) *cobra.Command {
	var in kit.Installation
	var tenant, account, redirect, clientID string
	var noBrowser bool
	cmd := newTokenCheck(env, func(ctx context.Context, _ *cobra.Command) (secret.Text, error) {
		o, err := in.Options(ctx, env)
		if err != nil {
			return secret.Text{}, err
		}
		s, err := app.OpenCloud(ctx, o)
		if err != nil {
			return secret.Text{}, err
		}
		defer s.Close()
		if tenant == "" && s.LabInfo() != nil {
			tenant = s.LabInfo().Info.Tenant.ID
		}
		if tenant == "" {
			return secret.Text{}, problem.New(problem.Usage, "whose tenant?").WithHint("--tenant, the partner tenant's id or domain")
		}
		c, err := capture.New(capture.Deps{Entra: s.API, Now: s.Now, Log: s.Log})
		if err != nil {
			return secret.Text{}, err
		}
		done, err := signIn(ctx, env, s, c, capture.Request{
			Cloud: s.Cloud, App: msapi.App{ClientID: clientID, Credential: msapi.NewPublic()}, Tenant: tenant, Redirect: redirect, Account: account,
			Actor: s.Actor, Check: true,
		}, noBrowser)
		return done.Access, err
	})
	in.Register(cmd)
	fl := cmd.Flags()
	fl.StringVar(&tenant, "tenant", "", "with --live: the partner tenant, id or domain")
	fl.StringVar(&account, "account", "", "with --live: who must sign in (default anybody of the tenant)")
	fl.StringVar(&clientID, "client-id", azureCLI, "with --live: the public client to sign in with (default Microsoft's Azure CLI)")
	fl.StringVar(&redirect, "redirect", "http://localhost", "with --live: one of the client's redirect URIs on this machine")
	fl.BoolVar(&noBrowser, "no-browser", false, "with --live: print the address and open no browser")
	return cmd
}
