package evidence

import (
	"cmp"
	"slices"
	"time"
)

// Way is how a resource is read again and again.
type Way string

// The ways.
const (
	Whole  Way = "whole"  // the whole list each time
	Delta  Way = "delta"  // the whole list once, then what changed since
	Sliced Way = "sliced" // a log: by slices of time, each once, with an overlap
)

// Scope says in whose tenant a resource is asked for.
type Scope string

// The scopes.
const (
	OfPartner  Scope = "partner"
	OfCustomer Scope = "customer"
	OfBoth     Scope = "both"
)

// Covers reports that the resource is asked for in a tenant of that side.
func (s Scope) Covers(partner bool) bool {
	return s == OfBoth || s == OfPartner && partner || s == OfCustomer && !partner
}

// Buckets of throttling: requests to one of them share a budget within a tenant.
const (
	BucketDirectory = "directory" // Graph: users, groups, roles, apps, licences
	BucketReports   = "reports"   // Graph: sign-ins, audits, registration
	BucketPolicy    = "policy"    // Graph: Conditional Access, Identity Protection
	BucketSecurity  = "security"  // Graph: partner security, secure score
	BucketCenter    = "center"    // Partner Center
	BucketARM       = "arm"       // Azure Resource Manager
)

// Named is the selector of a loop that goes over those items alone that a policy
// names or a role is given to, where that is known.
const Named = "named"

// Resource is one thing that is read from a live tenant, again and again: a
// request of the table with how it is read, how often, and what it proves. A new
// resource is one row. Everything but Name, Way and Scope may be empty.
type Resource struct {
	Request
	// Name is the stable id, used in the archive, in cursors and by people:
	// "signIns.interactiveUser".
	Name   string
	Way    Way
	Scope  Scope
	Every  time.Duration // how often it is read where nobody says otherwise
	Delta  string        // path of the delta function, with its query, for Way Delta
	Time   string        // the member that slices go by, for Way Sliced
	Filter string        // a further OData filter, joined by "and"
	Only   string        // of the items of a loop: Named, or "" all
	// Back is how far back Microsoft keeps it, with the best licence; Free says
	// how far without one, where that differs. Zero: as it stands at that moment.
	Back, FreeBack time.Duration
	Overlap        time.Duration // what is read again, because rows come late and change
	Slice          time.Duration // the first width of a slice
	Bucket         string        // whose budget of the tenant's it uses
	Proves         string        // what it proves, a clause for people
	Fallback       []string      // names of resources that say something of the same when this one is refused
}

// Resources are all resources, in the order in which they are best read. The
// caller may change what it gets, but not what the pointers lead to.
func Resources() []Resource {
	var out []Resource
	for _, r := range Requests() {
		for _, how := range readings[r.Kind] {
			out = append(out, how.of(r))
		}
	}
	for _, how := range collected {
		out = append(out, how.of(how.Request))
	}
	return out
}

// ResourceNamed finds a resource by its name.
func ResourceNamed(name string) (Resource, bool) {
	all := Resources()
	at := slices.IndexFunc(all, func(r Resource) bool { return r.Name == name })
	if at < 0 {
		return Resource{}, false
	}
	return all[at], true
}

// of joins a row of the requests with how it is read.
func (how Resource) of(r Request) Resource {
	how.Request = r
	how.Way, how.Scope, how.Every = cmp.Or(how.Way, Whole), cmp.Or(how.Scope, OfPartner), cmp.Or(how.Every, day)
	return how
}

const day = 24 * time.Hour
