package vault

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"partnerguard/internal/audit"
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
	// Bound is what the secret is only good for, as [Bound] writes it: it is
	// sealed with the secret as associated data, which opens for nothing else.
	Bound string `json:"-"`
}

// MaxBound is how long a Ref's Bound may be.
const MaxBound = 8 << 10

// Bound writes what a secret is bound to: values that cannot be read in two ways.
func Bound(values ...string) string {
	var b []byte
	for _, v := range values {
		b = append(strconv.AppendInt(b, int64(len(v)), 10), ':')
		b = append(b, v...)
	}
	return string(b)
}

// plainly is r without what it is bound to.
func (r Ref) plainly() Ref { r.Bound = ""; return r }

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
	if len(r.Bound) > MaxBound {
		return problem.New(problem.Limit, "a secret is bound to %d bytes, and %d are allowed", len(r.Bound), MaxBound)
	}
	return nil
}

// The layout of a sealed row: a version, then Tink's ciphertext, which begins
// with 0x01 and the key's id in four bytes (Tink wire format), a nonce of 24
// bytes, and ends with a tag of 16. In version 2 follow, in the clear, what the
// secret is bound to, and its length in two bytes.
const (
	rowVersion   = 1
	boundVersion = 2
	prefixLen    = 1 + 5
	overhead     = prefixLen + 24 + 16
	maxSealed    = MaxSecret + overhead + MaxBound + 2
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
	if r.Bound != "" {
		return bind("partnerguard vault row", string(rune(boundVersion)), r.Purpose, r.Owner, r.Name, r.Bound)
	}
	return bind("partnerguard vault row", string(rune(rowVersion)), r.Purpose, r.Owner, r.Name)
}

// seal seals plain for r.
func (k *keys) seal(r Ref, plain []byte) ([]byte, error) {
	body, err := k.aead.Encrypt(plain, rowData(r))
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "a secret could not be sealed")
	}
	if r.Bound == "" {
		return append([]byte{rowVersion}, body...), nil
	}
	out := append(append([]byte{boundVersion}, body...), r.Bound...)
	return binary.BigEndian.AppendUint16(out, uint16(len(r.Bound))), nil
}

// parts takes a sealed row apart: the ciphertext, and what it says to be bound to.
func parts(sealed []byte) (body []byte, bound string, reason error) {
	switch {
	case len(sealed) < overhead:
		return nil, "", errors.New("it is cut short")
	case len(sealed) > maxSealed:
		return nil, "", errors.New("it is longer than a secret may be")
	case sealed[0] == rowVersion:
		return sealed[1:], "", nil
	case sealed[0] != boundVersion:
		return nil, "", fmt.Errorf("it has an unknown format (%d)", sealed[0])
	}
	end := len(sealed) - 2
	n := int(binary.BigEndian.Uint16(sealed[end:]))
	if n == 0 || n > MaxBound || end-n < overhead {
		return nil, "", errors.New("it is cut short")
	}
	return sealed[1 : end-n], string(sealed[end-n : end]), nil
}

// open opens a sealed row that is bound to just what r says. The error is a
// reason in words; the caller names the row.
func (k *keys) open(r Ref, sealed []byte) ([]byte, error) {
	plain, bound, err := k.openAny(r, sealed)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(bound), []byte(r.Bound)) != 1 {
		clear(plain)
		if bound == "" {
			return nil, errors.New("it is from before secrets were bound to what they are for")
		}
		return nil, errors.New("it was sealed for something else than its owner's record says now")
	}
	return plain, nil
}

// openAny opens a sealed row whatever it is bound to, and says to what.
func (k *keys) openAny(r Ref, sealed []byte) (plain []byte, bound string, reason error) {
	body, bound, err := parts(sealed)
	if err != nil {
		return nil, "", err
	}
	if !k.knows(sealed) {
		return nil, "", errors.New("it is sealed under a key that this vault does not have")
	}
	r.Bound = bound
	plain, err = k.aead.Decrypt(body, rowData(r))
	if err != nil {
		return nil, "", errors.New("it was changed, or it is another row's")
	}
	return plain, bound, nil
}

// knows tells whether the row is sealed under a key of this keyset.
func (k *keys) knows(sealed []byte) bool {
	return len(sealed) >= prefixLen && sealed[1] == tinkPrefix && k.ids[binary.BigEndian.Uint32(sealed[2:prefixLen])]
}

const tinkPrefix = 1

// prefix is how rows of version 1 begin that are sealed under the key id; from
// the second byte on, rows of both versions do.
func prefix(id uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{rowVersion, tinkPrefix}, id)
}

// Put seals s and keeps it at r, over what was there: in the transaction that ctx
// carries, or one of its own.
func (v *Vault) Put(ctx context.Context, r Ref, s secret.Text) error {
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
	return v.tx(ctx, func(ctx context.Context, q querier) error {
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
// when it does not open.
func (v *Vault) Get(ctx context.Context, r Ref) (secret.Text, error) {
	if err := r.check(); err != nil {
		return secret.Text{}, err
	}
	plain, reason, err := v.read(ctx, r, func(k *keys, sealed []byte) ([]byte, error) { return k.open(r, sealed) })
	if err != nil {
		return secret.Text{}, err
	}
	if reason != nil {
		return secret.Text{}, errors.Join(damaged(r, reason), v.tell(ctx, r, reason))
	}
	defer clear(plain)
	return secret.New(string(plain)), nil
}

// read opens the row at r; the reason is why it does not open, err why there is
// nothing to open. The caller clears what it gets.
func (v *Vault) read(ctx context.Context, r Ref, open func(*keys, []byte) ([]byte, error)) (plain []byte, reason, err error) {
	q, k := v.q(), v.cached()
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
		if plain, reason = open(k, sealed); reason == nil {
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
func (v *Vault) tell(ctx context.Context, r Ref, reason error) error {
	if r = r.plainly(); !v.news(r) {
		return nil
	}
	v.log.ErrorContext(ctx, "a sealed secret does not open", "ref", r.String(), "reason", reason.Error())
	return v.record(ctx, audit.Event{Action: audit.VaultDamaged, Outcome: audit.Failed, Object: r.String(), Reason: reason.Error()})
}

// Delete removes the secret at r; there need not be one.
func (v *Vault) Delete(ctx context.Context, r Ref) error {
	if err := r.check(); err != nil {
		return err
	}
	return dbFailed(deleteRow(ctx, v.q(), r))
}

func damaged(r Ref, reason error) error {
	return problem.Wrap(ErrDamaged, problem.BadInput, "the sealed secret %s does not open: %s", r, reason).
		WithHint("the others are not touched; partnerguard vault check lists all that are damaged; put the secret in again, or restore a backup")
}
