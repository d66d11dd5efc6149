package center

import "partnerguard/internal/partnercloud/kit"

// subscriptionRoutes are what belongs to one subscription.
func subscriptionRoutes() []*route {
	const one = "/v1/customers/{customer}/subscriptions/{subscription}"
	in := (*call).subscriptionIn
	rows := from(kit.Read, "Microsoft: Subscription resources",
		op("GET", one+"/addons", found(in, addOns), forBoth),
		op("GET", one+"/provisioningstatus", found(in, provisioning), forUser),
		op("POST", one+"/registrations", found(in, registerSubscription), forBothWrite),
		op("GET", one+"/registrationstatus", found(in, registrationStatus), forBoth),
		op("GET", one+"/supportcontact", found(in, supportContactView), forUser),
		op("PUT", one+"/supportcontact", found(in, changeSupportContact), forUserWrite),
		op("GET", one+"/activationlinks", found(in, activationLinks), forBoth),
	)
	return append(rows, from(kit.Read, "Microsoft: Transition resources, Conversions resources",
		op("GET", one+"/transitionEligibilities", found(in, transitionEligibilities), forBoth).takes("eligibilityType"),
		op("GET", one+"/transitions", found(in, listTransitions), forBoth).takes("operationId"),
		op("POST", one+"/transitions", found(in, createTransition), forSales),
		op("GET", one+"/conversions", found(in, listConversions), forUser),
		op("POST", one+"/conversions", found(in, createConversion), forUserSales),
	)...)
}
