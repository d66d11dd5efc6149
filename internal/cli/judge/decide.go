package judge

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/access"
	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/problem"
	"partnerguard/internal/prove/render"
)

func newDecide(env *kit.Env) *cobra.Command {
	var (
		baseline kit.Choice
		from     []string
		user     string
		appID    string
		location string
		platform string
		device   []string
		client   = kit.Choice{Value: "browser", Allowed: []string{"browser", "native", "device-code", "transfer", "eas", "other"}}
		signRisk = kit.Choice{Value: "none", Allowed: []string{"none", "low", "medium", "high"}}
		userRisk = kit.Choice{Value: "none", Allowed: []string{"none", "low", "medium", "high"}}
		insider  = kit.Choice{Value: "none", Allowed: []string{"none", "minor", "moderate", "elevated"}}
		output   = kit.NewOutput("text", "json", "graph")
	)
	cmd := &cobra.Command{
		Use: "decide", Short: "Decide one sign-in by the tenant's settings, and say why", Args: kit.NoArgs,
		Long: `decide answers one sign-in: blocked, MFA required, MFA not required, or
undecidable and because of what. It names the policies that applied, those that
did not and by which clause, report-only ones apart, and the registered methods
that could answer.

What is not given is taken as not known: the answer then holds for every value,
or says what it hangs on. --output graph gives the shape of Microsoft's What If.`,
		Example: `  partnerguard decide --user ada@contoso.com --app c44b4083-3bb0-49c1-b47d-974e53cbdf3c --client browser --location 203.0.113.7 --platform windows
  partnerguard decide --from exports/ --user scanner@contoso.com --client other --location NL
  partnerguard decide --from exports/ --user ada@contoso.com --location 'Head office'
  partnerguard decide --from exports/ --user ada@contoso.com --device 'compliant device=true' --output graph`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if user == "" {
				return problem.New(problem.Usage, "--user is missing").WithHint("name an account by user principal name or id")
			}
			bar := kit.NewProgress(env, "reading")
			_, e, err := app.Settings(cmd.Context(), app.Reading{From: from, BaselineScopes: baseline.Value, At: judgedAt(env, from), Stdin: env.Stdin, Progress: bar.Set})
			bar.Done()
			if err != nil {
				return err
			}
			s := access.SignIn{App: appID, Client: client.Value, Platform: platform, SignInRisk: signRisk.Value, UserRisk: userRisk.Value, InsiderRisk: insider.Value, Device: map[string]bool{}}
			i, ok := e.Find(user)
			if !ok {
				return problem.New(problem.BadInput, "no account %q is in the input", user).WithHint("accounts are found by user principal name or id")
			}
			s.User = i
			if location != "" {
				note, err := e.At(&s, location)
				if err != nil {
					return err
				}
				if note != "" {
					fmt.Fprintf(env.Stderr, "partnerguard: note: %s\n", note)
				}
			}
			for _, d := range device {
				name, value, found := strings.Cut(d, "=")
				if !found || value != "true" && value != "false" {
					return problem.New(problem.Usage, "--device is %q", d).WithHint("it is a device fact and true or false, e.g. --device 'compliant device=true'")
				}
				s.Device[strings.TrimSpace(name)] = value == "true"
			}
			a := e.Decide(s)
			return output.Write(env, kit.Forms{
				"text": func(w io.Writer) error {
					return render.DecideText(w, &a, render.Options{Width: kit.Width(env), Color: output.Colour(env)})
				},
				"json": func(w io.Writer) error {
					enc := json.NewEncoder(w)
					enc.SetIndent("", "  ")
					enc.SetEscapeHTML(false)
					return enc.Encode(a)
				},
				"graph": func(w io.Writer) error { return render.DecideGraph(w, &a) },
			})
		},
	}
	kit.AddFrom(cmd, &from)
	kit.AddBaselineScopes(cmd, &baseline)
	cmd.Flags().StringVar(&user, "user", "", "the account: user principal name or id")
	kit.CompleteAccounts(cmd, "user", &from)
	cmd.Flags().StringVar(&appID, "app", "", "the app's id, or a user action such as urn:user:registersecurityinfo")
	kit.AddChoice(cmd, &client, "client", "the client")
	cmd.Flags().StringVar(&location, "location", "", "an IP address, a named location by name or id, a two-letter country, or a place as prove names it")
	cmd.Flags().StringVar(&platform, "platform", "", "android, iOS, windows, windowsPhone, macOS or linux")
	kit.AddChoice(cmd, &signRisk, "sign-in-risk", "the sign-in risk")
	kit.AddChoice(cmd, &userRisk, "user-risk", "the user risk")
	kit.AddChoice(cmd, &insider, "insider-risk", "the insider risk")
	cmd.Flags().StringArrayVar(&device, "device", nil, "a device fact, e.g. 'compliant device=true'; may be repeated")
	output.RegisterFile(cmd)
	return cmd
}

// judgedAt is as of when settings are judged: now, and for the embedded sample
// its own moment.
func judgedAt(env *kit.Env, from []string) time.Time {
	if len(from) == 0 {
		return time.Time{}
	}
	return env.Now()
}
