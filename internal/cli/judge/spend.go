package judge

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/fraud/detect"
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
		kept   keptAnomalies
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

What was not read is said, and never taken for quiet.

Without --from it tells what our own eyes see in what is collected here: each round of
reading is judged as it comes, and a finding is an alert too.`,
		Example: `  partnerguard spend anomalies
  partnerguard spend anomalies --from azure/
  partnerguard spend anomalies --from azure/ --as-of 2026-11-20T08:00:00Z --output json
  partnerguard spend anomalies --from azure/ --deployments deployments.yaml
  partnerguard spend anomalies --from azure/ --output csv --out anomalies.csv`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("score") && (q.Score < 1 || q.Score > 50) {
				return problem.New(problem.Usage, "--score is %g; it is from 1 to 50", q.Score).WithHint("docs/spend.md says what the weights add up to")
			}
			for _, name := range []string{"as-of", "deployments", "score"} {
				if len(q.From) == 0 && cmd.Flags().Changed(name) {
					return problem.New(problem.Usage, "--%s goes with --from", name).
						WithHint("what is collected is judged as it comes; its deployments are those of the setting fraudDeployments")
				}
			}
			q.AsOf = asOf.End()
			report, err := kept.look(cmd.Context(), env, q)
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
	kept = keepsAnomalies(env, cmd)
	f := cmd.Flags()
	f.StringArrayVar(&q.From, "from", nil, "a folder with usage/, activity/ and customers.json; may be repeated (default what is collected)")
	_ = cmd.MarkFlagDirname("from")
	f.Var(&asOf, "as-of", "judge as of this date or time: records after it count for nothing (default the newest record)")
	f.StringVar(&q.Deployments, "deployments", "", "a `file` of declared deployments (default deployments.yaml of the folder)")
	_ = cmd.MarkFlagFilename("deployments", "yaml", "yml", "json")
	f.Float64Var(&q.Score, "score", 0, "a finding from this sum of weights on (default 4.5)")
	output.RegisterFile(cmd)
	return cmd
}

// keptAnomalies tells what is seen in what an installation collects: kind problem.NotFound where
// nothing was collected. Nil: this program keeps nothing.
type keptAnomalies func(ctx context.Context) (*detect.Report, error)

// look answers by files that are named, else by what is collected.
func (k keptAnomalies) look(ctx context.Context, env *kit.Env, q app.AnomalyQuestion) (*detect.Report, error) {
	if len(q.From) > 0 {
		bar := kit.NewCount(env, "reading")
		defer bar.Done()
		q.Progress = bar.Set
		return app.Anomalies(ctx, q)
	}
	if k != nil {
		report, err := k(ctx)
		if !errors.Is(err, problem.NotFound) {
			return report, err
		}
	}
	return nil, problem.New(problem.Usage, "anomalies was given nothing to read, and nothing was collected here").
		WithHint("name a folder with usage/ and activity/: partnerguard spend anomalies --from azure/")
}
