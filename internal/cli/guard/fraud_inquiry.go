//go:build !judge

package guard

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/fraud/inquiry"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// newFraudInquiries are the commands of fraud that look into an alert.
func newFraudInquiries(env *kit.Env, open kit.Opener) []*cobra.Command {
	return []*cobra.Command{newFraudInquire(env, open), newFraudTimeline(env, open), newFraudReport(env, open)}
}

// oneAlert refuses what names none.
func oneAlert(name string) cobra.PositionalArgs {
	return kit.Between(1, 1, problem.New(problem.Usage, "fraud %s takes one alert", name).WithHint("partnerguard fraud list shows their ids; the beginning of one is enough"))
}

func newFraudInquire(env *kit.Env, open kit.Opener) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "inquire ALERT", Short: "Read everything that an alert is about, now", Args: oneAlert("inquire"),
		Long: `inquire reads now, whether due or not, what an alert is about: the activity log of the
customer's subscriptions, role assignments and resources, the directory's audit log,
sign-ins and risk, and what it costs. It goes into the archive as every reading does, and
is proved by the trail. What could not be read is named, with what is missing for it.

It happens by itself, at once, for each alert that comes; this is for whoever wants
to know what is new since.`,
		Example: "  partnerguard fraud inquire 7c3e\n  partnerguard fraud inquire 7c3e --output json",
		RunE: open.Run(func(ctx context.Context, s *app.Installation, args []string) error {
			t, err := s.Inquiry.Take(ctx, args[0], s.Actor)
			if err != nil {
				return err
			}
			kit.Next(env, "partnerguard fraud timeline %s", args[0])
			return output.Answer(env, t, func(w io.Writer, p kit.Paint) error {
				fmt.Fprintf(w, "%s read, %d refused, %d left, which are tried again.\n", print.Plural(int64(t.Read), "lists"), t.Refused, t.Left)
				kit.Table(w, p, t.Reads,
					kit.Col("of", func(r *inquiry.Read) string { return map[bool]string{true: "partner", false: "customer"}[r.Partner] }),
					kit.Col("list", func(r *inquiry.Read) string { return r.Resource }),
					kit.Col("state", func(r *inquiry.Read) string { return string(r.State) }),
					kit.Col("read", func(r *inquiry.Read) string { return moment(r.At, "never") }),
					kit.Col("why", func(r *inquiry.Read) string { return print.Clean(strings.TrimSpace(r.Why+" "+r.Needs), 120) }))
				return nil
			})
		}),
	}
	output.Register(cmd)
	return cmd
}

func newFraudTimeline(env *kit.Env, open kit.Opener) *cobra.Command {
	var from []string
	var svg string
	var phone bool
	var asOf kit.Moment
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "timeline [ALERT]", Short: "Show what happened around an alert, and what speaks for fraud and against it",
		Args: kit.Between(0, 1, problem.New(problem.Usage, "fraud timeline takes one alert").WithHint("partnerguard fraud list shows their ids")),
		Long: `timeline shows in one line of time what the alert is about: what was made in Azure and by
whom, rights, credentials, consents and methods that changed before, sign-ins and risk of
those who did it, what it cost, and what was done about it. Rows that belong together are
one. It says what speaks for fraud, what for a legitimate deployment, and what is not known,
each with the one request that settles it. It decides nothing.

With --from it reads files, and no installation is wanted: exports of alerts, of the
activity log, of the directory's audit log, of sign-ins, risk and usage.`,
		Example: `  partnerguard fraud timeline 7c3e
  partnerguard fraud timeline 7c3e --svg timeline.svg
  partnerguard fraud timeline --from exports/ --output json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			alert := ""
			if len(args) == 1 {
				alert = args[0]
			}
			t, err := timelineOf(cmd.Context(), env, open, from, alert, asOf)
			if err != nil {
				return err
			}
			if svg != "" {
				if err := kit.WriteOut(env, svg, t.Draw(phone).SVG); err != nil {
					return err
				}
			}
			return output.Answer(env, t, func(w io.Writer, p kit.Paint) error { return timelineText(w, p, t) })
		},
	}
	kit.AddFrom(env, cmd, &from)
	f := cmd.Flags()
	f.Var(&asOf, "as-of", "with --from, the moment it is told as of; default now")
	f.StringVar(&svg, "svg", "", "write the timeline as a picture to this file")
	f.BoolVar(&phone, "narrow", false, "draw the picture for a phone")
	_ = cmd.MarkFlagFilename("svg", "svg")
	output.RegisterFile(cmd)
	return cmd
}

func timelineOf(ctx context.Context, env *kit.Env, open kit.Opener, from []string, alert string, asOf kit.Moment) (t *inquiry.Timeline, err error) {
	if len(from) > 0 {
		t, _, err = app.FraudTimeline(ctx, app.TimelineReading{Alert: alert, Reading: app.Reading{From: from, Stdin: env.Stdin, Now: env.Now().UTC(), AsOf: asOf.End()}})
		return t, err
	}
	if alert == "" {
		return nil, problem.New(problem.Usage, "no alert is named").WithHint("partnerguard fraud list shows their ids; --from reads files")
	}
	err = open.With(ctx, func(s *app.Installation) error {
		t, err = s.Inquiry.Timeline(ctx, alert)
		return err
	})
	return t, err
}

// timelineText is a timeline for a terminal: reasons first.
func timelineText(w io.Writer, p kit.Paint, t *inquiry.Timeline) error {
	al := &t.Alert
	fmt.Fprintf(w, "%s, alert %s, customer %s, subscription %s\n", print.Clean(cmp.Or(al.Name, al.Type, "An alert"), 100), print.Clean(al.ID, 100),
		print.Clean(cmp.Or(al.CustomerName, al.Customer, "not said"), 100), print.Clean(cmp.Or(al.Subscription, "not said"), 100))
	fmt.Fprintln(w, print.Sentence(t.Says))
	for _, side := range []struct {
		head string
		list []inquiry.Reason
	}{{"For fraud", t.For}, {"For a legitimate deployment", t.Against}, {"Not known", t.Unknown}} {
		fmt.Fprintf(w, "\n%s\n", p.Bold(side.head))
		if len(side.list) == 0 {
			fmt.Fprintln(w, "  nothing")
		}
		for _, r := range side.list {
			fmt.Fprintf(w, "  - %s%s\n", print.Clean(r.Text, 400), rowsWord(r.Rows))
			if r.Ask != "" {
				fmt.Fprintf(w, "    %s\n", p.Dim("settled by: "+print.Clean(r.Ask, 300)))
			}
		}
	}
	fmt.Fprintln(w)
	rows := slices.Clone(t.Rows)
	more := max(0, len(rows)-maxTimelineRows)
	rows = rows[more:]
	kit.Table(w, p, rows,
		kit.Col("row", func(r *inquiry.Row) string { return r.ID }),
		kit.Col("when (UTC)", func(r *inquiry.Row) string { return moment(r.At, "not said") }),
		kit.Col("from", func(r *inquiry.Row) string { return r.Source.Name() }),
		kit.Col("what", rowWords),
		kit.Col("where", func(r *inquiry.Row) string { return strings.TrimSpace(r.IP + " " + r.Country) }),
		kit.Col("", func(r *inquiry.Row) string {
			return map[inquiry.Weight]string{inquiry.Cause: "begins here", inquiry.Suspect: "looked at"}[r.Weight]
		}))
	if more+t.Dropped > 0 {
		fmt.Fprintln(w, p.Dim(fmt.Sprintf("%d earlier rows are in --output json, and %d acts were too many.", more, t.Dropped)))
	}
	return nil
}

// maxTimelineRows bounds the rows on a terminal, the newest.
const maxTimelineRows = 200

func rowsWord(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return " (" + strings.Join(ids[:min(len(ids), 4)], ", ") + ")"
}

func rowWords(r *inquiry.Row) string {
	s := print.Clean(strings.TrimSpace(r.Who+" "+r.What), 160)
	for _, x := range []string{r.SKU, r.Region} {
		if x != "" {
			s += ", " + print.Clean(x, 60)
		}
	}
	if r.Count > 1 {
		s += fmt.Sprintf(" (%d times)", r.Count)
	}
	if len(r.Why) > 0 {
		s += "; " + print.Clean(strings.Join(r.Why, "; "), 120)
	}
	return s
}

func newFraudReport(env *kit.Env, open kit.Opener) *cobra.Command {
	who := inquiry.ForCustomer
	output := kit.NewOutput("html", "json")
	cmd := &cobra.Command{
		Use: "report ALERT", Short: "Write the report of an alert, for customer, insurer or police", Args: oneAlert("report"),
		Long: `report writes one file: what happened, when it was known, what was done, what it cost and on
which assumption, and the list of evidence with its hashes and places in the archive. It has
nothing of other customers and no note of yours; the customer's names none of your people.
That it was made is an entry of the trail.`,
		Example: "  partnerguard fraud report 7c3e --out report.html\n  partnerguard fraud report 7c3e --for police --output json --out report.json",
		RunE: open.Run(func(ctx context.Context, s *app.Installation, args []string) error {
			if !slices.Contains(inquiry.Audiences(), who) {
				return problem.New(problem.Usage, "no report is made for %.40q", who).WithHint("--for %s", strings.Join(inquiry.Audiences(), ", --for "))
			}
			r, err := s.Inquiry.Report(ctx, args[0], who, s.Actor)
			if err != nil {
				return err
			}
			return output.Write(env, kit.Forms{"html": r.HTML, "json": func(w io.Writer) error { return print.JSON(w, r) }})
		}),
	}
	cmd.Flags().StringVar(&who, "for", who, "whom it is for: "+strings.Join(inquiry.Audiences(), ", "))
	output.RegisterFile(cmd)
	return cmd
}
