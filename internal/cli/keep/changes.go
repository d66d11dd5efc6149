package keep

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/posture"
	"partnerguard/internal/print"
)

func newChanges(env *kit.Env) *cobra.Command {
	var in kit.Installation
	var tenant string
	since := ago{words: "yesterday", back: 24 * 3600e9}
	output := kit.NewOutput("text", "json", "csv")
	cmd := &cobra.Command{
		Use: "changes", Short: "What turned since a day, and why: who edited what", Args: kit.NoArgs,
		Long: `changes compares what was judged as of a day with what was judged last. Each verdict
that turned is told with its causes: a policy's edit with its members and, by the
directory's audit log, who made it and when; accounts that came or went; lost
registration; roles given or taken; a rule's date; evidence that got too old or is
not read any more; another rule book. What is not known any more is never told as
mended, and what nothing explains says so.

A finding under an approved exception is marked with its owner and its end; the
verdict stays.`,
		Example: `  partnerguard changes
  partnerguard changes --since 7d
  partnerguard changes --since 2026-11-01 --output json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			i, err := in.Kept(ctx, env)
			if err != nil {
				return err
			}
			return kit.Closing(changes(cmd, env, i, tenant, &since, &output), i.Close)
		},
	}
	cmd.Flags().Var(&since, "since", "compare with what was judged as of then")
	cmd.Flags().StringVar(&tenant, "tenant", "", "the tenant's id (default the partner's)")
	output.RegisterFile(cmd)
	in.Register(cmd)
	completed(env, &in, cmd)
	return cmd
}

func changes(cmd *cobra.Command, env *kit.Env, i *app.Installation, tenant string, since *ago, output *kit.Output) error {
	t, err := whose(cmd.Context(), i, tenant)
	if err != nil {
		return err
	}
	c, err := i.Posture.Changes(cmd.Context(), t, since.from(i.Now()))
	if err != nil {
		return err
	}
	return output.Write(env, kit.Forms{
		"text": func(w io.Writer) error { changesText(w, output.Paint(env), kit.Width(env), c); return nil },
		"json": func(w io.Writer) error {
			return print.JSON(w, struct {
				Schema string `json:"schema"`
				*posture.Changes
			}{"partnerguard.changes/1", c})
		},
		"csv": func(w io.Writer) error { return changesCSV(w, c) },
	})
}

func changesText(w io.Writer, p kit.Paint, width int, c *posture.Changes) {
	fmt.Fprintln(w, p.Bold(print.Sentence(c.Headline())))
	fmt.Fprintln(w, p.Dim(fmt.Sprintf("from %s to %s", print.When(c.From.AsOf), print.When(c.To.LastOf))))
	if c.Short {
		para(w, width, "", "nothing was judged as of "+print.When(c.Asked)+" yet: this is since the first judgement")
	}
	for _, n := range c.Notes {
		para(w, width, "", n)
	}
	told := map[string]bool{}
	acts(w, p, width, c, told)
	for i := range c.Turned {
		t := &c.Turned[i]
		fmt.Fprintf(w, "\n%s  %s\n", p.Bold(print.Clean(t.Title, 100)), print.VerdictWord(t.From)+" -> "+print.VerdictWord(t.To))
		para(w, width, "  ", t.Reason)
		excused(w, width, t.Excepted)
		because(w, p, width, c, t.Because, t.Sure, t.Unexplained, told)
	}
	if len(c.Accounts) > 0 {
		fmt.Fprintf(w, "\n%s\n", p.Bold("Accounts"))
		kit.Table(w, p, c.Accounts[:min(len(c.Accounts), maxShown)],
			kit.Col("account", func(a *posture.TurnedAccount) string { return a.Name }),
			kit.Col("was", func(a *posture.TurnedAccount) string { return standing(a.From) }),
			kit.Col("is", func(a *posture.TurnedAccount) string { return standing(a.To) }),
			kit.Col("excepted", func(a *posture.TurnedAccount) string { return excuseWords(a.Excepted) }),
			kit.Col("because", func(a *posture.TurnedAccount) string { return accountBecause(c, a) }))
		if n := len(c.Accounts) - maxShown; n > 0 {
			fmt.Fprintf(w, "  and %d more: --output csv has all\n", n)
		}
	}
	var rest []*posture.Cause
	for i := range c.Causes {
		if x := &c.Causes[i]; !told[x.ID] {
			rest = append(rest, x)
		}
	}
	if len(rest) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", p.Bold("Also changed"))
	for _, x := range rest[:min(len(rest), maxShown)] {
		causeText(w, p, width, "  ", x)
	}
	if n := len(rest) - maxShown; n > 0 {
		fmt.Fprintf(w, "  and %d more: --output json has all\n", n)
	}
}

// acts tells first what somebody did that turned something: the causes before what came
// of them, those that turned most first.
func acts(w io.Writer, p kit.Paint, width int, c *posture.Changes, told map[string]bool) {
	turned := map[string][2]int{} // requirements, accounts
	for i := range c.Turned {
		for _, id := range c.Turned[i].Because {
			n := turned[id]
			n[0]++
			turned[id] = n
		}
	}
	for i := range c.Accounts {
		for _, id := range c.Accounts[i].Because {
			n := turned[id]
			n[1]++
			turned[id] = n
		}
	}
	var list []*posture.Cause
	for i := range c.Causes {
		if x := &c.Causes[i]; len(x.Edits) > 0 && turned[x.ID] != [2]int{} {
			list = append(list, x)
		}
	}
	if len(list) == 0 {
		return
	}
	slices.SortStableFunc(list, func(a, b *posture.Cause) int {
		x, y := turned[a.ID], turned[b.ID]
		return cmp.Or(cmp.Compare(y[0], x[0]), cmp.Compare(y[1], x[1]))
	})
	fmt.Fprintf(w, "\n%s\n", p.Bold("Who did what"))
	for _, x := range list[:min(len(list), maxShown)] {
		told[x.ID] = true
		causeText(w, p, width, "  ", x)
		n := turned[x.ID]
		var of []string
		if n[0] > 0 {
			of = append(of, kit.Plural(n[0], "requirement", "requirements"))
		}
		if n[1] > 0 {
			of = append(of, kit.Plural(n[1], "account", "accounts"))
		}
		para(w, width, "    ", "has part in the turning of "+strings.Join(of, " and "))
	}
}

// maxShown bounds what a list on a terminal shows.
const maxShown = 12

func because(w io.Writer, p kit.Paint, width int, c *posture.Changes, ids []string, sure, unexplained bool, told map[string]bool) {
	if unexplained {
		para(w, width, "  ", "nothing that was read explains it")
		return
	}
	lead := "because"
	if !sure {
		lead = "it may be because"
	}
	fmt.Fprintf(w, "  %s\n", p.Dim(lead))
	for _, id := range ids {
		for i := range c.Causes {
			if x := &c.Causes[i]; x.ID == id {
				if told[id] {
					para(w, width, "    ", x.Subject+" (above)")
					continue
				}
				told[id] = true
				causeText(w, p, width, "    ", x)
			}
		}
	}
}

func causeText(w io.Writer, p kit.Paint, width int, indent string, x *posture.Cause) {
	para(w, width, indent, print.Clean(x.Subject, 120)+": "+print.Clean(x.Text, 600))
	if x.Who != "" {
		para(w, width, indent+"  ", p.Bold(print.Clean(x.Who, 300)))
	}
}

func accountBecause(c *posture.Changes, a *posture.TurnedAccount) string {
	if a.Unexplained {
		return "nothing that was read explains it"
	}
	var out []string
	for _, id := range a.Because[:min(len(a.Because), 2)] {
		for i := range c.Causes {
			if x := &c.Causes[i]; x.ID == id {
				word := x.Text
				if x.Object != a.ID {
					word = x.Subject
				}
				out = append(out, print.Clean(word, 90))
			}
		}
	}
	lead := ""
	if !a.Sure {
		lead = "perhaps "
	}
	return lead + strings.Join(out, "; ")
}

func standing(s string) string {
	if s == "" {
		return "not there"
	}
	return strings.ReplaceAll(s, "_", " ")
}

func excused(w io.Writer, width int, x *posture.Excuse) {
	if x != nil {
		para(w, width, "  ", "excepted: "+excuseWords(x)+"; no alert goes out, the verdict stays")
	}
}

func excuseWords(x *posture.Excuse) string {
	if x == nil {
		return ""
	}
	return print.Clean(x.Owner, 60) + " until " + x.Expires.UTC().Format("2006-01-02")
}

// para prints a paragraph, each of its lines behind indent.
func para(w io.Writer, width int, indent, text string) {
	for _, l := range print.Wrap(text, max(width-len(indent), 40)) {
		fmt.Fprintf(w, "%s%s\n", indent, l)
	}
}

func changesCSV(w io.Writer, c *posture.Changes) error {
	out := print.NewSheet(w, "what", "id", "name", "from", "to", "sure", "because", "who", "excepted_by", "excepted_until")
	words := func(ids []string) (because, who string) {
		var b, by []string
		for _, id := range ids {
			for i := range c.Causes {
				if x := &c.Causes[i]; x.ID == id {
					b = append(b, x.Subject+": "+x.Text)
					if x.Who != "" {
						by = append(by, x.Who)
					}
				}
			}
		}
		return strings.Join(b, " | "), strings.Join(by, " | ")
	}
	until := func(x *posture.Excuse) (string, string) {
		if x == nil {
			return "", ""
		}
		return x.Owner, x.Expires.UTC().Format("2006-01-02")
	}
	yes := map[bool]string{true: "yes", false: "no"}
	for i := range c.Turned {
		t := &c.Turned[i]
		b, who := words(t.Because)
		by, end := until(t.Excepted)
		out.Row("requirement", t.ID, t.Title, t.From, t.To, yes[t.Sure], b, who, by, end)
	}
	for i := range c.Accounts {
		a := &c.Accounts[i]
		b, who := words(a.Because)
		by, end := until(a.Excepted)
		out.Row("account", a.ID, a.Name, a.From, a.To, yes[a.Sure], b, who, by, end)
	}
	for i := range c.Causes {
		if x := &c.Causes[i]; len(x.Turned) == 0 {
			out.Row(string(x.Kind), x.Object, x.Subject, "", "", "", x.Text, x.Who, "", "")
		}
	}
	return out.Close()
}
