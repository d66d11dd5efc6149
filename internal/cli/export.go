package cli

import (
	"io"
	"slices"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/doctor"
	"partnerguard/internal/doctor/render"
	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
	"partnerguard/internal/problem"
)

func newExport(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "export", Short: "Say what to export, and whether an export is enough",
		Long: `export plan lists the requests for each file that the rule book needs. export
check looks at a folder and says what is there, what is cut, what is absent, and
what to run.`,
		Example: `  partnerguard export plan --licence p1
  partnerguard export check exports/`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newExportPlan(env), newExportCheck(env))
	return cmd
}

// exporter are the flags that both commands share.
type exporter struct {
	who
	licence choice
}

func (e *exporter) register(cmd *cobra.Command, licence string) {
	e.who.register(cmd)
	// The kind has this shorter name too: it is what a plan is most often asked by.
	cmd.Flags().Var(&e.kind, "kind", "the same as --partner-kind")
	_ = cmd.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions(e.kind.allowed, cobra.ShellCompDirectiveNoFileComp))
	for _, l := range evidence.Licences() {
		e.licence.allowed = append(e.licence.allowed, string(l))
	}
	addChoice(cmd, &e.licence, "licence", licence)
}

func (e *exporter) options(env *Env) doctor.Options {
	o := doctor.Options{AsOf: e.asOf.at, Kind: partner.Kind(e.kind.value), Cloud: partner.Cloud(e.cloud.value), Licence: evidence.Licence(e.licence.value)}
	if o.AsOf.IsZero() {
		o.AsOf = env.Now().UTC()
	}
	return o
}

func newExportPlan(env *Env) *cobra.Command {
	var (
		e      exporter
		out    string
		output = choice{value: "text", allowed: []string{"text", "json", "csv", "powershell"}}
	)
	cmd := &cobra.Command{
		Use: "plan", Short: "List the requests for each file that the rules need", Args: noArgs,
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
			return writeOut(env, out, forms{
				"text": func(w io.Writer) error {
					return render.PlanText(w, p, render.Options{Width: width(env), Color: out == "" && colour(env)})
				},
				"json":       func(w io.Writer) error { return render.JSON(w, p) },
				"csv":        func(w io.Writer) error { return render.PlanCSV(w, p) },
				"powershell": func(w io.Writer) error { return render.PlanScript(w, p) },
			}[output.value])
		},
	}
	e.register(cmd, "the Entra ID edition of the tenant (default not known: everything is listed)")
	addChoice(cmd, &output, "output", "how to print")
	addOut(cmd, &out)
	return cmd
}

func newExportCheck(env *Env) *cobra.Command {
	var (
		e      exporter
		from   []string
		out    string
		output = choice{value: "text", allowed: []string{"text", "json", "csv"}}
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
			bar := newProgress(env, "reading")
			o := e.options(env)
			r := app.Reading{From: slices.Concat(args, from), Stdin: env.Stdin, Progress: bar.set, At: o.AsOf}
			f, err := app.Read(cmd.Context(), r, nil)
			bar.done()
			if err != nil {
				return err
			}
			c := doctor.MakeCheck(f, o)
			c.Sample = r.Sample()
			err = writeOut(env, out, forms{
				"text": func(w io.Writer) error {
					return render.CheckText(w, c, render.Options{Width: width(env), Color: out == "" && colour(env)})
				},
				"json": func(w io.Writer) error { return render.JSON(w, c) },
				"csv":  func(w io.Writer) error { return render.CheckCSV(w, c) },
			}[output.value])
			if err == nil && !c.Complete {
				return problem.New(problem.Unmet, "%d of %d files that the rules need are absent or partial", c.Needed-c.Whole, c.Needed)
			}
			return err
		},
	}
	addFrom(cmd, &from)
	e.register(cmd, "the Entra ID edition of the tenant (default what subscribedSkus shows)")
	addChoice(cmd, &output, "output", "how to print")
	addOut(cmd, &out)
	return cmd
}
