package guard

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/remedy"
)

// SignPlan signs plans by the installation whose archive they are made from; of files they
// are nobody's.
func SignPlan(env *kit.Env) func(context.Context, *cobra.Command, *remedy.Plan) (string, error) {
	return func(ctx context.Context, cmd *cobra.Command, p *remedy.Plan) (by string, err error) {
		s, err := kit.OpenNamed(ctx, env, cmd)
		if err != nil || s == nil {
			return "", err
		}
		by, err = s.SignPlan(ctx, p)
		return by, errors.Join(err, s.Close())
	}
}
