//go:build !judge

package judge

import (
	"context"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/delegation/watch"
)

// keptWatch gives a command the flags of an installation, and what looks at what was collected there.
func keptWatch(env *kit.Env, cmd *cobra.Command) keptWatching {
	var in kit.Installation
	in.Register(cmd)
	return func(ctx context.Context, q watchQuestion) (report *watch.Report, err error) {
		s, err := in.Kept(ctx, env) // with the vault: pins are held to their marks
		if err != nil {
			return nil, err
		}
		report, err = s.DelegationWatch(ctx, q.asOf.At, q.days, q.all)
		return report, kit.Closing(err, s.Close)
	}
}
