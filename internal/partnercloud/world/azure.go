package world

import (
	"encoding/json"
	"time"
)

// AzureSubscription is an Azure subscription in a customer's tenant.
type AzureSubscription struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	State     string    `json:"state"` // Enabled, Warned, PastDue, Disabled, Deleted
	CancelDue time.Time `json:"cancelDue,omitzero"`
	Created   time.Time `json:"created"`

	Resources []AzureResource   `json:"resources"`
	Roles     []AzureRole       `json:"roles"`
	Budgets   []Document        `json:"budgets,omitempty"`
	Activity  []json.RawMessage `json:"activity,omitempty"` // activity log, oldest first
	Usage     []AzureUsage      `json:"usage,omitempty"`
}

// Key is the subscription id.
func (a *AzureSubscription) Key() string { return a.ID }

// StateAt is the state at a moment: a cancellation comes into force when due.
func (a *AzureSubscription) StateAt(now time.Time) string {
	if !a.CancelDue.IsZero() && !now.Before(a.CancelDue) {
		return "Disabled"
	}
	return a.State
}

// AzureResource is one resource.
type AzureResource struct {
	Group    string            `json:"group"`
	Type     string            `json:"type"` // Microsoft.Compute/virtualMachines
	Name     string            `json:"name"`
	Location string            `json:"location"`
	Size     string            `json:"size,omitempty"`
	Tags     map[string]string `json:"tags,omitempty"`
	Created  time.Time         `json:"created"`
	// Power of a machine: running, deallocating until Due, then deallocated.
	Power string    `json:"power,omitempty"`
	Due   time.Time `json:"due,omitzero"`
}

// AzureRole is a role assignment on a subscription. Under DAP and GDAP Owner
// comes through the partner's AdminAgents group (contracts.md section 7.3).
type AzureRole struct {
	ID            string    `json:"id"`
	Role          string    `json:"role"` // Owner, Contributor, Reader, …
	Principal     string    `json:"principal"`
	PrincipalType string    `json:"principalType"` // User, Group, ForeignGroup, ServicePrincipal
	Scope         string    `json:"scope"`
	Created       time.Time `json:"created"`
}

// AzureUsage is one day's cost of one meter.
type AzureUsage struct {
	Day      time.Time `json:"day"`
	Category string    `json:"category"`
	Quantity float64   `json:"quantity"`
	Unit     string    `json:"unit"`
	Cost     float64   `json:"cost"`
}
