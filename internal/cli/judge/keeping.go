//go:build !judge

package judge

import (
	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
)

// keeping are the commands of this wing that keep something.
func keeping(env *kit.Env) []*cobra.Command { return []*cobra.Command{newSettledAutomation(env)} }
