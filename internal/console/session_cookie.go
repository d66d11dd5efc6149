package console

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
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

// The cookies. __Host- keeps other hosts of the domain and plain HTTP from setting them
// (RFC 6265bis section 4.1.3.2), and needs TLS; the plain names are for this machine alone.
//
// Both are SameSite=Lax and not Strict: a person comes back from Entra ID by a navigation
// that another site began, and is sent on to the page that was asked for; a Strict cookie
// would not come along, and they would be at the sign-in again. What changes something is
// never a GET, and forms of other sites are refused by the kernel.
const (
	cookieSession = "pg"
	cookieFlow    = "pg-in"
	hostPrefix    = "__Host-"
)

// box seals cookies with a key that lives in the vault. They say nothing to whoever has
// them, and cannot be made or changed.
type box struct {
	vault Vault
	db    *db.DB

	mu   sync.Mutex // guards the fields below
	aead *subtle.XChaCha20Poly1305
	read time.Time // when the key was read, by the monotonic clock
}

var cookieKey = vault.Ref{Purpose: "console-cookie", Name: "key 1"}

// again is how soon the key is read again for a cookie that does not open: another
// process may have made another one first.
const again = 10 * time.Second

// key gives what seals and opens; anew reads the key again unless that was just done.
func (b *box) key(ctx context.Context, anew bool) (*subtle.XChaCha20Poly1305, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.aead != nil && (!anew || time.Since(b.read) < again) {
		return b.aead, nil
	}
	text, err := b.vault.Get(ctx, cookieKey)
	if errors.Is(err, problem.NotFound) {
		err = b.db.InTx(ctx, func(ctx context.Context) error {
			_, err := b.vault.Get(ctx, cookieKey)
			if !errors.Is(err, problem.NotFound) {
				return err
			}
			return b.vault.Put(ctx, cookieKey, token.Text())
		})
		if err == nil {
			text, err = b.vault.Get(ctx, cookieKey) // what stands, whoever was first
		}
	}
	if err != nil {
		return nil, failed(err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(text.Reveal())
	if err == nil {
		b.aead, err = subtle.NewXChaCha20Poly1305(raw)
	}
	if err != nil {
		b.aead = nil
		return nil, problem.Wrap(err, problem.Internal, "the key of the cookies cannot be used")
	}
	b.read = time.Now()
	return b.aead, nil
}

const maxCookie = 3 << 10 // bytes; browsers keep 4 kB a cookie

// bound is what a sealed cookie is good for: its name alone.
func bound(name string) []byte { return []byte("partnerguard console cookie 1 " + name) }

func (b *box) seal(ctx context.Context, name string, v any) (string, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return "", problem.Wrap(err, problem.Internal, "a cookie could not be made")
	}
	aead, err := b.key(ctx, false)
	if err != nil {
		return "", err
	}
	sealed, err := aead.Encrypt(plain, bound(name))
	if err != nil || base64.RawURLEncoding.EncodedLen(len(sealed)) > maxCookie {
		return "", problem.Wrap(err, problem.Internal, "a cookie could not be made")
	}
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// open opens a cookie; false is one that is not ours.
func (b *box) open(ctx context.Context, name, text string, to any) (bool, error) {
	if text == "" || len(text) > maxCookie {
		return false, nil
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return false, nil //nolint:nilerr // anybody can send one
	}
	for _, anew := range []bool{false, true} {
		aead, err := b.key(ctx, anew)
		if err != nil {
			return false, err
		}
		plain, err := aead.Decrypt(sealed, bound(name))
		if err != nil {
			continue
		}
		return json.Unmarshal(plain, to) == nil, nil
	}
	return false, nil
}

// ticket is what the session's cookie holds.
type ticket struct {
	ID     string `json:"i"`
	Secret string `json:"s"`
}

// secure says that a request came over TLS: to us, or to the proxy in front of us that
// the setting publicURL speaks of.
func (c *Console) secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	u, err := url.Parse(c.d.Public)
	return err == nil && u.Scheme == "https" && strings.EqualFold(r.Host, u.Host)
}

// cookieName is a cookie's name for a request.
func (c *Console) cookieName(r *http.Request, name string) string {
	if c.secure(r) {
		return hostPrefix + name
	}
	return name
}

// setCookie sets a cookie that lives for a time at most; 0 takes it away.
func (c *Console) setCookie(w http.ResponseWriter, r *http.Request, name, value string, life time.Duration) {
	age := int(life.Seconds())
	if age <= 0 {
		value, age = "", -1
	}
	http.SetCookie(w, &http.Cookie{Name: c.cookieName(r, name), Value: value, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: c.secure(r)})
}

// readCookie opens a cookie of a request. Of several of one name, which somebody else must
// have set, none counts.
func (c *Console) readCookie(r *http.Request, name string, to any) (bool, error) {
	full := c.cookieName(r, name)
	found := r.CookiesNamed(full)
	if len(found) != 1 {
		return false, nil
	}
	return c.box.open(r.Context(), full, found[0].Value, to)
}

// give sets the session's cookie.
func (c *Console) give(w http.ResponseWriter, r *http.Request, s *Session, text secret.Text) error {
	v, err := c.box.seal(r.Context(), c.cookieName(r, cookieSession), ticket{s.ID, text.Reveal()})
	if err != nil {
		return err
	}
	c.setCookie(w, r, cookieSession, v, s.Ends.Sub(s.Made))
	return nil
}

// session is the session of a request. The error is *ended where it is over, with "" for
// a request that brings none.
func (c *Console) session(r *http.Request) (*Session, error) {
	var t ticket
	ok, err := c.readCookie(r, cookieSession, &t)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, &ended{""}
	}
	s, err := c.find(r.Context(), t.ID, secret.New(t.Secret))
	if isForged(err) { // it is in the log and the trail
		return nil, &ended{overGone}
	}
	return s, err
}
