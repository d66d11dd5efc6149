//go:build !judge

package keep

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/pack"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam/capture"
)

// onceFlags say what is looked at.
type onceFlags struct {
	connection, out, reader string
	features, redact        []string
	apply, finish           bool
}

func newPackOnce(env *kit.Env, in *kit.Installation) *cobra.Command {
	open := kit.Opener(func(ctx context.Context) (*app.Installation, error) { return in.Open(ctx, env) })
	var f onceFlags
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "once TENANT", Short: "Assess a tenant read-only before it is taken on: one consent, one reading, one pack, and the consent removed",
		Long: `once looks at a customer's tenant one time. It gives the app the fewest permissions
there, all of which only read, reads the tenant, makes a pack of it, removes the
consent again, and shows by a new token that it is gone.

Without --apply it lists the permissions, what each lets the app do, and changes
nothing. A tenant where the app has a consent already is refused: removing it would
take that too.

What was begun is in the audit trail before anything is granted. Where it was cut off,
--finish removes what is left; where a removal fails it says how a person does it.`,
		Example: `  partnerguard pack once woodgrove.example --out woodgrove.zip
  partnerguard pack once woodgrove.example --out woodgrove.zip --apply
  partnerguard pack once --finish`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case f.finish && (len(args) > 0 || f.apply):
				return problem.New(problem.Usage, "pack once --finish takes no tenant and no --apply: it removes what is left of all")
			case !f.finish && len(args) != 1:
				return problem.New(problem.Usage, "pack once takes one tenant, by its domain or id").WithHint("partnerguard customers list shows them")
			case !f.finish && f.out == "":
				return problem.New(problem.Usage, "pack once needs a file for the pack").WithHint("add --out pack.zip")
			}
			return nil
		},
		RunE: open.Run(func(ctx context.Context, i *app.Installation, args []string) error {
			if f.finish {
				return onceFinish(ctx, env, i, &output)
			}
			return f.once(ctx, env, i, args[0], &output)
		}),
	}
	fl := cmd.Flags()
	fl.StringVar(&f.out, "out", "", "the file of the pack, which must not be there")
	fl.StringVar(&f.connection, "connection", "", "by which connection (default the only one there is)")
	fl.StringVar(&f.reader, "for", "auditor", "for whom the pack is: auditor, insurer, microsoft or customer")
	var least []string
	for _, x := range app.OnceFeatures() {
		least = append(least, string(x))
	}
	fl.StringSliceVar(&f.features, "features", least, "what is looked at; features that do more than read are refused")
	fl.StringSliceVar(&f.redact, "redact", nil, "leave out of the pack: names, addresses")
	fl.BoolVar(&f.apply, "apply", false, "do it; without, what would be asked for is listed")
	fl.BoolVar(&f.finish, "finish", false, "remove what is left of assessments that were cut off")
	_ = cmd.MarkFlagFilename("out", "zip")
	output.Register(cmd)
	in.Register(cmd)
	return cmd
}

func (f *onceFlags) once(ctx context.Context, env *kit.Env, i *app.Installation, tenant string, output *kit.Output) error {
	o := app.Once{Tenant: tenant, Connection: f.connection}
	for _, w := range f.features {
		if !slices.Contains(capture.Features(), capture.Feature(w)) {
			return problem.New(problem.Usage, "no feature is called %.40q", w).WithHint("partnerguard customers consent --help lists them")
		}
		o.Features = append(o.Features, capture.Feature(w))
	}
	if !f.apply {
		plan, err := i.PlanOnce(ctx, o)
		if err != nil {
			return err
		}
		if err := output.Answer(env, plan, func(w io.Writer, p kit.Paint) error { return onceWanted(w, p, plan) }); err != nil {
			return err
		}
		kit.Next(env, "partnerguard pack once %s --out %s --apply", kit.Quoted(tenant), kit.Quoted(f.out))
		return nil
	}
	if output.Value == "text" {
		o.Tell = func(s app.OnceStep) { fmt.Fprintln(env.Stderr, print.Clean(s.Text, 1000)) }
	}
	o.Make = func(ctx context.Context, tenant string, from, to time.Time) (*pack.Made, error) {
		return i.MakePack(ctx, pack.Options{Tenant: tenant, From: from, To: to, Reader: f.reader, Redact: f.redact, Out: f.out})
	}
	done, err := i.AssessOnce(ctx, o)
	if done == nil {
		return err
	}
	if werr := output.Answer(env, done, func(w io.Writer, p kit.Paint) error { return onceText(w, p, done) }); werr != nil {
		return werr
	}
	if err == nil {
		kit.Next(env, "partnerguard pack verify %s", kit.Quoted(f.out))
	}
	return err
}

func onceWanted(w io.Writer, p kit.Paint, d *app.OnceDone) error {
	if d.Own {
		_, err := fmt.Fprintf(w, "%s is the partner's own tenant: it would be read once and the pack made; nothing would be granted or removed there.\n",
			print.Clean(hintOf(d), 200))
		return err
	}
	fmt.Fprintf(w, "%s\n", p.Bold("The app would be given at "+print.Clean(hintOf(d), 200)+", and no more:"))
	type row struct{ scope, allows, why string }
	var rows []row
	for _, x := range d.Wanted {
		for _, a := range x.Asks {
			var why []string
			for _, f := range a.For {
				why = append(why, f.Why())
			}
			rows = append(rows, row{a.Scope, a.Allows, strings.Join(why, "; ")})
		}
	}
	kit.Table(w, p, rows, kit.Col("permission", func(r *row) string { return r.scope }), kit.Col("lets the app", func(r *row) string { return r.allows }),
		kit.Col("to", func(r *row) string { return r.why }))
	_, err := fmt.Fprintln(w, "Then the tenant is read once, the pack is made, and all of it is removed again.")
	return err
}

func hintOf(d *app.OnceDone) string {
	if d.Domain != "" {
		return d.Domain
	}
	return d.Tenant
}

func onceText(w io.Writer, p kit.Paint, d *app.OnceDone) error {
	if d.Pack != nil {
		fmt.Fprintf(w, "%s  %s\n", p.Bold(print.Clean(d.Pack.Path, 500)), d.Pack.SHA256)
	}
	if d.Own {
		_, err := fmt.Fprintf(w, "Nothing was granted and nothing removed at %s.\n", print.Clean(hintOf(d), 200))
		return err
	}
	if d.Gone {
		_, err := fmt.Fprintf(w, "The app's consent at %s is gone.\n", print.Clean(hintOf(d), 200))
		return err
	}
	for _, l := range d.Left {
		fmt.Fprintf(w, "left to do: %s\n", print.Clean(l, 500))
	}
	return nil
}

func onceFinish(ctx context.Context, env *kit.Env, i *app.Installation, output *kit.Output) error {
	all, err := i.FinishOnces(ctx, nil)
	if all == nil {
		return err
	}
	if werr := output.Answer(env, map[string]any{"finished": all}, func(w io.Writer, p kit.Paint) error {
		if len(all) == 0 && err == nil {
			fmt.Fprintln(w, "Nothing was left by an assessment.")
		}
		for _, d := range all {
			if terr := onceText(w, p, d); terr != nil {
				return terr
			}
		}
		return nil
	}); werr != nil {
		return werr
	}
	return err
}
