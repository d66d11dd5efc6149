package gateway

import (
	"path/filepath"

	"partnerguard/internal/problem"
)

// Config is the gateway's setting of an installation. All else is in its own file, which
// the command gateway and a server with this setting read alike.
type Config struct {
	// File is the gateway.yaml by which serve runs the gateway too; "" runs none.
	File string `yaml:"gatewayConfig" file:"yaml,yml" about:"the gateway.yaml by which serve runs the enforcement gateway too (default it runs none)"`
}

// Check refuses what cannot be.
func (c *Config) Check(bad func(name, format string, args ...any) *problem.Error) error {
	if c.File != "" && !filepath.IsAbs(c.File) {
		return bad("gatewayConfig", "it is no absolute path: %.120q", c.File).
			WithHint("a service has no folder of its own to begin at: name the file from the root")
	}
	return nil
}
