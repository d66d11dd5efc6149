package judge

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/assess/render"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/partner"
	"partnerguard/internal/problem"
)

func newAssess(env *kit.Env) *cobra.Command {
	var (
		in     source
		w      kit.Who
		s      kit.Span
		output = kit.NewOutput("text", "json", "html", "pdf", "csv", "accounts-csv", "junit")
	)
	cmd := &cobra.Command{
		Use: "assess", Short: "Judge a partner's exports by the rule book", Args: kit.NoArgs,
		Long: `assess reads exports of a partner tenant and judges each requirement: met, not
met, unknown, attested or not applicable, with what decided it and what to do.

Inputs are recognised by content: sign-in logs (Graph, Azure Monitor, Log
Analytics, portal CSV), users and their registration, policies, roles, groups,
apps, relationships, alerts, Partner Center reports, ScubaGear's provider
export; plain, gzip or zstd. What is not recognised is listed with the reason.

Without --from it judges an embedded sample partner.

Exit code 3 says that a mandatory requirement is not met or unknown.`,
		Example: `  partnerguard assess
  partnerguard assess --from exports/
  partnerguard assess --from exports/ --output html --out report.html
  partnerguard assess --from exports/ --output pdf --out report.pdf
  partnerguard assess --from exports/ --output accounts-csv --out accounts.csv
  partnerguard assess --from exports/ --as-of 2022-03-01 --partner-kind indirect-reseller
  zcat signins.jsonl.gz | partnerguard assess --from - --from users.json --output json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.Check(); err != nil {
				return err
			}
			bar := kit.NewProgress(env, "reading")
			q := app.Question{AsOf: w.AsOf.At, Now: env.Now().UTC(), Kind: partner.Kind(w.Kind.Value), Cloud: partner.Cloud(w.Cloud.Value)}
			until := s.Until.End()
			if end := w.AsOf.End(); !end.IsZero() && (until.IsZero() || end.Before(until)) {
				until = end // what happened after the moment of judgement does not count
			}
			r := in.reading(env, bar)
			r.Since, r.Until, r.AsOf = s.Since.At, until, w.AsOf.End()
			report, err := app.Assess(cmd.Context(), r, q)
			bar.Done()
			if err != nil {
				return err
			}
			err = output.Write(env, kit.Forms{
				"text":         func(w io.Writer) error { return render.Text(w, report, output.Screen(env)) },
				"json":         func(w io.Writer) error { return render.JSON(w, report) },
				"html":         func(w io.Writer) error { return render.HTML(w, report) },
				"pdf":          output.PDF(cmd.Context(), env, func(w io.Writer) error { return render.HTML(w, report) }),
				"csv":          func(w io.Writer) error { return render.CSV(w, report) },
				"accounts-csv": func(w io.Writer) error { return render.AccountsCSV(w, report) },
				"junit":        func(w io.Writer) error { return render.JUnit(w, report) },
			})
			if err != nil {
				return err
			}
			if len(in.from) == 0 {
				kit.Next(env, "partnerguard export plan: what to export of your own tenant; then partnerguard assess --from exports/")
			} else {
				kit.Next(env, "partnerguard prove%s", kit.From(in.from))
			}
			if n := len(report.Failing()); n > 0 {
				return problem.New(problem.Unmet, "%s not met or unknown", mandatory(n))
			}
			return nil
		},
	}
	in.register(env, cmd)
	w.Register(cmd)
	s.Register(cmd)
	output.RegisterFile(cmd)
	return cmd
}

func mandatory(n int) string {
	if n == 1 {
		return "1 mandatory requirement is"
	}
	return fmt.Sprintf("%d mandatory requirements are", n)
}
