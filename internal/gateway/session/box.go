package session

import (
	"context"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
	"partnerguard/internal/vault"
)

// Vault keeps the keys of a [Box]; *vault.Vault meets it.
type Vault interface {
	Put(ctx context.Context, r vault.Ref, s secret.Text) error
	Get(ctx context.Context, r vault.Ref) (secret.Text, error)
	Delete(ctx context.Context, r vault.Ref) error
}

// Box seals with the newest of its keys, XChaCha20-Poly1305, and opens with that and the
// one before. The keys are the vault's, and the same for all processes. Safe for
// concurrent use.
type Box struct {
	vault Vault
	db    *db.DB

	mu     sync.Mutex // guards the fields below
	keys   map[int]*subtle.XChaCha20Poly1305
	newest int
	read   time.Time // when the keys were read, by the monotonic clock
}

// again is how soon the keys are read again for a text that does not open: another process
// may have made another one.
const again = 10 * time.Second

// patience is how long the vault may take.
const patience = 5 * time.Second

const (
	keyPurpose = "gateway-cookie"
	keyNewest  = "newest" // the number of the newest key
)

func keyRef(n int) vault.Ref { return vault.Ref{Purpose: keyPurpose, Name: "key " + strconv.Itoa(n)} }

var newestRef = vault.Ref{Purpose: keyPurpose, Name: keyNewest}

// NewBox makes a Box, and its first key where there is none.
func NewBox(ctx context.Context, v Vault, d *db.DB) (*Box, error) {
	b := &Box{vault: v, db: d}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b, b.load(ctx)
}

// load reads the keys, and makes the first. The caller holds mu.
func (b *Box) load(ctx context.Context) error {
	text, err := b.vault.Get(ctx, newestRef)
	if errors.Is(err, problem.NotFound) {
		if err = b.turn(ctx, 0); err == nil {
			text, err = b.vault.Get(ctx, newestRef) // what stands, whoever was first
		}
	}
	if err != nil {
		return err
	}
	newest, err := strconv.Atoi(text.Reveal())
	if err != nil || newest < 1 {
		return problem.New(problem.Internal, "the keys of the gateway's cookies cannot be used").
			WithHint("partnerguard vault check looks at what is sealed")
	}
	keys := map[int]*subtle.XChaCha20Poly1305{}
	for n := max(newest-1, 1); n <= newest; n++ {
		text, err := b.vault.Get(ctx, keyRef(n))
		if n < newest && errors.Is(err, problem.NotFound) {
			continue
		}
		if err != nil {
			return err
		}
		raw, err := base64.RawURLEncoding.DecodeString(text.Reveal())
		if err == nil {
			keys[n], err = subtle.NewXChaCha20Poly1305(raw)
		}
		if err != nil {
			return problem.Wrap(err, problem.Internal, "a key of the gateway's cookies cannot be used")
		}
	}
	b.keys, b.newest, b.read = keys, newest, time.Now()
	return nil
}

// turn makes the key after was, unless another process did.
func (b *Box) turn(ctx context.Context, was int) error {
	return b.db.InTx(ctx, func(ctx context.Context) error {
		text, err := b.vault.Get(ctx, newestRef)
		switch {
		case err == nil && text.Reveal() != strconv.Itoa(was):
			return nil
		case err != nil && !errors.Is(err, problem.NotFound):
			return err
		}
		if err := b.vault.Put(ctx, keyRef(was+1), token.Text()); err != nil {
			return err
		}
		if was > 1 {
			if err := b.vault.Delete(ctx, keyRef(was-1)); err != nil && !errors.Is(err, problem.NotFound) {
				return err
			}
		}
		return b.vault.Put(ctx, newestRef, secret.New(strconv.Itoa(was+1)))
	})
}

// Rotate makes a new key. What the one before sealed still opens; what the one before
// that did does not any more, which ends those sessions.
func (b *Box) Rotate(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.load(ctx); err != nil {
		return err
	}
	if err := b.turn(ctx, b.newest); err != nil {
		return err
	}
	return b.load(ctx)
}

// bind is what a sealed text is good for.
func bind(name string) []byte { return []byte("partnerguard gateway cookie 1 " + name) }

// Seal is of [Sealer]. Its text begins with the number of the key.
func (b *Box) Seal(name string, plain []byte) (string, error) {
	b.mu.Lock()
	n, key := b.newest, b.keys[b.newest]
	b.mu.Unlock()
	sealed, err := key.Encrypt(plain, bind(name))
	if err != nil {
		return "", problem.Wrap(err, problem.Internal, "a cookie could not be sealed")
	}
	return strconv.Itoa(n) + "." + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// Open is of [Sealer].
func (b *Box) Open(name, text string) ([]byte, bool, error) {
	number, body, ok := strings.Cut(text, ".")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 1 || number != strconv.Itoa(n) || len(text) > maxCookie || strings.ContainsAny(body, "\r\n") { // the decoder skips lines
		return nil, false, nil // anybody can send one
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if err != nil {
		return nil, false, nil
	}
	key, err := b.key(n)
	if key == nil {
		return nil, false, err
	}
	plain, err := key.Decrypt(sealed, bind(name))
	return plain, err == nil, nil
}

// key gives the key of a number, nil where there is none.
func (b *Box) key(n int) (*subtle.XChaCha20Poly1305, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if k := b.keys[n]; k != nil || n < b.newest || time.Since(b.read) < again {
		return k, nil
	}
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	b.read = time.Now() // whether it can be read or not
	if err := b.load(ctx); err != nil {
		return nil, err
	}
	return b.keys[n], nil
}
