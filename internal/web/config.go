package web

import (
	"net/url"
	"strings"

	"partnerguard/internal/problem"
)

// Config is how a server of ours is reached. A tag is a setting's name in the
// file, its flag, its default and what it is about.
type Config struct {
	// Listen is the address serve answers on.
	Listen string `yaml:"listen" flag:"listen" default:"127.0.0.1:8443" about:"the address serve answers on"`
	// PublicURL is how serve is reached from outside, e.g.
	// https://guard.contoso.example; its /connect/callback is a redirect URI of
	// the app. Required for invitations.
	PublicURL string `yaml:"publicURL" flag:"public-url" about:"how serve is reached from outside"`
	// TLSCertificate and TLSKey are PEM files serve answers with. Required beyond
	// loopback.
	TLSCertificate string `yaml:"tlsCertificate" about:"a PEM file"`
	TLSKey         string `yaml:"tlsKey" about:"a PEM file"`
}

// Check settles what is given and refuses what cannot be served with.
func (c *Config) Check(bad func(name, format string, args ...any) *problem.Error) error {
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		local := err == nil && u.Scheme == "http" && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1")
		if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" || u.Scheme != "https" &&
			!local {
			return bad("publicURL", "it is no https:// address of a host alone").WithHint("e.g. https://guard.contoso.example")
		}
		c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	}
	if (c.TLSCertificate == "") != (c.TLSKey == "") {
		return problem.New(problem.Usage, "tlsCertificate and tlsKey go together: one is missing")
	}
	return nil
}
