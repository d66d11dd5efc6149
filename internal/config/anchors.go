package config

import (
	"fmt"
	"strings"
	"time"

	"partnerguard/internal/problem"
)

// Anchor is one place that keeps the audit trail's checkpoints, outside of the
// database. Exactly one of File, Syslog, Witness and Timestamp is given.
type Anchor struct {
	File      string        `yaml:"file"`      // a path on another disk; with Timestamp, where stamps are kept too
	Syslog    string        `yaml:"syslog"`    // tls://host:6514, tcp://host:601, udp://host:514, unix:///dev/log
	Witness   string        `yaml:"witness"`   // https:// submission prefix (C2SP tlog-witness)
	Key       string        `yaml:"key"`       // the witness's verifier key
	Timestamp string        `yaml:"timestamp"` // the address of an RFC 3161 authority
	Roots     string        `yaml:"roots"`     // a PEM file: of the authority's certificate, or of the server's (witness, syslog)
	Every     time.Duration `yaml:"every"`     // how often; default anchorEvery, for time stamps 24h
}

func (a Anchor) String() string {
	switch {
	case a.Timestamp != "":
		return "timestamp:" + a.Timestamp
	case a.Witness != "":
		return "witness:" + a.Witness
	case a.Syslog != "":
		return "syslog:" + a.Syslog
	}
	return "file:" + a.File
}

// maxAnchors bounds the list: each is asked in turn.
const maxAnchors = 16

func (c *Config) checkAnchors() error {
	bad := func(format string, args ...any) error {
		return problem.New(problem.Usage, "anchors (from %s): %s", c.Origin("anchors"), fmt.Sprintf(format, args...))
	}
	if c.AnchorEvery < time.Minute || c.AnchorEvery > 7*24*time.Hour {
		return problem.New(problem.Usage, "anchorEvery (from %s): %s is not between a minute and 7 days", c.Origin("anchorEvery"), c.AnchorEvery)
	}
	if len(c.Anchors) > maxAnchors {
		return bad("there are %d, and at most %d are read", len(c.Anchors), maxAnchors)
	}
	seen := map[string]bool{}
	for i := range c.Anchors {
		a := &c.Anchors[i]
		n := 0
		for _, v := range []string{a.Syslog, a.Witness, a.Timestamp} {
			if v != "" {
				n++
			}
		}
		switch {
		case n > 1 || n == 0 && a.File == "" || n == 1 && a.File != "" && a.Timestamp == "":
			return bad("number %d is not exactly one of file, syslog, witness and timestamp", i+1)
		case (a.Witness != "") != (a.Key != ""):
			return bad("number %d: a witness and its key go together", i+1)
		case a.Timestamp != "" && a.Roots == "":
			return bad("number %d: a time stamping authority needs roots, a PEM file of the authorities its certificate comes from", i+1)
		case a.Every < 0 || a.Every > 30*24*time.Hour:
			return bad("number %d: every is %s, and may be up to 30 days", i+1, a.Every)
		case seen[a.String()]:
			return bad("%s is there twice", a)
		}
		seen[a.String()] = true
		if a.Every == 0 {
			a.Every = c.AnchorEvery
			if a.Timestamp != "" {
				a.Every = max(24*time.Hour, c.AnchorEvery)
			}
		}
	}
	return nil
}

func (c *Config) anchorsLine() Line {
	var names []string
	for _, a := range c.Anchors {
		names = append(names, a.String())
	}
	return Line{Name: "anchors", Value: strings.Join(names, " "), Origin: c.Origin("anchors"),
		About: "places outside of the database that keep the trail's checkpoints; in the file only"}
}
