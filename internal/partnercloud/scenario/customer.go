package scenario

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/market"
	"partnerguard/internal/partnercloud/world"
)

// record makes the partner's side of a customer: the customer record, GDAP
// relationships and alerts. The customer's tenant is made when it is asked for.
func (b *builder) record(t *world.Tenant, k *Customer) {
	id := b.customerID(k)
	c := &world.Customer{
		TenantID: id, Domain: strings.ToLower(k.Domain), Name: k.Name, Country: cmp.Or(k.Country, t.Country),
		Relationship: cmp.Or(k.Relationship, "reseller"), DAP: k.DAP,
		Since: k.Since.or(b.created, b.created.AddDate(-2, 0, 0)).Truncate(time.Second), Reseller: b.resellerID(k.Reseller),
		Email:  "admin@" + strings.ToLower(k.Domain),
		Agreed: !k.NoAgreement, Currency: cmp.Or(k.Currency, currency(cmp.Or(k.Country, t.Country))), ETag: 1,
	}
	if k.DAP {
		c.DAPUsed = k.DAPUsed.or(b.created, b.created.AddDate(0, 0, -12)).Truncate(time.Second)
	}
	if k.Budget != nil {
		budget := *k.Budget
		c.Budget = &budget
	}
	for i := range k.Subscriptions {
		s := &k.Subscriptions[i]
		c.Subscriptions = append(c.Subscriptions, world.Subscription{
			ID: b.state.GUID("subscription/" + id + "/" + s.Name), Offer: cmp.Or(s.Offer, offerOf(s.Name)), Name: s.Name,
			Quantity: cmp.Or(s.Quantity, 1), Status: cmp.Or(s.Status, "active"),
			Created: s.Since.or(b.created, c.Since.AddDate(0, 0, 1)).Truncate(time.Second), ETag: 1,
		})
	}
	if len(k.Azure) > 0 {
		plan := world.Subscription{ID: b.state.GUID("plan/" + id), Offer: offerOf("Microsoft Azure plan"), Name: "Azure plan", Quantity: 1, Status: "active",
			Created: c.Since.AddDate(0, 0, 2), AzurePlan: true, ETag: 1}
		for i := range k.Azure {
			a := &k.Azure[i]
			plan.Entitlements = append(plan.Entitlements, world.Entitlement{ID: b.state.GUID("entitlement/" + id + "/" + a.Name), Name: a.Name,
				SubscriptionID: b.azureID(k, a), Status: "active"})
			c.Cost += b.costOfMonth(k, a)
		}
		c.Subscriptions = append(c.Subscriptions, plan)
	}
	t.Customers.Put(c)
	for i := range k.GDAP {
		t.Relationships.Put(b.relationship(t, k, &k.GDAP[i]))
	}
	for i := range k.Alerts {
		b.alert(t, k, &k.Alerts[i], i)
	}
}

// offerOf is the catalogue item that people call by a name; Business Premium where
// the catalogue has none.
func offerOf(name string) string {
	if o, ok := market.ByTitle(name); ok {
		return o.OfferID()
	}
	return "CFQ7TTC0LCHC:0002:CFQ7TTC0MN4G"
}

func (b *builder) relationship(t *world.Tenant, k *Customer, g *GDAP) *world.Relationship {
	since := g.Since.or(b.created, b.created.AddDate(0, 0, -200)).Truncate(time.Second)
	r := &world.Relationship{
		ID: b.state.GUID("relationship/"+strings.ToLower(g.Name)) + "-" + t.ID, Name: g.Name, Duration: cmp.Or(g.For, "P730D"), AutoExtend: "PT0S",
		Customer: b.customerID(k), CustomerName: k.Name,
		Status: cmp.Or(g.Status, "active"), Created: since.AddDate(0, 0, -2), Changed: since, ETag: 1,
	}
	r.Provider = strings.ToLower(g.Provider)
	if g.AutoExtend == "P180D" {
		r.AutoExtend = g.AutoExtend
	}
	for _, name := range g.Roles {
		id, _ := roleID(name)
		r.Roles = append(r.Roles, id)
	}
	ask := func(action, status string, at time.Time) {
		r.Asks = append(r.Asks, world.RelationshipRequest{ID: b.state.GUID("ask/" + r.ID + "/" + action), Action: action, Status: status, Created: at,
			Changed: at})
	}
	if r.Status == "created" {
		r.Created, r.Changed = since, since
		return r
	}
	r.Offered = since.AddDate(0, 0, -1)
	ask("lockForApproval", "succeeded", r.Offered)
	if r.Status == "approvalPending" {
		r.Offered, r.Changed = since, since
		return r
	}
	y, m, d, _ := period(r.Duration)
	r.Activated, r.Ends = since, since.AddDate(y, m, d)
	ask("approve", "succeeded", since)
	switch r.Status {
	case "terminated":
		r.Changed = since.AddDate(0, 3, 0)
		ask("terminate", "succeeded", r.Changed)
	case "expired":
		r.Changed = r.Ends
	}
	if r.Status != "active" {
		return r
	}
	for _, group := range slices.Sorted(maps.Keys(g.Groups)) {
		a := world.AccessAssignment{ID: b.state.GUID("access/" + r.ID + "/" + strings.ToLower(group)), Group: b.groupID(t, group), Status: "active",
			Created: since.Add(time.Hour), Changed: since.Add(time.Hour), ETag: 1}
		for _, name := range g.Groups[group] {
			id, _ := roleID(name)
			a.Roles = append(a.Roles, id)
		}
		r.Assignments = append(r.Assignments, a)
	}
	return r
}

func (b *builder) azureID(k *Customer, a *Azure) string {
	return strings.ToLower(cmp.Or(a.ID, b.state.GUID("azure/"+b.customerID(k)+"/"+strings.ToLower(a.Name))))
}

func (b *builder) machineID(k *Customer, a *Azure, m *Machine) string {
	return "/subscriptions/" + b.azureID(k, a) + "/resourceGroups/" + cmp.Or(m.Group, "rg-prod") + "/providers/Microsoft.Compute/virtualMachines/" + m.Name
}

func (b *builder) alert(t *world.Tenant, k *Customer, a *Alert, n int) {
	legacy, _ := world.LegacyAlertType(a.Type)
	detected := a.Detected.or(b.created, b.created.Add(-30*time.Hour)).Truncate(time.Second)
	al := &world.Alert{
		ID: b.state.GUID(fmt.Sprintf("alert/%s/%d", b.customerID(k), n)), Type: a.Type, LegacyType: legacy, Name: cmp.Or(a.Name, a.Type), Description: a.About,
		Severity: cmp.Or(a.Severity, "high"), Confidence: cmp.Or(a.Confidence, "high"), Status: cmp.Or(a.Status, "active"), Detected: detected,
		First: detected.Add(-40 * time.Minute), Last: detected, Customer: b.customerID(k), Reseller: b.resellerID(k.Reseller), Offer: "ms-azr-17g",
		Test: a.Test,
		Hits: cmp.Or(a.Hits, 1), Resources: []world.AlertResource{}, Activity: []world.AlertActivity{}, Details: map[string]string{},
	}
	for i := range k.Azure {
		z := &k.Azure[i]
		if !strings.EqualFold(z.Name, a.Azure) {
			continue
		}
		al.Subscription = b.azureID(k, z)
		for j := range z.Machines {
			m := &z.Machines[j]
			if a.Machine == "" || strings.EqualFold(m.Name, a.Machine) {
				al.Resources = append(al.Resources, world.AlertResource{ID: b.machineID(k, z, m), Type: "Microsoft.Compute/virtualMachines"})
			}
		}
	}
	al.EventID = al.Subscription + "_" + b.state.GUID("entity/"+al.ID)
	if a.Type == "CryptoMining" {
		al.Details = map[string]string{"VM_IP": "10.0.0.4", "MiningPool_IP": "198.51.100.77", "CryptoCurrencyMiningPoolDomainName": "pool.coins.example",
			"ConnectionCount": fmt.Sprint(al.Hits)}
	}
	by := cmp.Or(a.By, "partner")
	if al.Status != "active" {
		al.Activity = append(al.Activity, world.AlertActivity{From: "active", To: "investigating", By: by, At: detected.Add(95 * time.Minute)})
	}
	if al.Status == "resolved" {
		al.Reason, al.ResolvedBy, al.ResolvedOn = cmp.Or(a.Reason, "legitimate"), by, detected.Add(5*time.Hour)
		al.Activity = append(al.Activity, world.AlertActivity{From: "investigating", To: "resolved", By: by, At: al.ResolvedOn})
	}
	t.Alerts.Put(al)
}

// customerTenant makes a customer's tenant.
func (b *builder) customerTenant(k *Customer) *world.Tenant {
	id := b.customerID(k)
	t := b.bare(id, k.Name, b.domainsOf(k), world.CustomerTenant, &k.Settings)
	t.Created = k.Since.or(b.created, b.created.AddDate(-2, 0, 0)).AddDate(0, -1, 0).Truncate(time.Second)
	b.people(t, k.People)
	b.customerUsers(t, k)
	b.groups(t, k.Groups, k.People)
	b.settings(t, &k.Settings)
	own := k.Settings
	own.Seats = cmp.Or(own.Seats, k.seats())
	b.licences(t, &own)
	for _, r := range []string{entra.AppGraph, entra.AppExchange, entra.AppARM} {
		b.principal(t, r, resource(r).Name, entra.TenantMicrosoftServices)
	}
	for _, name := range k.Consented {
		if a := b.sc.app(name); a != nil {
			agreed := *a
			agreed.Consent, agreed.Roles = "admin", nil
			b.consent(t, &agreed, b.ownerOf(a))
		}
	}
	for i := range k.Azure {
		t.Azure.Put(b.azure(t, k, &k.Azure[i]))
	}
	b.lasts(t)
	b.work(t, k)
	return t
}

// seats are those that the customer's subscriptions of its licence hold: what the
// directory says is what was bought.
func (k *Customer) seats() int {
	n, part := 0, licence(k.Licence, 1, 0)[0].Part
	for i := range k.Subscriptions {
		s := &k.Subscriptions[i]
		if o, ok := market.Find(cmp.Or(s.Offer, offerOf(s.Name))); ok && o.Part == part && cmp.Or(s.Status, "active") == "active" {
			n += cmp.Or(s.Quantity, 1)
		}
	}
	return n
}

// ownerOf is the tenant that an app of the scenario is registered in.
func (b *builder) ownerOf(a *App) string {
	for i := range b.sc.Vendors {
		for j := range b.sc.Vendors[i].Apps {
			if &b.sc.Vendors[i].Apps[j] == a {
				return b.tenantID(&b.sc.Vendors[i].Settings, b.sc.Vendors[i].Domain)
			}
		}
	}
	for i := range b.sc.Providers {
		for j := range b.sc.Providers[i].Apps {
			if &b.sc.Providers[i].Apps[j] == a {
				return b.tenantID(&b.sc.Providers[i].Settings, b.sc.Providers[i].Domain)
			}
		}
	}
	return b.partnerID
}

func (b *builder) azure(t *world.Tenant, k *Customer, a *Azure) *world.AzureSubscription {
	created := a.Since.or(b.created, t.Created.AddDate(0, 2, 0)).Truncate(time.Second)
	s := &world.AzureSubscription{ID: b.azureID(k, a), Name: a.Name, State: cmp.Or(a.State, "Enabled"), Created: created, Resources: []world.AzureResource{},
		Roles: []world.AzureRole{}}
	scope := "/subscriptions/" + s.ID
	role := func(name, principal, kind string) {
		s.Roles = append(s.Roles, world.AzureRole{ID: b.state.GUID("azurerole/" + s.ID + "/" + principal + "/" + name), Role: name, Principal: principal,
			PrincipalType: kind, Scope: scope, Created: created})
	}
	// Owner comes to the partner through its AdminAgents group.
	role("Owner", b.state.GUID("group/"+b.partnerID+"/"+strings.ToLower(world.AdminAgents)), "ForeignGroup")
	n := 0
	for h := range t.Held.All() {
		if h.Role == entra.RoleGlobalAdministrator && t.Users.Get(h.Principal) != nil && n < 2 {
			role("Owner", h.Principal, "User")
			n++
		}
	}
	caller := "admin@" + t.Domain()
	if n > 0 {
		caller = t.Users.Get(s.Roles[1].Principal).UPN
	}
	in := b.intrusion(t, k, a)
	if in != nil {
		role("Contributor", in.user.ID, "User")
	}
	b.machines(t, k, a, s, caller, in)
	slices.SortStableFunc(s.Activity, func(x, y json.RawMessage) int { return cmp.Compare(eventTime(x), eventTime(y)) })
	s.Usage = b.usage(t, k, a)
	return s
}

// machines puts a subscription's machines with what belongs to them, and the events
// that tell of it.
func (b *builder) machines(t *world.Tenant, k *Customer, a *Azure, s *world.AzureSubscription, caller string, in *intrusion) {
	groups := map[string]bool{}
	for i := range a.Machines {
		m := &a.Machines[i]
		r := b.machine(t, a, m)
		who, attack := caller, (*intrusion)(nil)
		if m.By == intruder && in != nil {
			who, attack = in.user.UPN, in
		}
		recent := r.Created.After(b.created.AddDate(0, 0, -90))
		if !groups[r.Group] {
			groups[r.Group] = true
			s.Resources = append(s.Resources, world.AzureResource{Group: r.Group, Type: "Microsoft.Network/virtualNetworks", Name: "vnet-" + r.Group,
				Location: r.Location, Created: r.Created})
			if attack != nil {
				s.Activity = append(s.Activity, b.event(t, s, r.Created.Add(-time.Minute), "Microsoft.Resources/subscriptions/resourceGroups/write",
					"/subscriptions/"+s.ID+"/resourceGroups/"+r.Group, who, attack, nil))
			}
		}
		s.Resources = append(s.Resources, r,
			world.AzureResource{Group: r.Group, Type: "Microsoft.Compute/disks", Name: m.Name + "_OsDisk", Location: r.Location, Created: r.Created},
			world.AzureResource{Group: r.Group, Type: "Microsoft.Network/networkInterfaces", Name: m.Name + "-nic", Location: r.Location, Created: r.Created})
		if recent {
			s.Activity = append(s.Activity, b.event(t, s, r.Created, "Microsoft.Compute/virtualMachines/write", b.machineID(k, a, m), who, attack, &r))
		}
	}
}

// machine is a virtual machine as the scenario writes it.
func (b *builder) machine(t *world.Tenant, a *Azure, m *Machine) world.AzureResource {
	r := world.AzureResource{Group: cmp.Or(m.Group, "rg-prod"), Type: "Microsoft.Compute/virtualMachines", Name: m.Name,
		Location: cmp.Or(m.Location, "northeurope"), Size: cmp.Or(m.Size, "Standard_B2s"), Power: cmp.Or(m.Power, "running"), Created: b.made(t, a, m)}
	guilty := 0
	for i := range a.Machines {
		if a.Machines[i].By == intruder {
			guilty++
		}
	}
	r.Hourly = a.usualDay() / 24 / float64(max(1, len(a.Machines)-guilty))
	if m.By == intruder {
		r.Hourly = 8 * a.usualDay() / 24 / float64(guilty)
	}
	if r.Power == "running" || r.Power == "stopped" { // from the first midnight on, what runs is paid for by the hour
		r.Runs = []world.Run{{From: b.created.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)}}
	}
	return r
}

// metered is a subscription as far as usage follows from it, without its tenant.
func (b *builder) metered(k *Customer, a *Azure) *world.AzureSubscription {
	nobody := &world.Tenant{} // tells when machines were made, which costs nothing
	s := &world.AzureSubscription{ID: b.azureID(k, a), Usage: b.usage(nobody, k, a)}
	for i := range a.Machines {
		s.Resources = append(s.Resources, b.machine(nobody, a, &a.Machines[i]))
	}
	return s
}

func eventTime(raw json.RawMessage) string {
	var e struct {
		At string `json:"eventTimestamp"`
	}
	_ = json.Unmarshal(raw, &e)
	return e.At
}

func (b *builder) costOfMonth(k *Customer, a *Azure) float64 {
	total := 0.0
	for _, d := range b.days(k, a) {
		if d.day.Month() == b.created.Month() {
			total += d.cost
		}
	}
	return float64(int(total*100)) / 100
}

func currency(country string) string {
	switch country {
	case "GB":
		return "GBP"
	case "US":
		return "USD"
	case "SE":
		return "SEK"
	case "DK":
		return "DKK"
	case "NO":
		return "NOK"
	case "CH":
		return "CHF"
	case "PL":
		return "PLN"
	case "JP":
		return "JPY"
	}
	return "EUR"
}
