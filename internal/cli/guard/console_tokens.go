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
)

func tokenIDs(ctx context.Context, i *app.Installation) (ids []string, err error) {
	list, err := i.Console.Tokens(ctx)
	for k := range list {
		ids = append(ids, list[k].ID)
	}
	return ids, err
}

func newConsoleTokens(env *kit.Env, open kit.Opener) *cobra.Command {
	output := kit.NewOutput("text", "json")
	list := func(cmd *cobra.Command, _ []string) error {
		return open.With(cmd.Context(), func(s *app.Installation) error {
			rows, err := s.Console.Tokens(cmd.Context())
			if err != nil {
				return err
			}
			return output.Answer(env, map[string]any{"tokens": print.List(rows)}, func(w io.Writer, p kit.Paint) error {
				if len(rows) == 0 {
					fmt.Fprintln(w, "There is no token.")
					return nil
				}
				type row = console.Token
				kit.Table(w, p, rows,
					kit.Col("id", func(r *row) string { return r.ID }),
					kit.Col("name", func(r *row) string { return r.Name }),
					kit.Col("ends", func(r *row) string { return kit.Until(r.Ends, s.Now()) }),
					kit.Col("used", func(r *row) string { return usedAt(r.Used) }),
					kit.Col("made by", func(r *row) string { return r.By }),
					kit.Col("may", func(r *row) string { return strings.Join(r.Rights, " ") + limited(r.Customers) }),
					kit.Col("refused", func(r *row) string { return r.Refused }))
				return nil
			})
		})
	}
	cmd := &cobra.Command{Use: "tokens", Short: "Show and change the tokens by which programs use the API",
		Args: kit.Only("console tokens", "list, add and remove"),
		RunE: list,
		Long: `tokens are for programs: Authorization: Bearer pg_… at /api/v1. Each has a scope and an
end, a year ahead at most. What is kept of one is a hash: it is shown once, when it is
made. No token may approve, or make others.`,
		Example: `  partnerguard console tokens
  partnerguard console tokens add --name billing --right customers.see --days 90
  partnerguard console tokens remove ct-abc`}
	again := &cobra.Command{Use: "list", Short: "Show the tokens", Args: kit.NoWords, RunE: list, Example: "  partnerguard console tokens list --output json"}
	output.Register(cmd)
	output.Register(again)
	cmd.AddCommand(again, newConsoleTokensAdd(env, open), newConsoleTokensRemove(env, open))
	return cmd
}

func usedAt(at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return at.UTC().Format("2006-01-02 15:04")
}

func newConsoleTokensAdd(env *kit.Env, open kit.Opener) *cobra.Command {
	var t console.Token
	var customers []string
	var days int
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "add", Short: "Make a token; it is shown once", Args: kit.NoWords,
		Example: "  partnerguard console tokens add --name billing --right customers.see --right posture.see --customer fabrikam.example --days 90",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) (err error) {
				if days < 1 || days > 366 {
					return problem.New(problem.Usage, "a token lives 1 to 366 days, not %d", days).WithHint("--days 90")
				}
				t.Ends = s.Now().Add(time.Duration(days) * 24 * time.Hour)
				if t.Customers, err = customerIDs(cmd.Context(), s, customers); err != nil {
					return err
				}
				got, text, err := s.Console.MakeToken(cmd.Context(), t, s.Actor)
				if err != nil {
					return err
				}
				said := struct {
					console.Token
					Text string `json:"token"`
				}{got, text.Reveal()} // to whom made it, once
				return output.Answer(env, said, func(w io.Writer, p kit.Paint) error {
					fmt.Fprintln(w, said.Text)
					fmt.Fprintln(w, p.Dim(fmt.Sprintf("It is not shown again. %s (%s) may %s%s, until %s.", print.Clean(got.Name, 120), got.ID,
						strings.Join(got.Rights, " "), limited(got.Customers), got.Ends.Format(time.DateOnly))))
					return nil
				})
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&t.Name, "name", "", "what it is for (required)")
	f.StringSliceVar(&t.Rights, "right", nil, "what it may: "+strings.Join(console.Scopes(), ", ")+"; may be repeated (required)")
	_ = cmd.RegisterFlagCompletionFunc("right", cobra.FixedCompletions(console.Scopes(), cobra.ShellCompDirectiveNoFileComp))
	f.StringSliceVar(&customers, "customer", nil, "limit it to this customer, a domain or tenant id; may be repeated (default all, and the partner's own)")
	f.IntVar(&days, "days", 90, "how many days it lives, 366 at most")
	output.Register(cmd)
	return cmd
}

func newConsoleTokensRemove(env *kit.Env, open kit.Opener) *cobra.Command {
	return &cobra.Command{
		Use: "remove ID", Short: "End a token, at once", Example: "  partnerguard console tokens remove ct-abc",
		Args: kit.Between(1, 1, problem.New(problem.Usage, "tokens remove takes one id").WithHint("partnerguard console tokens lists them")),
		RunE: func(cmd *cobra.Command, args []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				t, err := s.Console.RemoveToken(cmd.Context(), args[0], s.Actor)
				if err == nil {
					fmt.Fprintf(env.Stdout, "Removed: %s\n", print.Clean(t.Name, 120))
				}
				return err
			})
		},
	}
}
