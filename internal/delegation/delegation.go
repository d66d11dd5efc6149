package delegation

import "time"

// Answer is what is known of a question with two answers.
type Answer string

// The answers.
const (
	Yes     Answer = "yes"
	No      Answer = "no"
	Unknown Answer = "unknown"
)

// Inventory is what a partner may do at its customers, as of a moment.
type Inventory struct {
	AsOf      time.Time         `json:"asOf"`
	Tenant    string            `json:"tenant"` // the partner's; "" not said
	Customers []Customer        `json:"customers"`
	Groups    map[string]*Group `json:"groups"` // by id, lower case: those that matter to any way
	// Spare are the partner's other security groups, that nothing goes by: names by id. At
	// most MaxSpare are kept.
	Spare  map[string]string   `json:"otherGroups,omitempty"`
	People map[string]*Person  `json:"people"` // by object id, lower case with dashes: those of the groups
	Lists  map[string]ListRead `json:"lists"`  // how each list was read, by its Graph name

	// Unclaimed are relationships that name no customer: nobody approved them yet, or the
	// record lost whose they are.
	Unclaimed []Relationship `json:"unclaimed,omitempty"`
	// Lost are access assignments that nothing says the relationship of. While there is one,
	// no relationship's assignments are known to be all, but of those read page by page.
	Lost []Lost `json:"lost,omitempty"`
	// AdminAgents and HelpdeskAgents are the groups that DAP acts by, by id. Agents says
	// whether they were found; what is not found is unknown, never nobody.
	AdminAgents    []string `json:"adminAgents,omitempty"`
	HelpdeskAgents []string `json:"helpdeskAgents,omitempty"`
}

// Lost is an access assignment without its relationship.
type Lost struct {
	Assignment
	Source string `json:"source,omitempty"`
}

// MaxSpare bounds the groups that nothing goes by and that are kept all the same.
const MaxSpare = 10_000

// ListRead is how a list was read.
type ListRead struct {
	At    time.Time `json:"at"`
	Whole bool      `json:"whole"`
	Why   string    `json:"why,omitempty"`    // why it is not whole
	Ask   string    `json:"settle,omitempty"` // the one request that settles it
}

// Customer is one customer with all that reaches into it.
type Customer struct {
	Tenant        string         `json:"customerTenantId"`
	Name          string         `json:"name"`
	Domain        string         `json:"domain,omitempty"`
	DAP           Answer         `json:"dap"`
	DAPSource     string         `json:"dapSource,omitempty"`
	DAPWhy        string         `json:"dapWhy,omitempty"`                // why it is unknown, or what speaks against it
	Listed        []string       `json:"listed"`                          // the lists that name the customer, by their Graph name
	Reseller      string         `json:"relationshipToPartner,omitempty"` // raw
	Relationships []Relationship `json:"relationships"`
	Azure         []AzureRight   `json:"azure,omitempty"`
	AzureRead     Answer         `json:"azureRead,omitempty"` // its role assignments of Azure were read; "" as unknown
	Consents      []Consent      `json:"consents,omitempty"`
}

// Relationship is one delegated admin relationship.
type Relationship struct {
	ID          string       `json:"relationshipId"`
	Name        string       `json:"displayName"`
	Status      string       `json:"status"` // raw
	Active      bool         `json:"active"` // gives access as of the inventory's moment
	Created     time.Time    `json:"createdDateTime,omitzero"`
	Modified    time.Time    `json:"lastModifiedDateTime,omitzero"`
	Activated   time.Time    `json:"activatedDateTime,omitzero"`
	End         time.Time    `json:"endDateTime,omitzero"`
	Duration    string       `json:"duration,omitempty"`
	AutoExtend  string       `json:"autoExtendDuration,omitempty"`
	Roles       []string     `json:"roles"`               // template ids, lower case
	RolesLost   bool         `json:"rolesLost,omitempty"` // not all roles could be read
	Assignments []Assignment `json:"accessAssignments"`
	Read        Answer       `json:"accessAssignmentsRead"` // yes: these are all; never no
	Why         string       `json:"why,omitempty"`         // why they are not known to be all
	Ask         string       `json:"settle,omitempty"`      // the one request that settles it
	Requests    []Request    `json:"requests,omitempty"`
	Operations  []Operation  `json:"operations,omitempty"`
	Microsoft   bool         `json:"madeByMicrosoft,omitempty"`    // MLT_
	Governance  bool         `json:"tenantGovernance,omitempty"`   // never offered for ending
	Provider    string       `json:"indirectProviderId,omitempty"` // made by an indirect provider for a reseller
	Source      string       `json:"source,omitempty"`
}

// Request is what somebody asked of a relationship.
type Request struct {
	ID     string    `json:"id"`
	Action string    `json:"action"` // raw
	Status string    `json:"status"` // raw
	At     time.Time `json:"createdDateTime,omitzero"`
	Open   bool      `json:"open,omitempty"` // it has not ended, as of when it was read
}

// Operation is a change of a relationship or an assignment that Microsoft carries out.
type Operation struct {
	ID     string    `json:"id"`
	Type   string    `json:"operationType"`
	Status string    `json:"status"` // raw
	At     time.Time `json:"createdDateTime,omitzero"`
	Open   bool      `json:"open,omitempty"`
}

// Assignment gives roles of a relationship to a security group of the partner.
type Assignment struct {
	ID        string    `json:"id"`
	Group     string    `json:"groupId"`
	Status    string    `json:"status"` // raw
	Active    bool      `json:"active"` // it and its relationship give access as of the inventory's moment
	Created   time.Time `json:"createdDateTime,omitzero"`
	Roles     []string  `json:"roles"`
	RolesLost bool      `json:"rolesLost,omitempty"`
	Other     string    `json:"containerType,omitempty"` // raw, where the holder is no security group
}

// Group is a security group of the partner.
type Group struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Known   bool     `json:"known"` // it was in the list of groups
	Members []Member `json:"members"`
	Whole   bool     `json:"whole"`             // Members, nested and eligible, are all of them
	Pim     Answer   `json:"eligibilityRead"`   // the list of eligible members was read; where it was not, more may activate
	Dynamic bool     `json:"dynamic,omitempty"` // a rule says who is in it
	Role    Answer   `json:"isAssignableToRole,omitempty"`
	Nested  []string `json:"nested,omitempty"` // groups in it, at any depth
	Why     string   `json:"why,omitempty"`
	Ask     string   `json:"settle,omitempty"`
}

// Member is a person in a group, by the shortest way.
type Member struct {
	Person   string   `json:"personId"`
	Via      []string `json:"via,omitempty"` // nested groups between, from the outer one
	Eligible bool     `json:"eligible,omitempty"`
	Perhaps  bool     `json:"perhaps,omitempty"` // as far as was read it may be so
}

// Person is somebody of the partner.
type Person struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	UPN     string `json:"userPrincipalName"`
	Enabled Answer `json:"enabled"`
	Known   bool   `json:"known"`
	Guest   bool   `json:"guest,omitempty"`
	App     bool   `json:"app,omitempty"` // a service principal
}

// AzureRight is a role assignment on a subscription of a customer that reaches the partner.
type AzureRight struct {
	Subscription string `json:"subscriptionId"`
	Scope        string `json:"scope"`
	Role         string `json:"role"`
	Principal    string `json:"principalId"`
	Type         string `json:"principalType"` // ForeignGroup, User ...
	Source       string `json:"source,omitempty"`
}

// Consent is what an app of the partner may do in a customer's tenant.
type Consent struct {
	App         string   `json:"appId"`
	Name        string   `json:"name,omitempty"`
	Permissions []string `json:"permissions"`
	AppOnly     bool     `json:"appOnly,omitempty"`
	Owner       string   `json:"owner,omitempty"` // the tenant the app is registered in
}
