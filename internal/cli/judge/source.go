package judge

import (
	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
)

// source are the flags that say what settings are read from.
type source struct {
	from     []string
	baseline kit.Choice
}

func (s *source) register(env *kit.Env, cmd *cobra.Command) {
	kit.AddFrom(env, cmd, &s.from)
	kit.AddPlace(cmd)
	kit.AddBaselineScopes(cmd, &s.baseline)
}

// reading reads them behind a bar, as of now; of the embedded sample, as of its own
// moment.
func (s *source) reading(env *kit.Env, bar *kit.Progress) app.Reading {
	r := app.Reading{From: s.from, BaselineScopes: s.baseline.Value, Stdin: env.Stdin, Progress: bar.Set, Archive: env.Archive}
	if !r.Sample() {
		r.At = env.Now()
	}
	return r
}
