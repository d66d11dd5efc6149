package fraud

import (
	"encoding/json"
	"time"
)

// Status is where an alert stands; what Microsoft says besides is kept raw.
type Status string

// The states that Microsoft documents (contracts.md section 3.13).
const (
	Active        Status = "active"
	Investigating Status = "investigating"
	Resolved      Status = "resolved"
)

// Reason is why an alert was resolved.
type Reason string

// The reasons that Microsoft documents.
const (
	Legitimate Reason = "legitimate"
	Fraud      Reason = "fraud"
	Ignore     Reason = "ignore" // it is stale
)

// Reasons are those that an answer may have.
func Reasons() []Reason { return []Reason{Legitimate, Fraud, Ignore} }

// The interfaces that tell of alerts, as in Alert.From.
const (
	Graph  = "graph"         // partner security alerts
	Center = "partnerCenter" // fraud events, old or new model
)

// Alert is one warning of Microsoft's, brought to one form from either interface.
// Texts are as Microsoft wrote them: hostile until they are cleaned.
type Alert struct {
	ID           string                     `json:"id"`                     // ours: stable over both interfaces
	GraphID      string                     `json:"graphId,omitempty"`      // of the partner security alert; "" it is not known there
	EventID      string                     `json:"eventId,omitempty"`      // of the fraud event ("{subscription}_{entity}"); "" it is not known there
	Name         string                     `json:"name"`                   // displayName
	Description  string                     `json:"description,omitempty"`  //
	Type         string                     `json:"type"`                   // alertType or eventType, raw
	Kind         Kind                       `json:"kind,omitempty"`         // what it is, where the type is known; "" else
	Severity     string                     `json:"severity,omitempty"`     // informational, low, medium, high; raw otherwise
	Confidence   string                     `json:"confidence,omitempty"`   //
	Status       Status                     `json:"status"`                 //
	Reason       Reason                     `json:"reason,omitempty"`       // of a resolved one
	ResolvedBy   string                     `json:"resolvedBy,omitempty"`   //
	Customer     string                     `json:"customerTenantId"`       // lower case
	CustomerName string                     `json:"customerName,omitempty"` //
	Subscription string                     `json:"subscriptionId"`         // lower case
	Reseller     string                     `json:"resellerTenantId,omitempty"`
	Test         bool                       `json:"test,omitempty"`
	Resources    []Resource                 `json:"resources,omitempty"`
	Details      map[string]json.RawMessage `json:"details,omitempty"`   // additionalDetails, as they came
	Log          []Change                   `json:"log,omitempty"`       // activityLogs, oldest first
	Detected     time.Time                  `json:"detected,omitzero"`   // zero: it does not say
	First        time.Time                  `json:"first,omitzero"`      // observed
	Last         time.Time                  `json:"last,omitzero"`       //
	Answered     time.Time                  `json:"answered,omitzero"`   // it first left active; zero: it did not, or does not say when
	ResolvedAt   time.Time                  `json:"resolvedAt,omitzero"` //
	Changed      time.Time                  `json:"changed,omitzero"`    // the newest time it names
	From         []string                   `json:"from"`                // which interfaces told it: "graph", "partnerCenter"
	Linked       []string                   `json:"linked,omitempty"`    // ids of alerts that may be the same one, told by the other interface
}

// Open says that nobody resolved it. A status that is not known is open: unknown is not well.
func (a *Alert) Open() bool { return a.Status != Resolved }

// Untouched says that nobody reacted to it at all.
func (a *Alert) Untouched() bool { return a.Status == Active || a.Status == "" }

// Resource is what an alert is about.
type Resource struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// Change is a line of an alert's own history.
type Change struct {
	From string    `json:"from"`
	To   string    `json:"to"`
	By   string    `json:"by,omitempty"`
	At   time.Time `json:"at,omitzero"`
}
