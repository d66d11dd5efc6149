package center

import "partnerguard/internal/partnercloud/kit"

// orderRoutes are carts and orders.
func orderRoutes() []*route {
	const mine = "/v1/customers/{customer}"
	rows := from(kit.Read, "Microsoft: Cart resources",
		op("POST", mine+"/carts", createCart, forSales),
		op("GET", mine+"/carts/{cart}", found((*call).cartIn, getCart), forBoth),
		op("PUT", mine+"/carts/{cart}", found((*call).cartIn, changeCart), forSales),
		op("POST", mine+"/carts/{cart}/checkout", found((*call).cartIn, checkOut), forSales),
	)
	rows = append(rows, from(kit.Read, "Microsoft: Order resources",
		op("GET", mine+"/orders", listOrders, forBoth).takes("billingType"),
		op("POST", mine+"/orders", createOrder, forSales),
		op("GET", mine+"/orders/{order}", found((*call).orderIn, getOrder), forBoth),
		op("PATCH", mine+"/orders/{order}", found((*call).orderIn, changeOrder), forSales),
		op("GET", mine+"/orders/{order}/activationlinks", found((*call).orderIn, orderLinks), forBoth),
		op("GET", mine+"/orders/{order}/provisioningstatus", found((*call).orderIn, orderProvisioning), forUser),
		op("GET", mine+"/orders/{order}/lineitems/{line}/activationlinks", found((*call).orderIn, orderActivation), forBoth),
	)...)
	return append(rows, from(kit.Read, "Microsoft: Entitlement resources",
		op("GET", mine+"/entitlements", listEntitlementsBought, forUser).takes("entitlementType", "showExpiry"),
	)...)
}
