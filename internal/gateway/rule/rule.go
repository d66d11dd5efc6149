package rule

import (
	"slices"
	"strings"
	"time"

	"partnerguard/internal/gateway"
)

// Decide says what is wrong with an identity on a route, the first thing first, or
// [gateway.Passed]. Exceptions are not regarded, nor is whether anything was revoked;
// the identity is taken as genuine.
func Decide(r *gateway.Route, id *gateway.Identity, now time.Time) gateway.Reason {
	if reason := Meant(r, id); reason != gateway.Passed {
		return reason
	}
	reason, _ := walk(r, id, now, 0)
	return reason
}

// Meant says whether an identity is of a tenant that is accepted on the route, and its
// token for the route's audience.
func Meant(r *gateway.Route, id *gateway.Identity) gateway.Reason {
	if reason := tenant(r, id); reason != gateway.Passed {
		return reason
	}
	// A session's token was for the app that browsers sign in by, which sign-in held it to.
	if id.Way != gateway.BySession && !slices.Contains(r.Audiences, id.Audience) {
		return gateway.WrongAudience
	}
	return gateway.Passed
}

// tenant also lets the partner's people act for a customer (AOBO): such a token is of
// the customer's tenant, and says that their home is the partner's.
func tenant(r *gateway.Route, id *gateway.Identity) gateway.Reason {
	switch {
	case id.Tenant == "":
		return gateway.ForeignTenant
	case slices.Contains(r.Tenants, id.Tenant):
		return gateway.Passed
	case id.Home == "" || id.IsApp || !slices.Contains(r.Tenants, id.Home):
		return gateway.ForeignTenant
	case r.AllCustomers || slices.Contains(r.Customers, id.Tenant):
		return gateway.Passed
	}
	return gateway.CustomerNotAllowed
}

// Satisfies says whether somebody who is [Meant] satisfies the route's rule, and the
// exception by which that is so in spite of the reason. Something that no exception
// excuses comes before what one does.
func Satisfies(r *gateway.Route, id *gateway.Identity, now time.Time) (gateway.Reason, *gateway.Exception) {
	reason, _ := walk(r, id, now, 0)
	if reason == gateway.Passed || len(r.Exceptions) == 0 {
		return reason, nil
	}
	var excused set
	for i := range r.Exceptions {
		if e := &r.Exceptions[i]; holds(e, id, now) {
			excused |= excuses(e)
		}
	}
	rest, first := walk(r, id, now, excused)
	if rest != gateway.Passed {
		return rest, nil
	}
	for i := range r.Exceptions {
		if e := &r.Exceptions[i]; holds(e, id, now) && excuses(e).has(first) {
			return first, e
		}
	}
	return reason, nil
}

// set is a set of reasons, of which there are fewer than 64.
type set uint64

func (s set) has(r gateway.Reason) bool { return s&(1<<r) != 0 }

// excuses are the reasons that an exception excuses.
func excuses(e *gateway.Exception) (s set) {
	if len(e.Reasons) == 0 {
		for r := gateway.AppNotAllowed; r <= gateway.AgeUnknown; r++ {
			s |= 1 << r
		}
		return s
	}
	for _, r := range e.Reasons {
		if r >= gateway.AppNotAllowed && r <= gateway.AgeUnknown {
			s |= 1 << r
		}
	}
	return s
}

// holds says whether an exception is for this caller now. A name counts for accounts of
// the tenant itself alone: what a guest is called is up to another.
func holds(e *gateway.Exception, id *gateway.Identity, now time.Time) bool {
	if !now.Before(e.Until) {
		return false
	}
	if e.App != "" {
		return id.IsApp && strings.EqualFold(e.App, id.App)
	}
	return e.Account != "" && !id.IsApp &&
		(strings.EqualFold(e.Account, id.ObjectID) || id.Home == "" && strings.EqualFold(e.Account, id.Account))
}

// walk goes through the rule in its order. The first thing wrong that is not excused
// is rest, the first that is excused is first.
func walk(r *gateway.Route, id *gateway.Identity, now time.Time, excused set) (rest, first gateway.Reason) {
	for _, step := range [...]func(*gateway.Route, *gateway.Identity, time.Time) gateway.Reason{apps, claimed, inContext, aged, clients, roles} {
		switch reason := step(r, id, now); {
		case reason == gateway.Passed:
		case !excused.has(reason):
			return reason, first
		case first == gateway.Passed:
			first = reason
		}
	}
	return gateway.Passed, first
}

func apps(r *gateway.Route, id *gateway.Identity, _ time.Time) gateway.Reason {
	if !id.IsApp || r.AnyApp || id.App != "" && slices.Contains(r.Apps, id.App) {
		return gateway.Passed
	}
	return gateway.AppNotAllowed
}

// claimed asks for the MFA claim, of people: an app has none to prove.
func claimed(r *gateway.Route, id *gateway.Identity, _ time.Time) gateway.Reason {
	switch {
	case !r.MFA || id.IsApp || id.Proven:
		return gateway.Passed
	case id.Lacks == gateway.ThirdPartyMFA || id.Lacks == gateway.VersionHides:
		return id.Lacks
	}
	return gateway.SingleFactor
}

func inContext(r *gateway.Route, id *gateway.Identity, _ time.Time) gateway.Reason {
	if r.Context == "" || id.IsApp || slices.Contains(id.Contexts, r.Context) {
		return gateway.Passed
	}
	return gateway.ContextMissing
}

// aged asks how long ago the sign-in was. One in the future is told by nobody who knows.
func aged(r *gateway.Route, id *gateway.Identity, now time.Time) gateway.Reason {
	if r.MaxAge <= 0 || id.IsApp {
		return gateway.Passed
	}
	ago := now.Unix() - id.AuthTime
	leeway := int64(r.Leeway / time.Second)
	switch {
	case id.AuthTime <= 0 || ago < -leeway:
		return gateway.AgeUnknown
	case ago > int64(r.MaxAge/time.Second)+leeway:
		return gateway.TooOld
	}
	return gateway.Passed
}

func clients(r *gateway.Route, id *gateway.Identity, _ time.Time) gateway.Reason {
	if len(r.Clients) == 0 || id.IsApp || id.Way == gateway.BySession || id.App != "" && slices.Contains(r.Clients, id.App) {
		return gateway.Passed
	}
	return gateway.ClientNotAllowed
}

func roles(r *gateway.Route, id *gateway.Identity, _ time.Time) gateway.Reason {
	if len(r.Roles) == 0 && len(r.Groups) == 0 {
		return gateway.Passed
	}
	for _, have := range [...][]string{id.Roles, id.Wids} {
		for _, h := range have {
			if slices.Contains(r.Roles, h) {
				return gateway.Passed
			}
		}
	}
	for _, g := range id.Groups {
		if slices.Contains(r.Groups, g) {
			return gateway.Passed
		}
	}
	if len(r.Groups) > 0 && id.GroupsElsewhere {
		return gateway.RolesElsewhere
	}
	return gateway.RoleMissing
}
