package audit

import (
	"sync"
	"time"
)

// Stray says how often a thing that anybody can bring about is written down: once a
// minute, with how many there were. The trail is not a stranger's to fill. The zero
// value is ready; safe for concurrent use.
type Stray struct {
	mu    sync.Mutex // guards the fields below
	times map[string]int
	at    map[string]time.Time
}

const (
	strayPause = time.Minute
	maxStrays  = 1000
)

// Due counts one of what at now, and gives how many there were where they are to be
// written down now; 0 is not now.
func (s *Stray) Due(now time.Time, what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.times == nil || len(s.times) > maxStrays {
		s.times, s.at = map[string]int{}, map[string]time.Time{}
	}
	s.times[what]++
	if at, ok := s.at[what]; ok && now.Sub(at).Abs() < strayPause {
		return 0
	}
	n := s.times[what]
	s.times[what], s.at[what] = 0, now
	return n
}
