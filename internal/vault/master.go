package vault

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"

	sealing "github.com/tink-crypto/tink-go/v2/aead/subtle"

	"partnerguard/internal/problem"
)

// Slot is a wrapped data key as it is stored, with what its master key needs to
// unwrap it. Nothing in it is secret.
type Slot struct {
	Kind    string // "key", "passphrase", "azurekeyvault"
	ID      string // which master key: "key:HEX", "passphrase:HEX", a key version's URL
	Params  string // JSON, by kind: a passphrase's salt and cost
	Wrapped []byte
}

// Master wraps the vault's data key. Its key never enters the database. Safe
// for concurrent use.
type Master interface {
	// Describe says what it is and where it comes from, without a secret:
	// "key file /etc/partnerguard/vault.key".
	Describe() string
	// Wrap seals key, 32 bytes, for the vault of that id.
	Wrap(ctx context.Context, vault string, key []byte) (Slot, error)
	// Unwrap opens a slot; the caller clears what it gets. It is refused with
	// [ErrWrongMaster] when another master key made the slot.
	Unwrap(ctx context.Context, vault string, s Slot) ([]byte, error)
	// Stale tells whether Wrap would protect the key better than s does.
	Stale(s Slot) bool
}

// ErrWrongMaster says that the master key that was given is not the vault's. Use
// errors.Is, and errors.AsType for a [WrongMaster] with both ids.
var ErrWrongMaster = errors.New("wrong master key")

// WrongMaster names the master key that the vault wants and the one it was
// given. Ids are not secret.
type WrongMaster struct {
	Want  string
	Given string
}

// Error is for logs; people see the problem around it.
func (w *WrongMaster) Error() string { return "want " + w.Want + ", given " + w.Given }

// Is makes it an [ErrWrongMaster].
func (w *WrongMaster) Is(target error) bool { return target == ErrWrongMaster }

func wrongMaster(want Slot, given string, m Master) error {
	hint := "give the one it wants"
	switch want.Kind {
	case kindKey:
		hint = "give the key file or systemd credential with that id; vault status shows which id the vault wants, and a key file's id stands in it"
	case kindPassphrase:
		hint = "give the passphrase with which the vault was made, or to which it was changed last"
	case kindAzure:
		hint = "give azurekeyvault: with the URL of that key; an older version of a key may open, a disabled or deleted one may not"
	}
	return problem.Wrap(&WrongMaster{Want: want.ID, Given: given}, problem.BadInput,
		"the vault wants the master key %s, and was given %s (%s)", want.ID, given, m.Describe()).WithHint("%s", hint)
}

// The kinds of master keys. A key file and a systemd credential are one kind: a
// key may move from one to the other.
const (
	kindKey        = "key"
	kindPassphrase = "passphrase"
	kindAzure      = "azurekeyvault"
)

// local is a master key in this process's memory: 32 bytes from which one key
// wraps and another gives the id.
type local struct {
	id  string
	kek []byte
}

// newLocal derives from key, which the caller clears.
func newLocal(kind string, key []byte) (*local, error) {
	name, err := hkdf.Key(sha256.New, key, nil, "partnerguard vault master id 1", 16)
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the master key could not be used")
	}
	kek, err := hkdf.Key(sha256.New, key, nil, "partnerguard vault master wrap 1", 32)
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the master key could not be used")
	}
	return &local{id: kind + ":" + hex.EncodeToString(name), kek: kek}, nil
}

func (l *local) is(id string) bool { return subtle.ConstantTimeCompare([]byte(l.id), []byte(id)) == 1 }

func (l *local) wrap(kind, params, vault string, key []byte) (Slot, error) {
	box, err := sealing.NewXChaCha20Poly1305(l.kek)
	if err != nil {
		return Slot{}, problem.Wrap(err, problem.Internal, "the data key could not be wrapped")
	}
	wrapped, err := box.Encrypt(key, slotData(vault, kind, l.id))
	if err != nil {
		return Slot{}, problem.Wrap(err, problem.Internal, "the data key could not be wrapped")
	}
	return Slot{Kind: kind, ID: l.id, Params: params, Wrapped: wrapped}, nil
}

// unwrap opens a slot that is known to be this key's.
func (l *local) unwrap(vault string, s Slot) ([]byte, error) {
	box, err := sealing.NewXChaCha20Poly1305(l.kek)
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the data key could not be unwrapped")
	}
	key, err := box.Decrypt(s.Wrapped, slotData(vault, s.Kind, s.ID))
	if err != nil {
		return nil, slotDamaged(err, s)
	}
	return key, nil
}

func slotDamaged(err error, s Slot) error {
	return problem.Wrap(errors.Join(ErrDamaged, err), problem.BadInput,
		"the master key %s is the right one, and the vault's wrapped data key does not open: it was changed", s.ID).
		WithHint("restore a backup: partnerguard vault restore --replace --from FILE")
}
