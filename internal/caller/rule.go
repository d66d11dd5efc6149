package caller

import (
	"encoding/base64"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/claim"
)

// Rules say who is known.
type Rules struct {
	Issuers []Issuer
	Callers []*Rule
}

// Rule is one caller, and how it proves itself.
type Rule struct {
	Name        string       `yaml:"name"`
	Certificate *Certificate `yaml:"certificate"` // either this
	Token       *Workload    `yaml:"token"`       // or this
}

// Issuer is where workloads get their OIDC tokens.
type Issuer struct {
	Name     string `yaml:"name"`
	Issuer   string `yaml:"issuer"`   // exactly as in the tokens
	Keys     string `yaml:"keys"`     // https URL of its key set, or an absolute path of a file
	Audience string `yaml:"audience"` // that tokens for us must have
	// Lifetime is the longest life of a token that is taken, up to two weeks: an
	// issuer may make long ones, as Kubernetes does when it is asked to. Default 48h.
	Lifetime time.Duration `yaml:"lifetime"`
}

// Certificate names a client certificate: by its key, or by a name in it when
// it comes from one of the server's client authorities.
type Certificate struct {
	SPKI string `yaml:"spki"` // sha256/BASE64 of the public key (RFC 7469 section 2.4)
	Name string `yaml:"name"` // dns:NAME, uri:URI, email:ADDRESS or ip:ADDRESS of its subject alternative names
}

// Workload names a workload's token. A subject or claim that ends in "*"
// matches what begins with the rest.
type Workload struct {
	Issuer  string            `yaml:"issuer"` // by name
	Subject string            `yaml:"subject"`
	Claims  map[string]string `yaml:"claims"` // further claims it must have, as text
}

// Checker finds what is well formed and wrong in rules, one by one.
type Checker struct {
	fault                           func(path, format string, args ...any)
	issuers, addresses, names, pins map[string]bool
}

// NewChecker makes a checker of one set of rules; fault is told what is wrong,
// and where.
func NewChecker(fault func(path, format string, args ...any)) *Checker {
	return &Checker{fault, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}}
}

// Issuer checks an issuer; all of them come before the rules that name them.
func (c *Checker) Issuer(path string, is *Issuer) {
	if is.Name == "" || c.issuers[is.Name] {
		c.fault(path+".name", "every issuer needs a name of its own")
	}
	c.issuers[is.Name] = true
	if c.addresses[is.Issuer] {
		c.fault(path+".issuer", "another issuer has this address: a token says no more of whose it is")
	}
	c.addresses[is.Issuer] = true
	if u, err := url.Parse(is.Issuer); err != nil || u.Scheme != "https" || u.Host == "" {
		c.fault(path+".issuer", "must be the https address that the tokens say")
	}
	if u, err := url.Parse(is.Keys); (err != nil || u.Scheme != "https" || u.Host == "") && !filepath.IsAbs(is.Keys) {
		c.fault(path+".keys", "must be the https address of the key set, or an absolute path of a file")
	}
	if is.Lifetime < 0 || is.Lifetime > claim.LongestLifetime || is.Lifetime > 0 && is.Lifetime < time.Minute {
		c.fault(path+".lifetime", "must be between 1m and %s", claim.LongestLifetime)
	}
	if is.Audience == "" {
		c.fault(path+".audience", "is required: without it a token meant for another would do")
	}
}

// Rule checks a rule; false says that its proof is none, and nothing after it
// means anything.
func (c *Checker) Rule(path string, r *Rule) bool {
	if r.Name == "" || len(r.Name) > 100 || c.names[r.Name] {
		c.fault(path+".name", "every caller needs a name of its own, of at most 100 bytes")
	}
	c.names[r.Name] = true
	if (r.Certificate == nil) == (r.Token == nil) {
		c.fault(path, "needs either certificate or token")
		return false
	}
	if cert := r.Certificate; cert != nil {
		c.certificate(path+".certificate", cert)
	}
	if w := r.Token; w != nil {
		if !c.issuers[w.Issuer] {
			c.fault(path+".token.issuer", "no issuer is called %q", w.Issuer)
		}
		if w.Subject == "" || w.Subject == "*" {
			c.fault(path+".token.subject", "is required, and * alone is everybody")
		}
		for claim, v := range w.Claims {
			if v == "" || v == "*" {
				c.fault(path+".token.claims", "%s: must have a value", claim)
			}
		}
	}
	return true
}

func (c *Checker) certificate(path string, cert *Certificate) {
	if (cert.SPKI == "") == (cert.Name == "") {
		c.fault(path, "needs either spki or name")
		return
	}
	if cert.SPKI != "" {
		text, ok := strings.CutPrefix(cert.SPKI, "sha256/")
		if b, err := base64.StdEncoding.DecodeString(text); !ok || err != nil || len(b) != 32 {
			c.fault(path+".spki", "must be sha256/ and the base64 of 32 bytes")
		}
	} else if kind, v, ok := strings.Cut(cert.Name, ":"); !ok || v == "" || !slices.Contains([]string{"dns", "uri", "email", "ip"}, kind) {
		c.fault(path+".name", "must be dns:NAME, uri:URI, email:ADDRESS or ip:ADDRESS")
	} else if _, err := netip.ParseAddr(v); kind == "ip" && err != nil {
		c.fault(path+".name", "%q is no address", v)
	}
	if id := cert.SPKI + cert.Name; c.pins[id] {
		c.fault(path, "another caller has this certificate")
	} else {
		c.pins[id] = true
	}
}
