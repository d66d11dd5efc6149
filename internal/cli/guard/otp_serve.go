package guard

import (
	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
)

func newOTPServe(env *kit.Env, f *otpFile) *cobra.Command {
	return &cobra.Command{Use: "serve", Args: kit.NoWords}
}
