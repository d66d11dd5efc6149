package cloud

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

func newCloudStory(env *kit.Env, c *kit.CloudControl) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "story", Short: "Show the attack stories that the clock of the partner cloud plays",
		Long: `story shows what the clock plays, act by act: what happened, when the next act
comes, and what stopped the attacker. Every act leaves its rows in the sign-in
log, the directory audit and the activity log; Microsoft's alerts come hours later.

  mine         a stolen administrator makes graphics machines in five regions
  containers   a stolen app makes containers, a Machine Learning cluster and a Batch pool
  deployment   honest work that Microsoft warns of all the same

A jump of the clock plays what comes due in seconds.`,
		Example: `  partnerguard cloud story
  partnerguard cloud story start mine --customer tailspin.example
  partnerguard cloud clock +6h`,
		Args: kit.NoWords,
		RunE: c.Run(env, func(ctx context.Context, client *control.Client, _ []string) error {
			list, err := client.Stories(ctx, nil)
			if err != nil {
				return err
			}
			return output.Answer(env, map[string]any{"stories": print.List(list)}, func(w io.Writer, _ kit.Paint) error { return storiesText(w, list) })
		}),
	}
	output.Register(cmd)
	cmd.AddCommand(newCloudStoryStart(env, c))
	return cmd
}

func newCloudStoryStart(env *kit.Env, c *kit.CloudControl) *cobra.Command {
	var ask control.StoryAsk
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "start NAME", Short: "Begin a story on a customer's Azure subscription",
		Example: `  partnerguard cloud story start mine --customer tailspin.example
  partnerguard cloud story start deployment --customer fabrikam.example --in 2h`,
		Args: kit.Between(1, 1, problem.New(problem.Usage, "cloud story start takes the name of a story").
			WithHint("one of: %s", strings.Join(world.StoryNames(), ", "))),
		ValidArgs: world.StoryNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if ask.Name = args[0]; ask.Customer == "" {
				return problem.New(problem.Usage, "the story needs a customer").WithHint("--customer tailspin.example")
			}
			client, err := c.Attach(cmd.Context(), env)
			if err != nil {
				return err
			}
			list, err := client.Stories(cmd.Context(), &ask)
			if err != nil {
				return err
			}
			return output.Answer(env, map[string]any{"stories": print.List(list)}, func(w io.Writer, _ kit.Paint) error { return storiesText(w, list) })
		},
	}
	cmd.Flags().StringVar(&ask.Customer, "customer", "", "the customer's domain or tenant id")
	cmd.Flags().StringVar(&ask.Azure, "azure", "", "name or id of the subscription (default the first that is on)")
	cmd.Flags().StringVar(&ask.In, "in", "", "begin so long from now: 2h (default at once)")
	output.Register(cmd)
	return cmd
}

func storiesText(w io.Writer, list []control.Story) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "no story is played")
		return err
	}
	for i := range list {
		s := &list[i]
		how := "over"
		switch {
		case s.Next != nil:
			how = "next act at " + s.Next.UTC().Format(time.RFC3339)
		case s.Stopped != "":
			how = "stopped"
		}
		if _, err := fmt.Fprintf(w, "%s on %s, %s, begun %s: %s\n", print.Clean(s.Name, 30), print.Clean(s.Customer, 80), s.Subscription,
			s.Begun.UTC().Format(time.RFC3339), how); err != nil {
			return err
		}
		for _, a := range s.Acts {
			if _, err := fmt.Fprintf(w, "  %s  %s\n", a.At.UTC().Format(time.RFC3339), print.Clean(a.What, 200)); err != nil {
				return err
			}
		}
	}
	return nil
}

func newCloudAlert(env *kit.Env, c *kit.CloudControl) *cobra.Command {
	cmd := &cobra.Command{
		Use: "alert", Short: "Let Microsoft send or change alerts about Azure fraud",
		Example: "  partnerguard cloud alert raise --customer fabrikam.example\n  partnerguard cloud alert storm 1000",
		Args:    kit.Suggest,
		RunE: func(*cobra.Command, []string) error {
			return problem.New(problem.Usage, "cloud alert needs a word").WithHint("raise, storm, reopen or change")
		},
	}
	for _, v := range []struct {
		use, short, example, do string
		args                    int
	}{
		{"raise", "Raise one alert", "  partnerguard cloud alert raise --customer fabrikam.example --type CryptoMining --severity high\n" +
			"  partnerguard cloud alert raise --test\n  partnerguard cloud alert raise --late 26h", "raise", 0},
		{"storm COUNT", "Raise so many alerts at once", "  partnerguard cloud alert storm 1000", "raise", 1},
		{"reopen ID", "Open an answered alert again", "  partnerguard cloud alert reopen 0d2c5b1e-7a3f-4d59-9c1e-2f4f7f0f6a11", "reopen", 1},
		{"change ID", "See an alert once more, and more severe", "  partnerguard cloud alert change 0d2c5b1e-7a3f-4d59-9c1e-2f4f7f0f6a11", "change", 1},
	} {
		cmd.AddCommand(newCloudAlertDo(env, c, v.use, v.short, v.example, v.do, v.args))
	}
	return cmd
}

func newCloudAlertDo(env *kit.Env, c *kit.CloudControl, use, short, example, do string, args int) *cobra.Command {
	ask := control.AlertAsk{Do: do}
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{Use: use, Short: short, Example: example,
		Args: kit.Between(args, args, problem.New(problem.Usage, "the command takes %d words", args).WithHint("e.g. %s", strings.TrimSpace(example))),
		RunE: func(cmd *cobra.Command, words []string) error {
			switch {
			case do != "raise":
				ask.ID = words[0]
			case args == 1:
				if _, err := fmt.Sscanf(words[0], "%d", &ask.Count); err != nil || fmt.Sprint(ask.Count) != words[0] {
					return problem.New(problem.Usage, "%.20q is no number of alerts", words[0]).WithHint("e.g. partnerguard cloud alert storm 1000")
				}
			}
			client, err := c.Attach(cmd.Context(), env)
			if err != nil {
				return err
			}
			answer, err := client.Alerts(cmd.Context(), ask)
			if err != nil {
				return err
			}
			return output.Answer(env, answer, func(w io.Writer, _ kit.Paint) error {
				if len(answer.IDs) == 1 {
					_, err := fmt.Fprintln(w, answer.IDs[0])
					return err
				}
				_, err := fmt.Fprintf(w, "%s raised\n", print.Plural(int64(len(answer.IDs)), "alerts"))
				return err
			})
		},
	}
	if do == "raise" {
		cmd.Flags().StringVar(&ask.Customer, "customer", "", "the customer's domain or tenant id (default all with Azure, by turns)")
		cmd.Flags().StringVar(&ask.Type, "type", "", "alertType, any text (default ARM_AnomalousResourceConsumption)")
		cmd.Flags().BoolVar(&ask.Test, "test", false, "a test event")
		cmd.Flags().StringVar(&ask.Late, "late", "", "how long ago it was detected: 26h")
	}
	if do != "reopen" {
		cmd.Flags().StringVar(&ask.Severity, "severity", "", "low, medium or high")
	}
	output.Register(cmd)
	return cmd
}
