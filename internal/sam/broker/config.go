package broker

import (
	"crypto/x509"
	"log/slog"

	"partnerguard/internal/problem"
)

// Config is who may have tokens.
type Config struct {
	// ClientCA is a PEM file of the authorities that callers' certificates come
	// from. Without it callers prove themselves by OIDC tokens only.
	ClientCA string `yaml:"clientCA" about:"a PEM file of the authorities of callers' certificates"`
	// Policy is the file that says which caller may have which token. Without it
	// serve hands out none.
	Policy string `yaml:"policy" flag:"policy" file:"yaml,yml" about:"which caller may have which token"`
}

const maxFile = 1 << 20 // bytes of either file

// Load reads the files that are named. What no caller can use is said in the log.
func (c *Config) Load(server *x509.Certificate, log *slog.Logger) (policy *Policy, authorities *x509.CertPool, err error) {
	if c.ClientCA != "" {
		pem, err := problem.ReadFile("the authorities", c.ClientCA, maxFile)
		if err != nil {
			return nil, nil, err
		}
		authorities = x509.NewCertPool()
		if !authorities.AppendCertsFromPEM(pem) {
			return nil, nil, problem.New(problem.BadInput, "no certificate is in %s", c.ClientCA)
		}
	}
	if c.Policy == "" {
		return nil, authorities, nil
	}
	raw, err := problem.ReadFile("the policy", c.Policy, maxFile)
	if err != nil {
		return nil, nil, err
	}
	if policy, err = ParsePolicy(c.Policy, raw); err != nil {
		return nil, nil, err
	}
	for _, r := range policy.Callers {
		switch {
		case server == nil:
			log.Warn("a caller gets no token: they are handed out over TLS only, and tlsCertificate is not set", "caller", r.Name)
		case len(server.DNSNames) == 0 && len(server.IPAddresses) == 0:
			log.Warn("a caller gets no token: tlsCertificate names no host (subjectAltName), so no request is for it", "caller", r.Name)
		case r.Certificate != nil && r.Certificate.Name != "" && authorities == nil:
			log.Warn("a caller can never prove itself: a name counts in certificates of clientCA only, which is not set", "caller", r.Name)
		}
	}
	return policy, authorities, nil
}
