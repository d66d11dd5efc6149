package posture

import (
	"time"

	"partnerguard/internal/problem"
)

// The defaults of judging again.
const (
	DefaultSpan = 30 * 24 * time.Hour // as long as Microsoft keeps sign-ins with Entra ID P1
	DefaultStep = 24 * time.Hour
)

// Config is how posture is kept.
type Config struct {
	// Span is how much of the log a judging again looks at before each moment: 1 day to
	// 400 days.
	Span time.Duration `yaml:"rejudgeSpan" default:"720h" about:"how much of the sign-in log rejudge looks at before each day"`
	// Day is how far apart the moments are that are judged again: 1 hour to 31 days.
	Day time.Duration `yaml:"rejudgeStep" default:"24h" about:"how far apart the moments are that rejudge judges again"`
}

// Check refuses what cannot be.
func (c *Config) Check(bad func(name, format string, args ...any) *problem.Error) error {
	switch {
	case c.Span != 0 && (c.Span < 24*time.Hour || c.Span > 400*24*time.Hour):
		return bad("rejudgeSpan", "it is %s", c.Span).WithHint("it is between 24h and 9600h")
	case c.Day != 0 && (c.Day < time.Hour || c.Day > 31*24*time.Hour):
		return bad("rejudgeStep", "it is %s", c.Day).WithHint("it is between 1h and 744h")
	}
	return nil
}
