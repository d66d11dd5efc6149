package notify

import (
	"cmp"
	"net/url"
	"strings"

	"partnerguard/internal/notify/mailer"
	"partnerguard/internal/notify/syslog"
	"partnerguard/internal/pattern"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// Config is by which channels people are told.
type Config struct {
	// Channels are the channels. Only the file sets them.
	Channels []Setting `yaml:"channels" about:"by which channels people are told; in the file only"`
}

// Setting is one channel. Exactly one of Mail, Webhook, Teams, Slack and Syslog is
// given. What is secret is named, as file:PATH, systemd:NAME or vault:NAME, and never
// written here itself.
type Setting struct {
	Name string `yaml:"name"` // lower case letters, digits and dashes

	Mail    string   `yaml:"mail"` // smtp://host:587 (STARTTLS), smtps://host:465, smtp+plain://127.0.0.1:25
	From    string   `yaml:"from"` // an address without a name
	To      []string `yaml:"to"`   // likewise; at most 16
	User    string   `yaml:"user"` // of the mail server, when it wants one
	Subject string   `yaml:"subject"`
	Body    string   `yaml:"body"` // templates of a mail, as a ticket system wants it; see docs/notify.md

	Webhook  string `yaml:"webhook"`  // https:// address, or the name of a secret that holds it
	Previous string `yaml:"previous"` // of a webhook: the secret of before, which signs too while it is changed

	Teams  string `yaml:"teams"`  // the name of the secret that holds the address of a workflow
	Slack  string `yaml:"slack"`  // the name of the secret that holds the address of an incoming webhook
	Syslog string `yaml:"syslog"` // tls://host:6514, tcp://host:601, udp://host:514, unix:///dev/log

	// Secret names the mail password, or what signs a webhook (whsec_ and base64).
	Secret string `yaml:"secret"`
	Roots  string `yaml:"roots"` // a PEM file of the authorities of the server's certificate
	// Private lets a webhook go to this machine or a network that is not the internet's.
	Private bool `yaml:"private"`
}

// maxChannels bounds the list.
const maxChannels = 32

var nameForm = pattern.Later(`^[a-z0-9][a-z0-9-]{0,39}$`)

// Kind is which of the kinds it is; "" where it is not exactly one.
func (s *Setting) Kind() (kind string) {
	for _, k := range []struct{ name, value string }{{"mail", s.Mail}, {"webhook", s.Webhook}, {"teams", s.Teams}, {"slack", s.Slack},
		{"syslog", s.Syslog}} {
		if k.value == "" {
			continue
		}
		if kind != "" {
			return ""
		}
		kind = k.name
	}
	return kind
}

// String is the channel's name and kind: no address, which may be a secret.
func (s Setting) String() string { return s.Name + "(" + cmp.Or(s.Kind(), "?") + ")" }

// Named says whether there is a channel of a name.
func (c *Config) Named(name string) bool {
	for i := range c.Channels {
		if c.Channels[i].Name == name {
			return true
		}
	}
	return false
}

// Check refuses what cannot be a channel. It reads no secret and no file.
func (c *Config) Check(wrong func(name, format string, args ...any) *problem.Error) error {
	bad := func(format string, args ...any) *problem.Error { return wrong("channels", format, args...) }
	if len(c.Channels) > maxChannels {
		return bad("there are %d, and at most %d are read", len(c.Channels), maxChannels)
	}
	seen := map[string]bool{}
	for i := range c.Channels {
		s := &c.Channels[i]
		switch {
		case !nameForm.MatchString(s.Name):
			return bad("number %d has no name", i+1).WithHint("lower case letters, digits and dashes, at most 40: name: oncall")
		case seen[s.Name]:
			return bad("%s is there twice", s.Name)
		case s.Kind() == "":
			return bad("%s is not exactly one of mail, webhook, teams, slack and syslog", s.Name)
		}
		seen[s.Name] = true
		if err := s.check(); err != nil {
			return bad("%s: %s", s.Name, err).WithHint("%s", problem.HintOf(err))
		}
	}
	return nil
}

// check refuses what belongs to another kind, and what its own kind refuses.
func (s *Setting) check() error {
	kind := s.Kind()
	web := kind == "webhook" || kind == "teams" || kind == "slack"
	for _, m := range []struct {
		word        string
		given, fits bool
	}{{"from", s.From != "", kind == "mail"}, {"to", len(s.To) > 0, kind == "mail"}, {"user", s.User != "", kind == "mail"},
		{"subject", s.Subject != "", kind == "mail"}, {"body", s.Body != "", kind == "mail"}, {"previous", s.Previous != "", kind == "webhook"},
		{"secret", s.Secret != "", kind == "mail" || kind == "webhook"}, {"private", s.Private, web}} {
		if m.given && !m.fits {
			return problem.New(problem.Usage, "%s does not belong to a channel of kind %s", m.word, kind)
		}
	}
	for _, spec := range []string{s.Secret, s.Previous, s.Teams, s.Slack} {
		if spec == "" {
			continue
		}
		if err := CheckSecret(spec); err != nil {
			return err
		}
	}
	switch kind {
	case "mail":
		return s.checkMail()
	case "webhook":
		if s.Secret == "" {
			return problem.New(problem.Usage, "secret is missing: what signs the webhook").
				WithHint("partnerguard notify secret NAME --new makes one and seals it; then secret: vault:NAME")
		}
		if isAddress(s.Webhook) {
			_, err := parseAddress(s.Webhook, s.Private)
			return err
		}
		return CheckSecret(s.Webhook)
	case "syslog":
		_, err := syslog.New(s.Syslog, nil)
		return err
	}
	return nil
}

func (s *Setting) checkMail() error {
	o := mailer.Options{Server: s.Mail, User: s.User}
	if s.Secret != "" {
		o.Secret = noSecret
	}
	_, err := mailer.New(o)
	if err == nil {
		err = mailer.Addresses(s.From, s.To)
	}
	if err == nil {
		_, err = newTemplates(s.Subject, s.Body)
	}
	return err
}

// CheckSecret refuses, as problem.Usage, what names no secret; it is never quoted.
func CheckSecret(spec string) error {
	if name, is := strings.CutPrefix(spec, "vault:"); is && nameForm.MatchString(name) {
		return nil
	}
	if err := vault.CheckSecret(spec); err != nil {
		return problem.New(problem.Usage, "a secret is of no known kind, or is written there itself").
			WithHint("a secret is named: %s, vault:NAME", vault.SecretSpecs)
	}
	return nil
}

// isAddress says that a setting is an address, not the name of a secret.
func isAddress(s string) bool { return strings.Contains(s, "://") }

// parseAddress reads where a webhook goes. Its error never quotes it.
func parseAddress(s string, private bool) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Opaque != "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, problem.New(problem.Usage, "the address is no https:// one").WithHint("as the receiver shows it, without a user, a password or a #")
	}
	if u.Scheme == "http" && (!private || !mailer.Loopback(u.Hostname())) {
		return nil, problem.New(problem.Usage, "the address %s has no TLS",
			u.Hostname()).WithHint("https://; http:// goes to this machine alone, with private: true")
	}
	return u, nil
}
