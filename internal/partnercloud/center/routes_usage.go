package center

import "partnerguard/internal/partnercloud/kit"

// usageRoutes are what was used of Azure, and what it costs.
func usageRoutes() []*route {
	const mine = "/v1/customers/{customer}"
	const one = mine + "/subscriptions/{subscription}"
	rows := from(kit.Read, "Microsoft: Subscription usage resources",
		op("GET", "/v1/usagesummary", partnerUsage, forUser),
		op("GET", mine+"/subscriptions/usagerecords", subscriptionUsage, forUser),
		op("GET", one+"/usagesummary", found((*call).plan, planSummary), forUser),
		op("GET", one+"/meterusagerecords", found((*call).plan, meterUsage), forUser),
		op("GET", one+"/resourceusagerecords", found((*call).plan, resourceUsage), forUser),
		op("GET", one+"/usagerecords/resources", found((*call).plan, monthlyResources), forBoth),
	)
	rows = append(rows, from(kit.Known, "Partner Center .NET SDK: subscription daily usage records",
		op("GET", one+"/usagerecords/daily", found((*call).plan, dailyUsage), forUser),
	)...)
	rows = append(rows, from(kit.Read, "Microsoft: Azure utilization record resources",
		op("GET", one+"/utilizations/azure", found((*call).plan, utilizations), forBoth).
			takes("start_time", "end_time", "granularity", "show_details", "size", "seekOperation"),
	)...)
	rows = append(rows, from(kit.Read, "Microsoft: Azure rate card resources",
		op("GET", "/v1/ratecards/azure", rateCard, forBoth).takes("currency", "region"),
		op("GET", "/v1/ratecards/azure-shared", rateCard, forBoth).takes("currency", "region"),
	)...)
	return append(rows, from(kit.Read, "Microsoft: Service costs resources",
		op("GET", mine+"/servicecosts/{period}", serviceCosts, forUser),
		op("GET", mine+"/servicecosts/{period}/lineitems", serviceCostLines, forUser),
	)...)
}
