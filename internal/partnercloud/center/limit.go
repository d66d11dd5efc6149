package center

import (
	"net/http"
	"time"

	"partnerguard/internal/partnercloud/kit"
)

// The limits are ours: Microsoft publishes none but says that they are dynamic,
// counted per partner or per partner and customer, and that retrying at once
// counts against the caller (contracts.md section 2.2). The consent limit is
// published as about 50 a second per application.
var (
	perPartner  = kit.Rate{Burst: 600, PerSecond: 60, Debt: 600}
	perCustomer = kit.Rate{Burst: 120, PerSecond: 12, Debt: 120}
	perConsent  = kit.Rate{Burst: 50, PerSecond: 50, Debt: 50}
)

// throttle refuses what goes too fast. The partner's own limit answers in the
// gateway's shape, the customer's in the service's: both occur.
func (k *call) throttle() *fault {
	if k.c.unthrottled {
		return nil
	}
	if _, wait, ok := k.c.limits.Take(k.who.Tenant, perPartner, k.now); !ok {
		return tooMany(wait, true)
	}
	if id := k.params["customer"]; id != "" {
		if _, wait, ok := k.c.limits.Take(k.who.Tenant+"/"+id, perCustomer, k.now); !ok {
			return tooMany(wait, false)
		}
	}
	if k.route.consent {
		if _, wait, ok := k.c.limits.Take("consent/"+k.who.Client(), perConsent, k.now); !ok {
			return tooMany(wait, true)
		}
	}
	return nil
}

func tooMany(wait time.Duration, gateway bool) *fault {
	f := refuse(http.StatusTooManyRequests, 429, "Rate limit is exceeded. Try again in %d seconds.", kit.Seconds(wait)).RetryAfter(wait)
	if gateway {
		f.Form = kit.Gateway
	}
	return f
}
