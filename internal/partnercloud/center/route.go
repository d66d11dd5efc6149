package center

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partner"
	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
)

// route is one operation with who may call it.
type route struct {
	method, pattern string
	segments        []string
	do              func(*call) (reply, *fault)
	ahead           func(*call) *fault // work that must not hold the lock
	options         []string           // query options that are taken
	matched         bool               // If-Match is looked at
	source          kit.Source
	missing         string // the name of what is left out; "" where it is not

	app     bool     // app-only may call it too
	agents  []string // groups of the partner tenant, one of which is needed
	admins  []string // directory roles of the partner tenant that do as well
	inside  []string // directory roles in the customer's tenant, one of which is needed
	consent bool     // its own limit, and GDAP work
}

var (
	readers  = []string{world.AdminAgents, world.HelpdeskAgents, world.SalesAgents}
	managers = []string{world.AdminAgents}
)

// makeRoutes is the whole API. A constant segment stands before a variable one. It is
// long because it is one table.
func makeRoutes() []*route {
	rw := func(method, pattern string, do func(*call) (reply, *fault), mend func(*route)) *route {
		r := &route{method: method, pattern: pattern, segments: strings.Split(strings.Trim(pattern, "/"), "/"), do: do}
		if mend != nil {
			mend(r)
		}
		return r
	}
	// who may: both kinds of caller, or app+user alone.
	read := func(r *route) { r.app, r.agents = true, readers }
	write := func(r *route) { r.app, r.agents = true, managers }
	userRead := func(r *route) { r.agents = readers }
	userWrite := func(r *route) { r.agents = managers }
	consenting := func(r *route) { r.agents, r.consent = managers, true }
	report := func(r *route) {
		r.agents, r.admins = managers, []string{entra.RoleGlobalAdministrator, entra.RoleSecurityAdministrator, entra.RoleSecurityReader}
	}
	directory := func(roles ...string) func(*route) { return func(r *route) { r.inside = roles } }
	giveRoles := directory(entra.RolePrivilegedRoleAdministrator, entra.RoleGlobalAdministrator)
	lookUsers := directory(entra.RoleDirectoryReaders, entra.RoleDirectoryWriters, entra.RoleGlobalReader, entra.RoleUserAdministrator,
		entra.RoleHelpdeskAdministrator, entra.RoleLicenseAdministrator, entra.RolePrivilegedRoleAdministrator,
		entra.RolePrivilegedAuthenticationAdministrator, entra.RoleGlobalAdministrator)
	changePerson := directory(entra.RoleUserAdministrator, entra.RoleDirectoryWriters, entra.RoleHelpdeskAdministrator,
		entra.RolePrivilegedAuthenticationAdministrator, entra.RoleGlobalAdministrator)
	changeUsers := directory(entra.RoleUserAdministrator, entra.RoleDirectoryWriters, entra.RoleGlobalAdministrator)
	return ordered(slices.Concat(moreRoutes(),
		from(kit.Read, "Microsoft: Customers and relationships (contracts 2.3)",
			rw("GET", "/v1/customers/relationshiprequests", relationshipRequest, userRead),
			rw("GET", "/v1/customers/usagerecords", usageRecords, read).takes("size", "seekOperation"),
			rw("GET", "/v1/customers", listCustomers, read).takes("size", "seekOperation", "filter"),
			rw("POST", "/v1/customers", createCustomer, userWrite),
			rw("GET", "/v1/customers/{customer}", getCustomer, read),
			rw("PATCH", "/v1/customers/{customer}", changeCustomer, userWrite).matches(),
			rw("GET", "/v1/relationships", listRelationships, userRead).takes("relationship_type"),
			rw("GET", "/v1/customers/{customer}/relationships", customerRelationships, userRead).takes("relationship_type"),
			rw("GET", "/v1/customers/{customer}/validationStatus", validationStatus, read).takes("type"),
		),
		from(kit.Read, "Microsoft: Customer users, roles and licences",
			rw("GET", "/v1/customers/{customer}/directoryroles", listRoles, lookUsers),
			rw("GET", "/v1/customers/{customer}/directoryroles/{role}/usermembers", found((*call).role, listMembers), lookUsers).takes("size", "seekOperation"),
			rw("POST", "/v1/customers/{customer}/directoryroles/{role}/usermembers", found((*call).role, addMember), giveRoles),
			rw("DELETE", "/v1/customers/{customer}/directoryroles/{role}/usermembers/{user}", found((*call).role, removeMember), giveRoles),
			rw("GET", "/v1/customers/{customer}/users", listUsers, lookUsers).takes("size", "seekOperation", "filter"),
			rw("POST", "/v1/customers/{customer}/users", createUser, func(r *route) { changeUsers(r); r.ahead = hashPassword }),
			rw("GET", "/v1/customers/{customer}/users/{user}", found((*call).userOf, getUser), lookUsers),
			rw("PATCH", "/v1/customers/{customer}/users/{user}", changeOrRestoreUser, func(r *route) {
				changePerson(r)
				r.ahead = hashPassword
			}),
			rw("DELETE", "/v1/customers/{customer}/users/{user}", found((*call).userOf, deleteUser), changeUsers),
			rw("GET", "/v1/customers/{customer}/users/{user}/directoryroles", found((*call).userOf, rolesOfUser), lookUsers),
			rw("GET", "/v1/customers/{customer}/subscribedskus", listSKUs, lookUsers).takes("licenseGroupIds"),
		),
		from(kit.Read, "Microsoft: Subscriptions, entitlements, budget, usage summary (contracts 2.8, 7.1)",
			rw("GET", "/v1/customers/{customer}/subscriptions", listSubscriptions, read).takes("order_id", "mpn_id"),
			rw("GET", "/v1/customers/{customer}/subscriptions/{subscription}", found((*call).subscriptionIn, getSubscription), read),
			rw("PATCH", "/v1/customers/{customer}/subscriptions/{subscription}", found((*call).subscriptionIn, changeSubscription), write).matches(),
			rw("GET", "/v1/customers/{customer}/subscriptions/{subscription}/azureEntitlements", found((*call).plan, listEntitlements), read),
			rw("GET", "/v1/customers/{customer}/subscriptions/{subscription}/azureEntitlements/{entitlement}", getEntitlement, read),
			rw("POST", "/v1/customers/{customer}/subscriptions/{subscription}/azureEntitlements/{entitlement}/cancel", cancelEntitlement, write),
			rw("GET", "/v1/customers/{customer}/usagebudget", getBudget, read),
			rw("PATCH", "/v1/customers/{customer}/usagebudget", changeBudget, write),
			rw("GET", "/v1/customers/{customer}/usagesummary", usageSummary, read),
		),
		from(kit.Read, "Microsoft: Application consents (contracts 2.5)",
			rw("GET", "/v1/customers/{customer}/applicationconsents", listConsents, userWrite),
			rw("POST", "/v1/customers/{customer}/applicationconsents", consent, consenting),
			rw("DELETE", "/v1/customers/{customer}/applicationconsents/{application}", withdrawConsent, consenting),
		),
		from(kit.Read, "Microsoft: MFA adoption family, audit records (contracts 2.4, 2.6)",
			rw("GET", "/v1/applicationmfaadoptionstatus", adoptionByApp, report),
			rw("GET", "/v1/nonMfaCompliantPartnerPrincipals", principalsWithoutMFA, report),
			rw("GET", "/v1/partnerRequests", partnerRequests, report),
			rw("GET", "/v1/auditrecords", auditRecords, write).takes("size", "seekOperation", "filter", "startDate", "endDate"),
		),
		from(kit.Read, "Microsoft: Fraud events (contracts 2.9)",
			rw("GET", "/v1/fraudEvents", fraudEvents, userWrite).takes("EventStatus", "SubscriptionId", "EventType", "PageSize", "PageNumber"),
			rw("POST", "/v1/fraudEvents/subscription/{subscription}/status", answerFraud, userWrite),
		),
		from(kit.Read, "Microsoft: Validate an address (contracts 2.10)",
			rw("POST", "/v1/validations/address", validateAddress, read),
		),
		from(kit.Read, "Microsoft: Webhooks (contracts 2.7)",
			rw("GET", "/webhooks/v1/registration/events", webhookEvents, read),
			rw("GET", "/webhooks/v1/registration", getWebhook, read),
			rw("POST", "/webhooks/v1/registration", putWebhook, write),
			rw("PUT", "/webhooks/v1/registration", putWebhook, write),
			rw("POST", "/webhooks/v1/registration/validationEvents", testWebhook, write),
			rw("GET", "/webhooks/v1/registration/validationEvents/{correlation}", testedWebhook, read),
		),
	))
}

// ordered puts a constant segment before a variable one, so that the first operation
// that fits a path is the one meant.
func ordered(table []*route) []*route {
	kinds := func(r *route) string {
		out := make([]byte, len(r.segments))
		for i, s := range r.segments {
			out[i] = 'a'
			if strings.HasPrefix(s, "{") {
				out[i] = 'b'
			}
		}
		return string(out)
	}
	slices.SortStableFunc(table, func(x, y *route) int { return strings.Compare(kinds(x), kinds(y)) })
	return table
}

// takes says which query options the operation understands.
func (r *route) takes(options ...string) *route { r.options = options; return r }

// matches says that the operation looks at If-Match.
func (r *route) matches() *route { r.matched = true; return r }

// from says where operations are described, and how sure we are.
func from(sure kit.Sure, text string, rows ...*route) []*route {
	for _, r := range rows {
		r.source = kit.Source{Text: text, Sure: sure}
	}
	return rows
}

// found answers an operation on what find looks for by the path.
func found[T any](find func(*call) (T, *fault), do func(*call, T) (reply, *fault)) func(*call) (reply, *fault) {
	return func(k *call) (reply, *fault) {
		x, f := find(k)
		if f != nil {
			return reply{}, f
		}
		return do(k, x)
	}
}

// Operation is how the adoption reports name the call: "Get /v{version}/customers".
func (r *route) operation() string {
	p := strings.NewReplacer("/v1/", "/v{version}/", "{customer}", "{customer_id}", "{user}", "{user_id}", "{subscription}", "{subscription_id}",
		"{role}", "{role_id}", "{entitlement}", "{entitlement_id}", "{application}", "{application_id}", "{correlation}", "{correlation_id}").Replace(r.pattern)
	return r.method[:1] + strings.ToLower(r.method[1:]) + " " + p
}

// maxPath bounds a path that is looked at.
const maxPath = 2 << 10

// match finds the operation of a path; constant parts count without case.
func match(table []*route, method, escaped string) (*route, map[string]string, *fault) {
	if len(escaped) > maxPath {
		return nil, nil, refuse(http.StatusNotFound, 404, "There is no such resource.")
	}
	if method == http.MethodHead {
		method = http.MethodGet
	}
	parts := strings.Split(strings.Trim(escaped, "/"), "/")
	var allowed []string
next:
	for _, r := range table {
		if len(r.segments) != len(parts) {
			continue
		}
		params := map[string]string{}
		for i, s := range r.segments {
			v, err := url.PathUnescape(parts[i])
			if err != nil {
				return nil, nil, refuse(http.StatusBadRequest, 400, "The path is not valid.")
			}
			if strings.HasPrefix(s, "{") {
				if v == "" {
					continue next
				}
				params[s[1:len(s)-1]] = v
			} else if !strings.EqualFold(s, v) {
				continue next
			}
		}
		if r.method != method {
			allowed = append(allowed, r.method)
			continue
		}
		return r, params, nil
	}
	if len(allowed) > 0 {
		return nil, nil, refuse(http.StatusMethodNotAllowed, 405, "The method is not allowed here.").With("Allow", strings.Join(allowed, ", "))
	}
	return nil, nil, refuse(http.StatusNotFound, 404, "There is no such resource.")
}

// admit passes the gates behind the token, in order, and remembers the request.
func (k *call) admit() *fault {
	s := k.s
	k.partner = s.PartnerTenant()
	if k.partner == nil {
		return forbidden("There is no partner in this world.")
	}
	if f := k.throttle(); f != nil {
		return f
	}
	if f := k.kind(); f != nil {
		return f
	}
	for _, name := range []string{"customer", "subscription", "entitlement", "application", "cart", "policy", "template", "offer", "job"} {
		if v, there := k.params[name]; there && !world.IsGUID(v) {
			return notGUID(name + " id")
		}
	}
	if !k.who.AppOnly() {
		k.user = k.partner.Users.Get(k.who.ObjectID)
		if k.user == nil || !k.user.Enabled {
			return forbidden("The user of the access token is not an enabled user of the partner tenant.")
		}
	}
	if id := k.params["customer"]; id != "" {
		if k.customer = k.partner.Customers.Get(id); k.customer != nil {
			k.tenant = s.Tenant(id)
		}
		if k.tenant != nil && k.user != nil {
			k.rights, _ = s.Delegated(k.user, k.tenant)
		}
	}
	k.remember()
	if f := k.enforce(); f != nil {
		return f
	}
	if f := k.mayCall(); f != nil {
		return f
	}
	if k.params["customer"] == "" {
		return nil
	}
	switch {
	case k.customer == nil && s.Tenant(k.params["customer"]) == nil:
		return deny(entra.CenterTenantUnknown, k.params["customer"])
	case k.customer == nil || k.customer.Relationship == "none" || k.tenant == nil:
		return deny(entra.CenterNoRelationship, k.params["customer"])
	}
	return k.mayInside()
}

// kind refuses callers that the operation is not for: other tenants' tokens,
// indirect resellers, control panel vendors without a user, and app-only calls
// of what needs a user (contracts.md sections 2.1, 2.3, 2.4, 5.3).
func (k *call) kind() *fault {
	t := k.s.Tenant(k.who.Tenant)
	switch {
	case t != nil && (t.PartnerKind == partner.IndirectReseller || t.ID == k.partner.ID && k.partner.PartnerKind == partner.IndirectReseller),
		slices.ContainsFunc(k.partner.Resellers, func(r world.Reseller) bool { return strings.EqualFold(r.TenantID, k.who.Tenant) }):
		return forbidden("Indirect resellers have no access to the Partner Center APIs.")
	case k.who.AOBO || t == nil || t.ID != k.partner.ID:
		if k.who.AppOnly() {
			return refuse(http.StatusForbidden, entra.CenterAppOnly,
				"App-only access is for apps in the partner's own tenant. Control panel vendors call with a user of the partner.")
		}
		return forbidden("The access token is not for a partner tenant.")
	case k.who.AppOnly() && !k.route.app:
		return refuse(http.StatusForbidden, entra.CenterAppOnly, "This operation does not support app-only access. Call it with app+user credentials.")
	}
	if k.who.AppOnly() {
		if owner, app := k.s.App(k.who.Client()); app == nil || owner.ID != k.partner.ID {
			return refuse(http.StatusForbidden, entra.CenterAppOnly,
				"App-only access is for apps of the partner's own tenant. Control panel vendors call with a user of the partner.")
		}
	}
	return nil
}

// enforce asks for the MFA claim as far as enforcement stands (contracts.md
// section 1.3). Work by GDAP in a customer's tenant is never covered by an
// exception, nor is consent.
func (k *call) enforce() *fault {
	if k.who.AppOnly() || k.who.HasMFA() {
		return nil
	}
	if k.partner.Sandbox { // ahead of production (section 1.1)
		return k.c.noMFA()
	}
	delegated := k.route.consent || len(k.route.inside) > 0 && k.rights.GDAP
	if k.s.Refuses(k.s.Enforcement.API, k.partner, delegated) {
		return k.c.noMFA()
	}
	return nil
}

// remember notes the request for the adoption reports, before it may be refused
// for want of MFA.
func (k *call) remember() {
	name := ""
	if c, ok := k.s.Client(k.who.Client()); ok {
		name = c.Name
	}
	corr := ""
	if k.Header.Get("MS-CorrelationId") != "" {
		corr = k.correlation
	}
	k.s.LogRequest(k.partner, &world.PartnerRequest{
		ID: k.id, Correlation: corr, Operation: k.route.operation(), IP: address(k.Request, k.who.IPAddr), UserID: k.who.ObjectID, TenantID: k.who.Tenant,
		UPN: k.who.UPN, AppID: k.who.Client(), AppName: name, AppOnly: k.who.AppOnly(), MFA: k.who.HasMFA(),
	})
}

// address is the caller's: the token's says where it was signed in from, which
// on one machine tells more than loopback.
func address(r *http.Request, token string) string {
	if token != "" {
		return token
	}
	host := r.RemoteAddr
	if i := strings.LastIndexByte(host, ':'); i > 0 {
		host = host[:i]
	}
	return strings.Trim(host, "[]")
}

// mayCall asks the caller's place in the partner tenant.
func (k *call) mayCall() *fault {
	if k.user == nil || len(k.route.agents)+len(k.route.admins) == 0 {
		return nil
	}
	for _, g := range k.route.agents {
		if k.partner.InGroup(k.user.ID, g) {
			return nil
		}
	}
	if k.partner.HasRole(k.user.ID, k.now, k.route.admins...) {
		return nil
	}
	need := strings.Join(k.route.agents, ", ")
	for _, r := range k.route.admins {
		need += ", " + world.RoleName(r)
	}
	return forbidden("Insufficient privileges: this needs one of %s.", need)
}

// mayInside asks the caller's delegated roles in the customer's tenant.
func (k *call) mayInside() *fault {
	if len(k.route.inside) == 0 {
		return nil
	}
	names := make([]string, len(k.route.inside))
	for i, r := range k.route.inside {
		if slices.Contains(k.rights.Roles, r) {
			return nil
		}
		names[i] = world.RoleName(r)
	}
	return forbidden("Insufficient privileges in the customer's tenant: this needs one of %s, by DAP or an access assignment of GDAP.",
		strings.Join(names, ", "))
}
