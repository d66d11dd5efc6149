package keep

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/alert"
	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/notify"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

func newNotify(env *kit.Env) *cobra.Command {
	var in kit.Installation
	cmd := &cobra.Command{
		Use: "notify", Short: "Alerts that come by themselves: what is open, who was told, silence, test",
		Long: `notify shows the alerts that serve or a worker opened, one a cause, and what was told of
them by which channel. Channels, and the routes that say which alerts go where, are set in
the settings file: partnerguard config --help, and docs/notify.md for each kind.

A snooze keeps an alert silent for a while and has a reason; a worse turn ends it. For
longer there are exceptions, which a second person approves. What was given up after a
day of attempts is sent again by revive. The calendar of deadlines has an address of its
own that is shown once.`,
		Example: `  partnerguard notify list
  partnerguard notify test --to oncall
  partnerguard notify ack a-4t7kq2m5n6p3r8sv
  partnerguard notify snooze a-4t7kq2m5n6p3r8sv --until 2026-12-04 --why 'change is under way'
  partnerguard notify history --channel oncall
  partnerguard notify feed make --name 'on call'`,
		Args: kit.Only("notify", "list, channels, test, history, ack, snooze, wake, revive, secret and feed"),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	open := kit.Opener(func(ctx context.Context) (*app.Installation, error) { return in.Open(ctx, env) })
	cmd.AddCommand(newNotifyList(env, &in), newNotifyChannels(env, &in), newNotifyTest(env, &in, open), newNotifyHistory(env, &in),
		newNotifyAct(env, open, "ack", "Say that you are at it: it is escalated no further", (*alert.Store).Acknowledge),
		newNotifySnooze(env, open), newNotifyAct(env, open, "wake", "End a snooze", (*alert.Store).Wake), newNotifyRevive(env, &in, open),
		newNotifySecret(env, open), newNotifyFeed(env, &in, open))
	in.Register(cmd)
	ids := func(ctx context.Context, i *app.Installation) (out []string, err error) {
		list, err := i.Alerts.List(ctx, alert.Listing{})
		for k := range list {
			out = append(out, list[k].ID+"\t"+print.Clean(list[k].Title, 60))
		}
		return out, err
	}
	words := map[string]kit.Words{}
	for _, verb := range []string{"ack", "snooze", "wake"} {
		words["notify "+verb], words["partnerguard notify "+verb] = ids, ids
	}
	in.Complete(env, cmd, words)
	return cmd
}

// channelNames are the channels of the settings, for completion.
func channelNames(_ context.Context, i *app.Installation) ([]string, error) {
	return i.Notify.Names(), nil
}

func newNotifyList(env *kit.Env, in *kit.Installation) *cobra.Command {
	var everything bool
	output := kit.NewOutput("text", "json", "csv")
	cmd := &cobra.Command{
		Use: "list", Short: "List the alerts that are open, the gravest first", Args: kit.NoWords,
		Example: "  partnerguard notify list\n  partnerguard notify list --all --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			i, err := in.Kept(cmd.Context(), env)
			if err != nil {
				return err
			}
			return kit.Closing(listAlerts(cmd.Context(), env, i, everything, &output), i.Close)
		},
	}
	cmd.Flags().BoolVar(&everything, "all", false, "those that are resolved, too")
	output.RegisterFile(cmd)
	return cmd
}

func listAlerts(ctx context.Context, env *kit.Env, i *app.Installation, everything bool, output *kit.Output) error {
	list, err := i.Alerts.List(ctx, alert.Listing{All: everything})
	if err != nil {
		return err
	}
	now := i.Now()
	return output.Write(env, kit.Forms{
		"text": func(w io.Writer) error {
			if len(list) == 0 {
				_, err := fmt.Fprintln(w, "no alerts are open; serve and workers look every minute")
				return err
			}
			kit.Table(w, output.Paint(env), list,
				kit.Col("alert", func(a *alert.Alert) string { return a.ID }),
				kit.Col("severity", func(a *alert.Alert) string { return string(a.Severity) }),
				kit.Col("what", func(a *alert.Alert) string { return print.Clean(a.Title, 120) }),
				kit.Col("affected", func(a *alert.Alert) string { return a.Affected() }),
				kit.Col("since", func(a *alert.Alert) string { return print.When(a.Opened) }),
				kit.Col("due", func(a *alert.Alert) string { return dueWord(a, now) }),
				kit.Col("state", func(a *alert.Alert) string { return alertState(a, now) }))
			if n := slices.IndexFunc(list, func(a alert.Alert) bool { return a.Open() && a.Command != "" }); n >= 0 {
				fmt.Fprintf(w, "next: %s\n", print.Clean(list[n].Command, 200))
			}
			return nil
		},
		"json": func(w io.Writer) error {
			return print.JSON(w, struct {
				Schema string        `json:"schema"`
				Alerts []alert.Alert `json:"alerts"`
			}{"partnerguard.alerts/1", list})
		},
		"csv": func(w io.Writer) error {
			out := print.NewSheet(w, "id", "kind", "severity", "state", "tenant", "title", "cause", "count", "of", "unit", "since", "due", "opened", "changed",
				"resolved", "told", "acknowledged_by", "snoozed_until", "snoozed_because", "exception", "fix", "command")
			for k := range list {
				a := &list[k]
				out.Row(a.ID, string(a.Kind), string(a.Severity), a.State, a.Tenant, a.Title, a.Cause, fmt.Sprint(a.Count), fmt.Sprint(a.Of), a.Unit,
					stamp(a.Since), stamp(a.Due), stamp(a.Opened), stamp(a.Changed), stamp(a.Resolved), stamp(a.Told), a.AckedBy, stamp(a.Until), a.Why,
					a.Excepted, a.Fix, a.Command)
			}
			return out.Close()
		},
	})
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func dueWord(a *alert.Alert, now time.Time) string {
	if a.Due.IsZero() || !a.Open() {
		return ""
	}
	if a.Due.Before(now) {
		return "over since " + print.When(a.Due)
	}
	return kit.Until(a.Due, now)
}

func alertState(a *alert.Alert, now time.Time) string {
	switch {
	case !a.Open():
		return "resolved " + print.When(a.Resolved)
	case a.Refused != "":
		return "open; what was done about it does not count"
	case a.Silent(now) != "":
		return a.Silent(now)
	case !a.Acked.IsZero():
		return "acknowledged by " + a.AckedBy
	case a.Told.IsZero():
		return "open, nobody told yet"
	}
	return "open"
}

func newNotifyChannels(env *kit.Env, in *kit.Installation) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "channels", Short: "Show how each channel stands, with its last attempt", Args: kit.NoWords, Example: "  partnerguard notify channels",
		RunE: func(cmd *cobra.Command, _ []string) error {
			i, err := in.Kept(cmd.Context(), env)
			if err != nil {
				return err
			}
			return kit.Closing(func() error {
				list, err := i.Notify.Channels(cmd.Context())
				if err != nil {
					return err
				}
				return output.Answer(env, struct {
					Schema   string                 `json:"schema"`
					Channels []notify.ChannelStatus `json:"channels"`
				}{"partnerguard.channels/1", list}, func(w io.Writer, p kit.Paint) error {
					if len(list) == 0 {
						_, err := fmt.Fprintln(w, "no channels are set: nobody is told. docs/notify.md has an example of each kind for the settings file")
						return err
					}
					kit.Table(w, p, list,
						kit.Col("channel", func(c *notify.ChannelStatus) string { return c.Name }),
						kit.Col("kind", func(c *notify.ChannelStatus) string { return c.Kind }),
						kit.Col("where", func(c *notify.ChannelStatus) string { return c.Where }),
						kit.Col("waiting", func(c *notify.ChannelStatus) string { return fmt.Sprint(c.Waiting) }),
						kit.Col("given up", func(c *notify.ChannelStatus) string { return fmt.Sprint(c.Dead) }),
						kit.Col("last", func(c *notify.ChannelStatus) string { return cmp.Or(c.Broken, attemptWord(c.Last)) }))
					if err := i.Alerts.Wrong(); err != nil {
						fmt.Fprintf(w, "%s\n", p.Bold(err.Error()))
					}
					return nil
				})
			}(), i.Close)
		},
	}
	output.Register(cmd)
	return cmd
}

func attemptWord(a *notify.Attempt) string {
	if a == nil {
		return "never used"
	}
	s := map[string]string{"sent": "taken", "failed": "failed", "begun": "began, and nobody knows how it ended"}[a.Outcome]
	if a.Status != "" {
		s += " (" + a.Status + ")"
	}
	if a.Words != "" {
		s += ": " + a.Words
	}
	return print.When(a.Began) + " " + s
}

func newNotifyTest(env *kit.Env, in *kit.Installation, open kit.Opener) *cobra.Command {
	var to []string
	var kind, severity string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "test", Short: "Send a marked test over the channels, and tell what each answered", Args: kit.NoWords,
		Long: `test sends one message that is marked as a test in every form, now and once, and tells of
each channel what was answered and what to mend. It opens no alert and escalates nothing.
--kind sends it to the channels that alerts of a kind go to, by the routes.`,
		Example: "  partnerguard notify test\n  partnerguard notify test --to oncall --to siem\n" +
			"  partnerguard notify test --kind fraud --severity urgent --output json",
		RunE: open.Run(func(ctx context.Context, i *app.Installation, _ []string) error {
			sev := notify.Severity(severity)
			if sev.Rank() == len(notify.Severities()) {
				return problem.New(problem.Usage, "--severity %.40q is none", severity).WithHint("urgent, warning or notice")
			}
			names := to
			switch {
			case len(to) > 0 && kind != "":
				return problem.New(problem.Usage, "--to and --kind both say where it goes").WithHint("give one of them")
			case kind != "":
				if !slices.Contains(alert.Kinds(), alert.Kind(kind)) {
					return problem.New(problem.Usage, "--kind %.40q is no kind of alerts", kind).WithHint("one of %s", join(alert.Kinds()))
				}
				names = i.Alerts.Routed(alert.Kind(kind), sev)
			case len(to) == 0:
				names = i.Notify.Names()
			}
			if len(names) == 0 {
				return problem.New(problem.NotFound, "there is no channel to test").WithHint("docs/notify.md has an example of each kind for the settings file")
			}
			return testChannels(ctx, env, i, names, sev, &output)
		}),
	}
	f := cmd.Flags()
	f.StringArrayVar(&to, "to", nil, "a channel, by its name; may be repeated; none is all")
	f.StringVar(&kind, "kind", "", "the channels that alerts of this kind go to: "+join(alert.Kinds()))
	f.StringVar(&severity, "severity", string(notify.Notice), "as how grave it is sent: urgent, warning, notice")
	output.Register(cmd)
	in.CompleteFlag(env, cmd, "to", channelNames)
	return cmd
}

func join[T ~string](list []T) string {
	var out []string
	for _, s := range list {
		out = append(out, string(s))
	}
	return strings.Join(out, ", ")
}

func testChannels(ctx context.Context, env *kit.Env, i *app.Installation, names []string, sev notify.Severity, output *kit.Output) error {
	var list []notify.Tested
	failed := 0
	for _, name := range names {
		t, err := i.Notify.Test(ctx, name, sev)
		if err != nil {
			return err
		}
		if !t.OK {
			failed++
		}
		list = append(list, t)
	}
	err := output.Answer(env, struct {
		Schema   string          `json:"schema"`
		Channels []notify.Tested `json:"channels"`
	}{"partnerguard.notify-test/1", list}, func(w io.Writer, p kit.Paint) error {
		for k := range list {
			t := &list[k]
			word := "took it"
			if !t.OK {
				word = "did not take it"
			}
			fmt.Fprintf(w, "%s %s", p.Bold(t.Channel), word)
			if t.Attempt.Status != "" {
				fmt.Fprintf(w, " (%s)", t.Attempt.Status)
			}
			fmt.Fprintf(w, ", %s to %s, after %s\n", t.Kind, print.Clean(cmp.Or(t.Where, "nowhere"), 200), t.Attempt.Took.Round(time.Millisecond))
			if t.Attempt.Words != "" {
				para(w, kit.Width(env), "  ", print.Clean(t.Attempt.Words, 400))
			}
			if t.Attempt.Fix != "" {
				para(w, kit.Width(env), "  fix: ", print.Clean(t.Attempt.Fix, 400))
			}
			if t.OK && t.Kind == "syslog" {
				fmt.Fprintln(w, "  a syslog server does not answer: look there whether "+t.Message+" came")
			}
		}
		return nil
	})
	if err == nil && failed > 0 {
		err = problem.New(problem.Unavailable, "%d of %d channels did not take the test", failed, len(list))
	}
	return err
}

func newNotifyHistory(env *kit.Env, in *kit.Installation) *cobra.Command {
	var q notify.HistoryOf
	var since kit.Moment
	output := kit.NewOutput("text", "json", "csv")
	cmd := &cobra.Command{
		Use: "history", Short: "Show what was told, by which channel, and every attempt", Args: kit.NoWords,
		Example: "  partnerguard notify history --channel oncall\n  partnerguard notify history --state dead --output csv",
		RunE: func(cmd *cobra.Command, _ []string) error {
			i, err := in.Kept(cmd.Context(), env)
			if err != nil {
				return err
			}
			q.Since = since.At
			if !slices.Contains([]string{"", "waiting", "sent", "dead"}, q.State) {
				return kit.Closing(problem.New(problem.Usage, "--state %.40q is none", q.State).WithHint("waiting, sent or dead"), i.Close)
			}
			return kit.Closing(historyOf(cmd.Context(), env, i, q, &output), i.Close)
		},
	}
	f := cmd.Flags()
	f.StringVar(&q.Channel, "channel", "", "what went to one channel")
	f.StringVar(&q.Alert, "alert", "", "what was told of one alert")
	f.StringVar(&q.State, "state", "", "waiting, sent or dead")
	f.Var(&since, "since", "from this day or time on")
	f.IntVar(&q.Limit, "limit", 50, "at most so many messages, up to 5000")
	output.RegisterFile(cmd)
	in.CompleteFlag(env, cmd, "channel", channelNames)
	return cmd
}

func historyOf(ctx context.Context, env *kit.Env, i *app.Installation, q notify.HistoryOf, output *kit.Output) error {
	list, err := i.Notify.History(ctx, q)
	if err != nil {
		return err
	}
	return output.Write(env, kit.Forms{
		"text": func(w io.Writer) error {
			if len(list) == 0 {
				_, err := fmt.Fprintln(w, "nothing was told")
				return err
			}
			kit.Table(w, output.Paint(env), list,
				kit.Col("at", func(d *notify.Delivery) string { return print.When(d.At) }),
				kit.Col("message", func(d *notify.Delivery) string { return d.Message }),
				kit.Col("channel", func(d *notify.Delivery) string { return d.Channel }),
				kit.Col("state", func(d *notify.Delivery) string { return d.State }),
				kit.Col("tries", func(d *notify.Delivery) string { return fmt.Sprint(len(d.Attempts)) }),
				kit.Col("last attempt", func(d *notify.Delivery) string {
					if n := len(d.Attempts); n > 0 {
						return attemptWord(&d.Attempts[n-1])
					}
					return ""
				}),
				kit.Col("title", func(d *notify.Delivery) string { return print.Clean(d.Title, 100) }))
			return nil
		},
		"json": func(w io.Writer) error {
			return print.JSON(w, struct {
				Schema     string            `json:"schema"`
				Deliveries []notify.Delivery `json:"deliveries"`
			}{"partnerguard.notify-history/1", list})
		},
		"csv": func(w io.Writer) error {
			out := print.NewSheet(w, "message", "at", "alert", "test", "title", "channel", "state", "attempt", "began", "took_ms", "outcome", "status",
				"words", "fix")
			for k := range list {
				d := &list[k]
				if len(d.Attempts) == 0 {
					out.Row(d.Message, stamp(d.At), d.Alert, fmt.Sprint(d.Test), d.Title, d.Channel, d.State, "", "", "", "", "", "", "")
				}
				for _, a := range d.Attempts {
					out.Row(d.Message, stamp(d.At), d.Alert, fmt.Sprint(d.Test), d.Title, d.Channel, d.State, fmt.Sprint(a.N), stamp(a.Began),
						fmt.Sprint(a.Took.Milliseconds()), a.Outcome, a.Status, a.Words, a.Fix)
				}
			}
			return out.Close()
		},
	})
}
