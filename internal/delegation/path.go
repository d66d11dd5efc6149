package delegation

// Question is whose ways are asked for. An empty member asks for all. [Resolve] turns names
// into ids; [Paths] takes ids.
type Question struct {
	Person   string `json:"person,omitempty"`   // object id; in words also user principal name or name
	Customer string `json:"customer,omitempty"` // tenant id; in words also domain or name
	Role     string `json:"role,omitempty"`     // template id; in words also the name
	Roads    bool   `json:"roads,omitempty"`    // what is Global Administrator, and all that leads there
}

// Kind is what opens a door.
type Kind string

// The kinds of ways.
const (
	ByGDAP    Kind = "gdap"
	ByDAP     Kind = "dap"
	ByAzure   Kind = "azure"
	ByConsent Kind = "app-only"
)

// Path is one way from a person, or an app, to a role at a customer.
type Path struct {
	Kind         Kind     `json:"kind"`
	Person       string   `json:"personId"` // "" somebody who is not known
	Group        string   `json:"groupId,omitempty"`
	Via          []string `json:"via,omitempty"` // nested groups between, from the outer one
	Eligible     bool     `json:"eligible,omitempty"`
	Perhaps      bool     `json:"perhaps,omitempty"` // as far as was read it may be so
	Why          string   `json:"why,omitempty"`     // of perhaps, a clause
	Ask          string   `json:"settle,omitempty"`  // the one request that settles it
	Relationship string   `json:"relationshipId,omitempty"`
	Assignment   string   `json:"assignmentId,omitempty"`
	App          string   `json:"appId,omitempty"` // of an app-only permission
	Subscription string   `json:"subscriptionId,omitempty"`
	Customer     string   `json:"customerTenantId"`
	Role         string   `json:"role"` // template id; "" roles that were not read; of Azure and apps the right's name
	RoleName     string   `json:"roleName"`
	Global       bool     `json:"globalAdministrator,omitempty"` // it is Global Administrator, or as good as it
	Step         string   `json:"step,omitempty"`                // how it leads to Global Administrator
}

// Leads reports a way that is Global Administrator or leads there.
func (p *Path) Leads() bool { return p.Global || p.Step != "" }
