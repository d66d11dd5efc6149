package verify

import (
	"context"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/problem"
)

// Status is how it stands.
type Status struct {
	Generation  uint64            `json:"generation"`
	Authorities []AuthorityStatus `json:"authorities"`
	Kept        int               `json:"kept"`      // verified tokens, of which some may be over
	KeptBytes   int64             `json:"keptBytes"` // about what they take
	Found       int64             `json:"found"`     // times a token was known and in time
	// Results counts the other answers since the start, by reason; "passed" are tokens
	// that were verified anew.
	Results map[string]int64 `json:"results"`
}

// AuthorityStatus is how it stands with one authority's keys.
type AuthorityStatus struct {
	Name    string      `json:"name"`
	State   State       `json:"state"`
	Why     string      `json:"why,omitempty"`  // of the last reading that failed
	Read    time.Time   `json:"read,omitzero"`  // when the keys were read
	Tried   time.Time   `json:"tried,omitzero"` // and when it was tried last
	Until   time.Time   `json:"until,omitzero"` // when they are too old to be used
	Keys    []KeyStatus `json:"keys"`
	Dropped int64       `json:"dropped"` // keys that were taken away since the start
	Missed  int64       `json:"missed"`  // tokens of a key that the authority does not have
}

// KeyStatus is one key.
type KeyStatus struct {
	ID        string `json:"id"`
	Algorithm string `json:"algorithm"` // "" where several have its id, and none is used
}

// Alarm says that somebody should look: the keys could not be read the last time.
func (a AuthorityStatus) Alarm() bool { return a.State == KeysAway || a.State == KeysEmptied }

// Status tells how it stands. It goes through all that is kept, so it is not for every
// request.
func (v *Verifier) Status() Status {
	turn := v.turn.Load()
	s := Status{Generation: turn.generation, Kept: turn.good.count(), KeptBytes: turn.good.used.Load(), Results: map[string]int64{},
		Authorities: []AuthorityStatus{}}
	for i := range v.found {
		s.Found += v.found[i].Load()
	}
	for _, r := range append(gateway.Reasons(), gateway.Passed) {
		if n := v.counts[r].Load(); n > 0 {
			s.Results[r.String()] = n
		}
	}
	for _, a := range turn.authorities {
		s.Authorities = append(s.Authorities, a.status())
	}
	return s
}

func (r *ring) status() AuthorityStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := AuthorityStatus{Name: r.name, State: r.state, Why: r.why, Read: r.read, Tried: r.tried, Dropped: r.dropped, Missed: r.missed, Keys: []KeyStatus{}}
	if at := r.until.Load(); at > 0 {
		s.Until = time.Unix(at, 0).UTC()
	}
	if keys := r.keys.Load(); keys != nil {
		for id, k := range *keys {
			ks := KeyStatus{ID: id}
			if k != nil {
				ks.Algorithm = algorithmNames[k.alg]
			}
			s.Keys = append(s.Keys, ks)
		}
	}
	slices.SortFunc(s.Keys, func(a, b KeyStatus) int { return strings.Compare(a.ID, b.ID) })
	return s
}

// Refresh reads the keys of each authority where that is due, and waits for it. Verify
// does it by itself when it is asked; this is for a start, and for times when nobody
// asks. The error is of kind problem.Unavailable, and names the authorities whose keys
// cannot be had.
func (v *Verifier) Refresh(ctx context.Context) error {
	var away []string
	for _, a := range v.turn.Load().authorities {
		a.mu.Lock()
		wait := a.flying
		if wait == nil && a.isDue(v.d.Now().Unix()) {
			wait = a.start("")
		}
		a.mu.Unlock()
		if wait != nil {
			select {
			case <-wait:
			case <-ctx.Done():
				return problem.Wrap(ctx.Err(), problem.Unavailable, "the keys of %s were not read in time", a.name)
			}
		}
		if s := a.status(); s.Alarm() {
			away = append(away, a.name+" ("+s.Why+")")
		}
	}
	if len(away) > 0 {
		return problem.New(problem.Unavailable, "keys could not be read: %s", strings.Join(away, ", ")).
			WithHint("known keys are used until they are too old; look at the network and at partnerguard gateway status")
	}
	return nil
}
