package guard

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/delegation/move"
	"partnerguard/internal/delegation/probe"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// maxWait is how long a command waits for what takes its time.
const maxWait = 2 * time.Hour

// NewDelegationProbe is the command of delegation that asks Microsoft; the parent, of
// another wing, takes it.
func NewDelegationProbe(env *kit.Env) *cobra.Command {
	in := &kit.Installation{}
	open := kit.Opener(func(ctx context.Context) (*app.Installation, error) { return in.Open(ctx, env) })
	var ask app.ProbeAsk
	var plan string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "probe", Short: "Ask whether the access that should exist exists, and the one that should not, not", Args: kit.NoWords,
		Long: `probe asks Microsoft, by reads alone, whether the access to customers is as it should
be: whether relationships and access assignments are active with their roles, whether
what should be gone is gone, and whether DAP is. Without --plan it holds against each
other what Microsoft says in several places.

It says by what each answer is known. A token of the connected account in the
customer's tenant proves that account's own roles, and nothing of other people's;
of them it says what Microsoft says of their groups' assignments. What could not be
asked is not known, and not passed. Exit code 3 says that something is not as it
should be, or is not known.

Changes take their time: minutes for an assignment, about half an hour for a
token. --wait asks again until then.`,
		Example: `  partnerguard delegation probe
  partnerguard delegation probe --customer fabrikam.example --output json
  partnerguard delegation probe --plan plan.yaml --wait 35m`,
		RunE: open.Run(func(ctx context.Context, s *app.Installation, _ []string) error {
			if ask.Patience < 0 || ask.Patience > maxWait {
				return problem.New(problem.Usage, "--wait is %s at most", maxWait)
			}
			if plan != "" {
				raw, err := problem.ReadFile("the plan", plan, 64<<20)
				if err != nil {
					return err
				}
				p, err := move.Read(plan, raw)
				if err != nil {
					return err
				}
				ask.Plan = &p
			}
			rows := []app.Probed{}
			if err := s.ProbeDelegation(ctx, ask, func(p app.Probed) { rows = append(rows, p) }); err != nil {
				return err
			}
			if err := output.Answer(env, map[string]any{"customers": rows}, func(w io.Writer, p kit.Paint) error {
				probeText(w, p, rows)
				return nil
			}); err != nil {
				return err
			}
			return probeVerdict(rows)
		}),
	}
	cmd.Flags().StringVar(&ask.Customer, "customer", "", "one customer, by domain or tenant id (default all that a relationship is with)")
	cmd.Flags().StringVar(&plan, "plan", "", "what should be so, a file of partnerguard delegation plan")
	cmd.Flags().DurationVar(&ask.Patience, "wait", 0, "how long to wait at each customer for what takes its time")
	_ = cmd.MarkFlagFilename("plan", "yaml", "yml")
	output.Register(cmd)
	in.Register(cmd)
	return cmd
}

// probeText says the answer first, then what is not so.
func probeText(w io.Writer, p kit.Paint, rows []app.Probed) {
	if len(rows) == 0 {
		fmt.Fprintln(w, "No customer has a relationship that gives access: there is nothing to probe.")
		return
	}
	type row = app.Probed
	kit.Table(w, p, rows,
		kit.Col("customer", func(r *row) string { return print.Clean(first(r.Name, r.Customer), print.MaxName) }),
		kit.Col("outcome", func(r *row) string { return string(r.Outcome) }),
		kit.Col("by", func(r *row) string { return first(probeProof(r.Results), "-") }),
		kit.Col("asked", func(r *row) string { return fmt.Sprint(len(r.Results)) }))
	for i := range rows {
		for j := range rows[i].Results {
			r := &rows[i].Results[j]
			if r.Outcome == probe.Pass {
				continue
			}
			fmt.Fprintf(w, "\n%s: %s of %s\n  %s: wanted %s, found %s. %s\n", print.Clean(first(rows[i].Name, rows[i].Customer), print.MaxName), r.Kind,
				r.Subject, r.Outcome, r.Want, r.Got, r.Why)
			if r.Fix != "" {
				fmt.Fprintf(w, "  %s\n", r.Fix)
			}
		}
	}
}

// probeProof is the strongest proof among what passed.
func probeProof(list []probe.Result) string {
	best := ""
	for _, want := range []probe.Proof{probe.ByState, probe.BySignIn, probe.ByToken} {
		for i := range list {
			if list[i].Outcome == probe.Pass && list[i].Proof == want {
				best = string(want)
			}
		}
	}
	return best
}

// probeVerdict is the exit code: none is passed that is not known.
func probeVerdict(rows []app.Probed) error {
	n := map[probe.Outcome]int{}
	for i := range rows {
		n[rows[i].Outcome]++
	}
	if n[probe.Pass] == len(rows) {
		return nil
	}
	return problem.New(problem.Unmet, "of %d customers %d are as they should be, %d are not, %d wait and %d are not known", len(rows), n[probe.Pass],
		n[probe.Fail], n[probe.Wait], n[probe.Unknown]).WithHint("what is not so is listed above; partnerguard delegation status says what moves are under way")
}
