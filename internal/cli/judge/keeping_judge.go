//go:build judge

package judge

import (
	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
)

// keeping are none where nothing is kept.
func keeping(*kit.Env) []*cobra.Command { return nil }
