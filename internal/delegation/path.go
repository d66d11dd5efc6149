package delegation

// Question is whose ways are asked for. Empty members ask for all.
type Question struct {
	Person   string // object id, user principal name or a part of the name
	Customer string // tenant id, domain or name
	Role     string // role template id or name
	Global   bool   // only what is Global Administrator or a road to it
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
	Person       string   `json:"personId"` // "" nobody who is known
	Group        string   `json:"groupId,omitempty"`
	Via          []string `json:"via,omitempty"` // nested groups between, from the outer one
	Eligible     bool     `json:"eligible,omitempty"`
	Perhaps      bool     `json:"perhaps,omitempty"`
	Why          string   `json:"why,omitempty"` // of perhaps, in words
	Relationship string   `json:"relationshipId,omitempty"`
	Assignment   string   `json:"assignmentId,omitempty"`
	Customer     string   `json:"customerTenantId"`
	Role         string   `json:"role"` // template id; of Azure and apps the right's name
	RoleName     string   `json:"roleName"`
	Global       bool     `json:"globalAdministrator,omitempty"` // it is Global Administrator
	Step         string   `json:"step,omitempty"`                // how it leads to Global Administrator, in words
}
