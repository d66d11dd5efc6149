package judge

import (
	"io"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/delegation/watch"
	"partnerguard/internal/problem"
)

// maxDaysAhead is as long as a relationship may last, in days (contracts-2026-11, section 3.3).
const maxDaysAhead = 730

func newDelegationExpiring(env *kit.Env) *cobra.Command {
	var (
		from   []string
		asOf   kit.Moment
		days   int
		all    bool
		feed   string
		output = kit.NewOutput("text", "json", "csv")
	)
	cmd := &cobra.Command{
		Use: "expiring", Short: "Show which relationships end, and have a calendar of it", Args: kit.NoArgs,
		Long: `expiring lists the delegated admin relationships (GDAP) that end within so many days,
soonest first, and those that ended in the last 30: an ended one cannot be revived.
One that extends itself is not among them. With Global Administrator none does, though
that may be set. Where a list was not read whole it says so, and what settles it.

--all adds what else is to be looked at: relationships with Global Administrator or
other roads to it, those of Microsoft's transition (MLT_), Partner Tier1 and Tier2
Support, delegated admin privileges, and people who left and are still in groups.

--ics writes the ends as a calendar, with alarms 60, 30, 14, 7 and 1 days before. An
entry keeps its name when its day moves.

Without --from it looks at the embedded sample partner.`,
		Example: `  partnerguard delegation expiring --from exports/
  partnerguard delegation expiring --from exports/ --days 120 --ics gdap.ics
  partnerguard delegation expiring --from exports/ --all --output csv --out look.csv
  partnerguard delegation expiring --output json | jq '.findings[] | select(.kind == "ending") | .customer'`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if days < 1 || days > maxDaysAhead {
				return problem.New(problem.Usage, "--days is %d; it is from 1 to %d", days, maxDaysAhead).WithHint("no relationship lasts longer than that")
			}
			bar := kit.NewProgress(env, "reading")
			r := app.Reading{From: from, Stdin: env.Stdin, Progress: bar.Set, At: asOf.At, Now: env.Now().UTC(), AsOf: asOf.End(), Archive: env.Archive}
			report, err := app.DelegationWatch(cmd.Context(), app.DelegationReading{Reading: r}, days, all)
			bar.Done()
			if err != nil {
				return err
			}
			if feed != "" {
				calendar := watch.Calendar(report.Findings, report.AsOf.Truncate(time.Second))
				if err := kit.WriteOut(env, feed, func(w io.Writer) error { _, err := w.Write(calendar); return err }); err != nil || feed == "-" {
					return err
				}
			}
			return output.Write(env, kit.Forms{
				"text": func(w io.Writer) error { return watch.Text(w, report, output.Screen(env)) },
				"json": func(w io.Writer) error { return watch.JSON(w, report) },
				"csv":  func(w io.Writer) error { return watch.CSV(w, report) },
			})
		},
	}
	kit.AddFrom(env, cmd, &from)
	kit.AddPlace(cmd)
	cmd.Flags().Var(&asOf, "as-of", "count the days from this date (default now)")
	cmd.Flags().IntVar(&days, "days", watch.Stages[0], "how many days ahead")
	cmd.Flags().BoolVar(&all, "all", false, "what else is to be looked at, too")
	cmd.Flags().StringVar(&feed, "ics", "", "write the ends as a calendar to this `file`; - is standard output, and nothing else then")
	output.RegisterFile(cmd)
	return cmd
}
