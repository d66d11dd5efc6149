package judge

import (
	"io"
	"slices"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/doctor"
	"partnerguard/internal/doctor/render"
	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
	"partnerguard/internal/problem"
)

func newExport(env *kit.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "export", Short: "Say what to export, and whether an export is enough",
		Long: `export plan lists the requests for each file that the rule book needs. export
check looks at a folder and says what is there, what is cut, what is absent, and
what to run.`,
		Example: `  partnerguard export plan --licence p1
  partnerguard export check exports/`,
		Args: kit.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newExportPlan(env), newExportCheck(env))
	return cmd
}

// exporter are the flags that both commands share.
type exporter struct {
	kit.Who
	licence kit.Choice
}

func (e *exporter) register(cmd *cobra.Command, licence string) {
	e.Who.Register(cmd)
	// The kind has this shorter name too: it is what a plan is most often asked by.
	cmd.Flags().Var(&e.Kind, "kind", "the same as --partner-kind")
	_ = cmd.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions(e.Kind.Allowed, cobra.ShellCompDirectiveNoFileComp))
	for _, l := range evidence.Licences() {
		e.licence.Allowed = append(e.licence.Allowed, string(l))
	}
	kit.AddChoice(cmd, &e.licence, "licence", licence)
}

func (e *exporter) options(env *kit.Env) doctor.Options {
	o := doctor.Options{AsOf: e.AsOf.At, Kind: partner.Kind(e.Kind.Value), Cloud: partner.Cloud(e.Cloud.Value), Licence: evidence.Licence(e.licence.Value)}
	if o.AsOf.IsZero() {
		o.AsOf = env.Now().UTC()
	}
	return o
}

func newExportPlan(env *kit.Env) *cobra.Command {
	var (
		e      exporter
		output = kit.NewOutput("text", "json", "csv", "powershell")
	)
	cmd := &cobra.Command{
		Use: "plan", Short: "List the requests for each file that the rules need", Args: kit.NoArgs,
		Long: `plan prints, for each file that the rule book needs for a kind of partner, a cloud
and a licence: the exact requests with the permission of least privilege and who
may make them, a PowerShell line that saves the answer whole, the clicks where a
portal gives a file that is read, which rules need it, and what to do without
the licence that it takes. It reaches nothing on the network.

The lines go through Invoke-MgGraphRequest, follow every page, and save what
came, so that nothing is lost on the way.`,
		Example: `  partnerguard export plan
  partnerguard export plan --kind indirect-reseller --licence free
  partnerguard export plan --cloud usgov --output powershell > export.ps1
  partnerguard export plan --output json | jq -r '.files[] | [.file, .requests[0]] | @tsv'`,
		RunE: func(*cobra.Command, []string) error {
			p, err := doctor.MakePlan(e.options(env))
			if err != nil {
				return err
			}
			kit.Next(env, "partnerguard export check exports/, once the files are there")
			return output.Write(env, kit.Forms{
				"text":       func(w io.Writer) error { return render.PlanText(w, p, output.Screen(env)) },
				"json":       func(w io.Writer) error { return render.JSON(w, p) },
				"csv":        func(w io.Writer) error { return render.PlanCSV(w, p) },
				"powershell": func(w io.Writer) error { return render.PlanScript(w, p) },
			})
		},
	}
	e.register(cmd, "the Entra ID edition of the tenant (default not known: everything is listed)")
	output.RegisterFile(cmd)
	return cmd
}

func newExportCheck(env *kit.Env) *cobra.Command {
	var (
		e      exporter
		from   []string
		output = kit.NewOutput("text", "json", "csv")
	)
	cmd := &cobra.Command{
		Use: "check [DIR...]", Short: "Say whether an export has what the rules need",
		Long: `check reads files and folders as assess does and says, for this kind of partner
and as of now: of each file whether it is whole, cut and why, or absent; of each
rule what it has and what it lacks; and the requests that settle it.

Without an input it checks the embedded sample partner.

Exit code 3 says that something needed is absent or partial.`,
		Example: `  partnerguard export check exports/
  partnerguard export check exports/ --licence p1 --kind indirect-provider
  partnerguard export check exports/ --output json | jq -r '.run[]'
  zcat signins.jsonl.gz | partnerguard export check - exports/`,
		RunE: func(cmd *cobra.Command, args []string) error {
			bar := kit.NewProgress(env, "reading")
			o := e.options(env)
			r := app.Reading{From: slices.Concat(args, from), Stdin: env.Stdin, Progress: bar.Set, At: o.AsOf, AsOf: e.AsOf.End(), Archive: env.Archive}
			f, err := app.Read(cmd.Context(), r, nil)
			bar.Done()
			if err != nil {
				return err
			}
			c := doctor.MakeCheck(f, o)
			c.Sample = r.Sample()
			err = output.Write(env, kit.Forms{
				"text": func(w io.Writer) error { return render.CheckText(w, c, output.Screen(env)) },
				"json": func(w io.Writer) error { return render.JSON(w, c) },
				"csv":  func(w io.Writer) error { return render.CheckCSV(w, c) },
			})
			switch {
			case c.Sample:
				kit.Next(env, "partnerguard export plan")
			case c.Complete:
				kit.Next(env, "partnerguard assess%s", kit.From(r.From))
			default:
				kit.Next(env, "partnerguard export plan, and export what is missing")
			}
			if err == nil && !c.Complete {
				return problem.New(problem.Unmet, "%d of %d files that the rules need are absent or partial", c.Needed-c.Whole, c.Needed)
			}
			return err
		},
	}
	kit.AddFrom(env, cmd, &from)
	kit.AddPlace(cmd)
	e.register(cmd, "the Entra ID edition of the tenant (default what subscribedSkus shows)")
	output.RegisterFile(cmd)
	return cmd
}
