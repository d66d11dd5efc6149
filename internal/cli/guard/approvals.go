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
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam/broker"
)

// newPolicy makes what looks at the policy of the server's callers, and what
// says yes or no where it asks for that.
func newPolicy(env *kit.Env) *cobra.Command {
	return kit.Installed(env, func(open func(context.Context) (*app.Installation, error)) *cobra.Command {
		var file string
		cmd := &cobra.Command{
			Use: "policy", Short: "Check who may have which token, and approve what needs a person's yes",
			Long: `policy works with the file that says which caller of partnerguard serve may have
which token (the setting policy, or --policy): check reads it, explain says what
it answers a caller, and approvals, approve and withdraw decide what it leaves to
a person. You approve as local:USER, with your user name on this machine, which
the policy must name.`,
			Example: `  partnerguard policy check --policy policy.yaml
  partnerguard policy explain --caller deploy --customer fabrikam.example --resource arm
  partnerguard policy approvals
  partnerguard policy approve a-abc`,
			Args: kit.Only("policy", "check, explain, approvals, approve and withdraw"),
			RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		}
		cmd.PersistentFlags().StringVar(&file, "policy", "", "the policy file (default the setting policy)")
		_ = cmd.MarkPersistentFlagFilename("policy", "yaml", "yml")
		with := func(ctx context.Context, work func(*app.Installation, *broker.Broker) error) error {
			return kit.Opener(open).With(ctx, func(s *app.Installation) error {
				if file != "" {
					s.Config.Broker.Policy = file
				}
				p, err := readPolicy(s.Config.Broker.Policy)
				if err != nil {
					return err
				}
				b, err := s.SAM.Broker()
				if err != nil {
					return err
				}
				if err := b.SetPolicy(p); err != nil {
					return err
				}
				return work(s, b)
			})
		}
		cmd.AddCommand(newPolicyCheck(env, &file, open), newPolicyExplain(env, with), newPolicyApprovals(env, with),
			newPolicyDecide(env, with, "approve", "Say yes for as long as the policy says", "Approved", (*broker.Broker).Approve),
			newPolicyDecide(env, with, "withdraw", "Say no, or take a yes back", "Withdrawn", (*broker.Broker).Withdraw))
		return cmd
	})
}

func readPolicy(path string) (*broker.Policy, error) {
	if path == "" {
		return nil, problem.New(problem.Usage, "there is no policy").WithHint("name its file with --policy or the setting policy; docs/broker.md shows one")
	}
	raw, err := problem.ReadFile("the policy", path, 1<<20)
	if err != nil {
		return nil, err
	}
	return broker.ParsePolicy(path, raw)
}

func newPolicyCheck(env *kit.Env, file *string, open kit.Opener) *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "Read the policy file and say what is wrong with it", Args: kit.NoWords,
		Example: "  partnerguard policy check --policy policy.yaml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			check := func(path string) error {
				p, err := readPolicy(path)
				if err != nil {
					return err
				}
				fmt.Fprintf(env.Stdout, "%s: in order, %s\n", print.Clean(path, 300), kit.Plural(len(p.Callers), "caller", "callers"))
				return nil
			}
			if *file != "" { // which needs no installation
				return check(*file)
			}
			return open.With(cmd.Context(), func(s *app.Installation) error { return check(s.Config.Broker.Policy) })
		},
	}
}

type withBroker func(context.Context, func(*app.Installation, *broker.Broker) error) error

func newPolicyExplain(env *kit.Env, with withBroker) *cobra.Command {
	var caller string
	var ask broker.Ask
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "explain", Short: "Say what the policy answers a caller, and why", Args: kit.NoWords,
		Long:    "explain hands nothing out and asks for no approval. Exit code 3 says that the answer is no.",
		Example: "  partnerguard policy explain --caller billing --customer fabrikam.example --resource graph",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if caller == "" {
				return problem.New(problem.Usage, "which caller?").WithHint("--caller, its name in the policy")
			}
			return with(cmd.Context(), func(_ *app.Installation, b *broker.Broker) error {
				d, err := b.Explain(cmd.Context(), caller, ask)
				if err != nil {
					return err
				}
				if err := output.Answer(env, d, func(w io.Writer, p kit.Paint) error {
					if d.Allowed {
						fmt.Fprintf(w, "%s %s\n", p.Wrap("32", "✓"), print.Clean(d.Words, 500))
					} else {
						fmt.Fprintf(w, "%s %s\n", p.Wrap("31", "✗"), print.Clean(d.Words, 500))
					}
					for _, s := range d.Steps {
						fmt.Fprintf(w, "  %s\n", print.Clean(s, 500))
					}
					if d.Fix != "" {
						fmt.Fprintf(w, "  → %s\n", print.Clean(d.Fix, 500))
					}
					return nil
				}); err != nil {
					return err
				}
				if !d.Allowed {
					return problem.New(problem.Unmet, "the policy does not allow it")
				}
				return nil
			})
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&caller, "caller", "", "a caller's name in the policy")
	fl.StringVar(&ask.Customer, "customer", "", "a customer's domain or tenant id, or partner (default the caller's own)")
	fl.StringVar(&ask.Subject, "subject", "", "what the caller proves itself by, where approvals count: sha256/… of its key, or its token's subject")
	fl.StringVar(&ask.Resource, "resource", "graph", "graph, partner-center, arm, or an identifier URI")
	output.Register(cmd)
	return cmd
}

func newPolicyApprovals(env *kit.Env, with withBroker) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "approvals", Short: "Show what waits for a yes, and what was decided", Args: kit.NoWords,
		Example: "  partnerguard policy approvals\n  partnerguard policy approvals --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return with(cmd.Context(), func(s *app.Installation, b *broker.Broker) error {
				rows, err := b.Approvals(cmd.Context())
				if err != nil {
					return err
				}
				return output.Answer(env, map[string]any{"approvals": print.List(rows)}, func(w io.Writer, p kit.Paint) error {
					if len(rows) == 0 {
						fmt.Fprintln(w, "Nothing was asked for.")
						return nil
					}
					type row = broker.PendingApproval
					named, err := connectionNames(cmd.Context(), s, rows)
					if err != nil {
						return err
					}
					kit.Table(w, p, rows,
						kit.Col("id", func(r *row) string { return r.ID }),
						kit.Col("caller", func(r *row) string { return r.Caller }),
						kit.Col("who asked", func(r *row) string { return askedBy(r) }),
						kit.Col("connection", func(r *row) string { return named[r.Connection] }),
						kit.Col("tenant", func(r *row) string { return r.Tenant }),
						kit.Col("resource", func(r *row) string { return strings.TrimPrefix(r.Resource, "https://") }),
						kit.Col("asked", func(r *row) string { return r.AskedAt.UTC().Format(time.DateTime) }),
						kit.Col("state", func(r *row) string {
							s2 := string(r.State)
							if r.DecidedBy != "" {
								s2 += " by " + r.DecidedBy
							}
							if r.State == broker.Approved {
								s2 += ", until " + kit.Until(r.Until, s.Now())
							}
							return s2
						}))
					return nil
				})
			})
		},
	}
	output.Register(cmd)
	return cmd
}

// askedBy is how a caller came and what it proved itself by.
func askedBy(a *broker.PendingApproval) string {
	how, _, _ := strings.Cut(a.Actor, ":")
	if a.Subject == "" {
		return a.Actor
	}
	return how + " " + a.Subject
}

// connectionNames gives, by id, what to show for the connections of approvals:
// the id, which says which it is, with the name of today.
func connectionNames(ctx context.Context, s *app.Installation, of []broker.PendingApproval) (map[string]string, error) {
	shown := map[string]string{}
	for _, a := range of {
		shown[a.Connection] = a.Connection
	}
	all, err := s.SAM.Store.List(ctx)
	for _, c := range all {
		if _, is := shown[c.ID]; is {
			shown[c.ID] = c.ID + " (" + c.Name + ")"
		}
	}
	return shown, err
}

func newPolicyDecide(env *kit.Env, with withBroker, verb, short, said string, decide func(*broker.Broker, context.Context, string,
	string) (broker.PendingApproval, error)) *cobra.Command {
	return &cobra.Command{
		Use: verb + " ID", Short: short,
		Example: "  partnerguard policy " + verb + " a-abc",
		Args:    kit.Between(1, 1, problem.New(problem.Usage, "policy %s takes one id", verb).WithHint("partnerguard policy approvals shows them")),
		RunE: func(cmd *cobra.Command, args []string) error {
			return with(cmd.Context(), func(s *app.Installation, b *broker.Broker) error {
				a, err := decide(b, cmd.Context(), args[0], s.Actor)
				if err != nil {
					return err
				}
				named, err := connectionNames(cmd.Context(), s, []broker.PendingApproval{a})
				if err != nil {
					return err
				}
				fmt.Fprintf(env.Stdout, "%s: %s (%s), %s at %s by %s", said, print.Clean(a.Caller, 100), print.Clean(askedBy(&a), 300),
					strings.TrimPrefix(a.Resource, "https://"), a.Tenant, print.Clean(named[a.Connection], 200))
				if a.State == broker.Approved {
					fmt.Fprintf(env.Stdout, ", until %s", kit.Until(a.Until, s.Now()))
				}
				fmt.Fprintln(env.Stdout)
				return nil
			})
		},
	}
}
