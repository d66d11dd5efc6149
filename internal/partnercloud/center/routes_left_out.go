package center

import "partnerguard/internal/partnercloud/kit"

// leftOut are the operations that Partner Center has and the partner cloud has not,
// each with its name. They are refused with 501, whoever may call them, so that nobody
// takes a gap for an empty answer.
var leftOut = []struct{ name, method, path string }{
	{"Add a verified domain", "POST", "/v1/customers/{customer}/verifieddomain"},
	{"Artifacts of entitlements", "GET", "/v1/customers/{customer}/artifacts/{kind}/groups/{group}/lineitems/{item}/resource/{resource}"},
	{"Transfers", "GET", "/v1/customers/{customer}/transfers"},
	{"Transfers", "POST", "/v1/customers/{customer}/transfers"},
	{"Transfers", "GET", "/v1/customers/{customer}/transfers/{transfer}"},
	{"Transfers", "PATCH", "/v1/customers/{customer}/transfers/{transfer}"},
	{"New-commerce migrations", "GET", "/v1/customers/{customer}/migrations/newcommerce"},
	{"New-commerce migrations", "POST", "/v1/customers/{customer}/migrations/newcommerce"},
	{"New-commerce migrations", "POST", "/v1/customers/{customer}/migrations/newcommerce/validate"},
	{"New-commerce migrations", "GET", "/v1/customers/{customer}/migrations/newcommerce/{migration}"},
	{"New-commerce migrations", "GET", "/v1/customers/{customer}/migrations/newcommerce/events"},
	{"New-commerce migration schedules", "GET", "/v1/customers/{customer}/migrations/newcommerce/schedules"},
	{"New-commerce migration schedules", "POST", "/v1/customers/{customer}/migrations/newcommerce/schedules"},
	{"New-commerce migration schedules", "GET", "/v1/customers/{customer}/migrations/newcommerce/schedules/{schedule}"},
	{"New-commerce migration schedules", "PUT", "/v1/customers/{customer}/migrations/newcommerce/schedules/{schedule}"},
	{"New-commerce migration schedules", "POST", "/v1/customers/{customer}/migrations/newcommerce/schedules/{schedule}/cancel"},
	{"New-commerce migrations", "GET", "/v1/migrations/newcommerce"},
	{"New-commerce migration schedules", "GET", "/v1/migrations/newcommerce/schedules"},
	{"Subscription overage", "GET", "/v1/customers/{customer}/subscriptions/overage"},
	{"Subscription overage", "PUT", "/v1/customers/{customer}/subscriptions/overage"},
	{"Legacy subscription upgrades (use transitions)", "GET", "/v1/customers/{customer}/subscriptions/{subscription}/upgrades"},
	{"Legacy subscription upgrades (use transitions)", "POST", "/v1/customers/{customer}/subscriptions/{subscription}/upgrades"},
	{"Sandbox activation of marketplace subscriptions", "POST", "/v1/customers/{customer}/subscriptions/{subscription}/activate"},
	{"Azure plan product upgrades", "POST", "/v1/productupgrades"},
	{"Azure plan product upgrades", "GET", "/v1/productupgrades/eligibility"},
	{"Azure plan product upgrades", "GET", "/v1/productupgrades/{upgrade}/status"},
	{"Changes of one device (use DevicePolicyUpdates)", "PATCH", "/v1/customers/{customer}/deviceBatches/{batch}/devices/{device}"},
	{"Self-serve policies", "GET", "/v1/SelfServePolicy"},
	{"Self-serve policies", "POST", "/v1/SelfServePolicy"},
	{"Self-serve policies", "GET", "/v1/SelfServePolicy/{selfserve}"},
	{"Self-serve policies", "PUT", "/v1/SelfServePolicy/{selfserve}"},
	{"Self-serve policies", "DELETE", "/v1/SelfServePolicy/{selfserve}"},
	{"Partner agreement status of resellers", "GET", "/v1/compliance/{program}/agreementstatus"},
	{"Validation codes", "GET", "/v1/customers/all/validations"},
	{"Service incidents (ended; Microsoft Graph has service health)", "GET", "/v1/serviceincidents"},
	{"Commercial analytics, usage", "GET", "/partner/v1/analytics/usage/azure"},
	{"Commercial analytics, indirect resellers", "GET", "/partner/v1/analytics/indirectresellers"},
	{"Commercial analytics, referrals", "GET", "/partner/v1/analytics/referrals"},
	{"Commercial analytics, searches", "GET", "/partner/v1/analytics/searches"},
	{"Purchase order documents", "GET", "/v1/customers/{customer}/orders/{order}/attachments"},
	{"Purchase order documents", "POST", "/v1/customers/{customer}/orders/{order}/attachment"},
	{"Purchase order documents", "GET", "/v1/customers/{customer}/orders/{order}/attachment/{attachment}"},
	{"Service incidents (ended; Microsoft Graph has service health)", "GET", "/v1/serviceincidents/office"},
	{"Agreement signatures", "GET", "/v1/agreements/{agreement}"},
	{"Agreement signatures", "GET", "/v1/agreements/{agreement}/signatures"},
	{"Agreement signatures", "POST", "/v1/agreements/{agreement}/signatures"},
	{"Agreement signatures", "GET", "/v1/agreements/{agreement}/signatures/{version}"},
	{"Account settings", "GET", "/v1/accountsettings/{setting}"},
	{"Account settings", "PUT", "/v1/accountsettings/{setting}"},
	{"Enrolled programs", "GET", "/v1/enrolledprograms/{program}"},
	{"Delegated admin relationship statistics", "GET", "/v1/delegatedAdminRelationships/statistics"},
}

// leftOutRoutes answer what is left out by its name.
func leftOutRoutes() []*route {
	var all []*route
	for _, x := range leftOut {
		r := op(x.method, x.path, func(*call) (reply, *fault) { return reply{}, kit.LeftOut(x.name) }, forBoth)
		r.missing = x.name
		all = append(all, r)
	}
	return from(kit.Known, "left out", all...)
}
