package observe

import (
	"net/url"

	"partnerguard/internal/problem"
)

// Config is where what is seen goes. A tag is a setting's name in the file, its
// flag, and what it is about.
type Config struct {
	// Traces is an OTLP/HTTP address, e.g. http://127.0.0.1:4318. Default: what
	// OTEL_EXPORTER_OTLP_ENDPOINT says, else none.
	Traces string `yaml:"traces" flag:"traces" about:"an OTLP/HTTP address that traces go to; else OTEL_EXPORTER_OTLP_ENDPOINT, else nowhere"`
}

// Check refuses what is no address, and one with a secret in it.
func (c *Config) Check(bad func(name, format string, args ...any) *problem.Error) error {
	if c.Traces == "" {
		return nil
	}
	u, err := url.Parse(c.Traces)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return bad("traces", "it is no http:// or https:// address of a collector alone").
			WithHint("e.g. http://127.0.0.1:4318; a header with a key goes into OTEL_EXPORTER_OTLP_HEADERS")
	}
	return nil
}
