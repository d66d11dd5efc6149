package mfa

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"

	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

// argon2id as OWASP's password storage cheat sheet has it at least (RFC 9106).
const (
	argonTime   = 2
	argonMemory = 19 << 10 // KiB
	argonLen    = 32
)

// slowHash is what is kept of a code that people type. key is a random secret that only
// the vault has: without the master key the hash says nothing, however short the code is.
func (s *Store) slowHash(ctx context.Context, key secret.Text, id string, code secret.Text) (string, error) {
	select {
	case s.slow <- struct{}{}:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	defer func() { <-s.slow }()
	m := hmac.New(sha256.New, []byte(key.Reveal()))
	m.Write([]byte(code.Reveal()))
	salt := sha256.Sum256([]byte(id))
	return hex.EncodeToString(argon2.IDKey(m.Sum(nil), salt[:16], argonTime, argonMemory, 1, argonLen)), nil
}

// quickHash is what is kept of a secret with 256 random bits of its own.
func quickHash(t secret.Text) string {
	sum := sha256.Sum256([]byte(t.Reveal()))
	return hex.EncodeToString(sum[:])
}

// codesRef is the key of the hashes of recovery codes, or of a pass.
func codesRef(p *Person, id string) vault.Ref {
	return vault.Ref{Purpose: "mfa-codes", Owner: p.ID, Name: id, Bound: vault.Bound(p.Account.Tenant, p.Account.Object, id)}
}

// knownRef is the key of the cookies of the browsers that a person has proven before.
func knownRef(p *Person) vault.Ref {
	return vault.Ref{Purpose: "mfa-known", Owner: p.ID, Bound: vault.Bound(p.Account.Tenant, p.Account.Object)}
}

// KnownFor is how long a browser is known after a right answer.
const KnownFor = 90 * 24 * time.Hour

// Known is the value of the cookie that tells a browser of a person's own, so that its
// answers do not wait for what strangers do to the account. It proves nothing else.
func (s *Store) Known(ctx context.Context, p *Person) (secret.Text, error) {
	key, err := s.d.Vault.Get(ctx, knownRef(p))
	if err != nil {
		return secret.Text{}, err
	}
	made := strconv.FormatInt(s.now().Unix(), 36)
	return secret.New(made + "." + knownMAC(key, p, made)), nil
}

func knownMAC(key secret.Text, p *Person, made string) string {
	m := hmac.New(sha256.New, []byte(key.Reveal()))
	m.Write([]byte("known browser\x00" + p.ID + "\x00" + made))
	return hex.EncodeToString(m.Sum(nil)[:16])
}

// knows says whether a cookie is one of [Store.Known], and what its browser is called
// among the tries.
func (s *Store) knows(ctx context.Context, p *Person, cookie secret.Text) (string, bool) {
	made, mac, ok := strings.Cut(cookie.Reveal(), ".")
	at, err := strconv.ParseInt(made, 36, 64)
	if !ok || err != nil || len(mac) != 32 {
		return "", false
	}
	if age := s.now().Sub(time.Unix(at, 0)); age < -5*time.Minute || age > KnownFor {
		return "", false
	}
	key, err := s.d.Vault.Get(ctx, knownRef(p))
	if err != nil || !hmac.Equal([]byte(mac), []byte(knownMAC(key, p, made))) {
		return "", false
	}
	return made, true
}
