package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/claim"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// keyring keeps the key sets of the policy's issuers. Keys roll without
// notice: an unknown kid fetches them again, at most every few minutes, so that
// forged tokens cannot make us hammer an issuer.
type keyring struct {
	http *http.Client

	mu   sync.Mutex // guards sets
	sets map[string]*keySet
}

type keySet struct {
	mu    sync.Mutex // guards the rest; held while fetching, so that many wait for one
	keys  jose.JSONWebKeySet
	good  bool
	read  time.Time
	tried time.Time
}

const (
	keysFor     = time.Hour       // a set is used so long before it is read again
	keysAtMost  = 24 * time.Hour  // and so long when it cannot be read again
	keysBetween = 3 * time.Minute // at least, between two readings
	maxKeySet   = 1 << 20
	leeway      = time.Minute
)

// verify checks a token strictly. Errors are those of claim.Verify, or of kind
// problem.NotFound when the keys cannot be had.
func (k *keyring) verify(ctx context.Context, raw secret.Text, is *Issuer, now func() time.Time) (claim.Token, error) {
	k.mu.Lock()
	if k.sets == nil {
		k.sets = map[string]*keySet{}
	}
	s := k.sets[is.Keys]
	if s == nil {
		s = &keySet{}
		k.sets[is.Keys] = s
	}
	k.mu.Unlock()
	expect := claim.Expect{Now: now(), Leeway: leeway, Audiences: []string{is.Audience}, Issuer: is.Issuer}
	keys, err := k.current(ctx, s, is, now, false)
	if err != nil {
		return claim.Token{}, err
	}
	t, err := claim.Verify(raw, keys, expect)
	if errors.Is(err, claim.NoKey) {
		if keys, ferr := k.current(ctx, s, is, now, true); ferr == nil {
			t, err = claim.Verify(raw, keys, expect)
		}
	}
	return t, err
}

func (k *keyring) current(ctx context.Context, s *keySet, is *Issuer, clock func() time.Time, again bool) (jose.JSONWebKeySet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := clock()
	age := now.Sub(s.read).Abs() // a clock that was set back makes it old, not new
	if s.good && age < keysFor && !again {
		return s.keys, nil
	}
	if since := now.Sub(s.tried).Abs(); s.tried.IsZero() || since >= keysBetween {
		s.tried = now
		if set, err := k.fetch(ctx, is); err == nil {
			s.keys, s.good, s.read = set, true, now
			return s.keys, nil
		} else if ctx.Err() != nil {
			s.tried = time.Time{} // it was the caller who left
		}
	}
	if s.good && age < keysAtMost {
		return s.keys, nil
	}
	return jose.JSONWebKeySet{}, problem.New(problem.NotFound, "the keys of the issuer %s cannot be had", is.Name)
}

func (k *keyring) fetch(ctx context.Context, is *Issuer) (set jose.JSONWebKeySet, err error) {
	var body io.ReadCloser
	if filepath.IsAbs(is.Keys) {
		if body, err = os.Open(is.Keys); err != nil {
			return set, err
		}
	} else {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, is.Keys, nil)
		if err != nil {
			return set, err
		}
		req.Header.Set("Accept", "application/json")
		res, err := k.http.Do(req)
		if err != nil {
			return set, err
		}
		body = res.Body
		if res.StatusCode != http.StatusOK {
			_ = body.Close()
			return set, fmt.Errorf("status %d", res.StatusCode)
		}
	}
	defer body.Close()
	raw, err := io.ReadAll(io.LimitReader(body, maxKeySet+1))
	if err != nil {
		return set, err
	}
	return readKeySet(raw)
}

// readKeySet reads a JSON Web Key Set. Keys that cannot be read are left out:
// issuers publish kinds that we do not use.
func readKeySet(raw []byte) (set jose.JSONWebKeySet, err error) {
	if len(raw) > maxKeySet {
		return set, problem.New(problem.Limit, "the key set is longer than %d bytes", maxKeySet)
	}
	var in struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return set, err
	}
	if len(in.Keys) > 200 {
		return set, problem.New(problem.Limit, "the key set has more than 200 keys")
	}
	for _, one := range in.Keys {
		var key jose.JSONWebKey
		if json.Unmarshal(one, &key) == nil && key.IsPublic() {
			set.Keys = append(set.Keys, key)
		}
	}
	if len(set.Keys) == 0 {
		return set, problem.New(problem.BadInput, "the key set has no key that can be used")
	}
	return set, nil
}
