package world

import (
	"encoding/json"
	"slices"
	"strings"
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
	Usage     []AzureUsage      `json:"usage,omitempty"`    // of the past; see State.Usage
	// Off are the spans of time in which it was off and used nothing, oldest first;
	// the last one may be open.
	Off []Span `json:"off,omitempty"`
	// Groups are resource groups that somebody made, changed or deleted; a resource
	// makes its group by itself.
	Groups    []AzureGroup    `json:"groups,omitempty"`
	Providers []AzureProvider `json:"providers,omitempty"` // registrations that were changed
	Locks     []AzureLock     `json:"locks,omitempty"`
	Quotas    []AzureQuota    `json:"quotas,omitempty"`
}

// Span is a span of time; Until is exclusive, zero while it lasts.
type Span struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until,omitzero"`
}

// SetState changes the state at a moment and notes since when it is off: usage
// follows from that. A cancellation that came into force ends with it.
func (a *AzureSubscription) SetState(state string, now time.Time) {
	off := slices.Clone(a.Off)
	open := len(off) > 0 && off[len(off)-1].Until.IsZero()
	switch cancelled := !a.CancelDue.IsZero() && !now.Before(a.CancelDue); {
	case open: // noted already
	case cancelled:
		off, open = append(off, Span{From: a.CancelDue}), true
	case a.State == "Enabled" && state != "Enabled":
		off = append(off, Span{From: now})
	}
	if state == "Enabled" {
		a.CancelDue = time.Time{}
		if open {
			off[len(off)-1].Until = now
		}
	}
	a.State, a.Off = state, off
}

// On is how much of a day it was on, from 0 to 1, as far as it was off since the world
// was made.
func (a *AzureSubscription) On(day, now time.Time) float64 {
	end := day.Add(24 * time.Hour)
	off := time.Duration(0)
	take := func(from, until time.Time) {
		if until.IsZero() || until.After(end) {
			until = end
		}
		if from.Before(day) {
			from = day
		}
		if until.After(from) {
			off += until.Sub(from)
		}
	}
	open := false
	for _, o := range a.Off {
		take(o.From, o.Until)
		open = o.Until.IsZero()
	}
	if !open && !a.CancelDue.IsZero() && !now.Before(a.CancelDue) {
		take(a.CancelDue, time.Time{})
	}
	return 1 - float64(min(off, 24*time.Hour))/float64(24*time.Hour)
}

// maxActivity bounds a subscription's activity log: Azure forgets too.
const maxActivity = 15_000

// Ask notes a request for a quota, which is granted. It is called inside Change.
func (a *AzureSubscription) Ask(q AzureQuota) {
	a.Quotas = slices.DeleteFunc(slices.Clone(a.Quotas), func(o AzureQuota) bool {
		return o.Provider == q.Provider && o.Location == q.Location && strings.EqualFold(o.Name, q.Name)
	})
	a.Quotas = append(a.Quotas, q)
}

// Log appends an event to the activity log. It is called inside Change.
func (a *AzureSubscription) Log(event json.RawMessage) {
	old := a.Activity
	if len(old) >= maxActivity {
		old = old[len(old)-maxActivity+1:]
	}
	a.Activity = append(slices.Clone(old), event)
}

// AzureLock is a management lock.
type AzureLock struct {
	Name  string `json:"name"`
	Scope string `json:"scope"`
	Level string `json:"level"` // CanNotDelete, ReadOnly
	Notes string `json:"notes,omitempty"`
}

// AzureGroup is a resource group.
type AzureGroup struct {
	Name     string            `json:"name"`
	Location string            `json:"location,omitempty"`
	Tags     map[string]string `json:"tags,omitempty"`
	Managed  string            `json:"managedBy,omitempty"`
	Created  time.Time         `json:"created,omitzero"`
	Gone     time.Time         `json:"gone,omitzero"` // when its deletion ends
}

// AzureProvider is the registration of a resource provider.
type AzureProvider struct {
	Namespace  string    `json:"namespace"` // lower case
	Registered bool      `json:"registered"`
	Due        time.Time `json:"due"` // until then it is on its way
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
	// Hourly is what one running machine, node or container group costs an hour; the
	// times are Runs.
	Hourly float64 `json:"hourly,omitempty"`
	Runs   []Run   `json:"runs,omitempty"`
	// Count is how many machines a scale set has, or nodes a pool or a compute; 0 is
	// none of those, and counts as one where there is a price.
	Count int `json:"count,omitempty"`
	// Props are the properties as they were written, of types that show them again.
	Props json.RawMessage `json:"props,omitempty"`
}

// Path is a resource's id behind /subscriptions/{id}. What lies in another resource has
// a type and a name of several parts: Microsoft.Batch/batchAccounts/pools, account/pool.
func (r *AzureResource) Path() string {
	namespace, kinds, _ := strings.Cut(r.Type, "/")
	out, names := "/resourceGroups/"+r.Group+"/providers/"+namespace, strings.Split(r.Name, "/")
	for i, kind := range strings.Split(kinds, "/") {
		if out += "/" + kind; i < len(names) {
			out += "/" + names[i]
		}
	}
	return out
}

// Run is a time that a machine is paid for: until it is deallocated or deleted.
type Run struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to,omitzero"`     // zero: it runs
	Count int       `json:"count,omitempty"` // machines of a set, nodes of a pool; 0 is one
}

// Pay begins or ends a time that what runs is paid for; another Count begins a new one.
// It gives a changed copy: a resource is shared.
func (r AzureResource) Pay(on bool, at time.Time) AzureResource {
	last := len(r.Runs) - 1
	open := last >= 0 && r.Runs[last].To.IsZero()
	if r.Hourly == 0 || on == open && (!open || r.Runs[last].Count == r.Count) {
		return r
	}
	r.Runs = append([]Run{}, r.Runs...)
	if open {
		r.Runs[last].To = at
	}
	if on {
		r.Runs = append(r.Runs, Run{From: at, Count: r.Count})
	}
	return r
}

// AzureQuota is a quota that is not what it was at first, and the last request for it.
type AzureQuota struct {
	Provider string    `json:"provider"` // lower case: microsoft.compute
	Location string    `json:"location"`
	Name     string    `json:"name"` // standardNCASv3_T4Family, cores
	Limit    int       `json:"limit"`
	Request  string    `json:"request,omitempty"` // id of the last request
	At       time.Time `json:"at,omitzero"`
	By       string    `json:"by,omitempty"`
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

	Description      string    `json:"description,omitempty"`
	Condition        string    `json:"condition,omitempty"`
	ConditionVersion string    `json:"conditionVersion,omitempty"`
	Updated          time.Time `json:"updated,omitzero"` // zero: never changed
	By               string    `json:"by,omitempty"`     // object id of who made it
}

// AzureUsage is one day's cost of one meter.
type AzureUsage struct {
	Day      time.Time `json:"day"`
	Category string    `json:"category"`
	Quantity float64   `json:"quantity"`
	Unit     string    `json:"unit"`
	Cost     float64   `json:"cost"`
	// Resource is the id behind /subscriptions/{id}; "" for the subscription as a whole.
	Resource string `json:"resource,omitempty"`
	Location string `json:"location,omitempty"`
	Meter    string `json:"meter,omitempty"` // "" is the category
}
