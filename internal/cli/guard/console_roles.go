package guard

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/console"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

func roleIDs(ctx context.Context, i *app.Installation) (ids []string, err error) {
	list, err := i.Console.Grants(ctx)
	for k := range list {
		ids = append(ids, list[k].ID)
	}
	return ids, err
}

func newConsoleRoles(env *kit.Env, open kit.Opener) *cobra.Command {
	output := kit.NewOutput("text", "json")
	list := func(cmd *cobra.Command, _ []string) error {
		return open.With(cmd.Context(), func(s *app.Installation) error {
			rows, err := s.Console.Grants(cmd.Context())
			if err != nil {
				return err
			}
			said := map[string]any{"given": print.List(rows), "roles": console.Roles()}
			return output.Answer(env, said, func(w io.Writer, p kit.Paint) error {
				if len(rows) == 0 {
					fmt.Fprintln(w, "No role was given. Directory roles of the tenant let in as the table says.")
				} else {
					type row = console.Grant
					kit.Table(w, p, rows,
						kit.Col("id", func(r *row) string { return r.ID }),
						kit.Col("who", func(r *row) string { return r.Kind + " " + r.Name }),
						kit.Col("role", func(r *row) string { return r.Role + limited(r.Customers) }),
						kit.Col("given", func(r *row) string { return r.Made.UTC().Format("2006-01-02") + " by " + r.By }),
						kit.Col("refused", func(r *row) string { return r.Refused }))
				}
				fmt.Fprintln(w)
				kit.Table(w, p, console.Roles(),
					kit.Col("role", func(r *console.Role) string { return r.ID }),
					kit.Col("without being given", func(r *console.Role) string { return r.ByItself() }),
					kit.Col("may", func(r *console.Role) string { return r.About }))
				return nil
			})
		})
	}
	cmd := &cobra.Command{Use: "roles", Short: "Show and change who may what in the console",
		Args: kit.Only("console roles", "list, add and remove"), RunE: list,
		Long: `roles shows which role was given to whom, and what each role may. A role that is given
to a person decides alone; otherwise the highest of those given to their groups and of
their directory roles counts. It may be limited to customers. What is given counts from
the next sign-in on; what is taken away is gone at once.`,
		Example: `  partnerguard console roles
  partnerguard console roles add --user ada@contoso.com --role engineer --customer fabrikam.example
  partnerguard console roles add --group 11111111-2222-3333-4444-555555555555 --name 'Night shift' --role on-call
  partnerguard console roles remove cr-abc`}
	again := &cobra.Command{Use: "list", Short: "Show who was given which role", Args: kit.NoWords, RunE: list,
		Example: "  partnerguard console roles list --output json"}
	output.Register(cmd)
	output.Register(again)
	cmd.AddCommand(again, newConsoleRolesAdd(env, open), newConsoleRolesRemove(env, open))
	return cmd
}

func newConsoleRolesAdd(env *kit.Env, open kit.Opener) *cobra.Command {
	var user, group string
	var customers []string
	var g console.Grant
	role := kit.Choice{Allowed: console.Given()}
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "add", Short: "Give a role to a person or a group of the connected tenant", Args: kit.NoWords,
		Example: `  partnerguard console roles add --user ada@contoso.com --role engineer --customer fabrikam.example
  partnerguard console roles add --group 11111111-2222-3333-4444-555555555555 --name 'Night shift' --role on-call`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (user == "") == (group == "") {
				return problem.New(problem.Usage, "who gets the role?").WithHint("--user, an account or its object id; or --group, an object id")
			}
			if g.Role = role.Value; g.Role == "" {
				return problem.New(problem.Usage, "which role?").WithHint("--role, one of %s", strings.Join(console.Given(), ", "))
			}
			return open.With(cmd.Context(), func(s *app.Installation) (err error) {
				if g.Tenant, _, err = s.Console.Tenant(cmd.Context()); err != nil {
					return err
				}
				if g.Kind, g.Subject = console.KindGroup, group; user != "" {
					g.Kind = console.KindUser
					if g.Subject, g.Name, err = account(cmd.Context(), s, user, g.Name); err != nil {
						return err
					}
				}
				if g.Customers, err = customerIDs(cmd.Context(), s, customers); err != nil {
					return err
				}
				got, err := s.Console.Give(cmd.Context(), g, s.Actor)
				if err != nil {
					return err
				}
				return output.Answer(env, &got, func(w io.Writer, _ kit.Paint) error {
					_, err := fmt.Fprintf(w, "Given: %s is %s%s from the next sign-in on (%s)\n",
						print.Clean(got.Name, 120), got.Role, limited(got.Customers), got.ID)
					return err
				})
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&user, "user", "", "a person: user principal name, or object id")
	f.StringVar(&group, "group", "", "a group, by its object id; the app's tokens must name groups (groupMembershipClaims)")
	f.StringVar(&g.Name, "name", "", "what people call them (default the account)")
	f.StringSliceVar(&customers, "customer", nil, "limit it to this customer, a domain or tenant id; may be repeated (default all, and the partner's own)")
	kit.AddChoice(cmd, &role, "role", "which role (required)")
	output.Register(cmd)
	return cmd
}

// account gives the object id and the name of a person of the tenant.
func account(ctx context.Context, s *app.Installation, named, called string) (id, name string, err error) {
	if !strings.Contains(named, "@") {
		return named, called, nil
	}
	c, err := s.SAM.Connection(ctx, s.Config.Collect.Connection)
	if err != nil {
		return "", "", err
	}
	g, err := s.SAM.Graph(c)
	if err != nil {
		return "", "", err
	}
	raw, err := g.User(ctx, named)
	if err != nil {
		return "", "", err
	}
	var u struct {
		ID  string `json:"id"`
		UPN string `json:"userPrincipalName"`
	}
	if json.Unmarshal(raw, &u) != nil || u.ID == "" {
		return "", "", problem.New(problem.NotFound, "Graph says no object id of %.120q", named).WithHint("name the object id itself: --user ID --name NAME")
	}
	if called == "" {
		called = print.Clean(u.UPN, 120)
	}
	return u.ID, called, nil
}

func newConsoleRolesRemove(env *kit.Env, open kit.Opener) *cobra.Command {
	return &cobra.Command{
		Use: "remove ID", Short: "Take a role away, at once", Example: "  partnerguard console roles remove cr-abc",
		Args: kit.Between(1, 1, problem.New(problem.Usage, "roles remove takes one id").WithHint("partnerguard console roles lists them")),
		RunE: func(cmd *cobra.Command, args []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				g, err := s.Console.Take(cmd.Context(), args[0], s.Actor)
				if err == nil {
					fmt.Fprintf(env.Stdout, "Taken away: %s is not %s any more\n", print.Clean(g.Name, 120), g.Role)
				}
				return err
			})
		},
	}
}
