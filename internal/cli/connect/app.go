package connect

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/secret"
)

func newConnectApp(env *kit.Env, open kit.Opener) *cobra.Command {
	cmd := &cobra.Command{
		Use: "app", Short: "The apps that consents are given to, and what proves them",
		Long: `app shows and changes the app registrations of this installation: their ids and
what proves them to Entra ID. A certificate is best: partnerguard makes the key,
it never leaves the vault, and you upload the public part. A secret is tolerated
and flagged. A federated credential is a token file that a workload platform
keeps fresh.`,
		Example: `  partnerguard connect app list
  partnerguard connect app certificate --client-id ID --tenant TENANT --out partnerguard.pem
  partnerguard connect app use --client-id ID
  partnerguard connect app secret --client-id ID --tenant TENANT --from secret.txt`,
		Args: kit.NoWords,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newAppList(env, open), newAppCertificate(env, open), newAppUse(env, open), newAppSecret(env, open), newAppFederated(env, open),
		newAppRemove(env, open))
	return cmd
}

// appFlags name an app.
type appFlags struct{ clientID, tenant, name string }

func (f *appFlags) register(cmd *cobra.Command, whole bool) {
	cmd.Flags().StringVar(&f.clientID, "client-id", "", "the app's client id (default the only one there is)")
	if whole {
		cmd.Flags().StringVar(&f.tenant, "tenant", "", "the tenant the app is registered in")
		cmd.Flags().StringVar(&f.name, "name", "", "what to call it")
	}
}

// guid is how Entra ID writes a client id.
var guid = regexp.MustCompile(`^(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// known fills in what is known of the app already.
func (f *appFlags) known(ctx context.Context, s *app.Installation) error {
	r, err := s.SAM.Registration(ctx, f.clientID)
	if err != nil {
		if f.clientID == "" {
			return err
		}
		if !guid.MatchString(f.clientID) {
			return problem.New(problem.Usage, "%.100q is no client id", f.clientID).
				WithHint("the Application (client) ID of the app registration, e.g. 00000000-0000-0000-0000-000000000000")
		}
		if f.tenant == "" {
			return problem.New(problem.Usage, "which tenant is the app registered in?").WithHint("--tenant, its id or domain")
		}
		return nil
	}
	f.clientID = r.ClientID
	if f.tenant == "" {
		f.tenant = r.Tenant
	}
	if f.name == "" {
		f.name = r.Name
	}
	return nil
}

func newAppList(env *kit.Env, open kit.Opener) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "list", Short: "Show the apps and their credentials", Args: kit.NoWords,
		Example: "  partnerguard connect app list\n  partnerguard connect app list --output json",
		RunE: open.Run(func(ctx context.Context, s *app.Installation, _ []string) error {
			type row struct {
				sam.Registration
				Waiting *sam.Registration `json:"waiting,omitempty"`
			}
			list, err := s.SAM.Store.Registrations(ctx)
			if err != nil {
				return err
			}
			rows := []row{}
			for _, r := range list {
				w, err := s.SAM.Store.Waiting(ctx, r.ClientID)
				if err != nil {
					return err
				}
				rows = append(rows, row{r, w})
			}
			return output.Answer(env, map[string]any{"apps": rows}, func(w io.Writer, p kit.Paint) error {
				if len(rows) == 0 {
					fmt.Fprintln(w, "No app yet: partnerguard connect shows how to register one.")
					return nil
				}
				kit.Table(w, p, rows,
					kit.Col("client id", func(r *row) string { return r.ClientID }),
					kit.Col("name", func(r *row) string { return r.Name }),
					kit.Col("tenant", func(r *row) string { return r.Tenant }),
					kit.Col("credential", func(r *row) string { return credentialWords(&r.Registration, s.Now()) }),
					kit.Col("waiting", func(r *row) string {
						if r.Waiting == nil {
							return ""
						}
						return credentialWords(r.Waiting, s.Now())
					}))
				return nil
			})
		}),
	}
	output.Register(cmd)
	return cmd
}

func newAppCertificate(env *kit.Env, open kit.Opener) *cobra.Command {
	var f appFlags
	var csr bool
	var life int
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "certificate", Short: "Make a certificate for an app; its key stays in the vault", Args: kit.NoWords,
		Long: `certificate makes a key in the vault and prints the certificate to upload to the
app registration, or with --csr the request for an authority of your own. Where
the app has a working credential, the new one waits until you say it was
uploaded: partnerguard connect app use.`,
		Example: `  partnerguard connect app certificate --client-id ID --tenant TENANT --out partnerguard.pem
  partnerguard connect app certificate --csr > partnerguard.csr`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if life < 1 || life > 730 {
				return problem.New(problem.Usage, "--days must be between 1 and 730, got %d", life)
			}
			return open.With(cmd.Context(), func(s *app.Installation) error {
				if err := f.known(cmd.Context(), s); err != nil {
					return err
				}
				m, err := s.SAM.MakeCertificate(cmd.Context(), sam.NewCertificate{ClientID: f.clientID, Tenant: f.tenant, Name: f.name,
					Life: time.Duration(life) * 24 * time.Hour})
				if err != nil {
					return err
				}
				text := m.Certificate
				if csr {
					text = m.Request
				}
				all := map[string]any{"registration": m.Registration, "certificate": m.Certificate, "request": m.Request, "inUse": m.InUse}
				if err := output.Answer(env, all, func(w io.Writer, _ kit.Paint) error {
					_, err := io.WriteString(w, text)
					return err
				}); err != nil {
					return err
				}
				fmt.Fprintf(env.Stderr, "Certificate %s, until %s. Upload it to the app registration (Certificates & secrets).\n", m.Registration.Thumbprint,
					m.Registration.NotAfter.UTC().Format(time.DateOnly))
				if !m.InUse {
					fmt.Fprintf(env.Stderr, "It waits; when it is uploaded: partnerguard connect app use --client-id %s\n", f.clientID)
				}
				return nil
			})
		},
	}
	f.register(cmd, true)
	cmd.Flags().BoolVar(&csr, "csr", false, "print a certificate request (PKCS #10) instead")
	cmd.Flags().IntVar(&life, "days", 365, "how long it lives, at most 730")
	output.RegisterFile(cmd)
	return cmd
}

func newAppUse(env *kit.Env, open kit.Opener) *cobra.Command {
	var f appFlags
	var from string
	cmd := &cobra.Command{
		Use: "use", Short: "Use the certificate that was uploaded; the earlier credential is deleted", Args: kit.NoWords,
		Example: `  partnerguard connect app use --client-id ID
  partnerguard connect app use --client-id ID --certificate issued.pem`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			signed := ""
			if from != "" {
				f, err := os.Open(from)
				if err != nil {
					return problem.Wrap(err, problem.NotFound, "the certificate %s cannot be read", from)
				}
				defer f.Close()
				b, err := io.ReadAll(io.LimitReader(f, 64<<10))
				if err != nil {
					return problem.Wrap(err, problem.BadInput, "the certificate %s cannot be read", from)
				}
				if signed = string(b); strings.TrimSpace(signed) == "" { // which would mean the self-signed one
					return problem.New(problem.BadInput, "no certificate is in %s", from)
				}
			}
			return open.With(cmd.Context(), func(s *app.Installation) error {
				if err := f.known(cmd.Context(), s); err != nil {
					return err
				}
				r, err := s.SAM.UseCertificate(cmd.Context(), f.clientID, signed)
				if err != nil {
					return err
				}
				fmt.Fprintf(env.Stdout, "The app %s proves itself by %s.\n", r.ClientID, credentialWords(&r, s.Now()))
				return nil
			})
		},
	}
	f.register(cmd, false)
	cmd.Flags().StringVar(&from, "certificate", "", "what your authority issued for the request, PEM (default the self-signed one)")
	_ = cmd.MarkFlagFilename("certificate", "pem", "crt", "cer")
	return cmd
}

func newAppSecret(env *kit.Env, open kit.Opener) *cobra.Command {
	var f appFlags
	var from string
	var expires kit.Moment
	cmd := &cobra.Command{
		Use: "secret", Short: "Keep a client secret for an app (a certificate is better)", Args: kit.NoWords,
		Long: `secret reads a client secret from a file or standard input, one line, and seals
it. It never takes one from the command line, where others could see it.`,
		Example: `  partnerguard connect app secret --client-id ID --tenant TENANT --from secret.txt --expires 2027-03-01
  pass show partner/secret | partnerguard connect app secret --client-id ID --tenant TENANT --from -`,
		RunE: open.Run(func(ctx context.Context, s *app.Installation, _ []string) error {
			if err := f.known(ctx, s); err != nil {
				return err
			}
			text, err := kit.ReadSecret(env, from)
			if err != nil {
				return err
			}
			r, err := s.SAM.AddRegistration(ctx, sam.Registration{
				ClientID: f.clientID, Tenant: f.tenant, Name: f.name, Kind: msapi.ClientSecret, NotAfter: expires.At, Created: s.Now(),
			}, text)
			if err != nil {
				return err
			}
			fmt.Fprintf(env.Stdout, "The app %s proves itself by a secret; a certificate is better: partnerguard connect app certificate\n", r.ClientID)
			return nil
		}),
	}
	f.register(cmd, true)
	cmd.Flags().StringVar(&from, "from", "-", "a file with the secret, or - for standard input")
	cmd.Flags().Var(&expires, "expires", "when it expires, as the app registration says: for the forecast")
	return cmd
}

func newAppFederated(env *kit.Env, open kit.Opener) *cobra.Command {
	var f appFlags
	var file string
	cmd := &cobra.Command{
		Use: "federated", Short: "Prove an app by a token file that a platform keeps fresh", Args: kit.NoWords,
		Example: "  partnerguard connect app federated --client-id ID --tenant TENANT --file /var/run/secrets/azure/tokens/azure-identity-token",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return problem.New(problem.Usage, "which file?").WithHint("--file, as AZURE_FEDERATED_TOKEN_FILE names it")
			}
			path, err := filepath.Abs(file)
			if err != nil {
				return problem.Wrap(err, problem.Usage, "the path %s cannot be understood", file)
			}
			return open.With(cmd.Context(), func(s *app.Installation) error {
				if err := f.known(cmd.Context(), s); err != nil {
					return err
				}
				r, err := s.SAM.AddRegistration(cmd.Context(), sam.Registration{ClientID: f.clientID, Tenant: f.tenant, Name: f.name, Kind: msapi.Federated,
					File: path, Created: s.Now()}, secret.Text{})
				if err != nil {
					return err
				}
				fmt.Fprintf(env.Stdout, "The app %s proves itself by the token in %s.\n", r.ClientID, r.File)
				if t, err := os.Open(r.File); err != nil {
					fmt.Fprintln(env.Stderr, "partnerguard: that file cannot be read now; it must be when a token is asked for")
				} else {
					_ = t.Close()
				}
				return nil
			})
		},
	}
	f.register(cmd, true)
	cmd.Flags().StringVar(&file, "file", "", "the token file")
	_ = cmd.MarkFlagFilename("file")
	return cmd
}

func newAppRemove(env *kit.Env, open kit.Opener) *cobra.Command {
	var f appFlags
	cmd := &cobra.Command{
		Use: "remove", Short: "Forget an app and delete its sealed credential", Args: kit.NoWords,
		Example: "  partnerguard connect app remove --client-id ID",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.clientID == "" {
				return problem.New(problem.Usage, "which app?").WithHint("--client-id; partnerguard connect app list shows them")
			}
			return open.With(cmd.Context(), func(s *app.Installation) error {
				if err := s.SAM.RemoveRegistration(cmd.Context(), f.clientID); err != nil {
					return err
				}
				fmt.Fprintln(env.Stdout, "Forgotten. Its connections can no longer be renewed; remove the credential from the app registration too.")
				return nil
			})
		},
	}
	f.register(cmd, false)
	return cmd
}

func connectManifest(open kit.Opener) *cobra.Command {
	var features []string
	var clientID, tenant, redirect string
	cmd := &cobra.Command{
		Use: "manifest", Short: "Print the app manifest with the least permissions, and the admin-consent link", Args: kit.NoWords,
		Example: `  partnerguard connect manifest --feature customers,forecast,sign-ins
  partnerguard connect manifest --client-id ID --tenant TENANT`,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		list, err := parseFeatures(features)
		if err != nil {
			return err
		}
		b, err := capture.Permissions(list).JSON(redirect)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s\n", b); err != nil {
			return err
		}
		if clientID == "" || tenant == "" {
			return nil
		}
		return open.With(cmd.Context(), func(s *app.Installation) error {
			fmt.Fprintf(cmd.ErrOrStderr(), "Admin consent: %s\n", capture.AdminConsentURL(s.Cloud, tenant, clientID, redirect))
			return nil
		})
	}
	addFeatures(cmd, &features)
	cmd.Flags().StringVar(&clientID, "client-id", "", "the app's client id, for the admin-consent link")
	cmd.Flags().StringVar(&tenant, "tenant", "", "the partner tenant, for the admin-consent link")
	cmd.Flags().StringVar(&redirect, "redirect", "http://localhost", "one of the app's redirect URIs")
	return cmd
}
