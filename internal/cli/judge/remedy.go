package judge

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/partner"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/find"
	"partnerguard/internal/remedy/gate"
	"partnerguard/internal/remedy/object"
)

// Signing signs a plan by the installation of a command's flags, and says by whose key; ""
// where there is none to sign.
type Signing func(ctx context.Context, cmd *cobra.Command, p *remedy.Plan) (by string, err error)

// NewRemedy makes the commands of remedies: what judges from files is here; what changes a
// tenant comes from another wing. sign may be nil: plans are nobody's then.
func NewRemedy(env *kit.Env, sign Signing, more ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: "remedy", Short: "Plan changes that meet what is not met, and prove first that they lock nobody out",
		Long: `remedy lists for each unmet requirement the changes that would meet it, cheapest
first, and makes a plan of them: a file that people read, check and sign off. A plan
has a gate at each of its stages: what it proves, what it opens, who would break, who
would be locked out, which licence it needs, what cannot be said. A gate that is not
passed refuses. A person may accept a consequence by its id; none silences the gate.

What it says holds for the settings and the log as they were read.`,
		Example: `  partnerguard remedy list
  partnerguard remedy plan mfa-every-sign-in > plan.yaml
  partnerguard remedy check plan.yaml --actor ada@contoso.com
  partnerguard remedy show plan.yaml`,
		Args: kit.Suggest,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newRemedyList(env), newRemedyPlan(env, sign), newRemedyCheck(env, sign), newRemedyShow(env), newRemedyExport(env))
	cmd.AddCommand(more...)
	return cmd
}

// remedyFrom are the flags that say what a remedy is looked for from.
type remedyFrom struct {
	source
	who    kit.Who
	actor  string
	tenant string
}

func (r *remedyFrom) register(env *kit.Env, cmd *cobra.Command) {
	r.source.register(env, cmd)
	r.who.Register(cmd)
	cmd.Flags().StringVar(&r.tenant, "tenant-id", "", "the tenant's id, where no organization is in the input")
}

func (r *remedyFrom) registerActor(cmd *cobra.Command) {
	cmd.Flags().StringVar(&r.actor, "actor", "", "the account that will apply the plan, by user principal name or id")
}

func (r *remedyFrom) ask(env *kit.Env, bar *kit.Progress) app.RemedyAsk {
	q := app.Question{AsOf: r.who.AsOf.End(), Now: env.Now(), Kind: partner.Kind(r.who.Kind.Value), Cloud: partner.Cloud(r.who.Cloud.Value)}
	return app.RemedyAsk{Reading: r.reading(env, bar), Question: q, Actor: r.actor, Tenant: r.tenant, By: planner()}
}

func newRemedyList(env *kit.Env) *cobra.Command {
	var in remedyFrom
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "list", Short: "List for each unmet requirement what would meet it, cheapest first", Args: kit.NoArgs,
		Long: `list names for each requirement and each practice that is not met, or of which it is
not known, the changes that would meet it, cheapest first: fewest people who would break, then fewest
objects. Where no setting decides it names the command that does it, or what a person
does.`,
		Example: `  partnerguard remedy list
  partnerguard remedy list --from exports/ --output json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			bar := kit.NewProgress(env, "reading")
			r, err := app.Remedy(cmd.Context(), in.ask(env, bar), nil)
			bar.Done()
			if err != nil {
				return err
			}
			list := r.List()
			return output.Write(env, kit.Forms{
				"text": func(w io.Writer) error {
					return find.Text(w, list, kit.From(in.from), len(in.from) == 0, output.Screen(env))
				},
				"json": func(w io.Writer) error {
					return print.JSON(w, struct {
						Choices []find.Choice `json:"choices"`
					}{list})
				},
			})
		},
	}
	in.register(env, cmd)
	output.RegisterFile(cmd)
	return cmd
}

// planned is what a plan says of itself as JSON.
type planned struct {
	Plan  *remedy.Plan   `json:"plan"`
	Gates []*remedy.Gate `json:"gates"`
}

func newRemedyPlan(env *kit.Env, sign Signing) *cobra.Command {
	var (
		in       remedyFrom
		goal     find.Goal
		policies []string
		preset   = kit.Choice{Allowed: []string{"partner-baseline"}}
		stages   []string
		output   = kit.NewOutput("text", "json")
	)
	cmd := &cobra.Command{
		Use: "plan [GOAL]", Short: "Make a plan: a file to read, check and sign off",
		Long: `plan makes a plan for a goal and writes it to standard output as YAML; what its gates
say goes to standard error. Nothing is changed in the tenant.

A goal is the id of a requirement or of a practice (P01 to P38), or a word:
` + goalWords() + `.
Or it is --preset partner-baseline, or --policies FOLDER with policies as
Microsoft Graph writes them. --way chooses among the ways that remedy list names.

What no interface of Microsoft's changes becomes a step of a person, with a check.
--take-from says from whom roles are taken where that is a person's choice (P15).`,
		Example: `  partnerguard remedy plan mfa-every-sign-in > plan.yaml
  partnerguard remedy plan legacy-blocked --from exports/ > plan.yaml
  partnerguard remedy plan --preset partner-baseline --pilot mia.lindqvist@contoso.com --out plan.yaml
  partnerguard remedy plan P15 --take-from ben@contoso.com --from exports/ > plan.yaml
  partnerguard remedy plan --policies proposed/ --from exports/ --output json`,
		Args: kit.Between(0, 1, problem.New(problem.Usage, "remedy plan takes one goal").WithHint("partnerguard remedy list has them")),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				goal.ID = args[0]
			}
			goal.Preset = preset.Value
			if err := oneGoal(&goal, policies); err != nil {
				return err
			}
			for _, s := range stages {
				stage, err := remedy.ParseStage(s)
				if err != nil {
					return err
				}
				goal.Stages = append(goal.Stages, stage)
			}
			p, gates, r, err := makePlan(cmd.Context(), env, &in, goal, policies)
			if err != nil {
				return err
			}
			by := ""
			if sign != nil {
				if by, err = sign(cmd.Context(), cmd, p); err != nil {
					return err
				}
			}
			err = output.Write(env, kit.Forms{
				"text": func(w io.Writer) error { return p.Write(w, object.Words(p, r.Name)...) },
				"json": func(w io.Writer) error { return print.JSON(w, planned{p, gates}) },
			})
			if err != nil {
				return err
			}
			tellPlan(env, p, gates, by)
			return nil
		},
	}
	in.register(env, cmd)
	in.registerActor(cmd)
	kit.AddChoice(cmd, &preset, "preset", "a ready-made goal")
	cmd.Flags().StringArrayVar(&policies, "policies", nil, "a file or folder of policies to be; may be repeated")
	cmd.Flags().StringVar(&goal.Variant, "way", "", "which of the ways that remedy list names: edit, baseline, risk")
	cmd.Flags().StringSliceVar(&stages, "stages", nil, "the stages in order (report-only, pilot, shares such as 10%, all)")
	cmd.Flags().StringSliceVar(&goal.Pilot, "pilot", nil, "accounts of the pilot, by user principal name or id; may be repeated")
	cmd.Flags().StringSliceVar(&goal.Take, "take-from", nil, "accounts that roles are taken from, by user principal name or id (P15, P16, spare-roles)")
	cmd.Flags().StringVar(&goal.Devices, "devices", "",
		"rule that singles out workstations for privileged work (P26), such as 'device.extensionAttribute1 -eq \"SAW\"'")
	output.RegisterFile(cmd)
	return cmd
}

// goalWords are the goals besides requirements and practices, in lines of a terminal.
func goalWords() string {
	words := slices.Sorted(maps.Keys(find.Goals()))
	line, out := "", ""
	for i, w := range words {
		if i < len(words)-1 {
			w += ", "
		}
		if len(line)+len(w) > 80 {
			out, line = out+strings.TrimSuffix(line, " ")+"\n", ""
		}
		line += w
	}
	return out + line
}

func oneGoal(goal *find.Goal, policies []string) error {
	n := 0
	for _, on := range []bool{goal.ID != "", goal.Preset != "", len(policies) > 0} {
		if on {
			n++
		}
	}
	if n == 1 {
		return nil
	}
	return problem.New(problem.Usage, "remedy plan takes one goal, got %d", n).
		WithHint("name a requirement as partnerguard remedy list does, or give --preset partner-baseline or --policies FOLDER")
}

func makePlan(ctx context.Context, env *kit.Env, in *remedyFrom, goal find.Goal, policies []string) (*remedy.Plan, []*remedy.Gate, *app.Remedies, error) {
	bar := kit.NewProgress(env, "reading")
	defer bar.Done()
	ask := in.ask(env, bar)
	if len(policies) == 0 {
		r, err := app.Remedy(ctx, ask, nil)
		if err != nil {
			return nil, nil, nil, err
		}
		p, gates, err := r.Plan(goal)
		return p, gates, r, err
	}
	list, err := app.Proposed(ctx, policies)
	if err != nil {
		return nil, nil, nil, err
	}
	goal.Policies = list
	r, err := app.Remedy(ctx, ask, app.LensOf(list))
	if err != nil {
		return nil, nil, nil, err
	}
	p, gates, err := r.Plan(goal)
	return p, gates, r, err
}

// tellPlan says on standard error what was made, and what comes next.
func tellPlan(env *kit.Env, p *remedy.Plan, gates []*remedy.Gate, by string) {
	_, line := gate.Headline(p, gates)
	fmt.Fprintf(env.Stderr, "partnerguard: %s\n", print.Clean(line, print.MaxSaying))
	if by == "" {
		kit.Next(env, "partnerguard remedy check plan.yaml")
	} else {
		kit.Next(env, "partnerguard remedy apply plan.yaml   (signed by %s)", by)
	}
}

// shut is the exit of a gate that is not passed.
func shut(p *remedy.Plan, gates []*remedy.Gate, path string) error {
	if !slices.ContainsFunc(gates, func(g *remedy.Gate) bool { return !g.Passed }) {
		return nil
	}
	_, line := gate.Headline(p, gates)
	return problem.New(problem.Unmet, "%s", strings.TrimSuffix(line, ".")).
		WithHint("partnerguard remedy check %s --accept ID --by WHO --why TEXT --until DATE accepts a consequence", kit.Quoted(path))
}
