package partner

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/lenient"
)

// Relationship is delegatedAdminRelationship (contracts.md section 3.11).
type Relationship struct {
	ID          string         `json:"id"`
	DisplayName string         `json:"displayName"`
	Status      lenient.String `json:"status"`
	Duration    lenient.String `json:"duration"`
	AutoExtend  lenient.String `json:"autoExtendDuration"`
	EndDateTime lenient.Time   `json:"endDateTime"`
	Created     lenient.Time   `json:"createdDateTime"`
	Activated   lenient.Time   `json:"activatedDateTime"`
	Modified    lenient.Time   `json:"lastModifiedDateTime"`
	Customer    *struct {
		TenantID    string `json:"tenantId"`
		DisplayName string `json:"displayName"`
	} `json:"customer"`
	AccessDetails AccessDetails                  `json:"accessDetails"`
	Assignments   lenient.List[AccessAssignment] `json:"accessAssignments"`
	More          lenient.String                 `json:"accessAssignments@odata.nextLink"`
	Type          lenient.String                 `json:"@odata.type"`
	Provider      lenient.String                 `json:"indirectProviderTenantId"` // of a resellerDelegatedAdminRelationship
	Source        evidence.Source                `json:"-"`

	// RolesLost says that the roles are not all known: the record came without
	// them, or with what is no role's id. Every relationship has at least one.
	RolesLost bool `json:"-"`
}

// plainRelationship has Relationship's fields without its UnmarshalJSON.
type plainRelationship Relationship

// UnmarshalJSON reads a relationship in any key case and sets RolesLost.
func (r *Relationship) UnmarshalJSON(b []byte) error {
	var plain plainRelationship
	err := json.Unmarshal(b, &plain)
	*r = Relationship(plain)
	roles := r.AccessDetails.UnifiedRoles
	r.RolesLost = len(roles.Items) == 0 || roles.Dropped > 0
	for _, role := range roles.Items {
		r.RolesLost = r.RolesLost || role.RoleDefinitionID == ""
	}
	return err
}

// AccessDetails lists the roles of a relationship or assignment.
type AccessDetails struct {
	UnifiedRoles lenient.List[struct {
		RoleDefinitionID string `json:"roleDefinitionId"`
	}] `json:"unifiedRoles"`
}

// Roles lists the role template ids, lower case.
func (d AccessDetails) Roles() []string {
	var ids []string
	for _, r := range d.UnifiedRoles.Items {
		ids = append(ids, strings.ToLower(r.RoleDefinitionID))
	}
	return ids
}

// AccessAssignment gives roles of a relationship to a security group.
type AccessAssignment struct {
	ID              string         `json:"id"`
	Status          lenient.String `json:"status"`
	Created         lenient.Time   `json:"createdDateTime"`
	Modified        lenient.Time   `json:"lastModifiedDateTime"`
	AccessContainer struct {
		ID   string         `json:"accessContainerId"`
		Type lenient.String `json:"accessContainerType"`
	} `json:"accessContainer"`
	AccessDetails AccessDetails `json:"accessDetails"`

	// Relation and OfRelation are the relationship, as exports that are no pages of Graph's
	// write it, and as reading a page adds it.
	Relation   lenient.String  `json:"relationshipId"`
	OfRelation lenient.String  `json:"delegatedAdminRelationshipId"`
	Source     evidence.Source `json:"-"`
}

// Of is the relationship's id as the record has it, in lower case; "" it does not say.
func (a *AccessAssignment) Of() string {
	return strings.ToLower(strings.TrimSpace(string(cmp.Or(a.Relation, a.OfRelation))))
}

// RelationshipStep is a request on a relationship, or an operation on it or on one of its
// assignments (contracts.md section 3.11).
type RelationshipStep struct {
	ID        string          `json:"id"`
	Action    lenient.String  `json:"action"`        // of a request: lockForApproval, approve, reject, terminate
	Operation lenient.String  `json:"operationType"` // of an operation
	Status    lenient.String  `json:"status"`
	Created   lenient.Time    `json:"createdDateTime"`
	Relation  lenient.String  `json:"relationshipId"`
	Source    evidence.Source `json:"-"`
}

// NamedCustomer is a customer as Graph's lists name it: a delegatedAdminCustomer or a
// contract.
type NamedCustomer struct {
	TenantID   string          `json:"tenantId"`
	CustomerID string          `json:"customerId"` // of a contract: the customer's tenant
	Name       string          `json:"displayName"`
	Domain     lenient.String  `json:"defaultDomainName"`
	Type       lenient.String  `json:"contractType"`
	Source     evidence.Source `json:"-"`
}

// AzureRole is a role assignment of Azure's (contracts.md section 7.3).
type AzureRole struct {
	ID         string `json:"id"`
	Properties struct {
		Role          string         `json:"roleDefinitionId"`
		Principal     string         `json:"principalId"`
		PrincipalType lenient.String `json:"principalType"` // User, Group, ServicePrincipal, ForeignGroup
		Scope         string         `json:"scope"`
	} `json:"properties"`
	Source evidence.Source `json:"-"`
}

// Active reports a relationship that gives access on asOf. A status we do not
// know counts as active: least privilege errs towards looking.
func (r *Relationship) Active(asOf time.Time) bool {
	if r.EndDateTime.Set && !r.EndDateTime.After(asOf) {
		return false
	}
	switch strings.ToLower(string(r.Status)) {
	case "created", "approvalpending", "approved", "activating", "expired", "terminated", "terminating", "terminationrequested":
		return false
	}
	return true
}

// CustomerName is the customer's name, its tenant, or the relationship's name.
func (r *Relationship) CustomerName() string {
	switch {
	case r.Customer != nil && r.Customer.DisplayName != "":
		return r.Customer.DisplayName
	case r.Customer != nil && r.Customer.TenantID != "":
		return r.Customer.TenantID
	}
	return r.DisplayName
}

// Customer is a Partner Center customer (contracts.md section 2.3).
type Customer struct {
	ID                   string       `json:"id"`
	AllowDelegatedAccess lenient.Bool `json:"allowDelegatedAccess"` // DAP present
	// Relation is relationshipToPartner: "reseller", "advisor", "syndication" and others.
	Relation       lenient.String `json:"relationshipToPartner"`
	CompanyProfile struct {
		TenantID    string `json:"tenantId"`
		Domain      string `json:"domain"`
		CompanyName string `json:"companyName"`
	} `json:"companyProfile"`
	Disputed bool            `json:"-"` // two copies say different things of allowDelegatedAccess, which is then not set
	Source   evidence.Source `json:"-"`
}

// Name is the company's name, its domain or its id.
func (c *Customer) Name() string {
	switch {
	case c.CompanyProfile.CompanyName != "":
		return c.CompanyProfile.CompanyName
	case c.CompanyProfile.Domain != "":
		return c.CompanyProfile.Domain
	}
	return c.ID
}

// Alert is a partner security alert or a Partner Center fraud event, brought
// to one form (contracts.md sections 2.9 and 3.13).
type Alert struct {
	ID       string
	Name     string
	Type     string
	Status   string // active, investigating, resolved; lower case, raw otherwise
	Severity string
	Customer string
	Detected lenient.Time
	Answered lenient.Time // when it first left active; unset when it never did or is not shown
	Test     bool
	Source   evidence.Source
}

// activity is one entry of activityLogs, in both spellings of its clock.
type activity struct {
	StatusFrom lenient.String `json:"statusFrom"`
	StatusTo   lenient.String `json:"statusTo"`
	Updated    lenient.Time   `json:"updatedDateTime"`
	DateTime   lenient.Time   `json:"dateTime"`
}

// SecurityAlert decodes microsoft.graph.partner.security.partnerSecurityAlert.
type SecurityAlert struct {
	ID               string                 `json:"id"`
	DisplayName      lenient.String         `json:"displayName"`
	AlertType        lenient.String         `json:"alertType"`
	Status           lenient.String         `json:"status"`
	Severity         lenient.String         `json:"severity"`
	CustomerTenantID lenient.String         `json:"customerTenantId"`
	Detected         lenient.Time           `json:"detectedDateTime"`
	FirstObserved    lenient.Time           `json:"firstObservedDateTime"`
	Resolved         lenient.Time           `json:"resolvedOnDateTime"`
	IsTest           lenient.Bool           `json:"isTest"`
	ActivityLogs     lenient.List[activity] `json:"activityLogs"`
}

// Alert brings it to the common form.
func (a SecurityAlert) Alert(src evidence.Source) Alert {
	out := Alert{
		ID: a.ID, Name: string(a.DisplayName), Type: string(a.AlertType), Status: strings.ToLower(string(a.Status)), Severity: string(a.Severity),
		Customer: string(a.CustomerTenantID), Detected: a.Detected, Test: a.IsTest.True(), Source: src,
	}
	if !out.Detected.Set && (a.FirstObserved.Set || out.Detected.Raw == "") {
		out.Detected = a.FirstObserved
	}
	out.Answered = answered(a.ActivityLogs.Items, out.Status, a.Resolved)
	return out
}

// FraudEvent decodes both models of Partner Center's fraud events. activityLogs
// is JSON inside a string, isTest is text (contracts.md section 10, trap 11).
type FraudEvent struct {
	EventID      string                 `json:"eventId"`
	EventType    lenient.String         `json:"eventType"`
	EventStatus  lenient.String         `json:"eventStatus"`
	EventTime    lenient.Time           `json:"eventTime"`
	DisplayName  lenient.String         `json:"displayName"`
	EntityName   lenient.String         `json:"entityName"`
	Severity     lenient.String         `json:"severity"`
	Customer     lenient.String         `json:"customerFriendlyName"`
	CustomerID   lenient.String         `json:"customerTenantId"`
	FirstSeen    lenient.Time           `json:"firstObserved"`
	ResolvedOn   lenient.Time           `json:"resolvedOn"`
	IsTest       lenient.Bool           `json:"isTest"`
	ActivityLogs lenient.List[activity] `json:"activityLogs"`
}

// Alert brings it to the common form.
func (f FraudEvent) Alert(src evidence.Source) Alert {
	out := Alert{
		ID: f.EventID, Name: string(f.DisplayName), Type: string(f.EventType), Status: strings.ToLower(string(f.EventStatus)), Severity: string(f.Severity),
		Customer: string(f.Customer), Detected: f.EventTime, Test: f.IsTest.True(), Source: src,
	}
	if out.Name == "" {
		out.Name = string(f.EntityName)
	}
	if out.Customer == "" {
		out.Customer = string(f.CustomerID)
	}
	if !out.Detected.Set && (f.FirstSeen.Set || out.Detected.Raw == "") {
		out.Detected = f.FirstSeen
	}
	out.Answered = answered(f.ActivityLogs.Items, out.Status, f.ResolvedOn)
	return out
}

// answered finds when an alert first left active. An open one has no answer,
// whatever its resolvedOn says: unresolved events carry the year 9999.
func answered(logs []activity, status string, resolved lenient.Time) lenient.Time {
	if status == "active" || status == "" {
		return lenient.Time{}
	}
	var first lenient.Time
	for _, l := range logs {
		at := l.Updated
		if !at.Set {
			at = l.DateTime
		}
		if to := strings.ToLower(string(l.StatusTo)); at.Set && to != "active" && to != "" && (!first.Set || at.Before(first.Time)) {
			first = at
		}
	}
	if !first.Set && resolved.Set && resolved.Year() < 9999 {
		first = resolved
	}
	return first
}

// Adoption is one row of applicationmfaadoptionstatus: one app, one day.
type Adoption struct {
	LoginDate       lenient.Time    `json:"loginDate"`
	Compliant       lenient.Int     `json:"mfaCompliantRequestCount"`
	Total           lenient.Int     `json:"totalRequestCount"`
	ApplicationID   string          `json:"applicationId"`
	ApplicationName lenient.String  `json:"applicationName"`
	Source          evidence.Source `json:"-"`
}

// NonCompliantPrincipal is a user whose portal requests lacked MFA. The docs
// name the clock two ways; both are read (contracts.md section 2.4).
type NonCompliantPrincipal struct {
	ObjectID    string          `json:"objectId"`
	UPN         string          `json:"upn"`
	LastRequest lenient.Time    `json:"lastNonMfaCompliantRequestDateTime"`
	LastLogin   lenient.Time    `json:"lastNonMfaCompliantLoginDateTime"`
	Source      evidence.Source `json:"-"`
}

// Last is the clock under either name.
func (p *NonCompliantPrincipal) Last() lenient.Time {
	if p.LastRequest.Set {
		return p.LastRequest
	}
	return p.LastLogin
}

// Request is one Partner Center API request detail.
type Request struct {
	RequestID     string          `json:"requestId"`
	Operation     lenient.String  `json:"operationName"`
	Time          lenient.Time    `json:"requestDateTime"`
	ObjectID      lenient.String  `json:"objectId"`
	UPN           lenient.String  `json:"upn"`
	ApplicationID lenient.String  `json:"applicationId"`
	MFACompliant  lenient.Bool    `json:"mfaCompliant"`
	Source        evidence.Source `json:"-"`
}

// Score is the root of the partner security score (beta). Numbers may be whole
// or decimal.
type Score struct {
	Current float64         `json:"currentScore"`
	Max     float64         `json:"maxScore"`
	Updated lenient.Time    `json:"updatedDateTime"`
	Source  evidence.Source `json:"-"`
}

// ScoreRequirement is one requirement of the score.
type ScoreRequirement struct {
	ID               string         `json:"id"`
	Type             lenient.String `json:"requirementType"`
	ComplianceStatus lenient.String `json:"complianceStatus"`
	State            lenient.String `json:"state"`
	Score            float64        `json:"score"`
	MaxScore         float64        `json:"maxScore"`
	Updated          lenient.Time   `json:"updatedDateTime"`

	TotalAdmins       lenient.Int `json:"totalAdminsCount"`
	AdminsWithMFA     lenient.Int `json:"mfaEnabledAdminsCount"`
	AdminsWithoutMFA  lenient.Int `json:"adminsRequiredNotUsingMfaCount"` // those who are asked for it; who is not asked is in neither
	CompliantTenants  lenient.Int `json:"compliantTenantCount"`
	TotalTenants      lenient.Int `json:"totalTenantCount"`
	CustomersBudgeted lenient.Int `json:"customersWithSpendBudgetCount"`
	TotalCustomers    lenient.Int `json:"totalCustomersCount"`
	// AverageResponseHours may be decimal; nil when absent.
	AverageResponseHours *float64        `json:"averageResponseTimeInHours"`
	Source               evidence.Source `json:"-"`
}

// Compliant reads complianceStatus. The schema spells the negative
// "noncomplaint", the article "nonCompliant"; any case is taken. Some exports
// write it as the state; a negative in either place counts. known is false for
// anything else.
func (s *ScoreRequirement) Compliant() (compliant, known bool) {
	for _, status := range []lenient.String{s.ComplianceStatus, s.State} {
		switch strings.ToLower(string(status)) {
		case "noncomplaint", "noncompliant":
			return false, true
		case "compliant":
			compliant, known = true, true
		}
	}
	return compliant, known
}

// Insight is one customer of the score's customerInsights.
type Insight struct {
	TenantID string `json:"tenantId"`
	MFA      struct {
		CompliantAdmins lenient.Int    `json:"compliantAdminsCount"`
		CompliantOthers lenient.Int    `json:"compliantNonAdminsCount"`
		TotalUsers      lenient.Int    `json:"totalUsersCount"`
		Defaults        lenient.String `json:"securityDefaultsStatus"`
		Policy          lenient.String `json:"mfaConditionalAccessPolicyStatus"`
		Legacy          lenient.String `json:"legacyPerUserMfaStatus"`
	} `json:"mfa"`
	Source evidence.Source `json:"-"`
}
