//go:build !judge

package contain

import "time"

// Kind is what a step does.
type Kind string

// The kinds, in the order in which they are done.
const (
	RevokeSessions   Kind = "revokeSessions"
	DisableUser      Kind = "disableUser"
	DisableApp       Kind = "disableApp" // its service principal in the tenant
	RemoveCredential Kind = "removeCredential"
	RemoveRole       Kind = "removeRoleAssignment"
	StopMachine      Kind = "deallocateMachine"
	StopSet          Kind = "deallocateScaleSet"
	StopPool         Kind = "stopBatchPool"
	StopCompute      Kind = "stopMLCompute"
	StopContainers   Kind = "stopContainerGroup"
	LowerQuota       Kind = "lowerQuota"
	SetBudget        Kind = "setBudget"
	Cancel           Kind = "cancelEntitlement"
	Suspend          Kind = "suspendPlan"
)

// Plan is what shall be done about one alert. It is read by people, who may take steps out
// and change nothing else; it holds no secret.
type Plan struct {
	Version      int       `yaml:"version" json:"version"` // 1
	ID           string    `yaml:"id" json:"id"`           // of the plan as it was made
	Cloud        string    `yaml:"cloud" json:"cloud"`
	Partner      string    `yaml:"partner" json:"partnerTenantId"`
	Customer     string    `yaml:"customer" json:"customerTenantId"`
	Name         string    `yaml:"name" json:"name"` // the customer's, cleaned
	Alert        string    `yaml:"alert" json:"alert"`
	Subscription string    `yaml:"subscription" json:"subscriptionId"`
	Connection   string    `yaml:"connection" json:"connection"` // by which it is done
	As           string    `yaml:"as" json:"as"`                 // the account that it is
	Made         time.Time `yaml:"made" json:"made"`
	Since        time.Time `yaml:"since" json:"since"` // what is newer is suspected
	Seen         string    `yaml:"seen" json:"seen"`   // fingerprint of what was there
	Told         []string  `yaml:"told,omitempty" json:"told"`
	Steps        []Step    `yaml:"steps" json:"steps"`
}

// Have is whether a right is there. What could not be read is unknown, never yes.
type Have string

// The answers.
const (
	Yes     Have = "yes"
	No      Have = "no"
	Unknown Have = "unknown"
)

// Step is one thing that shall be stopped or taken away.
type Step struct {
	ID     string `yaml:"id" json:"id"` // s-…, by all that it says
	Phase  int    `yaml:"phase" json:"phase"`
	Kind   Kind   `yaml:"kind" json:"kind"`
	Target string `yaml:"target" json:"target"`           // an id of Azure's, or an object's id in the directory
	Tenant string `yaml:"tenant" json:"tenantId"`         // whose directory it is in
	Name   string `yaml:"name,omitempty" json:"name"`     // as others wrote it, cleaned
	Key    string `yaml:"key,omitempty" json:"key"`       // of a credential; of a plan's entitlement the plan
	Limit  int64  `yaml:"limit,omitempty" json:"limit"`   // a quota's, or a budget's, in whole units
	Before string `yaml:"before,omitempty" json:"before"` // JSON: what is needed to take it back

	Why   string `yaml:"why" json:"why"`
	Stops string `yaml:"stops" json:"stops"` // the blast radius, in words
	// PerHour is what the target costs an hour, as far as that is known; 0 it is not.
	PerHour  float64 `yaml:"perHour,omitempty" json:"perHour"`
	Currency string  `yaml:"currency,omitempty" json:"currency"`

	Undo bool   `yaml:"undo" json:"undo"` // whether it can be taken back
	How  string `yaml:"how" json:"how"`   // how, or why not

	Right  string `yaml:"right" json:"right"` // what it needs
	Have   Have   `yaml:"have" json:"have"`
	Call   string `yaml:"call,omitempty" json:"call"` // who could do it where we cannot
	Danger bool   `yaml:"danger,omitempty" json:"danger"`
}

// Scene is what an inquiry found suspicious, as far as there is one.
type Scene struct {
	Since  time.Time // when the attack began; zero: not known
	Actors []Actor
	Things []string // ids of Azure resources and role assignments made by them, lower case
	// PerHour is what resources cost an hour, by id in lower case, in Currency.
	PerHour  map[string]float64
	Currency string
}

// Actor is somebody who acted.
type Actor struct {
	Tenant string // whose directory; "" the customer's
	ID     string // object id, lower case
	UPN    string
	App    string // client id
	Words  string // why it is suspected
}
