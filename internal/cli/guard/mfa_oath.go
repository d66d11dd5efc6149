package guard

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/mfa/oath"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

func newMFAOath(env *kit.Env, open kit.Opener) *cobra.Command {
	var plan bool
	var apply, connection string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "oath", Short: "Give Entra ID our seeds as hardware OATH tokens, planned first", Args: kit.NoWords,
		Long: `oath is the second route: the seeds of the authenticator apps that people set up here go
to Entra ID as hardware OATH tokens. Their codes are checked there, need no provider of ours,
and satisfy authentication strengths that name them, which External MFA does not.

--plan writes which tokens that would be; take out what shall stay. --apply PLAN uploads, assigns
and activates them, token by token, and may be run again. A seed goes from the vault into one
request, and to no file and no terminal. The interface is in preview at Microsoft, and in
the public cloud alone. The connection needs the feature hardware-oath, and an account
with the roles Authentication Policy Administrator and Authentication Administrator.`,
		Example: `  partnerguard connect --name oath --feature hardware-oath
  partnerguard mfa oath --plan > tokens.yaml
  partnerguard mfa oath --apply tokens.yaml`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if plan == (apply != "") {
				return problem.New(problem.Usage, "one of --plan and --apply PLAN is needed").WithHint("partnerguard mfa oath --plan > tokens.yaml")
			}
			return open.With(cmd.Context(), func(s *app.Installation) error {
				if plan {
					return planOath(cmd, env, s, &output, connection)
				}
				return applyOath(cmd, env, s, &output, connection, apply)
			})
		},
	}
	f := cmd.Flags()
	f.BoolVar(&plan, "plan", false, "write a plan")
	f.StringVar(&apply, "apply", "", "do what a plan's file names")
	f.StringVar(&connection, "connection", "", "the connection of the tenant (default the only one there is)")
	_ = cmd.MarkFlagFilename("apply", "yaml", "yml")
	output.Register(cmd)
	return cmd
}

func planOath(cmd *cobra.Command, env *kit.Env, s *app.Installation, output *kit.Output, connection string) error {
	file, steps, err := s.OathPlan(cmd.Context(), connection)
	if err != nil {
		return err
	}
	return output.Answer(env, map[string]any{"steps": print.List(steps)}, func(w io.Writer, _ kit.Paint) error {
		if len(steps) == 0 {
			return problem.New(problem.NotFound, "nobody of this tenant has an authenticator app here").WithHint("partnerguard mfa users lists who has what")
		}
		b, err := file.YAML()
		if err == nil {
			_, err = w.Write(b)
		}
		return err
	})
}

func applyOath(cmd *cobra.Command, env *kit.Env, s *app.Installation, output *kit.Output, connection, path string) error {
	raw, err := problem.ReadFile("the plan", path, 4<<20)
	if err != nil {
		return err
	}
	file, err := oath.ReadFile(path, raw)
	if err != nil {
		return err
	}
	done, err := s.OathApply(cmd.Context(), connection, file)
	if err != nil {
		return err
	}
	failed := 0
	for i := range done {
		if !done[i].Done {
			failed++
		}
	}
	if err := output.Answer(env, map[string]any{"results": print.List(done)}, func(w io.Writer, p kit.Paint) error {
		kit.Table(w, p, done,
			kit.Col("token", func(r *oath.Result) string { return r.Token.Serial }),
			kit.Col("person", func(r *oath.Result) string { return r.Token.User }),
			kit.Col("act", func(r *oath.Result) string { return string(r.Act) }),
			kit.Col("became", func(r *oath.Result) string {
				switch {
				case r.Error != "":
					return print.Clean(r.Error, 200)
				case r.Done:
					return "done"
				}
				return print.Clean(r.Why, 200)
			}))
		return nil
	}); err != nil {
		return err
	}
	if failed > 0 {
		return problem.New(problem.Unmet, "%s", kit.Plural(failed, "one token was not taken", fmt.Sprintf("%d tokens were not taken", failed))).
			WithHint("what was done stays; plan again")
	}
	return nil
}
