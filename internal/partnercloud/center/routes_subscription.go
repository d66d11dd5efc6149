package center

import "partnerguard/internal/partnercloud/kit"

// subscriptionRoutes are what belongs to one subscription.
func subscriptionRoutes() []*route {
	const one = "/v1/customers/{customer}/subscriptions/{subscription}"
	return from(kit.Read, "Microsoft: Subscription resources",
		op("GET", one+"/addons", found((*call).subscriptionIn, addOns), forBoth),
		op("GET", one+"/provisioningstatus", found((*call).subscriptionIn, provisioning), forUser),
		op("POST", one+"/registrations", found((*call).subscriptionIn, registerSubscription), forBothWrite),
		op("GET", one+"/registrationstatus", found((*call).subscriptionIn, registrationStatus), forBoth),
		op("GET", one+"/supportcontact", found((*call).subscriptionIn, supportContactView), forUser),
		op("PUT", one+"/supportcontact", found((*call).subscriptionIn, changeSupportContact), forUserWrite),
	)
}
