package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"partnerguard/internal/notify/mailer"
	"partnerguard/internal/notify/syslog"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

// noSecret stands for a secret that is not read yet.
func noSecret(context.Context) (secret.Text, error) { return secret.Text{}, nil }

// Sealed reads what is sealed in the vault; *vault.Vault meets it.
type Sealed interface {
	Get(ctx context.Context, r vault.Ref) (secret.Text, error)
}

// Ref is where a channel's secret is sealed.
func Ref(name string) vault.Ref { return vault.Ref{Purpose: "notify", Owner: name, Name: "secret"} }

// ways is what channels are made with.
type ways struct {
	sealed Sealed // nil: the vault is not open
	now    func() time.Time
	proxy  func(*http.Request) (*url.URL, error)
}

// open makes a channel. It reads no secret.
func (w *ways) open(s *Setting) (Channel, error) {
	roots, err := pemRoots(s.Roots)
	if err != nil {
		return nil, err
	}
	conf := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	to := func(spec string) *poster { return newPoster(w.read(spec), roots, s.Private, w.proxy) }
	switch s.Kind() {
	case "mail":
		o := mailer.Options{Server: s.Mail, User: s.User, Roots: roots}
		if s.Secret != "" {
			o.Secret = w.read(s.Secret)
		}
		server, err := mailer.New(o)
		if err != nil {
			return nil, err
		}
		forms, err := newTemplates(s.Subject, s.Body)
		if err != nil {
			return nil, err
		}
		return &post{s.Name, s.From, s.To, server, forms}, nil
	case "webhook":
		h := &webhook{name: s.Name, to: to(s.Webhook), now: w.now, signs: []func(context.Context) (secret.Text, error){w.read(s.Secret)}}
		if s.Previous != "" {
			h.signs = append(h.signs, w.read(s.Previous))
		}
		return h, nil
	case "teams":
		return &chat{s.Name, "teams", to(s.Teams), adaptive, maxCard}, nil
	case "slack":
		return &chat{s.Name, "slack", to(s.Slack), blocks, maxBlocksBody}, nil
	case "syslog":
		server, err := syslog.New(s.Syslog, conf)
		return &logs{s.Name, server}, err
	}
	return nil, problem.New(problem.Usage, "the channel %s is of no kind", s.Name)
}

// read gives what a setting names, each time it is needed: an address as it is, or a
// secret.
func (w *ways) read(spec string) func(context.Context) (secret.Text, error) {
	return func(ctx context.Context) (secret.Text, error) {
		if isAddress(spec) {
			return secret.New(spec), nil
		}
		name, is := strings.CutPrefix(spec, "vault:")
		if !is {
			return vault.ReadSecret(spec, nil)
		}
		if w.sealed == nil {
			return secret.Text{}, problem.New(problem.Unavailable, "the secret %s is sealed, and the vault is not open", name)
		}
		t, err := w.sealed.Get(ctx, Ref(name))
		if err != nil {
			return t, problem.Wrap(err, problem.NotFound, "the secret %s is not in the vault", name).
				WithHint("partnerguard notify secret %s reads it from standard input and seals it", name)
		}
		return t, nil
	}
}

const maxPEM = 1 << 20

func pemRoots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	i, err := os.Stat(path)
	if err != nil {
		return nil, problem.Wrap(err, problem.NotFound, "the authorities %s cannot be read", path)
	}
	if !i.Mode().IsRegular() || i.Size() > maxPEM {
		return nil, problem.New(problem.BadInput, "the authorities %s are no PEM file", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, problem.Wrap(err, problem.NotFound, "the authorities %s cannot be read", path)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, problem.New(problem.BadInput, "the authorities %s hold no certificate", path).WithHint("PEM: -----BEGIN CERTIFICATE-----")
	}
	return pool, nil
}
