package guard

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam/broker"
	"partnerguard/internal/web"
)

func newServe(env *kit.Env) *cobra.Command {
	var in kit.Installation
	cmd := &cobra.Command{
		Use: "serve", Short: "Renew connections, hand tokens to allowed callers, take invited partners' consents", Args: kit.NoWords,
		Long: `serve runs until it is interrupted. It renews every connection well before it
dies and foretells its end; it hands short access tokens to callers that the
policy allows, by the managed identity protocol over mutual TLS or with a
workload's OIDC token; and it takes the consents of partners that were invited
(partnerguard connect invite).

Several processes may serve one PostgreSQL database. Beyond loopback it needs a
certificate. Without a policy nobody is given a token.`,
		Example: `  partnerguard serve
  partnerguard serve --listen 0.0.0.0:8443 --policy policy.yaml
  IDENTITY_ENDPOINT=https://guard.contoso.example:8443/msi/token   # at a caller`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			in.Logging = true
			ctx := cmd.Context()
			return kit.Opener(func(ctx context.Context) (*app.Installation, error) { return in.Open(ctx, env) }).With(ctx, func(s *app.Installation) error {
				return serve(ctx, env, s)
			})
		},
	}
	in.Register(cmd)
	in.Serving(cmd)
	return cmd
}

func serve(ctx context.Context, env *kit.Env, s *app.Installation) error {
	c := s.Config
	var conf *tls.Config
	o := app.ServeOptions{}
	if c.Web.TLSCertificate != "" {
		pair, err := tls.LoadX509KeyPair(c.Web.TLSCertificate, c.Web.TLSKey)
		if err != nil {
			return problem.Wrap(err, problem.BadInput, "the certificate %s with the key %s cannot be used", c.Web.TLSCertificate, c.Web.TLSKey).WithHint("both are PEM, and the key is the certificate's")
		}
		conf, o.Certificate = broker.TLSConfig(pair), pair.Leaf
	}
	if c.Broker.ClientCA != "" {
		pem, err := kit.ReadLimited("the authorities", c.Broker.ClientCA, 1<<20)
		if err != nil {
			return err
		}
		o.ClientCAs = x509.NewCertPool()
		if !o.ClientCAs.AppendCertsFromPEM(pem) {
			return problem.New(problem.BadInput, "no certificate is in %s", c.Broker.ClientCA)
		}
	}
	if c.Broker.Policy != "" {
		raw, err := kit.ReadLimited("the policy", c.Broker.Policy, 1<<20)
		if err != nil {
			return err
		}
		if o.Policy, err = broker.ParsePolicy(c.Broker.Policy, raw); err != nil {
			return err
		}
		for _, r := range o.Policy.Callers {
			switch {
			case conf == nil:
				s.Log.Warn("a caller gets no token: they are handed out over TLS only, and tlsCertificate is not set", "caller", r.Name)
			case len(o.Certificate.DNSNames) == 0 && len(o.Certificate.IPAddresses) == 0:
				s.Log.Warn("a caller gets no token: tlsCertificate names no host (subjectAltName), so no request is for it", "caller", r.Name)
			case r.Certificate == nil:
			case r.Certificate.Name != "" && o.ClientCAs == nil:
				s.Log.Warn("a caller can never prove itself: a name counts in certificates of clientCA only, which is not set", "caller", r.Name)
			}
		}
	}
	h, err := s.Serve(ctx, o)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", c.Web.Listen)
	if err != nil {
		return problem.Wrap(err, problem.Limit, "%s cannot be listened on", c.Web.Listen).WithHint("is something else there? --listen names another address")
	}
	scheme := "http"
	if conf != nil {
		scheme = "https"
	}
	return web.Serve(ctx, web.Options{Listener: l, TLS: conf, Handler: h, Log: s.Log, Ready: func() {
		fmt.Fprintf(env.Stdout, "partnerguard serves on %s://%s\n", scheme, l.Addr())
	}})
}
