package guard

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/web"
)

func newServe(env *kit.Env) *cobra.Command {
	var in kit.Installation
	cmd := &cobra.Command{
		Use: "serve", Short: "Renew connections, hand tokens to allowed callers, take invited partners' consents", Args: kit.NoWords,
		Long: `serve runs until it is interrupted. It renews every connection well before it
dies and foretells its end; it hands short access tokens to callers that the
policy allows, by the managed identity protocol over mutual TLS or with a
workload's OIDC token; and it takes the consents of partners that were invited
(partnerguard connect invite).

Several processes may serve one PostgreSQL database, and any number of partnerguard
worker share its jobs; a database in a file is for one process. Beyond loopback it
needs a certificate. Without a policy nobody is given a token.`,
		Example: `  partnerguard serve
  partnerguard serve --listen 0.0.0.0:8443 --policy policy.yaml
  IDENTITY_ENDPOINT=https://guard.contoso.example:8443/msi/token   # at a caller`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			in.Logging, in.Works = true, "serve"
			ctx := cmd.Context()
			return kit.Opener(func(ctx context.Context) (*app.Installation, error) { return in.Open(ctx, env) }).With(ctx, func(s *app.Installation) error {
				return s.Run(ctx, func(where, link string) {
					fmt.Fprintln(env.Stdout, "partnerguard serves on "+where)
					tellDoors(env.Stdout, s.GatewayListens())
					tellLink(env, link)
				})
			})
		},
	}
	in.Register(cmd)
	in.Serving(cmd)
	cmd.AddCommand(newHealth(env, &in))
	in.Taking(cmd)
	return cmd
}

// tellLink tells whoever runs this how to come into the console. A unit of systemd does
// not tell the link: its journal has other readers.
func tellLink(env *kit.Env, link string) {
	if link == "" {
		return
	}
	if env.Getenv("INVOCATION_ID") != "" && env.Getenv("JOURNAL_STREAM") != "" {
		fmt.Fprintln(env.Stderr, "The console is there; partnerguard console link makes a link that lets you in.")
		return
	}
	fmt.Fprintf(env.Stderr, "The console, once, within ten minutes, on this machine:\n  %s\n", link)
}

// newHealth makes health; the installation is serve's.
func newHealth(env *kit.Env, in *kit.Installation) *cobra.Command {
	cmd := &cobra.Command{
		Use: "health", Short: "Ask the server on this machine whether it is well", Args: kit.NoWords,
		Long: `health asks the server that runs on this machine with the same settings whether it
is well, and ends with 0 or 1. It opens neither database nor vault: it is for the
health check of a container, which has no other program.`,
		Example: `  partnerguard serve health
  partnerguard serve health --listen 127.0.0.1:9443`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := in.Config(env)
			if err != nil {
				return err
			}
			if err := web.Ask(cmd.Context(), &c.Web); err != nil {
				return err
			}
			fmt.Fprintln(env.Stdout, "ok")
			return nil
		},
	}
	kit.Takes(cmd, "listen")
	return cmd
}
