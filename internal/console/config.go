package console

import (
	"time"

	"partnerguard/internal/pattern"
	"partnerguard/internal/problem"
)

// Config is how people come into the console.
type Config struct {
	// App is the client id of the app that signs people in; "" is the app of the
	// connection. Its redirect URIs must hold PUBLIC/signin/callback.
	App string `yaml:"consoleApp" about:"client id of the app that signs people in (default the connection's)"`
	// Idle ends a session that nobody uses: 5 minutes to 24 hours.
	Idle time.Duration `yaml:"consoleIdle" default:"1h" about:"a session that nobody uses ends after this"`
	// Life ends a session whatever happens: 15 minutes to 72 hours, not below Idle.
	Life time.Duration `yaml:"consoleLife" default:"8h" about:"a session ends after this whatever happens"`
	// Proof is how old the proof of MFA may be of who changes something: 5 minutes to
	// 72 hours.
	Proof time.Duration `yaml:"consoleProof" default:"8h" about:"who changes something proves MFA anew after this"`
	// Context is an authentication context (c1 to c99) that a step-up asks for, for
	// tenants whose policies demand MFA by one; "" asks for none.
	Context string `yaml:"consoleContext" about:"an authentication context that a step-up asks for, such as c1"`
}

var (
	contextForm = pattern.Later(`^c[1-9][0-9]?$`)
	guidForm    = pattern.Later(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
)

// Check refuses what cannot be.
func (c *Config) Check(bad func(name, format string, args ...any) *problem.Error) error {
	between := func(name string, d, from, to time.Duration) error {
		if d != 0 && (d < from || d > to) {
			return bad(name, "it is %s", d).WithHint("it is between %s and %s", from, to)
		}
		return nil
	}
	for _, err := range []error{
		between("consoleIdle", c.Idle, 5*time.Minute, 24*time.Hour),
		between("consoleLife", c.Life, 15*time.Minute, 72*time.Hour),
		between("consoleProof", c.Proof, 5*time.Minute, 72*time.Hour),
	} {
		if err != nil {
			return err
		}
	}
	switch {
	case c.Life != 0 && c.Idle > c.Life:
		return bad("consoleIdle", "it is %s, longer than consoleLife, %s", c.Idle, c.Life).WithHint("make it shorter, or leave it out")
	case c.App != "" && !guidForm.MatchString(c.App):
		return bad("consoleApp", "it is no client id").WithHint("the application (client) id of the app registration")
	case c.Context != "" && !contextForm.MatchString(c.Context):
		return bad("consoleContext", "it is no authentication context").WithHint("c1 to c99, as Entra ID numbers them")
	}
	return nil
}
