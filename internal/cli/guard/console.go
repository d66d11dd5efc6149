package guard

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/console"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/web"
)

// newConsole makes what lets people and programs into the web console.
func newConsole(env *kit.Env) *cobra.Command {
	var in kit.Installation
	cmd := &cobra.Command{
		Use: "console", Short: "Let people and programs into the web console, and see who is in it",
		Long: `console is for the machine that partnerguard serve runs on: link lets you in there at
once, as its operator; roles says who else may what once they signed in with Entra ID
and MFA; sessions shows who is in, and ends it; tokens are for programs.

Without a role that is given here, Global Administrators, Security Administrators and
Security Readers of the connected tenant come in, as in Partner Center, and nobody
else does. Everything that is done here goes to the audit trail.`,
		Example: `  partnerguard console link
  partnerguard console roles add --user ada@contoso.com --role engineer --customer fabrikam.example
  partnerguard console sessions
  partnerguard console tokens add --name billing --right customers.see --days 90`,
		Args: kit.Only("console", "link, sessions, roles and tokens"),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	open := kit.Opener(func(ctx context.Context) (*app.Installation, error) { return in.Open(ctx, env) })
	cmd.AddCommand(newConsoleLink(env, &in, open), newConsoleSessions(env, open), newConsoleRoles(env, open), newConsoleTokens(env, open))
	in.Register(cmd)
	in.Taking(cmd)
	words := map[string]kit.Words{}
	for verb, of := range map[string]kit.Words{"sessions end": sessionIDs, "roles remove": roleIDs, "tokens remove": tokenIDs} {
		words["console "+verb], words["partnerguard console "+verb] = of, of
	}
	in.Complete(env, cmd, words)
	return cmd
}

func sessionIDs(ctx context.Context, i *app.Installation) (ids []string, err error) {
	list, err := i.Console.Sessions(ctx)
	for k := range list {
		ids = append(ids, list[k].ID)
	}
	return ids, err
}

func newConsoleLink(env *kit.Env, in *kit.Installation, open kit.Opener) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "link", Short: "Make a link that lets you in once, on this machine", Args: kit.NoWords,
		Long: `link makes an address that lets whoever opens it into the console as the operator of
this machine, with every right. It works once, within ten minutes, and from this
machine alone; the page asks before it uses it up. Whoever sees it could use it: keep
it to yourself. partnerguard serve, with the same settings, answers it.`,
		Example: "  partnerguard console link\n  xdg-open \"$(partnerguard console link --output json | jq -r .url)\"",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := othersServer(cmd.Context(), env, in); err != nil {
				return err
			}
			return open.With(cmd.Context(), func(s *app.Installation) error {
				address := web.Here(&s.Config.Web)
				where, err := s.Console.Link(cmd.Context(), s.Actor, address)
				if err != nil {
					return err
				}
				if web.Ask(cmd.Context(), &s.Config.Web) != nil {
					fmt.Fprintf(env.Stderr, "partnerguard: nothing answers on %s yet: start it with partnerguard serve, or partnerguard up\n", address)
				}
				said := struct {
					URL  string    `json:"url"`
					Ends time.Time `json:"ends"`
				}{where, s.Now().UTC().Add(console.LinkLife).Truncate(time.Second)}
				return output.Answer(env, said, func(w io.Writer, p kit.Paint) error {
					fmt.Fprintln(w, where)
					fmt.Fprintln(w, p.Dim("It works once, until "+said.Ends.Format("15:04")+" UTC, on this machine."))
					return nil
				})
			})
		},
	}
	output.Register(cmd)
	kit.Takes(cmd, "listen")
	return cmd
}

// othersServer refuses to make a link for a server that runs with other data: it would let
// nobody in.
func othersServer(ctx context.Context, env *kit.Env, in *kit.Installation) error {
	o, err := in.Options(ctx, env)
	if err != nil {
		return err
	}
	if kept, err := app.Kept(ctx, o); err != nil || kept || web.Ask(ctx, &o.Config.Web) != nil {
		return err
	}
	return problem.New(problem.NotFound, "a server answers on %s, and nothing is kept in %s: it runs with other data", web.Here(&o.Config.Web), o.Config.Data).
		WithHint("give console link the --data, --config and --cloud that the server was started with")
}

func newConsoleSessions(env *kit.Env, open kit.Opener) *cobra.Command {
	output := kit.NewOutput("text", "json")
	list := func(cmd *cobra.Command, _ []string) error {
		return open.With(cmd.Context(), func(s *app.Installation) error {
			rows, err := s.Console.Sessions(cmd.Context())
			if err != nil {
				return err
			}
			return output.Answer(env, map[string]any{"sessions": print.List(rows)}, func(w io.Writer, p kit.Paint) error {
				if len(rows) == 0 {
					fmt.Fprintln(w, "Nobody is in the console.")
					return nil
				}
				type row = console.Session
				kit.Table(w, p, rows,
					kit.Col("id", func(r *row) string { return r.ID }),
					kit.Col("who", func(r *row) string { return r.Actor }),
					kit.Col("role", func(r *row) string { return r.Role + limited(r.Customers) }),
					kit.Col("MFA", func(r *row) string { return r.Proof }),
					kit.Col("seen", func(r *row) string { return r.Seen.UTC().Format("2006-01-02 15:04") }),
					kit.Col("ends", func(r *row) string { return kit.Until(r.Ends, s.Now()) }),
					kit.Col("from", func(r *row) string { return r.Address + ", " + r.Client }),
					kit.Col("refused", func(r *row) string { return r.Refused }))
				return nil
			})
		})
	}
	cmd := &cobra.Command{Use: "sessions", Short: "Show who is in the console", Args: kit.Only("console sessions", "list and end"), RunE: list,
		Example: "  partnerguard console sessions\n  partnerguard console sessions end --all"}
	again := &cobra.Command{Use: "list", Short: "Show who is in the console", Args: kit.NoWords, RunE: list,
		Example: "  partnerguard console sessions list --output json"}
	output.Register(cmd)
	output.Register(again)
	cmd.AddCommand(again, newConsoleSessionsEnd(env, open))
	return cmd
}

func newConsoleSessionsEnd(env *kit.Env, open kit.Opener) *cobra.Command {
	var every bool
	cmd := &cobra.Command{
		Use: "end [ID]", Short: "End a session, or all of them", Args: kit.Between(0, 1, problem.New(problem.Usage, "sessions end takes one id").
			WithHint("partnerguard console sessions lists them")),
		Example: "  partnerguard console sessions end cs-abc\n  partnerguard console sessions end --all",
		RunE: func(cmd *cobra.Command, args []string) error {
			if every == (len(args) == 1) {
				return problem.New(problem.Usage, "which session?").WithHint("name an id, or --all; partnerguard console sessions lists them")
			}
			return open.With(cmd.Context(), func(s *app.Installation) error {
				n := 1
				var err error
				if every {
					n, err = s.Console.EndSessions(cmd.Context(), "", "", s.Actor)
				} else {
					err = s.Console.EndSession(cmd.Context(), args[0], s.Actor)
				}
				if err == nil {
					fmt.Fprintf(env.Stdout, "Ended: %s\n", kit.Plural(n, "session", "sessions"))
				}
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&every, "all", false, "everybody's")
	return cmd
}

// limited says in a few words to how many customers something is limited.
func limited(customers []string) string {
	if customers == nil {
		return ""
	}
	return " at " + kit.Plural(len(customers), "customer", "customers")
}

// customerIDs are the tenant ids of customers that are named by id or domain; none named
// is nil, all of them.
func customerIDs(ctx context.Context, s *app.Installation, named []string) ([]string, error) {
	var ids []string
	for _, n := range named {
		n = strings.ToLower(strings.TrimSpace(n))
		if !strings.Contains(n, ".") {
			ids = append(ids, n) // the console refuses what is none
			continue
		}
		d, err := s.API.Discover(ctx, s.Cloud, n)
		if err != nil {
			return nil, err
		}
		ids = append(ids, d.Tenant)
	}
	return ids, nil
}
