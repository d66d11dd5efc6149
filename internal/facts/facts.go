package facts

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
	"partnerguard/internal/signin"
	"partnerguard/internal/vouch"
)

// Facts is everything read about one partner. Taking is not safe for
// concurrent use. Copies of the same record fold by id; where two differ,
// the newest by its own date counts, and without one the thing is not known.
type Facts struct {
	Directory     *directory.Directory
	Policies      map[string]*access.Policy
	Defaults      *access.SecurityDefaults
	Locations     map[string]*access.NamedLocation
	Strengths     map[string]*access.Strength
	Methods       *access.MethodsPolicy
	Relationships map[string]*partner.Relationship
	Assignments   map[string]*partner.AccessAssignment
	Customers     map[string]*partner.Customer
	Steps         map[evidence.Kind]map[string]*partner.RelationshipStep // requests on relationships, and operations
	Named         map[evidence.Kind]map[string]*partner.NamedCustomer    // Graph's two lists of customers
	AzureRoles    map[string]*partner.AzureRole
	Usage         map[string]*partner.Usage  // of customers with Azure, by tenant
	Bought        map[string]*partner.Bought // subscriptions of customers
	Subscriptions map[string]*partner.AzureSubscription
	AzureBudgets  map[string]*partner.AzureBudget
	AppRoles      map[string]*directory.AppRole // permissions that apps have by themselves
	Alerts        map[string]partner.Alert
	Adoption      map[string]*partner.Adoption // by app and day
	Principals    map[string]*partner.NonCompliantPrincipal
	Requests      map[string]*partner.Request
	Score         *partner.Score
	Requirements  map[string]*partner.ScoreRequirement // by lower-case type
	Insights      map[string]*partner.Insight
	Beside        Beside            // what best practices alone are decided by
	Vouched       []vouch.Statement // what people vouch for, in the order of the inputs
	SignIns       *signin.Summary   // nil when no sign-in was read
	Seen          map[evidence.Kind]int
	Inputs        []evidence.Input

	// At is the moment that time-bound things (schedules of roles, Microsoft's
	// changes) are looked at; set it with [Facts.SetTime] before judging.
	At time.Time
	// BaselineScopes is the tenant's setting of that name, as its operator says;
	// see [access.Tenant].
	BaselineScopes string

	policyCopies   map[string]*versions[access.Policy]
	locationCopies map[string]*versions[access.NamedLocation]
	strengthCopies map[string]*versions[access.Strength]
	defaultsDiffer bool
	unnamed        map[evidence.Kind]evidence.Source // the first record of a kind that names nothing
	resolved       *directory.Standing
	logCuts        []evidence.Cut  // see CutsFromLog
	logCutsOf      *signin.Summary // the log they were taken from
}

// SetTime sets the moment of judgement.
func (f *Facts) SetTime(at time.Time) {
	f.At, f.Directory.At, f.resolved = at, at, nil
}

// New returns empty facts.
func New() *Facts {
	return &Facts{
		Directory: directory.New(), Policies: map[string]*access.Policy{}, Locations: map[string]*access.NamedLocation{},
		Strengths: map[string]*access.Strength{}, Relationships: map[string]*partner.Relationship{}, Assignments: map[string]*partner.AccessAssignment{},
		Steps: map[evidence.Kind]map[string]*partner.RelationshipStep{}, Named: map[evidence.Kind]map[string]*partner.NamedCustomer{},
		Usage: map[string]*partner.Usage{}, Bought: map[string]*partner.Bought{}, Subscriptions: map[string]*partner.AzureSubscription{},
		AzureBudgets: map[string]*partner.AzureBudget{}, AzureRoles: map[string]*partner.AzureRole{}, AppRoles: map[string]*directory.AppRole{},
		Customers: map[string]*partner.Customer{}, Alerts: map[string]partner.Alert{}, Adoption: map[string]*partner.Adoption{},
		Principals: map[string]*partner.NonCompliantPrincipal{}, Requests: map[string]*partner.Request{},
		Requirements: map[string]*partner.ScoreRequirement{}, Insights: map[string]*partner.Insight{}, Seen: map[evidence.Kind]int{},
		unnamed: map[evidence.Kind]evidence.Source{}, policyCopies: map[string]*versions[access.Policy]{},
		locationCopies: map[string]*versions[access.NamedLocation]{}, strengthCopies: map[string]*versions[access.Strength]{},
	}
}

// Take decodes one record of the kind and keeps it. raw is not retained. The
// error says, in words for a person, which field did not fit; what did fit is
// kept all the same. Sign-ins do not come this way, they are folded. It is long because
// it is a table of the kinds.
func (f *Facts) Take(kind evidence.Kind, raw []byte, src evidence.Source) error {
	f.Seen[kind]++
	f.resolved = nil
	d := f.Directory
	switch kind {
	case evidence.User:
		return take(raw, func(u *directory.User) { u.Source = src; f.kept(d.AddUser(*u), kind, src) })
	case evidence.PerUserMFA:
		return take(raw, func(r *directory.PerUserMFA) { r.Source = src; d.AddPerUserMFA(*r) })
	case evidence.RegistrationDetails:
		return take(raw, func(r *directory.Registration) { r.Source = src; d.AddRegistration(*r) })
	case evidence.RoleDefinition:
		return take(raw, func(r *directory.RoleDefinition) { r.Source = src; d.AddRoleDefinition(*r) })
	case evidence.RoleAssignment:
		return take(raw, func(a *directory.RoleAssignment) { a.Source = src; f.kept(d.AddAssignment(*a), kind, src) })
	case evidence.RoleEligibility:
		return take(raw, func(a *directory.RoleAssignment) {
			a.Source, a.Eligible = src, true
			f.kept(d.AddAssignment(*a), kind, src)
		})
	case evidence.DirectoryRole:
		return take(raw, func(r *directory.DirectoryRole) { r.Source = src; d.AddDirectoryRole(*r) })
	case evidence.ScubaPrivilegedRole:
		return take(raw, func(r *directory.PrivilegedRole) { r.Source = src; d.AddPrivilegedRole(*r) })
	case evidence.PrivilegedUser:
		return take(raw, func(p *directory.PrivilegedUser) {
			p.Source = src
			d.PrivilegedUsers[strings.ToLower(p.ID)] = p
		})
	case evidence.Group:
		return take(raw, func(g *directory.Group) { g.Source = src; f.kept(d.AddGroup(*g), kind, src) })
	case evidence.GroupEligibility, evidence.GroupAssignment:
		return take(raw, func(g *directory.GroupSchedule) {
			g.Source, g.Eligible = src, kind == evidence.GroupEligibility
			f.kept(d.AddGroupSchedule(*g), kind, src)
		})
	case evidence.Application:
		return take(raw, func(a *directory.Application) { a.Source = src; d.Applications[key(a.ID, a.AppID, src)] = a })
	case evidence.ServicePrincipal:
		return take(raw, func(s *directory.ServicePrincipal) { s.Source = src; d.ServicePrincipals[key(s.ID, s.AppID, src)] = s })
	case evidence.OAuth2PermissionGrant:
		return take(raw, func(g *directory.PermissionGrant) { g.Source = src; d.Grants[key(g.ID, g.ClientID, src)] = g })
	case evidence.SubscribedSku:
		return take(raw, func(s *directory.SKU) { s.Source = src; d.SKUs[key(s.ID, s.SKUID, src)] = s })
	case evidence.Organization:
		return take(raw, func(o *directory.Organization) { o.Source = src; d.Organizations = append(d.Organizations, *o) })

	case evidence.DirectoryAudit:
		if take(raw, func(a *directory.Audit) { a.Source = src; f.kept(d.AddAudit(a), kind, src) }) != nil {
			f.kept(false, kind, src) // nothing else is judged by it: that it is not whole is enough
		}
		return nil

	case evidence.ConditionalAccessPolicy:
		return take(raw, func(p *access.Policy) { p.Source = src; f.addPolicy(p) })
	case evidence.SecurityDefaults:
		return take(raw, func(s *access.SecurityDefaults) { s.Source = src; f.addDefaults(s) })
	case evidence.NamedLocation:
		return take(raw, func(l *access.NamedLocation) { l.Source = src; f.addLocation(l) })
	case evidence.AuthenticationStrength:
		return take(raw, func(s *access.Strength) { s.Source = src; f.addStrength(s) })
	case evidence.AuthenticationMethods:
		return take(raw, func(m *access.MethodsPolicy) { m.Source = src; f.Methods = m })

	case evidence.Relationship:
		return take(raw, func(r *partner.Relationship) { r.Source = src; f.addRelationship(r) })
	case evidence.AccessAssignment:
		return take(raw, func(a *partner.AccessAssignment) { a.Source = src; f.Assignments[a.Of()+"|"+key(a.ID, "", src)] = a })
	case evidence.RelationshipRequest, evidence.RelationshipAction, evidence.DelegatedCustomer, evidence.Contract, evidence.AzureRoleAssignment,
		evidence.AppRoleAssignment:
		return f.takeDelegation(kind, raw, src)
	case evidence.CustomerUsage, evidence.CustomerSubscription, evidence.AzureSubscription, evidence.AzureBudget:
		return f.takeSpending(kind, raw, src)
	case evidence.AuthorizationPolicy, evidence.AdminConsentPolicy, evidence.RiskyUser, evidence.SecureScore, evidence.AppActivity,
		evidence.RolePolicy, evidence.AuditConfig, evidence.CostAlert, evidence.ActivityAlert, evidence.AzurePolicy:
		return f.takeBeside(kind, raw, src)
	case evidence.Customer:
		return take(raw, func(c *partner.Customer) { c.Source = src; f.addCustomer(c) })
	case evidence.SecurityAlert:
		return take(raw, func(a *partner.SecurityAlert) { f.addAlert(a.ID, a.Alert(src), src) })
	case evidence.FraudEvent:
		return take(raw, func(e *partner.FraudEvent) { f.addAlert(e.EventID, e.Alert(src), src) })
	case evidence.MFAAdoption:
		return take(raw, func(a *partner.Adoption) { a.Source = src; f.addAdoption(a) })
	case evidence.NonCompliantPrincipal:
		return take(raw, func(p *partner.NonCompliantPrincipal) { p.Source = src; f.Principals[key(p.ObjectID, p.UPN, src)] = p })
	case evidence.PartnerRequest:
		return take(raw, func(r *partner.Request) { r.Source = src; f.Requests[key(r.RequestID, "", src)] = r })
	case evidence.SecurityScore:
		return take(raw, func(s *partner.Score) { s.Source = src; f.addScore(s) })
	case evidence.SecurityRequirement:
		return take(raw, func(r *partner.ScoreRequirement) { r.Source = src; f.addRequirement(r) })
	case evidence.Vouched:
		return take(raw, func(s *vouch.Statement) { s.Source = src; f.Vouched = append(f.Vouched, *s) })
	case evidence.CustomerInsight:
		return take(raw, func(i *partner.Insight) { i.Source = src; f.Insights[key(i.TenantID, "", src)] = i })
	}
	return nil // recognised and counted, but nothing we judge yet
}

// key is how a map of records finds copies: by id, else by the second name,
// else by place, so that nothing without an id is lost.
func key(id, name string, src evidence.Source) string {
	switch {
	case id != "":
		return strings.ToLower(id)
	case name != "":
		return "name:" + strings.ToLower(name)
	}
	return "at:" + src.String()
}

// take decodes and keeps. A field of a wrong type leaves that field empty, is
// named in the error, and does not cost the rest.
func take[T any](raw []byte, keep func(*T)) error {
	var v T
	err := json.Unmarshal(raw, &v)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		keep(&v)
		return fmt.Errorf("field %q holds a %s, not what is expected there", wrong.Field, wrong.Value)
	}
	if err != nil {
		return errors.New("not a JSON object of its kind")
	}
	keep(&v)
	return nil
}

// kept notes a record that does not name what it is about: there is more than
// was read of its kind.
func (f *Facts) kept(ok bool, kind evidence.Kind, src evidence.Source) {
	if _, noted := f.unnamed[kind]; !ok && !noted {
		f.unnamed[kind] = src
	}
}

func (f *Facts) addScore(s *partner.Score) {
	if f.Score == nil || !f.Score.Updated.After(s.Updated.Time) {
		f.Score = s
	}
}
