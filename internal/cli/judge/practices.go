package judge

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/partner"
	"partnerguard/internal/practice"
	"partnerguard/internal/practice/render"
	"partnerguard/internal/problem"
)

func newPractices(env *kit.Env) *cobra.Command {
	var (
		in     source
		w      kit.Who
		area   = kit.Choice{Allowed: practiceAreas()}
		output = kit.NewOutput("text", "json", "csv", "html")
	)
	cmd := &cobra.Command{
		Use: "practices [ID]", Short: "Judge the CSP security best practices",
		Long: `practices holds exports of the partner tenant against Microsoft's CSP security
best practices, P01 to P38: each is met, not met, unknown, attested or not
applicable, with what decided it, the one request or act that settles what is
unknown, and what brings it about. With an ID it shows that one whole.

They are recommended and bind nobody. Those that no export shows are attested:
partnerguard attest --requirement P22. A person's word never outweighs evidence.

What lies in customers/TENANT-ID/ of a folder that is named is read as that
customer's own; what was not read of a customer is unknown.

Without --from it judges the embedded sample partner.`,
		Example: `  partnerguard practices
  partnerguard practices --from exports/
  partnerguard practices P15 --from exports/
  partnerguard practices --from exports/ --area 'least privilege'
  partnerguard practices --from exports/ --output html --out practices.html
  partnerguard practices --output json | jq '.practices[] | select(.verdict == "unknown") | .settles'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return problem.New(problem.Usage, "practices takes one practice's id at most, got %d", len(args)).WithHint("partnerguard practices P15")
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var ids []string
			for _, p := range partner.Practices() {
				ids = append(ids, p.ID+"\t"+p.Title)
			}
			return ids, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				if _, ok := partner.FindPractice(strings.ToUpper(args[0])); !ok {
					return problem.New(problem.Usage, "no practice is called %.40q", args[0]).WithHint("they are P01 to P38: partnerguard practices")
				}
			}
			bar := kit.NewProgress(env, "reading")
			r := in.reading(env, bar)
			r.Until, r.AsOf = w.AsOf.End(), w.AsOf.End()
			q := app.Question{AsOf: w.AsOf.At, Now: env.Now().UTC(), Kind: partner.Kind(w.Kind.Value), Cloud: partner.Cloud(w.Cloud.Value)}
			report, err := app.Practices(cmd.Context(), r, q)
			bar.Done()
			if err != nil {
				return err
			}
			return writePractices(env, &output, report, area.Value, args)
		},
	}
	in.register(env, cmd)
	w.Register(cmd)
	kit.AddChoice(cmd, &area, "area", "show the practices of one area alone")
	output.RegisterFile(cmd)
	return cmd
}

// writePractices prints those that were asked for. The counts stay those of all.
func writePractices(env *kit.Env, output *kit.Output, report *practice.Report, area string, args []string) error {
	text := func(w io.Writer) error { return render.Text(w, report, output.Screen(env)) }
	if len(args) == 1 {
		q, _ := report.Find(strings.ToUpper(args[0]))
		report.Practices = []practice.Row{*q}
		text = func(w io.Writer) error { return render.One(w, report, q, output.Screen(env)) }
	}
	if area != "" {
		report.Practices = slices.DeleteFunc(report.Practices, func(q practice.Row) bool { return q.Area != area })
	}
	return output.Write(env, kit.Forms{
		"text": text,
		"json": func(w io.Writer) error { return render.JSON(w, report) },
		"csv":  func(w io.Writer) error { return render.CSV(w, report) },
		"html": func(w io.Writer) error { return render.HTML(w, report) },
	})
}

func practiceAreas() (out []string) {
	for _, p := range partner.Practices() {
		if !slices.Contains(out, p.Area) {
			out = append(out, p.Area)
		}
	}
	return out
}
