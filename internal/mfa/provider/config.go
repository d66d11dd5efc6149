package provider

import (
	"time"

	"partnerguard/internal/problem"
)

// Config is how our provider of External MFA treats its keys and its clock.
type Config struct {
	// KeyLife is how long a key signs before a new one is published to take its
	// place: 7 days to 5 years.
	KeyLife time.Duration `yaml:"mfaKeyLife" default:"4320h" about:"how long a key of our MFA provider signs before the next one takes its place"`
	// Leeway is how far Entra ID's clock and ours may differ: 0 to 5 minutes.
	Leeway time.Duration `yaml:"mfaLeeway" default:"1m" about:"how far Entra ID's clock and ours may differ, 0 to 5m"`
}

// Bounds of the settings.
const (
	minKeyLife = 7 * 24 * time.Hour
	maxKeyLife = 5 * 366 * 24 * time.Hour
	maxLeeway  = 5 * time.Minute
)

// Check refuses what cannot be worked with.
func (c *Config) Check(bad func(name, format string, args ...any) *problem.Error) error {
	switch {
	case c.KeyLife < minKeyLife || c.KeyLife > maxKeyLife:
		return bad("mfaKeyLife", "%s is not between 7 days and 5 years", c.KeyLife).WithHint("mfaKeyLife: 4320h is half a year")
	case c.Leeway < 0 || c.Leeway > maxLeeway:
		return bad("mfaLeeway", "%s is not between 0 and 5 minutes", c.Leeway).WithHint("mfaLeeway: 1m; a clock that is further off needs a time service")
	}
	return nil
}
