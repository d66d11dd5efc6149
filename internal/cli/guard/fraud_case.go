package guard

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/fraud/desk"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// jsonLine writes a value on a line of its own.
func jsonLine(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) }

func newFraudShow(env *kit.Env, open kit.Opener) *cobra.Command {
	output := kit.NewOutput("text", "json")
	return withOutput(&output, &cobra.Command{
		Use: "show ALERT", Short: "Show an alert whole: what Microsoft says, its clock, who has it, notes and the answer",
		Example: "  partnerguard fraud show fa-abcdef\n  partnerguard fraud show fa-abcdef --output json", Args: oneAlert("show"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				c, err := s.Fraud.Get(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return output.Answer(env, c, func(w io.Writer, p kit.Paint) error { tellCase(w, p, c); return nil })
			})
		},
	})
}

func tellCase(w io.Writer, p kit.Paint, c *desk.Case) {
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%-14s %s\n", name, print.Clean(value, 600))
		}
	}
	fmt.Fprintln(w, p.Bold(print.Clean(cmp.Or(c.Name, c.Words(), c.ID), 200)))
	line("id", c.ID)
	line("type", c.Type)
	if c.Kind != "" {
		line("about", c.Words())
	}
	line("customer", strings.TrimSpace(c.CustomerName+" "+c.Customer))
	line("subscription", c.Subscription)
	line("status", statusWord(c))
	line("resolved by", c.ResolvedBy)
	line("severity", strings.Trim(c.Severity+", confidence "+c.Confidence, ", "))
	line("detected", fraudWhen(c.Detected))
	if c.Open() && !c.Clock.Due.IsZero() {
		line("react by", fraudWhen(c.Clock.DueGoal)+" UTC")
		line("answer by", fraudWhen(c.Clock.Due)+" UTC")
	}
	if c.Test {
		line("test", "it is a test of Microsoft's: nothing happened")
	}
	line("who", cmp.Or(c.Assignee, "nobody"))
	line("description", c.Description)
	for i, r := range c.Resources {
		if i == 20 {
			line("", fmt.Sprintf("and %d more", len(c.Resources)-i))
			break
		}
		line(map[bool]string{true: "resources"}[i == 0], strings.TrimSpace(r.ID+" "+r.Type))
	}
	names := make([]string, 0, len(c.Details))
	for name := range c.Details {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		line(print.Clean(name, 40), strings.Trim(string(c.Details[name]), `"`))
	}
	for _, l := range c.Log {
		line(fraudWhen(l.At), strings.TrimSpace(l.From+" to "+l.To+" "+l.By))
	}
	for _, n := range c.Notes {
		line(fraudWhen(n.At), n.By+": "+n.Text)
	}
	if a := c.Answer; a != nil {
		line("answer", fmt.Sprintf("%s, %s, by %s at %s", a.Reason, a.State, a.By, fraudWhen(a.At)))
		line("", a.Why)
	}
	if len(c.Linked) > 0 {
		line("may be", strings.Join(c.Linked, ", "))
	}
	line("read", fraudWhen(c.Read)+" UTC, from "+strings.Join(c.From, " and "))
	line("refused", c.Refused)
}

func newFraudAssign(env *kit.Env, open kit.Opener) *cobra.Command {
	var to string
	var nobody bool
	output := kit.NewOutput("text", "json")
	cmd := withOutput(&output, &cobra.Command{
		Use: "assign ALERT", Short: "Take an alert, or give it to somebody: from then on it pages nobody until its 24 hours are near",
		Example: "  partnerguard fraud assign fa-abcdef\n  partnerguard fraud assign fa-abcdef --to ana@contoso.com", Args: oneAlert("assign"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if nobody && to != "" {
				return problem.New(problem.Usage, "--to and --nobody are one or the other")
			}
			return open.With(cmd.Context(), func(s *app.Installation) error {
				who := cmp.Or(to, s.Actor)
				if nobody {
					who = ""
				}
				c, err := s.Fraud.Assign(cmd.Context(), args[0], who, s.Actor)
				if err != nil {
					return err
				}
				return output.Answer(env, c, func(w io.Writer, _ kit.Paint) error {
					fmt.Fprintf(w, "%s: %s has it.\n", c.ID, print.Clean(cmp.Or(c.Assignee, "nobody"), 120))
					return nil
				})
			})
		},
	})
	cmd.Flags().StringVar(&to, "to", "", "who (default you)")
	cmd.Flags().BoolVar(&nobody, "nobody", false, "give it up: it pages again")
	return cmd
}

func newFraudNote(env *kit.Env, open kit.Opener) *cobra.Command {
	output := kit.NewOutput("text", "json")
	return withOutput(&output, &cobra.Command{
		Use: "note ALERT TEXT", Short: "Write down what was found out, for whoever is next",
		Example: `  partnerguard fraud note fa-abcdef "called the customer: the machines are not theirs"`,
		Args: kit.Between(2, 2, problem.New(problem.Usage, "note takes one alert's id and a text").
			WithHint(`partnerguard fraud note fa-abcdef "called the customer"`)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				c, err := s.Fraud.Note(cmd.Context(), args[0], args[1], s.Actor)
				if err != nil {
					return err
				}
				return output.Answer(env, c, func(w io.Writer, _ kit.Paint) error {
					fmt.Fprintf(w, "%s has %s.\n", c.ID, kit.Plural(len(c.Notes), "note", "notes"))
					return nil
				})
			})
		},
	})
}
