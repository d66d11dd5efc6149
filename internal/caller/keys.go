package caller

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

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
	mu     sync.Mutex // guards the rest
	keys   claim.KeySet
	good   bool
	read   time.Time
	tried  time.Time
	flying chan struct{} // closed when the reading under way has ended; nil without one
}

const (
	keysFor     = time.Hour        // a set is used so long before it is read again
	keysAtMost  = 24 * time.Hour   // and so long when it cannot be read again
	keysBetween = 3 * time.Minute  // at least, between two readings
	keysWithin  = 10 * time.Second // a reading takes no longer
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
	expect := claim.Expect{Now: now(), Leeway: leeway, Audiences: []string{is.Audience}, Issuer: is.Issuer, Lifetime: is.Lifetime}
	keys, err := k.current(ctx, s, is, now, false)
	if err != nil {
		return claim.Token{}, err
	}
	t, err := claim.Verify(raw, keys.For("", is.Issuer), expect)
	if errors.Is(err, claim.NoKey) {
		if keys, ferr := k.current(ctx, s, is, now, true); ferr == nil {
			t, err = claim.Verify(raw, keys.For("", is.Issuer), expect)
		}
	}
	return t, err
}

// current gives the keys, read anew when they are old or again is set. There is
// one reading at a time, at most every keysBetween, and it belongs to nobody: a
// caller who leaves neither ends it nor makes another one due.
func (k *keyring) current(ctx context.Context, s *keySet, is *Issuer, clock func() time.Time, again bool) (claim.KeySet, error) {
	s.mu.Lock()
	now := clock()
	if s.good && now.Sub(s.read).Abs() < keysFor && !again { // a clock that was set back makes it old, not new
		defer s.mu.Unlock()
		return s.keys, nil
	}
	if s.flying == nil && (s.tried.IsZero() || now.Sub(s.tried).Abs() >= keysBetween) {
		s.tried, s.flying = now, make(chan struct{})
		go k.renew(context.WithoutCancel(ctx), s, *is, clock)
	}
	flying := s.flying
	s.mu.Unlock()
	if flying != nil {
		select {
		case <-flying:
		case <-ctx.Done():
			return claim.KeySet{}, ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.good && clock().Sub(s.read).Abs() < keysAtMost {
		return s.keys, nil
	}
	return claim.KeySet{}, problem.New(problem.NotFound, "the keys of the issuer %s cannot be had", is.Name)
}

func (k *keyring) renew(ctx context.Context, s *keySet, is Issuer, clock func() time.Time) {
	ctx, cancel := context.WithTimeout(ctx, keysWithin)
	defer cancel()
	set, err := k.fetch(ctx, &is)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.keys, s.good, s.read = set, true, clock()
	}
	close(s.flying)
	s.flying = nil
}

func (k *keyring) fetch(ctx context.Context, is *Issuer) (set claim.KeySet, err error) {
	var body io.ReadCloser
	if filepath.IsAbs(is.Keys) {
		if info, err := os.Stat(is.Keys); err != nil || !info.Mode().IsRegular() { // a pipe would hold us
			return set, errors.Join(err, errors.New("not a file"))
		}
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
	raw, err := io.ReadAll(io.LimitReader(body, claim.MaxKeySet+1))
	if err != nil {
		return set, err
	}
	return claim.ReadKeySet(raw)
}
