package gatewaytest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/claim"
	"partnerguard/internal/gateway"
)

// Authority is an issuer of tokens with its keys. It is safe for concurrent use.
type Authority struct {
	mu    sync.Mutex // guards the rest
	keys  []*Key     // published, newest last
	empty bool
	away  bool
	slow  time.Duration
	asked int
}

// NewAuthority has one key of its own.
func NewAuthority() *Authority {
	a := &Authority{}
	a.Roll()
	return a
}

// NewKey makes an RSA key of 2,048 bits.
func NewKey() *Key {
	p, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(p.N.Bytes())
	return &Key{ID: hex.EncodeToString(sum[:20]), Algorithm: "RS256", Private: p}
}

// Stranger is a key that no authority ever has. It is the same one each time.
var Stranger = sync.OnceValue(NewKey)

// NewCurveKey makes a P-256 key for ES256.
func NewCurveKey() *Key {
	p, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(p.X.Bytes())
	return &Key{ID: hex.EncodeToString(sum[:20]), Algorithm: "ES256", Private: p}
}

// Newest signs.
func (a *Authority) Newest() *Key {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.keys[len(a.keys)-1]
}

// Roll publishes one more key, which signs from now on.
func (a *Authority) Roll() *Key {
	k := NewKey()
	a.Publish(k)
	return k
}

// Publish publishes a key, which signs from now on.
func (a *Authority) Publish(k *Key) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keys = append(a.keys, k)
}

// Remove takes a key out of what is published.
func (a *Authority) Remove(kid string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keys = slices.DeleteFunc(a.keys, func(k *Key) bool { return k.ID == kid })
}

// Empty publishes a set without keys, or ends that.
func (a *Authority) Empty(yes bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.empty = yes
}

// Away answers nobody, or ends that.
func (a *Authority) Away(yes bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.away = yes
}

// Slow waits before each answer.
func (a *Authority) Slow(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.slow = d
}

// Asked counts how often its keys were asked for.
func (a *Authority) Asked() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked
}

// KeySet is the JSON Web Key Set as it is published now.
func (a *Authority) KeySet() []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	if !a.empty {
		for _, k := range a.keys {
			set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.Private.Public(), KeyID: k.ID, Use: "sig"})
		}
	}
	raw, err := json.Marshal(set)
	if err != nil {
		panic(err)
	}
	return raw
}

// ask counts, and waits as long as it is slow.
func (a *Authority) ask(ctx context.Context) (away bool, err error) {
	a.mu.Lock()
	a.asked++
	away, slow := a.away, a.slow
	a.mu.Unlock()
	if slow > 0 {
		select {
		case <-ctx.Done():
			return away, ctx.Err()
		case <-time.After(slow):
		}
	}
	return away, nil
}

// Keys gives the keys from memory, read as a client reads them.
func (a *Authority) Keys(ctx context.Context, _ gateway.Authority, _ string) (jose.JSONWebKeySet, error) {
	away, err := a.ask(ctx)
	if err != nil {
		return jose.JSONWebKeySet{}, err
	}
	if away {
		return jose.JSONWebKeySet{}, errors.New("the authority is away")
	}
	set, err := claim.ReadKeySet(a.KeySet())
	if err != nil {
		return jose.JSONWebKeySet{}, err
	}
	return set.For(""), nil
}

// ServeHTTP serves the key set, whatever the path.
func (a *Authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	away, err := a.ask(r.Context())
	if err != nil || away {
		http.Error(w, "away", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(a.KeySet())
}
