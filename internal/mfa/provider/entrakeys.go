package provider

import (
	"context"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
)

// anyTenant is whose discovery names the keys of every tenant (contracts.md section 6.2).
const anyTenant = "common"

const (
	keysFresh = 24 * time.Hour
	// keysLast is how long keys are good that could not be read anew: what Entra ID
	// withdrew meanwhile is then not taken for ever.
	keysLast = 7 * 24 * time.Hour
	keysWait = 8 * time.Second // of the five minutes that there are
)

// entraKeys are Entra ID's keys as they were read last. While Entra ID cannot be
// reached, known keys go on and unknown ones are refused.
type entraKeys struct {
	from  Keyring
	cloud msapi.Cloud
	now   func() time.Time

	mu   sync.Mutex // guards the rest
	set  jose.JSONWebKeySet
	at   time.Time // when it was read
	fail string    // why it could not be read since, "" when it could
}

// get gives the keys among which kid is, if there is one of it. Kind
// problem.Unavailable when that cannot be told.
func (e *entraKeys) get(ctx context.Context, kid string) (jose.JSONWebKeySet, error) {
	now := e.now()
	e.mu.Lock()
	set, at := e.set, e.at
	e.mu.Unlock()
	age, known := now.Sub(at), len(set.Key(kid)) > 0
	if known && age >= 0 && age < keysFresh {
		return set, nil
	}
	ctx, stop := context.WithTimeout(ctx, keysWait)
	defer stop()
	read, err := e.from.Keys(ctx, e.cloud, anyTenant, kid)
	e.mu.Lock()
	defer e.mu.Unlock()
	if err == nil {
		e.set, e.at, e.fail = read, now, ""
		return read, nil
	}
	e.fail = words(err)
	if known && age >= 0 && age < keysLast {
		return set, nil
	}
	return jose.JSONWebKeySet{}, problem.Wrap(err, problem.Unavailable, "Entra ID's keys cannot be read, and the hint's is not known here").
		WithHint("partnerguard mfa status shows since when; the way to %s must be open", e.cloud.Authority)
}

// EntraKeys says how it stands with Entra ID's keys.
type EntraKeys struct {
	Keys  int       `json:"keys"`
	Read  time.Time `json:"read,omitzero"` // zero: not since this process started
	Fault string    `json:"fault,omitempty"`
}

func (e *entraKeys) tell() EntraKeys {
	e.mu.Lock()
	defer e.mu.Unlock()
	return EntraKeys{len(e.set.Keys), e.at, e.fail}
}
