package guard

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/child"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam/broker"
	"partnerguard/internal/trail/anchor"
)

// tokenFlags say which token is meant.
type tokenFlags struct {
	connection string
	scopes     []string
}

func (f *tokenFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.connection, "connection", "", "whose consent is used (default the only connection there is)")
	cmd.Flags().StringSliceVar(&f.scopes, "scope", nil, "ask for these permissions only (default all that the app was granted there)")
}

func newExec(env *kit.Env) *cobra.Command {
	var in kit.Installation
	var f tokenFlags
	var customers, resources []string
	var anyUser bool
	var as string
	cmd := &cobra.Command{
		Use: "exec --customer DOMAIN -- COMMAND [ARGUMENT...]", Short: "Run a script that finds its tokens as an Azure managed identity",
		Long: `exec runs a command beside a private endpoint on this machine that speaks the
managed identity protocol of Azure App Service. Any Azure SDK finds its token
there: Go, Node, Python, .NET, PowerShell with Connect-AzAccount -Identity,
Terraform with use_msi. The script stores no credential and sees no refresh
token; it gets short access tokens for the customers and resources named here,
and each one is written to the audit trail.

The first --customer is meant unless the script names another one's tenant id as
its client id; "partner" is the partner's own tenant. Without --resource the
script may ask for Graph, Partner Center and Azure Resource Manager.

The endpoint and its secret live as long as the command itself: what it leaves
running gets nothing any more. The command's exit code is ours, as a shell has it:
128 and the number of the signal that ended it, 127 where there is no such command,
126 where it cannot be run. Signals are handed on to it.

The command gets the three standard streams and no other open file, and cannot
look into this process. It is still a program of your user: where the master key
is a file that you can read, so can it. --user runs it as another user, which
takes the right to do so (root, or CAP_SETUID and CAP_SETGID).`,
		Example: `  partnerguard exec --customer fabrikam.example -- node list-users.mjs
  partnerguard exec --customer fabrikam.example --resource arm -- terraform plan
  partnerguard exec --customer partner --connection contoso.com -- pwsh bill.ps1`,
		Args: kit.Between(1, kit.Many, problem.New(problem.Usage, "exec needs a command").
			WithHint("e.g. partnerguard exec --customer fabrikam.example -- node list-users.mjs")),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := child.Find(args[0])
			if err != nil {
				return err
			}
			if len(customers) == 0 {
				return problem.New(problem.Usage, "for which customer?").WithHint("--customer DOMAIN, or --customer partner for the partner's own tenant")
			}
			var other *child.User
			if as != "" {
				if other, err = child.FindUser(as); err != nil {
					return err
				}
			}
			return kit.Opener(func(ctx context.Context) (*app.Installation, error) { return in.Open(ctx, env) }).
				With(cmd.Context(), func(s *app.Installation) error {
					c, err := s.SAM.Connection(cmd.Context(), f.connection)
					if err != nil {
						return err
					}
					return runBesideBroker(cmd.Context(), env, &in, s, child.Options{Path: path, Args: args, Sealed: true, User: other}, broker.LocalOptions{
						User: s.Actor, Command: filepath.Base(args[0]), Connection: c.ID, Customers: customers, Resources: resources, Scopes: f.scopes,
						AnyUser: anyUser,
					})
				})
		},
	}
	in.Register(cmd)
	f.register(cmd)
	fl := cmd.Flags()
	fl.StringSliceVar(&customers, "customer", nil, "a customer's domain or tenant id, or partner; may be repeated")
	fl.StringSliceVar(&resources, "resource", []string{"graph", "partner-center", "arm"},
		"what it may have tokens for: graph, partner-center, arm, or an identifier URI")
	fl.BoolVar(&anyUser, "any-user", false, "also answer processes of other users of this machine that know the endpoint's secret")
	fl.StringVar(&as, "user", "", "run the command as this user of the machine")
	fl.SetInterspersed(false) // what follows the command is the command's
	in.Complete(env, cmd, nil)
	return cmd
}

// runBesideBroker runs a command that finds the broker by its environment.
func runBesideBroker(ctx context.Context, env *kit.Env, in *kit.Installation, s *app.Installation, c child.Options, o broker.LocalOptions) error {
	b, err := s.SAM.Broker()
	if err != nil {
		return err
	}
	if c.User != nil {
		uid := c.User.UID()
		o.ChildUser = &uid
	}
	local, err := b.Local(context.WithoutCancel(ctx), o)
	if err != nil {
		return err
	}
	defer local.Close()
	environ, clean, err := execEnviron(ctx, in, s, c.User)
	if err != nil {
		return err
	}
	defer clean()
	c.Environ = local.Env(environ)
	return child.Run(ctx, env, c)
}

// libpq are the variables by which PostgreSQL's clients find and open a database
// (its documentation, section "Environment Variables"), and ours with them.
var libpq = []string{
	"PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGPASSFILE", "PGSERVICE", "PGSERVICEFILE", "PGSYSCONFDIR", "PGOPTIONS",
	"PGAPPNAME",
	"PGSSLMODE", "PGSSLCERT", "PGSSLKEY", "PGSSLPASSWORD", "PGSSLROOTCERT", "PGSSLCRL", "PGSSLCRLDIR", "PGSSLSNI", "PGTARGETSESSIONATTRS",
}

// execEnviron is the environment of a child before the broker adds its own;
// clean removes the files that it names.
func execEnviron(ctx context.Context, in *kit.Installation, s *app.Installation, other *child.User) (environ []string, clean func(), err error) {
	environ, clean = os.Environ(), func() {}
	if s.Config.Database != "" { // opens our database, and is not for the child
		environ = slices.DeleteFunc(environ, func(v string) bool {
			name, _, _ := strings.Cut(v, "=")
			return slices.Contains(libpq, strings.ToUpper(name))
		})
	}
	if slices.ContainsFunc(s.Config.Anchor.Places, func(a anchor.Setting) bool { return a.S3 != "" && a.AccessKey == "" }) {
		environ = slices.DeleteFunc(environ, func(v string) bool { // open our anchor, and are not for the child
			name, _, _ := strings.Cut(v, "=")
			return slices.Contains([]string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}, strings.ToUpper(name))
		})
	}
	if other != nil {
		environ = other.Environ(environ)
	}
	if !s.Lab() {
		return environ, clean, nil
	}
	w, clean, err := kit.LayWires(ctx, in.Client, in.Info)
	if err != nil {
		return nil, nil, err
	}
	w.Control = in.Control.File
	if other != nil {
		w.Control = "" // it is a file of ours
		if err := other.Give(filepath.Dir(w.Hook)); err != nil {
			clean()
			return nil, nil, problem.Wrap(err, problem.BadInput, "the certificate of the partner cloud cannot be given to the user %s", other)
		}
	}
	return kit.ChildEnv(environ, w), clean, nil
}

// newToken makes token; check is its second command.
func newToken(env *kit.Env, check *cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: "token", Short: "Hand out a short access token, or say what a token proves",
		Long: `token get prints a short access token for a program that cannot use exec. token
check says whether any token proves MFA, and why not.`,
		Example: "  partnerguard token get --customer fabrikam.example --resource graph | my-program\n  partnerguard token check < token.txt",
		Args:    kit.Between(0, 0, problem.New(problem.Usage, "token knows no such command").WithHint("it knows get and check")),
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTokenGet(env), check)
	return cmd
}

func newTokenGet(env *kit.Env) *cobra.Command {
	return kit.Installed(env, func(open func(context.Context) (*app.Installation, error)) *cobra.Command {
		var f tokenFlags
		var customer, resource string
		var show bool
		output := kit.NewOutput("text", "json")
		cmd := &cobra.Command{
			Use: "get", Short: "Print an access token for one customer and resource", Args: kit.NoWords,
			Long: `get prints one access token, for a program that reads it from a pipe. It is
handed out like any other: by the connection that is named, and written to the
audit trail. On a terminal it is not shown unless you say --show.`,
			Example: `  partnerguard token get --customer fabrikam.example --resource graph | my-program
  curl -H "Authorization: Bearer $(partnerguard token get --customer fabrikam.example)" https://graph.microsoft.com/v1.0/users
  partnerguard token get --customer partner --resource partner-center | partnerguard token check`,
			RunE: func(cmd *cobra.Command, _ []string) error {
				if customer == "" {
					return problem.New(problem.Usage, "for which customer?").WithHint("--customer DOMAIN, or --customer partner for the partner's own tenant")
				}
				if _, tty := kit.Terminal(env.Stdout); tty && !show {
					return problem.New(problem.Usage, "a token is not for a screen: whoever sees it can use it").
						WithHint("pipe it into the program that wants it, or say --show")
				}
				return kit.Opener(open).With(cmd.Context(), func(s *app.Installation) error {
					c, err := s.SAM.Connection(cmd.Context(), f.connection)
					if err != nil {
						return err
					}
					b, err := s.SAM.Broker()
					if err != nil {
						return err
					}
					h, err := b.Once(cmd.Context(), broker.LocalOptions{User: s.Actor, Command: "token get", Connection: c.ID, Customers: []string{customer},
						Resources: []string{resource}, Scopes: f.scopes})
					if err != nil {
						return err
					}
					if output.Value == "json" {
						// Built by hand: the token's own type prints itself as redacted.
						_, err = fmt.Fprintf(env.Stdout,
							"{\"token_type\":\"Bearer\",\"access_token\":%q,\"expires_on\":%d,\"tenant\":%q,\"resource\":%q,\"scope\":%q}\n",
							h.Access.Reveal(), h.Until.Unix(), h.Tenant, h.Resource, strings.Join(h.Scopes, " "))
						return err
					}
					_, err = fmt.Fprintln(env.Stdout, h.Access.Reveal())
					return err
				})
			},
		}
		f.register(cmd)
		cmd.Flags().StringVar(&customer, "customer", "", "a customer's domain or tenant id, or partner")
		cmd.Flags().StringVar(&resource, "resource", "graph", "graph, partner-center, arm, or an identifier URI")
		cmd.Flags().BoolVar(&show, "show", false, "print it on a terminal all the same")
		output.Register(cmd)
		return cmd
	})
}
