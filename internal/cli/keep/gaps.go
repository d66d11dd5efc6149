//go:build !judge

package keep

import (
	"cmp"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/collect"
	"partnerguard/internal/evidence"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

func newGaps(env *kit.Env) *cobra.Command {
	var in kit.Installation
	var tenant string
	var asOf kit.Moment
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "gaps", Short: "List what was never read: which list or interval, why, since when, and whether it can still be had", Args: kit.NoWords,
		Long: `gaps is the ledger of what is not in the archive: lists that were never read or
are refused, intervals of the sign-in log that failed or that Microsoft kept no
longer when they were to be read, answers that nothing could be read from. Every
verdict over the archive heeds it: nothing follows from what is not there.

Exit code 3 says that there are gaps.`,
		Example: "  partnerguard gaps\n  partnerguard gaps --tenant partner\n  partnerguard gaps --as-of 2026-09-30 --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return looking(env, &in).With(cmd.Context(), func(i *app.Installation) error {
				id := ""
				if tenant != "" {
					t, err := i.Collect.Tenant(cmd.Context(), tenant)
					if err != nil {
						return err
					}
					id = t.ID
				}
				at := asOf.At
				if at.IsZero() {
					at = i.Now()
				}
				gaps, err := i.Collect.Gaps(cmd.Context(), id, at)
				if err != nil {
					return err
				}
				all, err := i.Collect.Tenants(cmd.Context())
				if err != nil {
					return err
				}
				if err := output.Answer(env, map[string]any{"gaps": print.List(gaps), "asOf": at.UTC()}, func(w io.Writer, p kit.Paint) error {
					gapsText(w, p, gaps, all)
					return nil
				}); err != nil {
					return err
				}
				if len(gaps) > 0 {
					return problem.New(problem.Unmet, "%s", kit.Plural(len(gaps), "gap", "gaps")).
						WithHint("partnerguard collect plan names the missing permissions; partnerguard collect --now reads what can be had")
				}
				return nil
			})
		},
	}
	tenantFlag(env, &in, cmd, &tenant)
	cmd.Flags().Var(&asOf, "as-of", "as it was at this date or time")
	output.Register(cmd)
	in.Register(cmd)
	return cmd
}

func gapsText(w io.Writer, p kit.Paint, gaps []evidence.Gap, all []collect.Tenant) {
	if len(gaps) == 0 {
		if len(all) == 0 {
			fmt.Fprintln(w, "Nothing was read yet: partnerguard collect --now reads the partner's tenant and its customers.")
			return
		}
		fmt.Fprintln(w, "No gaps: everything that is to be read was read.")
		return
	}
	names := map[string]string{}
	for _, t := range all {
		names[t.ID] = t.Domain
	}
	lost := 0
	for i := range gaps {
		if gaps[i].Lost {
			lost++
		}
	}
	rows := alike(gaps)
	fmt.Fprintln(w, p.Bold(kit.Plural(len(gaps), "gap", "gaps")+map[bool]string{true: "", false: fmt.Sprintf(", %d of them for good", lost)}[lost == 0]))
	kit.Table(w, p, rows,
		kit.Col("tenant", func(g *evidence.Gap) string { return cmp.Or(names[g.Tenant], g.Tenant) }),
		kit.Col("resource", func(g *evidence.Gap) string { return g.Resource }),
		kit.Col("what", gapWhat),
		kit.Col("since", func(g *evidence.Gap) string { return g.Since.UTC().Format("2006-01-02 15:04") }),
		kit.Col("why, and how it can be had", func(g *evidence.Gap) string { return with(g.Why, g.Can) }))
}

// alike puts gaps of one tenant together that have the same cause.
func alike(gaps []evidence.Gap) (out []evidence.Gap) {
	n := map[[3]string]int{}
	key := func(g *evidence.Gap) [3]string { return [3]string{g.Tenant, g.Why, g.Can} }
	for i := range gaps {
		n[key(&gaps[i])]++
	}
	told := map[[3]string]bool{}
	for i := range gaps {
		g := gaps[i]
		if k := key(&g); n[k] > 3 && !g.Interval() && g.Of == "" {
			if told[k] {
				continue
			}
			told[k] = true
			g.Resource = fmt.Sprintf("%s and %d more", g.Resource, n[k]-1)
		}
		out = append(out, g)
	}
	return out
}

func gapWhat(g *evidence.Gap) string {
	switch {
	case g.Interval():
		return g.From.UTC().Format("2006-01-02 15:04") + " to " + g.To.UTC().Format(map[bool]string{true: "15:04", false: "2006-01-02 15:04"}[g.From.UTC().
			Truncate(24*time.Hour).Equal(g.To.UTC().Truncate(24*time.Hour))])
	case g.Of != "":
		return "of " + g.Of
	}
	return "all of it"
}
