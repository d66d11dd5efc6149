//go:build !judge

package judge

import (
	"context"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/delegation"
)

// keptInventory gives a command the flags of an installation, and what reads the inventory of
// what was collected there: kind problem.NotFound where nothing was.
func keptInventory(env *kit.Env, cmd *cobra.Command) func(context.Context) (*delegation.Inventory, error) {
	var in kit.Installation
	in.Register(cmd)
	return func(ctx context.Context) (inv *delegation.Inventory, err error) {
		s, err := in.Data(ctx, env, false)
		if err != nil {
			return nil, err
		}
		inv, err = s.Inventory(ctx)
		return inv, kit.Closing(err, s.Close)
	}
}
