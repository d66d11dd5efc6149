package mfa

import (
	"slices"
	"strings"
	"time"

	"partnerguard/internal/problem"
)

// Config is how people get factors here, and which.
type Config struct {
	// Enrol says who may begin: invited people alone, or whoever signs in and never had
	// a factor here.
	Enrol string `yaml:"mfaEnrol" default:"invited" about:"who enrols a first factor: invited people, or whoever signs in (invited, first-sign-in)"`
	// Keys says which security keys are taken: any, or those of KeyList alone, which must
	// attest what they are.
	Keys string `yaml:"mfaKeys" default:"any" about:"which security keys are taken: any, or those of mfaKeyList (any, listed)"`
	// KeyList are AAGUIDs of models.
	KeyList []string `yaml:"mfaKeyList" about:"models of security keys that are taken, by AAGUID"`
	// KeyRoots is a PEM file with the attestation roots of the makers of these models:
	// without them a model is what a key says of itself. Required with listed.
	KeyRoots string `yaml:"mfaKeyRoots" file:"pem" about:"a PEM file: attestation roots of the makers of mfaKeyList's models"`
	// Issuer is what authenticator apps show beside the account.
	Issuer string `yaml:"mfaIssuer" default:"Partnerguard" about:"what authenticator apps show beside the account"`
	// PassLife is how long a temporary pass lives: 10 minutes to 24 hours.
	PassLife time.Duration `yaml:"mfaPassLife" default:"1h" about:"how long a temporary pass lives"`
	// InviteLife is how long an invitation waits: an hour to 30 days.
	InviteLife time.Duration `yaml:"mfaInviteLife" default:"72h" about:"how long an invitation to enrol waits"`
}

// The words of settings.
const (
	EnrolInvited = "invited"
	EnrolFirst   = "first-sign-in"
	KeysAny      = "any"
	KeysListed   = "listed"
)

// Check refuses what cannot be.
func (c *Config) Check(bad func(name, format string, args ...any) *problem.Error) error {
	switch {
	case c.Enrol != "" && c.Enrol != EnrolInvited && c.Enrol != EnrolFirst:
		return bad("mfaEnrol", "it is %.40q", c.Enrol).WithHint("it is invited or first-sign-in")
	case c.Keys != "" && c.Keys != KeysAny && c.Keys != KeysListed:
		return bad("mfaKeys", "it is %.40q", c.Keys).WithHint("it is any or listed")
	case c.Keys == KeysListed && len(c.KeyList) == 0:
		return bad("mfaKeyList", "mfaKeys is listed, and no model is").WithHint("name the AAGUIDs of the models that are taken")
	case c.Keys == KeysListed && c.KeyRoots == "":
		return bad("mfaKeyRoots", "mfaKeys is listed, and nothing says whose word counts for a model").
			WithHint("a PEM file with the attestation roots that the makers publish")
	case c.PassLife != 0 && (c.PassLife < 10*time.Minute || c.PassLife > 24*time.Hour):
		return bad("mfaPassLife", "it is %s", c.PassLife).WithHint("it is between 10 minutes and 24 hours")
	case c.InviteLife != 0 && (c.InviteLife < time.Hour || c.InviteLife > 30*24*time.Hour):
		return bad("mfaInviteLife", "it is %s", c.InviteLife).WithHint("it is between an hour and 30 days")
	case len(c.Issuer) > 60 || cleaned(c.Issuer) != c.Issuer || strings.Contains(c.Issuer, ":"):
		return bad("mfaIssuer", "it cannot stand beside an account").WithHint("some words without a colon, 60 bytes at most")
	}
	for i, id := range c.KeyList {
		if c.KeyList[i] = strings.ToLower(strings.TrimSpace(id)); !guidForm.MatchString(c.KeyList[i]) {
			return bad("mfaKeyList", "%.60q is no AAGUID", id).WithHint("e.g. ee882879-721c-4913-9775-3dfcce97072a; the maker of the key names it")
		}
	}
	return nil
}

// settled is c with the defaults.
func (c *Config) settled() Config {
	out := Config{}
	if c != nil {
		out = *c
	}
	out.KeyList = slices.Clone(out.KeyList)
	for _, f := range []struct {
		at  *string
		def string
	}{{&out.Enrol, EnrolInvited}, {&out.Keys, KeysAny}, {&out.Issuer, "Partnerguard"}} {
		if *f.at == "" {
			*f.at = f.def
		}
	}
	if out.PassLife == 0 {
		out.PassLife = time.Hour
	}
	if out.InviteLife == 0 {
		out.InviteLife = 72 * time.Hour
	}
	return out
}
