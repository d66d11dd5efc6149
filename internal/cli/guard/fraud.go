package guard

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/fraud"
	"partnerguard/internal/fraud/desk"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// newFraud makes the commands about Azure fraud.
func newFraud(env *kit.Env) *cobra.Command {
	return kit.Installed(env, func(open func(context.Context) (*app.Installation, error)) *cobra.Command {
		cmd := &cobra.Command{
			Use: "fraud", Short: "Alerts of Azure fraud: see them, stop them, answer them",
			Args: kit.Only("fraud", "list, show, watch, assign, note, resolve, webhook, contain, inquire, timeline, report"),
			Long: `Microsoft warns of abused Azure subscriptions and wants an answer: a reaction within an
hour, and 24 hours on average over 30 days. fraud reads the alerts, from Graph or, where
that refuses, from Partner Center; keeps who has each and what was found out; helps to
find out and to stop it; and sends the answer. Answering stops nothing: what mines goes
on until its resources are stopped.`,
			Example: `  partnerguard fraud list
  partnerguard fraud contain fa-abcdef --plan > plan.yaml
  partnerguard fraud resolve fa-abcdef --reason fraud`,
			RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		}
		for _, act := range []func(*kit.Env, kit.Opener) *cobra.Command{newFraudList, newFraudShow, newFraudWatch, newFraudAssign, newFraudNote,
			newFraudResolve, newFraudWebhook, newFraudContain} {
			cmd.AddCommand(act(env, open))
		}
		cmd.AddCommand(newFraudInquiries(env, open)...)
		return cmd
	})
}

// fraudSaid is what list and watch say.
type fraudSaid struct {
	At       time.Time      `json:"at"`
	Alerts   []desk.Case    `json:"alerts"`
	Average  desk.Average   `json:"average"`
	Readings []desk.Reading `json:"readings"`
	Lost     int            `json:"lost,omitempty"` // of files: what could not be read
	files    bool           // it is of files, not of what is kept
}

func newFraudList(env *kit.Env, open kit.Opener) *cobra.Command {
	var all, openOnly, read bool
	var customer string
	var from []string
	output := kit.NewOutput("text", "json")
	cmd := withOutput(&output, &cobra.Command{
		Use: "list", Short: "List the alerts, those that wait longest first, with the average of 30 days", Args: kit.NoWords,
		Long: `list shows the alerts that nobody resolved, with the clock of each: an hour to react, 24
hours to answer. Under them stands the average of 30 days, as Microsoft's requirement has
it: from when an alert was detected until it was resolved, and those that are open run on,
however old. And until when which alerts have to be answered to stay under 24 hours.

Times are UTC. With --from it reads exports of securityAlerts or fraudEvents, and keeps
nothing.`,
		Example: `  partnerguard fraud list
  partnerguard fraud list --all --customer 0a1b2c3d-0000-4000-8000-000000000001 --output json
  partnerguard fraud list --from exports/`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if all && openOnly {
				return problem.New(problem.Usage, "--open and --all are one or the other")
			}
			if customer != "" && uuid.Validate(customer) != nil {
				return problem.New(problem.Usage, "--customer is %.60q, which is no tenant id", customer).
					WithHint("partnerguard customers list shows the tenant id of each")
			}
			f := desk.Filter{Open: !all, Customer: customer}
			if len(from) > 0 {
				said, err := fraudOfFiles(cmd.Context(), from, env.Now(), f)
				if err != nil {
					return err
				}
				return output.Answer(env, said, func(w io.Writer, p kit.Paint) error { return tellFraud(w, p, &said) })
			}
			return open.With(cmd.Context(), func(s *app.Installation) error {
				if read {
					if _, err := s.Fraud.Pull(cmd.Context()); err != nil {
						return err
					}
				}
				said, err := fraudNow(cmd.Context(), s, f)
				if err != nil {
					return err
				}
				return output.Answer(env, said, func(w io.Writer, p kit.Paint) error { return tellFraud(w, p, &said) })
			})
		},
	})
	fl := cmd.Flags()
	fl.BoolVar(&openOnly, "open", false, "those that nobody resolved (default)")
	fl.BoolVar(&all, "all", false, "resolved ones too")
	fl.BoolVar(&read, "read", false, "read them of Microsoft first")
	fl.StringVar(&customer, "customer", "", "of this customer alone, by tenant id")
	fl.StringSliceVar(&from, "from", nil, "of these files or folders, instead of what is kept; may be repeated")
	return cmd
}

// fraudNow is what is kept.
func fraudNow(ctx context.Context, s *app.Installation, f desk.Filter) (said fraudSaid, err error) {
	said = fraudSaid{At: s.Now().UTC()}
	if said.Alerts, err = s.Fraud.List(ctx, f); err != nil {
		return said, err
	}
	if said.Average, err = s.Fraud.Average(ctx); err != nil {
		return said, err
	}
	said.Readings, err = s.Fraud.Readings(ctx)
	return said, err
}

// fraudOfFiles is what files hold, at the moment of now.
func fraudOfFiles(ctx context.Context, from []string, now time.Time, f desk.Filter) (said fraudSaid, err error) {
	list, lost, err := app.FraudAlerts(ctx, from)
	if err != nil {
		return said, err
	}
	said = fraudSaid{At: now.UTC(), Alerts: []desk.Case{}, Readings: []desk.Reading{}, Lost: lost, files: true}
	cases := desk.CasesOf(list, now)
	said.Average = desk.AverageOf(cases, now)
	for i := range cases {
		if c := &cases[i]; (!f.Open || c.Open()) && (f.Customer == "" || strings.EqualFold(f.Customer, c.Customer)) {
			said.Alerts = append(said.Alerts, *c)
		}
	}
	return said, nil
}

// unread is whether nothing can be said: no files, and no reading of Microsoft came to its end.
func (s *fraudSaid) unread() bool {
	if s.files {
		return false
	}
	return !slices.ContainsFunc(s.Readings, func(r desk.Reading) bool { return !r.Good.IsZero() })
}

const fraudTime = "2006-01-02 15:04"

// tellFraud is a list with its clocks, for people.
func tellFraud(w io.Writer, p kit.Paint, said *fraudSaid) error {
	switch {
	case len(said.Alerts) == 0 && said.unread():
		fmt.Fprintln(w, "Not known whether an alert waits: none were read yet. partnerguard fraud list --read reads them.")
	case len(said.Alerts) == 0:
		fmt.Fprintln(w, "No alert waits for an answer.")
	default:
		kit.Table(w, p, said.Alerts,
			kit.Col("id", func(c *desk.Case) string { return c.ID }),
			kit.Col("left", func(c *desk.Case) string { return leftWord(c, said.At) }),
			kit.Col("alert", func(c *desk.Case) string { return print.Clean(cmp.Or(c.Name, c.Words(), c.Type), 60) }),
			kit.Col("customer", func(c *desk.Case) string { return print.Clean(cmp.Or(c.CustomerName, c.Customer), 40) }),
			kit.Col("status", statusWord),
			kit.Col("who", func(c *desk.Case) string { return print.Clean(cmp.Or(c.Assignee, "nobody"), 40) }),
			kit.Col("detected", func(c *desk.Case) string { return fraudWhen(c.Detected) }))
	}
	if said.Lost > 0 {
		fmt.Fprintf(w, "%s could not be read.\n", kit.Plural(said.Lost, "alert", "alerts"))
	}
	fmt.Fprintln(w)
	tellAverage(w, said)
	if len(said.Readings) > 0 {
		r := &said.Readings[0]
		switch {
		case r.Good.IsZero():
			fmt.Fprintf(w, "Microsoft was never read: %s.\n", print.Clean(r.Why, 300))
		case r.Why != "":
			fmt.Fprintf(w, "Read last at %s UTC; since then not: %s.\n", fraudWhen(r.Good), print.Clean(r.Why, 300))
		default:
			fmt.Fprintf(w, "Read last at %s UTC.\n", fraudWhen(r.Good))
		}
	}
	return nil
}

func fraudWhen(t time.Time) string {
	if t.IsZero() {
		return "not known"
	}
	return t.UTC().Format(fraudTime)
}

// leftWord is how long a case may wait, in a word.
func leftWord(c *desk.Case, now time.Time) string {
	switch {
	case !c.Open() && c.Clock.Waited > 0:
		return "after " + short(c.Clock.Waited)
	case !c.Open():
		return "answered"
	case c.Test:
		return "a test"
	case c.Clock.Due.IsZero():
		return "not known"
	case c.Clock.Left < 0:
		return "OVER by " + short(-c.Clock.Left)
	case c.Stage(now) == desk.Late:
		return short(c.Clock.Left) + ", hour missed"
	}
	return short(c.Clock.Left)
}

// short is a duration as a clock shows it.
func short(d time.Duration) string {
	if d >= 100*time.Hour {
		return fmt.Sprintf("%d days", int(d/(24*time.Hour)))
	}
	return fmt.Sprintf("%d:%02d h", int(d/time.Hour), int(d/time.Minute)%60)
}

func statusWord(c *desk.Case) string {
	s := print.Clean(cmp.Or(string(c.Status), "not shown"), 30)
	if c.Reason != "" {
		s += ", " + print.Clean(string(c.Reason), 30)
	}
	if c.Answer != nil && c.Open() {
		s += ", answer " + string(c.Answer.State)
	}
	if !c.Gone.IsZero() {
		s += ", not listed any more"
	}
	if c.Refused != "" {
		s += ", ITS ROW IS NOT AS IT WAS WRITTEN"
	}
	return s
}

// tellAverage says how the average stands, and what has to be done by when.
func tellAverage(w io.Writer, said *fraudSaid) {
	f := &said.Average.Resolved
	if f.Count == 0 {
		fmt.Fprintln(w, "No alert is in the average of 30 days.")
	} else {
		fmt.Fprintf(w, "The average of 30 days is %s, of %s; at most 24 hours are wanted.\n", short(f.Mean), kit.Plural(f.Count, "alert", "alerts"))
	}
	if r := &said.Average.Reacted; r.Count > 0 && r.Mean != f.Mean {
		fmt.Fprintf(w, "Until the first reaction it is %s: Microsoft does not publish which of the two it counts.\n", short(r.Mean))
	}
	if f.Blind > 0 {
		fmt.Fprintf(w, "%s not in it: when they were detected or resolved is not shown.\n", kit.Plural(f.Blind, "alert is", "alerts are"))
	}
	switch names := listed(f.Answer); {
	case f.Over && f.Open > 0 && f.Stays:
		fmt.Fprintf(w, "It is over. Answering %s now brings it under 24 hours.\n", names)
	case f.Over && f.Open > 0:
		fmt.Fprintf(w, "It is over. With %s answered now it is under 24 hours again at %s UTC.\n", names, fraudWhen(f.Back))
	case f.Over:
		fmt.Fprintf(w, "It is over, and nothing waits: it is under 24 hours again at %s UTC.\n", fraudWhen(f.Back))
	case !f.Until.IsZero() && len(f.Answer) > 0:
		fmt.Fprintf(w, "Answer %s before %s UTC to stay under 24 hours.\n", names, fraudWhen(f.Until))
	}
}

// listed names some ids, and how many more there are.
func listed(ids []string) string {
	const most = 5
	if len(ids) > most {
		return strings.Join(ids[:most], ", ") + fmt.Sprintf(" and %d more", len(ids)-most)
	}
	if n := len(ids); n > 1 {
		return strings.Join(ids[:n-1], ", ") + " and " + ids[n-1]
	}
	return strings.Join(ids, "")
}

func newFraudWatch(env *kit.Env, open kit.Opener) *cobra.Command {
	var once bool
	every := 10 * time.Second
	output := kit.NewLines("text")
	cmd := withOutput(&output, &cobra.Command{
		Use: "watch", Short: "Watch the alerts and their clocks, until interrupted", Args: kit.NoWords,
		Long: `watch shows the alerts that wait, again and again, and reads them of Microsoft when
nobody else did for the time of the setting fraudEvery. On a terminal the list stays in
its place; with --output jsonl each look is a line. --once looks once.`,
		Example: "  partnerguard fraud watch\n  partnerguard fraud watch --once --output jsonl",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if every < time.Second || every > time.Hour {
				return problem.New(problem.Usage, "--every is %s", every).WithHint("between 1s and 1h")
			}
			return open.With(cmd.Context(), func(s *app.Installation) error { return watchFraud(cmd.Context(), env, s, &output, every, once) })
		},
	})
	cmd.Flags().BoolVar(&once, "once", false, "look once")
	cmd.Flags().DurationVar(&every, "every", every, "how often to look")
	return cmd
}

func watchFraud(ctx context.Context, env *kit.Env, s *app.Installation, output *kit.Output, every time.Duration, once bool) error {
	_, terminal := kit.Terminal(env.Stdout)
	for {
		said, err := fraudNow(ctx, s, desk.Filter{Open: true})
		if err != nil {
			return err
		}
		if r := said.Readings; len(r) == 0 || s.Now().Sub(r[0].Tried) >= s.Config.Fraud.Every {
			if _, err := s.Fraud.Pull(ctx); err != nil && ctx.Err() == nil && len(r) == 0 && once {
				return err // nothing was ever read
			}
			if said, err = fraudNow(ctx, s, desk.Filter{Open: true}); err != nil {
				return err
			}
		}
		err = output.Write(env, kit.Forms{
			"text": func(w io.Writer) error {
				if terminal && !once {
					fmt.Fprint(w, "\x1b[H\x1b[2J")
				}
				fmt.Fprintf(w, "%s UTC\n", said.At.Format("2006-01-02 15:04:05"))
				return tellFraud(w, output.Paint(env), &said)
			},
			"jsonl": func(w io.Writer) error { return jsonLine(w, said) },
		})
		if err != nil || once {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(every):
		}
	}
}

func newFraudResolve(env *kit.Env, open kit.Opener) *cobra.Command {
	var reason string
	output := kit.NewOutput("text", "json")
	cmd := withOutput(&output, &cobra.Command{
		Use: "resolve ALERT", Short: "Answer one alert to Microsoft: legitimate, fraud or ignore",
		Long: `resolve records the answer to exactly one alert at Microsoft, once. It stops nothing: what
runs goes on, and costs. Answer fraud when the resources are stopped and the way in is
closed; legitimate when the customer confirmed it; ignore what is stale.

When Microsoft does not answer, the answer waits and is sent as soon as it does, by serve
or a worker. An alert that somebody else resolved meanwhile is told, and not overwritten.`,
		Example: "  partnerguard fraud resolve fa-abcdef --reason fraud",
		Args:    oneAlert("resolve"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(fraud.Reasons(), fraud.Reason(reason)) {
				said := problem.New(problem.Usage, "--reason is %.40q", reason)
				if reason == "" {
					said = problem.New(problem.Usage, "resolve needs --reason: what the answer is")
				}
				return said.WithHint("legitimate, fraud or ignore")
			}
			return open.With(cmd.Context(), func(s *app.Installation) error {
				c, err := s.FraudAnswer(cmd.Context(), args[0], func(ctx context.Context, id string) error {
					return s.Fraud.Answer(ctx, id, fraud.Reason(reason), s.Actor)
				})
				if err != nil {
					return err
				}
				return output.Answer(env, c, func(w io.Writer, _ kit.Paint) error { return tellAnswer(w, c) })
			})
		},
	})
	cmd.Flags().StringVar(&reason, "reason", "", "legitimate, fraud or ignore (required)")
	return cmd
}

func oneAlert(verb string) cobra.PositionalArgs {
	return kit.Between(1, 1, problem.New(problem.Usage, "%s takes one alert's id", verb).
		WithHint("partnerguard fraud list shows them; a beginning of it will do"))
}

func tellAnswer(w io.Writer, c *desk.Case) error {
	a := c.Answer
	why := ""
	if a.Why != "" {
		why = ": " + print.Clean(a.Why, 300)
	}
	switch a.State {
	case desk.Sent:
		fmt.Fprintf(w, "%s is answered: %s%s.\n", c.ID, a.Reason, why)
	case desk.Other, desk.Failed:
		return problem.New(problem.Unmet, "%s was not answered as %s%s", c.ID, a.Reason, why).WithHint("partnerguard fraud show %s", c.ID)
	default:
		fmt.Fprintf(w, "%s: the answer %s is queued, and sent when Microsoft answers%s.\n", c.ID, a.Reason, why)
	}
	fmt.Fprintln(w, "This stops nothing: resources that run go on, and cost.")
	return nil
}
