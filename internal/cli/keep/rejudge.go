package keep

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/posture"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

func newRejudge(env *kit.Env) *cobra.Command {
	var in kit.Installation
	var o posture.RejudgeOf
	var since ago
	var run string
	var workers int
	var leave bool
	output := kit.NewOutput("text", "json", "csv")
	cmd := &cobra.Command{
		Use: "rejudge", Short: "Judge the archive again by the rules of now, and show what they change",
		Long: `rejudge goes through the archive day by day and judges each day by today's rule book,
from the evidence that was there then. What comes is kept beside what was judged
then, never over it, and the difference is shown: which requirement would have been
judged otherwise, on which days, and whether it is the rules or the evidence.

The days are jobs: this command works them here, and every partnerguard serve or
worker of the same database takes its share. Broken off, it goes on where it was with
--run. A day that fails three times stays visible as failed.`,
		Example: `  partnerguard rejudge --since 2026-01-01
  partnerguard rejudge --since 90d --tenant 7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21
  partnerguard rejudge --since 2026-01-01 --leave     # for the workers of this database
  partnerguard rejudge show
  partnerguard rejudge list`,
		Args: kit.Only("rejudge", "show and list"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			i, err := in.Kept(ctx, env)
			if err != nil {
				return err
			}
			o.Since = since.from(i.Now())
			return kit.Closing(rejudge(ctx, env, i, o, run, workers, leave, &output), i.Close)
		},
	}
	f := cmd.Flags()
	f.Var(&since, "since", "from this day on (required, but with --run)")
	f.StringSliceVar(&o.Tenants, "tenant", nil, "only these tenants, by id; may be repeated")
	f.DurationVar(&o.Step, "step", 0, "how far apart the moments are (default the setting rejudgeStep)")
	f.DurationVar(&o.Span, "span", 0, "how much of the log before each moment is looked at (default the setting rejudgeSpan)")
	f.StringVar(&run, "run", "", "go on with this one")
	f.IntVar(&workers, "workers", 2, "how many are judged here at the same time")
	f.BoolVar(&leave, "leave", false, "leave the work to the workers of this database")
	output.RegisterFile(cmd)
	in.Register(cmd)
	completed(env, &in, cmd)
	cmd.AddCommand(newRejudgeShow(env, &in), newRejudgeList(env, &in))
	return cmd
}

func rejudge(ctx context.Context, env *kit.Env, i *app.Installation, o posture.RejudgeOf, run string, workers int, leave bool, output *kit.Output) error {
	if run == "" && o.Since.IsZero() {
		return problem.New(problem.Usage, "--since is needed: the day from which on is judged again").WithHint("partnerguard rejudge --since 2026-01-01")
	}
	if workers < 1 || workers > 64 {
		return problem.New(problem.Usage, "--workers is between 1 and 64, not %d", workers)
	}
	for k := range o.Tenants {
		t, err := whose(ctx, i, o.Tenants[k])
		if err != nil {
			return err
		}
		o.Tenants[k] = t
	}
	bar := kit.NewCount(env, "judging again")
	id, err := i.Rejudge(ctx, o, run, app.Working{Here: !leave, Workers: workers, Progress: bar.Set})
	bar.Done()
	if err != nil {
		return err
	}
	out, err := i.Posture.Outcome(ctx, id)
	if err != nil {
		return err
	}
	return showOutcome(env, output, out)
}

func newRejudgeShow(env *kit.Env, in *kit.Installation) *cobra.Command {
	output := kit.NewOutput("text", "json", "csv")
	cmd := &cobra.Command{
		Use: "show [RUN]", Short: "Show what a judging again changes, so far",
		Example: "  partnerguard rejudge show\n  partnerguard rejudge show r-4t7kq2m5n6p3r8sv",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			i, err := in.Kept(cmd.Context(), env)
			if err != nil {
				return err
			}
			return kit.Closing(func() error {
				out, err := i.Posture.Outcome(cmd.Context(), strings.Join(args, ""))
				if err != nil {
					return err
				}
				return showOutcome(env, &output, out)
			}(), i.Close)
		},
	}
	output.RegisterFile(cmd)
	return cmd
}

func newRejudgeList(env *kit.Env, in *kit.Installation) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "list", Short: "List what was judged again", Args: kit.NoWords, Example: "  partnerguard rejudge list",
		RunE: func(cmd *cobra.Command, _ []string) error {
			i, err := in.Kept(cmd.Context(), env)
			if err != nil {
				return err
			}
			return kit.Closing(func() error {
				list, err := i.Posture.Rejudges(cmd.Context())
				if err != nil {
					return err
				}
				return output.Answer(env, list, func(w io.Writer, p kit.Paint) error {
					if len(list) == 0 {
						_, err := fmt.Fprintln(w, "nothing was judged again yet: partnerguard rejudge --since 2026-01-01")
						return err
					}
					kit.Table(w, p, list,
						kit.Col("run", func(r *posture.Rejudge) string { return r.ID }),
						kit.Col("began", func(r *posture.Rejudge) string { return print.When(r.Began) }),
						kit.Col("since", func(r *posture.Rejudge) string { return r.Since.Format(time.DateOnly) }),
						kit.Col("rules of", func(r *posture.Rejudge) string { return r.Book }),
						kit.Col("done", func(r *posture.Rejudge) string { return fmt.Sprintf("%d of %d", r.Done, r.Total) }),
						kit.Col("by", func(r *posture.Rejudge) string { return r.Actor }))
					return nil
				})
			}(), i.Close)
		},
	}
	output.Register(cmd)
	return cmd
}

func showOutcome(env *kit.Env, output *kit.Output, o *posture.Outcome) error {
	return output.Write(env, kit.Forms{
		"text": func(w io.Writer) error { outcomeText(w, output.Paint(env), kit.Width(env), o); return nil },
		"json": func(w io.Writer) error {
			return print.JSON(w, struct {
				Schema string `json:"schema"`
				*posture.Outcome
			}{"partnerguard.rejudge/1", o})
		},
		"csv": func(w io.Writer) error {
			out := print.NewSheet(w, "tenant", "requirement", "was", "is", "from", "to", "moments", "by", "rule_book_then", "reason")
			for k := range o.Differences {
				d := &o.Differences[k]
				out.Row(d.Tenant, d.Requirement, d.Was, d.Is, d.From.Format(time.RFC3339), d.To.Format(time.RFC3339), fmt.Sprint(d.Moments), d.By,
					d.Book, d.Reason)
			}
			return out.Close()
		},
	})
}

func outcomeText(w io.Writer, p kit.Paint, width int, o *posture.Outcome) {
	rules := 0
	for k := range o.Differences {
		if o.Differences[k].By != "evidence" {
			rules++
		}
	}
	head := fmt.Sprintf("today's rules change %s", print.Plural(int64(rules), "verdict"))
	switch {
	case o.Compared == 0 && o.Waiting == 0:
		head = "nothing was judged then, so there is nothing to compare with"
	case rules == 0 && o.Waiting == 0:
		head = "today's rules change no verdict"
	}
	fmt.Fprintln(w, p.Bold(head))
	const did = "%s: %d of %d moments of %s since %s judged again by the rule book of %s; %d were judged then too, %d of them the same"
	para(w, width, "", fmt.Sprintf(did, o.ID, o.Done, o.Total, print.Plural(int64(len(o.Tenants)), "tenant"), o.Since.Format(time.DateOnly), o.Book,
		o.Compared, o.Alike))
	if o.Waiting > 0 {
		para(w, width, "", fmt.Sprintf("%d wait for workers; partnerguard rejudge --run %s works them here", o.Waiting, o.ID))
	}
	if o.Failed > 0 {
		para(w, width, "", fmt.Sprintf("%d could not be judged:", o.Failed))
		for _, e := range o.Errors {
			para(w, width, "  ", print.Clean(e, 400))
		}
	}
	if len(o.Differences) == 0 {
		return
	}
	fmt.Fprintln(w)
	kit.Table(w, p, o.Differences,
		kit.Col("requirement", func(d *posture.Difference) string { return d.Requirement }),
		kit.Col("was", func(d *posture.Difference) string { return standing(d.Was) }),
		kit.Col("is", func(d *posture.Difference) string { return standing(d.Is) }),
		kit.Col("from", func(d *posture.Difference) string { return d.From.Format(time.DateOnly) }),
		kit.Col("to", func(d *posture.Difference) string { return d.To.Format(time.DateOnly) }),
		kit.Col("by", func(d *posture.Difference) string { return d.By }),
		kit.Col("tenant", func(d *posture.Difference) string { return manyTenants(o, d.Tenant) }),
		kit.Col("why", func(d *posture.Difference) string { return d.Reason }))
}

// manyTenants names the tenant where there are several.
func manyTenants(o *posture.Outcome, tenant string) string {
	if len(o.Tenants) < 2 {
		return ""
	}
	return tenant
}
