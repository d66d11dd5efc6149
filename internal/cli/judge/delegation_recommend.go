package judge

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/delegation/recommend"
	"partnerguard/internal/delegation/role"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// recommendKept makes a recommendation's input out of what an installation keeps. An error of
// kind NotFound says that nothing was collected here. Nil: this program keeps nothing.
type recommendKept func(ctx context.Context, q app.RecommendQuestion) (recommend.Input, string, error)

// asking are the flags of the commands that look at observed use.
type asking struct {
	env    *kit.Env
	kept   recommendKept
	from   []string
	asOf   kit.Moment
	days   int
	pins   string
	q      app.RecommendQuestion
	sample bool // the answer is of the embedded sample
}

const maxDays = 180

func (a *asking) register(cmd *cobra.Command) {
	kit.AddFrom(a.env, cmd, &a.from)
	a.kept = keptUse(a.env, cmd)
	cmd.Flags().Var(&a.asOf, "as-of", "the window ends at this date or time (default the newest of what was read)")
	cmd.Flags().IntVar(&a.days, "days", recommend.DefaultDays, "how many days the window has, 1 to 180")
	cmd.Flags().StringVar(&a.q.Customer, "customer", "", "this customer alone: tenant id, domain or name")
}

func (a *asking) registerChoice(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.q.Job, "job", "", "the groups of one job alone: a group's id, a name or a word of it, or tier1, simple, provider")
	cmd.Flags().StringArrayVar(&a.q.Accept, "accept", nil, "a way to Global Administrator that may be asked for where an act needs it, by name; may be repeated")
	cmd.Flags().StringVar(&a.pins, "pins", "", "a `file` of roles that stay whatever was seen, with a reason each")
	_ = cmd.MarkFlagFilename("pins", "yaml", "yml", "json")
}

// input gathers what was asked for.
func (a *asking) input(ctx context.Context) (in recommend.Input, said string, err error) {
	if a.days < 1 || a.days > maxDays {
		return in, "", problem.New(problem.Usage, "--days is %d", a.days).WithHint("the window has 1 to %d days; Microsoft keeps no log longer than that", maxDays)
	}
	a.q.AsOf, a.q.Now, a.q.Days = a.asOf.End(), a.env.Now().UTC(), a.days
	if a.pins != "" {
		raw, err := readPinFile(a.pins)
		if err != nil {
			return in, "", err
		}
		if a.q.Pins, err = recommend.ReadPins(print.Clean(a.pins, print.MaxName), raw); err != nil {
			return in, "", err
		}
	}
	if len(a.from) == 0 && a.kept != nil {
		in, said, err = a.kept(ctx, a.q)
		if !errors.Is(err, problem.NotFound) || a.q.Customer != "" {
			return in, said, err
		}
	}
	a.sample = len(a.from) == 0
	bar := kit.NewProgress(a.env, "reading")
	defer bar.Done()
	r := app.Reading{From: a.from, Stdin: a.env.Stdin, Progress: bar.Set, Now: a.q.Now, AsOf: a.q.AsOf, Archive: a.env.Archive}
	return app.RecommendFrom(ctx, r, a.q)
}

// readPinFile reads no more than a file of pins may have.
func readPinFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "%s cannot be read%s", print.Clean(path, print.MaxName), problem.Reason(err))
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, 2<<20))
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "%s cannot be read%s", print.Clean(path, print.MaxName), problem.Reason(err))
	}
	return raw, nil
}

func newDelegationRecommend(env *kit.Env) *cobra.Command {
	a := &asking{env: env}
	var try []string
	output := kit.NewOutput("text", "json", "csv")
	cmd := &cobra.Command{
		Use: "recommend", Short: "Derive the least roles of the staff from what it did", Args: kit.NoArgs,
		Long: `recommend looks at what the partner's people did at each customer in the last 90
days, and derives for each access assignment (GDAP) the smallest set of roles that
could have done it: fewest privileged ones first, by Microsoft's table of least
privileged roles.

A role that goes is told by what evidence it goes. "evidence": the log of all that it
is for was read for the whole window, and nobody did what it alone is for.
"no-evidence": what it is for (reading, Exchange, Intune, tickets ...) leaves no trace
in what was read; that is not said to be unused. Relationships younger than the window
are not judged. Global, Privileged Role and Privileged Authentication Administrator
are never asked for unless an act needs one and you --accept it; until then what is
granted for such an act stays.

With --from it reads an export: the partner's relationships, access assignments,
groups and users, and in customers/<tenant id>/ each customer's directoryAudits,
signIns and roleAssignments. Without, it takes what was collected. --try replays the
recorded acts against roles of your own choice.`,
		Example: `  partnerguard delegation recommend --from exports/
  partnerguard delegation recommend --from exports/ --customer fabrikam.example --output json
  partnerguard delegation recommend --from exports/ --job tier1 --accept 'Privileged Authentication Administrator'
  partnerguard delegation recommend --from exports/ --try 'Helpdesk Administrator' --try 'License Administrator'`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			in, said, err := a.input(cmd.Context())
			if err != nil {
				return err
			}
			if len(try) > 0 {
				return replay(env, &output, in, try)
			}
			res := recommend.Run(in)
			res.Job, res.Sample = said, a.sample
			return output.Write(env, kit.Forms{
				"text": func(w io.Writer) error { return res.Text(w, output.Screen(env)) },
				"json": func(w io.Writer) error { return print.JSON(w, res) },
				"csv":  res.CSV,
			})
		},
	}
	a.register(cmd)
	a.registerChoice(cmd)
	cmd.Flags().StringArrayVar(&try, "try", nil, "say which recorded acts this role, by name, and the others tried would have refused; may be repeated")
	output.RegisterFile(cmd)
	return cmd
}

// replay prints what roles would have refused.
func replay(env *kit.Env, output *kit.Output, in recommend.Input, try []string) error {
	var roles []string
	for _, name := range try {
		id, err := app.RoleID(name)
		if err != nil {
			return err
		}
		roles = append(roles, id)
	}
	if output.Value == "csv" {
		return problem.New(problem.Usage, "--try has no CSV").WithHint("use --output json")
	}
	x := recommend.Replay(in, roles)
	return output.Write(env, kit.Forms{
		"text": func(w io.Writer) error { return x.Text(w, output.Screen(env)) },
		"json": func(w io.Writer) error { return print.JSON(w, x) },
	})
}

func newDelegationExplain(env *kit.Env) *cobra.Command {
	a := &asking{env: env}
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "explain ROLE", Short: "Say who used a role at a customer, and what goes if it goes",
		Long: `explain says of one role at one customer which recorded acts it could have done, by
whom and when last, what else that is granted could do them, and what goes if the role
goes. Roles are named as Microsoft does, or by template id.`,
		Example: `  partnerguard delegation explain 'User Administrator' --customer fabrikam.example --from exports/
  partnerguard delegation explain 62e90394-69f5-4237-9190-012177145e10 --customer fabrikam.example --output json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return nil
			}
			return problem.New(problem.Usage, "delegation explain takes one role, got %d words", len(args)).
				WithHint("write a name of several words in quotes: delegation explain 'User Administrator' --customer NAME")
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := app.RoleID(args[0])
			if err != nil {
				return err
			}
			if a.q.Customer == "" {
				return problem.New(problem.Usage, "of which customer").WithHint("add --customer with a tenant id, a domain or a name")
			}
			in, _, err := a.input(cmd.Context())
			if err != nil {
				return err
			}
			x, err := recommend.Explain(in, id)
			if err != nil {
				return err
			}
			return output.Write(env, kit.Forms{
				"text": func(w io.Writer) error { return x.Text(w, output.Screen(env)) },
				"json": func(w io.Writer) error { return print.JSON(w, x) },
			})
		},
	}
	a.register(cmd)
	output.RegisterFile(cmd)
	return cmd
}

func newDelegationUnused(env *kit.Env) *cobra.Command {
	a := &asking{env: env}
	output := kit.NewOutput("text", "json", "csv")
	cmd := &cobra.Command{
		Use: "unused", Short: "List granted roles that nobody needed, with the evidence", Args: kit.NoArgs,
		Long: `unused lists the granted roles that recommend would not ask for: those by evidence
first, then those whose use leaves no trace in what was read.`,
		Example: `  partnerguard delegation unused --from exports/ --days 90
  partnerguard delegation unused --from exports/ --output csv --out unused.csv`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			in, said, err := a.input(cmd.Context())
			if err != nil {
				return err
			}
			res := recommend.Run(in)
			res.Job = said
			list := recommend.UnusedOf(res, role.Load())
			return output.Write(env, kit.Forms{
				"text": func(w io.Writer) error { return recommend.UnusedText(w, list, res, output.Screen(env)) },
				"json": func(w io.Writer) error {
					return print.JSON(w, struct {
						Window recommend.Window   `json:"window"`
						Unused []recommend.Unused `json:"unused"`
					}{res.Window, list})
				},
				"csv": func(w io.Writer) error { return recommend.UnusedCSV(w, list, res) },
			})
		},
	}
	a.register(cmd)
	a.registerChoice(cmd)
	output.RegisterFile(cmd)
	return cmd
}
