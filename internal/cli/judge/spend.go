package judge

import (
	"io"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/problem"
)

// NewSpend makes the commands of what Azure costs; those that keep something come from another wing.
func NewSpend(env *kit.Env, more ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: "spend", Short: "See where the customers' Azure is abused, and what it costs", Args: kit.Suggest,
		Long: `spend looks at what the customers' Azure costs and at who makes what there. anomalies
says which subscriptions look abused, and why.`,
		Example: `  partnerguard spend anomalies --from azure/
  partnerguard spend anomalies --from azure/ --as-of 2026-11-20T08:00:00Z --output json`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newAnomalies(env))
	cmd.AddCommand(more...)
	return cmd
}

func newAnomalies(env *kit.Env) *cobra.Command {
	var (
		q      app.AnomalyQuestion
		asOf   kit.Moment
		output = kit.NewOutput("text", "json", "csv")
	)
	cmd := &cobra.Command{
		Use: "anomalies", Short: "Say which subscriptions look abused, and when that could first be known", Args: kit.NoArgs,
		Long: `anomalies reads use and logs of a folder: usage/ with the daily-rated lines of the
partner billing export, activity/ with events of the Azure Activity Log, both as JSON
lines, arrays or pages, .gz too; customers.json with the customers and their
subscriptions; and directoryAudits and signIns beside, where they are there.

Each sign of abuse has a weight, and what speaks for a legitimate deployment a negative
one: docs/spend.md has the table. From a sum on a subscription is a finding, with its
reasons. detectedAt is the newest record that was needed, so a replay shows the true
time to detect. What a file of deployments declares is not held against anybody, as far
as it covers it; deployments.yaml of the folder is read by itself.

What was not read is said, and never taken for quiet.`,
		Example: `  partnerguard spend anomalies --from azure/
  partnerguard spend anomalies --from azure/ --as-of 2026-11-20T08:00:00Z --output json
  partnerguard spend anomalies --from azure/ --deployments deployments.yaml
  partnerguard spend anomalies --from azure/ --output csv --out anomalies.csv`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case len(q.From) == 0:
				return problem.New(problem.Usage, "anomalies was given nothing to read").
					WithHint("name a folder with usage/ and activity/: partnerguard spend anomalies --from azure/")
			case cmd.Flags().Changed("score") && (q.Score < 1 || q.Score > 50):
				return problem.New(problem.Usage, "--score is %g; it is from 1 to 50", q.Score).WithHint("docs/spend.md says what the weights add up to")
			}
			bar := kit.NewCount(env, "reading")
			q.AsOf, q.Progress = asOf.End(), bar.Set
			report, err := app.Anomalies(cmd.Context(), q)
			bar.Done()
			if err != nil {
				return err
			}
			return output.Write(env, kit.Forms{
				"text": func(w io.Writer) error { return report.Text(w, output.Screen(env)) },
				"json": report.JSON,
				"csv":  report.CSV,
			})
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&q.From, "from", nil, "a folder with usage/, activity/ and customers.json; may be repeated")
	_ = cmd.MarkFlagDirname("from")
	f.Var(&asOf, "as-of", "judge as of this date or time: records after it count for nothing (default the newest record)")
	f.StringVar(&q.Deployments, "deployments", "", "a `file` of declared deployments (default deployments.yaml of the folder)")
	_ = cmd.MarkFlagFilename("deployments", "yaml", "yml", "json")
	f.Float64Var(&q.Score, "score", 0, "a finding from this sum of weights on (default 4.5)")
	output.RegisterFile(cmd)
	return cmd
}
