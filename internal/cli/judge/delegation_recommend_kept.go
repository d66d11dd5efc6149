//go:build !judge

package judge

import (
	"context"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/delegation/recommend"
)

// keptUse gives a command the flags of an installation, and what makes a recommendation's
// input out of what was collected there: kind problem.NotFound where nothing was.
func keptUse(env *kit.Env, cmd *cobra.Command) recommendKept {
	var in kit.Installation
	in.Register(cmd)
	return func(ctx context.Context, q app.RecommendQuestion) (out recommend.Input, said string, err error) {
		s, err := in.Kept(ctx, env) // with the vault: pins are held to their marks
		if err != nil {
			return out, "", err
		}
		out, said, err = s.RecommendFrom(ctx, q)
		return out, said, kit.Closing(err, s.Close)
	}
}
