package cloud

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/problem"
)

func newCloudWebhook(env *kit.Env, c *kit.CloudControl) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "webhook late=DURATION | twice | shuffle | off ...", Short: "Make the webhooks of Partner Center go wrong",
		Long: `webhook makes Partner Center's webhooks go wrong from now on, as they do in
production now and then: each comes late, each comes twice, or every other one
comes after the next. off ends it. Delays are those of the machine, whatever the
clock of the cloud does.`,
		Example:   "  partnerguard cloud webhook twice shuffle\n  partnerguard cloud webhook late=2m\n  partnerguard cloud webhook off",
		ValidArgs: []string{"late=", "twice", "shuffle", "off"},
		Args:      func(_ *cobra.Command, args []string) error { _, err := webhookTrouble(args); return err },
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := webhookTrouble(args)
			if err != nil {
				return err
			}
			client, err := c.Attach(cmd.Context(), env)
			if err != nil {
				return err
			}
			if err := client.Trouble(cmd.Context(), t); err != nil {
				return err
			}
			return output.Answer(env, t, func(w io.Writer, _ kit.Paint) error {
				_, err := fmt.Fprintf(w, "webhooks: %s\n", strings.Join(args, ", "))
				return err
			})
		},
	}
	output.Register(cmd)
	return cmd
}

// webhookTrouble reads the words.
func webhookTrouble(args []string) (t control.Trouble, err error) {
	hint := "late=2m, twice, shuffle; or off"
	for _, a := range args {
		late, isLate := strings.CutPrefix(a, "late=")
		switch {
		case a == "twice":
			t.Twice = true
		case a == "shuffle":
			t.Shuffle = true
		case isLate && late != "":
			if _, err := control.ParseDuration(late); err != nil {
				return t, err
			}
			t.Late = late
		case a == "off" && len(args) == 1:
		default:
			return t, problem.New(problem.Usage, "%.40q is no trouble that webhooks know", a).WithHint("%s", hint)
		}
	}
	if len(args) == 0 {
		return t, problem.New(problem.Usage, "cloud webhook needs a word").WithHint("%s", hint)
	}
	return t, nil
}
