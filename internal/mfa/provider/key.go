package provider

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // RFC 7517 section 4.8 wants it
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"math/big"
	"slices"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

// KeyState says what a key of ours is for.
type KeyState string

// The states. All but the last are published.
const (
	Signing   KeyState = "signing"
	Next      KeyState = "next"  // takes the place of the one that signs, once Entra ID has surely read it
	Spare     KeyState = "spare" // for the day on which the one that signs is stolen or lost
	Old       KeyState = "old"   // signed until lately
	Withdrawn KeyState = "withdrawn"
)

// Key is one of our keys. What signs is in the vault.
type Key struct {
	ID        string    `json:"kid"`
	State     KeyState  `json:"state"`
	Made      time.Time `json:"made"` // and published
	Signs     time.Time `json:"signs,omitzero"`
	Ended     time.Time `json:"ended,omitzero"` // signed until
	Withdrawn time.Time `json:"withdrawn,omitzero"`

	certificate string // DER in base64
	version     int64
	mark        []byte
}

// How keys roll (contracts.md section 6.1): Entra ID keeps what it read for a day, and
// the old key goes on signing for about two.
const (
	Seen     = 24 * time.Hour // after which Entra ID has read a key that is published
	signsOn  = 48 * time.Hour
	keptOld  = 48 * time.Hour
	keyBits  = 2048
	certLife = 10 * 366 * 24 * time.Hour
	maxKeys  = 1000 // rows, of which all but a few are withdrawn
)

func keyRef(id string) vault.Ref { return vault.Ref{Purpose: "mfa-key", Owner: id} }

// Keys are our keys, the newest first, withdrawn ones too. Rows are held to their marks
// where the vault is open.
func (p *Provider) Keys(ctx context.Context) ([]Key, error) {
	list, err := p.readKeys(ctx)
	for i := range list {
		if err != nil || p.d.Vault == nil {
			break
		}
		err = p.d.Vault.Fits(ctx, KeyBook, list[i].mark, list[i].values()...)
	}
	if err != nil || p.d.Last == nil || p.d.Vault == nil {
		return list, err
	}
	said, err := p.d.Last(ctx)
	for i := range list {
		if err == nil && list[i].State != Withdrawn {
			err = p.notEnded(ctx, KeyBook.Table, list[i].ID, said, audit.MFAKeyWithdrawn)
		}
	}
	return list, err
}

// notEnded refuses a row that was put back: the trail says that it had ended. A key that
// was stolen and withdrawn must not be published again by who writes into the database.
func (p *Provider) notEnded(ctx context.Context, table, id string, said func(string) (audit.Action, error), end audit.Action) error {
	last, err := said(id)
	if err != nil || last != end {
		return err
	}
	p.d.Log.ErrorContext(ctx, "a row of the database was put back", "table", table, "id", id)
	return problem.Wrap(vault.ErrForged, problem.BadInput, "%s of %s is in the database as it was before, and the audit trail says that it ended", id, table).
		WithHint("something else wrote into the database, or an older one was put back: partnerguard trail verify looks")
}

// of finds the key in a state; there is at most one that signs, comes next or is spare.
func of(list []Key, s KeyState) *Key {
	if i := slices.IndexFunc(list, func(k Key) bool { return k.State == s }); i >= 0 {
		return &list[i]
	}
	return nil
}

// fresh is a key that nobody knows yet.
type fresh struct {
	Key
	private secret.Text
}

// makeKey makes an RSA key with a certificate of its own. Entra ID compares the kid's
// text: it is the SHA-256 of the public key in base64url.
func makeKey(now time.Time) (fresh, error) {
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return fresh{}, err
	}
	public, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		return fresh{}, err
	}
	sum := sha256.Sum256(public)
	id := base64.RawURLEncoding.EncodeToString(sum[:])
	serial := new(big.Int).SetBytes(sum[:16])
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "partnerguard External MFA"}, NotBefore: now.Add(-time.Hour),
		NotAfter: now.Add(certLife), KeyUsage: x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return fresh{}, err
	}
	sealed, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return fresh{}, err
	}
	now = now.UTC().Truncate(time.Microsecond)
	return fresh{Key{ID: id, Made: now, certificate: base64.StdEncoding.EncodeToString(der), version: 1},
		secret.New(base64.StdEncoding.EncodeToString(sealed))}, nil
}

// add keeps a key that was made, in a state.
func (p *Provider) add(ctx context.Context, k fresh, s KeyState, actor string) error {
	k.State = s
	if s == Signing {
		k.Signs = k.Made
	}
	if err := p.insertKey(ctx, &k.Key); err != nil {
		return err
	}
	if err := p.d.Vault.Put(ctx, keyRef(k.ID), k.private); err != nil {
		return err
	}
	return p.tell(ctx, audit.MFAKeyMade, &k.Key, actor, "")
}

func (p *Provider) tell(ctx context.Context, a audit.Action, k *Key, actor, reason string) error {
	return p.d.Record.Record(ctx, audit.Event{Action: a, Outcome: audit.Done, Actor: actor, Object: k.ID, Reason: reason,
		Details: map[string]string{"state": string(k.State)}})
}

// Prepare makes the key that signs and the spare one, where there are none: both are
// published from the start.
func (p *Provider) Prepare(ctx context.Context, actor string) error {
	for range 3 {
		list, err := p.Keys(ctx)
		if err != nil {
			return err
		}
		state := Signing
		switch {
		case of(list, Signing) == nil:
		case of(list, Spare) == nil:
			state = Spare
		default:
			return nil
		}
		k, err := makeKey(p.d.Now())
		if err != nil {
			return err
		}
		if err := p.d.DB.InTx(ctx, func(ctx context.Context) error { return p.add(ctx, k, state, actor) }); err != nil && !errors.Is(err, problem.Conflict) {
			return err
		} // another process made one meanwhile: there is nothing to do
	}
	return nil
}

// Roll publishes the key that comes next. It signs after two days, by [Provider.Turn].
// Kind problem.Conflict where one is published already.
func (p *Provider) Roll(ctx context.Context, actor string) (Key, error) {
	k, err := makeKey(p.d.Now())
	if err != nil {
		return Key{}, err
	}
	k.State = Next
	return k.Key, p.d.DB.InTx(ctx, func(ctx context.Context) error {
		list, err := p.Keys(ctx)
		if err != nil {
			return err
		}
		if was := of(list, Next); was != nil {
			return problem.New(problem.Conflict, "a next key is published already, since %s", was.Made.Format(time.RFC3339)).
				WithHint("it takes over by itself two days after; partnerguard mfa status shows it")
		}
		return p.add(ctx, k, Next, actor)
	})
}

// Turn has the next key sign. Entra ID keeps our keys for a day, so one that is
// published for less is refused as problem.Unmet.
func (p *Provider) Turn(ctx context.Context, actor string) (now Key, err error) {
	return now, p.d.DB.InTx(ctx, func(ctx context.Context) error {
		list, err := p.Keys(ctx)
		if err != nil {
			return err
		}
		next, at := of(list, Next), p.d.Now().UTC().Truncate(time.Microsecond)
		switch {
		case next == nil:
			return problem.New(problem.NotFound, "there is no next key").WithHint("partnerguard mfa keys roll publishes one")
		case at.Sub(next.Made) < Seen:
			return problem.New(problem.Unmet, "the next key is published since %s, and Entra ID keeps what it read for a day",
				next.Made.Format(time.RFC3339)).WithHint("wait until %s; a key that was stolen is replaced by: partnerguard mfa keys emergency",
				next.Made.Add(Seen).Format(time.RFC3339))
		}
		if was := of(list, Signing); was != nil {
			was.State, was.Ended = Old, at
			if err := p.updateKey(ctx, was); err != nil {
				return err
			}
		}
		next.State, next.Signs = Signing, at
		now = *next
		if err := p.updateKey(ctx, next); err != nil {
			return err
		}
		return p.tell(ctx, audit.MFAKeySwitched, next, actor, "")
	})
}

// Emergency has the spare key sign at once, which Entra ID has known all along, and
// withdraws the one that signed: it was stolen or lost. A new spare one is made. Early
// says that the spare key is published for less than a day, so that sign-ins fail until
// Entra ID reads our keys again.
func (p *Provider) Emergency(ctx context.Context, actor string) (now Key, early bool, err error) {
	k, err := makeKey(p.d.Now())
	if err != nil {
		return Key{}, false, err
	}
	return now, early, p.d.DB.InTx(ctx, func(ctx context.Context) error {
		list, err := p.Keys(ctx)
		if err != nil {
			return err
		}
		spare, at := of(list, Spare), p.d.Now().UTC().Truncate(time.Microsecond)
		if spare == nil {
			return problem.New(problem.NotFound, "there is no spare key").WithHint("partnerguard serve makes one when it starts")
		}
		if was := of(list, Signing); was != nil {
			if err := p.withdraw(ctx, was, at, actor, "it was replaced at once"); err != nil {
				return err
			}
		}
		early = at.Sub(spare.Made) < Seen
		spare.State, spare.Signs = Signing, at
		now = *spare
		if err := p.updateKey(ctx, spare); err != nil {
			return err
		}
		if err := p.tell(ctx, audit.MFAKeySwitched, spare, actor, "the key before it was stolen or lost"); err != nil {
			return err
		}
		return p.add(ctx, k, Spare, actor)
	})
}

// withdraw takes a key out of what is published, and removes what it signed with.
func (p *Provider) withdraw(ctx context.Context, k *Key, at time.Time, actor, why string) error {
	if k.Ended.IsZero() {
		k.Ended = at
	}
	k.State, k.Withdrawn = Withdrawn, at
	if err := p.updateKey(ctx, k); err != nil {
		return err
	}
	if err := p.d.Vault.Delete(ctx, keyRef(k.ID)); err != nil {
		return err
	}
	return p.tell(ctx, audit.MFAKeyWithdrawn, k, actor, why)
}

// upkeep does by the clock what is due: publishes the next key, has it sign, withdraws
// the old one.
func (p *Provider) upkeep(ctx context.Context) error {
	const actor = "system:mfa"
	if err := p.Prepare(ctx, actor); err != nil {
		return err
	}
	list, err := p.Keys(ctx)
	if err != nil {
		return err
	}
	now := p.d.Now().UTC().Truncate(time.Microsecond)
	signing, next := of(list, Signing), of(list, Next)
	switch {
	case next != nil && now.Sub(next.Made) >= signsOn:
		_, err = p.Turn(ctx, actor)
	case next == nil && signing != nil && now.Sub(signing.Signs) >= p.d.Config.KeyLife:
		_, err = p.Roll(ctx, actor)
	}
	if err != nil && !errors.Is(err, problem.Conflict) {
		return err
	}
	for i := range list {
		k := &list[i]
		if k.State != Old || now.Sub(k.Ended) < keptOld {
			continue
		}
		err := p.d.DB.InTx(ctx, func(ctx context.Context) error {
			one := *k
			return p.withdraw(ctx, &one, now, actor, "")
		})
		if err != nil && !errors.Is(err, problem.Conflict) {
			return err
		}
	}
	return nil
}

// publish writes a key as Entra ID reads it.
func (k *Key) publish() (published, error) {
	der, err := base64.StdEncoding.DecodeString(k.certificate)
	if err != nil {
		return published{}, problem.New(problem.Internal, "the certificate of a key cannot be read")
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return published{}, problem.New(problem.Internal, "the certificate of a key cannot be read")
	}
	public, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok {
		return published{}, problem.New(problem.Internal, "a key is not RSA")
	}
	sum := sha1.Sum(der) //nolint:gosec // RFC 7517 section 4.8 says so
	raw := base64.RawURLEncoding
	return published{Type: "RSA", Use: "sig", ID: k.ID, Algorithm: "RS256", Thumb: raw.EncodeToString(sum[:]), Chain: []string{k.certificate},
		N: raw.EncodeToString(public.N.Bytes()), E: raw.EncodeToString(big.NewInt(int64(public.E)).Bytes())}, nil
}
