package graph

import (
	"iter"
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// organization, domains, contracts and licences (contracts.md sections 3.9, 3.10).
func (p *router) tenant(sh *shapes) {
	type org = *world.Tenant
	initial := func(d string) bool { return strings.HasSuffix(d, ".onmicrosoft.com") }
	// A tenant is no immutable row: what an answer shows is copied under the lock.
	orgShape := newShape("organization", func(x any) string { return x.(org).ID },
		f("id", func(x org) any { return x.ID }),
		f("deletedDateTime", func(org) any { return nil }),
		f("businessPhones", func(org) any { return []string{} }),
		f("city", func(org) any { return nil }),
		f("country", func(org) any { return nil }),
		f("countryLetterCode", func(x org) any { return x.Country }),
		f("createdDateTime", func(x org) any { return x.Created }),
		f("defaultUsageLocation", func(x org) any { return x.Country }),
		f("displayName", func(x org) any { return x.Name }),
		f("marketingNotificationEmails", func(org) any { return []string{} }),
		f("mobileDeviceManagementAuthority", func(org) any { return "unknown" }),
		f("onPremisesSyncEnabled", func(org) any { return nil }),
		f("onPremisesLastSyncDateTime", func(org) any { return nil }),
		f("partnerTenantType", func(x org) any {
			if x.Kind == world.PartnerTenant {
				return "syndicatePartner"
			}
			return nil
		}),
		f("preferredLanguage", func(org) any { return "en" }),
		f("postalCode", func(org) any { return nil }),
		f("securityComplianceNotificationMails", func(x org) any {
			if x.SecurityContact == "" {
				return []string{}
			}
			return []string{x.SecurityContact}
		}),
		f("securityComplianceNotificationPhones", func(org) any { return []string{} }),
		f("state", func(org) any { return nil }),
		f("street", func(org) any { return nil }),
		f("technicalNotificationMails", func(org) any { return []string{} }),
		f("tenantType", func(org) any { return "AAD" }),
		f("assignedPlans", func(x org) any {
			out := []object{}
			for _, k := range x.SKUs {
				for _, pl := range k.Plans {
					out = append(out, object{{"assignedDateTime", x.Created}, {"capabilityStatus", k.Status}, {"service", "AADPremiumService"}, {"servicePlanId", pl.ID}})
				}
			}
			return out
		}),
		f("provisionedPlans", func(org) any { return []object{} }),
		f("verifiedDomains", func(x org) any {
			out := []object{}
			for i, d := range x.Domains {
				out = append(out, object{{"capabilities", "Email, OfficeCommunicationsOnline"}, {"isDefault", i == 0}, {"isInitial", initial(d)}, {"name", d}, {"type", "Managed"}})
			}
			return out
		}),
	)
	copyOf := func(t *world.Tenant) *world.Tenant {
		return &world.Tenant{ID: t.ID, Name: t.Name, Domains: slices.Clone(t.Domains), Kind: t.Kind, Created: t.Created, Country: t.Country, SKUs: slices.Clone(t.SKUs), SecurityContact: t.SecurityContact}
	}
	readOrg := allow("Organization.Read.All User.Read User.Read.All Directory.Read.All Directory.ReadWrite.All")
	readOrg.apps = words("Organization.Read.All User.Read.All Directory.Read.All Directory.ReadWrite.All")
	p.add("GET", "organization", route{permit: readOrg, cost: 2, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		return c.listed(s, t, &listing{shape: orgShape, context: "organization", since: slice([]org{copyOf(t)}, orgShape.key)})
	}})
	p.add("GET", "organization/{}", route{permit: readOrg, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		if !strings.EqualFold(c.params[0], t.ID) {
			return nil, notFound(c.params[0])
		}
		return c.one(s, t, "organization", orgShape, copyOf(t))
	}})

	type dom struct {
		name    string
		isFirst bool
	}
	domShape := newShape("domain", func(x any) string { return x.(dom).name },
		f("authenticationType", func(dom) any { return "Managed" }),
		f("availabilityStatus", func(dom) any { return nil }),
		f("id", func(x dom) any { return x.name }),
		f("isAdminManaged", func(dom) any { return true }),
		f("isDefault", func(x dom) any { return x.isFirst }),
		f("isInitial", func(x dom) any { return initial(x.name) }),
		f("isRoot", func(dom) any { return true }),
		f("isVerified", func(dom) any { return true }),
		f("supportedServices", func(dom) any { return []string{"Email", "OfficeCommunicationsOnline"} }),
		f("passwordValidityPeriodInDays", func(dom) any { return 2147483647 }),
		f("passwordNotificationWindowInDays", func(dom) any { return 14 }),
		f("state", func(dom) any { return nil }),
		f("manufacturer", func(dom) any { return nil }),
		f("model", func(dom) any { return nil }),
	)
	readDom := allow("Domain.Read.All Directory.Read.All Directory.ReadWrite.All")
	domains := func(t *world.Tenant) []dom {
		out := []dom{}
		for i, d := range t.Domains {
			out = append(out, dom{d, i == 0})
		}
		return out
	}
	p.add("GET", "domains", route{permit: readDom, cost: 2, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		return c.listed(s, t, &listing{shape: domShape, context: "domains", since: slice(domains(t), domShape.key), top: 100, max: 999})
	}})
	p.add("GET", "domains/{}", route{permit: readDom, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		for _, d := range domains(t) {
			if strings.EqualFold(d.name, c.params[0]) {
				return c.one(s, t, "domains", domShape, d)
			}
		}
		return nil, notFound(c.params[0])
	}})

	type cust = *world.Customer
	contract := newShape("contract", func(x any) string { return contractID(x.(cust).TenantID) },
		f("id", func(x cust) any { return contractID(x.TenantID) }),
		f("deletedDateTime", func(cust) any { return nil }),
		f("contractType", func(cust) any { return "ResellerPartnerContract" }),
		f("customerId", func(x cust) any { return x.TenantID }),
		f("defaultDomainName", func(x cust) any { return x.Domain }),
		f("displayName", func(x cust) any { return x.Name }),
	)
	readContracts := allow("Directory.Read.All Directory.ReadWrite.All")
	readContracts.custom = func(c *call, s *world.State, t *world.Tenant) error {
		if c.caller.AppOnly() || c.caller.AOBO {
			return nil
		}
		if t.Kind == world.PartnerTenant && !t.InGroup(c.caller.ObjectID, world.AdminAgents) && !t.InGroup(c.caller.ObjectID, world.HelpdeskAgents) && !c.hasRole(globalReader, directoryReaders, directoryWriters) {
			return denied()
		}
		return nil
	}
	p.add("GET", "contracts", route{permit: readContracts, cost: 3, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		since := func(after string, at int) iter.Seq2[int, any] {
			return func(yield func(int, any) bool) {
				// The key of a contract is derived, the table's is the customer.
				i := at
				if after == "" {
					i = -1
				}
				for j, r := range t.Customers.Since("", 0) {
					if j > i && r.Relationship != "none" && !yield(j, r) {
						return
					}
				}
			}
		}
		return c.listed(s, t, &listing{shape: contract, context: "contracts", since: since, top: 100, max: 999})
	}})
	p.add("GET", "contracts/{}", route{permit: readContracts, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		for r := range t.Customers.All() {
			if strings.EqualFold(contractID(r.TenantID), c.params[0]) {
				return c.one(s, t, "contracts", contract, r)
			}
		}
		return nil, notFound(c.params[0])
	}})

	type sku struct {
		world.SKU
		tenant string
	}
	skuShape := newShape("subscribedSku", func(x any) string { k := x.(sku); return k.tenant + "_" + k.ID },
		f("accountId", func(x sku) any { return x.tenant }),
		f("accountName", func(sku) any { return nil }),
		f("appliesTo", func(sku) any { return "User" }),
		f("capabilityStatus", func(x sku) any { return x.Status }),
		f("consumedUnits", func(x sku) any { return x.Consumed }),
		f("id", func(x sku) any { return x.tenant + "_" + x.ID }),
		f("skuId", func(x sku) any { return x.ID }),
		f("skuPartNumber", func(x sku) any { return x.Part }),
		f("subscriptionIds", func(sku) any { return []string{} }),
		f("prepaidUnits", func(x sku) any {
			units := object{{"enabled", x.Enabled}, {"suspended", 0}, {"warning", 0}, {"lockedOut", 0}}
			switch x.Status {
			case "Warning":
				units[0].value, units[2].value = x.Enabled, x.Enabled
			case "Suspended":
				units[0].value, units[1].value = 0, x.Enabled
			case "LockedOut":
				units[0].value, units[3].value = 0, x.Enabled
			}
			return units
		}),
		f("servicePlans", func(x sku) any {
			status := "Success"
			if x.Status != "Enabled" && x.Status != "Warning" {
				status = "Disabled"
			}
			out := []object{}
			for _, pl := range x.Plans {
				out = append(out, object{{"servicePlanId", pl.ID}, {"servicePlanName", pl.Name}, {"provisioningStatus", status}, {"appliesTo", "User"}})
			}
			return out
		}),
	)
	readSKU := allow("LicenseAssignment.Read.All Organization.Read.All Directory.Read.All Directory.ReadWrite.All")
	skus := func(t *world.Tenant) []sku {
		out := []sku{}
		for _, k := range t.SKUs {
			out = append(out, sku{k, t.ID})
		}
		return out
	}
	p.add("GET", "subscribedSkus", route{permit: readSKU, cost: 3, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		return c.listed(s, t, &listing{shape: skuShape, context: "subscribedSkus", since: slice(skus(t), skuShape.key)})
	}})
	p.add("GET", "subscribedSkus/{}", route{permit: readSKU, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		for _, k := range skus(t) {
			if strings.EqualFold(skuShape.key(k), c.params[0]) {
				return c.one(s, t, "subscribedSkus", skuShape, k)
			}
		}
		return nil, notFound(c.params[0])
	}})

	p.add("GET", "directoryObjects/{}", route{permit: allow("Directory.Read.All Directory.ReadWrite.All User.Read.All Group.Read.All Application.Read.All"), do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		e := c.object(t, c.params[0])
		if e == nil {
			return nil, notFound(c.params[0])
		}
		return c.one(s, t, "directoryObjects", e.shape, e)
	}})
	p.add("POST", "directoryObjects/getByIds", route{permit: allow("Directory.Read.All Directory.ReadWrite.All"), do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		if err := (fields{"ids": list(text()).need().upTo(1000), "types": list(text())}).check("", c.in); err != nil {
			return nil, err
		}
		types := strs(c.in, "types")
		page := []*entity{}
		for _, id := range strs(c.in, "ids") {
			if e := c.object(t, id); e != nil && (len(types) == 0 || slices.ContainsFunc(types, func(w string) bool { return strings.EqualFold(w, e.typ) || strings.EqualFold(w, "directoryObject") })) {
				page = append(page, e)
			}
		}
		return c.page("directoryObjects", page, nil, -1, nil), nil
	}})
}

// contractID is the id of a contract with a customer.
func contractID(customer string) string {
	h := world.HashSecret("contract/" + strings.ToLower(customer))
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8" + h[17:20] + "-" + h[20:32]
}

// riskyUsers is Identity Protection (contracts.md section 3.10).
func (p *router) risky() {
	type u = *world.User
	level := func(x u) string {
		if x.Risk == "" {
			return "none"
		}
		return x.Risk
	}
	sh := newShape("riskyUser", func(x any) string { return x.(u).ID })
	build := func(c *call) *shape {
		return newShape("riskyUser", sh.key,
			f("id", func(x u) any { return x.ID }),
			f("isDeleted", func(u) any { return false }),
			f("isProcessing", func(u) any { return false }),
			f("riskDetail", func(x u) any {
				if x.RiskDetail == "" {
					return "none"
				}
				return c.evolve(x.RiskDetail)
			}),
			f("riskLastUpdatedDateTime", func(x u) any { return later(x.RiskAt, x.Created) }),
			f("riskLevel", func(x u) any { return level(x) }),
			f("riskState", func(x u) any {
				switch {
				case x.RiskState != "":
					return x.RiskState
				case level(x) != "none":
					return "atRisk"
				}
				return "none"
			}),
			f("userDisplayName", func(x u) any { return x.Name }),
			f("userPrincipalName", func(x u) any { return x.UPN }),
		)
	}
	licence := func(_ *call, _ *world.State, t *world.Tenant) error {
		if !t.HasPlan(world.PlanP2) {
			return refuse(http.StatusForbidden, "AadPremiumLicenseRequired", "Your tenant is not licensed for this feature: Identity Protection needs Microsoft Entra ID P2.")
		}
		return nil
	}
	read := allow("IdentityRiskyUser.Read.All IdentityRiskyUser.ReadWrite.All").with(securityReader, securityOperator, securityAdmin, globalReader)
	write := allow("IdentityRiskyUser.ReadWrite.All").with(securityOperator, securityAdmin)
	read.custom, write.custom = licence, licence
	const path = "identityProtection/riskyUsers"
	risky := func(x u) bool { return level(x) != "none" || x.RiskState != "" && x.RiskState != "none" }
	p.add("GET", path, route{permit: read, service: identity, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		since := func(after string, at int) iter.Seq2[int, any] {
			return func(yield func(int, any) bool) {
				for i, x := range t.Users.Since(after, at) {
					if risky(x) && !yield(i, x) {
						return
					}
				}
			}
		}
		return c.listed(s, t, &listing{shape: build(c), context: path, since: since, top: 20, max: 500})
	}})
	p.add("GET", path+"/{}", route{permit: read, service: identity, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		if x := t.Users.Get(c.params[0]); x != nil && risky(x) {
			return c.one(s, t, path, build(c), x)
		}
		return nil, notFound(c.params[0])
	}})
	for _, act := range []struct{ name, level, state, detail, activity string }{
		{"dismiss", "none", "dismissed", "adminDismissedAllRiskForUser", "DismissUser"},
		{"confirmCompromised", "high", "confirmedCompromised", "adminConfirmedUserCompromised", "ConfirmAccountCompromised"},
		{"confirmSafe", "none", "confirmedSafe", "adminConfirmedAccountSafe", "ConfirmAccountSafe"},
	} {
		p.add("POST", path+"/"+act.name, route{permit: write, service: identity, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
			if err := (fields{"userIds": list(text()).need().upTo(60)}).check("", c.in); err != nil {
				return nil, err
			}
			ids := strs(c.in, "userIds")
			if len(ids) == 0 {
				return nil, badRequest("The body must name userIds.")
			}
			for _, id := range ids {
				if t.Users.Get(id) == nil {
					return nil, notFound(id)
				}
			}
			for _, id := range ids {
				x := t.Users.Get(id)
				ch := change{activity: act.activity, category: "Other", service: "Identity Protection", target: userTarget(x)}
				ch.changed("RiskState", x.RiskState, act.state)
				ch.changed("RiskLevel", x.Risk, act.level)
				n := s.Change()
				t.Users.Change(id, func(x u) {
					x.Risk, x.RiskState, x.RiskDetail, x.RiskAt, x.Changed = act.level, act.state, act.detail, c.now, n
				})
				c.audit(s, t, ch)
			}
			s.Touch(t)
			return noContent()
		}})
	}
}
