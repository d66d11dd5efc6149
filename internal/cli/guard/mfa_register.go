package guard

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/mfa/provider"
	"partnerguard/internal/mfa/register"
	"partnerguard/internal/mfa/selftest"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

const maxFile = 1 << 20

func newMFARegister(env *kit.Env, open kit.Opener) *cobra.Command {
	var ask app.ExternalAsk
	var plan bool
	var apply, file string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "register-with-entra", Short: "Make the MFA provider known to a tenant of Entra ID, planned first", Args: kit.NoWords,
		Long: `register-with-entra --plan writes what shall stand in Entra ID: the app with its
redirect URI, the consent, the method's configuration with its groups, and people who
are registered for it. Read it and change it. --apply PLAN does what is missing, step
by step, and may be run again: what is there is kept. --check PLAN shows the
difference and changes nothing.

The connection needs the feature external-mfa (delegated Application.ReadWrite.All,
Policy.ReadWrite.AuthenticationMethod, UserAuthMethod-External.ReadWrite.All) and an
account with the roles Application Administrator and Authentication Policy
Administrator; keep it for this alone. For a customer the app is one for many tenants,
and an administrator there opens the consent link that is shown.`,
		Example: `  partnerguard connect --name registrar --feature external-mfa
  partnerguard mfa register-with-entra --plan --group 0a1b2c3d-0000-4000-8000-000000000001 > plan.yaml
  partnerguard mfa register-with-entra --check plan.yaml
  partnerguard mfa register-with-entra --apply plan.yaml
  partnerguard mfa register-with-entra --plan --for-tenant fabrikam.example > fabrikam.yaml`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			n := 0
			for _, on := range []bool{plan, apply != "", file != ""} {
				if on {
					n++
				}
			}
			if n != 1 {
				return problem.New(problem.Usage, "one of --plan, --check PLAN and --apply PLAN is needed").
					WithHint("partnerguard mfa register-with-entra --plan > plan.yaml")
			}
			return open.With(cmd.Context(), func(s *app.Installation) error {
				if plan {
					return writePlan(cmd, env, s, ask)
				}
				return applyPlan(cmd, env, s, &output, ask.Connection, apply, file)
			})
		},
	}
	f := cmd.Flags()
	f.BoolVar(&plan, "plan", false, "write a plan")
	f.StringVar(&file, "check", "", "show what a plan's file would change")
	f.StringVar(&apply, "apply", "", "do what a plan's file lacks")
	f.StringVar(&ask.Connection, "connection", "", "the connection that registers (default the only one there is)")
	f.StringVar(&ask.Tenant, "for-tenant", "", "with --plan: a customer, by domain or tenant id (default the partner's own tenant)")
	f.StringVar(&ask.Name, "name", "", "with --plan: the method's name, which people see and which never changes (default Partnerguard)")
	f.StringSliceVar(&ask.Groups, "group", nil, "with --plan: for this group alone, by id; may be repeated (default all users)")
	f.StringSliceVar(&ask.Users, "user", nil, "with --plan: register this person; may be repeated")
	f.BoolVar(&ask.Multi, "multi-tenant", false, "with --plan: an app to which customers can consent")
	f.BoolVar(&ask.Disabled, "disabled", false, "with --plan: leave the method disabled")
	output.Register(cmd)
	return cmd
}

func writePlan(cmd *cobra.Command, env *kit.Env, s *app.Installation, ask app.ExternalAsk) error {
	p, err := s.ExternalPlan(cmd.Context(), ask)
	if err != nil {
		return err
	}
	b, err := p.YAML()
	if err == nil {
		_, err = env.Stdout.Write(b)
	}
	return err
}

func applyPlan(cmd *cobra.Command, env *kit.Env, s *app.Installation, output *kit.Output, connection, apply, look string) error {
	path := apply + look
	raw, err := problem.ReadFile("the plan", path, maxFile)
	if err != nil {
		return err
	}
	p, err := register.Read(path, raw)
	if err != nil {
		return err
	}
	found, steps, err := s.ExternalLook(cmd.Context(), connection, p)
	if err != nil {
		return err
	}
	if apply != "" {
		before := steps
		if found, steps, err = s.ExternalApply(cmd.Context(), connection, p); err != nil {
			return err
		}
		if output.Value == "text" {
			writeSteps(env.Stdout, kit.Paint{}, before)
			fmt.Fprintln(env.Stdout, "\nDone. It stands so:")
		}
	}
	said := struct {
		register.Found
		Steps []register.Step `json:"steps"`
	}{found, steps}
	return output.Answer(env, said, func(w io.Writer, p kit.Paint) error {
		writeSteps(w, p, steps)
		return nil
	})
}

func writeSteps(w io.Writer, p kit.Paint, steps []register.Step) {
	kit.Table(w, p, steps,
		kit.Col("what", func(s *register.Step) string { return s.What }),
		kit.Col("name", func(s *register.Step) string { return print.Clean(s.Name, 60) }),
		kit.Col("act", func(s *register.Step) string { return string(s.Act) }),
		kit.Col("difference", func(s *register.Step) string {
			var out []string
			for _, d := range s.Changes {
				if d.Was != "" {
					out = append(out, d.Member+": "+d.Was+" → "+d.Will)
				} else {
					out = append(out, d.Member+": "+d.Will)
				}
			}
			if s.Why != "" {
				out = append(out, s.Why)
			}
			return print.Clean(strings.Join(out, "; "), 300)
		}))
	for i := range steps {
		if steps[i].Link != "" {
			fmt.Fprintf(w, "\nConsent: %s\n", steps[i].Link)
		}
	}
}

func newMFASelftest(env *kit.Env, open kit.Opener) *cobra.Command {
	var discovery, connection string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "selftest", Short: "Play Entra ID's side against the running MFA provider", Args: kit.NoWords,
		Long: `selftest does what Entra ID does with a provider: it reads discovery and keys, looks
at what was registered, and posts requests that must be refused, signed by a key of its
own. For each it says what Entra ID would answer (AADSTS50161, 900491, 70002 …) and what
mends it. Nobody is asked for anything. Only Entra ID can sign a hint that is taken:
the whole way is tried by one sign-in of one person. Ends with 3 when something is bad.`,
		Example: "  partnerguard mfa selftest\n" +
			"  partnerguard mfa selftest --discovery https://mfa.contoso.example/mfa/.well-known/openid-configuration --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				list, err := s.ExternalSelftest(cmd.Context(), discovery, connection)
				if err != nil {
					return err
				}
				if err := output.Answer(env, map[string]any{"checks": print.List(list)}, func(w io.Writer, p kit.Paint) error {
					kit.Table(w, p, list,
						kit.Col("check", func(c *selftest.Check) string { return c.Name }),
						kit.Col("result", func(c *selftest.Check) string { return string(c.Result) }),
						kit.Col("Entra ID", func(c *selftest.Check) string { return aadsts(c.Code) }),
						kit.Col("found", func(c *selftest.Check) string { return c.Found }),
						kit.Col("mend", func(c *selftest.Check) string { return c.Mend }))
					return nil
				}); err != nil {
					return err
				}
				bad := 0
				for i := range list {
					if list[i].Result == selftest.Bad {
						bad++
					}
				}
				if bad > 0 {
					return problem.New(problem.Unmet, "Entra ID would not take this provider: %s",
						kit.Plural(bad, "one check is bad", fmt.Sprintf("%d checks are bad", bad)))
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&discovery, "discovery", "", "another discovery address (default this installation's)")
	cmd.Flags().StringVar(&connection, "connection", "", "the connection that reads what was registered (default the only one there is)")
	output.Register(cmd)
	return cmd
}

func aadsts(code int) string {
	if code == 0 {
		return ""
	}
	return fmt.Sprintf("AADSTS%d", code)
}

func newMFACheckHint(env *kit.Env, open kit.Opener) *cobra.Command {
	var file string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "check-hint", Short: "Explain an id_token_hint claim by claim, from standard input", Args: kit.NoWords,
		Long: `check-hint reads an id_token_hint from standard input and says of each claim what it
means here, and whether the hint would be taken now. It takes nothing: the hint stays
good. Entra ID's keys are read, or taken from a file with --keys. Neither the hint nor
a part of it is printed as it came. Ends with 3 when it would be refused.`,
		Example: "  partnerguard mfa check-hint < hint.txt\n  partnerguard mfa check-hint --keys keys.json --output json < hint.txt",
		RunE: func(cmd *cobra.Command, _ []string) error {
			raw, err := io.ReadAll(io.LimitReader(env.Input(), maxFile))
			if err != nil {
				return problem.Wrap(err, problem.BadInput, "standard input cannot be read")
			}
			hint := secret.New(strings.TrimSpace(string(raw)))
			if hint.IsZero() {
				return problem.New(problem.Usage, "standard input is empty").WithHint("partnerguard mfa check-hint < hint.txt")
			}
			return open.With(cmd.Context(), func(s *app.Installation) error {
				e, err := s.ExternalHint(cmd.Context(), hint, file)
				if err != nil {
					return err
				}
				if err := output.Answer(env, e, func(w io.Writer, p kit.Paint) error {
					writeExplained(w, p, &e)
					return nil
				}); err != nil {
					return err
				}
				if !e.Taken {
					return problem.New(problem.Unmet, "the hint would not be taken: %s", e.Reason)
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&file, "keys", "", "Entra ID's keys in a file, a JSON Web Key Set (default they are read)")
	_ = cmd.MarkFlagFilename("keys", "json")
	output.Register(cmd)
	return cmd
}

func writeExplained(w io.Writer, p kit.Paint, e *provider.Explained) {
	kit.Table(w, p, e.Claims,
		kit.Col("claim", func(c *provider.Part) string { return c.Name }),
		kit.Col("value", func(c *provider.Part) string { return c.Value }),
		kit.Col("judge", func(c *provider.Part) string { return c.Judge }),
		kit.Col("why", func(c *provider.Part) string { return c.Why }))
	fmt.Fprintf(w, "\n%s\n", e.Why)
}
