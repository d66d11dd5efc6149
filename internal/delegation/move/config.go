//go:build !judge

package move

import (
	"time"

	"partnerguard/internal/problem"
)

// Config is how customers are asked.
type Config struct {
	// Invite is the channel of notify that invitations for customers' administrators go to.
	Invite string `yaml:"delegationInvite" about:"the channel of notify that GDAP invitations go to, for whoever passes them on; empty tells nobody"`
	// Remind is how long after an invitation without an answer it is told again.
	Remind time.Duration `yaml:"delegationRemind" default:"168h" about:"how long a customer has for a GDAP invitation before it is told again"`
}

const (
	minRemind = time.Hour
	maxRemind = 90 * 24 * time.Hour
)

// Check refuses what would remind always or never.
func (c *Config) Check(bad func(name, format string, args ...any) *problem.Error) error {
	if c.Remind < minRemind || c.Remind > maxRemind {
		return bad("delegationRemind", "%s is not between an hour and 90 days", c.Remind).WithHint("an offer lapses after 90 days; 168h is a week")
	}
	return nil
}
