package world

import (
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
)

// Relationship is a delegatedAdminRelationship (contracts.md section 3.11).
// Status is as stored; what it is now, with everything that came due, is
// StatusAt.
type Relationship struct {
	ID           string    `json:"id"` // guid-guid
	Name         string    `json:"name"`
	Duration     string    `json:"duration"`   // ISO 8601, P1D to P2Y
	AutoExtend   string    `json:"autoExtend"` // PT0S or P180D
	Customer     string    `json:"customer"`   // tenant id, "" while anybody may accept
	CustomerName string    `json:"customerName"`
	Roles        []string  `json:"roles"` // role template ids
	Status       string    `json:"status"`
	Created      time.Time `json:"created"`
	Changed      time.Time `json:"changed"`
	Activated    time.Time `json:"activated,omitzero"`
	Ends         time.Time `json:"ends,omitzero"`
	Due          time.Time `json:"due,omitzero"` // when a passing status is over: activating, terminating
	Offered      time.Time `json:"offered,omitzero"`
	ETag         int64     `json:"etag"`

	// Provider is the indirect provider that made it for this partner, its reseller, who
	// has to consent while ConsentPending (resellerDelegatedAdminRelationship).
	Provider       string `json:"provider,omitempty"`
	ConsentPending bool   `json:"consentPending,omitempty"`

	Asks        []RelationshipRequest   `json:"asks,omitempty"`
	Assignments []AccessAssignment      `json:"assignments,omitempty"`
	Operations  []RelationshipOperation `json:"operations,omitempty"`
}

// Key is the relationship's id.
func (r *Relationship) Key() string { return r.ID }

// RelationshipRequest is one lockForApproval, approve, reject or terminate.
type RelationshipRequest struct {
	ID      string    `json:"id"`
	Action  string    `json:"action"`
	Status  string    `json:"status"`
	Created time.Time `json:"created"`
	Changed time.Time `json:"changed"`
}

// AccessAssignment gives roles of a relationship to a security group of the
// partner tenant.
type AccessAssignment struct {
	ID      string    `json:"id"`
	Group   string    `json:"group"`
	Roles   []string  `json:"roles"`
	Status  string    `json:"status"` // as stored; see StatusAt
	Created time.Time `json:"created"`
	Changed time.Time `json:"changed"`
	Due     time.Time `json:"due,omitzero"`    // when pending becomes active, deleting deleted
	Fails   bool      `json:"fails,omitempty"` // then it is in error instead
	ETag    int64     `json:"etag"`
}

// RelationshipOperation is a long-running change.
type RelationshipOperation struct {
	ID      string    `json:"id"`
	Type    string    `json:"type"`
	Data    string    `json:"data"`
	Created time.Time `json:"created"`
	Due     time.Time `json:"due"`              // succeeded from then on
	Failed  bool      `json:"failed,omitempty"` // then it has failed
}

// Statuses that pass by themselves, and how long they take here (ours).
const (
	// OfferLapse is how long an offer may wait for its customer.
	OfferLapse = 90 * 24 * time.Hour
	// AutoExtendBy is what auto-extension adds at the end date.
	AutoExtendBy = 180 * 24 * time.Hour
	// EndedKept is how long an ended relationship stays listed (contracts-2026-11.md,
	// row 3.11).
	EndedKept = 365 * 24 * time.Hour
	// ActivatingTakes is how long an accepted relationship takes to become active.
	ActivatingTakes = 30 * time.Second
)

// Answer is a customer's yes or no to an offer that waits for it: the relationship
// is for the customer who says yes first, and ends after d.
func (r *Relationship) Answer(t *Tenant, yes bool, d time.Duration, now time.Time) {
	if !yes {
		r.Status, r.Due = "terminated", time.Time{}
		return
	}
	r.Customer, r.CustomerName = t.ID, t.Name
	r.Status, r.Due = "activating", now.Add(ActivatingTakes)
	r.Activated = r.Due
	r.Ends = r.Activated.Add(d)
}

// AutoExtends reports a relationship that renews itself: never one that holds
// Global Administrator.
func (r *Relationship) AutoExtends() bool {
	return r.AutoExtend != "" && r.AutoExtend != "PT0S" && r.AutoExtend != "P0D" && !slices.Contains(r.Roles, entra.RoleGlobalAdministrator)
}

// EndAt is the end date as it stands at a moment, auto-extensions included.
func (r *Relationship) EndAt(now time.Time) time.Time {
	end := r.Ends
	if end.IsZero() || !r.AutoExtends() || r.Status != "active" {
		return end
	}
	for !now.Before(end) {
		end = end.Add(AutoExtendBy)
	}
	return end
}

// StatusAt is the status at a moment: passing states end when due, offers lapse,
// active relationships expire.
func (r *Relationship) StatusAt(now time.Time) string {
	due := !r.Due.IsZero() && !now.Before(r.Due)
	switch r.Status {
	case "approvalPending":
		if !r.Offered.IsZero() && now.Sub(r.Offered) >= OfferLapse {
			return "expired"
		}
	case "approved", "activating":
		if due { // and from then on it lives and ends as an active one
			active := *r
			active.Status = "active"
			return active.StatusAt(now)
		}
	case "terminationRequested", "terminating":
		if due {
			return "terminated"
		}
	case "active":
		if end := r.EndAt(now); !end.IsZero() && !now.Before(end) {
			return "expired"
		}
	}
	return r.Status
}

// CleanedUp reports one that ended so long ago that it is not listed any more.
func (r *Relationship) CleanedUp(now time.Time) bool {
	var ended time.Time
	switch r.StatusAt(now) {
	case "terminated":
		if ended = r.Due; ended.IsZero() {
			ended = r.Changed
		}
	case "expired":
		switch {
		case !r.Ends.IsZero():
			ended = r.EndAt(now)
		case !r.Offered.IsZero():
			ended = r.Offered.Add(OfferLapse)
		}
	}
	return !ended.IsZero() && now.Sub(ended) >= EndedKept
}

// StatusAt is the assignment's status at a moment.
func (a *AccessAssignment) StatusAt(now time.Time) string {
	due := a.Due.IsZero() || !now.Before(a.Due)
	switch {
	case a.Fails && due:
		return "error"
	case a.Status == "pending" && due:
		return "active"
	case a.Status == "deleting" && due:
		return "deleted"
	}
	return a.Status
}

// Customer is Partner Center's record of a customer (contracts.md section 2.3).
type Customer struct {
	TenantID     string    `json:"tenantId"`
	Domain       string    `json:"domain"`
	Name         string    `json:"name"`
	Country      string    `json:"country"`
	Relationship string    `json:"relationship"` // reseller, advisor, none
	DAP          bool      `json:"dap"`          // allowDelegatedAccess
	DAPUsed      time.Time `json:"dapUsed,omitzero"`
	Since        time.Time `json:"since"`
	Reseller     string    `json:"reseller,omitempty"` // tenant id of the indirect reseller
	Email        string    `json:"email,omitempty"`
	Agreed       bool      `json:"agreed"` // customer agreement confirmed
	Locked       bool      `json:"locked,omitempty"`
	Currency     string    `json:"currency"`
	Budget       *float64  `json:"budget,omitempty"`     // nil: none set
	BudgetTold   string    `json:"budgetTold,omitempty"` // month in which it was told to be exceeded: 2026-11
	Cost         float64   `json:"cost"`                 // of the current month
	ETag         int64     `json:"etag"`

	Subscriptions []Subscription `json:"subscriptions,omitempty"`
	Commerce      *Commerce      `json:"commerce,omitempty"` // nil: nothing happened since the world was made
}

// Key is the customer's tenant id.
func (c *Customer) Key() string { return c.TenantID }

// Subscription is a commerce subscription: a licence, or an Azure plan with its
// entitlements.
type Subscription struct {
	ID           string        `json:"id"`
	Offer        string        `json:"offer"`
	Name         string        `json:"name"`
	Quantity     int           `json:"quantity"`
	Status       string        `json:"status"` // active, suspended, deleted
	Created      time.Time     `json:"created"`
	AzurePlan    bool          `json:"azurePlan,omitempty"`
	Entitlements []Entitlement `json:"entitlements,omitempty"`
	ETag         int64         `json:"etag"`
	Deal         *Deal         `json:"deal,omitempty"` // nil: nothing happened since the world was made
}

// Entitlement is an Azure subscription under a plan.
type Entitlement struct {
	ID             string    `json:"id"`
	Name           string    `json:"name"`
	SubscriptionID string    `json:"subscriptionId"`
	Status         string    `json:"status"` // active, inactive
	CancelledAt    time.Time `json:"cancelledAt,omitzero"`
	CancelDue      time.Time `json:"cancelDue,omitzero"` // when it is inactive
	Reason         string    `json:"reason,omitempty"`
}

// StatusAt is the entitlement's status at a moment: cancelling takes minutes.
func (e *Entitlement) StatusAt(now time.Time) string {
	if !e.CancelDue.IsZero() && !now.Before(e.CancelDue) {
		return "inactive"
	}
	return e.Status
}

// Alert is a fraud event and partner security alert, the two being views of the
// same thing (contracts.md sections 2.9, 3.13).
type Alert struct {
	ID           string            `json:"id"`
	EventID      string            `json:"eventId"`    // Partner Center's {subscriptionId}_{entityId}
	Type         string            `json:"type"`       // current alertType
	LegacyType   string            `json:"legacyType"` // Partner Center's eventType
	Name         string            `json:"name"`
	Description  string            `json:"description"`
	Severity     string            `json:"severity"` // low, medium, high
	Confidence   string            `json:"confidence"`
	Status       string            `json:"status"` // active, investigating, resolved
	Reason       string            `json:"reason"` // "", legitimate, ignore, fraud
	ResolvedBy   string            `json:"resolvedBy"`
	ResolvedOn   time.Time         `json:"resolvedOn,omitzero"`
	Detected     time.Time         `json:"detected"`
	First        time.Time         `json:"first"`
	Last         time.Time         `json:"last"`
	Customer     string            `json:"customer"`     // tenant id
	Subscription string            `json:"subscription"` // Azure subscription id
	Reseller     string            `json:"reseller,omitempty"`
	Offer        string            `json:"offer"`
	Test         bool              `json:"test"`
	Hits         int               `json:"hits"`
	Resources    []AlertResource   `json:"resources"`
	Activity     []AlertActivity   `json:"activity"`
	Details      map[string]string `json:"details"` // VM_IP, MiningPool_IP, …
}

// Key is the alert's id.
func (a *Alert) Key() string { return a.ID }

// AlertResource is one affected resource.
type AlertResource struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// AlertActivity is one change of status.
type AlertActivity struct {
	From string    `json:"from"`
	To   string    `json:"to"`
	By   string    `json:"by"`
	At   time.Time `json:"at"`
}

// Score is one day of the partner security score's history.
type Score struct {
	At        time.Time `json:"at"`
	Score     float64   `json:"score"`
	Compliant int       `json:"compliant"`
	Total     int       `json:"total"`
}

// CustomerOf finds the partner's record of a tenant, by id or domain.
func (t *Tenant) CustomerOf(idOrDomain string) *Customer {
	if c := t.Customers.Get(idOrDomain); c != nil {
		return c
	}
	for c := range t.Customers.All() {
		if strings.EqualFold(c.Domain, idOrDomain) {
			return c
		}
	}
	return nil
}
