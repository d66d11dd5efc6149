//go:build !judge

package run

import "partnerguard/internal/problem"

// Config says by whom plans are done, and when one needs a second person.
type Config struct {
	Connection string `yaml:"remedyConnection" about:"connection by which plans are done (default: the first that holds the permissions)"`
	Approval   string `yaml:"remedyApproval" about:"when remedy apply needs a second person: needed (unsigned plans, and what cannot be taken back), or always"`
}

// The words of the setting.
const (
	approvalNeeded = "needed"
	approvalAlways = "always"
)

// Check refuses words that say nothing.
func (c *Config) Check(bad func(name, format string, args ...any) *problem.Error) error {
	switch c.Approval {
	case "", approvalNeeded, approvalAlways:
		return nil
	}
	return bad("remedyApproval", "%.40q is no answer", c.Approval).WithHint("needed, or always")
}
