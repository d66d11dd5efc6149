//go:build judge

package judge

import (
	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
)

// keptUse is nil: this build keeps nothing.
func keptUse(*kit.Env, *cobra.Command) recommendKept { return nil }
