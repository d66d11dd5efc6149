package judge

import (
	"io"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/apppassword/render"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/partner"
)

// NewAppPasswordDecide is the command of apppassword that judges, and that every build
// has; the parent takes it.
func NewAppPasswordDecide(env *kit.Env) *cobra.Command {
	var (
		from     []string
		who      kit.Who
		account  string
		smtpAuth = kit.Choice{Allowed: []string{"enabled", "disabled"}}
		output   = kit.NewOutput("text", "json", "csv")
	)
	cmd := &cobra.Command{
		Use: "decide", Short: "Say for whom an app password would work, until when, and who depends on one", Args: kit.NoArgs,
		Long: `decide answers for each account of the partner tenant whether an app password would
work: by per-user MFA, security defaults, Conditional Access, what Exchange Online
still takes, and Microsoft's dates. Yes and no name what decided them; unknown
names the one request that settles it. What was not read is never taken for no.

It lists who depends on one by the sign-in log, who made and deleted one by the
audit log, the nearest way out for each client and protocol, and what ends here
by date: SMTP AUTH by a password, Microsoft's SMS and voice, custom controls.

Without --from it looks at the embedded sample partner.`,
		Example: `  partnerguard apppassword decide
  partnerguard apppassword decide --from exports/ --account scanner@contoso.example
  partnerguard apppassword decide --from exports/ --smtp-auth enabled --output csv --out apppasswords.csv
  partnerguard apppassword decide --output json | jq '.accounts[] | select(.works != "no") | .userPrincipalName'`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			bar := kit.NewProgress(env, "reading")
			r := app.Reading{From: from, Stdin: env.Stdin, Progress: bar.Set, Until: who.AsOf.End(), AsOf: who.AsOf.End(), Archive: env.Archive}
			q := app.Question{AsOf: who.AsOf.At, Now: env.Now().UTC(), Kind: partner.Kind(who.Kind.Value), Cloud: partner.Cloud(who.Cloud.Value)}
			report, err := app.AppPasswords(cmd.Context(), r, q, account, smtpAuth.Value)
			bar.Done()
			if err != nil {
				return err
			}
			return output.Write(env, kit.Forms{
				"text": func(w io.Writer) error { return render.Text(w, report, output.Screen(env)) },
				"json": func(w io.Writer) error { return render.JSON(w, report) },
				"csv":  func(w io.Writer) error { return render.CSV(w, report) },
			})
		},
	}
	kit.AddFrom(env, cmd, &from)
	kit.AddPlace(cmd)
	who.Register(cmd)
	cmd.Flags().StringVar(&account, "account", "", "answer for this account alone: user principal name or id")
	kit.AddChoice(cmd, &smtpAuth, "smtp-auth", "the tenant's switch for SMTP AUTH, which no export shows; default not known")
	output.RegisterFile(cmd)
	return cmd
}
