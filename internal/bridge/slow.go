package bridge

import (
	"sync"
	"time"
)

// slow holds back whoever is wrong too often: a source that guesses, and whoever
// guesses at one device from where it never came in. A device that came in from where
// it is stays let in, whatever others do: the attacker waits, not the victim.
type slow struct {
	mu   sync.Mutex // guards the fields below
	wait map[string]*held
	good map[string]time.Time // device and source that came in
}

type held struct {
	wrong int
	last  time.Time
	until time.Time
}

// Of slowing: so many wrong passwords cost nothing, then each doubles the wait.
const (
	freeWrongs   = 5
	firstWait    = 5 * time.Second
	longestWait  = 15 * time.Minute
	forgetAfter  = time.Hour
	goodFor      = 30 * 24 * time.Hour
	maxHeld      = 20_000
	manyWrongs   = 20 // of one source or device: told in the trail
	manyWrongsIn = "many wrong passwords"
)

func newSlow() *slow { return &slow{wait: map[string]*held{}, good: map[string]time.Time{}} }

// left is how long the keys have to wait yet; nothing for a device that came in from
// this source before.
func (s *slow) left(now time.Time, known string, keys ...string) (most time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.good[known]; ok && now.Sub(at).Abs() < goodFor {
		return 0
	}
	for _, k := range keys {
		if h := s.wait[k]; h != nil {
			most = max(most, h.until.Sub(now))
		}
	}
	// A clock that was set back does not lock anybody out.
	return min(max(most, 0), longestWait)
}

// wrong counts a wrong password for each key, and names those that have had many just
// now.
func (s *slow) wrong(now time.Time, keys ...string) (many []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range keys {
		if k == "" {
			continue
		}
		h := s.wait[k]
		if h == nil || now.Sub(h.last).Abs() > forgetAfter {
			if len(s.wait) >= maxHeld {
				s.drop(now)
			}
			h = &held{}
			s.wait[k] = h
		}
		h.wrong++
		h.last = now
		if over := h.wrong - freeWrongs; over > 0 {
			h.until = now.Add(min(firstWait<<min(over-1, 20), longestWait))
		}
		if h.wrong%manyWrongs == 0 {
			many = append(many, k)
		}
	}
	return many
}

// drop makes room: what is over goes, and where nothing is, everything.
func (s *slow) drop(now time.Time) {
	for k, h := range s.wait {
		if now.After(h.until) {
			delete(s.wait, k)
		}
	}
	if len(s.wait) >= maxHeld {
		clear(s.wait)
	}
}

// right notes that a device came in from a source.
func (s *slow) right(now time.Time, known string, keys ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.good) >= maxHeld {
		clear(s.good)
	}
	s.good[known] = now
	for _, k := range keys {
		delete(s.wait, k)
	}
}
