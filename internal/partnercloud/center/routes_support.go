package center

import "partnerguard/internal/partnercloud/kit"

// supportRoutes are devices, service requests and analytics.
func supportRoutes() []*route {
	const mine = "/v1/customers/{customer}"
	batch, policy := (*call).batchIn, (*call).policyIn
	rows := from(kit.Read, "Microsoft: Device deployment resources",
		op("GET", mine+"/deviceBatches", listBatches, forBoth),
		op("POST", mine+"/deviceBatches", createBatch, forBothWrite),
		op("GET", mine+"/deviceBatches/{batch}/devices", found(batch, listDevices), forBoth),
		op("POST", mine+"/deviceBatches/{batch}/devices", found(batch, addDevices), forBothWrite),
		op("DELETE", mine+"/deviceBatches/{batch}/devices/{device}", found(batch, deleteDevice), forBothWrite),
		op("PATCH", mine+"/DevicePolicyUpdates", updateDevices, forBothWrite),
		op("GET", mine+"/batchJobStatus/{job}", jobStatus, forBoth),
		op("GET", mine+"/policies", listPolicies, forBoth),
		op("POST", mine+"/policies", createPolicy, forBothWrite),
		op("GET", mine+"/policies/{policy}", found(policy, getPolicy), forBoth),
		op("PUT", mine+"/policies/{policy}", found(policy, changePolicy), forBothWrite),
		op("DELETE", mine+"/policies/{policy}", found(policy, deletePolicy), forBothWrite),
	)
	rows = append(rows, from(kit.Read, "Microsoft: Service request resources",
		op("GET", "/v1/servicerequests", listRequests, forUser),
		op("GET", "/v1/servicerequests/{request}", found((*call).requestIn, getRequest), forUser),
		op("PATCH", "/v1/servicerequests/{request}", found((*call).requestIn, changeRequest), forDesk),
		op("GET", mine+"/servicerequests", customerRequests, forUser),
		op("GET", mine+"/servicerequests/{request}", found((*call).requestOf, getRequest), forUser),
	)...)
	rows = append(rows, from(kit.Known, "Partner Center .NET SDK: service requests",
		op("PATCH", mine+"/servicerequests/{request}", found((*call).requestOf, changeRequest), forDesk),
		op("GET", "/v1/servicerequests/supporttopics", listTopics, forUser),
		op("POST", "/v1/servicerequests/{request}", createRequest, forDesk),
	)...)
	return append(rows, from(kit.Read, "Microsoft: Analytics resources",
		op("GET", "/v1/analytics/licenses/deployment", partnerDeployment, forUser),
		op("GET", "/v1/analytics/licenses/usage", partnerLicenceUsage, forUser),
		op("GET", mine+"/analytics/licenses/deployment", customerDeployment, forUser),
		op("GET", mine+"/analytics/licenses/usage", customerUsage, forUser),
		op("GET", "/partner/v1/analytics/subscriptions", subscriptionAnalytics, forUser).takes("size", "seekOperation"),
	)...)
}
