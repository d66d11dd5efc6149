package renew

import (
	"time"

	"partnerguard/internal/problem"
)

// Config is how connections are renewed.
type Config struct {
	// Every is how often refresh tokens are renewed: an hour to 30 days. They die
	// after 90 days without use.
	Every time.Duration `yaml:"renewEvery" default:"168h" about:"how often refresh tokens are renewed"`
}

// Check refuses what would let connections die.
func (c *Config) Check(bad func(name, format string, args ...any) *problem.Error) error {
	if c.Every < minEvery || c.Every > maxEvery {
		return bad("renewEvery", "%s is not between an hour and 30 days", c.Every).WithHint("refresh tokens die after 90 days without use; 168h is a week")
	}
	return nil
}
