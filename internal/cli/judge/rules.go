package judge

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// ruleRow is one rule as the rules command shows it.
type ruleRow struct {
	partner.Rule
	Evidence []evidence.Kind  `json:"evidence"` // needs and helps together
	Standing partner.Standing `json:"standing"`
	Why      string           `json:"why"`
}

func newRules(env *kit.Env) *cobra.Command {
	var w kit.Who
	output := kit.NewOutput("text", "json", "csv")
	cmd := &cobra.Command{
		Use: "rules [ID]", Short: "Show the rule book as it stood on a date",
		Long: `rules prints the rule book: each requirement with how it stands on a date, for a
kind of partner, in a cloud. With an ID it prints that one in full: its text,
whom it binds, since when by contract, since when by technical enforcement, what
evidence decides it, and where it is written.`,
		Example: `  partnerguard rules
  partnerguard rules --as-of 2022-03-01
  partnerguard rules mfa-every-sign-in --cloud usgov
  partnerguard rules --output json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return problem.New(problem.Usage, "rules takes one rule id at most, got %d", len(args))
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var ids []string
			for _, r := range partner.Book() {
				ids = append(ids, r.ID+"\t"+r.Title)
			}
			return ids, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			asOf := w.AsOf.At
			if asOf.IsZero() {
				asOf = env.Now().UTC()
			}
			book := partner.Book()
			if len(args) == 1 {
				r, ok := partner.Find(args[0])
				if !ok {
					return problem.New(problem.Usage, "no rule is called %q", args[0]).WithHint("partnerguard rules lists them")
				}
				book = []partner.Rule{r}
			}
			var rows []ruleRow
			for _, r := range book {
				row := ruleRow{Rule: r, Evidence: r.Evidence()}
				row.Standing, row.Why = r.On(asOf, partner.Kind(w.Kind.Value), partner.Cloud(w.Cloud.Value))
				rows = append(rows, row)
			}
			switch output.Value {
			case "json":
				enc := json.NewEncoder(env.Stdout)
				enc.SetIndent("", "  ")
				enc.SetEscapeHTML(false)
				return enc.Encode(struct {
					AsOf       time.Time           `json:"asOf"`
					Kind       string              `json:"partnerKind"`
					Cloud      string              `json:"cloud"`
					Rules      []ruleRow           `json:"rules"`
					Milestones []partner.Milestone `json:"milestones"`
				}{asOf, w.Kind.Value, w.Cloud.Value, rows, partner.Milestones()})
			case "csv":
				return rulesCSV(env.Stdout, rows)
			}
			return kit.Say(env, func(out io.Writer) error {
				if len(args) == 1 {
					return ruleText(out, &rows[0], asOf)
				}
				return rulesText(out, rows, asOf, &w, kit.NewPaint(env), kit.Width(env))
			})
		},
	}
	w.Register(cmd)
	output.Register(cmd)
	return cmd
}

var standingWords = map[partner.Standing]string{
	partner.NotYet: "not yet", partner.Announce: "announced", partner.Contract: "contract",
	partner.Enforced: "enforced", partner.Advised: "advised", partner.Exempt: "exempt",
}

func rulesText(w io.Writer, rows []ruleRow, asOf time.Time, f *kit.Who, p kit.Paint, width int) error {
	fmt.Fprintf(w, "The rule book on %s, for a %s partner in the %s cloud\n\n", asOf.Format(time.DateOnly), f.Kind.Value, f.Cloud.Value)
	longest := 0
	for _, r := range rows {
		longest = max(longest, len(r.ID))
	}
	for _, r := range rows {
		word := fmt.Sprintf("%-9s", standingWords[r.Standing])
		switch {
		case r.Standing.Binding():
			word = p.Bold(word)
		case r.Standing == partner.NotYet || r.Standing == partner.Exempt:
			word = p.Dim(word)
		}
		lead := 2 + 9 + 2 + longest + 2
		for i, line := range kit.Wrap(r.Title+"; "+r.Why, max(width-lead, 30)) {
			if i == 0 {
				fmt.Fprintf(w, "  %s  %-*s  %s\n", word, longest, r.ID, line)
			} else {
				fmt.Fprintf(w, "%*s%s\n", lead, "", line)
			}
		}
	}
	fmt.Fprintf(w, "\nThe programme until then:\n")
	for _, m := range partner.Milestones() {
		if m.Date.After(asOf) {
			continue
		}
		for i, line := range kit.Wrap(m.What, max(width-14, 30)) {
			if i == 0 {
				fmt.Fprintf(w, "  %-10s  %s\n", m.Date, line)
			} else {
				fmt.Fprintf(w, "%14s%s\n", "", line)
			}
		}
	}
	_, err := fmt.Fprintf(w, "\npartnerguard rules ID shows one in full\n")
	return err
}

func ruleText(w io.Writer, r *ruleRow, asOf time.Time) error {
	fmt.Fprintf(w, "%s (%s)\n\n", r.Title, r.ID)
	for _, line := range kit.Wrap(r.Text, 78) {
		fmt.Fprintf(w, "  %s\n", line)
	}
	fmt.Fprintf(w, "\n  On %s:    %s: %s\n", asOf.Format(time.DateOnly), standingWords[r.Standing], r.Why)
	fmt.Fprintf(w, "  Level:            %s\n", r.Level)
	if len(r.Except) > 0 {
		fmt.Fprintf(w, "  Does not bind:    %v\n", r.Except)
	}
	for i, line := range kit.Wrap(fmt.Sprintf("at most %s: %s", r.MaxAge, r.MaxAge.Why), 60) {
		fmt.Fprintf(w, "  %-17s %s\n", []string{"Evidence:", ""}[min(i, 1)], line)
	}
	if !r.Announced.IsZero() {
		fmt.Fprintf(w, "  Announced:        %s\n", r.Announced)
	}
	fmt.Fprintf(w, "  Contract since:   %s\n", r.Rule.Contract)
	for _, s := range r.Rule.Enforced {
		fmt.Fprintf(w, "  Enforced since:   %s  %s\n", s.Date, s.What)
	}
	for _, list := range []struct {
		word  string
		kinds []evidence.Kind
	}{{"Decided by:", r.Needs}, {"And, when named:", r.May}, {"Helped by:", r.Helps}} {
		var kinds []string
		for _, k := range list.kinds {
			kinds = append(kinds, string(k))
		}
		for i, line := range kit.Wrap(strings.Join(kinds, ", "), 60) {
			if line != "" {
				fmt.Fprintf(w, "  %-17s %s\n", []string{list.word, ""}[min(i, 1)], line)
			}
		}
	}
	_, err := fmt.Fprintf(w, "  Written at:       %s\n", r.Source)
	return err
}

func rulesCSV(w io.Writer, rows []ruleRow) error {
	c := print.NewSheet(w, "id", "title", "level", "standing", "why", "announced", "contract", "enforced", "text", "source")
	for _, r := range rows {
		var steps []string
		for _, s := range r.Rule.Enforced {
			steps = append(steps, s.Date.String()+" "+s.What)
		}
		c.Row(r.ID, r.Title, string(r.Level), string(r.Standing), r.Why, r.Announced.String(), r.Rule.Contract.String(), strings.Join(steps, "; "), r.Text,
			r.Source)
	}
	return c.Close()
}
