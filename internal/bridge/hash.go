package bridge

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"

	"partnerguard/internal/problem"
	"partnerguard/internal/token"
)

// argon2id as OWASP's least: 19 MiB, two passes, one lane. The secret has 90 random
// bits, so more would slow nobody but us.
const (
	argonTime   = 2
	argonMemory = 19 << 10 // KiB
	argonLanes  = 1
	hashForm    = "argon2id-19456-2-1"
)

// Bounds of hashing: so much memory a flood of passwords takes at most, and so many
// wait for it.
const (
	hashAtOnce = 2
	hashQueue  = 32
)

// hasher hashes passwords, few at a time, and remembers for some minutes which were
// right: as a keyed digest, under a key of this process.
type hasher struct {
	now  func() time.Time
	slot chan struct{}
	line chan struct{}
	key  []byte

	mu    sync.Mutex // guards right
	right map[[sha256.Size]byte]time.Time
}

const (
	rightFor = 5 * time.Minute
	maxRight = 4096
)

func newHasher(now func() time.Time) *hasher {
	return &hasher{now: now, slot: make(chan struct{}, hashAtOnce), line: make(chan struct{}, hashAtOnce+hashQueue), key: token.Bytes(32),
		right: map[[sha256.Size]byte]time.Time{}}
}

// in waits for one's turn to hash. Kind problem.Limit where too many wait.
func (h *hasher) in(ctx context.Context) (out func(), err error) {
	select {
	case h.line <- struct{}{}:
	default:
		return nil, problem.New(problem.Limit, "too many passwords are being looked at").WithAfter(5 * time.Second)
	}
	select {
	case h.slot <- struct{}{}:
		return func() { <-h.slot; <-h.line }, nil
	case <-ctx.Done():
		<-h.line
		return nil, ctx.Err()
	}
}

func (h *hasher) make(ctx context.Context, plain string) (string, error) {
	out, err := h.in(ctx)
	if err != nil {
		return "", err
	}
	defer out()
	salt := token.Bytes(16)
	sum := argon2.IDKey([]byte(plain), salt, argonTime, argonMemory, argonLanes, 32)
	e := base64.RawStdEncoding
	return hashForm + "$" + e.EncodeToString(salt) + "$" + e.EncodeToString(sum), nil
}

// fits says whether a password is the one of a hash. Which device it is for is part of
// what is remembered: another's row never profits.
func (h *hasher) fits(ctx context.Context, id, hash, plain string) (bool, error) {
	form, rest, _ := strings.Cut(hash, "$")
	salt64, sum64, ok := strings.Cut(rest, "$")
	e := base64.RawStdEncoding.Strict()
	salt, err1 := e.DecodeString(salt64)
	sum, err2 := e.DecodeString(sum64)
	if !ok || form != hashForm || err1 != nil || err2 != nil || len(salt) != 16 || len(sum) != 32 {
		return false, problem.New(problem.BadInput, "the password of %s is kept in a form that is unknown", id).WithHint("make the device another one")
	}
	digest := h.digest(id, hash, plain)
	if h.known(digest) {
		return true, nil
	}
	out, err := h.in(ctx)
	if err != nil {
		return false, err
	}
	defer out()
	if h.known(digest) { // somebody was faster while this one waited
		return true, nil
	}
	got := argon2.IDKey([]byte(plain), salt, argonTime, argonMemory, argonLanes, 32)
	if subtle.ConstantTimeCompare(got, sum) != 1 {
		return false, nil
	}
	h.remember(digest)
	return true, nil
}

func (h *hasher) digest(id, hash, plain string) (out [sha256.Size]byte) {
	m := hmac.New(sha256.New, h.key)
	for _, part := range []string{id, hash, plain} {
		m.Write([]byte{byte(len(part) >> 8), byte(len(part))})
		m.Write([]byte(part))
	}
	m.Sum(out[:0])
	return out
}

func (h *hasher) known(d [sha256.Size]byte) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	at, ok := h.right[d]
	if ok && h.now().Sub(at).Abs() < rightFor {
		return true
	}
	delete(h.right, d)
	return false
}

func (h *hasher) remember(d [sha256.Size]byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.right) >= maxRight {
		clear(h.right)
	}
	h.right[d] = h.now()
}
