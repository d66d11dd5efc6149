package keep

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/alert"
	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/notify"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// oneOf takes one argument.
func oneOf(command, what, hint string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return problem.New(problem.Usage, "%s takes one %s", command, what).WithHint("%s", hint)
		}
		return nil
	}
}

const listsAlerts = "partnerguard notify list shows them"

func newNotifyAct(env *kit.Env, open kit.Opener, verb, short string,
	act func(*alert.Store, context.Context, string, string) (alert.Alert, error)) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: verb + " ID", Short: short, Example: "  partnerguard notify " + verb + " a-4t7kq2m5n6p3r8sv", Args: oneOf("notify "+verb, "id", listsAlerts),
		RunE: open.Run(func(ctx context.Context, i *app.Installation, args []string) error {
			a, err := act(i.Alerts, ctx, args[0], i.Actor)
			if err != nil {
				return err
			}
			return answerAlert(env, i, &a, &output)
		}),
	}
	output.Register(cmd)
	return cmd
}

func answerAlert(env *kit.Env, i *app.Installation, a *alert.Alert, output *kit.Output) error {
	return output.Answer(env, a, func(w io.Writer, p kit.Paint) error {
		fmt.Fprintf(w, "%s %s\n", p.Bold(a.ID), alertState(a, i.Now()))
		para(w, kit.Width(env), "  ", print.Clean(a.Title, 300))
		return nil
	})
}

func newNotifySnooze(env *kit.Env, open kit.Opener) *cobra.Command {
	var until kit.Moment
	var lasts time.Duration
	var why string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "snooze ID", Short: "Keep an alert silent for a while, with a reason; a worse turn ends it",
		Example: "  partnerguard notify snooze a-4t7kq2m5n6p3r8sv --for 4h --why 'change is under way'\n" +
			"  partnerguard notify snooze a-4t7kq2m5n6p3r8sv --until 2026-12-04 --why 'mended on Friday'",
		Args: oneOf("notify snooze", "id", listsAlerts),
		RunE: open.Run(func(ctx context.Context, i *app.Installation, args []string) error {
			at := until.End()
			switch {
			case (lasts != 0) == !at.IsZero():
				return problem.New(problem.Usage, "until when is missing, or said twice").WithHint("--for 4h, or --until 2026-12-04; at most 30 days")
			case lasts != 0:
				at = i.Now().Add(lasts)
			}
			a, err := i.Alerts.Snooze(ctx, args[0], at, why, i.Actor)
			if err != nil {
				return err
			}
			return answerAlert(env, i, &a, &output)
		}),
	}
	f := cmd.Flags()
	f.Var(&until, "until", "the last day, or the time, at most 30 days ahead")
	f.DurationVar(&lasts, "for", 0, "how long, such as 4h")
	f.StringVar(&why, "why", "", "why it is silent (required)")
	output.Register(cmd)
	return cmd
}

func newNotifyRevive(env *kit.Env, in *kit.Installation, open kit.Opener) *cobra.Command {
	var channel string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "revive [MESSAGE]", Short: "Send again what was given up: one message, those of a channel, or all",
		Example: "  partnerguard notify revive --channel oncall\n  partnerguard notify revive m-4t7kq2m5n6p3r8sv",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return problem.New(problem.Usage, "notify revive takes one message, or none").WithHint("partnerguard notify history --state dead shows them")
			}
			return nil
		},
		RunE: open.Run(func(ctx context.Context, i *app.Installation, args []string) error {
			message := ""
			if len(args) == 1 {
				message = args[0]
			}
			n, err := i.Notify.Revive(ctx, message, channel, i.Actor)
			if err != nil {
				return err
			}
			return output.Answer(env, struct {
				Schema  string `json:"schema"`
				Revived int    `json:"revived"`
			}{"partnerguard.notify-revived/1", n}, func(w io.Writer, _ kit.Paint) error {
				_, err := fmt.Fprintf(w, "%s sent again within a minute, by serve or a worker\n", map[bool]string{true: "1 message is", false: fmt.Sprint(n) +
					" messages are"}[n == 1])
				return err
			})
		}),
	}
	cmd.Flags().StringVar(&channel, "channel", "", "those of one channel")
	output.Register(cmd)
	in.CompleteFlag(env, cmd, "channel", channelNames)
	return cmd
}

func newNotifySecret(env *kit.Env, open kit.Opener) *cobra.Command {
	var fresh bool
	var out string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "secret NAME", Short: "Seal a channel's secret in the vault, from standard input, or make one for a webhook",
		Long: `secret reads one line from standard input and seals it in the vault, where settings name it
as vault:NAME. --new makes a secret that signs webhooks instead, and writes it to a file
of your own that must not exist, for the receiver. To change one without a gap: seal the
new one under another name, set secret to it and previous to the old one, and take
previous away when the receiver knows the new one.`,
		Example: "  partnerguard notify secret smtp < password.txt\n  partnerguard notify secret soc-2 --new --out for-the-receiver.txt",
		Args:    oneOf("notify secret", "name", "lower case letters, digits and dashes"),
		RunE: open.Run(func(ctx context.Context, i *app.Installation, args []string) error {
			if err := notify.CheckSecret("vault:" + args[0]); err != nil {
				return problem.New(problem.Usage, "%.40q is no name of a secret", args[0]).WithHint("lower case letters, digits and dashes, at most 40")
			}
			if fresh != (out != "") {
				return problem.New(problem.Usage, "--new and --out go together: the receiver needs the secret too")
			}
			var key secret.Text
			var err error
			if fresh {
				key = notify.NewKey()
				if err = writeOwn(out, key); err != nil {
					return err
				}
			} else if key, err = kit.ReadSecret(env, "-"); err != nil {
				return err
			}
			if err := i.SealSecret(ctx, args[0], key); err != nil {
				return err
			}
			return output.Answer(env, struct {
				Schema string `json:"schema"`
				Sealed string `json:"sealed"`
			}{"partnerguard.notify-secret/1", "vault:" + args[0]}, func(w io.Writer, p kit.Paint) error {
				fmt.Fprintf(w, "sealed; in the settings it is %s\n", p.Bold("secret: vault:"+args[0]))
				if fresh {
					fmt.Fprintf(w, "the receiver's copy is in %s: hand it over, and take it away\n", out)
				}
				return nil
			})
		}),
	}
	cmd.Flags().BoolVar(&fresh, "new", false, "make one that signs webhooks, instead of reading it")
	cmd.Flags().StringVar(&out, "out", "", "with --new: the file for the receiver's copy, which must not exist")
	output.Register(cmd)
	return cmd
}

// writeOwn writes a secret into a new file that is its owner's alone.
func writeOwn(path string, s secret.Text) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return problem.Wrap(err, problem.BadInput, "the file %s cannot be made", path).WithHint("it must not exist, and its folder must be yours")
	}
	_, err = fmt.Fprintln(f, s.Reveal())
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return problem.Wrap(err, problem.BadInput, "the file %s cannot be written", path)
	}
	return nil
}

func newNotifyFeed(env *kit.Env, in *kit.Installation, open kit.Opener) *cobra.Command {
	cmd := &cobra.Command{
		Use: "feed", Short: "Calendars of deadlines (.ics): make one, list them, revoke one",
		Long: `feed makes an address that calendar programs read: exceptions and attestations that end,
GDAP, connections that die, certificates, Microsoft's 24 hours, its dated changes that hit here.
Whoever has the address reads it, so it is one person's, shown once and kept as a hash.`,
		Example: "  partnerguard notify feed make --name 'on call'\n  partnerguard notify feed list\n  partnerguard notify feed revoke f-4t7kq2m5n6p3r8sv",
		Args:    kit.Only("notify feed", "make, list and revoke"), RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var name string
	var tenants []string
	made := kit.NewOutput("text", "json")
	mk := &cobra.Command{
		Use: "make", Short: "Make a calendar and show its address, once", Args: kit.NoWords, Example: "  partnerguard notify feed make --name 'on call'",
		RunE: open.Run(func(ctx context.Context, i *app.Installation, _ []string) error {
			f, key, err := i.Alerts.MakeFeed(ctx, i.Actor, name, tenants, i.Actor)
			if err != nil {
				return err
			}
			base := i.Config.Web.PublicURL
			if base == "" {
				base = "http://" + i.Config.Web.Listen
			}
			return made.Answer(env, struct {
				alert.Feed
				Address string `json:"address"`
			}{f, alert.Address(base, key)}, func(w io.Writer, p kit.Paint) error {
				fmt.Fprintf(w, "%s\n%s\n", p.Bold(f.ID), alert.Address(base, key))
				_, err := fmt.Fprintln(w, "whoever has this address reads the calendar; it is not shown again")
				return err
			})
		}),
	}
	mk.Flags().StringVar(&name, "name", "", "what it is called in calendar programs")
	mk.Flags().StringArrayVar(&tenants, "tenant", nil, "only the deadlines of a tenant, by id; may be repeated")
	made.Register(mk)
	listed := kit.NewOutput("text", "json")
	ls := &cobra.Command{
		Use: "list", Short: "List the calendars", Args: kit.NoWords, Example: "  partnerguard notify feed list",
		RunE: func(cmd *cobra.Command, _ []string) error {
			i, err := in.Kept(cmd.Context(), env)
			if err != nil {
				return err
			}
			return kit.Closing(listFeeds(cmd.Context(), env, i, &listed), i.Close)
		},
	}
	listed.Register(ls)
	ended := kit.NewOutput("text", "json")
	rm := &cobra.Command{
		Use: "revoke ID", Short: "End a calendar: its address shows nothing from now on", Example: "  partnerguard notify feed revoke f-4t7kq2m5n6p3r8sv",
		Args: oneOf("notify feed revoke", "id", "partnerguard notify feed list shows them"),
		RunE: open.Run(func(ctx context.Context, i *app.Installation, args []string) error {
			f, err := i.Alerts.RevokeFeed(ctx, args[0], i.Actor)
			if err != nil {
				return err
			}
			return ended.Answer(env, &f, func(w io.Writer, p kit.Paint) error {
				_, err := fmt.Fprintf(w, "%s is revoked\n", p.Bold(f.ID))
				return err
			})
		}),
	}
	ended.Register(rm)
	cmd.AddCommand(mk, ls, rm)
	return cmd
}

func listFeeds(ctx context.Context, env *kit.Env, i *app.Installation, output *kit.Output) error {
	list, err := i.Alerts.ListFeeds(ctx)
	if err != nil {
		return err
	}
	return output.Answer(env, struct {
		Schema string       `json:"schema"`
		Feeds  []alert.Feed `json:"feeds"`
	}{"partnerguard.feeds/1", list}, func(w io.Writer, p kit.Paint) error {
		if len(list) == 0 {
			_, err := fmt.Fprintln(w, "no calendars were made")
			return err
		}
		kit.Table(w, p, list,
			kit.Col("calendar", func(f *alert.Feed) string { return f.ID }),
			kit.Col("owner", func(f *alert.Feed) string { return print.Clean(f.Owner, 60) }),
			kit.Col("name", func(f *alert.Feed) string { return print.Clean(f.Name, 40) }),
			kit.Col("made", func(f *alert.Feed) string { return print.When(f.Made) }),
			kit.Col("state", func(f *alert.Feed) string {
				switch {
				case f.Refused != "":
					return "shows nothing: " + f.Refused
				case !f.Ended.IsZero():
					return "revoked " + print.When(f.Ended)
				}
				return "read by whoever has its address"
			}))
		return nil
	})
}
