package guard

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
)

func newOTPServe(env *kit.Env, f *otpFile) *cobra.Command {
	var in kit.Installation
	var at string
	cmd := &cobra.Command{
		Use: "serve", Short: "A page of this machine for a shared floor: each opens their own", Args: kit.NoWords,
		Long: `serve answers a page on this machine alone, until it is interrupted. Each person opens
their own file with their own passphrase (otp add --person NAME makes it), takes a code,
and it closes after three minutes. Who opened, was refused and took which code, and when,
is in this installation's audit trail; codes and passphrases are not. It may run beside
partnerguard serve.`,
		Example: `  partnerguard otp add --person ada
  partnerguard otp serve --listen 127.0.0.1:8470`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			in.Logging = true
			ctx := cmd.Context()
			open := kit.Opener(func(ctx context.Context) (*app.Installation, error) { return in.Data(ctx, env, true) })
			return open.With(ctx, func(s *app.Installation) error {
				return s.ServeOTP(ctx, f.people(env), at, env.Now, func(where string) {
					fmt.Fprintln(env.Stdout, "one-time passwords are at "+where)
				})
			})
		},
	}
	in.Register(cmd)
	cmd.Flags().StringVar(&at, "listen", "127.0.0.1:8470", "the address to answer at, of this machine")
	return cmd
}
