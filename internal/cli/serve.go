package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/caller"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam/broker"
	"partnerguard/internal/web"
)

func newServe(env *Env) *cobra.Command {
	var in installation
	cmd := &cobra.Command{
		Use: "serve", Short: "Renew connections, hand tokens to allowed callers, take invited partners' consents", Args: noWords,
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
			in.logging = true
			ctx := cmd.Context()
			return opener(func(ctx context.Context) (*app.SAM, error) { return in.open(ctx, env) }).with(ctx, func(s *app.SAM) error {
				return serve(ctx, env, s)
			})
		},
	}
	in.register(cmd)
	fl := cmd.Flags()
	in.more = []string{"listen", "policy", "public-url"}
	fl.String("listen", "", "the address to answer on (default the setting listen, 127.0.0.1:8443)")
	fl.String("policy", "", "which caller may have which token (default the setting policy)")
	fl.String("public-url", "", "how this is reached from outside (default the setting publicURL)")
	_ = cmd.MarkFlagFilename("policy", "yaml", "yml")
	return cmd
}

func serve(ctx context.Context, env *Env, s *app.SAM) error {
	c := s.Config
	var conf *tls.Config
	o := app.ServeOptions{}
	if c.TLSCertificate != "" {
		pair, err := tls.LoadX509KeyPair(c.TLSCertificate, c.TLSKey)
		if err != nil {
			return problem.Wrap(err, problem.BadInput, "the certificate %s with the key %s cannot be used", c.TLSCertificate, c.TLSKey).WithHint("both are PEM, and the key is the certificate's")
		}
		conf, o.Certificate = caller.TLSConfig(pair), pair.Leaf
	}
	if c.ClientCA != "" {
		pem, err := readLimited("the authorities", c.ClientCA, 1<<20)
		if err != nil {
			return err
		}
		o.ClientCAs = x509.NewCertPool()
		if !o.ClientCAs.AppendCertsFromPEM(pem) {
			return problem.New(problem.BadInput, "no certificate is in %s", c.ClientCA)
		}
	}
	if c.Policy != "" {
		raw, err := readLimited("the policy", c.Policy, 1<<20)
		if err != nil {
			return err
		}
		if o.Policy, err = broker.ParsePolicy(c.Policy, raw); err != nil {
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
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return problem.Wrap(err, problem.Limit, "%s cannot be listened on", c.Listen).WithHint("is something else there? --listen names another address")
	}
	scheme := "http"
	if conf != nil {
		scheme = "https"
	}
	return web.Serve(ctx, web.Options{Listener: l, TLS: conf, Handler: h, Log: s.Log, Ready: func() {
		fmt.Fprintf(env.Stdout, "partnerguard serves on %s://%s\n", scheme, l.Addr())
	}})
}

func readLimited(what, path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, problem.Wrap(err, problem.NotFound, "%s %s cannot be read", what, path)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	switch {
	case err != nil:
		return nil, problem.Wrap(err, problem.BadInput, "%s %s cannot be read", what, path)
	case int64(len(b)) > most:
		return nil, problem.New(problem.Limit, "%s %s is larger than %d bytes", what, path, most)
	}
	return b, nil
}
