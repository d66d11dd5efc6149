//go:build judge

package judge

import (
	"context"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/delegation"
)

// keptInventory is nil: this build keeps nothing.
func keptInventory(*kit.Env, *cobra.Command) func(context.Context) (*delegation.Inventory, error) {
	return nil
}
