package judge

import (
	"io"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/dates/render"
	"partnerguard/internal/partner"
)

func newDates(env *kit.Env) *cobra.Command {
	var (
		from   []string
		asOf   kit.Moment
		kind   = kit.Choice{Value: string(partner.DirectBill)}
		output = kit.NewOutput("text", "json", "csv")
	)
	for _, k := range partner.Kinds() {
		kind.Allowed = append(kind.Allowed, string(k))
	}
	cmd := &cobra.Command{
		Use: "dates", Short: "Show what Microsoft changes on dates, and who is hit here", Args: kit.NoArgs,
		Long: `dates holds what Microsoft changes on dates (SMS and voice end, SMTP AUTH with a
password, custom controls, old interfaces ...) against exports of the partner
tenant. Of each change it says who is hit here and by name, or nobody, or that it
is not known and what settles that. Nobody is said only where the evidence was
read to its end and is of the last 30 days.

Each date has its source. Where only one source names it, that is said.

Without --from it looks at the embedded sample partner.`,
		Example: `  partnerguard dates
  partnerguard dates --from exports/
  partnerguard dates --from exports/ --as-of 2027-01-31 --output csv --out dates.csv
  partnerguard dates --output json | jq '.changes[] | select(.answer == "hit") | .text'`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			bar := kit.NewProgress(env, "reading")
			r := app.Reading{From: from, Stdin: env.Stdin, Progress: bar.Set, Until: asOf.End(), AsOf: asOf.End(), Archive: env.Archive}
			report, err := app.Dates(cmd.Context(), r, app.Question{AsOf: asOf.At, Now: env.Now().UTC(), Kind: partner.Kind(kind.Value)})
			bar.Done()
			if err != nil {
				return err
			}
			return output.Write(env, kit.Forms{
				"text": func(w io.Writer) error { return render.Text(w, report, output.Screen(env)) },
				"json": func(w io.Writer) error { return render.JSON(w, report) },
				"csv":  func(w io.Writer) error { return render.CSV(w, report) },
			})
		},
	}
	kit.AddFrom(env, cmd, &from)
	kit.AddPlace(cmd)
	cmd.Flags().Var(&asOf, "as-of", "count the days from this date, and leave out what was recorded later (default now)")
	kit.AddChoice(cmd, &kind, "partner-kind", "what kind of partner it is")
	output.RegisterFile(cmd)
	return cmd
}
