package cloud

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// enforcementChecks are the places that look for the MFA claim, and the words a
// change may use.
var (
	enforcementChecks = []string{"aobo", "portal", "api"}
	enforcementWords  = []string{"on", "off", "history"}
)

func newCloudEnforcement(env *kit.Env, c *kit.CloudControl) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "enforcement [on | off | history | CHECK=WORD | CHECK=SHARE ...]", Short: "Show or change how the MFA claim is enforced",
		Long: `enforcement shows, for each of the three checks that look for the MFA claim, how
it stands at the cloud's clock: announced, reported, refusing a rising share, or
enforced. The checks are aobo (admin on behalf of), portal and api.

With words it changes them: all at once, or one check by CHECK=WORD. A share
between 0 and 1 refuses that part of the requests without MFA from now on.`,
		Example:   "  partnerguard cloud enforcement\n  partnerguard cloud enforcement history\n  partnerguard cloud enforcement api=0.3 portal=on",
		ValidArgs: append(slices.Clone(enforcementWords), "aobo=", "portal=", "api="),
		RunE: func(cmd *cobra.Command, args []string) error {
			change, err := enforcementChange(args)
			if err != nil {
				return err
			}
			client, err := c.Attach(cmd.Context(), env)
			if err != nil {
				return err
			}
			var raw json.RawMessage
			if err := client.Enforcement(cmd.Context(), change, &raw); err != nil {
				return err
			}
			return output.Answer(env, raw, func(w io.Writer, _ kit.Paint) error { return enforcementText(w, raw) })
		},
	}
	output.Register(cmd)
	return cmd
}

// enforcementChange turns words into what the control API takes; nil asks only.
func enforcementChange(args []string) (json.RawMessage, error) {
	if len(args) == 0 {
		return nil, nil
	}
	change := map[string]any{}
	for _, a := range args {
		check, word, one := strings.Cut(a, "=")
		if !one {
			check, word = "preset", a
		} else if !slices.Contains(enforcementChecks, check) {
			return nil, problem.New(problem.Usage, "there is no check %q", check).WithHint("the checks are %s", strings.Join(enforcementChecks, ", "))
		}
		var value any = word
		if !slices.Contains(enforcementWords, word) {
			var share float64
			if err := json.Unmarshal([]byte(word), &share); err != nil || !one || share < 0 || share > 1 {
				return nil, problem.New(problem.Usage, "%q is not a word enforcement knows", a).WithHint("on, off, history; or one check: api=on, api=0.3")
			}
			value = share
		}
		if _, twice := change[check]; twice {
			return nil, problem.New(problem.Usage, "%q is set twice", check)
		}
		change[check] = value
	}
	return json.Marshal(change)
}

func enforcementText(w io.Writer, raw json.RawMessage) error {
	type now struct {
		Stage string  `json:"stage"`
		Share float64 `json:"share"`
	}
	var e struct {
		AOBO      world.Activation `json:"aobo"`
		Portal    world.Activation `json:"portal"`
		API       world.Activation `json:"api"`
		AOBONow   now              `json:"aoboNow"`
		PortalNow now              `json:"portalNow"`
		APINow    now              `json:"apiNow"`
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return problem.Wrap(err, problem.BadInput, "the partner cloud's answer cannot be read").WithHint("is it of the same version as this program?")
	}
	day := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return t.UTC().Format(time.DateOnly)
	}
	fmt.Fprintf(w, "%-8s  %-10s  %-7s  %-10s  %-10s  %-10s  %s\n", "check", "stage", "refuses", "announced", "reported", "first", "all")
	for _, l := range []struct {
		name string
		a    world.Activation
		n    now
	}{{"aobo", e.AOBO, e.AOBONow}, {"portal", e.Portal, e.PortalNow}, {"api", e.API, e.APINow}} {
		if _, err := fmt.Fprintf(w, "%-8s  %-10s  %5.0f %%  %-10s  %-10s  %-10s  %s\n", l.name, print.Clean(l.n.Stage, 20), 100*l.n.Share, day(l.a.Announced),
			day(l.a.Reported), day(l.a.Ramp), day(l.a.Enforced)); err != nil {
			return err
		}
	}
	return nil
}
