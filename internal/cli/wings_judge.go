//go:build judge

package cli

import (
	"github.com/spf13/cobra"

	"partnerguard/internal/cli/judge"
	"partnerguard/internal/cli/kit"
)

// only says what this build lacks.
const only = `

This build judges and nothing else (-tags judge): without the tag there are connect,
exec, serve, cloud and what looks after what is kept, too.`

func wings(env *kit.Env) []wing { return []wing{judging(env, judge.Joined{})} }

// remotely does nothing where nothing serves.
func remotely(*kit.Env, *cobra.Command) {}
