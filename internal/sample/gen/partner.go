package main

import (
	"fmt"
	"strings"
	"time"
)

func moment(y int, m time.Month, d, h, min int) time.Time {
	return time.Date(y, m, d, h, min, 17, 0, time.UTC)
}

// Roles of the relationships.
var (
	opsRoles  = []string{"Directory Readers", "License Administrator", "Service Support Administrator", "Exchange Administrator", "Intune Administrator"}
	deskRoles = []string{"Directory Readers", "Helpdesk Administrator", "Service Support Administrator"}
	readRoles = []string{"Global Reader", "Security Reader"}
)

// relationships are the GDAP relationships: one a customer, with what a real
// list holds besides: one by Microsoft's transition with Global Administrator,
// one about to end, one offered, one ended, and none for a customer on DAP.
func relationships() o {
	unified := func(names []string) o {
		list := []any{}
		for _, n := range names {
			list = append(list, o{"roleDefinitionId", roleID(n)})
		}
		return o{"unifiedRoles", list}
	}
	var items []any
	for i, c := range customers {
		name := strings.ReplaceAll(strings.SplitN(c.domain, ".", 2)[0], "-", "")
		name = strings.ToUpper(name[:1]) + name[1:] + "_Operations"
		names, status, extend := opsRoles, "active", "P180D"
		from := moment(2025, time.Month(i%6+3), 3+i, 9, 20)
		length, days := "P730D", 730
		switch c.name {
		case "Wingtip Toys", "Coho Winery":
			names, status, name = readRoles, "approvalPending", name+"_Offer"
			from = moment(2026, 11, 9, 10, 5)
		case "Adatum Corporation":
			names, extend, name = append([]string{"Global Administrator"}, opsRoles...), "PT0S", "MLT_Adatum_2025"
		case "Litware, Inc.":
			names, extend, length, days = deskRoles, "PT0S", "P180D", 180
			from = moment(2026, 6, 5, 9, 20) // ends on 2 December
			status = "expiring"
		case "Alpine Ski House":
			names, name = deskRoles, "MLT_AlpineSkiHouse_2025"
		case "Fourth Coffee":
			names = deskRoles
		}
		item := o{"@odata.type", "#microsoft.graph.delegatedAdminRelationship", "@odata.etag", `W/"` + guid("etag/" + c.domain)[:8] + `"`,
			"id", guid("relationship/"+c.domain) + "-" + tenantID, "displayName", name, "duration", length,
			"customer", o{"tenantId", c.tenant(), "displayName", c.name}, "accessDetails", unified(names), "status", status, "autoExtendDuration", extend,
			"createdDateTime", stamp(from.AddDate(0, 0, -2)), "lastModifiedDateTime", stamp(from)}
		if status == "approvalPending" {
			items = append(items, append(item, "activatedDateTime", nil, "endDateTime", nil, "accessAssignments", []any{}))
			continue
		}
		group, part := gdapOps, names
		if len(names) == len(deskRoles) {
			group = gdapDesk
		}
		if names[0] == "Global Administrator" {
			part = names[1:] // Global Administrator is held by the relationship and given to nobody
		}
		items = append(items, append(item, "activatedDateTime", stamp(from), "endDateTime", stamp(from.AddDate(0, 0, days)),
			"accessAssignments", []any{o{"@odata.etag", `W/"` + guid("etag/assignment/" + c.domain)[:8] + `"`, "id", guid("access/" + c.domain), "status", "active",
				"createdDateTime", stamp(from.Add(time.Hour)), "lastModifiedDateTime", stamp(from.Add(time.Hour)), "accessDetails", unified(part),
				"accessContainer", o{"accessContainerId", guid("group/" + group), "accessContainerType", "securityGroup"}}}))
	}
	ended := moment(2024, 11, 1, 8, 0)
	items = append(items, o{"@odata.type", "#microsoft.graph.delegatedAdminRelationship", "@odata.etag", `W/"0a1b2c3d"`,
		"id", guid("relationship/ended") + "-" + tenantID, "displayName", "MLT_TreyResearch_2024", "duration", "P365D",
		"customer", o{"tenantId", customers[11].tenant(), "displayName", customers[11].name}, "accessDetails", unified(opsRoles), "status", "terminated", "autoExtendDuration", "PT0S",
		"createdDateTime", stamp(ended), "lastModifiedDateTime", stamp(ended.AddDate(0, 8, 0)), "activatedDateTime", stamp(ended.Add(time.Hour)), "endDateTime", stamp(ended.AddDate(0, 0, 365)), "accessAssignments", []any{}})
	return page("v1.0/$metadata#tenantRelationships/delegatedAdminRelationships(accessAssignments())", items)
}

func customersPage() o {
	var items []any
	for _, c := range customers {
		items = append(items, o{"id", c.tenant(), "commerceId", guid("commerce/" + c.domain), "companyProfile", o{"tenantId", c.tenant(), "domain", c.domain, "companyName", c.name,
			"attributes", o{"objectType", "CustomerCompanyProfile"}}, "relationshipToPartner", "reseller", "allowDelegatedAccess", c.dap, "attributes", o{"objectType", "Customer"}})
	}
	return o{"totalCount", len(items), "items", items, "attributes", o{"objectType", "Collection"}}
}

func insights() o {
	var items []any
	for _, c := range customers {
		state := "enabled"
		if c.mfa < c.admins {
			state = "disabled"
		}
		items = append(items, o{"@odata.type", "#microsoft.graph.partner.security.customerInsight", "tenantId", c.tenant(), "mfa", o{"compliantAdminsCount", c.mfa,
			"compliantNonAdminsCount", c.users * 9 / 10, "totalUsersCount", c.users, "securityDefaultsStatus", "disabled", "mfaConditionalAccessPolicyStatus", state, "legacyPerUserMfaStatus", "disabled"}})
	}
	return page("beta/$metadata#security/partner/securityScore/customerInsights", items)
}

// adoption is one row an app and day, over the last seven days.
func adoption() []any {
	var items []any
	for d := 7; d >= 1; d-- {
		day := asOf.AddDate(0, 0, -d)
		for _, a := range []struct {
			app  app
			base int
			miss int // calls without the claim
		}{{panel, 640, 0}, {billing, 48, 19}, {center, 212, 0}} {
			total := a.base - a.base/3*((d+1)%3)/2
			if wd := day.Weekday(); (wd == time.Saturday || wd == time.Sunday) && a.app != billing {
				total /= 6
			}
			items = append(items, o{"loginDate", day.Format(time.DateOnly), "mfaCompliantRequestCount", total - min(a.miss, total), "totalRequestCount", total, "applicationId", a.app.id, "applicationName", a.app.name})
		}
	}
	return items
}

func nonCompliantPrincipals() o {
	p := who("svc-billing")
	return o{"totalCount", 1, "items", []any{
		o{"objectId", p.id(), "tenantId", tenantID, "upn", p.upn, "lastNonMfaCompliantRequestDateTime", "2026-11-20T02:00:41"},
	}, "attributes", o{"objectType", "Collection"}}
}

// requests are the newest Partner Center calls; times carry no zone, as there.
func requests() o {
	var items []any
	dice := dice("requests")
	add := func(at time.Time, p *person, a app, op string, ok bool) {
		n := fmt.Sprint("request/", len(items))
		items = append(items, o{"requestId", guid(n), "correlationId", guid(n + "/c"), "operationName", op, "requestDateTime", at.Format("2006-01-02T15:04:05"), "ipAddress", p.home.net + "200",
			"objectId", p.id(), "tenantId", tenantID, "upn", p.upn, "applicationId", a.id, "mfaCompliant", ok})
	}
	for d := 6; d >= 0; d-- {
		day := asOf.AddDate(0, 0, -d).Truncate(24 * time.Hour)
		add(day.Add(2*time.Hour+11*time.Second), who("svc-billing"), billing, "Get /v{version}/customers", false)
		add(day.Add(2*time.Hour+41*time.Second), who("svc-billing"), billing, "Get /v{version}/invoices", d%2 == 0 && d > 0)
		if wd := day.Weekday(); wd != time.Saturday && wd != time.Sunday && d > 0 {
			add(day.Add(time.Duration(8+dice.IntN(7))*time.Hour), who("daniel.novak"), panel, "Get /v{version}/customers/{customer_id}/subscriptions", true)
			add(day.Add(time.Duration(9+dice.IntN(6))*time.Hour), who("yara.santos"), center, "Get /v{version}/customers", true)
		}
	}
	return o{"totalCount", len(items), "items", items, "attributes", o{"objectType", "Collection"}}
}

func alert(name, text, typ, severity, status string, c customer, at time.Time, test bool, more ...any) o {
	return append(o{"id", guid("alert/" + name), "displayName", name, "description", text, "alertType", typ, "severity", severity, "confidenceLevel", "high", "status", status,
		"detectedDateTime", stamp(at), "firstObservedDateTime", stamp(at.Add(-40 * time.Minute)), "lastObservedDateTime", stamp(at), "customerTenantId", c.tenant(),
		"subscriptionId", guid("azure/" + c.domain), "valueAddedResellerTenantId", nil, "catalogOfferId", "ms-azr-17g", "isTest", test,
		"affectedResources", []any{o{"resourceId", "/subscriptions/" + guid("azure/"+c.domain) + "/resourceGroups/prod/providers/Microsoft.Compute/virtualMachines/vm-01", "resourceType", "Microsoft.Compute/virtualMachines"}},
		"additionalDetails", o{}}, more...)
}

func answered(by string, at time.Time) []any {
	return []any{o{"statusFrom", "active", "statusTo", "investigating", "updatedBy", by + "@" + domain, "updatedDateTime", stamp(at)},
		o{"statusFrom", "investigating", "statusTo", "resolved", "updatedBy", by + "@" + domain, "updatedDateTime", stamp(at.Add(95 * time.Minute))}}
}

func alerts() o {
	first, second := moment(2026, 10, 27, 13, 2), moment(2026, 11, 6, 19, 40)
	return page("beta/$metadata#security/partner/securityAlerts", []any{
		alert("Possible cryptocurrency mining", "A virtual machine talks to known mining pools.", "CryptoMining", "high", "active", customers[1], moment(2026, 11, 18, 14, 12), false,
			"resolvedReason", nil, "resolvedBy", nil, "resolvedOnDateTime", nil, "activityLogs", []any{}),
		alert("Unusual deployment of virtual machines", "More virtual machines than usual were created in two regions.", "VM_AnomalousDeployment", "medium", "resolved", customers[6], first, false,
			"resolvedReason", "legitimate", "resolvedBy", "elena.petrova@"+domain, "resolvedOnDateTime", stamp(first.Add(5*time.Hour)), "activityLogs", answered("elena.petrova", first.Add(3*time.Hour))),
		alert("Suspicious use of Azure Resource Manager", "Many operations from an address never seen before.", "ARM_SuspiciousOperations", "medium", "resolved", customers[8], second, false,
			"resolvedReason", "legitimate", "resolvedBy", "elena.petrova@"+domain, "resolvedOnDateTime", stamp(second.Add(16*time.Hour)), "activityLogs", answered("elena.petrova", second.Add(14*time.Hour))),
		alert("Test of the alert channel", "A test event.", "ARM_AnomalousResourceConsumption", "low", "active", customers[0], moment(2026, 11, 2, 9, 0), true,
			"resolvedReason", nil, "resolvedBy", nil, "resolvedOnDateTime", nil, "activityLogs", []any{}),
	})
}

// fraudEvents is Partner Center's older list, with activityLogs as text.
func fraudEvents() []any {
	at := moment(2026, 9, 15, 7, 25)
	c := customers[4]
	return []any{o{"eventTime", at.Format("2006-01-02T15:04:05.00"), "eventId", guid("azure/"+c.domain) + "_" + guid("fraud/entity"), "partnerTenantId", tenantID, "partnerFriendlyName", tenantName,
		"customerTenantId", c.tenant(), "customerFriendlyName", c.name, "subscriptionId", guid("azure/" + c.domain), "subscriptionType", "modern", "entityId", guid("fraud/entity"), "entityName", "vm-batch-07",
		"entityUrl", "", "hitCount", "14", "catalogOfferId", "ms-azr-17g", "eventStatus", "Resolved", "serviceName", "Virtual Machines", "resourceName", "vm-batch-07", "resourceGroupName", "batch",
		"firstOccurrence", at.Format("2006-01-02T15:04:05"), "lastOccurrence", at.Format("2006-01-02T15:04:05"), "resolvedReason", "Legitimate", "resolvedOn", at.Add(4 * time.Hour).Format("2006-01-02T15:04:05"),
		"resolvedBy", "elena.petrova@" + domain, "eventType", "VirtualMachineDeploymentAnomaly", "severity", "Medium", "confidenceLevel", "medium", "displayName", "Unusual deployment", "description", "Deployments above the usual.",
		"country", "IE", "IsTest", "false", "activityLogs", `[{"statusFrom":"Active","statusTo":"Investigating","updatedBy":"elena.petrova@` + domain + `","dateTime":"` + at.Add(2*time.Hour).Format("2006-01-02T15:04:05Z") + `"},{"statusFrom":"Investigating","statusTo":"Resolved","updatedBy":"elena.petrova@` + domain + `","dateTime":"` + at.Add(4*time.Hour).Format("2006-01-02T15:04:05Z") + `"}]`}}
}

// score is Microsoft's view: it must agree with the people above.
func score() (root, requirements o) {
	admins, bare, enabled, held := 0, 0, 0, 0
	for i := range people {
		p := &people[i]
		if p.disabled || len(p.roles) > 0 && p.roles[0] == "Directory Synchronization Accounts" {
			continue
		}
		enabled++
		if demands(p, place{}) {
			held++
		}
		if p.admin() {
			admins++
			if !demands(p, place{}) {
				bare++
			}
		}
	}
	compliant, budget, azure := 0, 0, 0
	for _, c := range customers {
		if c.mfa == c.admins {
			compliant++
		}
		if c.azure {
			azure++
			budget++
		}
	}
	item := func(kind, requirement, status string, got, most float64, state string, more ...any) o {
		return append(o{"@odata.type", "#microsoft.graph.partner.security." + kind, "id", guid("score/" + requirement), "requirementType", requirement, "complianceStatus", status,
			"score", got, "maxScore", most, "state", state, "actionUrl", "https://partner.microsoft.com/", "helpUrl", "https://learn.microsoft.com/partner-center/security/security-requirements",
			"updatedDateTime", "2026-11-20T04:04:01.4261872Z"}, more...)
	}
	list := []any{
		item("adminsMfaEnforcedSecurityRequirement", "mfaEnforcedForAdmins", "noncomplaint", 17.5, 20, "active", "totalAdminsCount", admins, "adminsRequiredNotUsingMfaCount", bare,
			"mfaEnabledAdminsCount", admins-bare, "totalUsersCount", enabled, "usersRequiredNotUsingMfaCount", enabled-held, "mfaEnabledUsersCount", held,
			"securityDefaultsStatus", "disabled", "mfaConditionalAccessPolicyStatus", "enabled", "legacyPerUserMfaStatus", "disabled"),
		item("securityRequirement", "securityContactProvided", "compliant", 20, 20, "active"),
		item("responseTimeSecurityRequirement", "securityAlertsPromptlyResolved", "compliant", 20, 20, "active", "averageResponseTimeInHours", 18.9),
		item("customersMfaEnforcedSecurityRequirement", "mfaEnforcedForAdminsOfCustomers", "noncomplaint", 7.5, 10, "active", "compliantTenantCount", compliant, "totalTenantCount", len(customers)),
		item("customersSpendingBudgetSecurityRequirement", "spendingBudgetSetForCustomerAzureSubscriptions", "compliant", 10, 10, "active", "customersWithSpendBudgetCount", budget, "totalCustomersCount", azure),
	}
	return o{"@odata.context", "https://graph.microsoft.com/beta/$metadata#security/partner/securityScore/$entity", "currentScore", 75, "maxScore", 80,
		"updatedDateTime", "2026-11-20T04:04:01.4261872Z", "lastRefreshDateTime", "2026-11-20T04:04:01.4261872Z"}, page("beta/$metadata#security/partner/securityScore/requirements", list)
}
