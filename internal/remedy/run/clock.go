//go:build !judge

package run

import "time"

// How long is waited for what.
const (
	leaseFor    = 6 * time.Minute
	soon        = 5 * time.Second
	settling    = 30 * time.Minute // until a change shows, before it is asked for again: contracts-2026-11 section 5
	foreignFor  = 3 * time.Minute  // how long something else than what was and what shall be may be seen after a change
	unseen      = 2 * time.Minute  // until what was made and whose answer was lost shows in a list
	endure      = 24 * time.Hour   // passing failures without an end
	mostTries   = 3                // how often the same is asked for when it does not come to be
	mostTurn    = 4000             // looks in one turn
	watchEvery  = time.Hour        // how often a stage's evidence is looked at
	longestWait = 48 * time.Hour   // longer than any run waits before it is looked at again
	later       = 10 * time.Minute
)

// backoff is how long to wait after so many failures in a row.
func backoff(tries int) time.Duration { return min(soon<<min(max(tries-1, 0), 8), later) }
