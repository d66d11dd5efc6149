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
	"partnerguard/internal/problem"
)

// clockWord is what a person asks of the clock.
type clockWord struct {
	jump          time.Duration
	set           time.Time
	freeze, thaw  bool
	onlyAskedTime bool
}

func parseClockWord(args []string) (w clockWord, err error) {
	if len(args) == 0 {
		w.onlyAskedTime = true
		return w, nil
	}
	if len(args) > 1 {
		return w, problem.New(problem.Usage, "cloud clock takes one word, got %d", len(args)).WithHint("one of: +95d, 2026-12-01T00:00:00Z, freeze, thaw")
	}
	word := args[0]
	switch strings.ToLower(word) {
	case "freeze":
		w.freeze = true
		return w, nil
	case "thaw":
		w.thaw = true
		return w, nil
	}
	var m kit.Moment
	if !strings.HasPrefix(word, "+") && m.Set(word) == nil {
		w.set = m.At
		return w, nil
	}
	if w.jump, err = control.ParseDuration(word); err != nil {
		return w, problem.New(problem.Usage, "%.40q is neither a jump nor a moment", word).WithHint("one of: +95d, +36h, 2026-12-01T00:00:00Z, freeze, thaw")
	}
	if w.jump <= 0 {
		return w, goesForward()
	}
	return w, nil
}

func goesForward() error {
	return problem.New(problem.Usage, "the clock goes forward only").
		WithHint("start the partner cloud again to begin anew; a clock that is off is a fault: partnerguard cloud fault graph skew --delay -10m")
}

// jump jumps; with people they sign in meanwhile.
func jump(ctx context.Context, c *control.Client, d time.Duration, people bool) (control.ClockState, error) {
	if people {
		return c.Live(ctx, d)
	}
	return c.Jump(ctx, d)
}

func newCloudClock(env *kit.Env, c *kit.CloudControl) *cobra.Command {
	var people bool
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "clock [+DURATION | MOMENT | freeze | thaw]", Short: "Show or move the clock of the running partner cloud",
		Long: `clock shows the clock of the running partner cloud, or moves it: forward by a
duration in weeks, days, hours, minutes and seconds, to a moment, or it stops it
and lets it run on. Tokens, sessions, roles and relationships age with it. It
never goes back. With --people the partner's people go on signing in during a jump, as
they did before, by the settings of now: the log has what a stage of a plan waits for.`,
		Example: `  partnerguard cloud clock
  partnerguard cloud clock +95d
  partnerguard cloud clock +8d --people
  partnerguard cloud clock 2026-12-01T00:00:00Z
  partnerguard cloud clock freeze`,
		Args:              func(_ *cobra.Command, args []string) error { _, err := parseClockWord(args); return err },
		ValidArgsFunction: cobra.FixedCompletions([]string{"+1h", "+1d", "+95d", "freeze", "thaw"}, cobra.ShellCompDirectiveNoFileComp),
		RunE: c.Run(env, func(ctx context.Context, client *control.Client, args []string) error {
			word, err := parseClockWord(args)
			if err != nil {
				return err
			}
			if people && word.jump <= 0 {
				return problem.New(problem.Usage, "--people goes with a jump").WithHint("partnerguard cloud clock +8d --people")
			}
			var s control.ClockState
			switch {
			case word.onlyAskedTime:
				s, err = client.Clock(ctx)
			case word.freeze || word.thaw:
				s, err = client.Freeze(ctx, word.freeze)
			case word.jump > 0:
				s, err = jump(ctx, client, word.jump, people)
			default:
				s, err = client.Set(ctx, word.set)
			}
			if err != nil {
				return err
			}
			how := ""
			if s.Frozen {
				how = "  (frozen)"
			}
			return output.Answer(env, s, func(w io.Writer, _ kit.Paint) error {
				_, err := fmt.Fprintf(w, "%s%s\n", s.Now.UTC().Format(time.RFC3339), how)
				return err
			})
		}),
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		for _, w := range env.Args {
			if d, ok := strings.CutPrefix(w, "-"); ok {
				if _, no := control.ParseDuration(d); no == nil { // taken for flags
					return goesForward()
				}
			}
		}
		return cmd.Root().FlagErrorFunc()(cmd, err)
	})
	cmd.Flags().BoolVar(&people, "people", false, "people sign in meanwhile, as ever")
	output.Register(cmd)
	return cmd
}
