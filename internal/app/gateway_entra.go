//go:build !judge

package app

import (
	"cmp"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/audit"
	"partnerguard/internal/claim"
	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/revoke"
	"partnerguard/internal/gateway/session"
	"partnerguard/internal/msapi"
	"partnerguard/internal/notify"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

// keysAge is how old the authorities' keys may be while they can be asked: so long one that
// was taken back still counts.
const keysAge = 15 * time.Minute

// gatewayKeys are the signing keys of the authorities that a gateway's file names.
type gatewayKeys struct{ i *Installation }

// anyTenant is the tenant whose keys are all tenants' of a cloud.
const anyTenant = "common"

// Keys is of verify.Source.
func (k gatewayKeys) Keys(ctx context.Context, of gateway.Authority, kid string) (jose.JSONWebKeySet, error) {
	if of.Keys != "" {
		return readKeySet(of.Keys, of.Issuers)
	}
	cloud := k.i.Cloud
	if of.Cloud != connectedCloud {
		var err error
		if cloud, err = msapi.FindCloud(of.Cloud); err != nil {
			return jose.JSONWebKeySet{}, err
		}
	}
	return k.i.API.KeysOf(ctx, cloud, anyTenant, kid, keysAge)
}

// readKeySet reads a file of keys.
func readKeySet(path string, issuers []string) (jose.JSONWebKeySet, error) {
	const most = 1 << 20
	f, err := os.Open(path)
	if err != nil {
		return jose.JSONWebKeySet{}, problem.Wrap(err, problem.BadInput, "the file of keys %s cannot be read", path).WithHint("look at its path and rights")
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil || len(raw) > most {
		return jose.JSONWebKeySet{}, problem.New(problem.Limit, "the file of keys %s cannot be read, or is longer than %d bytes", path, most)
	}
	set, err := claim.ReadKeySet(raw)
	if err != nil {
		return jose.JSONWebKeySet{}, err
	}
	return set.For("", issuers...), nil
}

// assertionRef is where the key is sealed that signs what upstreams are told.
var assertionRef = vault.Ref{Purpose: "gateway-assertion", Name: "key"}

// assertionKey is that key, made the first time.
func (i *Installation) assertionKey(ctx context.Context) (crypto.Signer, error) {
	text, err := i.Vault.Get(ctx, assertionRef)
	if errors.Is(err, problem.NotFound) {
		err = i.DB.InTx(ctx, func(ctx context.Context) error {
			if _, err := i.Vault.Get(ctx, assertionRef); !errors.Is(err, problem.NotFound) {
				return err // another process was faster
			}
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				return err
			}
			der, err := x509.MarshalPKCS8PrivateKey(key)
			if err != nil {
				return err
			}
			return i.Vault.Put(ctx, assertionRef, secret.New(base64.StdEncoding.EncodeToString(der)))
		})
		if err == nil {
			text, err = i.Vault.Get(ctx, assertionRef)
		}
	}
	if err != nil {
		return nil, err
	}
	der, err := base64.StdEncoding.DecodeString(text.Reveal())
	if err == nil {
		var key any
		if key, err = x509.ParsePKCS8PrivateKey(der); err == nil {
			if signer, ok := key.(*ecdsa.PrivateKey); ok {
				return signer, nil
			}
		}
	}
	return nil, problem.New(problem.Internal, "the key that signs the gateway's assertions cannot be used").
		WithHint("partnerguard vault check looks at what is sealed")
}

// gatewaySignIn is the app that signs browsers in, with its credential: a sealed secret or
// a file that the gateway's file names, else the app as it is registered here.
func (i *Installation) gatewaySignIn(ctx context.Context, t *gateway.Table) (session.SignIn, error) {
	s := t.SignIn
	if s == nil {
		return session.SignIn{}, problem.New(problem.NotFound, "the gateway's file has no app that signs people in").WithHint("signIn: docs/gateway-config.md")
	}
	out := session.SignIn{App: msapi.App{ClientID: s.App}, Cloud: i.Cloud}
	switch c, err := i.SAM.Connection(ctx, i.Config.Collect.Connection); {
	case err == nil:
		out.Tenant, out.Name = strings.ToLower(c.Tenant), cmp.Or(c.Domain, c.Name, c.Tenant)
	case i.lab != nil:
		out.Tenant = strings.ToLower(i.lab.Info.Tenant.ID)
		out.Name = out.Tenant
	default:
		return out, err
	}
	var text secret.Text
	var err error
	switch {
	case s.SecretFile != "":
		text, err = secretFile(s.SecretFile)
	case s.Secret != "":
		text, err = i.Vault.Get(ctx, notify.Ref(s.Secret))
	default:
		out.App, err = i.SAM.Store.App(ctx, s.App)
		return out, err
	}
	if err == nil {
		out.App.Credential, err = msapi.NewSecret(text, time.Time{}) // when it ends is not told here
	}
	return out, err
}

// secretFile reads a secret from a file, without the line's end.
func secretFile(path string) (secret.Text, error) {
	const most = 4096
	raw, err := os.ReadFile(path)
	if err != nil {
		return secret.Text{}, problem.Wrap(err, problem.BadInput, "the file of the sign-in's secret %s cannot be read", path).
			WithHint("look at its path and rights")
	}
	if len(raw) > most || strings.TrimSpace(string(raw)) == "" {
		return secret.Text{}, problem.New(problem.BadInput, "the file %s holds no client secret", path).WithHint("one line, as Entra ID showed it once")
	}
	return secret.New(strings.TrimSpace(string(raw))), nil
}

// endSession has an ended session revoked everywhere.
func (i *Installation) endSession(ctx context.Context, e session.Ended) error {
	r := revoke.Revocation{Kind: revoke.Token, Value: e.ID, Until: e.Until, Why: cmp.Or(e.Why, "the session ended")}
	switch {
	case e.Session != "":
		r.Kind, r.Value = revoke.Session, e.Session
	case e.ObjectID != "":
		r.Kind, r.Value, r.Tenant, r.Before = revoke.User, e.ObjectID, e.Tenant, e.At
	}
	_, err := i.Gateway.Revoke.End(ctx, r, cmp.Or(e.Actor, "system:gateway"))
	return err
}

// recordSession writes down what happens at the sign-in of browsers.
func (i *Installation) recordSession(ctx context.Context, e session.Event) error {
	a := audit.Event{At: e.At, Action: audit.GatewayEntered, Outcome: audit.Done, Actor: e.Actor, Object: e.Session, Tenant: e.Tenant, Reason: e.Reason,
		Details: map[string]string{"what": string(e.What), "host": e.Host}}
	for k, v := range e.Details {
		a.Details[k] = v
	}
	if e.Object != "" {
		a.Details["objectId"] = e.Object
	}
	switch e.What {
	case session.Left:
		a.Action = audit.GatewayLeft
	case session.Refused:
		a.Outcome = audit.Refused
	}
	return i.Trail.Record(ctx, a)
}
