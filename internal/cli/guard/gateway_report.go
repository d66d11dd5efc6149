package guard

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/gateway/ledger"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

func newGatewayReport(env *kit.Env, open kit.Opener, file *string) *cobra.Command {
	var since, route, from string
	by := kit.Choice{Value: ledger.ByCaller, Allowed: ledger.Groupings()}
	output := kit.NewOutput("text", "json", "csv")
	cmd := &cobra.Command{
		Use: "report", Short: "Show who would be refused tomorrow, and why", Args: kit.NoWords,
		Long: `report adds up what the gateway decided: how ready each route is to be enforced, and who
would be refused, by which client and for which reason, with what to do about it. What a
route in mode report let through is counted like what another refused.

With --from it reads a file of decisions instead, as gateway --decisions writes it.`,
		Example: `  partnerguard gateway report --since 7d
  partnerguard gateway report --since 24h --route panel --by reason
  partnerguard gateway report --from decisions.jsonl --output csv > refused.csv`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			if from != "" {
				f, err := sinceFilter(since, route, env.Now())
				if err != nil {
					return err
				}
				r, err := reportFrom(from, f)
				if err != nil {
					return err
				}
				return writeReport(env, &output, r, route, by.Value)
			}
			return open.With(ctx, func(s *app.Installation) error {
				f, err := sinceFilter(since, route, s.Now())
				if err != nil {
					return err
				}
				r, err := s.GatewayReport(ctx, f, *file)
				if err != nil {
					return err
				}
				return writeReport(env, &output, r, route, by.Value)
			})
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&since, "since", "7d", "from when on: a time back like 7d or 12h, a date or a time")
	fl.StringVar(&route, "route", "", "of this route alone")
	fl.StringVar(&from, "from", "", "a file of decisions, instead of what is kept here")
	kit.AddChoice(cmd, &by, "by", "how text and csv group what would be refused")
	_ = cmd.MarkFlagFilename("from", "jsonl", "json")
	output.Register(cmd)
	return cmd
}

// sinceFilter reads from when on.
func sinceFilter(since, route string, now time.Time) (ledger.Filter, error) {
	f := ledger.Filter{Until: now, Route: route}
	if days, ok := strings.CutSuffix(since, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n <= 400 {
			f.Since = now.Add(-time.Duration(n) * 24 * time.Hour)
			return f, nil
		}
	}
	if d, err := time.ParseDuration(since); err == nil && d > 0 {
		f.Since = now.Add(-d)
		return f, nil
	}
	var m kit.Moment
	if err := m.Set(since); err != nil {
		return f, problem.New(problem.Usage, "%.40q is no time back, date or time", since).WithHint("--since 7d, --since 12h, or --since 2026-11-01")
	}
	if !m.At.Before(now) {
		return f, problem.New(problem.Usage, "--since %.40q is still to come", since).WithHint("--since 7d, --since 12h, or --since 2026-11-01")
	}
	f.Since = m.At
	return f, nil
}

func reportFrom(path string, f ledger.Filter) (*ledger.Report, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the file of decisions %s cannot be read", path).
			WithHint("partnerguard gateway --decisions FILE writes one")
	}
	defer r.Close()
	list, err := ledger.ReadLines(r, f.Since, f.Until, f.Route)
	if err != nil {
		return nil, err
	}
	return ledger.Make(list, nil, f), nil
}

func writeReport(env *kit.Env, output *kit.Output, r *ledger.Report, route, by string) error {
	return output.Write(env, kit.Forms{
		"text": func(w io.Writer) error { return tellReport(w, output.Paint(env), r, route, by) },
		"json": func(w io.Writer) error { return print.JSON(w, r) },
		"csv":  func(w io.Writer) error { return reportCSV(w, r, by) },
	})
}

func tellReport(w io.Writer, p kit.Paint, r *ledger.Report, route, by string) error {
	fmt.Fprintf(w, "From %s to %s.\n", print.When(r.Since), print.When(r.Until))
	if len(r.Routes) == 0 {
		of := ""
		if route != "" {
			of = fmt.Sprintf(" for a route %q", route)
		}
		fmt.Fprintf(w, "Nothing was decided%s in that time, so nothing is known.\n", of)
		return nil
	}
	for i := range r.Routes {
		x := &r.Routes[i]
		head := p.Bold(routeWord(x.Route))
		if x.Mode != "" {
			head += "  " + modeWords(x)
		}
		fmt.Fprintln(w, head)
		fmt.Fprintln(w, "  "+x.Says)
	}
	list := r.Grouped(by)
	if len(list) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	type row = ledger.Finding
	kit.Table(w, p, list,
		kit.Col("route", func(f *row) string { return routeWord(f.Route) }),
		kit.Col("who", whoWords),
		kit.Col("reason", func(f *row) string { return f.Reason }),
		kit.Col("client", func(f *row) string { return strings.Trim(f.Client+" "+f.Agent, " ") }),
		kit.Col("callers", func(f *row) string { return callersWord(f, by) }),
		kit.Col("times", func(f *row) string { return print.Number(f.Times) }),
		kit.Col("share", func(f *row) string { return ledger.Percent(int64(f.Share*1e6+0.5), 1e6) }),
		kit.Col("last", func(f *row) string { return f.Last.UTC().Format("2006-01-02 15:04") }),
		kit.Col("what to do", func(f *row) string { return f.Fix }))
	return nil
}

func routeWord(s string) string {
	if s == "" {
		return "(no route)"
	}
	return s
}

// modeWords are a route's mode and what comes next.
func modeWords(x *ledger.Ready) string {
	of := func(mode string, share int) string {
		if share > 0 {
			return fmt.Sprintf("%s %d%%", mode, share)
		}
		return mode
	}
	out := of(x.Mode, x.Share)
	if x.Next != nil {
		out += ", " + of(x.Next.Mode, x.Next.Share) + " from " + print.When(x.Next.From)
	}
	return out
}

func whoWords(f *ledger.Finding) string {
	switch {
	case f.Account != "":
		return f.Account
	case f.Caller != "":
		return strings.TrimSpace(f.Kind + " " + f.Caller)
	}
	return f.Kind
}

func callersWord(f *ledger.Finding, by string) string {
	if by == ledger.ByCaller {
		return ""
	}
	return strconv.Itoa(f.Callers)
}

func reportCSV(w io.Writer, r *ledger.Report, by string) error {
	list := r.Findings
	if by != ledger.ByCaller {
		list = r.Grouped(by)
	}
	s := print.NewSheet(w, "route", "reason", "title", "kind", "tenant", "caller", "account", "client", "agent", "excusedBy", "callers", "times", "refused",
		"shareOfRoute", "first", "last", "fix")
	for i := range list {
		f := &list[i]
		s.Row(f.Route, f.Reason, f.Title, f.Kind, f.Tenant, f.Caller, f.Account, f.Client, f.Agent, f.Excused, strconv.Itoa(f.Callers),
			strconv.FormatInt(f.Times, 10), strconv.FormatInt(f.Refused, 10), strconv.FormatFloat(f.Share, 'f', 6, 64), f.First.UTC().Format(time.RFC3339),
			f.Last.UTC().Format(time.RFC3339), f.Fix)
	}
	return errors.Join(s.Close())
}
