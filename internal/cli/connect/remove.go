package connect

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

func newConnectRemove(env *kit.Env, open kit.Opener) *cobra.Command {
	var revoke bool
	cmd := &cobra.Command{
		Use: "remove NAME", Short: "Forget a connection and delete its sealed tokens; with --revoke, end them at Entra ID too",
		Long: `remove deletes a connection with its tokens from the vault. Copies of the database
still hold them, and Entra ID takes them: with --revoke the account's sign-in
sessions are revoked there first, which ends every refresh token of the account. It
needs an account that may: the permission User.RevokeSessions.All, and a role such
as User Administrator. When it cannot be done, nothing is removed.`,
		Example: "  partnerguard connect remove contoso.com\n  partnerguard connect remove contoso.com --revoke",
		Args: kit.Between(1, 1, problem.New(problem.Usage, "connect remove takes the name of one connection").
			WithHint("partnerguard connect status lists them")),
		RunE: open.Run(func(ctx context.Context, s *app.Installation, args []string) error {
			if revoke {
				c, err := s.SAM.Revoke(ctx, args[0])
				if err != nil {
					return err
				}
				fmt.Fprintf(env.Stdout, "Revoked the sign-in sessions of %s.\n", print.Clean(c.Account, 200))
			}
			c, err := s.SAM.Remove(ctx, args[0])
			if err != nil {
				return err
			}
			fmt.Fprintf(env.Stdout, "Removed %s (%s).\n", print.Clean(c.Name, 100), print.Clean(c.Account, 200))
			if !revoke {
				fmt.Fprintf(env.Stderr, "Entra ID still takes its tokens, and backups hold them. "+
					"To end them, revoke the account's sessions (Entra admin center, or):"+
					"\n  Revoke-MgUserSignInSession -UserId %s\n", print.Clean(c.ObjectID, 100))
			}
			return nil
		}),
	}
	cmd.Flags().BoolVar(&revoke, "revoke", false, "revoke the account's sign-in sessions at Entra ID first")
	return cmd
}

func newConnectAccept(env *kit.Env, open kit.Opener) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "accept NAME", Short: "Say that a connection that is held back is right",
		Long: `accept takes a connection into use again whose row in the database was written by
something else than partnerguard, or is older than the audit trail knows: after you
restored a backup, say. Its sealed token must open for the tenant, app, account and
cloud that the row names; one that was edited cannot be accepted. Look at it first,
with partnerguard connect status. What was accepted is in the audit trail.

With --all the database is accepted as it stands, also when it is older than this
machine saw it last, with every connection that is held back.`,
		Example: "  partnerguard connect accept contoso.com\n  partnerguard connect accept --all",
		Args: func(_ *cobra.Command, args []string) error {
			if all && len(args) > 0 || !all && len(args) != 1 {
				return problem.New(problem.Usage, "connect accept takes the name of one connection, or --all").
					WithHint("partnerguard connect status lists them")
			}
			return nil
		},
		RunE: open.Run(func(ctx context.Context, s *app.Installation, args []string) error {
			say := func(name, account, tenant, client, cloud string) {
				fmt.Fprintf(env.Stdout, "Accepted %s: %s of tenant %s, app %s, cloud %s.\n", print.Clean(name, 100), print.Clean(account, 200),
					print.Clean(tenant, 100), print.Clean(client, 100), print.Clean(cloud, 40))
			}
			if !all {
				c, err := s.SAM.Accept(ctx, args[0])
				if err == nil {
					say(c.Name, c.Account, c.Tenant, c.ClientID, c.Cloud.Name)
				}
				return err
			}
			done, not, err := s.SAM.AcceptAll(ctx)
			if err != nil {
				return err
			}
			for _, c := range done {
				say(c.Name, c.Account, c.Tenant, c.ClientID, c.Cloud.Name)
			}
			for _, n := range not {
				fmt.Fprintf(env.Stderr, "Not accepted: %s\n", print.Clean(n.Error(), 400))
			}
			if len(not) > 0 {
				return problem.New(problem.Conflict, "%s accepted", kit.Plural(len(not), "connection was not", "connections were not")).
					WithHint("consent again (partnerguard connect), or remove them")
			}
			if len(done) == 0 {
				fmt.Fprintln(env.Stdout, "Nothing is held back.")
			}
			return nil
		}),
	}
	cmd.Flags().BoolVar(&all, "all", false, "the whole database, and every connection that is held back")
	return cmd
}
