//go:build !judge

package doorbell

import (
	"partnerguard/internal/pattern"
	"partnerguard/internal/problem"
)

// Config is where Partner Center rings.
type Config struct {
	// Path is under the public URL. A path that nobody guesses keeps strangers from trying.
	Path string `yaml:"fraudWebhookPath" default:"/webhooks/partner-center" about:"the path, under publicURL, at which Partner Center's webhook rings"`
}

var path = pattern.Later(`^(/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){1,6}$`)

// Check refuses a path that is none.
func (c *Config) Check(bad func(name, format string, args ...any) *problem.Error) error {
	if !path.MatchString(c.Path) {
		return bad("fraudWebhookPath", "%.60q is no path", c.Path).WithHint("such as /webhooks/partner-center: letters, digits and . _ - between slashes")
	}
	return nil
}
