package screen

import "slices"

// Right is something that a person may see or do.
type Right string

// The rights. A role is a set of them; see package console.
const (
	SeePosture   Right = "posture.see"    // the requirement status, coverage, exceptions
	SeePeople    Right = "people.see"     // accounts by name, sign-ins
	SeeCustomers Right = "customers.see"  // customers and what our power reaches there
	SeeOperation Right = "operation.see"  // connections, collection, automation, jobs
	SeeTrail     Right = "trail.see"      // the audit trail
	SeeAlerts    Right = "alerts.see"     // alerts, channels without their secrets
	AskException Right = "exceptions.ask" // ask for an exception, attest
	Approve      Right = "exceptions.approve"
	Operate      Right = "operation.do" // revive jobs, begin a reading, heal a connection
	DoAlerts     Right = "alerts.do"    // snooze, acknowledge, test a channel
	HelpDesk     Right = "factors.do"   // help people with their factors: invite, unlock, ask for a reset and approve another's
	Manage       Right = "console.manage"
)

// Rights are all of them, as they are listed.
func Rights() []Right {
	return []Right{SeePosture, SeePeople, SeeCustomers, SeeOperation, SeeTrail, SeeAlerts, AskException, Approve, Operate, DoAlerts, HelpDesk, Manage}
}

// Acts says that a right lets something be done, and not only seen.
func (r Right) Acts() bool {
	return slices.Contains([]Right{AskException, Approve, Operate, DoAlerts, HelpDesk, Manage}, r)
}

// Viewer is who looks, as the console knows them at this request.
type Viewer struct {
	ID, Name string // stable id of the person; what they are called
	Role     string // in words: "Security Reader"
	Actor    string // as the trail names them: "oidc:…", "local:…", "token:…"
	Session  string // the id of the session; "" for a token
	Rights   []Right
	// Customers are the tenants a member of staff is limited to; nil is all of them,
	// empty none. The partner's own tenant is among them only when it is named.
	Customers []string
}

// May says whether the viewer has a right.
func (v *Viewer) May(r Right) bool { return v != nil && r != "" && slices.Contains(v.Rights, r) }

// Sees says whether the viewer may know of a tenant.
func (v *Viewer) Sees(tenant string) bool {
	return v != nil && (v.Customers == nil || slices.Contains(v.Customers, tenant))
}
