package world

import (
	"time"

	"partnerguard/internal/partner"
)

// Activation is when one check came to life: announced, then reported only,
// then refusing a rising share of traffic, then all of it. Zero moments mean
// "not in this world".
type Activation struct {
	Announced  time.Time `json:"announced,omitzero"`
	Contract   time.Time `json:"contract,omitzero"` // duty by contract: no technical effect
	Reported   time.Time `json:"reported,omitzero"`
	Ramp       time.Time `json:"ramp,omitzero"`        // first refusals
	Enforced   time.Time `json:"enforced,omitzero"`    // every request
	FirstShare float64   `json:"firstShare,omitempty"` // at Ramp; it rises evenly to 1
}

// The stages of an activation.
const (
	StageNone      = "none"
	StageAnnounced = "announced"
	StageReported  = "reported"
	StageRamping   = "ramping"
	StageEnforced  = "enforced"
)

// Stage is where the activation stands at a moment.
func (a Activation) Stage(now time.Time) string {
	past := func(t time.Time) bool { return !t.IsZero() && !now.Before(t) }
	switch {
	case past(a.Enforced):
		return StageEnforced
	case past(a.Ramp):
		return StageRamping
	case past(a.Reported):
		return StageReported
	case past(a.Announced):
		return StageAnnounced
	}
	return StageNone
}

// Share is which part of the requests without MFA is refused at a moment.
func (a Activation) Share(now time.Time) float64 {
	switch a.Stage(now) {
	case StageEnforced:
		return 1
	case StageRamping:
		if a.Enforced.IsZero() || !a.Enforced.After(a.Ramp) {
			return a.FirstShare
		}
		done := float64(now.Sub(a.Ramp)) / float64(a.Enforced.Sub(a.Ramp))
		return a.FirstShare + (1-a.FirstShare)*done
	}
	return 0
}

// Exception is a third-party MFA exception as once granted to a partner. It
// never covers AOBO or GDAP work and never outlives ExceptionsEnd for those who
// manage customers (contracts.md sections 1.1, 1.2).
type Exception struct {
	Tenant string    `json:"tenant"`
	Vendor string    `json:"vendor"`
	From   time.Time `json:"from"`
	Until  time.Time `json:"until,omitzero"`
}

// ExceptionsEnd is when past MFA exceptions ended.
var ExceptionsEnd = time.Date(2022, 3, 1, 0, 0, 0, 0, time.UTC)

// Enforcement is how the partner security requirements are enforced at the
// three places that look for the MFA claim.
type Enforcement struct {
	AOBO       Activation  `json:"aobo"`
	Portal     Activation  `json:"portal"`
	API        Activation  `json:"api"`
	Exceptions []Exception `json:"exceptions,omitempty"`
	// Counters give each refusal decision its place in the rising share, so that
	// of N requests exactly the share is refused.
	Counter int64 `json:"counter"`
}

// History is enforcement as it really came (contracts.md section 1.1). The end
// of the API's ramp is not published: half a year is assumed.
func History() Enforcement {
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	announced, contract := day(2019, 6, 1), day(2019, 8, 1)
	return Enforcement{
		AOBO:   Activation{Announced: announced, Contract: contract, Reported: contract, Ramp: day(2019, 11, 18), Enforced: day(2019, 11, 18)},
		Portal: Activation{Announced: announced, Contract: contract, Reported: contract, Ramp: day(2020, 2, 1), Enforced: day(2025, 9, 8), FirstShare: .1},
		API: Activation{Announced: announced, Contract: contract, Reported: day(2025, 9, 30), Ramp: day(2026, 6, 8), Enforced: day(2026, 12, 8),
			FirstShare: .1},
	}
}

// Refuses decides whether a request without the MFA claim is refused now. It
// counts the request, so call it once for each. Sovereign clouds are exempt;
// an exception may cover what is neither AOBO nor GDAP work.
func (s *State) Refuses(a Activation, t *Tenant, aobo bool) bool {
	now := s.Clock.Now()
	if t != nil && t.Cloud != "" && t.Cloud != partner.Public {
		return false
	}
	if !aobo && t != nil && now.Before(ExceptionsEnd) {
		for _, e := range s.Enforcement.Exceptions {
			if e.Tenant == t.ID && !now.Before(e.From) && (e.Until.IsZero() || now.Before(e.Until)) {
				return false
			}
		}
	}
	share := a.Share(now)
	if share <= 0 {
		return false
	}
	if share >= 1 {
		return true
	}
	n := s.Enforcement.Counter
	s.Enforcement.Counter++
	return int64(float64(n+1)*share) > int64(float64(n)*share)
}
