package provider

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/time/rate"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/mfa"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

// Paths below the public address. The issuer is the public address and [Base].
const (
	Base          = "/mfa"
	DiscoveryPath = Base + "/.well-known/openid-configuration"
	KeysPath      = Base + "/keys"
	AuthorizePath = Base + "/authorize"
	scriptPath    = Base + "/post.js"
)

// ReturnPath is where Entra ID takes answers, at the authority of each cloud
// (contracts.md section 6.2).
const ReturnPath = "/common/federation/externalauthprovider"

// Vault seals private keys and vouches for rows; *vault.Vault meets it.
type Vault interface {
	Put(ctx context.Context, r vault.Ref, s secret.Text) error
	Get(ctx context.Context, r vault.Ref) (secret.Text, error)
	Delete(ctx context.Context, r vault.Ref) error
	Mark(ctx context.Context, b *vault.Book, values ...any) ([]byte, error)
	Fits(ctx context.Context, b *vault.Book, mark []byte, values ...any) error
}

// Keyring gives Entra ID's keys; *msapi.Client meets it, and bounds how often it asks.
type Keyring interface {
	Keys(ctx context.Context, cloud msapi.Cloud, tenant, kid string) (jose.JSONWebKeySet, error)
}

// Deps is everything the provider needs; all but Last and Log are required. Without Challenger
// and Vault it tells and answers nothing.
type Deps struct {
	DB         *db.DB
	Record     audit.Recorder
	Vault      Vault
	Entra      Keyring
	Cloud      msapi.Cloud
	Public     string // https://guard.contoso.example, without a path; "" answers nothing
	Plain      string // of a local partner cloud: its authority without TLS, for browsers that do not know its CA; else ""
	Challenger mfa.Challenger
	// Last gives the newest action that the audit trail has of a key or a tenant: rows
	// that were withdrawn may have been put back into the database. Optional.
	Last   func(ctx context.Context) (func(object string) (audit.Action, error), error)
	Config *Config
	Now    func() time.Time
	Log    *slog.Logger
}

// Provider answers Entra ID. It is an [mfa.Answerer]. Safe for concurrent use, by
// several processes over one database too.
type Provider struct {
	d     Deps
	entra entraKeys
	tally tally
	// strangers bounds how many refusals of requests that Entra ID did not sign go into
	// the trail, which never forgets: the log and the counts have all of them.
	strangers *rate.Limiter

	mu      sync.Mutex // guards the field below
	signers map[string]jose.Signer
}

// New makes the provider. Kind problem.Internal where something required is missing.
func New(d Deps) (*Provider, error) {
	if d.DB == nil || d.Config == nil || d.Now == nil {
		return nil, problem.New(problem.Internal, "the MFA provider lacks what it needs")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	p := &Provider{d: d, signers: map[string]jose.Signer{}, strangers: rate.NewLimiter(rate.Every(10*time.Second), 30)}
	p.entra.from, p.entra.cloud, p.entra.now = d.Entra, d.Cloud, d.Now
	p.tally.keep = p.addCount
	return p, nil
}

// Issuer is our name to Entra ID, which compares it character for character. "" where
// the installation has no public address.
func (p *Provider) Issuer() string {
	public := strings.TrimSuffix(p.d.Public, "/")
	if public == "" {
		return ""
	}
	return strings.TrimSuffix(public, ":443") + Base
}

// Discovery is the address that an administrator gives to Entra ID.
func (p *Provider) Discovery() string { return p.at(DiscoveryPath) }

// Authorization is the address that the app lists as its redirect URI.
func (p *Provider) Authorization() string { return p.at(AuthorizePath) }

func (p *Provider) at(path string) string {
	if p.Issuer() == "" {
		return ""
	}
	return strings.TrimSuffix(p.Issuer(), Base) + path
}

// Return is the one address that answers are sent to.
func (p *Provider) Return() string { return p.d.Cloud.Authority + ReturnPath }

// returns are all addresses that people are sent back to: Entra ID's one, and that of a
// local cloud without TLS.
func (p *Provider) returns() []string {
	out := []string{p.Return()}
	if p.d.Plain != "" {
		out = append(out, p.d.Plain+ReturnPath)
	}
	return out
}

// Challenge sets what asks people for their factors, which itself needs an answerer:
// once, before anything is answered.
func (p *Provider) Challenge(c mfa.Challenger) { p.d.Challenger = c }

// usable says that there is what answering needs.
func (p *Provider) usable() error {
	if p.Issuer() == "" {
		return problem.New(problem.Unavailable, "the MFA provider has no address of its own").
			WithHint("set publicURL to the address by which browsers reach this server, and start it anew")
	}
	if p.d.Vault == nil || p.d.Challenger == nil || p.d.Record == nil || p.d.Entra == nil {
		return problem.New(problem.Unavailable, "the MFA provider is not open here").WithHint("partnerguard serve runs it")
	}
	return nil
}
