//go:build !judge

package desk

import (
	"time"

	"partnerguard/internal/problem"
)

// Config is how alerts of Azure fraud are read and passed on.
type Config struct {
	// Every is how often Microsoft is asked, besides whenever it rings.
	Every time.Duration `yaml:"fraudEvery" default:"5m" about:"how often alerts about Azure fraud are read, besides when Microsoft's webhook rings"`
	// Escalate is the channel that hears of alerts nobody took up.
	Escalate string `yaml:"fraudEscalate" about:"the channel of notify that hears of fraud alerts nobody answers: after an hour, and near the 24 hours"`
}

const (
	minEvery = time.Minute
	maxEvery = time.Hour
)

// Check refuses what would ask always, or too late for the hour of the guidance.
func (c *Config) Check(bad func(name, format string, args ...any) *problem.Error) error {
	if c.Every < minEvery || c.Every > maxEvery {
		return bad("fraudEvery", "%s is not between a minute and an hour", c.Every).WithHint("5m is usual; Microsoft wants a reaction within an hour")
	}
	return nil
}
