//go:build !judge

package keep

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/collect"
	"partnerguard/internal/posture"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

func newCollect(env *kit.Env) *cobra.Command {
	var in kit.Installation
	open := kit.Opener(func(ctx context.Context) (*app.Installation, error) { return in.Open(ctx, env) })
	var tenant string
	var only []string
	var now bool
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "collect", Short: "Read live tenants into the archive of evidence",
		Long: `collect reads the partner's tenant and its customers with the tokens of a
connection, and keeps each answer as it came. serve and worker do so by themselves;
this does it now: what is due, or with --now everything.

It goes on where it was, however it ended: what was read is kept page by page. What
is refused by a missing licence, permission or role is a fact and no failure: it is
told, kept, and stands in partnerguard gaps until it is lifted.

Exit code 1 says that something failed that may work later.`,
		Example: `  partnerguard collect --now
  partnerguard collect --now --tenant partner --resource signIns.interactiveUser
  partnerguard collect plan
  partnerguard collect status --tenant fabrikam.example`,
		Args: kit.Only("collect", "plan and status"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return open.With(cmd.Context(), func(i *app.Installation) error {
				return collectNow(cmd.Context(), env, i, &output, tenant, collect.Ask{Only: only, Now: now})
			})
		},
	}
	cmd.Flags().BoolVar(&now, "now", false, "whether it is due or not")
	tenantFlag(env, &in, cmd, &tenant)
	cmd.Flags().StringSliceVar(&only, "resource", nil, "these resources alone, by name; may be repeated")
	in.CompleteFlag(env, cmd, "resource", kit.Resources)
	output.Register(cmd)
	cmd.AddCommand(newCollectPlan(env, &in, open), newCollectStatus(env, &in))
	in.Register(cmd)
	return cmd
}

// tenantFlag adds --tenant, which names one of the tenants that are read.
func tenantFlag(env *kit.Env, in *kit.Installation, cmd *cobra.Command, to *string) {
	cmd.Flags().StringVar(to, "tenant", "", "this tenant alone: partner, a customer's domain, or a tenant id")
	in.CompleteFlag(env, cmd, "tenant", kit.Tenants)
}

// collected is what came of a collection.
type collected struct {
	Rounds  []round   `json:"rounds"`
	Pages   int       `json:"pages"`
	Bytes   int64     `json:"bytes"`
	Failed  int       `json:"failed"`
	Refused int       `json:"refused"`
	Ended   time.Time `json:"ended"`
}

type round struct {
	collect.Round
	Words string `json:"words,omitempty"` // what ended it early
	Fix   string `json:"fix,omitempty"`
}

func collectNow(ctx context.Context, env *kit.Env, i *app.Installation, output *kit.Output, tenant string, a collect.Ask) error {
	if err := i.Collect.Resources(a.Only); err != nil {
		return err
	}
	bar := kit.NewCount(env, "reading")
	done := map[string]collect.Step{}
	a.Progress = func(s collect.Step) {
		done[s.Tenant.ID] = s
		n, all := 0, 0
		for _, x := range done {
			n, all = n+x.Done, all+x.All
		}
		bar.Set(int64(n), int64(all))
	}
	a.Busy = func(t collect.Tenant) {
		fmt.Fprintf(env.Stderr, "partnerguard: %s is being read by another process; waiting for its end\n", print.Clean(cmp.Or(t.Domain, t.ID), 200))
	}
	var judged []string
	i.OnKept = func(_ *app.Judged, kept posture.Kept) {
		if c := kept.Changes; c != nil {
			judged = append(judged, print.Sentence(c.Headline())+" (since "+print.When(c.From.LastOf)+"): partnerguard changes tells why")
		}
	}
	out := collected{Rounds: []round{}}
	err := i.CollectNow(ctx, tenant, a, func(r collect.Round, err error) {
		x := round{Round: r}
		if err != nil {
			x.Words, x.Fix = err.Error(), problem.HintOf(err)
			out.Failed++
		}
		for _, res := range r.Results {
			switch res.Outcome {
			case collect.Failed:
				out.Failed++
			case collect.Refused:
				out.Refused++
			}
		}
		out.Pages, out.Bytes = out.Pages+r.Pages, out.Bytes+r.Bytes
		out.Rounds = append(out.Rounds, x)
	})
	bar.Done()
	if len(out.Rounds) == 0 && err != nil {
		return err
	}
	out.Ended = i.Now().UTC()
	if werr := output.Answer(env, out, func(w io.Writer, p kit.Paint) error {
		collectText(w, p, &out)
		for _, l := range judged {
			fmt.Fprintln(w, l)
		}
		return nil
	}); werr != nil {
		return werr
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return err
	case out.Failed > 0:
		return problem.New(problem.Unavailable, "%s not be read now", kit.Plural(out.Failed, "thing could", "things could")).
			WithHint("partnerguard collect goes on where it was; partnerguard collect status says why")
	}
	kit.Next(env, "partnerguard assess --from archive:")
	return nil
}

// collectText says first how much was read, then what was not, and why.
func collectText(w io.Writer, p kit.Paint, c *collected) {
	fmt.Fprintln(w, p.Bold(fmt.Sprintf("%s of %s read", kit.Plural(c.Pages, "page", "pages"), kit.Plural(len(c.Rounds), "tenant", "tenants"))))
	type line struct{ tenant, resource, outcome, words string }
	var lines []line
	for _, r := range c.Rounds {
		who := cmp.Or(r.Tenant.Domain, r.Tenant.ID)
		if r.Words != "" {
			lines = append(lines, line{who, "", "ended early", with(r.Words, r.Fix)})
		}
		for _, x := range r.Results {
			if x.Outcome == collect.Read || x.Outcome == collect.Already {
				continue
			}
			lines = append(lines, line{who, x.Resource, string(x.Outcome), with(x.Words, x.Fix)})
		}
	}
	if len(lines) == 0 {
		return
	}
	n := map[line]int{}
	for _, l := range lines {
		l.resource = ""
		n[l]++
	}
	lines = slices.DeleteFunc(lines, func(l line) bool {
		l.resource = ""
		all := n[l]
		if all > 3 {
			n[l] = -all // the first stands for all
		}
		return all < 0
	})
	for i := range lines {
		k := lines[i]
		k.resource = ""
		if n[k] < 0 {
			lines[i].resource = fmt.Sprintf("%s and %d more", lines[i].resource, -n[k]-1)
		}
	}
	fmt.Fprintln(w)
	kit.Table(w, p, lines,
		kit.Col("tenant", func(l *line) string { return l.tenant }), kit.Col("resource", func(l *line) string { return l.resource }),
		kit.Col("outcome", func(l *line) string { return l.outcome }), kit.Col("why, and what helps", func(l *line) string { return l.words }))
}

func with(words, fix string) string {
	if fix == "" {
		return words
	}
	return words + "; " + fix
}

func newCollectPlan(env *kit.Env, in *kit.Installation, open kit.Opener) *cobra.Command {
	var tenant string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "plan", Short: "Say what would be asked of whom, how long it takes, and what is missing for it", Args: kit.NoWords,
		Long: `plan reads nothing of any tenant. It says which requests a collection makes, about
how many, how long they take by Microsoft's published limits, and which permission
or licence is missing, by name. For the missing permissions it asks for a token in
the partner's tenant, and with --tenant in that customer's.`,
		Example: "  partnerguard collect plan\n  partnerguard collect plan --tenant fabrikam.example --output json",
		RunE: open.Run(func(ctx context.Context, i *app.Installation, _ []string) error {
			plan, err := i.CollectPlan(ctx, tenant)
			if err != nil {
				return err
			}
			if err := output.Answer(env, plan, func(w io.Writer, p kit.Paint) error {
				planText(w, p, &plan)
				return nil
			}); err != nil {
				return err
			}
			kit.Next(env, "partnerguard collect --now")
			return nil
		}),
	}
	tenantFlag(env, in, cmd, &tenant)
	output.Register(cmd)
	return cmd
}

func planText(w io.Writer, p kit.Paint, plan *collect.Plan) {
	fmt.Fprintln(w, p.Bold(fmt.Sprintf("about %s to %s, in about %s", kit.Plural(plan.Requests, "request", "requests"),
		kit.Plural(plan.Tenants, "tenant", "tenants"), rough(time.Duration(plan.Seconds)*time.Second))))
	if plan.Lacking > 0 {
		fmt.Fprintf(w, "%s something: see the last column\n", kit.Plural(plan.Lacking, "of them lacks", "of them lack"))
	}
	fmt.Fprintln(w)
	rows := plan.Rows
	if plan.Tenants > 1 { // one table of what, and not of whom
		rows = summed(rows)
	}
	kit.Table(w, p, rows,
		kit.Col("resource", func(r *collect.PlanRow) string { return r.Resource }),
		kit.Col("every", func(r *collect.PlanRow) string { return strings.TrimSuffix(strings.TrimSuffix(r.Every, "0s"), "0m") }),
		kit.Col("requests", func(r *collect.PlanRow) string { return fmt.Sprint(r.Requests) }),
		kit.Col("lacks", func(r *collect.PlanRow) string { return r.Lacks }),
		kit.Col("proves", func(r *collect.PlanRow) string { return r.Proves }))
	told := map[string]bool{}
	for _, r := range plan.Rows {
		if r.Fix != "" && !told[r.Fix] {
			told[r.Fix] = true
			fmt.Fprintf(w, "\nto mend: %s\n", print.Clean(r.Fix, 300))
		}
	}
}

// summed are the rows of all tenants, by resource.
func summed(rows []collect.PlanRow) (out []collect.PlanRow) {
	at := map[string]int{}
	for _, r := range rows {
		i, known := at[r.Resource]
		if !known {
			at[r.Resource] = len(out)
			out = append(out, r)
			continue
		}
		out[i].Requests += r.Requests
		out[i].Lacks = cmp.Or(out[i].Lacks, r.Lacks)
	}
	return out
}

// rough is a length of time as people say it.
func rough(d time.Duration) string {
	switch {
	case d < time.Minute:
		return kit.Plural(max(int(d.Seconds()), 1), "second", "seconds")
	case d < 2*time.Hour:
		return kit.Plural(int(d.Round(time.Minute).Minutes()), "minute", "minutes")
	}
	return kit.Plural(int(d.Round(time.Hour).Hours()), "hour", "hours")
}

func newCollectStatus(env *kit.Env, in *kit.Installation) *cobra.Command {
	var tenant string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "status", Short: "Show how far the readings are: what was read when, what is refused, what fails", Args: kit.NoWords,
		Long: `status asks nobody: it shows what the database knows. With --tenant it shows each
resource of one tenant, else one line a tenant.`,
		Example: "  partnerguard collect status\n  partnerguard collect status --tenant partner --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return looking(env, in).With(cmd.Context(), func(i *app.Installation) error {
				id := ""
				if tenant != "" {
					t, err := i.Collect.Tenant(cmd.Context(), tenant)
					if err != nil {
						return err
					}
					id = t.ID
				}
				list, err := i.Collect.Status(cmd.Context(), id)
				if err != nil {
					return err
				}
				if err := output.Answer(env, map[string]any{"tenants": list, "asOf": i.Now().UTC()}, func(w io.Writer, p kit.Paint) error {
					statusText(w, p, list, i.Now(), id != "")
					return nil
				}); err != nil {
					return err
				}
				if len(list) == 0 {
					kit.Next(env, "partnerguard collect --now")
				} else {
					kit.Next(env, "partnerguard gaps")
				}
				return nil
			})
		},
	}
	tenantFlag(env, in, cmd, &tenant)
	output.Register(cmd)
	return cmd
}

// looking opens what is kept without the vault, and makes nothing.
func looking(env *kit.Env, in *kit.Installation) kit.Opener {
	return func(ctx context.Context) (*app.Installation, error) { return in.Data(ctx, env, false) }
}

func statusText(w io.Writer, p kit.Paint, list []collect.TenantStatus, now time.Time, each bool) {
	if len(list) == 0 {
		fmt.Fprintln(w, "Nothing was read yet: partnerguard collect --now reads the partner's tenant and its customers.")
		return
	}
	if each {
		t := &list[0]
		fmt.Fprintln(w, p.Bold(print.Clean(cmp.Or(t.Domain, t.ID), 200)+", "+kit.Plural(t.Gaps, "gap", "gaps")))
		kit.Table(w, p, t.Resources,
			kit.Col("resource", func(r *collect.ResourceStatus) string { return r.Resource }),
			kit.Col("state", func(r *collect.ResourceStatus) string { return r.State }),
			kit.Col("age", func(r *collect.ResourceStatus) string { return age(later(r.Last, r.Covered), now) }),
			kit.Col("next in", func(r *collect.ResourceStatus) string { return age(now, r.Due) }),
			kit.Col("words", func(r *collect.ResourceStatus) string { return with(r.Words, r.Needs) }))
		return
	}
	kit.Table(w, p, list,
		kit.Col("tenant", func(t *collect.TenantStatus) string { return cmp.Or(t.Domain, t.ID) }),
		kit.Col("read", func(t *collect.TenantStatus) string {
			return fmt.Sprintf("%d of %d", t.Counts["read"], len(t.Resources))
		}),
		kit.Col("refused", func(t *collect.TenantStatus) string { return count(t.Counts["refused"]) }),
		kit.Col("failing", func(t *collect.TenantStatus) string { return count(t.Counts["failing"]) }),
		kit.Col("gaps", func(t *collect.TenantStatus) string { return count(t.Gaps) }),
		kit.Col("last round", func(t *collect.TenantStatus) string { return age(t.Last, now) }),
		kit.Col("words", func(t *collect.TenantStatus) string { return t.Words }))
}

func count(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// age is how long it is from one moment to another; "" where one is not known.
func age(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return ""
	}
	if d := to.Sub(from); d >= time.Second {
		return rough(d)
	}
	return "now"
}
