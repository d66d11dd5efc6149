package guard

import (
	"fmt"
	"time"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/print"
)

// steps tells on standard error what up does, a line a step once it is done.
type steps struct {
	env   *kit.Env
	paint kit.Paint
}

func newSteps(env *kit.Env) *steps {
	_, tty := kit.Terminal(env.Stderr)
	return &steps{env, kit.Paint{On: tty && kit.Colour(env)}}
}

// done says that a step is done, what came of it, and what it took.
func (s *steps) done(what, came string, began time.Time) {
	took := ""
	if d := s.env.Now().Sub(began); d >= 100*time.Millisecond {
		took = s.paint.Dim(fmt.Sprintf("  %.1f s", d.Seconds()))
	}
	fmt.Fprintf(s.env.Stderr, "%s %-14s%s%s\n", s.paint.Wrap("32", "✓"), what, print.Clean(came, 400), took)
}

// note says what a person should know besides.
func (s *steps) note(text string) {
	fmt.Fprintf(s.env.Stderr, "%s %s\n", s.paint.Wrap("33", "!"), print.Clean(text, 400))
}
