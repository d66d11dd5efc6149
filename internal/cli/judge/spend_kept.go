//go:build !judge

package judge

import (
	"context"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/fraud/detect"
)

// keepsAnomalies gives a command the flags of an installation, and what is seen there.
func keepsAnomalies(env *kit.Env, cmd *cobra.Command) keptAnomalies {
	var in kit.Installation
	in.Register(cmd)
	return func(ctx context.Context) (report *detect.Report, err error) {
		s, err := in.Kept(ctx, env)
		if err != nil {
			return nil, err
		}
		report, err = s.KeptAnomalies(ctx)
		return report, kit.Closing(err, s.Close)
	}
}
