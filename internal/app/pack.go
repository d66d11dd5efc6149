//go:build !judge

package app

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"os"
	"strings"

	formats "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/pack"
	"partnerguard/internal/pack/form"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
	"partnerguard/internal/trail"
	"partnerguard/internal/trail/anchor"
	"partnerguard/internal/vault"
)

// packs makes what makes packs; without the vault it only tells of them.
func (i *Installation) packs() (*pack.Store, error) {
	d := pack.Deps{DB: i.DB, Archive: i.Archive, Trail: i.Trail, Now: i.Now, Tool: packTool(), Actor: i.Actor, Log: i.Log}
	if i.Vault != nil {
		d.Signer = func(ctx context.Context) (*trail.Signer, error) { return i.Trail.Signer(ctx, i.Vault) }
		d.Secret = i.packSalts
		judge := i.Packer()
		d.Judge, d.Again = judge.Judge, judge.Again
		d.Asked = i.makeAsked
	}
	var err error
	d.Stamp, err = i.packStamp()
	if err != nil {
		return nil, err
	}
	return pack.New(d)
}

// packSalts is the key that salts come from. It is made once, and sealed: without it
// nothing more can be left out of what was kept before.
func (i *Installation) packSalts(ctx context.Context) (secret.Text, error) {
	ref := vault.Ref{Purpose: "pack-salts", Owner: "installation", Name: "hmac-sha256"}
	s, err := i.Vault.Get(ctx, ref)
	if !errors.Is(err, problem.NotFound) {
		return s, err
	}
	made := secret.New(base64.StdEncoding.EncodeToString(token.Bytes(32)))
	err = i.DB.InTx(ctx, func(ctx context.Context) error {
		if s, err = i.Vault.Get(ctx, ref); !errors.Is(err, problem.NotFound) {
			return err // another process was faster
		}
		s = made
		return i.Vault.Put(ctx, ref, made)
	})
	return s, err
}

// packStamp asks the first time stamping authority of the settings; nil: there is none.
func (i *Installation) packStamp() (func(context.Context, []byte) ([]byte, error), error) {
	list, err := i.Keeper.Anchors()
	if err != nil {
		return nil, err
	}
	for _, a := range list {
		if t, ok := a.(*anchor.Timestamp); ok {
			return func(ctx context.Context, data []byte) ([]byte, error) {
				raw, _, err := t.Stamp(ctx, data)
				return raw, err
			}, nil
		}
	}
	return nil, nil
}

// MakePack makes a pack. The tenant may be named by its id, or not at all where it is
// clear; a customer by its id.
func (i *Installation) MakePack(ctx context.Context, o pack.Options) (*pack.Made, error) {
	if o.Customer != "" {
		o.Customer = strings.ToLower(o.Customer)
		o.Tenant = o.Customer
	}
	tenant, err := i.ArchiveTenant(ctx, strings.ToLower(o.Tenant))
	if err != nil {
		return nil, err
	}
	o.Tenant = tenant
	if o.Customer != "" {
		o.Customer = tenant
	}
	return i.Packs.Make(ctx, o)
}

// PackTrust says what a pack is held to: a key, as trail key prints it, keys of
// witnesses, and a file of authorities; each may be left out.
func PackTrust(key string, witnesses []string, roots string) (t form.Trust, err error) {
	if key != "" {
		if t.Key, err = note.NewVerifier(strings.TrimSpace(key)); err != nil {
			return t, problem.New(problem.Usage, "the key that the pack must be signed by cannot be read").
				WithHint("partnerguard trail key prints it, where the pack was made")
		}
	}
	for _, w := range witnesses {
		v, err := formats.NewVerifierForCosignatureV1(strings.TrimSpace(w))
		if err != nil {
			return t, problem.New(problem.Usage, "the key of a witness cannot be read").
				WithHint("it looks like witness.example.com/w1+a1b2c3d4+B…: its operator publishes it")
		}
		t.Witnesses = append(t.Witnesses, v)
	}
	if roots == "" {
		return t, nil
	}
	raw, err := os.ReadFile(roots)
	if err != nil {
		return t, problem.Wrap(err, problem.NotFound, "%s cannot be read%s", roots, problem.Reason(err))
	}
	if t.Roots = x509.NewCertPool(); !t.Roots.AppendCertsFromPEM(raw) {
		return t, problem.New(problem.Usage, "%s has no certificate in it", roots)
	}
	return t, nil
}
