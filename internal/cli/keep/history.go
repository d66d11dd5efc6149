package keep

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/posture"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

func newHistory(env *kit.Env) *cobra.Command {
	var in kit.Installation
	var q posture.HistoryOf
	since := ago{words: "90d", back: 90 * 24 * time.Hour}
	output := kit.NewOutput("text", "json", "csv")
	cmd := &cobra.Command{
		Use: "history", Short: "How requirements and accounts were judged over time", Args: kit.NoArgs,
		Long: `history shows since when each requirement is judged as it is, how often it turned,
and a trend: one mark a day. With --requirement or --account it shows each stretch
with the rule book and the newest segment of the archive it was judged from, so that
anybody can judge it again. With --disagreements, where settings and log said
different things.

In the trend, a full block is a day on which it was not met, a half one a day on
which it was not known, a low one a day on which it was met. The last line shows
sign-ins a day that were not asked for MFA.`,
		Example: `  partnerguard history
  partnerguard history --requirement mfa-every-user --since 2026-01-01
  partnerguard history --account ada@contoso.com --output csv
  partnerguard history --disagreements`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if q.Requirement != "" && q.Account != "" || q.Disagreements && q.Requirement+q.Account != "" {
				return problem.New(problem.Usage, "one of --requirement, --account and --disagreements is asked for at a time")
			}
			i, err := in.Kept(cmd.Context(), env)
			if err != nil {
				return err
			}
			q.Since = since.from(i.Now())
			return kit.Closing(history(cmd.Context(), env, i, q, &output), i.Close)
		},
	}
	f := cmd.Flags()
	f.StringVar(&q.Requirement, "requirement", "", "one requirement, as partnerguard rules lists them")
	f.StringVar(&q.Account, "account", "", "one account, by user principal name or id")
	f.BoolVar(&q.Disagreements, "disagreements", false, "where settings and log said different things")
	f.Var(&since, "since", "from then on")
	f.StringVar(&q.Tenant, "tenant", "", "the tenant's id (default the partner's)")
	output.RegisterFile(cmd)
	in.Register(cmd)
	completed(env, &in, cmd)
	return cmd
}

func history(ctx context.Context, env *kit.Env, i *app.Installation, q posture.HistoryOf, output *kit.Output) (err error) {
	if q.Tenant, err = whose(ctx, i, q.Tenant); err != nil {
		return err
	}
	list, err := i.Posture.History(ctx, q)
	if err != nil {
		return err
	}
	days, err := i.Posture.Trend(ctx, q.Tenant, list, q.Since, i.Now())
	if err != nil {
		return err
	}
	return output.Write(env, kit.Forms{
		"text": func(w io.Writer) error {
			return historyText(ctx, w, output.Paint(env), kit.Width(env), i, q, list, days)
		},
		"json": func(w io.Writer) error {
			return print.JSON(w, struct {
				Schema  string            `json:"schema"`
				Tenant  string            `json:"tenant"`
				Since   time.Time         `json:"since"`
				History []posture.Stretch `json:"history"`
				Days    []posture.DayOf   `json:"days"`
			}{"partnerguard.history/1", q.Tenant, q.Since, list, days})
		},
		"csv": func(w io.Writer) error { return historyCSV(w, list) },
	})
}

func historyText(ctx context.Context, w io.Writer, p kit.Paint, width int, i *app.Installation, q posture.HistoryOf, list []posture.Stretch,
	days []posture.DayOf) error {
	switch {
	case len(list) == 0:
		fmt.Fprintln(w, "nothing of it was seen in that time")
	case q.Requirement+q.Account == "" && !q.Disagreements:
		if err := overview(ctx, w, p, i, q, list); err != nil {
			return err
		}
	default:
		last := &list[len(list)-1]
		name := print.First("disagreements between settings and log", q.Account, q.Requirement)
		if !q.Disagreements {
			fmt.Fprintf(w, "%s\n", p.Bold(print.Clean(name, 120)+": "+print.VerdictWord(last.Verdict)+" since "+last.AsOf.UTC().Format(time.DateOnly)))
		} else {
			fmt.Fprintf(w, "%s\n", p.Bold(name))
		}
		kit.Table(w, p, list,
			kit.Col("from", func(x *posture.Stretch) string { return x.AsOf.UTC().Format("2006-01-02 15:04") }),
			kit.Col("until", func(x *posture.Stretch) string { return until(x) }),
			kit.Col("verdict", func(x *posture.Stretch) string { return standingOf(x) }),
			kit.Col("covered by", func(x *posture.Stretch) string { return coveredBy(x) }),
			kit.Col("method", func(x *posture.Stretch) string { return method(x) }),
			kit.Col("rules of", func(x *posture.Stretch) string { return x.Book }),
			kit.Col("evidence up to", func(x *posture.Stretch) string { return x.Segment }),
			kit.Col("why", func(x *posture.Stretch) string { return x.Reason }))
		if !q.Disagreements {
			fmt.Fprintf(w, "\n%s\n", trend(days, width, func(d posture.DayOf) string { return d.Verdict }))
		}
	}
	if line := unasked(days, width); line != "" {
		fmt.Fprintf(w, "\nsign-ins a day without MFA being asked for\n%s\n", line)
	}
	return nil
}

// line is a requirement in the overview.
type line struct {
	last   *posture.Stretch
	first  *posture.Stretch // of its verdict
	turned int
	trend  string
}

func overview(ctx context.Context, w io.Writer, p kit.Paint, i *app.Installation, q posture.HistoryOf, list []posture.Stretch) error {
	var lines []line
	for n := 0; n < len(list); {
		m := n
		for m < len(list) && list[m].Requirement.ID == list[n].Requirement.ID {
			m++
		}
		days, err := i.Posture.Trend(ctx, q.Tenant, list[n:m], q.Since, i.Now())
		if err != nil {
			return err
		}
		l := line{last: &list[m-1], trend: trend(days, 40, func(d posture.DayOf) string { return d.Verdict })}
		l.first = &list[n]
		for k := n + 1; k < m; k++ {
			if list[k].Verdict != list[k-1].Verdict {
				l.turned++
				l.first = &list[k]
			}
		}
		if l.last.Until == nil {
			lines = append(lines, l)
		}
		n = m
	}
	kit.Table(w, p, lines,
		kit.Col("requirement", func(l *line) string { return l.last.Requirement.ID }),
		kit.Col("is", func(l *line) string { return print.VerdictWord(l.last.Verdict) }),
		kit.Col("since", func(l *line) string { return l.first.AsOf.UTC().Format(time.DateOnly) }),
		kit.Col("turned", func(l *line) string { return strconv.Itoa(l.turned) }),
		kit.Col("trend", func(l *line) string { return l.trend }))
	return nil
}

func until(x *posture.Stretch) string {
	if x.Until == nil {
		return "now"
	}
	return x.Until.AsOf.UTC().Format("2006-01-02 15:04")
}

func standingOf(x *posture.Stretch) string {
	if x.Disagreement != nil {
		return print.Clean(x.Disagreement.Account, 100)
	}
	return print.VerdictWord(x.Verdict)
}

func coveredBy(x *posture.Stretch) string {
	if x.Account == nil {
		return ""
	}
	if len(x.Account.ByName) > 0 {
		return strings.Join(x.Account.ByName, ", ")
	}
	return standing(x.Account.Cover)
}

func method(x *posture.Stretch) string {
	if x.Account == nil {
		return ""
	}
	return standing(x.Account.Factor)
}

// trend draws one mark a day, of the last days that have room.
func trend(days []posture.DayOf, width int, verdict func(posture.DayOf) string) string {
	marks := map[string]string{posture.NotMet: "█", posture.Unknown: "▄", posture.Met: "▁", posture.Attested: "▂", posture.NotApplicable: "▁"}
	var b strings.Builder
	for _, d := range days[max(0, len(days)-max(width, 10)):] {
		mark := marks[verdict(d)]
		if mark == "" {
			mark = "·"
		}
		b.WriteString(mark)
	}
	return b.String()
}

// unasked draws the sign-ins a day that were not asked for MFA, with the highest.
func unasked(days []posture.DayOf, width int) string {
	days = days[max(0, len(days)-max(width-24, 10)):]
	most, any := int64(0), false
	for _, d := range days {
		most, any = max(most, d.Unasked), any || d.Log
	}
	if !any {
		return ""
	}
	const bars = "▁▂▃▄▅▆▇█"
	glyphs := []rune(bars)
	var b strings.Builder
	for _, d := range days {
		switch {
		case !d.Log:
			b.WriteRune('·')
		case d.Unasked == 0:
			b.WriteRune(glyphs[0])
		default:
			b.WriteRune(glyphs[int(d.Unasked*int64(len(glyphs)-1)/most)])
		}
	}
	return fmt.Sprintf("%s  at most %s a day", b.String(), print.Number(most))
}

func historyCSV(w io.Writer, list []posture.Stretch) error {
	out := print.NewSheet(w, "tenant", "subject", "verdict", "from", "until", "last_judged_as_of", "rule_book", "program", "segment", "root",
		"affected", "total",
		"cover", "covered_by", "method", "reason", "sources")
	for i := range list {
		x := &list[i]
		end := ""
		if x.Until != nil {
			end = x.Until.AsOf.UTC().Format(time.RFC3339)
		}
		row := []string{x.Tenant, "", x.Verdict, x.AsOf.UTC().Format(time.RFC3339), end, x.LastOf.UTC().Format(time.RFC3339), x.Book, x.Program,
			x.Segment, x.Root, "", "",
			"", "", "", x.Reason, ""}
		switch {
		case x.Account != nil:
			row[1], row[12], row[13], row[14], row[16] = print.First("", x.Account.Name, x.Account.ID), x.Account.Cover, strings.Join(x.Account.ByName, "; "),
				x.Account.Factor, x.Account.Source
		case x.Requirement != nil:
			row[1], row[10], row[11], row[16] = x.Requirement.ID, strconv.Itoa(x.Requirement.Affected), strconv.Itoa(x.Requirement.Total),
				strings.Join(x.Requirement.Sources, "; ")
		case x.Disagreement != nil:
			row[1], row[16] = x.Disagreement.Account, x.Disagreement.Source
		}
		out.Row(row...)
	}
	return out.Close()
}
