//go:build judge

package judge

import (
	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
)

// keepsAnomalies is nil: this build keeps nothing.
func keepsAnomalies(*kit.Env, *cobra.Command) keptAnomalies { return nil }
