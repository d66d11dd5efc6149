package judge

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/gate"
	"partnerguard/internal/remedy/object"
)

// longestYes bounds how long a consequence may be accepted for.
const longestYes = 366 * 24 * time.Hour

// readPlan reads a plan's file, and holds its objects to their kinds.
func readPlan(path string) (*remedy.Plan, error) {
	raw, err := problem.ReadFile("the plan", path, remedy.MaxFile)
	if errors.Is(err, problem.NotFound) {
		return nil, problem.New(problem.NotFound, "%s", err).WithHint("partnerguard remedy plan GOAL > %s makes one", kit.Quoted(path))
	}
	if err != nil {
		return nil, err
	}
	p, err := remedy.ReadFile(raw)
	if err != nil {
		return nil, err
	}
	// Whose key it is only the installation knows; that the plan is not what was signed shows
	// without a key.
	if p.Signature != "" && !strings.Contains(p.Signature, "\n"+p.SHA256()+"\n") {
		return nil, problem.New(problem.Forbidden, "the plan was changed after it was signed").
			WithHint("have it made anew; or take its line `signature` out: it is checked and approved by a second person then")
	}
	return p, object.Check(p)
}

func onePlan(name string) cobra.PositionalArgs {
	return kit.Between(1, 1, problem.New(problem.Usage, "%s takes one plan's file", name).WithHint("partnerguard remedy plan GOAL > plan.yaml makes one"))
}

// accepting are the flags that accept a consequence.
type accepting struct {
	findings     []string
	by, why, end string
}

func (a *accepting) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVar(&a.findings, "accept", nil, "accept this finding, by its id, and write that into the plan; may be repeated")
	f.StringVar(&a.by, "by", "", "who accepts it, by name")
	f.StringVar(&a.why, "why", "", "why")
	f.StringVar(&a.end, "until", "", "the last day on which that counts, a year ahead at most")
}

// take writes acceptances into a plan. A plan that was signed is nobody's then.
func (a *accepting) take(p *remedy.Plan, now time.Time) error {
	if len(a.findings) == 0 {
		if a.by+a.why+a.end != "" {
			return problem.New(problem.Usage, "--by, --why and --until say who accepts what, and nothing is accepted").
				WithHint("add --accept with a finding's id")
		}
		return nil
	}
	if strings.TrimSpace(a.by) == "" || strings.TrimSpace(a.why) == "" || a.end == "" {
		return problem.New(problem.Usage, "a consequence is accepted by somebody, for a reason, until a day").
			WithHint("--accept %s --by 'Ada Lovelace' --why TEXT --until 2027-03-31", a.findings[0])
	}
	day, err := time.Parse(time.DateOnly, a.end)
	if err != nil {
		return problem.New(problem.Usage, "--until is %.40q", a.end).WithHint("a day, such as 2027-03-31")
	}
	end := day.AddDate(0, 0, 1).Add(-time.Second)
	if !end.After(now) || end.Sub(now) > longestYes {
		return problem.New(problem.Usage, "--until is %s", a.end).WithHint("a day from today on, a year ahead at most")
	}
	for _, id := range a.findings {
		kept := p.Accepted[:0:0]
		for _, old := range p.Accepted {
			if old.Finding != id {
				kept = append(kept, old)
			}
		}
		p.Accepted = append(kept, remedy.Acceptance{Finding: id, By: a.by, Why: a.why, Until: end})
	}
	p.Signature = ""
	return nil
}

// known refuses to accept what is no finding, or none that can be accepted.
func (a *accepting) known(gates []*remedy.Gate) error {
	for _, id := range a.findings {
		var found *remedy.Finding
		for _, g := range gates {
			for i := range g.Findings {
				if g.Findings[i].ID == id {
					found = &g.Findings[i]
				}
			}
		}
		switch {
		case found == nil:
			return problem.New(problem.BadInput, "no finding of this plan is called %.40q", id).WithHint("partnerguard remedy check PLAN names them")
		case !found.Acceptable:
			return problem.New(problem.Unmet, "nobody can accept %s: %s", id, found.Text).WithHint("change the plan, or what stands against it")
		}
	}
	return nil
}

func newRemedyCheck(env *kit.Env, sign Signing) *cobra.Command {
	var (
		in     remedyFrom
		yes    accepting
		stage  string
		output = kit.NewOutput("text", "json")
	)
	cmd := &cobra.Command{
		Use: "check PLAN", Short: "Hold a plan to the settings and the log: may each of its stages be begun",
		Long: `check reads a plan, the settings and the sign-ins, and looks at the gate of each
stage: proofs before and after, what would be open, who would break with a way out
each, whether two Global Administrators and the account that applies the plan are
proved to get in afterwards, licences, and what Microsoft would refuse.

--accept takes one consequence upon a person, by its id, and writes it into the plan's
file. Lock-outs, conflicts and missing licences cannot be accepted.

Exit code 3 says that a gate is not passed.`,
		Example: `  partnerguard remedy check plan.yaml
  partnerguard remedy check plan.yaml --from exports/ --actor ada@contoso.com --stage all
  partnerguard remedy check plan.yaml --accept 1a2b3c4d --by 'Ada Lovelace' --why 'replaced on Monday' --until 2027-01-31`,
		Args: onePlan("remedy check"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := readPlan(args[0])
			if err != nil {
				return err
			}
			var only []remedy.Stage
			if stage != "" {
				s, err := remedy.ParseStage(stage)
				if err != nil {
					return err
				}
				only = append(only, s)
			}
			bar := kit.NewProgress(env, "reading")
			ask := in.ask(env, bar)
			gates, r, err := app.CheckPlan(cmd.Context(), ask, p, only...)
			bar.Done()
			if err != nil {
				return err
			}
			if gates, err = accept(cmd, env, sign, &yes, p, gates, r, args[0], only); err != nil {
				return err
			}
			err = output.Write(env, kit.Forms{
				"text": func(w io.Writer) error { return gate.Text(w, p, gates, output.Screen(env)) },
				"json": func(w io.Writer) error { return print.JSON(w, planned{p, gates}) },
			})
			if err != nil {
				return err
			}
			return shut(p, gates, args[0])
		},
	}
	in.register(env, cmd)
	in.registerActor(cmd)
	yes.register(cmd)
	cmd.Flags().StringVar(&stage, "stage", "", "look at this stage alone")
	output.RegisterFile(cmd)
	return cmd
}

// accept writes what is accepted into the plan's file, and looks again.
func accept(cmd *cobra.Command, env *kit.Env, sign Signing, yes *accepting, p *remedy.Plan, gates []*remedy.Gate, r *app.Remedies, path string,
	only []remedy.Stage) ([]*remedy.Gate, error) {
	if err := yes.known(gates); err != nil {
		return nil, err
	}
	if err := yes.take(p, r.Moment()); err != nil || len(yes.findings) == 0 {
		return gates, err
	}
	gates, err := r.Gates(p, only...)
	if err != nil {
		return nil, err
	}
	p.Gate = gates[len(gates)-1]
	if sign != nil {
		if _, err := sign(cmd.Context(), cmd, p); err != nil {
			return nil, err
		}
	}
	if err := kit.WriteOut(env, path, func(w io.Writer) error { return p.Write(w, object.Words(p, r.Name)...) }); err != nil {
		return nil, err
	}
	fmt.Fprintf(env.Stderr, "partnerguard: wrote %s\n", print.Clean(path, print.MaxName))
	return gates, nil
}

func newRemedyShow(env *kit.Env) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "show PLAN", Short: "Show a plan's changes in words, and the gate as it was when it was made",
		Long: `show says what a plan changes, in words, in the order in which it is done, and what its
gate said when it was made. The gate that counts is the one of remedy check.`,
		Example: `  partnerguard remedy show plan.yaml
  partnerguard remedy show plan.yaml --output json`,
		Args: onePlan("remedy show"),
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := readPlan(args[0])
			if err != nil {
				return err
			}
			return output.Write(env, kit.Forms{
				"text": func(w io.Writer) error { return showPlan(w, p, output.Screen(env)) },
				"json": func(w io.Writer) error { return print.JSON(w, p) },
			})
		},
	}
	output.RegisterFile(cmd)
	return cmd
}

func showPlan(w io.Writer, p *remedy.Plan, o print.Options) error {
	s := print.NewScreen(w, o)
	s.Section("What it changes", "")
	for _, line := range object.Words(p, nil) {
		s.Para("  ", print.Clean(line, print.MaxSaying), print.Plain)
	}
	s.Blank()
	if err := s.Flush(); err != nil {
		return err
	}
	var gates []*remedy.Gate
	if p.Gate != nil {
		gates = append(gates, p.Gate)
	}
	return gate.Text(w, p, gates, o)
}
