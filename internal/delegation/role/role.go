package role

import (
	"time"

	"partnerguard/internal/entra"
)

// The roles that rules name.
const (
	GlobalAdministrator = entra.RoleGlobalAdministrator
	PrivilegedRole      = entra.RolePrivilegedRoleAdministrator
	PrivilegedAuth      = entra.RolePrivilegedAuthenticationAdministrator
	PartnerTier1        = entra.RolePartnerTier1Support
	PartnerTier2        = entra.RolePartnerTier2Support
)

// The logs whose acts are known.
const (
	DirectoryAudit = "directoryAudit"
	PartnerCenter  = "partnerCenter"
)

// Workload is a service whose acts have a log of their own.
type Workload string

// Some workloads. DirectoryWrites alone is seen in the directory's audit log.
const (
	DirectoryWrites Workload = "directory-writes"
	Reads           Workload = "reads" // of anything: no audit log has them
	Exchange        Workload = "exchange"
	SharePoint      Workload = "sharepoint"
	Teams           Workload = "teams"
	Intune          Workload = "intune"
	Security        Workload = "security" // Defender, Purview
	Support         Workload = "support"  // tickets, service health
	Dynamics        Workload = "dynamics" // Dynamics 365, Power Platform, Fabric
	Azure           Workload = "azure"
	Other           Workload = "other"
)

// Role is a built-in role of the directory.
type Role struct {
	ID         string // template id, lower case
	Name       string
	Privileged bool // Microsoft's isPrivileged
	Road       bool // a way to Global Administrator: who has it can get there
	RoadWhy    string
	Never      bool // not to be offered for GDAP: obsolete, refused, or Partner Tier1/Tier2 Support
	NeverWhy   string
	Weight     int // what it weighs among roles that could do the same; written by hand
	Workloads  []Workload
	Theft      string // what a thief of it could do, one sentence
}

// Target is what an act was done to.
type Target string

// The targets of an act.
const (
	TargetNone       Target = ""           // it does not matter
	TargetOrdinary   Target = "ordinary"   // a user without an administrator's role at that time
	TargetLimited    Target = "limited"    // a user whose every role a User Administrator may act on: Microsoft's limited administrator
	TargetPrivileged Target = "privileged" // a user with any other role, or in a role-assignable group
	TargetUnknown    Target = "unknown"    // what roles the user held at that time was not read
)

// Act is one kind of act as a log names it.
type Act struct {
	Log        string   // DirectoryAudit, PartnerCenter; any other is not known
	Category   string   // as the log says it: UserManagement, RoleManagement ...
	Activity   string   // activityDisplayName, or the operation's name
	Properties []string // names of the modified properties, sorted, each once
	Target     Target
}

// Candidate is a role that could have done an act.
type Candidate struct {
	Role   string // id
	Task   int    // place in Microsoft's task table for this act: 0 the first role it names, 1 a further one; -1 not in it
	Beside bool   // it could, but is for something else: it counts where it is wanted anyway, and is not chosen for this act
}

// Mapping is what is known of an act.
type Mapping struct {
	Known      bool        // false: nothing is known of it, and no role is called for
	Sure       string      // high, mid, low
	Why        string      // what is to be known of the mapping beside how sure it is; "" nothing
	Candidates []Candidate // in order: the least first
	Task       string      // the tasks' names in Microsoft's table, with their area; "" it is in none
	Source     string
	Date       time.Time
}
