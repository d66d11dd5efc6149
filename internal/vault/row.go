package vault

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// Limits of what is kept.
const (
	MaxSecret = 64 << 10 // bytes of one secret
	MaxName   = 256      // bytes of each of a Ref's names
)

// ErrDamaged says that a row, or the keyset, does not open under the right key:
// it was changed, cut, or belongs elsewhere. Use errors.Is.
var ErrDamaged = errors.New("damaged")

// Ref names a secret. All three are bound to the sealed row. They are not
// secret and appear in errors, logs and backups.
type Ref struct {
	Purpose string `json:"purpose"`         // what kind: "refresh-token", "app-key"; required
	Owner   string `json:"owner,omitempty"` // whose: an id
	Name    string `json:"name,omitempty"`  // which of the owner's
}

// String is purpose/owner/name.
func (r Ref) String() string { return r.Purpose + "/" + r.Owner + "/" + r.Name }

func (r Ref) check() error {
	if r.Purpose == "" {
		return problem.New(problem.Internal, "a secret has no purpose")
	}
	for _, s := range []string{r.Purpose, r.Owner, r.Name} {
		if len(s) > MaxName {
			return problem.New(problem.Limit, "a secret's name has %d bytes, and %d are allowed", len(s), MaxName)
		}
		if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
			return problem.New(problem.BadInput, "a secret's name has characters that cannot be shown")
		}
	}
	return nil
}

// The layout of a sealed row: a version, then Tink's ciphertext, which begins
// with 0x01 and the key's id in four bytes (Tink wire format), a nonce of 24
// bytes, and ends with a tag of 16.
const (
	rowVersion = 1
	prefixLen  = 1 + 5
	overhead   = prefixLen + 24 + 16
	maxSealed  = MaxSecret + overhead
)

// bind is associated data that cannot be read in two ways: a domain, then each
// part after its length.
func bind(domain string, parts ...string) []byte {
	n := 4 + len(domain)
	for _, p := range parts {
		n += 4 + len(p)
	}
	out := make([]byte, 0, n)
	for _, p := range append([]string{domain}, parts...) {
		out = binary.BigEndian.AppendUint32(out, uint32(len(p)))
		out = append(out, p...)
	}
	return out
}

func rowData(r Ref) []byte {
	return bind("partnerguard vault row", string(rune(rowVersion)), r.Purpose, r.Owner, r.Name)
}

// seal seals plain for r.
func (k *keys) seal(r Ref, plain []byte) ([]byte, error) {
	body, err := k.aead.Encrypt(plain, rowData(r))
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "a secret could not be sealed")
	}
	return append([]byte{rowVersion}, body...), nil
}

// open opens a sealed row. The error is a reason in words; the caller names the
// row.
func (k *keys) open(r Ref, sealed []byte) ([]byte, error) {
	switch {
	case len(sealed) < overhead:
		return nil, errors.New("it is cut short")
	case len(sealed) > maxSealed:
		return nil, errors.New("it is longer than a secret may be")
	case sealed[0] != rowVersion:
		return nil, fmt.Errorf("it has an unknown format (%d)", sealed[0])
	case !k.knows(sealed):
		return nil, errors.New("it is sealed under a key that this vault does not have")
	}
	plain, err := k.aead.Decrypt(sealed[1:], rowData(r))
	if err != nil {
		return nil, errors.New("it was changed, or it is another row's")
	}
	return plain, nil
}

// knows tells whether the row is sealed under a key of this keyset.
func (k *keys) knows(sealed []byte) bool {
	return len(sealed) >= prefixLen && sealed[1] == tinkPrefix && k.ids[binary.BigEndian.Uint32(sealed[2:prefixLen])]
}

const tinkPrefix = 1

// prefix is how rows begin that are sealed under the key id.
func prefix(id uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{rowVersion, tinkPrefix}, id)
}

// Put seals s and keeps it at r, over what was there. q is the caller's
// transaction, or nil for one of its own; in a transaction, nothing is kept
// until it commits.
func (v *Vault) Put(ctx context.Context, q db.Querier, r Ref, s secret.Text) error {
	if err := r.check(); err != nil {
		return err
	}
	plain := []byte(s.Reveal())
	defer clear(plain)
	switch {
	case len(plain) == 0:
		return problem.New(problem.Internal, "the secret %s is empty", r)
	case len(plain) > MaxSecret:
		return problem.New(problem.Limit, "the secret %s has %d bytes, and %d are allowed", r, len(plain), MaxSecret)
	}
	return v.within(ctx, q, func(q db.Querier) error {
		k, err := v.currentKeys(ctx, q)
		if err != nil {
			return err
		}
		sealed, err := k.seal(r, plain)
		if err != nil {
			return err
		}
		return putRow(ctx, q, r, sealed, v.now())
	})
}

// Get opens the secret at r: problem.NotFound when there is none, [ErrDamaged]
// when it does not open. q is the caller's transaction, or nil.
func (v *Vault) Get(ctx context.Context, q db.Querier, r Ref) (secret.Text, error) {
	if err := r.check(); err != nil {
		return secret.Text{}, err
	}
	plain, reason, err := v.read(ctx, q, r)
	if err != nil {
		return secret.Text{}, err
	}
	if reason != nil {
		return secret.Text{}, errors.Join(damaged(r, reason), v.tell(ctx, q, r, reason))
	}
	defer clear(plain)
	return secret.New(string(plain)), nil
}

// read opens the row at r; the reason is why it does not open, err why there is
// nothing to open. The caller clears what it gets.
func (v *Vault) read(ctx context.Context, q db.Querier, r Ref) (plain []byte, reason, err error) {
	if own(q) {
		q = v.querier(v.db.DB)
	}
	k := v.cached()
	// The row may be sealed under a key that another process made a moment ago,
	// or be sealed again between two statements: read both again, a few times.
	for range 4 {
		sealed, err := getRow(ctx, q, r)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, nil, problem.New(problem.NotFound, "the vault has no %s", r)
		}
		if err != nil {
			return nil, nil, dbFailed(err)
		}
		if plain, reason = k.open(r, sealed); reason == nil {
			return plain, nil, nil
		}
		newer, err := v.load(ctx, q)
		if err != nil {
			return nil, nil, err
		}
		if newer.generation == k.generation {
			break
		}
		k = newer
	}
	return nil, reason, nil
}

// tell logs and records that a row does not open, once an hour a row.
func (v *Vault) tell(ctx context.Context, q db.Querier, r Ref, reason error) error {
	if !v.news(r) {
		return nil
	}
	v.log.ErrorContext(ctx, "a sealed secret does not open", "ref", r.String(), "reason", reason.Error())
	if own(q) {
		q = nil
	}
	return v.record(ctx, q, audit.Event{Action: audit.VaultDamaged, Outcome: audit.Failed, Object: r.String(), Reason: reason.Error()})
}

// Delete removes the secret at r; there need not be one. q is the caller's
// transaction, or nil.
func (v *Vault) Delete(ctx context.Context, q db.Querier, r Ref) error {
	if err := r.check(); err != nil {
		return err
	}
	if own(q) {
		q = v.querier(v.db.DB)
	}
	return dbFailed(deleteRow(ctx, q, r))
}

func damaged(r Ref, reason error) error {
	return problem.Wrap(ErrDamaged, problem.BadInput, "the sealed secret %s does not open: %s", r, reason).
		WithHint("the others are not touched; partnerguard vault check lists all that are damaged; put the secret in again, or restore a backup")
}
