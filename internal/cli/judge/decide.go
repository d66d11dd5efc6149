package judge

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"partnerguard/internal/access"
	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/prove/render"
)

func newDecide(env *kit.Env) *cobra.Command {
	var (
		in     source
		q      signIn
		output = kit.NewOutput("text", "json", "graph")
	)
	cmd := &cobra.Command{
		Use: "decide", Short: "Decide one sign-in by the tenant's settings, and say why", Args: kit.NoArgs,
		Long: `decide answers one sign-in: blocked, MFA required, MFA not required, or
undecidable and because of what. It names the policies that applied, those that
did not and by which clause, report-only ones apart, and the registered methods
that could answer.

App, location, platform and device that are not given are not known: the answer then
holds for every value, or says what it hangs on. Client and risks have defaults, a
browser and no risk; the answer says which were taken. --output graph gives the shape of Microsoft's What If.`,
		Example: `  partnerguard decide --user nomfa@contoso.com --app c44b4083-3bb0-49c1-b47d-974e53cbdf3c --client browser --location 203.0.113.7 --platform windows
  partnerguard decide --from exports/ --user scanner@contoso.com --client other --location NL
  partnerguard decide --from exports/ --user ada@contoso.com --location 'Head office'
  partnerguard decide --from exports/ --user ada@contoso.com --device 'compliant device=true' --output graph`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if q.user == "" {
				return problem.New(problem.Usage, "--user is missing").WithHint("name an account by user principal name or id")
			}
			bar := kit.NewProgress(env, "reading")
			a, note, err := app.Decide(cmd.Context(), in.reading(env, bar), q.asked())
			bar.Done()
			if note != "" {
				fmt.Fprintf(env.Stderr, "partnerguard: note: %s\n", note)
			}
			if err != nil {
				return err
			}
			assumed := q.assumed(cmd)
			return output.Write(env, kit.Forms{
				"text": func(w io.Writer) error {
					if err := render.DecideText(w, &a, output.Screen(env)); err != nil {
						return err
					}
					return assumedText(w, assumed, output.Screen(env))
				},
				"json": func(w io.Writer) error {
					return print.JSON(w, struct {
						access.Answer
						Assumed []string `json:"assumed"` // what was not given, and taken to be so
					}{a, assumed})
				},
				"graph": func(w io.Writer) error { return render.DecideGraph(w, &a) },
			})
		},
	}
	in.register(env, cmd)
	q.register(cmd, &in.from)
	output.RegisterFile(cmd)
	return cmd
}

// assumed are the flags that were not given and have a value all the same.
func (q *signIn) assumed(cmd *cobra.Command) []string {
	out := []string{}
	for _, f := range []struct {
		name string
		c    *kit.Choice
	}{{"client", &q.client}, {"sign-in-risk", &q.signRisk}, {"user-risk", &q.userRisk}, {"insider-risk", &q.insider}} {
		if !cmd.Flags().Changed(f.name) {
			out = append(out, f.name+"="+f.c.Value)
		}
	}
	return out
}

func assumedText(w io.Writer, assumed []string, o print.Options) error {
	if len(assumed) == 0 {
		return nil
	}
	p := print.NewScreen(w, o)
	p.Section("Not given, and taken as", "")
	words := make([]string, len(assumed))
	for i, a := range assumed {
		words[i] = "--" + strings.Replace(a, "=", " ", 1)
	}
	p.Para("  ", strings.Join(words, ", "), print.Dim)
	return p.Flush()
}

// signIn are the flags that describe one.
type signIn struct {
	user, appID, location, platform     string
	device                              []string
	client, signRisk, userRisk, insider kit.Choice
}

func (q *signIn) register(cmd *cobra.Command, from *[]string) {
	risks := []string{"none", "low", "medium", "high"}
	q.client = kit.Choice{Value: "browser", Allowed: []string{"browser", "native", "device-code", "transfer", "eas", "other"}}
	q.signRisk, q.userRisk = kit.Choice{Value: "none", Allowed: risks}, kit.Choice{Value: "none", Allowed: risks}
	q.insider = kit.Choice{Value: "none", Allowed: []string{"none", "minor", "moderate", "elevated"}}
	fl := cmd.Flags()
	fl.StringVar(&q.user, "user", "", "the account: user principal name or id")
	kit.CompleteAccounts(cmd, "user", from)
	fl.StringVar(&q.appID, "app", "", "the app's id, or a user action such as urn:user:registersecurityinfo")
	kit.AddChoice(cmd, &q.client, "client", "the client")
	fl.StringVar(&q.location, "location", "", "an IP address, a named location by name or id, a two-letter country, or a place as prove names it")
	fl.StringVar(&q.platform, "platform", "", "android, iOS, windows, windowsPhone, macOS or linux")
	kit.AddChoice(cmd, &q.signRisk, "sign-in-risk", "the sign-in risk")
	kit.AddChoice(cmd, &q.userRisk, "user-risk", "the user risk")
	kit.AddChoice(cmd, &q.insider, "insider-risk", "the insider risk")
	fl.StringArrayVar(&q.device, "device", nil, "a device fact, e.g. 'compliant device=true'; may be repeated")
}

func (q *signIn) asked() app.Asked {
	return app.Asked{User: q.user, Location: q.location, Device: q.device, SignIn: access.SignIn{
		App: q.appID, Client: q.client.Value, Platform: q.platform, SignInRisk: q.signRisk.Value, UserRisk: q.userRisk.Value, InsiderRisk: q.insider.Value,
	}}
}
