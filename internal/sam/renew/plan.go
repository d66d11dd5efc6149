package renew

import (
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/msapi"
	"partnerguard/internal/sam"
	"partnerguard/internal/token"
)

// Times of the plan.
const (
	// IdleLimit is how long Entra ID keeps a refresh token that nobody uses
	// (contracts.md section 4.3).
	IdleLimit = 90 * 24 * time.Hour

	dayAfter   = 24 * time.Hour // a rejection is looked at again
	firstRetry = time.Minute    // after what may pass, doubling
	lastRetry  = 6 * time.Hour
	minEvery   = time.Hour
	maxEvery   = 30 * 24 * time.Hour // a third of the idle limit
	leaseLife  = 2 * time.Minute
	askLife    = leaseLife - 20*time.Second // answers later than that are not waited for
)

// chance is a random number from 0 up to 1, so that many connections do not
// come together.
func chance() float64 {
	b := token.Bytes(2)
	return float64(uint16(b[0])<<8|uint16(b[1])) / (1 << 16)
}

// nextAfterSuccess is up to a tenth sooner than every says, by chance c.
func nextAfterSuccess(now time.Time, every time.Duration, c float64) time.Time {
	return now.Add(every - time.Duration(c*float64(every)/10))
}

// nextAfterTrouble is when what may pass is tried again after so many failures
// in a row: doubling from a minute to six hours, up to half again later by
// chance, and never before the answer allows.
func nextAfterTrouble(now time.Time, times int, retryAfter time.Duration, c float64) time.Time {
	d := lastRetry
	if times < 10 { // 2^9 minutes are more than the last
		d = min(firstRetry<<max(times-1, 0), lastRetry)
	}
	d = max(d, min(max(retryAfter, 0), dayAfter))
	return now.Add(d + time.Duration(c*float64(d)/2))
}

// nextAfterRejection is a day later, up to a tenth more by chance.
func nextAfterRejection(now time.Time, c float64) time.Time {
	return now.Add(dayAfter + time.Duration(c*float64(dayAfter)/10))
}

// ahead is farther away than any of the three plans.
func ahead(every time.Duration) time.Duration {
	return max(every, sam.RenewEvery, dayAfter+dayAfter/2) + time.Hour
}

// verdict says what an error of the token endpoint means for the token that was
// asked with.
type verdict int

const (
	passes   verdict = iota // it may pass by itself
	unknown                 // Entra ID does not know this very token, or not any more
	rejected                // it will not work, whichever token is asked with
)

// unknownTokens are codes that are about the one token that was sent, not about
// the sign-in behind it (contracts.md sections 3.2 and 4.2): its predecessor may
// still live. 50173, 70043 and whatever concerns account, app or policy hit
// every token of the sign-in alike.
var unknownTokens = map[int]bool{entra.CodeGrantInvalid: true, entra.CodeGrantExpired: true, entra.CodeRefreshInactive: true, entra.CodeMalformed: true}

func judge(e *msapi.TokenError) verdict {
	switch {
	case e.Transient:
		return passes
	case unknownTokens[e.Code], e.Code == 0 && e.Err == "invalid_grant":
		return unknown
	}
	return rejected
}
