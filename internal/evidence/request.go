package evidence

import (
	"maps"
	"slices"
	"strings"
)

// Service is who answers a request.
type Service string

// The services.
const (
	Graph          Service = "graph"
	PartnerCenter  Service = "partner-center"
	ExchangeOnline Service = "exchange-online"
	ARM            Service = "arm" // Azure Resource Manager; Version is its api-version
)

// Licence is the Entra ID edition that a request needs in the tenant.
type Licence string

// The licences, each with what is below it.
const (
	Free Licence = "free"
	P1   Licence = "p1"
	P2   Licence = "p2"
)

// Licences lists them, the least first.
func Licences() []Licence { return []Licence{Free, P1, P2} }

// Covers reports that a tenant with l may make requests that need other.
func (l Licence) Covers(other Licence) bool {
	return slices.Index(Licences(), l) >= slices.Index(Licences(), other)
}

// Request is one request that reads the whole list of a kind: how it is made,
// with which rights, and where what comes is kept. The same table is behind the
// plan of an export, the check of one, and the words by which an answer names
// what would settle it.
type Request struct {
	Kind    Kind
	File    string // the name to save it under; a loop may add to it
	Service Service
	Version string // Graph: v1.0 or beta
	Path    string // without the version; Exchange Online: the cmdlet
	Query   string // with its question mark, or ""
	Paged   bool   // the answer comes in pages
	One     bool   // the answer is one object and no list
	Each    *Each  // further requests, one for each item
	// Permissions are those of least privilege, delegated and application alike,
	// as Graph's own permission list has them.
	Permissions []string
	Roles       []string // directory roles that may read it, the least first
	Licence     Licence  // what the tenant needs
	Without     string   // what to do without that licence
	Nobody      bool     // without that licence the list is empty, so that nothing is lost
	Instead     []Kind   // kinds that answer the same question
	When        string   // in which case it is needed at all; "" always
	Portal      []string // where to click, when the portal gives a file that is read
	Note        string
	Not21Vianet bool   // not there in the cloud that 21Vianet runs
	Source      string // where that is written
}

// Each is a loop over the items of a list.
type Each struct {
	Of    string // a clause: "each group that a policy names or ..."
	Path  string // with {id}
	Query string
	One   bool   // the answer is one object and no list
	ID    string // the member of the item that names it; "" is id
	Into  string // the member of the item under which its pages are put together; "" none: the answers are the list
}

// Requests are all requests, in the order in which they are best made. The
// caller may change what it gets, but not what the pointers lead to.
func Requests() []Request {
	return slices.Concat(settingsRequests, directoryRequests, logRequests, partnerRequests)
}

// RequestsFor are the requests of one kind.
func RequestsFor(k Kind) (out []Request) {
	for _, r := range Requests() {
		if r.Kind == k {
			out = append(out, r)
		}
	}
	return out
}

// RequestFor is the one request that reads the whole list of a kind, with the
// permission it needs, in a form that can be pasted. It is "" for kinds that no
// request gives, see [WhyNoRequest]. (contracts.md sections 2 and 3)
func RequestFor(k Kind) string {
	for _, r := range Requests() {
		if r.Kind == k {
			return r.String()
		}
	}
	return ""
}

// Address is path and query as they follow the service's address.
func (r *Request) Address() string {
	if r.Service == Graph {
		return "/" + r.Version + r.Path + r.Query
	}
	return r.Path + r.Query
}

// String is the request on one line.
func (r *Request) String() string {
	var b strings.Builder
	if r.Service != ExchangeOnline {
		b.WriteString("GET ")
	}
	if r.Service == Graph && r.Version != "v1.0" {
		b.WriteString("/" + r.Version)
	}
	b.WriteString(r.Path + r.Query)
	if r.Each != nil {
		b.WriteString(", then GET ")
		if r.Service == Graph && r.Version != "v1.0" {
			b.WriteString("/" + r.Version)
		}
		b.WriteString(r.Each.Path + r.Each.Query + " for each")
	}
	if r.Paged {
		b.WriteString(", every page")
	}
	if by := r.by(); by != "" {
		b.WriteString(" (" + by + ")")
	}
	return b.String()
}

// by is whose right the request takes.
func (r *Request) by() string {
	switch r.Service {
	case ARM:
		return "Azure Resource Manager, " + strings.Join(r.Roles, " or ")
	case PartnerCenter:
		return "Partner Center, App+User"
	case ExchangeOnline:
		return "Exchange Online, " + strings.Join(r.Roles, " or ")
	}
	return strings.Join(r.Permissions, ", ")
}

// WhyNoRequest says why no request reads a kind; "" for kinds that one does.
func WhyNoRequest(k Kind) string {
	if slices.Contains(Unjudged(), k) {
		return "no requirement is decided by it: it is collected from live tenants, or best practices alone are decided by it"
	}
	return noRequest[k]
}

// KindsWithoutRequest are the kinds that exports hold and no request gives,
// sorted. Those that are collected alone are [Unjudged].
func KindsWithoutRequest() []Kind { return slices.Sorted(maps.Keys(noRequest)) }

var noRequest = map[Kind]string{
	DirectoryRole:          "it shows activated roles only, and their members are cut at 20 when they are expanded; roleAssignments says more",
	PrivilegedUser:         "ScubaGear writes it; roleAssignments says more",
	ScubaPrivilegedRole:    "ScubaGear writes it; roleAssignments says more",
	CredentialRegistration: "the older report is gone; userRegistrationDetails takes its place",
	AppRoleAssignment:      "no rule is decided by it",
	Vouched:                "a person says it: partnerguard attest writes it down",
	AuthenticationDetail:   "the portal's download writes it beside the sign-ins; the sign-ins as JSON hold the same",
}
