package detect

import "time"

// Kind is what a finding is, by what weighs most in it.
type Kind string

// The kinds.
const (
	KindMachines   Kind = "machines"   // virtual machines or scale sets
	KindGPU        Kind = "gpu"        // machines with GPUs
	KindServices   Kind = "services"   // Batch, machine learning, container instances, clusters
	KindIdentity   Kind = "identity"   // an identity was taken over, and what it did since
	KindQuota      Kind = "quota"      // quotas were raised, and then used
	KindUse        Kind = "use"        // use alone: a jump of cost
	KindSlowGrowth Kind = "slowGrowth" // use alone: it grows in small steps
)

// Severity is how soon a person should look.
type Severity string

// The severities, by the score over the threshold.
const (
	High   Severity = "high"
	Medium Severity = "medium"
)

// Finding is one subscription that seems to be abused, with its one cause.
type Finding struct {
	Customer     string     `json:"customerTenantId"` // "": no record says whose it is
	CustomerName string     `json:"customerName,omitempty"`
	Subscription string     `json:"subscriptionId"`
	First        time.Time  `json:"firstAt"`    // the first record that is suspicious
	Detected     time.Time  `json:"detectedAt"` // the newest record that was needed
	Kind         Kind       `json:"kind"`
	Score        float64    `json:"score"` // log-odds at the moment of detection
	Severity     Severity   `json:"severity"`
	Reasons      []string   `json:"reasons"` // sentences, the heaviest first
	Evidence     []Evidence `json:"evidence"`
	Resources    []string   `json:"resources,omitempty"` // ids, at most 50
	Callers      []string   `json:"callers,omitempty"`
	Regions      []string   `json:"regions,omitempty"`
	Cost         float64    `json:"costSoFar"`         // above what is usual, until AsOf, in the currency; 0: no use is known yet
	PerDay       float64    `json:"costPerDay"`        // estimated, of what was made
	Currency     string     `json:"currency"`          // of both: what is reckoned in is about US dollars
	Blind        bool       `json:"blind"`             // no Activity Log of this subscription was read
	Linked       []string   `json:"linked,omitempty"`  // other subscriptions of the same cause
	LastSeen     time.Time  `json:"lastSeen"`          // the newest record that adds to it
	Updates      int        `json:"updates,omitempty"` // how many times it was added to since
}

// Evidence is one sign, for or against, with its weight.
type Evidence struct {
	Signal string    `json:"signal"`
	Text   string    `json:"text"`
	At     time.Time `json:"at"`     // of the record it rests on
	Weight float64   `json:"weight"` // log-odds; negative speaks against
	Source string    `json:"source"` // "activity", "usage", "directory", "signIns"
}

// Options are what a judgement goes by.
type Options struct {
	Score   float64  // a finding from this sum of weights on; 0: [DefaultScore]
	Windows []Window // deployments that were declared
}

// DefaultScore is the sum of weights from which on a subscription is a finding.
const DefaultScore = 4.5

// Result is what was found, and what the answer rests on.
type Result struct {
	Findings   []Finding
	Suppressed int // findings that a declared deployment explains
	Blind      []Blind
}

// Blind is a subscription without an Activity Log, or without use.
type Blind struct {
	Customer     string `json:"customerTenantId"`
	Subscription string `json:"subscriptionId"`
	Activity     bool   `json:"activityMissing"`
	Usage        bool   `json:"usageMissing"`
}
