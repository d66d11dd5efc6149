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

// Alert is one warning of Microsoft's, brought to one form from either interface.
// Texts are as Microsoft wrote them: hostile until they are cleaned.
type Alert struct {
	ID           string // ours: stable over both interfaces
	GraphID      string // of the partner security alert; "" it is not known there
	EventID      string // of the fraud event ("{subscription}_{entity}"); "" it is not known there
	Name         string
	Description  string
	Type         string // alertType or eventType, raw
	Kind         Kind   // what it is, where the type is known; "" else
	Severity     string // informational, low, medium, high; raw otherwise
	Confidence   string
	Status       Status
	Reason       Reason // of a resolved one
	ResolvedBy   string
	Customer     string // the customer's tenant, lower case
	CustomerName string
	Subscription string // lower case
	Reseller     string // valueAddedResellerTenantId
	Test         bool
	Resources    []Resource
	Details      map[string]json.RawMessage // additionalDetails, as they came
	Log          []Change                   // activityLogs, oldest first
	Detected     time.Time                  // zero: it does not say
	First, Last  time.Time                  // observed
	Answered     time.Time                  // it first left active; zero: it did not, or does not say when
	ResolvedAt   time.Time
	Changed      time.Time // the newest time it names
	From         []string  // which interfaces told it: "graph", "partnerCenter"
}

// Resource is what an alert is about.
type Resource struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// Change is a line of an alert's own history.
type Change struct {
	From, To string
	By       string
	At       time.Time
}

// Kind is what an alert is about, over the names that Microsoft gave it in the years.
type Kind string

// The kinds that are known (contracts.md section 7.4); the list is not complete.
const (
	CryptoMining Kind = "cryptoMining"
	Machines     Kind = "machines"    // virtual machines or scale sets
	Batch        Kind = "batch"       // Azure Batch
	Containers   Kind = "containers"  // container instances
	Learning     Kind = "learning"    // machine learning
	Consumption  Kind = "consumption" // anomalous use
	Operations   Kind = "operations"  // suspicious operations
	Quota        Kind = "quota"
	Advisory     Kind = "advisory" // service health
)
